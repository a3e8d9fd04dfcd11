"""How much a fit trusts what."""

from dataclasses import dataclass, fields
from math import isfinite

from kinelift.poses.errors import SettingsError


@dataclass(frozen=True)
class FitSettings:
    """Standard deviations and weights of the terms of the energy. Raises ``SettingsError`` for values out of range."""

    keypoint: float = 0.015
    """Metres at the person's depth: keypoints of score 1 around where they should be."""
    keypoint_outlier: float = 2.5
    """Standard deviations from which a keypoint counts as a mistake (Geman-McClure)."""
    filled: float = 0.1
    """Weight of an interpolated keypoint; a seen one has its score."""
    offsets: float = 0.35
    """Share of the distance from joint centres to where a detector places keypoints that is made up for: 0 to 1."""
    direction: float = 0.25
    """Radians: bones around their directions in the network's answer."""
    direction_outlier: float = 2.0
    """Standard deviations from which the network's answer counts as a mistake (Charbonnier)."""
    acceleration: float = 15.0
    """m/s²: of joints relative to the root."""
    root_acceleration: tuple[float, float, float] = (15.0, 15.0, 4.0)
    """m/s²: of the root to the right, down, and away from the camera."""
    acceleration_outlier: float = 2.0
    """Standard deviations from which an acceleration is a jump or a blow (Charbonnier)."""
    knee: float = 0.6
    """What a straight knee is worth in a frame, in units of energy: half a squared standard deviation."""
    elbow: float = 0.5
    """What a straight elbow is worth."""
    straight: float = 15.0
    """Degrees: the pull of straight limbs has e-folded at this flexion."""
    limit: float = 5.0
    """Degrees: how sharp the limits of knees and elbows are."""
    placement: float = 0.06
    """Standard deviation of the log of each length beyond people's: keypoints do not lie at joint centres."""
    views: float = 15.0
    """Independent views of a person's lengths that a track is worth at most: a network errs alike in alike frames."""
    steps: int = 10
    """Gauss-Newton steps at most."""
    tolerance: float = 5e-4
    """Metres and radians: the fit has ended when no step is larger."""
    window: int = 600
    """Frames solved at once."""
    margin: int = 8
    """Frames around those that would still move that are solved again with them."""

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            for number in value if isinstance(value, tuple) else (value,):
                free = field.name in ("filled", "offsets", "knee", "elbow", "placement")
                if not (isfinite(number) and (number >= 0 if free else number > 0)):
                    raise SettingsError(f"{field.name} of a fit is {value}; give a positive number.")
