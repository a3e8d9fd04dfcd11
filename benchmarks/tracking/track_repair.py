"""Measure the effect of side-flip repair and smoothing on tracks with a known reference; prints JSON.

    python -m benchmarks.tracking.track_repair cmu.npz [--clips 60] [--tuning]

The tracks are motion capture filmed by random cameras, as in ``lifting.synthesis.trials``, with measured detector noise
(``MEASURED``).

``flips``: left and right of the whole body, the arms or the legs are swapped for some episodes. ``mended``: fraction of
frames of swapped limbs that are corrected; ``damaged``: fraction of correct ones that are swapped, also without swaps
in the input (``none``), and for people who walk or run, seen from the side.

``smoothing``: ``error`` of visible joints, and ``still``, that of a person who does not move, in hundredths of the
person's size; ``late_ms``: the delay at which smoothed true tracks best fit the true ones; ``p_mpjpe_mm``: error of the
default lifter's poses.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import tyro
from jaxtyping import Bool, Float

from benchmarks.reporting import machine
from benchmarks.tracking.simulated_detector import episodes
from kinelift.detectors.tracking.side_flips import GROUPS, mirrored_joints, repair_side_flips
from kinelift.detectors.tracking.similarity import extent
from kinelift.detectors.tracking.smoothing import OneEuro, SavitzkyGolay, Smoothing
from kinelift.lifting.datasets import dataset_split
from kinelift.lifting.lifter import Lifter
from kinelift.lifting.measuring.metrics import p_mpjpe
from kinelift.lifting.synthesis.bank import MotionBank
from kinelift.lifting.synthesis.noise import MEASURED
from kinelift.lifting.synthesis.trials import Trial, trials
from kinelift.poses import COCO17, Track2D
from kinelift.poses.errors import DataError
from kinelift.weights.store import locate

NOISE = replace(MEASURED, swap=0.0)
HALVES = tuple(both[: len(both) // 2] for both in (mirrored_joints(COCO17, names) for names in GROUPS))
KINDS: Mapping[str, tuple[int, ...]] = {"none": (), "body": (0, 1, 2), "arms": (1,), "legs": (2,)}
OFTEN, LONG = 0.5, 0.25
"""Episodes per second, and their mean duration, s."""
SMOOTHINGS: Mapping[str, Smoothing] = {"one-euro": OneEuro(), "savgol": SavitzkyGolay()}


@dataclass(frozen=True, eq=False)
class Pair:
    """Four seconds with a detector's noise and without."""

    read: Trial
    true: Trial

    @property
    def walks(self) -> bool:
        """Whether the person is seen from the side.

        That is, the median width of the hips is less than a third of their median distance from the shoulders.
        """
        points = self.true.track.points
        wide = np.abs(points[:, COCO17.index("left_hip"), 0] - points[:, COCO17.index("right_hip"), 0])
        long = np.abs(points[:, COCO17.index("left_hip"), 1] - points[:, COCO17.index("left_shoulder"), 1])
        return self.true.action.startswith(("walk", "run", "slow walk")) and bool(np.median(wide / long) < 1 / 4)


def main(motion: tyro.conf.Positional[Path], clips: int = 60, seed: int = 1, tuning: bool = False) -> None:
    """Measure and print.

    Args:
        motion: A file of ``kinelift lifting prepare``.
        clips: Number of clips, with two cameras each.
        seed: Seed of cameras, noise and flips.
        tuning: Use the subjects on which settings may be chosen.
    """
    bank = dataset_split.load(motion)
    if not isinstance(bank, MotionBank):
        raise DataError(f"{motion} holds recorded sequences. Give motion capture: kinelift lifting prepare --help")
    parts = dataset_split.split(bank)
    part = parts.train if tuning else parts.test
    assert isinstance(part, MotionBank)  # a part of a bank is of its type
    some = list(pairs(part, clips, seed))
    report = {"machine": machine(), "tracks": len(some), "walkers": sum(p.walks for p in some), "tuning": tuning}
    print(json.dumps(report | {"flips": flip_figures(some, seed), "smoothing": smoothing_figures(some)}, indent=2))


