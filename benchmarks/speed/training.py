"""Measure speed and memory of ``lifting train`` against an ordinary PyTorch loop; prints JSON.

    python -m benchmarks.speed.training [--data FILE --actions NAME ...] [--rounds 5]

The baseline is the loop one would write without this project, with the same network: ``nn.Conv1d`` with strides,
windows gathered by index, fused Adam. Both train on the same recorded frames and their mirror images in the same
precision, in turns, so that other programs affect both alike. ``times_faster`` is the median over rounds of the
baseline's CPU time over Kinelift's. ``largest_difference`` is that of the two networks' outputs with the same weights,
``samples_differ`` that of a batch of Kinelift's from the nearest samples of the baseline.
"""

import json
import resource
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import chain, count, islice, product
from math import ceil
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import torch
import tyro
from lightning_fabric import Fabric
from torch import Tensor, nn

from benchmarks.reporting import machine
from benchmarks.speed.operations import operations
from kinelift.lifting.coordinates import on_picture
from kinelift.lifting.datasets import dataset_split
from kinelift.lifting.datasets.chunks import ChunkSampler
from kinelift.lifting.datasets.sequences import Sequence, SequenceBank
from kinelift.lifting.network import windowed
from kinelift.lifting.training.presets import VideoPose3D
from kinelift.lifting.training.sample_sources import RecordedSamples
from kinelift.lifting.training.train_settings import Precision, TrainSettings
from kinelift.lifting.training.trainer import Trainer
from kinelift.lifting.training_batch import Framing
from kinelift.models.temporal import TemporalConfig
from kinelift.poses import H36M17
from kinelift.poses.camera import Camera
from kinelift.poses.lookahead import prefetch

WIDTHS = (3, 3, 3)
WINDOW, MIDDLE = 27, 13
CAMERA, SIZE = Camera(1145.0, (512.0, 515.0)), (1000, 1002)


