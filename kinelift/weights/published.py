"""Reads weights published by other projects, without executing anything in the files.

Such a file is a pickled dict. VideoPose3D (Pavllo et al. 2019) stores state dicts under ``model_pos`` and sometimes
``model_traj``; Lightweight OpenPose (Osokin 2018) stores one under ``state_dict``. The files also contain the states of
the optimiser and of NumPy's random number generator.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.serialization import safe_globals

from kinelift.poses.errors import WeightsError

_RANDOM_STATE = (
    "numpy.random.__RandomState_ctor",  # numpy up to 1.16
    "numpy.random._pickle.__randomstate_ctor",
    "numpy.random._pickle.__bit_generator_ctor",
    "numpy.random._mt19937.MT19937",
    "numpy.core.multiarray._reconstruct",  # numpy up to 1.26
    "numpy._core.multiarray._reconstruct",
    "numpy.core.multiarray.scalar",
    "numpy._core.multiarray.scalar",
    "numpy.ndarray",
    "numpy.dtype",
)
"""The globals that a pickled ``RandomState`` or NumPy scalar refers to."""


class _Ignored:
    """Replaces these globals; accepts any arguments and any state, and stores nothing."""

    def __init__(self, *_: object) -> None:
        pass

    def __setstate__(self, _: object) -> None:
        pass


@dataclass(frozen=True, eq=False)
class Published:
    """The weights of a VideoPose3D file.

    Args:
        positions: State dict of the network for poses.
        trajectory: State dict of the network for the root's trajectory; None if the file has none.
        epoch: Number of training epochs; None if the file does not state it.
    """

    positions: Mapping[str, Tensor]
    trajectory: Mapping[str, Tensor] | None
    epoch: int | None


def is_pickled(path: Path) -> bool:
    """Whether a file begins like one of ``torch.save``, as published weights do."""
    with path.open("rb") as file:
        return file.read(4).startswith((b"PK\x03\x04", b"\x80\x02"))


def read(path: Path) -> Published:
    """Read a file of VideoPose3D.

    Raises:
        WeightsError: The file is missing or damaged, or is not a file of VideoPose3D.
    """
    content = _load(path)
    if not _is_state(content.get("model_pos")):
        raise WeightsError(f"{path} has no tensors under 'model_pos': it is not a file published by VideoPose3D.")
    trajectory, epoch = content.get("model_traj"), content.get("epoch")
    if trajectory is not None and not _is_state(trajectory):
        raise WeightsError(f"{path} has something other than tensors under 'model_traj'. Download the file again.")
    return Published(content["model_pos"], trajectory, epoch if isinstance(epoch, int) else None)


def read_state(path: Path, key: str = "state_dict") -> Mapping[str, Tensor]:
    """Read one state dict of a file written by ``torch.save``.

    Args:
        path: The file.
        key: The key of the state dict.

    Raises:
        WeightsError: The file is missing or damaged, or has no state dict under that key.
    """
    content = _load(path)
    if not _is_state(content.get(key)):
        raise WeightsError(
            f"{path} has no tensors under {key!r}: it is not the expected file. Check which one to download."
        )
    state: Mapping[str, Tensor] = content[key]
    return state


def _load(path: Path) -> dict[Any, Any]:
    """The content of a file written by ``torch.save``, as a zip or in the format before torch 1.6.

    Nothing in it is executed: torch's restricted unpickler builds tensors and plain containers only, random states
    become placeholders, and a file that refers to anything else is refused.
    """
    if not path.is_file():
        raise WeightsError(f"No file {path}. Give a file of published weights.")
    try:
        with safe_globals([(_Ignored, name) for name in _RANDOM_STATE]):
            content = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # malformed data can raise anything
        raise WeightsError(f"{path} {_reason(error)}") from error
    return content if isinstance(content, dict) else {}


def _is_state(value: Any) -> bool:
    return isinstance(value, dict) and all(isinstance(k, str) and isinstance(v, Tensor) for k, v in value.items())


def _reason(error: Exception) -> str:
    refused = re.search(r"GLOBAL (\S+)", str(error))
    if refused:
        return f"refers to {refused[1]}, which weights do not need, so it was not read. Do not trust this file."
    return "was not written by torch.save, or is damaged. Download it again."
