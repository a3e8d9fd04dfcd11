"""Read checked values from JSON documents and from VideoPose3D's archives."""

import json
from pathlib import Path
from typing import Any

import numpy as np

from kinelift.poses.errors import DataError
from kinelift.poses.json_values import integer


def read_json(path: Path) -> Any:
    """Read a JSON file.

    Raises:
        DataError: The file cannot be read, is not JSON, or is truncated.
    """
    try:
        return json.loads(path.read_bytes(), parse_int=integer)
    except OSError as error:
        raise DataError(f"Cannot read {path}: {error.strerror}.") from error
    except (ValueError, RecursionError) as error:
        raise DataError(f"{path} is not JSON, or it is truncated ({error}). Export the file again.") from error


def entry(found: Any, key: str, where: str, *kinds: type) -> Any:
    """The value of ``key`` in a JSON object.

    Args:
        found: The object.
        key: The key.
        where: The position in the file, for errors.
        *kinds: The types that the value may have.

    Raises:
        DataError: ``found`` is not an object, the key is missing, or its value has another type.
    """
    if not isinstance(found, dict):
        raise DataError(f"{where} is a {type(found).__name__}, expected an object with {key}.")
    if key not in found:
        raise DataError(f"{where} lacks {key}. It has: {', '.join(found) or 'nothing'}.")
    if type(found[key]) not in kinds:
        expected = " or ".join(kind.__name__ for kind in kinds)
        raise DataError(f"{where}: {key} is a {type(found[key]).__name__}, expected a {expected}.")
    return found[key]


def size_of(found: Any, where: str) -> tuple[int, int]:
    """(width, height) from a dictionary {"w", "h"}, px.

    Raises:
        DataError: ``found`` is not such a dictionary, or a side is not positive.
    """
    try:
        size = int(found["w"]), int(found["h"])
    except (LookupError, TypeError, ValueError, OverflowError) as error:
        raise DataError(f'{where} is {found!r}. Expected {{"w": pixels, "h": pixels}}.') from error
    if min(size) <= 0:
        raise DataError(f"{where} states a picture size of {size[0]} × {size[1]} px. Export the file again.")
    return size


def entries(found: Any, where: str) -> list[Any]:
    """The entries of a list, a tuple or an array.

    Raises:
        DataError: ``found`` has another type.
    """
    if isinstance(found, list | tuple) or (isinstance(found, np.ndarray) and found.ndim):
        return list(found)
    raise DataError(f"{where} is a {type(found).__name__}, expected a list. Make the file again.")
