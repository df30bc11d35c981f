"""Training a network: a loop that can be read, stopped at any moment, and continued exactly.

The loop stands in :func:`fit`. Lightning Fabric takes care of devices, precision and several processes;
nothing else is hidden.

How a run continues exactly: at the end of every epoch a checkpoint is written, and all chance in an epoch
(which slices, which augmentation, which dropout) follows from the seed and the epoch's number. Whatever
interrupts a run, it goes on from the end of the last whole epoch, and its weights are those of a run that was
never interrupted: bit for bit on a CPU with the same number of threads.
"""

from __future__ import annotations

import pickle
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from lightning_fabric import Fabric
from torch import Generator, Tensor, nn
from tqdm.auto import tqdm

from course_utils import files

CHECKPOINT = "checkpoint.pt"


class TrainingData(Protocol):
    """What :func:`fit` trains on, for example :class:`course_utils.cohort.batches.TrainingSlices`."""

    def __len__(self) -> int:
        """Batches in an epoch."""

    def epoch(self, generator: Generator) -> Iterator[tuple[Tensor, Tensor]]:
        """The batches of one epoch, images and labels; all chance comes from the generator."""

    def fingerprint(self) -> str:
        """The same text for the same data."""


class CheckpointError(RuntimeError):
    """A checkpoint cannot be continued. The message says why and what to do."""


class TrainingDiverged(RuntimeError):
    """The loss or a weight is no longer a finite number. The message says when and what to try."""


def fit(
    network: nn.Module,
    data: TrainingData,
    *,
    loss: Callable[[Tensor, Tensor], Tensor],
    epochs: int,
    folder: str | Path,
    seed: int = 0,
    learning_rate: float = 2e-3,
    weight_decay: float = 1e-4,
    validation: Callable[[nn.Module], Mapping[str, float]] | None = None,
    device: str | None = None,
    devices: int = 1,
    precision: str = "32-true",
    progress: bool = True,
) -> list[dict[str, Any]]:
    """Train ``network`` in place with AdamW, or go on with the training that ``folder`` holds.

    The learning rate falls to 0 over the run as (1 - step / steps)^0.9, the "poly" rule of nnU-Net (arXiv
    1809.10486). A finished training returns at once. Sets torch's random seed at the start of every epoch.
    Seed torch before you build the network, too, if its initial weights are to be the same each time.

    Args:
        network: images (N, C, *size) to logits (N, classes, *size).
        data: where batches come from.
        loss: of logits and labels, a scalar; for example ``losses.dice_cross_entropy_loss``.
        epochs: of the whole run.
        folder: where the checkpoint is kept, ``checkpoint.pt``; one training, one folder.
        seed: of everything that is random in the loop.
        learning_rate: at the start.
        weight_decay: of AdamW.
        validation: called with the network (in evaluation mode, without gradients) after each epoch; its
            numbers go into the history.
        device: "cpu", "cuda" or "mps"; by default CUDA where there is one, else the CPU. Apple's MPS is used
            on request only: some operations there are silently wrong.
        devices: processes, one a device. Each draws batches of its own.
        precision: as in Fabric; "bf16-mixed" needs a processor or GPU that computes in bfloat16, else it is
            very slow.
        progress: show a progress bar.

    Returns:
        One row for each epoch: "epoch" (from 1), "loss" (mean over its steps) and "validation" (None
        without).

    Raises:
        CheckpointError: the folder holds another training, or a damaged checkpoint.
        TrainingDiverged: the loss became NaN or infinite. The checkpoint of the last whole epoch is kept.
        ValueError: ``epochs`` is less than 1 or the learning rate is not positive.
    """
    if epochs < 1 or not learning_rate > 0:
        raise ValueError(f"epochs {epochs}, learning_rate {learning_rate}: both must be larger than 0")
    checkpoint = Path(folder) / CHECKPOINT
    fabric = Fabric(accelerator=device or _usual_device(), devices=devices, precision=precision)
    fabric.launch()
    configuration = {
        "network": str(network),
        "weights": {name: list(weight.shape) for name, weight in network.state_dict().items()},
        "data": data.fingerprint(),
        "loss": getattr(loss, "__qualname__", type(loss).__qualname__),
        "epochs": epochs,
        "seed": seed,
        "learning_rate": learning_rate,
        "weight_decay": weight_decay,
        "validation": validation is not None,
        "devices": fabric.world_size,
        "precision": precision,
    }
    model, optimizer = fabric.setup(
        network, torch.optim.AdamW(network.parameters(), lr=learning_rate, weight_decay=weight_decay)
    )

    history: list[dict[str, Any]] = []
    if checkpoint.exists():
        saved = _load(checkpoint, configuration)
        model.load_state_dict(saved["network"])
        optimizer.load_state_dict(saved["optimizer"])
        history = saved["history"]

    steps = epochs * len(data)
    step = len(history) * len(data)
    bar = tqdm(total=steps, initial=step, unit="step", disable=not (progress and fabric.is_global_zero))
    with bar:
        for epoch in range(len(history) + 1, epochs + 1):
            bar.set_description(f"epoch {epoch}/{epochs}")
            generator = _generator(seed, epoch, fabric.global_rank)
            model.train()
            losses = []
            for images, labels in data.epoch(generator):
                _set_learning_rate(optimizer, learning_rate * (1 - step / steps) ** 0.9)
                images, labels = fabric.to_device((images, labels))
                value = loss(model(images), labels)
                _require_finite(value, epoch, step, learning_rate)
                optimizer.zero_grad()
                fabric.backward(value)
                optimizer.step()

                step += 1
                losses.append(value.item())
                bar.update()
                bar.set_postfix(loss=f"{losses[-1]:.3f}", refresh=False)
            for weight in network.state_dict().values():
                _require_finite(weight, epoch, step - 1, learning_rate)
            history.append(
                {
                    "epoch": epoch,
                    "loss": fabric.all_reduce(torch.tensor(losses, device=fabric.device).mean()).item(),
                    "validation": _validate(network, validation),
                }
            )
            if fabric.is_global_zero:
                contents = {
                    "configuration": configuration,
                    "network": model.state_dict(),
                    "optimizer": optimizer.state_dict(),
                    "history": history,
                }
                _save(checkpoint, contents)
            fabric.barrier()
    model.eval()
    return history


