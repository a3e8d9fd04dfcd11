import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from math import nan
from pathlib import Path

import numpy as np
import pytest
from lightning_fabric import Fabric

from kinelift.lifting.datasets import dataset_split
from kinelift.lifting.measuring.evaluation import Errors
from kinelift.lifting.specialist_lifter import SpecialistLifter
from kinelift.lifting.training.presets import Bai
from kinelift.lifting.training.specialists import Comparison, labels, markdown, save_table, train_all
from kinelift.lifting.training.trainer import Trainer
from kinelift.poses import Action, Poses3D
from kinelift.poses.errors import DataError, WeightsError
from tests.lifting.recordings import CAMERA, bank

SETTINGS = replace(Bai(), channels=24, epochs=2, batch=40, learning_rate=3e-3, dropout=0.0)
DATA = bank("S1", "S2", "S9", actions=("Walking 1", "Box 1"))
FABRIC = Fabric(accelerator="cpu", devices=1)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A trained generalist and two specialists."""
    folder = tmp_path_factory.mktemp("specialists")
    comparisons = list(
        train_all(SETTINGS, dataset_split.split(DATA), {"Walking": "walk", "Box": "punch"}, folder, FABRIC)
    )
    save_table(folder, SETTINGS, comparisons)
    assert [one.action for one in comparisons] == ["Walking", "Box"]
    assert "| Walking | " in markdown(comparisons)
    return folder


def test_the_table_has_errors_and_unit_epochs(folder: Path) -> None:
    table = json.loads((folder / "specialists.json").read_text())
    assert table["unit_epochs"] == 4  # two epochs over two actions
    for row in table["actions"]:
        general, special = row["generalist_validation"]["mpjpe"], row["specialist_validation"]["mpjpe"]
        assert row["specialist_wins"] == (special < 0.95 * general)
        assert row["generalist"]["frames"] == 60
        assert row["generalist_validation"]["frames"] == 2 * 12  # the last fifth of two sequences


def test_every_unit_epoch_is_logged_with_its_validation_error(folder: Path) -> None:
    logs = {path.stem: [json.loads(line) for line in path.read_text().splitlines()] for path in folder.glob("*.jsonl")}
    assert {name: [record["unit_epochs"] for record in log] for name, log in logs.items()} == {
        "generalist": [2, 4],
        "1-walk": [1, 2, 3, 4],
        "2-punch": [1, 2, 3, 4],
    }
    assert all(record["mpjpe"] > 0 for log in logs.values() for record in log)
    assert not list(folder.glob("*.state"))


def test_an_interrupted_training_continues_after_its_last_epoch(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    split, names = dataset_split.split(DATA), {"Walking": "walk"}
    whole = list(train_all(SETTINGS, split, names, tmp_path / "whole", FABRIC))
    fit, trained = Trainer.fit, []

    def stopping(trainer: Trainer) -> Iterator[Mapping[str, float]]:
        for record in fit(trainer):
            trained.append(record["epoch"])
            yield record
            if len(trained) == 1:
                raise KeyboardInterrupt

    monkeypatch.setattr(Trainer, "fit", stopping)
    with pytest.raises(KeyboardInterrupt):
        list(train_all(SETTINGS, split, names, tmp_path / "parts", FABRIC))
    parts = list(train_all(SETTINGS, split, names, tmp_path / "parts", FABRIC))
    assert trained == [1, 2, 1, 2]  # the generalist in two parts, then the specialist
    assert parts == whole


def errors(mpjpe: float) -> Errors:
    return Errors(60, 1.0, mpjpe, *[30.0] * 8)


@pytest.mark.parametrize(("special", "wins"), [(96.0, False), (94.0, True)])
def test_the_winner_is_clearly_better_on_validation_data(special: float, wins: bool) -> None:
    """Whatever the test data say, and never without validation data."""
    for tested in (errors(50.0), errors(150.0)):
        comparison = Comparison("Box", "punch", "x", errors(100.0), tested, errors(100.0), errors(special))
        assert comparison.specialist_wins is wins
        assert not replace(comparison, specialist_validation=None, generalist_validation=None).specialist_wins


def test_labels_may_have_a_slash(tmp_path: Path) -> None:
    split = dataset_split.split(DATA)
    comparisons = list(train_all(SETTINGS, split, {"Walking": "walk/run", "Box": "walk_run"}, tmp_path, FABRIC))
    save_table(tmp_path, SETTINGS, comparisons)
    assert [one.file for one in comparisons] == ["1-walk_run.safetensors", "2-walk_run.safetensors"]
    assert {path.name for path in tmp_path.glob("*.safetensors")} == {"generalist.safetensors"} | {
        one.file for one in comparisons
    }
    table = json.loads((tmp_path / "specialists.json").read_text())
    for row in table["actions"]:
        row["specialist_wins"] = True
    (tmp_path / "specialists.json").write_text(json.dumps(table))
    assert set(SpecialistLifter.load(tmp_path, lambda poses: []).specialists) == {"walk/run", "walk_run"}


def test_the_table_is_strict_json_without_predictions(tmp_path: Path) -> None:
    unpredicted, predicted = Errors(60, 0.0, *[nan] * 9), Errors(60, 1.0, *[30.0] * 9)
    save_table(
        tmp_path,
        SETTINGS,
        [Comparison("Box", "punch", "punch.safetensors", predicted, unpredicted, predicted, unpredicted)],
    )
    (row,) = json.loads((tmp_path / "specialists.json").read_text(), parse_constant=pytest.fail)["actions"]
    assert (row["specialist"]["mpjpe"], row["generalist"]["mpjpe"], row["specialist_wins"]) == (None, 30.0, False)


def test_specialists_lift_their_recognised_actions(folder: Path) -> None:
    table = json.loads((folder / "specialists.json").read_text())
    for row in table["actions"]:
        row["specialist_wins"] = row["label"] == "walk"
    (folder / "specialists.json").write_text(json.dumps(table))
    recognised: list[Poses3D] = []

    def recognise(poses: Poses3D) -> Sequence[Action]:
        recognised.append(poses)
        return [Action(0.0, 0.4, "walk", 0.9), Action(0.4, 0.8, "punch", 0.9)]

    coupled = SpecialistLifter.load(folder, recognise)
    assert set(coupled.specialists) == {"walk"}
    track = DATA.sequences[0].track()
    general = coupled.generalist.lift(track, CAMERA)
    special = coupled.specialists["walk"].lift(track, CAMERA)
    poses = coupled.lift(track, CAMERA)
    np.testing.assert_allclose(poses.points[:20], special.points[:20])
    np.testing.assert_allclose(poses.points[20:], general.points[20:])
    np.testing.assert_allclose(recognised[0].points, general.points)
    assert np.abs(special.points - general.points).max() > 1e-3


def test_labels_default_to_the_names_of_actions() -> None:
    assert labels(DATA, {}) == {"Box": "box", "Walking": "walking"}
    assert labels(DATA, {"Walking": "walk"}) == {"Walking": "walk"}


def test_missing_actions_are_rejected(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="Jog"):
        list(train_all(SETTINGS, dataset_split.split(DATA), {"Jog": "run"}, tmp_path, FABRIC))


def test_error_for_other_folders_says_how_to_train(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="lifting specialists"):
        SpecialistLifter.load(tmp_path, lambda poses: [])
