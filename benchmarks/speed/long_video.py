"""Measure memory and disk of a long video of several people, who repeat the keypoints of a recording; prints JSON.

    kinelift run VIDEO -o out
    python -m benchmarks.speed.long_video --recording-file out/NAME/recording.npz
        [--minutes 60] [--people 6] [--video VIDEO] [--fit off]

The detector is simulated, because a real one takes hours. Everything after it is the program: tracking, lifting, fit,
actions, and the files that it writes. With ``--video``, a file of that length is read and its first seconds are drawn.
"""

import json
import resource
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from fractions import Fraction
from pathlib import Path
from typing import Literal

import numpy as np
import tyro
from imageio_ffmpeg import get_ffmpeg_exe

from benchmarks.reporting import machine
from kinelift.app.export.actions_json import write_timeline
from kinelift.app.export.data_files import write_csv
from kinelift.app.export.timeline_figure import write_timeline_figure
from kinelift.app.export.viewer_page import write_viewer
from kinelift.app.pipeline import Pipeline, render
from kinelift.app.settings import Drawing, Settings
from kinelift.app.video import Part, Reading, Video
from kinelift.poses import Frame, People, Recording, Skeleton, recording
from kinelift.terminal.progress import Item

RATE = 30
NOISE = 0.5
"""Pixels: standard deviation of what is added to every keypoint, so that repeated ones do not compress."""
DRAWN = 10
"""Seconds of the real video that are drawn."""


class BlankVideo(Video):
    """A video of black pictures at 30 Hz that is not read from anywhere."""

    def __init__(self, frames: int, size: tuple[int, int]) -> None:
        self.path, self.reading = Path("blank.mp4"), Reading()
        self.damage, self.end, self.notes = None, None, ()
        self.width, self.height = size
        self.count = frames

    def frames(self) -> Iterator[Frame]:
        """The pictures, which share their memory."""
        image = np.zeros((self.height, self.width, 3), np.uint8)
        return (Frame(k, Fraction(k, RATE), image) for k in range(self.count))

    @property
    def expected_frames(self) -> int:
        """Their number."""
        return self.count


@dataclass(frozen=True)
class Replay:
    """Finds ``people`` people in every frame, who repeat the keypoints of those in ``source``, forwards and backwards.

    They move in place, beside each other, so that nobody is taken for another.
    """

    source: Recording
    people: int
    seed: int = 0

    @property
    def skeleton(self) -> Skeleton:
        """That of the recording."""
        return self.source.people[0].track.skeleton

    def detect(self, frames: Iterable[Frame]) -> Iterator[People]:
        """The people of each frame."""
        for frame in frames:
            yield self._people(frame.index)

    def _people(self, frame: int) -> People:
        random = np.random.default_rng([self.seed, frame])
        points, scores = [], []
        for number in range(self.people):
            track = self.source.people[number % len(self.source.people)].track
            last = len(track) - 1
            row = last - abs(last - frame % max(2 * last, 1))
            body = track.points[row]
            place = (number + 0.5) * track.size[0] / self.people, track.size[1] / 2
            points.append(body - np.nanmean(body, axis=0) + place + random.normal(0, NOISE, body.shape))
            scores.append(track.scores[row])
        found = np.stack(points)
        boxes = np.concatenate([np.nanmin(found, axis=1), np.nanmax(found, axis=1)], axis=1)
        return People(frame, found, np.stack(scores), np.nan_to_num(boxes), np.full(self.people, 0.9))


@dataclass
class PeakMemory:
    """The highest memory of this process (MB) by the end of each stage. It is a ``Progress``, too."""

    peaks: dict[str, float] = field(default_factory=dict)

    def __call__(self, items: Iterable[Item], description: str, total: int | None = None) -> Iterator[Item]:
        """Pass items through, and note the memory after the last one."""
        yield from items
        self.note(description)

    def note(self, stage: str) -> None:
        """Note the memory at the end of a stage."""
        unit = 1 if sys.platform == "darwin" else 1024
        self.peaks[stage] = round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6, 1)


def main(
    recording_file: Path,
    minutes: float = 60.0,
    people: int = 6,
    video: Path | None = None,
    fit: Literal["body", "off"] = "body",
) -> None:
    """Measure and print.

    Args:
        recording_file: Whose keypoints are repeated.
        minutes: Length of the video.
        people: Number of people.
        video: Repeated to that length and read; without it, pictures are black.
        fit: As in ``kinelift run``.
    """
    source = recording.load(recording_file)
    with tempfile.TemporaryDirectory() as folder:
        frames = round(60 * minutes * RATE)
        played = repeated(video, minutes, Path(folder)) if video else BlankVideo(frames, source.people[0].track.size)
        print(json.dumps({"machine": machine(), **measure(source, played, people, Path(folder), fit)}, indent=2))


def measure(
    source: Recording, video: Video, people: int, folder: Path, fit: Literal["body", "off"] = "body"
) -> dict[str, object]:
    """Peak memory after each stage of an analysis, and the size of its recording."""
    memory = PeakMemory()
    pipeline = replace(Pipeline.load(device="cpu", settings=Settings(fit=fit)), detector=Replay(source, people))
    memory.note("networks loaded")
    result = pipeline.run(video, memory)
    memory.note("actions")
    recording.save(folder / "recording.npz", result)
    write_timeline(folder / "actions.json", result)
    write_timeline_figure(folder / "timeline.png", result)
    write_csv(folder / "poses3d.csv", result)
    write_viewer(folder / "viewer.html", result, None)
    memory.note("files written")
    if not isinstance(video, BlankVideo):
        render(result, video, folder / "overlay.mp4", Drawing(), part=Part(Fraction(0), Fraction(DRAWN)))
        memory.note("drawn")
    person_hours = sum(len(person.track) for person in result.people) / RATE / 3600
    size = (folder / "recording.npz").stat().st_size
    return {
        "people": len(result.people),
        "frames": len(result.video.times),
        "peak_memory_mb": memory.peaks,
        "recording_mb_per_person_hour": round(size / 1e6 / person_hours, 1),
    }


def repeated(video: Path, minutes: float, folder: Path) -> Video:
    """A video repeated to a length, without sound."""
    path = folder / f"long{video.suffix}"
    cut = ["-stream_loop", "-1", "-i", str(video), "-t", str(60 * minutes), "-an", "-c", "copy", str(path)]
    subprocess.run([get_ffmpeg_exe(), "-loglevel", "error", *cut], check=True)
    return Video(path)


if __name__ == "__main__":
    tyro.cli(main)
