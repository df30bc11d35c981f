"""The notebooks' first cell, run as Colab runs it: in an empty folder, and with the packages that Colab has.

The environment is a fresh one into which installed packages are linked, all but those that Colab lacks (by
its own list, August 2026). pip may install into it; what is linked lies outside and can't be harmed.
"""

from __future__ import annotations

import importlib.metadata
import json
import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import matplotlib as mpl
import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from course_utils import bootstrap, paths
from course_utils.bootstrap import SetupError, bootstrap_cell

ROOT = paths.repository_root()
LACKING_ON_COLAB = {"lightning-fabric", "lightning-utilities"}
OFFLINE = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": "", "PIP_CONFIG_FILE": os.devnull}

ON_COLAB = """\
import sys, types
sys.modules["google"] = types.ModuleType("google")
sys.modules["google.colab"] = types.ModuleType("google.colab")
"""
REPORT = """
import json, lightning_fabric, numpy, torch, course_utils, matplotlib
print(json.dumps({
    "course": course_utils.__version__, "course_file": course_utils.__file__,
    "torch": [torch.__version__, torch.__file__], "numpy": [numpy.__version__, numpy.__file__],
    "fabric": lightning_fabric.__file__, "legend": matplotlib.rcParams["legend.frameon"],
}))
"""


# ------------------------------------------------------------------------------------- a machine like Colab's


@dataclass(frozen=True)
class Machine:
    """A fresh environment, and an empty folder to work in."""

    python: Path
    site_packages: Path
    linked: Path
    folder: Path

    def run(
        self, code: str, env: Mapping[str, str] | None = None, cwd: Path | None = None
    ) -> subprocess.CompletedProcess:
        """Run code in a new process, like a notebook whose kernel has just started."""
        process = self.start(code, env, cwd)
        output, errors = process.communicate(timeout=600)
        return subprocess.CompletedProcess(process.args, process.returncode, output, errors)

    def start(
        self, code: str, env: Mapping[str, str] | None = None, cwd: Path | None = None
    ) -> subprocess.Popen:
        """Start what :meth:`run` runs to its end."""
        dropped = ("PYTHONPATH", "COURSE_REPO", "COURSE_REF")
        inherited = {key: value for key, value in os.environ.items() if key not in dropped}
        return subprocess.Popen(
            [self.python, "-c", code],
            env={**inherited, **(env or {})},
            cwd=cwd or self.folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def added(self) -> set[str]:
        """Names of the packages that were installed into the environment itself."""
        found = importlib.metadata.distributions(path=[str(self.site_packages)])
        return {canonicalize_name(distribution.metadata["Name"]) for distribution in found}

    def files(self) -> dict[str, int]:
        """What was installed, each file with the time it was written; byte code doesn't count."""
        return {
            str(path): path.stat().st_mtime_ns
            for path in self.site_packages.rglob("*")
            if "__pycache__" not in path.parts
        }


def _what_colab_has() -> set[str]:
    """The notebooks' dependencies and what they need in turn, but for what Colab lacks; and pip."""
    needed: set[str] = set()
    pending = [(canonicalize_name(item.name), item.extras) for item in bootstrap.requirements()]
    seen = set()
    while pending:
        name, extras = pending.pop()
        if (name, frozenset(extras)) in seen:
            continue
        seen.add((name, frozenset(extras)))
        needed.add(name)
        for text in importlib.metadata.requires(name) or []:
            item = Requirement(text)
            if item.marker is None or any(item.marker.evaluate({"extra": extra}) for extra in (*extras, "")):
                pending.append((canonicalize_name(item.name), item.extras))
    return needed - LACKING_ON_COLAB | {"pip"}


def _link(name: str, folder: Path) -> None:
    """Make an installed package visible in ``folder``."""
    distribution = importlib.metadata.distribution(name)
    for entry in sorted({file.parts[0] for file in distribution.files or ()} - {"..", "__pycache__"}):
        if not (folder / entry).exists():
            (folder / entry).symlink_to(distribution.locate_file(entry))


@pytest.fixture
def make_machine(tmp_path):
    def make() -> Machine:
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", tmp_path / "environment"], check=True)
        version = f"python{sys.version_info[0]}.{sys.version_info[1]}"
        site_packages = tmp_path / "environment" / "lib" / version / "site-packages"
        machine = Machine(
            tmp_path / "environment" / "bin" / "python",
            site_packages,
            tmp_path / "linked",
            tmp_path / "content",
        )
        machine.linked.mkdir()
        machine.folder.mkdir()
        for name in _what_colab_has():
            _link(name, machine.linked)
        (site_packages / "linked.pth").write_text(f"{machine.linked}\n")
        return machine

    return make


def _copy_course(folder: Path) -> None:
    ignore = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "course_utils", folder / "course_utils", ignore=ignore)
    shutil.copy(ROOT / "pyproject.toml", folder)


