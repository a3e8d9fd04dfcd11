"""What counts as a part, as a limb and as a person."""

from dataclasses import dataclass, fields

from kinelift.poses.errors import SettingsError


@dataclass(frozen=True)
class GroupingSettings:
    """Thresholds of the grouping, all 0-1 except ``joints`` and ``samples``.

    Args:
        peak: The least height of a maximum of a heat map that is a candidate for a part.
        along: The least component of the field along a limb, at a point of it, that supports the limb.
        support: The least share of a limb's points that must support it.
        samples: How many points of each limb are tested.
        joints: The fewest parts of a person.
        person: The least confidence of a person.

    Raises:
        SettingsError: A value is out of range.
    """

    peak: float = 0.1
    along: float = 0.05
    support: float = 0.8
    samples: int = 10
    joints: int = 4
    person: float = 0.1

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if field.name in ("joints", "samples"):
                if value < 1:
                    raise SettingsError(f"Grouping setting {field.name} is {value}; it must be 1 or more.")
            elif not 0.0 <= value <= 1.0:
                raise SettingsError(f"Grouping setting {field.name} is {value}; it must lie between 0 and 1.")
