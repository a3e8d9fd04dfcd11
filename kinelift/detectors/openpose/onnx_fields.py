"""Any network with the output of OpenPose's COCO models, as an ONNX file, run by onnxruntime.

Its input is one image, channels first or last, of a fixed size or of any size. Among its outputs are 19 heat maps and
38 fields, separate or concatenated in this order, channels first or last. If there are several, as in networks with an
output for each stage, the last ones are used. All this is read from the file and from one trial run.
"""

from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import UInt8

from kinelift.detectors.openpose.field_network import LIGHTWEIGHT, Encoding
from kinelift.detectors.openpose.output_maps import FIRST, LAST, OutputMaps
from kinelift.detectors.openpose.part_fields import PartFields
from kinelift.poses.errors import DetectorError

_TRIAL = (160, 96)
_TYPES = {"tensor(float)": np.float32, "tensor(float16)": np.float16, "tensor(uint8)": np.uint8}
_ON_GPU = "CUDAExecutionProvider"


class OnnxFields:
    """An ONNX file behind the ``FieldNetwork`` protocol, one image at a time."""

    short_side = 368
    multiple = 16
    batch = 1

    def __init__(self, model: Path, *, device: str = "cpu", threads: int = 2, encoding: Encoding | None = None) -> None:
        """Load the network.

        Args:
            model: The file.
            device: "cuda" or "cuda:1" runs it on a GPU if the installed onnxruntime was built for it.
            threads: Of the CPU.
            encoding: The colours that the network expects, which the file does not say. None: that of Lightweight
                OpenPose if the outputs have the names of its own export, else BGR, 0-255.

        Raises:
            DetectorError: onnxruntime is missing, or the file is not such a network.
        """
        self._model = model
        self._session = _open(model, device, threads)
        self.device = device if _ON_GPU in self._session.get_providers() else "cpu"
        self._input, self._axis, self.size = self._read_input()
        outputs = [output.name for output in self._session.get_outputs()]
        lightweight = all(name.startswith("stage_") for name in outputs)
        self._encoding = encoding or (LIGHTWEIGHT if lightweight else Encoding())
        width, height = self.size or _TRIAL
        self._maps = OutputMaps.find(self._run(np.zeros((1, height, width, 3), np.uint8)), model, self._axis)

    def fields(self, pictures: UInt8[np.ndarray, "B H W 3"]) -> list[PartFields]:
        """The maps of each image, run one by one."""
        return [self._maps.of(self._run(pictures[k : k + 1])) for k in range(len(pictures))]

    def _run(self, picture: UInt8[np.ndarray, "1 H W 3"]) -> list[np.ndarray]:
        values = self._encoding.encode(picture).astype(_TYPES[self._input.type])
        try:
            outputs: list[np.ndarray] = self._session.run(
                None, {self._input.name: np.moveaxis(values, LAST, self._axis)}
            )
        except Exception as error:  # onnxruntime's errors have no common base
            raise DetectorError(f"{self._model} cannot be run on an image: {_first_line(error)}") from error
        return outputs

    def _read_input(self) -> tuple[Any, int, tuple[int, int] | None]:
        """The input, the axis of its channels, and its (width, height) if they are fixed."""
        inputs = self._session.get_inputs()
        shape = inputs[0].shape if len(inputs) == 1 else []
        axes = [axis for axis in (FIRST, LAST) if len(shape) == 4 and shape[axis] == 3]
        if not axes or inputs[0].type not in _TYPES:
            takes = ", ".join(f"{one.name} {one.shape} {one.type}" for one in inputs)
            raise DetectorError(
                f"{self._model} does not take one image of three colours: its input is {takes}. "
                "Give a network with one input of (1, 3, H, W) or (1, H, W, 3)."
            )
        height, width = shape[2:] if axes[0] == FIRST else shape[1:3]
        fixed = isinstance(height, int) and isinstance(width, int)
        return inputs[0], axes[0], (width, height) if fixed else None


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
    kind, _, number = device.partition(":")
    providers: list[Any] = ["CPUExecutionProvider"]
    if kind == "cuda" and _ON_GPU in onnxruntime.get_available_providers():
        providers.insert(0, (_ON_GPU, {"device_id": int(number or 0)}))
    try:
        return onnxruntime.InferenceSession(str(model), options, providers=providers)
    except Exception as error:  # a damaged file can fail in any way
        raise DetectorError(f"Cannot open {model} as an ONNX network: {_first_line(error)}") from error


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]