@pytest.fixture(scope="module")
def repository(tmp_path_factory) -> str:
    """The address of a clone of this course, with the branches ``main`` and ``course/autumn``."""
    folder = tmp_path_factory.mktemp("remote") / "course"
    _copy_course(folder)

    def git(*arguments):
        identity = ["-c", "user.name=A Teacher", "-c", "user.email=teacher@example.org"]
        subprocess.run(["git", *identity, *arguments], cwd=folder, check=True, capture_output=True)

    git("init", "-q", "-b", "main")
    git("add", "-A")
    git("commit", "-q", "-m", "The course")
    git("checkout", "-q", "-b", "course/autumn")
    with open(folder / "course_utils" / "__init__.py", "a", encoding="utf-8") as file:
        file.write('\n__version__ = "autumn"\n')
    git("commit", "-q", "-a", "-m", "Another version")
    git("checkout", "-q", "main")
    return folder.as_uri()


CELL = bootstrap_cell("02_convolution")
# Until the course is there; what the cell then calls imports it all.
FETCH_ONLY = ON_COLAB + CELL.rpartition("importlib.import_module")[0]
FETCH_ONLY += "import course_utils; print(course_utils.__file__)"


# --------------------------------------------------------------------------------------------------- on Colab


@pytest.mark.slow
def test_on_colab_it_adds_what_is_missing_once_and_leaves_the_rest_alone(make_machine, repository):
    machine = make_machine()
    code = "import json, numpy, torch\n"
    code += "print(json.dumps([[module.__version__, module.__file__] for module in (torch, numpy)]))"
    before = json.loads(machine.run(code).stdout)
    assert machine.added() == set()

    first = machine.run(ON_COLAB + CELL + REPORT, {"COURSE_REPO": repository})
    assert first.returncode == 0, first.stderr
    report = json.loads(first.stdout.splitlines()[-1])
    assert "adding what Colab lacks (lightning-fabric)" in first.stdout
    assert machine.added() == LACKING_ON_COLAB
    assert [report["torch"], report["numpy"]] == before
    assert Path(report["fabric"]).is_relative_to(machine.site_packages)
    assert Path(report["course_file"]).is_relative_to(machine.folder / "course-main")
    assert report["course"] == "0.1.0" and report["legend"] is False  # the course's look

    files = machine.files()
    second = machine.run(ON_COLAB + CELL + REPORT, {"COURSE_REPO": "file:///nowhere", **OFFLINE})
    assert second.returncode == 0, second.stderr
    assert second.stdout.splitlines()[0] == "02_convolution: everything is installed."
    assert machine.files() == files

    asked_for = {"COURSE_REPO": repository, "COURSE_REF": "course/autumn", **OFFLINE}
    other = machine.run(ON_COLAB + CELL + REPORT, asked_for)
    assert other.returncode == 0, other.stderr
    assert json.loads(other.stdout.splitlines()[-1])["course"] == "autumn"


def test_an_interrupted_download_is_made_again(make_machine, repository):
    machine = make_machine()
    half = machine.folder / "course-main.Ab12Cd" / "new" / "course_utils"
    half.mkdir(parents=True)
    (half / "__init__.py").write_text("raise RuntimeError('half a file')")
    (machine.folder / "course-main").mkdir()  # an empty folder of that name is no course either
    done = machine.run(FETCH_ONLY, {"COURSE_REPO": repository})
    assert done.returncode == 0, done.stderr
    assert Path(done.stdout.strip()) == machine.folder / "course-main" / "course_utils" / "__init__.py"


def test_two_notebooks_may_fetch_the_course_at_once(make_machine, repository):
    machine = make_machine()
    calls = [machine.start(FETCH_ONLY, {"COURSE_REPO": repository}) for _ in range(3)]
    for call in calls:
        said, error = call.communicate(timeout=600)
        assert call.returncode == 0, error
        assert Path(said.strip()) == machine.folder / "course-main" / "course_utils" / "__init__.py"
    assert [path.name for path in machine.folder.iterdir()] == ["course-main"]


