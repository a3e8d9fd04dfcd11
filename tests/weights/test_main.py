"""The command line: what it prints and the status it exits with."""

import subprocess
import sys
from pathlib import Path

import pytest

from kinelift.__main__ import main
from kinelift.weights import commands, registry
from kinelift.weights.sources import Shipped, Url
from tests.weights.conftest import CONTENT, entry_for


@pytest.fixture
def toy(tmp_path: Path, server: str, monkeypatch: pytest.MonkeyPatch) -> Path:
    """One registered entry, fetched from the local server into the folder that is returned."""
    path = tmp_path / "registry.json"
    path.write_text("{}")
    (tmp_path / "content").write_bytes(CONTENT)
    registry.record(entry_for(Url(f"{server}/good")), tmp_path / "content", path)
    monkeypatch.setattr(registry, "REGISTRY", path)
    monkeypatch.setenv("KINELIFT_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def test_fetch_then_list_then_verify(toy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["weights", "verify"]) == 0
    assert main(["weights", "verify", "toy"]) == 1
    assert main(["weights", "fetch", "toy"]) == 0
    assert (toy / "toy.bin").read_bytes() == CONTENT
    capsys.readouterr()
    assert main(["weights", "list"]) == 0
    assert main(["weights", "verify", "toy"]) == 0
    out = capsys.readouterr().out
    assert "toy: ready" in out and "Apache-2.0" in out


def test_damaged_file_fails_verify_without_names(toy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    toy.mkdir()
    (toy / "toy.bin").write_bytes(b"half")
    assert main(["weights", "verify"]) == 1
    shown = capsys.readouterr()
    assert "toy: damaged" in shown.out and "kinelift weights fetch toy" in shown.err


def test_fetch_needs_known_names(toy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["weights", "fetch"]) == 1
    assert main(["weights", "fetch", "toy", "nobody"]) == 1
    assert "Unknown weights 'nobody'" in capsys.readouterr().err
    assert not toy.exists(), "nothing is downloaded before all names are known"


def test_record(toy: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(commands, "FILES", tmp_path)
    told = ["--summary", "s", "--trained-on", "t", "--measured", "m"]
    assert main(["weights", "record", "mine", "absent.safetensors", *told]) == 1
    (tmp_path / "mine.safetensors").write_bytes(b"net")
    assert main(["weights", "record", "mine", "mine.safetensors", *told]) == 0
    made = registry.entry("mine")
    assert (made.size, made.source, made.measured) == (3, Shipped(), "m")


def test_program_exits_1_without_traceback(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "kinelift", "weights", "fetch", "no-such"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert done.stderr.startswith("error: Unknown weights 'no-such'") and "Traceback" not in done.stderr
