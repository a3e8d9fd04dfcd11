"""Measure the accuracy of detectors and lifters on people filmed by four calibrated cameras; prints JSON.

    python -m benchmarks.bodies.calibrated [--clip single|multi] [--frames 100] [--lifter default] [--fit body|off]
        [--cache FOLDER]

The joints were not measured. The reference for each is triangulated robustly from all detectors in all views, so an
error that all detectors share goes unnoticed. The cameras' rotations are refined first (``rig.turned``). For each
person visible in all views, in order of the views' agreement:

``mm``: mean distance to the reference's projection, at its depth, of shoulders to ankles as the tracker returns them
(with filled gaps); ``seen``: fraction of them present; ``wrist_mm``, ``hip_mm`` and so on: by joint; ``jitter_mm``:
median length of the error's second difference over time; ``ankle_px``, ``heel_mm``, ``heel_px``, ``big_toe_mm``,
``big_toe_px``: mean distances of the joints of the feet, of detectors that find them (their reference, from
``benchmarks.bodies.feet``, is good to about 2 cm); ``crossed``: fraction of frames in which arms or legs are closer to
the reference with left and right swapped; ``crossed_s``: the longest such interval, s.

The other figures are of the lifted poses after the fit (``--fit off``: without it), for the twelve joints shared with
the detector. ``p_mpjpe_mm``: error after the best similarity of each frame; ``mpjpe_mm``: error relative to the middle
of the hips; ``scaled_mpjpe_mm``: the same after the best scale of the whole track (the woman is rendered as if she were
1.36 m tall, which a single camera cannot tell); ``knee_deg``, ``elbow_deg``: mean absolute error of flexion;
``knee_bias_deg``, ``elbow_bias_deg``: its mean signed error (positive: too much flexion); ``limbs``: mean coefficient
of variation of the lengths of thighs, shanks, upper arms and forearms; ``arms_ordered``: of elbows and wrists that
cross the trunk in the picture and are at least 5 cm from it, the share on the right side; of poses with feet,
``pose_heel_mm`` and ``pose_toe_mm``: as ``mpjpe_mm``; ``pose_heel_p_mm`` and ``pose_toe_p_mm``: after the similarity of
the twelve joints. Each is given over all views, for each view
(``_1`` to ``_4``), for cameras 1 and 3 (``_chosen``: for choosing settings) and for 2 and 4 (``_reported``).

The row ``truth`` lifts the projections of the reference: a bound for any 2D stage. ``full, as read`` does not correct
left and right; ``full, mended afterwards`` corrects them only by ``tracking.repair_side_flips``; ``full, repaired``
does that after the detector's own correction, as the program does. These three, and the detectors that run on fewer
frames, do not contribute to the reference.
"""

import json
from collections.abc import Mapping, Sequence
from itertools import groupby
from pathlib import Path

import numpy as np
import tyro
from jaxtyping import Bool, Float

from benchmarks.bodies.calibrated_tracks import Clip, Seen, people, plain
from benchmarks.bodies.feet import FOOT_PARTS, joints, metres_per_pixel
from benchmarks.bodies.lifted_figures import figures, lifted
from benchmarks.bodies.rig import RATE, View
from benchmarks.keypoints.noise_figures import ARMS, LEGS, across
from benchmarks.reporting import machine
from kinelift.lifting.body import FitMode, PoseLifter
from kinelift.lifting.lifter import Lifter
from kinelift.lifting.world.stage import WorldLifter
from kinelift.poses import COCO17, COCO23, Skeleton, Track2D
from kinelift.weights.store import find

BODY = slice(COCO17.index("left_shoulder"), None)
PARTS = ("shoulder", "elbow", "wrist", "hip", "knee", "ankle")


def main(
    clip: Clip = "single", frames: int = 100, lifter: str = "default", fit: FitMode = "body", cache: Path | None = None
) -> None:
    """Measure and print.

    Args:
        clip: One man; or the same man and, in front of him, a woman rendered into the pictures.
        frames: Number of frames to use of each clip.
        lifter: Name of a lifter, or path of its checkpoint.
        fit: The fit after the network: body, as in the program, or off.
        cache: Folder in which the 2D tracks are cached, so that evaluating another lifter takes seconds.
    """
    network = Lifter.load(find(lifter))
    rows = [person(seen, WorldLifter(network, fit), network.source) for seen in people(clip, frames, cache)]
    about = {"machine": machine(), "clip": clip, "frames": frames, "lifter": lifter, "fit": fit}
    print(json.dumps({**about, "people": rows}, indent=2))


