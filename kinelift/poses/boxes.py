"""Boxes around people: (x1, y1, x2, y2) in pixels."""

import numpy as np
from jaxtyping import Float

_MARGIN = 0.1
"""Joints lie inside of a body: what is added on every side, in parts of their extent, and 1 px."""


def around(points: Float[np.ndarray, "*many J 2"]) -> Float[np.ndarray, "*many 4"]:
    """The box (x1, y1, x2, y2) around joints in pixels, with a margin. NaN = not seen; somebody of each must be."""
    low, high = np.nanmin(points, axis=-2), np.nanmax(points, axis=-2)
    edge = _MARGIN * (high - low) + 1
    return np.concatenate([low - edge, high + edge], axis=-1)


def areas(boxes: Float[np.ndarray, "N 4"]) -> Float[np.ndarray, " N"]:
    """The area of each box, px²."""
    return (boxes[:, 2:] - boxes[:, :2]).prod(axis=1)


def intersections(boxes: Float[np.ndarray, "M 4"], others: Float[np.ndarray, "N 4"]) -> Float[np.ndarray, "M N"]:
    """The area that each box shares with each of the others, px²."""
    low = np.maximum(boxes[:, None, :2], others[:, :2])
    high = np.minimum(boxes[:, None, 2:], others[:, 2:])
    return (high - low).clip(0).prod(axis=-1)


def iou(boxes: Float[np.ndarray, "M 4"], others: Float[np.ndarray, "N 4"]) -> Float[np.ndarray, "M N"]:
    """Intersection over union of each box with each of the others, 0-1; 0 for two boxes without area."""
    shared = intersections(boxes, others)
    return shared / (areas(boxes)[:, None] + areas(others) - shared).clip(1e-9)
