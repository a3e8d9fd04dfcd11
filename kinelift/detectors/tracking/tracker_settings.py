"""What a tracker accepts, how far it searches and how long it remembers."""

from dataclasses import dataclass, fields

from kinelift.poses.errors import SettingsError


@dataclass(frozen=True)
class TrackerSettings:
    """Thresholds of a ``Tracker``. Times are in seconds, so they hold at any frame rate, also a varying one.

    At low frame rates a second has too few frames: how long somebody may be hidden, and the longest gap, are never less
    than ``fewest_frames``.

    Args:
        high_confidence: From which on a detection may start a tracklet, 0-1.
        low_confidence: From which on a detection may continue one, 0-1.
        joint_score: Below which a joint counts as not seen, 0-1.
        longest_hidden: How long a person may be hidden and keep the id.
        longest_hidden_tentative: The same for somebody who has no id yet.
        longest_gap: The longest gap of a joint, from observation to observation, that is interpolated.
        fewest_frames: The least of the three limits above, in frames at the rate of the last frames. With 2.5, one
            missed frame never ends a track. It has no effect from 10 frames per second on.
        probation: How long a person must be followed before they get an id.
        typical_confidence: What half of their observations must reach by then, 0-1.
        gate: The distance between prediction and detection that is always accepted, in body scales (half the diagonal
            of the person's box, about half the height of somebody who stands).
        gate_growth: How much that distance grows while a person is hidden, in body scales a second, up to two scales;
            twice as fast for somebody who was observed once, whose velocity is unknown.
        distance_weight: The cost of one body scale of distance, beside 1 - OKS.
        velocity_window: The time over which a person's velocity is averaged.
        velocity_decay: The time in which somebody hidden is assumed to lose 63 % of their velocity.

    Raises:
        SettingsError: A value is out of range.
    """

    high_confidence: float = 0.3
    low_confidence: float = 0.1
    joint_score: float = 0.2
    longest_hidden: float = 1.5
    longest_hidden_tentative: float = 0.3
    probation: float = 0.3
    typical_confidence: float = 0.2
    longest_gap: float = 0.4
    fewest_frames: float = 2.5
    gate: float = 0.25
    gate_growth: float = 2.0
    distance_weight: float = 0.5
    velocity_window: float = 0.15
    velocity_decay: float = 1.0

    def __post_init__(self) -> None:
        for name in ("high_confidence", "low_confidence", "joint_score", "typical_confidence"):
            if not 0.0 <= getattr(self, name) <= 1.0:
                raise SettingsError(f"Tracker setting {name} is {getattr(self, name)}; it must lie between 0 and 1.")
        for field in fields(self):
            if not getattr(self, field.name) >= 0.0:
                raise SettingsError(
                    f"Tracker setting {field.name} is {getattr(self, field.name)}; it must be 0 or more."
                )
        if self.low_confidence > self.high_confidence:
            raise SettingsError(
                f"Tracker setting low_confidence ({self.low_confidence}) must not be above high_confidence "
                f"({self.high_confidence})."
            )
