"""Two stages against test doubles with known answers; the real networks on the sample clip."""

from collections.abc import Callable
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from kinelift.detectors.movenet.detector import MoveNet
from kinelift.detectors.movenet.second_look import SecondLook
from kinelift.detectors.protocol import Memory
from kinelift.detectors.refining.blazepose import BlazePose
from kinelift.detectors.refining.crop import Crop, fresh_crop
from kinelift.detectors.refining.landmarks import LandmarkModel, Landmarks
from kinelift.detectors.refining.refined import Refined
from kinelift.poses import COCO17, COCO23, Frame, People, Skeleton, convert
from kinelift.poses.skeleton import HALPE26
from tests.app.stages import standing
from tests.detectors.contract import stored_and_read

Where = Callable[[int], float | None]
"""The position of a person in a frame; None = not there."""


@dataclass
class World:
    """People 80 pixels tall; ``ghosts`` are false detections of the first stage."""

    people: tuple[Where, ...]
    ghosts: tuple[Where, ...] = ()
    blind: tuple[int, ...] = ()
    off: float = 0.0
    missing: list[int] = field(default_factory=list)
    confidence: float = 0.9
    skeleton: Skeleton = COCO17
    looks: list[int] = field(default_factory=list)
    crops: list[Crop] = field(default_factory=list)

    def frames(self, count: int) -> list[Frame]:
        return [Frame(k, Fraction(k, 30), np.full((120, 400, 3), k, np.uint8)) for k in range(count)]

    def truth(self, frame: int, who: tuple[Where, ...]) -> People:
        return standing(*(x for x in (one(frame) for one in who) if x is not None), frame=frame)

    def detect_frame(self, frame: Frame, previous: People) -> People:
        self.looks.append(frame.index)
        if frame.index in self.blind:
            return People.nobody(frame.index, 17)
        seen = self.truth(frame.index, (*self.people, *self.ghosts))
        points, scores = seen.points + np.array([0, self.off]), seen.scores.copy()
        points[:, self.missing], scores[:, self.missing] = np.nan, 0.0
        return People(frame.index, points, scores, seen.boxes, np.full(len(seen), self.confidence))

    def landmarks(self, image: np.ndarray, crop: Crop) -> Landmarks:
        self.crops.append(crop)
        there = self.truth(int(image[0, 0, 0]), self.people)
        distances = np.abs(there.points[:, 11:13].mean(axis=1)[:, 0] - crop.centre[0])
        if not len(there) or distances.min() > crop.side / 4:
            return Landmarks(np.zeros((17, 2)), np.zeros(17), 0.1, crop)
        points, box = there.points[distances.argmin()], there.boxes[distances.argmin()]
        return Landmarks(points, np.full(17, 0.7), 1.0, fresh_crop(points, box, COCO17))


def test_the_double_is_a_landmark_model() -> None:
    assert isinstance(World(()), LandmarkModel)


def test_joints_and_scores_are_those_of_the_model() -> None:
    world = World((lambda k: 100 + 2.0 * k, lambda k: 300 - 2.0 * k), off=15.0)
    for people in Refined(world, world).detect(world.frames(20)):
        expected = world.truth(people.frame, world.people)
        np.testing.assert_allclose(people.points, expected.points)
        assert (people.scores == 0.7).all() and (people.confidence == 0.9).all()
        assert (people.boxes[:, :2] < people.points.min(axis=1)).all()
        assert (people.boxes[:, 2:] > people.points.max(axis=1)).all()


def test_the_model_may_have_joints_that_the_first_stage_lacks() -> None:
    class WithFeet:
        skeleton = HALPE26

        def landmarks(self, image: np.ndarray, crop: Crop) -> Landmarks:
            seen = world.landmarks(image, crop)
            points = np.nan_to_num(convert(seen.points, COCO17, HALPE26), nan=90.0)
            return Landmarks(points, np.full(len(HALPE26), 0.7), seen.person, seen.crop)

    world = World((lambda k: 100.0,), off=2.0)
    detector = Refined(world, WithFeet())
    (people,) = detector.detect(world.frames(1))
    assert detector.skeleton == HALPE26
    np.testing.assert_allclose(people.points[0, HALPE26.index("left_big_toe")], 90.0)
    lower = people.points[0, HALPE26.index("left_wrist")] - world.truth(0, world.people).points[0, 9]
    assert lower[0] == 0 and 0 < lower[1] < 2.0


