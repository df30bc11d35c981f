"""The training loop: it learns, it survives being killed, it never mixes two trainings, it stops on NaN."""

from __future__ import annotations

import functools
import math
import os
import pickle
import shutil
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
from course_utils.losses import cross_entropy, dice_cross_entropy_loss, dice_loss
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
    seeds = []

    class Recorded(Stripes):
        def epoch(self, generator):
            seeds.append(generator.initial_seed())
            return super().epoch(generator)

    fit(tmp_path, data=Recorded(), epochs=3)
    assert len(set(seeds)) == 3


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


@pytest.mark.slow
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


@pytest.mark.parametrize("failure", [OSError("No space left"), RuntimeError("unexpected pos 64 vs 0")])
def test_a_write_that_fails_leaves_the_last_checkpoint(tmp_path, monkeypatch, failure):
    write, calls = torch.save, []

    def full_disk(contents, file):
        calls.append(contents)
        if len(calls) == 2:
            file.write(b"the first bytes")
            raise failure
        write(contents, file)

    monkeypatch.setattr(torch, "save", full_disk)
    with pytest.raises(OSError, match=f"could not be written.*{failure}.*Make room.*COURSE_RUNS"):
        fit(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == [training.CHECKPOINT]
    monkeypatch.undo()
    assert len(fit(tmp_path)) == 2


class Interrupted(Stripes):
    """Stripes whose epoch ``number`` ends with Ctrl-C after two steps, once."""

    number = 0

    def epoch(self, generator):
        for step, batch in enumerate(super().epoch(generator)):
            if self.epochs_drawn == self.number and step == 2:
                self.number = 0
                raise KeyboardInterrupt
            yield batch


@pytest.mark.parametrize("folder_deleted", [False, True])
@pytest.mark.parametrize("number", [1, 2])
def test_interrupted_it_is_undone_and_the_same_call_gives_an_undisturbed_run(
    tmp_path, number, folder_deleted
):
    """The same network object again, as when a student runs nothing but the cell with ``fit``."""
    whole = network_with_dropout_for_stripes()
    expected = fit(tmp_path / "whole", whole, epochs=3)
    network, data = network_with_dropout_for_stripes(), Interrupted()
    before = weights_of(network)
    data.number = number
    with pytest.raises(KeyboardInterrupt):
        fit(tmp_path / "run", network, data, epochs=3)
    assert torch.equal(weights_of(network), before) and network.training
    if folder_deleted:
        shutil.rmtree(tmp_path / "run")
    assert fit(tmp_path / "run", network, data, epochs=3) == expected
    assert torch.equal(weights_of(network), weights_of(whole))


def network_with_dropout_for_stripes() -> nn.Module:
    torch.manual_seed(0)
    network = UNet(1, 6, base_channels=4, depth=2, padding="same", normalisation="batch")
    return nn.Sequential(network, nn.Dropout(0.5), nn.Conv2d(6, 2, 1))


def test_killed_in_the_first_epoch_it_goes_on_from_the_weights_that_it_began_with(tmp_path):
    """Also in another process whose network, for want of a seed, has other weights."""
    whole, other = small_network(), small_network()
    nn.init.ones_(other.head.weight)
    before = weights_of(whole)

    class Watched(Stripes):
        def epoch(self, generator):
            if self.epochs_drawn == 0:
                shutil.copytree(tmp_path / "run", tmp_path / "killed")
            yield from super().epoch(generator)

    expected = fit(tmp_path / "run", whole, Watched())
    saved = torch.load(tmp_path / "killed" / training.CHECKPOINT, weights_only=True)
    assert saved["history"] == []
    assert torch.equal(torch.cat([weight.flatten() for weight in saved["network"].values()]), before)
    with pytest.warns(UserWarning, match="began with other weights"):
        assert fit(tmp_path / "killed", other) == expected
    assert torch.equal(weights_of(other), weights_of(whole))


def test_deleting_the_folder_trains_anew_from_the_first_weights(tmp_path):
    network = small_network()
    expected = fit(tmp_path / "run", network)
    trained = weights_of(network)
    shutil.rmtree(tmp_path / "run")
    assert fit(tmp_path / "run", network) == expected
    assert torch.equal(weights_of(network), trained)


def test_deleting_the_folder_of_a_training_that_another_process_began(tmp_path):
    expected = fit(tmp_path / "run", small_network())
    network = small_network()  # as after a restart
    fit(tmp_path / "run", network)
    shutil.rmtree(tmp_path / "run")
    assert fit(tmp_path / "run", network) == expected


def test_beginning_with_the_weights_of_another_training_is_said(tmp_path):
    network = small_network()
    fit(tmp_path / "one", network)
    with pytest.warns(UserWarning, match="from another one, in .*one"):
        fit(tmp_path / "two", network)


def test_going_on_from_other_first_weights_is_said(tmp_path):
    fit(tmp_path, small_network())
    network = small_network()
    nn.init.ones_(network.head.weight)
    with pytest.warns(UserWarning, match="began with other weights.*seed torch"):
        fit(tmp_path, network)


# ---- it never mixes


@pytest.mark.skipif(training.fcntl is None, reason="this system has no locks on folders")
def test_a_second_training_in_the_folder_is_refused_and_hurts_nothing(tmp_path):
    class Visited(Stripes):
        """In its second epoch another training comes to the same folder."""

        def epoch(self, generator):
            if self.epochs_drawn == 1:
                part = tmp_path / f".{training.CHECKPOINT}.0.part"
                part.write_bytes(b"what the first one is writing at the moment")
                with pytest.raises(training.FolderInUse, match="trains in .* now.*another folder"):
                    fit(tmp_path, small_network(), seed=1)
                assert part.exists()
            yield from super().epoch(generator)

    network, alone = small_network(), small_network()
    assert fit(tmp_path, network, Visited()) == fit(tmp_path / "alone", alone)
    assert torch.equal(weights_of(network), weights_of(alone))
    fit(tmp_path, network)  # afterwards the folder is free, and what a killed process left is cleared away
    assert sorted(path.name for path in tmp_path.iterdir()) == ["alone", training.CHECKPOINT]


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
        ({"validation": lambda network: {}}, "validation was None, now <lambda>"),
    ],
)
def test_the_checkpoint_of_another_training_is_refused(tmp_path, changes, message):
    fit(tmp_path)
    before = (tmp_path / training.CHECKPOINT).read_bytes()
    with pytest.raises(training.CheckpointError, match=f"another training.*{message}.*another folder"):
        fit(tmp_path, **changes)
    assert (tmp_path / training.CHECKPOINT).read_bytes() == before


