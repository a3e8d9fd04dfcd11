"""Files of weights as others publish them, read without running anything in them.

Such a file is a pickled dict. VideoPose3D (Pavllo et al. 2019) keeps state dicts in it under ``model_pos`` and
sometimes ``model_traj``, Lightweight OpenPose (Osokin 2018) one under ``state_dict``; the state of the optimiser and of
numpy's random numbers lie beside them.
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
"""What a pickled ``RandomState``, or a number of numpy's, names."""


class _Ignored:
    """Stands for each of them: takes any arguments and any state, and keeps none."""

    def __init__(self, *_: object) -> None:
        pass

    def __setstate__(self, _: object) -> None:
        pass


@dataclass(frozen=True, eq=False)
class Published:
    """What is used of a file: the tensors of the network and, if it has one, of the trajectory network.

    ``epoch``: how long it was trained, if the file says so.
    """

    positions: Mapping[str, Tensor]
    trajectory: Mapping[str, Tensor] | None
    epoch: int | None


def read(path: Path) -> Published:
    """Read a file of VideoPose3D, in any form that ``torch.save`` writes. Raises ``WeightsError``."""
    held = _held(path)
    if not _is_state(held.get("model_pos")):
        raise WeightsError(f"{path} has no tensors under 'model_pos': it is no published file of VideoPose3D.")
    trajectory, epoch = held.get("model_traj"), held.get("epoch")
    if trajectory is not None and not _is_state(trajectory):
        raise WeightsError(f"{path} has something else than tensors under 'model_traj'. Get the file anew.")
    return Published(held["model_pos"], trajectory, epoch if isinstance(epoch, int) else None)


def read_state(path: Path, key: str = "state_dict") -> Mapping[str, Tensor]:
    """The tensors that a file of ``torch.save`` holds under ``key``. Raises ``WeightsError``."""
    held = _held(path)
    if not _is_state(held.get(key)):
        raise WeightsError(f"{path} has no tensors under {key!r}: it is not the file that is meant here.")
    return held[key]


def _held(path: Path) -> dict[Any, Any]:
    """What a file holds that ``torch.save`` wrote, as zip or in the form before torch 1.6.

    Nothing in it is called: torch's restricted unpickler builds tensors and plain containers; random states become
    inert stand-ins; a file that names anything else is refused.
    """
    if not path.is_file():
        raise WeightsError(f"No file {path}. Name the file of published weights.")
    try:
        with safe_globals([(_Ignored, name) for name in _RANDOM_STATE]):
            held = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # a stranger's bytes can fail the reader in any way
        raise WeightsError(f"{path} {_reason(error)}") from error
    return held if isinstance(held, dict) else {}


def _is_state(value: Any) -> bool:
    return isinstance(value, dict) and all(isinstance(k, str) and isinstance(v, Tensor) for k, v in value.items())


def _reason(error: Exception) -> str:
    named = re.search(r"GLOBAL (\S+)", str(error))
    if named:
        return f"asks for {named[1]}, which weights do not need, so it was not read. Do not trust this file."
    return "is no file that torch.save wrote, or is damaged. Get it anew."
