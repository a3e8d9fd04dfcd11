"""Two streams of linear layers that lift one frame at a time (Pham et al., "Network design").

The text gives the layers, what each stream sees in training, and that the answers are averaged. It gives no sizes;
those here are the ones of the linear lifter that it compares itself with (Martinez et al. 2017).
"""

from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor, nn


@dataclass(frozen=True)
class TwoStreamConfig:
    """Shape of the network: ``blocks`` residual blocks of ``width`` channels in each stream."""

    joints_in: int = 17
    features_in: int = 2
    joints_out: int = 17
    width: int = 1024
    blocks: int = 2
    dropout: float = 0.5

    @property
    def window(self) -> int:
        """Frames that the network takes at a time."""
        return 1

    @property
    def outputs(self) -> int:
        """Consecutive frames of a window that it answers."""
        return 1

    @property
    def first(self) -> int:
        """Index in the window of the first frame that it answers."""
        return 0


class TwoStreamNet(nn.Module):
    """The mean of two lifters of the same shape: one brought up on clean keypoints, one on detected ones."""

    def __init__(self, config: TwoStreamConfig) -> None:
        super().__init__()
        self.config = config
        self.clean = _stream(config)
        self.detected = _stream(config)

    def forward(
        self, windows: Float[Tensor, "B 1 J F"], clean: Float[Tensor, "B 1 J F"] | None = None
    ) -> Float[Tensor, "B 1 K 3"]:
        """One pose a frame.

        In training ``clean`` holds the true keypoints of the same frames, for the first stream. Without it both streams
        see ``windows``.
        """
        seen = windows if clean is None else clean
        poses = (self.clean(seen.flatten(1)) + self.detected(windows.flatten(1))) / 2
        return poses.unflatten(1, (1, self.config.joints_out, 3))


def _stream(config: TwoStreamConfig) -> nn.Sequential:
    """(B, J·F) → (B, 3·K)."""
    width, dropout = config.width, config.dropout
    return nn.Sequential(
        *_layer(config.joints_in * config.features_in, width, dropout),
        *(_Residual(width, dropout) for _ in range(config.blocks)),
        nn.Linear(width, 3 * config.joints_out),
    )


class _Residual(nn.Module):
    """Two layers and an identity connection around them."""

    def __init__(self, width: int, dropout: float) -> None:
        super().__init__()
        self.layers = nn.Sequential(*_layer(width, width, dropout), *_layer(width, width, dropout))

    def forward(self, x: Float[Tensor, "B C"]) -> Float[Tensor, "B C"]:
        return x + self.layers(x)


def _layer(inputs: int, outputs: int, dropout: float) -> tuple[nn.Module, ...]:
    """The layer in the order that the text lists; normalisation makes a bias needless."""
    return nn.Linear(inputs, outputs, bias=False), nn.BatchNorm1d(outputs), nn.Dropout(dropout), nn.SELU()
