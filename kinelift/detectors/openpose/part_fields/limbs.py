"""OpenPose's COCO layout: which map shows which part, and which two maps point along which limb."""

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
