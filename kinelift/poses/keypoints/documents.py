"""Checked values out of JSON documents, and out of the archives of VideoPose3D."""

import json
from pathlib import Path
from typing import Any

import numpy as np

from kinelift.poses.errors import DataError

_DIGITS = 18
"""Of whole numbers: longer ones are damage, and no numbers for numpy."""


def read_json(path: Path) -> Any:
    """The content of a JSON file. Raises ``DataError`` if there is none, or if it is damaged or cut off."""
    try:
        return json.loads(path.read_bytes(), parse_int=_whole)
    except OSError as error:
        raise DataError(f"Cannot read {path}: {error.strerror}.") from error
    except (ValueError, RecursionError) as error:
        raise DataError(f"{path} is no JSON, or it is cut off ({error}). Export the file anew.") from error


def entry(found: Any, key: str, where: str, *kinds: type) -> Any:
    """What stands under ``key`` of a JSON object. Raises ``DataError`` if it is absent or none of ``kinds``."""
    if not isinstance(found, dict):
        raise DataError(f"{where} is a {type(found).__name__}, expected an object with {key}.")
    if key not in found:
        raise DataError(f"{where} lacks {key}. It has: {', '.join(found) or 'nothing'}.")
    if type(found[key]) not in kinds:
        expected = " or ".join(kind.__name__ for kind in kinds)
        raise DataError(f"{where}: {key} is a {type(found[key]).__name__}, expected a {expected}.")
    return found[key]


def size_of(found: Any, where: str) -> tuple[int, int]:
    """Width and height of a dictionary {"w", "h"}. Raises ``DataError``."""
    try:
        size = int(found["w"]), int(found["h"])
    except (LookupError, TypeError, ValueError, OverflowError) as error:
        raise DataError(f'{where} is {found!r}. Expected {{"w": pixels, "h": pixels}}.') from error
    if min(size) <= 0:
        raise DataError(f"{where} tells of pictures of {size[0]} × {size[1]} px. Export the file anew.")
    return size


def entries(found: Any, where: str) -> list[Any]:
    """What a list, a tuple or an array of any kind holds. Raises ``DataError`` for anything else."""
    if isinstance(found, list | tuple) or (isinstance(found, np.ndarray) and found.ndim):
        return list(found)
    raise DataError(f"{where} is a {type(found).__name__}, expected a list. Make the file anew.")


def _whole(text: str) -> int:
    if len(text) > _DIGITS:
        raise ValueError(f"a whole number of {len(text)} digits")
    return int(text)
