from dataclasses import replace

import numpy as np
import pytest

from kinelift.recognition.commands import train
from kinelift.recognition.data import labelled_folder
from kinelift.recognition.measuring.advice import expectation, shortages
from kinelift.recognition.network import ActionNetwork
from kinelift.recognition.training.corpus import corpus_of
from kinelift.recognition.training.scores import Scores
from kinelift.recognition.training.trainer import TrainSettings
from kinelift.recognition.windows import WindowPlan
from tests.recognition.motions import clip, dataset, standing, walking, waving


def test_labels_that_few_people_or_clips_show_are_named():
    clips = [clip(f"w{k}", str(k % 3), walking(60), "walk") for k in range(20)]
    clips += [clip(f"g{k}", str(k), waving(60), "gesture") for k in range(2)] + [clip("s", "1", standing(60), "sit")]
    lines = list(shortages(corpus_of(dataset(clips), WindowPlan())))
    assert [line.partition(".")[0] for line in lines] == [
        "One person shows sit (1 clip): it cannot be judged",
        "2 people show gesture in 2 clips",
        "No window shows kick",
        "No window shows other",
    ]


def test_copies_of_a_clip_count_once():
    clips = [clip(f"w{k % 19}", str(k % 3), walking(60), "walk") for k in range(38)]
    assert "in 19 clips" in next(iter(shortages(corpus_of(dataset(clips), WindowPlan()))))


def test_expected_accuracy_has_an_interval_and_names_the_weakest():
    scores = Scores(np.array([[60, 0, 0], [15, 5, 0], [0, 0, 20]]), 0.8)
    assert expectation(scores, ("walk", "run", "sit")) == (
        "Expect 85% of the clips of new people to be right (95% interval 77% to 91%, 100 clips). "
        "Least often right: run (5 of 20)."
    )


@pytest.mark.filterwarnings("error:Glyph")
def test_labels_may_hold_any_character(tmp_path, capsys):
    names = ('a/b, "c"', "[red]écarté[/] 踊り 💃", "-x; $y$ \\frac", "unknown?")
    motions = (walking(60), waving(60), standing(60), walking(90))
    clips = [
        clip(f"{k}-{who}", who, points, name)
        for k, (name, points) in enumerate(zip(names, motions, strict=True))
        for who in ("Ann", "Ben")
    ]
    labelled_folder.write(tmp_path / "own", replace(dataset(clips), labels=names))
    settings = TrainSettings(channels=2, epochs=1, steps=2, batch=4, plan=WindowPlan(stride=0.5))
    train(tmp_path / "own", tmp_path / "own.safetensors", settings, folds=2)
    assert ActionNetwork.load(tmp_path / "own.safetensors").labels == names
    printed = capsys.readouterr()
    assert "2 people show [red]écarté[/] 踊り 💃 in 2 clips" in printed.err and "Expect " in printed.out