def pairs(bank: MotionBank, clips: int, seed: int) -> Iterator[Pair]:
    """Two cameras for each of ``clips`` clips, up to half of which show walking or running."""
    random = np.random.default_rng(seed)
    walks = [k for k, action in enumerate(bank.actions) if action.startswith(("walk", "run", "slow walk"))]
    others = [k for k in range(len(bank)) if k not in walks]
    chosen = [*random.permutation(walks)[: clips // 2], *random.permutation(others)][:clips]
    for k in chosen:
        one = bank.without_clips(set(bank.names) - {bank.names[k]})
        both = (islice(trials(one, 2, noise, int(k)), 2) for noise in (NOISE, None))
        yield from (
            Pair(_of_body(read), _of_body(true)) for read, true in zip(*both, strict=True) if len(read.track) > 30
        )


def _of_body(trial: Trial) -> Trial:
    """The trial without feet."""
    return replace(trial, track=trial.track.converted(COCO17))


def flip_figures(some: Sequence[Pair], seed: int) -> dict[str, dict[str, Any]]:
    """The figures of side-flip repair, by the limbs swapped."""
    figures = {}
    for kind, groups in KINDS.items():
        random = np.random.default_rng(seed)
        rows = [mended(pair.read.track, groups, random) for pair in some]
        walk = [row for row, pair in zip(rows, some, strict=True) if pair.walks]
        figures[kind] = {**_shares(rows), "walking": _shares(walk)}
    return figures


def mended(
    track: Track2D, groups: Sequence[int], random: np.random.Generator
) -> tuple[Bool[np.ndarray, "T 3"], Bool[np.ndarray, "T 3"], Bool[np.ndarray, "T 3"]]:
    """Whether face, arms and legs were swapped, are swapped in the result, and are visible on both sides."""
    when = episodes(track.times, OFTEN, LONG, random)
    order = np.tile(np.arange(len(COCO17)), (len(track), 1))
    for group in groups:
        both = [*HALVES[group], *(COCO17.mirror[j] for j in HALVES[group])]
        order[np.ix_(when, np.array(both))] = [COCO17.mirror[j] for j in both]
    rows = np.arange(len(track))[:, None]
    out = repair_side_flips(replace(track, points=track.points[rows, order], scores=track.scores[rows, order]))
    was, wrong, judged = (np.zeros((len(track), 3), dtype=bool) for _ in range(3))
    for group, left in enumerate(HALVES):
        right = [COCO17.mirror[j] for j in left]
        was[:, group] = when & (group in groups)
        same = (out.points == track.points).all(axis=-1)[:, left] & np.isfinite(track.points[:, left]).all(axis=-1)
        seen = np.isfinite(track.points[:, left] + track.points[:, right]).all(axis=-1)
        judged[:, group], wrong[:, group] = seen.any(axis=1), ~same.any(axis=1)
    return was, wrong, judged


def _shares(rows: Sequence[tuple[np.ndarray, np.ndarray, np.ndarray]]) -> dict[str, float]:
    was, wrong, judged = (np.concatenate(part) for part in zip(*rows, strict=True))
    names = ("face", "arms", "legs")
    bad, good = was & judged, ~was & judged
    return {
        **{f"mended {n}": _share((bad & ~wrong)[:, g], bad[:, g]) for g, n in enumerate(names) if bad[:, g].any()},
        **{f"damaged {n}": _share((good & wrong)[:, g], good[:, g]) for g, n in enumerate(names)},
    }


def _share(part: Bool[np.ndarray, " N"], whole: Bool[np.ndarray, " N"]) -> float:
    return round(float(part.sum() / max(whole.sum(), 1)), 4)


def smoothing_figures(some: Sequence[Pair]) -> dict[str, dict[str, float]]:
    """The figures of smoothing, by method."""
    lifter = Lifter.load(locate("default"))
    figures = {}
    for name, smooth in {"none": None, **SMOOTHINGS}.items():
        apply = smooth.apply if smooth else _same
        tracks = [apply(pair.read.track) for pair in some]
        errors = [off(track, pair.true.track.points) for track, pair in zip(tracks, some, strict=True)]
        stills = [apply(still(pair)) for pair in some]
        rest = [off(track, pair.true.track.points[:1]) for track, pair in zip(stills, some, strict=True)]
        late = [delay(apply(pair.true.track), pair.true.track) for pair in some]
        lifted = [lift(lifter, track, pair) for track, pair in zip(tracks, some, strict=True)]
        figures[name] = {
            "error": round(100 * float(np.sqrt(np.nanmean(np.concatenate(errors) ** 2))), 2),
            "still": round(100 * float(np.sqrt(np.nanmean(np.concatenate(rest) ** 2))), 2),
            "late_ms": round(1000 * float(np.mean(late)), 1),
            "p_mpjpe_mm": round(1000 * float(np.nanmean(lifted)), 2),
        }
    return figures


def _same(track: Track2D) -> Track2D:
    return track


def off(track: Track2D, truth: Float[np.ndarray, "T2 J 2"]) -> Float[np.ndarray, "T J"]:
    """Errors as fractions of the person's size, without outliers (beyond a quarter of the size)."""
    far = np.linalg.norm(track.points - truth, axis=-1) / np.median(extent(truth))
    return np.where(far < 0.25, far, np.nan)


def still(pair: Pair) -> Track2D:
    """A person who holds the first frame's pose, with the track's noise."""
    noise = pair.read.track.points - pair.true.track.points
    return replace(pair.read.track, points=pair.true.track.points[:1] + noise)


def delay(smooth: Track2D, true: Track2D) -> float:
    """Delay of ``smooth`` relative to ``true``, s, by least squares from the movement."""
    pace = np.gradient(true.points, true.times, axis=0)
    return -float((pace * (smooth.points - true.points)).sum() / np.square(pace).sum())


def lift(lifter: Lifter, track: Track2D, pair: Pair) -> float:
    """Error of the lifted poses, m, over frames that have one."""
    poses = lifter.lift(track, pair.read.camera).points
    shown = np.isfinite(poses).all(axis=(1, 2))
    return p_mpjpe(poses[shown], pair.read.truth[shown]) if shown.any() else float("nan")


if __name__ == "__main__":
    tyro.cli(main)
