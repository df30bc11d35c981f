"""Dice against the receptive field: the trainings of notebook 04, section 7, with other seeds.

Five networks with about as many weights see 1, 5, 15, 31 or 45 pixels of 4 mm. Each seed has its own split of
the cohort, initial weights and batches; all networks of a seed meet the same subjects. Networks, training and
measures are the notebook's own. About five minutes with one thread.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import torch

from course_utils import paths
from experiments import definitions, record

RESULTS = Path(__file__).parent / "results" / "04_receptive_field.json"
SEEDS = range(5)
STEPS = (120, 480)

NAMES = (
    "SCHEDULES", "small_network", "at_four_millimetres", "training_and_held_out", "train", "dice_of_subjects",
    "squared_gradient", "effective_sigma", "sigma_of",
)  # fmt: skip


def one_training(notebook: dict, data: tuple, field: int, steps: int, seed: int) -> dict[str, Any]:
    """One network: Dice of each held-out subject, effective width in pixels before and after training."""
    (images, labels), held_out = data
    torch.manual_seed(seed)
    network = notebook["small_network"](*notebook["SCHEDULES"][field])
    before = notebook["sigma_of"](network, images[::8])
    notebook["train"](network, images, labels, steps)
    return {
        "steps": steps,
        "seed": seed,
        "field": field,
        "dice": notebook["dice_of_subjects"](network, held_out),
        "sigma_before": before,
        "sigma_after": notebook["sigma_of"](network, images[::8]),
    }


def runs_of_seed(notebook: dict, folder: Path, seed: int) -> Iterable[tuple[dict[str, Any], float]]:
    """All trainings of a seed, and the seconds that a former run spent on each."""
    data = notebook["training_and_held_out"](seed)
    for steps in STEPS:
        for field in notebook["SCHEDULES"]:
            piece = f"{steps}_steps_seed_{seed}_field_{field}"
            yield record.once(
                folder,
                piece,
                lambda steps=steps, field=field: one_training(notebook, data, field, steps, seed),
            )


def main() -> None:
    """Compute what is missing, and write the results."""
    started = time.perf_counter()
    torch.set_num_threads(1)
    notebook = definitions.load("04_receptive_field", *NAMES)
    folder = paths.runs_dir() / "experiments" / f"04_{definitions.fingerprint('04_receptive_field', *NAMES)}"
    runs = []
    for seed in SEEDS:
        for run, former_seconds in runs_of_seed(notebook, folder, seed):
            runs.append(run)
            started -= former_seconds
            mean = sum(run["dice"]) / len(run["dice"])
            print(
                f"seed {seed}, {run['steps']} steps, field {run['field']:2} pixels: Dice {mean:.3f}",
                flush=True,
            )
    record.write(RESULTS, {"seeds": list(SEEDS), "runs": runs}, started)


if __name__ == "__main__":
    main()
