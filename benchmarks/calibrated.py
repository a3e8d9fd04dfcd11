"""Accuracy of the ways to place joints on people whom four calibrated cameras see, as JSON.

    python -m benchmarks.calibrated [--clip single|multi] [--frames 100]

Nobody measured their joints. The truth of each is the point that fits best, by robust triangulation, what all ways say
in all views, so an error that all of them share is not seen; the cameras are first turned so that it all fits together
(``rig.turned``). For everybody whom all views see, in the order in which the views agree:

``mm``: mean distance from that point's image, at its depth, of the shoulders to ankles that the tracker hands on
(filled gaps included); ``seen``: their share; ``wrist_mm``, ``hip_mm`` and so on: those of them; ``jitter_mm``: median
length of the error's second difference over time; ``p_mpjpe_mm``: error of the poses that the default lifter makes of
the tracks, for the joints that it shares with the detector; ``crossed``: share of frames in which arms or legs lie
nearer to the truth with left and right exchanged, and ``crossed_s`` the longest such spell in seconds. The row
``truth`` lifts the images of the truth itself: no 2D stage does better. In ``full, as read`` nothing mends left and
right, in ``full, mended afterwards`` only ``tracking.unflipped`` does; they and the ways that look at fewer frames have
no say in the truth.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal
from unittest.mock import patch

import numpy as np
import tyro
from jaxtyping import Bool, Float

from benchmarks.noise_figures import ARMS, LEGS, across
from benchmarks.pipeline import machine
from benchmarks.refinement import WAYS, detector
from benchmarks.rig import RATE, SIZE, View, consensus, matched, nearest, read, turned
from detectors.protocol import Detector
from detectors.sides import Sides
from detectors.tracking import Tracker, unflipped
from lifting.lifter import Lifter
from lifting.metrics import aligned
from poses import COCO17, H36M17, Track2D
from weights.store import fetch, locate

BODY = slice(COCO17.index("left_shoulder"), None)
PARTS = ("shoulder", "elbow", "wrist", "hip", "knee", "ankle")
ASKED = ("none", "full", "heavy")
"""Whose answers make the truth."""
AS_READ = "full, as read"
MENDED = "full, mended afterwards"
Answers = Sequence[Sequence[Float[np.ndarray, "T J 2"]]]
"""For every view the tracks in it."""


def main(clip: Literal["single", "multi"] = "single", frames: int = 100) -> None:
    """Measure and print.

    Args:
        clip: One man; or the same man and, in front of him, a woman rendered into the pictures.
        frames: How many frames of the clips are used.
    """
    for name in ("movenet-multipose", "blazepose-full", "blazepose-heavy"):
        fetch(name)
    with TemporaryDirectory() as folder:
        views = read(fetch("calibrated-clips"), clip, Path(folder), frames)
    tracks = {way: [follow(detector(way, 1), view) for view in views] for way in WAYS}
    with patch("detectors.refined.Sides", AsRead):
        tracks[AS_READ] = [follow(detector("full", 1), view) for view in views]
        tracks[MENDED] = [follow(detector("full", 1), view, unflipped) for view in views]
    lifter = Lifter.load(locate("default"))
    people = [person(views, tracks, who, lifter) for who in matched(views, tracks["full"])]
    print(json.dumps({"machine": machine(), "clip": clip, "frames": frames, "people": people}, indent=2))


@dataclass(frozen=True, eq=False)
class AsRead(Sides):
    """Left and right as the network says."""

    def read(self, *_: object) -> tuple[bool, Sides]:
        """Never exchanged."""
        return False, self


def follow(
    detector: Detector, view: View, mend: Callable[[Track2D], Track2D] | None = None
) -> list[Float[np.ndarray, "T J 2"]]:
    """Everybody in a view over all frames, NaN where they were not seen."""
    tracker = Tracker(detector.skeleton, SIZE, mend=mend)
    for people in detector.detect(view.frames):
        tracker.update(people, people.frame / RATE)
    found = []
    for identity in tracker.tracks():
        points = np.full((len(view.frames), len(detector.skeleton), 2), np.nan)
        points[identity.track.start : identity.track.stop] = identity.track.points
        found.append(points)
    return found


def person(
    published: Sequence[View], tracks: Mapping[str, Answers], who: Sequence[int], lifter: Lifter
) -> dict[str, Mapping[str, float]]:
    """The figures of every way for the person whose tracks of the way ``full`` have the numbers ``who``."""
    first = consensus(published, [[some[k] for some, k in zip(tracks["full"], who, strict=True)]])
    theirs = {
        way: [nearest(v, some, first) for v, some in zip(published, all_, strict=True)] for way, all_ in tracks.items()
    }
    asked = [theirs[way] for way in ASKED]
    views = turned(published, asked)
    truth = consensus(views, asked)
    theirs["truth"] = [view.image(truth) for view in views]
    return {way: row(views, [track(points) for points in one], truth, lifter) for way, one in theirs.items()}


def track(points: Float[np.ndarray, "T J 2"]) -> Track2D:
    """A track of these points, one a frame."""
    seen = np.isfinite(points).all(axis=-1)
    return Track2D(points, seen.astype(float), np.arange(len(points)) / RATE, np.zeros_like(seen), 0, SIZE)


def row(
    views: Sequence[View], tracks: Sequence[Track2D], truth: Float[np.ndarray, "T J 3"], lifter: Lifter
) -> Mapping[str, float]:
    """The figures of one way."""
    errors = np.stack([flat_errors(view, one, truth) for view, one in zip(views, tracks, strict=True)])
    lifted = np.stack([lifted_errors(view, one, truth, lifter) for view, one in zip(views, tracks, strict=True)])
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
        "p_mpjpe_mm": _mm(lifted),
        **{f"p_mpjpe_mm_{k}": _mm(one) for k, one in enumerate(lifted, start=1)},
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


def lifted_errors(
    view: View, one: Track2D, truth: Float[np.ndarray, "T J 3"], lifter: Lifter
) -> Float[np.ndarray, "T K"]:
    """Distances in metres after the best similarity of every frame, of the joints that both skeletons have."""
    shared = [name for name in H36M17.joints if name in COCO17.joints]
    poses = lifter.lift(one, view.camera).points[:, [H36M17.index(name) for name in shared]]
    target = view.place.to_camera(truth)[:, [COCO17.index(name) for name in shared]]
    shown = np.isfinite(poses).all(axis=(1, 2))
    distances = np.full(target.shape[:2], np.nan)
    distances[shown] = np.linalg.norm(aligned(poses[shown], target[shown]) - target[shown], axis=-1)
    return distances


def _mm(metres: Float[np.ndarray, "*many"]) -> float:
    return round(1000 * float(np.nanmean(metres)), 1)


if __name__ == "__main__":
    tyro.cli(main)
