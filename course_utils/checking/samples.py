"""Inputs for the checks: values that hide no mistake."""

from __future__ import annotations

import torch
from torch import Tensor


def numbers(*shape: int, seed: int) -> Tensor:
    """Float64 values of both signs, none near zero, so that no entry can hide a mistake."""
    generator = torch.Generator().manual_seed(seed)
    magnitude = 0.5 + torch.rand(*shape, generator=generator, dtype=torch.float64)
    sign = 2.0 * torch.randint(0, 2, shape, generator=generator) - 1.0
    return magnitude * sign


def tensor(*values: float) -> Tensor:
    """These values as float64, (number of values,)."""
    return torch.tensor(values, dtype=torch.float64)
