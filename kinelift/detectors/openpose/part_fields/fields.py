"""The output of an OpenPose-style network for one image, in OpenPose's COCO layout."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from kinelift.poses.errors import ShapeError
from kinelift.poses.skeleton import OPENPOSE18

PARTS = OPENPOSE18
"""The heat maps, in order; one of the background follows."""

HEATMAPS = len(PARTS) + 1

LIMBS: tuple[tuple[int, int], ...] = tuple(
    (PARTS.index(start), PARTS.index(end))
    for start, end in (
        ("neck", "right_hip"), ("right_hip", "right_knee"), ("right_knee", "right_ankle"),
        ("neck", "left_hip"), ("left_hip", "left_knee"), ("left_knee", "left_ankle"),
        ("neck", "right_shoulder"), ("right_shoulder", "right_elbow"), ("right_elbow", "right_wrist"),
        ("right_shoulder", "right_ear"),
        ("neck", "left_shoulder"), ("left_shoulder", "left_elbow"), ("left_elbow", "left_wrist"),
        ("left_shoulder", "left_ear"),
        ("neck", "nose"), ("nose", "right_eye"), ("nose", "left_eye"),
        ("right_eye", "right_ear"), ("left_eye", "left_ear"),
    )
)  # fmt: skip
"""From part, to part. The field of limb k has its x in map 2k and its y in map 2k + 1."""

FIELDS = 2 * len(LIMBS)


@dataclass(frozen=True, eq=False)
class PartFields:
    """Maps of h × w cells, in the order of ``PARTS`` and ``LIMBS``.

    Args:
        heat: The probability that a part lies in a cell, about 0-1: one map a part, and one of the background.
        limbs: In each cell a vector along the limb that passes there, of length about 1; 0 where none does. x and y of
            each limb.
    """

    heat: Float[np.ndarray, "M h w"]
    limbs: Float[np.ndarray, "F h w"]

    def __post_init__(self) -> None:
        if (len(self.heat), len(self.limbs)) != (HEATMAPS, FIELDS) or self.heat.shape[1:] != self.limbs.shape[1:]:
            raise ShapeError(
                f"Heat maps {self.heat.shape} and fields {self.limbs.shape}, "
                f"expected ({HEATMAPS}, h, w) and ({FIELDS}, h, w)."
            )
