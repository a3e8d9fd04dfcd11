import json
import os
from dataclasses import asdict, replace

import numpy as np
import pytest
import tyro

from kinelift.__main__ import main
from kinelift.models.enas.genotype import HAND_CHOSEN, Genotype
from kinelift.poses.errors import DataError, SettingsError, WeightsError
from kinelift.recognition.calibration import Calibration
from kinelift.recognition.classifier import Classifier
from kinelift.recognition.commands import evaluate, train
from kinelift.recognition.data import labelled_folder
from kinelift.recognition.data.clips import OTHER
from kinelift.recognition.network import ActionNetwork
from kinelift.recognition.search import command as search_command
from kinelift.recognition.search.command import search
from kinelift.recognition.search.search_settings import SearchSettings
from kinelift.recognition.training.inputs import inputs_of
from kinelift.recognition.training.trainer import TrainSettings
from kinelift.recognition.windows import WindowPlan
from kinelift.weights import checkpoint
from tests.recognition.motions import clip, dataset, standing, walking, waving

TINY = TrainSettings(channels=2, epochs=1, steps=2, batch=4, plan=WindowPlan(stride=0.5))


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """Two people who walk, wave and stand; one of them also does something else."""
    motions = {"walk": walking(60), "gesture": waving(60), "sit": standing(60)}
    clips = [clip(f"{kind}{s}", s, points, kind) for s in ("1", "2") for kind, points in motions.items()]
    path = tmp_path_factory.mktemp("labelled") / "motion"
    labelled_folder.write(path, dataset([*clips, clip("other", "2", waving(60) + walking(60), OTHER)]))
    return path


def test_train_measures_calibrates_and_resumes(data, tmp_path):
    out = tmp_path / "made" / "actions.safetensors"
    train(data, out, TINY, folds=2)
    assert (
        ActionNetwork.load(out).calibration.threshold
        == json.loads(out.with_suffix(".json").read_text())["calibration"]["threshold"]
    )
    os.utime(out.with_suffix(".png"), (0, 0))
    train(data, out, TINY, folds=2)
    assert out.with_suffix(".png").stat().st_mtime == 0, "measured twice"
    (tmp_path / "cell.json").write_text(Genotype(HAND_CHOSEN.reduction, HAND_CHOSEN.normal).to_json())
    out.with_name("again.json").write_bytes(out.with_suffix(".json").read_bytes())
    train(data, out.with_name("again.safetensors"), TINY, genotype=tmp_path / "cell.json", folds=0)
    assert ActionNetwork.load(out.with_name("again.safetensors")).about["measured"] is None, "of another cell"
    train(data, out, replace(TINY, epochs=2), folds=0)
    records = [json.loads(line) for line in out.with_suffix(".jsonl").read_text().splitlines()]
    assert [record["epoch"] for record in records] == [1, 2]
    network = ActionNetwork.load(out)
    assert network.about["data"] == "made up" and network.about["measured"] is None
    assert Classifier.load(out).actions[-1] == "unknown" and OTHER not in Classifier.load(out).actions


@pytest.mark.parametrize("folds", [0, 2])
def test_a_prior_and_a_threshold_go_into_the_classifier(data, tmp_path, folds):
    out = tmp_path / "actions.safetensors"
    train(data, out, TINY, folds=folds, prior=("walk=8", "sit=2.5"), threshold=0.35)
    network = ActionNetwork.load(out)
    assert network.calibration.weights == (8.0, 2.5, 1.0, 1.0, 1.0) and network.calibration.threshold == 0.35
    windows = np.stack([walking(31), standing(31)])
    odds = network.probabilities(windows) / replace(network, calibration=TINY.calibration).probabilities(windows)
    assert odds[:, 0] / odds[:, 2] == pytest.approx(8.0, rel=0.3), "the temperature is another"
    assert Classifier.load(out).timeline.threshold == 0.35


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"prior": ("run=2",)}, "no label is called 'run'"),
        ({"prior": ("walk=lots",)}, "is not a number"),
        ({"prior": ("walk",)}, "no label is called ''"),
        ({"prior": ("walk=0",)}, "positive"),
        ({"threshold": 1.5}, "from 0 to 1"),
        ({"settings": replace(TINY, calibration=Calibration(weights=(1.0, 2.0)))}, "give 5, one for each label"),
    ],
)
def test_a_wrong_prior_or_threshold_is_refused(data, tmp_path, wrong, message):
    with pytest.raises(SettingsError, match=message):
        train(data, tmp_path / "a.safetensors", **{"settings": TINY, "folds": 0, **wrong})
    assert not (tmp_path / "a.safetensors").exists()


