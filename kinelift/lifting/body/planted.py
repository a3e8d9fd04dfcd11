"""Terms for feet on the floor: a planted heel or toe stays where it is, at the height of the floor."""

from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Bool, Float

from kinelift.lifting.body.fit_settings import FitSettings
from kinelift.lifting.body.robust import charbonnier
from kinelift.lifting.body.structure import FEET, SEGMENT, chains

_CHAINS = chains()[list(FEET)]
_SEGMENT = list(SEGMENT)
OUTLIER = 2.0
"""Standard deviations from which a foot that is not planted pulls less (Charbonnier)."""

Tangents = Float[np.ndarray, "T D 2 3"]


@dataclass(frozen=True, eq=False)
class Planted:
    """The contacts of one window of frames. Feet are in the order of ``structure.FEET``."""

    weight: Float[np.ndarray, "T 4"]
    """How certain a contact is, 0-1."""
    intervals: Float[np.ndarray, " T"]
    """Seconds to the next frame; infinite if that does not follow, and in the last frame."""
    height: Float[np.ndarray, "T 4"]
    """Where the floor lets a foot's joint be, at the least, in metres from the camera along ``up``; NaN if unknown."""
    up: Float[np.ndarray, " 3"]
    """The direction up in camera axes."""
    flight: Bool[np.ndarray, " T"]
    """Whether the body is in the air in a frame, the one before and the next."""

    def frames(self, start: int, stop: int) -> "Planted":
        """The frames from ``start`` to ``stop``."""
        intervals = self.intervals[start:stop].copy()
        intervals[-1:] = np.inf
        cut = {name: getattr(self, name)[start:stop] for name in ("weight", "height", "flight")}
        return replace(self, **cut, intervals=intervals)

    def value(
        self,
        root: Float[np.ndarray, "T 3"],
        directions: Float[np.ndarray, "T D 3"],
        lengths: Float[np.ndarray, " L"],
        settings: FitSettings,
    ) -> float:
        """The sum of the robust squares."""
        feet = _feet(root, directions, lengths)
        _, _, steps = self._steps(feet, settings)
        _, _, heights = self._heights(feet, settings)
        return float(steps.sum() + heights.sum())

    def add(
        self,
        root: Float[np.ndarray, "T 3"],
        directions: Float[np.ndarray, "T D 3"],
        lengths: Float[np.ndarray, " L"],
        tangents: Tangents,
        settings: FitSettings,
        blocks: tuple[np.ndarray, ...],
        gradient: np.ndarray,
    ) -> None:
        """Add to the normal equations. Lengths count as constant."""
        feet, size = _feet(root, directions, lengths), blocks[0].shape[-1]
        jacobian = np.zeros((len(feet), len(FEET), 3, size))
        jacobian[..., :3] = np.eye(3)
        by_tangent = _CHAINS[:, :, None, None] * (lengths[_SEGMENT, None, None] * tangents)[:, None]
        jacobian[..., 3:] = by_tangent.reshape(*jacobian.shape[:2], -1, 3).transpose(0, 1, 3, 2)
        rows, transposed = jacobian.reshape(-1, 12, size), jacobian.reshape(-1, 12, size).transpose(0, 2, 1)
        step, weight, _ = self._steps(feet, settings)
        square = np.broadcast_to(weight**2, step.shape).reshape(-1, 12)
        force, total = square * step.reshape(-1, 12), np.zeros((len(feet), 12))
        total[:-1] += square
        total[1:] += square
        blocks[0][:] += transposed @ (total[..., None] * rows)
        blocks[1][:-1] -= transposed[1:] @ (square[..., None] * rows[:-1])
        gradient[:-1, :size] -= (force[:, None] @ rows[:-1])[:, 0]
        gradient[1:, :size] += (force[:, None] @ rows[1:])[:, 0]
        rise, weight, _ = self._heights(feet, settings)
        upward = weight[..., None] * (self.up @ jacobian)
        blocks[0][:] += upward.transpose(0, 2, 1) @ upward
        gradient[:, :size] += ((weight * rise)[:, None] @ upward)[:, 0]

    def _steps(
        self, feet: Float[np.ndarray, "T 4 3"], settings: FitSettings
    ) -> tuple[Float[np.ndarray, "S 4 3"], Float[np.ndarray, "S 4 1"], Float[np.ndarray, "S 4"]]:
        """Movement of each foot to the next frame (metres), the root of its weight (1/m), and its energy."""
        step, scale = np.diff(feet, axis=0), 1 / (settings.planted * self.intervals[:-1, None])
        contact = np.minimum(self.weight[:-1], self.weight[1:])
        energy, robust = charbonnier(np.square(step).sum(-1) * scale**2, OUTLIER)
        return step, (np.sqrt(contact * robust) * scale)[..., None], contact * energy

    def _heights(
        self, feet: Float[np.ndarray, "T 4 3"], settings: FitSettings
    ) -> tuple[Float[np.ndarray, "T 4"], Float[np.ndarray, "T 4"], Float[np.ndarray, "T 4"]]:
        """Height of each foot over its place on the floor (metres), the root of its weight (1/m), and its energy.

        Nothing goes through the floor, whether it rests or not.
        """
        rise = np.nan_to_num(feet @ self.up - self.height)
        weight = np.where(rise < 0, 1.0, self.weight)
        energy, robust = charbonnier(np.square(rise / settings.floor), OUTLIER)
        return rise, np.sqrt(weight * robust) / settings.floor, weight * energy


def _feet(
    root: Float[np.ndarray, "T 3"], directions: Float[np.ndarray, "T D 3"], lengths: Float[np.ndarray, " L"]
) -> Float[np.ndarray, "T 4 3"]:
    feet: Float[np.ndarray, "T 4 3"] = root[:, None] + _CHAINS @ (lengths[_SEGMENT, None] * directions)
    return feet
