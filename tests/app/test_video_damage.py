from fractions import Fraction

import numpy as np
import pytest

from kinelift.app.video import Video
from kinelift.poses.errors import VideoError
from tests.clips import Tone, steady, write_clip, write_sound


def refused(path):
    with pytest.raises(VideoError) as refusal:
        Video(path)
    message = str(refusal.value)
    assert str(path) in message
    return message


def noisy_clip(path, **how):
    rng = np.random.default_rng(0)
    images = (rng.integers(0, 256, (96, 128, 3), np.uint8) for _ in range(100))
    return write_clip(path, steady(100), codec="mpeg4", size=(128, 96), images=images, **how)


def cut(path, share=0.5):
    data = path.read_bytes()
    path.write_bytes(data[: int(share * len(data))])
    return path


def test_missing_file(tmp_path):
    assert "There is no file" in refused(tmp_path / "clip.mp4")


def test_folder(tmp_path):
    assert "folder" in refused(tmp_path)


def test_empty_file(tmp_path):
    (tmp_path / "clip.mp4").touch()
    assert "empty" in refused(tmp_path / "clip.mp4")


@pytest.mark.parametrize("content", [b"hello\n" * 100, bytes(5000), b"#EXTM3U\n#EXTINF:1,\nhttp://127.0.0.1:9/a.ts\n"])
def test_something_else_named_mp4(tmp_path, content):
    (tmp_path / "clip.mp4").write_bytes(content)
    assert "not a video" in refused(tmp_path / "clip.mp4")


def test_a_text_file_is_not_shown_as_characters(tmp_path):
    (tmp_path / "notes.txt").write_text("hello\n" * 100)
    assert "text file" in refused(tmp_path / "notes.txt")


def test_an_mp4_cut_before_its_index(tmp_path):
    assert "moov" in refused(cut(write_clip(tmp_path / "clip.mp4", steady(50))))


@pytest.mark.parametrize("ending", ["m4a", "mp3", "wav"])
def test_sound_only(tmp_path, ending):
    tone = Tone({"m4a": "aac", "mp3": "mp3", "wav": "pcm_s16le"}[ending])
    assert "only audio" in refused(write_sound(tmp_path / f"clip.{ending}", tone))


def test_unknown_codec(tmp_path):
    clip = write_clip(tmp_path / "clip.mp4", steady(5))
    clip.write_bytes(clip.read_bytes().replace(b"avc1", b"zzzz"))
    assert "no decoder" in refused(clip)


def test_not_one_picture_can_be_decoded(tmp_path):
    clip = write_clip(tmp_path / "clip.mov", steady(5), codec="png", pixels="rgb24")
    clip.write_bytes(clip.read_bytes().replace(b"\x89PNG", b"\x00PNG"))
    assert "No frame" in refused(clip)


@pytest.mark.parametrize(
    ("name", "how"),
    [
        ("clip.mp4", {"clock": 1000, "container_options": {"movflags": "faststart"}}),
        ("clip.mkv", {"clock": 1000}),
        ("clip.avi", {"clock": 25}),
    ],
)
def test_a_file_cut_in_the_middle_is_read_up_to_there(tmp_path, name, how):
    video = Video(cut(noisy_clip(tmp_path / name, **how)))
    assert video.damage is None
    frames = list(video.frames())
    assert 30 < len(frames) < 70
    assert [frame.time for frame in frames] == steady(len(frames))
    assert video.damage is not None
    assert Fraction(1) < video.end < Fraction(3)


def test_packets_that_cannot_be_decoded_are_left_out(tmp_path):
    clip = write_clip(tmp_path / "clip.mov", steady(5), codec="png", pixels="rgb24")
    data = clip.read_bytes()
    third = [i for i in range(len(data)) if data.startswith(b"\x89PNG", i)][2]
    clip.write_bytes(data[:third] + b"\x00" + data[third + 1 :])
    video = Video(clip)
    assert [frame.time * 25 for frame in video.frames()] == [0, 1, 3, 4]
    assert video.damage == "1 of its 5 pictures cannot be decoded; no pictures from 0.08 to 0.12 s"


def test_a_file_that_vanishes_between_passes(tmp_path):
    video = Video(write_clip(tmp_path / "clip.mp4", steady(3)))
    video.path.unlink()
    with pytest.raises(VideoError, match="There is no file"):
        next(video.frames())
