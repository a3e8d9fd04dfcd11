"""Draws a recording frame by frame: the picture, the 3D view, or the two side by side."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
from jaxtyping import UInt8

from kinelift.app.render.picture import PicturePanel
from kinelift.app.render.stage import StagePanel
from kinelift.app.render.style import BACKGROUND
from kinelift.poses import Frame, Recording, VideoFacts
from kinelift.poses.errors import SettingsError

LONGEST = 1280
"""Pixels of the picture panel's longer side at most: 4K sources are drawn smaller, and faster."""


@runtime_checkable
class Panel(Protocol):
    """Something that fills its own size with one frame."""

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels, both even."""

    def draw(self, frame: Frame) -> UInt8[np.ndarray, "H W 3"]:
        """RGB."""


@dataclass(frozen=True, eq=False)
class Beside:
    """Two panels of the same height with a thin gap."""

    left: Panel
    right: Panel

    GAP = 4

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels."""
        return self.left.size[0] + self.GAP + self.right.size[0], self.left.size[1]

    def draw(self, frame: Frame) -> UInt8[np.ndarray, "H W 3"]:
        """Both panels."""
        gap = np.full((self.size[1], self.GAP, 3), BACKGROUND, dtype=np.uint8)
        return np.hstack([self.left.draw(frame), gap, self.right.draw(frame)])


def picture(recording: Recording) -> Panel:
    """The source's picture with 2D skeletons, not larger than ``LONGEST``."""
    return PicturePanel(recording, _fitted(recording.video))


def stage(recording: Recording) -> Panel:
    """The 3D view in the picture's size."""
    return StagePanel(recording, _fitted(recording.video))


def side_by_side(recording: Recording) -> Panel:
    """The picture, and the 3D view of the same height beside it, as wide as the picture's shorter side."""
    size = _fitted(recording.video)
    return Beside(PicturePanel(recording, size), StagePanel(recording, (min(size), size[1])))


LAYOUTS: Mapping[str, Callable[[Recording], Panel]] = {"side-by-side": side_by_side, "overlay": picture, "3d": stage}


class Renderer:
    """Draws the frames of the video that ``recording`` was made from. ``size`` is (width, height), both even."""

    def __init__(self, recording: Recording, layout: str = "side-by-side") -> None:
        """Prepare all that does not change from frame to frame. Raises ``SettingsError`` for an unknown layout."""
        if layout not in LAYOUTS:
            raise SettingsError(f"Unknown layout {layout!r}. Known: {', '.join(LAYOUTS)}.")
        self._panel = LAYOUTS[layout](recording)
        self.size = self._panel.size

    def draw(self, frame: Frame) -> UInt8[np.ndarray, "H W 3"]:
        """One RGB picture of ``size``; the frame itself stays as it is."""
        return self._panel.draw(frame)


def _fitted(video: VideoFacts) -> tuple[int, int]:
    scale = min(1.0, LONGEST / max(video.width, video.height))
    return _even(video.width * scale), _even(video.height * scale)


def _even(pixels: float) -> int:
    """H.264 in 4:2:0 needs even sizes."""
    return max(2, 2 * round(pixels / 2))
