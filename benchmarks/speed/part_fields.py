"""Measure time and accuracy of grouping people from part affinity fields; prints JSON.

    python -m benchmarks.speed.part_fields [--people 5] [--scenes 40] [--repeats 20]

The maps of 46 × 82 cells are rendered from known people, so that only the grouping is measured. ``group_ms``: CPU time
per frame, median and worst over the scenes; ``loops_ms``: the same for plain loops over cells, pairs and samples, in
the same run. ``right``: fraction of people with all joints correct to half a cell; ``separate`` counts only scenes in
which parts of a kind are four cells apart. ``peaks``: for each peak method, the error in cells, also with noise of 0.02
in the maps, and the CPU time. ``refined`` is the program's method, ``cell`` the centre of the highest cell, and
``quarter`` and ``eighth`` the same on heat maps enlarged four and eight times by cubic interpolation.
"""

import json
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial

import cv2
import numpy as np
import tyro
from jaxtyping import Float

from benchmarks.reporting import machine
from benchmarks.speed.part_fields_loops import group_by_loops
from benchmarks.speed.rendered_fields import render, somebody
from kinelift.detectors.openpose.part_fields import Grouped, GroupingSettings, PartFields, group
from kinelift.detectors.openpose.part_fields.fields import PARTS
from kinelift.detectors.openpose.part_fields.peaks import Peaks, find_peaks

HEIGHT, WIDTH = 46, 82
NOISE = 0.02
CLEAR = 4.0
"""Minimum distance, in cells, between two people's parts of a kind."""
EVERYBODY = GroupingSettings(joints=1, person=0.0)

Scene = Float[np.ndarray, "N J 2"]


def main(people: int = 5, scenes: int = 40, repeats: int = 20) -> None:
    """Measure and print.

    Args:
        people: Number of people per scene.
        scenes: Number of scenes.
        repeats: Number of measurements of each scene.
    """
    chance = np.random.default_rng(0)
    shown = [np.array([somebody(chance, HEIGHT, WIDTH, missing=0.0) for _ in range(people)]) for _ in range(scenes)]
    maps = [render(scene, HEIGHT, WIDTH) for scene in shown]
    report = {
        "machine": machine(),
        "people": people,
        "cells": [HEIGHT, WIDTH],
        "group_ms": milliseconds(group, maps, repeats),
        "loops_ms": milliseconds(group_by_loops, maps, 1),
        "right": rights(shown, maps),
        "peaks": {name: placing(way, shown, maps, repeats) for name, way in WAYS.items()},
    }
    print(json.dumps(report, indent=2))


def milliseconds(work: Callable[[PartFields], Grouped], maps: Sequence[PartFields], repeats: int) -> dict[str, float]:
    """CPU time per frame: median and worst over the scenes, each averaged over its repeats."""
    times = []
    for fields in maps:
        began = time.process_time()
        for _ in range(repeats):
            work(fields)
        times.append(1e3 * (time.process_time() - began) / repeats)
    return {"median": round(float(np.median(times)), 3), "worst": round(max(times), 3)}


def rights(shown: Sequence[Scene], maps: Sequence[PartFields]) -> dict[str, float]:
    """Fractions of people with all joints assigned correctly."""
    whole = [np.mean([_came_out(person, group(fields, EVERYBODY)) for person in scene])
             for scene, fields in zip(shown, maps, strict=True)]  # fmt: skip
    clear = [share for share, scene in zip(whole, shown, strict=True) if _separate(scene)]
    return {"all": round(float(np.mean(whole)), 3), "separate": round(float(np.mean(clear)), 3), "scenes": len(clear)}


def placing(
    way: Callable[[np.ndarray], Peaks], shown: Sequence[Scene], maps: Sequence[PartFields], repeats: int
) -> dict[str, float]:
    """Errors, in cells, and time of one peak method, in scenes with separate parts."""
    chance = np.random.default_rng(1)
    clean, noisy, spent = [], [], 0.0
    for scene, fields in zip(shown, maps, strict=True):
        heat = fields.heat[: len(PARTS)]
        began = time.process_time()
        for _ in range(repeats):
            found = way(heat)
        spent += (time.process_time() - began) / repeats
        clean += _errors(found, scene)
        noisy += _errors(way(heat + chance.normal(0, NOISE, heat.shape).astype(np.float32)), scene)
    return {
        "ms": round(1e3 * spent / len(maps), 3),
        "cells": round(float(np.mean(clean)), 4),
        "cells_worst": round(float(np.max(clean)), 4),
        "cells_noisy": round(float(np.mean(noisy)), 4),
    }


def enlarged(heat: Float[np.ndarray, "P h w"], times: int) -> Peaks:
    """The maxima of heat maps enlarged by ``times``."""
    height, width = heat.shape[1:]
    large = [cv2.resize(one, (width * times, height * times), interpolation=cv2.INTER_CUBIC) for one in heat]
    peaks = find_peaks(np.stack(large), EVERYBODY.peak)
    return Peaks(peaks.part, (np.floor(peaks.places) + 0.5) / times, peaks.scores)


def cells(heat: Float[np.ndarray, "P h w"]) -> Peaks:
    """The centres of the highest cells."""
    return enlarged(heat, 1)


WAYS: Mapping[str, Callable[[np.ndarray], Peaks]] = {
    "refined": partial(find_peaks, threshold=EVERYBODY.peak),
    "cell": cells,
    "quarter": partial(enlarged, times=4),
    "eighth": partial(enlarged, times=8),
}


def _errors(found: Peaks, scene: Scene) -> list[float]:
    """Distances, in cells, from each isolated part to the nearest peak."""
    errors = []
    for part in range(len(PARTS)):
        places = scene[:, part][np.isfinite(scene[:, part]).all(axis=-1)]
        peaks = found.places[found.part == part]
        for k, place in enumerate(places):
            others = np.delete(places, k, axis=0)
            if len(peaks) and (np.linalg.norm(others - place, axis=1) > CLEAR).all():
                errors.append(float(np.linalg.norm(peaks - place, axis=1).min()))
    return errors


def _separate(scene: Scene) -> bool:
    gaps = np.linalg.norm(scene[:, None] - scene[None], axis=-1)
    return bool(np.nanmin(np.where(np.eye(len(scene))[..., None] > 0, np.inf, gaps)) > CLEAR)


def _came_out(person: Float[np.ndarray, "J 2"], found: Grouped) -> bool:
    """Whether one body, or several if connecting parts are missing, has exactly the person's joints."""
    gone = np.isnan(person).any(axis=-1)
    for body in found.points:
        seen = np.isfinite(body).all(axis=-1)
        near = np.linalg.norm(body - person, axis=-1) < 0.5
        if near[seen].any():
            if not near[seen].all():
                return False
            gone |= seen
    return bool(gone.all())


if __name__ == "__main__":
    tyro.cli(main)
