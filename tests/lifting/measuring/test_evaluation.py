import json
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest

from kinelift.lifting.measuring.error_plots import errors_by_action, save, training_curves
from kinelift.lifting.measuring.evaluation import MOTION, Errors, mean_pose, report, tables, written
from kinelift.lifting.measuring.metrics import mpjae, mpjpe, mpjve, n_mpjpe, p_mpjpe
from kinelift.lifting.measuring.trials import Trial
from kinelift.poses.errors import DataError, SettingsError
from tests.lifting.recordings import bank

TRIALS = [one.trial() for one in bank("S1", "S2", actions=("Sitting 1", "SittingDown 1", "Sitting 2"), frames=40)]


def off(seed: int, size: float = 0.02) -> Callable[[Trial], np.ndarray]:
    random = np.random.default_rng(seed)
    return lambda trial: trial.truth + size * random.normal(size=trial.truth.shape)


def test_all_metrics_of_one_trial_are_those_of_the_formulas() -> None:
    answer = off(0)(TRIALS[0])
    found = report([TRIALS[0]], lambda trial: answer).overall
    truth = TRIALS[0].truth
    for name, metric in (
        ("mpjpe", mpjpe),
        ("p_mpjpe", p_mpjpe),
        ("n_mpjpe", n_mpjpe),
        ("mpjve", mpjve),
        ("mpjae", mpjae),
    ):
        assert getattr(found, name) == pytest.approx(1000 * metric(answer, truth)), name
    assert found.pck == pytest.approx(100)
    assert 0 < found.auc < 100


def test_velocities_are_not_taken_over_gaps() -> None:
    """A step between frames of which one has no answer, or between two videos, does not count."""
    shift = np.where(np.arange(40) < 20, 0.0, 0.5)[:, None, None]

    def answer(trial: Trial) -> np.ndarray:
        given = np.arange(40) != 20
        return np.where(given[:, None, None], trial.truth + shift, np.nan)

    found = report(TRIALS, answer).overall
    assert found.mpjve == pytest.approx(0, abs=1e-6)
    assert found.mpjae == pytest.approx(0, abs=1e-6)
    assert found.answered == pytest.approx(39 / 40)
    assert found.mpjpe > 100


def test_frames_count_alike_within_actions_and_actions_alike() -> None:
    errors = {"Sitting": 0.010, "SittingDown": 0.040}
    found = report(TRIALS, lambda t: t.truth + np.array([errors[t.action], 0, 0]))
    assert set(found.actions) == {"Sitting", "SittingDown"}
    assert found.actions["Sitting"].frames == 2 * found.actions["SittingDown"].frames == 160
    assert found.overall.mpjpe == pytest.approx((2 * 10 + 40) / 3)
    assert found.action_mean.mpjpe == pytest.approx(25)
    assert found.action_mean.frames == found.overall.frames == 240
    assert set(found.subjects) == {"S1", "S2"}


def test_nothing_answered_is_no_error_of_zero() -> None:
    found = report(TRIALS, lambda trial: np.full_like(trial.truth, np.nan))
    assert found.overall.answered == 0
    assert np.isnan(found.overall.mpjpe)
    assert "(0%)" in str(found.overall)


def test_an_action_without_answers_does_not_flatter_the_mean() -> None:
    found = report(TRIALS, lambda t: t.truth + (np.array([0.03, 0, 0]) if t.action == "Sitting" else np.nan))
    assert found.action_mean.mpjpe == pytest.approx(30)
    assert found.action_mean.answered == pytest.approx(0.5)
    assert "| SittingDown | 80 | – / – (0%) |" in tables({"one": found})["By action"]


def test_frames_without_truth_do_not_count() -> None:
    """They also end a run of frames: no velocity is taken across them."""
    whole, answer = TRIALS[0], off(0)(TRIALS[0])
    known = np.arange(40) != 17
    gap = replace(whole, truth=np.where(known[:, None, None], whole.truth, np.nan))
    found = report([gap], lambda _: answer).overall
    assert (found.frames, found.answered) == (39, 1)
    assert found.mpjpe == pytest.approx(1000 * mpjpe(answer[known], whole.truth[known]))
    assert found.p_mpjpe == pytest.approx(1000 * p_mpjpe(answer[known], whole.truth[known]))
    runs = [slice(0, 17), slice(18, 40)]
    steps = [np.diff(answer[run] - whole.truth[run], axis=0).reshape(-1, 3) for run in runs]
    assert found.mpjve == pytest.approx(1000 * np.linalg.norm(np.concatenate(steps), axis=-1).mean())
    np.testing.assert_allclose(mean_pose([gap])(gap)[0], whole.truth[known].mean(0))


