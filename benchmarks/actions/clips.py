"""The labelled clips."""

from collections.abc import Iterator
from pathlib import Path

from benchmarks.bodies.world.clips import Clip, calibrated_clips
from kinelift.weights.store import fetch

FILES = {
    "squats": "01_tfjs_squats.mp4",
    "pose1": "02_tfjs_pose1.mp4",
    "one-by-one": "04_intel_one_by_one.mp4",
    "asl-walk": "05_intel_asl_walk.mkv",
    "asl-sister": "06_intel_asl_sister.mkv",
    "board": "24_caliscope_cam0.mp4",
}
"""Clips in a folder of the user's."""
CALIBRATED = ("single-1", "multi-1")
"""The other cameras show the same people at the same time."""


def clips(folder: Path, more: Path | None) -> Iterator[Clip]:
    """The sample clip, the calibrated ones, and those of ``FILES`` that ``more`` has, without their calibration.

    Args:
        folder: Where archives are extracted.
        more: Folder with more clips.
    """
    yield Clip("sample", fetch("sample-clip"))
    for clip in calibrated_clips(folder):
        if clip.name in CALIBRATED:
            yield Clip(clip.name, clip.video)
    if more is not None:
        yield from (Clip(name, more / file) for name, file in FILES.items() if (more / file).exists())
