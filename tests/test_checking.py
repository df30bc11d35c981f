"""The checker itself: what it returns, what it says, when it stops the run."""

from __future__ import annotations

import numpy as np
import pytest

from course_utils.checking import Checker
from course_utils.checking.outcome import NOT_ATTEMPTED, NOT_YET, OUTCOME_MIMETYPE, PASS, RAISED, CheckFailed


def doubled(values):
    return 2 * values


def squared(values):
    return values**2


@pytest.fixture
def check(monkeypatch):
    monkeypatch.setenv("COURSE_STRICT", "0")
    checker = Checker("example")

    @checker.exercise(
        oracle=doubled,
        hints=("one", "two"),
        why={
            squared: "You squared.",
        },
    )
    def double(trial):
        trial.signature("values")
        trial.case(np.array([1.0, 3.0]), expected=np.array([2.0, 6.0]))
        trial.case(np.array([[0.5, -1.0, 4.0]]))

    checker.number(
        "entries",
        answer=12,
        hints=("count",),
        why={
            3: "Those are the rows.",
        },
    )
    checker.choice("picture", answer="B", why={"A": "A is the input.", "C": "C is flipped."}, hints=("look",))
    return checker


def test_right_answer_comes_back_itself(check, capsys):
    def double(values):
        return values + values

    assert check("double", double) is double
    assert capsys.readouterr().out.strip() == "double: pass"


@pytest.mark.parametrize("answer", [None, ..., squared])
def test_oracle_replaces_any_other_answer(check, answer):
    assert check("double", answer) is doubled


@pytest.mark.parametrize(("name", "wrong"), [("double", squared), ("entries", 3), ("picture", "A")])
def test_checking_the_filled_in_answer_again_is_no_pass(check, capsys, name, wrong):
    filled_in = check(name, wrong)
    capsys.readouterr()
    again = check(name, filled_in)
    assert again == filled_in
    assert f"{name}: not attempted" in capsys.readouterr().out


def test_filled_in_numbers_and_letters_can_be_used(check):
    assert check("entries", 3) + 1 == 13
    assert check("picture", "A") == "B"


def test_wrong_answer_names_the_mistake_and_shows_the_evidence(check):
    text = str(check.examine("double", squared))
    for part in ("not yet", "You squared.", "double([1., 3.])", "[1., 9.]", "[2., 6.]", "3"):
        assert part in text


def test_unknown_mistake_still_gets_a_next_step(check):
    outcome = check.examine("double", lambda values: values + 1)
    assert outcome.status == NOT_YET and 'check.hint("double")' in outcome.next_step


def test_changing_the_input_is_noticed(check):
    def double(values):
        values *= 2
        return values

    assert "changes its input" in check.examine("double", double).message


@pytest.mark.parametrize(
    ("answer", "part"),
    [
        (lambda values: (2 * values).astype(np.float32), "float32"),
        (lambda values: (2.0000002 * values).astype(np.float32), "7 digits only: they are float32"),
        (lambda values: np.array(["2", "6"]), "an array of <U1"),
        (lambda values: 2 * values[:1], "shape"),
        (lambda values: list(2 * values), "NumPy array"),
        (lambda values: (2 * values).astype(complex), "data type is not: complex128, expected float64"),
        (lambda values: (2 * values) * np.nan, "values differ"),
        (lambda values: "six", "NumPy array, not a str"),
        (lambda numbers: 2 * numbers, "parameters"),
        (lambda values, factor: factor * values, "parameters"),
        (3.0, "not a function"),
    ],
)
def test_each_kind_of_wrong_is_told_apart(check, answer, part):
    outcome = check.examine("double", answer)
    assert outcome.status == NOT_YET and part in outcome.message, str(outcome)


def test_floats_where_whole_numbers_are_expected(check):
    @check.exercise(oracle=np.flatnonzero, hints=("look",))
    def places(trial):
        trial.case(np.array([0.0, 3.0, 1.0]), expected=np.array([1, 2]))

    outcome = check.examine("places", lambda values: np.array([1.0, 2.0]))
    assert "float64, expected int64" in outcome.message and "whole numbers" in outcome.next_step


def test_stub_is_not_attempted_but_a_library_refusing_is_an_error(check):
    import torch

    def stub(values):
        raise NotImplementedError("double: your code here")

    def library(values):
        return torch.zeros(2, device="meta").numpy()

    assert check.examine("double", stub).status == NOT_ATTEMPTED
    assert check.examine("double", library).status == RAISED


def test_error_shows_the_students_lines_only(check):
    def double(values):
        return values[17]

    text = str(check.examine("double", double))
    assert "return values[17]" in text and "IndexError" in text and "trial.py" not in text


def test_numbers(check):
    assert check.examine("entries", 12.0).status == PASS
    assert check.examine("entries", 3).message == "Those are the rows."
    assert "too large" in check.examine("entries", 13).message
    assert "134,346,582 is too large" in check.examine("entries", 134346582).message
    assert "too small" in check.examine("entries", 11).message
    assert "number is asked" in check.examine("entries", "twelve").message
    assert check.examine("entries", float("nan")).status == NOT_YET


def test_choices(check):
    assert check.examine("picture", " b ").status == PASS
    assert check.examine("picture", "C").message == "C is flipped."
    assert "none of the letters A, B, C" in check.examine("picture", "D").message
    assert check.examine("picture", 2).status == NOT_YET


def test_strict_runs_stop(check, monkeypatch):
    monkeypatch.setenv("COURSE_STRICT", "1")
    with pytest.raises(CheckFailed, match="You squared"):
        check("double", squared)
    monkeypatch.delenv("COURSE_STRICT")
    with pytest.raises(CheckFailed):  # pytest itself is a strict run
        check("entries", 3)


def test_hints_come_one_at_a_time(check, capsys):
    check.hint("double")
    assert "two" not in capsys.readouterr().out
    check.hint("double")
    assert "two" in capsys.readouterr().out


def test_progress_counts_what_passes(check, capsys):
    check("entries", 12)
    check("picture", "A")
    capsys.readouterr()
    check.progress()
    text = capsys.readouterr().out
    assert "1 of 3 exercises pass" in text and "not attempted" in text and "not yet" in text


def test_unknown_exercise_lists_the_known_ones(check):
    with pytest.raises(ValueError, match="double, entries, picture"):
        check("duble", doubled)


def test_html_is_escaped_and_carries_the_status(check):
    bundle = check.examine("double", lambda values: "<b>")._repr_mimebundle_()
    assert bundle[OUTCOME_MIMETYPE] == {"exercise": "double", "status": NOT_YET}
    raised = check.examine("double", lambda values: {}["<script>"])._repr_html_()
    assert "<script>" not in raised and "&lt;script&gt;" in raised


def test_an_exercise_is_declared_once(check):
    with pytest.raises(ValueError, match="twice"):
        check.number("entries", answer=1, hints=())
