"""What stands in the archives of VideoPose3D."""

from typing import Any

import numpy as np

from kinelift.poses.errors import DataError


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
