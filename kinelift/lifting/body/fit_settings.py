"""Weights of the terms of a fit, and its stopping criteria."""

from dataclasses import dataclass, fields
from math import isfinite

from kinelift.poses.errors import SettingsError


@dataclass(frozen=True)
class FitSettings:
    """Standard deviations and weights of the terms of the energy.

    Raises:
        SettingsError: A value is out of range.
    """

    keypoint: float = 0.015
    """Metres at the person's depth: standard deviation of a keypoint of score 1."""
    keypoint_outlier: float = 2.5
    """Standard deviations from which a keypoint counts as an outlier (Geman-McClure)."""
    filled: float = 0.1
    """Weight of an interpolated keypoint. The weight of a detected one is its score."""
    offsets: float = 0.35
    """Share of the detector's offsets from joint centres to correct for, from 0 to 1."""
    direction: float = 0.25
    """Radians: standard deviation of a bone's direction around the network's prediction."""
    direction_outlier: float = 2.0
    """Standard deviations from which the network's prediction counts as an outlier (Charbonnier)."""
    acceleration: float = 15.0
    """m/s²: standard deviation of the acceleration of joints relative to the root."""
    root_acceleration: tuple[float, float, float] = (15.0, 15.0, 4.0)
    """m/s²: standard deviation of the root's acceleration to the right, down, and away from the camera."""
    acceleration_outlier: float = 2.0
    """Standard deviations from which an acceleration counts as a jump or an impact (Charbonnier)."""
    knee: float = 0.6
    """Energy gained by a straight knee in one frame, in half squared standard deviations."""
    elbow: float = 0.5
    """The same for a straight elbow."""
    straight: float = 15.0
    """Degrees of flexion at which the pull towards a straight limb has fallen to 1/e."""
    limit: float = 5.0
    """Degrees: softness of the joint limits of knees and elbows."""
    foot: float = 0.1
    """Standard deviation of the cosine of the angle heel–ankle–toe."""
    planted: float = 0.03
    """m/s: standard deviation of the speed of a heel or toe that rests on the floor."""
    floor: float = 0.015
    """Metres: standard deviation of its height."""
    flight: float = 4.0
    """m/s²: standard deviation of the root's acceleration around free fall while nothing touches the floor."""
    sway: float = 0.02
    """m/√s: standard deviation of the root's movement away from the camera in a second, of somebody who stands."""
    isotropy: float = 1.0
    """And that movement as a share of the movement across at the same time."""
    placement: float = 0.06
    """Standard deviation of each log length in addition to the population's: keypoints are not joint centres."""
    views: float = 15.0
    """Independent views that a track counts as at most for its lengths: errors repeat in similar frames."""
    steps: int = 10
    """Maximum number of Gauss-Newton steps."""
    tolerance: float = 5e-4
    """Metres and radians: the fit has converged when no unknown changes more than this in a step."""
    gain: float = 0.01
    """Or when a step lowers the energy by less than this, in half squared standard deviations."""
    refinements: int = 2
    """Passes over the frames that have not converged."""
    window: int = 600
    """Frames solved at once."""
    margin: int = 8
    """Frames refined on either side of those that have not converged."""

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            for number in value if isinstance(value, tuple) else (value,):
                may_be_zero = field.name in ("filled", "offsets", "knee", "elbow", "placement", "refinements", "gain")
                if not (isfinite(number) and (number >= 0 if may_be_zero else number > 0)):
                    least = "0 or more" if may_be_zero else "a positive number"
                    raise SettingsError(f"The fit setting {field.name} is {value}. It must be {least}.")
