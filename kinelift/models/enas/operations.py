"""The operations of a searched network. Each maps (B, C, H, W) to (B, C, H / stride, W / stride)."""

import torch
from jaxtyping import Float
from torch import Tensor, nn


def operation(name: str, channels: int, stride: int) -> nn.Module:
    """Build an operation by its name in ``genotype.OPERATIONS`` or ``macro.OPERATIONS``.

    Raises:
        KeyError: There is no operation of this name.
    """
    return _BUILDERS[name](channels, stride)


def pointwise(inputs: int, outputs: int, stride: int = 1) -> nn.Sequential:
    """Build ReLU, 1×1 convolution and batch norm, which change the channels and, with a stride, the resolution."""
    convolution = nn.Conv2d(inputs, outputs, 1, stride=stride, bias=False)
    return nn.Sequential(nn.ReLU(), convolution, nn.BatchNorm2d(outputs))


class DropPath(nn.Module):
    """In training, zeroes a path for a random share of the examples and scales up the others to compensate."""

    def __init__(self, probability: float) -> None:
        super().__init__()
        self.probability = probability

    def forward(self, path: Float[Tensor, "B C H W"]) -> Float[Tensor, "B C H W"]:
        """Return the path, zeroed for some examples in training."""
        if not self.training or self.probability == 0:
            return path
        keep = torch.rand(len(path), 1, 1, 1, device=path.device) >= self.probability
        return path * (keep / (1 - self.probability))


def _identity(channels: int, stride: int) -> nn.Module:
    return nn.Identity() if stride == 1 else pointwise(channels, channels, stride)


def _separable(size: int, channels: int, stride: int) -> nn.Module:
    depthwise = nn.Conv2d(channels, channels, size, stride, size // 2, groups=channels, bias=False)
    mixing = nn.Conv2d(channels, channels, 1, bias=False)
    return nn.Sequential(nn.ReLU(), depthwise, mixing, nn.BatchNorm2d(channels))


def _convolution(size: int, channels: int, stride: int) -> nn.Module:
    full = nn.Conv2d(channels, channels, size, stride, size // 2, bias=False)
    return nn.Sequential(nn.ReLU(), full, nn.BatchNorm2d(channels))


_BUILDERS = {
    "identity": _identity,
    "convolution-3x3": lambda channels, stride: _convolution(3, channels, stride),
    "convolution-5x5": lambda channels, stride: _convolution(5, channels, stride),
    "separable-3x3": lambda channels, stride: _separable(3, channels, stride),
    "separable-5x5": lambda channels, stride: _separable(5, channels, stride),
    "average-3x3": lambda _, stride: nn.AvgPool2d(3, stride, 1, count_include_pad=False),
    "maximum-3x3": lambda _, stride: nn.MaxPool2d(3, stride, 1),
}
