"""Do the work of one item while the next one is being read."""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


def ahead(work: Callable[[Item], Result], items: Iterable[Item]) -> Iterator[Result]:
    """``work(item)`` of every item, in order, in one other thread; one item is read ahead.

    It pays where ``work`` lets go of the interpreter lock, as a network does while it runs. An error in ``work`` is
    raised in the place of its result.
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
