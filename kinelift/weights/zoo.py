"""Weights of Detectron2's model zoo.

The zoo publishes no SHA-256. A file's name holds the first six digits of its MD5: they tell a damaged file from a whole
one, but not a forged one from a genuine one. So nothing in a file is executed, whoever made it.
"""

import hashlib
import re
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from kinelift.poses.errors import DataError, WeightsError
from kinelift.poses.unpickling import unpickle
from kinelift.weights.download import download_folder, download_whole
from kinelift.weights.published import read_state
from kinelift.weights.store import writable_cache

_NAME = re.compile(r"_([0-9a-f]{6})\.pkl$")


def fetch(url: str, file: Path, most: int) -> Path:
    """Download a file of the zoo, unless ``file`` is that already, and check it against the digits in its name.

    Args:
        url: The zoo's address of it.
        file: The path to store it at.
        most: The size in bytes at which the download is stopped.

    Returns:
        ``file``.

    Raises:
        WeightsError: The address names no digits, or the file cannot be had, written or read, or is another one.
    """
    digits = _NAME.search(url)
    if digits is None:
        raise WeightsError(
            f"The name of {url} holds no checksum. Fetch it yourself, and give it: --detector-weights FILE"
        )
    try:
        if file.is_file() and _md5(file).startswith(digits[1]):
            return file
        file.parent.mkdir(parents=True, exist_ok=True)
        with download_folder(file.with_name(f".{file.name}.part")) as folder:
            whole = download_whole(url, folder, most)
            if not _md5(whole).startswith(digits[1]):
                raise WeightsError(
                    f"The download of {url} is damaged: its MD5 does not begin with {digits[1]}, as its name says. It "
                    "was deleted. Run the same command again."
                )
            return whole.replace(file)
    except OSError as error:
        raise WeightsError(
            f"Cannot write {file} ({most / 1e6:.0f} MB at most): {error.strerror or error}. {writable_cache()}"
        ) from error


def read(file: Path) -> Mapping[str, Tensor]:
    """Read the tensors of a network from a file of the zoo (.pkl), or from one of Detectron2's training (.pth).

    Raises:
        WeightsError: The file is missing or damaged, or holds anything but numbers, text and their containers.
    """
    if not file.is_file():
        raise WeightsError(f"There are no weights at {file}. Without a file, the published ones are fetched.")
    if file.suffix != ".pkl":
        return read_state(file, "model")
    try:
        with file.open("rb") as stream:
            content = unpickle(stream)
    except DataError as error:
        raise WeightsError(f"{file} {error}") from error
    except Exception as error:  # damaged bytes can raise anything
        raise WeightsError(f"{file} is not a file of weights: {error}. Delete it and fetch it again.") from error
    arrays = content.get("model") if isinstance(content, dict) else None
    if not isinstance(arrays, dict) or not all(map(_is_tensor, arrays.items())):
        raise WeightsError(f"{file} has no tensors under 'model': it is not of Detectron2's model zoo.")
    return {name: torch.tensor(array) for name, array in arrays.items()}


def _is_tensor(item: tuple[object, object]) -> bool:
    name, value = item
    return isinstance(name, str) and isinstance(value, np.ndarray | np.generic) and value.dtype.kind in "biuf"


def _md5(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()
