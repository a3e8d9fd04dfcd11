"""The settings of a training run, and the networks they describe."""

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
from kinelift.poses.errors import SettingsError

Kind: TypeAlias = Literal["temporal", "two-stream", "ugcn"]
Optimizer: TypeAlias = Literal["adamw", "adam"]
Schedule: TypeAlias = Literal["cosine", "exponential", "steps"]
Precision: TypeAlias = Literal["32-true", "bf16-mixed", "16-mixed"]


@dataclass(frozen=True)
class TrainSettings:
    """How to train: by default a temporal network, input normalised frame by frame, and synthetic cameras.

    The shipped lifters have further options: docs/how-to/retrain-the-lifters.md.

    Raises:
        SettingsError: An option belongs to another kind of network.
    """

    kind: Kind = "temporal"
    """Kind of network."""
    channels: int = 1024
    """Channels of the temporal and two-stream networks."""
    widths: tuple[int, ...] = (3, 3, 3)
    """Kernel sizes of the temporal network; their product is the receptive field in frames."""
    dropout: float = 0.1
    causal: bool = False
    """The temporal network uses past frames only."""
    streams: int = 2
    """Streams of the two-stream network. 1 leaves out the one that trains on true keypoints."""
    rate: float = 20.0
    """Input frames per second. Recorded sequences keep their own rate."""
    normalisation: str = "frame"
    """Normalisation of the input: frame, level, facing, screen or picture (docs/explanation/lifting.md)."""
    trajectory: float = 0.0
    """Weight of the trajectory loss; above 0, a second network learns the position of the root."""
    loss: LossSettings = field(default_factory=LossSettings)
    span: int = 1
    """Consecutive windows per sample. Loss terms over time need several."""
    semi: SemiSettings = field(default_factory=SemiSettings)
    epochs: int = 75
    steps: int = 100
    """Batches per epoch of synthesised samples. An epoch of recorded sequences is one pass over all frames."""
    batch: int = 512
    """Predicted frames per step, over all processes."""
    flip: bool = False
    """Add mirrored copies of recorded sequences. Synthesis always mirrors half of the samples."""
    optimizer: Optimizer = "adamw"
    amsgrad: bool = False
    learning_rate: float = 1.5e-3
    weight_decay: float = 0.01
    schedule: Schedule = "cosine"
    """Learning rate: cosine to 0, times ``decay`` after each epoch, or times ``decay`` at ``milestones``."""
    decay: float = 0.95
    milestones: tuple[int, ...] = ()
    warmup: int = 200
    """Steps of linear warm-up."""
    norm_momentum: tuple[float, float] = (0.1, 0.1)
    """Momentum of batch normalisation in the first epoch, and where its exponential decay ends after the last one."""
    norm_batches: int = 0
    """Training batches over which the statistics of batch normalisation are computed anew for validation and for the
    checkpoint; 0 keeps the running ones."""
    averaging: float = 0.999
    """Decay of the exponential moving average of the weights, which is validated and saved; 0 switches it off."""
    precision: Precision = "bf16-mixed"
    """Numbers that the network computes with: single precision, or a mixture with half the bits, as Lightning Fabric
    names them."""
    seed: int = 0
    synthesis: SynthesisSettings = field(default_factory=SynthesisSettings)

    def __post_init__(self) -> None:
        for name, kind in (("causal", "temporal"), ("trajectory", "temporal"), ("streams", "two-stream")):
            if self.kind != kind and getattr(self, name) != getattr(TrainSettings, name):
                raise SettingsError(f"A {self.kind} network has no --{name}; only a {kind} network does. Leave it out.")
        if self.norm_batches < 0:
            raise SettingsError(f"--norm-batches is {self.norm_batches}. Set 0 or a number of batches.")
        if self.streams not in (1, 2):
            raise SettingsError(f"There are {self.streams} streams. Choose --streams 1 or 2.")

    def network(self, source: Skeleton, target: Skeleton) -> Net:
        """A new network from keypoints of ``source`` to joints of ``target``.

        Raises:
            SettingsError: The kind of network cannot take or estimate the direction up, as the normalisation asks.
        """
        normalise = normalisation(self.normalisation)
        if normalise.has_up and self.kind != "temporal":
            raise SettingsError(f"A {self.kind} network does not take the direction up. Set --normalisation frame.")
        size = len(source) + normalise.has_up, normalise.features, len(target) + normalise.has_up
        if self.kind == "temporal":
            return TemporalNet(TemporalConfig(*size, self.widths, self.channels, self.dropout, self.causal))
        if self.kind == "two-stream":
            return TwoStreamNet(TwoStreamConfig(*size, self.channels, dropout=self.dropout, streams=self.streams))
        return UGCN(UGCNConfig(target.parents, *size[:2], dropout=self.dropout))

    def root_network(self, source: Skeleton) -> TemporalNet | None:
        """A new trajectory network, a temporal network that predicts one joint; None if roots are not learned."""
        if not self.trajectory:
            return None
        shape = len(source), normalisation(self.normalisation).features, 1
        return TemporalNet(TemporalConfig(*shape, self.widths, self.channels, self.dropout, self.causal))
