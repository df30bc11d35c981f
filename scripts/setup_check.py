"""Can the Python that runs this script make the course's environment? Says what to do if not.

Any Python that a machine may have, down to 2.7, must be able to read this file: an old one is to print what
is wrong, not a SyntaxError. So there are no f-strings and no type hints here. Called by setup.sh.

usage: setup_check.py [--version-only]
"""

import os
import sys

OLDEST = (3, 11)
NEWEST = (3, 14)
NEEDED_GB = 4


def version_problem(version):
    """What is wrong with a Python of this (major, minor, ...) version, or None."""
    accepted = "the course needs Python %d.%d to %d.%d" % (OLDEST + NEWEST)
    if tuple(version[:2]) < OLDEST:
        return "too old: " + accepted
    if tuple(version[:2]) > NEWEST:
        return "too new: " + accepted
    return None


def venv_problem(find=__import__):
    """What keeps this Python from making a virtual environment, or None; ``find`` imports a module."""
    for module in ("venv", "ensurepip"):
        try:
            find(module)
        except ImportError:
            package = "python%d.%d-venv" % sys.version_info[:2]
            return (
                "it can't make virtual environments: its module %s is missing. On Debian and Ubuntu: "
                "sudo apt-get install %s. Elsewhere: get a complete Python." % (module, package)
            )
    return None


def disk_problem(free, folder):
    """What is wrong with ``free`` bytes of disk in ``folder``, or None."""
    if free < NEEDED_GB * 1e9:
        measured = (free / 1e9, folder, NEEDED_GB)
        return "Disk: %.1f GB are free in %s, and %d GB are needed: make room there." % measured
    return None


def find_problem():
    """The first thing that is wrong, in one line, or None."""
    problem = version_problem(sys.version_info)
    if problem is None and "--version-only" not in sys.argv[1:]:
        problem = venv_problem()
    if problem is not None:
        return "Python %d.%d.%d (%s): %s" % (sys.version_info[:3] + (sys.executable, problem))
    if "--version-only" in sys.argv[1:]:
        return None
    import shutil  # here: its disk_usage is younger than Python 2.7

    folder = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    return disk_problem(shutil.disk_usage(folder).free, folder)


if __name__ == "__main__":
    found = find_problem()
    if found is not None:
        print(found)
        sys.exit(1)
