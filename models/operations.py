"""The operations of a searched cell. Every one maps (B, C, H, W) to (B, C, H / stride, W / stride)."""

from torch import nn


def operation(name: str, channels: int, stride: int) -> nn.Module:
    """Build an operation by its name in ``models.genotype.OPERATIONS``. Raises ``KeyError`` for any other name."""
    return _BUILDERS[name](channels, stride)


def point(inputs: int, outputs: int, stride: int = 1) -> nn.Sequential:
    """ReLU, 1×1 convolution, batch norm: changes the number of channels, and with a stride the resolution."""
    convolution = nn.Conv2d(inputs, outputs, 1, stride=stride, bias=False)
    return nn.Sequential(nn.ReLU(), convolution, nn.BatchNorm2d(outputs))


def _identity(channels: int, stride: int) -> nn.Module:
    return nn.Identity() if stride == 1 else point(channels, channels, stride)


def _separable(size: int, channels: int, stride: int) -> nn.Module:
    depthwise = nn.Conv2d(channels, channels, size, stride, size // 2, groups=channels, bias=False)
    pointwise = nn.Conv2d(channels, channels, 1, bias=False)
    return nn.Sequential(nn.ReLU(), depthwise, pointwise, nn.BatchNorm2d(channels))


_BUILDERS = {
    "identity": _identity,
    "separable-3x3": lambda channels, stride: _separable(3, channels, stride),
    "separable-5x5": lambda channels, stride: _separable(5, channels, stride),
    "average-3x3": lambda _, stride: nn.AvgPool2d(3, stride, 1, count_include_pad=False),
    "maximum-3x3": lambda _, stride: nn.MaxPool2d(3, stride, 1),
}
