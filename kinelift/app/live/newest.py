"""A thread that reads ahead and keeps the newest item only, for a reader who is too slow to see them all."""

from collections.abc import Generator, Iterator
from threading import Condition, Thread
from types import TracebackType
from typing import Generic, TypeVar

Item = TypeVar("Item")
_PATIENCE = 2.0
"""Seconds to wait for the thread at the end; a camera may keep it longer."""


class Newest(Generic[Item]):
    """A context manager that iterates over the newest item at each time; items that nobody took are dropped.

    Args:
        items: What the thread reads; closed by it at the end.

    Attributes:
        read: Items read so far.
        dropped: Items that a newer one replaced before they were taken.
    """

    def __init__(self, items: Generator[Item, None, None]) -> None:
        self._items = items
        self._changed = Condition()
        self._waiting: list[Item] = []
        self._error: BaseException | None = None
        self._ended = self._closed = False
        self.read = self.dropped = 0
        self._thread = Thread(target=self._work, name="newest", daemon=True)

    def __enter__(self) -> "Newest[Item]":
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._closed = True
        self._thread.join(_PATIENCE)

    def __iter__(self) -> Iterator[Item]:
        """Yield the newest item when there is one, until there are no more.

        Raises:
            Exception: What reading the items raised, after the last of them.
        """
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._waiting or self._ended)
                if not self._waiting:
                    break
                item = self._waiting.pop()
            yield item
        if self._error is not None:
            raise self._error

    def _work(self) -> None:
        try:
            for item in self._items:
                if self._closed:
                    break
                with self._changed:
                    self.read, self.dropped = self.read + 1, self.dropped + len(self._waiting)
                    self._waiting = [item]
                    self._changed.notify()
            self._items.close()
        except BaseException as error:
            self._error = error
        finally:
            with self._changed:
                self._ended = True
                self._changed.notify()
