"""``kinelift`` itself: its help, its version, its groups, and the names that they had before."""

import re
import sys
from importlib import import_module
from pathlib import Path

import pytest

import kinelift
from kinelift.__main__ import ANALYSIS, GROUPS, main
from tests.end_to_end.programs import run, start

NAMES = {
    "weights": ["list", "fetch", "verify", "record", "import"],
    "lifting": ["prepare", "convert", "train", "specialists", "evaluate", "relift"],
    "recognition": ["convert", "search", "train", "evaluate", "encode"],
}
EVERY = [[name] for name in ANALYSIS] + [[group, name] for group, names in NAMES.items() for name in names]


def test_help_names_every_command_and_two_examples(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == 0
    told = capsys.readouterr().out
    assert "Turn videos of people into 3D poses" in told and told.count("\n  kinelift ") == 2
    for words in EVERY:
        assert re.search(rf"^  {words[0]} .*{words[-1] if len(words) == 2 else ''}", told, re.MULTILINE), words
    assert set(GROUPS) == set(NAMES)


def test_help_needs_no_networks_and_no_numbers(tmp_path: Path) -> None:
    done = run("--help", folder=tmp_path, PYTHONPROFILEIMPORTTIME="1")
    imported = set(re.findall(r"\| +(\S+)$", done.stderr, re.MULTILINE))
    assert done.returncode == 0 and "kinelift.terminal.boundary" in imported
    assert not imported & {"torch", "numpy", "tyro", "rich", "kinelift.app", "kinelift.lifting"}


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"kinelift {kinelift.__version__}\n"
    assert re.fullmatch(r"\d+(\.\d+)+|0\+unknown", kinelift.__version__)


@pytest.mark.parametrize("arguments", [[], ["dance.mp4"], ["x\x1b[31m"]])
def test_no_command_and_unknown_ones(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(arguments) == 2
    said = capsys.readouterr()
    assert said.out == "" and said.err.startswith("usage: kinelift") and "\x1b" not in said.err


@pytest.mark.parametrize("words", EVERY, ids=" ".join)
def test_help_of_every_command_is_plain(
    words: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    assert main([*words, "--help"]) == 0
    told = capsys.readouterr().out
    joined = re.sub(r"\W+", " ", told)
    assert told.startswith(f"usage: kinelift {' '.join(words)}")
    assert "`" not in told and "default None" not in joined and "default │" not in told and "python m" not in joined
    assert not re.search(r"\(default: *\)", told)


@pytest.mark.parametrize(("old", "now", "command"), [
    ("app", "kinelift", "info"),
    ("weights", "kinelift weights", "list"), ("kinelift.weights", "kinelift weights", "list"),
    ("lifting", "kinelift lifting", "relift"), ("recognition", "kinelift recognition", "encode"),
])  # fmt: skip
def test_the_old_names_run_with_a_notice(old: str, now: str, command: str) -> None:
    root = Path(__file__).resolve().parents[1]
    process = start(old, command, "--help", folder=root)
    out, err = process.communicate()
    assert process.returncode == 0 and out.startswith(f"usage: {now} {command}")
    assert err == f"python -m {old.split('.')[-1]} is deprecated and will be removed in the next release; use: {now}\n"


def test_the_public_names() -> None:
    assert set(kinelift.__all__) <= set(dir(kinelift))
    for name in kinelift.__all__:
        assert getattr(kinelift, name) is not None
    assert kinelift.Pipeline is import_module("kinelift.app.pipeline").Pipeline
    with pytest.raises(AttributeError, match="no attribute 'walk'"):
        _ = kinelift.walk


def test_importing_it_imports_no_networks(tmp_path: Path) -> None:
    (tmp_path / "script.py").write_text("import sys, kinelift\nprint('torch' in sys.modules, 'numpy' in sys.modules)\n")
    out, _ = start("script", folder=tmp_path).communicate()
    assert out == "False False\n"
    assert "kinelift" in sys.modules
