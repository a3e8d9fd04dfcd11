"""Rankings of cells: how well they agree, and that each result is made once."""

from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks.studies import recognition_study, shared_weights
from kinelift.poses.errors import ResumeError
from kinelift.recognition.search.search_settings import SearchSettings
from tests.benchmarks.studies.test_recorded_inputs import gestures


def test_the_table_has_the_agreement_of_rankings() -> None:
    alone = [[0.5, 0.6, 0.7, 0.8], [0.5, 0.7, 0.6, 0.8]]
    found = shared_weights.table(alone, {"same order": [0.1, 0.2, 0.3, 0.4], "reversed": [0.9, 0.5, 0.4, 0.1]})
    other, same, back = found["rows"]
    assert other[1:4] == pytest.approx([50, 65, 80])
    assert other[4] == pytest.approx(4 / 6)  # five pairs in the same order, one in the other
    assert same[4] == pytest.approx(1 * (5 / 30**0.5))  # the means tie one pair of six: τ-b
    assert back[4] == pytest.approx(-5 / 30**0.5)


def test_cells_are_ranked_and_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    tiny = SearchSettings(channels=2, nodes=2, epochs=1, steps=1, batch=4, warm_up=1, controller_steps=1, samples=2)
    monkeypatch.setattr(shared_weights, "SEARCH", tiny)
    monkeypatch.setattr(shared_weights, "WAYS", {"tiny": tiny})
    monkeypatch.setattr(shared_weights, "TRAINING", replace(recognition_study.TRAINING, channels=2))
    data = gestures(tmp_path / "one", 0).msr
    made = {"out": tmp_path / "out", "subject": "s03", "cells": 2, "epochs": 1}
    shared_weights.main(data, **made)
    shared_weights.main(data, **made)
    printed = capsys.readouterr().out
    assert printed.count("alone-1.json") == printed.count("shared-0.json") == 1
    assert printed.count("| tiny |") == 2
    with pytest.raises(ResumeError, match="epochs was 1, now 2"):
        shared_weights.main(data, **{**made, "epochs": 2})
