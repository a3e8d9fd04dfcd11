"""Relifting a small walk: metadata of the clips, and errors of the poses."""

import json
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from kinelift.lifting.lifter import Lifter
from kinelift.lifting.measuring.evaluation import mean_pose, report
from kinelift.lifting.mocap.prepare import Clip, write
from kinelift.lifting.mocap.retarget import Calibration, retarget
from kinelift.lifting.relift import Relifted, ReliftSettings, errors, relift
from kinelift.lifting.synthesis.bank import BODY_JOINTS, COCO, MOCAP, MotionBank
from kinelift.lifting.synthesis.body import carry_feet
from kinelift.lifting.synthesis.noise import MEASURED
from kinelift.lifting.synthesis.view import ViewSettings
from kinelift.lifting.synthesis.virtual_camera import MIN_DEPTH, find_view, project_virtual_camera
from kinelift.poses import H36M17
from kinelift.poses.errors import SettingsError
from tests.lifting.conftest import Lifting
from tests.lifting.test_synthesis import generator, standing

SETTINGS = ReliftSettings(cameras=1, slow=0.0, partial=0.0)


def walking(seconds: float, rate: float, distance: float) -> torch.Tensor:
    """A simple person who walks ``distance`` metres along Z, swinging arms and legs."""
    points = standing(round(seconds * rate))
    times = torch.arange(len(points)) / rate
    for side, sign in (("left", 1.0), ("right", -1.0)):
        for part, share in (("knee", 0.1), ("ankle", 0.3), ("elbow", -0.1), ("wrist", -0.25)):
            points[:, MOCAP.index(f"{side}_{part}"), 2] += sign * share * torch.sin(2 * torch.pi * 0.9 * times)
    points = carry_feet(points[None], standing(len(points))[None])[0]
    points[..., 2] += (distance - 1) * torch.linspace(0, 1, len(points))[:, None]
    return points


def prepared(points: torch.Tensor) -> np.ndarray:
    """Retargeted to a typical body, as ``lifting prepare`` writes it."""
    recorded = points.double().numpy()
    return retarget(recorded, Calibration.of([recorded], [recorded])).astype(np.float32)


