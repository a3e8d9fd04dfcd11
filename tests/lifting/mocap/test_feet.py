"""Feet of motion capture: a foot that is level in stance, whatever the file calls level."""

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from kinelift.lifting.anthropometry import BIG_TOE, HEEL, SMALL_TOE, typical_foot
from kinelift.lifting.mocap.feet import MAX_BEND, Sole, placed, recorded
from kinelift.lifting.synthesis.bank import MOCAP

LENGTH, HEIGHT = typical_foot()
TIP = np.array([0.0, -0.06, 0.17])
STANCE = 30
"""Frames of stance before each swing of 15 frames."""


def walk(
    tilt: tuple[float, float] = (0.0, 0.0), heading: float = 25.0, extension: float = 0.0
) -> tuple[np.ndarray, np.ndarray]:
    """A walk of both feet as recorded, and in which frames they stand.

    Args:
        tilt: Pitch and roll of the file's rest pose over a level sole, degrees.
        heading: Where the feet point, degrees to the left of +Z.
        extension: Degrees by which the direction ankle–toe rises in the swings.
    """
    phase = np.arange(4 * (STANCE + 15)) % (STANCE + 15)
    swing = np.clip((phase - STANCE + 1) / 15, 0, 1)
    points = np.zeros((len(phase), len(MOCAP), 3))
    for side, sign in (("left", 1), ("right", -1)):
        ankle = (
            np.stack([np.full(len(phase), 0.1 * sign), HEIGHT + 0.15 * np.sin(np.pi * swing), 0.7 * swing], 1)
            + [0, 0, 0.7] * (np.arange(len(phase)) // (STANCE + 15))[:, None]
        )
        turn = Rotation.from_euler("Y", heading, degrees=True)
        lift = Rotation.from_euler("X", 30 * np.sin(np.pi * swing)[:, None], degrees=True)
        rest = Rotation.from_euler("XZ", [tilt[0], sign * tilt[1]], degrees=True)
        rotation = (turn * lift * rest).as_matrix()
        toes = Rotation.from_euler("X", -extension * np.sin(np.pi * swing)[:, None], degrees=True)
        tip = ankle + (turn * lift * toes).apply(TIP)
        heel, small = recorded(ankle, tip, rotation, side)
        for part, joint in (("ankle", ankle), ("big_toe", tip), ("heel", heel), ("small_toe", small)):
            points[:, MOCAP.index(f"{side}_{part}")] = joint
    return points, swing == 0


def feet(points: np.ndarray, side: str) -> dict[str, np.ndarray]:
    """Typical feet, relative to the ankles."""
    found = placed(points, side, Sole.of([points], side), np.zeros((len(points), 3)))
    return dict(zip(("heel", "big_toe", "small_toe"), found, strict=True))


@pytest.mark.parametrize("side", ["left", "right"])
@pytest.mark.parametrize("tilt", [(0.0, 0.0), (15.0, 0.0), (-20.0, 0.0), (8.0, 6.0), (0.0, -10.0)])
def test_soles_are_level_in_stance_whatever_the_tilt_of_the_file(tilt: tuple[float, float], side: str) -> None:
    points, stands = walk(tilt)
    found = feet(points, side)
    for part, (_, up, _) in (("heel", HEEL), ("big_toe", BIG_TOE), ("small_toe", SMALL_TOE)):
        np.testing.assert_allclose(found[part][stands, 1], up * HEIGHT, atol=2e-3, err_msg=part)
    forward = (found["big_toe"] - found["heel"])[stands]
    inward = np.degrees(np.arctan2(BIG_TOE[0], BIG_TOE[2] - HEEL[2])) * (-1 if side == "left" else 1)
    assert np.degrees(np.arctan2(forward[:, 0], forward[:, 2])) == pytest.approx(25 + inward, abs=4)
    assert found["big_toe"][~stands, 1].min() < -2 * HEIGHT  # not level in the swing, though


@pytest.mark.parametrize("side", ["left", "right"])
def test_feet_have_typical_lengths(side: str) -> None:
    found = feet(walk((10.0, 5.0))[0], side)
    for part, share in (("heel", HEEL), ("big_toe", BIG_TOE), ("small_toe", SMALL_TOE)):
        expected = np.linalg.norm(np.array(share) * [LENGTH, HEIGHT, LENGTH])
        np.testing.assert_allclose(np.linalg.norm(found[part], axis=1), expected, atol=1e-3, err_msg=part)
    outward = (found["small_toe"] - found["big_toe"])[:, 0] * (1 if side == "left" else -1)
    assert (outward > 0.03).all()


def test_toes_bend_upwards_only() -> None:
    straight, bent, down = (feet(walk(extension=angle)[0], "left") for angle in (0.0, 15.0, -15.0))
    for part in ("heel", "small_toe"):
        np.testing.assert_allclose(bent[part], straight[part], atol=1e-9)
    rise = np.linalg.norm(bent["big_toe"] - straight["big_toe"], axis=1)
    assert rise.max() > 0.03 and rise[:STANCE].max() < 1e-6
    assert rise.max() < 2 * np.sin(MAX_BEND / 2) * 0.06  # a toe is short
    np.testing.assert_allclose(down["big_toe"], straight["big_toe"], atol=1e-9)


def test_left_and_right_are_mirrored() -> None:
    points = walk((8.0, 6.0), heading=15.0)[0]
    mirrored = points[:, list(MOCAP.mirror)] * [-1, 1, 1]
    for part, joint in feet(points, "left").items():
        np.testing.assert_allclose(feet(mirrored, "right")[part], joint * [-1, 1, 1], atol=1e-9)
