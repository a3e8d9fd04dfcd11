"""Typed functions as commands: what their help says, and what they are called with."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

import pytest
import tyro

from kinelift.terminal.parsing import run_command


@dataclass(frozen=True)
class Base:
    """What ``all`` runs have. Raises ``SettingsError`` for others.

    Raises ``DataError`` never.
    """

    rate: float | None = None
    """Frames a second
    (as the file says, if nothing is given)."""
    names: tuple[str, ...] = ()
    """Some ``names``."""


@dataclass(frozen=True)
class Run(Base):
    """A run.

    Args:
        steps: How many.
    """

    steps: int = 3
    weights: dict[str, float] = field(default_factory=dict)


CALLS: list[tuple[object, ...]] = []


def train(
    data: tyro.conf.Positional[Path], settings: Annotated[Run, tyro.conf.arg(name="")] = Run(), base: Base = Base()
) -> int:
    """Train on ``data``, which is
    (perhaps) long.

    Args:
        data: What ``prepare`` wrote, or
            ``convert``.
        settings: The run.

    Returns:
        For Python only.
    """
    CALLS.append((data, settings, base))
    return 7


def other() -> None:
    """Another one."""


def run(*arguments: str) -> int | None:
    return run_command({"train": train, "other": other}, "kinelift toy", "Toys.", arguments)


def test_a_command_is_called_with_what_was_given() -> None:
    CALLS.clear()
    assert run("train", "x\ny", "--rate", "2", "--names", "a", "b", "--base.rate", "4") == 7
    assert [(Path("x\ny"), Run(rate=2.0, names=("a", "b")), Base(rate=4.0))] == CALLS
    assert run("train", "x") == 7
    assert CALLS[1] == (Path("x"), Run(), Base())
    assert run("other") is None


def test_help_is_plain_text(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("COLUMNS", "120")
    with pytest.raises(SystemExit) as left:
        run("train", "--help")
    assert not left.value.code
    told = capsys.readouterr().out
    assert "Train on data, which is (perhaps) long." in told
    assert "What prepare wrote, or convert. (required)" in told
    assert "Frames a second (as the file says, if nothing is given)." in told
    assert "How many. (default: 3)" in told and "What all runs have." in told
    assert "`" not in told and "None" not in told and "Raises" not in told and "Python" not in told
    assert "(default: )" not in told


def test_wrong_usage_shows_names_escaped(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        run("train", "x", "y\x1b[31m\nz")
    said = capsys.readouterr()
    assert left.value.code == 2 and said.out == ""
    assert r"y\x1b[31m\nz" in said.err and "\x1b" not in said.err
