"""Measure whether the answer depends on the video's frames per second.

    python -m benchmarks.actions.rates [--clips FOLDER] [--cache FOLDER] [--classifier NAME]

The tracks of the clips for choosing (``labels.py``) are thinned to about 30 and 15 frames per second, lifted and
classified anew. Printed for each pair of rates: seconds, and the share of them with the same label. Tracking itself is
not repeated. Clips whose camera moves, and rates above a clip's own, are left out.
"""

from collections.abc import Iterator
from dataclasses import replace
from itertools import combinations
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import torch
import tyro

from benchmarks.actions import labels
from benchmarks.actions.clips import clips as all_clips
from benchmarks.bodies.world.clips import record
from benchmarks.reporting import Column, percent, table
from kinelift.app.pipeline import Pipeline
from kinelift.lifting.world.stage import lift_together
from kinelift.poses import Action, Recording, Track2D
from kinelift.poses.timeseries import median_interval
from kinelift.poses.world import LEVEL

RATES = (60, 30, 15)
Timelines = tuple[tuple[Action, ...], ...]
"""The actions of each person."""


def main(
    clips: Path | None = None, cache: Path | None = None, lifter: str = "default", classifier: str = "actions"
) -> None:
    """Measure and print.

    Args:
        clips: Folder with more clips.
        cache: Folder in which the detector's answers are kept.
        lifter: Name of a lifter, or path of its checkpoint.
        classifier: Name of a classifier, or path of its checkpoint.
    """
    torch.set_num_threads(1)
    pipeline = Pipeline.load(lifter=lifter, classifier=classifier, device="cpu")
    sums = {f"{a} and {b} frames/s": np.zeros(2) for a, b in combinations(RATES, 2)}
    with TemporaryDirectory() as folder:
        for clip in all_clips(Path(folder), clips):
            if labels.labels(clip.name)[0].use == "choose":
                found = timelines(pipeline, record(pipeline, clip, cache))
                for a, b in combinations(sorted(found, reverse=True), 2):
                    sums[f"{a} and {b} frames/s"] += [
                        sum(part) for part in zip(*agreement(found[a], found[b]), strict=True)
                    ]
    rows = {name: {"seconds": total, "same": same / total} for name, (total, same) in sums.items() if total}
    print(table("", rows, {"seconds": Column("seconds"), "same": percent("same label")}))


def timelines(pipeline: Pipeline, recording: Recording) -> dict[int, Timelines]:
    """The actions of everybody at every one of ``RATES`` that the video reaches; empty if the camera moves."""
    camera = recording.camera
    if camera is None or camera.rotations is not None:
        return {}
    own = 1 / median_interval(recording.video.times)
    steps = {rate: round(own / rate) for rate in RATES if own > 0.9 * rate}
    return {rate: _classified(pipeline, recording, step) for rate, step in steps.items()}


def _classified(pipeline: Pipeline, recording: Recording, step: int) -> Timelines:
    assert recording.camera is not None
    tracks = [thinned(person.track, step) for person in recording.people]
    poses, world = lift_together(tracks, pipeline.lifter, recording.camera)
    axes = LEVEL if world is None else world.rotation
    return tuple(pipeline.classifier.recognise(one.rotated(axes)).actions for one in poses)


def thinned(track: Track2D, step: int) -> Track2D:
    """Every ``step``-th frame of a track."""
    kept = {name: getattr(track, name)[::step] for name in ("points", "scores", "times", "filled")}
    return replace(track, **kept, start=-(-track.start // step))


def agreement(first: Timelines, second: Timelines) -> Iterator[tuple[float, float]]:
    """For each overlap of two segments of a person, its seconds, and how many of them have the same label."""
    for one, other in zip(first, second, strict=True):
        for a in one:
            for b in other:
                if (seconds := min(a.end, b.end) - max(a.start, b.start)) > 0:
                    yield seconds, seconds * (a.label == b.label)


if __name__ == "__main__":
    tyro.cli(main)
