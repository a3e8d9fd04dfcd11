"""What a tracker trusts, how far it looks and how long it remembers."""

from dataclasses import dataclass, fields

from kinelift.poses.errors import SettingsError


@dataclass(frozen=True)
class TrackerSettings:
    """Thresholds of a ``Tracker``. Times are seconds, so they hold at any frame rate, also a varying one.

    ``start``: confidence (0–1) from which a detection may begin a track.
    ``weak``: confidence from which a detection may continue one.
    ``joint``: score (0–1) below which a joint counts as not seen.
    ``memory``: longest time that a person may be hidden and keep the id.
    ``patience``: the same for somebody who has no id yet.
    ``probation``: time for which a person must be followed before they get an id.
    ``typical``: confidence that half of their sightings must have by then.
    ``fill``: longest gap of a joint, from sighting to sighting, that is interpolated.
    ``reach``: distance between prediction and detection that is accepted at once, in body scales
    (half the diagonal of the person's box, about half the height of somebody who stands).
    ``stray``: by how much that distance grows with the time unseen, in body scales a second, up to two scales; twice
    as fast for somebody who was seen once, whose velocity nobody knows.
    ``nearness``: what a body scale of distance counts beside one minus the keypoint similarity.
    ``agility``: time over which a person's velocity is averaged.
    ``inertia``: time in which somebody unseen is assumed to lose 63 % of their velocity.
    """

    start: float = 0.3
    weak: float = 0.1
    joint: float = 0.2
    memory: float = 1.5
    patience: float = 0.3
    probation: float = 0.3
    typical: float = 0.2
    fill: float = 0.4
    reach: float = 0.25
    stray: float = 2.0
    nearness: float = 0.5
    agility: float = 0.15
    inertia: float = 1.0

    def __post_init__(self) -> None:
        for name in ("start", "weak", "joint", "typical"):
            if not 0.0 <= getattr(self, name) <= 1.0:
                raise SettingsError(f"Tracker setting {name} is {getattr(self, name)}; it must lie between 0 and 1.")
        for field in fields(self):
            if not getattr(self, field.name) >= 0.0:
                raise SettingsError(
                    f"Tracker setting {field.name} is {getattr(self, field.name)}; it must be 0 or more."
                )
        if self.weak > self.start:
            raise SettingsError(f"Tracker setting weak ({self.weak}) must not be above start ({self.start}).")
