"""Group rows of numbers, one per person and frame, into the people of each frame."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Bool, Float

from kinelift.poses.boxes import bounding_boxes
from kinelift.poses.containers import People
from kinelift.poses.errors import DataError
from kinelift.poses.skeleton import COCO23, HALPE26

MAX_COORDINATE = 1e6
"""Limit of coordinates in px. Larger values are damage."""
MAX_NORMALISED = 2.0
"""If all coordinates of a video are within ± this, they are fractions of the picture's size, not pixels."""

Box = tuple[float, float, float, float]
_WHOLE_BODY = 133
_HALPE = 136
"""Number of COCO-WholeBody's keypoints: ``COCO23``, then face and hands. Source: Jin et al., COCO-WholeBody, 2020."""
_NO_BOX: Box = (np.nan, np.nan, np.nan, np.nan)


class Instance(NamedTuple):
    """One person in one frame.

    Attributes:
        frame: Number of the frame.
        joints: x, y (px) and score of each joint in turn. NaN or a score of 0 marks a joint that was not seen.
        where: The position in the file, for errors.
        box: Corners x1, y1, x2, y2 in px; None if the file has no box.
        confidence: 0-1; None if the file has no score for the person.
    """

    frame: int
    joints: Sequence[float] | Float[np.ndarray, "..."]
    where: str
    box: Box | None = None
    confidence: float | None = None


def people_by_frame(
    source: str, instances: Iterable[Instance], joints: int, empty: Iterable[int] = ()
) -> dict[int, People]:
    """The people of each frame, in order of frames, without those who have no visible joint.

    A missing box is computed from the visible joints, and a missing confidence is the mean of their scores.

    Args:
        source: The file, for errors.
        instances: The people, in any order.
        joints: Number of joints.
        empty: Frames to include even if they show nobody.

    Raises:
        DataError: Coordinates cannot be pixels.
    """
    rows = sorted(instances, key=lambda instance: instance.frame)
    table = np.array([row.joints for row in rows], dtype=np.float64).reshape(len(rows), joints, 3)
    visible = (table[..., 2] > 0) & ~np.isnan(table).any(-1)
    _check(source, rows, table, visible)
    shown = np.flatnonzero(visible.any(-1))
    rows, table, visible = [rows[k] for k in shown], table[shown], visible[shown]
    points = np.where(visible[..., None], table[..., :2], np.nan)
    scores = np.where(visible, table[..., 2], 0.0).clip(0, 1)
    boxes = _boxes(rows, points)
    confidence = _confidence(rows, scores, visible)
    found = {frame: People.nobody(frame, joints) for frame in empty}
    for frame, at in _spans(rows):
        found[frame] = People(frame, points[at], scores[at], boxes[at], confidence[at])
    return dict(sorted(found.items()))


def box_of_corners(corners: list[float]) -> Box | None:
    """The box with these corners x1, y1, x2, y2; None if it is out of range or has no area."""
    x1, y1, x2, y2 = corners
    return (x1, y1, x2, y2) if np.abs(corners).max() <= MAX_COORDINATE and x2 > x1 and y2 > y1 else None


def box_of_corner_and_size(found: Any, where: str) -> Box | None:
    """The corners of a box given as x, y, width, height; None for a box without area.

    Raises:
        DataError: ``found`` is not four numbers in range, or the size is negative.
    """
    x, y, width, height = numbers(found, where, 4)
    if not np.abs([x, y, width, height]).max() <= MAX_COORDINATE or min(width, height) < 0:
        raise DataError(f"{where} is {found}. Expected x, y, width and height in pixels.")
    return (x, y, x + width, y + height) if min(width, height) > 0 else None


def numbers(found: Any, where: str, count: int | None = None) -> list[float]:
    """Check that ``found`` is a list of numbers, and return it.

    Raises:
        DataError: It is not, or it has another length than ``count``.
    """
    if not isinstance(found, list) or not set(map(type, found)) <= {int, float}:
        raise DataError(f"{where} is not a list of numbers. Export the file again.")
    if count is not None and len(found) != count:
        raise DataError(f"{where} has {len(found)} numbers, expected {count}.")
    return found


def triples(found: Any, where: str) -> list[float]:
    """Check that ``found`` is a list of x, y, score, x, y, score, …, and return it.

    Raises:
        DataError: It is not.
    """
    values = numbers(found, where)
    if len(values) % 3:
        raise DataError(f"{where} has {len(values)} numbers, expected three per joint: x, y, score.")
    return values


def without_face_and_hands(joints: list[float]) -> list[float]:
    """Body and feet of COCO-WholeBody's 133 keypoints (``COCO23``) and of Halpe's 136 (``HALPE26``).

    Rows of other lengths are returned as they are.
    """
    whole = {3 * _WHOLE_BODY: COCO23, 3 * _HALPE: HALPE26}
    return joints[: 3 * len(whole[len(joints)])] if len(joints) in whole else joints


def _check(
    source: str, rows: list[Instance], table: Float[np.ndarray, "P J 3"], visible: Bool[np.ndarray, "P J"]
) -> None:
    implausible = visible & ~(np.abs(table) <= MAX_COORDINATE).all(-1)
    if implausible.any():
        person, joint = np.argwhere(implausible)[0]
        x, y, score = table[person, joint]
        raise DataError(
            f"{rows[person].where}: joint {joint} is at ({x:g}, {y:g}) with score {score:g}, which cannot be in a "
            f"picture. Export the file again."
        )
    if visible.any() and np.abs(table[visible, :2]).max() <= MAX_NORMALISED:
        raise DataError(
            f"{source}: coordinates are within ±{np.abs(table[visible, :2]).max():g}, so they are fractions of the "
            f"picture's size. Export pixels; run OpenPose with --keypoint_scale 0."
        )


def _boxes(rows: list[Instance], points: Float[np.ndarray, "P J 2"]) -> Float[np.ndarray, "P 4"]:
    given = np.array([row.box or _NO_BOX for row in rows], dtype=np.float64).reshape(len(rows), 4)
    return np.where(np.isnan(given), bounding_boxes(points), given)


def _confidence(
    rows: list[Instance], scores: Float[np.ndarray, "P J"], visible: Bool[np.ndarray, "P J"]
) -> Float[np.ndarray, " P"]:
    given = np.array([np.nan if row.confidence is None else row.confidence for row in rows], dtype=np.float64)
    return np.where(np.isnan(given), scores.sum(-1) / visible.sum(-1).clip(1), given).clip(0, 1)


def _spans(rows: list[Instance]) -> Iterator[tuple[int, slice]]:
    """Each frame with its slice of ``rows``, which are in order of frames."""
    start = 0
    for frame, group in groupby(rows, key=lambda row: row.frame):
        stop = start + sum(1 for _ in group)
        yield frame, slice(start, stop)
        start = stop
