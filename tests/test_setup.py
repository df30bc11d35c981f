"""From a fresh clone to an environment: lists of packages that agree, and messages that say what to do."""

from __future__ import annotations

import ast
import errno
import importlib.metadata
import importlib.util
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

from course_utils import __version__, bootstrap, paths
from course_utils.__main__ import main

ROOT = paths.repository_root()
PROJECT = bootstrap._project()
OF_THE_GPU = re.compile(r"(nvidia-|cuda-|triton$)")  # come with torch's builds for GPUs and are not listed


def _pins() -> dict[str, Requirement]:
    lines = (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()
    pins = [Requirement(line) for line in lines if line and not line.startswith("#")]
    assert len({canonicalize_name(pin.name) for pin in pins}) == len(pins)
    return {canonicalize_name(pin.name): pin for pin in pins}


PINS = _pins()
GROUPS = [PROJECT["dependencies"], *PROJECT["optional-dependencies"].values()]
RANGES = [Requirement(text) for group in GROUPS for text in group]


# -------------------------------------------------------------------------------------- the lists of packages


def test_requirements_are_exact_versions():
    for pin in PINS.values():
        assert re.fullmatch(r"==[^*,]+", str(pin.specifier)), pin


@pytest.mark.parametrize("item", RANGES, ids=lambda item: item.name)
def test_every_range_contains_the_exact_version(item):
    pin = PINS[canonicalize_name(item.name)]
    assert item.specifier.contains(str(pin.specifier).removeprefix("=="))
    assert str(pin.marker) == str(item.marker)


@pytest.mark.parametrize(
    ("name", "version"),
    [
        ("torch", "2.11.0+cpu"),
        ("numpy", "2.1.3"),
        ("scipy", "1.16.3"),
        ("matplotlib", "3.10.0"),
        ("nibabel", "5.4.2"),
        ("scikit-learn", "1.6.1"),
        ("ipywidgets", "7.7.1"),
        ("tqdm", "4.67.3"),
        ("pandas", "2.2.2"),
        ("psutil", "5.9.5"),
        ("packaging", "26.3"),
    ],
)
def test_the_ranges_accept_what_colab_has(name, version):
    """Colab's own list of packages, August 2026."""
    (item,) = [item for item in RANGES if item.name == name]
    assert item.specifier.contains(version)


def test_requirements_list_exactly_what_is_needed_here():
    """All that the direct dependencies need in turn, and nothing else (on this system and Python)."""
    needed: set[str] = set()
    direct = [item for item in RANGES if item.marker is None or item.marker.evaluate()]
    pending = [(item.name, frozenset(item.extras)) for item in direct]
    seen: set[tuple[str, frozenset[str]]] = set()
    while pending:
        name, extras = pending.pop()
        name = canonicalize_name(name)
        if (name, extras) in seen or OF_THE_GPU.match(name):
            continue
        seen.add((name, extras))
        needed.add(name)
        for text in importlib.metadata.requires(name) or []:
            item = Requirement(text)
            if item.marker is None or any(item.marker.evaluate({"extra": extra}) for extra in (*extras, "")):
                pending.append((item.name, frozenset(item.extras)))
    listed = {name for name, pin in PINS.items() if pin.marker is None or pin.marker.evaluate()}
    assert needed == listed


def test_the_conda_environment_agrees():
    environment = yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))
    (python,) = [item for item in environment["dependencies"] if str(item).startswith("python=")]
    assert python.removeprefix("python=") in SpecifierSet(PROJECT["requires-python"])
    (pip,) = [item["pip"] for item in environment["dependencies"] if isinstance(item, dict)]
    assert pip == ["-r requirements.txt", "-e ."]
    assert environment["name"] == PROJECT["name"]


def test_the_version_is_the_same_everywhere():
    assert PROJECT["version"] == __version__


def test_only_pyproject_states_the_address():
    """Generated files may repeat it: the students' notebooks and the README's table."""
    address = bootstrap.repository_address().partition("//")[2]
    generated = {ROOT / "README.md", *(ROOT / "notebooks").glob("*.ipynb")}
    names = ("course_utils", "notebooks/solutions", "scripts", "tests", "slides", "docs", ".ci")
    files = {path for name in names for path in (ROOT / name).rglob("*") if path.is_file()}
    files = {path for path in files if path.suffix != ".pyc"}
    files |= {path for path in ROOT.iterdir() if path.is_file()} | set((ROOT / "data").glob("*.py"))
    stating = {path for path in files - generated if address.encode() in path.read_bytes()}
    assert stating == {ROOT / "pyproject.toml"}


