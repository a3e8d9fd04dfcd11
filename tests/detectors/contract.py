"""What every detector promises: its tests subclass ``DetectorContract`` and give it a fixture ``detector``."""

import itertools
from collections.abc import Iterator
from fractions import Fraction
from io import BytesIO

import numpy as np
import pytest

from kinelift.detectors.protocol import Detector, Memory, ResumableDetector
from kinelift.poses import Frame, People
from tests.detectors.conftest import blank


def stored_and_read(memory: Memory) -> Memory:
    """What a program gets from the one before it."""
    np.savez(file := BytesIO(), **memory)
    file.seek(0)
    with np.load(file, allow_pickle=False) as arrays:
        return dict(arrays)


class DetectorContract:
    """The tests that every detector must pass."""

    def test_is_a_detector(self, detector: Detector) -> None:
        assert isinstance(detector, Detector)
        assert len(detector.skeleton) > 0

    def test_there_is_one_answer_a_frame_in_order(self, detector: Detector) -> None:
        frames = [Frame(k + 3, f.time, f.image) for k, f in enumerate(blank(5))]
        assert [people.frame for people in detector.detect(frames)] == [3, 4, 5, 6, 7]
        assert list(detector.detect([])) == []

    def test_nobody_is_an_empty_answer(self, detector: Detector) -> None:
        (people,) = detector.detect([Frame(1000, Fraction(0), np.zeros((64, 96, 3), np.uint8))])
        assert len(people) == 0
        assert people.points.shape == (0, len(detector.skeleton), 2)

    def test_real_people_are_in_range_and_missing_joints_nan(self, detector: Detector, clip: list[Frame]) -> None:
        for people in detector.detect(clip[8:12]):
            assert people.points.shape[1:] == (len(detector.skeleton), 2)
            assert np.array_equal(np.isnan(people.points), np.repeat(people.scores[..., None] == 0, 2, axis=-1))
            assert np.isfinite(people.points[people.scores > 0]).all() and np.isfinite(people.boxes).all()
            assert (people.boxes[:, 2:] > people.boxes[:, :2]).all()
            for scores in (people.scores, people.confidence):
                assert ((scores >= 0) & (scores <= 1)).all()

    def test_stretches_have_the_answers_of_the_whole(self, detector: Detector, clip: list[Frame]) -> None:
        if not isinstance(detector, ResumableDetector) or not detector.resumable:
            pytest.skip("it needs the whole video")
        memory, found = Memory(), list[People]()
        for stretch in (clip[8:10], clip[10:13]):
            found += detector.detect_from(memory, stretch)
            memory = stored_and_read(memory)
        for people, expected in zip(found, detector.detect(clip[8:13]), strict=True):
            assert people.frame == expected.frame
            np.testing.assert_allclose(people.points, expected.points, atol=1e-3)  # other batches, other roundings
            np.testing.assert_allclose(people.scores, expected.scores, atol=1e-5)

    def test_does_not_read_the_whole_stream_first(self, detector: Detector) -> None:
        read = 0

        def endless() -> Iterator[Frame]:
            nonlocal read
            for k in itertools.count():
                read += 1
                yield Frame(k, Fraction(k), np.zeros((64, 96, 3), np.uint8))

        answers = detector.detect(endless())
        assert [next(answers).frame for _ in range(3)] == [0, 1, 2]
        assert read < 3 + 32