@pytest.fixture(scope="module")
def motion(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three clips of two subjects; the pieces of a cut recording have one name."""
    path = tmp_path_factory.mktemp("relift") / "motion.npz"
    clips = [
        Clip("02/walk", "2", "walk", prepared(walking(3, 60, 3.0)), 60.0),
        Clip("05/pace", "5", "pace", prepared(walking(2.5, 120, -1.5)), 120.0),
        Clip("05/pace", "5", "pace", prepared(walking(0.9, 60, 0.5)), 60.0),
    ]
    write(path, clips)
    return path


@pytest.fixture(scope="module")
def bank(motion: Path) -> MotionBank:
    return MotionBank.load(motion)


@pytest.fixture(scope="module")
def lifter() -> Lifter:
    return SETTINGS.load()


@pytest.fixture(scope="module")
def relifted(bank: MotionBank, lifter: Lifter) -> list[Relifted]:
    return list(relift(bank, lifter, replace(SETTINGS, cameras=2)))


@settings(max_examples=25)
@given(seed=st.integers(0, 2**32), distance=st.floats(0, 12))
def test_the_person_is_in_the_image_and_in_front_of_the_camera(seed: int, distance: float) -> None:
    points = walking(2, 20, distance)
    view, body = find_view(points - points[:, :1].mean(0), ViewSettings(), generator(seed))
    plane = body[None, ..., :2] / body[None, ..., 2:]
    assert (plane.abs() <= view.half_size + 1e-4).all()
    assert body[..., 2].min() > MIN_DEPTH - 1e-4
    # It is the same movement, seen from elsewhere: all distances are kept.
    flat, seen = points.flatten(0, 1).double(), body.flatten(0, 1).double()
    torch.testing.assert_close(torch.cdist(seen, seen), torch.cdist(flat, flat), atol=1e-3, rtol=0)


@pytest.mark.parametrize("seed", range(5))
def test_true_poses_project_onto_exact_keypoints(seed: int) -> None:
    """Up to the root's place, which is found from them: each joint's ray meets the joint."""
    points, times = walking(2, 20, 2.0), torch.arange(40) / 20
    track, truth, camera = project_virtual_camera(points, times, None, generator(seed))
    assert np.isfinite(track.points).all() and (track.points >= 0).all() and (track.points <= track.size).all()
    shared = [(k, BODY_JOINTS.index(j)) for k, j in enumerate(COCO) if j in BODY_JOINTS]
    plane = camera.plane(track.points[:, [k for k, _ in shared]])
    joints = truth[:, [j for _, j in shared]]
    rows = np.concatenate([np.broadcast_to(np.eye(2), (*plane.shape, 2)), -plane[..., None]], -1)
    right = plane * joints[..., 2:] - joints[..., :2]
    for row, value in zip(rows, right, strict=True):
        place, *_ = np.linalg.lstsq(row.reshape(-1, 3), value.ravel(), rcond=None)
        np.testing.assert_allclose(row.reshape(-1, 3) @ place, value.ravel(), atol=1e-4)
        assert place[2] > 1


def test_noise_varies_within_a_long_clip() -> None:
    """As often as in pieces of four seconds, not once a clip."""
    points, times = walking(80, 10, 0.0), torch.arange(800) / 10
    noise = replace(MEASURED, drop=1.0, drop_limb=0.0)
    track = project_virtual_camera(points, times, noise, generator())[0]
    lost = ~np.isfinite(track.points[:, 0]).all(-1)
    assert 8 <= (np.diff(lost.astype(int)) == 1).sum() + lost[0] <= 20
    np.testing.assert_array_equal(track.scores > 0, np.isfinite(track.points).all(-1))


def test_lifted_poses_are_near_the_true_ones(relifted: list[Relifted]) -> None:
    found = report(relifted, lambda one: one.points).overall
    nothing = report(relifted, mean_pose(relifted)).overall
    assert found.answered > 0.9
    assert found.p_mpjpe < found.mpjpe < 100 < nothing.mpjpe  # the figure is drawn by hand, not a person


def test_noise_increases_the_errors(bank: MotionBank, lifter: Lifter, relifted: list[Relifted]) -> None:
    noiseless = list(relift(bank, lifter, replace(SETTINGS, cameras=2, noise="none")))
    clean, noisy = (report(one, lambda r: r.points).overall for one in (noiseless, relifted))
    assert clean.mpjpe < noisy.mpjpe and clean.mpjve < noisy.mpjve
    for one, other in zip(noiseless, relifted, strict=True):
        np.testing.assert_array_equal(one.truth, other.truth)  # the same cameras


def test_fitting_one_body_reduces_the_errors(bank: MotionBank, lifter: Lifter, relifted: list[Relifted]) -> None:
    raw = list(relift(bank, lifter, replace(SETTINGS, cameras=2, fit="off")))
    fitted, unfitted = (report(one, lambda r: r.points).overall for one in (relifted, raw))
    assert fitted.p_mpjpe < unfitted.p_mpjpe and fitted.mpjve < unfitted.mpjve
    legs = [np.linalg.norm(one[0].points[:, 1] - one[0].points[:, 2], axis=-1) for one in (relifted, raw)]
    assert np.nanstd(legs[0]) < 1e-7 < 1e-3 < np.nanstd(legs[1])


def test_a_known_lens_reduces_the_errors(bank: MotionBank, lifter: Lifter) -> None:
    cases = {lens: replace(SETTINGS, noise="none", lens=lens) for lens in ("assumed", "known")}
    found = {lens: report(relift(bank, lifter, way), lambda one: one.points) for lens, way in cases.items()}
    assert found["known"].overall.mpjpe < found["assumed"].overall.mpjpe


def test_other_clips_do_not_matter(bank: MotionBank, lifter: Lifter, relifted: list[Relifted]) -> None:
    (alone,) = relift(bank.with_subjects(("2",)), lifter, SETTINGS)
    np.testing.assert_array_equal(alone.points, relifted[0].points)
    assert not np.array_equal(relifted[0].truth, relifted[1].truth)
    (other,) = relift(bank.with_subjects(("2",)), lifter, replace(SETTINGS, seed=1))
    assert not np.array_equal(alone.truth, other.truth)


def test_the_axes_turn_poses_upright(relifted: list[Relifted]) -> None:
    head, hip = H36M17.index("head"), H36M17.index("hip")
    for one in relifted:
        np.testing.assert_allclose(one.axes @ one.axes.T, np.eye(3), atol=1e-9)
        trunk = np.nanmean((one.points[:, head] - one.points[:, hip]) @ one.axes.T, axis=0)
        assert trunk[1] > 0.9 * np.linalg.norm(trunk)


def test_some_videos_are_slow_or_show_a_part_of_the_body(bank: MotionBank, lifter: Lifter) -> None:
    found = list(relift(bank, lifter, ReliftSettings(cameras=3, noise="none", slow=1.0, partial=1.0)))
    assert all(6 <= one.rate < 30 for one in found) and len({one.rate for one in found}) == len(found)
    unseen = [
        {joint for k, joint in enumerate(one.track.skeleton.joints) if not one.track.scores[:, k].any()}
        for one in found
    ]
    feet = {f"{side}_{part}" for side in ("left", "right") for part in ("ankle", "big_toe", "small_toe", "heel")}
    assert {frozenset(some) for some in unseen} == {frozenset(feet), frozenset(feet | {"left_knee", "right_knee"})}
    assert all(one.points.shape[0] == len(one.track) for one in found)


def test_errors_are_separate_for_test_subjects(bank: MotionBank, relifted: list[Relifted]) -> None:
    found = errors(bank, relifted)
    assert {name: set(one.subjects) for name, one in found.items()} == {
        "test subjects": {"2"},
        "other subjects": {"5"},
    }


@pytest.mark.parametrize("rate", [30.0, 25.0])
def test_files_describe_the_clips(
    lifting: Lifting, motion: Path, bank: MotionBank, tmp_path: Path, rate: float
) -> None:
    out = tmp_path / "deep" / "lifted.npz"
    output = lifting("relift", motion, "-o", out, "--rate", rate, "--slow", 0, "--partial", 0)
    assert "| test subjects | frames |" in output
    with np.load(out, allow_pickle=False) as file:
        data = dict(file)
    assert data["joints"].tolist() == list(H36M17.joints)
    assert data["names"].tolist() == ["02/walk"] * 2 + ["05/pace"] * 4
    assert data["subjects"].tolist() == ["2"] * 2 + ["5"] * 4
    assert data["sources"].tolist() == [0, 0, 1, 1, 2, 2]
    assert set(data["kinds"].tolist()) == {"lifted"} and set(data["rates"].tolist()) == {rate}
    lasting = (bank.lengths.numpy() - 1) / bank.rates.numpy()
    frames = np.floor(lasting * rate + 1e-3).astype(int) + 1
    assert np.diff(data["offsets"]).tolist() == frames.repeat(2).tolist()
    assert data["points"].shape == (data["offsets"][-1], 17, 3)
    assert np.nanmin(data["points"][..., 2]) > 0, "in front of the camera"
    hips = [data["points"][first:last, 0] for first, last in pairwise(data["offsets"].tolist())]
    ways = [np.linalg.norm(hip[-1] - hip[0]) for hip in hips]
    assert ways == pytest.approx([3.0, 3.0, 1.5, 1.5, 0.5, 0.5], rel=0.35), "people get on as far as they walk"
    assert data["axes"].shape == (6, 3, 3)
    assert json.loads(str(data["made_with"])) == {
        "lifter": "default", "cameras": 2, "noise": "measured", "lens": "assumed", "fit": "body", "rate": rate,
        "slow": 0.0, "partial": 0.0, "seed": 0,
    }  # fmt: skip


def test_an_interruption_leaves_no_files(
    lifting: Lifting, motion: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lift = Lifter.lift
    count = iter(range(3))

    def stopping(*args: object) -> object:
        if next(count) == 2:
            raise KeyboardInterrupt
        return lift(*args)  # type: ignore[arg-type]

    monkeypatch.setattr(Lifter, "lift", stopping)
    lifting.fails("relift", motion, "-o", tmp_path / "lifted.npz")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("args", "expected"),
    [
        (["none.npz"], "none.npz"),
        (["MOTION", "--cameras", "0"], "--cameras"),
        (["MOTION", "--rate", "nan"], "--rate"),
        (["MOTION", "--lifter", "nobody"], "nobody"),
        (["MOTION", "--noise", "loud"], "loud"),
    ],
)
def test_errors_name_their_cause(
    lifting: Lifting, motion: Path, tmp_path: Path, args: list[str], expected: str
) -> None:
    args = [str(motion) if a == "MOTION" else a for a in args]
    assert expected in lifting.fails("relift", *args, "-o", tmp_path / "x.npz")
    assert not list(tmp_path.iterdir())


def test_settings_out_of_range_are_rejected() -> None:
    with pytest.raises(SettingsError, match="0 cameras"):
        ReliftSettings(cameras=0)
