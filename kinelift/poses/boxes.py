"""Boxes around people: (x1, y1, x2, y2) in pixels."""

import numpy as np
from jaxtyping import Float

_MARGIN = 0.1
"""Margin on every side, as a fraction of the joints' extent, plus 1 px: joints lie inside the body."""


def bounding_boxes(points: Float[np.ndarray, "*batch J 2"]) -> Float[np.ndarray, "*batch 4"]:
    """The box (x1, y1, x2, y2) around each set of joints, with a margin, px.

    Args:
        points: Joints in px, NaN where not seen. At least one joint of each set must be seen.
    """
    low, high = np.nanmin(points, axis=-2), np.nanmax(points, axis=-2)
    edge = _MARGIN * (high - low) + 1
    return np.concatenate([low - edge, high + edge], axis=-1)


def areas(boxes: Float[np.ndarray, "N 4"]) -> Float[np.ndarray, " N"]:
    """The area of each box, px²."""
    product: Float[np.ndarray, " N"] = (boxes[:, 2:] - boxes[:, :2]).prod(axis=1)
    return product


def intersections(boxes: Float[np.ndarray, "M 4"], others: Float[np.ndarray, "N 4"]) -> Float[np.ndarray, "M N"]:
    """The area that each box shares with each of the others, px²."""
    low = np.maximum(boxes[:, None, :2], others[:, :2])
    high = np.minimum(boxes[:, None, 2:], others[:, 2:])
    product: Float[np.ndarray, "M N"] = (high - low).clip(0).prod(axis=-1)
    return product


def iou(boxes: Float[np.ndarray, "M 4"], others: Float[np.ndarray, "N 4"]) -> Float[np.ndarray, "M N"]:
    """Intersection over union of each box with each of the others, 0-1; 0 for two boxes without area."""
    shared = intersections(boxes, others)
    union: Float[np.ndarray, "M N"] = areas(boxes)[:, None] + areas(others) - shared
    ratio: Float[np.ndarray, "M N"] = shared / union.clip(1e-9)
    return ratio
