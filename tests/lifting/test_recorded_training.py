from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from lightning_fabric import Fabric
from torch import Generator

from kinelift.lifting.datasets import dataset_split
from kinelift.lifting.datasets.sequences import SequenceBank
from kinelift.lifting.lifter import Lifter
from kinelift.lifting.losses.objective import LossSettings
from kinelift.lifting.network import LifterNetwork, framing
from kinelift.lifting.training.inputs import run_of
from kinelift.lifting.training.presets import PRESETS, HumanEva
from kinelift.lifting.training.schedule import learning_rate, norm_momentum
from kinelift.lifting.training.train_settings import TrainSettings
from kinelift.lifting.training.trainer import Trainer
from kinelift.models.temporal import TemporalNet
from kinelift.poses import COCO17
from kinelift.poses.errors import DataError, SettingsError
from tests.lifting.recordings import CAMERA, SIZE, bank

SMALL = replace(HumanEva(), channels=32, epochs=3, batch=40, learning_rate=3e-3, dropout=0.0, norm_momentum=(0.1, 0.05))


def trainer(settings: TrainSettings = SMALL, train: SequenceBank | None = None, **more: SequenceBank) -> Trainer:
    fabric = Fabric(accelerator="cpu", devices=1)
    return Trainer(settings, train or bank("S1", "S2"), bank("S9"), fabric, **more)


@pytest.mark.parametrize("kind", ["temporal", "two-stream"])
@pytest.mark.parametrize("normalisation", ["picture", "screen", "facing"])
def test_every_kind_trains_on_recorded_sequences(kind: str, normalisation: str) -> None:
    run = trainer(replace(SMALL, kind=kind, normalisation=normalisation, epochs=4))  # type: ignore[arg-type]
    records = list(run.fit())
    assert records[-1]["train_mpjpe"] < 0.7 * records[0]["train_mpjpe"]
    assert run.source.steps(run.samples) == 6  # two sequences of 60 frames, and their mirrored copies
    network = run.result({})
    assert (network.rate, network.source.name, network.normalisation) == (50.0, "humaneva15", normalisation)
    one = bank("S1").sequences[0]
    assert Lifter(network, torch.device("cpu")).lift(one.track(), CAMERA).points.shape == (60, 15, 3)


@pytest.mark.parametrize("normalisation", ["picture", "screen", "facing", "frame"])
def test_two_streams_train_on_keypoints_with_gaps(normalisation: str) -> None:
    one = bank("S1").sequences[0]
    keypoints = one.keypoints.copy()
    keypoints[5:20, 3] = keypoints[:, 14] = np.nan
    gaps = SequenceBank((replace(one, keypoints=keypoints),))
    run = trainer(replace(SMALL, kind="two-stream", normalisation=normalisation, epochs=1), gaps)
    (record,) = run.fit()
    assert np.isfinite(record["train_mpjpe"])
    (batch, *_) = run.source.epoch(0, 60, Generator())
    (clean,) = run.learner._clean(batch)
    assert clean.isfinite().all()


@pytest.mark.parametrize("normalisation", ["picture", "screen"])
def test_the_first_stream_sees_the_true_joints_through_the_camera(normalisation: str) -> None:
    """Exact keypoints with noise: what is clean does not change, and mirror images stay together."""
    exact = bank("S1")
    noise = np.random.default_rng(0).normal(0, 5, exact.sequences[0].keypoints.shape)
    noisy = SequenceBank(tuple(replace(one, keypoints=one.keypoints + noise) for one in exact))
    settings = replace(SMALL, kind="two-stream", normalisation=normalisation, epochs=1)
    batches = [next(trainer(settings, data).source.epoch(0, 60, Generator())) for data in (exact, noisy)]
    torch.testing.assert_close(batches[0].clean, batches[0].points, atol=1e-4, rtol=0)
    torch.testing.assert_close(batches[1].clean, batches[0].clean)
    assert (batches[1].points - batches[1].clean).abs().mean() > 1e-3


