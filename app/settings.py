"""What a user can choose about an analysis, checked before any work begins."""

from dataclasses import dataclass
from typing import Annotated

from tyro.conf import arg

from detectors.tracking import choose
from lifting.camera import DEFAULT_FIELD_OF_VIEW, Camera
from poses.errors import SettingsError


@dataclass(frozen=True)
class Settings:
    """Whom to follow, and what is known of the camera.

    Raises ``SettingsError`` for values out of range or in conflict.
    """

    people: Annotated[str, arg(metavar="all|main|N")] = "all"
    """Whom to follow: all, main (the most prominent person), or the number of the most prominent ones."""

    fov: Annotated[float | None, arg(metavar="DEGREES")] = None
    """The camera's field of view along the longer side of the picture, in degrees (55 if nothing is given)."""

    focal: Annotated[float | None, arg(metavar="PIXELS")] = None
    """The camera's focal length in pixels, instead of --fov."""

    def __post_init__(self) -> None:
        if self.fov is not None and self.focal is not None:
            raise SettingsError("Both --fov and --focal were given, which say the same thing. Give one of them.")
        choose((), self.people)
        self.camera((1, 1))

    def camera(self, size: tuple[int, int]) -> Camera:
        """The camera of a video of ``size`` (width, height in pixels)."""
        if self.focal is not None:
            return Camera.from_focal(self.focal, size)
        return Camera.from_field_of_view(DEFAULT_FIELD_OF_VIEW if self.fov is None else self.fov, size)
