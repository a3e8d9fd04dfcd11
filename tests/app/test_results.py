"""Which folder results go to, who may write there, and what is in it at any moment."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from kinelift.app.results import RESULTS, claim, result_name
from kinelift.poses import exchange
from kinelift.poses.errors import OutputError, VideoError

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "out"


def video(folder: Path, name: str, content: str = "") -> Path:
    """A file that stands for a video: to choose a folder only its name and its content count."""
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content or name)
    return path


def analyse(path: Path, out: Path, text: str = "results", taken: tuple[str, ...] = ()) -> Path:
    """Write results as an analysis does, and return their folder."""
    with claim(path, out, taken) as folder:
        with folder.new_results() as new:
            for name in RESULTS:
                (new / name).write_text(text)
        return folder.path


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


class TestWhichFolder:
    def test_the_same_video_keeps_its_folder_and_another_one_gets_its_own(self, tmp_path: Path, out: Path) -> None:
        first, second = video(tmp_path, "cam1/walk.mp4"), video(tmp_path, "cam2/walk.mp4")
        for _ in range(2):
            assert analyse(first, out, "first") == out / "walk"
            assert analyse(second, out, "second") == out / "walk-2"
        assert analyse(second, out, "second") == out / "walk-2" and analyse(first, out, "first") == out / "walk"
        assert names(out) == ["walk", "walk-2"]
        assert (out / "walk" / "recording.npz").read_text() == "first"

    def test_it_says_why_a_folder_has_another_name(self, tmp_path: Path, out: Path) -> None:
        analyse(video(tmp_path, "cam1/walk.mp4"), out)
        with claim(video(tmp_path, "cam1/walk.mp4"), out) as folder:
            assert folder.note is None
        with claim(video(tmp_path, "cam2/walk.mp4"), out) as folder:
            assert (
                folder.note is not None and "holds other results" in folder.note and str(out / "walk-2") in folder.note
            )

    def test_a_video_that_has_changed_is_another_one(self, tmp_path: Path, out: Path) -> None:
        assert analyse(video(tmp_path, "walk.mp4", "before"), out) == out / "walk"
        assert analyse(video(tmp_path, "walk.mp4", "after"), out) == out / "walk-2"

    def test_a_video_that_was_moved_is_the_same_one(self, tmp_path: Path, out: Path) -> None:
        assert analyse(video(tmp_path, "a/walk.mp4", "it"), out) == analyse(video(tmp_path, "b/walk.mp4", "it"), out)

    def test_results_that_do_not_say_what_they_are_of_stay(self, tmp_path: Path, out: Path) -> None:
        for damage in (None, "{", '{"name": 1}'):
            folder = out / "walk"
            folder.mkdir(parents=True, exist_ok=True)
            (folder / "overlay.mp4").write_text("mine")
            if damage:
                (folder / ".source.json").write_text(damage)
            assert analyse(video(tmp_path, "walk.mp4"), out) == out / "walk-2"
        assert (out / "walk" / "overlay.mp4").read_text() == "mine"

    def test_a_folder_without_results_is_free(self, tmp_path: Path, out: Path) -> None:
        (out / "walk").mkdir(parents=True)
        (out / "walk" / "notes.txt").write_text("mine")
        assert analyse(video(tmp_path, "walk.mp4"), out) == out / "walk"
        assert names(out / "walk") == sorted([".source.json", "notes.txt", *RESULTS])

    def test_a_gap_in_the_numbers_moves_nothing(self, tmp_path: Path, out: Path) -> None:
        paths = [video(tmp_path, f"cam{k}/walk.mp4") for k in range(3)]
        folders = [analyse(path, out) for path in paths]
        for path in (out / "walk-2").iterdir():
            path.unlink()
        (out / "walk-2").rmdir()
        assert analyse(paths[2], out) == folders[2] == out / "walk-3"
        assert analyse(paths[1], out) == out / "walk-2"

    def test_videos_of_one_command_never_share_a_folder(self, tmp_path: Path, out: Path) -> None:
        taken: tuple[str, ...] = ()
        for name in ("a/x.mp4", "b/x.mp4", "x-2.mp4", "X.mov", "y.mp4", "x-2.avi"):
            taken = (*taken, analyse(video(tmp_path, name, "all the same"), out, taken=taken).name)
        assert len({name.casefold() for name in taken}) == 6
        assert taken == ("x", "x-2", "x-2-2", "X-3", "y", "x-2-3")

    @pytest.mark.parametrize(("name", "expected"), [("...mp4", "video"), ("a.b.mp4", "a.b"), ("é.mp4", "é")])
    def test_names_do_not_lead_out_of_the_folder(self, tmp_path: Path, out: Path, name: str, expected: str) -> None:
        assert result_name(Path(name)) == expected
        assert analyse(video(tmp_path, name), out) == out / expected

    @pytest.mark.parametrize(
        "name", ["x" * 240 + ".mp4", os.fsdecode(b"caf\xe9.mp4"), "a[1]*?.mp4", "-o.mp4", "new\nline.mp4"]
    )
    def test_any_name(self, tmp_path: Path, out: Path, name: str) -> None:
        path = video(tmp_path, name, "content")
        for _ in range(2):
            assert analyse(path, out).name == path.stem
        assert names(out) == [path.stem]
        assert analyse(video(tmp_path / "other", name, "more"), out).name == f"{path.stem}-2"

    def test_a_video_that_cannot_be_read_and_a_file_in_the_way(self, tmp_path: Path, out: Path) -> None:
        with pytest.raises(VideoError, match="cannot be read"):
            analyse(tmp_path / "missing.mp4", out)
        out.mkdir()
        (out / "walk").write_text("mine")
        with pytest.raises(OutputError, match="cannot be made"):
            analyse(video(tmp_path, "walk.mp4"), out)
        assert (out / "walk").read_text() == "mine" and names(out) == ["walk"]


class TestAnotherProgram:
    def test_the_same_video_is_refused_and_it_says_who_has_it(self, tmp_path: Path, out: Path) -> None:
        path = video(tmp_path, "walk.mp4")
        with (
            claim(path, out),
            pytest.raises(OutputError, match=f"process {os.getpid()} on .*since 2"),
            claim(path, out),
        ):
            pass
        assert analyse(path, out) == out / "walk" and names(out) == ["walk"]

    def test_another_video_goes_elsewhere(self, tmp_path: Path, out: Path) -> None:
        with (
            claim(video(tmp_path, "cam1/walk.mp4"), out) as first,
            claim(video(tmp_path, "cam2/walk.mp4"), out) as second,
        ):
            assert (first.path, second.path) == (out / "walk", out / "walk-2") and second.note

    def test_a_killed_one_holds_nothing(self, tmp_path: Path, out: Path) -> None:
        path = video(tmp_path, "walk.mp4")
        program = f"""
