"""The HumanEva-I study measures as ``lifting evaluate`` does, and keeps what a training has reached."""

import json
from dataclasses import replace
from pathlib import Path
from statistics import fmean
from typing import Any

import numpy as np
import pytest
import torch
from lightning_fabric import Fabric

from benchmarks.speed.training import made_up
from benchmarks.studies.humaneva import loop, results
from benchmarks.studies.humaneva.__main__ import claimed, main
from benchmarks.studies.humaneva.cases import ACTIONS, cases
from benchmarks.studies.humaneva.detected import detected
from benchmarks.studies.humaneva.judge import Judge
from benchmarks.studies.humaneva.tables import compared_with, tables
from docs.generate.results import markdown
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
    assert schedule.dropout == 0.5
    wide, narrow = (next(cases("losses", channels, 10)).settings.dropout for channels in (1024, 128))
    assert wide == pytest.approx(0.25)
    assert narrow / (1 - narrow) / 128 == pytest.approx(0.25 / 0.75 / 1024)


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


def training(name: str, seed: int, error: float, finished: bool = True) -> dict[str, Any]:
    errors = {"P1": error, "P2": error - 8, "MPJVE": 3.0, "subjects": {f"S{n}": {"P1": error + n} for n in (1, 2, 3)}}
    record = {"epoch": 20 if finished else 17, "train_mpjpe": 40.0, "running": {**errors, "P1": 50.0}}
    settings = {"run": "recipe", "name": name, "epochs": 20, "channels": 64, "seed": seed}
    return {"settings": settings, "finished": finished, "records": [{**record, "recomputed": errors}]}


def test_tables_have_the_mean_and_spread_over_seeds() -> None:
    (table,) = tables([training("a", 0, 30.0), training("a", 1, 34.0), training("b", 0, 28.0, finished=False)])
    assert table["title"] == "recipe, 64 channels"
    first, second = table["rows"]
    assert first[:5] == ["a", 2, 20, [40.0, 0.0], [50.0, 0.0]]
    assert first[6] == [32.0, 2.828]  # P1: the standard deviation of a sample
    assert first[8:11] == [[33.0, 2.828], [34.0, 2.828], [35.0, 2.828]]
    assert second[:3] == ["b", 1, "17 of 20"]
    assert "| a | 2 | 20 | 40.0 ± 0.0 |" in markdown(table)
    assert "| b | 1 | 17 of 20 | 40.0 |" in markdown(table)


def test_results_keep_their_texts(tmp_path: Path) -> None:
    out, folder = tmp_path / "results.json", tmp_path / "runs"
    folder.mkdir()
    (folder / "a.json").write_text(json.dumps(training("a", 0, 30.0)))
    old = {"title": "recipe, 64 channels", "conditions": ["Short."], "columns": [], "rows": []}
    out.write_text(json.dumps({"title": "Study", "tables": [old, {"title": "other", "rows": [1]}]}))
    results.main(folder, out)
    found = json.loads(out.read_text())
    assert found["title"] == "Study"
    assert [table["title"] for table in found["tables"]] == ["recipe, 64 channels", "other"]
    assert found["tables"][0]["conditions"] == ["Short."]
    assert found["tables"][0]["rows"][0][6] == [30.0]


def test_an_imitated_detector_errs_as_was_measured(bank: SequenceBank) -> None:
    """Relative to the person's size: the measured level on average, and some joints far off."""
    flawed, again, other = detected(bank), detected(bank), detected(bank, seed=1)
    sizes, errors = [], []
    for one, two, same, different in zip(bank, flawed, again, other, strict=True):
        assert np.array_equal(two.keypoints, same.keypoints)
        assert not np.array_equal(two.keypoints, different.keypoints)
        assert two.truth is one.truth
        away = one.keypoints - one.keypoints.mean(1, keepdims=True)
        sizes.append(np.sqrt((away**2).sum(-1).mean()))
        errors.append((two.keypoints - one.keypoints) / sizes[-1])
    found = np.concatenate(errors)
    # The median of |x| of a normal distribution is 0.674 of its deviation, here 0.025 to 0.045.
    assert 0.025 < np.median(np.abs(found)) / 0.674 < 0.045
    far = (np.abs(found) > 0.2).any(-1).mean()
    assert 0.001 < far < 0.05


def test_streams_are_judged_on_true_and_detected_keypoints(bank: SequenceBank, tmp_path: Path) -> None:
    bank.save(tmp_path / "a.npz")
    main(tmp_path / "a.npz", tmp_path / "out", runs=("streams",), seeds=(0,), epochs=1, channels=8)
    found = [json.loads(path.read_text()) for path in sorted((tmp_path / "out").glob("*.json"))]
    assert len(found) == 4
    ends = {one["settings"]["name"]: one["records"][-1] for one in found}
    for record in ends.values():
        assert record["detected"]["P1"] != record["recomputed"]["P1"]
    both, alike = ends["two streams, true and detected 2D"], ends["two streams, detected 2D in both"]
    assert both["train_mpjpe"] != alike["train_mpjpe"]
    (table,) = tables(found)
    assert [column["heading"] for column in table["columns"]][-2:] == ["P1, detected 2D", "P2, detected 2D"]


def test_the_change_is_that_of_the_last_fifth() -> None:
    one = training("a", 0, 30.0)
    earlier = [{"epoch": epoch, "recomputed": {"P1": error}} for epoch, error in ((15, 40.0), (16, 32.0), (18, 20.0))]
    (row,) = tables([{**one, "records": [*earlier, *one["records"]]}])[0]["rows"]
    assert row[12] == [-6.25]  # from 32 after epoch 16 to 30 after epoch 20
    (row,) = tables([one])[0]["rows"]
    assert row[12] is None


def test_effects_are_differences_by_seed() -> None:
    trainings = [
        training(*each)
        for each in (("position", 0, 30.0), ("position", 1, 40.0), ("with d", 0, 31.0), ("with d", 1, 43.0))
    ]
    for one in trainings:
        one["settings"]["run"] = "losses"
    first, second = tables(trainings)[0]["rows"]
    assert first[13:] == [None, None]
    assert second[13:] == [[2.0, 1.414], [0.0, 0.0]]
    assert compared_with("semi", "S1, S2 and S3 unlabelled") == "S1"
    assert compared_with("ugcn", "U-shaped GCN, cross") == compared_with("ugcn", "U-shaped GCN") == "U-shaped GCN"
