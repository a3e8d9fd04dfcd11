"""OpenVINO, an optional library that runs networks on the CPU: its import, and TensorFlow Lite files that it runs."""

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Shaped

from kinelift.poses.errors import DetectorError

_TELEMETRY = "openvino_telemetry"


class OpenVinoInterpreter:
    """A TensorFlow Lite file run by OpenVINO, with those methods of TensorFlow Lite's ``Interpreter`` that are used."""

    def __init__(self, model: Path, threads: int, outputs: Sequence[int] = (), bfloat16: bool = False) -> None:
        """Read a file with one input.

        Args:
            model: The file.
            threads: CPU threads.
            outputs: Compute only these of the file's outputs, and what leads to them; empty = all.
            bfloat16: Compute in bfloat16 if the processor does so natively; otherwise, in single precision.

        Raises:
            DetectorError: OpenVINO is missing, or the file is not a TensorFlow Lite network.
        """
        openvino = import_openvino(model)
        try:
            self._core = openvino.Core()
            network = self._core.read_model(model)
            if outputs:
                network = openvino.Model([network.outputs[k] for k in outputs], network.get_parameters())
        except RuntimeError as error:
            raise DetectorError(f"Cannot open {model} as a TensorFlow Lite network: {first_line(error)}") from error
        self._network, self._request, self._input = network, None, np.zeros(0)
        native = "BF16" in self._core.get_property("CPU", "OPTIMIZATION_CAPABILITIES")
        precision = "bf16" if bfloat16 and native else "f32"
        self._settings = {"INFERENCE_NUM_THREADS": threads, "INFERENCE_PRECISION_HINT": precision}

    def get_input_details(self) -> list[dict[str, Any]]:
        """Of the only input."""
        return [{"index": 0}]

    def get_output_details(self) -> list[dict[str, Any]]:
        """Of each output: its index, and its shape as far as the file fixes it; 0 for the other sides."""
        shapes = [[side.get_length() if side.is_static else 0 for side in output.partial_shape]
                  for output in self._network.outputs]  # fmt: skip
        return [{"index": index, "shape": shape} for index, shape in enumerate(shapes)]

    def resize_tensor_input(self, index: int, shape: Sequence[int]) -> None:
        """Set the shape of the input."""
        self._network.reshape(list(shape))

    def allocate_tensors(self) -> None:
        """Compile the network for its shape."""
        self._request = self._core.compile_model(self._network, "CPU", self._settings).create_infer_request()

    def set_tensor(self, index: int, value: Shaped[np.ndarray, "..."]) -> None:
        """Set the input."""
        self._input = value

    def invoke(self) -> None:
        """Compute the outputs."""
        assert self._request is not None
        self._request.infer({0: self._input})

    def get_tensor(self, index: int) -> Shaped[np.ndarray, "..."]:
        """A copy of an output."""
        assert self._request is not None
        return np.array(self._request.get_output_tensor(index).data)


def import_openvino(model: Path) -> Any:
    """The library, imported as if its telemetry were not installed, which would report the use over the network.

    Args:
        model: The file that needs it, for the error.

    Raises:
        DetectorError: It is missing.
    """
    try:
        with _without_telemetry():
            import openvino
    except ImportError as error:
        raise DetectorError(
            f"Running {model} needs OpenVINO, which cannot be imported here ({error}). "
            "Install it with: pip install openvino"
        ) from error
    return openvino


@contextmanager
def _without_telemetry() -> Iterator[None]:
    known = {name: module for name, module in sys.modules.items() if name.partition(".")[0] == _TELEMETRY}
    sys.modules[_TELEMETRY] = None  # type: ignore[assignment]
    try:
        yield
    finally:
        del sys.modules[_TELEMETRY]
        sys.modules.update(known)


def first_line(error: Exception) -> str:
    """What an error of OpenVINO says, without its traceback."""
    return next((line for line in str(error).splitlines() if line.strip()), type(error).__name__)
