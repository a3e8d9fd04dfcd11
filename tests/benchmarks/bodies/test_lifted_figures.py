"""Figures of lifted poses are right where the right value is known."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from benchmarks.bodies import calibrated_tracks
from benchmarks.bodies.lifted_figures import (
    LIMBS,
    SHARED,
    Lifted,
    after_scale,
    after_similarity,
    figures,
    flexion,
    from_middle,
)
from kinelift.poses import COCO23, Track2D
from kinelift.poses.errors import ResumeError
from kinelift.weights.run import Run

RUN = Run({"video": {"sha256": "a"}}, {})


def some(seed: int = 0, frames: int = 6) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(frames, len(SHARED), 3))


def test_perfect_poses_have_no_errors() -> None:
    found = figures([Lifted(some(), some() + np.array([1.0, 2.0, 3.0]))] * 4)
    errors = {name: v for name, v in found.items() if not name.startswith(("limbs", "arms_ordered"))}
    assert not any(errors.values())
    assert found["arms_ordered"] == 1


def test_poses_that_are_all_too_large_by_one_factor_have_no_error_once_scaled() -> None:
    assert after_scale(Lifted(1.3 * some(), some())).max() < 1e-9
    growing = np.linspace(1.0, 1.3, 6)[:, None, None]
    assert after_scale(Lifted(growing * some(), some())).mean() > 0.05


def test_a_pose_too_large_has_an_error_only_where_nothing_is_scaled() -> None:
    one = Lifted(1.1 * some(), some())
    assert after_similarity(one).max() < 1e-9
    hips = some()[:, [SHARED.index(f"{side}_hip") for side in ("left", "right")]].mean(axis=1, keepdims=True)
    np.testing.assert_allclose(from_middle(one), 0.1 * np.linalg.norm(some() - hips, axis=-1))


@pytest.mark.parametrize("degrees", [0.0, 30.0, 90.0, 150.0])
def test_flexion_is_the_angle_between_the_bones(degrees: float) -> None:
    points = some()
    knee = points[:, SHARED.index("left_knee")]
    angle = np.radians(degrees)
    points[:, SHARED.index("left_hip")] = knee + np.array([0, 0.4, 0])
    points[:, SHARED.index("left_ankle")] = knee + 0.37 * np.array([0, -np.cos(angle), -np.sin(angle)])
    np.testing.assert_allclose(flexion(points, "knee")[:, 0], degrees, atol=1e-6)


def test_halves_are_cameras_1_and_3_and_2_and_4() -> None:
    truth = some()
    views = [Lifted(factor * truth, truth) for factor in (1.1, 1.2, 1.1, 1.2)]
    found = figures(views)
    assert found["mpjpe_mm_chosen"] == found["mpjpe_mm_1"] == found["mpjpe_mm_3"]
    assert found["mpjpe_mm_reported"] == pytest.approx(2 * found["mpjpe_mm_chosen"], abs=0.2)


def test_limbs_of_one_length_do_not_vary_and_frames_without_a_pose_do_not_count() -> None:
    still = np.repeat(some()[:1], 6, axis=0)
    still[2] = np.nan
    found = figures([Lifted(still, some())] * 2)
    assert found["limbs"] == 0
    assert np.isfinite(found["mpjpe_mm"])
    grown = still * np.linspace(0.9, 1.1, 6)[:, None, None]
    assert figures([Lifted(grown, some())] * 2)["limbs"] > 0.05
    assert len(LIMBS) == 8


def test_kept_tracks_come_back_as_they_were(tmp_path: Path) -> None:
    points = np.random.default_rng(0).normal(size=(3, 23, 2))
    points[1, 4] = np.nan
    short = Track2D(points, np.ones((3, 23)), np.arange(3) / 60, points[..., 0] > 1, 2, (1088, 1920), COCO23)
    track = calibrated_tracks.lengthened(short, 7)
    assert np.isnan(track.points[[0, 1, 5, 6]]).all()
    calibrated_tracks.save_tracks(tmp_path / "tracks.npz", {"full, as read": [[track, track], []]}, RUN)
    found = calibrated_tracks.load_tracks(tmp_path / "tracks.npz", RUN)
    assert [len(some) for some in found["full, as read"]] == [2, 0]
    for part in ("points", "scores", "filled", "times"):
        np.testing.assert_array_equal(getattr(found["full, as read"][0][1], part), getattr(track, part))
    with pytest.raises(ResumeError, match="video: other content"):
        calibrated_tracks.load_tracks(tmp_path / "tracks.npz", replace(RUN, inputs={"video": {"sha256": "b"}}))
