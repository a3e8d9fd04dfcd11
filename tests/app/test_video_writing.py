import os
import signal
import stat
import subprocess
import sys
import textwrap
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from kinelift.app.video import Video, VideoWriter
from kinelift.poses.errors import OutputError, ShapeError
from tests.clips import NTSC, Tone, contents, quarters, steady, write_clip

UNEVEN = [Fraction(n, 90_000) for n in np.cumsum(np.random.default_rng(1).integers(1, 10_000, 40)).tolist()]


def rewrite(source, out):
    """Read all of ``source`` and write it as ``out``."""
    video = Video(source)
    with VideoWriter(out, video.width, video.height, audio_from=video) as writer:
        for frame in video.frames():
            writer.write(frame.image, frame.time)
    return contents(out)


def from_zero(times):
    return [time - times[0] for time in times]


@pytest.mark.parametrize(
    ("name", "times", "clock"),
    [
        ("ntsc.mp4", steady(60, NTSC), 30_000),
        ("film.mp4", steady(20, Fraction(24_000, 1001)), 24_000),
        ("pal.avi", steady(20, 25), 25),
        ("coarse.mp4", steady(20, 30), 30),
        ("uneven.mp4", UNEVEN, 90_000),
        ("uneven.mkv", UNEVEN, 90_000),
        ("late.ts", [3 + time for time in steady(20)], 90_000),
        ("single.mp4", [Fraction(0)], 90_000),
        ("slow.mp4", [Fraction(0), Fraction(3), Fraction(7)], 90_000),
    ],
)
def test_frame_times_survive_exactly_and_the_end_too(tmp_path, name, times, clock):
    codec = "mpeg4" if name.endswith("avi") else "libx264"
    clip = write_clip(tmp_path / name, times, clock=clock, codec=codec, last=Fraction(1, 5))
    source, written = contents(clip), rewrite(clip, tmp_path / "out.mp4")
    assert written.times == from_zero(source.times)
    assert written.picture_end == source.picture_end - source.times[0]
    assert written.pixels == "yuv420p"


@pytest.mark.parametrize(
    ("name", "codec", "written_codec"),
    [
        ("clip.mp4", "aac", "aac"),
        ("clip.mp4", "mp3", "mp3float"),
        ("clip.mp4", "ac3", "ac3"),
        ("clip.ts", "aac", "aac"),
        ("clip.mov", "pcm_s16le", "aac"),
        ("clip.mkv", "flac", "aac"),
        ("clip.mkv", "libopus", "aac"),
    ],
)
def test_sound_is_copied_where_mp4_players_know_it(tmp_path, name, codec, written_codec):
    tone = Tone(codec, length=Fraction(2), click=Fraction(1))
    clip = write_clip(tmp_path / name, steady(50), sound=tone)
    written = rewrite(clip, tmp_path / "out.mp4")
    assert written.sound_codec == written_codec
    assert written.sound_end == pytest.approx(2, abs=0.04)
    assert written.loudest == pytest.approx(1, abs=0.005)
    assert written.times == steady(50)
    assert written.picture_end == 2


@pytest.mark.parametrize(
    ("ending", "picture", "sound"),
    [
        ("mkv", 0, Fraction(1, 2)),
        ("mkv", 3, 2),
        ("mp4", 0, Fraction(1, 2)),
        ("mp4", Fraction(1, 2), 0),
        ("ts", 3, 3),
    ],
    ids=str,
)
def test_sound_stays_in_step(tmp_path, ending, picture, sound):
    tone = Tone(start=Fraction(sound), length=Fraction(3), click=picture + Fraction(1))
    clip = write_clip(tmp_path / f"clip.{ending}", [picture + time for time in steady(50)], sound=tone)
    source, written = contents(clip), rewrite(clip, tmp_path / "out.mp4")
    assert written.times[0] == 0
    assert written.loudest == pytest.approx(source.loudest - float(source.times[0]), abs=0.005)
    assert written.sound_start >= -0.001


