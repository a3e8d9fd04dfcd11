"""Turns videos of people into 3D poses, actions, and a video with the skeletons drawn.

>>> import kinelift
>>> recording = kinelift.run("dance.mp4")
>>> kinelift.run("dance.mp4", out="results", people="main")  # also writes results/dance/

The names in ``__all__`` are the public API; everything else may change between minor versions.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from kinelift.app.api import load, run
    from kinelift.app.pipeline import Pipeline
    from kinelift.app.video import Video
    from kinelift.poses import Recording

    __version__: str

__all__ = ["Pipeline", "Recording", "Video", "__version__", "load", "run"]

_MODULES = {
    "Pipeline": "kinelift.app.pipeline",
    "Recording": "kinelift.poses",
    "Video": "kinelift.app.video",
    "load": "kinelift.app.api",
    "run": "kinelift.app.api",
}


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used: importing torch takes seconds, which ``--help`` should not."""
    if name == "__version__":
        return _version()
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_MODULES[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


def _version() -> str:
    """The version of the installed package; "0+unknown" in a checkout that is not installed."""
    from importlib import metadata

    try:
        return metadata.version("kinelift")
    except metadata.PackageNotFoundError:
        return "0+unknown"
