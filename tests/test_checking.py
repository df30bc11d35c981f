"""The checker itself: what it returns, what it says, when it stops the run."""

from __future__ import annotations

import random
import sys
from fractions import Fraction

import numpy as np
import pytest
import torch

from course_utils.checking import Checker, calling, comparing
from course_utils.checking import checker as checker_module
from course_utils.checking.mistakes import given, then
from course_utils.checking.outcome import NOT_ATTEMPTED, NOT_YET, OUTCOME_MIMETYPE, PASS, RAISED, CheckFailed
from course_utils.checking.solutions import Solution
from course_utils.receptive_field import Layer


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
        (lambda values: (2 * values).astype(complex), "data type is not: complex128, not float64"),
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
    assert "float64, not int64" in outcome.message and "whole numbers" in outcome.next_step


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


# ---- the judgement: a name must explain everything


@pytest.fixture
def table(monkeypatch):
    """An exercise of three cases, the first of which can't tell the two known mistakes apart."""
    monkeypatch.setenv("COURSE_STRICT", "0")
    checker = Checker("example")

    @checker.exercise(
        oracle=lambda n, m: n + m,
        hints=("one",),
        why={(lambda n, m: n * m): "You multiplied.", (lambda n, m: n**m): "You took a power."},
    )
    def add(trial):
        trial.signature("n", m=1)
        trial.case(3, 1)
        trial.case(2, 5)
        trial.cases([(0, 4), (7, 2)])

    return checker


def named(checker: Checker, answer) -> str:
    return checker.examine("add", answer).message


def test_a_mistake_is_named_only_if_it_explains_every_case(table):
    assert named(table, lambda n, m=1: n * m) == "You multiplied."
    assert named(table, lambda n, m=1: n**m) == "You took a power."
    # agrees with both mistakes on the first case, and with none on all
    assert named(table, lambda n, m=1: 3 if (n, m) == (3, 1) else 0) == "The values differ."
    assert named(table, lambda n, m=1: n * m if n < 7 else 9) == "The values differ."


def test_cases_in_which_an_answer_fails_do_not_speak_against_a_name(table):
    def add(n, m=1):
        return n * m if n else [][0]

    assert named(table, add) == "You multiplied."


def test_the_first_wrong_case_is_shown(table):
    outcome = table.examine("add", lambda n, m=1: n + m if n != 2 else -1)
    assert dict(outcome.details)["called"] == "add(2, 5)"


def test_a_property_that_fails_because_of_a_wrong_case_is_not_what_is_told(monkeypatch):
    monkeypatch.setenv("COURSE_STRICT", "0")
    checker = Checker("example")

    @checker.exercise(oracle=np.sort, hints=("one",))
    def order(trial):
        result = trial.case(np.array([3.0, 1.0]))
        trial.require(result.size == 2, "not two")  # None has no size

    assert checker.examine("order", lambda values: None).message == "Your function returned None."
    assert checker.examine("order", lambda values: values[::-1].copy()).status == PASS


def test_a_ladder_that_stumbles_is_a_message_for_students_and_an_error_for_us(monkeypatch):
    checker = Checker("example")

    @checker.exercise(oracle=abs, hints=("one",))
    def size(trial):
        trial.require(trial.call(3).nothing, "")

    monkeypatch.setenv("COURSE_STRICT", "0")
    assert "can't be examined further" in checker.examine("size", abs).message
    monkeypatch.setenv("COURSE_STRICT", "1")
    with pytest.raises(AttributeError):
        checker.examine("size", abs)


def test_defaults_are_part_of_the_exercise(table):
    outcome = table.examine("add", lambda n, m=2: n + m)
    assert "default of `m`" in outcome.message and dict(outcome.details) == {"yours": "2", "expected": "1"}


# ---- what an answer can do to a notebook


@pytest.mark.parametrize("builtin", [max, np.dot, np.sqrt, int])
def test_a_function_that_comes_with_python_or_numpy_is_refused_in_words(check, builtin):
    outcome = check.examine("double", builtin)
    assert outcome.status in (NOT_YET, RAISED) and "Traceback" not in str(outcome)


def test_an_endless_loop_is_stopped_with_the_line_it_was_in(check, monkeypatch):
    monkeypatch.setattr(calling, "TIME_LIMIT", 0.2)

    def double(values):
        while True:
            values = values + 0

    outcome = check.examine("double", double)
    assert outcome.status == RAISED
    assert "Stopped after 0.2 seconds" in str(outcome) and "in double" in str(outcome)


