"""Measure the time to draw a frame, by layout and number of people; prints JSON.

    python -m benchmarks.speed.drawing [--frames 60]

Times are processor time, which other programs hardly affect, with one thread of OpenCV. The baseline in the same run is
a new matplotlib figure per frame (3D axes, one skeleton), as others draw.
"""

import json
import time
from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import TypeVar, get_args

import cv2
import numpy as np
import tyro
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from benchmarks.reporting import machine
from kinelift.app.render import Renderer
from kinelift.app.settings import Drawing, Layout
from kinelift.poses import COCO17, H36M17, Frame, Person, Poses3D, Recording, Skeleton, Track2D, VideoFacts

T = TypeVar("T")
SIZE = (1280, 720)
_HEIGHTS = {
    "hip": 0.95, "knee": 0.5, "ankle": 0.08, "spine": 1.15, "thorax": 1.4, "neck": 1.5, "head": 1.7, "shoulder": 1.4,
    "elbow": 1.15, "wrist": 0.9, "nose": 1.56, "eye": 1.6, "ear": 1.58,
}  # fmt: skip
_BREADTHS = {"hip": 0.1, "knee": 0.12, "ankle": 0.14, "shoulder": 0.18, "elbow": 0.25, "wrist": 0.3, "eye": 0.03}
"""Places of the joints of somebody who stands: over the floor, and from the middle of the body (metres)."""
LAYOUTS: tuple[Layout, ...] = get_args(Layout)


def main(frames: int = 60) -> None:
    """Measure and print.

    Args:
        frames: Number of frames to draw for each figure.
    """
    cv2.setNumThreads(1)
    picture = np.full((SIZE[1], SIZE[0], 3), 90, np.uint8)
    drawn = {
        f"{layout}, {count} people": median(
            Renderer(recording(count, frames), Drawing(layout)).draw,
            [Frame(k, Fraction(k, 30), picture) for k in range(frames)],
        )
        for layout in LAYOUTS
        for count in (0, 1, 2, 6)
    }
    baseline = median(figure, list(movement(0, 10, H36M17)))
    each = {name: round((drawn[f"{name}, 6 people"] - drawn[f"{name}, 0 people"]) / 6, 2) for name in LAYOUTS}
    report = {
        "machine": machine(), "size": SIZE, "ms_a_frame": drawn, "ms_a_person_more": each,
        "ms_matplotlib_figure_a_frame": baseline,
    }  # fmt: skip
    print(json.dumps(report, indent=2))


def median(work: Callable[[T], object], items: Sequence[T]) -> float:
    """Median processor time of ``work`` on one of ``items``, ms, without the first as a warm-up."""
    took = []
    for item in items:
        began = time.process_time()
        work(item)
        took.append(time.process_time() - began)
    return round(1000 * float(np.median(took[1:])), 2)


def recording(people: int, frames: int) -> Recording:
    """A recording of people who stand in a row and move their limbs."""
    times = np.arange(frames) / 30
    return Recording(VideoFacts("benchmark", *SIZE, times), tuple(person(k, times) for k in range(people)))


def person(number: int, times: np.ndarray) -> Person:
    """One of them: a track and poses at the person's own position."""
    body = movement(number, len(times), H36M17)
    flat = movement(number, len(times), COCO17)[..., :2] * 160 + [150 + 190 * number, 560]
    blank = np.zeros((len(times), len(COCO17)), bool)
    track = Track2D(flat, np.ones((len(times), len(COCO17))), times, blank, 0, SIZE, COCO17)
    root = np.tile([number - 2.5, 0.0, 6.0], (len(times), 1))
    return Person(number + 1, track, Poses3D(body - body[:, :1], times, root, H36M17))


def movement(seed: int, frames: int, skeleton: Skeleton) -> np.ndarray:
    """Somebody who stands (T, J, 3) and moves all joints a little."""
    phase = np.random.default_rng(seed).uniform(0, 6, (1, len(skeleton), 3))
    place = np.zeros((1, len(skeleton), 3))
    for j, joint in enumerate(skeleton.joints):
        side, _, part = joint.rpartition("_")
        place[0, j, :2] = {"left": 1, "right": -1, "": 0}[side] * _BREADTHS.get(part, 0.0), -_HEIGHTS[part]
    return place + 0.05 * np.sin(np.arange(frames)[:, None, None] / 5 + phase)


def figure(pose: np.ndarray) -> np.ndarray:
    """One skeleton on new matplotlib axes, as pixels."""
    canvas = FigureCanvasAgg(Figure(figsize=(7.2, 7.2), dpi=100))
    axes = canvas.figure.add_subplot(projection="3d")
    for a, b in H36M17.bones:
        axes.plot(*pose[[a, b]].T)
    canvas.draw()
    return np.asarray(canvas.buffer_rgba())


if __name__ == "__main__":
    tyro.cli(main)
