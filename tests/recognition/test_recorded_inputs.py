"""A training, search or measurement is resumed or reused only with the inputs that it was started with."""

import json
import shutil
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest
import torch

from kinelift.models.enas.genotype import HAND_CHOSEN, Genotype
from kinelift.poses import H36M17
from kinelift.poses.errors import ResumeError
from kinelift.recognition.calibration import Calibration
from kinelift.recognition.commands import evaluate, train
from kinelift.recognition.data import clipfile, labelled_folder
from kinelift.recognition.network import ActionNetwork
from kinelift.recognition.search.command import search
from kinelift.recognition.search.search_result import SearchResult
from kinelift.recognition.search.search_settings import SearchSettings
from kinelift.recognition.training import session
from kinelift.recognition.training.augment import Augmentation
from kinelift.recognition.training.corpus import corpus_of
from kinelift.recognition.training.inputs import inputs_of, run_of
from kinelift.recognition.training.trainer import TrainSettings
from kinelift.recognition.windows import WindowPlan
from tests.recognition.motions import clip, dataset, walking, waving

TINY = TrainSettings(channels=2, epochs=1, steps=2, batch=4, plan=WindowPlan(stride=0.5))
SEARCH = SearchSettings(
    channels=2, nodes=2, layers=2, epochs=1, steps=1, batch=4, warm_up=0, controller_steps=1, samples=2, candidates=1
)
EXCHANGED = Genotype(HAND_CHOSEN.reduction, HAND_CHOSEN.normal)


@pytest.fixture(scope="module")
def labelled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two people who walk and wave; the order of labels is that of the rows."""
    kinds = {"walk": walking(60), "gesture": waving(60)}
    clips = [clip(f"{kind}{s}", s, points, kind) for s in ("1", "2") for kind, points in kinds.items()]
    path = tmp_path_factory.mktemp("labelled") / "motion"
    labelled_folder.write(path, dataset(clips))
    (path / "labels.txt").unlink()
    return path


@pytest.fixture(scope="module")
def finished(labelled: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a finished training and a finished search."""
    path = tmp_path_factory.mktemp("made")
    train(labelled, path / "actions.safetensors", TINY, folds=2)
    search(labelled, path / "cell.json", SEARCH, TINY.plan, validation_subjects=("2",))
    return path


@pytest.fixture
def data(labelled: Path, tmp_path: Path) -> Path:
    """A copy to change."""
    return Path(shutil.copytree(labelled, tmp_path / "motion"))


@pytest.fixture
def out(finished: Path, tmp_path: Path) -> Path:
    """A copy to resume from."""
    return Path(shutil.copytree(finished, tmp_path / "made"))


def table(old: str, new: str) -> Callable[[Path], None]:
    """Replace a word of ``labels.csv``."""

    def change(data: Path) -> None:
        text = (data / "labels.csv").read_text()
        assert old in text
        (data / "labels.csv").write_text(text.replace(old, new))

    return change


def swapped_labels(data: Path) -> None:
    lines = (data / "labels.csv").read_text().replace(",walk,", ",?,").replace(",gesture,", ",walk,")
    (data / "labels.csv").write_text(lines.replace(",?,", ",gesture,"))


def other_order(data: Path) -> None:
    head, *rows = (data / "labels.csv").read_text().splitlines()
    (data / "labels.csv").write_text("\n".join([head, rows[0], rows[3], rows[2], rows[1]]) + "\n")


def one_moved_joint(data: Path) -> None:
    motion = clipfile.load(data / "clips" / "walk1.npz", "")
    points = motion.points.copy()
    points[30, 5, 1] += 0.001
    clipfile.save(data / "clips" / "walk1.npz", clipfile.ClipMotion(points, motion.times, H36M17))


def one_more_clip(data: Path) -> None:
    clipfile.save(data / "clips" / "more.npz", clipfile.ClipMotion(walking(70), np.arange(70) / 30, H36M17))
    with (data / "labels.csv").open("a") as rows:
        rows.write("more,walk,1\n")


