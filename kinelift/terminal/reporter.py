"""Output of the commands: results on standard output; progress, notes and errors on standard error.

Names of files, people and actions are printed literally: nothing in them is read as markup, and control characters are
escaped, so that they cannot control the terminal.
"""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from kinelift.terminal.escapes import escaped
from kinelift.terminal.progress import Progress, no_progress, progress_bar, show_progress
from kinelift.terminal.standard_output import writing_standard_output


def visible(text: str) -> str:
    r"""Escape everything that is not printable, so that ``text`` fits on one line and cannot control the terminal.

    A byte of a file name that is not valid in the locale (a surrogate, PEP 383) is shown as ``\xc3``.
    """
    return "".join(character if character.isprintable() else _escaped(character) for character in text)


class PlainConsole(Console):
    """A console that prints strings literally, also in the cells of tables."""

    def __init__(self, *, stderr: bool = False) -> None:
        super().__init__(stderr=stderr, soft_wrap=True, highlight=False, markup=False, emoji=False)

    def render_str(self, text: str, **options: Any) -> Text:
        """``text`` without markup, on one line."""
        return super().render_str(visible(text), **options)

    def on_broken_pipe(self) -> None:
        """Raise the error again, for ``boundary.run_guarded`` to handle."""
        raise


@dataclass(frozen=True)
class Reporter:
    """Prints results, progress, notes and errors. ``Quiet`` prints errors only."""

    results: Console = field(default_factory=PlainConsole)
    messages: Console = field(default_factory=lambda: PlainConsole(stderr=True))

    def progress(self, title: str) -> AbstractContextManager[Progress]:
        """Show the progress of the work on ``title`` while the context is open."""
        return show_progress(self.messages, visible(title))

    @contextmanager
    def progress_bar(self, description: str, total: int, done: int = 0) -> Iterator[Callable[[str], None]]:
        """Show a bar of epochs or rounds.

        Args:
            description: What is counted.
            total: How many there are.
            done: How many are already done.

        Yields:
            A function that advances the bar by one and sets its description.
        """
        with progress_bar(self.messages, visible(description), total, done) as advance:
            yield lambda text: advance(visible(text))

    def status(self, description: str) -> AbstractContextManager[object]:
        """Show a spinner on a terminal while work of unknown length runs."""
        return self.messages.status(Text(visible(description)))

    def result(self, text: str) -> None:
        """Print one line of results."""
        with writing_standard_output():
            self.results.print(text)

    def table(self, table: Table) -> None:
        """Print a table of results, as wide as the terminal."""
        with writing_standard_output():
            self.results.print(table, soft_wrap=False)

    def document(self, text: str) -> None:
        """Print results of several lines, such as Markdown tables."""
        for line in text.split("\n"):
            self.result(line)

    def info(self, text: object) -> None:
        """Print what is about to run."""
        self.messages.print(str(text))

    def note(self, text: object) -> None:
        """Print something to know about a success."""
        self.messages.print(f"note: {text}", style="yellow")

    def error(self, error: object) -> None:
        """Print an error."""
        self.messages.print(f"error: {error}", style="red")


@dataclass(frozen=True)
class Quiet(Reporter):
    """Prints errors only."""

    def progress(self, title: str) -> AbstractContextManager[Progress]:
        """Show nothing."""
        return nullcontext(no_progress)

    @contextmanager
    def progress_bar(self, description: str, total: int, done: int = 0) -> Iterator[Callable[[str], None]]:
        """Show nothing."""
        yield lambda text: None

    def status(self, description: str) -> AbstractContextManager[object]:
        """Show nothing."""
        return nullcontext()

    def result(self, text: str) -> None:
        """Print nothing."""

    def table(self, table: Table) -> None:
        """Print nothing."""

    def info(self, text: object) -> None:
        """Print nothing."""

    def note(self, text: object) -> None:
        """Print nothing."""


def _escaped(character: str) -> str:
    code = ord(character)
    if 0xDC80 <= code <= 0xDCFF:
        return f"\\x{code - 0xDC00:02x}"
    return escaped(character)