@dataclass
class Shod:
    """``world`` with a heel behind and a big toe before each ankle; ``astray`` moves those of the left foot, px."""

    world: World
    astray: float = 0.0
    skeleton: Skeleton = COCO23

    def landmarks(self, image: np.ndarray, crop: Crop) -> Landmarks:
        seen = self.world.landmarks(image, crop)
        points = convert(seen.points, COCO17, COCO23)
        for side, astray in (("left", self.astray), ("right", 0.0)):
            for part, x in (("heel", -4.0), ("big_toe", 9.0)):
                ankle = points[COCO23.index(f"{side}_ankle")]
                points[COCO23.index(f"{side}_{part}")] = ankle + np.array([x, 3.0 + astray])
        return Landmarks(points, np.where(np.isnan(points[:, 0]), 0.0, 0.7), seen.person, seen.crop)


FEET = list(COCO23.feet)


@pytest.mark.parametrize("every", [1, 3])
def test_feet_change_nothing_else(every: int) -> None:
    """Nor are small toes, which are never seen, a reason for anything."""
    world = World((lambda k: 100 + 3.0 * k, lambda k: 170.0), off=2.0, blind=(6,))
    bare, shod = (list(Refined(world, one, every=every).detect(world.frames(10))) for one in (world, Shod(world)))
    for a, b in zip(bare, shod, strict=True):
        np.testing.assert_array_equal(a.points, b.points[:, :17])
        np.testing.assert_array_equal(a.scores, b.scores[:, :17])
        np.testing.assert_array_equal(a.boxes, b.boxes)
        np.testing.assert_array_equal(a.confidence, b.confidence)
        heel, toe, ankle = (b.points[:, COCO23.index(f"left_{part}")] for part in ("heel", "big_toe", "ankle"))
        if every == 1:
            assert len(b) == (0 if b.frame == 6 else 2)
        assert (np.abs(ankle[:, 0] - heel[:, 0] - 4) < 1e-9).all() and (
            np.abs(toe[:, 0] - ankle[:, 0] - 9) < 1e-9
        ).all()
        assert np.array_equal(np.isnan(b.points[..., 0]), b.scores == 0)


def test_a_foot_far_from_its_ankle_is_left_out() -> None:
    world = World((lambda k: 100.0,))
    (people,) = Refined(world, Shod(world, astray=40.0)).detect(world.frames(1))
    seen = [COCO23.joints[j] for j in FEET if people.scores[0, j] > 0]
    assert seen == ["right_big_toe", "right_heel"] and np.isnan(people.points[0, COCO23.index("left_heel")]).all()


@pytest.mark.parametrize(("score", "kept"), [(0.9, 2), (0.1, 4)])
def test_a_foot_is_left_out_while_the_first_stage_sees_its_ankle_elsewhere(score: float, kept: int) -> None:
    class Elsewhere(World):
        def detect_frame(self, frame: Frame, previous: People) -> People:
            people = super().detect_frame(frame, previous)
            points, scores = people.points.copy(), people.scores.copy()
            points[:, COCO17.index("left_ankle")] += [0, 25.0]
            scores[:, COCO17.index("left_ankle")] = score
            return People(people.frame, points, scores, people.boxes, people.confidence)

    world = Elsewhere((lambda k: 100.0,))
    for people in Refined(world, Shod(world), every=3).detect(world.frames(5)):
        assert (people.scores[0, FEET] > 0).sum() == kept
        assert np.isfinite(people.points[0, :17]).all()


def test_feet_change_sides_with_the_legs() -> None:
    """The model swaps left and right in some frames."""

    class Confused(Shod):
        def landmarks(self, image: np.ndarray, crop: Crop) -> Landmarks:
            seen = super().landmarks(image, crop)
            mirror = list(COCO23.mirror)
            swapped = Landmarks(seen.points[mirror], seen.scores[mirror], seen.person, seen.crop)
            return swapped if image[0, 0, 0] in (4, 5) else seen

    world = World((lambda k: 100.0,))
    right, found = (list(Refined(world, one(world)).detect(world.frames(8))) for one in (Shod, Confused))
    for a, b in zip(right, found, strict=True):
        np.testing.assert_allclose(a.points, b.points)


