"""Measure speed and memory of ``lifting train`` against an ordinary PyTorch loop; prints JSON.

    python -m benchmarks.speed.training [--data FILE] [--rounds 5]

The baseline is the loop one would write without this project, with the same network: ``nn.Conv1d`` with strides,
windows gathered by index, Adam. Both train on the same recorded frames in the same precision, in turns, so that other
programs affect both alike. ``times_faster`` is the median over rounds of the baseline's CPU time over Kinelift's.
``largest_difference`` is that of the two networks' outputs with the same weights.
"""

import json
import resource
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from itertools import chain, islice, product
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import torch
import tyro
from lightning_fabric import Fabric
from torch import Tensor, nn

from benchmarks.reporting import machine
from kinelift.lifting.coordinates import on_picture
from kinelift.lifting.datasets.chunks import ChunkSampler
from kinelift.lifting.datasets.sequences import Sequence, SequenceBank
from kinelift.lifting.network import windowed
from kinelift.lifting.training.presets import VideoPose3D
from kinelift.lifting.training.train_settings import TrainSettings
from kinelift.lifting.training.trainer import Trainer
from kinelift.lifting.training_batch import Framing
from kinelift.models.temporal import TemporalConfig
from kinelift.poses import H36M17
from kinelift.poses.camera import Camera
from kinelift.poses.lookahead import prefetch

WIDTHS = (3, 3, 3)
WINDOW, MIDDLE = 27, 13
BATCHES = (1024, 128)
PRECISIONS = ("32-true", "bf16-mixed")
CAMERA, SIZE = Camera(1145.0, (512.0, 515.0)), (1000, 1002)


