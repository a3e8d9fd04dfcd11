"""Captured movement on a sound body: the directions and bends of the recording, the proportions of people.

Solvers of motion capture put people on skeletons that are not theirs: shanks too long, so that legs are never straight,
shoulders at the height of the ears or of the ribs, heads that look at the floor. What such a recording says about the
movement is kept: how far each limb is stretched, in which plane it bends, where trunk, shoulders and head turn. What is
constant over a recording session and cannot be true of people is taken out.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from kinelift.lifting import anthropometry
from kinelift.lifting.anthropometry import LOWER_BACK, SEGMENTS
from kinelift.lifting.mocap.joints import FACE_POINTS
from kinelift.lifting.synthesis.bank import FACE, MOCAP

Points = Float[np.ndarray, "T J 3"]
Clips = Sequence[Float[np.ndarray, "_ J 3"]]
Vectors = Float[np.ndarray, "T 3"]
Frames = Float[np.ndarray, "T 3 3"]
"""Rows are the axes: the person's left, up, forward."""

LIMBS = {"leg": ("hip", "knee", "ankle"), "arm": ("shoulder", "elbow", "wrist")}
STRAIGHT = 2.0
"""Percentile of a limb's flexion at which it counts as straight."""
SHOULDER = np.array([0.918, -0.397, 0.0])
"""Mean direction from the thorax joint (the base of the neck) to the left shoulder, by the upper trunk's axes."""
NECK = np.array([0.0, 0.96, 0.28])
"""Mean direction from the thorax joint to the neck joint."""
GAZE = (-15.0, 5.0)
"""Range of the median degrees above the horizontal at which upright people look."""
UPRIGHT = 0.9
"""Vertical part of the trunk's direction from which a person counts as upright."""


@dataclass(frozen=True, eq=False)
class Calibration:
    """What is constant in recordings that share a solver, or a person.

    ``leg`` and ``arm``: degrees that they bend where they are straight; ``shoulder`` and ``neck``: rotations (3, 3)
    that bring the mean directions to those of people; ``gaze``: degrees by which heads have to look up; ``spine``: mean
    offset of the spine joint from the line hip – thorax, as a share of it.
    """

    leg: float
    arm: float
    shoulder: Float[np.ndarray, "3 3"]
    neck: Float[np.ndarray, "3 3"]
    gaze: float
    spine: Float[np.ndarray, " 3"]

    @staticmethod
    def of(person: Clips, session: Clips) -> "Calibration":
        """All by the recordings of one ``person`` on one skeleton, but for the arms.

        Legs are straight in every recording that shows a step. Arms are not: all recordings of the same solver count.
        """
        points, everybody = np.concatenate(person), np.concatenate(session)
        axes = trunk(points)
        left, right = (local(axes, points, "thorax", f"{side}_shoulder") for side in ("left", "right"))
        sideways = _unit(_unit(left).mean(0) + _unit(right).mean(0) * [-1, 1, 1])
        neck = _unit(_unit(local(axes, points, "thorax", "neck")).mean(0) * [0, 1, 1])
        length = np.linalg.norm(_bone(points, "hip", "thorax"), axis=1)
        gaze = _gaze(points, axes)
        return Calibration(
            leg=least(points, "leg"),
            arm=least(everybody, "arm"),
            shoulder=between(sideways, SHOULDER),
            neck=between(neck, _unit(NECK)),
            gaze=float(np.clip(gaze, *GAZE)) - gaze,
            spine=(_bow(points, axes) / length[:, None]).mean(0) * [0, 1, 1],
        )


