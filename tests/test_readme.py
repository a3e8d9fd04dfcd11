"""What the README shows is run: console and Python blocks, the shapes it tables, its make and docker lines."""

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from kinelift.poses.errors import WeightsError
from kinelift.weights.store import fetch

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text()
BLOCKS = re.findall(r"^```(\w*)\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)
SHAPES = re.findall(r"^\| `((?:recording|person)[\w.]+)` \| \(([^)]*)\) \|", README, re.MULTILINE)


def blocks(language: str) -> list[str]:
    return [text for kind, text in BLOCKS if kind == language]


def commands(block: str) -> list[tuple[str, str]]:
    """(command, what it prints according to the README; empty = the README does not say)."""
    return re.findall(r"^\$ (.*)\n((?:(?!\$ ).*\n)*)", block, re.MULTILINE)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the weights at hand and a second of the sample clip, half size, as ``dance.mp4``."""
    from imageio_ffmpeg import get_ffmpeg_exe

    try:
        clip = fetch("sample-clip")
        fetch("movenet-multipose")
        fetch("blazepose-full")
    except WeightsError as error:
        pytest.skip(f"the README's commands need weights and the sample clip: {error}")
    path = tmp_path_factory.mktemp("readme")
    cut = ["-ss", "2", "-t", "1", "-i", str(clip), "-vf", "scale=iw/2:-2", "-c:a", "copy", str(path / "dance.mp4")]
    subprocess.run([get_ffmpeg_exe(), "-loglevel", "error", *cut], check=True)
    return path


def test_every_block_is_of_a_kind_that_is_tested() -> None:
    assert {kind for kind, _ in BLOCKS} == {"console", "python", "sh"}
    assert README.count("```") == 2 * len(BLOCKS)


def test_console_blocks_run(folder: Path, subtests: pytest.Subtests) -> None:
    programs = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    for command, shown in (pair for block in blocks("console") for pair in commands(block)):
        with subtests.test(command):
            done = subprocess.run(
                command, shell=True, cwd=folder, env={**os.environ, "PATH": programs, "OMP_NUM_THREADS": "1"},
                stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
            )  # fmt: skip
            assert done.returncode == 0, done.stderr + done.stdout
            assert not shown or done.stdout == shown


def test_python_block_runs_and_shapes_are_as_tabled(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    (program,) = blocks("python")
    names: dict[str, Any] = {}
    exec(program, names)  # the README's own text
    assert names["recording"].people
    frames = len(names["recording"].video.times)
    for person in names["recording"].people:
        sizes = {"T": len(person.track), "frames": frames}
        for expression, shape in SHAPES:
            value = eval(expression, {**names, "person": person})
            tabled = tuple(sizes.get(word) or int(word) for word in shape.replace(",", " ").split())
            assert value.shape == tabled, expression


def test_shapes_are_tabled() -> None:
    assert {expression.split(".")[1] for expression, _ in SHAPES} == {"video", "track", "poses"}


def test_make_lines_name_real_targets() -> None:
    targets = re.findall(r"^make ([\w-]+)", "".join(blocks("sh")), re.MULTILINE)
    assert targets
    environment = {k: v for k, v in os.environ.items() if not k.startswith("MAKE")}
    subprocess.run(["make", "--dry-run", *targets], cwd=ROOT, env=environment, check=True, capture_output=True)


def test_docker_lines_run_the_image_that_they_build() -> None:
    text = "".join(blocks("sh"))
    (built,) = re.findall(r"^docker build -t (\S+) \.$", text, re.MULTILINE)
    ((run, command),) = re.findall(r"^docker run (?:--rm |--gpus all |-v \S+ )+(\S+) (\w+) ", text, re.MULTILINE)
    assert (run, command) == (built, "run")
