"""The fit on synthetic people of known shape and motion."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from scipy.linalg.lapack import dpbtrf
from threadpoolctl import threadpool_info, threadpool_limits

from kinelift.lifting.body import FitSettings, can_fit, fit, solver
from kinelift.lifting.body.structure import FOOT_SHAPE, TIPS
from kinelift.lifting.body.windowed_solver import refined_together
from kinelift.lifting.root import SHARED_JOINTS
from kinelift.poses import COCO17, COCO23, H36M17, H36M21, Poses3D, Track2D, convert
from kinelift.poses.errors import SettingsError
from kinelift.poses.skeleton import BODY25, KINECT15
from tests.lifting.body.people import (
    CAMERA,
    flexion,
    lengths,
    moving,
    noisy,
    prediction,
    scene,
    standing,
    still,
)  # fmt: skip

TIMES = np.arange(60) / 30


def reprojection_error(track: Track2D, poses: Poses3D) -> float:
    """Mean distance of visible joints from their keypoints, pixels."""
    assert poses.root is not None
    image = CAMERA.project(poses.points + poses.root[:, None])
    return float(np.nanmean(np.linalg.norm(image - convert(track.points, COCO23, H36M21), axis=-1)[:, SHARED_JOINTS]))


def test_lengths_are_constant_and_symmetric() -> None:
    true = moving(TIMES)
    found = lengths(fit(noisy(true.track, 5.0), prediction(true, 0.05), CAMERA))
    np.testing.assert_allclose(found / found[:1], 1.0, rtol=1e-6)
    ends = [joint for _, joint in H36M21.bones]
    np.testing.assert_allclose(found, found[:, [ends.index(H36M21.mirror[j]) for j in ends]], rtol=1e-6)


@pytest.mark.parametrize("seed", range(3))
def test_exact_input_stays(seed: int) -> None:
    """Exact keypoints and prediction: only the scale, which an image does not determine, follows the prior."""
    true = moving(TIMES, seed)
    found = fit(true.track, true.truth, CAMERA, FitSettings(knee=0.0, elbow=0.0, offsets=0.0))
    scale = np.median(lengths(found) / lengths(true.truth))
    assert 0.9 < scale < 1.1
    errors = np.linalg.norm(found.points / scale - true.truth.points, axis=-1)
    assert np.median(errors) < 0.01 and errors.max() < 0.06
    assert reprojection_error(true.track, found) < 3


def test_errors_of_keypoints_and_network_shrink() -> None:
    true = moving(TIMES)
    track, raw = noisy(true.track, 6.0), prediction(true, 0.06)
    found = fit(track, raw, CAMERA)
    body = slice(len(H36M17))  # directions of the feet, which are short, say little
    before, after = (np.linalg.norm((one.points - true.truth.points)[:, body], axis=-1).mean() for one in (raw, found))
    assert after < 0.8 * before
    speed = [np.linalg.norm(np.diff(one.points - true.truth.points, axis=0), axis=-1).mean() for one in (raw, found)]
    assert speed[1] < 0.3 * speed[0]
    assert reprojection_error(track, found) <= reprojection_error(track, raw)


@pytest.mark.parametrize("heading", [0.0, 45.0, 90.0, 180.0])
def test_bent_prediction_of_straight_legs_is_corrected(heading: float) -> None:
    straight = still(heading=heading)
    bent = still(knee=20.0, heading=heading).truth
    assert np.median(flexion(fit(straight.track, bent, CAMERA))) < 8


@pytest.mark.parametrize("heading", [0.0, 45.0, 90.0, 180.0])
@pytest.mark.parametrize("knee", [60.0, 90.0])
def test_bent_legs_stay_bent(knee: float, heading: float) -> None:
    bent = still(knee=knee, heading=heading)
    np.testing.assert_allclose(np.median(flexion(fit(bent.track, bent.truth, CAMERA))), knee, atol=5)


@pytest.mark.parametrize("flexed", [-15.0, -40.0])
def test_knees_do_not_bend_forwards(flexed: float) -> None:
    """A frontal image does not show which way they bend, and the network is wrong."""
    wrong = still(knee=flexed)
    found = fit(wrong.track, wrong.truth, CAMERA).points
    for side in ("left", "right"):
        hip, knee, ankle = (found[:, H36M21.index(f"{side}_{part}")] for part in ("hip", "knee", "ankle"))
        axis = found[:, H36M21.index("left_hip")] - found[:, H36M21.index("right_hip")]
        upper, lower, axis = (v / np.linalg.norm(v, axis=-1, keepdims=True) for v in (knee - hip, ankle - knee, axis))
        assert (np.degrees(np.arcsin((np.cross(upper, lower) * axis).sum(-1))) > -9).all()


def test_jumps_survive() -> None:
    times = np.arange(40) / 30
    root = np.tile([0.1, 0.1, 4.0], (40, 1))
    flight = (times > 0.4) & (times < 0.9)
    root[flight, 1] -= 4.9 * (times[flight] - 0.4) * (0.9 - times[flight])
    jump = scene(np.tile(standing(), (40, 1, 1)), times, root)
    found = fit(jump.track, jump.truth, CAMERA)
    assert found.root is not None
    height = np.ptp(found.root[:, 1]) / np.ptp(root[:, 1])
    assert 0.9 < height < 1.1


def test_frame_rate_may_vary() -> None:
    """Dropping frames changes the others little."""
    kept = np.sort(np.random.default_rng(0).choice(60, 40, replace=False))
    true = moving(TIMES)
    raw = prediction(true, 0.03)
    less = replace(
        true.track, points=true.track.points[kept], scores=true.track.scores[kept], times=TIMES[kept],
        filled=true.track.filled[kept],
    )  # fmt: skip
    some = Poses3D(raw.points[kept], TIMES[kept], raw.root[kept] if raw.root is not None else None, H36M21)
    whole, part = fit(true.track, raw, CAMERA), fit(less, some, CAMERA)
    assert np.median(np.linalg.norm(whole.points[kept] - part.points, axis=-1)) < 0.012


def test_frames_without_a_prediction_stay_nan() -> None:
    true = moving(TIMES)
    raw = prediction(true, 0.03)
    raw.points[[0, 20, 21, 22, 59]] = np.nan
    true.track.points[20:23] = np.nan
    true.track.points[40, 5:9] = np.nan
    found = fit(true.track, raw, CAMERA)
    np.testing.assert_array_equal(np.isnan(found.points).all((1, 2)), np.isnan(raw.points).all((1, 2)))
    assert found.root is not None
    np.testing.assert_array_equal(np.isnan(found.root).all(1), np.isnan(raw.points).all((1, 2)))


def test_no_prediction_at_all() -> None:
    true = still()
    found = fit(true.track, replace(true.truth, points=np.full_like(true.truth.points, np.nan)), CAMERA)
    assert np.isnan(found.points).all()


def test_keypoints_of_the_face_only() -> None:
    """Only the face is visible: a body at an unknown position."""
    true = still()
    true.track.points[:, 5:] = np.nan
    found = fit(true.track, true.truth, CAMERA)
    assert np.isfinite(found.points).all()
    assert found.root is not None and np.isnan(found.root).all()


@pytest.mark.parametrize("frames", [1, 2, 3, 5])
def test_short_tracks(frames: int) -> None:
    true = still(frames, knee=60.0, heading=45.0)
    found = fit(true.track, true.truth, CAMERA)
    assert np.linalg.norm(found.points - true.truth.points, axis=-1).max() < 0.08


def test_windows_agree_with_the_whole_track() -> None:
    """A long track in windows of the default's proportions."""
    times = np.arange(900) / 30
    true = moving(times)
    track, raw = noisy(true.track, 4.0), prediction(true, 0.05)
    whole, parts = (fit(track, raw, CAMERA, FitSettings(window=window)) for window in (900, 300))
    assert np.linalg.norm(whole.points - parts.points, axis=-1).max() < 5e-4
    found = lengths(parts)
    np.testing.assert_allclose(found / found[:1], 1.0, rtol=1e-6)


