import os
import sys
import tracemalloc
from collections.abc import Generator
from fractions import Fraction
from itertools import islice, pairwise
from pathlib import Path

import imageio_ffmpeg
import numpy as np
import pytest

from kinelift.app.video import Video
from tests.clips import NTSC, Tone, quarters, steady, write_clip

LOSSLESS = {"codec": "ffv1", "pixels": "bgr0"}


def corners(image):
    """The colours of the four corners: top left, top right, bottom left, bottom right."""
    return np.array([image[y, x] for y in (4, -5) for x in (4, -5)], int)


def expect_corners(image, expected, tolerance=6):
    assert np.abs(corners(image) - corners(expected)).max() <= tolerance


def times(video):
    return [frame.time for frame in video.frames()]


@pytest.mark.parametrize("rate", [NTSC, 25, Fraction(24000, 1001), 60], ids=str)
def test_frame_times_are_exact(tmp_path, rate):
    clip = write_clip(tmp_path / "clip.mp4", steady(40, rate), clock=(1 / Fraction(rate)).denominator)
    frames = list(Video(clip).frames())
    assert [frame.time for frame in frames] == steady(40, rate)
    assert [frame.index for frame in frames] == list(range(40))
    assert all(isinstance(frame.time, Fraction) for frame in frames)


def test_variable_frame_rate_is_kept(tmp_path):
    uneven = [Fraction(n, 90_000) for n in np.cumsum(np.random.default_rng(0).integers(1, 20_000, 30)).tolist()]
    video = Video(write_clip(tmp_path / "clip.mp4", uneven, container_options={"movie_timescale": "90000"}))
    assert times(video) == [time - uneven[0] for time in uneven]
    assert video.start == uneven[0]


@pytest.mark.parametrize("start", [Fraction(3), Fraction(1, 5)], ids=str)
def test_times_start_at_the_first_picture_wherever_the_file_puts_it(tmp_path, start):
    video = Video(write_clip(tmp_path / "clip.mkv", [start + time for time in steady(20)]))
    assert times(video) == steady(20)
    assert video.start == start


def test_repeated_time_stamps_are_mended(tmp_path):
    repeated = [Fraction(n, 25) for n in (0, 1, 1, 2, 3)]
    got = times(Video(write_clip(tmp_path / "clip.mkv", repeated, **LOSSLESS)))
    assert [got[i] for i in (0, 1, 3, 4)] == [repeated[i] for i in (0, 1, 3, 4)]
    assert all(early < late for early, late in pairwise(got))


def test_an_edit_list_hides_what_it_cuts(tmp_path):
    whole = write_clip(
        tmp_path / "whole.mp4", steady(50), images=(np.full((48, 64, 3), 4 * i, np.uint8) for i in range(50))
    )
    cut = tmp_path / "cut.mp4"
    ffmpeg = imageio_ffmpeg.get_ffmpeg_exe()
    os.spawnv(os.P_WAIT, ffmpeg, [ffmpeg, "-loglevel", "error", "-ss", "1", "-i", str(whole), "-c", "copy", str(cut)])
    frames = list(Video(cut).frames())
    assert [frame.time for frame in frames] == steady(25)
    assert abs(float(frames[0].image.mean()) - 100) < 3


@pytest.mark.parametrize(
    ("name", "how"),
    [
        ("clip.webm", {"codec": "libvpx-vp9"}),
        ("clip.mkv", {"codec": "ffv1"}),
        ("clip.avi", {"codec": "mpeg4", "clock": 25}),
        ("clip.mov", {"codec": "png", "pixels": "rgb24"}),
        ("clip.ts", {"codec": "libx264"}),
        ("clip.gif", {"codec": "gif", "pixels": "rgb8", "clock": 100}),
        ("clip.h264", {"codec": "libx264"}),
    ],
)
def test_containers(tmp_path, name, how):
    video = Video(write_clip(tmp_path / name, steady(10), **how))
    frames = list(video.frames())
    assert [frame.time for frame in frames] == steady(10)
    assert video.end == Fraction(10, 25)
    assert video.damage is None
    expect_corners(frames[0].image, quarters(), tolerance=40 if name.endswith("gif") else 6)


