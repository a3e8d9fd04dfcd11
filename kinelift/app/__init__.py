"""The program: command line, Python API, video in and out, the pipeline, rendering and export.

from kinelift.app import Pipeline, Video

recording = Pipeline.load(device="cpu").run(Video("dance.mp4"))
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from kinelift.app.pipeline import Pipeline
    from kinelift.app.settings import Detection, Settings
    from kinelift.app.video import Video

__all__ = ["Detection", "Pipeline", "Settings", "Video"]

_HOMES = {
    "Detection": "kinelift.app.settings",
    "Pipeline": "kinelift.app.pipeline",
    "Settings": "kinelift.app.settings",
    "Video": "kinelift.app.video",
}


def __getattr__(name: str) -> Any:
    """Imported when first used: the networks' library takes seconds, which ``kinelift --help`` should not."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)
