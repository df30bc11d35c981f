"""The line that notebooks print when they compute the same numbers in two ways."""

from __future__ import annotations

import pytest
import torch

from course_utils.checking import compare


@pytest.mark.parametrize(
    ("shift", "says"),
    [
        (0.0, "exact True  | close True  | max diff 0.0e+00"),
        (1e-12, "exact False | close True  | max diff 1.0e-12"),
        (0.5, "exact False | close False | max diff 5.0e-01"),
    ],
)
def test_exact_close_and_different(shift, says, capsys):
    values = torch.tensor([1.0, -2.0, 4.0], dtype=torch.float64)
    compare("two ways", values + torch.tensor([0, shift, 0]), values)
    printed = capsys.readouterr().out
    assert printed.startswith("two ways ") and says in printed


def test_other_shapes_are_refused_instead_of_broadcast():
    with pytest.raises(ValueError, match=r"two ways: shapes \(3, 1\) and \(3,\)"):
        compare("two ways", torch.zeros(3, 1), torch.zeros(3))
