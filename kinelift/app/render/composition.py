"""Draws a recording frame by frame: as an overlay on the video, in a 3D view, or both side by side."""

from typing import Protocol, runtime_checkable

import numpy as np
from jaxtyping import UInt8

from kinelift.app.render.overlay import OverlayPanel
from kinelift.app.render.sizes import sizes
from kinelift.app.render.style import BACKGROUND
from kinelift.app.render.view3d import View3DPanel
from kinelift.app.settings import Drawing
from kinelift.poses import Frame, Recording


@runtime_checkable
class Panel(Protocol):
    """Draws one frame at a fixed size."""

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels."""

    def paint(self, frame: Frame, image: UInt8[np.ndarray, "H W 3"]) -> None:
        """Draw a frame onto the whole of an RGB image of ``size``, whatever it holds."""


class Renderer:
    """Draws the frames of the video that a recording was made from.

    Args:
        recording: What to draw.
        drawing: How to draw it.

    Attributes:
        size: Width and height of the images in pixels, both even.
        note: What the user should know about the size; None if there is nothing.

    Raises:
        SettingsError: The images would be too large.
    """

    def __init__(self, recording: Recording, drawing: Drawing | None = None) -> None:
        chosen = sizes((recording.video.width, recording.video.height), drawing or Drawing())
        self.size, self.note = chosen.whole, chosen.note
        picture, view = chosen.picture, chosen.view
        self._panels: list[tuple[int, Panel]] = []
        if picture:
            self._panels.append((0, OverlayPanel(recording, picture)))
        if view:
            self._panels.append((self.size[0] - view[0], View3DPanel(recording, view)))
        self._gap = slice(picture[0], self.size[0] - view[0]) if picture and view else slice(0, 0)

    def draw(self, frame: Frame) -> UInt8[np.ndarray, "H W 3"]:
        """Draw a frame as an RGB image of ``size``; the frame itself is not changed."""
        image = np.empty((self.size[1], self.size[0], 3), dtype=np.uint8)
        image[:, self._gap] = BACKGROUND
        for left, panel in self._panels:
            panel.paint(frame, image[:, left : left + panel.size[0]])
        return image
