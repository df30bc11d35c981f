"""Training a network: a loop that can be read, stopped at any moment, and continued exactly.

The loop stands in :func:`fit`. Lightning Fabric takes care of devices, precision and several processes;
nothing else is hidden.

How a run continues exactly: before the first step and at the end of every epoch a checkpoint is written,
and all chance in an epoch (which slices, which augmentation, which dropout) follows from the seed and the
epoch's number. Whatever interrupts a run, it goes on from the end of the last whole epoch, and its weights
are those of a run that was never interrupted: bit for bit on a CPU with the same number of threads.

How trainings stay apart: a checkpoint records what it belongs to (data, network and its code, loss with all
that it depends on, ...; :mod:`course_utils.identity` says how functions are told apart), and no other
training continues it. While a training is at work in a folder, a second one there is refused.
"""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import warnings
import weakref
import zipfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import numpy as np
import torch
from lightning_fabric import Fabric
from torch import Generator, Tensor, nn
from tqdm.auto import tqdm

from course_utils import files
from course_utils.identity import function_identity, network_identity, weights_identity

try:
    import fcntl
except ModuleNotFoundError:  # Windows: there, nothing keeps two trainings out of one folder
    fcntl = None

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


class FolderInUse(CheckpointError):
    """Another process, or another thread, trains in the same folder at this moment."""


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

    An exception, an interrupt too, leaves the network as it was before the call; the epochs that were
    completed are in the folder. To train anew, delete the folder and call again: the network gets back the
    weights with which it came to its first call.

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
        FolderInUse: another process trains in this folder.
        OSError: a checkpoint could not be written; the first is written before the first step.
        TrainingDiverged: the loss became NaN or infinite. The checkpoint of the last whole epoch is kept.
        ValueError: ``epochs`` is less than 1 or the learning rate is not positive.
    """
    if epochs < 1 or not learning_rate > 0:
        raise ValueError(f"epochs {epochs}, learning_rate {learning_rate}: both must be larger than 0")
    checkpoint = Path(folder).resolve() / CHECKPOINT
    fabric = Fabric(accelerator=device or _usual_device(), devices=devices, precision=precision)
    fabric.launch()
    configuration = {
        "network": str(network),
        "weights": {name: list(weight.shape) for name, weight in network.state_dict().items()},
        "network's code": network_identity(network),
        "data": data.fingerprint(),
        "loss": _name(loss),
        "loss's code": function_identity(loss),
        "epochs": epochs,
        "seed": seed,
        "learning_rate": learning_rate,
        "weight_decay": weight_decay,
        "validation": validation and _name(validation),
        "validation's code": validation and function_identity(validation, values=False),
        "devices": fabric.world_size,
        "precision": precision,
    }
    with _alone_in(checkpoint.parent, fabric.is_global_zero), _unchanged_by_failure(network):
        saved = _load(checkpoint, configuration) if checkpoint.exists() else None
        first_weights = _begin(network, checkpoint, configuration, saved)
        model, optimizer = fabric.setup(
            network, torch.optim.AdamW(network.parameters(), lr=learning_rate, weight_decay=weight_decay)
        )
        history: list[dict[str, Any]] = []
        if saved is not None:
            model.load_state_dict(saved["network"])
            optimizer.load_state_dict(saved["optimizer"])
            history = saved["history"]

        def save() -> None:
            if fabric.is_global_zero:
                contents = {
                    "configuration": configuration,
                    "first_weights": first_weights,
                    "network": model.state_dict(),
                    "optimizer": optimizer.state_dict(),
                    "history": history,
                }
                _save(checkpoint, contents)
            fabric.barrier()

        fabric.barrier()  # every process has looked whether there is a checkpoint
        if saved is None:
            save()  # whatever happens in the first epoch, these are the weights that it began with

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
                save()
    model.eval()
    return history


class _Beginning(NamedTuple):
    """How a network object came to a training, for the case that its folder is deleted to train anew."""

    checkpoint: Path
    configuration: dict[str, Any]
    state: dict[str, Tensor]
    weights: str


_beginnings: weakref.WeakKeyDictionary[nn.Module, _Beginning] = weakref.WeakKeyDictionary()
"""The last training that each network object began in this process."""


def _begin(
    network: nn.Module, checkpoint: Path, configuration: dict[str, Any], saved: dict[str, Any] | None
) -> str:
    """The identity of the weights with which the training began, or begins now.

    A network that comes to the same training again, whose checkpoint was deleted, gets back the weights with
    which it came the first time. Where weights are not those that one might think, a warning says so.
    """
    known = _beginnings.get(network)
    if known is not None and (known.checkpoint, known.configuration) == (checkpoint, configuration):
        if saved is None:
            network.load_state_dict(known.state)
        return known.weights if saved is None else saved["first_weights"]
    weights = weights_identity(network)
    if saved is not None and weights != saved["first_weights"]:
        warnings.warn(
            f"{checkpoint} began with other weights than this network has, and goes on with its own. To "
            "train from this network's, choose another folder. To have the same each time, seed torch before "
            "you build the network.",
            stacklevel=3,
        )
    if saved is None and known is not None and weights != known.weights:
        warnings.warn(
            "this training begins with the weights that the network has from another one, in "
            f"{known.checkpoint.parent}. If it is to begin untrained, build the network anew.",
            stacklevel=3,
        )
    _beginnings[network] = _Beginning(checkpoint, configuration, _state_of(network), weights)
    return weights if saved is None else saved["first_weights"]


def _state_of(network: nn.Module) -> dict[str, Tensor]:
    return {name: values.detach().clone() for name, values in network.state_dict().items()}


@contextlib.contextmanager
def _unchanged_by_failure(network: nn.Module) -> Iterator[None]:
    """If the block raises, the network gets back its weights and its mode."""
    state, mode = _state_of(network), network.training
    try:
        yield
    except BaseException:
        network.load_state_dict(state)
        network.train(mode)
        raise


@contextlib.contextmanager
def _alone_in(folder: Path, needed: bool) -> Iterator[None]:
    """Keep other trainings out of a folder. The lock ends with the process, however that ends."""
    if not needed:  # another process of this training does it
        yield
        return
    with _explained(folder):
        folder.mkdir(parents=True, exist_ok=True)
    if fcntl is None:
        yield
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise FolderInUse(
                f"another process trains in {folder} now. Is the same notebook open twice, or does "
                "`make run` run beside it? Wait until it is done and call again: a finished training returns "
                "at once. Or choose another folder."
            ) from None
        except OSError:  # a network drive without locks
            pass
        else:
            for abandoned in folder.glob(f".{CHECKPOINT}.*.part"):  # of a process that was killed in a write
                abandoned.unlink(missing_ok=True)
        yield
    finally:
        os.close(descriptor)


def _usual_device() -> str:
    return "cuda" if torch.cuda.is_available() else "cpu"


def _generator(seed: int, epoch: int, rank: int) -> Generator:
    """The chance of one epoch in one process; seeds torch's own (dropout), too."""
    # Mixed, because neighbouring seeds can give related numbers; shifted, because torch's lie below 2^63.
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
    with _explained(path), files.replacing(path) as file:
        torch.save(contents, file)


