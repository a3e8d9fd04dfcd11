from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from kinelift.app.live.sources import CameraSource, FileSource, open_source
from kinelift.poses.errors import VideoError
from tests.clips import steady, write_clip


class Waits:
    """A clock that is where it is told to be."""

    def __init__(self) -> None:
        self.time, self.waits = 100.0, []

    def now(self) -> float:
        return self.time

    def wait_until(self, moment: float) -> None:
        self.waits.append(moment)
        self.time = max(self.time, moment)


class FakeCapture:
    """Stands for OpenCV's camera: so many blue pictures, then none."""

    pictures = 3

    def __init__(self, number: int) -> None:
        self.number, self.released = number, False

    def set(self, what: int, value: float) -> bool:
        return True

    def read(self) -> tuple[bool, Any]:
        self.pictures -= 1
        return self.pictures >= 0, np.full((48, 64, 3), (255, 0, 0), np.uint8)

    def release(self) -> None:
        self.released = True


def test_a_file_is_played_as_fast_as_it_was_filmed(tmp_path: Path) -> None:
    path, clock = write_clip(tmp_path / "walk.mp4", steady(5, 10)), Waits()
    source = open_source(str(path))
    assert isinstance(source, FileSource) and (source.name, source.size) == ("walk", (64, 48))
    captured = list(source.frames(clock))
    np.testing.assert_allclose(clock.waits, [100.0, 100.1, 100.2, 100.3, 100.4])
    np.testing.assert_allclose([one.taken for one in captured], clock.waits)


@pytest.mark.parametrize("name", ["2", "/dev/video2"])
def test_a_camera_gives_rgb_pictures_until_it_fails(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cv2, "VideoCapture", FakeCapture)
    source, clock, seen = open_source(name), Waits(), []
    assert isinstance(source, CameraSource) and (source.name, source.size) == ("camera2", (64, 48))
    with pytest.raises(VideoError, match="gives no more pictures"):
        for captured in source.frames(clock):
            seen.append(captured)
            clock.time += 0.5
    assert [(one.frame.index, float(one.frame.time), one.taken) for one in seen] == [(0, 0.0, 100.0), (1, 0.5, 100.5)]
    assert seen[0].frame.image[0, 0].tolist() == [0, 0, 255]


def test_a_camera_that_is_not_there_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(FakeCapture, "pictures", 0)
    monkeypatch.setattr(cv2, "VideoCapture", FakeCapture)
    with pytest.raises(VideoError, match="Camera 7 gives no picture"):
        open_source("7")


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(VideoError, match=r"There is no file .*gone\.mp4"):
        open_source(str(tmp_path / "gone.mp4"))
