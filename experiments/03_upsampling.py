"""The trainings of notebook 03 with other seeds.

1. Three layers that double the size of a slice, before and after training: checkerboard energy, ripple of a
   grey wall, error relative to bilinear interpolation.
2. Three encoder-decoders that differ in their way up: share of wrong pixels in the boundary band, far away,
   and by the distance to the boundary, and the mean Dice of the held-out subjects.

Networks, trainings and measures are the notebook's own. About ten minutes with one thread.
"""

from __future__ import annotations

import itertools
import time
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F

from course_utils import metrics, paths
from experiments import definitions, record

RESULTS = Path(__file__).parent / "results" / "03_upsampling.json"
SEEDS = range(6)

DATA = ("cases", "subjects", "training", "flair_images", "flair_training", "flair_held_out", "small_held_out")
DOUBLING = ("checkerboard_energy", "LAST_LAYER", "upsampler", "mean_energy", "train_upsampler", "flat_field")
SEGMENTING = (
    "held_out", "with_rim", "STEPS", "WAYS_UP", "block", "up_layer", "join", "EncoderDecoder", "draw_batch",
    "train", "masks", "brains", "boundary_band", "predict", "bands_of", "error_rate",
)  # fmt: skip


def doubling(notebook: dict, kind: str, seed: int) -> dict:
    """One layer and one seed, before and after training."""
    held_out, halved = notebook["flair_held_out"], notebook["small_held_out"]
    bilinear = F.mse_loss(F.interpolate(halved, scale_factor=2, mode="bilinear"), held_out)
    found = {}
    for when, network in (
        ("before", notebook["upsampler"](kind, seed)),
        ("after", notebook["train_upsampler"](kind, seed)),
    ):
        with torch.no_grad():
            error = F.mse_loss(network(halved), held_out) / bilinear
        found[when] = {
            "energy": notebook["mean_energy"](network),
            "ripple": float(notebook["flat_field"](network).std(correction=0)),
            "error": float(error),
        }
    return found


def segmenting(notebook: dict, way_up: str, seed: int) -> dict:
    """One way up and one seed, on the held-out subjects."""
    masks, brains = notebook["masks"], notebook["brains"]
    prediction = notebook["predict"](notebook["train"](way_up, seed))
    nested = [notebook["bands_of"](distance) for distance in range(9)]
    rings = [
        {name: outer[name] & ~inner[name] & brains[name] for name in masks}
        for inner, outer in itertools.pairwise(nested)
    ]
    far = {name: brains[name] & ~nested[2][name] for name in masks}
    dice = [metrics.dice_score(prediction[name].numpy(), masks[name].numpy()) for name in masks]
    return {
        "band": notebook["error_rate"](prediction, nested[2]),
        "far": notebook["error_rate"](prediction, far),
        "by_distance": [notebook["error_rate"](prediction, ring) for ring in rings],
        "dice": float(np.mean(dice)),
    }


def main() -> None:
    """Compute what is missing, and write the results."""
    started = time.perf_counter()
    torch.set_default_dtype(torch.float64)  # as in the notebook; its networks are float32
    torch.set_num_threads(1)
    names = (*DATA, *DOUBLING, *SEGMENTING)
    notebook = definitions.load("03_upsampling", *names)
    folder = paths.runs_dir() / "experiments" / f"03_{definitions.fingerprint('03_upsampling', *names)}"
    results: dict = {"seeds": list(SEEDS), "doubling": {}, "segmenting": {}}
    for part, measure, ways in (
        ("doubling", doubling, notebook["LAST_LAYER"]),
        ("segmenting", segmenting, notebook["WAYS_UP"]),
    ):
        for way in ways:
            results[part][way] = []
            for seed in SEEDS:
                name = f"{part}, {way}, {seed}"
                value, before = record.once(folder, name, lambda m=measure, w=way, s=seed: m(notebook, w, s))
                results[part][way].append(value)
                started -= before
                print(name, {key: value[key] for key in list(value)[:2]}, flush=True)
    record.write(RESULTS, results, started)


if __name__ == "__main__":
    main()
