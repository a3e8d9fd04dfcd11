"""U-shaped graph convolutional network over keypoints in space and time (Wang et al. 2020, section 3.2).

A skeleton's frames are halved in number four times and doubled again, while its joints stay as they are. Every unit is
a spatial-temporal graph convolution (ST-GCN, Yan et al. 2018).
"""

from dataclasses import dataclass
from itertools import pairwise

import torch
from jaxtyping import Float
from torch import Tensor, nn


@dataclass(frozen=True)
class UGCNConfig:
    """Shape of the network.

    ``parents`` are those of the answered skeleton: an index for each joint, -1 for the root. ``widths`` are the
    channels at each resolution in time, the finest first; five resolutions make the 9 + 4 blocks of the paper. The
    widths are our choice: the paper gives none. ``kernel``: frames that a temporal convolution sees, an odd number.
    Raises ``ValueError`` for parents that form no tree, and for frames that cannot be halved often enough.
    """

    parents: tuple[int, ...]
    joints_in: int = 17
    features_in: int = 2
    frames: int = 96
    kernel: int = 5
    widths: tuple[int, ...] = (64, 64, 128, 128, 256)
    dropout: float = 0.5

    def __post_init__(self) -> None:
        hops(self.parents)
        if self.frames % self.multiple:
            raise ValueError(f"{len(self.widths)} widths need a multiple of {self.multiple} frames, not {self.frames}.")
        if self.kernel % 2 == 0:
            raise ValueError(f"The temporal kernel has a middle: {self.kernel} frames must be odd.")

    @property
    def joints_out(self) -> int:
        """Joints of the answer."""
        return len(self.parents)

    @property
    def multiple(self) -> int:
        """Frames at the finest resolution for one at the coarsest."""
        return int(2 ** (len(self.widths) - 1))

    @property
    def window(self) -> int:
        """Frames that the network takes at a time."""
        return self.frames

    @property
    def outputs(self) -> int:
        """Consecutive frames of a window that it answers."""
        return self.frames

    @property
    def first(self) -> int:
        """Index in the window of the first frame that it answers."""
        return 0


