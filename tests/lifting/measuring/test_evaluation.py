import json
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest

from kinelift.lifting.measuring.error_plots import errors_by_action, save, training_curves
from kinelift.lifting.measuring.error_tables import tables
from kinelift.lifting.measuring.evaluation import MOTION, Errors, mean_pose, report, to_json
from kinelift.lifting.measuring.metrics import mpjae, mpjpe, mpjve, n_mpjpe, p_mpjpe
from kinelift.lifting.synthesis.trials import Trial
from kinelift.poses.errors import DataError, SettingsError
from tests.lifting.recordings import bank

TRIALS = [one.trial() for one in bank("S1", "S2", actions=("Sitting 1", "SittingDown 1", "Sitting 2"), frames=40)]


def noisy_truth(seed: int, size: float = 0.02) -> Callable[[Trial], np.ndarray]:
    """The truth with noise on all joints but the root."""
    random = np.random.default_rng(seed)
    return lambda trial: trial.truth + size * BUT_ROOT * random.normal(size=trial.truth.shape)


BUT_ROOT = (np.arange(15) > 0)[:, None]
ALL_JOINTS = 15 / 14
"""Makes the mean over all joints of an offset of all but the root equal to the offset."""


def offset(metres: float) -> np.ndarray:
    """An error of this mean length over the joints, of which the root has none."""
    return metres * ALL_JOINTS * BUT_ROOT * np.array([1.0, 0, 0])


def test_errors_of_one_trial_are_the_metrics() -> None:
    answer = noisy_truth(0)(TRIALS[0]) + np.array([0, 0.03, 0])
    result = report([TRIALS[0]], lambda trial: answer).overall
    truth = TRIALS[0].truth
    relative = answer - answer[:, :1]
    for name, metric in (
        ("mpjpe", mpjpe),
        ("p_mpjpe", p_mpjpe),
        ("n_mpjpe", n_mpjpe),
        ("mpjve", mpjve),
        ("mpjae", mpjae),
    ):
        assert getattr(result, name) == pytest.approx(1000 * metric(relative, truth)), name
    assert result.mpjpe_kept == pytest.approx(1000 * mpjpe(answer, truth))
    assert result.n_mpjpe_kept == pytest.approx(1000 * n_mpjpe(answer, truth))
    assert result.pck == pytest.approx(100)
    assert 0 < result.auc < 100


def test_only_the_root_differs_between_the_protocols() -> None:
    result = report(TRIALS, lambda trial: trial.truth + np.array([0, 0.03, 0])).overall
    assert (result.mpjpe, result.mpjpe_kept) == pytest.approx((0, 30), abs=1e-9)
    assert result.p_mpjpe == pytest.approx(0, abs=1e-4)


def test_the_root_is_that_of_the_skeleton() -> None:
    trial = replace(TRIALS[0], root=3, truth=TRIALS[0].truth - TRIALS[0].truth[:, 3, None])
    result = report([trial], lambda one: one.truth + np.array([0, 0.03, 0])).overall
    assert (result.mpjpe, result.mpjpe_kept) == pytest.approx((0, 30), abs=1e-9)


def test_velocities_are_not_taken_over_gaps() -> None:
    """Differences across a frame without a prediction, or between two videos, do not count."""
    shift = np.where(np.arange(40) < 20, 0.0, 0.5)[:, None, None] * BUT_ROOT

    def predict(trial: Trial) -> np.ndarray:
        valid = np.arange(40) != 20
        return np.where(valid[:, None, None], trial.truth + shift, np.nan)

    result = report(TRIALS, predict).overall
    assert result.mpjve == pytest.approx(0, abs=1e-6)
    assert result.mpjae == pytest.approx(0, abs=1e-6)
    assert result.answered == pytest.approx(39 / 40)
    assert result.mpjpe > 100


