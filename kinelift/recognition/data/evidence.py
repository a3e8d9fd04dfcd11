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
_HIP, _THORAX = H36M17.index("hip"), H36M17.index("thorax")


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
        return _angles(thighs, np.broadcast_to([0.0, -1.0, 0.0], thighs.shape))

    @cached_property
    def knee_flexions(self) -> Float[np.ndarray, "T 2"]:
        """Flexion of each knee in degrees; 0 when the leg is straight."""
        knees = self.left_and_right("knee", self.points)
        thighs, shanks = (
            knees - self.left_and_right("hip", self.points),
            self.left_and_right("ankle", self.points) - knees,
        )
        return _angles(thighs, shanks)

    @cached_property
    def pitch(self) -> Float[np.ndarray, " T"]:
        """Angle of the trunk to the vertical, in degrees; 0 when upright."""
        trunk = self.points[:, _THORAX] - self.points[:, _HIP]
        return _angles(trunk, np.broadcast_to([0.0, 1.0, 0.0], trunk.shape))

    @cached_property
    def heights(self) -> Float[np.ndarray, "T J"]:
        """Height of every joint over the lowest joint of the clip, in metres."""
        heights: Float[np.ndarray, "T J"] = self.points[..., 1] - self.points[..., 1].min()
        return heights

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
    """Trunk and thighs are vertical and both feet are at rest; the arms may do anything."""
    resting = motion.left_and_right("ankle", motion.speeds).max(axis=1) < 0.2
    stands: Bool[np.ndarray, " T"] = resting & (motion.thigh_angles.max(axis=1) < 25) & (motion.pitch < 30)
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
    """Standing, with both hands below the chest and at rest."""
    raised = motion.left_and_right("wrist", motion.points)[..., 1] > motion.points[:, _THORAX, 1, None]
    busy = np.asarray(((motion.left_and_right("wrist", motion.speeds) > 0.4) | raised).any(axis=1))
    idles: Bool[np.ndarray, " T"] = upright(motion) & ~motion.around(busy, 0.3)
    return idles


def squatting(motion: ObservedMotion) -> Bool[np.ndarray, " T"]:
    """Both knees are clearly bent over feet that stay where they are, and the trunk is upright; or within 0.2 s."""
    bent = (motion.knee_flexions.min(axis=1) > 45) & (motion.pitch < 60)
    return motion.around(bent & _planted(motion), 0.2)


def bending(motion: ObservedMotion) -> Bool[np.ndarray, " T"]:
    """Over feet that stay where they are, the trunk is bent forward or a hand is low; or within 0.2 s."""
    low = motion.left_and_right("wrist", motion.heights).min(axis=1) < 0.45
    return motion.around(((motion.pitch > 45) | low) & _planted(motion), 0.2)


def lying(motion: ObservedMotion) -> Bool[np.ndarray, " T"]:
    """The trunk is nearly level, and hip and chest are close to the lowest point of the clip."""
    low = motion.heights[:, [_HIP, _THORAX]].max(axis=1) < 0.45
    lies: Bool[np.ndarray, " T"] = low & (np.abs(motion.pitch - 90) < 35)
    return lies


def throwing(motion: ObservedMotion) -> Bool[np.ndarray, " T"]:
    """A hand moves at close to the clip's highest speed, above the hip, or does within 0.4 s."""
    raised = motion.left_and_right("wrist", motion.points)[..., 1] > motion.points[:, _HIP, 1, None]
    swing = (motion.left_and_right("wrist", motion.speeds) * raised).max(axis=1)
    return motion.around(np.asarray(swing > 0.7 * swing.max()), 0.4)


def _planted(motion: ObservedMotion) -> Bool[np.ndarray, " T"]:
    planted: Bool[np.ndarray, " T"] = motion.left_and_right("ankle", motion.speeds).max(axis=1) < 0.3
    return planted


def _angles(a: Float[np.ndarray, "*N 3"], b: Float[np.ndarray, "*N 3"]) -> Float[np.ndarray, "*N"]:
    """Angles between vectors, in degrees."""
    lengths = np.linalg.norm(a, axis=-1) * np.linalg.norm(b, axis=-1)
    angles: Float[np.ndarray, "*N"] = np.degrees(np.arccos(np.clip((a * b).sum(axis=-1) / lengths, -1, 1)))
    return angles


def _busy_hands(motion: ObservedMotion) -> Bool[np.ndarray, " T"]:
    raised = motion.left_and_right("wrist", motion.points)[..., 1] - motion.points[:, _HIP, 1, None] > 0.25
    busy: Bool[np.ndarray, " T"] = ((motion.left_and_right("wrist", motion.speeds) > 0.4) | raised).any(axis=1)
    return busy
