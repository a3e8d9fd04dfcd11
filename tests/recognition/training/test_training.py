import json
from dataclasses import replace

import numpy as np
import pytest
import torch

from kinelift.models.enas.action_net import ActionNet, ActionNetConfig
from kinelift.models.enas.genotype import HAND_CHOSEN
from kinelift.poses import H36M17, Poses3D, skeleton
from kinelift.poses.errors import WeightsError
from kinelift.recognition.calibration import Calibration
from kinelift.recognition.classifier import Classifier
from kinelift.recognition.encoding.spmf import Encoding
from kinelift.recognition.network import ActionNetwork
from kinelift.recognition.training.augment import (
    Augmentation,
    Sampler,
    interpolate_gaps,
    lifting_errors,
    rotate,
    scale_bones,
    transform_bodies,
)
from kinelift.recognition.training.corpus import corpus_of
from kinelift.recognition.training.inputs import run_of
from kinelift.recognition.training.scores import clip_scores
from kinelift.recognition.training.trainer import Trainer, TrainSettings
from kinelift.recognition.windows import WindowPlan
from kinelift.weights import checkpoint
from kinelift.weights.checkpoint import Checkpoint
from tests.recognition.motions import LABELS, clip, dataset, standing, walking, waving

PLAN = WindowPlan(seconds=1.0, stride=0.25)
SMALL = TrainSettings(
    channels=4, epochs=4, steps=9, batch=8, learning_rate=0.01, plan=PLAN, encoding=Encoding(equalise="none")
)
STILL = Augmentation((1.0, 1.0), 0.0, 0.0, mirror=0.0, proportion=0.0, wander=0.0, depth=0.0, jitter=0.0)
"""No augmentation at all."""
WALK, GESTURE = LABELS.index("walk"), LABELS.index("gesture")


@pytest.fixture(scope="module")
def corpus():
    clips = [clip(f"walk{s}", str(s), walking(60 + 10 * s), "walk") for s in range(3)]
    clips += [clip(f"wave{s}", str(s), waving(60 + 10 * s), "gesture") for s in range(3)]
    return corpus_of(dataset(clips), PLAN)


@pytest.fixture(scope="module")
def trained(corpus):
    trainer = Trainer(SMALL, corpus, corpus)
    return trainer, list(trainer.fit())


def test_learns_to_distinguish_two_motions(trained, corpus):
    trainer, records = trained
    assert records[-1]["loss"] < records[0]["loss"]
    assert records[-1]["clips"] == records[-1]["windows"] == 1.0
    json.dumps(records)
    shifted = trainer.result({}).probabilities(corpus.windows() + 3.0)
    assert (shifted.argmax(axis=1) == corpus.labels).all()


def test_resumed_run_equals_uninterrupted_one(trained, corpus, tmp_path):
    whole, records = trained
    run = run_of(corpus, SMALL, HAND_CHOSEN)
    first = Trainer(SMALL, corpus, corpus)
    next(first.fit())
    first.save(tmp_path / "run.state", run)
    second = Trainer(SMALL, corpus, corpus)
    second.restore(tmp_path / "run.state", run)
    assert [r["loss"] for r in second.fit()] == [r["loss"] for r in records[1:]]
    for name, tensor in second.net.state_dict().items():
        assert torch.equal(tensor, whole.net.state_dict()[name]), name


def test_training_leaves_the_global_generator_alone(corpus):
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    next(Trainer(SMALL, corpus, None).fit())
    assert torch.equal(torch.rand(3), expected)


def test_auxiliary_classifier_takes_part(corpus):
    trainer = Trainer(replace(SMALL, auxiliary=0.4, epochs=1, steps=1), corpus, None)
    list(trainer.fit())
    assert trainer.net.auxiliary is not None
    assert all(p.grad is not None for p in trainer.net.auxiliary.parameters())


def test_checkpoint_describes_itself_and_classifies(trained, corpus, tmp_path):
    network = replace(trained[0].result({"data": "made up"}), calibration=Calibration(1.2, 0.3))
    network.save(tmp_path / "actions.safetensors")
    back = ActionNetwork.load(tmp_path / "actions.safetensors")
    assert (back.labels, back.plan, back.encoding) == (network.labels, network.plan, network.encoding)
    assert (back.calibration, back.about, back.net.config) == (network.calibration, network.about, network.net.config)
    windows = corpus.windows()[:4]
    np.testing.assert_allclose(back.probabilities(windows), network.probabilities(windows), atol=0.02)
    classifier = Classifier.load(tmp_path / "actions.safetensors")
    assert classifier.timeline.threshold == 0.3
    assert Classifier.load(tmp_path / "actions.safetensors", threshold=0.0).timeline.threshold == 0.0
    points = walking(90) * [1.0, -1.0, -1.0]
    (action,) = classifier.classify(Poses3D(points - points[:, :1], np.arange(90) / 30))
    assert (action.label, action.start, action.end) == ("walk", 0.0, pytest.approx(3.0))


