"""Published training schedules by name. Values that a paper does not state are marked as our choice.

They are for recorded sequences (``lifting convert``) with keypoints as in Pavllo et al. 2019, and compute in single
precision, as their authors did.
"""

from dataclasses import dataclass, field

from kinelift.lifting.losses.objective import LossSettings
from kinelift.lifting.training.train_settings import Kind, Optimizer, Precision, Schedule, TrainSettings


@dataclass(frozen=True)
class VideoPose3D(TrainSettings):
    """Pavllo et al. 2019, section 5: 243 frames, Adam with amsgrad, learning rate 0.001 × 0.95 an epoch, dropout 0.25.

    Batches of 1024 predicted frames, 80 epochs, momentum of batch normalisation 0.1 → 0.001, mirrored copies. Computing
    its statistics anew at the end is ours (docs/decisions/025-norm-statistics-are-recomputed.md); --norm-batches 0
    leaves the running ones, as published.
    """

    widths: tuple[int, ...] = (3, 3, 3, 3, 3)
    dropout: float = 0.25
    normalisation: str = "picture"
    epochs: int = 80
    batch: int = 1024
    flip: bool = True
    optimizer: Optimizer = "adam"
    amsgrad: bool = True
    learning_rate: float = 1e-3
    weight_decay: float = 0.0
    schedule: Schedule = "exponential"
    decay: float = 0.95
    warmup: int = 0
    norm_momentum: tuple[float, float] = (0.1, 0.001)
    norm_batches: int = 40
    averaging: float = 0.0
    precision: Precision = "32-true"


@dataclass(frozen=True)
class HumanEva(VideoPose3D):
    """Pavllo et al. 2019 on HumanEva-I: 27 frames, batches of 128, 1000 epochs, learning rate × 0.996 per epoch."""

    widths: tuple[int, ...] = (3, 3, 3)
    epochs: int = 1000
    batch: int = 128
    decay: float = 0.996


@dataclass(frozen=True)
class Gupta(VideoPose3D):
    """Gupta: the network of Pavllo et al. with 2048 channels, 85 epochs, and joint-aware terms in addition to MPJPE.

    The paper does not state the weights of the terms; these are ours (docs/reference/results/lifting-study.md). Samples
    have 8 consecutive predictions (our choice); the terms over time need three.
    """

    channels: int = 2048
    epochs: int = 85
    span: int = 8
    loss: LossSettings = field(
        default_factory=lambda: LossSettings(
            angle=0.002, distance=0.1, symmetry=0.1, motion_range=0.002, joint_velocity=1.0, joint_acceleration=1.0,
            angular_acceleration=0.002,
        )
    )  # fmt: skip


@dataclass(frozen=True)
class Bai(VideoPose3D):
    """Bai: 27 frames. One pass over the training data of one action is a unit-epoch; 15 make an epoch over all actions.

    ``lifting specialists`` trains specialists and their generalist, and counts in unit-epochs.
    """

    widths: tuple[int, ...] = (3, 3, 3)
    epochs: int = 15


@dataclass(frozen=True)
class UGCN(TrainSettings):
    """Wang et al. 2020: U-shaped GCN over 96 frames, position error and motion loss (cross product, τ 8, 12, 16, 24).

    From memory rather than stated in the paper: Adam 0.01 × 0.1 at epochs 80, 90 and 100 of 110, batches of 256
    samples, weight decay 1e-5, dropout 0.5, weight 1 for the motion loss.
    """

    kind: Kind = "ugcn"
    dropout: float = 0.5
    normalisation: str = "picture"
    loss: LossSettings = field(default_factory=lambda: LossSettings(motion=1.0))
    epochs: int = 110
    batch: int = 256 * 96
    flip: bool = True
    optimizer: Optimizer = "adam"
    learning_rate: float = 1e-2
    weight_decay: float = 1e-5
    schedule: Schedule = "steps"
    decay: float = 0.1
    milestones: tuple[int, ...] = (80, 90, 100)
    warmup: int = 0
    averaging: float = 0.0
    precision: Precision = "32-true"


@dataclass(frozen=True)
class TwoStream(TrainSettings):
    """Pham et al.: fully connected, one frame; one stream takes true keypoints, the other detected ones.

    From memory of Martinez et al. 2017, on which the paper builds: Adam 0.001, batches of 64 frames, 200 epochs,
    dropout 0.5. Multiplying the learning rate by 0.96 per epoch is our choice.
    """

    kind: Kind = "two-stream"
    dropout: float = 0.5
    normalisation: str = "picture"
    epochs: int = 200
    batch: int = 64
    flip: bool = True
    optimizer: Optimizer = "adam"
    learning_rate: float = 1e-3
    weight_decay: float = 0.0
    schedule: Schedule = "exponential"
    decay: float = 0.96
    warmup: int = 0
    averaging: float = 0.0
    precision: Precision = "32-true"


PRESETS: dict[str, type[TrainSettings]] = {
    "kinelift": TrainSettings,
    "videopose3d": VideoPose3D,
    "humaneva": HumanEva,
    "gupta": Gupta,
    "bai": Bai,
    "ugcn": UGCN,
    "two-stream": TwoStream,
}
