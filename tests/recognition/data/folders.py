"""Folders of labelled motion as a user would make them."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from kinelift.poses import Person, Poses3D, Recording, Track2D, VideoFacts, recording
from kinelift.recognition.data.clips import Dataset

Content = np.ndarray | Mapping[str, Any] | Recording


def written(path: Path, table: str, **clips: Content) -> Path:
    """Write ``labels.csv`` and a file for each of ``clips``: h36m17 poses at 30 Hz, arrays by name, or a recording."""
    (path / "labels.csv").write_text(table, encoding="utf-8", newline="")
    for name, content in clips.items():
        file = path / "clips" / f"{name}.npz"
        file.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, Recording):
            recording.save(file, content)
        elif isinstance(content, Mapping):
            np.savez(file, **{"skeleton": "h36m17", **content})
        else:
            np.savez(file, points=content, rate=30.0, skeleton="h36m17")
    return path


def recorded(people: Mapping[int, np.ndarray | None]) -> Recording:
    """The recording that ``kinelift run`` writes for these people; without poses, as if it was interrupted."""
    frames = max([30, *(len(points) for points in people.values() if points is not None)])
    facts = VideoFacts("v.mp4", 64, 48, np.arange(frames) / 30)
    return Recording(facts, tuple(_person(*one) for one in people.items()))


def same(a: Dataset, b: Dataset) -> None:
    """Assert that both data sets are equal, bit by bit."""
    facts: tuple[Callable[[Any], Any], ...] = (
        lambda c: (c.name, c.subject, c.segments, c.split, c.kind),
        lambda c: (c.points.dtype, c.points.shape, c.points.tobytes()),
        lambda c: (c.times.dtype, c.times.tobytes()),
    )
    for fact in facts:
        assert [fact(clip) for clip in a.clips] == [fact(clip) for clip in b.clips]
    assert (a.skeleton, a.labels, a.terms, a.flaws) == (b.skeleton, b.labels, b.terms, b.flaws)


def _person(number: int, points: np.ndarray | None) -> Person:
    count = 5 if points is None else len(points)
    times = np.arange(count) / 30
    seen = np.ones((count, 17))
    track = Track2D(np.ones((count, 17, 2)), seen, times, seen < 0, 0, (64, 48))
    return Person(number, track, None if points is None else Poses3D(points, times))
