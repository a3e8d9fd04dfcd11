import itertools
import threading
from collections.abc import Iterator

import pytest

from kinelift.poses.lookahead import map_ahead, prefetch


def torn() -> Iterator[int]:
    yield 1
    raise OSError("torn")


class TestMapAhead:
    def test_order_and_length(self) -> None:
        assert list(map_ahead(lambda x: 2 * x, range(20))) == list(range(0, 40, 2))
        assert list(map_ahead(lambda x: x, [])) == []

    def test_reads_one_item_ahead_of_an_endless_stream(self) -> None:
        read: list[int] = []
        results = map_ahead(lambda x: x, (read.append(k) or k for k in itertools.count()))  # type: ignore[func-returns-value]
        assert [next(results) for _ in range(3)] == [0, 1, 2]
        assert read == [0, 1, 2, 3]
        results.close()  # type: ignore[attr-defined]

    def test_errors_come_in_their_place(self) -> None:
        results = map_ahead(lambda x: 1 // x, [1, 0, 1])
        assert next(results) == 1
        with pytest.raises(ZeroDivisionError):
            next(results)

    def test_errors_of_the_stream_pass_through(self) -> None:
        with pytest.raises(OSError, match="torn"):
            list(map_ahead(lambda x: x, torn()))


class TestPrefetch:
    def test_order_length_and_items_that_are_none(self) -> None:
        assert list(prefetch(iter([1, None, 3]))) == [1, None, 3]
        assert list(prefetch(iter([]))) == []

    def test_items_are_made_in_another_thread(self) -> None:
        made = prefetch(threading.get_ident() for _ in range(3))
        assert threading.get_ident() not in list(made)

    def test_the_next_item_is_made_while_the_last_is_in_use(self) -> None:
        second = threading.Event()

        def items() -> Iterator[int]:
            yield 1
            second.set()
            yield 2

        assert next(prefetch(items())) == 1
        assert second.wait(timeout=60)

    def test_errors_come_after_the_items_before_them(self) -> None:
        items = prefetch(torn())
        assert next(items) == 1
        with pytest.raises(OSError, match="torn"):
            next(items)
