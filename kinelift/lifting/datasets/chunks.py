"""Training batches from recorded sequences. Windows are gathered by index, so they need no memory of their own."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from math import ceil
from typing import Any

import numpy as np
import torch
from jaxtyping import Bool, Float, Int, Shaped
from torch import Generator, Tensor

from kinelift.lifting.datasets.sequences import Sequence, SequenceBank
from kinelift.lifting.training_batch import Framing
from kinelift.poses import Skeleton
from kinelift.poses.errors import DataError

_CAMERA_SIGNS = (1.0, 1.0, -1.0, 1.0, 1.0, 1.0, 1.0, -1.0, 1.0, -1.0, 1.0)
"""Signs of ``Camera.parameters`` under mirroring: principal point and asymmetric distortion change along x."""


@dataclass(frozen=True, eq=False)
class Chunks:
    """A batch of windows with W input frames and N output frames.

    Attributes:
        keypoints: Pixels, 0 where not visible.
        rays: Keypoints on the plane z = 1 of the camera, 0 where not visible.
        seen: Which keypoints are visible.
        truth: True poses in metres in the camera frame, not relative to any joint, or None.
        cameras: ``Camera.parameters``, for ``lifting.losses.terms.reproject``.
        sizes: Width and height of the image in pixels.
    """

    keypoints: Float[Tensor, "B W J 2"]
    rays: Float[Tensor, "B W J 2"]
    seen: Bool[Tensor, "B W J"]
    truth: Float[Tensor, "B N K 3"] | None
    cameras: Float[Tensor, "B 11"]
    sizes: Float[Tensor, "B 2"]

    def __len__(self) -> int:
        return len(self.keypoints)


@dataclass(frozen=True, eq=False)
class Mirror:
    """Mirrors chosen chunks of a batch. Row 0 of each table is for a chunk as it is, row 1 for a mirrored one."""

    keypoints: Int[Tensor, "2 J"]
    joints: Int[Tensor, "2 K"]
    signs: Float[Tensor, "2 3"]
    cameras: Float[Tensor, "2 11"]

    @staticmethod
    def of(source: Skeleton, target: Skeleton) -> "Mirror":
        """The tables for keypoints of ``source`` and poses of ``target``."""
        keypoints, joints = (torch.tensor([range(len(layout)), layout.mirror]) for layout in (source, target))
        signs = torch.tensor([[1.0, 1.0, 1.0], [-1.0, 1.0, 1.0]])
        return Mirror(keypoints, joints, signs, torch.tensor([(1.0,) * len(_CAMERA_SIGNS), _CAMERA_SIGNS]))

    def to(self, device: torch.device) -> "Mirror":
        """Copy the tables to a device."""
        return Mirror(*(table.to(device) for table in vars(self).values()))

    def __call__(self, chunks: Chunks, flip: Bool[Tensor, " B"]) -> Chunks:
        """Mirror images about their centre line and poses about the plane x = 0; left and right joints are swapped.

        The camera is mirrored too: its principal point and its asymmetric distortion.
        """
        side = flip.long()
        order, signs = self.keypoints.index_select(0, side), self.signs.index_select(0, side)[:, None, None]
        seen, rays = _reordered(chunks.seen, order), _reordered(chunks.rays, order) * signs[..., :2]
        width = chunks.sizes[:, 0] * flip
        shift = torch.stack([width, torch.zeros_like(width)], -1)[:, None, None]
        keypoints = torch.addcmul(shift, _reordered(chunks.keypoints, order), signs[..., :2])
        keypoints = torch.where(seen[..., None], keypoints, 0.0)
        cameras = chunks.cameras * self.cameras.index_select(0, side)
        cameras[:, 2] += width
        truth = chunks.truth
        if truth is not None:
            truth = _reordered(truth, self.joints.index_select(0, side)) * signs
        return Chunks(keypoints, rays, seen, truth, cameras, chunks.sizes)


@dataclass(frozen=True, eq=False)
class ChunkSampler:
    """Cuts chunks of ``framing`` from concatenated sequences. Create it with ``ChunkSampler.of``.

    Sequence k has ``lengths[k]`` frames, starting at ``starts[k]``. Past its ends, a sequence repeats its edge frames.
    With ``mirrored``, every chunk also occurs mirrored, which doubles the data.
    """

    framing: Framing
    mirrored: bool
    source: Skeleton
    target: Skeleton
    keypoints: Float[Tensor, "F J 2"]
    rays: Float[Tensor, "F J 2"]
    seen: Bool[Tensor, "F J"]
    truth: Float[Tensor, "F K 3"] | None
    starts: Int[Tensor, " S"]
    lengths: Int[Tensor, " S"]
    cameras: Float[Tensor, "S 11"]
    sizes: Float[Tensor, "S 2"]
    mirror: Mirror

    @staticmethod
    def of(bank: SequenceBank, framing: Framing, mirrored: bool = False) -> "ChunkSampler":
        """Create a sampler from a bank's sequences, which are split at frames without true poses.

        Args:
            bank: The sequences.
            framing: Input and output frames of a chunk.
            mirrored: Also draw mirrored chunks.

        Raises:
            DataError: Only some sequences have true poses, or no frame has one.
        """
        if len({sequence.truth is None for sequence in bank}) > 1:
            raise DataError("Some sequences have true poses and others do not. Sample the two kinds separately.")
        pieces = [piece for sequence in bank for piece in _labelled_runs(sequence)]
        if not pieces:
            raise DataError("No frame of these sequences has a true pose. Choose other sequences.")
        rays = _concatenate([sequence.camera.plane(sequence.keypoints.astype(np.float64)) for sequence in pieces])
        keypoints = _concatenate([sequence.keypoints for sequence in pieces])
        seen = torch.isfinite(rays).all(-1) & torch.isfinite(keypoints).all(-1)
        truth = [sequence.truth for sequence in pieces if sequence.truth is not None]
        lengths = torch.tensor([len(sequence) for sequence in pieces])
        return ChunkSampler(
            framing,
            mirrored,
            bank.source,
            bank.target,
            torch.where(seen[..., None], keypoints, 0.0),
            torch.where(seen[..., None], rays, 0.0),
            seen,
            _concatenate(truth) if truth else None,
            lengths.cumsum(0) - lengths,
            lengths,
            _concatenate([sequence.camera.parameters[None] for sequence in pieces]),
            torch.tensor([sequence.size for sequence in pieces], dtype=torch.float32),
            Mirror.of(bank.source, bank.target),
        )

    def __len__(self) -> int:
        """The number of chunks per epoch."""
        return int(self._counts.sum()) * (1 + self.mirrored)

    def to(self, device: torch.device) -> "ChunkSampler":
        """Copy the data to a device. Generators must be on the same device."""
        moved: dict[str, Any] = {
            name: value.to(device) for name, value in vars(self).items() if isinstance(value, Tensor | Mirror)
        }
        return replace(self, **moved)

    def steps(self, count: int) -> int:
        """Count the batches of ``count`` chunks per epoch; the last one may be smaller."""
        return ceil(len(self) / count)

    def draw(self, count: int, generator: Generator) -> Chunks:
        """Draw random chunks. Their first output frame is uniform over all frames, mirrored or not."""
        device = generator.device
        frames = torch.randint(len(self.keypoints), (count,), generator=generator, device=device)
        owner = torch.searchsorted(self.starts, frames, right=True) - 1
        flip = torch.randint(1 + self.mirrored, (count,), generator=generator, device=device)
        return self.cut(owner, frames - self.starts[owner], flip.bool())

    def epoch(self, count: int, generator: Generator) -> Iterator[Chunks]:
        """Iterate over batches, in random order, that together output every frame once, and once more if ``mirrored``.

        A sequence is cut every N output frames, from a random offset; chunks that extend past it repeat its edge
        frames. (Pavllo et al. 2019 use a centred offset.)
        """
        device, total = generator.device, int(self._counts.sum())
        excess = self._counts * self.framing.targets - self.lengths
        before = (torch.rand(excess.shape, generator=generator, device=device) * (excess + 1)).long().minimum(excess)
        owners = torch.repeat_interleave(self._counts)
        earlier = self._counts.cumsum(0) - self._counts
        order = torch.randperm(len(self), generator=generator, device=device)
        batches = torch.arange(len(self), device=device) // count
        order = order[(2 * batches + (order >= total)).argsort(stable=True)]  # mirrored ones last in their batch
        piece = order % total
        owner = owners[piece]
        position = (piece - earlier[owner]) * self.framing.targets - before[owner]
        for batch in zip(*(each.split(count) for each in (owner, position, order >= total)), strict=True):
            yield self._cut(*batch)

    def cut(self, owner: Int[Tensor, " B"], position: Int[Tensor, " B"], flip: Bool[Tensor, " B"]) -> Chunks:
        """Cut chunks with first output frame ``position`` of sequence ``owner``. Mirrored ones come last."""
        order = flip.argsort(stable=True) if self.mirrored else slice(None)
        return self._cut(owner[order], position[order], flip[order])

    def _cut(self, owner: Int[Tensor, " B"], position: Int[Tensor, " B"], flip: Bool[Tensor, " B"]) -> Chunks:
        """``cut`` in the order given, in few operations and without waiting for a GPU."""
        first = self.framing.first
        steps = torch.arange(-first, self.framing.frames - first, device=position.device)
        last = (self.lengths[owner] - 1)[:, None]
        frames = self.starts[owner][:, None] + (position[:, None] + steps).clamp_min(0).minimum(last)
        keypoints, rays, seen = (_gather(values, frames) for values in (self.keypoints, self.rays, self.seen))
        truth = None if self.truth is None else _gather(self.truth, frames[:, self.framing.target_slice])
        chunks = Chunks(keypoints, rays, seen, truth, self.cameras[owner], self.sizes[owner])
        return self.mirror(chunks, flip) if self.mirrored else chunks

    @property
    def complete(self) -> bool:
        """Whether every keypoint is visible in every frame."""
        return bool(self.seen.all())

    @property
    def _counts(self) -> Int[Tensor, " S"]:
        """The number of chunks needed to cover each sequence."""
        outputs = self.framing.targets
        return (self.lengths + outputs - 1) // outputs


def _reordered(values: Shaped[Tensor, "B W J ..."], order: Int[Tensor, "B J"]) -> Shaped[Tensor, "B W J ..."]:
    """The joints of each sample in an order of its own."""
    index = order[:, None].unflatten(2, (-1, *(1,) * (values.dim() - 3)))
    return values.gather(2, index.expand_as(values))


def _gather(values: Shaped[Tensor, "F ..."], frames: Int[Tensor, "B W"]) -> Shaped[Tensor, "B W ..."]:
    gathered: Tensor = values.index_select(0, frames.flatten()).unflatten(0, frames.shape)
    return gathered


def _labelled_runs(sequence: Sequence) -> Iterator[Sequence]:
    """Split a sequence into runs of frames with complete true poses. Without any, it is yielded whole."""
    known = np.ones(len(sequence), dtype=bool) if sequence.truth is None else np.isfinite(sequence.truth).all((1, 2))
    for run in np.split(np.arange(len(sequence)), np.flatnonzero(np.diff(known)) + 1):
        if known[run[0]]:
            yield sequence.part(int(run[0]), int(run[-1]) + 1)


def _concatenate(arrays: list[np.ndarray]) -> Float[Tensor, "F ..."]:
    return torch.from_numpy(np.concatenate(arrays, dtype=np.float32, casting="same_kind"))
