"""The training loop: it learns, it survives being killed, it never mixes two trainings, it stops on NaN."""

from __future__ import annotations

import math
import os
import pickle
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from course_utils import cohort, training
from course_utils.cohort.batches import TrainingSlices
from course_utils.losses import cross_entropy, dice_cross_entropy_loss
from course_utils.networks.unet import UNet

ROOT = Path(__file__).resolve().parent.parent


class Stripes:
    """Noise plus 1 where the label is 1; the label is a stripe of random place. Quick to learn."""

    def __init__(self, batches: int = 4, name: str = "stripes"):
        self.batches, self.name, self.epochs_drawn = batches, name, 0

    def __len__(self):
        return self.batches

    def epoch(self, generator):
        self.epochs_drawn += 1
        for _ in range(self.batches):
            labels = torch.zeros(4, 8, 8, dtype=torch.int64)
            for image, place in enumerate(torch.randint(6, (4,), generator=generator).tolist()):
                labels[image, :, place : place + 2] = 1
            yield labels[:, None] + 0.3 * torch.randn(4, 1, 8, 8, generator=generator), labels

    def fingerprint(self):
        return self.name


def small_network(channels: int = 4) -> nn.Module:
    torch.manual_seed(0)
    return UNet(1, 2, base_channels=channels, depth=2, padding="same", normalisation="instance")


def fit(folder, network=None, data=None, **changes):
    arguments = {
        "loss": cross_entropy,
        "epochs": 2,
        "folder": folder,
        "device": "cpu",
        "progress": False,
        **changes,
    }
    return training.fit(network or small_network(), data or Stripes(), **arguments)


def weights_of(network: nn.Module) -> torch.Tensor:
    return torch.cat([weight.detach().flatten() for weight in network.state_dict().values()])


# ---- it learns


def test_it_learns_and_tells_how(tmp_path):
    network = small_network()
    history = fit(tmp_path, network, Stripes(20), epochs=3, learning_rate=1e-2)
    assert [row["epoch"] for row in history] == [1, 2, 3]
    assert history[0]["loss"] > history[2]["loss"]
    assert history[2]["loss"] < 0.25
    assert not network.training


def test_the_learning_rate_falls_to_0_by_the_poly_rule(tmp_path, monkeypatch):
    rates = []
    monkeypatch.setattr(training, "_set_learning_rate", lambda optimizer, rate: rates.append(rate))
    fit(tmp_path, data=Stripes(2), epochs=2, learning_rate=0.5)
    assert rates == pytest.approx([0.5, 0.5 * 0.75**0.9, 0.5 * 0.5**0.9, 0.5 * 0.25**0.9])


def test_the_learning_rate_is_what_the_optimizer_uses(tmp_path):
    """AdamW's first step moves every weight by the learning rate, whatever the gradient."""
    network = nn.Conv2d(1, 2, kernel_size=1)
    before = weights_of(network)
    fit(tmp_path, network, Stripes(1), epochs=1, learning_rate=0.125, weight_decay=0.0)
    torch.testing.assert_close(
        (weights_of(network) - before).abs(), torch.full((4,), 0.125), rtol=1e-3, atol=0
    )


def test_validation_sees_the_network_in_evaluation_mode_and_its_numbers_are_kept(tmp_path):
    seen = []

    def validation(network):
        seen.append((network.training, torch.is_grad_enabled()))
        torch.rand(7)  # uses up chance, which must not change the training
        return {"WT": torch.tensor(0.5 + len(seen) / 10)}

    validated, plain = network_with_dropout(), network_with_dropout()  # trains otherwise in the wrong mode
    history = fit(tmp_path / "with", validated, brains(), validation=validation)
    without = fit(tmp_path / "without", plain, brains())
    assert seen == [(False, False)] * 2
    assert [row["validation"] for row in history] == [{"WT": pytest.approx(0.6)}, {"WT": pytest.approx(0.7)}]
    assert [row["validation"] for row in without] == [None, None]
    assert torch.equal(weights_of(validated), weights_of(plain))


def test_the_seed_decides(tmp_path):
    networks = [small_network() for _ in range(3)]
    for name, (network, seed) in enumerate(zip(networks, (0, 0, 1))):
        fit(tmp_path / str(name), network, seed=seed)
    first, same, other = map(weights_of, networks)
    assert torch.equal(first, same)
    assert not torch.equal(first, other)


