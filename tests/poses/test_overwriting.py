import os
import shutil
from pathlib import Path

import pytest

from kinelift.poses.errors import OutputError
from kinelift.poses.overwriting import check_arguments, check_outputs


@pytest.fixture
def source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "in.npz"
    path.write_text("content")
    return path


def test_names_do_not_matter(source: Path) -> None:
    os.link(source, "hard.npz")
    Path("soft.npz").symlink_to(source)
    for name in ("in.npz", "./in.npz", "../" + source.parent.name + "/in.npz", "hard.npz", "soft.npz"):
        for pair in ((Path(name), source), (source, Path(name))):
            with pytest.raises(OutputError, match="would be overwritten"):
                check_outputs([Path("new"), pair[0]], [Path("missing"), pair[1]])


def test_a_copy_and_a_new_file_may_be_written(source: Path) -> None:
    shutil.copy(source, "copy.npz")
    check_outputs([Path("copy.npz"), Path("new/folder/file")], [source, Path("missing")])


def test_a_full_disk_is_told_before(source: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda path: shutil._ntuple_diskusage(10**9, 0, 5 * 10**6))
    check_outputs([Path("deep/er/out.mp4")], [source], size=4e6)
    with pytest.raises(OutputError, match=r"out\.mp4 needs about 6 MB or more, and its disk has 5 MB left"):
        check_outputs([Path("deep/er/out.mp4")], [source], size=6e6)


def test_arguments_of_a_command(source: Path) -> None:
    check_arguments({"data": source, "out": Path("new"), "rate": 5.0, "report": None})
    for arguments in ({"files": (Path("a"), source), "out": source}, {"data": source, "figure": Path("in.npz")}):
        with pytest.raises(OutputError, match="would be overwritten"):
            check_arguments(arguments)


def test_every_command_needs_a_little_space(source: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda path: shutil._ntuple_diskusage(10**9, 0, 10**6))
    with pytest.raises(OutputError, match=r"keys\.json needs about 4 MB or more, and its disk has 1 MB left"):
        check_arguments({"data": source, "out": Path("keys.json")})
