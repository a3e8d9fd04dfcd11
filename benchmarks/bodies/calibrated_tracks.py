"""2D tracks of the people in the calibrated clips, cached in a file."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal, TypeAlias
from unittest.mock import patch

import numpy as np
from jaxtyping import Float

from benchmarks.bodies.rig import RATE, SIZE, View, consensus, matched, nearest, read, turned
from benchmarks.keypoints.refinement import WAYS, WEIGHTS, detector, inputs_of
from kinelift.detectors.converted import as_skeleton
from kinelift.detectors.protocol import Detector
from kinelift.detectors.refining.side_voting import SideVoting
from kinelift.detectors.tracking import Tracker, TrackerSettings, repair_side_flips
from kinelift.detectors.tracking.filling import fill
from kinelift.detectors.tracking.side_flips import VOTED
from kinelift.poses import COCO17, COCO23, Skeleton, Track2D
from kinelift.poses.output import make_folder, replacing
from kinelift.weights.run import Run
from kinelift.weights.store import fetch

Clip: TypeAlias = Literal["single", "multi"]
Found: TypeAlias = Mapping[str, Sequence[Sequence[Track2D]]]
"""For each detector and each view, the tracks in it, all as long as the clip."""
ASKED = ("none", "full", "heavy")
"""The detectors from which the reference is triangulated."""
AS_READ = "full, as read"
MENDED = "full, mended afterwards"
REPAIRED = "full, repaired"
PARTS = ("points", "scores", "filled")
FEET = ("left_heel", "left_big_toe", "right_heel", "right_big_toe")
SHOD = ("full", "heavy")
"""Those of ``ASKED`` that find feet."""
_BODY = slice(len(COCO17))
_FEET = [COCO23.index(name) for name in FEET]


@dataclass(frozen=True, eq=False)
class Seen:
    """One person visible in all views.

    Attributes:
        views: The cameras with refined rotations; without frames if the tracks came from the cache.
        tracks: One track per view, by detector, in the layout ``COCO17``.
        truth: Reference positions in the world, m, in the layout ``COCO17``.
        with_feet: The same tracks in the layout ``COCO23``.
        feet: Keypoints of ``FEET`` in the world, m, triangulated like ``truth``; NaN where fewer than two views show
            them.
    """

    views: Sequence[View]
    tracks: Mapping[str, Sequence[Track2D]]
    truth: Float[np.ndarray, "T 17 3"]
    with_feet: Mapping[str, Sequence[Track2D]]
    feet: Float[np.ndarray, "T 4 3"]


def people(clip: Clip, frames: int, cache: Path | None = None) -> list[Seen]:
    """Everybody visible in all views, in order of the views' agreement.

    Args:
        clip: One of the calibrated clips.
        frames: Number of frames to use, from the start.
        cache: Folder in which the tracks are cached.

    Raises:
        ResumeError: ``cache`` has tracks of other detectors.
    """
    archive = fetch("calibrated-clips")
    run = inputs_of(archive, clip=clip, frames=frames)
    file = cache and make_folder(cache) / f"{clip}-{frames}.npz"
    known = file is not None and file.exists()
    with TemporaryDirectory() as folder:
        views = read(archive, clip, Path(folder), frames)
    found = load_tracks(file, run) if file and known else detect_all(views)
    if file and not known:
        save_tracks(file, found, run)
    found = {**found, REPAIRED: [[repaired(track) for track in some] for some in found["full"]]}
    bodies = [[one.points[:, _BODY] for one in some] for some in found["full"]]
    return [_person(views, found, who) for who in matched(views, bodies)]


def detect_all(views: Sequence[View]) -> Found:
    """Run each detector on each view."""
    for name in WEIGHTS:
        fetch(name)
    found = {way: [follow(detector(way, 1), view) for view in views] for way in WAYS}
    with patch("kinelift.detectors.refining.refined.SideVoting", AsRead):
        found[AS_READ] = [follow(detector("full", 1), view) for view in views]
        found[MENDED] = [follow(detector("full", 1), view, repair_side_flips) for view in views]
    return found


def repaired(track: Track2D) -> Track2D:
    """The track of a refined detector with left and right repaired, as the program does."""
    return fill(repair_side_flips(track, VOTED), TrackerSettings().longest_gap)


@dataclass(frozen=True, eq=False)
class AsRead(SideVoting):
    """No correction: left and right as the network predicts them."""

    def read(self, *_: object) -> tuple[bool, SideVoting]:
        """Never swap sides."""
        return False, self


def follow(detector: Detector, view: View, repair: Callable[[Track2D], Track2D] | None = None) -> list[Track2D]:
    """Track everybody in a view over all frames, NaN where not detected, in the layout ``COCO23``."""
    tracker = Tracker(COCO23, SIZE, repair=repair)
    for found in as_skeleton(detector, COCO23).detect(view.frames):
        tracker.update(found, found.frame / RATE)
    return [lengthened(identity.track, len(view.frames)) for identity in tracker.tracks()]


def lengthened(track: Track2D, frames: int) -> Track2D:
    """Pad a track to all frames of its clip."""
    span, joints = slice(track.start, track.stop), track.points.shape[1]
    points, scores = np.full((frames, joints, 2), np.nan), np.zeros((frames, joints))
    filled = np.zeros((frames, joints), dtype=bool)
    points[span], scores[span], filled[span] = track.points, track.scores, track.filled
    return Track2D(points, scores, np.arange(frames) / RATE, filled, 0, track.size, track.skeleton)


def plain(points: Float[np.ndarray, "T J 2"], skeleton: Skeleton = COCO17) -> Track2D:
    """A track of these points, with score 1 wherever they are finite."""
    seen = np.isfinite(points).all(axis=-1)
    return Track2D(points, seen.astype(float), np.arange(len(points)) / RATE, np.zeros_like(seen), 0, SIZE, skeleton)


def _person(published: Sequence[View], found: Found, who: Sequence[int]) -> Seen:
    """The person whose tracks by the detector ``full`` have the indices ``who``."""
    first = consensus(published, [[some[k].points[:, _BODY] for some, k in zip(found["full"], who, strict=True)]])
    tracks = {way: [_nearest(v, some, first) for v, some in zip(published, all_, strict=True)]
              for way, all_ in found.items()}  # fmt: skip
    asked = [[track.points[:, _BODY] for track in tracks[way]] for way in ASKED]
    views = turned(published, asked)
    feet = triangulated(views, [[track.points[:, _FEET] for track in tracks[way]] for way in SHOD])
    bare = {way: [_without_feet(track) for track in some] for way, some in tracks.items()}
    return Seen(views, bare, consensus(views, asked), tracks, feet)


def triangulated(
    views: Sequence[View], answers: Sequence[Sequence[Float[np.ndarray, "T J 2"]]]
) -> Float[np.ndarray, "T J 3"]:
    """``consensus``, but NaN where fewer than two views show a joint."""
    shown = np.isfinite(np.array(answers)).all(axis=-1).any(axis=0).sum(axis=0)
    return np.where(shown[..., None] >= 2, consensus(views, answers), np.nan)


def _nearest(view: View, tracks: Sequence[Track2D], truth: Float[np.ndarray, "T J 3"]) -> Track2D:
    points = [track.points[:, _BODY] for track in tracks]
    best = nearest(view, points, truth)
    return next(track for track, some in zip(tracks, points, strict=True) if some is best)


def _without_feet(track: Track2D) -> Track2D:
    parts = (track.points[:, _BODY], track.scores[:, _BODY], track.filled[:, _BODY])
    return replace(track, points=parts[0], scores=parts[1], filled=parts[2], skeleton=COCO17)


def save_tracks(file: Path, found: Found, run: Run) -> None:
    """Write the tracks, as an array (N, T, …) per detector, view and part, and the inputs of the run."""
    arrays: dict[str, Any] = {
        f"{way}.{k}.{part}": np.array([getattr(track, part) for track in some])
        for way, all_ in found.items()
        for k, some in enumerate(all_)
        for part in PARTS
    }
    with replacing(file) as part, part.open("wb") as out:
        np.savez_compressed(out, run=json.dumps(run.facts()), **arrays)


def load_tracks(file: Path, run: Run) -> Found:
    """Read what ``save_tracks`` wrote.

    Raises:
        ResumeError: The file was made from other inputs than those of ``run``.
    """
    with np.load(file) as arrays:
        run.check(file, json.loads(str(arrays["run"])) if "run" in arrays else {})
        ways: dict[str, list[list[Track2D]]] = {}
        for key in (key for key in arrays if key != "run"):
            way, _, part = key.rsplit(".", 2)
            if part == PARTS[0]:
                stem = key.removesuffix(part)
                ways.setdefault(way, []).append(_tracks(*(arrays[stem + one] for one in PARTS)))
        return ways


def _tracks(points: np.ndarray, scores: np.ndarray, filled: np.ndarray) -> list[Track2D]:
    rows = zip(points, scores, filled, strict=True)
    return [Track2D(p, s, np.arange(len(p)) / RATE, f, 0, SIZE, COCO23) for p, s, f in rows]
