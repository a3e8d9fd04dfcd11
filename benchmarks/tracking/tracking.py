"""Measure identity metrics of Kinelift's tracker, ablations and baselines, as JSON and as a table.

    python -m benchmarks.tracking.tracking cmu.npz [--count 20] [--seed 1]

``cmu.npz`` is a file of ``kinelift lifting prepare``. Its test subjects walk on crossing paths in front of one camera
(``benchmarks.tracking.crossings``), with a simulated detector (``benchmarks.tracking.simulated_detector``). Settings
were chosen on the other subjects (``--tuning``). A person counts where four tenths of their joints are visible; a track
on an occluded person is ignored. A track matches a person if the keypoint similarity, with sides as they are or
swapped, is at least 0.5. Counts are summed and fractions averaged over all scenes. The table goes to stderr.
"""

import json
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import tyro
from jaxtyping import Bool, Float
from scipy.optimize import linear_sum_assignment

from benchmarks.reporting import machine
from benchmarks.tracking.crossings import KINDS, SIZE, Scene, scenes
from benchmarks.tracking.identity_metrics import Moment, Score, score
from benchmarks.tracking.simulated_detector import MIRROR, Flaws, detected
from kinelift.detectors.tracking import Identity, Tracker, TrackerSettings
from kinelift.detectors.tracking.filling import to_track
from kinelift.detectors.tracking.similarity import body_scales, object_keypoint_similarity, oks_sigmas
from kinelift.detectors.tracking.tracklet import History, Observation
from kinelift.lifting.datasets import dataset_split
from kinelift.lifting.synthesis.bank import MotionBank
from kinelift.poses import COCO17, People
from kinelift.poses.boxes import iou
from kinelift.poses.errors import DataError

SHOWN = 0.4
"""Minimum fraction of visible joints of a person who counts."""
SPREAD = oks_sigmas(COCO17)

Times = Float[np.ndarray, " T"]
Way = Callable[[Sequence[People], Times], Sequence[Identity]]


def ours(**changes: float) -> Way:
    """The program's tracker with other settings."""
    settings = replace(TrackerSettings(), **changes)

    def follow(found: Sequence[People], times: Times) -> Sequence[Identity]:
        tracker = Tracker(COCO17, SIZE, settings)
        for people, time in zip(found, times.tolist(), strict=True):
            tracker.update(people, time)
        return tracker.tracks()

    return follow


def plain(memory: float) -> Way:
    """A baseline that matches boxes by an overlap of at least 0.3, with an id from the third detection on.

    A person who is not detected keeps their box for ``memory`` seconds (as SORT, Bewley et al. 2016, without the
    filter).
    """

    def follow(found: Sequence[People], times: Times) -> Sequence[Identity]:
        tracks: list[tuple[list[Observation], list[np.ndarray]]] = []
        for people, time in zip(found, times.tolist(), strict=True):
            live = [t for t in tracks if time - t[0][-1].time <= memory + 1.5 * float(times[1])]
            sure = np.flatnonzero(people.confidence >= TrackerSettings().high_confidence)
            overlap = iou(np.array([t[1][-1] for t in live]).reshape(-1, 4), people.boxes[sure])
            pairs = {
                int(n): int(m)
                for m, n in zip(*linear_sum_assignment(overlap, maximize=True), strict=True)
                if overlap[m, n] >= 0.3
            }
            for n, row in enumerate(sure):
                track = live[pairs[n]] if n in pairs else ([], [])
                if n not in pairs:
                    tracks.append(track)
                track[0].append(_observation(people, int(row), time))
                track[1].append(people.boxes[row])
        lasting = [t[0] for t in tracks if len(t[0]) >= 3]
        return [
            Identity(k, to_track(History.of(t), times[t[0].frame : t[-1].frame + 1], COCO17, SIZE))
            for k, t in enumerate(lasting)
        ]

    return follow


WAYS: Mapping[str, Way] = {
    "ours": ours(),
    "ours, no memory": ours(longest_hidden=0.1),
    "ours, no probation": ours(probation=0.0),
    "ours, no weak findings": ours(low_confidence=0.3),
    "boxes": plain(0.0),
    "boxes, 1.5 s memory": plain(1.5),
}


