"""What is learned from a batch: answers in camera axes, and the losses between them and the truth."""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor, nn

from kinelift.lifting.coordinates import normalisation
from kinelift.lifting.losses.objective import Objective
from kinelift.lifting.losses.terms import bone_difference, reprojection, weighted_mpjpe
from kinelift.lifting.network import Net, windowed
from kinelift.lifting.training_batch import Batch, Framing
from kinelift.models.temporal import TemporalNet
from kinelift.poses import Skeleton

NEAREST = 0.5
"""Metres: the trajectory loss weighs no root as if it were nearer."""


class Networks(nn.Module):
    """The network in window form and, where roots are learned too, the trajectory network beside it."""

    def __init__(self, net: Net, trajectory: TemporalNet | None) -> None:
        super().__init__()
        self.net, self.trajectory = net, trajectory

    def forward(self, windows: Tensor, *clean: Tensor) -> tuple[Tensor, Tensor | None]:
        """(B, S, K, 3) positions and (B, S, 1, 3) roots. ``clean`` is for the two-stream lifter only."""
        roots = None if self.trajectory is None else windowed(self.trajectory)(windows)
        return windowed(self.net)(windows, *clean), roots


@dataclass(frozen=True)
class SemiSettings:
    """Learning from samples without truth (Pavllo et al. 2019, section 4)."""

    warmup: int = 1
    """Epochs before they count."""
    reprojection: float = 1.0
    """Weight of the distance between projected joints and keypoints, on the plane z = 1."""
    bones: float = 1.0
    """Weight of the difference between their mean bone lengths and those of the labelled samples."""


@dataclass(frozen=True, eq=False)
class Learner:
    """Turns batches into weighted losses. ``model`` is ``Networks``, maybe wrapped for a device."""

    model: nn.Module
    framing: Framing
    normalisation: str
    objective: Objective
    trajectory: float
    semi: SemiSettings
    source: Skeleton
    target: Skeleton
    twofold: bool
    """The network looks at clean keypoints too."""

    def terms(self, batch: Batch) -> Mapping[str, Tensor]:
        """Supervised terms: those of the objective, and that of the trajectory where one is learned."""
        positions, roots = self.answer(batch, self.model)
        return self._supervised(positions, roots, batch)

    def mixed_terms(self, batch: Batch, unlabelled: Batch) -> Mapping[str, Tensor]:
        """The terms of ``batch``, and what ``unlabelled`` says without its truth. One pass: norms see both halves."""
        both = Batch(*(torch.cat([getattr(b, name) for b in (batch, unlabelled)]) for name in vars(batch)))
        positions, roots = self.answer(both, self.model)
        assert roots is not None, "semi-supervised training needs a trajectory network"
        known = len(batch.points)
        found = self._supervised(positions[:known], roots[:known], batch)
        shared = [j for j, name in enumerate(self.target.joints) if name in self.source.joints]
        keypoints = [self.source.joints.index(self.target.joints[j]) for j in shared]
        answered = self.framing.target_slice
        placed = positions[known:, :, shared] + roots[known:, :, None]
        rays, seen = unlabelled.rays[:, answered][:, :, keypoints], unlabelled.visible[:, answered][:, :, keypoints]
        return {
            **found,
            "reprojection": self.semi.reprojection * reprojection(placed, rays, seen),
            "bones": self.semi.bones * bone_difference(positions[:known], positions[known:], self.target),
        }

    def answer(self, batch: Batch, model: nn.Module) -> tuple[Float[Tensor, "B N K 3"], Float[Tensor, "B N 3"] | None]:
        """Positions (root-relative) and roots, metres, camera axes, of every answered frame."""
        normalise, framing = normalisation(self.normalisation), self.framing
        seen = framing.windows(batch.visible)
        windows, rotation = normalise(framing.windows(batch.points), seen)
        positions, roots = model(windows, *(self._clean(batch) if self.twofold else ()))
        back = rotation[:, framing.first : framing.first + framing.outputs]
        shape = len(batch.points), framing.targets
        answers = (positions.float() @ back).reshape(*shape, -1, 3)
        return answers, None if roots is None else (roots.float() @ back).reshape(*shape, 3)

    def _clean(self, batch: Batch) -> tuple[Tensor]:
        """What the network sees of clean keypoints."""
        clean = self.framing.windows(batch.clean)
        return (normalisation(self.normalisation)(clean, clean.isfinite().all(-1))[0],)

    def _supervised(self, positions: Tensor, roots: Tensor | None, batch: Batch) -> Mapping[str, Tensor]:
        found = self.objective(positions, batch.target)
        if roots is None:
            return found
        weight = 1 / batch.root[..., 2].clamp_min(NEAREST)
        error = weighted_mpjpe(roots[:, :, None], batch.root[:, :, None], weight)
        return {**found, "trajectory": self.trajectory * error}
