"""JSON documents, and what stands under a key of theirs."""

import json
from pathlib import Path
from typing import Any

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


def _whole(text: str) -> int:
    if len(text) > _DIGITS:
        raise ValueError(f"a whole number of {len(text)} digits")
    return int(text)
