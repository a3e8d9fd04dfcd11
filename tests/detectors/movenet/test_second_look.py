"""People lost in the full frame and found in a close-up; test doubles see coloured squares instead of people."""

from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

import numpy as np

from kinelift.detectors.movenet.detector import MoveNet
from kinelift.detectors.movenet.second_look import SecondLook
from kinelift.poses import COCO17, Frame, People, Skeleton
from tests.detectors.conftest import blank


@dataclass
class Squares:
    """Detects the bounding box of each listed brightness; ``sizes`` records the sizes of the images it saw."""

    levels: tuple[int, ...]
    blind: tuple[int, ...] = ()
    skeleton: Skeleton = COCO17
    sizes: list[tuple[int, ...]] = field(default_factory=list)

    def find(self, image: np.ndarray, frame: int = 0) -> People:
        self.sizes.append(image.shape[:2])
        boxes = [] if frame in self.blind else [_bounds(image, level) for level in self.levels if level in image]
        corners = np.array(boxes, dtype=float).reshape(-1, 4)
        points = np.linspace(corners[:, :2], corners[:, 2:], 17, axis=1)
        return People(frame, points, np.ones((len(boxes), 17)), corners, np.ones(len(boxes)))


def _bounds(image: np.ndarray, level: int) -> tuple[int, int, int, int]:
    y, x = np.nonzero(image[..., 0] == level)
    return x.min(), y.min(), x.max() + 1, y.max() + 1


def moving(count: int, level: int = 200, step: int = 2) -> list[Frame]:
    """A square of 20 pixels that starts half outside the image and moves to the right."""
    frames = blank(count)
    for k, frame in enumerate(frames):
        frame.image[10:30, max(0, step * k - 10) : step * k + 10] = level
    return frames


def test_a_lost_person_is_found_close_up_in_the_same_place() -> None:
    frames, near = moving(12), Squares((200,))
    found = list(SecondLook(Squares((200,), blind=(3, 4, 5, 9)), near).detect(frames))
    truth = [Squares((200,)).find(f.image, f.index) for f in frames]
    for people, expected in zip(found, truth, strict=True):
        np.testing.assert_array_equal(people.points, expected.points)
        np.testing.assert_array_equal(people.boxes, expected.boxes)
    assert len(near.sizes) == 4
    assert all(height == width == 32 for height, width in near.sizes)


def test_there_is_no_close_up_while_nobody_is_lost() -> None:
    near = Squares((200,))
    assert [len(p) for p in SecondLook(Squares((200,)), near).detect(moving(5))] == [1] * 5
    assert near.sizes == []


def test_a_person_who_left_is_not_detected() -> None:
    frames, near = [*moving(3), *blank(6)[3:]], Squares((200,))
    assert [len(p) for p in SecondLook(Squares((200,)), near).detect(frames)] == [1, 1, 1, 0, 0, 0]
    assert len(near.sizes) == 1, "one look, and then it is let go"


def test_a_person_is_not_detected_twice() -> None:
    frames = blank(2)
    frames[0].image[10:30, 10:60] = 200
    frames[1].image[10:30, 44:60] = 200  # so much smaller that the boxes no longer overlap enough
    found = list(SecondLook(Squares((200,)), Squares((200,)), overlap=0.4).detect(frames))
    assert [len(p) for p in found] == [1, 1]


def test_two_streams_do_not_share_state() -> None:
    look = SecondLook(Squares((200,), blind=(0,)), Squares((200,)))
    assert len(list(look.detect(moving(3)))[-1]) == 1
    assert len(next(iter(look.detect(moving(3))))) == 0


def test_real_network_keeps_a_person_that_one_frame_loses(movenet_file: Path, clip: list[Frame]) -> None:
    wide = MoveNet(movenet_file, threads=1)
    near = MoveNet(movenet_file, threads=1, long_side=256)
    seen = wide.find(clip[10].image)

    class Forgetful:
        skeleton = COCO17

        def find(self, image: np.ndarray, frame: int = 0) -> People:
            return seen if frame == 0 else People.nobody(frame, 17)

    frames = [Frame(k, Fraction(k), clip[10].image) for k in range(2)]
    again = list(SecondLook(Forgetful(), near).detect(frames))[1]
    assert len(again) == len(seen) == 2
    for points, box, scores, expected in zip(again.points, again.boxes, again.scores, seen.points, strict=True):
        distance = np.linalg.norm(points - expected, axis=1)[scores > 0.3]
        assert np.median(distance) < 0.03 * np.linalg.norm(box[2:] - box[:2])
