"""The program on odd terminals: other encodings, odd names, a Ctrl-C while it starts, output that nobody takes."""

import os
import pty
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest

from kinelift.poses.recording import load
from tests.clips import steady, write_clip
from tests.end_to_end.programs import ROOT, run, start

ASCII = [{"PYTHONIOENCODING": "ascii"}, {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}]
ODD = ["clip[bold].mp4", "a[/red]b.mp4", "x\x1b[31m\ny.mp4", "tänzer ×.mp4", "日本.mp4", os.fsdecode(b"caf\xe9.mp4")]
COMMANDS = [["--help"], ["--version"], ["run", "--help"], ["weights", "list"], ["weights", "verify", "default"]]


@pytest.mark.parametrize("variables", ASCII)
@pytest.mark.parametrize("arguments", [*COMMANDS, ["recognition", "--help"]])
def test_output_in_a_locale_without_unicode(tmp_path: Path, variables: dict[str, str], arguments: list[str]) -> None:
    done = run(*arguments, folder=tmp_path, **variables)
    assert done.returncode == 0 and done.stderr == "" and done.stdout.isascii()


@pytest.mark.parametrize("variables", [{}, *ASCII, {"PYTHONIOENCODING": "cp1252"}])
def test_videos_with_odd_names(tmp_path: Path, variables: dict[str, str]) -> None:
    clip = write_clip(tmp_path / "clip.mp4", steady(10), size=(160, 120))
    for name in ODD:
        (tmp_path / name.replace("/", "-")).write_bytes(clip.read_bytes())
    names = [name.replace("/", "-") for name in ODD]
    process = start("tests.end_to_end.doubled", "nowhere", "run", *names, "no[b].mp4", folder=tmp_path, **variables)
    out, err = process.communicate()
    assert process.returncode == 1 and "Traceback" not in err
    lines = out.splitlines()
    assert len(lines) == len(names) and all(line.endswith("2 people in 10 frames") for line in lines)
    assert lines[0].startswith(f"out{os.sep}clip[bold]: ") and r"x\x1b[31m\ny: " in lines[2]
    assert "no file no[b].mp4" in err and "\x1b" not in out + err
    for name in names:
        assert len(load(tmp_path / "out" / Path(name).stem / "recording.npz").people) == 2


@pytest.mark.parametrize("variables", ASCII)
def test_progress_on_a_real_terminal_without_unicode(tmp_path: Path, variables: dict[str, str]) -> None:
    for name in ODD[-2:]:
        write_clip(tmp_path / name, steady(10), size=(160, 120))
    ours, its = pty.openpty()
    command = [sys.executable, "-m", "tests.end_to_end.doubled", "nowhere", "run", *ODD[-2:]]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "TERM": "xterm", **variables}
    with subprocess.Popen(command, cwd=tmp_path, env=environment, stdout=its, stderr=its) as process:
        os.close(its)
        said = _read_all(ours)
    assert process.returncode == 0 and b"Traceback" not in said and b"2 people in 10 frames" in said


def _read_all(terminal: int) -> bytes:
    """Everything that is printed to a terminal until its last program has ended."""
    said = b""
    with suppress(OSError):  # how Linux says that nobody is left
        while text := os.read(terminal, 65536):
            said += text
    os.close(terminal)
    return said


@pytest.mark.parametrize(("module", "arguments"), [
    ("torch", ["run", "clip.mp4"]), ("torch", ["lifting", "--help"]), ("tyro", ["run", "--help"]),
    ("numpy", ["weights", "list"]),
])  # fmt: skip
def test_ctrl_c_while_it_imports(tmp_path: Path, module: str, arguments: list[str]) -> None:
    write_clip(tmp_path / "clip.mp4", steady(2), size=(160, 120))
    (tmp_path / f"{module}.py").write_text("import os, signal\nos.kill(os.getpid(), signal.SIGINT)\nsignal.pause()\n")
    done = run(*arguments, folder=tmp_path)
    assert (done.returncode, done.stdout) == (130, "")
    assert done.stderr == "error: Interrupted. Complete results are kept.\n"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full on this system")
@pytest.mark.parametrize("arguments", COMMANDS)
def test_standard_output_on_a_full_disk_is_one_line(tmp_path: Path, arguments: list[str]) -> None:
    with Path("/dev/full").open("w") as full:
        done = _into(full.fileno(), arguments, tmp_path)
    assert done.returncode == 1
    assert done.stderr.startswith("error: Standard output cannot be written") and done.stderr.count("\n") == 1


@pytest.mark.parametrize("arguments", COMMANDS)
def test_a_pipe_that_nobody_reads_is_quiet(tmp_path: Path, arguments: list[str]) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    done = _into(writing, arguments, tmp_path)
    os.close(writing)
    assert (done.returncode, done.stderr) == (141, "")


def _into(output: int, arguments: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "kinelift", *arguments]
    return subprocess.run(
        command, cwd=folder, env=environment, stdout=output, stderr=subprocess.PIPE, text=True, check=False
    )
