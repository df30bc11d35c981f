"""How the course shares a machine with other programs.

PyTorch's threads compute together through OpenMP. One that has finished its part waits for the others
*actively*: it spins, and so keeps the processor from the very thread for which it waits as soon as another
program wants a core, too. Measured with ``benchmarks/busy_machine.py`` on two cores that other programs were
using all the time, in three runs: with two threads the lab's step took 4 to 13 times as long when they
waited actively as when they waited passively. Passive threads cost nothing where nobody else computes: waking
up takes microseconds, an operation of the lab's network milliseconds.
"""

from __future__ import annotations

import os

PASSIVE = {"OMP_WAIT_POLICY": "PASSIVE", "KMP_BLOCKTIME": "0"}
"""For GNU's OpenMP (Linux), and for LLVM's and Intel's (macOS, Windows); read when torch is imported."""

ONE_THREAD = dict.fromkeys(
    ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "VECLIB_MAXIMUM_THREADS"), "1"
)
"""For processes of the course that run side by side: a core for each, and the same results everywhere."""


def wait_passively() -> None:
    """Let threads sleep while they wait, unless the user's settings differ. Before torch is there."""
    for name, value in PASSIVE.items():
        os.environ.setdefault(name, value)
