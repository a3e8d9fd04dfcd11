"""Measure whether the expected errors of 3D joints hold on the calibrated clips; prints JSON.

    python -m benchmarks.bodies.expected_errors [--frames 100] [--lifter default] [--cache FOLDER] [--fit FILE]

``--fit kinelift/lifting/expected_errors.json`` fits the table of expected errors anew first, on cameras 1 and 3.
Cameras 2 and 4 judge it: their joints are grouped by expected error (``BINS``). For each group: ``joints``, how many
there are; ``expected_mm``, their mean expected error; ``error_mm``, their mean error, measured from the middle of the
hips; ``ratio`` of the two, which should be within 0.75 to 1.25.

``as tracked`` are the tracks as they are, by detector and together; ``hidden`` are the same tracks with joints hidden
(``hidden_keypoints``), of which only those count that were not seen or interpolated.

The clips show two people: a man, alone and behind a woman, and that woman. Nobody measured their joints; see
``calibrated``.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any, get_args

import numpy as np
import tyro
from jaxtyping import Bool, Float, Int, Shaped

from benchmarks.bodies.calibrated_tracks import ASKED, Clip, Seen, people
from benchmarks.bodies.hidden_keypoints import hidden
from benchmarks.bodies.lifted_figures import SHARED, Lifted, from_middle, lifted
from benchmarks.reporting import machine
from kinelift.lifting.body import PoseLifter
from kinelift.lifting.confidence import COLUMNS, FORGOTTEN, INTERPOLATED, evidence, expected_errors
from kinelift.lifting.lifter import Lifter
from kinelift.lifting.world.stage import WorldLifter
from kinelift.poses import Track2D
from kinelift.poses.output import replacing
from kinelift.weights.store import find

BINS = (0.05, 0.08, 0.11, 0.15, 0.2, 0.28)
"""Bounds of the groups, metres."""
GROUPS = ("hip", "knee", "wrist", "other")
"""The rows of the table. Shoulders, elbows and ankles have one row: which of them is worst depends on how the camera is
tilted, and four cameras cannot tell."""
ROUNDS = 20
FEWEST = 500
"""Samples needed for an entry of the table."""


@dataclass(frozen=True, eq=False)
class Samples:
    """Joints of all frames of some tracks, each with its error (m, from the middle of the hips)."""

    group: Int[np.ndarray, " N"]
    column: Int[np.ndarray, " N"]
    away: Float[np.ndarray, " N"]
    expected: Float[np.ndarray, " N"]
    error: Float[np.ndarray, " N"]
    reported: Bool[np.ndarray, " N"]
    way: Shaped[np.ndarray, " N"]

    def __getitem__(self, rows: Bool[np.ndarray, " N"]) -> "Samples":
        return Samples(**{name: values[rows] for name, values in vars(self).items()})


def main(frames: int = 100, lifter: str = "default", cache: Path | None = None, fit: Path | None = None) -> None:
    """Measure and print.

    Args:
        frames: Number of frames to use of each clip.
        lifter: Name of a lifter, or path of its checkpoint.
        cache: Folder in which the 2D tracks are cached.
        fit: Write a new table of expected errors to this file first, and judge that.
    """
    network = WorldLifter(Lifter.load(find(lifter)), "body")
    everybody = list(chain.from_iterable(people(clip, frames, cache) for clip in get_args(Clip)))
    samples = joined([sample for seen in everybody for sample in measured(seen, network)])
    if fit:
        table = fitted(samples[~samples.reported])
        save(fit, table)
        samples = Samples(**(vars(samples) | {"expected": looked_up(table, samples)}))
    about = {"machine": machine(), "frames": frames, "lifter": lifter}
    print(json.dumps({**about, **judged(samples[samples.reported])}, indent=2))


def measured(seen: Seen, lifter: PoseLifter) -> list[Samples]:
    """Samples of one person in all views, by all detectors."""
    found = []
    for way in ASKED:
        kinds = [[track, *hidden(track)] for track in seen.tracks[way]]
        for number, tracks in enumerate(zip(*kinds, strict=True)):
            poses = lifted(seen, tracks, lifter)
            label = f"hidden, {way}" if number else way
            found += [sample(*pair, label, view % 2 == 1) for view, pair in enumerate(zip(poses, tracks, strict=True))]
    return found


def sample(poses: Lifted, track: Track2D, way: str, reported: bool) -> Samples:
    """All joints of one lifted track that have an error."""
    joints, known = [track.skeleton.index(name) for name in SHARED], evidence(track)
    errors = from_middle(poses)
    parts = [name.partition("_")[2] for name in SHARED]
    groups = np.array([GROUPS.index(part if part in GROUPS else "other") for part in parts])
    expected = expected_errors(known, track.skeleton)[:, joints]
    return Samples(
        group=np.tile(groups, len(track)), column=known.column[:, joints].ravel(), away=known.away[:, joints].ravel(),
        expected=expected.ravel(), error=errors.ravel(), reported=np.full(errors.size, reported),
        way=np.full(errors.size, way, dtype=object),
    )[np.isfinite(errors.ravel())]  # fmt: skip


def joined(samples: Sequence[Samples]) -> Samples:
    """All samples as one."""
    return Samples(**{name: np.concatenate([vars(one)[name] for one in samples]) for name in vars(samples[0])})


def judged(samples: Samples) -> dict[str, Any]:
    """The groups of joints as tracked, by detector and together, and of hidden joints."""
    covered = np.array([way.startswith("hidden") for way in samples.way])
    return {
        "as tracked": bins(samples[~covered]),
        **{f"as tracked, {way}": bins(samples[samples.way == way]) for way in ASKED},
        "hidden": bins(samples[covered & (samples.column >= INTERPOLATED)]),
    }


def bins(samples: Samples) -> list[Mapping[str, float]]:
    """Expected and measured errors of joints, grouped by expected error."""
    which = np.digitize(samples.expected, BINS)
    groups = [samples[which == k] for k in range(len(BINS) + 1)]
    return [
        {
            "joints": len(group.error),
            "expected_mm": round(1000 * float(group.expected.mean()), 1),
            "error_mm": round(1000 * float(group.error.mean()), 1),
            "ratio": round(float(group.error.mean() / group.expected.mean()), 2),
        }
        for group in groups
        if len(group.error)
    ]


def fitted(samples: Samples) -> Float[np.ndarray, "G C"]:
    """Expected errors, m, by group and column: those of seen and interpolated joints are products of both."""
    table, known = np.zeros((len(GROUPS), len(COLUMNS))), samples[samples.column <= INTERPOLATED]
    factors = np.ones(INTERPOLATED + 1)
    for _ in range(ROUNDS):
        rows = _sums(known.group, known.error, len(GROUPS)) / _sums(known.group, factors[known.column], len(GROUPS))
        factors = _sums(known.column, known.error, len(factors)) / _sums(known.column, rows[known.group], len(factors))
    table[:, : INTERPOLATED + 1] = rows[:, None] * factors
    for column, group in np.ndindex(len(COLUMNS) - INTERPOLATED - 1, len(GROUPS)):
        k = INTERPOLATED + 1 + column
        chosen = (samples.group == group) & (samples.column == k) & (samples.away > FORGOTTEN)
        table[group, k] = samples.error[chosen].mean() if chosen.sum() >= FEWEST else table[group, k - 1]
    return np.maximum.accumulate(table, axis=1)


def _sums(index: Int[np.ndarray, " N"], values: Float[np.ndarray, " N"], length: int) -> Float[np.ndarray, " L"]:
    return np.bincount(index, values, length)


def looked_up(table: Float[np.ndarray, "G C"], samples: Samples) -> Float[np.ndarray, " N"]:
    """The expected errors by another table than the program's; see ``confidence.expected_errors``."""
    full, least = table[samples.group, samples.column], table[samples.group, INTERPOLATED]
    share = np.where(samples.column > INTERPOLATED, np.minimum(samples.away / FORGOTTEN, 1), 1)
    return least + share * (full - least)


def save(path: Path, table: Float[np.ndarray, "G C"]) -> None:
    """Write the table as ``kinelift.lifting.confidence`` reads it."""
    rows = [f'  "{name}": {json.dumps(dict(zip(COLUMNS, np.round(row, 3).tolist(), strict=True)))}'
            for name, row in zip(GROUPS, table, strict=True)]  # fmt: skip
    source = "Calibrated clips, cameras 1 and 3: python -m benchmarks.bodies.expected_errors --fit FILE"
    text = f'{{\n "source": "{source}",\n "metres": {{\n' + ",\n".join(rows) + "\n }\n}\n"
    with replacing(path) as part:
        part.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    tyro.cli(main)