def test_a_bare_except_does_not_keep_an_endless_loop_alive(check, monkeypatch):
    monkeypatch.setattr(calling, "TIME_LIMIT", 0.2)
    monkeypatch.setattr(calling, "_ASK_AGAIN", 0.05)

    def double(values):
        while True:
            try:
                values = values + 0
            except:  # noqa: E722  # what a student writes
                values = 0

    assert "Stopped after" in str(check.examine("double", double))


def test_the_stop_button_says_where(check):
    def double(values):
        raise KeyboardInterrupt

    assert "Interrupted by you" in str(check.examine("double", double))


class Mute(Exception):
    def __str__(self):
        raise ValueError("no text")


def leaves(values):
    sys.exit()


def mute(values):
    raise Mute


@pytest.mark.parametrize(
    ("answer", "says"), [(leaves, "use `return`"), (mute, "Mute (whose own text raises")]
)
def test_whatever_is_raised_becomes_a_message(check, answer, says):
    outcome = check.examine("double", answer)
    assert outcome.status == RAISED and says in str(outcome)


@pytest.mark.parametrize(
    ("result", "says"),
    [
        (torch.zeros(2, 2).to_sparse(), "sparse"),
        (torch.zeros(2, device="meta"), "meta"),
        (torch.zeros(2, dtype=torch.bfloat16), "values differ"),
        (np.array([None, 1]), "array of object"),
    ],
)
def test_results_that_are_no_plain_numbers_are_named(monkeypatch, result, says):
    monkeypatch.setenv("COURSE_STRICT", "0")
    checker = Checker("example")

    @checker.exercise(oracle=lambda: torch.ones(2), hints=("one",))
    def ones(trial):
        trial.case(expected=torch.ones(2) if isinstance(result, torch.Tensor) else np.ones(2))

    outcome = checker.examine("ones", lambda: result)
    assert outcome.status == NOT_YET and says in outcome.message, str(outcome)


def test_code_beside_the_stubs_raise_is_not_called_unattempted(check):
    def below(values):
        raise NotImplementedError("double: your code here")
        return 2 * values

    def above(values):
        result = 2 * values  # noqa: F841
        raise NotImplementedError("double: your code here")

    for answer in (below, above):
        outcome = check.examine("double", answer)
        assert outcome.status == NOT_YET and "Delete the line" in outcome.next_step


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda: torch.set_grad_enabled(False), "gradient mode"),
        (lambda: torch.set_default_dtype(torch.float16), "default data type"),
        (lambda: torch.manual_seed(0), "random seed"),
        (lambda: torch.set_num_threads(torch.get_num_threads() + 1), "number of threads"),
    ],
)
def test_global_state_is_set_back_and_reported(check, change, says):
    def double(values):
        change()
        return 2 * values

    torch.manual_seed(17)
    before = (
        torch.is_grad_enabled(),
        torch.get_default_dtype(),
        torch.get_num_threads(),
        torch.initial_seed(),
    )
    state = torch.get_rng_state()
    outcome = check.examine("double", double)
    after = (
        torch.is_grad_enabled(),
        torch.get_default_dtype(),
        torch.get_num_threads(),
        torch.initial_seed(),
    )
    assert outcome.status == NOT_YET and says in outcome.message
    assert before == after and torch.equal(state, torch.get_rng_state())


def test_random_numbers_may_be_drawn_but_the_sequence_goes_on_as_if_they_were_not(check):
    def double(values):
        return 2 * values + 0 * (np.random.rand() + torch.rand(1).item() + random.random())

    torch.manual_seed(3), np.random.seed(3), random.seed(3)
    expected = (torch.rand(1).item(), np.random.rand(), random.random())
    torch.manual_seed(3), np.random.seed(3), random.seed(3)
    assert check.examine("double", double).status == PASS
    assert (torch.rand(1).item(), np.random.rand(), random.random()) == expected


def test_a_list_reordered_in_place_is_a_changed_input(monkeypatch):
    monkeypatch.setenv("COURSE_STRICT", "0")
    checker = Checker("example")

    @checker.exercise(oracle=lambda layers: len(layers), hints=("one",))
    def count(trial):
        trial.case([Layer(3), Layer(5)])

    def backwards(layers):
        layers.reverse()
        return len(layers)

    assert "changes its input" in checker.examine("count", backwards).message


# ---- what is right is accepted