def scaled(factor):
    return lambda logits, labels: factor * cross_entropy(logits, labels)


def test_another_loss_of_the_same_name_is_another_training(tmp_path):
    fit(tmp_path / "closure", loss=scaled(1.0))
    assert len(fit(tmp_path / "closure", loss=scaled(1.0))) == 2
    with pytest.raises(training.CheckpointError, match="another loss's code, or other values"):
        fit(tmp_path / "closure", loss=scaled(2.0))
    fit(tmp_path / "partial", loss=functools.partial(dice_loss, smooth=1.0))
    with pytest.raises(training.CheckpointError, match="another loss's code, or other values"):
        fit(tmp_path / "partial", loss=functools.partial(dice_loss, smooth=2.0))


def test_another_forward_of_the_same_modules_is_another_network(tmp_path):
    class Network(nn.Conv2d):
        def forward(self, images):
            return super().forward(images)

    fit(tmp_path, Network(1, 2, 1))
    Network.forward = lambda self, images: -nn.Conv2d.forward(self, images)
    with pytest.raises(training.CheckpointError, match="another network's code"):
        fit(tmp_path, Network(1, 2, 1))


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


def test_no_flipped_bit_of_a_checkpoint_changes_weights_silently(tmp_path):
    network = small_network()
    fit(tmp_path, network)
    contents = (tmp_path / training.CHECKPOINT).read_bytes()
    random = np.random.default_rng(0)
    refused = 0
    for position in random.integers(len(contents) * 8, size=60):
        flipped = bytearray(contents)
        flipped[position // 8] ^= 1 << position % 8
        (tmp_path / training.CHECKPOINT).write_bytes(flipped)
        again = small_network()
        try:
            fit(tmp_path, again)
        except training.CheckpointError:
            refused += 1
        else:  # padding between the parts, or a time stamp
            assert torch.equal(weights_of(again), weights_of(network))
    assert refused > 20


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_cannot_be_written_is_noticed_before_the_first_step(tmp_path):
    tmp_path.chmod(0o500)
    data = Stripes()
    with pytest.raises(PermissionError, match="could not be written.*COURSE_RUNS"):
        fit(tmp_path / "run", data=data)
    assert data.epochs_drawn == 0


def test_a_file_in_the_folders_place_is_noticed_before_the_first_step(tmp_path):
    (tmp_path / "run").write_text("a file")
    data = Stripes()
    with pytest.raises(FileExistsError, match="run could not be written.*COURSE_RUNS"):
        fit(tmp_path / "run", data=data)
    assert data.epochs_drawn == 0


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

    network = small_network()
    before = weights_of(network)
    with pytest.raises(training.TrainingDiverged, match="a weight is NaN"):
        fit(tmp_path, network, data=Stripes(batches=1), loss=loss)
    saved = torch.load(tmp_path / training.CHECKPOINT, weights_only=True)
    assert saved["history"] == [] and torch.equal(weights_of(network), before)
    assert all(torch.isfinite(weight).all() for weight in saved["network"].values())
