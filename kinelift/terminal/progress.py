"""Progress as a pass-through iterator: stages pass their items through a ``Progress`` and never print themselves."""

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Protocol, TypeVar, runtime_checkable

from rich import progress as bars
from rich.console import Console

Item = TypeVar("Item")


@runtime_checkable
class Progress(Protocol):
    """Passes items through and shows how many have passed."""

    def __call__(self, items: Iterable[Item], description: str, total: int | None = None) -> Iterator[Item]:
        """Pass items through, one by one.

        Args:
            items: The items.
            description: What is being done with them.
            total: Their number, if known.
        """


def no_progress(items: Iterable[Item], description: str, total: int | None = None) -> Iterator[Item]:
    """A ``Progress`` that shows nothing."""
    return iter(items)


@contextmanager
def show_progress(console: Console, title: str) -> Iterator[Progress]:
    """Show progress bars with the remaining time on a terminal; elsewhere one line per finished task."""
    if not console.is_terminal:
        yield _ProgressLines(console, title)
        return
    columns = (
        bars.TextColumn("{task.description}", markup=False),
        bars.BarColumn(),
        bars.TaskProgressColumn(),
        bars.MofNCompleteColumn(),
        bars.TimeRemainingColumn(),
    )
    # Standard output is not redirected: it may be a file.
    with bars.Progress(*columns, console=console, transient=True, redirect_stdout=False) as display:
        yield _ProgressBars(display, title)


@contextmanager
def progress_bar(console: Console, description: str, total: int, done: int) -> Iterator[Callable[[str], None]]:
    """Show a bar of epochs or rounds.

    Args:
        console: Where to show it.
        description: What is counted.
        total: How many there are.
        done: How many are already done.

    Yields:
        A function that advances the bar by one and sets its description.
    """
    columns = (
        bars.TextColumn("{task.description}", markup=False),
        bars.BarColumn(),
        bars.MofNCompleteColumn(),
        bars.TimeRemainingColumn(),
    )
    with bars.Progress(*columns, console=console, redirect_stdout=False) as display:
        task = display.add_task(description, total=total, completed=done)
        yield lambda text: display.update(task, advance=1, description=text)


@dataclass(frozen=True)
class _ProgressBars:
    display: bars.Progress
    title: str

    def __call__(self, items: Iterable[Item], description: str, total: int | None = None) -> Iterator[Item]:
        task = self.display.add_task(f"{self.title}: {description}", total=total)
        try:
            for item in items:
                yield item
                self.display.advance(task)
        finally:
            self.display.remove_task(task)


@dataclass(frozen=True)
class _ProgressLines:
    console: Console
    title: str

    def __call__(self, items: Iterable[Item], description: str, total: int | None = None) -> Iterator[Item]:
        start, count = time.monotonic(), 0
        for item in items:
            yield item
            count += 1
        seconds = time.monotonic() - start
        self.console.print(f"{self.title}: {description}: {count} in {seconds:.1f} s", markup=False, highlight=False)
