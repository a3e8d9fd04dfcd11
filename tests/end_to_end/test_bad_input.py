"""What users really give a program, and what it says."""

import re
from pathlib import Path

import pytest

from tests.clips import Tone, steady, write_clip, write_sound
from tests.end_to_end.programs import run


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with everything that is no good."""
    whole = write_clip(tmp_path / "whole.mp4", steady(30), size=(160, 120))
    (tmp_path / "cut.mp4").write_bytes(whole.read_bytes()[:-200])
    (tmp_path / "text.mp4").write_text("This is not a video.\n" * 50)
    (tmp_path / "empty.mp4").touch()
    (tmp_path / "a-folder").mkdir()
    write_sound(tmp_path / "song.m4a", Tone())
    return tmp_path


def test_every_bad_file_is_told_in_a_line_of_its_own(folder: Path) -> None:
    expected = {
        "missing.mp4": "no file",
        "a-folder": "is a folder",
        "text.mp4": "not a video",
        "empty.mp4": "empty",
        "cut.mp4": "cut off",
        "song.m4a": "only audio",
    }
    done = run("run", *expected, folder=folder)
    assert done.returncode == 1 and done.stdout == ""
    lines = done.stderr.splitlines()
    for (name, words), line in zip(expected.items(), lines[:-1], strict=True):
        assert line.startswith("error: ") and name in line and words in line
    assert lines[-1] == f"error: 6 of 6 videos failed: {', '.join(expected)}"
    assert not (folder / "out").exists()


def test_one_bad_file_is_told_once(folder: Path) -> None:
    done = run("info", "text.mp4", folder=folder)
    assert done.returncode == 1 and len(done.stderr.splitlines()) == 1


def test_missing_and_damaged_weights_come_with_the_remedy(folder: Path) -> None:
    cache = folder / "cache"
    missing = run("run", "whole.mp4", folder=folder, KINELIFT_CACHE=str(cache))
    cache.mkdir()
    (cache / "movenet-multipose.tflite").write_bytes(b"something else")
    damaged = run("run", "whole.mp4", folder=folder, KINELIFT_CACHE=str(cache))
    for done, words in (missing, "No weights for movenet-multipose"), (damaged, "are damaged"):
        assert done.returncode == 1
        (line,) = done.stderr.splitlines()
        assert words in line and "kinelift weights fetch movenet-multipose" in line
    assert not (folder / "out").exists()


def test_wrong_usage_is_told_with_status_2(folder: Path) -> None:
    done = run("run", "whole.mp4", "--layout", "round", folder=folder)
    assert done.returncode == 2 and "side-by-side" in done.stderr + done.stdout


def test_help_does_not_wait_for_the_networks(folder: Path) -> None:
    done = run("run", "--help", folder=folder, PYTHONPROFILEIMPORTTIME="1")
    assert done.returncode == 0 and "VIDEO" in done.stdout
    imported = re.findall(r"\| +(\S+)$", done.stderr, re.MULTILINE)
    assert "tyro" in imported and "torch" not in imported