def retarget(points: Points, calibration: Calibration) -> Points:
    """The movement on the body of ``anthropometry.typical``, the hip where it was; world metres, Y up."""
    length = dict(zip(SEGMENTS, anthropometry.typical().double().numpy(), strict=True))
    out = np.empty_like(points, dtype=np.float64)
    at = {name: j for j, name in enumerate(MOCAP.joints)}
    out[:, at["hip"]] = points[:, at["hip"]]
    hips = _unit(_bone(points, "right_hip", "left_hip"))
    for sign, side in ((1, "left"), (-1, "right")):
        out[:, at[f"{side}_hip"]] = out[:, at["hip"]] + sign * length["hip"] * hips
    old, up = trunk(points), _unit(_bone(points, "hip", "thorax"))
    height = length["spine"] + length["thorax"]
    stretch = np.linalg.norm(_bone(points, "hip", "thorax"), axis=1, keepdims=True)
    bow = _world(old, _bow(points, old) / stretch - calibration.spine) * height
    spine = _unit(LOWER_BACK * height * up + bow) * length["spine"]
    out[:, at["spine"]] = out[:, at["hip"]] + spine
    out[:, at["thorax"]] = out[:, at["spine"]] + _unit(height * up - spine) * length["thorax"]
    new = _axes(out[:, at["thorax"]] - out[:, at["spine"]], _bone(points, "right_shoulder", "left_shoulder"))
    neck = _unit(local(old, points, "thorax", "neck")) @ calibration.neck.T
    out[:, at["neck"]] = out[:, at["thorax"]] + _world(new, neck) * length["neck"]
    out[:, at["head"] : at["head"] + 1] = out[:, at["neck"], None]
    head = _head(points, calibration.gaze)
    out[:, at["head"]] += head[:, 1] * length["head"]
    out[:, [at[name] for name in FACE]] = out[:, at["neck"], None] + np.einsum("fi,tij->tfj", FACE_POINTS, head)
    mirror = np.diag([-1.0, 1.0, 1.0])
    for side, turn in (("left", calibration.shoulder), ("right", mirror @ calibration.shoulder @ mirror)):
        place = _unit(local(old, points, "thorax", f"{side}_shoulder")) @ turn.T
        out[:, at[f"{side}_shoulder"]] = out[:, at["thorax"]] + _world(new, place) * length["shoulder"]
        for limb, bones in (("leg", ("thigh", "shank")), ("arm", ("upper_arm", "forearm"))):
            first, middle, last = (at[f"{side}_{part}"] for part in LIMBS[limb])
            chain = points[:, [first, middle, last]]
            straight = span(chain, getattr(calibration, limb))
            out[:, [middle, last]] = out[:, first, None] + bent(chain, straight, length[bones[0]], length[bones[1]])
    return out


def bent(chain: Float[np.ndarray, "T 3 3"], straight: float, upper: float, lower: float) -> Float[np.ndarray, "T 2 3"]:
    """Middle and end of a limb of two bones (``upper``, ``lower``, metres) relative to its first joint.

    It points where ``chain`` points, bends in the same plane, and is as far from straight: its ends are as far apart,
    as a share of a straight limb's length, as those of ``chain`` are of ``straight``.
    """
    whole, knee = chain[:, 2] - chain[:, 0], chain[:, 1] - chain[:, 0]
    far = np.linalg.norm(whole, axis=1, keepdims=True)
    along = whole / np.maximum(far, 1e-9)
    aside = _unit(knee - (knee * along).sum(1, keepdims=True) * along)
    reach = np.clip(far / straight, 0.0, 1.0) * (upper + lower)
    reach = np.maximum(reach, abs(upper - lower) + 1e-3)
    cosine = np.clip((upper**2 + reach**2 - lower**2) / (2 * upper * reach), -1.0, 1.0)
    middle = upper * (cosine * along + np.sqrt(1 - cosine**2) * aside)
    return np.stack([middle, reach * along], 1)


def least(points: Points, limb: str) -> float:
    """Degrees that a ``limb`` bends in the ``STRAIGHT`` percent of frames that bend least, left and right together."""
    return float(np.percentile(np.concatenate([flexion(points, side, limb) for side in ("left", "right")]), STRAIGHT))


def span(chain: Float[np.ndarray, "T 3 3"], degrees: float) -> float:
    """Distance between the ends of a limb of these bones that is bent by so many degrees (law of cosines)."""
    upper, lower = np.linalg.norm(np.diff(chain, axis=1), axis=2).mean(0)
    return float(np.sqrt(upper**2 + lower**2 + 2 * upper * lower * np.cos(np.radians(degrees))))