class UGCN(nn.Module):
    """Keypoint sequences to pose sequences of the same length.

    The graph is that of the answered skeleton. Keypoints come in by a learned matrix from input joints to graph joints,
    one for all frames and features; it starts as the identity, which is the paper's network where both layouts agree.
    """

    def __init__(self, config: UGCNConfig) -> None:
        super().__init__()
        self.config = config
        widths = config.widths
        self.joints = nn.Linear(config.joints_in, config.joints_out, bias=False)
        nn.init.eye_(self.joints.weight)
        self.down = nn.ModuleList([_Stage(_Block(config, config.features_in, widths[0]))])
        for fine, coarse in pairwise(widths):
            self.down.append(_Stage(_Block(config, fine, coarse, stride=2), _Block(config, coarse, coarse)))
        self.up = nn.ModuleList(_Block(config, coarse, fine) for fine, coarse in reversed([*pairwise(widths)]))
        self.merge = nn.ModuleList(nn.Conv2d(width, widths[0], 1, bias=False) for width in reversed(widths))
        self.merge_bn = nn.BatchNorm2d(widths[0])
        self.regressor = _SpaceTime(widths[0], widths[0], 3, config.kernel, bias=True)
        self.register_buffer("neighbours", partition(config.parents), persistent=False)
        self.neighbours: Tensor

    def forward(self, windows: Float[Tensor, "B T J F"]) -> Float[Tensor, "B T K 3"]:
        """A pose for every frame. T is ``config.frames``, or another multiple of ``config.multiple``."""
        if windows.shape[1] % self.config.multiple:
            raise ValueError(f"{windows.shape[1]} frames are no multiple of {self.config.multiple}.")
        x = self.joints(windows.permute(0, 3, 1, 2))
        merged = self._merged(self._upsampled(self._downsampled(x)))
        return self.regressor(merged, self.neighbours).permute(0, 2, 3, 1)

    def _downsampled(self, x: Tensor) -> list[Tensor]:
        """Features of every resolution, the finest first."""
        scales = []
        for stage in self.down:
            x = stage(x, self.neighbours)
            scales.append(x)
        return scales

    def _upsampled(self, down: list[Tensor]) -> list[Tensor]:
        """Features of every resolution, the coarsest first: each looks back on all that is coarser."""
        *finer, coarsest = down
        scales = [coarsest]
        for block, kept in zip(self.up, reversed(finer), strict=True):
            scales.append(kept + _repeated(block(scales[-1], self.neighbours), 2))
        return scales

    def _merged(self, scales: list[Tensor]) -> Tensor:
        """All resolutions at full length, added up in one width."""
        frames = scales[-1].shape[2]
        full = [_repeated(fit(x), frames // x.shape[2]) for fit, x in zip(self.merge, scales, strict=True)]
        return torch.relu(self.merge_bn(torch.stack(full).sum(0)))


class _Stage(nn.Module):
    """Blocks one after another, down to the next resolution."""

    def __init__(self, *blocks: "_Block") -> None:
        super().__init__()
        self.blocks = nn.ModuleList(blocks)

    def forward(self, x: Float[Tensor, "B C T K"], neighbours: Float[Tensor, "3 K K"]) -> Float[Tensor, "B D S K"]:
        for block in self.blocks:
            x = block(x, neighbours)
        return x


class _Block(nn.Module):
    """Space, time, normalisation, dropout, ReLU (section 3.2.3).

    All but the last stand beside a short cut, as in the ST-GCN; the paper's list of parts passes over it.
    """

    def __init__(self, config: UGCNConfig, inputs: int, outputs: int, stride: int = 1) -> None:
        super().__init__()
        self.convolution = _SpaceTime(inputs, outputs, outputs, config.kernel, stride)
        self.norm = nn.BatchNorm2d(outputs)
        self.drop = nn.Dropout(config.dropout)
        self.short = nn.Identity() if (inputs, stride) == (outputs, 1) else _shortcut(inputs, outputs, stride)

    def forward(self, x: Float[Tensor, "B C T K"], neighbours: Float[Tensor, "3 K K"]) -> Float[Tensor, "B D S K"]:
        """S = T / stride."""
        return torch.relu(self.short(x) + self.drop(self.norm(self.convolution(x, neighbours))))


class _SpaceTime(nn.Module):
    """A graph convolution within each frame (equation 9), then a convolution over each joint's frames."""

    def __init__(
        self, inputs: int, hidden: int, outputs: int, kernel: int, stride: int = 1, bias: bool = False
    ) -> None:
        super().__init__()
        self.space = nn.Conv2d(inputs, 3 * hidden, 1, bias=False)
        self.time = nn.Conv2d(hidden, outputs, (kernel, 1), (stride, 1), (kernel // 2, 0), bias=bias)

    def forward(self, x: Float[Tensor, "B C T K"], neighbours: Float[Tensor, "3 K K"]) -> Float[Tensor, "B D S K"]:
        subsets = self.space(x).unflatten(1, (3, -1))
        return self.time(torch.einsum("bpctj,pkj->bctk", subsets, neighbours))


def hops(parents: tuple[int, ...]) -> tuple[int, ...]:
    """Bones between each joint and the root. Raises ``ValueError`` for parents that are no tree with one root."""
    known = [j for j, parent in enumerate(parents) if parent == -1]
    if len(known) != 1:
        raise ValueError(f"A skeleton has one root (parent -1); {parents} has {len(known)}.")
    far = {known[0]: 0}
    for joint in known:
        children = [j for j, parent in enumerate(parents) if parent == joint]
        far |= dict.fromkeys(children, far[joint] + 1)
        known += children
    if len(far) != len(parents):
        raise ValueError(f"Some joints of {parents} are not connected to the root.")
    return tuple(far[j] for j in range(len(parents)))


def partition(parents: tuple[int, ...]) -> Float[Tensor, "3 K K"]:
    """Weights of each joint's neighbours (columns): as far from the root as it, nearer, farther (equation 10).

    Neighbours are the joint itself, its parent and its children. Each row is a mean, or zero where nobody is.
    """
    far = torch.tensor(hops(parents))
    linked = torch.eye(len(parents), dtype=torch.bool)
    for joint, parent in enumerate(parents):
        if parent >= 0:
            linked[joint, parent] = linked[parent, joint] = True
    farther = far[None, :] - far[:, None]
    subsets = torch.stack([linked & (farther == 0), linked & (farther < 0), linked & (farther > 0)]).float()
    return subsets / subsets.sum(2, keepdim=True).clamp(min=1)


def _shortcut(inputs: int, outputs: int, stride: int) -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(inputs, outputs, 1, (stride, 1), bias=False), nn.BatchNorm2d(outputs))


def _repeated(x: Float[Tensor, "B C T K"], times: int) -> Float[Tensor, "B C S K"]:
    """Nearest-neighbour upsampling in time (equation 11): S = times · T."""
    return x.repeat_interleave(times, 2)
