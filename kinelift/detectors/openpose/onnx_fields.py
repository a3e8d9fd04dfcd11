"""Any network with the output of OpenPose's COCO models, as an ONNX file, run by onnxruntime.

Its input is one picture, channels first or last, of a fixed or of any size. Among its outputs are 19 heat maps and 38
fields, apart or joined in this order, channels first or last; of several the last ones count, as in networks that
answer after each stage. All this is read from the file and from one trial run.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float, UInt8

from kinelift.detectors.openpose.field_network import LIGHTWEIGHT, Encoding
from kinelift.detectors.openpose.part_fields import PartFields
from kinelift.detectors.openpose.part_fields.limbs import FIELDS, HEATMAPS
from kinelift.poses.errors import DetectorError

_TRIAL = (160, 96)
_TYPES = {"tensor(float)": np.float32, "tensor(float16)": np.float16, "tensor(uint8)": np.uint8}
_FIRST, _LAST = 1, 3
"""Where the channels stand among the axes of a batch."""


@dataclass(frozen=True)
class _Maps:
    """Where maps are found: which output, which axis holds its channels, and which of them count."""

    output: int
    axis: int
    channels: slice

    def of(self, outputs: Sequence[np.ndarray]) -> Float[np.ndarray, "C h w"]:
        maps = np.moveaxis(outputs[self.output], self.axis, 1)[0, self.channels]
        return np.ascontiguousarray(maps, np.float32)


class OnnxFields:
    """An ONNX file behind the ``FieldNetwork`` protocol, one picture at a time.

    ``encoding``: how the network wants its colours, which no file says. If it is not given, outputs that are named as
    Lightweight OpenPose's own export names them mean what that was trained on, and any other network gets BGR, 0–255.
    ``threads``: of the CPU. On a GPU it runs if ``device`` is ``cuda`` and this onnxruntime was built for it.

    Raises ``DetectorError`` if onnxruntime is missing, or if the file is no such network.
    """

    short_side = 368
    multiple = 16
    batch = 1

    def __init__(self, model: Path, *, device: str = "cpu", threads: int = 2, encoding: Encoding | None = None) -> None:
        self._model = model
        self._session = _open(model, device, threads)
        self._input, self._axis, self.size = self._read_input()
        outputs = [output.name for output in self._session.get_outputs()]
        lightweight = all(name.startswith("stage_") for name in outputs)
        self._encoding = encoding or (LIGHTWEIGHT if lightweight else Encoding())
        width, height = self.size or _TRIAL
        self._heat, self._limbs = self._find_maps(self._run(np.zeros((1, height, width, 3), np.uint8)))

    def fields(self, pictures: UInt8[np.ndarray, "B H W 3"]) -> list[PartFields]:
        """The maps of each picture, which the network sees on its own."""
        answers = (self._run(pictures[k : k + 1]) for k in range(len(pictures)))
        return [PartFields(self._heat.of(outputs), self._limbs.of(outputs)) for outputs in answers]

    def _run(self, picture: UInt8[np.ndarray, "1 H W 3"]) -> list[np.ndarray]:
        values = self._encoding.encode(picture).astype(_TYPES[self._input.type])
        try:
            return self._session.run(None, {self._input.name: np.moveaxis(values, _LAST, self._axis)})
        except Exception as error:  # onnxruntime has no common type for what a file can bring about
            raise DetectorError(f"{self._model} cannot be run on a picture: {_first_line(error)}") from error

    def _read_input(self) -> tuple[Any, int, tuple[int, int] | None]:
        """The input, the axis of its channels, and its (width, height) if they are fixed."""
        inputs = self._session.get_inputs()
        shape = inputs[0].shape if len(inputs) == 1 else []
        axes = [axis for axis in (_FIRST, _LAST) if len(shape) == 4 and shape[axis] == 3]
        if not axes or inputs[0].type not in _TYPES:
            takes = ", ".join(f"{one.name} {one.shape} {one.type}" for one in inputs)
            raise DetectorError(
                f"{self._model} does not take one picture of three colours: its input is {takes}. "
                "Give a network with one input of (1, 3, H, W) or (1, H, W, 3)."
            )
        height, width = shape[2:] if axes[0] == _FIRST else shape[1:3]
        fixed = isinstance(height, int) and isinstance(width, int)
        return inputs[0], axes[0], (width, height) if fixed else None

    def _find_maps(self, outputs: Sequence[np.ndarray]) -> tuple[_Maps, _Maps]:
        """Where heat maps and fields are; where either axis could be that of the channels, it is as in the input."""
        joined, found = HEATMAPS + FIELDS, dict[int, tuple[int, int]]()
        for k, array in enumerate(outputs):
            axes = (self._axis, _FIRST + _LAST - self._axis) if array.ndim == 4 else ()
            fitting = [axis for axis in axes if array.shape[axis] in (joined, HEATMAPS, FIELDS)]
            found |= {array.shape[axis]: (k, axis) for axis in fitting[:1]}
        if joined in found:
            return _Maps(*found[joined], slice(HEATMAPS)), _Maps(*found[joined], slice(HEATMAPS, None))
        if HEATMAPS in found and FIELDS in found:
            return _Maps(*found[HEATMAPS], slice(None)), _Maps(*found[FIELDS], slice(None))
        raise DetectorError(
            f"{self._model} has no output in OpenPose's COCO layout, {HEATMAPS} heat maps and {FIELDS} fields: "
            f"its outputs are {', '.join(str(array.shape) for array in outputs)}."
        )


def _open(model: Path, device: str, threads: int) -> Any:
    try:
        import onnxruntime
    except ImportError as error:
        raise DetectorError(
            f"Running {model} needs onnxruntime, which cannot be imported here ({error}). "
            "Install it with: pip install onnxruntime (or onnxruntime-gpu for CUDA)"
        ) from error
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.log_severity_level = 3
    wanted = ["CUDAExecutionProvider"] * (device == "cuda") + ["CPUExecutionProvider"]
    providers = [name for name in wanted if name in onnxruntime.get_available_providers()]
    try:
        return onnxruntime.InferenceSession(str(model), options, providers=providers)
    except Exception as error:  # a stranger's bytes can fail the reader in any way
        raise DetectorError(f"Cannot open {model} as an ONNX network: {_first_line(error)}") from error


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]
