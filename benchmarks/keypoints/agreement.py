"""Measure detectors' agreement on real clips, and their jitter on still joints, as JSON and tables.

    python -m benchmarks.keypoints.agreement [--frames 90] [--openpose FILE] [--video FILE [--keypoints PATH]]

These clips have no labels; ``benchmarks.bodies.calibrated`` has reference poses. Compared are the COCO-17 joints of the
tracks, without filled gaps. ``pairs``: ``agreement_figures.agreement`` of every two detectors, over all clips and for
each. ``ways``: ``presence`` and ``jitter`` of each detector, the latter on still joints. Whether a joint is still is
decided by all detectors together, so that none is favoured; ``still_s`` is the total time, over all joints. ``--video``
replaces the clips; ``--keypoints``, another program's file for that video, is then one more detector. Tables go to
stderr.
"""

import json
import sys
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import tyro

from benchmarks.keypoints.agreement_figures import (
    PARTS,
    Pairs,
    Reading,
    agreement,
    aligned,
    jitter,
    paired,
    presence,
    still,
    torsos,
    tremble,
)
from benchmarks.keypoints.compared_detectors import Way, keypoints_of, movenet, part_fields
from benchmarks.reporting import Column, machine, percent, table
from kinelift.app.video import Video
from kinelift.app.video.timing import record_times
from kinelift.detectors.protocol import Detector
from kinelift.detectors.tracking import Tracker
from kinelift.poses import COCO17, Frame, convert
from kinelift.weights.store import fetch

THREADS = 2
FOLDERS = {"balance": "Pose2Sim/Demo_SinglePerson/videos", "two people": "Pose2Sim/Demo_MultiPerson/videos"}
"""Folders of the calibrated clips, with four views each."""
PAIR_COLUMNS = {
    "people": percent("people"), "joints": percent("joints"), "mean": Column("mean"), "median": Column("median"),
    "pck": percent("PCK@0.2"), "crossed": percent("crossed"),
}  # fmt: skip
WAY_COLUMNS = {
    "people": Column("people"), "joints": percent("joints"), "jitter": Column("jitter"), "jitter_px": Column("px"),
    "typical": Column("median"), "jumps": percent("jumps"),
}  # fmt: skip


@dataclass(frozen=True, eq=False)
class Clip:
    """The first frames of a video, decoded again for each detector, so that only one is in memory."""

    name: str
    video: Video
    count: int

    def frames(self) -> Iterator[Frame]:
        """Decode the frames."""
        return islice(self.video.frames(), self.count)


@dataclass(frozen=True, eq=False)
class ClipReadings:
    """The reading of each detector for one clip, by name; ``rate`` in Hz."""

    clip: str
    rate: float
    readings: Mapping[str, Reading]

    def pairs(self, one: str, other: str) -> Pairs:
        """Match the people of two detectors."""
        return paired(self.readings[one], self.readings[other])


def main(
    frames: int = 90,
    openpose: Path | None = None,
    video: Path | None = None,
    keypoints: Path | None = None,
) -> None:
    """Measure and print.

    Args:
        frames: Number of frames to use of each clip.
        openpose: Weights of an OpenPose network to compare as well.
        video: A video to use instead of the clips.
        keypoints: Another program's keypoints of that video.
    """
    ways: dict[str, Way] = {refine: movenet(refine) for refine in ("none", "full", "heavy")}
    if openpose:
        ways["openpose"] = part_fields(openpose)
    if keypoints:
        ways["file"] = keypoints_of(keypoints, frames)
    with TemporaryDirectory() as folder:
        clips = [Clip(video.stem, Video(video), frames)] if video else real_clips(Path(folder), frames)
        readings = [run_detectors(clip, ways) for clip in clips]
    report = {
        "machine": machine(),
        "frames": frames,
        "clips": [one.clip for one in readings],
        "pairs": {f"{a} – {b}": compare(readings, a, b) for a, b in combinations(ways, 2)},
        "ways": steadiness(readings),
    }
    print(json.dumps(report, indent=2))
    print(tables(report), file=sys.stderr)


