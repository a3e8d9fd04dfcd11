"""From rows of numbers, a person each, to the people of every frame."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Bool, Float

from kinelift.poses.boxes import bounding_boxes
from kinelift.poses.containers import People
from kinelift.poses.errors import DataError

LARGEST = 1e6
"""Px: coordinates farther out are damage."""
SCALED = 2.0
"""If all coordinates of a video are within ± this, they are parts of the picture, not pixels."""

Box = tuple[float, float, float, float]
_NO_BOX: Box = (np.nan, np.nan, np.nan, np.nan)


class Sighting(NamedTuple):
    """One person in one frame: x, y (px) and score of each joint, one after the other; ``where`` it stands.

    NaN and a score of 0 = not seen. ``box``: corners x1, y1, x2, y2 in px.
    """

    frame: int
    joints: Sequence[float] | Float[np.ndarray, "..."]
    where: str
    box: Box | None = None
    confidence: float | None = None


def gather(source: str, sightings: Iterable[Sighting], joints: int, empty: Iterable[int] = ()) -> dict[int, People]:
    """The people of every frame, in order; a person of whom nothing is seen is nobody. ``empty``: frames of nobody.

    Without a box there is one bounding_boxes the seen joints, and the confidence is the mean of their scores. Raises
    ``DataError`` for coordinates that cannot be pixels.
    """
    rows = sorted(sightings, key=lambda sighting: sighting.frame)
    table = np.array([row.joints for row in rows], dtype=np.float64).reshape(len(rows), joints, 3)
    seen = (table[..., 2] > 0) & ~np.isnan(table).any(-1)
    _check(source, rows, table, seen)
    somebody = np.flatnonzero(seen.any(-1))
    rows, table, seen = [rows[k] for k in somebody], table[somebody], seen[somebody]
    points = np.where(seen[..., None], table[..., :2], np.nan)
    scores = np.where(seen, table[..., 2], 0.0).clip(0, 1)
    boxes = _boxes(rows, points)
    confidence = _confidence(rows, scores, seen)
    found = {frame: People.nobody(frame, joints) for frame in empty}
    for frame, at in _spans(rows):
        found[frame] = People(frame, points[at], scores[at], boxes[at], confidence[at])
    return dict(sorted(found.items()))


def box_of_corner_and_size(found: Any, where: str) -> Box | None:
    """The corners of x, y, width, height; None for a box without area. Raises ``DataError`` for a negative size."""
    x, y, width, height = numbers(found, where, 4)
    if not np.abs([x, y, width, height]).max() <= LARGEST or min(width, height) < 0:
        raise DataError(f"{where} is {found}. Expected x, y, width and height in pixels.")
    return (x, y, x + width, y + height) if min(width, height) > 0 else None


def numbers(found: Any, where: str, count: int | None = None) -> list[float]:
    """``found``, if it is a list of numbers, ``count`` of them if that is given. Raises ``DataError``."""
    if not isinstance(found, list) or not set(map(type, found)) <= {int, float}:
        raise DataError(f"{where} is no list of numbers. Export the file anew.")
    if count is not None and len(found) != count:
        raise DataError(f"{where} has {len(found)} numbers, expected {count}.")
    return found


def triples(found: Any, where: str) -> list[float]:
    """``found``, if it is a list of x, y, score, x, y, score, … Raises ``DataError``."""
    if len(numbers(found, where)) % 3:
        raise DataError(f"{where} has {len(found)} numbers, expected three a joint: x, y, score.")
    return found


def _check(source: str, rows: list[Sighting], table: Float[np.ndarray, "P J 3"], seen: Bool[np.ndarray, "P J"]) -> None:
    wild = seen & ~(np.abs(table) <= LARGEST).all(-1)
    if wild.any():
        person, joint = np.argwhere(wild)[0]
        x, y, score = table[person, joint]
        raise DataError(
            f"{rows[person].where}: joint {joint} is at ({x:g}, {y:g}) with score {score:g}, which is no place in a "
            f"picture. Export the file anew."
        )
    if seen.any() and np.abs(table[seen, :2]).max() <= SCALED:
        raise DataError(
            f"{source}: coordinates are within ±{np.abs(table[seen, :2]).max():g}, so they are parts of the picture, "
            f"not pixels. Export pixels; run OpenPose with --keypoint_scale 0."
        )


def _boxes(rows: list[Sighting], points: Float[np.ndarray, "P J 2"]) -> Float[np.ndarray, "P 4"]:
    given = np.array([row.box or _NO_BOX for row in rows], dtype=np.float64).reshape(len(rows), 4)
    return np.where(np.isnan(given), bounding_boxes(points), given)


def _confidence(
    rows: list[Sighting], scores: Float[np.ndarray, "P J"], seen: Bool[np.ndarray, "P J"]
) -> Float[np.ndarray, " P"]:
    given = np.array([np.nan if row.confidence is None else row.confidence for row in rows], dtype=np.float64)
    return np.where(np.isnan(given), scores.sum(-1) / seen.sum(-1).clip(1), given).clip(0, 1)


def _spans(rows: list[Sighting]) -> Iterator[tuple[int, slice]]:
    """Every frame with its slice of ``rows``, which are in order of frames."""
    start = 0
    for frame, group in groupby(rows, key=lambda row: row.frame):
        stop = start + sum(1 for _ in group)
        yield frame, slice(start, stop)
        start = stop
