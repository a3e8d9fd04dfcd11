"""Settings of an architecture search, with the search space and the shared weights that they describe."""

from dataclasses import dataclass, field
from typing import Any, Literal

from kinelift.models.action_net import ActionNetConfig
from kinelift.models.enas.controller import ControllerConfig
from kinelift.models.enas.macro import MacroNetConfig, MacroSupernet
from kinelift.models.enas.space import MacroSpace, MicroSpace, Space
from kinelift.models.enas.supernet import Supernet
from kinelift.recognition.search.reinforce import ReinforceSettings


@dataclass(frozen=True)
class SearchSettings:
    """Settings of one search.

    In every epoch, the shared weights are trained on ``steps`` batches, each with an architecture sampled from the
    controller (uniformly in the first ``warm_up`` epochs). Then the controller takes ``controller_steps`` steps, each
    with ``samples`` architectures. At the end, ``candidates`` architectures of the controller and as many random ones
    are scored. The learning rate falls from ``learning_rate`` to ``lowest_rate`` along a cosine, which restarts after
    ``restart`` epochs, and after twice as many each further time.
    """

    space: Literal["micro", "macro"] = "micro"
    nodes: int = 5
    """Nodes per cell (micro)."""
    layers: int = 6
    """Number of layers (macro)."""
    channels: int = 8
    stages: int = 2
    cells: int = 1
    stem_stride: int = 2
    grid: tuple[int, int] = (4, 4)
    epochs: int = 70
    steps: int = 50
    batch: int = 32
    warm_up: int = 10
    learning_rate: float = 0.05
    lowest_rate: float = 5e-4
    restart: int = 10
    weight_decay: float = 1e-4
    gradient: float = 5.0
    """Longer gradients are clipped to this norm."""
    dropout: float = 0.1
    drop_path: float = 0.1
    auxiliary: float = 0.4
    """Weight of the second classifier's loss."""
    controller_steps: int = 10
    samples: int = 10
    reward_batch: int = 128
    """Validation images per reward; all, if there are fewer."""
    candidates: int = 20
    seed: int = 0
    controller: ControllerConfig = field(default_factory=ControllerConfig)
    reinforce: ReinforceSettings = field(default_factory=ReinforceSettings)


def space_of(settings: SearchSettings) -> Space:
    """The search space."""
    return MicroSpace(settings.nodes) if settings.space == "micro" else MacroSpace(settings.layers)


def shared_weights(settings: SearchSettings, classes: int) -> Supernet | MacroSupernet:
    """The shared weights of all networks in the space, initialised from torch's global generator."""
    sizes: dict[str, Any] = {
        "channels": settings.channels,
        "stages": settings.stages,
        "stem_stride": settings.stem_stride,
        "grid": settings.grid,
        "dropout": settings.dropout,
        "drop_path": settings.drop_path,
        "auxiliary": True,
    }
    if settings.space == "macro":
        return MacroSupernet(MacroNetConfig(classes, **sizes), settings.layers)
    return Supernet(ActionNetConfig(classes, cells=settings.cells, normalise=True, **sizes), settings.nodes)
