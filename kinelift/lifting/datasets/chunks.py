"""Batches for training out of recorded sequences, cut by index: no window is held beside the frames themselves."""

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

_MIRRORED = (1.0, 1.0, -1.0, 1.0, 1.0, 1.0, 1.0, -1.0, 1.0, -1.0, 1.0)
"""Signs of ``Camera.parameters`` in a mirror: the principal point and the unsymmetric distortion along x change."""


@dataclass(frozen=True, eq=False)
class Chunks:
    """Pieces of sequences as a camera saw them: W frames are shown, N of them are answered.

    ``keypoints``: pixels, and ``rays``: the same on the plane z = 1 of the camera, both 0 where not ``seen``;
    ``truth``: metres in the camera frame, not relative to any joint, or None; ``cameras``: ``Camera.parameters``, by
    which ``lifting.losses.terms.reproject`` projects; ``sizes``: width and height of the picture.
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
class ChunkSampler:
    """Cuts chunks of ``framing`` out of sequences laid end to end: sequence k is ``starts[k]`` and ``lengths[k]`` on.

    Before its first and after its last frame a sequence repeats them. With ``mirrored``, every chunk exists a second
    time as the picture would be in a mirror: the material is twice as large. Make it with ``ChunkSampler.of``.
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

    @staticmethod
    def of(bank: SequenceBank, framing: Framing, mirrored: bool = False) -> "ChunkSampler":
        """Chunks of the bank's sequences, in single precision; a sequence is cut at frames whose truth is not known.

        Raises ``DataError`` if some sequences have truth and others do not, or if nothing is left.
        """
        if len({one.truth is None for one in bank}) > 1:
            raise DataError("Some sequences have true poses, others have none. Draw from the two kinds apart.")
        pieces = [piece for one in bank for piece in _known(one)]
        if not pieces:
            raise DataError("No frame of these sequences has a true pose. Choose others.")
        rays = _laid([one.camera.plane(one.keypoints.astype(np.float64)) for one in pieces])
        keypoints = _laid([one.keypoints for one in pieces])
        seen = torch.isfinite(rays).all(-1) & torch.isfinite(keypoints).all(-1)
        truth = [one.truth for one in pieces if one.truth is not None]
        lengths = torch.tensor([len(one) for one in pieces])
        return ChunkSampler(
            framing,
            mirrored,
            bank.source,
            bank.target,
            torch.where(seen[..., None], keypoints, 0.0),
            torch.where(seen[..., None], rays, 0.0),
            seen,
            _laid(truth) if truth else None,
            lengths.cumsum(0) - lengths,
            lengths,
            _laid([one.camera.parameters[None] for one in pieces]),
            torch.tensor([one.size for one in pieces], dtype=torch.float32),
        )

    def __len__(self) -> int:
        """Chunks of an epoch."""
        return int(self._counts.sum()) * (1 + self.mirrored)

    def to(self, device: torch.device) -> "ChunkSampler":
        """The same on another device; generators must be of it."""
        moved: dict[str, Any] = {
            name: value.to(device) for name, value in vars(self).items() if isinstance(value, Tensor)
        }
        return replace(self, **moved)

    def steps(self, count: int) -> int:
        """Batches of ``count`` chunks an epoch; the last may have fewer."""
        return ceil(len(self) / count)

    def draw(self, count: int, generator: Generator) -> Chunks:
        """Random chunks: every frame is equally likely to be the first that is answered, and either way round."""
        device = generator.device
        frames = torch.randint(len(self.keypoints), (count,), generator=generator, device=device)
        owner = torch.searchsorted(self.starts, frames, right=True) - 1
        flip = torch.randint(1 + self.mirrored, (count,), generator=generator, device=device)
        return self.cut(owner, frames - self.starts[owner], flip.bool())

    def epoch(self, count: int, generator: Generator) -> Iterator[Chunks]:
        """Batches that answer for every frame once, and once more in the mirror, in random order.

        If a chunk answers for N frames, a sequence is cut every N frames from a random one on; what the first and the
        last chunk reach beyond it repeats its edges. (Pavllo et al. 2019 cut it centred.)
        """
        device, total = generator.device, int(self._counts.sum())
        slack = self._counts * self.framing.targets - self.lengths
        before = (torch.rand(slack.shape, generator=generator, device=device) * (slack + 1)).long().minimum(slack)
        owners = torch.repeat_interleave(self._counts)
        earlier = self._counts.cumsum(0) - self._counts
        for chosen in torch.randperm(len(self), generator=generator, device=device).split(count):
            piece = chosen % total
            owner = owners[piece]
            place = (piece - earlier[owner]) * self.framing.targets - before[owner]
            yield self.cut(owner, place, chosen >= total)

    def cut(self, owner: Int[Tensor, " B"], place: Int[Tensor, " B"], flip: Bool[Tensor, " B"]) -> Chunks:
        """The chunks whose first answered frame is number ``place`` of sequence ``owner``; mirrored ones come last."""
        if not self.mirrored:
            return self._cut(owner, place)
        plain, turned = (self._cut(owner[rows], place[rows]) for rows in (~flip, flip))
        turned = mirrored(turned, self.source, self.target)
        known = [name for name, value in vars(plain).items() if value is not None]
        return replace(plain, **{name: torch.cat([getattr(plain, name), getattr(turned, name)]) for name in known})

    def _cut(self, owner: Int[Tensor, " B"], place: Int[Tensor, " B"]) -> Chunks:
        steps = torch.arange(self.framing.frames, device=place.device) - self.framing.first
        last = (self.lengths[owner] - 1)[:, None]
        shown = self.starts[owner][:, None] + (place[:, None] + steps).clamp_min(0).minimum(last)
        keypoints, rays, seen = (_rows(every, shown) for every in (self.keypoints, self.rays, self.seen))
        truth = None if self.truth is None else _rows(self.truth, shown[:, self.framing.target_slice])
        return Chunks(keypoints, rays, seen, truth, self.cameras[owner], self.sizes[owner])

    @property
    def _counts(self) -> Int[Tensor, " S"]:
        """Chunks that a sequence needs for all its frames."""
        answers = self.framing.targets
        return (self.lengths + answers - 1) // answers