# ----------------------------------------------------------------------------------- can this Python be used?


def _script(name: str):
    spec = importlib.util.spec_from_file_location(name, ROOT / "scripts" / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


setup_check = _script("setup_check")


def test_the_accepted_versions_are_those_of_pyproject():
    accepted = SpecifierSet(PROJECT["requires-python"])
    for minor in range(6, 20):
        assert (setup_check.version_problem((3, minor, 1)) is None) == (f"3.{minor}.1" in accepted)


@pytest.mark.parametrize(
    ("version", "says"), [((2, 7, 18), "too old"), ((3, 10, 2), "too old"), ((3, 15, 0), "too new")]
)
def test_a_python_that_is_too_old_or_new(version, says):
    assert says in setup_check.version_problem(version)
    assert "3.11 to 3.14" in setup_check.version_problem(version)


def test_every_place_names_the_same_pythons():
    oldest, newest = (f"3.{version[1]}" for version in (setup_check.OLDEST, setup_check.NEWEST))
    for name in (
        "README.md",
        "requirements.txt",
        "environment.yml",
        "scripts/setup.sh",
        "course_utils/doctor.py",
    ):
        assert f"{oldest} to {newest}" in (ROOT / name).read_text(encoding="utf-8"), name
    workflow = yaml.safe_load((ROOT / ".github" / "workflows" / "ci.yml").read_text(encoding="utf-8"))
    (job,) = workflow["jobs"].values()
    assert job["strategy"]["matrix"]["python"] == [oldest, newest]
    assert f'target-version = "py{oldest.replace(".", "")}"' in (ROOT / "pyproject.toml").read_text()
    candidates = re.search(r"set -- (python3\S+( python\S*)*)", (ROOT / "scripts" / "setup.sh").read_text())[
        1
    ]
    versions = [f"python3.{minor}" for minor in range(setup_check.NEWEST[1], setup_check.OLDEST[1] - 1, -1)]
    assert candidates.split() == [*versions, "python3", "python"]


@pytest.mark.parametrize("missing", ["venv", "ensurepip"])
def test_a_python_without_virtual_environments(missing):
    def find(module):
        if module == missing:
            raise ImportError(module)

    problem = setup_check.venv_problem(find)
    assert f"its module {missing} is missing" in problem
    assert f"sudo apt-get install python3.{sys.version_info[1]}-venv" in problem


def test_a_disk_that_is_nearly_full():
    problem = setup_check.disk_problem(1.2e9, "/home/ada/course")
    assert "1.2 GB" in problem and "/home/ada/course" in problem and "4 GB" in problem
    assert setup_check.disk_problem(5e9, "/home/ada/course") is None


def test_an_old_python_can_read_the_script_that_tells_it_so():
    script = (ROOT / "scripts" / "setup_check.py").read_text(encoding="ascii")
    tree = ast.parse(script, feature_version=(3, 4))
    new = (ast.JoinedStr, ast.AnnAssign, ast.NamedExpr, ast.Nonlocal, ast.YieldFrom, ast.Starred)
    for node in ast.walk(tree):
        assert not isinstance(node, new), f"line {node.lineno}"
        if isinstance(node, ast.FunctionDef):
            assert node.returns is None and not node.args.kwonlyargs
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "print":
            assert len(node.args) == 1 and not node.keywords  # Python 2 prints several as a tuple


# ------------------------------------------------------------------------------------------------- make setup


@pytest.fixture
def clone(tmp_path) -> Path:
    """A clone whose requirements.txt is empty, in a folder with a space in its name."""
    folder = tmp_path / "a clone"
    (folder / "course_utils").mkdir(parents=True)
    shutil.copytree(ROOT / "scripts", folder / "scripts")
    for name in ("Makefile", "pyproject.toml", "README.md", "LICENSE", "course_utils/__init__.py"):
        shutil.copy(ROOT / name, folder / name)
    (folder / "requirements.txt").write_text("# nothing\n")
    return folder


# Of the `make test` that runs this; and PYTHONPATH may name another checkout.
DROPPED = ("MAKEFLAGS", "MAKELEVEL", "MFLAGS", "PYTHON", "PYTHONPATH")
STAMP = ".venv/lib/python3.*/site-packages/course_installed.txt"


def _make(clone: Path, *arguments: str, env: dict[str, str] | None = None) -> subprocess.CompletedProcess:
    inherited = {key: value for key, value in os.environ.items() if key not in DROPPED}
    return subprocess.run(
        ["make", *arguments],
        cwd=clone,
        env=inherited if env is None else env,
        capture_output=True,
        text=True,
        timeout=600,
    )


def _make_setup(clone: Path) -> subprocess.CompletedProcess:
    return _make(clone, "setup", f"PYTHON={sys.executable}")


@pytest.mark.slow
def test_make_setup_twice_at_once_again_and_after_changes(clone):
    """For real, with pip: two calls at once on a cluster; then nothing to do; then changes, one of which fails."""
    cluster = {"PIP_USER": "1", "PIP_TARGET": str(clone / "elsewhere")}
    inherited = {key: value for key, value in os.environ.items() if key not in DROPPED}
    command = ["make", "setup", f"PYTHON={sys.executable}"]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
    calls = [subprocess.Popen(command, cwd=clone, env={**inherited, **cluster}, **pipes) for _ in range(2)]
    said = [call.communicate(timeout=600)[0] for call in calls]
    assert [call.returncode for call in calls] == [0, 0], said
    assert sum("Installing" in text for text in said) == 1, "the second call waits, and finds all done"
    assert any("Ignored here: PIP_USER, PIP_TARGET" in text for text in said)
    assert not (clone / "elsewhere").exists()
    imported = subprocess.run(
        [clone / ".venv" / "bin" / "python", "-c", "import course_utils; print(course_utils.__file__)"],
        cwd=clone.parent,
        env=inherited,
        capture_output=True,
        text=True,
    )
    assert imported.stdout.strip() == str(clone / "course_utils" / "__init__.py")

    (stamp,) = clone.glob(STAMP)
    second = _make_setup(clone)
    assert (second.returncode, second.stdout, second.stderr) == (0, "", "")

    # An update that fails leaves an environment that works, and the next call goes on.
    mine = clone / ".venv" / "mine"
    mine.touch()
    os.utime(stamp, (1, 1))
    (clone / "requirements.txt").write_text("./does-not-exist\n")
    failed = _make_setup(clone)
    assert failed.returncode != 0 and mine.exists()
    assert "The installation failed" in failed.stderr and "does-not-exist" in failed.stderr
    (clone / "requirements.txt").write_text("# still nothing\n")
    stamp.unlink()  # as if somebody had emptied the folder of installed packages, too
    third = _make_setup(clone)
    assert third.returncode == 0 and "Installing" in third.stdout and "Making" not in third.stdout
    assert mine.exists() and stamp.exists()


@pytest.fixture
def set_up(clone, monkeypatch):
    """``setup_environment._set_up`` in the clone; nothing is installed, and pip fails if ``set_up.fails``."""
    module = _script("setup_environment")
    monkeypatch.setattr(module, "ROOT", clone)
    monkeypatch.setattr(module, "VENV", clone / ".venv")
    monkeypatch.setattr(module, "UNFINISHED", clone / ".venv" / ".unfinished")
    monkeypatch.setattr(module, "_site_packages", lambda: clone / ".venv")
    works = clone / "a-python"

    def run(command, **options):
        command = [str(part) for part in command]
        if "venv" in command:
            (clone / ".venv" / "bin").mkdir()
            (clone / ".venv" / "bin" / "python").symlink_to(works)
        elif "--version-only" in command:
            (clone / ".venv" / "bin" / "python").stat()  # OSError where it is gone
        failed = set_up.fails and "install" in command
        return subprocess.CompletedProcess(command, int(failed), "", "")

    def set_up() -> int:
        return module._set_up()

    works.touch()
    set_up.fails = False
    monkeypatch.setattr(module.subprocess, "run", run)
    return set_up


@pytest.mark.parametrize(
    ("unfinished", "python", "says"),
    [(True, "a-python", "the last set-up was interrupted"), (False, "deleted", "its Python is gone")],
)
def test_an_environment_that_is_no_use_is_made_afresh(clone, set_up, capsys, unfinished, python, says):
    (clone / ".venv" / "bin").mkdir(parents=True)
    (clone / ".venv" / "bin" / "python").symlink_to(clone / python)
    (clone / ".venv" / "rest").touch()
    if unfinished:
        (clone / ".venv" / ".unfinished").touch()
    assert set_up() == 0
    assert says in capsys.readouterr().err
    assert not (clone / ".venv" / "rest").exists() and not (clone / ".venv" / ".unfinished").exists()
    assert set_up() == 0 and capsys.readouterr().out == ""


def test_a_first_installation_that_fails_says_so_and_counts_as_unfinished(clone, set_up, capsys):
    set_up.fails = True
    assert set_up() == 1
    assert "The installation failed" in capsys.readouterr().err
    assert (clone / ".venv" / ".unfinished").exists()
    set_up.fails = False
    assert set_up() == 0
    assert "Making .venv afresh" in capsys.readouterr().err


@pytest.fixture
def machine(tmp_path) -> dict[str, str]:
    """The environment of a machine with hardly more than a shell: no Python yet."""
    programs = tmp_path / "bin"
    programs.mkdir()
    for name in ("make", "sh", "dirname", "mkdir", "rm"):
        (programs / name).symlink_to(shutil.which(name))
    return {"PATH": str(programs)}


def _install(machine: dict[str, str], name: str, script: str) -> None:
    path = Path(machine["PATH"]) / name
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)