def test_linear_algebra_has_one_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    """Threads of several spin while they wait for a core that another program uses."""
    threads = []

    def factorise(*arguments: Any, **options: Any) -> Any:
        threads.extend(one["num_threads"] for one in threadpool_info() if one["user_api"] == "blas")
        return dpbtrf(*arguments, **options)

    monkeypatch.setattr(solver, "dpbtrf", factorise)
    true = moving(TIMES)
    with threadpool_limits(2, user_api="blas"):
        fit(true.track, true.truth, CAMERA)
        after = [one["num_threads"] for one in threadpool_info() if one["user_api"] == "blas"]
    assert threads and set(threads) == {1}
    assert set(after) == {2}  # as the caller had it


def test_frames_that_have_not_converged_are_refined_in_parts() -> None:
    settings, moving = FitSettings(window=100, margin=8), np.r_[3:380, 400:403]
    parts = [part.tolist() for part in refined_together(moving, settings)]
    assert [frame for part in parts for frame in part] == moving.tolist()
    assert [(part[0], part[-1]) for part in parts] == [(3, 102), (103, 202), (203, 302), (303, 379), (400, 402)]


def test_interpolated_keypoints_weigh_less() -> None:
    true = moving(TIMES)
    track = true.track
    wrist = COCO23.index("left_wrist")
    track.points[25:35, wrist] += 12.0
    filled = track.filled.copy()
    filled[25:35, wrist] = True
    detected, interpolated = (fit(one, true.truth, CAMERA) for one in (track, replace(track, filled=filled)))
    joint = H36M21.index("left_wrist")
    errors = [
        np.linalg.norm(one.points - true.truth.points, axis=-1)[25:35, joint].mean() for one in (detected, interpolated)
    ]
    assert errors[1] < 0.7 * errors[0]


