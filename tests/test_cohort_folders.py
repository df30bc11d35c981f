"""Finding cases, and whose files they are."""

from __future__ import annotations

import pytest

from course_utils import cohort
from course_utils.cohort import CohortError
from tests.cases import make_case


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
