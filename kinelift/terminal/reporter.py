"""What the program says: results on standard output; progress, notes and errors on standard error."""

from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field

from rich.console import Console

from kinelift.app.progress import Watch, unwatched, watching


@dataclass(frozen=True)
class Reporter:
    """Says everything. See ``Quiet`` for one that tells errors only."""

    results: Console = field(default_factory=lambda: Console(soft_wrap=True, highlight=False))
    messages: Console = field(default_factory=lambda: Console(stderr=True, soft_wrap=True, highlight=False))

    def watching(self, title: str) -> AbstractContextManager[Watch]:
        """Progress of the work on ``title``, until left."""
        return watching(self.messages, title)

    def result(self, text: str) -> None:
        """A line about what was made."""
        self.results.print(text, markup=False)

    def note(self, text: str) -> None:
        """Something to know, though all went well."""
        self.messages.print(f"note: {text}", style="yellow", markup=False)

    def error(self, error: object) -> None:
        """Something that went wrong."""
        self.messages.print(f"error: {error}", style="red", markup=False)


@dataclass(frozen=True)
class Quiet(Reporter):
    """Tells errors only."""

    def watching(self, title: str) -> AbstractContextManager[Watch]:
        """A watch that shows nothing."""
        return nullcontext(unwatched)

    def result(self, text: str) -> None:
        """Nothing."""

    def note(self, text: str) -> None:
        """Nothing."""
