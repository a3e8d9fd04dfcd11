"""Analyse one or more videos, each into its own folder; a failure does not stop the others."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import count
from pathlib import Path
from typing import TypeVar

from kinelift.app.export.actions_json import write_timeline
from kinelift.app.export.formats import write_csv
from kinelift.app.export.timeline_figure import write_timeline_figure
from kinelift.app.pipeline import Pipeline, render
from kinelift.app.video import Reading, Video, video_name
from kinelift.poses import Recording, recording
from kinelift.poses.errors import KineliftError, OutputError
from kinelift.poses.output import make_folder
from kinelift.poses.timeseries import median_interval
from kinelift.terminal.progress import Progress
from kinelift.terminal.reporter import Reporter

RECORDING, OVERLAY, POSES, ACTIONS = "recording.npz", "overlay.mp4", "poses3d.csv", "actions.json"
TIMELINE = "timeline.png"
_FEW_FRAMES = 5
"""Frames per second below which the rate may be why nobody was found."""
Result = TypeVar("Result")


@dataclass(frozen=True)
class Job:
    """A video, the folder for its results, and how the video is read."""

    video: Path
    folder: Path
    reading: Reading = field(default_factory=Reading)


def plan(videos: Sequence[Path], out: Path, reading: Reading | None = None) -> tuple[Job, ...]:
    """Assign a folder OUT/NAME to every video; further videos of the same name get NAME-2, NAME-3 and so on."""
    used: set[str] = set()
    how = reading or Reading()
    return tuple(Job(video, out / _unique_name(video_name(video), used), how) for video in videos)


def run(jobs: Sequence[Job], load: Callable[[], Pipeline], layout: str, reporter: Reporter) -> tuple[Job, ...]:
    """Run all jobs and return those that failed. Unreadable files are reported before the pipeline is loaded.

    Args:
        jobs: The videos and their folders.
        load: Opens the pipeline; called once, if any video can be read.
        layout: What overlay.mp4 shows; a key of ``render.LAYOUTS``.
        reporter: Receives results, notes and errors.

    Raises:
        KineliftError: The pipeline cannot be loaded, which stops all jobs.
    """
    videos = [(job, _attempt(partial(Video, job.video, job.reading), reporter)) for job in jobs]
    readable = [(job, video) for job, video in videos if video is not None]
    pipeline = load() if readable else None
    done = [job for job, video in readable if pipeline and _process(job, video, pipeline, layout, reporter)]
    return tuple(job for job in jobs if job not in done)


def analyse(job: Job, video: Video, pipeline: Pipeline, layout: str, progress: Progress) -> Recording:
    """Write all results of one video.

    The mp4 comes last: if drawing fails or is interrupted, the recording is already there to be drawn again.

    Raises:
        KineliftError: The video cannot be read or a result cannot be written.
    """
    make_folder(job.folder)
    refuse_overwriting_source(video.path, job.folder / OVERLAY)
    result = pipeline.run(video, progress)
    recording.save(job.folder / RECORDING, result)
    write_timeline(job.folder / ACTIONS, result)
    write_timeline_figure(job.folder / TIMELINE, result)
    write_csv(job.folder / POSES, result)
    render(result, video, job.folder / OVERLAY, layout, progress)
    return result


def refuse_overwriting_source(source: Path, path: Path) -> None:
    """Check that an output does not replace the file that it is made from.

    Raises:
        OutputError: ``path`` is the source.
    """
    if path.exists() and source.exists() and path.samefile(source):
        raise OutputError(f"{path} is the source and would be overwritten. Choose another output with -o.")


def report_result(path: Path, video: Video, result: Recording, reporter: Reporter) -> None:
    """Report what was written to ``path``, and what the user should know about it."""
    reporter.result(f"{path}: {_plural(len(result.people), 'person', 'people')} in {len(result.video.times)} frames")
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


def _process(job: Job, video: Video, pipeline: Pipeline, layout: str, reporter: Reporter) -> bool:
    """Analyse one video and report the outcome; whether it succeeded."""
    with reporter.progress(video.path.name) as progress:
        result = _attempt(partial(analyse, job, video, pipeline, layout, progress), reporter)
    if result is None:
        return False
    report_result(job.folder, video, result, reporter)
    return True


def _attempt(work: Callable[[], Result], reporter: Reporter) -> Result | None:
    try:
        return work()
    except KineliftError as error:
        reporter.error(error)
        return None


def _unique_name(name: str, used: set[str]) -> str:
    """``name``, with a number if it is in use. Case is ignored, as on some file systems.

    A name of dots only ("...mp4" has the stem "..") would lead out of the folder; "video" takes its place.
    """
    name = name if name.strip(".") else "video"
    names = (name if i == 1 else f"{name}-{i}" for i in count(1))
    unique = next(candidate for candidate in names if candidate.casefold() not in used)
    used.add(unique.casefold())
    return unique


def _plural(number: int, singular: str, plural: str) -> str:
    return f"{number} {singular if number == 1 else plural}"
