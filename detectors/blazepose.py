"""BlazePose GHUM landmarks: the joints of one person whom a turned, square crop shows upright.

The TensorFlow Lite file takes 1 × 256 × 256 × 3 RGB, 0–1. Its first output holds 39 × (x, y, z, visibility, presence):
33 landmarks, then the middle of the hips and a point on the circle around the whole person, in the direction of the
head, which say where to look in the next frame; x and y in pixels of the crop, visibility and presence as logits. Its
second output says whether there is a person (0–1). Source: Bazarevsky et al., BlazePose, 2020.
"""

from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np
from jaxtyping import Float, UInt8

from detectors.crop import Crop
from detectors.hush import hushed
from detectors.landmarks import Landmarks
from detectors.tflite import open_network
from poses import COCO17, Skeleton
from poses.errors import DetectorError

_SIDE = 256
_ROWS, _ROW = 39, 5
_VISIBILITY = 3
_COCO = [0, 2, 5, 7, 8, 11, 12, 13, 14, 15, 16, 23, 24, 25, 26, 27, 28]
"""COCO's joints among the landmarks."""
_HIPS, _TOP = 33, 34


class BlazePose:
    """The network behind the ``LandmarkModel`` protocol. Several threads may use one object; they take turns."""

    def __init__(self, model: Path, *, threads: int = 2) -> None:
        self._network = open_network(model, threads)
        shapes = [tuple(output["shape"]) for output in self._network.get_output_details()[:2]]
        if shapes != [(1, _ROWS * _ROW), (1, 1)]:
            raise DetectorError(f"{model} is not a BlazePose landmark model: its outputs begin with {shapes}.")
        with hushed():  # it tells which delegate it uses
            self._network.allocate_tensors()
        self._lock = Lock()

    @property
    def skeleton(self) -> Skeleton:
        """COCO's 17 joints, out of BlazePose's 33."""
        return COCO17

    def landmarks(self, image: UInt8[np.ndarray, "H W 3"], crop: Crop) -> Landmarks:
        """The person in ``crop``, in pixels of the picture; their visibility is the score of the joints."""
        rows, person = self._run(crop.view(image, _SIDE))
        places = crop.undo(rows[:, :2], _SIDE)
        radius = float(np.linalg.norm(places[_TOP] - places[_HIPS]))
        return Landmarks(
            points=places[_COCO],
            scores=1 / (1 + np.exp(-rows[_COCO, _VISIBILITY])),
            person=person,
            crop=Crop.around(places[_HIPS], places[_TOP], radius),
        )

    def _run(self, view: UInt8[np.ndarray, "S S 3"]) -> tuple[Float[np.ndarray, "39 5"], float]:
        with self._lock:
            network: Any = self._network
            network.set_tensor(network.get_input_details()[0]["index"], (view / np.float32(255))[None])
            network.invoke()
            rows, person = (network.get_tensor(output["index"]) for output in network.get_output_details()[:2])
        return rows.reshape(_ROWS, _ROW).astype(np.float64), float(person[0, 0])