@pytest.mark.parametrize("weights", [(1.0, 2.0), (1.0, -1.0, 1.0, 1.0, 1.0)])
def test_weights_that_do_not_fit_the_labels_are_refused(data, tmp_path, weights):
    train(data, tmp_path / "a.safetensors", TINY, folds=0)
    network = ActionNetwork.load(tmp_path / "a.safetensors")
    replace(network, calibration=Calibration(weights=weights)).save(tmp_path / "b.safetensors")
    with pytest.raises(WeightsError, match="weights"):
        ActionNetwork.load(tmp_path / "b.safetensors")


ABSURD = [0, -1, 0.5, 1e300, 10**9, 10**30, float("nan"), "x", None, [], {}]
NUMBERS = [
    ("network", "classes"), ("network", "channels"), ("network", "stages"), ("network", "cells"),
    ("network", "stem_stride"), ("network", "grid"), ("encoding", "rows"), ("encoding", "steps"),
    ("encoding", "reach"), ("encoding", "clip"), ("encoding", "tiles"), ("encoding", "lag"), ("encoding", "distances"),
    ("windows", "rate"), ("windows", "seconds"), ("windows", "stride"), ("calibration", "temperature"),
    ("calibration", "threshold"), ("calibration", "weights"), ("labels",), ("encoding", "skeleton"),
]  # fmt: skip


@pytest.fixture(scope="module")
def trained(data, tmp_path_factory):
    path = tmp_path_factory.mktemp("trained") / "a.safetensors"
    train(data, path, TINY, folds=0)
    return checkpoint.load(path)


@pytest.mark.parametrize("field", NUMBERS, ids="-".join)
def test_a_classifier_with_an_absurd_description_is_refused_or_works(trained, tmp_path, field):
    refused = 0
    for absurd in ABSURD:
        description = json.loads(json.dumps(trained.description))
        *parents, name = field
        (description[parents[0]] if parents else description)[name] = absurd
        checkpoint.save(tmp_path / "a.safetensors", replace(trained, description=description))
        try:
            network = ActionNetwork.load(tmp_path / "a.safetensors")
        except WeightsError as error:
            assert "does not fit its own description" in str(error)
            refused += 1
        else:
            answer = network.probabilities(walking(network.plan.frames)[None])
            assert answer.shape == (1, 5) and np.isfinite(answer).all()
    assert refused >= 5


def test_evaluate_reports_trust(data, tmp_path):
    evaluate(data, TINY, folds=2, figure=tmp_path / "confusion.png", report=tmp_path / "report.json")
    report = json.loads((tmp_path / "report.json").read_text())
    assert sorted(report["rounds"]) == ["1", "2"]
    scores = report["scores"]["as recorded"]
    assert scores["centroid"]["clips"] == 1.0
    assert np.sum(scores["network"]["confusion"]) == 6, "the one who alone does something else is no test of it"
    assert set(report["trust"]["false_by"]) == {"walk", "gesture", "sit"}
    assert 0 <= report["calibration_error"] <= 1
    assert (tmp_path / "confusion.png").stat().st_size > 1000


def test_training_uses_the_result_of_a_search(data, tmp_path):
    out = tmp_path / "found" / "cell.json"
    settings = SearchSettings(
        channels=2, nodes=2, epochs=2, steps=2, batch=4, warm_up=1, controller_steps=1, candidates=2
    )
    search(data, out, settings, TINY.plan, validation_subjects=("2",))
    result = json.loads(out.read_text())
    assert len(result["history"]) == 2 and result["candidates"][0]["accuracy"] >= result["candidates"][1]["accuracy"]
    assert out.with_suffix(".png").stat().st_size > 1000 and (tmp_path / "found/cell-found.png").exists()
    train(data, tmp_path / "a.safetensors", TINY, genotype=out, folds=0)
    trained = ActionNetwork.load(tmp_path / "a.safetensors").net.config.genotype
    assert json.loads(json.dumps(asdict(trained))) == result["candidates"][0]["genotype"]
    with pytest.raises(DataError, match="others to validate on"):
        search(data, out, settings, TINY.plan, validation_subjects=("1", "2"))


