"""Records a live analysis: the frames that were analysed, and what was found in them."""

from pathlib import Path
from types import TracebackType

from kinelift.app.live.analyser import LiveAnalyser, Moment
from kinelift.app.video import VideoWriter
from kinelift.poses import recording
from kinelift.poses.errors import OutputError, SettingsError


class Recorder:
    """A context manager that writes NAME.npz, a recording, and NAME.mp4, the frames that it was made from.

    Both are complete when it is left, also by an error.

    Args:
        path: NAME.npz.
        analyser: Keeps all results.
        size: (width, height) of the pictures, px.

    Raises:
        SettingsError: The name does not end in .npz.
        OutputError: A file cannot be written, or there was no frame.
    """

    def __init__(self, path: Path, analyser: LiveAnalyser, size: tuple[int, int]) -> None:
        self._path, video = record_files(path)
        self._analyser, self._writer = analyser, VideoWriter(video, *size)
        self._frames = 0

    def __enter__(self) -> "Recorder":
        self._writer.__enter__()
        return self

    def add(self, moment: Moment) -> None:
        """Add the frame that was analysed last."""
        self._writer.write(moment.frame.image, moment.frame.time)
        self._frames += 1

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if not self._frames:
            self._writer.__exit__(kind, error or OutputError(), trace)
            return
        self._writer.__exit__(None, None, None)
        recording.save(self._path, self._analyser.recording(self._frames))


def record_files(path: Path) -> tuple[Path, Path]:
    """The recording and the video that are written.

    Raises:
        SettingsError: The name does not end in .npz.
    """
    if path.suffix != ".npz":
        raise SettingsError(f"--record {path} must end in .npz, such as {path.with_suffix('.npz')}.")
    return path, path.with_suffix(".mp4")