FAULTS = {
    "no such address": (
        {"COURSE_REPO": "file:///nowhere"},
        "'/nowhere' does not appear to be a git repository",
    ),
    "no such branch": ({"COURSE_REF": "autum"}, "remote branch autum"),
    "no git": ({"PATH": "/nothing-here"}, "git: not found"),
    "something in the way": ({}, "course-main'"),
    "no address yet": (
        {"COURSE_REPO": f"https://github.com/{bootstrap.PLACEHOLDER}/course"},
        "AssertionError: No address yet: the course's owner sets it in pyproject.toml.",
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_at_fetching_is_one_sentence_with_a_remedy(make_machine, repository, fault, tmp_path):
    machine = make_machine()
    environment, says = FAULTS[fault]
    if fault == "no git":
        for name in ("sh", "mktemp", "rm", "mv", "rmdir"):
            (tmp_path / name).symlink_to(shutil.which(name))
        environment = {"PATH": str(tmp_path)}
    if fault == "something in the way":
        (machine.folder / "course-main").mkdir()
        (machine.folder / "course-main" / "holiday.jpg").touch()
    before = sorted(machine.folder.rglob("*"))
    done = machine.run(FETCH_ONLY, {"COURSE_REPO": repository, **environment})
    last = done.stderr.strip().splitlines()[-1]
    assert done.returncode != 0 and says in last, done.stderr
    assert fault == "no address yet" or ("Not fetched" in last and "run this again" in last)
    assert sorted(machine.folder.rglob("*")) == before, "something was left behind"


def test_a_course_fetched_some_time_ago_says_when_there_is_a_newer_one(repository, tmp_path):
    def git(folder, *arguments):
        identity = ["-c", "user.name=A Teacher", "-c", "user.email=teacher@example.org"]
        subprocess.run(["git", *identity, "-C", folder, *arguments], check=True, capture_output=True)

    origin, here = tmp_path / "origin", tmp_path / "here"
    git(tmp_path, "clone", "-q", repository, origin)
    git(tmp_path, "clone", "-q", origin, here)
    assert bootstrap.newer_version(here) is None
    git(origin, "commit", "-q", "--allow-empty", "-m", "Newer")
    news = bootstrap.newer_version(here)
    assert "there is a newer version" in news and str(here) in news and "delete that folder" in news
    git(here, "checkout", "-q", "--detach")
    assert bootstrap.newer_version(here) is None
    assert "can't be found out" in bootstrap.newer_version(tmp_path / "nowhere")


def test_without_network_the_message_says_so(make_machine, repository):
    machine = make_machine()
    done = machine.run(ON_COLAB + CELL, {"COURSE_REPO": repository, **OFFLINE})
    assert done.returncode != 0
    assert "SetupError: pip could not add the missing packages. Is there a network connection?" in done.stderr
    assert "lightning-fabric" in done.stderr
    assert machine.added() == set()


def _make_wheel(folder: Path, name: str, version: str, needs: str = "") -> None:
    metadata = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
    metadata += f"Requires-Dist: {needs}\n" if needs else ""
    info = f"{name}-{version}.dist-info"
    with zipfile.ZipFile(folder / f"{name}-{version}-py3-none-any.whl", "w") as wheel:
        wheel.writestr(f"{name}.py", f"version = {version!r}\n")
        wheel.writestr(f"{info}/METADATA", metadata)
        wheel.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr(f"{info}/RECORD", "")


@pytest.mark.parametrize(("needs", "works"), [("present>=1", True), ("present>=2", False)])
def test_nothing_is_upgraded_even_if_a_newcomer_asks_for_it(make_machine, tmp_path, needs, works):
    machine = make_machine()
    wheels = tmp_path / "wheels"
    wheels.mkdir()
    _make_wheel(wheels, "present", "1.0")
    with zipfile.ZipFile(wheels / "present-1.0-py3-none-any.whl") as wheel:
        wheel.extractall(machine.linked)
    _make_wheel(wheels, "present", "2.0")
    _make_wheel(wheels, "newcomer", "1.0", needs)
    code = (
        f"import sys; sys.path.insert(0, {str(ROOT)!r})\n"
        "from packaging.requirements import Requirement\n"
        "from course_utils import bootstrap\n"
        "bootstrap.install([Requirement('newcomer')])\n"
    )
    done = machine.run(code, {**OFFLINE, "PIP_FIND_LINKS": str(wheels)})
    assert (done.returncode == 0) == works, done.stderr
    assert machine.added() == ({"newcomer"} if works else set())
    assert works or "SetupError: pip could not add" in done.stderr


def test_a_package_that_changed_all_the_same_is_reported(monkeypatch):
    versions = iter([{"torch": "2.11.0+cu126", "numpy": "2.1.3"}, {"torch": "2.13.0", "numpy": "2.1.3"}])
    monkeypatch.setattr(bootstrap, "_installed_versions", lambda: next(versions))
    monkeypatch.setattr(subprocess, "run", lambda *a, **k: subprocess.CompletedProcess([], 0, "", ""))
    with pytest.raises(SetupError, match=r"torch 2\.11\.0\+cu126 -> 2\.13\.0\).*Disconnect and delete"):
        bootstrap.install([Requirement("lightning-fabric")])


# --------------------------------------------------------------------------------------- on one's own machine


def test_the_cell_finds_the_course_around_the_notebook(tmp_path):
    """Also where another folder of that name is installed; a subfolder will do."""
    folder = tmp_path / "my copy" / "notebooks" / "mine"
    folder.mkdir(parents=True)
    _copy_course(tmp_path / "my copy")
    code = CELL + "import course_utils; print(course_utils.__file__)"
    done = subprocess.run([sys.executable, "-c", code], cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    first, second = done.stdout.splitlines()
    assert first == "02_convolution: everything is installed."
    assert Path(second) == tmp_path / "my copy" / "course_utils" / "__init__.py"
    assert not list(folder.iterdir())


def test_where_there_is_no_course_the_message_says_how_to_get_it(make_machine):
    machine = make_machine()
    done = machine.run(CELL)
    assert done.returncode != 0
    address = bootstrap.repository_address()
    assert f"No course here: git clone {address}, then `make lab` in it." in done.stderr
    assert not list(machine.folder.iterdir())


def test_outside_colab_nothing_is_installed(make_machine):
    machine = make_machine()
    done = machine.run(CELL, cwd=ROOT / "notebooks")
    assert done.returncode != 0
    assert f"({machine.python}) lacks lightning-fabric." in done.stderr
    assert f"`make lab` in {ROOT}" in done.stderr
    assert machine.added() == set()


def test_setup_without_a_parser_for_requirements(monkeypatch):
    def requirements():
        raise ModuleNotFoundError("No module named 'packaging'", name="packaging")

    monkeypatch.setattr(bootstrap, "requirements", requirements)
    with pytest.raises(SetupError, match="lacks packaging"):
        bootstrap.setup("02_convolution")


def test_setup_where_nothing_is_missing_calls_no_pip_and_sets_the_look(monkeypatch, capsys):
    monkeypatch.setattr(subprocess, "run", lambda *a, **k: pytest.fail("nothing is missing"))
    with mpl.rc_context():
        mpl.rcdefaults()
        bootstrap.setup("02_convolution")
        assert mpl.rcParams["legend.frameon"] is False
    assert capsys.readouterr().out == "02_convolution: everything is installed.\n"


# --------------------------------------------------------------------------------------- the text of the cell


def test_the_cell_is_a_few_short_lines_with_the_address_and_the_notebook():
    lines = CELL.splitlines()
    assert len(lines) <= 14 and max(map(len, lines)) <= 110
    compile(CELL, "cell", "exec")
    assert CELL.count(bootstrap.repository_address()) == 1
    assert lines[-1].endswith('.setup("02_convolution")')


def test_the_address_is_that_of_pyproject(monkeypatch):
    project = {"urls": {"Repository": "https://github.com/a-university/its-course"}}
    monkeypatch.setattr(bootstrap, "_project", lambda: project)
    assert '"https://github.com/a-university/its-course"' in bootstrap_cell("00_start_here")
    colab = "https://colab.research.google.com/github/a-university/its-course/blob/main/"
    assert bootstrap.colab_url("notebooks/00_start_here.ipynb") == colab + "notebooks/00_start_here.ipynb"
    project["urls"]["Repository"] = "https://git.example.org/its-course"
    with pytest.raises(SetupError, match=r"github\.com only, not from https://git\.example\.org"):
        bootstrap.colab_url("notebooks/00_start_here.ipynb")
