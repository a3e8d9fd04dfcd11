"""BlazePose GHUM landmarks: the joints of one person, in a square crop that is rotated until the person is upright.

The TensorFlow Lite file takes 1 × 256 × 256 × 3 RGB, 0–1. Its first output holds 39 × (x, y, z, visibility, presence):
33 landmarks, then the middle of the hips and a point on the circle around the whole person, in the direction of the
head; these two define the crop of the next frame. x and y are in pixels of the crop; visibility and presence are
logits. The second output is the probability that there is a person. The fourth holds a heatmap of 64 × 64 logits for
each of the 39, which jitters less than the regressed coordinates and has other errors. A mask of the person and
landmarks in metres, which nobody reads here, are not computed. Source: Bazarevsky et al., BlazePose, 2020.
"""

from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np
from jaxtyping import Float, UInt8

from kinelift.detectors.refining.crop import Crop
from kinelift.detectors.refining.landmarks import Landmarks
from kinelift.detectors.tflite import Engine, open_network, quiet_stderr
from kinelift.poses import COCO23, Skeleton
from kinelift.poses.errors import DetectorError

_SIDE = 256
_ROWS, _ROW = 39, 5
_VISIBILITY = 3
_READ = (0, 1, 3)
"""The outputs that are read."""
_COCO = [0, 2, 5, 7, 8, 11, 12, 13, 14, 15, 16, 23, 24, 25, 26, 27, 28, 31, 29, 32, 30]
"""COCO's joints among the landmarks, in the order of ``_KNOWN``. A "foot index" (31, 32) is a big toe."""
_KNOWN = [j for j, name in enumerate(COCO23.joints) if not name.endswith("small_toe")]
"""The joints of ``COCO23`` that are landmarks."""
_HIPS, _TOP = 33, 34
_LANDMARKS = 33
_CELLS = 64
_WINDOW = np.arange(-3, 4)
"""Offsets, in cells of a heatmap, of the window around a landmark that is averaged."""
_LEAST_PROBABILITY = 0.5
"""The probability that some cell of the window must reach for the heatmap to count."""


class BlazePose:
    """The network behind the ``LandmarkModel`` protocol. Several threads may share one object; they take turns."""

    def __init__(self, model: Path, *, threads: int = 2, engine: Engine = "tflite") -> None:
        """Load the network from a TensorFlow Lite file.

        Args:
            model: The file.
            threads: CPU threads of the network.
            engine: What runs it.

        Raises:
            DetectorError: The engine's library is missing, or the file is not a BlazePose landmark model.
        """
        shapes = [tuple(one["shape"]) for one in open_network(model, threads, engine=engine).get_output_details()]
        if [*shapes[:2], *shapes[3:4]] != [(1, _ROWS * _ROW), (1, 1), (1, _CELLS, _CELLS, _ROWS)]:
            raise DetectorError(f"{model} is not a BlazePose landmark model: its outputs have the shapes {shapes}.")
        self._network = open_network(model, threads, _READ, engine)
        with quiet_stderr():  # TensorFlow Lite prints which delegate it uses
            self._network.allocate_tensors()
        self._lock = Lock()

    @property
    def skeleton(self) -> Skeleton:
        """COCO's joints with feet, selected from BlazePose's 33; it has no small toes."""
        return COCO23

    def landmarks(self, image: UInt8[np.ndarray, "H W 3"], crop: Crop) -> Landmarks:
        """Locate the joints of the person in ``crop``, in pixels of the image; a joint's score is its visibility.

        A joint lies halfway between the coordinates that the network regresses and the centre of its heatmap there.
        The small toes are NaN, with score 0.
        """
        rows, person, heatmaps = self._run(crop.view(image, _SIDE))
        rows[:_LANDMARKS, :2] += _heatmap_offsets(rows[:_LANDMARKS, :2], heatmaps) / 2
        places = crop.undo(rows[:, :2], _SIDE)
        radius = float(np.linalg.norm(places[_TOP] - places[_HIPS]))
        points, scores = np.full((len(COCO23), 2), np.nan), np.zeros(len(COCO23))
        points[_KNOWN], scores[_KNOWN] = places[_COCO], 1 / (1 + np.exp(-rows[_COCO, _VISIBILITY]))
        return Landmarks(
            points=points,
            scores=scores,
            person=person,
            crop=Crop.around(places[_HIPS], places[_TOP], radius),
        )

    def _run(
        self, view: UInt8[np.ndarray, "S S 3"]
    ) -> tuple[Float[np.ndarray, "39 5"], float, Float[np.ndarray, "64 64 39"]]:
        with self._lock:
            network: Any = self._network
            network.set_tensor(network.get_input_details()[0]["index"], (view / np.float32(255))[None])
            network.invoke()
            outputs = network.get_output_details()
            rows, person, heatmaps = (network.get_tensor(output["index"]) for output in outputs)
        return rows.reshape(_ROWS, _ROW).astype(np.float64), float(person[0, 0]), heatmaps[0]


def _heatmap_offsets(
    places: Float[np.ndarray, "L 2"], heatmaps: Float[np.ndarray, "H W K"]
) -> Float[np.ndarray, "L 2"]:
    """From each landmark, in pixels of the crop, to the centre of its heatmap around it; 0 where the heatmap is weak.

    A cell is placed at its upper left corner, not its centre: on average the window around a landmark's cell reaches
    half a cell further down and right. Source: MediaPipe's calculator RefineLandmarksFromHeatmap.
    """
    cell = _SIDE / _CELLS
    x, y = np.moveaxis(np.floor(places / cell).astype(int)[..., None] + _WINDOW, 1, 0)
    inside = ((y >= 0) & (y < _CELLS))[:, :, None] & ((x >= 0) & (x < _CELLS))[:, None, :]
    logits = heatmaps[
        y.clip(0, _CELLS - 1)[:, :, None], x.clip(0, _CELLS - 1)[:, None, :], np.arange(len(places))[:, None, None]
    ]
    heat = np.where(inside, 1 / (1 + np.exp(-logits.astype(np.float64))), 0.0)
    total = heat.sum(axis=(1, 2)).clip(1e-9)
    middle = np.stack([(heat.sum(axis=1) * x).sum(axis=1), (heat.sum(axis=2) * y).sum(axis=1)], axis=1) / total[:, None]
    return np.where((heat.max(axis=(1, 2)) >= _LEAST_PROBABILITY)[:, None], middle * cell - places, 0.0)