def test_where_both_stages_agree_a_joint_lies_between_them() -> None:
    world = World((lambda k: 100.0,), off=2.0)
    (people,) = Refined(world, world).detect(world.frames(1))
    way = dict(zip(COCO17.joints, people.points[0] - world.truth(0, world.people).points[0], strict=True))
    for joint, trust in (("nose", 1.0), ("left_ankle", 2.0), ("right_wrist", 2.0), ("left_hip", 0.5)):
        np.testing.assert_allclose(way[joint], [0, 2.0 * trust * 0.9 / (trust * 0.9 + 0.7)], atol=1e-9)


@pytest.mark.parametrize("every", [1, 3])
def test_the_first_stage_sees_every_nth_frame(every: int) -> None:
    world = World((lambda k: 100 + 5.0 * k,))
    found = list(Refined(world, world, every=every).detect(world.frames(12)))
    assert world.looks == list(range(0, 12, every))
    assert [len(people) for people in found] == [1] * 12


def test_the_first_stage_counts_the_frames_that_it_is_given() -> None:
    world = World((lambda k: 100 + 5.0 * k,))
    frames = world.frames(13)[1::2]
    list(Refined(world, world, every=3).detect(frames))
    assert world.looks == [1, 7]


def test_the_first_stage_searches_at_once_when_a_person_is_lost() -> None:
    world = World((lambda k: 50.0 if k < 5 else 250.0,))
    found = list(Refined(world, world, every=4).detect(world.frames(8)))
    assert world.looks == [0, 4, 5]
    for people in found:
        np.testing.assert_allclose(people.points, world.truth(people.frame, world.people).points)


def test_a_new_person_appears_when_the_first_stage_looks_next() -> None:
    world = World((lambda k: 100.0, lambda k: 300.0 if k >= 5 else None))
    found = list(Refined(world, world, every=4).detect(world.frames(10)))
    assert [len(people) for people in found] == [1] * 8 + [2] * 2


def test_false_detections_are_left_out() -> None:
    world = World((lambda k: 100.0,), ghosts=(lambda k: 300.0,), confidence=0.25)
    assert [len(people) for people in Refined(world, world).detect(world.frames(4))] == [1] * 4


def test_a_confident_new_detection_is_kept_without_landmarks() -> None:
    """The model does not recognise close-ups of faces."""
    world = World((lambda k: 100.0,), ghosts=(lambda k: 300.0,), confidence=0.5)
    assert [len(people) for people in Refined(world, world).detect(world.frames(4))] == [2] * 4


def test_a_known_person_without_landmarks_keeps_the_detected_joints() -> None:
    world = World((lambda k: 100.0,))
    doubtful = World((lambda k: 100.0 if k < 2 else None,))
    found = list(Refined(world, doubtful).detect(world.frames(5)))
    assert [len(people) for people in found] == [1] * 5
    assert [people.scores.max() for people in found] == [0.7, 0.7, 0.9, 0.9, 0.9]


def test_a_person_whom_the_first_stage_misses_is_gone() -> None:
    world = World((lambda k: 100.0,), blind=(3,))
    assert [len(people) for people in Refined(world, world).detect(world.frames(5))] == [1, 1, 1, 0, 1]


def test_two_crops_on_one_person_make_the_first_stage_look() -> None:
    """They come so near that both crops show the same person; the first stage separates them again."""
    world = World((lambda k: 200 + 20.0 * min(k, 3), lambda k: 300.0))

    class Drawn(World):
        def landmarks(self, image: np.ndarray, crop: Crop) -> Landmarks:
            if image[0, 0, 0] == 3 and not self.looks.count(3):
                return World((lambda k: 300.0,)).landmarks(image, Crop((300.0, 60.0), 100.0))
            return super().landmarks(image, crop)

    drawn = Drawn(world.people)
    found = list(Refined(drawn, drawn, every=10).detect(world.frames(5)))
    assert drawn.looks == [0, 3]
    np.testing.assert_allclose(sorted(found[-1].points[:, 0, 0]), [260.0, 300.0])


HIPS = [COCO17.index("left_hip"), COCO17.index("right_hip")]
LIMBS = [COCO17.index(f"{side}_{part}") for side in ("left", "right") for part in ("elbow", "wrist", "knee", "ankle")]