def test_actions_count_equally_and_so_do_frames_within_them() -> None:
    errors = {"Sitting": 0.010, "SittingDown": 0.040}
    result = report(TRIALS, lambda t: t.truth + offset(errors[t.action]))
    assert set(result.actions) == {"Sitting", "SittingDown"}
    assert result.actions["Sitting"].frames == 2 * result.actions["SittingDown"].frames == 160
    assert result.overall.mpjpe == pytest.approx((2 * 10 + 40) / 3)
    assert result.action_mean.mpjpe == pytest.approx(25)
    assert result.action_mean.frames == result.overall.frames == 240
    assert set(result.subjects) == {"S1", "S2"}


def test_error_without_predictions_is_nan() -> None:
    result = report(TRIALS, lambda trial: np.full_like(trial.truth, np.nan))
    assert result.overall.answered == 0
    assert np.isnan(result.overall.mpjpe)
    assert "(0%)" in str(result.overall)


def test_an_action_without_predictions_does_not_lower_the_mean() -> None:
    result = report(TRIALS, lambda t: t.truth + (offset(0.03) if t.action == "Sitting" else np.nan))
    assert result.action_mean.mpjpe == pytest.approx(30)
    assert result.action_mean.answered == pytest.approx(0.5)
    assert "| SittingDown | 80 | – / – (0%) |" in tables({"one": result})["By action"]


def test_frames_without_truth_do_not_count() -> None:
    """Nor do velocities across them."""
    trial, predicted = TRIALS[0], noisy_truth(0)(TRIALS[0])
    valid = np.arange(40) != 17
    gap = replace(trial, truth=np.where(valid[:, None, None], trial.truth, np.nan))
    result = report([gap], lambda _: predicted).overall
    assert (result.frames, result.answered) == (39, 1)
    assert result.mpjpe == pytest.approx(1000 * mpjpe(predicted[valid], trial.truth[valid]))
    assert result.p_mpjpe == pytest.approx(1000 * p_mpjpe(predicted[valid], trial.truth[valid]))
    runs = [slice(0, 17), slice(18, 40)]
    differences = [np.diff(predicted[run] - trial.truth[run], axis=0).reshape(-1, 3) for run in runs]
    assert result.mpjve == pytest.approx(1000 * np.linalg.norm(np.concatenate(differences), axis=-1).mean())
    np.testing.assert_allclose(mean_pose([gap])(gap)[0], trial.truth[valid].mean(0))


def test_trials_without_truth_are_rejected() -> None:
    with pytest.raises(DataError, match="no frame has a true pose"):
        report([], lambda trial: trial.truth)
    with pytest.raises(DataError, match="no true pose"):
        mean_pose([])


def test_tables_show_the_requested_metrics() -> None:
    complete, part = report(TRIALS, noisy_truth(0)), report(TRIALS[:1], noisy_truth(0))
    result = tables({"part": part, "all": complete}, MOTION)["By action"]
    assert "| part, MPJVE / MPJAE | all, MPJVE / MPJAE |" in result
    down = complete.actions["SittingDown"]
    assert f"| SittingDown | 80 | – | {down.mpjve:.2f} / {down.mpjae:.2f} |" in result


def test_json_has_null_for_missing_measurements() -> None:
    unpredicted = report(TRIALS, lambda trial: np.full_like(trial.truth, np.nan))
    back = json.loads(
        to_json({"unpredicted": unpredicted, "one": report(TRIALS, noisy_truth(0))}), parse_constant=pytest.fail
    )
    assert back["unpredicted"]["actions"]["Sitting"]["mpjpe"] is None
    assert back["unpredicted"]["overall"]["frames"] == 240
    del back["one"]["overall_interval"], back["one"]["action_mean_interval"]
    whole = asdict(report(TRIALS, noisy_truth(0)))
    assert back["one"] == {name: whole[name] for name in back["one"]}


def test_tables_and_json_hold_every_metric() -> None:
    reports = {"one": report(TRIALS, noisy_truth(0)), "other": report(TRIALS, noisy_truth(1, 0.05))}
    result = tables(reports)
    assert (
        "| MPJPE | MPJPE, root kept | P-MPJPE | N-MPJPE | N-MPJPE, root kept | MPJVE | MPJAE | PCK | AUC |"
        in result["All metrics"]
    )
    assert result["All metrics"].count("| one |") == 3
    assert "mean over actions" in result["Overall"]
    back = json.loads(json.dumps({name: asdict(r) for name, r in reports.items()}))
    assert set(back["one"]["action_mean"]) == set(vars(reports["one"].overall))