def test_a_search_does_not_see_the_judged_fold(tmp_path, monkeypatch):
    motions = {"walk": walking(60), "gesture": waving(60)}
    clips = [
        replace(clip(f"{kind}{who}", who, points, kind), split=fold)
        for who, fold in (("1", "fold1"), ("2", "fold2"), ("3", "fold3"))
        for kind, points in motions.items()
    ]
    labelled_folder.write(tmp_path / "folds", dataset(clips))
    seen = []
    monkeypatch.setattr(search_command, "inputs_of", lambda corpus: seen.append(corpus) or inputs_of(corpus))
    settings = SearchSettings(
        channels=2, nodes=2, epochs=1, steps=1, batch=4, warm_up=1, controller_steps=1, candidates=1
    )
    search(tmp_path / "folds", tmp_path / "cell.json", settings, TINY.plan, judged="fold2")
    assert set(seen[0].subjects) == {"1", "3"}
    for judged in ("", "fold4"):
        with pytest.raises(DataError, match=r"in the folds fold1, fold2, fold3\. .*--judged fold1"):
            search(tmp_path / "folds", tmp_path / "cell.json", settings, TINY.plan, judged=judged)


def test_only_clips_in_folds_have_a_judged_one(data, tmp_path):
    with pytest.raises(DataError, match="Leave out --judged"):
        search(data, tmp_path / "cell.json", SearchSettings(), TINY.plan, judged="fold1")


def test_a_cell_is_read_from_a_file_or_refused(data, tmp_path):
    (tmp_path / "cell.json").write_text(HAND_CHOSEN.to_json())
    train(data, tmp_path / "a.safetensors", TINY, genotype=tmp_path / "cell.json", folds=0)
    assert ActionNetwork.load(tmp_path / "a.safetensors").net.config.genotype == HAND_CHOSEN
    (tmp_path / "cell.json").write_text("{}")
    with pytest.raises(DataError, match="does not contain an architecture"):
        train(data, tmp_path / "b.safetensors", TINY, genotype=tmp_path / "cell.json", folds=0)
    assert not (tmp_path / "b.safetensors").exists()


def test_one_person_can_be_trained_on_but_not_measured(tmp_path):
    labelled_folder.write(
        tmp_path / "own", dataset([clip("a", "me", walking(60), "walk"), clip("b", "me", waving(60), "gesture")])
    )
    with pytest.raises(DataError, match="cannot be divided"):
        train(tmp_path / "own", tmp_path / "own.safetensors", TINY)
    train(tmp_path / "own", tmp_path / "own.safetensors", TINY, folds=0)
    assert ActionNetwork.load(tmp_path / "own.safetensors").labels == ("walk", "sit", "gesture", "kick", OTHER)


@pytest.mark.parametrize("name", ["labels.csv", "labels.txt", "clips/walk1.npz"])
@pytest.mark.parametrize("command", ["train", "search", "evaluate --report", "evaluate --figure"])
def test_no_output_replaces_a_file_of_the_data(data, capsys, command, name):
    before = (data / name).read_bytes()
    command, *option = command.split()
    assert main(["recognition", command, "--data", str(data), *(option or ["-o"]), str(data / name)]) == 1
    assert f"{name} is the source and would be overwritten" in capsys.readouterr().err
    assert (data / name).read_bytes() == before


def test_settings_can_be_given_on_the_command_line():
    arguments = ["--epochs", "3", "--plan.seconds", "2.0", "--encoding.equalise", "none"]
    settings = tyro.cli(TrainSettings, args=arguments)
    assert (settings.epochs, settings.plan.seconds, settings.encoding.equalise) == (3, 2.0, "none")
