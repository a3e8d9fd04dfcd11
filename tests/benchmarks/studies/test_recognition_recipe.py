"""A recipe is chosen on training subjects, and only the chosen one sees the test subjects."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from benchmarks.studies import recognition_recipe as study
from benchmarks.studies.recognition_study import TRAINING
from tests.benchmarks.studies.test_recorded_inputs import gestures


def test_only_the_best_in_cross_validation_is_tested(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    tiny = replace(TRAINING, channels=2, epochs=1)
    first, second = study.Network("first", "16", tiny), study.Network("second", "16", replace(tiny, learning_rate=1.0))
    recipes = {"first": (first,), "second": (second,), "both": (first, second)}
    monkeypatch.setattr(study, "SUBSETS", ("AS1",))
    monkeypatch.setattr(study, "VALIDATION_SUBJECTS", ("s01", "s03"))
    monkeypatch.setattr(study, "RECIPES", recipes)
    data, out = gestures(tmp_path / "one", 0).msr, tmp_path / "out"
    study.main(data, out, seeds=(0, 1))
    files = {path.stem for path in out.glob("*.npz")}
    chosen = {name.removesuffix("-0").removesuffix("-1").split("-")[-1] for name in files if "test" in name}
    tested = "both" if chosen == {"first", "second"} else chosen.pop()
    for name in ("first", "second"):
        assert {f"AS1-s01-{name}-0", f"AS1-s03-{name}-0"} <= files
    accuracy = {
        name: np.mean([right(out, judge, [each.name for each in parts]) for judge in ("s01", "s03")])
        for name, parts in recipes.items()
    }
    assert accuracy[tested] == max(accuracy.values())
    printed = capsys.readouterr().out.splitlines()
    assert f"| {tested} |" in printed[-1] and "–" not in printed[-1]
    assert sum(line.count("–") == 2 for line in printed[-3:]) == 2  # the others were not tested


def right(out: Path, judge: str, names: list[str]) -> np.ndarray:
    """Whether each clip of a subject left out is named rightly."""
    files = [np.load(out / f"AS1-{judge}-{name}-0.npz") for name in names]
    return np.mean([file["probabilities"] for file in files], axis=0).argmax(axis=1) == files[0]["labels"]
