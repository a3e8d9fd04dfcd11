"""The window of a live analysis: the picture with skeletons beside the 3D view."""

import subprocess
import sys
from dataclasses import dataclass, replace
from types import TracebackType

import cv2
import numpy as np
from jaxtyping import UInt8

from kinelift.app.live.analyser import LiveAnalyser, Moment
from kinelift.app.render import Renderer
from kinelift.poses.errors import OutputError

TITLE = "Kinelift: q ends, space holds the picture"
SHOWN = 2.0
"""Seconds of the past from which the camera of the 3D view is steadied."""
_END, _HOLD = (ord("q"), 27), ord(" ")
_TRY = "import cv2; cv2.namedWindow('x'); cv2.waitKey(1)"
_PATIENCE = 30
"""Seconds that the first window may take."""


def drawn(analyser: LiveAnalyser, moment: Moment) -> UInt8[np.ndarray, "H W 3"]:
    """The newest frame with skeletons, beside the 3D view, as RGB."""
    recent = analyser.recent(SHOWN)
    return Renderer(recent).draw(replace(moment.frame, index=len(recent.video.times) - 1))


@dataclass
class Window:
    """A context manager that shows every result.

    ``check_display`` says whether there can be one.

    Args:
        analyser: Knows the last seconds.
    """

    analyser: LiveAnalyser
    _held: bool = False

    def __enter__(self) -> "Window":
        cv2.namedWindow(TITLE, cv2.WINDOW_AUTOSIZE)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        cv2.destroyAllWindows()

    def show(self, moment: Moment) -> bool:
        """Draw the result; False after q or Esc, or if the window was closed. Space holds the picture or lets it go."""
        if not self._held:
            cv2.imshow(TITLE, cv2.cvtColor(drawn(self.analyser, moment), cv2.COLOR_RGB2BGR))
        key = cv2.waitKey(1) & 0xFF
        self._held ^= key == _HOLD
        return key not in _END and cv2.getWindowProperty(TITLE, cv2.WND_PROP_VISIBLE) >= 1


def check_display() -> None:
    """Open a window in another process: without a display, the library ends the process that tries.

    Raises:
        OutputError: It fails.
    """
    try:
        done = subprocess.run([sys.executable, "-c", _TRY], capture_output=True, timeout=_PATIENCE, check=False)
        opened = done.returncode == 0
    except subprocess.TimeoutExpired:
        opened = False
    if not opened:
        raise OutputError("There is no display to open a window on. Use --no-window, which prints numbers.")