def _pretend(change: str) -> str:
    """A command that runs a script with this Python, after ``change``."""
    code = f"import runpy, sys; {change}; del sys.argv[0]; runpy.run_path(sys.argv[0], run_name='__main__')"
    return f'exec "{sys.executable}" -c "{code}" "$@"'


OLD = _pretend("sys.version_info = (3, 8, 10)")
WITHOUT_ENSUREPIP = _pretend("sys.modules['ensurepip'] = None")


def test_a_machine_without_python(clone, machine):
    done = _make(clone, "setup", env=machine)
    assert done.returncode != 0
    assert "No Python on this machine can run the course." in done.stderr
    assert "Install Python 3.13" in done.stderr and "apt-get install python3 python3-venv" in done.stderr
    assert not (clone / ".venv").exists()


def test_a_machine_whose_pythons_will_not_do(clone, machine):
    """Each is named once, with what is wrong; a launcher with nothing behind it is not worth a word."""
    _install(machine, "python3.11", "echo 'pyenv: python3.11: command not found' >&2; exit 127")
    _install(machine, "python3.12", WITHOUT_ENSUREPIP)
    _install(machine, "python3", OLD)
    _install(machine, "python", OLD)
    done = _make(clone, "setup", env=machine)
    assert done.returncode != 0
    assert done.stderr.count("Python 3.8.10") == 1 and "too old" in done.stderr
    assert "its module ensurepip is missing" in done.stderr
    assert "pyenv" not in done.stderr
    assert not (clone / ".venv").exists()


