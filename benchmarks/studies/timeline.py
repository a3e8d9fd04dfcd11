"""Compare methods of making a timeline on stitched motions of held-out people, as JSON and a table.

    python -m benchmarks.studies.timeline FOLDER [--folds 5] [--genotype cell.json] [--report report.json]

One network is trained without each fold of people (about a minute of CPU time each). Eight labelled segments of 1.5 to
6 s, of one person or of one fold, are joined, each rotated to face as the previous one; lifted motion is used if FOLDER
has any. The methods are compared frame by frame, by the edit score of the order of actions, and by F1 at half overlap
(Lea et al., CVPR 2017). All get the same probabilities, and each threshold in turn.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from itertools import groupby, pairwise
from pathlib import Path

import numpy as np
import tyro
from jaxtyping import Float, Int
from scipy.ndimage import gaussian_filter1d

from benchmarks.reporting import machine
from kinelift.models.enas.architecture import AnyGenotype
from kinelift.poses.output import replacing
from kinelift.recognition.console import Cell, Data, Settings, read_corpus, read_genotype
from kinelift.recognition.data.clips import OTHER
from kinelift.recognition.decoding import Timeline
from kinelift.recognition.measuring.evaluation import subject_folds
from kinelift.recognition.segments import UNKNOWN, segments
from kinelift.recognition.training.corpus import Corpus
from kinelift.recognition.training.trainer import Trainer, TrainSettings
from kinelift.recognition.windows import cut, starts
from kinelift.terminal.reporter import Reporter

BLEND = 6
"""Number of frames over which stitched motions are blended."""
THRESHOLDS = (0.0, 0.3, 0.5, 0.6, 0.7, 0.8, 0.85, 0.9)
COSTS = (0.0, 0.1, 0.25, 0.5, 1.0)
"""Costs of a change, in nats × seconds."""
SHORTEST = (0.0, 0.5, 1.0)
"""Least durations of a segment, s."""
SMOOTHING = 0.6
"""Standard deviation of the average over time, s, before each window is named."""
Poses = Float[np.ndarray, "N J 3"]
Track = Int[np.ndarray, " N"]
"""A label per frame; −1 = unknown."""
Run = tuple[int, int, int]
"""A segment: label, first frame and end."""


@dataclass(frozen=True, eq=False)
class Case:
    """A stitched motion: probabilities of windows centred at ``centres`` (s), and the truth at ``rate`` Hz."""

    probabilities: Float[np.ndarray, "W K"]
    centres: Float[np.ndarray, " W"]
    truth: Track
    rate: float

    @property
    def end(self) -> float:
        """Time of each frame, s."""
        return len(self.truth) / self.rate


@dataclass(frozen=True)
class Measure:
    """Scores over all motions.

    ``frames``: accuracy over frames; ``edit`` score; ``f1`` at half overlap; ``named``: fraction of known frames that
    get a name; ``right``: fraction of these names that are correct; ``false``: fraction of frames of "other" that get a
    name; ``boundary``: median error (s) of both ends of the segments detected.
    """

    frames: float
    edit: float
    f1: float
    named: float
    right: float
    false: float
    boundary: float


def main(
    data: tyro.conf.Positional[Data],
    settings: Settings = TrainSettings(),  # noqa: B008
    genotype: Cell = None,
    folds: int = 5,
    report: Path | None = None,
) -> None:
    """Measure and print.

    Args:
        data: Labelled motion.
        settings: Settings of the networks' training.
        genotype: JSON file of a cell.
        folds: Number of groups of people.
        report: JSON file to write.
    """
    corpus, settings = read_corpus(data, settings, Reporter())
    kind = "lifted" if corpus.of_kind("lifted").any() else ""
    found = list(cases(corpus, kind, settings, read_genotype(genotype), folds))
    names = corpus.names
    rows = {f"{way}, threshold {t}": measure(found, make(names, t)) for way, make in WAYS.items() for t in THRESHOLDS}
    for name, row in rows.items():
        print(f"{name:40}" + "  ".join(f"{key} {value:.3f}" for key, value in asdict(row).items()), flush=True)
    facts = {
        "date": f"{datetime.now(UTC):%Y-%m-%d}",
        "machine": machine(),
        "judged": kind or "as recorded",
        "motions": len(found),
        "settings": asdict(settings),
        "ways": {name: asdict(row) for name, row in rows.items()},
    }
    if report:
        with replacing(report) as part:
            part.write_text(json.dumps(facts, indent=1), encoding="utf-8")


def cases(corpus: Corpus, kind: str, settings: TrainSettings, genotype: AnyGenotype, folds: int) -> Iterator[Case]:
    """Stitched motions of each fold and kind of clip, with the probabilities of a network trained without it."""
    plan, random = corpus.plan, np.random.default_rng(0)
    for group in subject_folds(corpus, folds):
        held_out = corpus.of_subjects(group)
        trainer = Trainer(settings, corpus.only(~held_out), None, genotype)
        for _ in trainer.fit():
            pass
        network = trainer.result({})
        for points, truth in stitched(corpus.only(held_out & corpus.of_kind(kind)), random):
            centres = (starts(len(points), plan) + (plan.frames - 1) / 2) / plan.rate
            yield Case(network.probabilities(cut(points, plan)), centres, truth, plan.rate)


def stitched(corpus: Corpus, random: np.random.Generator) -> Iterator[tuple[Poses, Track]]:
    """Six motions of each person with several labels, and eight of the whole fold."""
    parts = stretches(corpus)
    people = sorted({who for who, _, _ in parts})
    for who in [{person} for person in people] * 6 + [set(people)] * 8:
        mine: dict[int, list[Poses]] = {}
        for person, label, points in parts:
            if person in who:
                mine.setdefault(label, []).append(points)
        if len(mine) > 1:
            yield stitch(mine, corpus, random)


def stretches(corpus: Corpus) -> list[tuple[str, int, Poses]]:
    """Subject, label and poses of all segments with one label for at least 1.5 s."""
    out = []
    rows = zip(corpus.clip.tolist(), corpus.labels.tolist(), corpus.spans[:, 0].tolist(), strict=True)
    quarter, step = (corpus.plan.frames - 1) // 4, corpus.plan.step
    for (clip, label, _), found in groupby(enumerate(rows), key=lambda r: (r[1][0], r[1][1], r[1][2] - step * r[0])):
        firsts = [int(first) for _, (_, _, first) in found]
        begin, end = firsts[0] + quarter, firsts[-1] + 3 * quarter
        if end - begin >= 1.5 * corpus.plan.rate:
            out.append((corpus.dataset.clips[clip].subject, label, corpus.motions[clip][begin:end]))
    return out


def stitch(parts: Mapping[int, list[Poses]], corpus: Corpus, random: np.random.Generator) -> tuple[Poses, Track]:
    """Join eight parts, with no two neighbours of one label. Each begins where the hip of the one before ended."""
    points: list[Poses] = []
    truth: list[int] = []
    for _ in range(8):
        label = int(random.choice([k for k in sorted(parts) if not truth or k != truth[-1]]))
        part = parts[label][random.integers(len(parts[label]))]
        count = min(len(part), int(random.integers(45, 181)))
        start = int(random.integers(len(part) - count + 1))
        part = part[start : start + count] - part[start, 0]
        if points:
            last = points[-1][-1]
            part = turned(part, heading(part[0], corpus) - heading(last, corpus)) + last[0]
            share = (np.arange(1, BLEND + 1) / (BLEND + 1))[:, None, None]
            points.append((1 - share) * last + share * part[0])
            truth += [truth[-1]] * (BLEND // 2) + [label] * (BLEND - BLEND // 2)
        points.append(part)
        truth += [label] * count
    known = np.array([-1 if name == OTHER else k for k, name in enumerate(corpus.names)])
    return np.concatenate(points), known[truth]


def heading(pose: Float[np.ndarray, "J 3"], corpus: Corpus) -> float:
    """Direction from the right hip to the left one, as an angle about the vertical (y)."""
    index = corpus.dataset.skeleton.index
    across = pose[index("left_hip")] - pose[index("right_hip")]
    return float(np.arctan2(across[2], across[0]))


def turned(points: Poses, angle: float) -> Poses:
    """Rotate about y by ``-angle``, in the sense of ``heading``."""
    c, s = np.cos(angle), np.sin(angle)
    return points @ np.array([[c, 0, -s], [0, 1, 0], [s, 0, c]])


Way = Callable[[Case], Track]


def program(change: float, shortest: float) -> Callable[[tuple[str, ...], float], Way]:
    """The most probable sequence of segments, as in the program, with these costs."""

    def made(names: tuple[str, ...], threshold: float) -> Way:
        timeline = Timeline(threshold, change, shortest)

        def way(case: Case) -> Track:
            found = segments(case.probabilities, case.centres, (0.0, case.end), names, timeline)
            times = (np.arange(len(case.truth)) + 0.5) / case.rate
            place = np.searchsorted([action.end for action in found[:-1]], times, side="right")
            return np.array([-1 if a.label == UNKNOWN else names.index(a.label) for a in found])[place]

        return way

    return made


def by_window(names: tuple[str, ...], threshold: float) -> Way:
    """Smooth, then name each window."""

    def way(case: Case) -> Track:
        pace = float(np.median(np.diff(case.centres)))
        smooth = smoothed(case.probabilities, SMOOTHING / pace)
        return spread(judged(smooth, smooth.argmax(axis=1), names, threshold), case)

    return way


def smoothed(probabilities: Float[np.ndarray, "W K"], steps: float) -> Float[np.ndarray, "W K"]:
    """Gaussian average over time with a standard deviation of ``steps`` rows, normalised at both ends."""
    total = gaussian_filter1d(probabilities, steps, axis=0, mode="constant")
    return total / gaussian_filter1d(np.ones((len(probabilities), 1)), steps, axis=0, mode="constant")


def judged(
    probabilities: Float[np.ndarray, "W K"], choice: Int[np.ndarray, " W"], names: tuple[str, ...], threshold: float
) -> Int[np.ndarray, " W"]:
    """The chosen label, or −1 where "other" is as probable or it is not probable enough."""
    own = probabilities[np.arange(len(choice)), choice]
    leads = own > probabilities[:, names.index(OTHER)] if OTHER in names else np.ones(len(choice), bool)
    return np.where(leads & (own >= threshold), choice, -1)


def spread(choice: Int[np.ndarray, " W"], case: Case) -> Track:
    """Labels of frames: each takes the nearest window's."""
    times = (np.arange(len(case.truth)) + 0.5) / case.rate
    return choice[np.searchsorted((case.centres[1:] + case.centres[:-1]) / 2, times, side="right")]


