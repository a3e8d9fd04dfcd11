"""Retargets motion capture to a typical body: it keeps directions and flexions, and replaces implausible proportions.

Motion capture solvers fit people with badly proportioned skeletons: shanks too long, so that legs are never straight;
shoulders level with the ears or the ribs; heads tilted towards the floor. Retargeting keeps the motion: how far
each limb is extended, in which plane it bends, and how trunk, shoulders and head turn. It removes only
errors that are constant over a session and anatomically impossible.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from kinelift.lifting import anthropometry
from kinelift.lifting.anthropometry import LOWER_BACK, SEGMENTS
from kinelift.lifting.mocap.feet import Sole, placed
from kinelift.lifting.mocap.joints import FACE_POINTS
from kinelift.lifting.synthesis.bank import MOCAP
from kinelift.poses.skeleton import FACE
from kinelift.poses.vectors import unit

Points = Float[np.ndarray, "T J 3"]
Clips = Sequence[Float[np.ndarray, "_ J 3"]]
Vectors = Float[np.ndarray, "T 3"]
Frames = Float[np.ndarray, "T 3 3"]
"""Rows are the axes: the person's left, up, forward."""

LIMBS = {"leg": ("hip", "knee", "ankle"), "arm": ("shoulder", "elbow", "wrist")}
STRAIGHT = 2.0
"""Percentile of a limb's flexion that counts as straight."""
SHOULDER = np.array([0.918, -0.397, 0.0])
"""Mean direction from the thorax joint (the base of the neck) to the left shoulder, in the upper trunk's axes."""
NECK = np.array([0.0, 0.96, 0.28])
"""Mean direction from the thorax joint to the neck joint, in the upper trunk's axes."""
GAZE = (-15.0, 5.0)
"""Range of an upright person's median gaze elevation, in degrees."""
UPRIGHT = 0.9
"""Vertical component of the trunk's direction above which a person counts as upright."""


@dataclass(frozen=True, eq=False)
class Calibration:
    """Constant errors of recordings that share a solver or a person.

    Attributes:
        leg: Flexion of straight legs, in degrees.
        arm: Flexion of straight arms, in degrees.
        shoulder: Rotation from the mean shoulder direction to ``SHOULDER``.
        neck: Rotation from the mean neck direction to ``NECK``.
        gaze: Degrees to raise the head by.
        spine: Mean offset of the spine joint from the line hip–thorax, as a fraction of its length.
        soles: The soles of the left and right foot.
    """

    leg: float
    arm: float
    shoulder: Float[np.ndarray, "3 3"]
    neck: Float[np.ndarray, "3 3"]
    gaze: float
    spine: Float[np.ndarray, " 3"]
    soles: tuple[Sole, Sole]

    @staticmethod
    def of(person: Clips, session: Clips) -> "Calibration":
        """Estimate the errors from one person's recordings; those of the arms, from the whole session.

        Every recording with a step shows straight legs. Arms are straight less often, so they need all recordings from
        the same solver.
        """
        points, all_points = np.concatenate(person), np.concatenate(session)
        axes = trunk_axes(points)
        left, right = (local_offset(axes, points, "thorax", f"{side}_shoulder") for side in ("left", "right"))
        sideways = unit(unit(left).mean(0) + unit(right).mean(0) * [-1, 1, 1])
        neck = unit(unit(local_offset(axes, points, "thorax", "neck")).mean(0) * [0, 1, 1])
        length = np.linalg.norm(_bone(points, "hip", "thorax"), axis=1)
        gaze = _gaze(points, axes)
        return Calibration(
            leg=straight_flexion(points, "leg"),
            arm=straight_flexion(all_points, "arm"),
            shoulder=rotation_between(sideways, SHOULDER),
            neck=rotation_between(neck, unit(NECK)),
            gaze=float(np.clip(gaze, *GAZE)) - gaze,
            spine=(_spine_offset(points, axes) / length[:, None]).mean(0) * [0, 1, 1],
            soles=(Sole.of(person, "left"), Sole.of(person, "right")),
        )


