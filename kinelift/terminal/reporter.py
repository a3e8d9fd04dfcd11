"""What the commands print: results on standard output; progress, notes and errors on standard error.

Names of files, people and actions are printed as they are: nothing in them is read as markup, and no character in them
reaches the terminal as a command.
"""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from kinelift.terminal.boundary import writing_standard_output
from kinelift.terminal.progress import Watch, counting, unwatched, watching


def visible(text: str) -> str:
    r"""Escapes all that is not printable, so that ``text`` fills one line and no terminal obeys it.

    A byte of a file name that is not valid in the locale (a surrogate, PEP 383) is shown as ``\xc3``.
    """
    return "".join(character if character.isprintable() else _escaped(character) for character in text)


class PlainConsole(Console):
    """A console that takes strings, also those in cells of tables, as they are."""

    def __init__(self, *, stderr: bool = False) -> None:
        super().__init__(stderr=stderr, soft_wrap=True, highlight=False, markup=False, emoji=False)

    def render_str(self, text: str, **options: Any) -> Text:
        """``text`` without markup, in one line."""
        return super().render_str(visible(text), **options)

    def on_broken_pipe(self) -> None:
        """Left to the boundary of all commands."""
        raise


@dataclass(frozen=True)
class Reporter:
    """Says everything. See ``Quiet`` for one that tells errors only."""

    results: Console = field(default_factory=PlainConsole)
    messages: Console = field(default_factory=lambda: PlainConsole(stderr=True))

    def watching(self, title: str) -> AbstractContextManager[Watch]:
        """Progress of the work on ``title``, until left."""
        return watching(self.messages, visible(title))

    @contextmanager
    def counting(self, what: str, total: int, done: int = 0) -> Iterator[Callable[[str], None]]:
        """A bar of epochs or rounds; call what it yields after each one, with a description."""
        with counting(self.messages, visible(what), total, done) as advance:
            yield lambda description: advance(visible(description))

    def waiting(self, what: str) -> AbstractContextManager[object]:
        """A sign of life on a terminal while something of unknown length goes on."""
        return self.messages.status(Text(visible(what)))

    def result(self, text: str) -> None:
        """A line about what was made."""
        with writing_standard_output():
            self.results.print(text)

    def table(self, table: Table) -> None:
        """A table of results, as wide as the terminal."""
        with writing_standard_output():
            self.results.print(table, soft_wrap=False)

    def document(self, text: str) -> None:
        """Results of several lines, such as tables in Markdown."""
        for line in text.split("\n"):
            self.result(line)

    def note(self, text: object) -> None:
        """Something to know, though all went well."""
        self.messages.print(f"note: {text}", style="yellow")

    def error(self, error: object) -> None:
        """Something that went wrong."""
        self.messages.print(f"error: {error}", style="red")


@dataclass(frozen=True)
class Quiet(Reporter):
    """Tells errors only."""

    def watching(self, title: str) -> AbstractContextManager[Watch]:
        """A watch that shows nothing."""
        return nullcontext(unwatched)

    @contextmanager
    def counting(self, what: str, total: int, done: int = 0) -> Iterator[Callable[[str], None]]:
        """Counts without a bar."""
        yield lambda description: None

    def waiting(self, what: str) -> AbstractContextManager[object]:
        """Nothing."""
        return nullcontext()

    def result(self, text: str) -> None:
        """Nothing."""

    def table(self, table: Table) -> None:
        """Nothing."""

    def note(self, text: object) -> None:
        """Nothing."""


def _escaped(character: str) -> str:
    code = ord(character)
    if 0xDC80 <= code <= 0xDCFF:
        return f"\\x{code - 0xDC00:02x}"
    return character.encode("unicode_escape").decode("ascii")
