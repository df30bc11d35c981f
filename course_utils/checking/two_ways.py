"""The same numbers computed in two ways: how far apart are they?"""

from __future__ import annotations

import torch
from torch import Tensor


def compare(name: str, ours: Tensor, reference: Tensor) -> None:
    """Print whether two tensors are equal bit for bit, whether up to rounding, and max |difference|.

    ``name`` says in a few words what is compared. Raises ValueError where the shapes differ.
    """
    if ours.shape != reference.shape:
        raise ValueError(f"{name}: shapes {tuple(ours.shape)} and {tuple(reference.shape)} can't be compared")
    difference = (ours - reference).abs().max().item()
    exact, close = torch.equal(ours, reference), torch.allclose(ours, reference)
    print(f"{name:50} exact {exact!s:5} | close {close!s:5} | max diff {difference:.1e}")