def flexion(points: Points, side: str, limb: str) -> Float[np.ndarray, " T"]:
    """Degrees between the two bones of a ``limb`` ("leg", "arm"); 0 is straight."""
    first, middle, last = (f"{side}_{part}" for part in LIMBS[limb])
    cosine = (_unit(_bone(points, first, middle)) * _unit(_bone(points, middle, last))).sum(1)
    return np.degrees(np.arccos(np.clip(cosine, -1.0, 1.0)))


def trunk(points: Points) -> Frames:
    """Axes of the upper trunk: up from spine to thorax, the left as the shoulders say."""
    return _axes(_bone(points, "spine", "thorax"), _bone(points, "right_shoulder", "left_shoulder"))


def local(axes: Frames, points: Points, start: str, end: str) -> Vectors:
    """From one joint to another, by ``axes``."""
    return np.einsum("tij,tj->ti", axes, _bone(points, start, end))


def between(start: Float[np.ndarray, " 3"], end: Float[np.ndarray, " 3"]) -> Float[np.ndarray, "3 3"]:
    """The least rotation that brings one unit vector onto another, not opposite one (Rodrigues)."""
    x, y, z = np.cross(start, end)
    cross = np.array([[0.0, -z, y], [z, 0.0, -x], [-y, x, 0.0]])
    return np.eye(3) + cross + cross @ cross / (1 + start @ end)


def _bow(points: Points, axes: Frames) -> Vectors:
    """From the line hip – thorax to the spine joint, square to it, by ``axes``."""
    up, spine = _unit(_bone(points, "hip", "thorax")), _bone(points, "hip", "spine")
    return np.einsum("tij,tj->ti", axes, spine - (spine * up).sum(1, keepdims=True) * up)


def _gaze(points: Points, axes: Frames) -> float:
    """Median degrees above the horizontal at which upright people look; 0 where nobody is upright."""
    upright = axes[:, 1, 1] > UPRIGHT
    forward = _head(points, 0.0)[upright, 2]
    return float(np.degrees(np.median(np.arcsin(np.clip(forward[:, 1], -1, 1))))) if upright.any() else 0.0


def _head(points: Points, up: float) -> Frames:
    """Axes of the head, out of the face points that ride on it, turned to look ``up`` by so many degrees."""
    face = {name: points[:, MOCAP.index(name)] for name in FACE}
    nose, ears = FACE_POINTS[0], (FACE_POINTS[3] + FACE_POINTS[4]) / 2
    left = _unit(face["left_ear"] - face["right_ear"])
    middle, neck = (face["left_ear"] + face["right_ear"]) / 2, points[:, MOCAP.index("neck")]
    goal = np.stack([middle - neck, face["nose"] - neck], 1)
    known = np.stack([ears, nose])[:, 1:]
    upward, forward = np.moveaxis(np.einsum("ab,tbj->taj", np.linalg.inv(known), goal), 1, 0)
    axes = np.stack([left, _unit(upward), _unit(forward)], 1)
    cosine, sine = np.cos(np.radians(up)), np.sin(np.radians(up))
    return np.array([[1, 0, 0], [0, cosine, -sine], [0, sine, cosine]]) @ axes


def _axes(up: Vectors, left: Vectors) -> Frames:
    up = _unit(up)
    left = _unit(left - (left * up).sum(1, keepdims=True) * up)
    return np.stack([left, up, np.cross(left, up)], 1)


def _world(axes: Frames, vectors: Vectors) -> Vectors:
    return np.einsum("tij,ti->tj", axes, vectors)


def _bone(points: Points, start: str, end: str) -> Vectors:
    return np.asarray(points[:, MOCAP.index(end)] - points[:, MOCAP.index(start)], dtype=np.float64)


def _unit(vectors: Float[np.ndarray, "*N 3"]) -> Float[np.ndarray, "*N 3"]:
    return vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-9)
