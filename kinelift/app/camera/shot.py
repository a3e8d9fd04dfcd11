"""How the camera is turned from picture to picture, as long as they show the same surroundings."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import Enum

import numpy as np
from jaxtyping import Float, UInt8

from kinelift.app.camera.keyframe import Keyframe, View
from kinelift.app.camera.rotation_fit import agreeing, align, angle, fit_rotation, zoomed

TOLERANCE = 1.0
"""Pixels of a small picture within which a feature agrees with a rotation."""
MIN_FEATURES = 12
"""A rotation needs as many features that agree with it."""
MOVING_SHARE = 0.4
"""Share of the picture's cells in which a feature must agree with a rotation."""
STILL_SHARE = 0.2
"""Share of the cells in which a feature stays in place if the camera is still. In others may be a crowd, or water."""
ADVANTAGE = 2.5
"""A rotation must explain that many times more cells than a still camera."""
NEAR = 3.0
"""Multiple of the tolerance up to which a still camera's rotation is measured, rather than taken to be none."""
OVERLAP = 0.6
"""A new keyframe is made when less than this share of the nearest one's features is in the picture."""
AGREEMENT = 0.5
"""A new keyframe is also made when less than this share of the cells agrees with the rotation."""
MAX_KEYFRAMES = 100
"""The first one and the latest others are kept."""
MAX_TRIED = 3
"""Keyframes, the nearest first, that a picture is compared with until one explains it."""


class State(Enum):
    """What a picture tells."""

    STILL = "the camera is turned as at the beginning of the shot"
    TURNED = "the camera is turned otherwise"
    LOST = "no rotation explains the picture"
    BLIND = "the background has too few features"


@dataclass(frozen=True, eq=False)
class _Answer:
    """What one keyframe tells of a picture: how much of it is in the picture, and how much agrees with the rotation."""

    state: State
    rotation: Float[np.ndarray, "3 3"] = field(default_factory=lambda: np.full((3, 3), np.nan))
    overlap: float = 1.0
    agreement: float = 1.0


@dataclass
class ShotRotations:
    """The pictures of one shot, and the rotation of each: camera axes → axes of the camera in the first picture.

    Args:
        view: The camera.
        generator: Draws the features that are tried.
    """

    view: View
    generator: np.random.Generator
    rotations: list[Float[np.ndarray, "3 3"]] = field(default_factory=list)
    states: list[State] = field(default_factory=list)
    _keyframes: list[Keyframe] = field(default_factory=list)
    _previous: tuple[UInt8[np.ndarray, "h w"], UInt8[np.ndarray, "h w"]] | None = None
    _latest: Float[np.ndarray, "3 3"] = field(default_factory=lambda: np.eye(3))

    def add(self, picture: UInt8[np.ndarray, "h w"], background: UInt8[np.ndarray, "h w"]) -> State:
        """Estimate the rotation of the next picture.

        Args:
            picture: Small and grey.
            background: 255 where nobody is.
        """
        if not self._keyframes:
            first = Keyframe.of(picture, background, self.view, np.eye(3))
            if len(first.points) < MIN_FEATURES:
                return self._note(State.BLIND, np.full((3, 3), np.nan))
            self._keyframes.append(first)
            return self._note(State.STILL, np.eye(3))
        answer = _Answer(State.LOST)
        for keyframe in self._candidates():
            answer = self._compare(keyframe, picture, background)
            if answer.state in (State.STILL, State.TURNED):
                self._latest, self._previous = answer.rotation, (picture, background)
                break
        if answer.state is State.TURNED and (answer.overlap < OVERLAP or answer.agreement < AGREEMENT):
            self._keep(Keyframe.of(picture, background, self.view, answer.rotation))
        return self._note(answer.state, answer.rotation)

    def end(self) -> None:
        """Let go of the pictures: the shot is over, and a long video has many."""
        self._keyframes.clear()
        self._previous = None

    @property
    def pictures(self) -> int:
        """The number of pictures that are kept to compare with."""
        return len(self._keyframes) + (self._previous is not None)

    def _keep(self, keyframe: Keyframe) -> None:
        """Compare later pictures with this one, too. The first one stays; of the others, the latest."""
        self._keyframes.append(keyframe)
        del self._keyframes[1:-MAX_KEYFRAMES]

    def _candidates(self) -> Iterator[Keyframe]:
        """The nearest keyframes, and then the picture before, which becomes a keyframe."""
        turns = angle(self._latest.T @ np.stack([key.rotation for key in self._keyframes]))
        yield from [self._keyframes[near] for near in turns.argsort()[:MAX_TRIED]]
        if self._previous is not None:
            self._keep(Keyframe.of(*self._previous, self.view, self._latest))
            self._previous = None
            yield self._keyframes[-1]

    def _compare(
        self, keyframe: Keyframe, picture: UInt8[np.ndarray, "h w"], background: UInt8[np.ndarray, "h w"]
    ) -> "_Answer":
        overlap, features, source = keyframe.follow(picture, background, self.view, self._latest)
        first, cells = keyframe is self._keyframes[0], len(set(keyframe.cells[features]))
        if len(features) < MIN_FEATURES:
            return _Answer(State.BLIND if first else State.LOST)
        seen = np.isfinite(source).all(1)
        features, source, tolerance = features[seen], source[seen], TOLERANCE * self.view.pixel
        target, guess = keyframe.rays[features], keyframe.rotation.T @ self._latest
        if zoomed(target, source, tolerance):
            return _Answer(State.LOST)
        still = agreeing(target, source, np.eye(3), tolerance)
        turn, turned = fit_rotation(target, source, tolerance, guess, self.generator)
        found = keyframe.rotation @ turn
        still_share, turned_share = (len(set(keyframe.cells[features[one]])) / cells for one in (still, turned))
        if still.sum() >= MIN_FEATURES and still_share >= STILL_SHARE and turned_share < ADVANTAGE * still_share:
            near = angle(turn) < NEAR * tolerance and turned.sum() > still.sum()
            found = found if near else keyframe.rotation @ align(target[still], source[still])
            return _Answer(State.STILL if first else State.TURNED, found, overlap, still_share)
        if turned.sum() >= MIN_FEATURES and turned_share >= MOVING_SHARE:
            return _Answer(State.TURNED, found, overlap, turned_share)
        return _Answer(State.LOST)

    def _note(self, state: State, rotation: Float[np.ndarray, "3 3"]) -> State:
        self.rotations.append(rotation)
        self.states.append(state)
        return state
