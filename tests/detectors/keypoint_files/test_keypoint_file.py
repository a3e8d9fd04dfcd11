from fractions import Fraction

import numpy as np
import pytest

from kinelift.detectors.keypoint_files.detector import KeypointFile
from kinelift.poses import COCO17, Frame, People
from kinelift.poses.errors import DataError
from kinelift.poses.keypoints import Keypoints
from tests.detectors.conftest import blank

WIDTH, HEIGHT = 96, 64


def people(frame: int, count: int = 1, at: tuple[float, float] = (30, 30)) -> People:
    points = at + np.random.default_rng(frame).uniform(0, 20, (count, 17, 2))
    boxes = np.tile([at[0], at[1], at[0] + 20, at[1] + 20], (count, 1)).astype(float)
    return People(frame, points, np.full((count, 17), 0.9), boxes, np.full(count, 0.8))


def file(*frames: People, size: tuple[int, int] | None = None) -> Keypoints:
    return Keypoints("walk", COCO17, "made up", {one.frame: one for one in frames}, size)


def run(keypoints: Keypoints, count: int, every: int = 1, first: int = 0) -> list[People]:
    frames = [Frame(f.index + first, f.time, f.image) for f in blank(count, WIDTH, HEIGHT)[::every]]
    return list(KeypointFile(keypoints).detect(frames))


def test_every_frame_has_its_own_people() -> None:
    known = [people(1), people(2, 3), people(4)]
    found = run(file(*known, size=(WIDTH, HEIGHT)), 6)
    assert [len(one) for one in found] == [0, 1, 3, 0, 1, 0]
    assert (found[1] is known[0], found[2] is known[1], found[4] is known[2]) == (True, True, True)


def test_another_image_size_is_refused() -> None:
    with pytest.raises(DataError, match="walk is for images of 64 × 96 px, and the video has 96 × 64"):
        run(file(people(0), size=(HEIGHT, WIDTH)), 3)


def test_joints_far_outside_the_image_are_refused() -> None:
    inside = [people(k) for k in range(20)]
    assert len(run(file(*inside[:-1], people(19, at=(200, 200))), 20)) == 20, "5 % are no proof"
    with pytest.raises(DataError, match="10% of the joints are far outside"):
        run(file(*inside[:-2], people(18, at=(200, 200)), people(19, at=(-200, 3))), 20)


def test_unseen_joints_do_not_count_as_outside() -> None:
    one = people(0)
    one.points[0, 3:], one.scores[0, 3:] = np.nan, 0.0
    (found,) = run(file(one), 1)
    assert found is one


def test_more_frames_than_the_video_are_refused() -> None:
    longer = file(*(people(k) for k in range(60)))
    frames = KeypointFile(longer).detect(blank(50, WIDTH, HEIGHT))
    assert [len(next(frames)) for _ in range(50)] == [1] * 50, "all are there before the error"
    with pytest.raises(DataError, match="goes on to frame 59, and the video ends with frame 49"):
        next(frames)


@pytest.mark.parametrize(("count", "surplus"), [(50, 2), (1000, 9)])
def test_a_few_more_frames_than_the_video_are_accepted(count: int, surplus: int) -> None:
    still = people(0)
    known = file(
        *(People(k, still.points, still.scores, still.boxes, still.confidence) for k in range(count + surplus))
    )
    assert len(run(known, count)) == count


def test_frames_renumbered_one() -> None:
    known = file(*(people(k) for k in range(1, 11)))
    with pytest.raises(DataError, match=r"numbers frames from 1 to 10, and the video's are 0 to 9.*--keypoint-first 1"):
        run(known, 10)
    assert [len(one) for one in run(known.renumbered(1), 10)] == [1] * 10


def test_nobody_in_any_frame() -> None:
    known = file(*(people(k) for k in range(1, 20, 2)))
    with pytest.raises(DataError, match="walk shows nobody in the frames of this video, but people in others"):
        run(known, 20, every=2)
    assert [len(one) for one in run(file(), 5)] == [0] * 5


def test_parts_of_a_video() -> None:
    known = file(*(people(k) for k in range(20)))
    assert [len(one) for one in run(known, 5, first=10)] == [1] * 5
    assert [len(one) for one in run(known, 20, every=7)] == [1] * 3
    assert list(KeypointFile(known).detect([])) == []


def test_the_picture_is_not_looked_at() -> None:
    known = people(0)
    noise = np.random.default_rng(0).integers(0, 255, (HEIGHT, WIDTH, 3), np.uint8)
    (found,) = KeypointFile(file(known)).detect([Frame(0, Fraction(0), noise)])
    assert found is known