def test_data_without_gaps_need_no_filling() -> None:
    """Where every keypoint is visible, leaving out what fills in others changes nothing."""
    run, gaps = trainer(), trainer(train=SequenceBank((*bank("S1"), replace(bank("S2").sequences[0], **hidden()))))
    assert (run.learner.complete, gaps.learner.complete) == (True, False)
    batch = run.validation_source.validation_batch(8)
    filled = replace(run.learner, complete=False).predict(batch, run.mean.eval())[0]
    assert torch.equal(run.learner.predict(batch, run.mean)[0], filled)


def hidden() -> dict[str, Any]:
    """Keypoints of which one is missing once."""
    keypoints = bank("S2").sequences[0].keypoints.copy()
    keypoints[3, 4] = np.nan
    return {"keypoints": keypoints}


def test_validation_of_two_streams_sees_detected_keypoints_only() -> None:
    run = trainer(replace(SMALL, kind="two-stream", epochs=1))
    batch = run.validation_source.validation_batch(8)
    run.mean.eval()
    before, _ = run.learner.predict(batch, run.mean)
    after, _ = run.learner.predict(replace(batch, clean=batch.clean + 1), run.mean)
    assert torch.equal(before, after)


def test_two_streams_need_true_positions_of_all_keypoints() -> None:
    ten = bank("S1").sequences[0]
    faces = SequenceBank((replace(ten, keypoints=np.zeros((60, 17, 2), np.float32), source=COCO17),))
    settings = replace(SMALL, kind="two-stream")
    with pytest.raises(DataError, match="no true pose of nose, left_eye"):
        Trainer(settings, faces, faces, Fabric(accelerator="cpu", devices=1))
    Trainer(replace(settings, streams=1), faces, faces, Fabric(accelerator="cpu", devices=1))


@pytest.mark.parametrize(
    ("kind", "changed", "option"),
    [
        ("ugcn", {"causal": True}, "--causal"),
        ("two-stream", {"causal": True}, "--causal"),
        ("two-stream", {"trajectory": 1.0}, "--trajectory"),
        ("ugcn", {"trajectory": 1.0}, "--trajectory"),
        ("temporal", {"streams": 1}, "--streams"),
        ("two-stream", {"streams": 3}, "--streams 1 or 2"),
    ],
)
def test_options_of_other_networks_are_refused(kind: str, changed: dict[str, Any], option: str) -> None:
    with pytest.raises(SettingsError, match=option):
        replace(SMALL, kind=kind, **changed)


def test_the_u_shaped_network_trains_on_its_windows() -> None:
    settings = replace(SMALL, kind="ugcn", batch=2 * 96, epochs=2, learning_rate=1e-2, loss=LossSettings(motion=0.1))
    run = trainer(settings, bank("S1", frames=200))
    records = list(run.fit())
    assert records[1]["train_mpjpe"] < records[0]["train_mpjpe"]
    assert run.learner.framing.targets == 96
    with pytest.raises(SettingsError, match="--span at 1"):
        trainer(replace(settings, span=4))


def test_only_convolutions_of_the_u_shaped_network_decay() -> None:
    run = trainer(replace(SMALL, kind="ugcn", batch=96, weight_decay=0.1), bank("S1", frames=200))
    decays = {id(each): group["weight_decay"] for group in run.optimizer.param_groups for each in group["params"]}
    by_name = {name: decays.pop(id(each)) for name, each in run.net.named_parameters()}
    assert not decays
    assert {by_name["regressor.space.weight"], by_name["merge.0.weight"], by_name["up.0.convolution.time.weight"]} == {
        0.1
    }
    assert {by_name["joints.weight"], by_name["merge_bn.weight"], by_name["regressor.time.bias"]} == {0.0}
    everything = trainer(replace(SMALL, weight_decay=0.1)).optimizer.param_groups
    assert [group["weight_decay"] for group in everything] == [0.1]