def person(seen: Seen, lifter: PoseLifter, source: Skeleton = COCO17) -> dict[str, Mapping[str, float]]:
    """The figures of each detector for one person.

    Args:
        seen: The person.
        lifter: The lifter.
        source: The keypoints that it takes: ``COCO17`` or ``COCO23``.
    """
    ways = {**seen.tracks, "truth": [plain(view.image(seen.truth)) for view in seen.views]}
    whole = joints(seen, COCO23.joints)
    shod = {**seen.with_feet, "truth": [plain(view.image(whole), COCO23) for view in seen.views]}
    taken = shod if source == COCO23 else ways
    feet = {way: foot_errors(seen, tracks) for way, tracks in seen.with_feet.items()}
    return {
        way: {**row(seen.views, tracks, seen.truth), **feet.get(way, {}), **figures(lifted(seen, taken[way], lifter))}
        for way, tracks in ways.items()
    }


def row(views: Sequence[View], tracks: Sequence[Track2D], truth: Float[np.ndarray, "T J 3"]) -> Mapping[str, float]:
    """The 2D figures of one detector."""
    errors = np.stack([flat_errors(view, one, truth) for view, one in zip(views, tracks, strict=True)])
    sides = np.stack([crossed(view.image(truth), one) for view, one in zip(views, tracks, strict=True)])
    parts = {part: [COCO17.index(f"{side}_{part}") for side in ("left", "right")] for part in PARTS}
    jitters = np.stack([jitter(view, one, truth) for view, one in zip(views, tracks, strict=True)])
    return {
        "mm": _mm(errors[..., BODY]),
        "seen": round(float(np.isfinite(errors[..., BODY]).mean()), 3),
        **{f"{part}_mm": _mm(errors[..., joints]) for part, joints in parts.items()},
        "jitter_mm": round(1000 * float(np.nanmedian(jitters[..., BODY])), 1),
        "crossed": round(float(sides.mean()), 3),
        "crossed_s": round(max(map(longest, sides)) / RATE, 2),
    }


def foot_errors(seen: Seen, tracks: Sequence[Track2D]) -> Mapping[str, float]:
    """Mean 2D errors of the joints of the feet; none for a detector without them."""
    found = {}
    for part in FOOT_PARTS:
        names = [f"{side}_{part}" for side in ("left", "right")]
        columns = [COCO23.index(name) for name in names]
        truth = joints(seen, names)
        apart = [one.points[:, columns] - view.image(truth) for view, one in zip(seen.views, tracks, strict=True)]
        metres = [off * metres_per_pixel(view, truth) for view, off in zip(seen.views, apart, strict=True)]
        if np.isfinite(apart).any():
            found[f"{part}_mm"] = _mm(np.linalg.norm(metres, axis=-1))
            found[f"{part}_px"] = round(float(np.nanmean(np.linalg.norm(apart, axis=-1))), 1)
    return found if "heel_mm" in found else {}


def flat_errors(view: View, one: Track2D, truth: Float[np.ndarray, "T J 3"]) -> Float[np.ndarray, "T J"]:
    """Distances in the picture, in m at the depth of the reference."""
    return np.linalg.norm(_off(view, one, truth), axis=-1)


def jitter(view: View, one: Track2D, truth: Float[np.ndarray, "T J 3"]) -> Float[np.ndarray, "T2 J"]:
    """Lengths of the errors' second differences over time, m."""
    return np.linalg.norm(np.diff(_off(view, one, truth), n=2, axis=0), axis=-1)


def _off(view: View, one: Track2D, truth: Float[np.ndarray, "T J 3"]) -> Float[np.ndarray, "T J 2"]:
    """Vectors from the reference's projection to the detection, in m at the joints' depth."""
    return (one.points - view.image(truth)) * metres_per_pixel(view, truth)


def crossed(image: Float[np.ndarray, "T J 2"], one: Track2D) -> Bool[np.ndarray, " T"]:
    """Whether arms or legs are clearly closer to the reference ``image`` with left and right swapped."""
    size = np.sqrt(np.square(image - image.mean(axis=1, keepdims=True)).sum(-1).mean())
    return np.any([across(one.points / size, image / size, group) for group in (ARMS, LEGS)], axis=0)


def longest(true: Bool[np.ndarray, " T"]) -> int:
    """Length of the longest run of true values, in frames."""
    return max((len(list(run)) for value, run in groupby(true.tolist()) if value), default=0)


def _mm(metres: Float[np.ndarray, "*many"]) -> float:
    return round(1000 * float(np.nanmean(metres)), 1)


if __name__ == "__main__":
    tyro.cli(main)
