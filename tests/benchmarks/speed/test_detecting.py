"""Every detector is timed on the same pieces of the clip, beside the baseline."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import pairwise

import cv2
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.speed.detecting import BASELINE, PIECES, THREADS, Cost, cost, limited, measured, pieces, row, tables
from kinelift.poses import COCO17, Frame, People, Skeleton


def frames(count: int) -> list[Frame]:
    return [Frame(k, Fraction(k, 30), np.zeros((2, 2, 3), np.uint8)) for k in range(count)]


@dataclass
class Counter:
    """Counts the frames that it is shown, and the threads that torch and OpenCV then have."""

    threads: int
    shown: list[int] = field(default_factory=list)
    skeleton: Skeleton = COCO17

    def detect(self, frames: Iterable[Frame]) -> Iterator[People]:
        for frame in frames:
            assert torch.get_num_threads() == cv2.getNumThreads() == self.threads
            self.shown.append(frame.index)
            yield People.nobody(frame.index, 17)


@given(st.integers(PIECES, 60))
def test_pieces_cover_the_clip_and_share_their_ends(steps: int) -> None:
    cut = pieces(frames(steps * PIECES + 1))
    assert [len(piece) for piece in cut] == [steps + 1] * PIECES
    assert cut[0][0].index == 0 and cut[-1][-1].index == steps * PIECES
    assert all(one[-1].index == other[0].index for one, other in pairwise(cut))


@pytest.mark.parametrize("threads", THREADS)
def test_all_detectors_see_every_piece(threads: int) -> None:
    made: list[Counter] = []

    def way(threads: int) -> Counter:
        made.append(Counter(threads))
        return made[-1]

    before = torch.get_num_threads(), cv2.getNumThreads()
    found = measured({BASELINE: way, "other": way}, frames(9), threads)
    assert (torch.get_num_threads(), cv2.getNumThreads()) == before
    assert {name: len(costs) for name, costs in found.items()} == {BASELINE: PIECES, "other": PIECES}
    assert [one.shown for one in made] == [[0, 0, 1, 2, 2, 3, 4, 4, 5, 6, 6, 7, 8]] * 2  # the first to warm up


def test_threads_are_given_back_after_an_error() -> None:
    before = torch.get_num_threads(), cv2.getNumThreads()
    with pytest.raises(ZeroDivisionError), limited(before[0] + 1):
        raise ZeroDivisionError
    assert (torch.get_num_threads(), cv2.getNumThreads()) == before


def test_a_cost_is_that_of_a_frame() -> None:
    whole = cost(lambda: sum(range(300_000)), 1)
    assert 0 < cost(lambda: sum(range(300_000)), 1000).wall < whole.wall


def test_a_slow_piece_does_not_count_and_times_are_within_a_piece() -> None:
    baseline = [Cost(10, 10), Cost(20, 20), Cost(900, 300), Cost(10, 10)]
    double = [Cost(one.wall + 1, 2 * one.cpu) for one in baseline]
    figures = row([double, baseline], baseline)
    assert figures == {"ms_1": 16.0, "cpu_1": 30.0, "ms_2": 15.0, "cpu_2": 15.0, "times": 2.0}


def test_tables_have_a_row_for_each() -> None:
    figures = row([[Cost(10, 9)], [Cost(5, 9)]], [Cost(9, 4.5)])
    shares = dict.fromkeys(("alone", "whole", "alone_cpu", "whole_cpu"), 50.0) | {"overhead": 0.1, "overhead_cpu": 0.05}
    first, second = tables({"detectors": {"MoveNet": figures}, "whole": {"1": shares}}).split("\n\n")
    assert first.splitlines()[-1] == "| MoveNet | 10 | 5 | 9 | 9 | 2 |"
    assert second.splitlines()[-1] == "| 1 | 50 | 50 | 10 % | 50 | 50 | 5 % |"
