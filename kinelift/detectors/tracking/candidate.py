"""One person under observation: what was seen of them, and where they are expected next."""

import math
from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Float

from kinelift.detectors.tracking.settings import TrackerSettings

_SIZE_MEMORY = 0.3
_FARTHEST = 2.0


@dataclass(frozen=True, eq=False)
class Sighting:
    """One person in one frame: ``points`` (J, 2) in pixels with NaN = not seen, ``scores`` (J,) with 0 = not seen,
    ``centre`` (2,) of the box and body ``scale`` in pixels, ``confidence`` 0–1, ``time`` in seconds.
    """

    frame: int
    time: float
    points: Float[np.ndarray, "J 2"]
    scores: Float[np.ndarray, " J"]
    centre: Float[np.ndarray, " 2"]
    scale: float
    confidence: float


@dataclass(eq=False)
class Candidate:
    """A person being followed: all their sightings, and a body that moves on with constant velocity.

    ``body`` holds the last known place of every joint, moved along with the person while the joint is unseen.
    ``clear`` counts the sightings of typical confidence; ``id`` is None while the person is on probation.
    """

    sightings: list[Sighting]
    settings: TrackerSettings
    id: int | None = None
    clear: int = field(init=False)
    body: Float[np.ndarray, "J 2"] = field(init=False)
    centre: Float[np.ndarray, " 2"] = field(init=False)
    velocity: Float[np.ndarray, " 2"] = field(init=False)
    scale: float = field(init=False)

    def __post_init__(self) -> None:
        first = self.sightings[0]
        self.body, self.centre, self.scale = first.points, first.centre, first.scale
        self.velocity = np.zeros(2)
        self.clear = self._is_clear(first)

    @property
    def duration(self) -> float:
        """Seconds from the first sighting to the last."""
        return self.sightings[-1].time - self.sightings[0].time

    def unseen(self, time: float) -> float:
        """Seconds since the last sighting."""
        return time - self.sightings[-1].time

    def forgotten(self, time: float) -> bool:
        """True once the person has been hidden for too long; who has no id yet is forgotten sooner."""
        return self.unseen(time) > (self.settings.patience if self.id is None else self.settings.memory)

    def reach(self, time: float) -> float:
        """How far from where they are expected they may be found, in body scales: up to about their height."""
        doubt = self.settings.stray * self.unseen(time) * (1 if self.duration else 2)
        return min(self.settings.reach + doubt, _FARTHEST)

    def travel(self, time: float) -> Float[np.ndarray, " 2"]:
        """Expected way in pixels since the last sighting, slowing down with ``inertia``."""
        inertia = max(self.settings.inertia, 1e-9)
        return self.velocity * inertia * -math.expm1(-self.unseen(time) / inertia)

    def see(self, sighting: Sighting, off: Float[np.ndarray, " 2"]) -> None:
        """Add a sighting that lies ``off`` pixels from where the body was expected."""
        gap = self.unseen(sighting.time)
        way = self.travel(sighting.time) + off
        weight = gap / (gap + min(self.duration, self.settings.agility))
        self.velocity = self.velocity + weight * (way / gap - self.velocity)
        self.body = np.where(np.isnan(sighting.points), self.body + way, sighting.points)
        self.centre = sighting.centre
        self.scale += (sighting.scale - self.scale) * gap / (gap + min(self.duration, _SIZE_MEMORY))
        self.clear += self._is_clear(sighting)
        self.sightings.append(sighting)

    def convinces(self, duration: float) -> bool:
        """True when the person was followed for at least ``duration`` seconds, and clearly enough, to get an id."""
        return self.duration >= duration and 2 * self.clear >= len(self.sightings)

    def _is_clear(self, sighting: Sighting) -> int:
        return int(sighting.confidence >= self.settings.typical)
