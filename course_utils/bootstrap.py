"""The first cell of every notebook, and what it calls.

On the student's own machine the cell finds the repository around the notebook. On Google Colab it fetches the
repository first, and adds the packages that Colab lacks. Nothing that is already there is upgraded: another
torch or numpy would break the running session.

Nothing heavy is imported before it is known to be installed.
"""

from __future__ import annotations

import importlib
import importlib.metadata
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from course_utils import threads
from course_utils.paths import repository_root

if TYPE_CHECKING:
    from packaging.requirements import Requirement

BRANCH = "main"
PLACEHOLDER = "set_your_address"
"""Stands in pyproject.toml until the owner of a copy sets its address."""

# The download gets its name only when it is complete, so an interrupted one is made again. Each has a folder
# of its own until then: two notebooks may fetch at once, and the second finds the first's.
_CELL = """\
import importlib.util, os, pathlib, subprocess, sys  # Finds the course; on Colab, fetches it first.
repo = os.getenv("COURSE_REPO", "{address}")
ref = os.getenv("COURSE_REF", "{branch}")
home = pathlib.Path("course-" + ref.replace("/", "-")).resolve()
if "google.colab" in sys.modules and not (home / "course_utils").is_dir():
    assert "{placeholder}" not in repo, "No address yet: the course's owner sets it in pyproject.toml."
    fetch = 'd=$(mktemp -d "$0.XXXXXX") && git clone -q --depth=1 -b "$1" "$2" "$d/new" && {{ rmdir "$0"; '
    fetch += 'mv -T "$d/new" "$0"; }}; rm -rf "$d"; [ -d "$0/course_utils" ]'
    got = subprocess.run(["sh", "-c", fetch, str(home), ref, repo], capture_output=True, text=True)
    why = got.stderr.strip().split("\\n")[0] + f" (branch {{ref}} of {{repo}}, into {{home}})"
    assert not got.returncode, f"Not fetched: {{why}}. Mend that (address, network, disk); run this again."
sys.path[:0] = [str(folder) for folder in (home, *home.parents) if (folder / "course_utils").is_dir()][:1]
assert importlib.util.find_spec("course_utils"), f"No course here: git clone {{repo}}, then `make lab` in it."
importlib.import_module("course_utils.bootstrap").setup("{notebook}")
"""


class SetupError(RuntimeError):
    """The course can't run here; the message says what to do."""


def bootstrap_cell(notebook: str) -> str:
    """The text of the first cell of ``notebook`` (its name, such as "02_convolution").

    When it runs, the environment variable ``COURSE_REPO`` overrides the address of the repository, and
    ``COURSE_REF`` the branch or tag.
    """
    return _CELL.format(
        address=repository_address(), branch=BRANCH, notebook=notebook, placeholder=PLACEHOLDER
    )


def colab_url(path: str) -> str:
    """The address that opens a notebook on Colab; ``path`` is the notebook's, from the root, with ``/``.

    Raises:
        SetupError: if the repository is not on GitHub, the only place whose notebooks Colab opens by address.
    """
    address = repository_address()
    parts = urlsplit(address)
    if parts.hostname != "github.com":
        raise SetupError(f"Colab opens notebooks from github.com only, not from {address} (pyproject.toml)")
    repository = parts.path.strip("/").removesuffix(".git")
    return f"https://colab.research.google.com/github/{repository}/blob/{BRANCH}/{path}"


def repository_address() -> str:
    """The address of the repository, as ``pyproject.toml`` states it."""
    return _project()["urls"]["Repository"]


def requirements() -> list[Requirement]:
    """What the notebooks import, with the accepted versions, for this Python (``pyproject.toml``)."""
    from packaging.requirements import Requirement

    parsed = [Requirement(text) for text in _project()["dependencies"]]
    return [item for item in parsed if item.marker is None or item.marker.evaluate()]


def installed_version(name: str) -> str | None:
    """The installed version of a package, by its name on the package index; None if it isn't installed."""
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None