def real_clips(folder: Path, count: int) -> list[Clip]:
    """The sample clip, and eight calibrated views, which are extracted to ``folder``."""
    clips = [Clip("sample", Video(fetch("sample-clip")), count)]
    with zipfile.ZipFile(fetch("calibrated-clips")) as archive:
        for scene, inside in FOLDERS.items():
            for view in range(1, 5):
                path = Path(archive.extract(f"{inside}/cam{view:02}.mp4", folder))
                clips.append(Clip(f"{scene} {view}", Video(path), count))
    return clips


def run_detectors(clip: Clip, ways: Mapping[str, Way]) -> ClipReadings:
    """Run each detector on ``clip``."""
    rate = float(clip.video.summary.mean_rate or 25)
    return ClipReadings(clip.name, rate, {name: read(clip, make(THREADS)) for name, make in ways.items()})


def read(clip: Clip, detector: Detector) -> Reading:
    """All tracks, without filled gaps."""
    times: list[float] = []
    tracker = Tracker(detector.skeleton, (clip.video.width, clip.video.height))
    for people in detector.detect(record_times(clip.frames(), times)):
        tracker.update(people, times[people.frame])
    tracks = [identity.track for identity in tracker.tracks()]
    out = np.full((len(tracks), len(times), len(COCO17), 2), np.nan)
    for row, track in zip(out, tracks, strict=True):
        seen = np.where(track.filled[..., None], np.nan, track.points)
        row[track.start : track.stop] = convert(seen, track.skeleton, COCO17)
    return out


def compare(clips: Sequence[ClipReadings], one: str, other: str) -> dict[str, Any]:
    """Agreement of two detectors, over all clips and for each."""
    pairs = {clip.clip: clip.pairs(one, other) for clip in clips}
    few = ("people", "joints", "median", "pck", "crossed")
    each = {name: {key: agreement([pair])[key] for key in few} for name, pair in pairs.items()}
    return {**agreement(list(pairs.values())), "clips": each}


def steadiness(clips: Sequence[ClipReadings]) -> dict[str, dict[str, Any]]:
    """Presence of people, and jitter on joints that are still for all detectors, by detector."""
    out: dict[str, dict[str, Any]] = {}
    calm = [one for clip in clips for one in _calm(clip)]
    for way in clips[0].readings:
        out[way] = {
            **presence([clip.readings[way] for clip in clips]),
            **jitter([trembles[way] for trembles, _, _ in calm], [torso for _, torso, _ in calm]),
            "still_s": round(sum(seconds for _, _, seconds in calm), 1),
        }
    return out


def _calm(clip: ClipReadings) -> Iterator[tuple[dict[str, np.ndarray], float, float]]:
    """Jitter on still joints for each person tracked by the first detector.

    Returns:
        Distances from the smoothed path by detector, NaN where a joint is not still; the torso, px; and the total time
        for which joints are still, s.
    """
    reference = next(iter(clip.readings.values()))
    for person, torso in zip(reference, torsos(reference).tolist(), strict=True):
        points = {way: aligned(person, reading) for way, reading in clip.readings.items()}
        calm = still(np.stack(list(points.values())), torso, clip.rate)
        trembles = {way: np.where(calm, tremble(one, clip.rate), np.nan) for way, one in points.items()}
        yield trembles, torso, float(calm.sum() / clip.rate)


def tables(report: Mapping[str, Any]) -> str:
    """The tables for the documentation."""
    pairs, ways = report["pairs"], report["ways"]
    return "\n\n".join([
        table("pair", pairs, PAIR_COLUMNS),
        table("PCK@0.2", pairs, {f"pck_{part}": percent(part) for part in PARTS}),
        table("detector", ways, WAY_COLUMNS),
        table("jitter", ways, {f"jitter_{part}": Column(part) for part in PARTS}),
    ])  # fmt: skip


if __name__ == "__main__":
    tyro.cli(main)