def test_every_epoch_has_a_chance_of_its_own(tmp_path):
    class Recorded(Stripes):
        seeds: list[int] = []

        def epoch(self, generator):
            self.seeds.append(generator.initial_seed())
            return super().epoch(generator)

    fit(tmp_path, data=Recorded(), epochs=3)
    assert len(set(Recorded.seeds)) == 3


def test_mps_is_never_chosen_by_itself(monkeypatch):
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert training._usual_device() == "cpu"
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert training._usual_device() == "cuda"


@pytest.mark.parametrize("changes", [{"epochs": 0}, {"learning_rate": 0.0}, {"learning_rate": math.nan}])
def test_impossible_arguments_are_named(tmp_path, changes):
    with pytest.raises(ValueError, match=f"{next(iter(changes))} {next(iter(changes.values()))}"):
        fit(tmp_path, **changes)


# ---- it goes on


def test_a_finished_training_returns_at_once(tmp_path):
    network, again, data = small_network(), small_network(), Stripes()
    history = fit(tmp_path, network)
    assert fit(tmp_path, again, data) == history
    assert data.epochs_drawn == 0
    assert torch.equal(weights_of(again), weights_of(network))


def test_an_exception_in_an_epoch_costs_only_this_epoch(tmp_path):
    class Interrupted(Stripes):
        def epoch(self, generator):
            yield from super().epoch(generator)
            if self.epochs_drawn == 2:
                raise KeyboardInterrupt

    uninterrupted, network = small_network(), small_network()
    history = fit(tmp_path / "whole", uninterrupted, epochs=3)
    with pytest.raises(KeyboardInterrupt):
        fit(tmp_path / "stopped", network, Interrupted(), epochs=3)
    rest = Stripes()
    assert fit(tmp_path / "stopped", network, rest, epochs=3) == history
    assert rest.epochs_drawn == 2
    assert torch.equal(weights_of(network), weights_of(uninterrupted))


WORKER = """
import hashlib, os, signal, sys
import torch
from tests import test_training
from course_utils import training

def kill(*_):
    os.kill(os.getpid(), signal.SIGKILL)

folder, moment = sys.argv[1:]
torch.set_num_threads(1)
data = test_training.brains()
draw, write, replace = data.epoch, torch.save, os.replace

def epoch_with_kill(generator):
    batches = draw(generator)
    yield next(batches)
    kill()

def half_a_write(contents, file):
    write(contents, file)
    file.flush()
    file.truncate(file.tell() // 2)
    kill()

if moment == "in an epoch":
    data.epoch = epoch_with_kill
elif moment == "in a write":
    torch.save = half_a_write
elif moment == "before the rename":
    os.replace = kill
elif moment == "after the rename":
    os.replace = lambda *names: (replace(*names), kill())

network = test_training.network_with_dropout()
test_training.fit(folder, network, data, epochs=4)
print(hashlib.sha256(test_training.weights_of(network).numpy().tobytes()).hexdigest())
"""


def brains() -> TrainingSlices:
    """Slices of two tiny random heads, with augmentation: all the chance that the lab has."""
    cases = []
    for subject in range(2):
        random = np.random.default_rng(subject)
        image = 100 + 20 * random.standard_normal((4, 16, 24, 5), dtype=np.float32)
        labels = random.choice(np.array([0, 1, 2, 4], np.uint8), size=(16, 24, 5))
        cases.append(cohort.Case(f"head_{subject}", image, labels, np.eye(4)))
    return TrainingSlices(cases, batches=3, batch_size=4)


def network_with_dropout() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(
        UNet(4, 6, base_channels=4, depth=2, padding="same", normalisation="batch"),
        nn.Dropout(0.5),
        nn.Conv2d(6, 4, 1),
    )


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="this system has no SIGKILL")
def test_killed_anywhere_and_restarted_it_ends_with_the_same_weights(tmp_path):
    """One training is killed again and again, restarted each time, and compared with an uninterrupted one."""

    def run(folder: str, moment: str) -> subprocess.CompletedProcess:
        environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}
        command = [sys.executable, "-c", WORKER, str(tmp_path / folder), moment]
        return subprocess.run(command, capture_output=True, text=True, cwd=ROOT, env=environment, timeout=300)

    for moment in ("in an epoch", "in a write", "after the rename", "before the rename", "after the rename"):
        killed = run("killed", moment)
        assert killed.returncode == -signal.SIGKILL, f"{moment}: {killed.stderr}"
    restarted, whole = run("killed", "never"), run("whole", "never")
    assert restarted.returncode == whole.returncode == 0, restarted.stderr + whole.stderr
    assert restarted.stdout == whole.stdout
    assert [path.name for path in (tmp_path / "killed").iterdir()] == [training.CHECKPOINT]


