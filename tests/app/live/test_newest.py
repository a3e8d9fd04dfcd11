from collections.abc import Generator
from threading import Event

import pytest

from kinelift.app.live.newest import Newest
from tests.app.live.stages import PATIENCE


def test_items_that_nobody_took_are_dropped() -> None:
    taken, all_read = Event(), Event()

    def items() -> Generator[int, None, None]:
        yield 0
        assert taken.wait(PATIENCE)
        yield from (1, 2, 3)
        all_read.set()

    seen = []
    with Newest(items()) as newest:
        for item in newest:
            seen.append(item)
            taken.set()
            assert all_read.wait(PATIENCE)
    assert seen == [0, 3] and (newest.read, newest.dropped) == (4, 2)


def test_an_error_of_the_source_arrives_after_its_last_item() -> None:
    def items() -> Generator[int, None, None]:
        yield 7
        raise OSError("unplugged")

    seen = []
    with pytest.raises(OSError, match="unplugged"), Newest(items()) as newest:
        for item in newest:
            seen.append(item)
    assert seen == [7]


def test_leaving_closes_the_source() -> None:
    closed = Event()

    def items() -> Generator[int, None, None]:
        try:
            while True:
                yield 0
        finally:
            closed.set()

    with Newest(items()) as newest:
        assert next(iter(newest)) == 0
    assert closed.wait(PATIENCE)