DATA: dict[str, tuple[Callable[[Path], None], str]] = {
    "swapped labels": (swapped_labels, "labels was walk, gesture, now gesture, walk"),
    "a renamed label": (table(",walk,", ",stroll,"), "labels was walk, gesture, now stroll, gesture"),
    "another label in a row": (table("walk2,walk", "walk2,gesture"), "labels.csv: other content"),
    "another subject": (table("walk2,walk,2", "walk2,walk,1"), "labels.csv: other content"),
    "another order": (other_order, "labels.csv: other content"),
    "a moved joint": (one_moved_joint, "clips: other content"),
    "one more clip": (one_more_clip, "clips.count was 4, now 5"),
    "other terms": (lambda data: (data / "terms.txt").write_text("CC BY") and None, "terms.txt was made up, now CC BY"),
}


@pytest.mark.parametrize("what", DATA)
def test_a_training_of_other_data_is_refused(data: Path, out: Path, what: str) -> None:
    change, difference = DATA[what]
    change(data)
    before = {path: path.read_bytes() for path in out.iterdir()}
    with pytest.raises(ResumeError, match=r"actions\.state") as caught:
        train(data, out / "actions.safetensors", TINY, folds=2)
    assert difference in str(caught.value) and "Delete" in str(caught.value) and "-o" in str(caught.value)
    assert {path: path.read_bytes() for path in out.iterdir()} == before, "nothing is written, nothing measured"
    (out / "actions.state").unlink()
    train(data, out / "actions.safetensors", TINY, folds=0)
    network = ActionNetwork.load(out / "actions.safetensors")
    assert network.about["measured"] is None, "the report is of the other data"
    assert network.about["inputs"]["labels"] == list(network.labels)


@pytest.mark.parametrize("what", [what for what in DATA if what != "another subject"])
def test_a_search_on_other_data_is_refused(data: Path, out: Path, what: str) -> None:
    change, difference = DATA[what]
    change(data)
    with pytest.raises(ResumeError, match=r"cell\.state") as caught:
        search(data, out / "cell.json", SEARCH, TINY.plan, validation_subjects=("2",))
    assert difference in str(caught.value)


@pytest.mark.parametrize(
    ("changed", "difference"),
    [
        ({"settings": replace(TINY, seed=1)}, "seed was 0, now 1"),
        ({"settings": replace(TINY, learning_rate=0.01)}, "learning_rate was 0.003, now 0.01"),
        ({"settings": replace(TINY, plan=WindowPlan(stride=0.25))}, "plan.stride was 0.5, now 0.25"),
        ({"settings": replace(TINY, augmentation=Augmentation(mirror=0.0))}, "augmentation.mirror was 0.5, now 0.0"),
        ({"genotype": EXCHANGED}, "genotype."),
    ],
)
def test_a_training_with_other_settings_is_refused(
    labelled: Path, out: Path, changed: dict[str, object], difference: str
) -> None:
    if "genotype" in changed:
        (out / "turned.json").write_text(EXCHANGED.to_json())
        changed = {"genotype": out / "turned.json"}
    with pytest.raises(ResumeError) as caught:
        train(labelled, out / "actions.safetensors", **{"settings": TINY, "folds": 0, **changed})  # type: ignore[arg-type]
    assert difference in str(caught.value)


@pytest.mark.parametrize(
    ("changed", "difference"),
    [
        ({"settings": replace(SEARCH, seed=1)}, "seed was 0, now 1"),
        ({"settings": replace(SEARCH, space="macro")}, "space was micro, now macro"),
        (
            {"settings": replace(SEARCH, reinforce=replace(SEARCH.reinforce, learning_rate=1.0))},
            "reinforce.learning_rate",
        ),
        ({"plan": WindowPlan(stride=0.25)}, "plan.stride was 0.5, now 0.25"),
        ({"augmentation": Augmentation(mirror=0.0)}, "augmentation.mirror was 0.5, now 0.0"),
        ({"validation_subjects": ("1",)}, "validation_subjects was 2, now 1"),
    ],
)
def test_a_search_with_other_settings_is_refused(
    labelled: Path, out: Path, changed: dict[str, object], difference: str
) -> None:
    with pytest.raises(ResumeError) as caught:
        search(
            labelled,
            out / "cell.json",
            **{"settings": SEARCH, "plan": TINY.plan, "validation_subjects": ("2",), **changed},
        )  # type: ignore[arg-type]
    assert difference in str(caught.value)