def _usual_device() -> str:
    return "cuda" if torch.cuda.is_available() else "cpu"


def _generator(seed: int, epoch: int, rank: int) -> Generator:
    """The chance of one epoch in one process; seeds torch's own (dropout), too."""
    mixed = int(np.random.SeedSequence([seed, epoch, rank]).generate_state(1, np.uint64)[0]) >> 1
    torch.manual_seed(mixed)
    return Generator().manual_seed(mixed)


def _set_learning_rate(optimizer: torch.optim.Optimizer, learning_rate: float) -> None:
    for group in optimizer.param_groups:
        group["lr"] = learning_rate


def _require_finite(value: Tensor, epoch: int, step: int, learning_rate: float) -> None:
    if not torch.isfinite(value).all():
        what = f"the loss is {value.item()}" if value.ndim == 0 else "a weight is NaN or infinite"
        raise TrainingDiverged(
            f"{what} in epoch {epoch}, step {step} of the run (from 0), with a learning rate that began at "
            f"{learning_rate:g}. Look at that batch first: are all intensities finite, and normalised? Then "
            "at the loss: does it divide by 0, or take the logarithm of 0? If both are sound, try a learning "
            "rate ten times smaller, in another folder. The checkpoint of the last whole epoch, if there was "
            "one, is untouched."
        )


def _validate(
    network: nn.Module, validation: Callable[[nn.Module], Mapping[str, float]] | None
) -> dict[str, float] | None:
    if validation is None:
        return None
    network.eval()
    with torch.no_grad():
        return {name: float(value) for name, value in validation(network).items()}


def _save(path: Path, contents: dict[str, Any]) -> None:
    """Write a checkpoint so that at any moment either the old or the new one is there, whole."""
    for abandoned in path.parent.glob(f".{path.name}.*.part"):  # of a process that was killed while it wrote
        abandoned.unlink()
    with files.replacing(path) as file:
        torch.save(contents, file)


def _load(path: Path, configuration: dict[str, Any]) -> dict[str, Any]:
    """Read a checkpoint of exactly this training."""
    try:
        saved = torch.load(path, map_location="cpu", weights_only=True)
        found = saved["configuration"]
    except (OSError, RuntimeError, EOFError, pickle.UnpicklingError, KeyError, TypeError) as error:
        raise CheckpointError(
            f"{path} cannot be read ({type(error).__name__}): it is damaged or no checkpoint of this course. "
            "Delete it to train from the start."
        ) from error
    changed = [name for name, value in configuration.items() if found.get(name) != value]
    if changed:
        differences = [_difference(name, found.get(name), configuration[name]) for name in changed]
        raise CheckpointError(
            f"{path} belongs to another training: {'; '.join(differences)}. Choose another folder, "
            "or delete this one to train from the start."
        )
    return saved


def _difference(name: str, found: Any, wanted: Any) -> str:
    if name in ("network", "weights", "data"):
        return f"another {'network' if name == 'weights' else name}"
    return f"{name} was {found}, now {wanted}"
