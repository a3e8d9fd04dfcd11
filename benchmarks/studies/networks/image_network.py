"""A small residual network on motion images, as a baseline: He et al., CVPR 2016, section 4.2 (CIFAR), n = 2."""

from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional


class ResidualBlock(nn.Module):
    """Two convolutions beside a shortcut."""

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.convolve = nn.Sequential(
            nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False),
            nn.BatchNorm2d(outputs),
            nn.ReLU(),
            nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False),
            nn.BatchNorm2d(outputs),
        )
        same = inputs == outputs
        shortcut = nn.Sequential(nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs))
        self.shortcut = nn.Identity() if same else shortcut

    def forward(self, x: Float[Tensor, "B C H W"]) -> Float[Tensor, "B D I V"]:
        """Apply the block."""
        return functional.relu(self.convolve(x) + self.shortcut(x))


class ImageResNet(nn.Module):
    """Six residual blocks in three stages."""

    def __init__(self, classes: int, width: int = 16) -> None:
        super().__init__()
        stages = [(width, width, 1), (width, 2 * width, 2), (2 * width, 4 * width, 2)]
        blocks = [
            block
            for before, after, stride in stages
            for block in (ResidualBlock(before, after, stride), ResidualBlock(after, after, 1))
        ]
        self.stem = nn.Sequential(nn.Conv2d(3, width, 3, 1, 1, bias=False), nn.BatchNorm2d(width), nn.ReLU())
        self.blocks = nn.Sequential(*blocks)
        self.classify = nn.Sequential(nn.Dropout(0.3), nn.Linear(4 * width, classes))

    def forward(self, x: Float[Tensor, "B 3 H W"]) -> Float[Tensor, "B K"]:
        """Logits of the labels."""
        logits: Float[Tensor, "B K"] = self.classify(self.blocks(self.stem(x)).mean(dim=(2, 3)))
        return logits
