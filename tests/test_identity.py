"""Functions that are the same, and functions that only look alike."""

from __future__ import annotations

import functools
import os
import subprocess
import sys
import types
from pathlib import Path

import pytest
import torch
from torch import nn

from course_utils import losses
from course_utils.identity import function_identity, network_identity, weights_identity

ROOT = Path(__file__).resolve().parent.parent


def defined(source: str, name: str = "loss", **variables):
    """A function as a notebook defines it: in a module of its own, ``__main__`` so to speak."""
    module = types.ModuleType("notebook")
    module.__dict__.update(torch=torch, nn=nn, losses=losses, functools=functools, **variables)
    exec(compile(source, "a cell", "exec"), module.__dict__)
    return module.__dict__[name]


BASE = 'def loss(logits, labels):\n    """Words."""\n    return logits.mean() * 2'

DIFFERENT = {
    "another number": ("loss = lambda x, y: 2 * x.mean()", "loss = lambda x, y: 3 * x.mean()"),
    "another method": ("loss = lambda x, y: x.mean()", "loss = lambda x, y: x.sum()"),
    "another operation": ("loss = lambda x, y: x + 1", "loss = lambda x, y: x - 1"),
    "another text": ("loss = lambda x, y: x['a']", "loss = lambda x, y: x['b']"),
    "a default": ("def loss(x, y, w=1): return w", "def loss(x, y, w=2): return w"),
    "a keyword default": ("def loss(x, y, *, w=1): return w", "def loss(x, y, *, w=2): return w"),
    "a global": ("W = 1\ndef loss(x, y): return W", "W = 2\ndef loss(x, y): return W"),
    "a list": ("W = [1, 2]\ndef loss(x, y): return W", "W = [1, 3]\ndef loss(x, y): return W"),
    "a tensor": (
        "W = torch.tensor([1.0, 2])\ndef loss(x, y): return W",
        "W = torch.tensor([1.0, 3])\ndef loss(x, y): return W",
    ),
    "what it calls": (
        "def part(x): return x + 1\ndef loss(x, y): return part(x)",
        "def part(x): return x + 2\ndef loss(x, y): return part(x)",
    ),
    "what that calls": (
        "def a(x): return 1\ndef b(x): return a(x)\ndef loss(x, y): return b(x)",
        "def a(x): return 2\ndef b(x): return a(x)\ndef loss(x, y): return b(x)",
    ),
    "an inner function": (
        "def loss(x, y):\n    f = lambda z: z + 1\n    return f(x)",
        "def loss(x, y):\n    f = lambda z: z + 2\n    return f(x)",
    ),
    "a decorated one": (
        "@torch.no_grad()\ndef loss(x, y): return x + 1",
        "@torch.no_grad()\ndef loss(x, y): return x + 2",
    ),
    "a partial": (
        "loss = functools.partial(losses.dice_loss, smooth=1.0)",
        "loss = functools.partial(losses.dice_loss, smooth=2.0)",
    ),
    "a partial of another": (
        "loss = functools.partial(losses.dice_loss)",
        "loss = functools.partial(losses.cross_entropy)",
    ),
    "a module's setting": (
        "loss = nn.CrossEntropyLoss()",
        "loss = nn.CrossEntropyLoss(label_smoothing=0.1)",
    ),
    "a module's weights": (
        "loss = nn.CrossEntropyLoss(weight=torch.tensor([1.0, 2]))",
        "loss = nn.CrossEntropyLoss(weight=torch.tensor([1.0, 3]))",
    ),
    "a method's object": (
        "class L:\n    def __init__(self, w): self.w = w\n    def f(self, x, y): pass\nloss = L(1).f",
        "class L:\n    def __init__(self, w): self.w = w\n    def f(self, x, y): pass\nloss = L(2).f",
    ),
    "a callable object's code": (
        "class L:\n    def __call__(self, x, y): return x + 1\nloss = L()",
        "class L:\n    def __call__(self, x, y): return x + 2\nloss = L()",
    ),
}


@pytest.mark.parametrize(("one", "other"), DIFFERENT.values(), ids=DIFFERENT)
def test_functions_that_look_alike_are_told_apart(one, other):
    first, same, second = defined(one), defined(one), defined(other)
    assert function_identity(first) == function_identity(same)
    assert function_identity(first) != function_identity(second)


@pytest.mark.parametrize(
    "same",
    [
        '\n\n\ndef loss(logits, labels):\n    """Words."""\n    # a remark\n    return logits.mean() * 2',
        'def loss(logits, labels):\n    """Other words."""\n    return logits.mean() * 2',
    ],
)
def test_remarks_docstrings_and_places_do_not_count(same):
    assert function_identity(defined(same)) == function_identity(defined(BASE))


def test_without_values_only_the_code_counts():
    """A validation may collect things in a list: that is not another validation."""
    source = "seen = []\ndef check(network): seen.append(network)"
    used = defined(source, "check")
    used("something")
    fresh = defined(source, "check")
    assert function_identity(used, values=False) == function_identity(fresh, values=False)
    assert function_identity(used) != function_identity(fresh)
    other = defined("seen = []\ndef check(network): seen.extend(network)", "check")
    assert function_identity(fresh, values=False) != function_identity(other, values=False)


def test_functions_that_call_each_other_come_to_an_end():
    source = "def a(x): return b(x)\ndef b(x): return a(x)\nloss = a"
    assert function_identity(defined(source)) == function_identity(defined(source))
    variables = {"ring": []}
    variables["ring"].append(variables["ring"])
    assert function_identity(defined("def loss(x, y): return ring", **variables))


def test_the_same_in_every_process():
    program = (
        "import functools; from course_utils import losses; from course_utils.identity import *;"
        "print(function_identity(functools.partial(losses.dice_cross_entropy_loss, w={'b', 'a', 'c'})))"
    )
    other = subprocess.run(
        [sys.executable, "-c", program],
        cwd=ROOT,
        env={**os.environ, "PYTHONHASHSEED": "1"},
        capture_output=True,
        text=True,
        check=True,
    )
    here = function_identity(functools.partial(losses.dice_cross_entropy_loss, w={"b", "a", "c"}))
    assert other.stdout.strip() == here


def test_networks_by_their_code_and_weights_by_their_values():
    class Network(nn.Linear):
        def forward(self, x):
            return super().forward(x)

    first = nn.Sequential(Network(2, 3))
    code, weights = network_identity(first), weights_identity(first)
    assert network_identity(nn.Sequential(Network(2, 3))) == code
    with torch.no_grad():
        first[0].bias += 1
    assert weights_identity(first) != weights and network_identity(first) == code
    Network.forward = lambda self, x: 2 * x
    assert network_identity(first) != code
