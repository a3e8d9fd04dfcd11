"""The real detector, interrupted on a piece of the sample clip and continued: the same arrays to the last bit."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from imageio_ffmpeg import get_ffmpeg_exe

from kinelift.app.checkpoints import Checkpoints
from kinelift.app.detection import open_detector, resolve_auto
from kinelift.app.settings import Detection, TrackingSettings
from kinelift.app.tracking import track_people
from kinelift.app.video import Video
from kinelift.poses import Frame, Recording
from kinelift.poses.errors import WeightsError
from kinelift.weights.run import Run
from kinelift.weights.store import fetch

pytestmark = pytest.mark.slow


class StoppedError(Exception):
    """As if the program was killed."""


class Stopping(Video):
    """A video that ends in an error."""

    def frames(self) -> Iterator[Frame]:
        for frame in super().frames():
            if frame.index == 37:
                raise StoppedError
            yield frame


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    try:
        whole = fetch("sample-clip")
        fetch("movenet-multipose")
        fetch("blazepose-full")
    except WeightsError as error:
        pytest.skip(f"the detector's weights and the sample clip cannot be had: {error}")
    path = tmp_path_factory.mktemp("resumed") / "dance.mp4"
    cut = ["-ss", "2", "-i", str(whole), "-frames:v", "45", "-vf", "scale=iw/2:-2", "-an"]
    subprocess.run([get_ffmpeg_exe(), "-loglevel", "error", *cut, str(path)], check=True)
    return path


@pytest.mark.parametrize("choice", [
    Detection(), Detection(refine="none"), Detection(redetect=5), Detection(refine="none", stride=2)
], ids=lambda choice: f"{choice.refine}-{choice.redetect}-{choice.stride}")  # fmt: skip
def test_the_same_to_the_last_bit(clip: Path, tmp_path: Path, choice: Detection) -> None:
    opened = open_detector(resolve_auto(choice, "cpu"), "cpu")

    def track(video: Video, folder: str) -> Recording:
        kept = Checkpoints(tmp_path / folder, Run({"video": "it"}, {}), seconds=0.5)
        return track_people(video, opened.detector, TrackingSettings(), {}, repair=opened.repair, checkpoints=kept)

    expected = track(Video(clip), "uninterrupted")
    with pytest.raises(StoppedError):
        track(Stopping(clip), "interrupted")
    assert len(list((tmp_path / "interrupted").glob("*.npz"))) >= 2
    found = track(Video(clip), "interrupted")
    others = [expected]
    if choice.stride == 1:
        others.append(track_people(Video(clip), opened.detector, TrackingSettings(), {}, repair=opened.repair))
    for one, other in ((found, other) for other in others):
        assert [person.id for person in one.people] == [person.id for person in other.people] and one.people
        np.testing.assert_array_equal(one.video.times, other.video.times)
        for mine, its in zip(one.people, other.people, strict=True):
            for name in ("points", "scores", "times", "filled"):
                np.testing.assert_array_equal(getattr(mine.track, name), getattr(its.track, name))