def test_a_checkpoint_of_another_kind_is_refused(trained, tmp_path):
    path = tmp_path / "other.safetensors"
    checkpoint.save(path, Checkpoint("temporal-lifter", {}, {"a": torch.zeros(1)}))
    with pytest.raises(WeightsError, match="temporal-lifter"):
        ActionNetwork.load(path)
    checkpoint.save(path, Checkpoint("action-net", {"labels": []}, {"a": torch.zeros(1)}))
    with pytest.raises(WeightsError, match="does not fit its own description"):
        ActionNetwork.load(path)


@pytest.mark.parametrize(
    ("of", "reason"),
    [
        ({"plan": WindowPlan(seconds=None)}, "whole clips"),
        ({"encoding": Encoding.of("kinect20")}, "kinect20 skeletons"),
    ],
)
def test_a_network_that_does_not_fit_videos_is_refused(of, reason, tmp_path):
    net = ActionNet(ActionNetConfig(2, channels=2)).eval()
    ActionNetwork(net, ("a", "b"), **of).save(tmp_path / "own.safetensors")
    with pytest.raises(WeightsError, match=reason):
        Classifier.load(tmp_path / "own.safetensors")


def test_no_windows_give_no_probabilities():
    net = ActionNetwork(ActionNet(ActionNetConfig(2, channels=4)).eval(), ("a", "b"))
    assert net.probabilities(np.zeros((0, 31, 17, 3))).shape == (0, 2)


def test_sampler_draws_every_label_equally_often():
    clips = [clip("long", "1", walking(600), "walk"), clip("short", "2", waving(40), "gesture")]
    _, labels = Sampler(corpus_of(dataset(clips), PLAN), Augmentation()).draw(600, np.random.default_rng(0))
    assert abs((labels == WALK).mean() - 0.5) < 0.07


def test_sampler_is_a_function_of_its_generator(corpus):
    sampler = Sampler(corpus, Augmentation())
    first, second = (sampler.draw(8, np.random.default_rng(3)) for _ in range(2))
    np.testing.assert_array_equal(first[0], second[0])


def test_new_proportions_keep_directions_and_symmetry():
    body = standing(2)[None]
    other = scale_bones(body, H36M17, 0.1, np.random.default_rng(0))
    thigh, new = body[0, 0, 2] - body[0, 0, 1], other[0, 0, 2] - other[0, 0, 1]
    np.testing.assert_allclose(np.cross(thigh, new), 0, atol=1e-12)
    left = other[0, 0, 5] - other[0, 0, 4]
    assert np.linalg.norm(left) == pytest.approx(np.linalg.norm(new))
    assert np.linalg.norm(new) != pytest.approx(np.linalg.norm(thigh))


def test_errors_are_slow_and_larger_at_hands_and_feet():
    quiet = Augmentation(jitter=0.0)
    made = lifting_errors((200, 31, 17, 3), H36M17, quiet, np.random.default_rng(0))
    steps = np.diff(made, axis=1)
    assert np.abs(steps).mean() < 0.2 * np.abs(made).mean()
    assert made[:, :, 16].std() == pytest.approx(2 * made[:, :, 15].std(), rel=0.2)


def test_a_clip_counts_once(corpus):
    probabilities = np.eye(len(LABELS))[corpus.labels]
    wrong = corpus.clip == 5
    probabilities[wrong] = np.eye(len(LABELS))[WALK]
    scores = clip_scores(corpus, probabilities)
    assert scores.confusion[WALK, WALK] == 3
    assert scores.confusion[GESTURE, WALK] == 1
    assert scores.accuracy == pytest.approx(5 / 6)
    assert scores.mean_recall == pytest.approx((1 + 2 / 3) / 2)
    assert scores.window_accuracy == pytest.approx(1 - wrong.mean())


