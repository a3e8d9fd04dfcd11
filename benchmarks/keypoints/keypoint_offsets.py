"""Measure each detector's systematic keypoint offsets on the calibrated clips; prints JSON.

    python -m benchmarks.keypoints.keypoint_offsets [--frames 100] [--cache FOLDER]

Each detector's keypoints are triangulated separately over all four views, and compared with the consensus of all
detectors in the axes of ``lifting.synthesis.offsets``. There are only two people: a man on a treadmill, and a woman
rendered into the pictures as if she were 1.36 m tall. The man half hidden behind her is listed, but not counted.

``ratios``: hip width over leg length (thigh and shank), shoulder width over arm length, shank over thigh and forearm
over upper arm. ``expected``: the same for average joint centres, and with the published offsets; this is the only check
of errors common to all detectors. ``difference_mm``: median over frames of the detector's keypoint minus the consensus
(x to the left, y up, z forward) of a left joint, averaged over sides and people, for a body 1.75 m tall.
``people_mm``: the same for each person. ``offset_mm``: published offset plus difference, from the joint centre.
``view_mm``: root mean square, per coordinate over people, sides and views, of the constant error in a picture minus the
projection of ``difference_mm``. ``image_mm``: constant error of each person in each view (x to the right, y down), at
the joint's depth. ``error_mm``: root mean square error in the pictures; the same without ``difference_mm``; and without
the constant error of each person, view and joint.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
import tyro
from jaxtyping import Float

from benchmarks.bodies.calibrated_tracks import ASKED, Seen, people
from benchmarks.bodies.rig import View, consensus
from kinelift.lifting.synthesis.offsets import (
    BODY,
    FIRST_BODY_KEYPOINT,
    PARTS,
    PUBLISHED,
    STATURE,
    both_sides,
    keypoint_axes,
)
from kinelift.poses import Track2D

LIMBS = 0.778
"""Total length of thigh, shank, upper arm and forearm between keypoints, as a fraction of stature: 0.805 between joint
centres (ANSUR II, means of men and women), with ``PUBLISHED`` applied."""
EXPECTED = {
    "joint centres": {"hips": 0.204, "shoulders": 0.620, "shank": 0.987, "forearm": 0.978},
    "joint centres and published offsets": {"hips": 0.264, "shoulders": 0.742, "shank": 1.019, "forearm": 0.909},
}
"""Ratios from lengths between joint centres as fractions of stature (ANSUR II, means of men and women): hips 0.099,
shoulders 0.1985, thigh 0.2441, shank 0.2409, upper arm 0.162, forearm 0.1584; with ``PUBLISHED``, for a body of height
``STATURE``."""
PEOPLE = ("the man", "the woman", "the man behind the woman")
COUNTED = 2
"""How many of ``PEOPLE`` count, from the first."""
FAR = 0.1
"""Limit of an error in a picture, m; larger ones are of another kind, and left out."""


def main(frames: int = 100, cache: Path | None = None) -> None:
    """Measure and print.

    Args:
        frames: Number of frames to use of each clip.
        cache: Folder in which the 2D tracks are cached (see ``benchmarks.bodies.calibrated``).
    """
    bodies = [Body.of(seen) for seen in named(frames, cache).values()]
    ways = {way: figures([measured(body, way) for body in bodies]) for way in ASKED}
    known = dict(zip(PEOPLE, map(about, bodies), strict=True))
    print(json.dumps({"expected": EXPECTED, "people": known, "detectors": ways}, indent=2))


def named(frames: int, cache: Path | None) -> dict[str, Seen]:
    """``PEOPLE`` of both clips; the woman is the smaller one."""
    (alone,), (small, large) = people("single", frames, cache), sorted(people("multi", frames, cache), key=_height)
    return dict(zip(PEOPLE, (alone, small, large), strict=True))


def _height(seen: Seen) -> float:
    return sum(limb(seen.truth[:, FIRST_BODY_KEYPOINT:], *pair) for pair in _BONES)


@dataclass(frozen=True, eq=False)
class Body:
    """The twelve joints of a person. ``axes``: x, y, z (rows) of each joint in each frame, in the world."""

    seen: Seen
    truth: Float[np.ndarray, "T 12 3"]
    axes: Float[np.ndarray, "T 12 3 3"]
    stature: float

    @staticmethod
    def of(seen: Seen) -> "Body":
        """The body of a person visible in all views."""
        truth = seen.truth[:, FIRST_BODY_KEYPOINT:]
        return Body(seen, truth, keypoint_axes(torch.from_numpy(truth)).numpy(), _height(seen) / LIMBS)


@dataclass(frozen=True, eq=False)
class Measured:
    """Errors of one detector for one person, in m, scaled to a body of height ``STATURE``.

    ``offset``: constant difference in the joints' axes, with x negated for right joints; ``image``: constant error in
    each view; ``errors``: error in each view and frame; ``axes``: mean projection of a joint's x, y and z in each view.
    """

    offset: Float[np.ndarray, "12 3"]
    image: Float[np.ndarray, "V 12 2"]
    errors: Float[np.ndarray, "V T 12 2"]
    axes: Float[np.ndarray, "V T 12 3 2"]
    ratios: Mapping[str, float]


_BONES = (("hip", "knee"), ("knee", "ankle"), ("shoulder", "elbow"), ("elbow", "wrist"))
_LEFTS = np.array([name.startswith("left") for name in BODY])
_SIGNS = np.where(_LEFTS[:, None], 1.0, [-1.0, 1.0, 1.0])


def measured(body: Body, way: str) -> Measured:
    """Measure one detector."""
    tracks, views, scale = body.seen.tracks[way], body.seen.views, STATURE / body.stature
    alone = consensus(views, [[track.points for track in tracks]])[:, FIRST_BODY_KEYPOINT:]
    offset = np.median((body.axes @ (alone - body.truth)[..., None])[..., 0], axis=0) * scale * _SIGNS
    errors = np.stack([off(view, track, body.truth) for view, track in zip(views, tracks, strict=True)]) * scale
    flat = np.stack([shadows(view, body) for view in views])
    return Measured(offset, np.nanmedian(errors, axis=1), errors, flat, ratios(alone))


def off(view: View, track: Track2D, truth: Float[np.ndarray, "T 12 3"]) -> Float[np.ndarray, "T 12 2"]:
    """Vectors from the reference's projection to the detection, m at the joints' depth; NaN beyond ``FAR``."""
    depth = view.place.to_camera(truth)[..., 2:]
    points = np.where(track.filled[..., None], np.nan, track.points)[:, FIRST_BODY_KEYPOINT:]
    errors = (points - view.image(truth)) * depth / np.mean(view.camera.focals)
    return np.where(np.linalg.norm(errors, axis=-1, keepdims=True) < FAR, errors, np.nan)


def shadows(view: View, body: Body) -> Float[np.ndarray, "T 12 3 2"]:
    """Projection of a metre along x, y and z of each joint, in m at its depth."""
    depth = view.place.to_camera(body.truth)[..., None, 2:]
    step = 0.01
    ends = view.image(body.truth[..., None, :] + step * body.axes)
    return (ends - view.image(body.truth)[..., None, :]) * depth / np.mean(view.camera.focals) / step


def figures(found: Sequence[Measured]) -> dict[str, Any]:
    """The figures of one detector, from its errors for each of ``PEOPLE``."""
    counted = found[:COUNTED]
    difference = by_part(np.mean([one.offset for one in counted], axis=0))
    predicted = both_sides({part: tuple(xyz) for part, xyz in difference.items()}).numpy()
    left = [without(one, predicted) for one in counted]
    apart = np.stack([np.nanmedian(errors, axis=1) for errors in left])
    calm = [one.errors - one.image[:, None] for one in counted]
    return {
        "ratios": {who: one.ratios for who, one in zip(PEOPLE, found, strict=True)},
        "difference_mm": _mm(difference),
        "people_mm": {who: _mm(by_part(one.offset)) for who, one in zip(PEOPLE, found, strict=True)},
        "offset_mm": _mm({part: PUBLISHED[part] + xyz for part, xyz in difference.items()}),
        "view_mm": {part: _size(apart[:, :, _joints(part)]) for part in PARTS},
        "error_mm": [_size(np.stack(e)) for e in ([one.errors for one in counted], left, calm)],
        "image_mm": {
            who: [dict(zip(BODY, _rounded(view), strict=True)) for view in one.image]
            for who, one in zip(PEOPLE, found, strict=True)
        },
    }


def without(one: Measured, offsets: Float[np.ndarray, "12 3"]) -> Float[np.ndarray, "V T 12 2"]:
    """Errors in the pictures minus the projections of constant offsets in the joints' axes."""
    return one.errors - np.einsum("jk,vtjkc->vtjc", offsets, one.axes)


