"""Draws a recording frame by frame: as an overlay on the video, in a 3D view, or both side by side."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
from jaxtyping import UInt8

from kinelift.app.render.overlay import OverlayPanel
from kinelift.app.render.style import BACKGROUND
from kinelift.app.render.view3d import View3DPanel
from kinelift.poses import Frame, Recording, VideoFacts
from kinelift.poses.errors import SettingsError

MAX_SIDE = 1280
"""Maximum length of the overlay's longer side in pixels: 4K videos are scaled down, for speed."""


@runtime_checkable
class Panel(Protocol):
    """Draws one frame at a fixed size."""

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels, both even."""

    def draw(self, frame: Frame) -> UInt8[np.ndarray, "H W 3"]:
        """Draw a frame as an RGB image of ``size``."""


@dataclass(frozen=True, eq=False)
class SideBySidePanel:
    """Two panels of the same height, with a thin gap between them."""

    left: Panel
    right: Panel

    GAP = 4

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels."""
        return self.left.size[0] + self.GAP + self.right.size[0], self.left.size[1]

    def draw(self, frame: Frame) -> UInt8[np.ndarray, "H W 3"]:
        """Draw both panels."""
        gap = np.full((self.size[1], self.GAP, 3), BACKGROUND, dtype=np.uint8)
        return np.hstack([self.left.draw(frame), gap, self.right.draw(frame)])


def overlay(recording: Recording) -> Panel:
    """The video with 2D skeletons, no larger than ``MAX_SIDE``."""
    return OverlayPanel(recording, _panel_size(recording.video))


def view3d(recording: Recording) -> Panel:
    """The 3D view, at the size of the overlay."""
    return View3DPanel(recording, _panel_size(recording.video))


def side_by_side(recording: Recording) -> Panel:
    """The overlay, and the 3D view of the same height beside it, as wide as the overlay's shorter side."""
    size = _panel_size(recording.video)
    return SideBySidePanel(OverlayPanel(recording, size), View3DPanel(recording, (min(size), size[1])))


LAYOUTS: Mapping[str, Callable[[Recording], Panel]] = {"side-by-side": side_by_side, "overlay": overlay, "3d": view3d}


class Renderer:
    """Draws the frames of the video that a recording was made from.

    Args:
        recording: What to draw.
        layout: A key of ``LAYOUTS``.

    Attributes:
        size: Width and height of the images in pixels, both even.

    Raises:
        SettingsError: The layout is unknown.
    """

    def __init__(self, recording: Recording, layout: str = "side-by-side") -> None:
        if layout not in LAYOUTS:
            raise SettingsError(f"Unknown layout {layout!r}. Known: {', '.join(LAYOUTS)}.")
        self._panel = LAYOUTS[layout](recording)
        self.size = self._panel.size

    def draw(self, frame: Frame) -> UInt8[np.ndarray, "H W 3"]:
        """Draw a frame as an RGB image of ``size``; the frame itself is not changed."""
        return self._panel.draw(frame)


def _panel_size(video: VideoFacts) -> tuple[int, int]:
    scale = min(1.0, MAX_SIDE / max(video.width, video.height))
    return _even(video.width * scale), _even(video.height * scale)


def _even(pixels: float) -> int:
    """Round to an even number, as H.264 in 4:2:0 requires."""
    return max(2, 2 * round(pixels / 2))
