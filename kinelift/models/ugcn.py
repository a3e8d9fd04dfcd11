"""U-shaped graph convolutional network over keypoints in space and time (Wang et al. 2020, section 3.2).

The network halves the number of frames four times and doubles it again; the number of joints stays the same. Every unit
is a spatial-temporal graph convolution (ST-GCN, Yan et al. 2018).
"""

from dataclasses import dataclass
from itertools import pairwise

import torch
from jaxtyping import Float
from torch import Tensor, nn


@dataclass(frozen=True)
class UGCNConfig:
    """Architecture of a ``UGCN``.

    Attributes:
        parents: Index of each output joint's parent, -1 for the root.
        joints_in: Joints of the input.
        features_in: Numbers per input joint.
        frames: Frames of a window.
        kernel: Frames of a temporal convolution, an odd number.
        widths: Channels at each temporal resolution, finest first. Five resolutions make the 9 + 4 blocks of the paper,
            which gives no widths; these are ours.
        dropout: Dropout probability.

    Raises:
        ValueError: ``parents`` is not a tree, ``frames`` cannot be halved often enough, or ``kernel`` is even.
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
            raise ValueError(f"The temporal kernel must be odd, not {self.kernel} frames.")

    @property
    def joints_out(self) -> int:
        """Joints of the output."""
        return len(self.parents)

    @property
    def multiple(self) -> int:
        """Frames at the finest resolution per frame at the coarsest."""
        return int(2 ** (len(self.widths) - 1))

    @property
    def window(self) -> int:
        """Frames in one input window."""
        return self.frames

    @property
    def outputs(self) -> int:
        """Consecutive output frames per window."""
        return self.frames

    @property
    def first_output(self) -> int:
        """Index in the window of the first output frame."""
        return 0


class UGCN(nn.Module):
    """Network from keypoint sequences to pose sequences of the same length.

    The graph is the output skeleton. A learned matrix, shared by all frames and features, maps input joints to graph
    joints. It starts as the identity, so the network is the paper's where both skeletons agree.
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
        self.regressor = _SpatioTemporalConv(widths[0], widths[0], 3, config.kernel, bias=True)
        self.register_buffer("neighbours", partition(config.parents), persistent=False)
        self.neighbours: Tensor

    def forward(self, windows: Float[Tensor, "B T J F"]) -> Float[Tensor, "B T K 3"]:
        """Compute a pose for every frame.

        Args:
            windows: Keypoints of T frames; T is ``config.frames`` or another multiple of ``config.multiple``.

        Returns:
            One pose per frame.

        Raises:
            ValueError: T is not a multiple of ``config.multiple``.
        """
        if windows.shape[1] % self.config.multiple:
            raise ValueError(f"{windows.shape[1]} frames are not a multiple of {self.config.multiple}.")
        x = self.joints(windows.permute(0, 3, 1, 2))
        merged = self._merge(self._decode(self._encode(x)))
        poses: Tensor = self.regressor(merged, self.neighbours)
        return poses.permute(0, 2, 3, 1)

    def _encode(self, x: Tensor) -> list[Tensor]:
        """Compute the features of every resolution, finest first."""
        scales = []
        for stage in self.down:
            x = stage(x, self.neighbours)
            scales.append(x)
        return scales

    def _decode(self, down: list[Tensor]) -> list[Tensor]:
        """Compute the decoder features, coarsest first, with skip connections from the encoder."""
        *finer, coarsest = down
        scales = [coarsest]
        for block, skip in zip(self.up, reversed(finer), strict=True):
            scales.append(skip + _repeat_frames(block(scales[-1], self.neighbours), 2))
        return scales

    def _merge(self, scales: list[Tensor]) -> Tensor:
        """Bring all resolutions to the same length and width, and add them."""
        frames = scales[-1].shape[2]
        full = [_repeat_frames(fit(x), frames // x.shape[2]) for fit, x in zip(self.merge, scales, strict=True)]
        return torch.relu(self.merge_bn(torch.stack(full).sum(0)))


class _Stage(nn.Module):
    """The blocks of one resolution, in sequence."""

    def __init__(self, *blocks: "_Block") -> None:
        super().__init__()
        self.blocks = nn.ModuleList(blocks)

    def forward(self, x: Float[Tensor, "B C T K"], neighbours: Float[Tensor, "3 K K"]) -> Float[Tensor, "B D S K"]:
        for block in self.blocks:
            x = block(x, neighbours)
        return x


class _Block(nn.Module):
    """Spatial convolution, temporal convolution, normalisation, dropout and ReLU (section 3.2.3).

    A shortcut bypasses everything before the ReLU, as in the ST-GCN. The paper does not mention it.
    """

    def __init__(self, config: UGCNConfig, inputs: int, outputs: int, stride: int = 1) -> None:
        super().__init__()
        self.convolution = _SpatioTemporalConv(inputs, outputs, outputs, config.kernel, stride)
        self.norm = nn.BatchNorm2d(outputs)
        self.drop = nn.Dropout(config.dropout)
        self.short = nn.Identity() if (inputs, stride) == (outputs, 1) else _shortcut(inputs, outputs, stride)

    def forward(self, x: Float[Tensor, "B C T K"], neighbours: Float[Tensor, "3 K K"]) -> Float[Tensor, "B D S K"]:
        """Compute S = T / stride frames."""
        return torch.relu(self.short(x) + self.drop(self.norm(self.convolution(x, neighbours))))


class _SpatioTemporalConv(nn.Module):
    """Graph convolution within each frame (equation 9), then a temporal convolution of each joint."""

    def __init__(
        self, inputs: int, hidden: int, outputs: int, kernel: int, stride: int = 1, bias: bool = False
    ) -> None:
        super().__init__()
        self.space = nn.Conv2d(inputs, 3 * hidden, 1, bias=False)
        self.time = nn.Conv2d(hidden, outputs, (kernel, 1), (stride, 1), (kernel // 2, 0), bias=bias)

    def forward(self, x: Float[Tensor, "B C T K"], neighbours: Float[Tensor, "3 K K"]) -> Float[Tensor, "B D S K"]:
        subsets = self.space(x).unflatten(1, (3, -1))
        out: Tensor = self.time(torch.einsum("bpctj,pkj->bctk", subsets, neighbours))
        return out


def hops(parents: tuple[int, ...]) -> tuple[int, ...]:
    """Count the bones between each joint and the root.

    Raises:
        ValueError: ``parents`` is not a tree with one root.
    """
    visited = [j for j, parent in enumerate(parents) if parent == -1]
    if len(visited) != 1:
        raise ValueError(f"A skeleton needs exactly one root (parent -1); {parents} has {len(visited)}.")
    depths = {visited[0]: 0}
    for joint in visited:
        children = [j for j, parent in enumerate(parents) if parent == joint]
        depths |= dict.fromkeys(children, depths[joint] + 1)
        visited += children
    if len(depths) != len(parents):
        raise ValueError(f"Some joints of {parents} are not connected to the root.")
    return tuple(depths[j] for j in range(len(parents)))


def partition(parents: tuple[int, ...]) -> Float[Tensor, "3 K K"]:
    """Build the adjacency matrices of three subsets of neighbours (equation 10).

    The subsets are the neighbours as far from the root as the joint (the joint itself), nearer (its parent) and farther
    (its children).

    Returns:
        Weights of each joint's neighbours (columns). Each row averages over a subset; it is zero for an empty one.
    """
    depths = torch.tensor(hops(parents))
    linked = torch.eye(len(parents), dtype=torch.bool)
    for joint, parent in enumerate(parents):
        if parent >= 0:
            linked[joint, parent] = linked[parent, joint] = True
    farther = depths[None, :] - depths[:, None]
    subsets = torch.stack([linked & (farther == 0), linked & (farther < 0), linked & (farther > 0)]).float()
    return subsets / subsets.sum(2, keepdim=True).clamp(min=1)


def _shortcut(inputs: int, outputs: int, stride: int) -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(inputs, outputs, 1, (stride, 1), bias=False), nn.BatchNorm2d(outputs))


def _repeat_frames(x: Float[Tensor, "B C T K"], times: int) -> Float[Tensor, "B C S K"]:
    """Upsample in time by repeating frames (equation 11): S = times · T."""
    return x.repeat_interleave(times, 2)
