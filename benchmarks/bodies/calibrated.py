"""Accuracy of the ways to place joints on people whom four calibrated cameras see, as JSON.

    python -m benchmarks.bodies.calibrated [--clip single|multi] [--frames 100] [--lifter default] [--fit body|off]
        [--cache FOLDER]

Nobody measured their joints. The truth of each is the point that fits best, by robust triangulation, what all ways say
in all views, so an error that all of them share is not seen; the cameras are first turned so that it all fits together
(``rig.turned``). For everybody whom all views see, in the order in which the views agree:

``mm``: mean distance from that point's image, at its depth, of the shoulders to ankles that the tracker hands on
(filled gaps included); ``seen``: their share; ``wrist_mm``, ``hip_mm`` and so on: those of them; ``jitter_mm``: median
length of the error's second difference over time; ``crossed``: share of frames in which arms or legs lie nearer to the
truth with left and right exchanged, and ``crossed_s`` the longest such spell in seconds.

The other figures are of the poses that lifter and fit make of the tracks (``--fit off``: the lifter alone), for the
twelve joints that they share with the detector. ``p_mpjpe_mm``: error after the best similarity of every frame;
``mpjpe_mm``: error with the middle of the hips in one place; ``scaled_mpjpe_mm``: the same after the best scale of the
whole track (the woman is rendered as if she were 1.36 m tall, which no single camera can see); ``knee_deg``,
``elbow_deg``: mean absolute error of the angle by which they are bent, and ``knee_bias_deg``, ``elbow_bias_deg`` its
mean with its sign (positive: bent too much); ``limbs``: standard deviation over mean of the lengths of thighs, shanks,
upper arms and forearms, mean over them. Each over all views, in each (``_1`` to ``_4``), in cameras 1 and 3
(``_chosen``: choose by these) and in 2 and 4 (``_reported``).

The row ``truth`` lifts the images of the truth itself: no 2D stage does better. In ``full, as read`` nothing mends left
and right, in ``full, mended afterwards`` only ``tracking.repair_side_flips`` does; they and those that look at fewer
frames have no say in the truth.
"""

import json
from collections.abc import Mapping, Sequence
from itertools import groupby
from pathlib import Path

import numpy as np
import tyro
from jaxtyping import Bool, Float

from benchmarks.bodies.calibrated_tracks import Clip, Seen, people, plain
from benchmarks.bodies.lifted_figures import figures, lifted
from benchmarks.bodies.rig import RATE, View
from benchmarks.keypoints.noise_figures import ARMS, LEGS, across
from benchmarks.reporting import machine
from kinelift.lifting.body import FitMode, PoseLifter, with_fit
from kinelift.lifting.lifter import Lifter
from kinelift.poses import COCO17, Track2D
from kinelift.weights.store import find

BODY = slice(COCO17.index("left_shoulder"), None)
PARTS = ("shoulder", "elbow", "wrist", "hip", "knee", "ankle")


def main(
    clip: Clip = "single", frames: int = 100, lifter: str = "default", fit: FitMode = "body", cache: Path | None = None
) -> None:
    """Measure and print.

    Args:
        clip: One man; or the same man and, in front of him, a woman rendered into the pictures.
        frames: How many frames of the clips are used.
        lifter: Name of a lifter, or the path of its checkpoint.
        fit: What happens to poses after the network: body, as in the program, or off.
        cache: A folder that keeps what the 2D stages find, so that another lifter takes seconds. Empty it when a
            detector changes.
    """
    network = with_fit(Lifter.load(find(lifter)), fit)
    rows = [person(seen, network) for seen in people(clip, frames, cache)]
    about = {"machine": machine(), "clip": clip, "frames": frames, "lifter": lifter, "fit": fit}
    print(json.dumps({**about, "people": rows}, indent=2))


def person(seen: Seen, lifter: PoseLifter) -> dict[str, Mapping[str, float]]:
    """The figures of every way for one person."""
    ways = {**seen.tracks, "truth": [plain(view.image(seen.truth)) for view in seen.views]}
    return {
        way: {**row(seen.views, tracks, seen.truth), **figures(lifted(seen, tracks, lifter))}
        for way, tracks in ways.items()
    }


def row(views: Sequence[View], tracks: Sequence[Track2D], truth: Float[np.ndarray, "T J 3"]) -> Mapping[str, float]:
    """The figures of one way in the pictures."""
    errors = np.stack([flat_errors(view, one, truth) for view, one in zip(views, tracks, strict=True)])
    sides = np.stack([crossed(view.image(truth), one) for view, one in zip(views, tracks, strict=True)])
    parts = {part: [COCO17.index(f"{side}_{part}") for side in ("left", "right")] for part in PARTS}
    trembling = np.stack([jitter(view, one, truth) for view, one in zip(views, tracks, strict=True)])
    return {
        "mm": _mm(errors[..., BODY]),
        "seen": round(float(np.isfinite(errors[..., BODY]).mean()), 3),
        **{f"{part}_mm": _mm(errors[..., joints]) for part, joints in parts.items()},
        "jitter_mm": round(1000 * float(np.nanmedian(trembling[..., BODY])), 1),
        "crossed": round(float(sides.mean()), 3),
        "crossed_s": round(max(map(longest, sides)) / RATE, 2),
    }


def flat_errors(view: View, one: Track2D, truth: Float[np.ndarray, "T J 3"]) -> Float[np.ndarray, "T J"]:
    """Distances in the picture, in metres at the depth of the truth."""
    return np.linalg.norm(_off(view, one, truth), axis=-1)


def jitter(view: View, one: Track2D, truth: Float[np.ndarray, "T J 3"]) -> Float[np.ndarray, "T2 J"]:
    """Lengths of the errors' second differences over time, in metres."""
    return np.linalg.norm(np.diff(_off(view, one, truth), n=2, axis=0), axis=-1)


def _off(view: View, one: Track2D, truth: Float[np.ndarray, "T J 3"]) -> Float[np.ndarray, "T J 2"]:
    """From where joints lie in the picture to where they were seen, in metres at their depth."""
    depth = view.place.to_camera(truth)[..., 2:]
    return (one.points - view.image(truth)) * depth / np.mean(view.camera.focals)


def crossed(image: Float[np.ndarray, "T J 2"], one: Track2D) -> Bool[np.ndarray, " T"]:
    """Whether arms or legs lie nearer to their true ``image`` with left and right exchanged, clearly so."""
    size = np.sqrt(np.square(image - image.mean(axis=1, keepdims=True)).sum(-1).mean())
    return np.any([across(one.points / size, image / size, group) for group in (ARMS, LEGS)], axis=0)


def longest(true: Bool[np.ndarray, " T"]) -> int:
    """Frames of the longest spell."""
    return max((len(list(run)) for value, run in groupby(true.tolist()) if value), default=0)


def _mm(metres: Float[np.ndarray, "*many"]) -> float:
    return round(1000 * float(np.nanmean(metres)), 1)


if __name__ == "__main__":
    tyro.cli(main)