def setup(notebook: str) -> None:
    """Make sure that ``notebook`` can run (on Colab, add what is missing); give figures the course's look.

    On Colab it also says whether the course that was fetched some time ago is still the newest. Threads are
    told to wait passively (:mod:`course_utils.threads`).

    Raises:
        SetupError: if a package is missing and this is not Colab, or if it could not be added there.
    """
    threads.wait_passively()
    try:
        missing = [item for item in requirements() if installed_version(item.name) is None]
    except ModuleNotFoundError as error:  # packaging, which comes with nearly everything
        raise SetupError(_advice([error.name])) from None
    if not missing:
        print(f"{notebook}: everything is installed.")
    elif "google.colab" in sys.modules:
        names = ", ".join(item.name for item in missing)
        print(f"{notebook}: adding what Colab lacks ({names}) ...", flush=True)
        install(missing)
        print("Done. What was installed before is unchanged.")
    else:
        raise SetupError(_advice([item.name for item in missing]))

    if "google.colab" in sys.modules:
        news = newer_version(repository_root())
        if news is not None:
            print(news)

    from course_utils import figures  # late: it imports matplotlib and numpy

    figures.use_style()


def newer_version(folder: Path) -> str | None:
    """A sentence if there is a newer version of the course than the one in ``folder``, else None."""

    def ask(*arguments: str) -> str:
        command = ["git", "-C", str(folder), *arguments]
        done = subprocess.run(command, capture_output=True, text=True, timeout=20, check=True)
        return done.stdout.strip()

    try:
        here, branch = ask("rev-parse", "HEAD"), ask("rev-parse", "--abbrev-ref", "HEAD")
        if branch == "HEAD":
            return None  # a tag was asked for, and stays what it is
        there = ask("ls-remote", "origin", f"refs/heads/{branch}").split()
        date = ask("log", "-1", "--format=%cs")
    except (OSError, subprocess.SubprocessError):
        return f"It can't be found out whether there is a newer version of the course than that in {folder}."
    if not there or here in there:
        return None
    return (
        f"This is the course as of {date}, and there is a newer version: to get it, keep what you need from "
        f"{folder}, delete that folder, and run this cell again in a fresh session."
    )


def install(missing: Iterable[Requirement]) -> None:
    """Install packages into this Python without changing the version of any that is installed.

    Raises:
        SetupError: if that is impossible, or if the version of another package changed all the same.
    """
    before = _installed_versions()
    with tempfile.TemporaryDirectory() as folder:
        constraints = Path(folder) / "constraints.txt"
        lines = "".join(f"{name}=={version}\n" for name, version in before.items())
        constraints.write_text(lines, encoding="utf-8")
        command = [
            sys.executable,
            "-m",
            "pip",
            "install",
            "--quiet",
            "--disable-pip-version-check",
            "--constraint",
            str(constraints),
            *map(str, missing),
        ]
        completed = subprocess.run(command, capture_output=True, text=True)
    if completed.returncode != 0:
        raise SetupError(
            "pip could not add the missing packages. Is there a network connection? Run this "
            f"cell again; if it fails again, report these lines:\n{_tail(completed.stderr)}"
        )
    importlib.invalidate_caches()
    after = _installed_versions()
    changed = [
        f"{name} {version} -> {after.get(name)}"
        for name, version in before.items()
        if after.get(name) != version
    ]
    if changed:
        raise SetupError(
            f"Adding packages changed others ({', '.join(changed)}). Start again with a fresh "
            "machine: Runtime > Disconnect and delete runtime."
        )


def _project() -> dict:
    """The table ``[project]`` of pyproject.toml."""
    import tomllib

    return tomllib.loads((repository_root() / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def _installed_versions() -> dict[str, str]:
    """Every installed package's version, as far as it is one that pip understands."""
    from packaging.utils import canonicalize_name
    from packaging.version import InvalidVersion, Version

    versions: dict[str, str] = {}
    for distribution in importlib.metadata.distributions():
        name, version = distribution.metadata["Name"], distribution.version
        if not name or not version:
            continue  # the rest of an interrupted installation
        try:
            Version(version)
        except InvalidVersion:
            continue  # nothing that pip installs today; as a constraint it would only be refused
        versions.setdefault(canonicalize_name(name), version)  # the first on the path is what is imported
    return versions


def _advice(missing: Iterable[str]) -> str:
    scripts = Path(".venv", "Scripts" if os.name == "nt" else "bin")
    return (
        f"The Python that runs this notebook ({sys.executable}) lacks {', '.join(missing)}. Close it, run "
        f"`make lab` in {repository_root()}, and open it there. In another editor, choose the Python in "
        f"{scripts} of that folder."
    )


def _tail(text: str, lines: int = 12) -> str:
    return "\n".join(text.strip().splitlines()[-lines:])