def test_the_python_that_was_asked_for_will_not_do(clone, machine):
    _install(machine, "python3.11", f'exec "{sys.executable}" "$@"')
    _install(machine, "old", OLD)
    done = _make(clone, "setup", "PYTHON=old", env=machine)
    assert done.returncode != 0
    assert "PYTHON=old can't be used." in done.stderr and "too old" in done.stderr


def test_a_full_disk_is_the_only_thing_said(clone, machine):
    fake = "import shutil, types; shutil.disk_usage = lambda folder: types.SimpleNamespace(free=1.2e9)"
    _install(machine, "python3", _pretend(fake))
    done = _make(clone, "setup", env=machine)
    assert done.returncode != 0
    assert "Disk: 1.2 GB are free" in done.stderr and "Install Python" not in done.stderr


def test_the_first_python_that_will_do_is_taken(clone, machine):
    """The newest that works; up to the point where it would make the environment."""
    _install(machine, "python3.14", OLD)
    for version in ("3.13", "3.11"):
        works = f'[ "$1" = scripts/setup_environment.py ] && echo "taken: {version}" && exit 9'
        _install(machine, f"python{version}", f'{works}; exec "{sys.executable}" "$@"')
    done = _make(clone, "setup", env=machine)
    assert done.returncode != 0
    assert done.stdout == "taken: 3.13\n"


def test_make_alone_explains_every_target(clone):
    explained = set(re.findall(r"^make (\w+)", _make(clone).stdout, re.MULTILINE))
    targets = set(re.search(r"\.PHONY: (.*)", (ROOT / "Makefile").read_text()).group(1).split())
    assert explained == targets - {"help"} and {"run", "test", "lab", "notebooks"} <= explained


def test_make_clean_keeps_what_took_long(clone):
    kept = [clone / name for name in (".venv/here", "data/synthetic/case", "runs/checkpoint")]
    gone = [clone / name for name in ("build/index.html", "course_utils/__pycache__/x.pyc")]
    for path in kept + gone:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    assert _make(clone, "clean").returncode == 0
    assert all(path.exists() for path in kept) and not any(path.parent.exists() for path in gone)


