"""The HumanEva-I study measures as ``lifting evaluate`` does, and keeps what a training has reached."""

import json
from dataclasses import replace
from pathlib import Path
from statistics import fmean

import numpy as np
import pytest
import torch
from lightning_fabric import Fabric

from benchmarks.speed.training import made_up
from benchmarks.studies.humaneva import loop
from benchmarks.studies.humaneva.__main__ import claimed, main
from benchmarks.studies.humaneva.cases import ACTIONS, cases
from benchmarks.studies.humaneva.judge import Judge
from kinelift.lifting.datasets.sequences import SequenceBank
from kinelift.lifting.lifter import Lifter
from kinelift.lifting.measuring.evaluation import network_predictions, report
from kinelift.lifting.training.presets import UGCN, HumanEva, TwoStream
from kinelift.lifting.training.train_settings import TrainSettings
from kinelift.lifting.training.trainer import Trainer
from kinelift.poses.errors import ResumeError


@pytest.fixture(scope="module")
def bank() -> SequenceBank:
    """Everyone does every action once in training and in the test, where one recording is short."""
    frames = iter(made_up(18, 130))
    names = [(f"{part}/S{who}", action) for part in ("Train", "Validate") for who in (1, 2, 3) for action in ACTIONS]
    parts = [replace(one, subject=who, action=f"{action} 1") for one, (who, action) in zip(frames, names, strict=True)]
    return SequenceBank((*parts[:-1], parts[-1].part(0, 20)))


def trainer(bank: SequenceBank, settings: TrainSettings) -> Trainer:
    return Trainer(settings, *parts(bank), Fabric(accelerator="cpu", devices=1, precision="32-true"))


def parts(bank: SequenceBank) -> tuple[SequenceBank, SequenceBank]:
    train, test = (bank.filter(lambda one, p=part: one.subject.startswith(p)) for part in ("Train", "Validate"))
    return train, test


@pytest.mark.parametrize(
    "settings", [HumanEva(channels=8), HumanEva(channels=8, normalisation="screen"), TwoStream(channels=8), UGCN()]
)
def test_errors_are_those_of_the_evaluation(bank: SequenceBank, settings: TrainSettings) -> None:
    run, (_, test) = trainer(bank, replace(settings, flip=False, norm_batches=0)), parts(bank)
    found = Judge(test, run.net, settings.normalisation, torch.device("cpu")).errors(run.net)
    predict = network_predictions(Lifter(run.result({}), torch.device("cpu")))
    for name, errors in found["subjects"].items():
        true = report([one.trial() for one in test.select(subjects=[f"Validate/{name}"])], predict).action_mean
        published = true.mpjpe_kept, true.mpjpe, true.p_mpjpe, true.mpjve
        assert list(errors.values()) == pytest.approx(published, rel=1e-5)
        assert found["P1"] == pytest.approx(fmean(one["P1"] for one in found["subjects"].values()))


def test_the_loop_learns_with_the_published_schedule(bank: SequenceBank) -> None:
    run, (train, test) = trainer(bank, HumanEva(channels=8, epochs=3)), parts(bank)
    first, _, last = loop.fit(run, train)
    assert last["train_mpjpe"] < first["train_mpjpe"]
    again = loop.PublishedLoop(run.settings, train, torch.device("cpu"))
    order = torch.cat(list(again.order()))
    assert torch.equal(order, torch.from_numpy(np.random.RandomState(1234).permutation(2 * train.frames)))
    for number in range(3):
        again.epoch(number)
    windows = again.windows(torch.arange(64))
    assert again.optimizer.param_groups[0]["lr"] == pytest.approx(1e-3 * 0.996**2)
    assert again.net.stem_norm.momentum == pytest.approx(0.1 * 0.01 ** (2 / 3))
    assert torch.isfinite(run.net.eval()(windows)).all()
    assert test.frames


def test_every_case_can_be_trained(bank: SequenceBank) -> None:
    train, test = parts(bank)
    for run in ("recipe", "losses", "semi", "streams"):
        for case in cases(run, 8, 10):
            known, rest = case.banks(train)
            steps = Trainer(case.settings, known, test, Fabric(accelerator="cpu", devices=1), rest).steps
            assert steps * case.settings.epochs > 0
            assert (rest is None) != case.unlabelled
    schedule = next(cases("ugcn", 8, 55)).settings
    assert schedule.milestones == (40, 45, 50)


def test_trainings_are_done_once(bank: SequenceBank, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data, out = tmp_path / "a.npz", tmp_path / "out"
    bank.save(data)
    settings = {"runs": ("recipe", "loop"), "seeds": (0,), "epochs": 2, "channels": 8}
    main(data, out, **settings, budget_s=0)
    assert not list(out.glob("*.json"))
    main(data, out, **settings)
    main(data, out, **settings)
    assert capsys.readouterr().out.count("done") == 2
    found = json.loads((out / "recipe-Kinelift-2-epochs-0.json").read_text())
    assert found["finished"]
    assert [one["epoch"] for one in found["records"]] == [1, 2]
    with pytest.raises(ResumeError, match="channels was 8, now 4"):
        main(data, out, **{**settings, "channels": 4})


def test_a_training_has_one_process(tmp_path: Path) -> None:
    with claimed(tmp_path / "a.json") as first, claimed(tmp_path / "a.json") as second:
        assert (first, second) == (True, False)
    with claimed(tmp_path / "a.json") as third:
        assert third