def test_a_write_that_fails_leaves_the_last_checkpoint(tmp_path, monkeypatch):
    write, calls = torch.save, []

    def full_disk(contents, file):
        calls.append(contents)
        if len(calls) == 2:
            file.write(b"the first bytes")
            raise OSError("No space left on device")
        write(contents, file)

    monkeypatch.setattr(torch, "save", full_disk)
    with pytest.raises(OSError, match="No space left"):
        fit(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == [training.CHECKPOINT]
    monkeypatch.undo()
    assert len(fit(tmp_path)) == 2


# ---- it never mixes


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"seed": 1}, "seed was 0, now 1"),
        ({"learning_rate": 1e-3}, "learning_rate was 0.002, now 0.001"),
        ({"weight_decay": 0.0}, "weight_decay was 0.0001, now 0.0"),
        ({"epochs": 3}, "epochs was 2, now 3"),
        ({"loss": dice_cross_entropy_loss}, "loss was cross_entropy, now dice_cross_entropy_loss"),
        ({"data": Stripes(name="other data")}, "another data"),
        ({"network": small_network(channels=5)}, "another network"),
        ({"validation": lambda network: {}}, "validation was False, now True"),
    ],
)
def test_the_checkpoint_of_another_training_is_refused(tmp_path, changes, message):
    fit(tmp_path)
    before = (tmp_path / training.CHECKPOINT).read_bytes()
    with pytest.raises(training.CheckpointError, match=f"another training.*{message}.*another folder"):
        fit(tmp_path, **changes)
    assert (tmp_path / training.CHECKPOINT).read_bytes() == before


def test_a_refused_checkpoint_does_not_touch_the_network(tmp_path):
    fit(tmp_path)
    network = small_network()
    before = weights_of(network)
    with pytest.raises(training.CheckpointError):
        fit(tmp_path, network, seed=1)
    assert torch.equal(weights_of(network), before)


class Trap:
    """Code that a careless ``torch.load`` would run."""

    def __reduce__(self):
        return exec, ("raise SystemExit('the pickle ran')",)


@pytest.mark.parametrize("damage", ["truncated", "text", "other contents", "with code"])
def test_a_damaged_or_hostile_checkpoint_is_refused(tmp_path, damage):
    fit(tmp_path)
    checkpoint = tmp_path / training.CHECKPOINT
    if damage == "truncated":
        checkpoint.write_bytes(checkpoint.read_bytes()[:1000])
    elif damage == "text":
        checkpoint.write_text("not a checkpoint")
    elif damage == "other contents":
        torch.save([1, 2], checkpoint)
    else:
        checkpoint.write_bytes(pickle.dumps(Trap()))
    with pytest.raises(training.CheckpointError, match="cannot be read.*Delete it"):
        fit(tmp_path)


# ---- it stops


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_a_loss_that_is_no_number_stops_at_once_with_advice(tmp_path, value):
    calls = []

    def loss(logits, labels):
        calls.append(logits)
        return cross_entropy(logits, labels) * (value if len(calls) == 6 else 1)

    with pytest.raises(
        training.TrainingDiverged, match=f"loss is {value} in epoch 2, step 5.*0.002.*learning rate ten"
    ):
        fit(tmp_path, loss=loss)
    assert len(calls) == 6
    saved = torch.load(tmp_path / training.CHECKPOINT, weights_only=True)
    assert [row["epoch"] for row in saved["history"]] == [1]
    assert all(torch.isfinite(weight).all() for weight in saved["network"].values())


def test_broken_weights_are_not_saved_though_the_loss_was_finite(tmp_path):
    """sqrt is 0 with an infinite slope at 0: the loss of the last step looks fine, its gradient is not."""

    def loss(logits, labels):
        return (0 * logits).sum().sqrt()

    with pytest.raises(training.TrainingDiverged, match="a weight is NaN"):
        fit(tmp_path, data=Stripes(batches=1), loss=loss)
    assert not (tmp_path / training.CHECKPOINT).exists()