@contextlib.contextmanager
def _explained(path: Path) -> Iterator[None]:
    """Say what to do where a file or folder cannot be written."""
    try:
        yield
    except (OSError, RuntimeError) as error:  # torch's writer answers a full disk with a RuntimeError
        existing = next(folder for folder in path.parents if folder.exists())
        raise OSError(
            getattr(error, "errno", None) or errno.EIO,
            f"{path} could not be written ({error}; {shutil.disk_usage(existing).free / 1e6:,.0f} MB are "
            "free there). Make room, or choose a folder on another disk (COURSE_RUNS moves all of the "
            "course's). A checkpoint written before is kept",
        ) from error


_CODE = "'s code"
_PARTS = ("configuration", "first_weights", "network", "optimizer", "history")


def _load(path: Path, configuration: dict[str, Any]) -> dict[str, Any]:
    """Read a checkpoint of exactly this training."""
    try:
        with zipfile.ZipFile(path) as archive:  # torch.load itself does not look at the checksums
            damaged = archive.testzip()
        if damaged is not None:
            raise zipfile.BadZipFile(f"wrong checksum of {damaged}")
        saved = torch.load(path, map_location="cpu", weights_only=True)
        found, *_ = (saved[part] for part in _PARTS)
        changed = [name for name, value in configuration.items() if found.get(name) != value]
        changed = [name for name in changed if not (name.endswith(_CODE) and name[: -len(_CODE)] in changed)]
    except Exception as error:  # whatever it is, this is no checkpoint that this module wrote
        raise CheckpointError(
            f"{path} cannot be read ({type(error).__name__}: {error}): it is damaged or no checkpoint of "
            "this version of the course. Delete it to train from the start."
        ) from error
    if changed:
        differences = [_difference(name, found.get(name), configuration[name]) for name in changed]
        raise CheckpointError(
            f"{path} belongs to another training: {'; '.join(dict.fromkeys(differences))}. Choose another "
            "folder, or delete this one to train from the start."
        )
    return saved


def _name(function: Any) -> str:
    return getattr(function, "__qualname__", type(function).__qualname__)


def _difference(name: str, found: Any, wanted: Any) -> str:
    if name in ("network", "weights", "data"):
        return f"another {'network' if name == 'weights' else name}"
    if name.endswith(_CODE):
        return f"another {name}, or other values in it, or compiled by another version of Python"
    return f"{name} was {found}, now {wanted}"
