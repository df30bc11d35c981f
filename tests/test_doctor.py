"""The doctor must say what is wrong, what to do, and nothing else."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from packaging.requirements import Requirement

from course_utils import cohort, doctor
from course_utils.__main__ import main
from course_utils.doctor import FAIL, HINT, OK
from tests.cases import file_of, make_case

GB = 1e9
MAKE = "make setup"


def test_a_finding_is_a_line_that_can_be_pasted():
    lines = [str(doctor.Finding(status, "torch", "2.13.0")) for status in (OK, FAIL, HINT)]
    assert lines == ["[OK]   torch     2.13.0", "[FAIL] torch     2.13.0", "[--]   torch     2.13.0"]


@pytest.mark.parametrize(
    ("version", "status"), [((3, 10, 18), FAIL), ((3, 11, 0), OK), ((3, 14, 9), OK), ((3, 15, 0), FAIL)]
)
def test_python(version, status):
    finding = doctor.examine_python(version)
    assert finding.status == status
    assert (MAKE in finding.text) == (status == FAIL)


def _packages(**versions):
    needed = [Requirement("torch>=2.2,<3"), Requirement("numpy>=1.26")]
    return doctor.examine_packages(lambda: needed, versions.get)


def test_packages_in_their_ranges_take_one_line():
    assert [finding.status for finding in _packages(torch="2.13.0+cpu", numpy="2.2.6")] == [OK]


def test_a_development_version_within_the_range_will_do():
    assert [finding.status for finding in _packages(torch="2.14.0.dev20261101", numpy="2.2.6")] == [OK]


def test_a_missing_and_an_old_package_are_both_named():
    missing, old = _packages(numpy="1.24.0")
    assert missing.status == old.status == FAIL
    assert "torch is missing" in missing.text and MAKE in missing.text
    assert "numpy is 1.24.0" in old.text and "numpy>=1.26" in old.text and MAKE in old.text


def test_without_a_parser_for_requirements():
    def requirements():
        raise ModuleNotFoundError("No module named 'packaging'", name="packaging")

    (finding,) = doctor.examine_packages(requirements, lambda name: "1.0")
    assert finding.status == FAIL and "packaging is missing" in finding.text


@pytest.mark.parametrize("error", [ImportError("No module named 'torch'"), OSError("libcudart:\n not found")])
def test_torch_that_cannot_be_imported(error):
    def load(name):
        raise error

    (finding,) = doctor.examine_torch(load)
    assert finding.status == FAIL and MAKE in finding.text and "\n" not in str(finding)


def test_torch_that_computes():
    import torch

    found = doctor.examine_torch(lambda name: torch)
    assert [(finding.status, finding.topic) for finding in found] == [(OK, "torch"), (OK, "device")]


def test_torch_that_computes_wrongly():
    class Wrong:
        """torch, but its convolution flips the kernel."""

        __version__ = "2.13.0"

        def __getattr__(self, name):
            import torch

            def conv1d(signal, kernel):
                return torch.nn.functional.conv1d(signal, kernel.flip(-1))

            if name == "nn":
                return SimpleNamespace(functional=SimpleNamespace(conv1d=conv1d))
            return getattr(torch, name)

    (finding,) = doctor.examine_torch(lambda name: Wrong())
    assert finding.status == FAIL and "[5.0, 11.0]" in finding.text


@pytest.mark.parametrize(
    ("cuda", "mps", "says", "never"),
    [
        (True, False, "CUDA: H200", "CPU"),
        (False, False, "CPU, 8 threads", "mps"),
        (False, True, "on request", "CUDA"),
    ],
)
def test_device(cuda, mps, says, never):
    torch = SimpleNamespace(
        cuda=SimpleNamespace(is_available=lambda: cuda, get_device_name=lambda index: "H200"),
        backends=SimpleNamespace(mps=SimpleNamespace(is_available=lambda: mps)),
        get_num_threads=lambda: 8,
    )
    finding = doctor.examine_device(torch)
    assert finding.status == OK and says in finding.text and never not in finding.text


def test_widgets():
    both = {"ipywidgets": "8.1.9", "jupyterlab-widgets": "3.0.17"}
    assert doctor.examine_widgets(both.get).status == OK
    for name in both:
        finding = doctor.examine_widgets({**both, name: None}.get)
        assert finding.status == FAIL and finding.text.startswith(f"{name} missing")


@pytest.mark.parametrize(
    ("total", "available", "status"), [(2, 1.5, FAIL), (3.9, 3, OK), (16, 8, OK), (16, 1.9, HINT)]
)
def test_memory(total, available, status):
    assert doctor.examine_memory(total * GB, available * GB).status == status


def test_disk(tmp_path):
    assert doctor.examine_disk(20 * GB, tmp_path).status == OK
    full = doctor.examine_disk(0.2 * GB, tmp_path)
    assert full.status == FAIL and "0.2 GB" in full.text and "COURSE_DATA" in full.text


def test_data_that_is_not_there_is_a_hint(tmp_path):
    finding = doctor.examine_data(tmp_path / "synthetic", cohort.check_cohort)
    assert finding.status == HINT and "download.py synthetic" in finding.text


def test_data_is_read_not_only_counted(tmp_path):
    case = make_case(tmp_path)
    finding = doctor.examine_data(tmp_path, cohort.check_cohort)
    assert finding.status == OK and finding.text.startswith("1 cases")
    file_of(case, "t2").write_bytes(b"")
    finding = doctor.examine_data(tmp_path, cohort.check_cohort)
    assert finding.status == FAIL and "1 of 1 cases" in finding.text and "_t2.nii.gz" in finding.text


def test_data_that_cannot_be_examined_is_a_hint(tmp_path):
    def check(folder):
        raise ModuleNotFoundError("No module named 'nibabel'", name="nibabel")

    finding = doctor.examine_data(tmp_path, check)
    assert finding.status == HINT and "nibabel" in finding.text


def test_runs(tmp_path):
    assert doctor.examine_runs(tmp_path / "new" / "runs").status == OK
    (tmp_path / "file").write_text("no folder")
    finding = doctor.examine_runs(tmp_path / "file" / "runs")
    assert finding.status == FAIL and "COURSE_RUNS" in finding.text


def test_folders_of_nobody_are_named(monkeypatch):
    monkeypatch.setenv("COURSE_DATA", "~nobody-of-this-name/data")
    monkeypatch.setenv("COURSE_RUNS", "~nobody-of-this-name/runs")
    found = [finding for finding in doctor.examine() if "nobody-of-this-name" in finding.text]
    assert [(finding.status, finding.topic) for finding in found] == [(FAIL, "data"), (FAIL, "runs")]
    assert "COURSE_DATA" in found[0].text and "COURSE_RUNS" in found[1].text


def test_the_exit_status_says_whether_something_failed(monkeypatch, capsys):
    findings = [doctor.Finding(OK, "torch", "2.13.0"), doctor.Finding(HINT, "data", "none yet")]
    monkeypatch.setattr(doctor, "examine", lambda: findings)
    assert main(["doctor"]) == 0
    assert "All is well." in capsys.readouterr().out
    findings.append(doctor.Finding(FAIL, "disk", "full"))
    assert main(["doctor"]) == 1
    assert "[FAIL] disk      full\n1 of 3 failed.\n" in capsys.readouterr().out


def test_this_machine():
    """The tests need all that the doctor asks for, so here nothing but memory or disk may fail."""
    failed = {finding.topic for finding in doctor.examine() if finding.status == FAIL}
    assert failed <= {"memory", "disk"}