def whole_checker() -> Checker:
    checker = Checker("example")

    @checker.exercise(oracle=lambda n: n // 2, hints=("one",))
    def half(trial):
        trial.case(6, expected=3, whole=True)

    return checker


@pytest.mark.parametrize(
    "answer", [lambda n: n // 2, lambda n: np.int64(n // 2), lambda n: torch.tensor(n // 2)]
)
def test_whole_numbers_of_any_make_are_accepted(answer):
    assert whole_checker().examine("half", answer).status == PASS


def test_a_float_is_no_whole_number(monkeypatch):
    monkeypatch.setenv("COURSE_STRICT", "0")
    assert "whole number" in whole_checker().examine("half", lambda n: n / 2).message


@pytest.mark.parametrize(
    "twelve",
    [12, 12.0, Fraction(12), np.float32(12), np.array([12]), torch.tensor(12), torch.tensor([[12.0]])],
)
def test_a_number_is_a_number_however_it_is_wrapped(check, twelve):
    assert check.examine("entries", twelve).status == PASS


@pytest.mark.parametrize(
    ("value", "says"),
    [
        ("12", "Leave out the quotes"),
        (True, "A number is asked for"),
        (np.array([1, 2]), "A number is asked for"),
        (12j, "A number is asked for"),
        (10**400, "too large"),
        (-3.5, "is negative"),
        (float("nan"), "divide 0 by 0"),
        (11.5, "Asked for is the exact number"),
    ],
)
def test_other_numbers_are_answered_in_words(check, value, says):
    outcome = check.examine("entries", value)
    assert outcome.status == NOT_YET and says in str(outcome), str(outcome)


@pytest.mark.parametrize("letter", ["B", "b.", "(B)", "B)", "**B**", "B:", " B ", np.array(["B"]), ["b"]])
def test_a_letter_is_a_letter_however_it_is_written(check, letter):
    assert check.examine("picture", letter).status == PASS


def test_single_precision_is_enough_where_the_case_says_so(monkeypatch):
    monkeypatch.setenv("COURSE_STRICT", "0")
    checker = Checker("example")

    @checker.exercise(oracle=lambda x: x / 3, hints=("one",))
    def third(trial):
        trial.case(np.ones(3), tolerance=1e-5, any_dtype=True)

    def single(x):
        return (x / 3).astype(np.float32)

    assert checker.examine("third", single).status == PASS
    assert checker.examine("third", lambda x: (x / 3).astype(int)).status == NOT_YET


def test_evidence_shows_the_digits_in_which_two_numbers_differ():
    shown = dict(comparing.evidence(np.array([1 / 3]), np.array([1 / 3 + 1e-9]), "f()"))
    assert shown["came"] != shown["expected"]


def test_a_small_mask_is_drawn():
    assert comparing.brief(np.array([[True, False], [False, True]])) == "#.\n.#"


# ---- a pass teaches


@pytest.fixture
def written(check, monkeypatch):
    text = (
        "Twice, because the mean of two equal numbers is the number. It is the same on every axis.\n\nMore."
    )
    monkeypatch.setattr(
        checker_module, "solutions", lambda topic: {"double": Solution(text, "return 2 * values")}
    )
    return check


def test_a_pass_says_why_in_the_solutions_first_sentences(written):
    outcome = written.examine("double", doubled_again)
    assert (
        outcome.status == PASS
        and outcome.message.startswith("Twice, because")
        and "More" not in outcome.message
    )


def doubled_again(values):
    return values + values


def test_the_solution_comes_after_a_pass_or_after_the_last_hint(written, capsys):
    written.solution("double")
    assert "There are 2 more hints" in capsys.readouterr().out
    written.hint("double"), written.hint("double")
    capsys.readouterr()
    written.solution("double")
    said = capsys.readouterr().out
    assert "return 2 * values" in said and "More." in said


def test_the_solution_comes_after_a_pass(written, capsys):
    written("double", doubled_again)
    capsys.readouterr()
    written.solution("double")
    assert "return 2 * values" in capsys.readouterr().out


# ---- building mistakes


def test_given_changes_an_argument_and_then_changes_the_result():
    def power(base, exponent=2):
        return base**exponent

    assert given(power, exponent=3)(2) == 8
    assert given(power, base=lambda base: base + 1)(2, 3) == 27
    assert then(power, lambda result: -result)(3) == -9
    with pytest.raises(TypeError, match="no parameter expnent"):
        given(power, expnent=1)
