"""Analyse one or more videos, each into its own folder; a failure does not stop the others."""

import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TypeVar

from kinelift.app.checkpoints import Checkpoints
from kinelift.app.export.actions_json import write_timeline
from kinelift.app.export.data_files import write_csv
from kinelift.app.export.formats import Format, belongs_to, export, remarks
from kinelift.app.export.timeline_figure import write_timeline_figure
from kinelift.app.export.viewer_page import overlay_of, path_between, write_viewer
from kinelift.app.pipeline import Pipeline, render
from kinelift.app.render.sizes import sizes
from kinelift.app.results import ACTIONS, OVERLAY, POSES, RECORDING, RESULTS, TIMELINE, VIEWER, ResultFolder, claim
from kinelift.app.settings import Drawing
from kinelift.app.video import Reading, Video
from kinelift.poses import Recording, recording
from kinelift.poses.errors import DataError, KineliftError
from kinelift.poses.json_values import to_json
from kinelift.poses.overwriting import check_outputs
from kinelift.poses.timeseries import median_interval
from kinelift.terminal.progress import Progress
from kinelift.terminal.reporter import Reporter

_LEAST_BYTES_PER_PIXEL = 0.005
"""What a pixel of a frame takes at least in overlay.mp4, as a rule."""
_FEW_FRAMES = 5
"""Frames per second below which the rate may be why nobody was found."""
Result = TypeVar("Result")


@dataclass(frozen=True)
class Batch:
    """What the videos of one command have in common.

    Args:
        out: The folder of all results.
        drawing: How overlay.mp4 is drawn.
        inputs: The files that are read: the videos, and those that the options name.
        reporter: Receives results, notes and errors.
        reading: How the videos are read.
        restart: Whether interrupted runs start again instead of being continued.
        exports: The formats to write as well.
        taken: The names of the folders that the videos so far have got.
    """

    out: Path
    drawing: Drawing
    inputs: tuple[Path, ...]
    reporter: Reporter
    reading: Reading = field(default_factory=Reading)
    restart: bool = False
    exports: tuple[Format, ...] = ()
    taken: set[str] = field(default_factory=set)

    def run(self, videos: Sequence[Path], load: Callable[[], Pipeline]) -> tuple[Path, ...]:
        """Analyse all videos and return those that failed, which are named at the end if there are several videos.

        Unreadable files are reported before the pipeline is loaded.

        Args:
            videos: The videos.
            load: Opens the pipeline; called once, if any video can be read.

        Raises:
            KineliftError: The pipeline cannot be loaded, which stops all videos.
        """
        opened = [(path, self._attempt(path, partial(Video, path, self.reading))) for path in videos]
        pipeline = load() if any(video for _, video in opened) else None
        if pipeline and pipeline.description:
            self.reporter.info(f"detector: {pipeline.description}")
        failed = tuple(path for path, video in opened if not (video and pipeline and self._process(video, pipeline)))
        if failed and len(videos) > 1:
            self.reporter.error(f"{len(failed)} of {len(videos)} videos failed: {', '.join(map(str, failed))}")
        return failed

    def _process(self, video: Video, pipeline: Pipeline) -> bool:
        """Analyse one video and report the outcome; whether it succeeded."""
        done = self._attempt(video.path, partial(self._analyse, video, pipeline))
        if done is not None:
            report_result(done[0], video, done[1], self.reporter)
        return done is not None

    def _analyse(self, video: Video, pipeline: Pipeline) -> tuple[Path, Recording]:
        with claim(video.path, self.out, self.taken) as folder:
            self.taken.add(folder.path.name)
            if folder.note:
                self.reporter.note(folder.note)
            if self.restart:
                folder.forget_checkpoint()
            with self.reporter.progress(video.path.name) as progress:
                result = analyse(
                    folder, video, pipeline, self.drawing, progress, self.inputs, self.reporter.note, self.exports
                )
        return folder.path, result

    def _attempt(self, video: Path, work: Callable[[], Result]) -> Result | None:
        """The result of ``work``, or None after an error, which is reported; also of one that nobody expected."""
        try:
            return work()
        except KineliftError as error:
            self.reporter.error(error)
        except BrokenPipeError:  # nobody reads what is printed
            raise
        except OSError as error:
            self.reporter.error(f"{video}: {error}. Check the disk, then run it again.")
        except Exception as error:
            place = traceback.extract_tb(error.__traceback__)[-1]
            self.reporter.error(
                f"{video} failed because of a fault in the program: {type(error).__name__}: {error} "
                f"({Path(place.filename).name}, line {place.lineno}). Please report it with this line."
            )
        return None


