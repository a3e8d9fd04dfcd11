"""A page for each command, with the help that the program prints."""

import contextlib
import io
import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from unittest import mock

from kinelift.__main__ import main

WIDTH = 100
PROGRAM = "kinelift"

Help = Callable[[Sequence[str]], str]


def pages() -> Mapping[str, str]:
    """The pages by name, from the top of ``docs/reference``, with an index."""
    found = dict(commands(printed_help))
    listed = [f"- [`{' '.join((PROGRAM, *words))}`]({_file(words)}): {_summary(text)}" for words, text in found.items()]
    index = "# Commands\n\nWhat `--help` prints, one page a command.\n\n" + "\n".join(listed)
    return {"commands/README.md": index} | {f"commands/{_file(w)}": _page(w, text) for w, text in found.items()}


def commands(help_of: Help, words: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], str]]:
    """Every command that has no commands below it, with its help text."""
    text = help_of(words)
    below = re.findall(r"^\W*• ([\w-]+)", text, re.MULTILINE) or _listed(text) * (not words)
    for name in below:
        yield from commands(help_of, (*words, name))
    if not below:
        yield words, text


def printed_help(words: Sequence[str]) -> str:
    """What ``kinelift WORDS --help`` prints on a terminal of ``WIDTH`` characters without colours."""
    out = io.StringIO()
    terminal = {"COLUMNS": str(WIDTH), "NO_COLOR": "1", "TERM": "dumb"}
    with (
        mock.patch.dict(os.environ, terminal),
        contextlib.redirect_stdout(out),
    ):
        main([*words, "--help"])
    lines = [line.rstrip() for line in out.getvalue().strip().splitlines()]
    if not lines or not lines[0].startswith("usage:"):
        raise RuntimeError(f"{' '.join((PROGRAM, *words))} --help printed no help: {out.getvalue()!r}")
    return "\n".join(lines)


def _listed(text: str) -> list[str]:
    """The commands of the program's own overview: two spaces, a name, and what it does."""
    return re.findall(r"^ {2}([a-z][\w-]*) {2,}\S", text, re.MULTILINE)


def _page(words: tuple[str, ...], text: str) -> str:
    return f"# `{' '.join((PROGRAM, *words))}`\n\n```text\n{text}\n```\n\n[All commands](README.md)"


def _file(words: tuple[str, ...]) -> str:
    return "-".join(words) + ".md"


def _summary(text: str) -> str:
    paragraphs = [block for block in text.split("\n\n") if not block.startswith("usage:") and "╭" not in block]
    return " ".join(paragraphs[0].split()) if paragraphs else ""