def test_a_damaged_source_keeps_what_is_left_of_its_sound(tmp_path):
    rng = np.random.default_rng(0)
    images = (rng.integers(0, 256, (96, 128, 3), np.uint8) for _ in range(100))
    clip = write_clip(
        tmp_path / "clip.mp4", steady(100), codec="mpeg4", clock=1000, size=(128, 96), images=images,
        sound=Tone(length=Fraction(4)), container_options={"movflags": "faststart"},
    )  # fmt: skip
    clip.write_bytes(clip.read_bytes()[: clip.stat().st_size // 2])
    written = rewrite(clip, tmp_path / "out.mp4")
    assert 30 < len(written.times) < 70
    assert written.sound_end == pytest.approx(float(written.picture_end), abs=0.5)


def test_without_a_source_usual_rates_stay_exact(tmp_path):
    for rate in (24, 25, 30, 48, 50, 60, 120, NTSC, Fraction(24_000, 1001), Fraction(60_000, 1001)):
        out = tmp_path / "out.mp4"
        with VideoWriter(out, 64, 48) as writer:
            for moment in steady(7, rate):
                writer.write(quarters(), moment)
        written = contents(out)
        assert written.times == steady(7, rate)
        assert written.picture_end == 7 / Fraction(rate)
        assert written.sound_codec is None


def test_odd_sides_become_even_and_colours_stay(tmp_path):
    with VideoWriter(tmp_path / "out.mp4", 65, 47) as writer:
        writer.write(quarters(65, 47), Fraction(0))
    video = Video(tmp_path / "out.mp4")
    image = next(video.frames()).image.astype(int)
    assert (video.width, video.height) == (66, 48)
    assert np.abs(image[4, 4] - quarters()[4, 4]).max() < 8
    assert np.abs(image[47, 65] - quarters()[47, 63]).max() < 8


def test_the_index_stands_in_front(tmp_path):
    silent = tmp_path / "silent.mp4"
    with VideoWriter(silent, 64, 48) as writer:
        writer.write(quarters(), Fraction(0))
    rewrite(write_clip(tmp_path / "clip.mp4", steady(5), sound=Tone()), tmp_path / "out.mp4")
    for path in (silent, tmp_path / "out.mp4"):
        data = path.read_bytes()
        assert 0 < data.index(b"moov") < data.index(b"mdat")


def test_images_may_be_reused_and_need_not_be_contiguous(tmp_path):
    canvas = np.zeros((48, 128, 3), np.uint8)
    with VideoWriter(tmp_path / "out.mp4", 64, 48) as writer:
        for i in range(5):
            canvas[:] = 40 * i
            writer.write(canvas[:, ::2], Fraction(i, 25))
    means = [frame.image.mean() for frame in Video(tmp_path / "out.mp4").frames()]
    assert means == pytest.approx([0, 40, 80, 120, 160], abs=4)


def test_times_closer_than_the_clock_still_increase(tmp_path):
    with VideoWriter(tmp_path / "out.mp4", 64, 48) as writer:
        for i in range(3):
            writer.write(quarters(), Fraction(i, 10**9))
    assert contents(tmp_path / "out.mp4").times == [Fraction(i, 720_000) for i in range(3)]


def test_an_exception_leaves_nothing_but_the_earlier_result(tmp_path):
    out = tmp_path / "out.mp4"
    out.write_bytes(b"earlier")
    for kind in (ValueError, KeyboardInterrupt):
        with pytest.raises(kind), VideoWriter(out, 64, 48) as writer:
            writer.write(quarters(), Fraction(0))
            writer.write(quarters(), Fraction(1))
            raise kind
        assert list(tmp_path.iterdir()) == [out]
        assert out.read_bytes() == b"earlier"


def test_no_picture_is_an_error(tmp_path):
    with pytest.raises(OutputError, match="no image"), VideoWriter(tmp_path / "out.mp4", 64, 48):
        pass
    assert list(tmp_path.iterdir()) == []


def test_a_picture_of_another_size_is_an_error(tmp_path):
    with pytest.raises(ShapeError, match="64 × 48"), VideoWriter(tmp_path / "out.mp4", 64, 48) as writer:
        writer.write(quarters(48, 64), Fraction(0))
    assert list(tmp_path.iterdir()) == []


def test_a_missing_folder_is_an_error(tmp_path):
    with pytest.raises(OutputError, match="Create its folder"), VideoWriter(tmp_path / "no" / "out.mp4", 64, 48):
        pass


@pytest.mark.skipif(sys.platform == "win32", reason="permissions are those of POSIX")
def test_a_folder_that_may_not_be_written(tmp_path):
    if os.access("/", os.W_OK):
        folder = Path("/proc/self")  # even root may not write here
        if not folder.is_dir():
            pytest.skip("root may write everywhere")
    else:
        folder = tmp_path
        folder.chmod(stat.S_IRUSR | stat.S_IXUSR)
    with pytest.raises(OutputError, match=r"out\.mp4 cannot be written"), VideoWriter(folder / "out.mp4", 64, 48):
        pass


def test_a_missing_encoder_is_an_error(tmp_path, monkeypatch):
    monkeypatch.setattr("kinelift.app.video.encoder._ENCODER", "no-such-encoder")
    with pytest.raises(OutputError, match="without no-such-encoder"), VideoWriter(tmp_path / "out.mp4", 64, 48):
        pass
    assert list(tmp_path.iterdir()) == []


def test_a_missing_ffmpeg_is_told_before_the_first_picture(tmp_path, monkeypatch):
    video = Video(write_clip(tmp_path / "clip.mp4", steady(5), sound=Tone()))
    monkeypatch.setenv("PATH", str(tmp_path))

    def missing():
        raise RuntimeError

    monkeypatch.setattr("imageio_ffmpeg.get_ffmpeg_exe", missing)
    with (
        pytest.raises(OutputError, match="ffmpeg, which adds the audio to the video, is missing"),
        VideoWriter(tmp_path / "out.mp4", 64, 48, video),
    ):
        pass
    assert list(tmp_path.iterdir()) == [video.path]


def test_without_its_sound_the_video_is_kept_and_ffmpegs_last_word_is_told(tmp_path):
    video = Video(write_clip(tmp_path / "clip.mp4", steady(5), sound=Tone()))
    with VideoWriter(tmp_path / "out.mp4", video.width, video.height, audio_from=video) as writer:
        for frame in video.frames():
            writer.write(frame.image, frame.time)
        video.path.unlink()
    (note,) = video.notes
    assert "has no sound" in note and "No such file" in note
    assert list(tmp_path.iterdir()) == [tmp_path / "out.mp4"]
    assert (contents(tmp_path / "out.mp4").times, contents(tmp_path / "out.mp4").sound_codec) == (steady(5), None)


def write_in_a_process(folder, count, body="", waits_at=None):
    """A Python process that writes ``count`` noisy frames (about 14 kB each) into ``folder``, after ``body``.

    Once frame ``waits_at`` is written, it waits for a signal.
    """
    code = f"""
        import signal
        import sys
        from fractions import Fraction
        import numpy as np
        from kinelift.app.video import Video, VideoWriter
        from kinelift.poses.errors import OutputError
        source = None
        {body.strip()}
        rng = np.random.default_rng(0)
        try:
            with VideoWriter({str(folder / "out.mp4")!r}, 128, 96, audio_from=source) as writer:
                for i in range({count}):
                    writer.write(rng.integers(0, 256, (96, 128, 3), np.uint8), Fraction(i, 25))
                    print(i, flush=True)
                    if i == {waits_at}:
                        signal.pause()
        except OutputError as error:
            sys.exit(str(error))
    """
    return subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(code)],
        cwd=Path(__file__).parents[2],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.skipif(sys.platform == "win32", reason="limits file sizes as POSIX does")
@pytest.mark.parametrize("count", [200, 5], ids=["while encoding", "while adding sound"])
def test_a_full_disk_is_told_and_leaves_nothing(tmp_path, count):
    clip = write_clip(tmp_path / "clip.mp4", steady(5), sound=Tone(codec="ac3", length=Fraction(16)))
    out = tmp_path / "out"
    out.mkdir()
    (out / "out.mp4").write_bytes(b"earlier")
    limit = f"""
        import resource
        source = Video({str(clip)!r})
        resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000))
    """
    with write_in_a_process(out, count, limit) as process:
        _, complaint = process.communicate()
    assert process.returncode == 1
    assert ("out.mp4 cannot be written" if count == 200 else "clip.mp4 could not be added") in complaint
    assert "Traceback" not in complaint
    assert list(out.iterdir()) == [out / "out.mp4"]
    assert (out / "out.mp4").read_bytes() == b"earlier"


@pytest.mark.skipif(sys.platform == "win32", reason="interrupts as POSIX does")
def test_ctrl_c_leaves_nothing(tmp_path):
    with write_in_a_process(tmp_path, 400, waits_at=20) as process:
        assert "20\n" in process.stdout
        assert [path.name for path in tmp_path.iterdir()] != [], "the half file is there"
        process.send_signal(signal.SIGINT)
        _, complaint = process.communicate()
    assert "KeyboardInterrupt" in complaint
    assert list(tmp_path.iterdir()) == []
