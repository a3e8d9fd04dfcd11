"""The videos that a file or a folder tells of, before they are read."""

import re
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, TypeAlias

from kinelift.poses.errors import DataError
from kinelift.poses.keypoints.container import Keypoints

Videos: TypeAlias = Mapping[str, Callable[[], Keypoints]]
"""What reads each video, by name."""

_EXTENSION = re.compile(r"\.[A-Za-z][A-Za-z0-9]{0,4}$")
_NUMBERED = re.compile(r"(.*?)([0-9]+)([^0-9]*)", re.DOTALL)


class Place(NamedTuple):
    """A frame of a video."""

    video: str
    frame: int


def place_of(image: Any, where: str) -> Place:
    """The frame that an image is: its number, or the last number in its file name, whose rest names the video.

    Raises ``DataError`` if there is no number.
    """
    if isinstance(image, float) and image.is_integer():
        image = int(image)
    if isinstance(image, int) and not isinstance(image, bool) and image >= 0:
        return Place("", image)
    if isinstance(image, str) and (parts := _NUMBERED.fullmatch(_EXTENSION.sub("", image))):
        return Place((parts[1] + parts[3]).strip("/\\_-. "), int(parts[2][-18:]))
    raise DataError(f"{where} is {image!r}. Expected the number of the frame, or an image's name with it.")
