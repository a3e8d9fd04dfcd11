"""A network is built only if its description and its weights agree."""

from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest
import torch

from kinelift.lifting.network import LifterNetwork
from kinelift.models.temporal import TemporalConfig, TemporalNet
from kinelift.poses.errors import WeightsError
from kinelift.weights import checkpoint
from kinelift.weights.building import build_for

SMALL = TemporalConfig(features_in=2, channels=8, widths=(3,))


@pytest.fixture
def stored(tmp_path: Path) -> Path:
    LifterNetwork(TemporalNet(replace(SMALL, features_in=3)).eval(), 30.0).save(tmp_path / "lifter.safetensors")
    return tmp_path / "lifter.safetensors"


def changed(path: Path, **facts: Any) -> Path:
    known = checkpoint.load(path)
    checkpoint.save(path, replace(known, description={**known.description, **facts}))
    return path


def test_weights_are_loaded_into_the_network() -> None:
    net = TemporalNet(SMALL)
    built = build_for(lambda: TemporalNet(SMALL), asdict(SMALL), net.state_dict())
    assert all(torch.equal(a, b) for a, b in zip(net.state_dict().values(), built.state_dict().values(), strict=True))


@pytest.mark.parametrize("config", [{"channels": 60_000}, {"channels": 10**9}, {"widths": (3,) * 10_000}])
def test_a_huge_network_is_refused_and_not_built(config: dict[str, Any]) -> None:
    wanted = replace(SMALL, **config)
    with pytest.raises(WeightsError):
        build_for(lambda: TemporalNet(wanted), asdict(wanted), TemporalNet(SMALL).state_dict())


def test_a_missing_tensor_is_named() -> None:
    tensors = TemporalNet(SMALL).state_dict()
    name, _ = tensors.popitem()
    with pytest.raises(WeightsError, match=f"tensor {name} has the shape none"):
        build_for(lambda: TemporalNet(SMALL), asdict(SMALL), tensors)


@pytest.mark.parametrize("rate", [0, -30, 1e9, float("1e400")])
def test_an_absurd_rate_is_refused(stored: Path, rate: Any) -> None:
    with pytest.raises(WeightsError, match="The frame rate is"):
        LifterNetwork.load(changed(stored, rate=rate))


def test_weights_that_are_not_numbers_are_refused(stored: Path) -> None:
    known = checkpoint.load(stored)
    name = next(iter(known.tensors))
    broken = {**known.tensors, name: known.tensors[name] * torch.nan}
    checkpoint.save(stored, replace(known, tensors=broken))
    with pytest.raises(WeightsError, match=f"tensor {name} holds NaN"):
        LifterNetwork.load(stored)
