import re
from fractions import Fraction
from random import Random

import numpy as np
import pytest

from kinelift.app.video import Video
from kinelift.app.video.losses import FrameTimes, StatedLength, fewer_frames, find_gaps, shortfall
from kinelift.poses.errors import VideoError
from tests.app.damage import COUNT, DAMAGES, RATE, moving_clip, renumbered, zeroed
from tests.clips import Tone, steady, write_clip

FORMATS = [
    ("clip.mp4", "libx264"),
    ("clip.mkv", "libx264"),
    ("clip.ts", "libx264"),
    ("clip.flv", "libx264"),
    ("clip.avi", "mpeg4"),
    ("clip.webm", "libvpx"),
    ("clip.mpg", "mpeg2video"),
]


def read(path):
    """How many frames a video has, and what is said about it."""
    video = Video(path)
    count = sum(1 for _ in video.frames())
    return count, video.damage or " ".join(video.notes)


@pytest.mark.parametrize(("name", "codec"), FORMATS)
def test_a_sound_file_is_complete_and_nothing_is_said(tmp_path, name, codec):
    assert read(moving_clip(tmp_path / name, codec=codec)) == (COUNT, "")


@pytest.mark.parametrize("damage", DAMAGES, ids=lambda damage: damage.__name__)
@pytest.mark.parametrize(("name", "codec"), FORMATS)
def test_no_loss_is_silent(tmp_path, name, codec, damage):
    data = moving_clip(tmp_path / name, codec=codec).read_bytes()
    states_its_length = not (damage.__name__ == "shortened" and name.endswith(("ts", "mpg")))
    for seed in range(4):
        (tmp_path / name).write_bytes(damage(data, Random(seed)))
        try:
            count, told = read(tmp_path / name)
        except VideoError:
            continue
        assert told or count > 0.95 * COUNT or not states_its_length


@pytest.mark.parametrize("seed", range(6))
def test_a_transport_stream_is_read_past_zeros(tmp_path, seed):
    data = moving_clip(tmp_path / "clip.ts").read_bytes()
    (tmp_path / "clip.ts").write_bytes(zeroed(data, Random(seed)))
    count, told = read(tmp_path / "clip.ts")
    assert count > 0.75 * COUNT
    assert "no pictures from" in told


def test_a_transport_stream_goes_on_under_other_numbers(tmp_path):
    data = moving_clip(tmp_path / "clip.ts").read_bytes()
    half = len(data) // 2 // 188 * 188
    (tmp_path / "clip.ts").write_bytes(data[:half] + renumbered(data[half:]))
    video = Video(tmp_path / "clip.ts")
    times = [frame.time for frame in video.frames()]
    assert len(times) > 0.85 * COUNT  # up to the next keyframe, pictures have nothing to build on
    assert abs(times[-1] - Fraction(COUNT - 1, RATE)) < Fraction(1, RATE)


def test_sound_that_goes_on_under_another_number_is_told(tmp_path):
    data = moving_clip(tmp_path / "clip.ts", sound=Tone(length=Fraction(10))).read_bytes()
    assert read(tmp_path / "clip.ts") == (COUNT, "")
    half = len(data) // 2 // 188 * 188
    (tmp_path / "clip.ts").write_bytes(data[:half] + renumbered(data[half:]))
    video = Video(tmp_path / "clip.ts")
    times = [float(frame.time) for frame in video.frames()]
    (note,) = video.notes
    at = float(re.search(r"goes on under other stream numbers at ([0-9.]+) s\. From there on, sound", note)[1])
    assert at == pytest.approx(5.0, abs=0.6) and any(abs(at - time) < 0.01 for time in times)


def test_pictures_that_the_decoder_gives_too_late_do_not_shift_those_after_them(tmp_path):
    data = moving_clip(tmp_path / "clip.mp4").read_bytes()
    for seed in range(6):
        (tmp_path / "clip.mp4").write_bytes(zeroed(data, Random(seed)))
        last = max(frame.time for frame in Video(tmp_path / "clip.mp4").frames())
        assert last <= Fraction(COUNT, RATE)


def test_a_stream_that_appears_on_the_way_ends_nothing(tmp_path):
    """Sound that comes as a surprise: neither the flags of the FLV header nor its table names it."""
    clip = moving_clip(tmp_path / "clip.flv", sound=Tone("libmp3lame", start=Fraction(8), length=Fraction(1)))
    content = clip.read_bytes().replace(b"audiocodecid", b"audiocodecxx")
    flags = 4
    clip.write_bytes(content[:flags] + b"\x01" + content[flags + 1 :])
    assert Video(clip).audio is None
    count, told = read(clip)
    assert count == COUNT and "such as sound that begins late. It is left out" in told


def test_a_file_whose_pictures_all_fail_ends_in_an_error(tmp_path):
    clip = write_clip(tmp_path / "clip.mov", steady(5), codec="png", pixels="rgb24")
    video = Video(clip)
    clip.write_bytes(clip.read_bytes().replace(b"\x89PNG", b"\x00PNG"))
    with pytest.raises(VideoError, match="No frame of"):
        list(video.frames())


def frame_times(times, duration=1 / 30):
    found = FrameTimes()
    for time in times:
        found.add(Fraction(time).limit_denominator(10**6), Fraction(duration).limit_denominator(10**6))
    return found


def test_gaps_are_counted_and_located():
    times = np.arange(300) / 30
    gaps = find_gaps(frame_times(times[(times < 3) | (times >= 5)]))
    assert gaps.missing == 60
    assert gaps.noteworthy
    ((start, end),) = gaps.spans
    assert (round(start, 2), round(end, 2)) == (3.0, 5.0)


def test_a_pause_that_the_file_states_is_no_gap():
    times = frame_times([0, 0.1, 0.2, 5, 5.1, 5.2])
    times.durations[2] = 4.8
    assert find_gaps(times).missing == 0


def test_an_uneven_rate_is_no_gap():
    rng = np.random.default_rng(0)
    assert not find_gaps(frame_times(np.cumsum(rng.exponential(0.2, 300)))).noteworthy


@pytest.mark.parametrize(
    ("end", "stated", "told"),
    [
        (10, StatedLength(Fraction(10), True, False), False),
        (9, StatedLength(Fraction(10), True, False), True),
        (9, StatedLength(Fraction(10), False, False), False),
        (8, StatedLength(Fraction(10), False, False), True),
        (8, StatedLength(None, False, False), False),
        (8, StatedLength(Fraction(10), True, True), False),  # the first frame is at 2 s
    ],
)
def test_a_stated_length_is_compared(end, stated, told):
    assert (shortfall(Fraction(end), Fraction(2), Fraction(1, 30), stated) is not None) == told


def test_the_number_of_frames_that_an_index_states_is_compared():
    times = frame_times(np.arange(240) / 30)
    assert fewer_frames(times, Fraction(1, 30), 300) == "it has 240 pictures, but the file states 300"
    assert fewer_frames(times, Fraction(1, 30), 242) is None
    assert fewer_frames(times, Fraction(1, 600), 4800) is None, "the index counts ticks"
