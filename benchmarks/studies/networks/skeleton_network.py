"""A skeleton network of today's kind, as a baseline from outside: graph and temporal convolutions on joints.

After ST-GCN++ (Duan, Wang, Chen, Lin: PYSKL, ACM MM 2022): adjacency is learned, and time is convolved by several
branches. Smaller than published, for windows of one second.
"""

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn

from kinelift.poses import H36M17
from kinelift.recognition.encoding.body_frame import to_body

CHANNELS = 9
"""Position relative to the hip, bone and velocity, three components each."""
BLOCKS = ((1, 1), (1, 1), (2, 2), (2, 1), (4, 2), (4, 1))
"""Multiple of the width, and stride over time, of each block."""
VELOCITY = 10.0
"""Velocities are enlarged to the order of positions."""


def features(windows: Float[np.ndarray, "B T J 3"]) -> Float[Tensor, "B 9 T J"]:
    """What the network sees: h36m17 poses in upright body axes and body sizes."""
    points = to_body(windows, axes="upright", origin="window").astype(np.float32)
    bones = np.stack([points[:, :, j] - points[:, :, max(p, 0)] for j, p in enumerate(H36M17.parents)], axis=2)
    velocities = np.diff(points, axis=1, prepend=points[:, :1]) * VELOCITY
    stacked = np.concatenate([points - points[:, :, :1], bones, velocities], axis=-1)
    return torch.from_numpy(stacked).permute(0, 3, 1, 2).contiguous()


class GraphConvolution(nn.Module):
    """Mixes joints by three learned adjacency matrices, which begin as self, parents and children."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        joints = len(H36M17)
        matrices = np.zeros((3, joints, joints), np.float32)
        matrices[0] = np.eye(joints)
        for joint, parent in enumerate(H36M17.parents):
            if parent >= 0:
                matrices[1, joint, parent] = matrices[2, parent, joint] = 1
        matrices /= np.maximum(matrices.sum(axis=-1, keepdims=True), 1)
        self.adjacency = nn.Parameter(torch.from_numpy(matrices))
        self.mix = nn.Conv2d(inputs, 3 * outputs, 1)
        self.norm = nn.BatchNorm2d(outputs)
        same = inputs == outputs
        self.shortcut = nn.Identity() if same else nn.Sequential(nn.Conv2d(inputs, outputs, 1), nn.BatchNorm2d(outputs))

    def forward(self, x: Float[Tensor, "B C T J"]) -> Float[Tensor, "B D T J"]:
        """Convolve over the graph."""
        mixed = self.mix(x).unflatten(1, (3, -1))
        joined = torch.einsum("bkctv,kwv->bctw", mixed, self.adjacency)
        return torch.relu(self.norm(joined) + self.shortcut(x))


class TemporalConvolution(nn.Module):
    """Four branches over time: two dilations, a maximum, and a point-wise one."""

    def __init__(self, channels: int, stride: int) -> None:
        super().__init__()
        part, down = channels // 4, (stride, 1)

        def branch(*layers: nn.Module) -> nn.Sequential:
            return nn.Sequential(nn.Conv2d(channels, part, 1), nn.BatchNorm2d(part), nn.ReLU(), *layers)

        self.branches = nn.ModuleList(
            [
                branch(nn.Conv2d(part, part, (3, 1), down, (1, 0), (1, 1)), nn.BatchNorm2d(part)),
                branch(nn.Conv2d(part, part, (3, 1), down, (2, 0), (2, 1)), nn.BatchNorm2d(part)),
                branch(nn.MaxPool2d((3, 1), down, (1, 0)), nn.BatchNorm2d(part)),
                nn.Sequential(nn.Conv2d(channels, part, 1, down), nn.BatchNorm2d(part)),
            ]
        )
        self.mix = nn.Sequential(nn.ReLU(), nn.Conv2d(channels, channels, 1), nn.BatchNorm2d(channels))
        thin = nn.Sequential(nn.Conv2d(channels, channels, 1, down), nn.BatchNorm2d(channels))
        self.shortcut = nn.Identity() if stride == 1 else thin

    def forward(self, x: Float[Tensor, "B C T J"]) -> Float[Tensor, "B C U J"]:
        """Convolve over time."""
        joined = torch.cat([branch(x) for branch in self.branches], dim=1)
        return torch.relu(self.mix(joined) + self.shortcut(x))


class SkeletonNet(nn.Module):
    """Six blocks of graph and temporal convolutions, and a mean over time and joints."""

    def __init__(self, classes: int, width: int = 32) -> None:
        super().__init__()
        widths = [CHANNELS, *(width * times for times, _ in BLOCKS)]
        self.norm = nn.BatchNorm1d(CHANNELS * len(H36M17))
        self.blocks = nn.Sequential(
            *(
                nn.Sequential(GraphConvolution(before, after), TemporalConvolution(after, stride))
                for before, after, (_, stride) in zip(widths[:-1], widths[1:], BLOCKS, strict=True)
            )
        )
        self.classify = nn.Sequential(nn.Dropout(0.3), nn.Linear(widths[-1], classes))

    def forward(self, x: Float[Tensor, "B 9 T J"]) -> Float[Tensor, "B K"]:
        """Logits of the labels."""
        flat = x.transpose(2, 3).flatten(1, 2)
        normed = self.norm(flat).unflatten(1, (CHANNELS, -1)).transpose(2, 3)
        logits: Float[Tensor, "B K"] = self.classify(self.blocks(normed).mean(dim=(2, 3)))
        return logits
