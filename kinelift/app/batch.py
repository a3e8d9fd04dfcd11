"""One video or many to folders of results; one that fails does not stop the rest."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import count
from pathlib import Path
from typing import TypeVar

from kinelift.app.export.actions_json import write_timeline
from kinelift.app.export.formats import write_csv
from kinelift.app.export.timeline_figure import write_timeline_figure
from kinelift.app.pipeline import Pipeline, render
from kinelift.app.video import Video
from kinelift.poses import Recording, recording
from kinelift.poses.errors import KineliftError, OutputError
from kinelift.poses.output import make_folder
from kinelift.terminal.progress import Watch
from kinelift.terminal.reporter import Reporter

RECORDING, OVERLAY, POSES, ACTIONS = "recording.npz", "overlay.mp4", "poses3d.csv", "actions.json"
TIMELINE = "timeline.png"
Result = TypeVar("Result")


@dataclass(frozen=True)
class Job:
    """A video and the folder for its results."""

    video: Path
    folder: Path


def plan(videos: Sequence[Path], out: Path) -> tuple[Job, ...]:
    """``OUT/NAME`` for every video; where a name is taken by one before, ``NAME-2``, ``NAME-3`` …"""
    taken: set[str] = set()
    return tuple(Job(video, out / _unused(video.stem, taken)) for video in videos)


def run(jobs: Sequence[Job], load: Callable[[], Pipeline], layout: str, reporter: Reporter) -> tuple[Job, ...]:
    """Do all jobs and return those that failed. Files that are no videos are told before the pipeline is loaded.

    Raises ``KineliftError`` if the pipeline cannot be loaded, as that stops all of them.
    """
    videos = [(job, _attempt(partial(Video, job.video), reporter)) for job in jobs]
    readable = [(job, video) for job, video in videos if video is not None]
    pipeline = load() if readable else None
    done = [job for job, video in readable if pipeline and _report(job, video, pipeline, layout, reporter)]
    return tuple(job for job in jobs if job not in done)


def analyse(job: Job, video: Video, pipeline: Pipeline, layout: str, watch: Watch) -> Recording:
    """Write all results of one video, the mp4 last: whatever stops that, what was found can be drawn again.

    Raises ``KineliftError``.
    """
    make_folder(job.folder)
    spare(video, job.folder / OVERLAY)
    found = pipeline.run(video, watch)
    recording.save(job.folder / RECORDING, found)
    write_timeline(job.folder / ACTIONS, found)
    write_timeline_figure(job.folder / TIMELINE, found)
    write_csv(job.folder / POSES, found)
    render(found, video, job.folder / OVERLAY, layout, watch)
    return found


def spare(video: Video, path: Path) -> None:
    """Raises ``OutputError`` if writing ``path`` would replace the source."""
    if path.exists() and path.samefile(video.path):
        raise OutputError(f"{path} is the source itself, which would be overwritten. Choose another place with -o.")


def _report(job: Job, video: Video, pipeline: Pipeline, layout: str, reporter: Reporter) -> bool:
    with reporter.watching(video.path.name) as watch:
        found = _attempt(partial(analyse, job, video, pipeline, layout, watch), reporter)
    if found is None:
        return False
    tell(job.folder, video, found, reporter)
    return True


def tell(path: Path, video: Video, found: Recording, reporter: Reporter) -> None:
    """What was found in ``video`` and written to ``path``."""
    reporter.result(f"{path}: {_count(len(found.people), 'person', 'people')} in {len(found.video.times)} frames")
    if video.damage:
        reporter.note(f"{video.path} is damaged: {video.damage}. What could be read was used.")
    for note in found.made_with.get("notes", []):
        reporter.note(note)
    if not found.people:
        reporter.note(f"Nobody was found in {video.path}. People must be in full view and not too small.")


def _attempt(work: Callable[[], Result], reporter: Reporter) -> Result | None:
    try:
        return work()
    except KineliftError as error:
        reporter.error(error)
        return None


def _unused(name: str, taken: set[str]) -> str:
    """``name``, or with a number; case is ignored, as some file systems do."""
    names = (name if i == 1 else f"{name}-{i}" for i in count(1))
    chosen = next(candidate for candidate in names if candidate.casefold() not in taken)
    taken.add(chosen.casefold())
    return chosen


def _count(number: int, one: str, many: str) -> str:
    return f"{number} {one if number == 1 else many}"
