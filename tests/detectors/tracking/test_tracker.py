"""Ids over time: crossings, occlusions, entering and leaving, false detections; and what must not change them."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jaxtyping import Float

from kinelift.detectors.protocol import TrackRepair
from kinelift.detectors.tracking import Identity, Tracker, TrackerSettings, repair_side_flips, select_people
from kinelift.poses import COCO17, COCO23, People
from kinelift.poses.errors import DataError, SettingsError
from tests.detectors.tracking.scenes import PERFECT, SIZE, Camera, Scene, Walker, score_ids, simulate_scene

TOWARDS = (Walker(200, 200, 600), Walker(1000, -200, 560, 280, 0.3))


def clock(duration: float, rate: float, unevenness: float = 0.0, seed: int = 0) -> Float[np.ndarray, " T"]:
    steps = 1 + unevenness * np.random.default_rng(seed).uniform(-1, 1, round(duration * rate))
    return np.cumsum(steps) / rate


def follow(scene: Scene, options: TrackerSettings | None = None) -> tuple[Identity, ...]:
    tracker = Tracker(COCO17, SIZE, options)
    for people, time in zip(scene.people, scene.times, strict=True):
        tracker.update(people, float(time))
    return tracker.tracks()


def rows(people: People, order: Sequence[int]) -> People:
    pick = list(order)
    return People(people.frame, people.points[pick], people.scores[pick], people.boxes[pick], people.confidence[pick])


def assert_equal(some: Sequence[Identity], others: Sequence[Identity]) -> None:
    assert [i.id for i in some] == [i.id for i in others]
    for one, other in zip(some, others, strict=True):
        assert one.track.start == other.track.start
        np.testing.assert_allclose(one.track.points, other.track.points, atol=1e-3)
        np.testing.assert_allclose(one.track.scores, other.track.scores)
        np.testing.assert_array_equal(one.track.filled, other.track.filled)


def with_wild_feet(people: People, seed: int) -> People:
    """``people`` with heels and toes anywhere, and some of them missing."""
    random = np.random.default_rng(seed)
    feet, known = random.uniform(-300, 1500, (len(people), 6, 2)), random.random((len(people), 6)) < 0.7
    points = np.concatenate([people.points, np.where(known[..., None], feet, np.nan)], axis=1)
    return replace(people, points=points, scores=np.concatenate([people.scores, 0.9 * known], axis=1))


@pytest.mark.parametrize("repair", [None, repair_side_flips])
def test_feet_change_no_id_and_no_other_joint(repair: TrackRepair | None) -> None:
    scene = simulate_scene((*TOWARDS, Walker(600, 30, 650)), clock(4, 25), Camera(swap=0.1), seed=5)
    bare, shod = Tracker(COCO17, SIZE, repair=repair), Tracker(COCO23, SIZE, repair=repair)
    for k, (people, time) in enumerate(zip(scene.people, scene.times, strict=True)):
        assert bare.update(people, float(time)) == shod.update(with_wild_feet(people, k), float(time))
    for some in ("all", "main"):
        for one, other in zip(select_people(bare.tracks(), some), select_people(shod.tracks(), some), strict=True):
            assert (one.id, one.track.start) == (other.id, other.track.start)
            for part in ("points", "scores", "filled"):
                np.testing.assert_array_equal(getattr(one.track, part), getattr(other.track, part)[:, :17])


@pytest.mark.parametrize("rate", [10, 25, 60])
@pytest.mark.parametrize("unevenness", [0.0, 0.6])
def test_two_people_who_cross_keep_their_ids(rate: float, unevenness: float) -> None:
    scene = simulate_scene(TOWARDS, clock(4, rate, unevenness), Camera(), seed=3)
    verdict = score_ids(scene, follow(scene))
    assert verdict.switches == 0
    assert verdict.idf1 > 0.97


def test_a_crowd_seldom_changes_ids() -> None:
    switches, idf1 = 0, []
    for seed in range(8):
        random = np.random.default_rng(seed)
        walkers = [_passer_by(random) for _ in range(4)]
        scene = simulate_scene(walkers, clock(6, 25, 0.5, seed), Camera(), seed)
        verdict = score_ids(scene, follow(scene))
        switches += verdict.switches
        idf1.append(verdict.idf1)
    assert switches <= 3
    assert np.mean(idf1) > 0.97


def _passer_by(random: np.random.Generator) -> Walker:
    speed, ground = random.uniform(80, 350) * random.choice([-1, 1]), random.uniform(480, 700)
    x = random.uniform(400, 880) - speed * random.uniform(1.5, 4.5)
    return Walker(x, speed, ground, 0.45 * ground, random.random())


@pytest.mark.parametrize(("hidden", "ids"), [(0.5, 1), (1.0, 1), (2.5, 2)])
def test_a_person_hidden_for_about_a_second_keeps_the_id(hidden: float, ids: int) -> None:
    scene = simulate_scene([Walker(200, 120)], clock(6, 30))
    gone = [not 2 < t < 2 + hidden for t in scene.times]
    people = tuple(p if g else People.nobody(p.frame, 17) for p, g in zip(scene.people, gone, strict=True))
    found = follow(replace(scene, people=people))
    assert [i.id for i in found] == list(range(1, ids + 1))
    lost = [~np.isfinite(i.track.points).any(axis=(1, 2)) for i in found]
    assert sum(x.sum() for x in lost) == (0 if ids == 2 or hidden <= 0.4 else gone.count(False))


def test_sprinters_are_followed_at_ten_frames_a_second() -> None:
    sprinter = Walker(50, 900, 650, 300)
    assert len(follow(simulate_scene([sprinter], clock(1.2, 10), Camera(ghosts=0, miss=0)))) == 1


def test_a_new_person_far_from_a_hidden_one_gets_another_id() -> None:
    walkers = (Walker(200, 1, leave=2.0), Walker(800, 1, enter=2.8))
    assert [i.id for i in follow(simulate_scene(walkers, clock(5, 25)))] == [1, 2]


def test_without_probation_everybody_has_an_id_at_once() -> None:
    scene = simulate_scene(TOWARDS, clock(2, 30))
    assert [i.id for i in follow(scene, TrackerSettings(probation=0.0))] == [1, 2]
    assert Tracker(COCO17, SIZE, TrackerSettings(probation=0.0)).update(scene.people[0], 0.0) == (1, 2)


def test_people_enter_and_leave() -> None:
    walkers = (Walker(100, 80), Walker(900, 60, enter=2.0), Walker(600, -50, enter=0.5, leave=3.0))
    scene = simulate_scene(walkers, clock(6, 30), Camera(ghosts=0))
    found = follow(scene)
    assert score_ids(scene, found).switches == 0
    assert [i.id for i in found] == [1, 2, 3]
    starts = [i.track.times[0] for i in found]
    stops = [i.track.times[-1] for i in found]
    np.testing.assert_allclose(starts, [0, 0.5, 2.0], atol=0.15)
    np.testing.assert_allclose(stops, [6, 3.0, 6], atol=0.15)


def test_the_same_place_much_later_gets_a_new_id() -> None:
    walkers = (Walker(600, 1, leave=2.0), Walker(600, 1, enter=5.0))
    assert [i.id for i in follow(simulate_scene(walkers, clock(8, 25)))] == [1, 2]


def test_brief_and_weak_detections_never_get_an_id() -> None:
    ghosts = (Walker(900, 1, enter=1.0, leave=1.2), Walker(300, 1, 500, 100, enter=2.0, leave=2.1))
    assert follow(simulate_scene(ghosts, clock(4, 30))) == ()
    weak = simulate_scene([Walker(600, 10)], clock(4, 30))
    people = tuple(replace(p, confidence=np.where(p.frame % 10 == 0, 0.35, 0.12) * np.ones(1)) for p in weak.people)
    assert follow(replace(weak, people=people)) == ()


def test_a_duplicate_detection_is_not_a_second_person() -> None:
    scene = simulate_scene([Walker(200, 150)], clock(2, 30))
    people = tuple(rows(p, [0, 0]) for p in scene.people)
    shifted = tuple(replace(p, points=p.points + np.array([[[0.0]], [[2.0]]])) for p in people)
    assert [i.id for i in follow(replace(scene, people=shifted))] == [1]


def test_nobody_at_all() -> None:
    assert Tracker(COCO17, SIZE).tracks() == ()
    assert follow(simulate_scene([], clock(2, 30))) == ()


def test_nobody_in_the_first_frames() -> None:
    (only,) = follow(simulate_scene([Walker(300, 100, enter=1.0)], clock(3, 30)))
    assert only.track.start == 30 - 1
    assert only.track.times[0] == pytest.approx(1.0)


def test_a_video_of_a_single_frame_has_people() -> None:
    found = follow(simulate_scene(TOWARDS, np.zeros(1)))
    assert [(i.id, len(i.track)) for i in found] == [(1, 1), (2, 1)]


def test_ids_of_update_are_those_of_the_tracks() -> None:
    scene = simulate_scene(TOWARDS, clock(4, 30), Camera(), seed=1)
    tracker = Tracker(COCO17, SIZE)
    live = [tracker.update(p, float(t)) for p, t in zip(scene.people, scene.times, strict=True)]
    tracks = dict(tracker.tracks())
    assert all(i is None for i in live[0])
    for people, ids in zip(scene.people, live, strict=True):
        for row, number in enumerate(ids):
            if number is not None:
                points = tracks[number].points[people.frame - tracks[number].start]
                seen = people.scores[row] > 0.2
                np.testing.assert_array_equal(points[seen], people.points[row][seen].astype(np.float32))


@given(seed=st.integers(0, 2**16))
@settings(max_examples=10)
def test_the_order_of_detections_does_not_matter(seed: int) -> None:
    scene = simulate_scene((*TOWARDS, Walker(640, 5, 700)), clock(3, 15), Camera(), seed)
    random = np.random.default_rng(seed)
    mixed = tuple(rows(p, random.permutation(len(p))) for p in scene.people)
    assert_equal(follow(scene), follow(replace(scene, people=mixed)))


@given(seed=st.integers(0, 2**16))
@settings(max_examples=10)
def test_a_mirrored_scene_gives_mirrored_tracks(seed: int) -> None:
    scene = simulate_scene(TOWARDS, clock(3, 15), Camera(), seed)
    expected = tuple(Identity(i.id, i.track.mirrored()) for i in follow(scene))
    assert_equal(follow(replace(scene, people=tuple(_mirrored(p) for p in scene.people))), expected)


def _mirrored(people: People) -> People:
    swap = list(COCO17.mirror)
    points = people.points[:, swap] * [-1.0, 1.0] + [float(SIZE[0]), 0.0]
    boxes = people.boxes[:, [2, 1, 0, 3]] * [-1.0, 1.0, -1.0, 1.0] + [SIZE[0], 0.0, SIZE[0], 0.0]
    return replace(people, points=points, scores=people.scores[:, swap], boxes=boxes)


@given(seed=st.integers(0, 2**16), slower=st.sampled_from([0.25, 2.0, 8.0]))
@settings(max_examples=10)
def test_slow_motion_with_slow_settings_changes_nothing(seed: int, slower: float) -> None:
    scene = simulate_scene(TOWARDS, clock(3, 15, 0.5, seed), Camera(), seed)
    usual = TrackerSettings()
    times = {
        name: getattr(usual, name) * slower
        for name in (
            "longest_hidden",
            "longest_hidden_tentative",
            "probation",
            "longest_gap",
            "velocity_window",
            "velocity_decay",
        )
    }
    slow = replace(usual, gate_growth=usual.gate_growth / slower, **times)
    assert_equal(follow(replace(scene, times=scene.times * slower), slow), follow(scene, usual))


def test_frames_out_of_order_are_refused() -> None:
    tracker = Tracker(COCO17, SIZE)
    tracker.update(People.nobody(5, 17), 1.0)
    with pytest.raises(DataError, match="in order"):
        tracker.update(People.nobody(7, 17), 1.1)
    with pytest.raises(DataError, match="in order"):
        tracker.update(People.nobody(6, 17), 1.0)


@pytest.mark.parametrize(
    "wrong",
    [
        {"high_confidence": 1.5},
        {"longest_hidden": -1.0},
        {"low_confidence": 0.5, "high_confidence": 0.3},
        {"longest_gap": np.nan},
    ],
)
def test_settings_outside_their_range_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(SettingsError, match=next(iter(wrong))):
        TrackerSettings(**wrong)


@pytest.mark.parametrize("rate", [0.5, 1, 2, 3])
@pytest.mark.parametrize("unevenness", [0.0, 0.3])
def test_people_are_followed_at_a_few_frames_per_second(rate: float, unevenness: float) -> None:
    walkers = (Walker(200, 8, 600), Walker(900, -8, 560))
    scene = simulate_scene(walkers, clock(20 / rate, rate, unevenness), Camera(miss=0, ghosts=0), seed=1)
    verdict = score_ids(scene, follow(scene))
    assert (len(follow(scene)), verdict.switches) == (2, 0)


@pytest.mark.parametrize("rate", [1, 2, 3])
def test_at_a_few_frames_per_second_one_missed_frame_is_filled(rate: float) -> None:
    scene = simulate_scene([Walker(400, 5)], np.arange(12) / rate, PERFECT)
    missed = replace(scene, people=(*scene.people[:6], People.nobody(6, 17), *scene.people[7:]))
    (only,) = follow(missed)
    assert len(only.track) == 12
    assert only.track.filled[6].all() and not only.track.filled[:6].any()


@pytest.mark.parametrize("rate", [10, 25, 60])
def test_from_ten_frames_per_second_on_the_floor_in_frames_changes_nothing(rate: float) -> None:
    scene = simulate_scene(TOWARDS, clock(4, rate), Camera(miss=0.3), seed=5)
    assert_equal(follow(scene), follow(scene, TrackerSettings(fewest_frames=0)))


def test_a_long_pause_still_ends_a_track() -> None:
    times = np.concatenate([np.arange(30) / 30, 20 + np.arange(30) / 30])
    assert len(follow(simulate_scene([Walker(400, 0)], times, PERFECT))) == 2
