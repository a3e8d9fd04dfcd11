import json
import os
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from lightning_fabric import Fabric

from kinelift.lifting.lifter import Lifter
from kinelift.lifting.measuring.error_tables import tables
from kinelift.lifting.measuring.evaluation import mean_pose, predictions, report
from kinelift.lifting.synthesis.bank import FORMAT, MOCAP, MotionBank
from kinelift.lifting.synthesis.noise import NoiseSettings
from kinelift.lifting.synthesis.trials import RATE, trials
from kinelift.lifting.training import inputs
from kinelift.lifting.training.session import begin
from kinelift.lifting.training.train_settings import TrainSettings
from kinelift.lifting.training.trainer import Trainer
from kinelift.poses.errors import DataError, OutputError, ResumeError, SettingsError, WeightsError
from kinelift.weights.run import Run

ROOT = Path(__file__).resolve().parents[2]
ALONE = {**os.environ, "OMP_NUM_THREADS": "1", "COLUMNS": "200"}
SMALL = TrainSettings(channels=24, epochs=2, steps=4, batch=32, warmup=2, rate=10.0)


def motion(seed: int, frames: int = 200) -> np.ndarray:
    """A standing person who sways and waves smoothly, different for every seed."""
    random = np.random.default_rng(seed)
    base = random.normal(0, 0.15, (1, len(MOCAP), 3))
    base[..., 1] += np.linspace(0.1, 1.7, len(MOCAP))
    phase, speed = random.uniform(0, 6, (2, 1, len(MOCAP), 3))
    return (base + 0.1 * np.sin(np.arange(frames)[:, None, None] * speed / 60 + phase)).astype(np.float32)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    path = tmp_path / "motion.npz"
    clips = [motion(seed) for seed in range(4)]
    np.savez(
        path, format=FORMAT, joints=np.array(MOCAP.joints), points=np.concatenate(clips),
        offsets=np.arange(5) * 200, rates=np.full(4, 60.0), names=np.array(["a", "b", "c", "d"]),
        subjects=np.array(["1", "1", "7", "2"]), actions=np.array(["wave", "sway", "wave", "wave"]),
    )  # fmt: skip
    return path


@pytest.fixture
def bank(data: Path) -> MotionBank:
    return MotionBank.load(data)


def trainer(bank: MotionBank, settings: TrainSettings = SMALL) -> Trainer:
    fabric = Fabric(accelerator="cpu", devices=1)
    return Trainer(settings, bank.with_subjects(("1",)), bank.with_subjects(("7",)), fabric)


def test_loss_falls(bank: MotionBank) -> None:
    settings = TrainSettings(channels=48, epochs=6, steps=12, batch=64, warmup=5, rate=10.0, averaging=0.9)
    records = list(trainer(bank, settings).fit())
    assert [r["epoch"] for r in records] == [1, 2, 3, 4, 5, 6]
    assert records[-1]["train_mpjpe"] < 0.5 * records[0]["train_mpjpe"]
    assert records[-1]["mpjpe"] < records[0]["mpjpe"]


def run_of(bank: MotionBank, settings: TrainSettings = SMALL) -> Run:
    return inputs.run_of(
        settings, bank.with_subjects(("1",)), bank.with_subjects(("7",)), Fabric(accelerator="cpu", devices=1)
    )


def test_resumed_equals_uninterrupted(bank: MotionBank, tmp_path: Path) -> None:
    uninterrupted = trainer(bank)
    expected = list(uninterrupted.fit())
    first = trainer(bank)
    next(iter(first.fit()))
    first.save(tmp_path / "state", run_of(bank))
    second = trainer(bank)
    second.restore(tmp_path / "state", run_of(bank))
    records = list(second.fit())
    assert {k: v for k, v in records[-1].items() if k != "seconds"} == {
        k: v for k, v in expected[-1].items() if k != "seconds"
    }
    for name, tensor in uninterrupted.net.state_dict().items():
        assert torch.equal(tensor, second.net.state_dict()[name]), name


