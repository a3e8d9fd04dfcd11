"""Feet on the floor: planted ones stay, the others move as before."""

from dataclasses import dataclass

import numpy as np
import pytest

from kinelift.lifting.anthropometry import typical
from kinelift.lifting.body import Contacts, fit, plant
from kinelift.lifting.body.problem import State
from kinelift.lifting.body.structure import FEET, TIPS
from kinelift.poses import COCO17, H36M17, H36M21, Poses3D
from tests.lifting.body.people import CAMERA, UP, Scene, lengths, noisy, prediction, scene, standing
from tests.lifting.body.test_fit import TIMES, reprojection_error

RIGHT, LEFT = [0, 1], [2, 3]


@dataclass(frozen=True, eq=False)
class Case:
    """A person on the right leg who swings the left one, fitted without and with contacts of the right foot."""

    true: Scene
    fitted: Poses3D
    contacts: Contacts
    planted: Poses3D


def feet(poses: Poses3D) -> np.ndarray:
    assert poses.root is not None
    return poses.points[:, list(FEET)] + poses.root[:, None]


@pytest.fixture(scope="module")
def case() -> Case:
    directions = np.stack([standing(knee=20 + 10 * np.sin(3 * t), heading=30.0) for t in TIMES])
    for tip in ("left_knee", "left_ankle"):
        swing = 0.6 * np.sin(4 * TIMES)
        d = directions[:, TIPS.index(tip)]
        d[:] = d + swing[:, None] * [0.3, 0.0, -0.95]
        d /= np.linalg.norm(d, axis=-1, keepdims=True)
    body = State(np.zeros((len(TIMES), 3)), directions).joints(typical().double().numpy())
    true = scene(directions, TIMES, np.array([0.1, 1.0, 4.0]) - body[:, H36M21.index("right_ankle")])
    track, raw = noisy(true.track, 4.0), prediction(true, 0.04)
    fitted = fit(track, raw, CAMERA)
    weight, height = np.zeros((len(TIMES), 4)), np.zeros((len(TIMES), 4))
    weight[:, RIGHT] = 1.0
    height[:, RIGHT] = np.median(feet(fitted)[:, RIGHT] @ np.array(UP), axis=0)
    contacts = Contacts(weight, height, np.array(UP))
    case_track = Scene(track, true.truth)
    return Case(case_track, fitted, contacts, plant(track, raw, fitted, CAMERA, contacts))


def speed(poses: Poses3D, which: list[int]) -> float:
    return float(np.linalg.norm(np.diff(feet(poses)[:, which], axis=0), axis=-1).mean() / np.diff(TIMES).mean())


def test_planted_feet_move_less(case: Case) -> None:
    assert speed(case.planted, RIGHT) < 0.03 < speed(case.fitted, RIGHT)
    assert speed(case.planted, RIGHT) < 0.3 * speed(case.fitted, RIGHT)


def test_planted_feet_are_at_the_height_of_the_floor(case: Case) -> None:
    rise = feet(case.planted)[:, RIGHT] @ np.array(UP) - case.contacts.height[:, RIGHT]
    before = feet(case.fitted)[:, RIGHT] @ np.array(UP) - case.contacts.height[:, RIGHT]
    assert np.abs(rise).max() < 0.02
    assert np.abs(rise).mean() < 0.5 * np.abs(before).mean()


def test_swing_feet_move_as_before(case: Case) -> None:
    assert speed(case.planted, LEFT) == pytest.approx(speed(case.fitted, LEFT), rel=0.15)
    fitted, planted = (one.points[:, [H36M21.index("left_ankle")]] for one in (case.fitted, case.planted))
    assert np.median(np.linalg.norm(planted - fitted, axis=-1)) < 0.03


def test_bone_lengths_and_the_picture_stay(case: Case) -> None:
    np.testing.assert_allclose(lengths(case.planted), lengths(case.fitted), rtol=1e-6)
    before, after = (reprojection_error(case.true.track, one) for one in (case.fitted, case.planted))
    assert after < before + 1.0


def test_contacts_are_marked(case: Case) -> None:
    assert case.planted.contact is not None and case.fitted.contact is None
    expected = np.zeros(case.planted.contact.shape, bool)
    expected[:, [FEET[k] for k in RIGHT]] = True
    np.testing.assert_array_equal(case.planted.contact, expected)


def test_poses_without_feet_stay_as_they_are(case: Case) -> None:
    track, raw = case.true.track.converted(COCO17), case.true.truth.converted(H36M17)
    fitted = fit(track, raw, CAMERA)
    assert plant(track, raw, fitted, CAMERA, case.contacts) is fitted
