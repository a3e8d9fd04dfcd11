"""A video goes in; a rendered 3D-skeleton video, the poses as data, and a timeline of actions come out.

>>> import kinelift
>>> recording = kinelift.run("dance.mp4")
>>> kinelift.run("dance.mp4", out="results", people="main")  # also writes results/dance/

These names are the public ones; everything else may change between minor versions.
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

_HOMES = {
    "Pipeline": "kinelift.app.pipeline",
    "Recording": "kinelift.poses",
    "Video": "kinelift.app.video",
    "load": "kinelift.app.api",
    "run": "kinelift.app.api",
}


def __getattr__(name: str) -> Any:
    """Imports a public name when it is first used: torch takes seconds, and ``kinelift --help`` does without."""
    if name == "__version__":
        return _version()
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


def _version() -> str:
    """Of the installed package; "0+unknown" in a checkout that is not installed."""
    from importlib import metadata

    try:
        return metadata.version("kinelift")
    except metadata.PackageNotFoundError:
        return "0+unknown"
