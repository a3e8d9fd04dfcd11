"""What the first pass has found so far, kept on disk, so that an interrupted run continues.

A stretch of ten seconds of video is a file: the people in each frame, and what the detector remembers at its end. That
is enough: the tracker sees the people again, which takes little time, and gets to the same state. The video is decoded
again, too, so that times and damage are known.
"""

import json
import shutil
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from hashlib import sha256
from itertools import count, groupby
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Shaped

from kinelift.app.video.timing import record_times
from kinelift.detectors.protocol import Detector, Memory, ResumableDetector, is_resumable
from kinelift.poses import Frame, People
from kinelift.poses.archive import archive_keys, read_arrays, read_text
from kinelift.poses.errors import DataError, KineliftError, OutputError, ResumeError
from kinelift.poses.json_values import parse
from kinelift.poses.output import make_folder, replacing
from kinelift.weights.run import Run, records_inputs

SECONDS = 10
"""Of video in a stretch."""
_FIELDS = ("points", "scores", "boxes", "confidence")
_RUN, _MEMORY = "run.json", "memory/"


@dataclass(frozen=True, eq=False)
class Stretch:
    """Some frames of a video, the people in each, and what the detector remembers at the end."""

    times: Shaped[np.ndarray, " F"]
    people: tuple[People, ...]
    memory: Memory


@dataclass(frozen=True)
class Checkpoints:
    """The stretches of one analysis.

    Args:
        folder: Where they are.
        run: What the analysis is made from. Stretches of another one are not used.
        seconds: Length of a stretch.
    """

    folder: Path
    run: Run
    seconds: float = SECONDS

    def open(self) -> str | None:
        """Remove what cannot be continued, and say in a sentence what becomes of an earlier run, if there was one."""
        stored = self._stored_run()
        if stored is None:
            shutil.rmtree(self.folder, ignore_errors=True)
            return None
        differences = self.run.differences(stored) if records_inputs(stored) else ["its inputs are not recorded"]
        if differences:
            shutil.rmtree(self.folder, ignore_errors=True)
            return f"An earlier run did not finish, but it was another one ({'; '.join(differences)}): starting again."
        done = next(number for number in count() if not self._path(number).is_file()) * self.seconds
        return (
            f"Continuing an earlier run, which had found the people in about {done:g} s of the video." if done else None
        )

    def detect(self, detector: Detector, frames: Iterable[Frame]) -> Iterator[People]:
        """Detect the people in each frame, and store each stretch; what is stored is not detected again.

        If a stretch cannot be stored, the analysis goes on without.

        Args:
            detector: The detector. One that cannot be continued is not interrupted either.
            frames: All frames of the video.

        Raises:
            ResumeError: The frames are not those of the earlier run.
        """
        if not is_resumable(detector):
            yield from detector.detect(frames)
            return
        assert isinstance(detector, ResumableDetector)
        frames, memory, number = iter(frames), Memory(), 0
        while (stretch := self._read(number, detector)) is not None:
            yield from _checked(stretch, frames)
            memory, number = stretch.memory, number + 1
        for _, some in groupby(frames, lambda frame: int(frame.time // self.seconds)):
            times: list[float] = []
            found: list[People] = []
            for people in detector.detect_from(memory, record_times(some, times)):
                found.append(people)
                yield people
            self._write(number, Stretch(np.array(times), tuple(found), memory))
            number += 1

    def _path(self, number: int) -> Path:
        return self.folder / f"{number:06d}.npz"

    @property
    def _key(self) -> str:
        return sha256(json.dumps(self.run.facts(), sort_keys=True).encode()).hexdigest()

    def _stored_run(self) -> Any:
        try:
            return parse((self.folder / _RUN).read_bytes(), _RUN)
        except (OSError, DataError):
            return None

    def _write(self, number: int, stretch: Stretch) -> None:
        try:
            if not number:
                shutil.rmtree(self.folder, ignore_errors=True)
                make_folder(self.folder)
                with replacing(self.folder / _RUN) as part:
                    part.write_text(json.dumps(self.run.facts()) + "\n", encoding="utf-8")
            if self._path(number - 1).is_file() or not number:
                with replacing(self._path(number)) as part, part.open("wb") as file:
                    np.savez(file, key=np.array(self._key), **_to_arrays(stretch))
        except OutputError:
            return  # without room for a checkpoint, the results may still fit

    def _read(self, number: int, detector: Detector) -> Stretch | None:
        """A stored stretch; None if there is none, or if it is damaged or belongs to another run."""
        path = self._path(number)
        try:
            if not path.is_file() or read_text(path, "key") != self._key:
                return None
            return _from_arrays(read_arrays(path, *archive_keys(path)), len(detector.skeleton))
        except (KineliftError, KeyError, ValueError, TypeError):
            return None


def _checked(stretch: Stretch, frames: Iterator[Frame]) -> Iterator[People]:
    """The people of a stretch, while its frames pass."""
    for time, people in zip(stretch.times.tolist(), stretch.people, strict=True):
        frame = next(frames, None)
        if frame is None or (frame.index, float(frame.time)) != (people.frame, time):
            raise ResumeError(
                "The frames of the video are not those of the run to be continued; perhaps they are decoded by another "
                "version of FFmpeg. Start again with --restart."
            )
        yield people


def _to_arrays(stretch: Stretch) -> dict[str, Any]:
    """Everything as arrays. The type of each frame's numbers is kept, because results depend on it."""
    people = stretch.people
    arrays = {
        "times": stretch.times,
        "frames": np.array([one.frame for one in people], dtype=np.int64),
        "counts": np.array([len(one) for one in people], dtype=np.int64),
    }
    for name in _FIELDS:
        values = [getattr(one, name) for one in people]
        arrays[name] = np.concatenate(values)
        arrays[f"{name}/types"] = np.array([value.dtype.str for value in values])
    return arrays | {f"{_MEMORY}{name}": np.asarray(value) for name, value in stretch.memory.items()}


def _from_arrays(arrays: dict[str, Shaped[np.ndarray, "..."]], joints: int) -> Stretch:
    """The inverse of ``_to_arrays``.

    Raises:
        DataError: The arrays do not fit each other or the detector.
    """
    counts = arrays["counts"]
    if arrays["points"].shape[1:] != (joints, 2) or (counts < 0).any() or counts.sum() != len(arrays["points"]):
        raise DataError("The checkpoint is damaged.")
    ends = np.cumsum(counts)[:-1]
    columns = [
        [rows.astype(kind) for rows, kind in zip(np.split(arrays[name], ends), arrays[f"{name}/types"], strict=True)]
        for name in _FIELDS
    ]
    people = tuple(People(int(index), *rows) for index, *rows in zip(arrays["frames"], *columns, strict=True))
    memory = {name.removeprefix(_MEMORY): value for name, value in arrays.items() if name.startswith(_MEMORY)}
    return Stretch(arrays["times"], people, memory)
