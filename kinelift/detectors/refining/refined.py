"""The second stage: one network finds people, another places the joints of each in a close-up that turns with them."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import count
from typing import Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float
from scipy.optimize import linear_sum_assignment

from kinelift.detectors.refining.crop import Crop
from kinelift.detectors.refining.landmarks import LandmarkModel, Landmarks
from kinelift.detectors.refining.sides import Sides, straightness
from kinelift.poses import Frame, People, Skeleton
from kinelift.poses.boxes import areas, around, intersections
from kinelift.poses.lookahead import map_ahead

_REACH = 1.13
"""Radius of the circle around a person, in distances from the middle of the hips to the farthest joint.

Median over what BlazePose answers for people that MoveNet found."""
_SAME = 0.25
"""Median distance of joints, in body sizes, below which a body of the last frame is one of this frame."""
_CROWDED = 0.2
"""Share of a person's box that another covers, from which a close-up shows both and may be placed on either."""
_NEAR_OTHERS = 0.03
"""Median distance of joints, in body sizes, up to which a close-up of somebody in a crowd is believed."""
_TRUST = {"shoulder": 2.0, "elbow": 2.0, "wrist": 2.0, "hip": 0.5, "knee": 2.0, "ankle": 2.0}
"""How much the first stage's word for a part of the body counts beside the model's of the same score; 1 for others.

MoveNet's limbs are the better ones; its hips lie too far up. See ``benchmarks.bodies.calibrated``."""
_HIPS, _SHOULDERS = ("left_hip", "right_hip"), ("left_shoulder", "right_shoulder")


@runtime_checkable
class Looks(Protocol):
    """Finds people in a frame, given those of the last one; ``SecondLook`` is one."""

    @property
    def skeleton(self) -> Skeleton:
        """The joints of the ``People`` that ``look`` returns."""

    def look(self, frame: Frame, before: People) -> People:
        """The people in one frame, most confident first."""


@dataclass(frozen=True, eq=False)
class Body:
    """One person followed from frame to frame. ``crop``: where they are looked for next, None = nowhere."""

    points: Float[np.ndarray, "J 2"]
    scores: Float[np.ndarray, " J"]
    box: Float[np.ndarray, " 4"]
    confidence: float
    crop: Crop | None
    sides: Sides
    pull: Float[np.ndarray, "J 2"] | float = 0.0
    """How far, in pixels, the first stage drew the joints when it last looked."""


