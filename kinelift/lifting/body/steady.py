"""A term for people who stand: they sway towards the camera about as much as across, which one view shows better."""

from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Bool, Float
from scipy.ndimage import gaussian_filter1d

from kinelift.lifting.body.fit_settings import FitSettings
from kinelift.poses import H36M21

SMOOTHING = 0.1
"""Seconds: standard deviation of the smoothing of paths before their movement is taken."""
TRUNK_AND_LEGS = [k for k, joint in enumerate(H36M21.joints) if not joint.endswith(("shoulder", "elbow", "wrist"))]
"""Joints by which somebody stands still or not; arms move about."""


@dataclass(frozen=True, eq=False)
class Steady:
    """How much the root may move along the ray from the camera, in one window."""

    ray: Float[np.ndarray, "T 3"]
    """The unit vector from the camera to the root."""
    precision: Float[np.ndarray, " T"]
    """Inverse variance (1/m²) of the movement along ``ray`` to the next frame; 0 where it is free, and at the end."""

    @classmethod
    def of(
        cls,
        joints: Float[np.ndarray, "T J 3"],
        stands: Bool[np.ndarray, " T"],
        intervals: Float[np.ndarray, " T"],
        settings: FitSettings,
    ) -> "Steady":
        """The term where somebody stands.

        Args:
            joints: An estimate of the joints in the camera frame, metres, in the order of h36m21.
            stands: Whether the person stands.
            intervals: Seconds to the next frame; infinite if that does not follow, and in the last frame.
            settings: How much somebody sways.
        """
        root = joints[:, H36M21.root]
        linked = np.isfinite(intervals) & stands & np.roll(stands, -1)
        seconds = np.where(linked, intervals, 1.0)
        frames = SMOOTHING / float(np.median(intervals[linked])) if linked.any() else 1.0
        across = sum(_steps_across(joints[:, k], frames) for k in TRUNK_AND_LEGS) / len(TRUNK_AND_LEGS)
        variance = settings.sway**2 * seconds + (settings.isotropy * across) ** 2
        return cls(root / np.linalg.norm(root, axis=-1, keepdims=True), linked / variance)

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


def _steps_across(path: Float[np.ndarray, "T 3"], smoothing: float) -> Float[np.ndarray, " T"]:
    """Movement across the ray from the camera to the next frame, metres, of a joint whose path is smoothed first.

    Joint by joint, because a long track has no room for copies of all of them.
    """
    path = gaussian_filter1d(path, smoothing, axis=0, mode="nearest")
    ray = path / np.linalg.norm(path, axis=-1, keepdims=True)
    step = np.diff(path, axis=0, append=path[-1:])
    return np.asarray(np.linalg.norm(step - (step * ray).sum(-1, keepdims=True) * ray, axis=-1))