@pytest.mark.parametrize("turns", [0, 1, 2, 3])
@pytest.mark.parametrize("mirrored", [False, True])
def test_pictures_come_upright(tmp_path, turns, mirrored):
    video = Video(write_clip(tmp_path / "clip.mp4", steady(3), rotation=90 * turns, hflip=mirrored))
    expected = np.rot90(quarters(), -turns)
    expected = expected[:, ::-1] if mirrored else expected
    image = next(video.frames()).image
    assert image.shape == expected.shape == (video.height, video.width, 3)
    expect_corners(image, expected)
    assert (video.summary.rotation, video.summary.mirrored) == (90 * turns, mirrored)


@pytest.mark.parametrize(
    ("aspect", "rotation", "size"),
    [
        (Fraction(16, 11), 0, (93, 48)),
        (Fraction(1, 2), 0, (64, 96)),
        (Fraction(1, 2), 90, (96, 64)),
        (Fraction(100), 0, (64, 48)),
    ],
)
def test_pixels_come_square(tmp_path, aspect, rotation, size):
    video = Video(write_clip(tmp_path / "clip.mp4", steady(2), pixel_aspect=aspect, rotation=rotation))
    assert (video.width, video.height) == size
    image = next(video.frames()).image
    assert image.shape == (size[1], size[0], 3)
    expect_corners(image, np.rot90(quarters(), -rotation // 90))


@pytest.mark.parametrize(
    ("codec", "pixels"),
    [("ffv1", "yuv420p"), ("ffv1", "yuv444p"), ("ffv1", "yuv420p10le"), ("ffv1", "bgr0")],
)
def test_odd_sizes_and_deep_pixels(tmp_path, codec, pixels):
    video = Video(write_clip(tmp_path / "clip.mkv", steady(2), codec=codec, pixels=pixels, size=(65, 47)))
    image = next(video.frames()).image
    assert (video.width, video.height) == (65, 47)
    assert image.dtype == np.uint8
    expect_corners(image, quarters(65, 47))


@pytest.mark.parametrize(("codec", "pixels"), [("qtrle", "argb"), ("ffv1", "yuva420p"), ("png", "rgba")])
def test_transparency_lies_over_black(tmp_path, codec, pixels):
    half = np.dstack([quarters(), np.full((48, 64), 128, np.uint8)])
    clip = write_clip(
        tmp_path / f"clip.{'mkv' if codec == 'ffv1' else 'mov'}",
        steady(2),
        codec=codec,
        pixels=pixels,
        images=[half, half],
        image_layout="rgba",
    )
    expect_corners(next(Video(clip).frames()).image, quarters() // 2)


def test_grey(tmp_path):
    image = next(Video(write_clip(tmp_path / "clip.mkv", steady(2), codec="ffv1", pixels="gray")).frames()).image
    assert image.shape == (48, 64, 3)
    assert (image[..., 0] == image[..., 1]).all() and (image[..., 1] == image[..., 2]).all()
    assert corners(image)[3, 0] > corners(image)[1, 0] > corners(image)[0, 0] > corners(image)[2, 0]


def test_drawing_on_a_frame_leaves_the_next_ones_alone(tmp_path):
    still = [quarters()] * 5
    clip = write_clip(tmp_path / "clip.mov", steady(5), codec="qtrle", pixels="rgb24", images=still)
    for frame in Video(clip).frames():
        assert (frame.image == quarters()).all()
        frame.image[:] = 0


def test_frames_can_be_read_again(tmp_path):
    video = Video(write_clip(tmp_path / "clip.mp4", steady(12)))
    assert times(video) == times(video) == steady(12)


def test_cover_art_is_not_the_picture(tmp_path):
    clip = write_clip(tmp_path / "clip.mp4", steady(5))
    cover = write_clip(tmp_path / "cover.png", [Fraction(0)], codec="png", pixels="rgb24", size=(500, 500))
    both = tmp_path / "both.mp4"
    ffmpeg = imageio_ffmpeg.get_ffmpeg_exe()
    command = f"-loglevel error -i {cover} -i {clip} -map 0 -map 1 -c copy -disposition:v:0 attached_pic {both}"
    os.spawnv(os.P_WAIT, ffmpeg, [ffmpeg, *command.split()])
    video = Video(both)
    assert (video.width, video.height) == (64, 48)
    assert times(video) == steady(5)


def test_a_stream_without_duration_or_frame_count(tmp_path):
    video = Video(write_clip(tmp_path / "clip.mkv", steady(9), container_options={"live": "1"}))
    assert video.summary.duration is None and video.summary.frames is None
    assert times(video) == steady(9)
    assert video.end == Fraction(9, 25)


def test_the_end_is_known_after_a_whole_pass_only(tmp_path):
    video = Video(write_clip(tmp_path / "clip.mp4", steady(9), last=Fraction(1, 2), options={"bf": "0"}))
    list(islice(video.frames(), 3))
    assert video.end is None
    list(video.frames())
    assert video.end == Fraction(8, 25) + Fraction(1, 2)


def test_any_file_name(tmp_path):
    clip = write_clip(tmp_path / "clip.mp4", steady(3))
    for name in ("with space é.mp4", "%03d.mp4", "-dash.mp4", "http:x.mp4"):
        if sys.platform != "win32" or ":" not in name:
            assert times(Video(clip.rename(tmp_path / name))) == steady(3)
            clip = tmp_path / name


def noisy(count, size=(160, 120)):
    rng = np.random.default_rng(0)
    return (rng.integers(0, 256, (size[1], size[0], 3), np.uint8) for _ in range(count))


@pytest.mark.skipif(not Path("/proc/self/fdinfo").is_dir(), reason="looks at open files through /proc")
def test_reading_is_lazy_and_lets_go_of_the_file(tmp_path):
    clip = write_clip(tmp_path / "clip.mp4", steady(100), codec="mpeg4", clock=1000, size=(160, 120), images=noisy(100))
    video = Video(clip)

    def position():
        for link in Path("/proc/self/fd").iterdir():
            if link.exists() and link.resolve() == clip:
                return int(Path("/proc/self/fdinfo", link.name).read_text().split()[1])
        return None

    assert position() is None
    frames = video.frames()
    assert isinstance(frames, Generator)
    assert position() is None
    next(frames)
    assert position() < clip.stat().st_size / 2
    frames.close()
    assert position() is None


def test_memory_does_not_grow_with_length(tmp_path):
    def peak(count):
        video = Video(write_clip(tmp_path / f"{count}.mp4", steady(count), size=(160, 120)))
        tracemalloc.start()
        for _ in video.frames():
            pass
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return peak

    peak(2)
    assert peak(200) < peak(20) + 160 * 120 * 3


def test_summary(tmp_path):
    clip = write_clip(
        tmp_path / "clip.mp4",
        steady(30, NTSC),
        clock=30_000,
        last=1 / NTSC,
        rotation=90,
        sound=Tone(length=Fraction(1)),
    )
    summary = Video(clip).summary
    assert (summary.codec, summary.pixel_format, summary.audio) == ("h264", "yuv420p", "aac")
    assert (summary.stored, summary.upright, summary.rotation) == ((64, 48), (48, 64), 90)
    assert (summary.nominal_rate, summary.mean_rate, summary.variable_rate) == (NTSC, NTSC, False)
    assert (summary.frames, summary.duration) == (30, 30 / NTSC)
    assert summary.lines()["size"] == "48 × 64 (stored 64 × 48)"
    uneven = write_clip(tmp_path / "uneven.mp4", [Fraction(n, 25) for n in (0, 1, 2, 3, 4, 9, 20, 21, 30)])
    assert Video(uneven).summary.variable_rate is True
