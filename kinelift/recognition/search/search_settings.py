"""Settings of an architecture search, with the search space and the shared weights that they describe."""

from dataclasses import dataclass, field
from typing import Any, Literal

from kinelift.models.enas.action_net import ActionNetConfig
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
    """Search cells (micro), or a whole network layer by layer (macro)."""
    nodes: int = 5
    """Nodes per cell (micro)."""
    layers: int = 6
    """Number of layers (macro)."""
    channels: int = 8
    """Channels per node in the first stage; doubled at each reduction."""
    stages: int = 2
    """Stages of the network."""
    cells: int = 1
    """Normal cells per stage (micro)."""
    stem_stride: int = 2
    """Stride of the first convolution."""
    grid: tuple[int, int] = (4, 4)
    """Rows and columns of parts that the image is divided into; the classifier sees each part separately."""
    epochs: int = 70
    """Number of epochs."""
    steps: int = 50
    """Batches per epoch for the shared weights."""
    batch: int = 32
    """Windows per batch."""
    warm_up: int = 10
    """Epochs with uniformly random architectures."""
    learning_rate: float = 0.05
    """Highest learning rate of the shared weights."""
    lowest_rate: float = 5e-4
    """Lowest learning rate of the shared weights."""
    restart: int = 10
    """Epochs until the learning rate restarts for the first time."""
    weight_decay: float = 1e-4
    """Of the shared weights."""
    gradient: float = 5.0
    """Longer gradients are clipped to this norm."""
    dropout: float = 0.1
    """Dropout before the classifier."""
    drop_path: float = 0.1
    """Probability of dropping a path in training."""
    auxiliary: float = 0.4
    """Weight of the second classifier's loss."""
    controller_steps: int = 10
    """Steps of the controller per epoch."""
    samples: int = 10
    """Architectures per step of the controller."""
    reward_batch: int = 128
    """Validation images per reward; all, if there are fewer."""
    candidates: int = 20
    """Architectures that are scored at the end."""
    seed: int = 0
    """Seed of all random numbers."""
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