def analyse(
    folder: ResultFolder,
    video: Video,
    pipeline: Pipeline,
    drawing: Drawing,
    progress: Progress,
    inputs: Sequence[Path] = (),
    note: Callable[[str], None] = lambda text: None,
    exports: Sequence[Format] = (),
) -> Recording:
    """Write all results of one video.

    The mp4 comes last: if drawing fails or is interrupted, the recording is already there to be drawn again. What the
    first pass finds is kept until all results are complete, and a run that was interrupted continues.

    Args:
        folder: Where the results go.
        video: The video.
        pipeline: Analyses it.
        drawing: How overlay.mp4 is drawn; the recording stores it.
        progress: Shows progress over frames and people.
        inputs: Files that are read, beside the video, and must not be replaced.
        note: Receives what becomes of an earlier run that did not finish, and which exports are left out.
        exports: The formats to write as well. Those of an earlier run in the same formats are replaced.

    Raises:
        KineliftError: The video cannot be read or a result cannot be written.
    """
    check_outputs([folder.path], [video.path])  # results in a folder of pictures would become part of the video
    replaced = [*(folder.path / name for name in RESULTS), *_earlier_exports(folder.path, exports)]
    check_outputs(replaced, [*video.files, *inputs], least_size(video, drawing))
    checkpoints = Checkpoints(folder.checkpoint, pipeline.first_pass(folder.source.sha256, video.reading))
    if about_earlier := checkpoints.open():
        note(f"{video.path}: {about_earlier}")
    with folder.new_results(lambda name: belongs_to(name, exports)) as new:
        result = _with_drawing(pipeline.run(video, progress, checkpoints), drawing)
        recording.save(new / RECORDING, result)
        write_timeline(new / ACTIONS, result)
        write_timeline_figure(new / TIMELINE, result)
        write_csv(new / POSES, result)
        _export(new, result, exports, note)
        if pipeline.settings.viewer or Format.VIEWER in exports:
            source = path_between(folder.path, video.path)
            write_viewer(new / VIEWER, result, overlay_of(result), source, RESULTS)
        render(result, video, new / OVERLAY, drawing, progress)
    folder.forget_checkpoint()
    return result


def _earlier_exports(folder: Path, exports: Sequence[Format]) -> list[Path]:
    """What a folder has from earlier runs in these formats, and new exports replace."""
    return [path for path in folder.glob("*") if belongs_to(path.name, exports)]


def _export(folder: Path, result: Recording, exports: Sequence[Format], note: Callable[[str], None]) -> None:
    """Write more formats, under their default names. The viewer is written with the results."""
    for to in (one for one in exports if one is not Format.VIEWER):
        try:
            export(folder / to.file, result, to)
        except DataError as error:  # nobody to export: the other results are worth keeping
            note(f"There is no {to.value} file. {error}")
            continue
        for remark in remarks(folder / to.file, to):
            note(remark)


def _with_drawing(result: Recording, drawing: Drawing) -> Recording:
    return replace(result, made_with={**result.made_with, "drawing": to_json(drawing)})


def least_size(video: Video, drawing: Drawing) -> float:
    """The bytes that a video's results take at least, as a rule; 0 if its headers do not state its length.

    Raises:
        SettingsError: The drawn video would be too large.
    """
    width, height = sizes((video.width, video.height), drawing).whole
    return (video.expected_frames or 0) * width * height * _LEAST_BYTES_PER_PIXEL


def report_result(path: Path, video: Video, result: Recording, reporter: Reporter) -> None:
    """Report what was written to ``path``, and what the user should know about it."""
    reporter.result(
        f"{path}: {_plural(len(result.people), 'person', 'people')} in "
        f"{_plural(len(result.video.times), 'frame', 'frames')}"
    )
    if video.damage:
        reporter.note(f"{video.path} is damaged: {video.damage}. The readable part was used.")
    for note in (*video.notes, *result.made_with.get("notes", [])):
        reporter.note(note)
    if not result.people:
        reporter.note(_nobody(video, result))


def _nobody(video: Video, result: Recording) -> str:
    """What may be the reason that nobody was found."""
    interval = median_interval(result.video.times)
    if interval > 1 / _FEW_FRAMES:
        return (
            f"Nobody was found in {video.path}. It has {1 / interval:.2g} frames per second, and people must be seen "
            "in two frames in a row, not too far apart. Use a higher frame rate if you can."
        )
    return f"Nobody was found in {video.path}. People must be in full view and not too small."


def _plural(number: int, singular: str, plural: str) -> str:
    return f"{number} {singular if number == 1 else plural}"
