"""Feet on the floor: planted ones stay, the others move as before."""

from dataclasses import dataclass, replace

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
    weight, height = np.zeros((len(TIMES), 4)), np.full((len(TIMES), 4), np.nan)
    weight[:, RIGHT] = 1.0
    height[:, RIGHT] = np.median(feet(fitted)[:, RIGHT] @ np.array(UP), axis=0)
    contacts = Contacts(weight, height, np.array(UP), *np.zeros((2, len(TIMES)), bool))
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


def test_no_foot_goes_through_the_floor(case: Case) -> None:
    """The left foot swings; a floor 5 cm over its lowest place raises it, and hardly moves it elsewhere."""
    contacts, lifted = case.contacts, feet(case.planted)[:, LEFT] @ np.array(UP)
    floor = np.where(np.isin(range(4), LEFT), lifted.min() + 0.05, contacts.height)
    raw = prediction(case.true, 0.04)
    solid = plant(case.true.track, raw, case.fitted, CAMERA, replace(contacts, height=floor))
    rise = feet(solid)[:, LEFT] @ np.array(UP) - floor[:, LEFT]
    assert rise.min() > -0.02 and (lifted - floor[:, LEFT]).min() < -0.045
    high = (lifted - floor[:, LEFT]).min(1) > 0.05
    assert high.any() and np.median(np.abs(feet(solid) - feet(case.planted))[high][:, LEFT]) < 0.01


def test_somebody_who_stands_does_not_drift_in_depth(case: Case) -> None:
    """The lifter's error is a slow lean."""
    true = scene(np.tile(standing(knee=5.0), (len(TIMES), 1, 1)), TIMES)
    lean = np.radians(8) * np.sin(2 * TIMES)[:, None]
    raw = replace(true.truth, points=true.truth.points + lean[..., None] * true.truth.points[..., [1]] * [0, 0, 1])
    track = noisy(true.track, 2.0)
    fitted = fit(track, raw, CAMERA)
    height = np.tile(np.median(feet(fitted) @ np.array(UP), axis=0), (len(TIMES), 1))
    loose = Contacts(np.ones((len(TIMES), 4)), height, np.array(UP), *np.zeros((2, len(TIMES)), bool))
    firm = replace(loose, stands=np.ones(len(TIMES), bool))
    before, after = (plant(track, raw, fitted, CAMERA, one).root for one in (loose, firm))
    assert before is not None and after is not None
    assert np.ptp(after[:, 2]) < 0.03 and np.ptp(after[:, 2]) < 0.5 * np.ptp(before[:, 2])


def test_a_body_in_the_air_falls_by_gravity() -> None:
    """Keypoints of a jump whose middle was not seen."""
    times = np.arange(40) / 30
    air = (times - times[10]).clip(0, 0.5)
    rise = 2.45 * air - 9.81 / 2 * air**2
    root = np.array([0.1, 0.1, 4.0]) + rise[:, None] * np.array(UP)
    true = scene(np.tile(standing(knee=30.0), (len(times), 1, 1)), times, root)
    hidden = noisy(true.track, 4.0)
    hidden.filled[14:22] = True
    hidden.points[14:22] += [0.0, 30.0]  # interpolated too low
    raw = prediction(true, 0.04)
    fitted, flight = fit(hidden, raw, CAMERA), np.zeros(len(times), bool)
    flight[12:24] = True
    weight = np.where((times < times[11]) | (times > times[24]), 1.0, 0.0)[:, None] * np.ones(4)
    height = np.tile(np.median(feet(fitted)[:10] @ np.array(UP), axis=0), (len(times), 1))
    contacts = Contacts(weight, height, np.array(UP), flight, np.zeros(len(times), bool))
    found = [plant(hidden, raw, fitted, CAMERA, replace(contacts, flight=one)).root for one in (flight & False, flight)]
    curves = [np.polyfit(times[12:24], one[12:24] @ np.array(UP), 2) for one in found if one is not None]
    without, gravity = (float(-2 * curve[0]) for curve in curves)
    assert without < 5.0 and 7.5 < gravity < 11.0
