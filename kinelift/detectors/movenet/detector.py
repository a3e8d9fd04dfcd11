"""MoveNet MultiPose Lightning: up to six people and their 17 COCO joints in one pass, on a CPU.

The TensorFlow Lite file takes ``uint8`` RGB of any size in multiples of 32. Its six rows hold 17 × (y, x, score), the
box (y1, x1, y2, x2) and the person's score; coordinates are fractions of the padded input.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np
from jaxtyping import Float, UInt8

from kinelift.detectors.letterbox import Letterbox
from kinelift.detectors.protocol import FrameIndependent
from kinelift.detectors.tflite import Engine, open_network, quiet_stderr
from kinelift.poses import COCO17, Frame, People, Skeleton
from kinelift.poses.errors import DetectorError, SettingsError
from kinelift.poses.lookahead import map_ahead

_MULTIPLE = 32
_JOINTS = 17
_PEOPLE = 6
_ROW = 3 * _JOINTS + 5
# The network places joints this far up and left of where they are, in pixels of its input, at every input size: half of
# the difference between detections in an image and in its mirror image. See the model card.
_OFFSET = 0.35


class MoveNet(FrameIndependent):
    """The network behind the ``Detector`` protocol. Several threads may share one object; they take turns.

    Joints keep their position and their score, however low the score is.
    """

    def __init__(
        self,
        model: Path,
        *,
        long_side: int = 512,
        threads: int = 2,
        person_threshold: float = 0.2,
        engine: Engine = "tflite",
    ) -> None:
        """Load the network.

        Args:
            model: The TensorFlow Lite file.
            long_side: The input's longer side in pixels, a multiple of 32. A larger one finds smaller people and takes
                longer.
            threads: CPU threads of the network.
            person_threshold: People below this score (0-1) are left out.
            engine: What runs the network.

        Raises:
            SettingsError: ``long_side`` is not a positive multiple of 32.
            DetectorError: The engine's library is missing, or the file is not MoveNet MultiPose.
        """
        if long_side < _MULTIPLE or long_side % _MULTIPLE:
            raise SettingsError(f"long_side is {long_side}: give a positive multiple of {_MULTIPLE}, such as 512.")
        self._network = _open(model, threads, engine)
        self._lock = Lock()
        self._long_side = long_side
        self._threshold = person_threshold
        self._shape: tuple[int, ...] = ()

    @property
    def skeleton(self) -> Skeleton:
        """COCO's 17 joints."""
        return COCO17

    def detect(self, frames: Iterable[Frame]) -> Iterator[People]:
        """Detect the people in each frame, most confident first; the next frame is read while the network runs."""
        return map_ahead(lambda frame: self.find(frame.image, frame.index), frames)

    def find(self, image: UInt8[np.ndarray, "H W 3"], frame: int = 0) -> People:
        """Detect the people in one RGB image, most confident first, in pixels of that image."""
        height, width = image.shape[:2]
        box = Letterbox.fit(width, height, self._long_side, _MULTIPLE)
        rows = self._run(box.apply(image)).astype(np.float64)
        rows = rows[rows[:, -1] >= self._threshold]
        rows = rows[np.argsort(-rows[:, -1], kind="stable")]
        joints = rows[:, : 3 * _JOINTS].reshape(-1, _JOINTS, 3)
        corners = rows[:, 3 * _JOINTS : -1].reshape(-1, 2, 2)
        return People(
            frame,
            points=box.undo(joints[..., 1::-1] * box.padded + _OFFSET),
            scores=joints[..., 2].clip(0, 1),
            boxes=box.undo(corners[..., ::-1] * box.padded + _OFFSET).reshape(-1, 4),
            confidence=rows[:, -1].clip(0, 1),
        )

    def _run(self, image: UInt8[np.ndarray, "H W 3"]) -> Float[np.ndarray, "6 56"]:
        with self._lock:
            source = self._network.get_input_details()[0]["index"]
            if image.shape != self._shape:
                self._network.resize_tensor_input(source, (1, *image.shape))
                with quiet_stderr():  # TensorFlow Lite prints which delegate it uses
                    self._network.allocate_tensors()
                self._shape = image.shape
            self._network.set_tensor(source, image[None])
            self._network.invoke()
            rows: Float[np.ndarray, "6 56"] = self._network.get_tensor(self._network.get_output_details()[0]["index"])[
                0
            ]
            return rows


def _open(model: Path, threads: int, engine: Engine) -> Any:
    network = open_network(model, threads, engine=engine, bfloat16=True)
    shape = tuple(network.get_output_details()[0]["shape"])
    if shape != (1, _PEOPLE, _ROW):
        raise DetectorError(f"{model} is not MoveNet MultiPose: its output is {shape}, not {(1, _PEOPLE, _ROW)}.")
    return network
