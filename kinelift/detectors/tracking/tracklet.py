"""One person who is followed: what was observed, and where they are predicted to be next."""

import math
from array import array
from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Float, Int

from kinelift.detectors.tracking.tracker_settings import TrackerSettings

_SIZE_WINDOW = 0.3
"""Seconds over which a person's size is averaged."""
_LARGEST_GATE = 2.0


@dataclass(frozen=True, eq=False)
class Observation:
    """One person in one frame.

    Args:
        frame: The frame's index.
        time: Its time, s.
        points: Positions of the joints, px; NaN = not seen.
        scores: Confidence of the joints, 0-1; 0 = not seen.
        centre: The middle of the box, px.
        scale: The body scale, px, see ``body_scales``.
        confidence: That of the detection, 0-1.
    """

    frame: int
    time: float
    points: Float[np.ndarray, "J 2"]
    scores: Float[np.ndarray, " J"]
    centre: Float[np.ndarray, " 2"]
    scale: float
    confidence: float


class History:
    """Where a person was observed. It is all that grows with a video: 12 bytes a joint, in arrays without objects."""

    def __init__(self) -> None:
        self._frames, self._points, self._scores = array("q"), array("f"), array("f")

    def __len__(self) -> int:
        return len(self._frames)

    @staticmethod
    def of(observations: Iterable[Observation]) -> "History":
        """The history of these observations, in order of time."""
        history = History()
        for observation in observations:
            history.add(observation)
        return history

    def add(self, observation: Observation) -> None:
        """Add the next one."""
        self._frames.append(observation.frame)
        self._points.frombytes(observation.points.astype(np.float32).tobytes())
        self._scores.frombytes(observation.scores.astype(np.float32).tobytes())

    @property
    def frames(self) -> Int[np.ndarray, " N"]:
        """The frame of each observation."""
        return np.array(self._frames, np.int64)

    @property
    def points(self) -> Float[np.ndarray, "N J 2"]:
        """Positions of the joints, px; NaN = not seen."""
        return np.frombuffer(self._points, np.float32).reshape(len(self), -1, 2)

    @property
    def scores(self) -> Float[np.ndarray, "N J"]:
        """Confidence of the joints, 0-1; 0 = not seen."""
        return np.frombuffer(self._scores, np.float32).reshape(len(self), -1)


@dataclass(eq=False)
class Tracklet:
    """A person who is followed: where they were, and a body that moves on at constant velocity.

    ``body`` holds the last known position of every joint, which moves along with the person while the joint is unseen.
    ``confident`` counts the observations of typical confidence. ``id`` is None while the person is tentative.
    """

    first: Observation
    settings: TrackerSettings
    id: int | None = None
    last: Observation = field(init=False)
    history: History = field(init=False, default_factory=History)
    confident: int = field(init=False)
    body: Float[np.ndarray, "J 2"] = field(init=False)
    centre: Float[np.ndarray, " 2"] = field(init=False)
    velocity: Float[np.ndarray, " 2"] = field(init=False)
    scale: float = field(init=False)

    def __post_init__(self) -> None:
        first = self.last = self.first
        self.history.add(first)
        self.body, self.centre, self.scale = first.points, first.centre, first.scale
        self.velocity = np.zeros(2)
        self.confident = self._is_confident(first)

    @property
    def duration(self) -> float:
        """Seconds from the first observation to the last."""
        return self.last.time - self.first.time

    def unseen(self, time: float) -> float:
        """Seconds since the last observation."""
        return time - self.last.time

    def has_expired(self, time: float, interval: float) -> bool:
        """Whether the person was hidden for too long; a tentative one expires sooner.

        Args:
            time: The time of this frame, s.
            interval: The usual time between two frames, s.
        """
        limit = self.settings.longest_hidden_tentative if self.id is None else self.settings.longest_hidden
        return self.unseen(time) > max(limit, self.settings.fewest_frames * interval)

    def gate(self, time: float) -> float:
        """How far from the prediction an observation may be, in body scales: up to about the person's height."""
        growth = self.settings.gate_growth * self.unseen(time) * (1 if self.duration else 2)
        return min(self.settings.gate + growth, _LARGEST_GATE)

    def predicted_motion(self, time: float) -> Float[np.ndarray, " 2"]:
        """The displacement, px, that is expected since the last observation; it slows down with ``velocity_decay``."""
        decay = max(self.settings.velocity_decay, 1e-9)
        return self.velocity * decay * -math.expm1(-self.unseen(time) / decay)

    def update(self, observation: Observation, displacement: Float[np.ndarray, " 2"]) -> None:
        """Add an observation that lies ``displacement`` pixels from the predicted position."""
        gap = self.unseen(observation.time)
        motion = self.predicted_motion(observation.time) + displacement
        weight = gap / (gap + min(self.duration, self.settings.velocity_window))
        self.velocity = self.velocity + weight * (motion / gap - self.velocity)
        self.body = np.where(np.isnan(observation.points), self.body + motion, observation.points)
        self.centre = observation.centre
        self.scale += (observation.scale - self.scale) * gap / (gap + min(self.duration, _SIZE_WINDOW))
        self.confident += self._is_confident(observation)
        self.history.add(observation)
        self.last = observation

    def is_confirmed(self, duration: float) -> bool:
        """Whether the person was followed for ``duration`` seconds, with half of the observations confident enough."""
        return self.duration >= duration and 2 * self.confident >= len(self.history)

    def _is_confident(self, observation: Observation) -> int:
        return int(observation.confidence >= self.settings.typical_confidence)
