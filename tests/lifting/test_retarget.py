"""Retargeting keeps the recorded motion and removes implausible proportions."""

import numpy as np
import pytest
import torch

from kinelift.lifting.anthropometry import SEGMENT_OF, SEGMENTS, typical
from kinelift.lifting.mocap.audit import audit, table
from kinelift.lifting.mocap.retarget import Calibration, end_distance, flexion, retarget, rotation_between, scale_limb
from kinelift.lifting.synthesis.bank import MOCAP
from kinelift.lifting.synthesis.body import carry_feet
from tests.lifting.test_synthesis import standing

LENGTH = dict(zip(SEGMENTS, typical().tolist(), strict=True))


def figure(frames: int = 60, shank: float = 1.0, least: float = 0.0, most: float = 90.0) -> np.ndarray:
    """A person who squats: both knees bend from ``least`` to ``most`` degrees. ``shank``: times a normal shank."""
    start = standing(frames).double()
    points = start.clone().numpy()
    thigh, lower = LENGTH["thigh"], LENGTH["shank"] * shank
    angles = np.radians(np.linspace(least, most, frames))
    for side in ("left", "right"):
        hip, knee, ankle = (MOCAP.index(f"{side}_{part}") for part in ("hip", "knee", "ankle"))
        down = np.stack([np.zeros(frames), -np.cos(angles / 2), np.sin(angles / 2)], 1)
        points[:, knee] = points[:, hip] + thigh * down
        points[:, ankle] = points[:, knee] + lower * down * [1, 1, -1]
    return carry_feet(torch.from_numpy(points)[None], start[None])[0].numpy()


def retargeted(points: np.ndarray) -> np.ndarray:
    return retarget(points, Calibration.of([points], [points]))


def test_every_bone_has_the_typical_length() -> None:
    out = retargeted(figure(shank=1.23))
    for name, segment in SEGMENT_OF.items():
        joint = MOCAP.index(name.replace("_toe", "_big_toe"))
        bone = np.linalg.norm(out[:, joint] - out[:, MOCAP.parents[joint]], axis=1)
        np.testing.assert_allclose(bone, LENGTH[segment], rtol=3e-4, err_msg=name)


@pytest.mark.parametrize("shank", [1.0, 1.23])
def test_legs_that_are_never_straight_are_corrected(shank: float) -> None:
    """The straightest frames become straight, the deepest squat stays nearly as deep, and the order stays."""
    out = flexion(retargeted(figure(shank=shank, least=25.0)), "left", "leg")
    assert out[:2].max() < 6
    assert 80 < out[-1] < 91
    assert (np.diff(out) > -1e-6).all()


def test_legs_that_are_sometimes_straight_keep_their_flexion() -> None:
    before, out = figure(shank=1.0), retargeted(figure(shank=1.0))
    np.testing.assert_allclose(flexion(out, "right", "leg")[5:], flexion(before, "right", "leg")[5:], atol=3.0)


def test_knees_keep_their_direction() -> None:
    out = retargeted(figure(least=20.0))
    knee = out[-1, MOCAP.index("left_knee")] - out[-1, MOCAP.index("left_hip")]
    assert knee[2] > 0.2


@pytest.mark.parametrize("lift", [-0.12, 0.0, 0.1])
def test_shoulders_lie_below_the_base_of_the_neck(lift: float) -> None:
    points = figure()
    for side in ("left", "right"):
        for part in ("shoulder", "elbow", "wrist"):
            points[:, MOCAP.index(f"{side}_{part}"), 1] += lift
    out = retargeted(points)
    drop = out[:, MOCAP.index("thorax"), 1] - out[:, MOCAP.index("left_shoulder"), 1]
    np.testing.assert_allclose(drop, 0.397 * LENGTH["shoulder"], atol=0.02)


def test_retargeting_commutes_with_mirroring() -> None:
    rng = np.random.default_rng(0)
    points = figure() + rng.normal(size=(1, len(MOCAP), 3)) * 0.03
    swap = list(MOCAP.mirror)
    mirrored = points[:, swap] * [-1, 1, 1]
    np.testing.assert_allclose(retargeted(mirrored), retargeted(points)[:, swap] * [-1, 1, 1], atol=0.01)


def test_scaling_a_limb_to_its_own_lengths_changes_nothing() -> None:
    rng = np.random.default_rng(1)
    chain = np.cumsum(rng.normal(size=(50, 3, 3)), axis=1)
    for one in chain:
        upper, lower = np.linalg.norm(np.diff(one, axis=0), axis=1)
        out = scale_limb(one[None], end_distance(one[None], 0.0), upper, lower)
        np.testing.assert_allclose(out[0], one[1:] - one[0], atol=2e-3)


def test_smallest_rotation_between_two_directions() -> None:
    a, b = np.array([0.6, 0.8, 0.0]), np.array([0.0, 0.6, 0.8])
    turn = rotation_between(a, b)
    np.testing.assert_allclose(turn @ a, b, atol=1e-12)
    np.testing.assert_allclose(turn @ turn.T, np.eye(3), atol=1e-12)
    np.testing.assert_allclose(turn @ np.cross(a, b), np.cross(a, b), atol=1e-12)


def test_audit_lists_values_out_of_range() -> None:
    odd = audit("daz", "1", [figure(shank=1.23, least=20.0)])
    assert {"shank/thigh", "knee p2"} <= set(odd.out_of_range)
    sound = audit("daz", "1", [retargeted(figure(shank=1.23, least=20.0))])
    assert not {"shank/thigh", "knee p2", "shoulders", "hips"} & set(sound.out_of_range)
    text = table([odd, sound])
    assert f"{odd.values['shank/thigh']:.2f} !" in text
    assert "- daz, subject 1: " in text
