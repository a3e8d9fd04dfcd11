"""What a body visibly does in each frame of motion capture: metres, world axes with y up, even frame rate."""

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
class ObservedMotion:
    """One clip: h36m17 joints in world metres, y up, at ``rate`` frames per second."""

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
    def thigh_angles(self) -> Float[np.ndarray, "T 2"]:
        """Angle of each thigh to the vertical, in degrees; 0 when it hangs straight down."""
        thighs = self.left_and_right("knee", self.points) - self.left_and_right("hip", self.points)
        cosines = np.clip(-thighs[..., 1] / np.linalg.norm(thighs, axis=-1), -1, 1)
        angles: Float[np.ndarray, "T 2"] = np.degrees(np.arccos(cosines))
        return angles

    def left_and_right(self, part: str, values: Float[np.ndarray, "T J *more"]) -> Float[np.ndarray, "T 2 *more"]:
        """Values of the left and the right joint of a body part."""
        return values[:, [_LEFT[part], _RIGHT[part]]]

    def frames(self, seconds: float) -> int:
        """``seconds`` in frames, at least one."""
        return max(1, round(seconds * self.rate))

    def around(self, mask: Bool[np.ndarray, " T"], seconds: float) -> Bool[np.ndarray, " T"]:
        """``mask`` and all frames within ``seconds`` of it."""
        return binary_dilation(mask, np.ones(2 * self.frames(seconds) + 1, bool))


Evidence = Callable[[ObservedMotion], Bool[np.ndarray, " T"]]


def moving(motion: ObservedMotion) -> Bool[np.ndarray, " T"]:
    """The whole body moves, or does within half a second."""
    return motion.around(motion.speeds.mean(axis=1) > 0.25, 0.5)


def travelling(motion: ObservedMotion) -> Bool[np.ndarray, " T"]:
    """The hip moves."""
    moves: Bool[np.ndarray, " T"] = motion.speeds[:, _HIP] > 0.25
    return moves


def seated(motion: ObservedMotion) -> Bool[np.ndarray, " T"]:
    """Both thighs point well forward, and the hip and a foot are at rest."""
    resting = (motion.speeds[:, _HIP] < 0.25) & (motion.left_and_right("ankle", motion.speeds).min(axis=1) < 0.25)
    sits: Bool[np.ndarray, " T"] = resting & (motion.thigh_angles.mean(axis=1) > 40)
    return sits


def upright(motion: ObservedMotion) -> Bool[np.ndarray, " T"]:
    """Both thighs hang down and both feet are at rest; the arms may do anything."""
    resting = motion.left_and_right("ankle", motion.speeds).max(axis=1) < 0.2
    stands: Bool[np.ndarray, " T"] = resting & (motion.thigh_angles.max(axis=1) < 25)
    return stands


def airborne(motion: ObservedMotion) -> Bool[np.ndarray, " T"]:
    """The hip is in free fall, as it is from take-off to landing, or is within 0.4 s."""
    if len(motion) < 7:
        return np.zeros(len(motion), bool)
    acceleration = savgol_filter(motion.points[:, _HIP, 1], 7, 2, deriv=2, delta=1 / motion.rate)
    return motion.around(acceleration < -6, 0.4)


def kicking(motion: ObservedMotion) -> Bool[np.ndarray, " T"]:
    """A foot swings at close to the clip's highest speed, or does within 0.4 s."""
    swing = motion.left_and_right("ankle", motion.speeds).max(axis=1)
    return motion.around(swing > 0.7 * swing.max(), 0.4)


def punching(motion: ObservedMotion) -> Bool[np.ndarray, " T"]:
    """A hand is faster than 1.5 m/s, or is within 0.4 s."""
    return motion.around(motion.left_and_right("wrist", motion.speeds).max(axis=1) > 1.5, 0.4)


def signalling(motion: ObservedMotion) -> Bool[np.ndarray, " T"]:
    """Standing, with a hand that moves or is above the hip, or is within 0.3 s."""
    signals: Bool[np.ndarray, " T"] = upright(motion) & motion.around(_busy_hands(motion), 0.3)
    return signals


def idle(motion: ObservedMotion) -> Bool[np.ndarray, " T"]:
    """Standing, with both hands down and at rest."""
    idles: Bool[np.ndarray, " T"] = upright(motion) & ~motion.around(_busy_hands(motion), 0.3)
    return idles


def _busy_hands(motion: ObservedMotion) -> Bool[np.ndarray, " T"]:
    raised = motion.left_and_right("wrist", motion.points)[..., 1] - motion.points[:, _HIP, 1, None] > 0.25
    busy: Bool[np.ndarray, " T"] = ((motion.left_and_right("wrist", motion.speeds) > 0.4) | raised).any(axis=1)
    return busy
