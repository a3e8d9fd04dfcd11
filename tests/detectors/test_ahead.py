import itertools
from collections.abc import Iterator

import pytest

from kinelift.detectors.ahead import ahead


def test_order_and_length() -> None:
    assert list(ahead(lambda x: 2 * x, range(20))) == list(range(0, 40, 2))
    assert list(ahead(lambda x: x, [])) == []


def test_reads_one_item_ahead_of_an_endless_stream() -> None:
    read: list[int] = []
    results = ahead(lambda x: x, (read.append(k) or k for k in itertools.count()))  # type: ignore[func-returns-value]
    assert [next(results) for _ in range(3)] == [0, 1, 2]
    assert read == [0, 1, 2, 3]
    results.close()  # type: ignore[attr-defined]


def test_errors_come_in_their_place() -> None:
    results = ahead(lambda x: 1 // x, [1, 0, 1])
    assert next(results) == 1
    with pytest.raises(ZeroDivisionError):
        next(results)


def test_errors_of_the_stream_pass_through() -> None:
    def stream() -> Iterator[int]:
        yield 1
        raise OSError("torn")

    with pytest.raises(OSError, match="torn"):
        list(ahead(lambda x: x, stream()))