def test_nothing_to_measure_is_said() -> None:
    with pytest.raises(DataError, match="no frame has a true pose"):
        report([], lambda trial: trial.truth)
    with pytest.raises(DataError, match="No true pose"):
        mean_pose([])


def test_tables_show_the_metrics_asked_for() -> None:
    all_of_it, part = report(TRIALS, off(0)), report(TRIALS[:1], off(0))
    found = tables({"part": part, "all": all_of_it}, MOTION)["By action"]
    assert "| part, MPJVE / MPJAE | all, MPJVE / MPJAE |" in found
    down = all_of_it.actions["SittingDown"]
    assert f"| SittingDown | 80 | – | {down.mpjve:.2f} / {down.mpjae:.2f} |" in found


def test_json_has_null_for_what_was_not_measured() -> None:
    silent = report(TRIALS, lambda trial: np.full_like(trial.truth, np.nan))
    back = json.loads(written({"silent": silent, "one": report(TRIALS, off(0))}), parse_constant=pytest.fail)
    assert back["silent"]["actions"]["Sitting"]["mpjpe"] is None
    assert back["silent"]["overall"]["frames"] == 240
    assert back["one"] == asdict(report(TRIALS, off(0)))


def test_tables_and_json_hold_every_metric() -> None:
    reports = {"one": report(TRIALS, off(0)), "other": report(TRIALS, off(1, 0.05))}
    found = tables(reports)
    assert "| MPJPE | P-MPJPE | N-MPJPE | MPJVE | MPJAE | PCK | AUC |" in found["All metrics"]
    assert found["All metrics"].count("| one |") == 3
    assert "mean over actions" in found["Overall"]
    back = json.loads(json.dumps({name: asdict(r) for name, r in reports.items()}))
    assert set(back["one"]["action_mean"]) == set(vars(reports["one"].overall))


@pytest.mark.parametrize("ending", ["png", "pdf", "svg"])
def test_figures_are_written_whole(tmp_path: Path, ending: str) -> None:
    figure = errors_by_action({"one": report(TRIALS, off(0)), "other": report(TRIALS, off(1))})
    save(figure, tmp_path / "deep" / f"errors.{ending}")
    assert (tmp_path / "deep" / f"errors.{ending}").stat().st_size > 5000
    assert [p.name for p in (tmp_path / "deep").iterdir()] == [f"errors.{ending}"]
    bars = figure.axes[0].patches
    assert len(bars) == 2 * 2 * 2
    labels = [text.get_text() for text in figure.axes[0].get_yticklabels()]
    assert labels == ["Sitting", "SittingDown"]


def test_bars_are_as_long_as_the_errors(tmp_path: Path) -> None:
    """Also where one report lacks an action, and where an action has no answer."""
    part = report(TRIALS[:1], off(0))
    silent = report(TRIALS, lambda t: t.truth + (0.01 if t.action == "Sitting" else np.nan))
    figure = errors_by_action({"part": part, "silent": silent})
    widths = np.array([bar.get_width() for bar in figure.axes[0].patches]).reshape(2, 2, 2)  # type: ignore[attr-defined]
    for k, one in enumerate((part, silent)):
        expected = [one.actions["Sitting"].mpjpe, one.actions["Sitting"].p_mpjpe]
        np.testing.assert_allclose(widths[k, :, 0], expected)
    assert np.isnan(widths[:, :, 1]).all()
    save(figure, tmp_path / "bars.png")


def test_training_curves_show_every_run() -> None:
    records = [{"epoch": k, "mpjpe": 100.0 / k, "p_mpjpe": 70.0 / k} for k in range(1, 5)]
    figure = training_curves({"a": records, "b": records[:2]})
    assert [np.size(line.get_xdata()) for line in figure.axes[0].lines] == [4, 4, 2, 2]
    assert list(np.asarray(figure.axes[0].lines[1].get_ydata())) == [70.0, 35.0, 70.0 / 3, 17.5]


def test_other_endings_are_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"\.png, \.pdf, \.svg"):
        save(training_curves({"a": []}), tmp_path / "figure.jpeg2000")


def test_means_of_errors() -> None:
    a, b = Errors(10, 1.0, *[1.0] * 7), Errors(30, 0.5, *[3.0] * 7)
    assert Errors.mean([a, b]) == Errors(40, 0.75, *[2.0] * 7)
