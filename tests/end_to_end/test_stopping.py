"""The program stopped half way: by Ctrl-C, by a request to end, by a full disk."""

import signal
import subprocess
from pathlib import Path

import numpy as np
import pytest

from kinelift.poses.recording import load
from tests.clips import contents, steady, write_clip
from tests.end_to_end.doubled import WAITING
from tests.end_to_end.programs import finish, start

DOUBLED = "tests.end_to_end.doubled"
BEFORE_DRAWING = [".source.json", "actions.json", "poses3d.csv", "recording.npz", "timeline.png"]
"""The results that are complete while the video is drawn, apart from viewer.html."""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a video that does not compress well."""
    noise = np.random.default_rng(0).integers(0, 256, (40, 120, 160, 3), dtype=np.uint8)
    write_clip(tmp_path / "dance.mp4", steady(40), size=(160, 120), images=noise)
    return tmp_path


def at_rest(place: str, folder: Path, *options: str) -> subprocess.Popen[str]:
    """The program, waiting in the middle of ``place``."""
    process = start(DOUBLED, place, "run", "dance.mp4", *options, folder=folder)
    assert process.stdout is not None and WAITING in process.stdout, finish(process)
    return process


def ended(process: subprocess.Popen[str]) -> tuple[int, str]:
    _, said = finish(process)
    assert "Traceback" not in said
    return process.returncode, said


def files(folder: Path) -> list[str]:
    return sorted(p.name for p in folder.rglob("*") if p.is_file())


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_stopped_while_drawing(folder: Path, number: int, status: int) -> None:
    result = folder / "out" / "dance"
    process = at_rest("drawing", folder)
    process.send_signal(number)
    returned, said = ended(process)
    assert returned == status
    assert ("Interrupted" in said) == (number == signal.SIGINT)
    assert files(result) == [*BEFORE_DRAWING, "viewer.html"]
    assert len(load(result / "recording.npz").people) == 2


def test_stopped_while_drawing_again(folder: Path) -> None:
    """The earlier results stay together: none of the new ones is among them."""
    assert ended(start(DOUBLED, "nowhere", "run", "dance.mp4", folder=folder))[0] == 0
    before = {path.name: path.read_bytes() for path in (folder / "out" / "dance").iterdir()}
    process = at_rest("drawing", folder, "--people", "main")
    process.send_signal(signal.SIGINT)
    assert ended(process)[0] == 130
    assert {path.name: path.read_bytes() for path in (folder / "out" / "dance").iterdir()} == before
    assert ended(start(DOUBLED, "nowhere", "run", "dance.mp4", "--people", "main", folder=folder))[0] == 0
    assert len(load(folder / "out" / "dance" / "recording.npz").people) == 1
    assert [path.name for path in (folder / "out").iterdir()] == ["dance"]


def test_stopped_while_finding_people(folder: Path) -> None:
    process = at_rest("finding", folder)
    process.send_signal(signal.SIGINT)
    assert ended(process)[0] == 130
    assert files(folder / "out") == []


def test_a_disk_that_is_full_at_the_recording(folder: Path) -> None:
    returned, said = ended(start(DOUBLED, "nowhere", "run", "dance.mp4", folder=folder, largest=8_000))
    assert returned == 1 and "recording.npz cannot be written" in said and "Free some space" in said
    assert files(folder / "out") == []


def test_a_disk_that_is_full_while_drawing(folder: Path) -> None:
    options = ("--layout", "overlay", "--no-viewer")
    process = start(DOUBLED, "nowhere", "run", "dance.mp4", *options, folder=folder, largest=150_000)
    returned, said = ended(process)
    assert returned == 1 and "overlay.mp4 cannot be written" in said and "Free some space" in said
    result = folder / "out" / "dance"
    assert files(result) == BEFORE_DRAWING


def test_the_same_program_unhindered(folder: Path) -> None:
    returned, _ = ended(start(DOUBLED, "nowhere", "run", "dance.mp4", folder=folder))
    assert returned == 0
    assert len(contents(folder / "out" / "dance" / "overlay.mp4").times) == 40


def test_an_out_that_is_a_file(folder: Path) -> None:
    (folder / "out").write_text("in the way")
    returned, said = ended(start(DOUBLED, "nowhere", "run", "dance.mp4", folder=folder))
    assert returned == 1 and "cannot be made" in said
    assert (folder / "out").read_text() == "in the way"
