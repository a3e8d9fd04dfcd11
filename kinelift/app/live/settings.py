"""What a user can set for a live analysis."""

from dataclasses import dataclass
from typing import Annotated

from tyro.conf import arg

from kinelift.app.settings import Settings


@dataclass(frozen=True)
class LiveSettings:
    """People and camera.

    Raises:
        SettingsError: A value is out of range, or two conflict.
    """

    max_people: Annotated[int, arg(metavar="N")] = 5
    """Follow no more than the N most confident people of each frame."""

    fov: Annotated[float | None, arg(metavar="DEGREES")] = None
    """The camera's field of view along the longer side of the image, in degrees (default: 55)."""

    focal: Annotated[float | None, arg(metavar="PIXELS")] = None
    """The camera's focal length in pixels, instead of --fov."""

    unknown: Annotated[float | None, arg(metavar="PROBABILITY")] = None
    """The lowest probability (0-1) of an action that is named; below it, the label is "unknown". Default: the
    classifier's own threshold."""

    def __post_init__(self) -> None:
        self.whole()

    def whole(self) -> Settings:
        """The settings of an analysis that has no second pass: nothing that looks ahead."""
        return Settings(
            max_people=self.max_people,
            fov=self.fov,
            focal=self.focal,
            unknown=self.unknown,
            camera_motion="still",
            fit="off",
            contacts="off",
            viewer=False,
        )
