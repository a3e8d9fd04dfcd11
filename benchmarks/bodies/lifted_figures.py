"""Errors of lifted poses on a calibrated clip: positions, angles and limb lengths."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise, product

import cv2
import numpy as np
from jaxtyping import Float

from benchmarks.bodies.calibrated_tracks import FEET, Seen
from benchmarks.bodies.feet import true_feet
from benchmarks.bodies.rig import View
from kinelift.app.camera.edges import EdgeCollector
from kinelift.lifting.body import PoseLifter
from kinelift.lifting.measuring.metrics import aligned
from kinelift.lifting.world.stage import WorldLifter
from kinelift.poses import COCO17, H36M17, People, Track2D
from kinelift.poses.boxes import bounding_boxes
from kinelift.poses.edges import Edges

SHARED = [name for name in H36M17.joints if name in COCO17.joints]
"""The twelve joints shared by detector and lifter: shoulders to ankles."""
HIPS = [SHARED.index(f"{side}_hip") for side in ("left", "right")]
CHAINS = {"knee": ("hip", "knee", "ankle"), "elbow": ("shoulder", "elbow", "wrist")}
POSE_FEET = tuple(name.replace("big_", "") for name in FEET)
"""``FEET`` in ``H36M21``."""
HEELS, TOES = ([k for k, name in enumerate(FEET) if name.endswith(part)] for part in ("heel", "toe"))
LIMBS = [(f"{side}_{a}", f"{side}_{b}") for c in CHAINS.values() for a, b in pairwise(c)
         for side in ("left", "right")]  # fmt: skip
"""Thighs, shanks, upper arms and forearms."""
CLEAR = 0.05
"""Metres from the trunk at which an arm is clearly before or behind it."""
CHOSEN, REPORTED = slice(0, None, 2), slice(1, None, 2)
"""Cameras 1 and 3, on which settings are chosen, and 2 and 4, on which results are reported."""


@dataclass(frozen=True, eq=False)
class Lifted:
    """Lifted poses and reference of one view, for the joints ``SHARED``, in m in the camera frame.

    ``poses`` are NaN in frames with too few keypoints to lift. ``feet`` and ``true_feet`` are heels and toes
    (``POSE_FEET``), None if the poses have none.
    """

    poses: Float[np.ndarray, "T K 3"]
    truth: Float[np.ndarray, "T K 3"]
    feet: Float[np.ndarray, "T 4 3"] | None = None
    true_feet: Float[np.ndarray, "T 4 3"] | None = None


def lifted(seen: Seen, tracks: Sequence[Track2D], lifter: PoseLifter) -> list[Lifted]:
    """Lift one track per view, with the calibrated intrinsics and the edges of the view's pictures."""
    true, feet = [COCO17.index(name) for name in SHARED], true_feet(seen)
    found = []
    for view, track in zip(seen.views, tracks, strict=True):
        one = replace(lifter, edges=edges_of(view, track)) if isinstance(lifter, WorldLifter) else lifter
        poses, truth = one.lift(track, view.camera), view.place.to_camera(seen.truth)[:, true]
        known = poses.skeleton.joints
        joints = poses.points[:, [known.index(name) for name in SHARED]]
        if set(POSE_FEET) <= set(known):
            answer = poses.points[:, [known.index(name) for name in POSE_FEET]]
            found.append(Lifted(joints, truth, answer, view.place.to_camera(feet)))
        else:
            found.append(Lifted(joints, truth))
    return found


def edges_of(view: View, track: Track2D) -> Edges:
    """Straight edges of a view's pictures, outside the person."""
    collector = EdgeCollector(view.camera, track.size)
    for frame in collector.watch(view.frames):
        points = track.points[frame.index][None]
        found = People.nobody(frame.index, points.shape[1])
        if np.isfinite(points).any():
            found = People(frame.index, points, np.ones(points.shape[:2]), bounding_boxes(points), np.ones(1))
        collector.update(found)
    return collector.result()