def test_a_run_can_start_from_a_checkpoint_of_the_same_shape(bank: MotionBank) -> None:
    first = trainer(bank)
    list(first.fit())
    second = trainer(bank)
    second.start_from(first.result({}))
    assert second.validate() == first.validate()
    with pytest.raises(SettingsError, match="another shape"):
        trainer(bank, replace(SMALL, channels=16)).start_from(first.result({}))


def test_a_state_of_other_settings_is_rejected(bank: MotionBank, tmp_path: Path) -> None:
    trainer(bank).save(tmp_path / "state", run_of(bank))
    other = replace(SMALL, batch=16)
    with pytest.raises(ResumeError, match="batch was 32, now 16"):
        trainer(bank, other).restore(tmp_path / "state", run_of(bank, other))


def test_damaged_state_is_rejected(bank: MotionBank, tmp_path: Path) -> None:
    (tmp_path / "state").write_text("hello")
    with pytest.raises(WeightsError, match="not the state"):
        trainer(bank).restore(tmp_path / "state", run_of(bank))


def test_a_disk_too_small_for_the_state_is_told_first(
    bank: MotionBank, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    weights = sum(one.numel() for one in trainer(bank).net.parameters())
    monkeypatch.setattr(shutil, "disk_usage", lambda path: shutil._ntuple_diskusage(10**9, 0, 15 * weights))
    with pytest.raises(OutputError, match=r"small\.state needs about"):
        begin(trainer(bank), tmp_path / "small.safetensors", run_of(bank), None)
    trained, state = trainer(bank), tmp_path / "whole.state"
    next(iter(trained.fit()))
    trained.save(state, run_of(bank))
    assert state.stat().st_size >= 16 * weights  # what is asked for is the least


def test_result_describes_itself(bank: MotionBank, tmp_path: Path) -> None:
    run = trainer(bank)
    list(run.fit())
    run.result({"data": "made in a test"}).save(tmp_path / "x.safetensors")
    network = Lifter.load(tmp_path / "x.safetensors").network
    assert network.net.config.channels == 24
    assert (network.rate, network.normalisation, network.about["data"]) == (10.0, "frame", "made in a test")


@pytest.mark.parametrize("noise", [None, NoiseSettings(clean=0.0)])
def test_trials_cover_the_clips(bank: MotionBank, noise: NoiseSettings | None) -> None:
    simulated = list(trials(bank, 2, noise, 0))
    assert len(simulated) == 4 * 2
    assert sum(len(t.track) for t in simulated) == 8 * round(200 / 60 * RATE)
    visible = np.concatenate([np.isfinite(t.track.points).all(-1) for t in simulated])
    assert visible.all() == (noise is None)
    assert all(np.abs(t.truth[:, 0]).max() == 0 for t in simulated)


def test_report_measures_errors(bank: MotionBank) -> None:
    perfect = report(trials(bank, 1, None, 0), lambda trial: trial.truth)
    assert perfect.overall.mpjpe == pytest.approx(0, abs=1e-6)
    doubled = report(trials(bank, 1, None, 0), lambda trial: 2 * trial.truth)
    assert doubled.overall.p_mpjpe == pytest.approx(0, abs=1e-6)
    assert doubled.overall.mpjpe > 100
    half_predicted = report(
        trials(bank, 1, None, 0),
        lambda trial: np.where(np.arange(len(trial.truth))[:, None, None] % 2, 1.1 * trial.truth, np.nan),
    )
    assert half_predicted.overall.answered == pytest.approx(0.5)
    assert half_predicted.overall.p_mpjpe == pytest.approx(0, abs=1e-6)
    mean = report(trials(bank, 1, None, 0), mean_pose(trials(bank, 1, None, 1)))
    assert mean.overall.p_mpjpe > 10
    assert set(mean.subjects) == {"1", "2", "7"}
    assert mean.overall.frames == sum(e.frames for e in mean.actions.values())
    assert "| wave |" in tables({"mean": mean, "perfect": perfect})["By action"]


def test_predictions_come_from_the_lifter(bank: MotionBank) -> None:
    lifter = Lifter(trainer(bank).result({}), torch.device("cpu"))
    errors = report(trials(bank.with_subjects(("2",)), 1, None, 0), predictions(lifter)).overall
    assert 0 < errors.p_mpjpe < errors.mpjpe


def test_other_files_are_no_motion_capture(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="lifting prepare"):
        MotionBank.load(tmp_path / "none.npz")
    np.savez(tmp_path / "other.npz", x=np.zeros(3))
    with pytest.raises(DataError, match="not a file of prepared"):
        MotionBank.load(tmp_path / "other.npz")
    (tmp_path / "text.npz").write_text("hello")
    with pytest.raises(DataError, match="not a file of prepared"):
        MotionBank.load(tmp_path / "text.npz")


def test_command_line_trains_resumes_and_measures(data: Path, tmp_path: Path) -> None:
    out = tmp_path / "runs" / "lifter.safetensors"
    small = ["--channels", "16", "--steps", "2", "--batch", "16", "--warmup", "1", "--rate", "10"]
    run = ["train", str(data), "-o", str(out), "--accelerator", "cpu", "--precision", "32-true", *small]
    _lifting([*run, "--epochs", "1"])
    _lifting([*run, "--epochs", "2"])
    lines = [json.loads(line) for line in out.with_suffix(".jsonl").read_text().splitlines()]
    assert [line["epoch"] for line in lines] == [1, 2]
    table = _lifting(["evaluate", str(data), str(out), "--cameras", "1", "-o", str(tmp_path / "figures.json")])
    assert "flawed keypoints, MPJPE / P-MPJPE" in table
    figures = json.loads((tmp_path / "figures.json").read_text())
    assert figures["clean keypoints"]["overall"]["frames"] == 100


@pytest.mark.slow
def test_two_processes_train_and_resume(data: Path, tmp_path: Path) -> None:
    def train(out: Path, epochs: int) -> list[dict[str, float]]:
        torchrun = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
        small = ["--channels", "16", "--steps", "2", "--batch", "16", "--warmup", "1", "--epochs", str(epochs)]
        place = ["--accelerator", "cpu", "--devices", "2", "--precision", "32-true"]
        command = [*torchrun, "-m", "kinelift", "lifting", "train", str(data), "-o", str(out), *small, *place]
        done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, env=ALONE)
        assert done.returncode == 0, done.stderr
        return [json.loads(line) for line in out.with_suffix(".jsonl").read_text().splitlines()]

    whole = train(tmp_path / "whole.safetensors", 2)
    train(tmp_path / "parts.safetensors", 1)
    parts = train(tmp_path / "parts.safetensors", 2)
    assert len(whole) == len(parts) == 2
    for key in ("train_mpjpe", "mpjpe", "p_mpjpe"):
        assert parts[0][key] == pytest.approx(whole[0][key], rel=0.2)  # the cosine is a shorter one
        assert np.isfinite(parts[1][key])


def test_command_line_reports_errors_in_a_line(tmp_path: Path) -> None:
    done = _run(["evaluate", str(tmp_path / "no.npz"), str(tmp_path / "no.safetensors")])
    assert done.returncode == 1
    assert "No checkpoint at" in done.stderr
    assert "Traceback" not in done.stderr


def _lifting(arguments: list[str]) -> str:
    done = _run(arguments)
    assert done.returncode == 0, done.stderr
    return done.stdout


def _run(arguments: list[str]) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "kinelift", "lifting", *arguments]
    return subprocess.run(command, capture_output=True, text=True, cwd=ROOT, env=ALONE)
