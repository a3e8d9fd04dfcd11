"""Statistics of batch normalisation that are computed anew for validation and for the checkpoint."""

import hashlib
from dataclasses import replace
from itertools import islice
from pathlib import Path

import pytest
import torch
from lightning_fabric import Fabric
from torch import Generator, Tensor

from kinelift.lifting.datasets.sequences import SequenceBank
from kinelift.lifting.training.inputs import run_of
from kinelift.lifting.training.presets import PRESETS, HumanEva
from kinelift.lifting.training.train_settings import TrainSettings
from kinelift.lifting.training.trainer import Trainer
from kinelift.models.temporal import TemporalNet
from kinelift.models.two_stream import TwoStreamNet
from kinelift.poses.errors import SettingsError
from tests.lifting.recordings import bank

SMALL = HumanEva(channels=8, epochs=3, batch=40, learning_rate=3e-3, norm_batches=3)
FABRIC = Fabric(accelerator="cpu", devices=1)


def trainer(settings: TrainSettings = SMALL, unlabelled: bool = False) -> Trainer:
    more = bank("S5", labelled=False) if unlabelled else None
    return Trainer(settings, bank("S1", "S2"), bank("S9"), FABRIC, more)


def stem(windows: Tensor, net: TemporalNet) -> Tensor:
    """What the first normalisation gets, (N, C): one row for every three frames."""
    with torch.no_grad():
        out = torch.nn.functional.conv1d(windows.flatten(2).transpose(1, 2), net.expand_conv.weight, stride=3)
    return out.transpose(1, 2).flatten(0, 1)


def test_they_are_the_mean_over_the_batches() -> None:
    run = trainer(replace(SMALL, dropout=0.0))
    list(run.fit())
    net = run.recomputed(3).net
    assert isinstance(net, TemporalNet)
    batches = [one.points for one in islice(run.source.epoch(3, 40, Generator()), 3)]
    rows = torch.stack([stem(windows, net) for windows in batches])
    assert torch.allclose(net.expand_bn.running_mean, rows.mean((0, 1)), atol=1e-6)
    assert torch.allclose(net.expand_bn.running_var, rows.var(1).mean(0), rtol=1e-4)
    written = run.result({}).net.state_dict()
    assert all(torch.equal(value, written[name]) for name, value in net.state_dict().items())


def test_training_does_not_notice() -> None:
    """The weights, running statistics and random numbers of a training are those without the option."""
    plain = trainer(replace(SMALL, norm_batches=0))
    records = [list(plain.fit())]
    anew = trainer()  # seeds the random numbers again
    records.append(list(anew.fit()))
    for name, value in plain.net.state_dict().items():
        assert torch.equal(value, anew.net.state_dict()[name]), name
    momenta = [m.momentum for m in anew.net.modules() if isinstance(m, torch.nn.BatchNorm1d)]
    assert momenta == pytest.approx([0.1 * 0.01 ** (2 / 3)] * 5)
    assert [one["train_mpjpe"] for one in records[0]] == [one["train_mpjpe"] for one in records[1]]
    assert [one["mpjpe"] for one in records[0]] != [one["mpjpe"] for one in records[1]]


def test_validation_is_of_the_network_that_is_written() -> None:
    run = trainer()
    *_, last = run.fit()
    other = trainer(replace(SMALL, norm_batches=0))
    other.start_from(run.result({}))
    assert other.validate()["mpjpe"] == last["mpjpe"]


@pytest.mark.parametrize("averaging", [0.0, 0.9])
@pytest.mark.parametrize("unlabelled", [False, True])
def test_a_resumed_run_gives_the_same_file(averaging: float, unlabelled: bool, tmp_path: Path) -> None:
    settings = replace(SMALL, averaging=averaging, trajectory=1.0)
    first, second = trainer(settings, unlabelled), trainer(settings, unlabelled)
    more = bank("S5", labelled=False) if unlabelled else None
    run = run_of(settings, bank("S1", "S2"), bank("S9"), FABRIC, more)
    for record in first.fit():
        if record["epoch"] == 2:
            first.save(tmp_path / "state", run)
    second.restore(tmp_path / "state", run)
    list(second.fit())
    for name, one in (("first", first), ("second", second)):
        one.result({}).save(tmp_path / name)
    digests = {hashlib.sha256((tmp_path / name).read_bytes()).hexdigest() for name in ("first", "second")}
    assert len(digests) == 1


def test_averaged_weights_get_statistics_of_their_own() -> None:
    run = trainer(replace(SMALL, averaging=0.9, dropout=0.0))
    list(run.fit())
    found, weights = run.recomputed(2).net, run.mean.net.state_dict()
    assert isinstance(found, TemporalNet)
    assert torch.equal(found.expand_conv.weight, weights["expand_conv.weight"])
    assert not torch.equal(found.expand_conv.weight, run.net.state_dict()["expand_conv.weight"])
    rows = [stem(one.points, found) for one in islice(run.source.epoch(3, 40, Generator()), 2)]
    assert torch.allclose(found.expand_bn.running_mean, torch.stack(rows).mean((0, 1)), atol=1e-6)


def test_unlabelled_samples_count() -> None:
    """In semi-supervised training both halves of a batch pass through the network together."""
    run = trainer(replace(SMALL, trajectory=1.0, dropout=0.0), unlabelled=True)
    assert run.unlabelled is not None
    net = run.recomputed(1).net
    assert isinstance(net, TemporalNet)
    halves = next(run.source.epoch(3, 40, Generator())), next(run.unlabelled[0].epoch(0, 40, Generator()))
    rows = torch.cat([stem(half.points, net) for half in halves])
    assert torch.allclose(net.expand_bn.running_mean, rows.mean(0), atol=1e-6)


def test_the_first_of_two_streams_gets_those_of_true_keypoints() -> None:
    noisy = SequenceBank(tuple(replace(one, keypoints=one.keypoints + 50) for one in bank("S1", "S2")))
    run = Trainer(replace(SMALL, kind="two-stream", dropout=0.0), noisy, bank("S9"), FABRIC)
    net = run.recomputed(1).net
    assert isinstance(net, TwoStreamNet)
    batch = next(run.source.epoch(3, 40, Generator()))
    for stream, keypoints in ((net.clean, batch.clean), (net.detected, batch.points)):
        linear, norm = stream[0], stream[1]
        with torch.no_grad():
            mean = linear(keypoints.flatten(1)).mean(0)
        assert torch.allclose(norm.running_mean, mean, atol=1e-6)


@pytest.mark.parametrize("batch", [1000, 240])
def test_data_of_a_single_batch(batch: int) -> None:
    run = trainer(replace(SMALL, batch=batch, dropout=0.0))
    net = run.recomputed(40).net
    assert isinstance(net, TemporalNet)
    (only,) = run.source.epoch(3, batch, Generator())
    assert torch.allclose(net.expand_bn.running_mean, stem(only.points, net).mean(0), atol=1e-6)


def test_presets_that_do_so() -> None:
    chosen = {name for name, preset in PRESETS.items() if preset().norm_batches}
    assert chosen == {"videopose3d", "humaneva", "gupta", "bai"}
    with pytest.raises(SettingsError, match="--norm-batches is -1"):
        replace(SMALL, norm_batches=-1)