def test_unchanged_inputs_resume_and_are_stored_with_the_results(labelled: Path, out: Path, finished: Path) -> None:
    """The checkpoint and the result of the search name their inputs; a repeated command changes neither."""
    train(labelled, out / "actions.safetensors", TINY, folds=2)
    search(labelled, out / "cell.json", SEARCH, TINY.plan, validation_subjects=("2",))
    assert (out / "actions.png").read_bytes() == (finished / "actions.png").read_bytes()
    before, after = (ActionNetwork.load(path / "actions.safetensors") for path in (finished, out))
    assert all(torch.equal(tensor, after.net.state_dict()[name]) for name, tensor in before.net.state_dict().items())
    corpus = corpus_of(labelled_folder.read(labelled), TINY.plan)
    facts = run_of(corpus, TINY, HAND_CHOSEN).facts()
    assert {name: after.about[name] for name in facts} == facts
    assert after.about["measured"]["settings"]["folds"] == 2
    result = SearchResult.from_json((out / "cell.json").read_text())
    assert result.run["inputs"] == inputs_of(corpus)
    assert result.run["settings"]["validation_subjects"] == ["2"]
    assert json.loads(json.dumps(asdict(SEARCH))).items() <= result.run["settings"].items()


REPORT = {"settings": TINY, "genotype": HAND_CHOSEN, "folds": 2, "false_names": 0.1}


@pytest.mark.parametrize(
    "changed",
    [{"folds": 3}, {"false_names": 0.2}, {"settings": replace(TINY, epochs=2)}, {"genotype": EXCHANGED}, {}],
)
def test_figures_are_reused_only_for_the_same_inputs(
    labelled: Path, finished: Path, changed: dict[str, object]
) -> None:
    corpus = corpus_of(labelled_folder.read(labelled), TINY.plan)
    run = run_of(corpus, **{**REPORT, **changed})  # type: ignore[arg-type]
    assert (session.matching_report(finished / "actions.json", run) is not None) == (not changed)


@pytest.mark.parametrize("what", DATA)
def test_figures_of_other_data_are_not_reused(data: Path, finished: Path, what: str) -> None:
    DATA[what][0](data)
    run = run_of(corpus_of(labelled_folder.read(data), TINY.plan), **REPORT)  # type: ignore[arg-type]
    assert session.matching_report(finished / "actions.json", run) is None


@pytest.mark.parametrize(
    "text", ["", "no JSON", "[]", '{"settings": [], "inputs": {}, "version": "0"}', '{"settings": {}}']
)
def test_a_report_without_its_inputs_is_not_reused(labelled: Path, tmp_path: Path, text: str) -> None:
    (tmp_path / "a.json").write_text(text)
    run = run_of(corpus_of(labelled_folder.read(labelled), TINY.plan), **REPORT)  # type: ignore[arg-type]
    assert session.matching_report(tmp_path / "a.json", run) is None


def test_figures_are_those_of_evaluate_and_not_measured_twice(
    labelled: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    evaluate(labelled, TINY, folds=2, report=tmp_path / "a.json")
    capsys.readouterr()
    train(labelled, tmp_path / "a.safetensors", TINY, folds=2)
    assert "round 1 tests" not in capsys.readouterr().err
    figures = json.loads((tmp_path / "a.json").read_text())
    assert ActionNetwork.load(tmp_path / "a.safetensors").about["measured"] == figures
    calibration = ActionNetwork.load(tmp_path / "a.safetensors").calibration
    assert calibration == Calibration.from_mapping(figures["calibration"])


def test_any_setting_of_a_training_counts(labelled: Path) -> None:
    """Every number, text and choice is among what is compared."""
    corpus = corpus_of(labelled_folder.read(labelled), TINY.plan)
    facts = run_of(corpus, TINY, HAND_CHOSEN).facts()["settings"]
    assert facts == {**json.loads(json.dumps(asdict(TINY))), "genotype": json.loads(json.dumps(asdict(HAND_CHOSEN)))}
