"""Make .venv, unless it is there, and install the course into it. Called by setup.sh.

.venv/.unfinished is there until everything was installed for the first time; a call that finds it starts
afresh. A later installation, of new versions, that fails leaves an environment that the next call mends. Two
calls at once: the second waits, and finds everything done.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
UNFINISHED = VENV / ".unfinished"
STAMP = "course_installed.txt"
# Where pip is told to install elsewhere, as on many clusters, the environment would stay empty.
ELSEWHERE = ("PIP_USER", "PIP_TARGET", "PIP_PREFIX", "PIP_ROOT")


def main() -> int:
    """The exit status: 0, or 1 after a message that says what to do."""
    with open(ROOT / ".venv.lock", "w") as lock:
        if fcntl is not None:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                print("Another set-up is at work in this folder: waiting for it ...", flush=True)
                fcntl.flock(lock, fcntl.LOCK_EX)
        return _set_up()


def _set_up() -> int:
    if _is_up_to_date():
        return 0
    if UNFINISHED.exists():
        _say("Making .venv afresh: the last set-up was interrupted.")
        shutil.rmtree(VENV)
    elif VENV.exists() and not _runs():
        _say("Making .venv afresh: its Python is gone, or is not one that the course accepts.")
        shutil.rmtree(VENV)
    environment = _environment()
    if not VENV.exists():
        print(f"Making .venv with Python {sys.version.split()[0]} ({sys.executable}) ...", flush=True)
        VENV.mkdir()
        UNFINISHED.touch()
        subprocess.run([sys.executable, "-m", "venv", VENV], check=True, env=environment)

    print("Installing the packages of requirements.txt into .venv (some minutes, only once) ...", flush=True)
    python = VENV / "bin" / "python"
    pip = [python, "-m", "pip"]
    if subprocess.run([*pip, "--version"], capture_output=True, env=environment).returncode:
        subprocess.run([python, "-m", "ensurepip"], check=True, env=environment)
    install = [*pip, "install", "--disable-pip-version-check", "--no-input"]
    if not sys.stdout.isatty():
        install.append("--quiet")  # a log gets no progress bars
    for what in (["-r", "requirements.txt"], ["--no-deps", "-e", "."]):
        if subprocess.run([*install, *what], cwd=ROOT, env=environment).returncode:
            _say(
                "The installation failed; the lines above say why. Mostly it is the network or a full disk.\n"
                "Call make again when that is mended: it goes on from what is already downloaded."
            )
            return 1
    (_site_packages() / STAMP).write_text(f"Installed with Python {sys.version}\n", encoding="utf-8")
    UNFINISHED.unlink(missing_ok=True)
    return 0


def _is_up_to_date() -> bool:
    """The same question as in setup.sh, once more: another call may have answered it meanwhile."""
    if UNFINISHED.exists() or not _runs():
        return False
    stamp = _site_packages() / STAMP
    inputs = (ROOT / "requirements.txt", ROOT / "pyproject.toml")
    return stamp.exists() and all(stamp.stat().st_mtime_ns > path.stat().st_mtime_ns for path in inputs)


def _runs() -> bool:
    """Whether the environment's Python runs and is one that the course accepts."""
    command = [VENV / "bin" / "python", ROOT / "scripts" / "setup_check.py", "--version-only"]
    try:
        return subprocess.run(command, capture_output=True, env=_environment(silent=True)).returncode == 0
    except OSError:
        return False


def _site_packages() -> Path:
    """Where the environment's packages lie."""
    code = "import sysconfig; print(sysconfig.get_path('purelib'))"
    found = subprocess.run([VENV / "bin" / "python", "-c", code], capture_output=True, text=True, check=True)
    return Path(found.stdout.strip())


def _environment(silent: bool = False) -> dict[str, str]:
    """The caller's, without what would send packages elsewhere or bring others in."""
    ignored = [name for name in ELSEWHERE if os.environ.get(name)]
    if ignored and not silent:
        print(f"Ignored here: {', '.join(ignored)}. Everything goes into .venv.", flush=True)
    dropped = (*ELSEWHERE, "PYTHONHOME", "PYTHONPATH")
    kept = {name: value for name, value in os.environ.items() if name not in dropped}
    return {**kept, "PIP_USER": "0"}  # a configuration file may say 1


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
