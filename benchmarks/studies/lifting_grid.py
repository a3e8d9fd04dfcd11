"""Compare lifting a whole track with lifting it by a window per frame (mm); prints a Markdown table.

    python -m benchmarks.studies.lifting_grid out/sample-clip/recording.npz [--lifter live]

Each frame rate has the same keypoints, as if people moved faster or slower. ``on the grid``: fraction of frames at
which the network is evaluated directly. Differences are the mean over frames and joints, and the largest, of everyone
in the recordings.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from types import MappingProxyType

import numpy as np
import torch
import tyro
from jaxtyping import Float

from benchmarks.reporting import Column, percent, table
from kinelift.lifting.inference.dense import Grid
from kinelift.lifting.lifter import Lifter
from kinelift.poses import Track2D
from kinelift.poses.camera import Camera
from kinelift.poses.recording import load
from kinelift.weights.store import fetch

RATES = ("10", "15", "20", "24000/1001", "24", "25", "30000/1001", "30", "48", "50", "60000/1001", "60")
COLUMNS = {
    "phases": Column("phases"),
    "grid": percent("on the grid"),
    "mean": Column("mean"),
    "largest": Column("largest"),
}


class WindowLifter(Lifter):
    """Lifts with one window per frame, whatever the network."""

    _dense = MappingProxyType({})


def main(recordings: tyro.conf.Positional[tuple[Path, ...]], lifter: str = "live") -> None:
    """Measure and print.

    Args:
        recordings: Recordings of ``kinelift run``.
        lifter: A lifter whose input is normalised frame by frame.
    """
    torch.set_num_threads(1)
    dense = Lifter.load(fetch(lifter))
    tracks = [person.track for path in recordings for person in load(path).people]
    times = {f"{float(Fraction(rate)):.4g} Hz": [steady(len(t.times), rate) for t in tracks] for rate in RATES}
    times["uneven, 12–100 Hz"] = [uneven(len(track.times)) for track in tracks]
    rows = {name: compared(dense, zip(tracks, found, strict=True)) for name, found in times.items()}
    print(table("frame rate", rows, COLUMNS))


def steady(frames: int, rate: str) -> Float[np.ndarray, " T"]:
    """Times, s, of frames at a constant rate."""
    return np.array([float(number / Fraction(rate)) for number in range(frames)])


def uneven(frames: int) -> Float[np.ndarray, " T"]:
    """Times, s, of frames at random intervals of 10 to 80 ms."""
    return np.cumsum(np.random.default_rng(0).uniform(0.01, 0.08, frames))


def compared(lifter: Lifter, tracks: Iterator[tuple[Track2D, Float[np.ndarray, " T"]]]) -> Mapping[str, float]:
    """Compare both ways on tracks with these frame times."""
    apart, grid = [], []
    windows = WindowLifter(lifter.network, lifter.device)
    for track, times in tracks:
        camera, timed = Camera.from_field_of_view(55, track.size), replace(track, times=times)
        both = [one.lift(timed, camera).points for one in (lifter, windows)]
        apart.append(1000 * np.linalg.norm(both[0] - both[1], axis=-1))
        grid.append(Grid.of(times, lifter.network.rate))
    found, on = np.concatenate(apart), np.concatenate([one.fraction == 0 for one in grid])
    return {"phases": grid[0].phases, "grid": on.mean(), "mean": np.nanmean(found), "largest": np.nanmax(found)}


if __name__ == "__main__":
    tyro.cli(main)