def figures(views: Sequence[Lifted]) -> Mapping[str, float]:
    """Each of ``FIGURES`` (and ``FOOT_FIGURES``) over all views, over each half of the views, and in each view."""
    found: dict[str, float] = {}
    wanted = FIGURES if any(one.feet is None for one in views) else {**FIGURES, **FOOT_FIGURES}
    for name, (measure, scale, digits) in wanted.items():
        values = np.stack([measure(one) for one in views]) * scale
        parts = {"": values, "_chosen": values[CHOSEN], "_reported": values[REPORTED]}
        parts |= {f"_{k}": one for k, one in enumerate(values, start=1)}
        found |= {f"{name}{part}": round(_mean(some), digits) for part, some in parts.items()}
    return found


def _mean(values: Float[np.ndarray, "*many"]) -> float:
    """The mean of the finite values; NaN if there are none."""
    finite = values[np.isfinite(values)]
    return float(finite.mean()) if finite.size else float("nan")


def after_similarity(one: Lifted) -> Float[np.ndarray, "T K"]:
    """Errors in m after the best similarity of each frame (P-MPJPE)."""
    shown = np.isfinite(one.poses).all(axis=(1, 2))
    distances = np.full(one.truth.shape[:2], np.nan)
    distances[shown] = np.linalg.norm(aligned(one.poses[shown], one.truth[shown]) - one.truth[shown], axis=-1)
    return distances


def from_middle(one: Lifted) -> Float[np.ndarray, "T K"]:
    """Errors in m relative to the middle of the hips, without rotation or scaling (MPJPE)."""
    poses, truth = (points - points[:, HIPS].mean(axis=1, keepdims=True) for points in (one.poses, one.truth))
    return np.asarray(np.linalg.norm(poses - truth, axis=-1))


def after_scale(one: Lifted) -> Float[np.ndarray, "T K"]:
    """``from_middle`` after the best scale of the whole track: one camera cannot tell a person's height."""
    poses, truth = (points - points[:, HIPS].mean(axis=1, keepdims=True) for points in (one.poses, one.truth))
    return np.asarray(np.linalg.norm(poses * np.nansum(poses * truth) / np.nansum(poses**2) - truth, axis=-1))


def feet_from_middle(one: Lifted) -> Float[np.ndarray, "T 4"]:
    """Errors of heels and toes in m relative to the middle of the hips."""
    assert one.feet is not None and one.true_feet is not None
    middles = [points[:, HIPS].mean(axis=1, keepdims=True) for points in (one.poses, one.truth)]
    return np.asarray(np.linalg.norm((one.feet - middles[0]) - (one.true_feet - middles[1]), axis=-1))


def feet_after_similarity(one: Lifted) -> Float[np.ndarray, "T 4"]:
    """Errors of heels and toes in m after the similarity that aligns the other joints best, in each frame."""
    assert one.feet is not None and one.true_feet is not None
    errors = np.full(one.feet.shape[:2], np.nan)
    shown = np.flatnonzero(np.isfinite(one.poses).all(axis=(1, 2)))
    for t, there in zip(shown, aligned(one.poses[shown], one.truth[shown]), strict=True):
        body = np.column_stack([one.poses[t], np.ones(len(SHARED))])
        similarity = np.linalg.lstsq(body, there, rcond=None)[0]
        feet = np.column_stack([one.feet[t], np.ones(len(POSE_FEET))]) @ similarity
        errors[t] = np.linalg.norm(feet - one.true_feet[t], axis=-1)
    return errors


def flexion(points: Float[np.ndarray, "T K 3"], hinge: str) -> Float[np.ndarray, "T 2"]:
    """Flexion of the left and right knee or elbow in degrees: 0 is straight."""
    angles = []
    for side in ("left", "right"):
        a, b, c = (points[:, SHARED.index(f"{side}_{part}")] for part in CHAINS[hinge])
        upper, lower = b - a, c - b
        sine, cosine = np.linalg.norm(np.cross(upper, lower), axis=-1), (upper * lower).sum(-1)
        angles.append(np.degrees(np.arctan2(sine, cosine)))
    return np.stack(angles, axis=-1)


