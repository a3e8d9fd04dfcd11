"""The settings of a training run, and the networks that they describe."""

from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from kinelift.lifting.coordinates import normalisation
from kinelift.lifting.losses.objective import LossSettings
from kinelift.lifting.network import Net
from kinelift.lifting.synthesis.sampler import SynthesisSettings
from kinelift.lifting.training.learner import SemiSettings
from kinelift.models.temporal import TemporalConfig, TemporalNet
from kinelift.models.two_stream import TwoStreamConfig, TwoStreamNet
from kinelift.models.ugcn import UGCN, UGCNConfig
from kinelift.poses import Skeleton

Kind: TypeAlias = Literal["temporal", "two-stream", "ugcn"]
Optimizer: TypeAlias = Literal["adamw", "adam"]
Schedule: TypeAlias = Literal["cosine", "exponential", "steps"]


@dataclass(frozen=True)
class TrainSettings:
    """How the shipped lifters are trained: temporal net, every frame turned to face the person, synthetic cameras."""

    kind: Kind = "temporal"
    """Which network."""
    channels: int = 1024
    """Width of the temporal net and of the two-stream lifter."""
    widths: tuple[int, ...] = (3, 3, 3)
    """Kernel sizes of the temporal net; their product is the receptive field in frames."""
    dropout: float = 0.1
    causal: bool = False
    """The temporal net sees the past only."""
    rate: float = 20.0
    """Frames a second that the network sees. Recorded sequences keep their own."""
    normalisation: str = "frame"
    """What the network sees of a window: frame, facing, screen or picture (docs/explanation/lifting.md)."""
    trajectory: float = 0.0
    """Weight of the trajectory loss; above 0, a second network learns where the root is."""
    loss: LossSettings = field(default_factory=LossSettings)
    span: int = 1
    """Consecutive answers of one sample. Terms over time need several."""
    semi: SemiSettings = field(default_factory=SemiSettings)
    epochs: int = 75
    steps: int = 100
    """Batches an epoch where samples are synthesised. An epoch of recorded sequences is every frame once."""
    batch: int = 512
    """Answered frames a step, over all processes."""
    flip: bool = False
    """Recorded sequences are seen once more as in a mirror. Synthesis mirrors every second sample anyway."""
    optimizer: Optimizer = "adamw"
    amsgrad: bool = False
    learning_rate: float = 1.5e-3
    weight_decay: float = 0.01
    schedule: Schedule = "cosine"
    """How the learning rate falls: to 0 along a cosine, by ``decay`` an epoch, or by ``decay`` at ``milestones``."""
    decay: float = 0.95
    milestones: tuple[int, ...] = ()
    warmup: int = 200
    """Steps until the learning rate is reached."""
    norm_momentum: tuple[float, float] = (0.1, 0.1)
    """Momentum of batch normalisation in the first and in the last epoch, exponential in between."""
    averaging: float = 0.999
    """Decay of the running mean of the weights, which is what is validated and saved; 0 keeps the last weights."""
    seed: int = 0
    synthesis: SynthesisSettings = field(default_factory=SynthesisSettings)

    def network(self, source: Skeleton, target: Skeleton) -> Net:
        """A fresh network that takes keypoints of ``source`` and answers joints of ``target``."""
        size = len(source), normalisation(self.normalisation).features, len(target)
        if self.kind == "temporal":
            return TemporalNet(TemporalConfig(*size, self.widths, self.channels, self.dropout, self.causal))
        if self.kind == "two-stream":
            return TwoStreamNet(TwoStreamConfig(*size, self.channels, dropout=self.dropout))
        return UGCN(UGCNConfig(target.parents, *size[:2], dropout=self.dropout))

    def root_network(self, source: Skeleton) -> TemporalNet | None:
        """A fresh trajectory network: the temporal net with one joint for an answer."""
        if not self.trajectory:
            return None
        shape = len(source), normalisation(self.normalisation).features, 1
        return TemporalNet(TemporalConfig(*shape, self.widths, self.channels, self.dropout, self.causal))
