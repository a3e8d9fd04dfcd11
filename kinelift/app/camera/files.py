"""Reads the camera of a video from a calibration file."""

import re
from pathlib import Path

from kinelift.app.camera.calibration import Calibration
from kinelift.app.camera.opencv_file import read_opencv
from kinelift.app.camera.toml_file import read_toml
from kinelift.poses.camera import Camera
from kinelift.poses.errors import DataError

MAX_BYTES = 2**20
"""Limit of a calibration file: a thousand times what a camera needs, for files that hold the observed points, too."""
SUFFIXES = {".yaml", ".yml", ".xml", ".json"}


def read_camera(reference: str, video: str, size: tuple[int, int]) -> tuple[Camera, str]:
    """Read the camera of a video. Nothing in the file is executed.

    Args:
        reference: FILE, or FILE:NAME to name one of its cameras.
        video: The video's name, which selects one of several cameras: ``cam_1`` for ``walk-cam01.mp4``.
        size: (width, height) of the video's pictures, px.

    Returns:
        The camera for pictures of ``size``, and a note for the user that says which one it is.

    Raises:
        DataError: The file is missing, damaged, too large, of another format or for other pictures; it has a lens model
            that is not supported; or it does not tell which camera is meant.
    """
    path, name = _split(reference)
    try:
        chosen = _choose(_read(path), name, video)
        camera = chosen.fitted(size)
    except DataError as error:
        raise DataError(f"--camera {reference} cannot be used: {error}") from error
    which = f"{chosen.names[0]} of {path.name}" if chosen.names else path.name
    if chosen.size is None:
        return camera, f"camera: {which}, which states no picture size; it was taken for {size[0]} × {size[1]} pixels."
    scaled = "" if chosen.size == size else f", scaled from {chosen.size[0]} × {chosen.size[1]} pixels"
    return camera, f"camera: {which}{scaled}."


def camera_file(reference: str) -> Path:
    """The calibration file that FILE or FILE:NAME refers to. It need not exist."""
    return _split(reference)[0]


def _split(reference: str) -> tuple[Path, str | None]:
    """The path and the name in FILE:NAME. A path may hold colons itself."""
    front, colon, name = reference.rpartition(":")
    if Path(reference).exists() or not (colon and Path(front).is_file()):
        return Path(reference), None
    return Path(front), name


def _read(path: Path) -> tuple[Calibration, ...]:
    try:
        if not path.is_file():
            raise DataError("there is no such file.")
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
    except (OSError, ValueError) as error:
        raise DataError(f"it cannot be read ({error}).") from error
    if len(content) > MAX_BYTES:
        raise DataError(f"it has more than {MAX_BYTES // 2**20} MB, so it is no calibration file.")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise DataError("it is not text. Give OpenCV's YAML, XML or JSON, or a TOML file.") from error
    if "\0" in text:
        raise DataError("it is damaged: it holds zero bytes. Export it again.")
    if path.suffix.lower() == ".toml":
        return read_toml(text)
    if path.suffix.lower() in SUFFIXES:
        return read_opencv(text)
    raise DataError(f"its name must end in .toml, {', '.join(sorted(SUFFIXES))}.")


def _choose(cameras: tuple[Calibration, ...], name: str | None, video: str) -> Calibration:
    """The camera of that name; else the only one; else the one whose name is part of the video's."""
    listed = ", ".join(camera.names[0] for camera in cameras if camera.names)[:200] or "one without a name"
    if name is not None:
        named = [camera for camera in cameras if name in camera.names]
        if len(named) != 1:
            raise DataError(f"it has no camera {name!r}. It has: {listed}.")
        return named[0]
    if len(cameras) == 1:
        return cameras[0]
    lengths = [max(_match(one, video) for one in camera.names) for camera in cameras]
    best = max(lengths)
    if best == 0 or lengths.count(best) > 1:
        raise DataError(f"it has the cameras {listed}, and the name {video!r} fits none of them alone. Add :NAME.")
    return cameras[lengths.index(best)]


def _match(name: str, video: str) -> int:
    """How many words and numbers ``name`` has, if they stand in ``video`` in this order without a gap; otherwise 0."""
    wanted, words = _words(name), _words(video)
    places = range(len(words) - len(wanted) + 1)
    return len(wanted) if any(words[place : place + len(wanted)] == wanted for place in places) else 0


def _words(name: str) -> list[str]:
    """Letters and numbers apart, without leading zeros: "Cam_01" and "cam1" are both "cam", "1"."""
    found = re.findall(r"[^\W\d_]+|\d+", name.casefold())
    return [word.lstrip("0") or "0" if word.isdecimal() else word for word in found]
