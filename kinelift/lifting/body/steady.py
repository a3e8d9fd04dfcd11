"""A term for people who stand: they sway towards the camera about as much as across, which a single view shows better."""

from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Bool, Float
from scipy.ndimage import gaussian_filter1d

from kinelift.lifting.body.fit_settings import FitSettings

SMOOTHING = 0.1
"""Seconds: standard deviation of the smoothing of the root's path before its speed is taken."""
STANDS = 1.0
"""Seconds: a foot that rests for less may be a step."""


@dataclass(frozen=True, eq=False)
class Steady:
    """How much the root of one window may move along the ray from the camera."""

    ray: Float[np.ndarray, "T 3"]
    """The unit vector from the camera to the root."""
    precision: Float[np.ndarray, " T"]
    """Inverse variance (1/m²) of the movement along ``ray`` to the next frame; 0 where it is free, and at the end."""

    @classmethod
    def of(
        cls,
        joints: Float[np.ndarray, "T J 3"],
        contact: Bool[np.ndarray, "T 4"],
        intervals: Float[np.ndarray, " T"],
        settings: FitSettings,
    ) -> "Steady":
        """The term for somebody who stands where a foot rests for a long time.

        Args:
            joints: An estimate of all joints in the camera frame, metres; the first one is the root.
            contact: Whether heels and toes rest, in the order of ``structure.FEET``.
            intervals: Seconds to the next frame; infinite if that does not follow, and in the last frame.
            settings: How much somebody sways.
        """
        ray = joints / np.linalg.norm(joints, axis=-1, keepdims=True)
        stands = np.any([_long(contact[:, k : k + 2].any(1), intervals) for k in (0, 2)], axis=0)
        linked = np.isfinite(intervals) & stands & np.roll(stands, -1)
        seconds = np.where(linked, intervals, 1.0)
        typical = float(np.median(seconds[linked])) if linked.any() else 1.0
        smooth = gaussian_filter1d(joints, SMOOTHING / typical, axis=0, mode="nearest")
        step = np.diff(smooth, axis=0, append=smooth[-1:])
        across = np.linalg.norm(step - (step * ray).sum(-1, keepdims=True) * ray, axis=-1)[:, :11].mean(1)
        return cls(ray[:, 0], linked / (settings.sway**2 * seconds + (settings.isotropy * across) ** 2))

    def frames(self, start: int, stop: int) -> "Steady":
        """The frames from ``start`` to ``stop``."""
        precision = self.precision[start:stop].copy()
        precision[-1:] = 0
        return replace(self, ray=self.ray[start:stop], precision=precision)

    def value(self, root: Float[np.ndarray, "T 3"]) -> float:
        """The sum of the squares."""
        return float((self.precision[:-1] * np.square(self._steps(root))).sum())

    def add(self, root: Float[np.ndarray, "T 3"], blocks: tuple[np.ndarray, ...], gradient: np.ndarray) -> None:
        """Add to the normal equations."""
        ray, precision = self.ray[:-1], self.precision[:-1]
        outer = precision[:, None, None] * ray[:, :, None] * ray[:, None]
        pull = (precision * self._steps(root))[:, None] * ray
        blocks[0][:-1, :3, :3] += outer
        blocks[0][1:, :3, :3] += outer
        blocks[1][: len(outer), :3, :3] -= outer
        gradient[:-1, :3] -= pull
        gradient[1:, :3] += pull

    def _steps(self, root: Float[np.ndarray, "T 3"]) -> Float[np.ndarray, " S"]:
        """Movement along the ray to the next frame, metres."""
        return np.asarray((np.diff(root, axis=0) * self.ray[:-1]).sum(-1))


def _long(rests: Bool[np.ndarray, " T"], intervals: Float[np.ndarray, " T"]) -> Bool[np.ndarray, " T"]:
    """The part of ``rests`` in runs that last for ``STANDS``."""
    out = np.zeros(len(rests), dtype=bool)
    edges = np.flatnonzero(np.diff(np.concatenate([[False], rests, [False]]).astype(int)))
    for start, stop in edges.reshape(-1, 2):
        out[start:stop] = intervals[start : stop - 1].sum() >= STANDS
    return out