def main(
    data: Path | None = None,
    actions: tuple[str, ...] = (),
    rounds: int = 5,
    samples: int = 2048,
    epochs: int = 10,
    channels: int = 1024,
    batches: tuple[int, ...] = (1024, 128),
    precisions: tuple[Precision, ...] = ("32-true", "bf16-mixed"),
    threads: int = 1,
    accelerator: str = "cpu",
) -> None:
    """Measure and print.

    Args:
        data: A file of ``lifting convert`` at one frame rate, of which the training subjects are used; synthetic data
            if not given.
        actions: Actions of ``data``. Default: all.
        rounds: Number of measurements of each, after a warm-up.
        samples: Number of windows per measurement; 0 is an epoch.
        epochs: Number of epochs for the memory measurement.
        channels: Width of the networks.
        batches: Windows per step.
        precisions: As Lightning Fabric names them.
        threads: Threads of each matrix product.
        accelerator: cpu or cuda.
    """
    torch.set_num_threads(threads)
    settings = replace(VideoPose3D(), widths=WIDTHS, channels=channels, epochs=epochs)
    watched = memory(settings, accelerator)  # first: a peak never falls
    bank = recorded(data, actions) if data else made_up(8, 512)
    speed = {
        f"{precision}, batch {batch}": compared(
            replace(settings, batch=batch, precision=precision), bank, accelerator, rounds, samples
        )
        for precision, batch in product(precisions, batches)
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


def recorded(data: Path, actions: tuple[str, ...]) -> SequenceBank:
    """The training sequences of a recorded data set."""
    bank = dataset_split.select_actions(dataset_split.split(SequenceBank.load(data)).train, actions)
    assert isinstance(bank, SequenceBank)
    return bank


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
    few = 128
    trainer = fresh(replace(settings, batch=few), made_up(4, few // 2), accelerator)
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
    settings: TrainSettings, bank: SequenceBank, accelerator: str, rounds: int, samples: int
) -> dict[str, Any]:
    """Time Kinelift and the baseline in turns of ``samples`` windows; the order alternates."""
    trainer = fresh(settings, bank, accelerator)
    loop = Loop(settings, bank, trainer.fabric.device)
    apart, nearest = difference(trainer, loop), samples_differ(trainer, loop)
    samples = samples or len(loop.starts)
    steps = ceil(samples / settings.batch)
    ours, loops = Stopwatch(lambda: train(trainer, steps)), Stopwatch(lambda: loop.train(steps))
    for number in range(1 + rounds):
        for turn in (ours, loops) if number % 2 else (loops, ours):
            turn()
    ratios = [loop_s / ours_s for ours_s, loop_s in zip(ours.processor[1:], loops.processor[1:], strict=True)]
    return {
        "steps": steps,
        "ours": ours.summary(samples),
        "loop": loops.summary(samples),
        "times_faster": round(median(ratios), 2),
        "largest_difference": apart,
        "samples_differ": nearest,
        "operations": per_step(trainer, loop),
    }


def per_step(trainer: Trainer, loop: "Loop") -> dict[str, int]:
    """Operations of a step with its batch, views left out. Their number limits the speed of small batches on a GPU."""
    trainer.model.train()
    loop.net.train()
    batches, chosen = trainer.source.epoch(0, trainer.samples, trainer.generator), next(loop.order())
    next(batches)  # the first one prepares the epoch
    ours, plain = operations(lambda: trainer.step(0, next(batches))), operations(lambda: loop.step(chosen))
    return {"ours": ours.total(), "loop": plain.total()}


def fresh(settings: TrainSettings, bank: SequenceBank, accelerator: str) -> Trainer:
    """Kinelift's trainer at the start of a run."""
    fabric = Fabric(accelerator=accelerator, devices=1, precision=settings.precision)
    return Trainer(settings, bank, bank, fabric)


def train(trainer: Trainer, steps: int) -> float:
    """Train on ``steps`` batches as ``Trainer.fit`` does, and return the last position error, m."""
    trainer.model.train()
    epochs = (trainer.source.epoch(number, trainer.samples, trainer.generator) for number in count())
    for number, batch in enumerate(prefetch(islice(chain.from_iterable(epochs), steps))):
        last = trainer.step(number, batch)
    return float(last["mpjpe"])


class Loop:
    """The baseline. Keypoints are padded and in normalised picture coordinates; a window is a slice.

    The mirror images of all frames follow the frames.
    """

    def __init__(self, settings: TrainSettings, bank: SequenceBank, device: torch.device) -> None:
        self.batch, self.half, self.device = settings.batch, settings.precision == "bf16-mixed", device
        config = settings.network(bank.source, bank.target).config
        assert isinstance(config, TemporalConfig)
        self.net = StridedNet(config).to(device)
        self.optimizer = torch.optim.Adam(
            self.net.parameters(), settings.learning_rate, amsgrad=settings.amsgrad, fused=True
        )
        padded, starts, truth, before = [], [], [], 0
        for one in bank:
            assert one.truth is not None
            shown = np.nan_to_num(on_picture(one.keypoints, one.camera, one.size))
            padded.append(np.pad(shown, ((MIDDLE, MIDDLE), (0, 0), (0, 0)), "edge"))
            truth.append(one.truth - one.truth[:, [one.target.root]])
            starts.append(before + np.arange(len(one)))
            before += len(padded[-1])
        known = np.isfinite(np.concatenate(truth)).all((1, 2))
        shown, poses, firsts = np.concatenate(padded), np.concatenate(truth)[known], np.concatenate(starts)[known]
        mirrored = shown[:, list(bank.source.mirror)] * [-1, 1], poses[:, list(bank.target.mirror)] * [-1, 1, 1]
        self.keypoints = torch.tensor(np.concatenate([shown, mirrored[0]]), dtype=torch.float32, device=device)
        self.truth = torch.tensor(np.concatenate([poses, mirrored[1]]), dtype=torch.float32, device=device)
        self.starts = torch.tensor(np.concatenate([firsts, firsts + len(shown)]), device=device)

    def train(self, steps: int) -> float:
        """Train on ``steps`` batches, and return the last position error, m."""
        self.net.train()
        for chosen in islice(self.order(), steps):
            loss = self.step(chosen)
        return loss.item()

    def step(self, chosen: Tensor) -> Tensor:
        """Train on the samples with these numbers, and return their position error, m."""
        windows = self.windows(chosen)
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.half):
            found = self.net(windows)
        loss = torch.norm(found.float() - self.truth[chosen], dim=-1).mean()
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()
        return loss.detach()

    def windows(self, chosen: Tensor) -> Tensor:
        """Keypoints (B, 27, J, 2) of the samples with these numbers."""
        return self.keypoints[self.starts[chosen, None] + torch.arange(WINDOW, device=self.device)]

    def order(self) -> Iterator[Tensor]:
        """The samples of each batch, epoch after epoch."""
        while True:
            yield from torch.randperm(len(self.starts), device=self.device).split(self.batch)


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
    windows = loop.windows(torch.arange(64, device=loop.device))
    return float((windowed(ours)(windows)[:, 0] - loop.net.eval()(windows)).abs().max())


def samples_differ(trainer: Trainer, loop: Loop) -> float:
    """Largest difference between a sample of Kinelift's first batch and the nearest one of the baseline.

    Input and truth count; the numbers of samples of an epoch must be equal.
    """
    assert isinstance(trainer.source, RecordedSamples)
    assert len(trainer.source.chunks) == len(loop.starts), "the epochs differ in length"
    batch = next(trainer.source.epoch(0, trainer.samples, trainer.generator))
    ours = torch.cat([batch.points.flatten(1), batch.target.flatten(1)], 1)
    theirs = torch.cat([loop.windows(torch.arange(len(loop.starts))).flatten(1), loop.truth.flatten(1)], 1)
    nearest = theirs[torch.cdist(ours, theirs).argmin(1)]
    return float((ours - nearest).abs().max())


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
