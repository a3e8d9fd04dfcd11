"""Opening TensorFlow Lite files."""

from pathlib import Path
from typing import Any

from kinelift.poses.errors import DetectorError


def open_network(model: Path, threads: int) -> Any:
    """An interpreter of ``model``, its tensors not yet allocated.

    Raises ``DetectorError`` if ai-edge-litert is missing or the file is no TensorFlow Lite network.
    """
    try:
        from ai_edge_litert.interpreter import Interpreter
    except ImportError as error:
        raise DetectorError(
            f"Finding people on a CPU needs ai-edge-litert, which cannot be imported here ({error}). "
            "Install it with: pip install ai-edge-litert"
        ) from error
    try:
        return Interpreter(model_path=str(model), num_threads=threads)
    except (ValueError, RuntimeError, OSError) as error:
        raise DetectorError(f"Cannot open {model} as a TensorFlow Lite network: {error}") from error
