"""Results of a study that are there already are used again only if they were made from the same data and settings."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from benchmarks.keypoints.refinement import inputs_of
from benchmarks.studies import lifting_study, recognition_study, unknown
from benchmarks.studies.recognition_table import Case
from kinelift.lifting.datasets.dataset_split import Split
from kinelift.models.enas.genotype import HAND_CHOSEN
from kinelift.poses import skeleton
from kinelift.poses.errors import ResumeError
from kinelift.recognition.console import read_corpus
from kinelift.recognition.data import labelled_folder
from kinelift.recognition.data.clips import Clip, Dataset, Segment
from kinelift.recognition.data.msr_action3d import AS1
from kinelift.recognition.search.search_settings import SearchSettings
from kinelift.recognition.training.inputs import run_of
from kinelift.recognition.training.trainer import TrainSettings
from kinelift.terminal.reporter import Reporter
from tests.lifting.test_training import bank, data  # noqa: F401  (fixtures)
from tests.recognition.motions import clip, dataset, walking, waving


def test_lifting_study(bank, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:  # noqa: F811
    settings = replace(lifting_study.BASE, channels=8, epochs=1, steps=1, batch=32)
    case, parts = (
        lifting_study.Case("networks", "tiny", settings),
        Split(bank.with_subjects("1"), bank.with_subjects("7"), bank.with_subjects("2")),
    )
    path = tmp_path / "a.json"
    lifting_study.run(case, 0, parts, path)
    lifting_study.run(case, 0, parts, path)
    assert capsys.readouterr().out.count("done") == 1
    assert lifting_study.table([json.loads(path.read_text())]).count("tiny") == 1
    with pytest.raises(ResumeError, match="seed was 0, now 1"):
        lifting_study.run(case, 1, parts, path)
    with pytest.raises(ResumeError, match="test"):
        lifting_study.run(case, 0, replace(parts, test=bank.with_subjects("7")), path)


def gestures(path: Path, seed: int) -> recognition_study.Data:
    """Three people of MSR-Action3D, two of them to train on, with every label of its first subset."""
    random, layout = np.random.default_rng(seed), skeleton("kinect20")
    clips = []
    for who, side in (("s01", "train"), ("s03", "train"), ("s02", "test")):
        for label in AS1:
            points = random.normal(size=(1, 20, 3)) + 0.1 * random.normal(size=(30, 20, 3)).cumsum(axis=0)
            clips.append(Clip(f"{label}{who}", who, points, np.arange(30) / 15, (Segment(label),), side))
    labelled_folder.write(path, Dataset(layout, tuple(AS1), tuple(clips), "made up"))
    return recognition_study.Data(path, path)


def test_recognition_study(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recognition_study, "TRAINING", replace(recognition_study.TRAINING, channels=2, epochs=1))
    settings = SearchSettings(
        channels=2, nodes=2, epochs=1, steps=1, batch=4, warm_up=0, controller_steps=1, samples=2, candidates=1
    )
    one, two = gestures(tmp_path / "one", 0), gestures(tmp_path / "two", 1)
    case = Case("AS1", "searched", "16", 0)
    found = recognition_study.search(one, 0, tmp_path, settings)
    assert recognition_study.search(one, 0, tmp_path, settings) == found
    recognition_study.run(one, case, found.best.genotype, tmp_path)
    recognition_study.run(one, case, found.best.genotype, tmp_path)
    with pytest.raises(ResumeError, match="channels was 2, now 3"):
        recognition_study.search(one, 0, tmp_path, replace(settings, channels=3))
    with pytest.raises(ResumeError, match="clips: other content"):
        recognition_study.search(two, 0, tmp_path, settings)
    with pytest.raises(ResumeError, match=r"clips: other content; .*test\.clips: other content"):
        recognition_study.run(two, case, found.best.genotype, tmp_path)


def test_unknown_motion(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    motions = {"walk": walking(60), "gesture": waving(60)}
    clips = [clip(f"{kind}{s}", s, points, kind) for s in ("1", "2") for kind, points in motions.items()]
    labelled_folder.write(tmp_path / "one", dataset(clips))
    labelled_folder.write(tmp_path / "two", dataset(clips[:-1]))
    settings = TrainSettings(channels=2, epochs=1, steps=1, batch=4)
    corpus, settings = read_corpus(tmp_path / "one", settings, Reporter())
    run = run_of(corpus, settings, HAND_CHOSEN, folds=2)
    found = unknown.kept(tmp_path / "a.npz", run, lambda: unknown.ask(corpus, settings, None, 2))
    again = unknown.kept(tmp_path / "a.npz", run, pytest.fail)
    assert (again.answers.logits == found.answers.logits).all()
    other = run_of(read_corpus(tmp_path / "two", settings, Reporter())[0], settings, HAND_CHOSEN, folds=2)
    with pytest.raises(ResumeError, match=r"clips\.count was 4, now 3"):
        unknown.kept(tmp_path / "a.npz", other, pytest.fail)


def test_keypoints_of_a_video(tmp_path: Path) -> None:
    for name in ("a.mp4", "b.mp4"):
        (tmp_path / name).write_text(name)
    facts = inputs_of(tmp_path / "a.mp4").facts()
    assert not inputs_of(tmp_path / "a.mp4").differences(facts)
    assert inputs_of(tmp_path / "b.mp4").differences(facts) == ["video: other content"]
    changed = {**facts, "inputs": {**facts["inputs"], "detectors": {"sha256": "0"}}}
    assert inputs_of(tmp_path / "a.mp4").differences(changed) == ["detectors: other content"]