def mirrored(chunks: Chunks, source: Skeleton, target: Skeleton) -> Chunks:
    """All chunks in a mirror: pictures about their middle, the world about the camera's plane x = 0, sides swapped.

    The camera is mirrored too: its principal point, and the part of its distortion that is not symmetric.
    """
    swap, away = torch.tensor(source.mirror, device=chunks.seen.device), chunks.keypoints.new_tensor([-1.0, 1.0])
    seen = chunks.seen.index_select(2, swap)
    wide = torch.stack([chunks.sizes[:, 0], torch.zeros_like(chunks.sizes[:, 0])], -1)
    keypoints = chunks.keypoints.index_select(2, swap) * away + wide[:, None, None]
    cameras = chunks.cameras * chunks.cameras.new_tensor(_MIRRORED)
    cameras[:, 2] += chunks.sizes[:, 0]
    truth = chunks.truth
    if truth is not None:
        truth = truth[:, :, list(target.mirror)] * truth.new_tensor([-1.0, 1.0, 1.0])
    keypoints = torch.where(seen[..., None], keypoints, 0.0)
    return Chunks(keypoints, chunks.rays.index_select(2, swap) * away, seen, truth, cameras, chunks.sizes)


def _rows(every: Shaped[Tensor, "F ..."], shown: Int[Tensor, "B W"]) -> Shaped[Tensor, "B W ..."]:
    return every.index_select(0, shown.flatten()).unflatten(0, shown.shape)


def _known(one: Sequence) -> Iterator[Sequence]:
    """The runs of frames whose truth is complete; the whole sequence where no truth is given."""
    known = np.ones(len(one), dtype=bool) if one.truth is None else np.isfinite(one.truth).all((1, 2))
    for run in np.split(np.arange(len(one)), np.flatnonzero(np.diff(known)) + 1):
        if known[run[0]]:
            piece = slice(run[0], run[-1] + 1)
            yield replace(one, keypoints=one.keypoints[piece], truth=None if one.truth is None else one.truth[piece])


def _laid(arrays: list[np.ndarray]) -> Float[Tensor, "F ..."]:
    return torch.from_numpy(np.concatenate(arrays, dtype=np.float32, casting="same_kind"))
