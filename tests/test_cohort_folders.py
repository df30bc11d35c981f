"""Finding cases, and whose files they are."""

from __future__ import annotations

import pytest

from course_utils import cohort
from course_utils.cohort import CohortError
from tests.cases import file_of, make_case


def test_cases_are_found_in_order(tmp_path):
    cases = [make_case(tmp_path, name) for name in ("b", "a", "c")]
    (tmp_path / ".hidden.part").mkdir()
    (tmp_path / "cohort.json").write_text("{}")
    assert cohort.find_cases(tmp_path) == sorted(cases)


def test_folder_without_cases_is_explained(tmp_path):
    with pytest.raises(CohortError, match="no folder .*nowhere.*download.py synthetic --out"):
        cohort.find_cases(tmp_path / "nowhere")
    with pytest.raises(CohortError, match="holds no case.*download.py synthetic"):
        cohort.find_cases(tmp_path)
    case = make_case(tmp_path / "data" / "Training")
    with pytest.raises(CohortError, match="one level further down.*Training"):
        cohort.find_cases(tmp_path / "data")
    with pytest.raises(CohortError, match="single case: use the folder above"):
        cohort.find_cases(case)
    with pytest.raises(CohortError, match="there is no folder"):
        cohort.load_case(tmp_path / "nobody")


def test_synthetic_cases_are_made_where_the_course_keeps_its_data(tmp_path, monkeypatch):
    from course_utils import phantom

    asked = []
    monkeypatch.setenv("COURSE_DATA", str(tmp_path))
    monkeypatch.setattr(
        phantom, "write_cohort", lambda folder, subjects: asked.append((folder, subjects)) or ["case"]
    )
    assert cohort.synthetic_cases(7) == ["case"]
    assert asked == [(tmp_path.resolve() / "synthetic", 7)]


def test_synthetic_cases_do_not_touch_another_cohort(tmp_path, monkeypatch):
    monkeypatch.setenv("COURSE_DATA", str(tmp_path))
    make_case(tmp_path / "synthetic")
    with pytest.raises(CohortError, match="not a synthetic cohort"):
        cohort.synthetic_cases(1)


def test_the_parts_of_brats_2018_are_all_named(tmp_path):
    for grade in ("HGG", "LGG"):
        make_case(tmp_path / grade, f"Brats18_{grade}_1")
    with pytest.raises(CohortError, match="one level further down, in HGG, LGG"):
        cohort.find_cases(tmp_path)


def test_a_task_of_the_decathlon_is_recognised_and_left_alone(tmp_path):
    for name in ("imagesTr", "labelsTr"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "BRATS_001.nii.gz").write_bytes(b"")
    (tmp_path / "dataset.json").write_text("{}")
    with pytest.raises(CohortError, match="Decathlon") as caught:
        cohort.find_cases(tmp_path)
    assert "--out" not in str(caught.value)


def test_nobody_is_told_to_make_a_cohort_among_other_files(tmp_path):
    (tmp_path / "thesis").mkdir()
    with pytest.raises(CohortError, match=r"download.py synthetic`"):
        cohort.find_cases(tmp_path)


# ---- whose files they are


def test_a_file_of_another_subject_is_named(tmp_path):
    case, other = (make_case(tmp_path, f"BraTS20_Training_{number:03d}") for number in (1, 2))
    file_of(case, "t2").unlink()
    file_of(other, "t2").rename(case / file_of(other, "t2").name)
    for problem in (*cohort.check_case(case), _error_of(case)):
        assert "BraTS20_Training_002_t2.nii.gz by name belongs to another case" in problem
        assert "_t1.nii.gz" not in problem


def test_a_folder_with_all_files_of_another_subject_is_named(tmp_path):
    case = make_case(tmp_path, "BraTS20_Training_001").rename(tmp_path / "BraTS20_Training_002")
    assert "belong to another case" in _error_of(case)
    assert cohort.load_case(case.rename(tmp_path / "my patient")).name == "my patient"


def _error_of(case) -> str:
    with pytest.raises(CohortError) as caught:
        cohort.load_case(case)
    return str(caught.value)


def test_the_advice_names_the_whole_command_as_recorded(tmp_path):
    case = make_case(tmp_path / "my data", "SynthBraTS_012")
    file_of(case, "t2").write_bytes(b"")
    (tmp_path / "my data" / "cohort.json").write_text('{"generator": 1, "seed": 7, "spacing": 1.5}')
    expected = f"synthetic --seed 7 --spacing 1.5 --subjects 13 --out '{tmp_path / 'my data'}'`"
    assert expected in _error_of(case)
