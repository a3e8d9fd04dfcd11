from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kinelift.poses import COCO17, H36M17, Poses3D, skeleton
from kinelift.poses.errors import ShapeError, WeightsError
from kinelift.recognition.classifier import Classifier
from kinelift.recognition.decoding import Timeline
from kinelift.recognition.windows import WindowPlan
from tests.recognition.motions import standing

LABELS = ("low", "high", "other")
HEAD = H36M17.index("head")


def by_head(windows):
    """Classify windows by the mean height of the head: "low" below 2 m, "high" to 3 m, "other" above; all certain."""
    height = windows[:, :, HEAD, 1].mean(axis=1)
    return np.eye(3)[np.digitize(height, [2.0, 3.0])]


def classifier(**changes):
    settings = {"plan": WindowPlan(seconds=1.0, stride=0.25), "timeline": Timeline(0.5), **changes}
    return Classifier(by_head, LABELS, **settings)


def poses(heights, rate=30.0, start=2.0):
    points = standing(len(heights))
    points[:, HEAD, 1] = heights
    return Poses3D(points, start + np.arange(len(heights)) / rate)


@pytest.mark.parametrize("rate", [12.0, 30.0, 60.0])
def test_a_change_is_timed_correctly_at_any_frame_rate(rate):
    heights = np.where(np.arange(int(6 * rate)) < 3 * rate, 1.7, 2.5)
    low, high = classifier().classify(poses(heights, rate))
    assert (low.label, high.label) == ("low", "high")
    assert low.start == 2.0
    assert low.end == high.start == pytest.approx(5.0, abs=0.3)
    assert high.end == pytest.approx(8.0)


def test_variable_frame_rate():
    times = np.cumsum(np.random.default_rng(1).uniform(0.01, 0.09, 120))
    points = standing(120)
    points[times > times[-1] / 2, HEAD, 1] = 2.5
    actions = classifier().classify(Poses3D(points, times))
    assert [a.label for a in actions] == ["low", "high"]
    assert actions[0].end == pytest.approx(times[-1] / 2, abs=0.3)


def test_other_becomes_unknown():
    (action,) = classifier().classify(poses(np.full(60, 3.5)))
    assert action.label == "unknown"
    assert classifier().actions == ("low", "high", "unknown")


def test_last_frame_lies_inside_the_last_segment():
    clip = poses(np.full(45, 1.7))
    assert classifier().classify(clip)[-1].end > clip.times[-1]


def test_poses_shorter_than_a_window_are_classified():
    (action,) = classifier().classify(poses(np.full(20, 2.5)))
    assert (action.label, action.start) == ("high", 2.0)
    assert action.end == pytest.approx(2.0 + 20 / 30)


@pytest.mark.parametrize("frames", [1, 2, 10])
def test_too_short_is_unknown(frames):
    (action,) = classifier().classify(poses(np.full(frames, 2.5)))
    assert (action.label, action.probability) == ("unknown", 1.0)
    assert action.end > action.start


def test_no_frames_give_no_actions():
    assert classifier().classify(poses(np.zeros(0))) == ()


def moving(times):
    """One motion sampled at ``times``: the head rises and falls every few seconds."""
    points = standing(len(times))
    points[:, HEAD, 1] = 2.0 + 0.6 * np.tanh(6 * np.sin(2 * np.pi * times / 7.0))
    return Poses3D(points, times)


def bounds(clip):
    return [(action.label, action.end) for action in classifier().classify(clip)[:-1]]


@pytest.mark.parametrize("rate", [24.0, 25.0, 30000 / 1001, 60.0, 120.0])
def test_the_frame_rate_does_not_move_the_timeline(rate):
    expected, actions = bounds(moving(np.arange(0, 20, 1 / 30))), bounds(moving(np.arange(0, 20, 1 / rate)))
    assert [label for label, _ in actions] == [label for label, _ in expected] and len(actions) > 3
    np.testing.assert_allclose([end for _, end in actions], [end for _, end in expected], atol=0.25)


@settings(max_examples=10)
@given(st.integers(0, 1000), st.floats(0, 0.25))
def test_uneven_frame_times_and_a_late_start_do_not_move_the_timeline(seed, start):
    times = start + np.cumsum(np.random.default_rng(seed).uniform(0.005, 0.1, 380))
    times = times[times < 20]
    expected = bounds(moving(np.arange(0, times[-1], 1 / 30)))
    actions = bounds(moving(times))
    assert [label for label, _ in actions] == [label for label, _ in expected]
    np.testing.assert_allclose([end for _, end in actions], [end for _, end in expected], atol=0.25)


def test_a_long_gap_is_unknown_and_no_more_than_the_gap():
    clip = poses(np.full(240, 1.7))
    clip.points[30:35] = np.nan
    clip.points[100:160] = np.nan
    before, gap, after = classifier().classify(clip)
    assert (before.label, gap.label, gap.probability, after.label) == ("low", "unknown", 1.0, "low")
    assert (gap.start, gap.end) == pytest.approx((2 + 100 / 30, 2 + 160 / 30), abs=0.05)


def test_unknown_next_to_a_gap_is_one_action_with_the_mean_probabilities():
    def half(windows):
        return np.tile([0.3, 0.4, 0.3], (len(windows), 1))

    clip = poses(np.full(240, 1.7))
    clip.points[120:180] = np.nan
    (action,) = Classifier(half, LABELS, classifier().plan, Timeline(0.5)).classify(clip)
    gap = 60 / 240
    assert action.label == "unknown" and action.probability == pytest.approx(gap + (1 - gap) * 0.3, abs=0.02)
    assert [label for label, _ in action.top] == ["unknown", "high", "low"]