def retarget(points: Points, calibration: Calibration) -> Points:
    """Transfer motion (world metres, Y up) to the body of ``anthropometry.typical``. The hip does not move."""
    length = dict(zip(SEGMENTS, anthropometry.typical().double().numpy(), strict=True))
    out = np.empty_like(points, dtype=np.float64)
    at = {name: j for j, name in enumerate(MOCAP.joints)}
    out[:, at["hip"]] = points[:, at["hip"]]
    hips = unit(_bone(points, "right_hip", "left_hip"))
    for sign, side in ((1, "left"), (-1, "right")):
        out[:, at[f"{side}_hip"]] = out[:, at["hip"]] + sign * length["hip"] * hips
    old, up = trunk_axes(points), unit(_bone(points, "hip", "thorax"))
    height = length["spine"] + length["thorax"]
    stretch = np.linalg.norm(_bone(points, "hip", "thorax"), axis=1, keepdims=True)
    spine_bend = _world(old, _spine_offset(points, old) / stretch - calibration.spine) * height
    spine = unit(LOWER_BACK * height * up + spine_bend) * length["spine"]
    out[:, at["spine"]] = out[:, at["hip"]] + spine
    out[:, at["thorax"]] = out[:, at["spine"]] + unit(height * up - spine) * length["thorax"]
    new = _axes(out[:, at["thorax"]] - out[:, at["spine"]], _bone(points, "right_shoulder", "left_shoulder"))
    neck = unit(local_offset(old, points, "thorax", "neck")) @ calibration.neck.T
    out[:, at["neck"]] = out[:, at["thorax"]] + _world(new, neck) * length["neck"]
    out[:, at["head"] : at["head"] + 1] = out[:, at["neck"], None]
    head = _head(points, calibration.gaze)
    out[:, at["head"]] += head[:, 1] * length["head"]
    out[:, [at[name] for name in FACE]] = out[:, at["neck"], None] + np.einsum("fi,tij->tfj", FACE_POINTS, head)
    mirror = np.diag([-1.0, 1.0, 1.0])
    for side, correction in (("left", calibration.shoulder), ("right", mirror @ calibration.shoulder @ mirror)):
        direction = unit(local_offset(old, points, "thorax", f"{side}_shoulder")) @ correction.T
        out[:, at[f"{side}_shoulder"]] = out[:, at["thorax"]] + _world(new, direction) * length["shoulder"]
        for limb, bones in (("leg", ("thigh", "shank")), ("arm", ("upper_arm", "forearm"))):
            first, middle, last = (at[f"{side}_{part}"] for part in LIMBS[limb])
            chain = points[:, [first, middle, last]]
            straight = end_distance(chain, getattr(calibration, limb))
            out[:, [middle, last]] = out[:, first, None] + scale_limb(
                chain, straight, length[bones[0]], length[bones[1]]
            )
    for side, sole in zip(("left", "right"), calibration.soles, strict=True):
        feet = placed(points, side, sole, out[:, at[f"{side}_ankle"]])
        out[:, [at[f"{side}_{part}"] for part in ("heel", "big_toe", "small_toe")]] = np.stack(feet, 1)
    return out


def scale_limb(
    chain: Float[np.ndarray, "T 3 3"], straight: float, upper: float, lower: float
) -> Float[np.ndarray, "T 2 3"]:
    """Transfer a limb to bones of different lengths. It keeps its direction, its plane and its relative extension.

    Args:
        chain: The three joints of the limb.
        straight: Distance between its ends at full extension.
        upper: Length of the new upper bone in metres.
        lower: Length of the new lower bone in metres.

    Returns:
        The middle and end joints, relative to the first.
    """
    span, knee = chain[:, 2] - chain[:, 0], chain[:, 1] - chain[:, 0]
    distance = np.linalg.norm(span, axis=1, keepdims=True)
    along = span / np.maximum(distance, 1e-9)
    aside = unit(knee - (knee * along).sum(1, keepdims=True) * along)
    reach = np.clip(distance / straight, 0.0, 1.0) * (upper + lower)
    reach = np.maximum(reach, abs(upper - lower) + 1e-3)
    cosine = np.clip((upper**2 + reach**2 - lower**2) / (2 * upper * reach), -1.0, 1.0)
    middle = upper * (cosine * along + np.sqrt(1 - cosine**2) * aside)
    return np.stack([middle, reach * along], 1)


def straight_flexion(points: Points, limb: str) -> float:
    """Compute the ``STRAIGHT`` percentile of a limb's flexion in degrees, over both sides."""
    return float(np.percentile(np.concatenate([flexion(points, side, limb) for side in ("left", "right")]), STRAIGHT))


