"""Self-describing checkpoints: safetensors files whose headers say how to build the network and prepare its input."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save as serialise
from torch import Tensor

from kinelift.poses.errors import WeightsError
from kinelift.poses.output import replacing

FORMAT = 1
_KEY = "kinelift"


@dataclass(frozen=True, eq=False)
class Checkpoint:
    """Tensors, with everything needed to use them.

    Args:
        kind: The architecture, such as "temporal-lifter" or "action-net".
        description: JSON values: architecture config, skeletons or labels, input normalisation, frame rate, training
            data and its licence.
        tensors: The network's state dict.
    """

    kind: str
    description: Mapping[str, Any]
    tensors: Mapping[str, Tensor]


def save(path: Path, checkpoint: Checkpoint, *, half: bool = False) -> None:
    """Write a checkpoint, in one move.

    Args:
        path: The file to write.
        checkpoint: What to write.
        half: Store floating-point tensors as fp16.

    Raises:
        OutputError: The file cannot be written.
    """
    header = {"format": FORMAT, "kind": checkpoint.kind, "description": dict(checkpoint.description)}
    tensors = {name: _stored(tensor, half) for name, tensor in checkpoint.tensors.items()}
    with replacing(path) as part:
        part.write_bytes(serialise(tensors, {_KEY: json.dumps(header)}))


def load(path: Path) -> Checkpoint:
    """Read a checkpoint; fp16 tensors are converted to fp32.

    Raises:
        WeightsError: The file is missing, damaged or not a checkpoint of this format.
    """
    if not path.is_file():
        raise WeightsError(f"No checkpoint at {path}. List the registered ones with: kinelift weights list")
    try:
        with safe_open(path, framework="pt") as file:
            header = json.loads((file.metadata() or {}).get(_KEY, "null"))
            tensors = {name: _restored(file.get_tensor(name)) for name in file.keys()}  # noqa: SIM118
    except (SafetensorError, ValueError, TypeError, AttributeError, RecursionError, OSError) as error:
        raise WeightsError(f"{path} is not a Kinelift checkpoint (a safetensors file): {error}.") from error
    for name, tensor in tensors.items():
        if tensor.is_floating_point() and not torch.isfinite(tensor).all():
            raise WeightsError(f"{path} is damaged: its tensor {name} holds NaN or infinity. Fetch or train it again.")
    if not isinstance(header, dict):
        raise WeightsError(f"{path} has no {_KEY!r} header: it is not from Kinelift. Give another file.")
    if header.get("format") != FORMAT:
        raise WeightsError(
            f"{path} has checkpoint format {header.get('format')}, but this version reads {FORMAT}. "
            "Fetch or train it again."
        )
    if not (isinstance(header.get("kind"), str) and isinstance(header.get("description"), dict)):
        raise WeightsError(f"{path} does not say what it holds. Fetch or train it again.")
    return Checkpoint(header["kind"], header["description"], tensors)


def _stored(tensor: Tensor, half: bool) -> Tensor:
    tensor = tensor.detach().cpu().contiguous()
    return tensor.half() if half and tensor.is_floating_point() else tensor


def _restored(tensor: Tensor) -> Tensor:
    return tensor.float() if tensor.dtype == torch.float16 else tensor
