"""How far detectors agree on real clips, and how much each trembles where a joint is still, as JSON and tables.

    python -m benchmarks.keypoints.agreement [--frames 90] [--openpose FILE] [--video FILE [--keypoints PATH]]

Nobody labelled these clips; ``benchmarks.bodies.calibrated`` has truth. What is compared is what the tracker takes for
seen, without what it fills in, of the joints of COCO-17. ``pairs`` hold ``agreement_figures.agreement`` of every two
detectors, over all clips and for each; ``ways`` hold its ``presence`` and ``jitter`` of each detector, the latter on
joints that are still. A joint is still if the detectors say so together, so none is favoured; ``still_s`` is how long,
over all joints. ``--video`` takes the place of the clips; ``--keypoints``, a file of another program for that video,
then is one detector more. Tables go to stderr.
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
from benchmarks.keypoints.ways import Way, keypoints_of, movenet, part_fields
from benchmarks.reporting import Column, machine, percent, table
from kinelift.app.video import Video
from kinelift.detectors.protocol import Detector
from kinelift.detectors.tracking import Tracker
from kinelift.poses import COCO17, Frame, convert
from kinelift.weights.store import fetch

THREADS = 2
FOLDERS = {"balance": "Pose2Sim/Demo_SinglePerson/videos", "two people": "Pose2Sim/Demo_MultiPerson/videos"}
"""Of the calibrated clips: four views each."""
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
    """The first frames of a video, decoded anew for every detector: one picture is held at a time."""

    name: str
    video: Video
    count: int

    def frames(self) -> Iterator[Frame]:
        """Those frames."""
        return islice(self.video.frames(), self.count)


@dataclass(frozen=True, eq=False)
class Heard:
    """What every detector made of one clip, by name; ``rate`` in frames a second."""

    clip: str
    rate: float
    readings: Mapping[str, Reading]

    def pairs(self, one: str, other: str) -> Pairs:
        """Who is who between two detectors."""
        return paired(self.readings[one], self.readings[other])


def main(
    frames: int = 90,
    openpose: Path | None = None,
    video: Path | None = None,
    keypoints: Path | None = None,
) -> None:
    """Measure and print.

    Args:
        frames: How many frames of each clip are used.
        openpose: Weights of an OpenPose network, which is then compared too.
        video: A video to measure on in the place of the clips.
        keypoints: Keypoints of that video, by another program.
    """
    ways: dict[str, Way] = {refine: movenet(refine) for refine in ("none", "full", "heavy")}
    if openpose:
        ways["openpose"] = part_fields(openpose)
    if keypoints:
        ways["file"] = keypoints_of(keypoints, frames)
    with TemporaryDirectory() as folder:
        clips = [Clip(video.stem, Video(video), frames)] if video else real_clips(Path(folder), frames)
        heard = [hear(clip, ways) for clip in clips]
    report = {
        "machine": machine(),
        "frames": frames,
        "clips": [one.clip for one in heard],
        "pairs": {f"{a} – {b}": compare(heard, a, b) for a, b in combinations(ways, 2)},
        "ways": steadiness(heard),
    }
    print(json.dumps(report, indent=2))
    print(tables(report), file=sys.stderr)


def real_clips(folder: Path, count: int) -> list[Clip]:
    """The sample clip, and eight calibrated views, which are unpacked into ``folder``."""
    clips = [Clip("sample", Video(fetch("sample-clip")), count)]
    with zipfile.ZipFile(fetch("calibrated-clips")) as archive:
        for scene, inside in FOLDERS.items():
            for view in range(1, 5):
                path = Path(archive.extract(f"{inside}/cam{view:02}.mp4", folder))
                clips.append(Clip(f"{scene} {view}", Video(path), count))
    return clips


def hear(clip: Clip, ways: Mapping[str, Way]) -> Heard:
    """Run every detector on ``clip``."""
    rate = float(clip.video.summary.mean_rate or 25)
    return Heard(clip.name, rate, {name: read(clip, make(THREADS)) for name, make in ways.items()})


def read(clip: Clip, detector: Detector) -> Reading:
    """Everybody whom the tracker follows, without what it filled in."""
    times: list[float] = []
    tracker = Tracker(detector.skeleton, (clip.video.width, clip.video.height))
    for people in detector.detect(_noting(clip.frames(), times)):
        tracker.update(people, times[people.frame])
    tracks = [identity.track for identity in tracker.tracks()]
    out = np.full((len(tracks), len(times), len(COCO17), 2), np.nan)
    for row, track in zip(out, tracks, strict=True):
        seen = np.where(track.filled[..., None], np.nan, track.points)
        row[track.start : track.stop] = convert(seen, track.skeleton, COCO17)
    return out


def compare(heard: Sequence[Heard], one: str, other: str) -> dict[str, Any]:
    """How far two detectors agree, over all clips and for each."""
    pairs = {clip.clip: clip.pairs(one, other) for clip in heard}
    few = ("people", "joints", "median", "pck", "crossed")
    each = {name: {key: agreement([pair])[key] for key in few} for name, pair in pairs.items()}
    return {**agreement(list(pairs.values())), "clips": each}


def steadiness(heard: Sequence[Heard]) -> dict[str, dict[str, Any]]:
    """Of each detector: whom it sees, and how it trembles where a joint is still for all."""
    out: dict[str, dict[str, Any]] = {}
    calm = [one for clip in heard for one in _calm(clip)]
    for way in heard[0].readings:
        out[way] = {
            **presence([clip.readings[way] for clip in heard]),
            **jitter([trembles[way] for trembles, _, _ in calm], [torso for _, torso, _ in calm]),
            "still_s": round(sum(seconds for _, _, seconds in calm), 1),
        }
    return out


def _calm(clip: Heard) -> Iterator[tuple[dict[str, np.ndarray], float, float]]:
    """Of each person whom the first detector follows: how much each detector trembles on joints that are still, NaN
    elsewhere, their torso in pixels, and for how many seconds joints are still, in all.
    """
    reference = next(iter(clip.readings.values()))
    for person, torso in zip(reference, torsos(reference).tolist(), strict=True):
        points = {way: aligned(person, reading) for way, reading in clip.readings.items()}
        calm = still(np.stack(list(points.values())), torso, clip.rate)
        trembles = {way: np.where(calm, tremble(one, clip.rate), np.nan) for way, one in points.items()}
        yield trembles, torso, float(calm.sum() / clip.rate)


def tables(report: Mapping[str, Any]) -> str:
    """What the documentation shows of a report."""
    pairs, ways = report["pairs"], report["ways"]
    return "\n\n".join([
        table("pair", pairs, PAIR_COLUMNS),
        table("PCK@0.2", pairs, {f"pck_{part}": percent(part) for part in PARTS}),
        table("detector", ways, WAY_COLUMNS),
        table("jitter", ways, {f"jitter_{part}": Column(part) for part in PARTS}),
    ])  # fmt: skip


def _noting(frames: Iterator[Frame], times: list[float]) -> Iterator[Frame]:
    for frame in frames:
        times.append(float(frame.time))
        yield frame


if __name__ == "__main__":
    tyro.cli(main)