def measure(found: list[Case], way: Way) -> Measure:
    """Score one method on all motions."""
    pairs = [(case.truth, way(case)) for case in found]
    truth, predicted = (np.concatenate(column) for column in zip(*pairs, strict=True))
    known, claimed, right = truth >= 0, predicted >= 0, truth == predicted
    hits, misses = np.sum([overlaps(*pair) for pair in pairs], axis=0)
    return Measure(
        float(right.mean()),
        float(np.mean([edit_score(*pair) for pair in pairs])),
        float(2 * hits / max(2 * hits + misses, 1)),
        float(claimed[known].mean()),
        float(right[known & claimed].mean()) if (known & claimed).any() else float("nan"),
        float(claimed[~known].mean()) if (~known).any() else float("nan"),
        float(
            np.median(
                [error / case.rate for case, pair in zip(found, pairs, strict=True) for error in ends(*pair)]
                or [np.nan]
            )
        ),
    )


def runs(track: Track) -> list[Run]:
    """Label, first frame and end of each run."""
    bounds = [0, *(np.flatnonzero(np.diff(track)) + 1).tolist(), len(track)]
    return [(int(track[a]), a, b) for a, b in pairwise(bounds)]


def edit_score(truth: Track, predicted: Track) -> float:
    """1 − the Levenshtein distance between the sequences of actions over the length of the longer one."""
    a, b = ([label for label, *_ in runs(track)] for track in (truth, predicted))
    row = list(range(len(b) + 1))
    for i, x in enumerate(a, 1):
        before, row[0] = row[0], i
        for j, y in enumerate(b, 1):
            before, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, before + (x != y))
    return 1 - row[-1] / max(len(a), len(b))


