"""What busy neighbours cost a training: the step of the lab's U-Net alone and beside other programs.

    python benchmarks/busy_machine.py            # two minutes; needs an otherwise idle machine

A step is forward, loss and backward on a batch of the lab's size, and the update. Each row is a process of
its own, because threads and waiting policy are fixed when torch is imported. Times are given as ratios of
medians, to one thread alone on the same machine. The rows run in turn, several rounds, so that a slow minute
of the machine hits them all.

"waits actively" is OpenMP's way unless it is told otherwise: a thread that has finished its part spins until
the others have. The course sets OMP_WAIT_POLICY=PASSIVE (``course_utils.threads``).
"""

from __future__ import annotations

import argparse
import itertools
import os
import statistics
import subprocess
import sys
from collections import defaultdict

_STEPS = """
import sys, time, torch
from course_utils import losses
from course_utils.networks.unet import UNet

torch.manual_seed(0)
network = UNet(
    in_channels=4, out_channels=4, base_channels=16, depth=4, padding="same", normalisation="instance"
)
optimizer = torch.optim.AdamW(network.parameters())
images, labels = torch.randn(16, 4, 72, 88), torch.randint(0, 4, (16, 72, 88))
for number in range(1 + int(sys.argv[1])):
    start = time.perf_counter()
    optimizer.zero_grad()
    losses.dice_cross_entropy_loss(network(images), labels).backward()
    optimizer.step()
    if number:  # the first step also sets things up
        print(time.perf_counter() - start)
"""


def main() -> None:
    """Print the table of ratios."""
    parser = argparse.ArgumentParser(description="The lab's training step beside busy neighbours.")
    parser.add_argument("--steps", type=int, default=4, help="steps a process")
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()

    threads = sorted({1, os.cpu_count() or 1})
    rows = [row for row in itertools.product(threads, ("ACTIVE", "PASSIVE")) if row != (1, "ACTIVE")]
    times = defaultdict(list)
    for _ in range(arguments.rounds):
        for neighbours in (0, 1, 2):
            busy = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(neighbours)]
            try:
                for row in rows:
                    times[row, neighbours] += _seconds(*row, arguments.steps)
            finally:
                for process in busy:
                    process.kill()
                    process.wait()

    unit = statistics.median(times[rows[0], 0])
    print(f"one thread, alone: {unit:.2f} s a step; the rest as multiples of it, on {os.cpu_count()} cores")
    print(f"{'':32} alone   1 neighbour   2 neighbours")
    for count, policy in rows:
        name = f"{count} thread{'s' * (count > 1)}"
        if count > 1:
            name += ", waits actively" if policy == "ACTIVE" else ", waits passively"
        ratios = [statistics.median(times[(count, policy), n]) / unit for n in (0, 1, 2)]
        print(f"{name:32} {ratios[0]:5.2f}   {ratios[1]:11.2f}   {ratios[2]:12.2f}")


def _seconds(threads: int, policy: str, steps: int) -> list[float]:
    """Seconds of each step in a fresh process."""
    environment = {**os.environ, "OMP_NUM_THREADS": str(threads), "MKL_NUM_THREADS": str(threads)}
    environment.pop("GOMP_SPINCOUNT", None)
    environment.pop("OMP_WAIT_POLICY", None)
    if policy == "PASSIVE":
        environment["OMP_WAIT_POLICY"] = policy
    command = [sys.executable, "-c", _STEPS, str(steps)]
    done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True, check=True)
    return [float(line) for line in done.stdout.split()]


if __name__ == "__main__":
    main()