def test_the_three_most_probable_labels_are_kept():
    labels = ("a", "b", "c", "d", "other")

    def certain(windows):
        return np.tile([0.1, 0.2, 0.5, 0.05, 0.15], (len(windows), 1))

    (action,) = Classifier(certain, labels, classifier().plan, Timeline(0.4)).classify(poses(np.full(60, 1.7)))
    assert (action.label, [label for label, _ in action.top]) == ("c", ["c", "b", "unknown"])
    assert [value for _, value in action.top] == pytest.approx([0.5, 0.2, 0.15])


def test_the_windows_of_a_recognition_are_those_in_sight():
    clip = poses(np.full(150, 1.7))
    clip.points[60:90] = np.nan
    clip.points[90:, HEAD, 1] = 3.5
    found = classifier().recognise(clip)
    assert found.windows.labels == ("low", "high", "unknown")
    expected = np.concatenate([2.5 + np.arange(4) * 8 / 30, 5.5 + np.arange(4) * 8 / 30])
    np.testing.assert_allclose(found.windows.times, expected, atol=0.04)
    assert found.windows.probabilities.argmax(axis=1).tolist() == [0] * 4 + [2] * 4
    assert [a.label for a in found.actions] == ["low", "unknown"]


def test_it_sees_where_people_go():
    """Somebody glides along x by 1 m/s, without moving a limb."""
    clip = poses(np.full(90, 1.7))
    clip = replace(clip, root=np.stack([np.arange(90) / 30, np.zeros(90), np.full(90, 4.0)], axis=1))
    travelled = []

    def by_travel(windows):
        travelled.extend(np.ptp(windows[:, :, 0, 0], axis=1))
        return np.tile([1.0, 0.0, 0.0], (len(windows), 1))

    Classifier(by_travel, LABELS, classifier().plan, Timeline(0.5)).recognise(clip)
    assert travelled == pytest.approx([1.0] * len(travelled), abs=1e-3) and travelled


def test_a_gap_separates_what_lies_before_and_after():
    heights = np.full(150, 1.7)
    heights[90:] = 2.5
    clip = poses(heights)
    clip.points[60:90] = np.nan
    assert [a.label for a in classifier().classify(clip)] == ["low", "unknown", "high"]


def test_a_glimpse_between_gaps_is_unknown_too():
    clip = poses(np.full(150, 1.7))
    clip.points[50:70] = clip.points[78:100] = np.nan
    labels = [a.label for a in classifier().classify(clip)]
    assert labels == ["low", "unknown", "low"]


@given(st.lists(st.booleans(), min_size=1, max_size=12))
@settings(max_examples=20)
def test_whatever_is_seen_the_timeline_is_whole(seen):
    clip = poses(np.tile([1.7] * 10 + [2.5] * 10, len(seen))[: 15 * len(seen)])
    clip.points[~np.repeat(seen, 15)] = np.nan
    actions = classifier().classify(clip)
    assert actions[0].start == clip.times[0]
    assert actions[-1].end == pytest.approx(clip.times[-1] + 1 / 30)
    assert all(a.end == b.start and a.label != b.label for a, b in pairwise(actions))
    assert all(0 <= action.probability <= 1 and action.start < action.end for action in actions)


def test_a_long_track_comes_in_blocks():
    sizes = []

    def counting(windows):
        sizes.append(len(windows))
        return by_head(windows)

    long = classifier(plan=WindowPlan(seconds=0.2, rate=10.0, stride=0.1))
    long = Classifier(counting, LABELS, long.plan, long.timeline)
    (action,) = long.classify(poses(np.full(3000, 1.7), rate=20.0))
    assert action.label == "low"
    assert max(sizes) <= 512 < sum(sizes)


def test_all_unseen_is_unknown():
    (action,) = classifier().classify(Poses3D(np.full((90, 17, 3), np.nan), np.arange(90) / 30))
    assert (action.label, action.probability) == ("unknown", 1.0)


def test_poses_without_spine_and_neck_are_classified():
    """As those of lifters trained on HumanEva; an estimate of both lies on the line of their neighbours."""
    layout = skeleton("humaneva15")
    points = np.random.default_rng(0).normal(size=(90, 15, 3))
    seen: list[np.ndarray] = []

    def recognise(windows: np.ndarray) -> np.ndarray:
        seen.append(windows)
        return np.tile([1.0, 0.0], (len(windows), 1))

    replace(classifier(), recogniser=recognise, labels=("walk", "run")).classify(
        Poses3D(points, np.arange(90) / 30, skeleton=layout)
    )
    first = seen[0][0, 0]
    hip, thorax, head = (first[H36M17.index(name)] for name in ("hip", "thorax", "head"))
    np.testing.assert_allclose(first[H36M17.index("spine")], (hip + thorax) / 2)
    np.testing.assert_allclose(first[H36M17.index("neck")], thorax + 0.4 * (head - thorax))


def test_other_skeletons_are_refused():
    with pytest.raises(ShapeError, match="h36m17"):
        classifier().classify(Poses3D(np.zeros((2, 17, 3)), np.array([0.0, 0.1]), skeleton=COCO17))


def test_a_missing_checkpoint_is_named(tmp_path):
    with pytest.raises(WeightsError, match=r"nothing\.safetensors"):
        Classifier.load(tmp_path / "nothing.safetensors")