@pytest.mark.parametrize("extension", ["png", "pdf", "svg"])
def test_figures_are_written_completely(tmp_path: Path, extension: str) -> None:
    figure = errors_by_action({"one": report(TRIALS, noisy_truth(0)), "other": report(TRIALS, noisy_truth(1))})
    save(figure, tmp_path / "deep" / f"errors.{extension}")
    assert (tmp_path / "deep" / f"errors.{extension}").stat().st_size > 5000
    assert [p.name for p in (tmp_path / "deep").iterdir()] == [f"errors.{extension}"]
    bars = figure.axes[0].patches
    assert len(bars) == 2 * 2 * 2
    labels = [text.get_text() for text in figure.axes[0].get_yticklabels()]
    assert labels == ["Sitting", "SittingDown"]


def test_bars_are_as_long_as_the_errors(tmp_path: Path) -> None:
    """Also if a report lacks an action, or an action has no prediction."""
    part = report(TRIALS[:1], noisy_truth(0))
    unpredicted = report(TRIALS, lambda t: t.truth + (0.01 if t.action == "Sitting" else np.nan))
    figure = errors_by_action({"part": part, "unpredicted": unpredicted})
    widths = np.array([bar.get_width() for bar in figure.axes[0].patches]).reshape(2, 2, 2)  # type: ignore[attr-defined]
    for k, one in enumerate((part, unpredicted)):
        expected = [one.actions["Sitting"].mpjpe, one.actions["Sitting"].p_mpjpe]
        np.testing.assert_allclose(widths[k, :, 0], expected)
    assert np.isnan(widths[:, :, 1]).all()
    save(figure, tmp_path / "bars.png")


def test_training_curves_show_every_run() -> None:
    records = [{"epoch": k, "mpjpe": 100.0 / k, "p_mpjpe": 70.0 / k} for k in range(1, 5)]
    figure = training_curves({"a": records, "b": records[:2]})
    assert [np.size(line.get_xdata()) for line in figure.axes[0].lines] == [4, 4, 2, 2]
    assert list(np.asarray(figure.axes[0].lines[1].get_ydata())) == [70.0, 35.0, 70.0 / 3, 17.5]


def test_other_extensions_are_rejected(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"\.png, \.pdf, \.svg"):
        save(training_curves({"a": []}), tmp_path / "figure.jpeg2000")


def test_intervals_are_over_clips_of_an_action() -> None:
    """Two clips of Sitting by two subjects each are four; all views of one are drawn together."""
    size = {"Sitting": iter([0.01, 0.03, 0.01, 0.03]), "SittingDown": iter([0.05, 0.05])}
    result = report(TRIALS, lambda t: t.truth + offset(next(size[t.action])))
    assert {t.clip for t in TRIALS} >= {"S1 Sitting 1", "S2 Sitting 2"}
    low, high = result.action_mean_interval.low.mpjpe, result.action_mean_interval.high.mpjpe
    assert result.action_mean.mpjpe == pytest.approx(35)
    assert (low, high) == pytest.approx((30, 40))  # of 4 draws of 10 or 30, all are equal in 1 of 16
    assert f"35.0 ({low:.1f} to {high:.1f})" in tables({"one": result})["All metrics"]


def test_views_of_one_clip_give_no_interval() -> None:
    views = [replace(TRIALS[0], camera=replace(TRIALS[0].camera, focal=500.0 + k)) for k in range(5)]
    result = report(views, noisy_truth(0))
    assert np.isnan(result.overall_interval.low.mpjpe)
    assert "confidence" not in tables({"one": result})["All metrics"]


def test_means_of_errors() -> None:
    a, b = Errors(10, 1.0, *[1.0] * 9), Errors(30, 0.5, *[3.0] * 9)
    assert Errors.mean([a, b]) == Errors(40, 0.75, *[2.0] * 9)
