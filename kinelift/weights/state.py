"""The state of an interrupted training run: what a resumed run needs to go on as if nothing had happened."""

import pickle
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from kinelift.poses.errors import WeightsError
from kinelift.poses.output import replacing


def save_state(path: Path, state: Mapping[str, Any]) -> None:
    """Write tensors, numbers, strings and nested containers of them to ``path`` in one move.

    Raises ``OutputError`` where the system refuses to write.
    """
    with replacing(path) as part, part.open("wb") as file:
        torch.save(dict(state), file)


def load_state(path: Path) -> dict[str, Any]:
    """Read what ``save_state`` wrote, onto the CPU. Nothing in the file is executed."""
    remedy = "Delete it to start anew, or name another output."
    if not zipfile.is_zipfile(path):
        raise WeightsError(f"{path} is not the state of a training run. {remedy}")
    try:
        return torch.load(path, map_location="cpu", weights_only=True)
    except (OSError, RuntimeError, pickle.UnpicklingError) as error:
        raise WeightsError(f"{path} is not the state of a training run: {error}. {remedy}") from error
