"""Two streams of linear layers that lift one frame at a time (Pham et al., "Network design").

The paper specifies the layers, the training input of each stream, and that the outputs are averaged. It gives no sizes;
these are those of its linear baseline (Martinez et al. 2017).
"""

from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor, nn


@dataclass(frozen=True)
class TwoStreamConfig:
    """Architecture of a ``TwoStreamNet``: ``blocks`` residual blocks of ``width`` channels in each stream.

    With one of ``streams`` it is the baseline of the paper (Martinez et al. 2017): the stream of detected keypoints.
    """

    joints_in: int = 17
    features_in: int = 2
    joints_out: int = 17
    width: int = 1024
    blocks: int = 2
    dropout: float = 0.5
    streams: int = 2

    @property
    def window(self) -> int:
        """Frames in one input window."""
        return 1

    @property
    def outputs(self) -> int:
        """Consecutive output frames per window."""
        return 1

    @property
    def first_output(self) -> int:
        """Index in the window of the first output frame."""
        return 0


class TwoStreamNet(nn.Module):
    """The mean of two identical lifters, one trained on clean keypoints and one on detected keypoints."""

    def __init__(self, config: TwoStreamConfig) -> None:
        super().__init__()
        self.config = config
        if config.streams == 2:
            self.clean = _stream(config)
        self.detected = _stream(config)

    def forward(
        self, windows: Float[Tensor, "B 1 J F"], clean: Float[Tensor, "B 1 J F"] | None = None
    ) -> Float[Tensor, "B 1 K 3"]:
        """Compute one pose per frame.

        Args:
            windows: Detected keypoints.
            clean: In training, the true keypoints of the same frames, for the first stream. Without them both streams
                get ``windows``. A network of one stream does not use them.

        Returns:
            Poses in the units and axes of the training targets.
        """
        mean = self.detected(windows.flatten(1))
        if self.config.streams == 2:
            first_input = windows if clean is None else clean
            mean = (self.clean(first_input.flatten(1)) + mean) / 2
        poses: Tensor = mean.unflatten(1, (1, self.config.joints_out, 3))
        return poses


def _stream(config: TwoStreamConfig) -> nn.Sequential:
    """Build one stream: (B, J·F) → (B, 3·K)."""
    width, dropout = config.width, config.dropout
    return nn.Sequential(
        *_layer(config.joints_in * config.features_in, width, dropout),
        *(_Residual(width, dropout) for _ in range(config.blocks)),
        nn.Linear(width, 3 * config.joints_out),
    )


class _Residual(nn.Module):
    """Two layers with a residual connection."""

    def __init__(self, width: int, dropout: float) -> None:
        super().__init__()
        self.layers = nn.Sequential(*_layer(width, width, dropout), *_layer(width, width, dropout))

    def forward(self, x: Float[Tensor, "B C"]) -> Float[Tensor, "B C"]:
        residual: Tensor = self.layers(x)
        return x + residual


def _layer(inputs: int, outputs: int, dropout: float) -> tuple[nn.Module, ...]:
    """Build a layer in the paper's order. Normalisation makes a bias redundant."""
    return nn.Linear(inputs, outputs, bias=False), nn.BatchNorm1d(outputs), nn.Dropout(dropout), nn.SELU()
