"""Train a network, on Lightning Fabric: a loop that can be read, and that can be killed at any time.

After every epoch a checkpoint is written. All that is random in an epoch is derived from (seed, epoch), so a run that is
killed and started again repeats at most one epoch, and on the CPU ends with exactly the weights of a run that was
left alone.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import torch
from lightning.fabric import Fabric
from torch import Generator, Tensor, nn
from tqdm.auto import tqdm

CHECKPOINT = "checkpoint.pt"


class TrainingError(RuntimeError):
    """The training cannot go on; the message says why and what to do."""


class Batches(Protocol):
    """Where training batches come from, for example :class:`course_utils.slices.SliceBatches`."""

    def draw(self, generator: Generator) -> tuple[Tensor, Tensor]:
        """Images and labels of one batch; all randomness comes from ``generator``."""

    def fingerprint(self) -> str:
        """Equal for equal data."""


def fit(
    network: nn.Module,
    batches: Batches,
    loss_function: Callable[[Tensor, Tensor], Tensor],
    *,
    folder: str | Path,
    epochs: int,
    steps_per_epoch: int = 50,
    learning_rate: float = 2e-3,
    weight_decay: float = 1e-4,
    validate: Callable[[nn.Module], dict[str, float]] | None = None,
    seed: int = 0,
    accelerator: str = "auto",
    devices: int = 1,
    num_nodes: int = 1,
    precision: str = "32-true",
    progress: bool = True,
) -> list[dict[str, float]]:
    """Train ``network`` in place; continue from the checkpoint in ``folder`` if there is one.

    AdamW with the polynomial schedule lr = lr_0 (1 - step / steps)^0.9 of DeepLab and nnU-Net.

    Args:
        network: maps images to logits. On return it holds the final weights, on the CPU, in evaluation mode.
        batches: draws a batch from a generator.
        loss_function: (logits, labels) -> scalar.
        folder: for the checkpoint; made if needed.
        epochs, steps_per_epoch: length of the training.
        learning_rate, weight_decay: of AdamW.
        validate: called after each epoch with the network in evaluation mode; what it returns joins the history.
        seed: of all randomness of the training. The first weights are the network's own: call ``torch.manual_seed``
            before you build it.
        accelerator: "auto" is CUDA where there is one, else the CPU. "mps" (Apple) only where you ask for it, for
            some of its operators have returned wrong losses.
        devices, num_nodes, precision: passed to Fabric.
        progress: whether to show the progress bar.

    Returns:
        One dictionary an epoch: epoch (from 1), loss (mean over its steps) and what ``validate`` returned.

    Raises:
        TrainingError: the loss is not finite, or the checkpoint belongs to another training or can't be read.
        ValueError: ``epochs`` or ``steps_per_epoch`` is smaller than 1.
    """
    if epochs < 1 or steps_per_epoch < 1:
        raise ValueError(f"epochs is {epochs}, steps_per_epoch {steps_per_epoch}: both must be 1 or larger")
    if accelerator == "auto":
        accelerator = "cuda" if torch.cuda.is_available() else "cpu"
    fabric = Fabric(accelerator=accelerator, devices=devices, num_nodes=num_nodes, precision=precision)
    fabric.launch()
    checkpoint = Path(folder) / CHECKPOINT
    configuration = {
        "network": describe(network),
        "loss": getattr(loss_function, "__qualname__", repr(loss_function)),
        "data": batches.fingerprint(),
        "epochs": epochs,
        "steps_per_epoch": steps_per_epoch,
        "learning_rate": learning_rate,
        "weight_decay": weight_decay,
        "seed": seed,
        "precision": precision,
        "processes": fabric.world_size,
    }

    trained = network  # Fabric wraps the network; the caller's object holds the same weights
    optimiser = torch.optim.AdamW(network.parameters(), lr=learning_rate, weight_decay=weight_decay)
    network, optimiser = fabric.setup(network, optimiser)
    history = _resume(checkpoint, configuration, trained, optimiser, fabric.device)
    if not history and fabric.is_global_zero:
        _save(checkpoint, configuration, trained, optimiser, history)

    total = epochs * steps_per_epoch
    for epoch in range(len(history), epochs):
        generator = Generator().manual_seed(_seed_of(seed, epoch, fabric.global_rank))
        torch.manual_seed(_seed_of(seed, epoch, fabric.global_rank))  # dropout and the like
        network.train()
        losses = []
        bar = tqdm(
            range(steps_per_epoch),
            desc=f"epoch {epoch + 1}/{epochs}",
            unit="step",
            disable=not (progress and fabric.is_global_zero),
        )
        for step in bar:
            rate = learning_rate * (1 - (epoch * steps_per_epoch + step) / total) ** 0.9
            for group in optimiser.param_groups:
                group["lr"] = rate
            images, labels = fabric.to_device(batches.draw(generator))
            loss = loss_function(network(images), labels)
            losses.append(loss.item())
            if not math.isfinite(losses[-1]):
                raise TrainingError(_advice(losses[-1], epoch, step, rate, images, checkpoint, precision))
            optimiser.zero_grad()
            fabric.backward(loss)
            optimiser.step()
            bar.set_postfix(loss=f"{sum(losses) / len(losses):.3f}")
        record = {"epoch": epoch + 1, "loss": sum(losses) / len(losses)}
        if validate is not None:
            trained.eval()
            record |= validate(trained)
        history.append(record)
        if fabric.is_global_zero:
            _save(checkpoint, configuration, trained, optimiser, history)
        fabric.barrier()
    trained.cpu().eval()
    return history


def describe(network: nn.Module) -> str:
    """A hash of the network's layers and of the shapes and types of its weights."""
    weights = [(name, tuple(tensor.shape), str(tensor.dtype)) for name, tensor in network.state_dict().items()]
    return hashlib.sha256(f"{network}\n{weights}".encode()).hexdigest()


