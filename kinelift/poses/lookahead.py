"""Iterators that work one item ahead in a second thread, while the caller uses the item before."""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import repeat
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


def map_ahead(work: Callable[[Item], Result], items: Iterable[Item]) -> Iterator[Result]:
    """Apply ``work`` to every item in a second thread, in order, while the caller reads the next item.

    Worth it where ``work`` releases the interpreter lock, as running a network does. One item is read ahead.

    Raises:
        Exception: From ``work``, in place of its result; from ``items``, at once.
    """
    with ThreadPoolExecutor(max_workers=1) as thread:
        pending: Future[Result] | None = None
        for item in items:
            started = thread.submit(work, item)
            if pending is not None:
                yield pending.result()
            pending = started
        if pending is not None:
            yield pending.result()


def prefetch(items: Iterator[Item]) -> Iterator[Item]:
    """Yield the same items; a second thread produces each while the caller uses the one before."""
    end = object()
    for item in map_ahead(lambda _: next(items, end), repeat(None)):
        if item is end:
            return
        yield item  # type: ignore[misc]
