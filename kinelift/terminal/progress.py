"""Progress as a pass-through iterator: stages hand their items through a ``Watch`` and never print themselves."""

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Protocol, TypeVar, runtime_checkable

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

Item = TypeVar("Item")


@runtime_checkable
class Watch(Protocol):
    """Passes items through and shows how far they are."""

    def __call__(self, items: Iterable[Item], what: str, total: int | None = None) -> Iterator[Item]:
        """The same items, one by one. ``what`` says what is being done, ``total`` how many there will be, if known."""


def unwatched(items: Iterable[Item], what: str, total: int | None = None) -> Iterator[Item]:
    """A watch that shows nothing."""
    return iter(items)


@contextmanager
def watching(console: Console, title: str) -> Iterator[Watch]:
    """Bars with the time left on a terminal; elsewhere (a file, a log) one line for every finished piece of work."""
    if not console.is_terminal:
        yield _Lines(console, title)
        return
    columns = (TextColumn("{task.description}", markup=False), BarColumn(), TaskProgressColumn(), MofNCompleteColumn())
    # Standard output is left alone: it may be a file.
    with Progress(*columns, TimeRemainingColumn(), console=console, transient=True, redirect_stdout=False) as progress:
        yield _Bars(progress, title)


@contextmanager
def counting(console: Console, what: str, total: int, done: int) -> Iterator[Callable[[str], None]]:
    """A bar of epochs or rounds; call what it yields after each one, with a description."""
    columns = TextColumn("{task.description}", markup=False), BarColumn(), MofNCompleteColumn()
    with Progress(*columns, TimeRemainingColumn(), console=console, redirect_stdout=False) as progress:
        task = progress.add_task(what, total=total, completed=done)
        yield lambda description: progress.update(task, advance=1, description=description)


@dataclass(frozen=True)
class _Bars:
    progress: Progress
    title: str

    def __call__(self, items: Iterable[Item], what: str, total: int | None = None) -> Iterator[Item]:
        task = self.progress.add_task(f"{self.title}: {what}", total=total)
        try:
            for item in items:
                yield item
                self.progress.advance(task)
        finally:
            self.progress.remove_task(task)


@dataclass(frozen=True)
class _Lines:
    console: Console
    title: str

    def __call__(self, items: Iterable[Item], what: str, total: int | None = None) -> Iterator[Item]:
        began, count = time.monotonic(), 0
        for item in items:
            yield item
            count += 1
        took = time.monotonic() - began
        self.console.print(f"{self.title}: {what}: {count} in {took:.1f} s", markup=False, highlight=False)
