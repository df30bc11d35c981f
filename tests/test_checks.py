"""Every check passes its oracle, rejects every known mistake by name, and answers empty answers as empty."""

from __future__ import annotations

import functools
import importlib
import pkgutil

import numpy as np
import pytest

import course_utils.checks
import tests.right_answers
import tests.wrong_answers
from course_utils.checking.outcome import NOT_ATTEMPTED, NOT_YET, PASS, RAISED

TOPICS = sorted(module.name for module in pkgutil.iter_modules(tests.wrong_answers.__path__))


def checker(topic: str):
    return importlib.import_module(f"course_utils.checks.{topic}").check


def wrong_answers(topic: str):
    return importlib.import_module(f"tests.wrong_answers.{topic}").wrong.answers


def right_answers(topic: str):
    return importlib.import_module(f"tests.right_answers.{topic}").right.answers


def exercises(*kinds: str) -> list[tuple[str, str]]:
    """(topic, exercise) of all exercises of these kinds."""
    return [
        (topic, name)
        for topic in TOPICS
        for name, exercise in checker(topic).exercises.items()
        if exercise.kind in kinds
    ]


EXERCISES = exercises("code", "number", "choice")
CODE = exercises("code")
MISTAKES = [
    (topic, name, wrong, message)
    for topic, name in EXERCISES
    for wrong, message in checker(topic).exercises[name].why.items()
]
WRONG = [(topic, wrong) for topic in TOPICS for wrong in wrong_answers(topic)]
RIGHT = [(topic, right) for topic in TOPICS for right in right_answers(topic)]


def wrong_id(value) -> str:
    """A name that is the same in every process, as workers side by side need: no function's address."""
    if callable(value):
        return ""
    return f"{value.exercise}-{value.says}" if hasattr(value, "says") else str(value)[:60]


def right_id(value) -> str:
    return f"{value.exercise}-{value.style}" if hasattr(value, "style") else str(value)


def test_every_topic_with_checks_has_wrong_and_right_answers():
    declared = {module.name for module in pkgutil.iter_modules(course_utils.checks.__path__)}
    others = {module.name for module in pkgutil.iter_modules(tests.right_answers.__path__)}
    assert declared == set(TOPICS) == others


@pytest.mark.parametrize(("topic", "name"), EXERCISES)
def test_oracle_passes(topic, name):
    outcome = checker(topic).examine(name, checker(topic).exercises[name].oracle)
    assert outcome.status == PASS, str(outcome)


@pytest.mark.parametrize(("topic", "name"), EXERCISES)
def test_three_different_hints_and_three_known_mistakes(topic, name):
    exercise = checker(topic).exercises[name]
    assert len(set(exercise.hints)) == len(exercise.hints) >= 3
    assert len(set(exercise.why.values())) == len(exercise.why) >= 3


@pytest.mark.parametrize(("topic", "name", "wrong", "message"), MISTAKES, ids=wrong_id)
def test_a_known_mistake_is_told_its_own_name_and_no_other(topic, name, wrong, message):
    """Two mistakes that no case tells apart would be told each other's names."""
    answer = like_the_oracle(topic, name, wrong) if callable(wrong) else wrong
    outcome = checker(topic).examine(name, answer)
    assert (outcome.status, outcome.message) == (NOT_YET, message), str(outcome)


@pytest.mark.parametrize(("topic", "wrong"), WRONG, ids=wrong_id)
def test_wrong_answer_is_rejected_by_name(topic, wrong):
    outcome = checker(topic).examine(wrong.exercise, wrong.answer)
    assert outcome.status == NOT_YET, str(outcome)
    assert wrong.says.lower() in f"{outcome.message} {outcome.next_step}".lower(), str(outcome)


@pytest.mark.parametrize(("topic", "name"), CODE)
def test_three_wrong_answers_that_a_student_would_write(topic, name):
    assert len({wrong.says.lower() for wrong in wrong_answers(topic) if wrong.exercise == name}) >= 3


@pytest.mark.parametrize(("topic", "right"), RIGHT, ids=right_id)
def test_right_answer_in_another_style_passes(topic, right):
    outcome = checker(topic).examine(right.exercise, right.answer)
    assert outcome.status == PASS, str(outcome)


@pytest.mark.parametrize(("topic", "name"), CODE)
def test_two_right_answers_in_other_styles(topic, name):
    assert len({right.style for right in right_answers(topic) if right.exercise == name}) >= 2


@pytest.mark.parametrize(("topic", "name"), EXERCISES)
def test_empty_answers_are_not_attempted(topic, name):
    for empty in (None, ...):
        assert checker(topic).examine(name, empty).status == NOT_ATTEMPTED


@pytest.mark.parametrize(("topic", "name"), CODE)
def test_stub_is_not_attempted(topic, name):
    assert checker(topic).examine(name, imitation(topic, name, stub)).status == NOT_ATTEMPTED


@pytest.mark.parametrize(("topic", "name"), CODE)
def test_crash_shows_only_the_students_lines(topic, name):
    outcome = checker(topic).examine(name, imitation(topic, name, crash))
    assert outcome.status == RAISED
    assert "IndexError: beyond the end" in str(outcome)
    assert "course_utils" not in str(outcome)


@pytest.mark.parametrize(("topic", "name"), CODE)
def test_zeros_of_the_right_shape_are_rejected(topic, name):
    outcome = checker(topic).examine(name, imitation(topic, name, lambda right: fill(right, 0)))
    assert outcome.status == NOT_YET, str(outcome)


@pytest.mark.parametrize(("topic", "name"), CODE)
def test_only_the_right_shape_is_rejected(topic, name):
    outcome = checker(topic).examine(name, imitation(topic, name, lambda right: fill(right, 7.25)))
    assert outcome.status == NOT_YET, str(outcome)


@pytest.mark.parametrize(("topic", "name"), CODE)
def test_returning_nothing_is_explained(topic, name):
    outcome = checker(topic).examine(name, imitation(topic, name, lambda right: None))
    assert outcome.status == NOT_YET and "None" in outcome.message, str(outcome)


@pytest.mark.parametrize(("topic", "name"), CODE)
def test_every_known_mistake_of_a_function_is_met_by_a_wrong_answer(topic, name):
    """A name that no answer written like a student's has earned is one that nobody has ever read."""
    answers = [wrong.answer for wrong in wrong_answers(topic) if wrong.exercise == name]
    earned = {checker(topic).examine(name, answer).message for answer in answers}
    assert set(checker(topic).exercises[name].why.values()) <= earned


def like_the_oracle(topic: str, name: str, function):
    """``function`` with the oracle's signature, which the check asks for."""
    oracle = checker(topic).exercises[name].oracle

    @functools.wraps(oracle)
    def answer(*args, **kwargs):
        return function(*args, **kwargs)

    return answer


def imitation(topic: str, name: str, result):
    """A function with the oracle's signature whose answer is ``result(right answer)``."""
    oracle = checker(topic).exercises[name].oracle

    @functools.wraps(oracle)
    def answer(*args, **kwargs):
        return result(oracle(*args, **kwargs))

    return answer


def stub(right):
    raise NotImplementedError("your code here")


def crash(right):
    raise IndexError("beyond the end")


def fill(value, constant):
    """Something of the same structure, shape and type, full of one constant."""
    if isinstance(value, (tuple, list)):
        return type(value)(fill(item, constant) for item in value)
    if isinstance(value, dict):
        return {key: fill(item, constant) for key, item in value.items()}
    if hasattr(value, "new_full"):
        return value.new_full(value.shape, constant)
    if isinstance(value, np.ndarray):
        return np.full_like(value, constant)
    return type(value)(constant)
