"""Measure the frame rate at which a whole track is lifted on one thread; prints JSON.

    python -m benchmarks.speed.lifting [--frames 2000] [--rounds 7]

Kinelift's time covers all of ``Lifter.lift`` on keypoints in pixels: resampling, normalisation, the track and its
mirror image, interpolation, and the root. It alternates with a baseline written from the published description (Pavllo
et al. 2019): the dilated net with ``nn.Conv1d`` and ``nn.BatchNorm1d`` over the whole padded sequence and its mirror
image, as a batch of two, with averaged results. The baseline takes the video's frames as they are, so its work does not
depend on the frame rate. Weights are random. ``times_faster`` is the median over rounds of the baseline's CPU time over
Kinelift's.
"""

import json
import time
from collections.abc import Callable
from itertools import product
from statistics import median
from typing import Any

import numpy as np
import torch
import tyro
from jaxtyping import Float
from torch import Tensor, nn

from benchmarks.reporting import machine
from kinelift.lifting.coordinates import on_picture
from kinelift.lifting.lifter import Lifter
from kinelift.lifting.network import LifterNetwork
from kinelift.models.temporal import TemporalConfig, TemporalNet
from kinelift.poses import COCO17, H36M17, Track2D
from kinelift.poses.camera import Camera

FIELDS = ((3, 3, 3), (3, 3, 3, 3, 3))
RATES = (30.0, 60.0)
RATE = 20.0
SIZE = (1920, 1080)


def main(frames: int = 2000, rounds: int = 7, channels: int = 1024, normalisation: str = "frame") -> None:
    """Measure and print.

    Args:
        frames: Length of the track.
        rounds: Number of measurements of each, after a warm-up.
        channels: Width of the networks.
        normalisation: Kinelift's normalisation: frame or screen for whole tracks; facing for a window per frame.
    """
    torch.set_num_threads(1)
    report = {
        "machine": machine(),
        "threads": torch.get_num_threads(),
        "frames": frames,
        "channels": channels,
        "normalisation": normalisation,
        "speed": {
            f"{3 ** len(widths)} frames, {rate:g} Hz": compared(widths, rate, frames, rounds, channels, normalisation)
            for widths, rate in product(FIELDS, RATES)
        },
    }
    print(json.dumps(report, indent=2))


def compared(
    widths: tuple[int, ...], rate: float, frames: int, rounds: int, channels: int, normalisation: str
) -> dict[str, Any]:
    """Time Kinelift and the baseline on the same track; the order alternates."""
    track, camera = swaying(frames, rate), Camera.from_field_of_view(55, SIZE)
    net = TemporalNet(TemporalConfig(features_in=3, channels=channels, widths=widths)).eval()
    lifter, loop = Lifter(LifterNetwork(net, RATE, normalisation), torch.device("cpu")), Loop(widths, channels)
    ours, loops = Stopwatch(lambda: lifter.lift(track, camera)), Stopwatch(lambda: loop.lift(track, camera))
    for number in range(1 + rounds):
        for turn in (ours, loops) if number % 2 else (loops, ours):
            turn()
    ratios = [theirs / own for own, theirs in zip(ours.processor[1:], loops.processor[1:], strict=True)]
    return {
        "ours": ours.summary(frames),
        "loop": loops.summary(frames),
        "times_faster": round(median(ratios), 2),
        "range": [round(min(ratios), 2), round(max(ratios), 2)],
    }


def swaying(frames: int, rate: float) -> Track2D:
    """A track whose joints sway independently, with 5 % missing."""
    random = np.random.default_rng(0)
    times, joints = np.arange(frames) / rate, len(COCO17)
    place, phase, speed = random.uniform(400, 700, (joints, 2)), *random.uniform(0, 6, (2, joints, 2))
    points = place + 40 * np.sin(times[:, None, None] * speed + phase) + random.normal(0, 2, (frames, joints, 2))
    points[random.random((frames, joints)) < 0.05] = np.nan
    blank = np.zeros((frames, joints))
    return Track2D(points, blank + 1, times, blank > 0, 0, SIZE)


class Loop:
    """The baseline, as one would write it without this project."""

    def __init__(self, widths: tuple[int, ...], channels: int) -> None:
        self.net = DilatedNet(widths, channels).eval()
        self.pad = 3 ** len(widths) // 2

    @torch.inference_mode()
    def lift(self, track: Track2D, camera: Camera) -> Float[np.ndarray, "T K 3"]:
        """Lift in one pass over the sequence and its mirror image."""
        shown = np.nan_to_num(on_picture(track.points, camera, track.size)).astype(np.float32)
        shown = np.pad(shown, ((self.pad, self.pad), (0, 0), (0, 0)), "edge")
        mirrored = shown[:, list(COCO17.mirror)] * np.array([-1, 1], np.float32)
        answers = self.net(torch.from_numpy(np.stack([shown, mirrored])))
        back = answers[1][:, list(H36M17.mirror)] * torch.tensor([-1.0, 1.0, 1.0])
        return ((answers[0] + back) / 2).numpy()


class DilatedNet(nn.Module):
    """The temporal net of Pavllo et al. 2019 for whole sequences."""

    def __init__(self, widths: tuple[int, ...], channels: int) -> None:
        super().__init__()
        self.stem, self.stem_norm = nn.Conv1d(34, channels, widths[0], bias=False), nn.BatchNorm1d(channels)
        self.dilations = [3 ** (i + 1) for i in range(len(widths) - 1)]
        wide = [nn.Conv1d(channels, channels, 3, dilation=dilation, bias=False) for dilation in self.dilations]
        self.wide = nn.ModuleList(wide)
        self.narrow = nn.ModuleList(nn.Conv1d(channels, channels, 1, bias=False) for _ in self.dilations)
        self.wide_norms = nn.ModuleList(nn.BatchNorm1d(channels) for _ in self.dilations)
        self.narrow_norms = nn.ModuleList(nn.BatchNorm1d(channels) for _ in self.dilations)
        self.head = nn.Conv1d(channels, 51, 1)
        self.dropout, self.relu = nn.Dropout(0.25), nn.ReLU()

    def forward(self, keypoints: Tensor) -> Tensor:
        """Map keypoints (B, T + 2 · pad, J, 2) to joints (B, T, K, 3)."""
        x = self.dropout(self.relu(self.stem_norm(self.stem(keypoints.flatten(2).permute(0, 2, 1)))))
        layers = zip(self.dilations, self.wide, self.wide_norms, self.narrow, self.narrow_norms, strict=True)
        for dilation, wide, wide_norm, narrow, narrow_norm in layers:
            carried = x[:, :, dilation:-dilation]
            x = self.dropout(self.relu(wide_norm(wide(x))))
            x = carried + self.dropout(self.relu(narrow_norm(narrow(x))))
        return self.head(x).permute(0, 2, 1).unflatten(2, (-1, 3))


class Stopwatch:
    """Repeats and times the same work; the first run is a warm-up."""

    def __init__(self, work: Callable[[], object]) -> None:
        self.work = work
        self.wall: list[float] = []
        self.processor: list[float] = []

    def __call__(self) -> None:
        """Run and time the work once."""
        wall, processor = time.perf_counter(), time.process_time()
        self.work()
        self.wall.append(time.perf_counter() - wall)
        self.processor.append(time.process_time() - processor)

    def summary(self, frames: int) -> dict[str, float]:
        """Medians over the runs."""
        return {
            "frames_per_second": round(frames / median(self.wall[1:]), 1),
            "frames_per_processor_second": round(frames / median(self.processor[1:]), 1),
        }


if __name__ == "__main__":
    tyro.cli(main)
