"""How a video is read: its limits, and the rate of pictures without times."""

from dataclasses import dataclass
from fractions import Fraction
from typing import Annotated

from tyro.conf import arg

from kinelift.poses.errors import SettingsError

_HIGHEST_RATE = 1000


@dataclass(frozen=True)
class Reading:
    """Reading of the video.

    Raises:
        SettingsError: A value is out of range.
    """

    fps: Annotated[float | None, arg(metavar="RATE")] = None
    """The frame rate of pictures, and of streams that state no times (default: 25)."""

    max_duration: Annotated[float, arg(metavar="SECONDS")] = 86_400
    """Read no more than this much of the video (24 hours)."""

    max_pixels: Annotated[int, arg(metavar="PIXELS")] = 100_000_000
    """Refuse videos whose pictures have more pixels than this."""

    def __post_init__(self) -> None:
        if self.fps is not None and not 0 < self.fps <= _HIGHEST_RATE:
            raise SettingsError(f"--fps is {self.fps:g}. Give frames per second, such as 25.")
        if not self.max_duration > 0:
            raise SettingsError(f"--max-duration is {self.max_duration:g}. Give a number of seconds above 0.")
        if self.max_pixels < 1:
            raise SettingsError(f"--max-pixels is {self.max_pixels}. Give a number of pixels above 0.")

    @property
    def interval(self) -> Fraction | None:
        """The time between two frames (s) that the user gave; 29.97 and its like mean 30000/1001."""
        if self.fps is None:
            return None
        ntsc = Fraction(round(self.fps * 1001 / 1000) * 1000, 1001)
        return 1 / (ntsc if abs(float(ntsc) - self.fps) < 5e-3 and self.fps % 1 else Fraction(str(self.fps)))
