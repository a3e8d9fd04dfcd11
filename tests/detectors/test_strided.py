"""Most frames are skipped, and still everybody keeps an id and a complete, marked track."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import count, islice, pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kinelift.detectors.scripted import Scripted
from kinelift.detectors.strided import Strided
from kinelift.detectors.tracking import Identity, Tracker
from kinelift.poses import COCO17, Frame, People, Skeleton
from kinelift.poses.errors import SettingsError
from tests.detectors.tracking.scenes import PERFECT, SIZE, Camera, Scene, Walker, score_ids, simulate_scene

PICTURE = np.zeros((2, 2, 3), np.uint8)
WALKERS = [Walker(100, 140), Walker(1150, -140, ground=620, height=320, phase=0.3)]


@dataclass
class Witness:
    """Sees one person in every frame and records the frames it saw."""

    shown: list[Frame] = field(default_factory=list)
    skeleton: Skeleton = COCO17

    def detect(self, frames: Iterable[Frame]) -> Iterator[People]:
        for frame in frames:
            self.shown.append(frame)
            yield People(frame.index, np.ones((1, 17, 2)), np.ones((1, 17)), np.array([[0, 0, 2.0, 2]]), np.ones(1))


def stream(times: Iterable[Fraction], first: int = 0) -> Iterator[Frame]:
    return (Frame(k, time, PICTURE) for k, time in enumerate(times, first))


def even(rate: int, frames: int) -> list[Fraction]:
    return [Fraction(k, rate) for k in range(frames)]


@given(st.integers(1, 9), st.lists(st.fractions(Fraction(1, 240), Fraction(1, 2)), max_size=40), st.integers(0, 5))
def test_every_frame_has_an_answer_and_detections_are_close_enough(
    every: int, steps: list[Fraction], first: int
) -> None:
    times = [sum(steps[:k], Fraction(0)) for k in range(len(steps))]
    witness = Witness()
    answers = list(Strided(witness, every).detect(stream(times, first)))
    assert [people.frame for people in answers] == list(range(first, first + len(times)))
    looked = [frame.index for frame in witness.shown]
    assert [people.frame for people in answers if len(people)] == looked
    if times:
        assert looked[0] == first and looked[-1] == first + len(times) - 1
    for a, b in pairwise(looked):
        assert 1 <= b - a <= every
        assert b - a == 1 or times[b - first] - times[a - first] <= 0.2
        early = b - a < every and b != looked[-1]
        assert not early or times[b + 1 - first] - times[a - first] > 0.2


def test_a_stride_of_one_changes_nothing() -> None:
    people = simulate_scene(WALKERS, np.arange(20) / 30).people
    strided = list(Strided(Scripted(people), 1).detect(stream(even(30, 20))))
    assert [p.points.tolist() for p in strided] == [p.points.tolist() for p in people]


def test_it_reads_a_few_frames_ahead() -> None:
    read: list[int] = []
    endless = (read.append(k) or Frame(k, Fraction(k, 60), PICTURE) for k in count())  # type: ignore[func-returns-value]
    assert [people.frame for people in islice(Strided(Witness(), 4).detect(endless), 5)] == [0, 1, 2, 3, 4]
    assert len(read) == 6


def test_no_stride_below_one() -> None:
    with pytest.raises(SettingsError, match="stride"):
        Strided(Witness(), 0)


def tracked(every: int, rate: int, walkers: list[Walker], camera: Camera) -> tuple[Scene, tuple[Identity, ...]]:
    """Detections and tracks; only frames that were not skipped show people."""
    times = even(rate, 8 * rate)
    scene = simulate_scene(walkers, np.array(times, dtype=float), camera)
    tracker = Tracker(COCO17, SIZE)
    found = tuple(Strided(Scripted(scene.people), every).detect(stream(times)))
    for people in found:
        tracker.update(people, float(times[people.frame]))
    owners = tuple(o if len(p) else np.zeros(0, int) for p, o in zip(found, scene.owners, strict=True))
    return Scene(scene.times, found, owners), tracker.tracks()


@pytest.mark.parametrize("rate", [24, 30, 60])
@pytest.mark.parametrize("every", [2, 3, 4, 8])
def test_one_id_and_every_gap_filled_and_marked(every: int, rate: int) -> None:
    walker = Walker(100, 120)
    scene, (only,) = tracked(every, rate, [walker], PERFECT)
    seen = np.array([len(people) > 0 for people in scene.people])
    assert only.track.start == 0 and len(only.track) == 8 * rate
    assert np.isfinite(only.track.points).all()
    np.testing.assert_array_equal(only.track.filled, np.repeat(~seen[:, None], 17, axis=1))
    truth = np.array([walker.pose(time) for time in scene.times])
    np.testing.assert_array_equal(only.track.points[seen], truth[seen].astype(np.float32))
    assert np.linalg.norm(only.track.points - truth, axis=-1).max() < 0.05 * walker.height


@pytest.mark.parametrize(("every", "rate"), [(2, 24), (3, 30), (8, 24), (8, 60)])
def test_ids_hold_through_a_crossing_of_people_who_are_missed_at_times(every: int, rate: int) -> None:
    scene, identities = tracked(every, rate, WALKERS, Camera())
    verdict = score_ids(scene, identities)
    assert len(identities) == 2 and verdict.switches == 0 and verdict.idf1 > 0.95
    for identity in identities:
        assert np.isfinite(identity.track.points).all(axis=-1).mean() > 0.85