class Refined:
    """A detector in two stages.

    ``base`` finds people, of whom joints may be missing (NaN); ``model``, which shares its skeleton, places all their
    joints in a crop: around what it placed in the last frame, or around what ``base`` found of somebody new or lost.
    ``base`` looks at every ``every``-th frame that it is given and whenever somebody is lost; it decides who is there.
    ``least``: how sure (0–1) the model must be that a crop shows a person. Somebody new of whom it is not is left out
    if ``base``, too, is less than ``sure``: faces on furniture. Where the two agree on a joint, to within ``near`` body
    sizes, it is placed between them.
    """

    def __init__(
        self,
        base: Looks,
        model: LandmarkModel,
        *,
        every: int = 1,
        least: float = 0.5,
        near: float = 0.1,
        sure: float = 0.3,
    ) -> None:
        self._base, self._model = base, model
        self._every, self._least, self._near, self._sure = every, least, near, sure
        self._trust = np.array([_TRUST.get(joint.rpartition("_")[2], 1.0) for joint in base.skeleton.joints])

    @property
    def skeleton(self) -> Skeleton:
        """The joints of both stages."""
        return self._base.skeleton

    def detect(self, frames: Iterable[Frame]) -> Iterator[People]:
        """The people in each frame; the next frame is read while the networks run."""
        bodies: tuple[Body, ...] = ()
        time, number = 0.0, count()

        def look(frame: Frame) -> People:
            nonlocal bodies, time
            step, time = float(frame.time) - time, float(frame.time)
            bodies = self._advance(frame, bodies, step, due=next(number) % self._every == 0)
            return _people(frame.index, bodies, len(self.skeleton))

        return map_ahead(look, frames)

    def _advance(self, frame: Frame, before: tuple[Body, ...], step: float, due: bool) -> tuple[Body, ...]:
        """Everybody in ``frame``, ``step`` seconds after ``before``; ``due``: the first stage has to look anyway."""
        seen = [self._follow(frame, body) for body in before]
        sure = [one for one in seen if one]
        alone = not any(_covered([around(one.points) for one in sure]))
        if before and len(sure) == len(before) and alone and not due:
            return tuple(self._moved(body, one, None, step) for body, one in zip(before, sure, strict=True))
        found = self._base.look(frame, _people(frame.index, before, len(self.skeleton)))
        expected = [one.points if one else body.points for body, one in zip(before, seen, strict=True)]
        crowded = _covered([_outline(points, box) for points, box in zip(found.points, found.boxes, strict=True)])
        bodies = []
        for row, owner in enumerate(self._pair(expected, found)):
            known, one = (None, None) if owner is None else (before[owner], seen[owner])
            bodies.append(self._met(frame, found, row, known, one, step, _NEAR_OTHERS if crowded[row] else _SAME))
        return tuple(body for body in bodies if body)

    def _follow(self, frame: Frame, body: Body) -> Landmarks | None:
        """The person where the last frame left them, if they are there."""
        if body.crop is None:
            return None
        seen = self._model.landmarks(frame.image, body.crop)
        return seen if seen.person >= self._least else None

    def _pair(self, expected: list[Float[np.ndarray, "J 2"]], found: People) -> list[int | None]:
        """Whose body each person of ``found`` is, so that the bodies lie as near as possible; None = nobody's."""
        apart = np.array([[self._apart(body, points) for body in expected] for points in found.points])
        owners: list[int | None] = [None] * len(found)
        if apart.size:
            for row, body in zip(*linear_sum_assignment(apart.clip(max=1e3)), strict=True):
                if apart[row, body] < _SAME:
                    owners[row] = int(body)
        return owners

    def _apart(self, points: Float[np.ndarray, "J 2"], others: Float[np.ndarray, "J 2"]) -> float:
        """Median distance, in body sizes, of the joints that both have, whichever sides they were read with; without
        any such joint, infinite.
        """
        apart = [np.linalg.norm(p - others, axis=1) for p in (points, points[list(self.skeleton.mirror)])]
        nearest = min(float(np.median(one[one >= 0])) if (one >= 0).any() else np.inf for one in apart)
        return nearest / max(_size(points), _size(others))

    def _met(
        self, frame: Frame, found: People, row: int, body: Body | None, seen: Landmarks | None, step: float, near: float
    ) -> Body | None:
        """The person in a row of ``found``, who was ``body`` in the last frame and is ``seen`` close up in this one.

        Close-ups further from what was found than ``near`` body sizes show somebody else.
        """
        points, scores, box = found.points[row], found.scores[row], found.boxes[row]
        confidence = float(found.confidence[row])
        if seen is None or self._apart(seen.points, points) > near:
            seen = self._model.landmarks(frame.image, fresh_crop(points, box, self.skeleton))
        box = _outline(points, box)
        known = body or Body(points, scores, box, confidence, None, Sides(self.skeleton))
        if seen.person >= self._least and self._apart(seen.points, points) <= near:
            return self._moved(replace(known, confidence=confidence), seen, (points, scores), step)
        if body is None and seen.person < self._least and confidence < self._sure:
            return None
        return replace(known, points=points, scores=scores, box=box, confidence=confidence, crop=None)

    def _moved(self, body: Body, seen: Landmarks, found: tuple[np.ndarray, np.ndarray] | None, step: float) -> Body:
        """``body`` where the model saw it, drawn towards what the first stage ``found`` (points and scores)."""
        mirror = list(self.skeleton.mirror)
        points, scores = seen.points, seen.scores
        swap, sides = body.sides.read(points, scores, found[0] if found else None, step)
        if swap:
            points, scores = points[mirror], scores[mirror]
        pull = self._pull(points, scores, *found) if found else body.pull
        points = points + pull
        return replace(body, points=points, scores=scores, box=around(points), crop=seen.crop, sides=sides, pull=pull)

    def _pull(
        self,
        points: Float[np.ndarray, "J 2"],
        scores: Float[np.ndarray, " J"],
        others: Float[np.ndarray, "J 2"],
        weights: Float[np.ndarray, " J"],
    ) -> Float[np.ndarray, "J 2"]:
        """From the model's placing of each joint to its mean with the first stage's, weighted by their scores and how
        far that stage is to be trusted, where they agree; else nothing.
        """
        if straightness(others, points, scores, self.skeleton) < 0:
            others, weights = others[list(self.skeleton.mirror)], weights[list(self.skeleton.mirror)]
        close = np.linalg.norm(others - points, axis=1) < self._near * _size(points)
        weights = weights * self._trust
        share = np.where(close, weights / (weights + scores).clip(1e-9), 0.0)[:, None]
        return share * np.where(close[:, None], others - points, 0.0)


def fresh_crop(points: Float[np.ndarray, "J 2"], box: Float[np.ndarray, " 4"], skeleton: Skeleton) -> Crop:
    """The crop around a person of whom only a first stage's joints and box are known.

    Without hips and shoulders it lies around the box, upright.
    """
    hips, shoulders = (points[[skeleton.index(name) for name in pair]].mean(axis=0) for pair in (_HIPS, _SHOULDERS))
    if not np.isfinite([hips, shoulders]).all():
        hips = (box[:2] + box[2:]) / 2
        points, shoulders = box.reshape(2, 2), hips - [0.0, 1.0]
    radius = _REACH * float(np.nanmax(np.linalg.norm(points - hips, axis=1)))
    return Crop.around(hips, shoulders, max(radius, 1.0))


def _people(frame: int, bodies: tuple[Body, ...], joints: int) -> People:
    if not bodies:
        return People.nobody(frame, joints)
    return People(
        frame,
        points=np.stack([body.points for body in bodies]),
        scores=np.stack([body.scores for body in bodies]),
        boxes=np.stack([body.box for body in bodies]),
        confidence=np.array([body.confidence for body in bodies]),
    )


def _outline(points: Float[np.ndarray, "J 2"], box: Float[np.ndarray, " 4"]) -> Float[np.ndarray, " 4"]:
    """The box around the joints, or that of the detector, if it saw no joint."""
    return around(points) if np.isfinite(points).all(axis=-1).any() else box


def _size(points: Float[np.ndarray, "J 2"]) -> float:
    """The diagonal of a body, in pixels; at least 1."""
    seen = points[np.isfinite(points).all(axis=-1)]
    return max(float(np.linalg.norm(np.ptp(seen, axis=0))), 1.0) if len(seen) else 1.0


def _covered(boxes: list[Float[np.ndarray, " 4"]]) -> list[bool]:
    """Which people another one covers in part."""
    stacked = np.array(boxes).reshape(-1, 4)
    share = intersections(stacked, stacked) / areas(stacked)[:, None]
    np.fill_diagonal(share, 0.0)
    return (share > _CROWDED).any(axis=1).tolist()