@pytest.mark.parametrize("missing", [[], LIMBS, HIPS, [0], list(range(5, 17))], ids=len)
@pytest.mark.parametrize("every", [1, 2])
def test_joints_that_the_first_stage_misses_come_from_the_model(missing: list[int], every: int) -> None:
    world = World((lambda k: 100 + 3.0 * k, lambda k: 300.0), off=2.0, missing=missing)
    for people in Refined(world, world, every=every).detect(world.frames(6)):
        truth = world.truth(people.frame, world.people).points
        np.testing.assert_allclose(people.points[:, missing], truth[:, missing])
        assert np.isfinite(people.points).all() and np.isfinite(people.boxes).all() and len(people) == 2


def test_missing_joints_stay_missing_without_landmarks() -> None:
    world = World((lambda k: 100.0,), missing=LIMBS)
    doubtful = World((lambda k: 100.0 if k < 2 else None,))
    *_, people = Refined(world, doubtful).detect(world.frames(4))
    assert np.isnan(people.points[0, LIMBS]).all() and (people.scores[0, LIMBS] == 0).all()
    assert np.isfinite(people.boxes).all()


def test_a_crop_without_hips_lies_around_the_box_upright() -> None:
    points = np.full((17, 2), np.nan)
    crop = fresh_crop(points, np.array([10.0, 20, 50, 120]), COCO17)
    assert crop.centre == (30.0, 70.0) and crop.angle == 0.0
    assert crop.side >= 100


def test_two_streams_do_not_share_state() -> None:
    world = World((lambda k: 100.0,), blind=(0,))
    both = Refined(world, world, every=5)
    assert [len(people) for people in both.detect(world.frames(3))] == [0, 1, 1]
    assert len(next(iter(both.detect(world.frames(1))))) == 0


@pytest.mark.parametrize("every", [1, 4])
def test_a_stream_continues_exactly_after_any_frame(every: int) -> None:
    people: tuple[Where, ...] = (lambda k: 100 + 2.0 * k, lambda k: 300 - 2.0 * k if k > 5 else None)
    world = World(people, blind=(9, 10), off=3.0, missing=[7])
    whole = list(Refined(world, world, every=every).detect(world.frames(24)))
    memory, found = Memory(), list[People]()
    for frame in world.frames(24):
        found += Refined(world, world, every=every).detect_from(memory, [frame])
        memory = stored_and_read(memory)
    for one, other in zip(found, whole, strict=True):
        for name in ("frame", "points", "scores", "boxes", "confidence"):
            np.testing.assert_array_equal(getattr(one, name), getattr(other, name))


@pytest.fixture(scope="module")
def real(movenet_file: Path, blazepose_file: Path) -> Refined:
    people = SecondLook(MoveNet(movenet_file, threads=1), MoveNet(movenet_file, threads=1, long_side=256))
    return Refined(people, BlazePose(blazepose_file, threads=1))


def test_both_stages_see_the_same_people(real: Refined, movenet_file: Path, clip: list[Frame]) -> None:
    frames = [clip[10], Frame(11, clip[11].time, clip[11].image)]
    for people in real.detect(frames):
        alone = MoveNet(movenet_file, threads=1).find(frames[people.frame - 10].image)
        assert len(people) == len(alone) == 2
        for points, scores in zip(people.points, people.scores, strict=True):
            distances = np.linalg.norm(alone.points - points[:17], axis=2)
            size = np.linalg.norm(np.ptp(points[:17], axis=0))
            assert np.median(distances, axis=1).min() < 0.03 * size
            assert (scores > 0.5).sum() >= 12


def test_mirror_image_gives_mirrored_people(real: Refined, clip: list[Frame]) -> None:
    image = clip[0].image
    flipped = Frame(0, Fraction(0), np.ascontiguousarray(image[:, ::-1]))
    (a,), (b,) = real.detect([clip[0]]), real.detect([flipped])
    back = (b.points[0] * [-1, 1] + [image.shape[1], 0])[list(COCO23.mirror)]
    size = np.linalg.norm(np.ptp(a.points[0, :17], axis=0))
    for joints in (COCO23.body, COCO23.feet):
        assert np.nanmedian(np.linalg.norm(a.points[0] - back, axis=1)[list(joints)]) < 0.02 * size