def test_terms_over_time_need_a_span() -> None:
    with pytest.raises(SettingsError, match="--span 3"):
        trainer(replace(SMALL, loss=LossSettings(joint_acceleration=1.0)))
    run = trainer(replace(SMALL, span=4, epochs=1, loss=LossSettings(joint_acceleration=1.0, angle=0.1)))
    (record,) = run.fit()
    assert {"train_mpjpe", "train_joint_acceleration", "train_angle"} <= set(record)


def test_consecutive_predictions_agree_with_single_windows() -> None:
    """A sample of several windows has the predictions and the truth of its windows."""
    run = trainer(replace(SMALL, span=5))
    (batch, *_) = run.source.epoch(0, 8, Generator())
    predicted, _ = run.learner.predict(batch, run.mean)
    alone = trainer(SMALL)
    alone.mean.load_state_dict(run.mean.state_dict())
    for k in range(5):
        cut = {n: getattr(batch, n)[:, k : k + 27] for n in ("points", "rays", "clean", "visible")}
        one = replace(batch, **cut, target=batch.target[:, k : k + 1], root=batch.root[:, k : k + 1])
        torch.testing.assert_close(alone.learner.predict(one, alone.mean)[0][:, 0], predicted[:, k])


@pytest.mark.parametrize("causal", [False, True])
def test_unlabelled_samples_reduce_the_reprojection_error(causal: bool) -> None:
    settings = replace(SMALL, trajectory=1.0, causal=causal, epochs=5, batch=60)
    run = trainer(settings, bank("S1"), unlabelled=bank("S5", labelled=False))
    records = list(run.fit())
    assert "train_reprojection" not in records[0]  # the warm-up
    assert records[-1]["train_reprojection"] < records[1]["train_reprojection"]
    assert {"train_mpjpe", "train_trajectory", "train_bones"} <= set(records[1])
    assert run.result({}).trajectory is not None


@pytest.mark.parametrize("causal", [False, True])
def test_the_truth_is_at_the_reprojection_target(causal: bool) -> None:
    """The predicted frame is the frame whose keypoints are compared, also for causal networks."""
    run = trainer(replace(SMALL, trajectory=1.0, causal=causal), unlabelled=bank("S5"))
    (batch, *_) = run.source.epoch(0, 8, Generator())
    joints = batch.target + batch.root[:, :, None]
    flat = joints[..., :2] / joints[..., 2:]
    torch.testing.assert_close(flat, batch.rays[:, run.learner.framing.target_slice], atol=1e-4, rtol=0)


@pytest.mark.parametrize("pixels", [0.0, 16.0])
def test_the_reprojection_error_is_in_half_image_widths(pixels: float) -> None:
    """Poses that are off by so many pixels at every joint, seen by a lens without distortion."""
    run = trainer(replace(SMALL, trajectory=1.0), unlabelled=bank("S5"))
    (batch, *_) = run.source.epoch(0, 8, Generator())
    depth = (batch.target + batch.root[:, :, None])[..., 2:]
    aside = pixels * depth / CAMERA.focals[0] * torch.tensor([1.0, 0.0, 0.0])
    predicted = torch.cat([batch.target, batch.target + aside]), torch.cat([batch.root, batch.root])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(type(run.learner), "predict", lambda *_: predicted)
        terms = run.learner.mixed_terms(batch, batch)
    assert terms["reprojection"].item() == pytest.approx(2 * pixels / SIZE[0], abs=1e-4)


def test_semi_supervision_needs_a_trajectory() -> None:
    with pytest.raises(SettingsError, match="--trajectory 1"):
        trainer(unlabelled=bank("S5"))
    with pytest.raises(SettingsError, match="--normalisation screen"):
        trainer(replace(SMALL, trajectory=1.0, normalisation="facing"))


