import numpy as np
import pytest

from poses import COCO17, H36M17, Poses3D
from poses.errors import ShapeError, WeightsError
from recognition.classifier import Classifier
from recognition.segments import Timeline
from recognition.windows import WindowPlan
from tests.recognition.motions import standing

LABELS = ("low", "high", "other")
HEAD = H36M17.index("head")


def by_head(windows):
    """Certain of "high" where the head is above 2 m on average, of "other" above 3 m, else of "low"."""
    height = windows[:, :, HEAD, 1].mean(axis=1)
    return np.eye(3)[np.digitize(height, [2.0, 3.0])]


def classifier(**changes):
    settings = {"plan": WindowPlan(seconds=1.0, stride=0.25), "timeline": Timeline(0.5, 0.1, 0.3), **changes}
    return Classifier(by_head, LABELS, **settings)


def poses(heights, rate=30.0, start=2.0):
    points = standing(len(heights))
    points[:, HEAD, 1] = heights
    return Poses3D(points, start + np.arange(len(heights)) / rate)


@pytest.mark.parametrize("rate", [12.0, 30.0, 60.0])
def test_a_change_is_found_at_its_time_at_any_frame_rate(rate):
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
    found = classifier().classify(Poses3D(points, times))
    assert [a.label for a in found] == ["low", "high"]
    assert found[0].end == pytest.approx(times[-1] / 2, abs=0.3)


def test_other_becomes_unknown():
    (action,) = classifier().classify(poses(np.full(60, 3.5)))
    assert action.label == "unknown"
    assert classifier().actions == ("low", "high", "unknown")


def test_last_frame_lies_inside_the_last_segment():
    clip = poses(np.full(45, 1.7))
    assert classifier().classify(clip)[-1].end > clip.times[-1]


def test_shorter_than_a_window_is_judged_and_covers_its_time():
    (action,) = classifier().classify(poses(np.full(20, 2.5)))
    assert (action.label, action.start) == ("high", 2.0)
    assert action.end == pytest.approx(2.0 + 20 / 30)


@pytest.mark.parametrize("frames", [1, 2, 10])
def test_too_short_is_unknown(frames):
    (action,) = classifier().classify(poses(np.full(frames, 2.5)))
    assert (action.label, action.probability) == ("unknown", 1.0)
    assert action.end > action.start


def test_no_frame_no_action():
    assert classifier().classify(poses(np.zeros(0))) == ()


def test_long_gaps_are_unknown_and_short_ones_bridged():
    clip = poses(np.full(240, 1.7))
    clip.points[30:35] = np.nan
    clip.points[100:160] = np.nan
    labels = [(a.label, round(a.start), round(a.end)) for a in classifier().classify(clip)]
    assert [label for label, *_ in labels] == ["low", "unknown", "low"]


def test_all_unseen_is_unknown():
    (action,) = classifier().classify(Poses3D(np.full((90, 17, 3), np.nan), np.arange(90) / 30))
    assert (action.label, action.probability) == ("unknown", 1.0)


def test_other_skeletons_are_refused():
    with pytest.raises(ShapeError, match="h36m17"):
        classifier().classify(Poses3D(np.zeros((2, 17, 3)), np.array([0.0, 0.1]), skeleton=COCO17))


def test_a_missing_checkpoint_is_named(tmp_path):
    with pytest.raises(WeightsError, match=r"nothing\.safetensors"):
        Classifier.load(tmp_path / "nothing.safetensors")
