import numpy as np

from kinelift.detectors.scripted import Scripted
from kinelift.poses import People
from tests.detectors.conftest import blank


def someone(frame: int) -> People:
    return People(frame, np.full((1, 17, 2), float(frame)), np.ones((1, 17)), np.zeros((1, 4)), np.ones(1))


def test_it_plays_back_by_frame_index_then_shows_nobody() -> None:
    people = list(Scripted([someone(0), someone(1)]).detect(blank(4)[1:]))
    assert [p.frame for p in people] == [1, 2, 3]
    assert [len(p) for p in people] == [1, 0, 0]
    assert people[0].points[0, 0, 0] == 1.0
