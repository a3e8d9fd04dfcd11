"""Two stages: one network detects people, another refines their joints in close-ups that rotate with them."""

from collections.abc import Iterable, Iterator
from dataclasses import replace

import numpy as np
from jaxtyping import Float
from scipy.optimize import linear_sum_assignment

from kinelift.detectors.converted import as_skeleton
from kinelift.detectors.protocol import Detector, Memory
from kinelift.detectors.refining.body import Body
from kinelift.detectors.refining.crop import fresh_crop
from kinelift.detectors.refining.feet import contradicted, stray
from kinelift.detectors.refining.framewise import Batched, ConvertedFramewise, FramewiseDetector
from kinelift.detectors.refining.landmarks import LandmarkModel, Landmarks
from kinelift.detectors.refining.memory import store_bodies, stored_bodies
from kinelift.detectors.refining.side_voting import SideVoting, side_agreement
from kinelift.poses import Frame, People, Skeleton
from kinelift.poses.boxes import areas, bounding_boxes, intersections
from kinelift.poses.lookahead import map_ahead

_SAME_BODY = 0.25
"""Median distance of joints, in body sizes, below which a body of the last frame is one of this frame."""
_OCCLUDED = 0.2
"""Share of a person's box that another person covers, above which a close-up shows both and may be placed on either."""
_SAME_BODY_OCCLUDED = 0.03
"""Median distance of joints, in body sizes, up to which a close-up of somebody who is occluded is accepted."""
_TRUST = {"shoulder": 2.0, "elbow": 2.0, "wrist": 2.0, "hip": 0.5, "knee": 2.0, "ankle": 2.0}
"""Weight of the first stage's joint against the model's joint of the same score; 1 for others.

MoveNet's limbs are the better ones; its hips lie too high. See ``benchmarks.bodies.calibrated``."""