# ------------------------------------------------------------------------------------- python -m course_utils


def test_a_wrong_command_gets_the_list_of_commands(capsys):
    with pytest.raises(SystemExit) as stopped:
        main(["docter"])
    assert stopped.value.code == 2
    assert "'docter'" in (error := capsys.readouterr().err)
    assert all(command in error for command in ("doctor", "notebooks", "run"))


def test_without_a_command_there_is_help(capsys):
    assert main([]) == 2
    assert "say what works on this machine" in capsys.readouterr().out


def test_importing_the_package_and_its_commands_is_instant():
    code = "import sys; import course_utils.__main__, course_utils.bootstrap, course_utils.doctor\n"
    code += "print(sorted({'numpy', 'torch', 'matplotlib', 'nibabel', 'nbformat'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert done.stdout.strip() == "[]", done.stderr


def test_a_package_that_is_not_installed(monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "nbformat", None)  # as if it were not there
    assert main(["notebooks"]) == 1
    assert "nbformat is not installed" in (error := capsys.readouterr().err) and "make setup" in error


def test_the_run_command_hands_on_what_was_asked_for(monkeypatch, tmp_path, capsys):
    from course_utils import publishing

    calls = []
    monkeypatch.setattr(
        publishing, "run_all", lambda names, **options: calls.append((names, options["again"]))
    )
    monkeypatch.setenv("COURSE_BUILD", str(tmp_path))
    assert main(["run"]) == main(["run", "02", "11"]) == main(["run", "--again"]) == 0
    assert calls == [(None, False), (["02", "11"], False), (None, True)]


def test_a_run_that_fails_says_why_in_a_sentence(monkeypatch, tmp_path, capsys):
    from course_utils import publishing

    errors = iter([ValueError("no notebook is called '77'"), OSError(errno.ENOSPC, "No space left", "/x/y")])

    def run_all(names, **options):
        raise next(errors)

    monkeypatch.setattr(publishing, "run_all", run_all)
    monkeypatch.setenv("COURSE_BUILD", str(tmp_path))
    assert main(["run", "77"]) == 1 and capsys.readouterr().err == "no notebook is called '77'\n"
    assert main(["run"]) == 1
    assert capsys.readouterr().err == "The disk is full: make room (/x/y), then call again.\n"


def test_a_folder_of_a_user_who_is_not_there(monkeypatch, capsys):
    monkeypatch.setenv("COURSE_BUILD", "~nobody-of-this-name/build")
    assert main(["run"]) == 1
    error = capsys.readouterr().err
    assert error == (
        "COURSE_BUILD is ~nobody-of-this-name/build, but this machine has no user 'nobody-of-this-name'\n"
    )


# ----------------------------------------------------------------------------------------- the student's work


def test_lab_opens_copies_and_never_overwrites_one(tmp_path):
    from course_utils.workplace import copy_notebooks

    course, work = tmp_path / "notebooks", tmp_path / "work"
    course.mkdir()
    (course / "02_adding.ipynb").write_text("first")
    assert copy_notebooks(course, work) == ([work / "02_adding.ipynb"], [])
    (work / "02_adding.ipynb").write_text("a student's work")
    assert copy_notebooks(course, work) == ([], [])

    (course / "02_adding.ipynb").write_text("second")
    (course / "03_new.ipynb").write_text("new")
    assert copy_notebooks(course, work) == ([work / "03_new.ipynb"], [work / "02_adding.ipynb"])
    assert (work / "02_adding.ipynb").read_text() == "a student's work"

    (work / "02_adding.ipynb").rename(work / "mine.ipynb")
    assert copy_notebooks(course, work) == ([work / "02_adding.ipynb"], [])
    assert (work / "02_adding.ipynb").read_text() == "second"


def test_lab_starts_where_the_copies_are_without_the_dialog_about_news(monkeypatch, tmp_path, capsys):
    started = []

    def start(command, **options):
        started.append((command, options))
        return subprocess.CompletedProcess(command, 0)

    monkeypatch.setattr(paths, "work_dir", lambda: tmp_path / "work")
    monkeypatch.setattr(subprocess, "run", start)
    assert main(["lab"]) == 0
    ((command, options),) = started
    assert command[:3] == [sys.executable, "-m", "jupyterlab"] and "announcements" in " ".join(command)
    assert options["cwd"] == tmp_path / "work" and (tmp_path / "work" / "02_convolution.ipynb").exists()
    assert f"Your notebooks are in {tmp_path / 'work'}." in capsys.readouterr().out
