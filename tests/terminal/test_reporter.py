"""What reaches the terminal: names as they are, in one line, and nothing that a terminal would obey."""

import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.table import Table

from kinelift.terminal.reporter import PlainConsole, Quiet, Reporter, visible

ODD = [
    "clip[bold].mp4",
    "a[/red]b",
    "[link=x]y",
    ":smile:",
    "x\x1b[31m\ny",
    "\x9b2J",
    "a\rb",
    "\u202egpj.exe",
    "t\udcc3\udca4n",
]


@settings(deadline=None)
@given(st.text())
def test_visible_text_is_one_printable_line_and_keeps_printable_text(text: str) -> None:
    assert visible(text).isprintable()
    assert visible(visible(text)) == visible(text)
    if text.isprintable():
        assert visible(text) == text


@pytest.mark.parametrize(("name", "shown"), [
    ("x\x1b[31m\ny", r"x\x1b[31m\ny"), ("a\u202eb", r"a\u202eb"),
    ("t\udcc3\udca4n", r"t\xc3\xa4n"), ("tänzer ×", "tänzer ×"),
])  # fmt: skip
def test_what_is_not_printable_is_escaped(name: str, shown: str) -> None:
    assert visible(name) == shown


@pytest.mark.parametrize("name", ODD)
def test_every_way_of_printing_shows_names_as_they_are(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    reporter = Reporter()
    reporter.result(name)
    reporter.note(name)
    reporter.error(name)
    table = Table(name, title=name)
    table.add_row(name)
    reporter.table(table)
    with reporter.progress(name) as progress:
        assert list(progress("ab", "looking")) == ["a", "b"]
    with reporter.progress_bar(name, 2) as advance:
        advance(name)
    said = capsys.readouterr()
    assert said.out.splitlines()[0] == visible(name)
    assert said.err.splitlines()[:2] == [f"note: {visible(name)}", f"error: {visible(name)}"]
    assert said.out.count(visible(name)) == 4 and said.err.count(visible(name)) >= 4
    assert not {c for c in said.out + said.err if not c.isprintable()} - {"\n"}


def test_documents_keep_their_lines(capsys: pytest.CaptureFixture[str]) -> None:
    Reporter().document("### a[bold]\n\n| b\x07 |")
    assert capsys.readouterr().out == "### a[bold]\n\n| b\\x07 |\n"


def test_long_lines_are_not_broken(capsys: pytest.CaptureFixture[str]) -> None:
    Reporter().error("word " * 100)
    assert capsys.readouterr().err.count("\n") == 1


def test_quiet_says_errors_only(capsys: pytest.CaptureFixture[str]) -> None:
    quiet = Quiet()
    quiet.result("a")
    quiet.note("b")
    quiet.table(Table("c"))
    quiet.document("d")
    with quiet.progress("e") as progress, quiet.progress_bar("f", 1) as advance, quiet.status("g"):
        assert list(progress("ab", "looking")) == ["a", "b"]
        advance("h")
    quiet.error("i")
    assert capsys.readouterr() == ("", "error: i\n")


def test_colours_of_a_terminal_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    console = PlainConsole()
    console.file = io.StringIO()
    console.print("a[bold]b\x1b", style="red")
    assert "a[bold]b\\x1b" in console.file.getvalue() and console.file.getvalue().startswith("\x1b[")
