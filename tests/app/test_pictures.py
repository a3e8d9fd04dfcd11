"""Folders and patterns of pictures, streams without times, limits, and what is no video."""

from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import pytest

from kinelift.app.settings import TrackingSettings
from kinelift.app.tracking import most_confident
from kinelift.app.video import Reading, Video, video_name
from kinelift.app.video.sizes import fitted
from kinelift.poses import People
from kinelift.poses.errors import SettingsError, VideoError
from tests.clips import quarters, steady, write_clip


def pictures(folder: Path, names: list[str]) -> Path:
    """A picture for each name; the brightness of each says which one it is."""
    folder.mkdir(exist_ok=True)
    for number, name in enumerate(names):
        assert cv2.imwrite(str(folder / name), np.full((48, 64, 3), 10 * number, np.uint8))
    return folder


def brightness(video: Video) -> list[int]:
    return [round(float(frame.image.mean()) / 10) for frame in video.frames()]


def test_a_folder_of_pictures_is_a_video(tmp_path: Path) -> None:
    folder = pictures(tmp_path / "walk", [f"img_{k}.png" for k in range(8, 12)])  # 9 comes before 10
    (folder / "notes.txt").write_text("hello")
    video = Video(folder, Reading(fps=10))
    frames = list(video.frames())
    assert [frame.time for frame in frames] == steady(4, 10)
    assert brightness(video) == [0, 1, 2, 3]
    assert (video.end, video.audio, video.damage, video.notes) == (Fraction(4, 10), None, None, ())
    assert video.summary.frames == 4


def test_without_a_rate_the_assumed_one_is_told(tmp_path: Path) -> None:
    video = Video(pictures(tmp_path / "walk", ["a1.png", "a2.png"]))
    assert [frame.time for frame in video.frames()] == steady(2, 25)
    (note,) = video.notes
    assert "25 frames per second are assumed" in note and "--fps" in note


@pytest.mark.parametrize("pattern", ["img_%04d.png", "img_%d.png", "img_*.png", "img_????.png"])
def test_a_pattern_stands_for_its_pictures(tmp_path: Path, pattern: str) -> None:
    pictures(tmp_path, [f"img_{k:04d}.png" for k in range(3)] + ["other_0001.png"])
    assert brightness(Video(tmp_path / pattern)) == [0, 1, 2]
    assert video_name(tmp_path / pattern) == "img"


def test_a_file_whose_name_looks_like_a_pattern_is_that_file(tmp_path: Path) -> None:
    pictures(tmp_path, ["f%d.png", "f1.png", "f2.png"])
    assert brightness(Video(tmp_path / "f%d.png")) == [0]


def test_a_picture_that_cannot_be_read_leaves_a_gap(tmp_path: Path) -> None:
    folder = pictures(tmp_path / "walk", [f"{k}.png" for k in range(5)])
    (folder / "2.png").write_bytes(b"no picture")
    video = Video(folder, Reading(fps=10))
    assert [frame.time for frame in video.frames()] == [0, Fraction(1, 10), Fraction(3, 10), Fraction(4, 10)]
    assert video.damage is not None and "1 of its 5 pictures cannot be decoded" in video.damage


@pytest.mark.parametrize("name", ["empty", "img_%04d.jpg", "*.png"])
def test_no_pictures_at_all(tmp_path: Path, name: str) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(VideoError, match="picture"):
        Video(tmp_path / name)


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("https://example.org/walk.mp4", "https://example.org/walk.mp4 is an address .*Download the file first"),
        ("rtsp://camera/1", "is an address .*Record a part of it first"),
        ("0", "If you mean a camera"),
        ("walk.mp4", "There is no file walk.mp4"),
    ],
)
def test_what_is_no_file_is_told_apart(name: str, told: str) -> None:
    with pytest.raises(VideoError, match=told):
        Video(name)


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("#EXTM3U\n#EXTINF:1,\nclip.ts\n", "is a playlist"),
        ("ffconcat version 1.0\nfile clip.ts\n", "list of files to join"),
        ("file 'clip.ts'\n", "list of files to join"),
        ('<?xml version="1.0"?><MPD><Period/></MPD>', "manifest of a stream"),
        ("just words\n" * 9, "is a text file"),
    ],
)
def test_what_names_other_files_is_not_followed(tmp_path: Path, content: str, told: str) -> None:
    write_clip(tmp_path / "clip.ts", steady(5))
    (tmp_path / "list.mp4").write_text(content)
    with pytest.raises(VideoError, match=told):
        Video(tmp_path / "list.mp4")


def test_a_stream_without_times_has_the_rate_that_is_given(tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "clip.h264", steady(6))
    assert [frame.time for frame in Video(clip, Reading(fps=10)).frames()] == steady(6, 10)
    video = Video(clip)
    assert [frame.time for frame in video.frames()] == steady(6, 25)
    assert "25 frames per second are assumed" in video.notes[0]


def test_a_rate_for_a_file_with_times_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="Leave out --fps"):
        Video(write_clip(tmp_path / "clip.mp4", steady(3)), Reading(fps=10))


@pytest.mark.parametrize(
    ("fps", "interval"), [(29.97, Fraction(1001, 30000)), (25, Fraction(1, 25)), (12.5, Fraction(2, 25))]
)
def test_rates_are_exact(fps: float, interval: Fraction) -> None:
    assert Reading(fps=fps).interval == interval


def test_pictures_of_another_size_are_fitted_and_told(tmp_path: Path) -> None:
    folder = pictures(tmp_path / "walk", ["1.png", "2.png"])
    cv2.imwrite(str(folder / "3.png"), np.full((40, 20, 3), 200, np.uint8))
    video = Video(folder, Reading(fps=10))
    last = list(video.frames())[-1].image
    assert last.shape == (48, 64, 3)
    assert (last[:, :20] == 0).all() and (last[:, 44:] == 0).all() and (last[:, 21:43] == 200).all()
    assert "changes its size from 64 × 48 to 20 × 40 at 0.20 s" in video.notes[0]


def test_fitting_keeps_the_shape() -> None:
    image = fitted(quarters(64, 48), (64, 96))
    assert (image[:24] == 0).all() and (image[72:] == 0).all()
    np.testing.assert_array_equal(image[24:72], quarters(64, 48))


def test_limits(tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "clip.mp4", steady(50))
    video = Video(clip, Reading(max_duration=1))
    assert len(list(video.frames())) == 25
    assert video.damage is None and "only its first 1 s were used" in video.notes[0]
    with pytest.raises(VideoError, match="--max-pixels"):
        Video(clip, Reading(max_pixels=1000))


@pytest.mark.parametrize("wrong", [{"fps": 0}, {"fps": float("nan")}, {"max_duration": 0}, {"max_pixels": 0}])
def test_limits_out_of_range_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(SettingsError, match="Give"):
        Reading(**wrong)  # type: ignore[arg-type]


def test_the_most_confident_people_are_kept() -> None:
    boxes = np.tile([0.0, 0, 9, 9], (4, 1))
    people = People(3, np.zeros((4, 17, 2)), np.ones((4, 17)), boxes, np.array([0.2, 0.9, 0.3, 0.8]))
    assert most_confident(people, 2).confidence.tolist() == [0.9, 0.8]
    assert most_confident(people, 4) is people
    with pytest.raises(SettingsError, match="--max-people"):
        TrackingSettings(max_people=0)
