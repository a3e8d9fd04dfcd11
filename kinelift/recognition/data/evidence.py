"""What a body visibly does, frame by frame, in motion capture: metres, world axes with y up, even frame rate."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Bool, Float
from scipy.ndimage import binary_dilation, uniform_filter1d
from scipy.signal import savgol_filter

from kinelift.poses import H36M17

_LEFT, _RIGHT = (
    {part: H36M17.index(f"{side}_{part}") for part in ("hip", "knee", "ankle", "wrist")} for side in ("left", "right")
)
_HIP = H36M17.index("hip")


@dataclass(frozen=True, eq=False)
class Motion:
    """One clip: joints of h36m17 in world metres, y up, ``rate`` frames a second."""

    points: Float[np.ndarray, "T J 3"]
    rate: float

    def __len__(self) -> int:
        return len(self.points)

    @cached_property
    def speeds(self) -> Float[np.ndarray, "T J"]:
        """Speed of every joint in m/s, averaged over a sixth of a second."""
        velocity = np.gradient(self.points, axis=0) if len(self) > 1 else np.zeros_like(self.points)
        return uniform_filter1d(np.linalg.norm(velocity, axis=-1) * self.rate, self.frames(1 / 6), axis=0)

    @cached_property
    def thighs(self) -> Float[np.ndarray, "T 2"]:
        """Angle of both thighs from hanging straight down, in degrees."""
        thighs = self.both("knee", self.points) - self.both("hip", self.points)
        return np.degrees(np.arccos(np.clip(-thighs[..., 1] / np.linalg.norm(thighs, axis=-1), -1, 1)))

    def both(self, part: str, values: Float[np.ndarray, "T J *more"]) -> Float[np.ndarray, "T 2 *more"]:
        """The left and the right one of a joint."""
        return values[:, [_LEFT[part], _RIGHT[part]]]

    def frames(self, seconds: float) -> int:
        """``seconds`` in frames, at least one."""
        return max(1, round(seconds * self.rate))

    def around(self, mask: Bool[np.ndarray, " T"], seconds: float) -> Bool[np.ndarray, " T"]:
        """``mask`` and all frames within ``seconds`` of it."""
        return binary_dilation(mask, np.ones(2 * self.frames(seconds) + 1, bool))


Evidence = Callable[[Motion], Bool[np.ndarray, " T"]]


def moving(motion: Motion) -> Bool[np.ndarray, " T"]:
    """The body as a whole moves, or did or will within half a second."""
    return motion.around(motion.speeds.mean(axis=1) > 0.25, 0.5)


def travelling(motion: Motion) -> Bool[np.ndarray, " T"]:
    """The hip moves along."""
    return motion.speeds[:, _HIP] > 0.25


def seated(motion: Motion) -> Bool[np.ndarray, " T"]:
    """Both thighs point well forward and both the hip and the feet rest."""
    resting = (motion.speeds[:, _HIP] < 0.25) & (motion.both("ankle", motion.speeds).min(axis=1) < 0.25)
    return resting & (motion.thighs.mean(axis=1) > 40)


def upright(motion: Motion) -> Bool[np.ndarray, " T"]:
    """Both thighs hang and both feet rest; the arms may do anything."""
    return (motion.thighs.max(axis=1) < 25) & (motion.both("ankle", motion.speeds).max(axis=1) < 0.2)


def airborne(motion: Motion) -> Bool[np.ndarray, " T"]:
    """The hip falls freely, as it does from take-off to landing, or did or will within 0.4 s."""
    if len(motion) < 7:
        return np.zeros(len(motion), bool)
    acceleration = savgol_filter(motion.points[:, _HIP, 1], 7, 2, deriv=2, delta=1 / motion.rate)
    return motion.around(acceleration < -6, 0.4)


def kicking(motion: Motion) -> Bool[np.ndarray, " T"]:
    """A foot swings at close to the clip's highest speed, or did or will within 0.4 s."""
    swing = motion.both("ankle", motion.speeds).max(axis=1)
    return motion.around(swing > 0.7 * swing.max(), 0.4)


def punching(motion: Motion) -> Bool[np.ndarray, " T"]:
    """A hand is faster than 1.5 m/s, or was or will be within 0.4 s."""
    return motion.around(motion.both("wrist", motion.speeds).max(axis=1) > 1.5, 0.4)


def signalling(motion: Motion) -> Bool[np.ndarray, " T"]:
    """Standing, with a hand moving or held above the hip, or about to within 0.3 s."""
    return upright(motion) & motion.around(_busy_hands(motion), 0.3)


def idle(motion: Motion) -> Bool[np.ndarray, " T"]:
    """Standing with both hands down and at rest."""
    return upright(motion) & ~motion.around(_busy_hands(motion), 0.3)


def _busy_hands(motion: Motion) -> Bool[np.ndarray, " T"]:
    raised = motion.both("wrist", motion.points)[..., 1] - motion.points[:, _HIP, 1, None] > 0.25
    return ((motion.both("wrist", motion.speeds) > 0.4) | raised).any(axis=1)