def test_poses_without_feet_are_fitted_too() -> None:
    """And nearly as well as with feet, which say little about the body."""
    true = moving(TIMES)
    track, raw = noisy(true.track, 6.0), prediction(true, 0.06)
    less = fit(track.converted(COCO17), raw.converted(H36M17), CAMERA)
    assert less.skeleton == H36M17 and less.points.shape == (len(TIMES), len(H36M17), 3)
    truth = true.truth.converted(H36M17).points
    before, after = (np.linalg.norm(one - truth, axis=-1).mean() for one in (raw.converted(H36M17).points, less.points))
    assert after < 0.8 * before
    whole = fit(track, raw, CAMERA).converted(H36M17).points
    assert np.median(np.linalg.norm(whole - less.points, axis=-1)) < 0.02


def test_feet_keep_their_shape() -> None:
    """Heel and toe were predicted with the wrong angle between them."""
    true = moving(TIMES)
    wrong = true.truth.points.copy()
    for side in ("left", "right"):
        heel, ankle, toe = (H36M21.index(f"{side}_{part}") for part in ("heel", "ankle", "toe"))
        wrong[:, heel] = wrong[:, ankle] - 0.3 * (wrong[:, toe] - wrong[:, ankle])
    found = fit(true.track.converted(COCO17), replace(true.truth, points=wrong), CAMERA).points
    for side in ("left", "right"):
        joints = [H36M21.index(f"{side}_{part}") for part in ("heel", "ankle", "toe")]
        back, ahead = (found[:, joints[end]] - found[:, joints[1]] for end in (0, 2))
        cosine = (back * ahead).sum(-1) / np.linalg.norm(back, axis=-1) / np.linalg.norm(ahead, axis=-1)
        assert np.abs(cosine - FOOT_SHAPE).max() < 0.15


def test_other_skeletons_are_rejected() -> None:
    true = still(3)
    assert all(can_fit(source, target) for source in (COCO17, COCO23, BODY25) for target in (H36M17, H36M21))
    assert not can_fit(KINECT15, H36M21) and not can_fit(COCO23, KINECT15)
    points = np.zeros((3, len(KINECT15), 2))
    other = Track2D(points, points[..., 0], true.track.times, points[..., 0] > 0, 0, true.track.size, KINECT15)
    with pytest.raises(SettingsError, match="--fit off"):
        fit(other, true.truth, CAMERA)


def test_the_fit_is_deterministic() -> None:
    true = moving(TIMES)
    raw = prediction(true, 0.05)
    np.testing.assert_array_equal(fit(true.track, raw, CAMERA).points, fit(true.track, raw, CAMERA).points)


def test_direction_names_are_unique() -> None:
    assert len(TIPS) == 19 and len(set(TIPS)) == 19
