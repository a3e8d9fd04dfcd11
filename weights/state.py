"""The state of an interrupted training run: what a resumed run needs to go on as if nothing had happened."""

import pickle
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from poses.errors import WeightsError


def save_state(path: Path, state: Mapping[str, Any]) -> None:
    """Write tensors, numbers, strings and nested containers of them to ``path`` in one move."""
    part = path.with_name(path.name + ".part")
    torch.save(dict(state), part)
    part.replace(path)


def load_state(path: Path) -> dict[str, Any]:
    """Read what ``save_state`` wrote, onto the CPU. Nothing in the file is executed."""
    remedy = "Delete it to start anew, or name another output."
    if not zipfile.is_zipfile(path):
        raise WeightsError(f"{path} is not the state of a training run. {remedy}")
    try:
        return torch.load(path, map_location="cpu", weights_only=True)
    except (OSError, RuntimeError, pickle.UnpicklingError) as error:
        raise WeightsError(f"{path} is not the state of a training run: {error}. {remedy}") from error
