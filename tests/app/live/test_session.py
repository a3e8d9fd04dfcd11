import re
import signal
from pathlib import Path

import cv2
import numpy as np
import pytest

from kinelift.__main__ import main
from kinelift.app.live import window
from kinelift.app.live.session import run_live
from kinelift.app.live.statistics import Summary
from kinelift.app.pipeline import Pipeline
from kinelift.app.video import Video
from kinelift.poses.errors import OutputError
from kinelift.poses.recording import load
from kinelift.terminal.reporter import Reporter
from tests.app.live.stages import Paced, SteppedClock, Working, live_pipeline
from tests.app.stages import script
from tests.clips import contents, steady, write_clip

SIZE = (160, 120)


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    """Two seconds at 32 frames per second."""
    return write_clip(tmp_path / "dance.mp4", steady(64, 32), size=SIZE)


@pytest.fixture
def staged(monkeypatch: pytest.MonkeyPatch) -> None:
    """A program whose detector sees one person."""
    monkeypatch.setattr(Pipeline, "open", lambda spec: live_pipeline(script(64, lambda k: 60.0)))


class Display:
    """Stands for OpenCV's windows: notes what is shown, and presses keys."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, keys: dict[int, int], visible: float = 1.0) -> None:
        self.shown: list[np.ndarray] = []
        self.polls, self.open = 0, False
        monkeypatch.setattr(cv2, "namedWindow", lambda *_: setattr(self, "open", True))
        monkeypatch.setattr(cv2, "imshow", lambda _, image: self.shown.append(image))
        monkeypatch.setattr(cv2, "waitKey", lambda _: self._key(keys))
        monkeypatch.setattr(cv2, "getWindowProperty", lambda *_: visible)
        monkeypatch.setattr(cv2, "destroyAllWindows", lambda: setattr(self, "open", False))

    def _key(self, keys: dict[int, int]) -> int:
        self.polls += 1
        return keys.get(self.polls, -1)


def played(clip: Path, **options: object) -> Summary:
    """The clip on a machine that takes an eighth of a second a frame."""
    clock = SteppedClock()
    detector = Working(script(64, lambda k: 60.0), lambda: clock.pass_time(0.125))
    choices = {"window": False, "record": None} | options
    return run_live(Paced(clip, clock), live_pipeline(detector), Reporter(), clock=clock, **choices)


def test_frames_are_dropped_and_never_queued(clip: Path, capsys: pytest.CaptureFixture[str]) -> None:
    summary = played(clip)
    assert (summary.frames, summary.dropped) == (17, 47)  # every fourth, and the last
    assert (summary.rate, summary.latency) == (8.0, 0.125)
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 2
    assert lines[0] == "0.9 s: 8.0 frames/s, latency 125 ms (95 %: 125 ms), 24 dropped; 1  wave 80 %"


def test_a_recording_fits_its_video(clip: Path, tmp_path: Path) -> None:
    played(clip, record=tmp_path / "r.npz")
    recording, video = load(tmp_path / "r.npz"), Video(tmp_path / "r.mp4")
    times = [float(frame.time) for frame in video.frames()]
    np.testing.assert_allclose(times, recording.video.times, atol=1e-5)
    assert len(times) == 17 and [person.id for person in recording.people] == [1]
    assert main(["render", str(tmp_path / "r.npz"), str(tmp_path / "r.mp4"), "--layout", "overlay"]) == 0


def test_what_was_recorded_is_kept_if_the_analysis_fails(clip: Path, tmp_path: Path) -> None:
    clock = SteppedClock()
    seen = []

    def work() -> None:
        seen.append(clock.pass_time(0.125))
        if len(seen) == 15:
            raise OutputError("the disk is full")

    pipeline = live_pipeline(Working(script(64, lambda k: 60.0), work))
    with pytest.raises(OutputError, match="the disk is full"):
        run_live(Paced(clip, clock), pipeline, Reporter(), clock=clock, window=False, record=tmp_path / "r.npz")
    assert len(load(tmp_path / "r.npz").video.times) == 14 == len(contents(tmp_path / "r.mp4").times)


def test_ctrl_c_ends_cleanly(clip: Path, tmp_path: Path) -> None:
    clock, seen = SteppedClock(), []

    def work() -> None:
        seen.append(clock.pass_time(0.125))
        if len(seen) == 5:
            signal.raise_signal(signal.SIGINT)

    pipeline = live_pipeline(Working(script(64, lambda k: 60.0), work))
    before = signal.getsignal(signal.SIGINT)
    run_live(Paced(clip, clock), pipeline, Reporter(), clock=clock, window=False, record=tmp_path / "r.npz")
    assert len(load(tmp_path / "r.npz").video.times) == 5 and signal.getsignal(signal.SIGINT) is before


@pytest.mark.parametrize("key", [ord("q"), 27])
def test_a_key_ends_the_window(clip: Path, monkeypatch: pytest.MonkeyPatch, key: int) -> None:
    display = Display(monkeypatch, {4: key})
    assert played(clip, window=True).frames == 4 == len(display.shown) and not display.open


def test_space_holds_the_picture(clip: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    display = Display(monkeypatch, {4: ord(" "), 10: ord(" ")})
    assert played(clip, window=True).frames == 17 and len(display.shown) == 17 - 6


def test_closing_the_window_ends(clip: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Display(monkeypatch, {}, visible=0.0)
    assert played(clip, window=True).frames == 1


def test_the_command_prints_numbers_and_writes_files(
    clip: Path, tmp_path: Path, staged: None, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["live", str(clip), "--no-window", "--record", str(tmp_path / "r.npz")]) == 0
    *_, summary, first, second = capsys.readouterr().out.splitlines()
    assert re.fullmatch(r"[\d.]+ frames/s, latency \d+ ms \(95 %: \d+ ms\), \d+ dropped", summary)
    assert [Path(first).name, Path(second).name] == ["r.npz", "r.mp4"] and Path(second).is_file()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["gone.mp4", "--no-window"], "There is no file gone.mp4"),
        (["dance.mp4", "--no-window", "--record", "r.mp4"], "must end in .npz"),
        (["dance.mp4", "--no-window", "--record", "dance.npz"], "dance.mp4 is the source"),
        (["dance.mp4", "--no-window", "--refine", "none", "--redetect", "2"], "--redetect needs a refinement"),
        (["dance.mp4", "--no-window", "--unknown", "2"], "--unknown is 2"),
    ],
)
def test_mistakes_are_explained(
    clip: Path, monkeypatch: pytest.MonkeyPatch, staged: None, capsys: pytest.CaptureFixture[str], arguments, said
) -> None:
    monkeypatch.chdir(clip.parent)
    assert main(["live", *arguments]) == 1
    assert said in capsys.readouterr().err


def test_without_a_display_the_other_way_is_named(
    clip: Path, monkeypatch: pytest.MonkeyPatch, staged: None, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(window, "_TRY", "raise SystemExit(134)")
    assert main(["live", str(clip)]) == 1
    assert capsys.readouterr().err == (
        "error: There is no display to open a window on. Use --no-window, which prints numbers.\n"
    )
