"""Measure limb lengths and flexion of the bodies in a video; prints JSON.

    python -m benchmarks.bodies.sample_bodies [--video FILE] [--keypoints PATH] [--lifter NAME] [--standing 2.2 3.7]

The sample clip has no reference poses, but bone lengths are constant. Its man, who appears first, jumps with straight
legs at 2.2 to 2.35 s, lands with clearly bent knees (2.4 to 2.9 s), turns, and steps forward from 3.1 s on. ``bent``:
median flexion of each person in degrees, over all frames and during ``--standing``. ``limbs``: mean, smallest and
largest length in mm, and coefficient of variation in percent. ``--keypoints`` takes a recording of ``kinelift detect``
instead of running the detector again.
"""

import json
from pathlib import Path
from typing import Any

import numpy as np
import torch
import tyro
from jaxtyping import Bool
from tyro.conf import OmitArgPrefixes

from benchmarks.bodies.body_angles import SIDES, flexion, lengths, spread
from benchmarks.reporting import machine
from kinelift.app.pipeline import Pipeline
from kinelift.app.settings import Detection, Settings
from kinelift.app.video import Video
from kinelift.poses import Poses3D
from kinelift.weights.store import fetch


def main(
    settings: OmitArgPrefixes[Settings],
    detection: OmitArgPrefixes[Detection],
    video: Path | None = None,
    lifter: str = "default",
    standing: tuple[float, float] = (2.2, 3.7),
) -> None:
    """Measure and print.

    Args:
        settings: As for ``kinelift run``.
        detection: As for ``kinelift run``.
        video: The video; the sample clip if not given.
        lifter: Name of a lifter, or path of its checkpoint.
        standing: Start and end, s, of the interval in which flexion is also measured.
    """
    opened = Video(video or fetch("sample-clip"))
    recording = Pipeline.load(detection, lifter, device="cpu", settings=settings).run(opened)
    people = {str(who.id): body(who.poses, standing) for who in recording.people if who.poses is not None}
    made_with = dict(recording.made_with)
    print(json.dumps({"machine": machine(), "made_with": made_with, "standing": standing, "people": people}, indent=2))


def body(poses: Poses3D, standing: tuple[float, float]) -> dict[str, Any]:
    """The figures of one person; ``standing`` is an interval in seconds."""
    during = (poses.times >= standing[0]) & (poses.times <= standing[1])
    seen = np.isfinite(poses.points).all((1, 2))
    return {
        "seconds": [round(float(poses.times[0]), 2), round(float(poses.times[-1]), 2)],
        "bent": bent(poses, seen),
        "bent while standing": bent(poses, seen & during),
        "limbs": limbs(poses),
    }


def bent(poses: Poses3D, frames: Bool[np.ndarray, " T"]) -> dict[str, dict[str, float]] | None:
    """Median flexion in degrees over ``frames``, left, right and both; None if there are none."""
    if not frames.any():
        return None
    out = {}
    for hinge in ("knee", "elbow"):
        angles = flexion(poses.points[frames], hinge, poses.skeleton)
        medians = {"both": np.median(angles), **dict(zip(SIDES, np.median(angles, axis=0), strict=True))}
        out[hinge] = {side: round(float(angle), 1) for side, angle in medians.items()}
    return out


def limbs(poses: Poses3D) -> dict[str, dict[str, float]]:
    """Length of each limb in mm, and its coefficient of variation in percent."""
    percent = spread(poses)
    return {
        limb: {
            "mean": round(1e3 * float(np.nanmean(size))),
            "least": round(1e3 * float(np.nanmin(size))),
            "largest": round(1e3 * float(np.nanmax(size))),
            "spread": round(percent[limb], 2),
        }
        for limb, size in lengths(poses).items()
    }


if __name__ == "__main__":
    torch.set_num_threads(1)
    tyro.cli(main)