import os, signal
from pathlib import Path
from kinelift.app.results import claim
with claim(Path({str(path)!r}), Path({str(out)!r})) as folder, folder.new_results() as new:
    (new / "recording.npz").write_text("half")
    os.kill(os.getpid(), signal.SIGKILL)
"""
        subprocess.run([sys.executable, "-c", program], env={**os.environ, "PYTHONPATH": str(ROOT)}, check=False)
        assert names(out) == [".walk.part"]
        assert analyse(path, out) == out / "walk" and names(out) == ["walk"]

    def test_a_checkpoint_of_another_video_stays(self, tmp_path: Path, out: Path) -> None:
        first, second = video(tmp_path, "cam1/walk.mp4"), video(tmp_path, "cam2/walk.mp4")
        with claim(first, out) as folder:
            folder.checkpoint.mkdir()
            (folder.checkpoint / "0.npz").write_text("found so far")
        assert analyse(second, out) == out / "walk-2"
        with claim(first, out) as folder:
            assert (folder.checkpoint / "0.npz").read_text() == "found so far"
            folder.forget_checkpoint()
        assert names(out) == ["walk-2"]

    def test_a_planted_link_is_refused(self, tmp_path: Path, out: Path) -> None:
        (tmp_path / "mine").mkdir()
        out.mkdir()
        (out / ".walk.part").symlink_to(tmp_path / "mine")
        with pytest.raises(OutputError, match="is a link"):
            analyse(video(tmp_path, "walk.mp4"), out)
        assert names(tmp_path / "mine") == []


class TestReplacement:
    @pytest.fixture(params=["in one step", "in two steps"], autouse=True)
    def system(self, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
        if request.param == "in two steps":
            monkeypatch.setattr(exchange, "_exchange", lambda a, b: False)

    def test_what_users_added_stays(self, tmp_path: Path, out: Path) -> None:
        path = video(tmp_path, "walk.mp4")
        folder = analyse(path, out, "old")
        (folder / "notes.txt").write_text("mine")
        (folder / "cut" / "deep").mkdir(parents=True)
        (folder / "cut" / "overlay.mp4").write_text("mine")
        (folder / "nowhere").symlink_to("gone")
        folder.chmod(0o750)
        analyse(path, out, "new")
        assert names(folder) == sorted([".source.json", "cut", "notes.txt", "nowhere", *RESULTS])
        assert (folder / "notes.txt").read_text() == (folder / "cut" / "overlay.mp4").read_text() == "mine"
        assert (folder / "cut" / "deep").is_dir() and (folder / "nowhere").is_symlink()
        assert {(folder / name).read_text() for name in RESULTS} == {"new"}
        assert folder.stat().st_mode & 0o777 == 0o750 and names(out) == ["walk"]

    @pytest.mark.parametrize("error", [KeyboardInterrupt(), OutputError("No."), ValueError()])
    @pytest.mark.parametrize("written", [0, 3, 5])
    def test_a_failure_leaves_the_earlier_results_together(
        self, tmp_path: Path, out: Path, error: BaseException, written: int
    ) -> None:
        path = video(tmp_path, "walk.mp4")
        folder = analyse(path, out, "old")
        with pytest.raises(type(error)), claim(path, out) as claimed, claimed.new_results() as new:
            for name in RESULTS[:written]:
                (new / name).write_text("new")
            raise error
        assert {(folder / name).read_text() for name in RESULTS} == {"old"} and names(out) == ["walk"]

    def test_a_first_run_that_fails_leaves_what_is_complete(self, tmp_path: Path, out: Path) -> None:
        with (
            pytest.raises(OutputError, match=r"out/walk/overlay\.mp4 cannot be written"),
            claim(video(tmp_path, "walk.mp4"), out) as claimed,
            claimed.new_results() as new,
        ):
            (new / "recording.npz").write_text("new")
            raise OutputError(f"{new}/overlay.mp4 cannot be written")
        assert names(out / "walk") == [".source.json", "recording.npz"] and names(out) == ["walk"]

    def test_a_link_to_a_folder_stays_a_link(self, tmp_path: Path, out: Path) -> None:
        (tmp_path / "disk").mkdir()
        out.mkdir()
        (out / "walk").symlink_to(tmp_path / "disk")
        for text in ("old", "new"):
            analyse(video(tmp_path, "walk.mp4"), out, text)
        assert (out / "walk").is_symlink() and (tmp_path / "disk" / "overlay.mp4").read_text() == "new"

    def test_earlier_results_that_a_killed_run_had_moved_are_put_back(self, tmp_path: Path, out: Path) -> None:
        path = video(tmp_path, "walk.mp4")
        folder = analyse(path, out, "old")
        (out / ".walk.part").mkdir()
        folder.rename(out / ".walk.part" / "old")
        with claim(path, out) as claimed:
            assert claimed.path == folder and (folder / "overlay.mp4").read_text() == "old"