def test_lifted_clips_get_no_further_errors():
    clips = [clip("a", "1", walking(31), "walk"), clip("a", "1", walking(31), "walk", kind="lifted")]
    corpus = corpus_of(dataset(clips), PLAN)
    for kind, has_errors in (("", True), ("lifted", False)):
        part = corpus.only(corpus.of_kind(kind))
        windows, _ = Sampler(part, replace(STILL, depth=0.03)).draw(4, np.random.default_rng(0))
        assert np.allclose(windows, part.windows()[:1], atol=1e-9) != has_errors


def test_mirrored_windows_are_mirror_images():
    layout = skeleton("kinect15-pair")
    points = np.random.default_rng(0).normal(size=(3, 5, 30, 3))
    mirrored = transform_bodies(points, layout, replace(STILL, mirror=1.0, exchange=0.0), np.random.default_rng(1))
    np.testing.assert_allclose(
        mirrored[..., layout.index("left_hand_2"), 0], -points[..., layout.index("right_hand_2"), 0]
    )
    kept = transform_bodies(points, layout, replace(STILL, exchange=0.0), np.random.default_rng(1))
    np.testing.assert_allclose(kept, points)


def test_two_people_are_exchanged():
    layout = skeleton("kinect15-pair")
    points = np.random.default_rng(0).normal(size=(3, 5, 30, 3))
    swapped = transform_bodies(points, layout, replace(STILL, exchange=1.0), np.random.default_rng(1))
    np.testing.assert_allclose(swapped[..., layout.index("head_1"), :], points[..., layout.index("head_2"), :])
    np.testing.assert_allclose(
        swapped[..., layout.index("left_foot_2"), :], points[..., layout.index("left_foot_1"), :]
    )
    alone = points[:, :, :17]
    np.testing.assert_allclose(
        transform_bodies(alone, H36M17, replace(STILL, exchange=1.0), np.random.default_rng(1)), alone
    )


def test_a_skeleton_stored_in_any_order_keeps_its_directions():
    layout = skeleton("kinect20")
    points = np.random.default_rng(0).normal(size=(1, 2, 20, 3))
    other = scale_bones(points, layout, 0.2, np.random.default_rng(1))
    for parent, child in layout.bones:
        before, after = (p[0, 0, child] - p[0, 0, parent] for p in (points, other))
        np.testing.assert_allclose(np.cross(before, after), 0, atol=1e-9)


def test_warped_windows_keep_their_order_and_whole_segments_stay_inside():
    points = np.arange(40.0)[:, None, None] * np.ones((1, 17, 3))
    whole = corpus_of(dataset([clip("ramp", "1", points, "walk")]), WindowPlan(seconds=None, samples=20))
    lively = replace(STILL, speed=(0.6, 1.0), shift=0.5, warp=0.5)
    windows, _ = Sampler(whole, lively).draw(50, np.random.default_rng(0))
    frames = windows[:, :, 0, 0]
    steps = np.diff(frames, axis=1)
    assert (steps >= 0).all() and steps.std() > 0.2
    assert frames.min() >= 0 and frames.max() <= 39 and np.ptp(frames, axis=1).min() >= 0.6 * 39 - 1e-6


def test_windows_are_rotated_as_a_whole():
    points = np.random.default_rng(0).normal(size=(200, 4, 17, 3))
    made = rotate(points, replace(STILL, turn=12.0), np.random.default_rng(1))
    np.testing.assert_allclose(made[..., 1], points[..., 1])
    np.testing.assert_allclose(np.linalg.norm(made, axis=-1), np.linalg.norm(points, axis=-1))
    angles = np.degrees(np.arctan2(made[..., 0], made[..., 2]) - np.arctan2(points[..., 0], points[..., 2]))
    angles = (angles + 180) % 360 - 180
    assert np.ptp(angles, axis=(1, 2)).max() < 1e-6 and 10 < angles[:, 0, 0].std() < 14
    np.testing.assert_allclose(rotate(points, STILL, np.random.default_rng(1)), points)


def test_gaps_are_interpolated_and_other_frames_stay():
    points = np.cumsum(np.random.default_rng(0).normal(size=(40, 31, 17, 3)), axis=1)
    made = interpolate_gaps(points, 1.0, np.random.default_rng(1))
    changed = (made != points).any(axis=(2, 3))
    assert changed.any(axis=1).mean() > 0.8 and changed.mean() < 0.4
    bends = np.abs(np.diff(made, 2, axis=1)).max(axis=(2, 3))
    inner = changed[:, :-2] & changed[:, 1:-1] & changed[:, 2:]
    np.testing.assert_allclose(bends[inner], 0, atol=1e-9)
    np.testing.assert_array_equal(interpolate_gaps(points, 0.0, np.random.default_rng(1)), points)
