"""Draws a recording, frame by frame."""

import numpy as np
from jaxtyping import UInt8

from kinelift.app.render.composition import LAYOUTS
from kinelift.poses import Frame, Recording
from kinelift.poses.errors import SettingsError


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