def end_distance(chain: Float[np.ndarray, "T 3 3"], degrees: float) -> float:
    """Compute the distance between the ends of a limb with a flexion of ``degrees`` (law of cosines)."""
    upper, lower = np.linalg.norm(np.diff(chain, axis=1), axis=2).mean(0)
    return float(np.sqrt(upper**2 + lower**2 + 2 * upper * lower * np.cos(np.radians(degrees))))


def flexion(points: Points, side: str, limb: str) -> Float[np.ndarray, " T"]:
    """Compute the flexion of a ``limb`` ("leg", "arm") in degrees; 0 is straight."""
    first, middle, last = (f"{side}_{part}" for part in LIMBS[limb])
    cosine = (unit(_bone(points, first, middle)) * unit(_bone(points, middle, last))).sum(1)
    degrees: Float[np.ndarray, " T"] = np.degrees(np.arccos(np.clip(cosine, -1.0, 1.0)))
    return degrees


def trunk_axes(points: Points) -> Frames:
    """Compute the axes of the upper trunk: up from spine to thorax, left along the shoulders."""
    return _axes(_bone(points, "spine", "thorax"), _bone(points, "right_shoulder", "left_shoulder"))


def local_offset(axes: Frames, points: Points, start: str, end: str) -> Vectors:
    """Compute the vector from one joint to another in ``axes``."""
    offset: Vectors = np.einsum("tij,tj->ti", axes, _bone(points, start, end))
    return offset


def rotation_between(start: Float[np.ndarray, " 3"], end: Float[np.ndarray, " 3"]) -> Float[np.ndarray, "3 3"]:
    """Compute the smallest rotation from one unit vector to another that is not opposite (Rodrigues)."""
    x, y, z = np.cross(start, end)
    cross = np.array([[0.0, -z, y], [z, 0.0, -x], [-y, x, 0.0]])
    rotation: Float[np.ndarray, "3 3"] = np.eye(3) + cross + cross @ cross / (1 + start @ end)
    return rotation


def _spine_offset(points: Points, axes: Frames) -> Vectors:
    """Compute the perpendicular offset of the spine joint from the line hip–thorax, in ``axes``."""
    up, spine = unit(_bone(points, "hip", "thorax")), _bone(points, "hip", "spine")
    offset: Vectors = np.einsum("tij,tj->ti", axes, spine - (spine * up).sum(1, keepdims=True) * up)
    return offset


def _gaze(points: Points, axes: Frames) -> float:
    """Compute the median gaze elevation in upright frames, in degrees; 0 without upright frames."""
    upright = axes[:, 1, 1] > UPRIGHT
    forward = _head(points, 0.0)[upright, 2]
    return float(np.degrees(np.median(np.arcsin(np.clip(forward[:, 1], -1, 1))))) if upright.any() else 0.0


def _head(points: Points, up: float) -> Frames:
    """Compute the head's axes from the face points, raised by ``up`` degrees."""
    face = {name: points[:, MOCAP.index(name)] for name in FACE}
    nose, ears = FACE_POINTS[0], (FACE_POINTS[3] + FACE_POINTS[4]) / 2
    left = unit(face["left_ear"] - face["right_ear"])
    middle, neck = (face["left_ear"] + face["right_ear"]) / 2, points[:, MOCAP.index("neck")]
    offsets = np.stack([middle - neck, face["nose"] - neck], 1)
    rest = np.stack([ears, nose])[:, 1:]
    upward, forward = np.moveaxis(np.einsum("ab,tbj->taj", np.linalg.inv(rest), offsets), 1, 0)
    axes = np.stack([left, unit(upward), unit(forward)], 1)
    cosine, sine = np.cos(np.radians(up)), np.sin(np.radians(up))
    pitched: Frames = np.array([[1, 0, 0], [0, cosine, -sine], [0, sine, cosine]]) @ axes
    return pitched


def _axes(up: Vectors, left: Vectors) -> Frames:
    up = unit(up)
    left = unit(left - (left * up).sum(1, keepdims=True) * up)
    return np.stack([left, up, np.cross(left, up)], 1)


def _world(axes: Frames, vectors: Vectors) -> Vectors:
    rotated: Vectors = np.einsum("tij,ti->tj", axes, vectors)
    return rotated


def _bone(points: Points, start: str, end: str) -> Vectors:
    return np.asarray(points[:, MOCAP.index(end)] - points[:, MOCAP.index(start)], dtype=np.float64)
