from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from kinelift.detectors.keypoint_files.detector import KeypointFile
from kinelift.detectors.keypoint_files.kind import KeypointFileOptions
from kinelift.poses import COCO17, Frame, People
from kinelift.poses.errors import DataError, SettingsError
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
    with pytest.raises(DataError, match=r"goes on to frame 59, .* ends with frame 49\..*With --max-dur"):
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


def found_at(rate: Fraction, count: int) -> Keypoints:
    """A person who moves 1 px per keypoint frame to the right."""
    base = people(0, at=(10, 10))
    points = [base.points + np.array([k, 0]) for k in range(count)]
    return file(*(People(k, points[k], base.scores, base.boxes, base.confidence) for k in range(count)))


@pytest.mark.parametrize(
    ("rate", "shown"),
    [
        (10, {0: 0, 3: 1, 6: 2, 9: 3}),
        (30, {k: k for k in range(12)}),
        (60, {k: 2 * k for k in range(12)}),
        (Fraction(25, 2), {0: 0, 2: 1, 5: 2, 7: 3, 10: 4}),
    ],
)
def test_keypoints_of_another_rate_are_shown_in_the_nearest_frame(rate: Fraction, shown: dict[int, int]) -> None:
    known = found_at(Fraction(rate), 24)
    detector = KeypointFile(known, rate=Fraction(rate))
    found = list(detector.detect(replace(f, time=Fraction(f.index, 30)) for f in blank(12, WIDTH, HEIGHT)))
    assert [one.frame for one in found] == list(range(12))
    start = known.frames[0].points[0, 0, 0]
    assert {k: round(one.points[0, 0, 0] - start) for k, one in enumerate(found) if len(one)} == shown


def test_a_wrong_rate_is_told() -> None:
    detector = KeypointFile(found_at(Fraction(10), 40), rate=Fraction(30))
    list(detector.detect(blank(100, WIDTH, HEIGHT)))
    (remark,) = detector.remarks
    assert "Check --keypoint-fps" in remark


def test_fewer_frames_than_the_video_are_told_with_the_rate_that_would_fit() -> None:
    detector = KeypointFile(file(*(people(k, at=(60, 40)) for k in range(24))))
    list(detector.detect(blank(60, WIDTH, HEIGHT)))
    (remark,) = detector.remarks
    assert "ends with frame 23, and the video with frame 59" in remark and "--keypoint-fps 10." in remark


def test_a_list_of_every_frame_that_is_too_short_is_refused() -> None:
    known = file(*(people(k, at=(60, 40)) for k in range(23)), People.nobody(23, 17))
    with pytest.raises(DataError, match=r"--keypoint-fps 10\.$"):
        run(known, 60)


def test_people_who_leave_before_the_end_are_no_reason_for_a_remark() -> None:
    detector = KeypointFile(file(*(people(k, at=(60, 40)) for k in range(52))))
    list(detector.detect(blank(60, WIDTH, HEIGHT)))
    assert detector.remarks == []


def test_joints_in_one_corner_only_are_told() -> None:
    detector = KeypointFile(file(*(people(k, at=(20, 10)) for k in range(6))))
    list(detector.detect(blank(6, WIDTH, HEIGHT)))
    (remark,) = detector.remarks
    assert "upper left" in remark and "--keypoint-size" in remark
    assert run(file(*(people(k, at=(60, 40)) for k in range(6))), 6)


def test_keypoints_of_a_smaller_picture_are_scaled() -> None:
    known = people(0, at=(20, 10))
    detector = KeypointFile(file(known, size=(WIDTH // 2, HEIGHT // 2)), size=(WIDTH // 2, HEIGHT // 2))
    (found,) = detector.detect(blank(1, WIDTH, HEIGHT))
    np.testing.assert_allclose(found.points, 2 * known.points)
    np.testing.assert_allclose(found.boxes, 2 * known.boxes)
    with pytest.raises(DataError, match="another shape"):
        list(KeypointFile(file(known), size=(WIDTH, WIDTH)).detect(blank(1, WIDTH, HEIGHT)))


def test_a_file_that_states_a_smaller_picture_of_the_same_shape_says_how_to_use_it() -> None:
    with pytest.raises(DataError, match="--keypoint-size 48x32"):
        run(file(people(0), size=(WIDTH // 2, HEIGHT // 2)), 1)


@pytest.mark.parametrize("size", ["640x360", "640X360", "640×360"])
def test_a_size_is_read(size: str) -> None:
    assert KeypointFileOptions(Path("k.json"), keypoint_size=size).size() == (640, 360)


@pytest.mark.parametrize(
    "wrong", [{"keypoint_size": "640"}, {"keypoint_size": "0x3"}, {"keypoint_fps": 0.0}, {"keypoint_fps": np.nan}]
)
def test_options_out_of_range_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(SettingsError, match="Give "):
        KeypointFileOptions(Path("k.json"), **wrong)
