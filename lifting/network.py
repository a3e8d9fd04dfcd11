"""A trained lifter as a value: the network, what it expects, and its way to and from a checkpoint."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from lifting.coordinates import normalisation
from models.temporal import TemporalConfig, TemporalNet
from poses import COCO17, H36M17, Skeleton, skeleton
from poses.errors import WeightsError
from weights import checkpoint
from weights.checkpoint import Checkpoint

KIND = "temporal-lifter"


@dataclass(frozen=True, eq=False)
class LifterNetwork:
    """A temporal network with the facts that its input depends on.

    ``rate``: frames a second between the frames it sees; ``normalisation``: name in ``lifting.coordinates``;
    ``about``: training data, licence, settings and measured errors, for people to read.
    """

    net: TemporalNet
    rate: float
    normalisation: str = "facing"
    source: Skeleton = COCO17
    target: Skeleton = H36M17
    about: Mapping[str, Any] = field(default_factory=dict)

    @property
    def tap(self) -> int:
        """Which frame of a window the answer is for."""
        return self.net.config.padding[0]

    @property
    def times(self) -> Float[Tensor, " R"]:
        """Times of a window's frames, in seconds from the frame that the answer is for."""
        return (torch.arange(self.net.config.receptive_field) - self.tap) / self.rate

    def save(self, path: Path) -> None:
        """Write a self-describing checkpoint, weights in fp16."""
        description = {
            "config": asdict(self.net.config),
            "rate": self.rate,
            "normalisation": self.normalisation,
            "skeleton_in": self.source.name,
            "skeleton_out": self.target.name,
            "about": dict(self.about),
        }
        checkpoint.save(path, Checkpoint(KIND, description, self.net.state_dict()), half=True)

    @staticmethod
    def load(path: Path) -> "LifterNetwork":
        """Rebuild the network of a checkpoint. Raises ``WeightsError`` for a file that holds no lifter."""
        stored = checkpoint.load(path)
        if stored.kind != KIND:
            raise WeightsError(f"{path} holds a {stored.kind}, not a {KIND}. Name a lifter's checkpoint.")
        facts = stored.description
        try:
            config = TemporalConfig(**{**facts["config"], "widths": tuple(facts["config"]["widths"])})
            net = TemporalNet(config)
            net.load_state_dict(dict(stored.tensors))
            layouts = skeleton(facts["skeleton_in"]), skeleton(facts["skeleton_out"])
            normalisation(facts["normalisation"])
            return LifterNetwork(net.eval(), facts["rate"], facts["normalisation"], *layouts, facts["about"])
        except (KeyError, TypeError, RuntimeError) as error:
            raise WeightsError(f"{path} does not fit its own description: {error}. Fetch or train it anew.") from error