def main(motion: tyro.conf.Positional[Path], count: int = 20, seed: int = 1, tuning: bool = False) -> None:
    """Measure and print.

    Args:
        motion: A file of ``kinelift lifting prepare``.
        count: Number of scenes of each kind.
        seed: Seed of the scenes and of the detector's errors.
        tuning: Use the subjects on which settings may be chosen.
    """
    bank = dataset_split.load(motion)
    if not isinstance(bank, MotionBank):
        raise DataError(f"{motion} holds recorded sequences. Give motion capture: kinelift lifting prepare --help")
    parts = dataset_split.split(bank)
    part = parts.train if tuning else parts.test
    assert isinstance(part, MotionBank)  # a part of a bank is of its type
    scores: dict[str, dict[str, list[Score]]] = {way: {kind: [] for kind in KINDS} for way in WAYS}
    people = 0
    for number, scene in enumerate(scenes(part, count, seed)):
        found = detected(scene, Flaws(), seed * 10_000 + number)
        people += int((scene.clear >= SHOWN).any(axis=1).sum())
        for way, follow in WAYS.items():
            scores[way][scene.kind].append(judged(scene, follow(found, scene.times)))
    rows = {
        way: {"all": mean([s for some in by.values() for s in some])} | {k: mean(s) for k, s in by.items()}
        for way, by in scores.items()
    }
    print(table(rows), file=sys.stderr)
    report = {"machine": machine(), "scenes": count * len(KINDS), "people": people, "seed": seed, "tuning": tuning}
    print(json.dumps(report | {"ways": rows}, indent=2))


def judged(scene: Scene, identities: Sequence[Identity]) -> Score:
    """Score the identities of a scene."""
    return score(list(moments(scene, identities)))


def moments(scene: Scene, identities: Sequence[Identity]) -> Iterator[Moment]:
    """The visible people and the tracks in each frame, without tracks on occluded people."""
    shown: Bool[np.ndarray, "P T"] = np.greater_equal(scene.clear, SHOWN)
    inside = np.asarray(scene.inside.any(axis=2))
    for frame in range(len(scene.times)):
        there = [i for i in identities if _sighted(i, frame)]
        points = np.array([i.track.points[frame - i.track.start] for i in there]).reshape(-1, len(COCO17), 2)
        alike = likeness(scene.points[:, frame], points)
        alike[~inside[:, frame]] = 0.0
        best = alike.argmax(axis=0)
        counts = np.logical_or(shown[best, frame], alike.max(axis=0) < 0.5)
        truth = np.flatnonzero(shown[:, frame])
        ids = np.array([i.id for i in there], dtype=int)
        yield Moment(truth, ids[counts], alike[truth][:, counts])


def likeness(truth: Float[np.ndarray, "N J 2"], found: Float[np.ndarray, "M J 2"]) -> Float[np.ndarray, "N M"]:
    """Keypoint similarity with sides as they are or swapped, whichever is higher."""
    size = body_scales(np.concatenate([truth.min(axis=1), truth.max(axis=1)], axis=1))
    return np.maximum(*(object_keypoint_similarity(truth, f, size, SPREAD) for f in (found, found[:, MIRROR])))


def mean(scores: Sequence[Score]) -> dict[str, float]:
    """Sum counts, and average fractions."""
    shares = {name: float(np.mean([getattr(s, name) for s in scores])) for name in ("idf1", "mota", "held")}
    counts = {name: sum(getattr(s, name) for s in scores) for name in ("switches", "fragments", "ghosts", "ids")}
    return {name: round(value, 4) for name, value in shares.items()} | counts


def table(rows: Mapping[str, Mapping[str, Mapping[str, Any]]]) -> str:
    """Markdown tables: each tracker over all scenes, then the first by kind of scene."""
    columns = list(next(iter(rows.values()))["all"])
    lines = [("tracker", *columns), ("---", *("---:" for _ in columns))]
    lines += [(way, *(str(by["all"][c]) for c in columns)) for way, by in rows.items()]
    first = next(iter(rows))
    lines += [
        (f"{first}: {kind}", *(str(row[c]) for c in columns)) for kind, row in rows[first].items() if kind != "all"
    ]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _observation(people: People, row: int, time: float) -> Observation:
    box = people.boxes[row]
    middle, size = (box[:2] + box[2:]) / 2, float(body_scales(box[None])[0])
    return Observation(
        people.frame, time, people.points[row], people.scores[row], middle, size, float(people.confidence[row])
    )


def _sighted(identity: Identity, frame: int) -> bool:
    track = identity.track
    return track.start <= frame < track.stop and bool(np.isfinite(track.points[frame - track.start]).any())


if __name__ == "__main__":
    tyro.cli(main)