def matches(truth: Track, predicted: Track) -> Iterator[tuple[Run, Run]]:
    """Pairs of a true and a predicted segment: same label, IoU of at least 0.5, each true one once."""
    left = runs(truth)
    for label, a, b in runs(predicted):
        match = next(
            (t for t in left if t[0] == label and 2 * (min(b, t[2]) - max(a, t[1])) >= max(b, t[2]) - min(a, t[1])),
            None,
        )
        if match:
            left.remove(match)
            yield match, (label, a, b)


def overlaps(truth: Track, predicted: Track) -> tuple[int, int]:
    """Number of segments detected (see ``matches``), and of errors."""
    hits = len(list(matches(truth, predicted)))
    return hits, len(runs(truth)) + len(runs(predicted)) - 2 * hits


def ends(truth: Track, predicted: Track) -> Iterator[int]:
    """Frames by which both ends of each known segment detected are off; the ends of the motion itself do not count."""
    for (label, a, b), (_, first, last) in matches(truth, predicted):
        if label >= 0:
            yield from (abs(first - a),) * (a > 0)
            yield from (abs(last - b),) * (b < len(truth))


WAYS: Mapping[str, Callable[[tuple[str, ...], float], Way]] = {
    "average over time, name each window": by_window,
    **{f"change {cost:g}, at least {least:g} s": program(cost, least) for cost in COSTS for least in SHORTEST},
}


if __name__ == "__main__":
    tyro.cli(main)
