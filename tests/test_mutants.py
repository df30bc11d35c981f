"""Each check rejects every mutant of its own solution that changes a result."""

from __future__ import annotations

import pytest

from course_utils.checking import calling
from course_utils.checking.outcome import PASS
from course_utils.publishing import source_paths
from tests import mutants
from tests.equivalent_mutants import EQUIVALENT
from tests.test_checks import CODE, checker

STEMS = {path.stem[3:]: path.stem for path in source_paths()}


@pytest.mark.slow
@pytest.mark.parametrize(("topic", "name"), CODE)
def test_every_mutant_that_changes_a_result_is_rejected(topic, name, monkeypatch):
    monkeypatch.setenv("COURSE_STRICT", "0")
    monkeypatch.setattr(calling, "TIME_LIMIT", 2.0)  # some mutants never end
    check = checker(topic)
    definition, namespace = mutants.load_solution(STEMS[topic], name)
    assert check.examine(name, mutants.build(definition, namespace)).status == PASS

    found = list(mutants.mutants(definition, namespace))
    passed = {mutant.change for mutant in found if check.examine(name, mutant.function).status == PASS}
    assert passed == set(EQUIVALENT.get(name, {}))


def test_mutants_are_found_and_told_apart():
    definition, namespace = mutants.load_solution("02_convolution", "output_size")
    changes = [mutant.change for mutant in mutants.mutants(definition, namespace)]
    assert len(changes) == len(set(changes)) > 20


def test_an_answer_that_is_no_longer_rejected_would_be_noticed():
    """The machine itself: a check that tests nothing lets every mutant pass."""
    definition, namespace = mutants.load_solution("00_start_here", "millilitres")
    answers = [mutant.function(2500.0) for mutant in mutants.mutants(definition, namespace)]
    assert answers and all(answer != 2.5 for answer in answers)
