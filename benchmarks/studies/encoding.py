"""Measure the speed of motion images as JSON; with labelled motion, compare the choices of an encoding.

    python -m benchmarks.studies.encoding
    python -m benchmarks.studies.encoding DIR [--seconds None] [--seeds 3]

Speed is in windows per second of CPU time, at the default size and at others. Baselines in the same run are the
published drawing of all pairs, and encoding each window alone.

Choices are compared by kernel ridge regression on the images and by the nearest mean image, both trained on windows
sampled and augmented as in training, from other subjects than the test windows. Clips of a data set's own test split
are left out, so that defaults are not chosen on them.
"""

import json
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from math import ceil
from pathlib import Path

import cv2
import numpy as np
import tyro
from rich.console import Console
from rich.table import Table

from benchmarks.reporting import machine
from kinelift.poses import skeleton
from kinelift.recognition.data import labelled_folder
from kinelift.recognition.data.clips import Dataset
from kinelift.recognition.encoding.pair_order import all_pairs
from kinelift.recognition.encoding.spmf import STRIDE, Encoding, encode
from kinelift.recognition.measuring import evaluation
from kinelift.recognition.training.augment import Augmentation, Sampler
from kinelift.recognition.training.corpus import Corpus, corpus_of
from kinelift.recognition.training.scores import Scores, clip_scores
from kinelift.recognition.windows import WindowPlan

FRAMES = 31


@dataclass(frozen=True)
class Study:
    """Settings of the comparison.

    ``samples`` windows are sampled for each of ``folds`` groups of subjects, ``seeds`` times. Windows last ``seconds``;
    None means whole labelled segments. ``mirror``: fraction of mirrored windows. ``only``: compare only choices whose
    names contain it.
    """

    seconds: float | None = 1.0
    folds: int = 5
    samples: int = 1500
    seeds: int = 3
    mirror: float = 0.5
    only: str = ""


@dataclass(frozen=True, eq=False)
class Trial:
    """Training windows, and the rows of the corpus that are tested."""

    learn: np.ndarray
    labels: np.ndarray
    rows: np.ndarray
    judge: np.ndarray


def main(data: tyro.conf.Positional[Path | None] = None, study: tyro.conf.OmitArgPrefixes[Study] = Study()) -> None:
    """Measure and print.

    Args:
        data: Labelled motion as written by ``recognition convert``; if not given, speed is measured.
        study: Settings of the comparison.
    """
    cv2.setNumThreads(1)
    if data is None:
        print(json.dumps({"machine": machine(), "windows_a_second": speed()}, indent=2))
    else:
        Console(width=120).print(compared(labelled_folder.read(data), study))


def speed() -> dict[str, int]:
    """Number of one-second windows encoded per second of CPU time, by size."""
    default, pairs = Encoding(), all_pairs(skeleton("h36m17"))
    published = replace(default, distances=pairs, orientations=pairs)
    kinds = {
        "default, 32 × 32": default,
        "not equalised": replace(default, equalise="none"),
        "64 columns": replace(default, steps=32),
        "all pairs, resized to 32 × 32": published,
        "all pairs, a row each": replace(published, rows=published.features),
        "all pairs of every frame, resized to 32 × 32": replace(published, sampling="frames"),
    }
    kinds |= {f"default of {name}": Encoding.of(name) for name in ("kinect20", "kinect15-pair")}
    found = {name: rate(encoding, 64) for name, encoding in kinds.items()}
    return found | {"default, 32 × 32, each window alone": rate(default, 1)}


def rate(encoding: Encoding, batch: int, seconds: float = 2.0) -> int:
    """Windows per second of CPU time, in batches of ``batch``."""
    windows = np.cumsum(
        np.random.default_rng(0).normal(0, 0.02, (batch, FRAMES, len(skeleton(encoding.skeleton)), 3)), axis=1
    )
    encode(windows, encoding)
    began, done = time.process_time(), 0
    while time.process_time() - began < seconds:
        encode(windows, encoding)
        done += batch
    return round(done / (time.process_time() - began))


def compared(dataset: Dataset, study: Study) -> Table:
    """A table with one row per choice: fractions of clips classified correctly."""
    corpus = corpus_of(training_part(dataset), WindowPlan(seconds=study.seconds))
    trials = [list(drawn(corpus, study, seed)) for seed in range(study.seeds)]
    table = Table("choice", "ridge: clips", "mean recall", "nearest mean: clips", "mean recall")
    table.title = f"{len(corpus)} windows, {len(set(corpus.subjects))} subjects, {len(trials[0])} folds"
    for name, encoding in choices(Encoding.of(dataset.skeleton.name)).items():
        if study.only in name:
            ridge, nearest = zip(*(judged(corpus, each, encoding) for each in trials), strict=True)
            table.add_row(name, *shares(ridge), *shares(nearest))
    return table


def training_part(dataset: Dataset) -> Dataset:
    """The data set without its own test clips, to be split by subject."""
    return dataset.with_clips(replace(clip, split="") for clip in dataset.clips if clip.split != "test")


