"""How well a detection agrees with a predicted body."""

import numpy as np
from jaxtyping import Bool, Float

from kinelift.poses.skeleton import Skeleton

# Standard deviation of human annotation of a joint, as a fraction of the body scale (COCO keypoint evaluation).
_SIGMAS = {
    "nose": 0.026, "eye": 0.025, "ear": 0.035, "shoulder": 0.079, "elbow": 0.072, "wrist": 0.062,
    "hip": 0.107, "knee": 0.087, "ankle": 0.089,
}  # fmt: skip
_OTHER_SIGMA = 0.08
_ENOUGH_JOINTS = 3


def oks_sigmas(skeleton: Skeleton) -> Float[np.ndarray, " J"]:
    """The COCO sigma of every joint by name; 0.08 for joints that COCO does not have."""
    parts = (name.removeprefix("left_").removeprefix("right_") for name in skeleton.joints)
    return np.array([_SIGMAS.get(part, _OTHER_SIGMA) for part in parts])


def body_scales(boxes: Float[np.ndarray, "N 4"]) -> Float[np.ndarray, " N"]:
    """Body scale in pixels: half the diagonal of the box, which bending and spreading the arms change little."""
    half: Float[np.ndarray, " N"] = np.hypot(boxes[:, 2] - boxes[:, 0], boxes[:, 3] - boxes[:, 1]) / 2
    return half.clip(1.0)


def box_centres(boxes: Float[np.ndarray, "N 4"]) -> Float[np.ndarray, "N 2"]:
    """The middle of every box in pixels."""
    centres: Float[np.ndarray, "N 2"] = (boxes[:, :2] + boxes[:, 2:]) / 2
    return centres


def extent(points: Float[np.ndarray, "*many J 2"]) -> Float[np.ndarray, "*many"]:
    """Root mean square distance of the seen joints from their middle; 0 for fewer than two."""
    seen = np.isfinite(points).all(axis=-1, keepdims=True)
    count = np.maximum(seen.sum(axis=-2, keepdims=True), 1)
    middle = np.where(seen, points, 0.0).sum(axis=-2, keepdims=True) / count
    squares = np.square(np.where(seen, points - middle, 0.0)).sum(axis=(-2, -1))
    return np.asarray(np.sqrt(squares / count[..., 0, 0]))


def object_keypoint_similarity(
    expected: Float[np.ndarray, "M J 2"],
    found: Float[np.ndarray, "N J 2"],
    scale: Float[np.ndarray, " M"],
    sigmas: Float[np.ndarray, " J"],
) -> Float[np.ndarray, "M N"]:
    """Object keypoint similarity (OKS), 0-1, over the joints that both have; 0 where they share none.

    Source: COCO keypoint evaluation, with ``scale`` squared in place of the segment's area.

    Args:
        expected: Joints, px; NaN = unknown.
        found: Joints, px; NaN = not seen.
        scale: The body scale of each expected body, px.
        sigmas: The tolerance of each joint, see ``oks_sigmas``.
    """
    squares = ((expected[:, None] - found[None]) ** 2).sum(axis=-1)
    tolerance = 2 * (2 * sigmas[None, None] * scale[:, None, None]) ** 2
    shared = np.isfinite(squares)
    close = np.where(shared, np.exp(-np.where(shared, squares, 0.0) / tolerance), 0.0)
    similarity: Float[np.ndarray, "M N"] = close.sum(axis=-1) / np.maximum(shared.sum(axis=-1), 1)
    return similarity


def displacements(
    expected: Float[np.ndarray, "M J 2"],
    expected_centres: Float[np.ndarray, "M 2"],
    found: Float[np.ndarray, "N J 2"],
    found_centres: Float[np.ndarray, "N 2"],
) -> Float[np.ndarray, "M N 2"]:
    """The displacement, px, of each found body from each expected one: the median over the joints that both have.

    So a body of which only a part is found is compared with that part. With fewer than three shared joints the centres
    of the boxes are compared.
    """
    steps = found[None] - expected[:, None]
    shared: Bool[np.ndarray, "M N"] = np.isfinite(steps).all(axis=-1).sum(axis=-1) >= _ENOUGH_JOINTS
    between = found_centres[None] - expected_centres[:, None]
    median: Float[np.ndarray, "M N 2"] = np.nanmedian(
        np.where(shared[..., None, None], steps, between[:, :, None]), axis=2
    )
    return median
