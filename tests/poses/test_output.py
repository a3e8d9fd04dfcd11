import os
import stat
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from kinelift.poses import exchange
from kinelift.poses.errors import OutputError
from kinelift.poses.output import replacing, replacing_folder

ROOT = Path(__file__).resolve().parents[2]


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


class TestReplacing:
    def test_the_file_is_as_any_other_that_the_user_makes(self, tmp_path: Path) -> None:
        (tmp_path / "plain").write_text("")
        with replacing(tmp_path / "a.txt") as part:
            part.write_text("new")
        assert names(tmp_path) == ["a.txt", "plain"] and (tmp_path / "a.txt").read_text() == "new"
        modes = {stat.S_IMODE((tmp_path / name).stat().st_mode) for name in names(tmp_path)}
        assert len(modes) == 1

    @pytest.mark.parametrize("error", [OSError(28, "No space left on device"), KeyboardInterrupt(), ValueError()])
    def test_a_failure_keeps_the_earlier_file(self, tmp_path: Path, error: BaseException) -> None:
        (tmp_path / "a.txt").write_text("old")
        with (
            pytest.raises(OutputError if isinstance(error, OSError) else type(error)),
            replacing(tmp_path / "a.txt") as p,
        ):
            p.write_text("half")
            raise error
        assert names(tmp_path) == ["a.txt"] and (tmp_path / "a.txt").read_text() == "old"

    def test_a_planted_link_is_not_followed(self, tmp_path: Path) -> None:
        (tmp_path / "mine").write_text("mine")
        (tmp_path / "a.txt.part").symlink_to(tmp_path / "mine")
        (tmp_path / "a.txt").symlink_to(tmp_path / "mine")
        with replacing(tmp_path / "a.txt") as part:
            part.write_text("new")
        assert (tmp_path / "mine").read_text() == "mine" and (tmp_path / "a.txt").read_text() == "new"

    def test_nobody_else_can_write_into_the_temporary_folder(self, tmp_path: Path) -> None:
        with replacing(tmp_path / "a.txt") as part:
            assert stat.S_IMODE(part.parent.stat().st_mode) == 0o700
            part.write_text("new")

    def test_two_at_the_same_time_do_not_mix(self, tmp_path: Path) -> None:
        with replacing(tmp_path / "a.txt") as first, replacing(tmp_path / "a.txt") as second:
            first.write_text("first")
            second.write_text("second")
            assert first != second
        assert names(tmp_path) == ["a.txt"] and (tmp_path / "a.txt").read_text() == "first"

    def test_many_at_the_same_time(self, tmp_path: Path) -> None:
        def write(number: int) -> None:
            with replacing(tmp_path / "a.txt") as part:
                part.write_text(f"{number}" * 1000)

        with ThreadPoolExecutor(8) as threads:
            list(threads.map(write, range(64)))  # raises what a write raised
        assert names(tmp_path) == ["a.txt"]
        assert (tmp_path / "a.txt").read_text() in {f"{number}" * 1000 for number in range(64)}

    @pytest.mark.parametrize("name", ["ä" * 120, "x" * 250, os.fsdecode(b"caf\xe9.npz"), "a[1]*?.txt"])
    def test_any_name(self, tmp_path: Path, name: str) -> None:
        for _ in range(2):
            with replacing(tmp_path / name) as part:
                part.write_text("new")
        assert names(tmp_path) == [name]

    def test_what_a_killed_program_left_is_removed(self, tmp_path: Path) -> None:
        program = f"""
import os, signal
from pathlib import Path
from kinelift.poses.output import replacing
with replacing(Path({str(tmp_path / "a.txt")!r})) as part:
    part.write_text("half")
    os.kill(os.getpid(), signal.SIGKILL)
"""
        subprocess.run([sys.executable, "-c", program], env={**os.environ, "PYTHONPATH": str(ROOT)}, check=False)
        (left,) = names(tmp_path)
        assert left.startswith(".a.txt.") and left.endswith(".part")
        with replacing(tmp_path / "a.txt") as part:
            part.write_text("new")
        assert names(tmp_path) == ["a.txt"]

    def test_folders_that_are_not_ours_stay(self, tmp_path: Path) -> None:
        (tmp_path / ".a.txt.notes.part").mkdir()
        (tmp_path / ".a.txt.notes.part" / "mine").write_text("mine")
        with replacing(tmp_path / "a.txt") as part:
            part.write_text("new")
        assert (tmp_path / ".a.txt.notes.part" / "mine").read_text() == "mine"


class TestReplacingFolder:
    @pytest.fixture(params=["in one step", "in two steps"], autouse=True)
    def system(self, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
        if request.param == "in two steps":
            monkeypatch.setattr(exchange, "_exchange", lambda a, b: False)

    def test_the_earlier_folder_is_replaced(self, tmp_path: Path) -> None:
        for text in ("old", "new"):
            with replacing_folder(tmp_path / "k", lambda name: True) as folder:
                (folder / f"{text}.txt").write_text(text)
        assert names(tmp_path) == ["k"] and names(tmp_path / "k") == ["new.txt"]

    def test_what_a_program_killed_between_the_steps_had_moved_is_put_back(self, tmp_path: Path) -> None:
        left = tmp_path / ".k.1234.part"
        (left / "old" / "k").mkdir(parents=True)
        (left / "old" / "k" / "mine").write_text("mine")
        (left / "lock").touch()
        with pytest.raises(OutputError, match="also holds mine"), replacing_folder(tmp_path / "k", lambda name: False):
            pass
        assert names(tmp_path) == ["k"] and names(tmp_path / "k") == ["mine"]

    def test_a_link_to_a_folder_stays_a_link(self, tmp_path: Path) -> None:
        (tmp_path / "there").mkdir()
        (tmp_path / "k").symlink_to(tmp_path / "there")
        with replacing_folder(tmp_path / "k", lambda name: True) as folder:
            (folder / "new.txt").write_text("new")
        assert (tmp_path / "k").is_symlink() and names(tmp_path / "there") == ["new.txt"]