def choices(base: Encoding) -> Mapping[str, Encoding]:
    """The default and its alternatives, each with one setting changed."""
    pairs = all_pairs(skeleton(base.skeleton))
    every = replace(base, distances=pairs, orientations=pairs, moves=())
    other: dict[str, dict[str, object]] = {
        "rows by pair": {"order": "pairs"},
        "rows by part of the body": {"order": "parts"},
        "range of the motion itself": {"distance_range": "sequence"},
        **{f"reach {reach:g}": {"reach": reach} for reach in (0.8, 1.2, 1.6, 2.4, 3.2)},
        "unit arrows": {"arrows": "unit"},
        "scaled arrows": {"arrows": "scaled"},
        "no moves": {"moves": ()},
        "moves of hands, feet, knees, elbows, head": {"moves": movers(base)},
        **{f"lag {lag}": {"lag": lag} for lag in (1, 2, 4, 6)},
        "not equalised": {"equalise": "none"},
        "CLAHE, channels": {"equalise": "channels"},
        "CLAHE, lightness": {"equalise": "lightness"},
        "CLAHE, value": {"equalise": "value"},
        "CLAHE, channels, 4 × 4 tiles": {"equalise": "channels", "tiles": 4},
        "CLAHE, channels, limit 4": {"equalise": "channels", "clip": 4.0},
        "not smoothed": {"smoothing": "none"},
        **{f"{steps} moments": {"steps": steps} for steps in (8, 16, 32)},
        "every frame, resized": {"sampling": "frames"},
        "pose and motion in turn": {"columns": "interleaved"},
        "motion under pose": {"columns": "stacked"},
        "axes of the whole window": {"axes": "body"},
        "axes of the first frames": {"axes": "first"},
        "axes upright": {"axes": "upright"},
        "axes recorded": {"axes": "recorded"},
        "origin: hip of every frame": {"origin": "frame"},
        "origin: hip of the window": {"origin": "window"},
    }
    kept = natural(base)
    found = {"default": base, **{name: kept(replace(base, **values)) for name, values in other.items()}}  # type: ignore[arg-type]
    found |= {f"resized to {rows} rows": replace(base, rows=rows) for rows in (16, 32, 64) if rows != base.rows}
    found |= {f"all pairs, {how}": replace(every, rows=32, interpolation=how) for how in ("area", "linear", "nearest")}
    found |= {"all pairs, a row each": replace(every, rows=every.features)}
    return {name: each for name, each in found.items() if name == "default" or each != base}


def natural(base: Encoding) -> Callable[[Encoding], Encoding]:
    """Keep about one row per feature, where the default has that."""
    own = 0 <= base.rows - base.features < STRIDE
    return lambda each: replace(each, rows=ceil(each.features / STRIDE) * STRIDE) if own else each


def movers(base: Encoding) -> tuple[str, ...]:
    """Joints at the ends and in the middle of limbs."""
    ends = ("wrist", "hand", "ankle", "foot", "knee", "elbow", "head")
    return tuple(name for name in skeleton(base.skeleton).joints if any(end in name for end in ends))


def drawn(corpus: Corpus, study: Study, seed: int) -> Iterator[Trial]:
    """One trial per group of subjects."""
    generator = np.random.default_rng(seed)
    augmentation = replace(Augmentation(), mirror=study.mirror)
    for each in evaluation.rounds(corpus, study.folds):
        learn, labels = Sampler(corpus.only(each.train), augmentation).draw(study.samples, generator)
        yield Trial(learn, labels, np.flatnonzero(each.test), corpus.only(each.test).windows())


def judged(corpus: Corpus, trials: list[Trial], encoding: Encoding) -> tuple[Scores, Scores]:
    """Scores of kernel ridge regression and of the nearest mean image."""
    ridge, nearest = np.zeros((len(corpus), len(corpus.names))), np.zeros((len(corpus), len(corpus.names)))
    for trial in trials:
        known, test = flat(trial.learn, encoding), flat(trial.judge, encoding)
        targets = np.eye(len(corpus.names), dtype=np.float32)[trial.labels]
        ridge[trial.rows] = kernel_ridge(known, targets, test)
        means = targets.T @ known / np.maximum(targets.sum(axis=0), 1)[:, None]
        away = squared(test, means)
        away[:, targets.sum(axis=0) == 0] = np.inf
        nearest[trial.rows] = np.eye(len(corpus.names))[away.argmin(axis=1)]
    return clip_scores(corpus, ridge), clip_scores(corpus, nearest)


def kernel_ridge(known: np.ndarray, targets: np.ndarray, test: np.ndarray, penalty: float = 0.05) -> np.ndarray:
    """Ridge regression of ``targets`` with a Gaussian kernel, whose width is the median squared distance."""
    away = squared(known, known)
    width = np.median(away)
    kernel = np.exp(-away / width)
    kernel[np.diag_indices_from(kernel)] += penalty
    return np.exp(-squared(test, known) / width) @ np.linalg.solve(kernel, targets)


def squared(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Squared distances of all rows of ``a`` to all of ``b``."""
    return np.maximum((a**2).sum(axis=1)[:, None] + (b**2).sum(axis=1)[None] - 2 * a @ b.T, 0)


def flat(windows: np.ndarray, encoding: Encoding) -> np.ndarray:
    """Images as rows of numbers, −1…1."""
    parts = [encode(windows[i : i + 64], encoding) for i in range(0, len(windows), 64)]
    return np.concatenate(parts).reshape(len(windows), -1).astype(np.float32) / 127.5 - 1


def shares(scores: tuple[Scores, ...]) -> Iterator[str]:
    """Mean and, for several seeds, standard deviation over the seeds, in percent."""
    for found in ([each.accuracy for each in scores], [each.mean_recall for each in scores]):
        spread = f" ± {100 * np.std(found):.1f}" if len(found) > 1 else ""
        yield f"{100 * np.mean(found):.1f}{spread}"


if __name__ == "__main__":
    tyro.cli(main)