class Refined:
    """A detector in two stages.

    The first stage decides who is there. The second one locates all joints of each person in a crop: around the
    joints of the last frame, or around the first stage's detection of somebody new or lost.

    Heels and toes are the second stage's. They change neither boxes nor who is who, nor the other joints. A foot is
    left out where the stages disagree on its ankle, or where it is too far from it.
    """

    resumable = True

    def __init__(
        self,
        base: Detector | FramewiseDetector,
        model: LandmarkModel,
        *,
        every: int = 1,
        least: float = 0.5,
        near: float = 0.1,
        sure: float = 0.3,
    ) -> None:
        """Combine two stages.

        Args:
            base: The first stage. Joints may be missing (NaN); if its skeleton is another, it is converted by name.
                A ``FramewiseDetector`` is told where people were; any other one keeps its batches.
            model: The second stage.
            every: ``base`` sees every ``every``-th frame, and each frame in which somebody is lost.
            least: The probability from which on ``model`` accepts that a crop shows a person.
            near: Where both stages agree on a joint to within this distance, in body sizes, their positions are
                averaged.
            sure: The confidence from which on a new detection of ``base`` is kept even if ``model`` sees no person
                there. It removes false detections such as faces on furniture.
        """
        self._base = _first_stage(base, model.skeleton)
        self._model = model
        self._every, self._least, self._near, self._sure = every, least, near, sure
        self._body = list(model.skeleton.body)
        self._trust = np.array([_TRUST.get(joint.rpartition("_")[2], 1.0) for joint in model.skeleton.joints])

    @property
    def skeleton(self) -> Skeleton:
        """The joints of the second stage."""
        return self._model.skeleton

    def detect(self, frames: Iterable[Frame]) -> Iterator[People]:
        """Detect the people in each frame; the next frame, or batch of frames, is read while the networks run."""
        return self.detect_from({}, frames)

    def detect_from(self, memory: Memory, frames: Iterable[Frame]) -> Iterator[People]:
        """Detect the people in each frame of a stretch; see ``ResumableDetector``."""
        bodies, time, number = stored_bodies(memory, self.skeleton)

        def detect_next(seen: tuple[Frame, People | None]) -> People:
            nonlocal bodies, time, number
            frame, found = seen
            step, time = float(frame.time) - time, float(frame.time)
            bodies = self._advance(frame, bodies, step, found, due=number % self._every == 0)
            number += 1
            return _people(frame.index, bodies, len(self.skeleton))

        yield from map_ahead(detect_next, self._detected_ahead(frames, number))
        store_bodies(memory, bodies, time, number)

    def _detected_ahead(self, frames: Iterable[Frame], number: int) -> Iterator[tuple[Frame, People | None]]:
        """The frames, the first of which has this number, with what the first stage has found in them already."""
        if isinstance(self._base, Batched):
            return self._base.detect_ahead(frames, number, self._every)
        return ((frame, None) for frame in frames)

    def _advance(
        self, frame: Frame, before: tuple[Body, ...], step: float, found: People | None, due: bool
    ) -> tuple[Body, ...]:
        """Everybody in ``frame``, ``step`` seconds after ``before``.

        Args:
            frame: The frame.
            before: Everybody in the last one.
            step: Seconds since then.
            found: What the first stage has found in ``frame``, if it has looked.
            due: The first stage has to look anyway.
        """
        refound = [self._refind(frame, body) for body in before]
        certain = [one for one in refound if one]
        alone = not any(_occluded([bounding_boxes(one.points[self._body]) for one in certain]))
        if before and len(certain) == len(before) and alone and not due:
            return tuple(self._moved(body, one, None, step) for body, one in zip(before, certain, strict=True))
        if found is None:
            found = self._base.detect_frame(frame, _people(frame.index, before, len(self.skeleton)))
        expected = [one.points if one else body.points for body, one in zip(before, refound, strict=True)]
        rows = zip(found.points[:, self._body], found.boxes, strict=True)
        occluded = _occluded([_outline(points, box) for points, box in rows])
        bodies = []
        for row, owner in enumerate(self._associate(expected, found)):
            known, one = (None, None) if owner is None else (before[owner], refound[owner])
            limit = _SAME_BODY_OCCLUDED if occluded[row] else _SAME_BODY
            bodies.append(self._merged(frame, found, row, known, one, step, limit))
        return tuple(body for body in bodies if body)

    def _refind(self, frame: Frame, body: Body) -> Landmarks | None:
        """The person in the crop that the last frame predicted, if the model accepts it."""
        if body.crop is None:
            return None
        seen = self._model.landmarks(frame.image, body.crop)
        return seen if seen.person >= self._least else None

    def _associate(self, expected: list[Float[np.ndarray, "J 2"]], found: People) -> list[int | None]:
        """The index of the body that each detection belongs to, by least total distance; None = a new person."""
        distance = np.array([[self._distance(body, points) for body in expected] for points in found.points])
        owners: list[int | None] = [None] * len(found)
        if distance.size:
            for row, body in zip(*linear_sum_assignment(distance.clip(max=1e3)), strict=True):
                if distance[row, body] < _SAME_BODY:
                    owners[row] = int(body)
        return owners

    def _distance(self, points: Float[np.ndarray, "J 2"], others: Float[np.ndarray, "J 2"]) -> float:
        """Median distance, in body sizes, of the joints that both have, with left and right swapped if that is closer.

        Infinite if they share none. Heels and toes do not count.
        """
        body, crossed = points[self._body], points[[self.skeleton.mirror[j] for j in self._body]]
        others = others[self._body]
        apart = [np.linalg.norm(p - others, axis=1) for p in (body, crossed)]
        nearest = min(float(np.median(one[one >= 0])) if (one >= 0).any() else np.inf for one in apart)
        return nearest / max(_size(body), _size(others))

    def _merged(
        self,
        frame: Frame,
        found: People,
        row: int,
        body: Body | None,
        seen: Landmarks | None,
        step: float,
        limit: float,
    ) -> Body | None:
        """Merge a detection with the body it belongs to and with the close-up of this frame.

        Args:
            frame: The frame.
            found: The first stage's detections.
            row: Which of them.
            body: The same person in the last frame, if known.
            seen: The close-up of that person in this frame, if accepted.
            step: Seconds since the last frame.
            limit: The distance, in body sizes, above which a close-up shows somebody else.

        Returns:
            The person in this frame, or None for a false detection.
        """
        points, scores, box = found.points[row], found.scores[row], found.boxes[row]
        confidence = float(found.confidence[row])
        if seen is None or self._distance(seen.points, points) > limit:
            seen = self._model.landmarks(frame.image, fresh_crop(points, box, self.skeleton))
        box = _outline(points[self._body], box)
        known = body or Body(points, scores, box, confidence, None, SideVoting(self.skeleton))
        if seen.person >= self._least and self._distance(seen.points, points) <= limit:
            return self._moved(replace(known, confidence=confidence), seen, (points, scores), step)
        if body is None and seen.person < self._least and confidence < self._sure:
            return None
        return replace(known, points=points, scores=scores, box=box, confidence=confidence, crop=None)

    def _moved(self, body: Body, seen: Landmarks, found: tuple[np.ndarray, np.ndarray] | None, step: float) -> Body:
        """``body`` at the joints of the close-up, corrected by the first stage's points and scores if it looked."""
        mirror = list(self.skeleton.mirror)
        points, scores = seen.points, seen.scores
        swap, sides = body.sides.read(points, scores, found[0] if found else None, step)
        if swap:
            points, scores = points[mirror], scores[mirror]
        correction = self._correction(points, scores, *found) if found else body.correction
        points = points + correction
        points[stray(points, _size(points[self._body]), self.skeleton)] = np.nan
        return replace(
            body,
            points=points,
            scores=np.where(np.isnan(points[:, 0]), 0.0, scores),
            box=bounding_boxes(points[self._body]),
            crop=seen.crop,
            sides=sides,
            correction=correction,
        )

    def _correction(
        self,
        points: Float[np.ndarray, "J 2"],
        scores: Float[np.ndarray, " J"],
        others: Float[np.ndarray, "J 2"],
        weights: Float[np.ndarray, " J"],
    ) -> Float[np.ndarray, "J 2"]:
        """The offset of each joint from the model's position to its weighted mean with the first stage's position.

        The weights are the scores, the first stage's multiplied by ``trust``. The offset is 0 where the two disagree,
        and NaN for the heel and toes of an ankle that the first stage sees somewhere else.
        """
        if side_agreement(others, points, scores, self.skeleton) < 0:
            others, weights = others[list(self.skeleton.mirror)], weights[list(self.skeleton.mirror)]
        close = np.linalg.norm(others - points, axis=1) < self._near * _size(points[self._body])
        trusted = weights * self._trust
        share = np.where(close, trusted / (trusted + scores).clip(1e-9), 0.0)[:, None]
        correction = share * np.where(close[:, None], others - points, 0.0)
        correction[contradicted(close, weights, self.skeleton)] = np.nan
        return correction


def _first_stage(base: Detector | FramewiseDetector, skeleton: Skeleton) -> FramewiseDetector:
    """``base`` with the joints of ``skeleton``."""
    if not isinstance(base, FramewiseDetector):
        return Batched(as_skeleton(base, skeleton))
    return base if base.skeleton == skeleton else ConvertedFramewise(base, skeleton)


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
    """The box around the joints, or the detector's box if no joint was seen."""
    return bounding_boxes(points) if np.isfinite(points).all(axis=-1).any() else box


def _size(points: Float[np.ndarray, "J 2"]) -> float:
    """The diagonal of a body, in pixels; at least 1."""
    seen = points[np.isfinite(points).all(axis=-1)]
    return max(float(np.linalg.norm(np.ptp(seen, axis=0))), 1.0) if len(seen) else 1.0


def _occluded(boxes: list[Float[np.ndarray, " 4"]]) -> list[bool]:
    """Which boxes another one covers in part."""
    stacked = np.array(boxes).reshape(-1, 4)
    share = intersections(stacked, stacked) / areas(stacked)[:, None]
    np.fill_diagonal(share, 0.0)
    occluded: list[bool] = (share > _OCCLUDED).any(axis=1).tolist()
    return occluded
