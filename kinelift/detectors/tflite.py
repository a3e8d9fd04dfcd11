"""TensorFlow Lite networks: opening a file, and keeping libraries from writing to the terminal."""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal, TypeAlias

from kinelift.detectors.openvino import OpenVinoInterpreter
from kinelift.detectors.pruning import keep_outputs
from kinelift.poses.errors import DetectorError

_STANDARD_ERROR = 2

Engine: TypeAlias = Literal["tflite", "openvino"]
"""What runs a network: TensorFlow Lite, or OpenVINO."""


def open_network(
    model: Path, threads: int, outputs: Sequence[int] = (), engine: Engine = "tflite", *, bfloat16: bool = False
) -> Any:
    """Open an interpreter for a model file; its tensors are not allocated yet.

    Args:
        model: The file.
        threads: CPU threads.
        outputs: Compute only these of the file's outputs, and what leads to them; empty = all.
        engine: What runs it.
        bfloat16: Let OpenVINO compute in bfloat16, where the processor does so natively.

    Raises:
        DetectorError: The library is missing, or the file is not a TensorFlow Lite network.
    """
    if engine == "openvino":
        return OpenVinoInterpreter(model, threads, outputs, bfloat16)
    try:
        from ai_edge_litert.interpreter import Interpreter
    except ImportError as error:
        raise DetectorError(
            f"Detecting people on a CPU needs ai-edge-litert, which cannot be imported here ({error}). "
            "Install it with: pip install ai-edge-litert"
        ) from error
    try:
        network = Interpreter(model_path=str(model), num_threads=threads)  # checks the file
        if not outputs:
            return network
        return Interpreter(model_content=keep_outputs(model.read_bytes(), outputs), num_threads=threads)
    except (ValueError, RuntimeError, OSError) as error:
        raise DetectorError(f"Cannot open {model} as a TensorFlow Lite network: {error}") from error


@contextmanager
def quiet_stderr() -> Iterator[None]:
    """Discard what native code writes to standard error, such as a message about the delegate in use.

    Use it only for short calls into libraries that have no setting for this. Python exceptions still propagate.
    """
    original, null = os.dup(_STANDARD_ERROR), os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(null, _STANDARD_ERROR)
        yield
    finally:
        os.dup2(original, _STANDARD_ERROR)
        os.close(original)
        os.close(null)