def _seed_of(seed: int, epoch: int, rank: int) -> int:
    """A 63-bit seed for one epoch in one process; hashed, so that near numbers give unrelated streams."""
    return int.from_bytes(hashlib.sha256(f"{seed} {epoch} {rank}".encode()).digest()[:8], "little") >> 1


def _save(
    checkpoint: Path, configuration: dict, network: nn.Module, optimiser: torch.optim.Optimizer, history: list[dict]
) -> None:
    """Write the checkpoint under another name, then rename it: at every moment there is a whole one, old or new."""
    state = {
        "configuration": json.dumps(configuration, sort_keys=True),
        "network": network.state_dict(),
        "optimiser": optimiser.state_dict(),
        "history": history,
    }
    checkpoint.parent.mkdir(parents=True, exist_ok=True)
    unfinished = checkpoint.with_suffix(".part")
    with open(unfinished, "wb") as file:
        torch.save(state, file)
        file.flush()
        os.fsync(file.fileno())
    os.replace(unfinished, checkpoint)


def _resume(
    checkpoint: Path,
    configuration: dict,
    network: nn.Module,
    optimiser: torch.optim.Optimizer,
    device: torch.device,
) -> list[dict[str, float]]:
    """Load the checkpoint, if there is one, into network and optimiser; return its history."""
    if not checkpoint.exists():
        return []
    remedy = f"To train anew, delete {checkpoint} or choose another folder."
    try:
        state = torch.load(checkpoint, map_location=device, weights_only=True)
        saved = json.loads(state["configuration"])
    except Exception as error:  # torch.load raises many types for a damaged file
        raise TrainingError(f"the checkpoint can't be read ({type(error).__name__}: {error}). {remedy}") from error
    different = sorted(key for key in configuration | saved if configuration.get(key) != saved.get(key))
    if different:
        changes = ", ".join(
            key if key in ("network", "data") else f"{key} ({saved.get(key)} there, {configuration.get(key)} now)"
            for key in different
        )
        raise TrainingError(f"the checkpoint in {checkpoint.parent} is of another training: {changes} differ. {remedy}")
    network.load_state_dict(state["network"])
    optimiser.load_state_dict(state["optimiser"])
    return state["history"]


def _advice(
    loss: float, epoch: int, step: int, rate: float, images: Tensor, checkpoint: Path, precision: str
) -> str:
    """What to do about a loss that is not finite."""
    if not torch.isfinite(images).all():
        cause = "The images of this batch hold NaN or infinite values: check the cases with cohort.check_cohort(folder)."
    elif precision.startswith("16"):
        cause = "In half precision numbers overflow at 65,504: try precision='bf16-mixed' or '32-true'."
    else:
        cause = "The images are finite, so the weights or the loss overflowed: try a learning rate ten times smaller."
    return (
        f"the loss is {loss} in epoch {epoch + 1}, step {step + 1}, at learning rate {rate:.2g}. {cause} "
        f"The last good weights, of epoch {epoch}, are in {checkpoint}; a changed setting starts a new training, in "
        "another folder."
    )