def lengths_vary(one: Lifted) -> Float[np.ndarray, " L"]:
    """Coefficient of variation of the length of each of ``LIMBS``, left and right separately."""
    ends = [[SHARED.index(name) for name in names] for names in zip(*LIMBS, strict=True)]
    lengths = np.linalg.norm(one.poses[:, ends[0]] - one.poses[:, ends[1]], axis=-1)
    return np.asarray(np.nanstd(lengths, axis=0) / np.nanmean(lengths, axis=0))


def arms_ordered(one: Lifted) -> Float[np.ndarray, "T 4"]:
    """Whether elbows and wrists that cross the trunk in the picture are on the right side of it (1 or 0).

    NaN for those that do not cross it, or are less than 5 cm from the plane of shoulders and hips.
    """
    corners = [SHARED.index(f"{side}_{part}") for part in ("shoulder", "hip") for side in ("left", "right")]
    arms = [SHARED.index(f"{side}_{part}") for part in ("elbow", "wrist") for side in ("left", "right")]
    image = one.truth[..., :2] / one.truth[..., 2:]
    outlines = np.ascontiguousarray(image[:, corners], dtype=np.float32)
    crossing = np.array([
        [cv2.pointPolygonTest(cv2.convexHull(outline), point.tolist(), measureDist=False) > 0 for point in points]
        for outline, points in zip(outlines, image[:, arms], strict=True)
    ])  # fmt: skip
    true, found = (_behind_trunk(points[:, corners], points[:, arms]) for points in (one.truth, one.poses))
    known = crossing & (np.abs(true) > CLEAR) & np.isfinite(found)
    return np.where(known, np.sign(true) == np.sign(found), np.nan)


def _behind_trunk(corners: Float[np.ndarray, "T 4 3"], arms: Float[np.ndarray, "T A 3"]) -> Float[np.ndarray, "T A"]:
    """Distance of each joint from the plane of shoulders and hips, away from the camera."""
    normal = np.cross(corners[:, 0] - corners[:, 3], corners[:, 1] - corners[:, 2])
    normal *= np.sign(normal[:, 2:]) / np.linalg.norm(normal, axis=-1, keepdims=True)
    return np.asarray(((arms - corners.mean(axis=1, keepdims=True)) * normal[:, None]).sum(-1))


def _bent(hinge: str, size: Callable[[np.ndarray], np.ndarray]) -> Callable[[Lifted], Float[np.ndarray, "T 2"]]:
    return lambda one: size(flexion(one.poses, hinge) - flexion(one.truth, hinge))


FIGURES: Mapping[str, tuple[Callable[[Lifted], Float[np.ndarray, "*many"]], float, int]] = {
    "p_mpjpe_mm": (after_similarity, 1000, 1),
    "mpjpe_mm": (from_middle, 1000, 1),
    "scaled_mpjpe_mm": (after_scale, 1000, 1),
    **{f"{hinge}_{name}": (_bent(hinge, size), 1, 1)
       for hinge, (name, size) in product(CHAINS, (("deg", np.abs), ("bias_deg", np.positive)))},
    "limbs": (lengths_vary, 1, 4),
    "arms_ordered": (arms_ordered, 1, 3),
}  # fmt: skip
"""The error function, the factor to its unit, and the number of digits of each figure."""
FOOT_FIGURES: Mapping[str, tuple[Callable[[Lifted], Float[np.ndarray, "*many"]], float, int]] = {
    "pose_heel_mm": (lambda one: feet_from_middle(one)[:, HEELS], 1000, 1),
    "pose_toe_mm": (lambda one: feet_from_middle(one)[:, TOES], 1000, 1),
    "pose_heel_p_mm": (lambda one: feet_after_similarity(one)[:, HEELS], 1000, 1),
    "pose_toe_p_mm": (lambda one: feet_after_similarity(one)[:, TOES], 1000, 1),
}
"""The same for heels and toes. Beside them, ``heel_mm`` is an error in the picture."""
