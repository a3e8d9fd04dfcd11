"""Small untrained networks of every kind, and a track to lift."""

from types import MappingProxyType

import numpy as np
import torch

from kinelift.lifting.lifter import Lifter
from kinelift.lifting.network import LifterNetwork
from kinelift.models.temporal import TemporalConfig, TemporalNet
from kinelift.models.two_stream import TwoStreamConfig, TwoStreamNet
from kinelift.models.ugcn import UGCN, UGCNConfig
from kinelift.poses import H36M17, Track2D
from kinelift.poses.camera import Camera

SIZE = (640, 480)
CAMERA = Camera.from_field_of_view(55, SIZE)


class WindowLifter(Lifter):
    """Runs every network on one window per frame."""

    _dense = MappingProxyType({})


def network(**config: object) -> LifterNetwork:
    torch.manual_seed(0)
    shape = TemporalConfig(features_in=3, channels=16, **config)  # type: ignore[arg-type]
    return LifterNetwork(TemporalNet(shape).eval(), rate=20.0, about={"data": "none"})


def temporal(features: int = 3, **config: object) -> TemporalNet:
    torch.manual_seed(1)
    return TemporalNet(TemporalConfig(features_in=features, channels=8, **config)).eval()  # type: ignore[arg-type]


NETS = {
    "temporal": temporal,
    "dense": lambda features=3: temporal(features, layout="dense"),
    "two-stream": lambda features=3: TwoStreamNet(TwoStreamConfig(features_in=features, width=8)).eval(),
    "ugcn": lambda features=3: UGCN(
        UGCNConfig(H36M17.parents, features_in=features, frames=32, widths=(4, 4, 4, 4, 4))
    ).eval(),
}
"""A small network of every kind; the U-shaped one predicts 32 frames."""


def track(frames: int, rate: float = 30.0, seed: int = 0) -> Track2D:
    random = np.random.default_rng(seed)
    base = random.uniform(100, 300, (1, 17, 2))
    path = np.cumsum(random.normal(0, 2, (frames, 17, 2)), 0)
    return Track2D(base + path, np.ones((frames, 17)), np.arange(frames) / rate, np.zeros((frames, 17), bool), 0, SIZE)
