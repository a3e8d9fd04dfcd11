"""The self-describing checkpoint: one safetensors file whose header says how to build and feed the network."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save as serialised
from torch import Tensor

from kinelift.poses.errors import WeightsError
from kinelift.poses.output import replacing

FORMAT = 1
_KEY = "kinelift"


@dataclass(frozen=True, eq=False)
class Checkpoint:
    """Tensors and what a stranger must know to use them.

    ``kind`` names the architecture ("temporal-lifter", "action-net", …). ``description`` is JSON: architecture
    config, skeletons or labels, input normalisation, frame rate, training data and its licence.
    """

    kind: str
    description: Mapping[str, Any]
    tensors: Mapping[str, Tensor]


def save(path: Path, checkpoint: Checkpoint, *, half: bool = False) -> None:
    """Write ``checkpoint`` to ``path`` in one move; ``half`` stores floating-point tensors as fp16.

    Raises ``OutputError`` where the system refuses to write.
    """
    header = {"format": FORMAT, "kind": checkpoint.kind, "description": dict(checkpoint.description)}
    tensors = {name: _stored(tensor, half) for name, tensor in checkpoint.tensors.items()}
    with replacing(path) as part:
        part.write_bytes(serialised(tensors, {_KEY: json.dumps(header)}))


def load(path: Path) -> Checkpoint:
    """Read a checkpoint; fp16 tensors come back as fp32. Raises ``WeightsError`` for anything else than one."""
    if not path.is_file():
        raise WeightsError(f"No checkpoint at {path}. List the known ones with: kinelift weights list")
    try:
        with safe_open(path, framework="pt") as file:
            header = json.loads((file.metadata() or {}).get(_KEY, "null"))
            tensors = {name: _restored(file.get_tensor(name)) for name in file.keys()}  # noqa: SIM118
    except (SafetensorError, ValueError, OSError) as error:
        raise WeightsError(f"{path} is not a Kinelift checkpoint (a safetensors file): {error}.") from error
    if not isinstance(header, dict):
        raise WeightsError(f"{path} has no {_KEY!r} header: it was not written by Kinelift's training.")
    if header.get("format") != FORMAT:
        raise WeightsError(f"{path} has checkpoint format {header.get('format')}; this version reads {FORMAT}.")
    return Checkpoint(header["kind"], header["description"], tensors)


def _stored(tensor: Tensor, half: bool) -> Tensor:
    tensor = tensor.detach().cpu().contiguous()
    return tensor.half() if half and tensor.is_floating_point() else tensor


def _restored(tensor: Tensor) -> Tensor:
    return tensor.float() if tensor.dtype == torch.float16 else tensor
