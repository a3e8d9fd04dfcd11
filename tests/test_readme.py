"""What the README and the first pages show is run: console and Python blocks, shapes, make and docker lines."""

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
README = (ROOT / "README.md").read_text(encoding="utf-8")
PYTHON = (ROOT / "docs/reference/python.md").read_text(encoding="utf-8")
FIRST_PAGES = [README] + [
    (ROOT / f"docs/start/{page}.md").read_text(encoding="utf-8")
    for page in ("install", "first-video", "own-keypoints", "own-actions")
]
GPU = (ROOT / "docs/how-to/run-on-a-gpu.md").read_text(encoding="utf-8")
SHAPES = re.findall(r"^\| `((?:recording|person)[\w.]+)` \| \(([^)]*)\) \|", PYTHON, re.MULTILINE)


def blocks(page: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)


def commands(block: str) -> list[tuple[str, str]]:
    """(command, what it prints according to the page; empty = the page does not say)."""
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


def test_readme_is_short() -> None:
    assert len(README.split()) < 700


@pytest.mark.parametrize("page", [*FIRST_PAGES, GPU])
def test_every_block_is_of_a_kind_that_is_tested(page: str) -> None:
    kinds = re.findall(r"^```(\w*)\n.*?^```$", page, re.MULTILINE | re.DOTALL)
    assert set(kinds) <= {"console", "python", "sh"}
    assert page.count("```") == 2 * len(kinds)


def test_console_blocks_run(folder: Path, subtests: pytest.Subtests) -> None:
    programs = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    shown_commands = [pair for page in FIRST_PAGES for block in blocks(page, "console") for pair in commands(block)]
    assert len(shown_commands) > 5
    for command, shown in shown_commands:
        with subtests.test(command):
            done = subprocess.run(
                command, shell=True, cwd=folder, env={**os.environ, "PATH": programs, "OMP_NUM_THREADS": "1"},
                stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
            )  # fmt: skip
            assert done.returncode == 0, done.stderr + done.stdout
            assert not shown or done.stdout == shown


@pytest.mark.parametrize("page", [README, PYTHON], ids=["README", "python.md"])
def test_python_blocks_run_and_shapes_are_as_tabled(folder: Path, monkeypatch: pytest.MonkeyPatch, page: str) -> None:
    monkeypatch.chdir(folder)
    (program,) = blocks(page, "python")
    names: dict[str, Any] = {}
    exec(program, names)  # the page's own text
    people = names["recording"].people
    assert people and all(person.poses is not None for person in people)
    frames = len(names["recording"].video.times)
    for person in people:
        sizes = {"T": len(person.track), "frames": frames}
        for expression, shape in SHAPES:
            value = eval(expression, {**names, "person": person})
            tabled = tuple(sizes.get(word) or int(word) for word in shape.replace(",", " ").split())
            assert value.shape == tabled, expression


def test_shapes_are_tabled() -> None:
    assert {expression.split(".")[1] for expression, _ in SHAPES} == {"video", "track", "poses"}


def test_make_lines_name_real_targets() -> None:
    targets = re.findall(r"^make ([\w-]+)", "".join(blocks(README, "sh")), re.MULTILINE)
    assert targets
    environment = {k: v for k, v in os.environ.items() if not k.startswith("MAKE")}
    subprocess.run(["make", "--dry-run", *targets], cwd=ROOT, env=environment, check=True, capture_output=True)


def test_docker_lines_run_the_image_that_they_build() -> None:
    text = "".join(blocks(GPU, "sh"))
    (built,) = re.findall(r"^docker build -t (\S+) \.$", text, re.MULTILINE)
    runs = re.findall(r"^docker run (?:--rm |--gpus all |-v \S+ )+(\S+) (\w+) ", text, re.MULTILINE)
    assert len(runs) == text.count("docker run ") and set(runs) == {(built, "run")}