def test_resumed_equals_uninterrupted_with_all_features(tmp_path: Path) -> None:
    settings = replace(SMALL, trajectory=1.0, dropout=0.2, span=3, amsgrad=True, loss=LossSettings(velocity=1.0))
    more = bank("S5", labelled=False)
    uninterrupted = trainer(settings, unlabelled=more)
    expected = list(uninterrupted.fit())
    first, second = trainer(settings, unlabelled=more), trainer(settings, unlabelled=more)
    fabric = Fabric(accelerator="cpu", devices=1)
    run = run_of(settings, bank("S1", "S2"), bank("S9"), fabric, more)
    for _ in zip(range(2), first.fit(), strict=False):
        first.save(tmp_path / "state", run)
    second.restore(tmp_path / "state", run)
    (last,) = second.fit()
    assert {**last, "seconds": 0} == {**expected[-1], "seconds": 0}


@pytest.mark.parametrize("name", PRESETS)
def test_presets_are_documented_and_build_their_networks(name: str) -> None:
    preset = PRESETS[name]
    assert preset.__doc__
    assert preset.__doc__ is not TrainSettings.__doc__ or name == "kinelift"
    assert isinstance(hash(str(asdict(preset()))), int)
    assert preset().precision == ("bf16-mixed" if name == "kinelift" else "32-true")
    layouts = bank("S1").source, bank("S1").target
    small = replace(preset(), channels=16)
    net = small.network(*layouts)
    network = LifterNetwork(net.eval(), 50.0, small.normalisation, *layouts)
    frames = {"videopose3d": 243, "gupta": 243, "bai": 27, "humaneva": 27, "ugcn": 96, "two-stream": 1}
    assert framing(network.net.config).window == frames.get(name, 27)


def test_published_schedules() -> None:
    settings = PRESETS["videopose3d"]()
    assert learning_rate(settings, 0, 10) == pytest.approx(1e-3)
    assert learning_rate(settings, 25, 10) == pytest.approx(1e-3 * 0.95**2)
    assert norm_momentum(settings, 0) == pytest.approx(0.1)
    assert norm_momentum(settings, 40) == pytest.approx(0.01)
    assert norm_momentum(settings, 79) == pytest.approx(0.001 * 100 ** (1 / 80))
    steps = PRESETS["ugcn"]()
    assert [learning_rate(steps, epoch, 1) for epoch in (79, 80, 95, 105)] == pytest.approx([1e-2, 1e-3, 1e-4, 1e-5])


def test_momentum_reaches_the_norms() -> None:
    run = trainer(replace(SMALL, epochs=2))
    list(run.fit())
    net = run.net
    assert isinstance(net, TemporalNet)
    assert net.expand_bn.momentum == pytest.approx(0.1 * 0.5**0.5)


def test_splits_of_published_data_sets() -> None:
    everyone = SequenceBank((*bank("S1", "S9"), *bank("Train/S1", "Validate/S1"), *bank("S5", labelled=False)))
    parts = dataset_split.split(everyone)
    assert isinstance(parts.train, SequenceBank)
    assert isinstance(parts.test, SequenceBank)
    assert {one.subject for one in parts.train} == {"S1", "Train/S1"}
    assert {one.subject for one in parts.test} == {"S9", "Validate/S1"}


def test_actions_are_matched_exactly() -> None:
    both = bank("S1", actions=("Sitting 1", "SittingDown 1", "Walking 1 chunk0"))
    assert dataset_split.action_names(both) == ("Sitting", "SittingDown", "Walking")
    assert dataset_split.action_names(dataset_split.select_actions(both, ("Sitting",))) == ("Sitting",)
    with pytest.raises(DataError, match="Sit"):
        dataset_split.select_actions(both, ("Sit",))
    assert [t.action for t in dataset_split.test_trials(both, 1, None, 0)] == ["Sitting", "SittingDown", "Walking"]