def main(
    data: Path | None = None,
    rounds: int = 5,
    samples: int = 2048,
    epochs: int = 10,
    channels: int = 1024,
    threads: int = 1,
    accelerator: str = "cpu",
) -> None:
    """Measure and print.

    Args:
        data: A file of ``lifting convert`` at one frame rate; synthetic data if not given.
        rounds: Number of measurements of each, after a warm-up.
        samples: Number of windows per measurement.
        epochs: Number of epochs for the memory measurement.
        channels: Width of the networks.
        threads: Threads of each matrix product.
        accelerator: cpu or cuda.
    """
    torch.set_num_threads(threads)
    settings = replace(VideoPose3D(), widths=WIDTHS, channels=channels, flip=False, epochs=epochs)
    watched = memory(settings, accelerator)  # first: a peak never falls
    bank = SequenceBank.load(data).filter(lambda one: one.truth is not None) if data else made_up(8, 512)
    speed = {
        f"{precision}, batch {batch}": compared(
            replace(settings, batch=batch), bank, precision, accelerator, rounds, max(samples // batch, 1)
        )
        for precision, batch in product(PRECISIONS, BATCHES)
    }
    report = {
        "machine": machine(),
        "accelerator": accelerator,
        "threads": threads,
        "network": {"window": WINDOW, "channels": channels},
        "data": {"what": str(bank), **held(bank)},
        "peak_mb": watched,
        "speed": speed,
    }
    print(json.dumps(report, indent=2, ensure_ascii=False))


def made_up(count: int, frames: int) -> SequenceBank:
    """Synthetic people whose joints sway independently in front of one camera."""
    random = np.random.default_rng(0)
    moments = np.arange(frames)[:, None, None] / 50
    sequences = []
    for number in range(count):
        place, phase, speed = random.normal(0, 0.3, (3, 1, len(H36M17), 3))
        truth = place + [0, 0, 4] + 0.15 * np.sin(5 * speed * moments + 5 * phase)
        shown = CAMERA.project(truth)
        sequences.append(Sequence(str(number), "Sway", shown, truth, CAMERA, SIZE, 50.0, H36M17, H36M17))
    return SequenceBank(tuple(sequences))


def memory(settings: TrainSettings, accelerator: str) -> dict[str, float]:
    """The process's peak memory (MB) after each epoch, which has 4 batches and a validation.

    It stops growing within the first few epochs, once the allocator has served every kind of request.
    """
    few = min(BATCHES)
    trainer = fresh(replace(settings, batch=few), made_up(4, few), PRECISIONS[0], accelerator)
    return {f"epoch {number}": peak() for number, _ in enumerate(trainer.fit(), 1)}


def held(bank: SequenceBank) -> dict[str, float]:
    """Memory, MB, of the data set in single precision, of the arrays batches are cut from, and of all windows.

    The second exceeds the first by the rays of the keypoints and the mask of visible ones.
    """
    sampler = ChunkSampler.of(bank, Framing(WINDOW, 1, MIDDLE))
    given = sum(4 * (one.keypoints.size + (0 if one.truth is None else one.truth.size)) for one in bank)
    cut_from = sum(value.nbytes for value in vars(sampler).values() if isinstance(value, Tensor))
    windows = WINDOW * sampler.keypoints.nbytes
    sizes = {"data_mb": given, "sampler_mb": cut_from, "windows_mb": windows}
    return {name: round(size / 1e6, 2) for name, size in sizes.items()}


def compared(
    settings: TrainSettings, bank: SequenceBank, precision: str, accelerator: str, rounds: int, steps: int
) -> dict[str, Any]:
    """Time Kinelift and the baseline in turns of ``steps`` batches; the order alternates."""
    trainer = fresh(settings, bank, precision, accelerator)
    loop = Loop(settings, bank, precision == "bf16-mixed", trainer.fabric.device)
    apart = difference(trainer, loop)
    ours, loops = Stopwatch(lambda: train(trainer, steps)), Stopwatch(lambda: loop.train(steps))
    for number in range(1 + rounds):
        for turn in (ours, loops) if number % 2 else (loops, ours):
            turn()
    ratios = [loop_s / ours_s for ours_s, loop_s in zip(ours.processor[1:], loops.processor[1:], strict=True)]
    samples = settings.batch * steps
    return {
        "ours": ours.summary(samples),
        "loop": loops.summary(samples),
        "times_faster": round(median(ratios), 2),
        "largest_difference": apart,
    }


def fresh(settings: TrainSettings, bank: SequenceBank, precision: str, accelerator: str) -> Trainer:
    """Kinelift's trainer at the start of a run."""
    fabric = Fabric(accelerator=accelerator, devices=1, precision=precision)  # type: ignore[arg-type]
    return Trainer(settings, bank, bank, fabric)


def train(trainer: Trainer, steps: int) -> float:
    """Train on ``steps`` batches as ``Trainer.fit`` does, and return the last position error, m."""
    trainer.model.train()
    epochs = (trainer.source.epoch(number, trainer.samples, trainer.generator) for number in range(steps))
    for number, batch in enumerate(prefetch(islice(chain.from_iterable(epochs), steps))):
        last = trainer.step(number, batch)
    return float(last["mpjpe"])


class Loop:
    """The baseline. Keypoints are padded and in normalised picture coordinates; a window is a slice."""

    def __init__(self, settings: TrainSettings, bank: SequenceBank, half: bool, device: torch.device) -> None:
        self.batch, self.half, self.device = settings.batch, half, device
        config = settings.network(bank.source, bank.target).config
        assert isinstance(config, TemporalConfig)
        self.net = StridedNet(config).to(device)
        self.optimizer = torch.optim.Adam(self.net.parameters(), settings.learning_rate, amsgrad=settings.amsgrad)
        padded, starts, truth, before = [], [], [], 0
        for one in bank:
            assert one.truth is not None
            shown = np.nan_to_num(on_picture(one.keypoints, one.camera, one.size))
            padded.append(np.pad(shown, ((MIDDLE, MIDDLE), (0, 0), (0, 0)), "edge"))
            truth.append(one.truth - one.truth[:, [one.target.root]])
            starts.append(before + np.arange(len(one)))
            before += len(padded[-1])
        known = np.isfinite(np.concatenate(truth)).all((1, 2))
        self.keypoints = torch.tensor(np.concatenate(padded), dtype=torch.float32, device=device)
        self.truth = torch.tensor(np.concatenate(truth)[known], dtype=torch.float32, device=device)
        self.starts = torch.tensor(np.concatenate(starts)[known], device=device)

    def train(self, steps: int) -> float:
        """Train on ``steps`` batches, and return the last position error, m."""
        self.net.train()
        reach = torch.arange(WINDOW, device=self.device)
        order = torch.cat([torch.randperm(len(self.starts), device=self.device) for _ in range(steps)])
        for chosen in order.split(self.batch)[:steps]:
            windows = self.keypoints[self.starts[chosen, None] + reach]
            with torch.autocast(self.device.type, torch.bfloat16, enabled=self.half):
                found = self.net(windows)
            loss = torch.norm(found.float() - self.truth[chosen], dim=-1).mean()
            self.optimizer.zero_grad()
            loss.backward()
            self.optimizer.step()
        return loss.item()


class StridedNet(nn.Module):
    """The temporal net of Pavllo et al. 2019 for training on single windows: strides instead of dilations."""

    def __init__(self, config: TemporalConfig) -> None:
        super().__init__()
        channels, (stem, *widths) = config.channels, config.widths
        self.joints, self.widths = config.joints_out, widths
        self.stem = nn.Conv1d(config.joints_in * config.features_in, channels, stem, stride=stem, bias=False)
        self.stem_norm = nn.BatchNorm1d(channels)
        shapes = [size for width in widths for size in (width, 1)]
        self.convs = nn.ModuleList(nn.Conv1d(channels, channels, size, stride=size, bias=False) for size in shapes)
        self.norms = nn.ModuleList(nn.BatchNorm1d(channels) for _ in shapes)
        self.head = nn.Conv1d(channels, 3 * config.joints_out, 1)
        self.dropout, self.relu = nn.Dropout(config.dropout), nn.ReLU()

    def forward(self, windows: Tensor) -> Tensor:
        """Map keypoints (B, 27, J, 2) to joints (B, K, 3)."""
        x = windows.flatten(2).permute(0, 2, 1)
        x = self.dropout(self.relu(self.stem_norm(self.stem(x))))
        for i, width in enumerate(self.widths):
            carried = x[:, :, width // 2 :: width]
            x = self.dropout(self.relu(self.norms[2 * i](self.convs[2 * i](x))))
            x = carried + self.dropout(self.relu(self.norms[2 * i + 1](self.convs[2 * i + 1](x))))
        return self.head(x).permute(0, 2, 1).reshape(-1, self.joints, 3)


@torch.no_grad()
def difference(trainer: Trainer, loop: Loop) -> float:
    """Largest difference of the two networks' outputs in fp32, after copying Kinelift's weights to the baseline."""
    ours = trainer.net.eval()
    loop.net.load_state_dict(dict(zip(loop.net.state_dict(), ours.state_dict().values(), strict=True)))
    windows = loop.keypoints[loop.starts[:64, None] + torch.arange(WINDOW, device=loop.device)]
    return float((windowed(ours)(windows)[:, 0] - loop.net.eval()(windows)).abs().max())


class Stopwatch:
    """Repeats and times the same work; the first run is a warm-up."""

    def __init__(self, work: Callable[[], float]) -> None:
        self.work = work
        self.wall: list[float] = []
        self.processor: list[float] = []
        self.loss = float("nan")

    def __call__(self) -> None:
        """Run and time the work once, over all threads of the process."""
        wall, processor = time.perf_counter(), time.process_time()
        self.loss = self.work()
        self.wall.append(time.perf_counter() - wall)
        self.processor.append(time.process_time() - processor)

    def summary(self, samples: int) -> dict[str, float]:
        """Medians over the runs, and the final training error."""
        wall, processor = median(self.wall[1:]), median(self.processor[1:])
        return {
            "samples_per_second": round(samples / wall, 1),
            "samples_per_processor_second": round(samples / processor, 1),
            "last_train_mpjpe_mm": round(1000 * self.loss, 1),
        }


def peak() -> float:
    """Peak memory of this process so far, MB."""
    unit = 1 if sys.platform == "darwin" else 1024
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6, 1)


if __name__ == "__main__":
    tyro.cli(main)
