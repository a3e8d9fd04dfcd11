"""Measure the time of a causal network per new frame of one person, on one thread; prints JSON.

    python -m benchmarks.speed.streaming [--frames 200] [--channels 1024]

The baseline in the same run recomputes the whole receptive field for each frame with the strided twin. Both take turns
on the same frames; ``largest_difference`` is that of their results. ``processor_ms`` is the median CPU time, which
other programs hardly affect; ``times_faster`` is its ratio.
"""

import json
import time
from collections import deque
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
import tyro
from torch import Tensor

from benchmarks.reporting import machine
from kinelift.models.streaming import TemporalStream
from kinelift.models.temporal import StridedTemporalNet, TemporalConfig, TemporalNet

FIELDS = ((3, 3, 3), (3, 3, 3, 3), (3, 3, 3, 3, 3))
WARMING = 5


def main(frames: int = 200, channels: int = 1024) -> None:
    """Measure and print.

    Args:
        frames: Number of frames to time for each receptive field.
        channels: Width of the networks.
    """
    torch.set_num_threads(1)
    fields = [TemporalConfig(widths=widths, channels=channels, causal=True) for widths in FIELDS]
    report = {
        "machine": machine(),
        "threads": torch.get_num_threads(),
        "channels": channels,
        "receptive_field": {config.window: compared(config, frames) for config in fields},
    }
    print(json.dumps(report, indent=2))


def compared(config: TemporalConfig, frames: int) -> dict[str, Any]:
    """Time stream and baseline on the same frames, the first few of which are a warm-up."""
    net = TemporalNet(config).eval()
    stream, baseline = Stopwatch(TemporalStream(net).push), Stopwatch(Recomputed(net).push)
    apart = []
    for frame in torch.randn(WARMING + frames, 1, config.joints_in, config.features_in):
        apart.append(float((stream(frame) - baseline(frame)).abs().max()))
    return {
        "parameters": sum(p.numel() for p in net.parameters()),
        "stream": stream.summary(),
        "recomputed": baseline.summary(),
        "times_faster": round(baseline.summary()["processor_ms"] / stream.summary()["processor_ms"], 2),
        "largest_difference": max(apart),
    }


class Recomputed:
    """The baseline: keeps the last receptive field, and recomputes all of it for each frame."""

    def __init__(self, net: TemporalNet) -> None:
        self.twin = StridedTemporalNet(net)
        self.seen: deque[Tensor] = deque(maxlen=net.config.window)

    @torch.no_grad()
    def push(self, frame: Tensor) -> Tensor:
        """Add the next frame of one person, and return its pose."""
        self.seen.extend([frame] * (1 if self.seen else self.twin.net.config.window))
        return self.twin(torch.stack([*self.seen], 1))


class Stopwatch:
    """Times ``work`` on each frame."""

    def __init__(self, work: Callable[[Tensor], Tensor]) -> None:
        self.work = work
        self.wall: list[float] = []
        self.processor: list[float] = []

    def __call__(self, frame: Tensor) -> Tensor:
        """Run and time ``work``, and return its result."""
        wall, processor = time.perf_counter(), time.thread_time()
        answer = self.work(frame)
        self.wall.append(1e3 * (time.perf_counter() - wall))
        self.processor.append(1e3 * (time.thread_time() - processor))
        return answer

    def summary(self) -> dict[str, float]:
        """Median and 95th percentile, without the warm-up."""
        median, late = np.percentile(self.wall[WARMING:], [50, 95])
        processor = np.median(self.processor[WARMING:])
        figures = {"median_ms": median, "p95_ms": late, "processor_ms": processor}
        return {name: round(float(value), 3) for name, value in figures.items()}


if __name__ == "__main__":
    tyro.cli(main)
