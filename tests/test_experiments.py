"""Experiments: what results say about a run, going on after an interruption, a notebook's own code."""

from __future__ import annotations

import json
import time

import pytest
import torch

from course_utils import paths
from experiments import definitions, record


def test_results_come_with_date_seconds_and_versions(tmp_path):
    record.write(tmp_path / "found.json", {"dice": [0.8, 0.9]}, time.perf_counter() - 75)
    assert record.read(tmp_path / "found.json") == {"dice": [0.8, 0.9]}
    run = json.loads((tmp_path / "found.json").read_text())["run"]
    assert run["torch"] == torch.__version__ and run["seconds"] >= 75
    assert set(run) == {"date", "seconds", "python", "torch", "numpy"}


def test_what_json_cannot_hold_leaves_the_old_results(tmp_path):
    record.write(tmp_path / "found.json", {"dice": 0.8}, time.perf_counter())
    with pytest.raises(TypeError):
        record.write(tmp_path / "found.json", {"dice": torch.tensor(0.9)}, time.perf_counter())
    assert record.read(tmp_path / "found.json") == {"dice": 0.8}
    assert [path.name for path in tmp_path.iterdir()] == ["found.json"]


def test_a_piece_is_computed_once(tmp_path):
    calls = []

    def compute():
        calls.append(None)
        return {"ripple": 0.3, "seeds": [1, 2]}

    value, before = record.once(tmp_path, "kernel 3, 0", compute)
    again, spent = record.once(tmp_path, "kernel 3, 0", compute)
    assert value == again == {"ripple": 0.3, "seeds": [1, 2]}
    assert before == 0 and spent >= 0 and len(calls) == 1


def test_a_piece_that_fails_is_computed_again(tmp_path):
    with pytest.raises(ZeroDivisionError):
        record.once(tmp_path, "piece", lambda: 1 / 0)
    assert record.once(tmp_path, "piece", lambda: 2) == (2, 0.0)


NOTEBOOK = '''\
# %% [markdown]
# # 01 · A notebook
# %%
import math
size = 3
# %%
def area(width):
    """Of a square."""
    return math.floor(width) * size
# %%
area = check("area", area)
raise RuntimeError("cells that nobody asked for don't run")
'''


@pytest.fixture
def notebook(tmp_path, monkeypatch):
    source = tmp_path / "notebooks" / "solutions" / "01_squares.py"
    source.parent.mkdir(parents=True)
    source.write_text(NOTEBOOK)
    monkeypatch.setattr(paths, "repository_root", lambda: tmp_path)
    return source


def test_definitions_are_the_notebooks_own(notebook):
    assert definitions.load("01_squares", "area", "size")["area"](2.5) == 6


def test_a_name_that_is_not_defined_is_named(notebook):
    with pytest.raises(ValueError, match="01_squares doesn't define volume"):
        definitions.load("01_squares", "area", "volume")


def test_fingerprint_changes_with_the_code_only(notebook):
    before = definitions.fingerprint("01_squares", "area")
    notebook.write_text(NOTEBOOK.replace("# # 01", "# A word.\n# # 01"))
    assert definitions.fingerprint("01_squares", "area") == before
    notebook.write_text(NOTEBOOK.replace("* size", "* width"))
    assert definitions.fingerprint("01_squares", "area") != before