def by_part(offsets: Float[np.ndarray, "12 3"]) -> dict[str, Float[np.ndarray, " 3"]]:
    """Average over left and right, by part."""
    return {part: offsets[_joints(part)].mean(axis=0) for part in PARTS}


def about(body: Body) -> Mapping[str, Any]:
    """Proportions of a person by the consensus of all detectors."""
    return {"stature_m": round(body.stature, 2), "ratios": ratios(body.truth)}


def ratios(points: Float[np.ndarray, "T 12 3"]) -> Mapping[str, float]:
    """Ratios of widths and limb lengths, from medians over time."""
    thigh, shank, arm, forearm = (limb(points, *pair) for pair in _BONES)
    found = {
        "hips": _between(points, "hip") / (thigh + shank),
        "shoulders": _between(points, "shoulder") / (arm + forearm),
        "shank": shank / thigh,
        "forearm": forearm / arm,
    }
    return {name: round(value, 3) for name, value in found.items()}


def limb(points: Float[np.ndarray, "T 12 3"], upper: str, lower: str) -> float:
    """Median length over left and right."""
    return float(np.median(np.linalg.norm(points[:, _joints(upper)] - points[:, _joints(lower)], axis=-1)))


def _between(points: Float[np.ndarray, "T 12 3"], part: str) -> float:
    left, right = _joints(part)
    return float(np.median(np.linalg.norm(points[:, left] - points[:, right], axis=-1)))


def _joints(part: str) -> list[int]:
    return [BODY.index(f"{side}_{part}") for side in ("left", "right")]


def _mm(offsets: Mapping[str, Float[np.ndarray, " 3"]]) -> dict[str, list[float]]:
    return {part: _rounded(xyz) for part, xyz in offsets.items()}


def _rounded(metres: Float[np.ndarray, "*many"]) -> Any:
    return np.round(1000 * metres, 1).tolist()


def _size(metres: Float[np.ndarray, "*many"]) -> float:
    return round(1000 * float(np.sqrt(np.nanmean(np.square(metres)))), 1)


if __name__ == "__main__":
    tyro.cli(main)
