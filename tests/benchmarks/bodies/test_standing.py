"""Bodies are built as asked: lengths, flexion, stance."""

import numpy as np
import pytest
import torch

from benchmarks.bodies.body_angles import flexion
from benchmarks.bodies.standing import ANKLE, AWAY, HEAD, SPREAD, bodies, stand, stature
from kinelift.lifting.anthropometry import SEGMENT_OF, SEGMENTS, adult, prior
from kinelift.lifting.mocap.joints import FACE_POINTS
from kinelift.lifting.synthesis.bank import MOCAP
from kinelift.poses import H36M17, H36M21
from kinelift.poses.skeleton import FACE

PEOPLE = bodies(3, seed=1)
Y, Z = 1, 2


def at(points: np.ndarray, joint: str) -> np.ndarray:
    """A joint of h36m21 or of the motion capture."""
    return points[MOCAP.index(joint if joint in MOCAP.joints else joint.replace("_toe", "_big_toe"))]


@pytest.mark.parametrize("name", PEOPLE)
@pytest.mark.parametrize(("knee", "elbow"), [(0, 0), (30, 10), (90, 0), (0, 90)])
def test_lengths_and_flexion_are_those_asked(name: str, knee: float, elbow: float) -> None:
    lengths = PEOPLE[name]
    points = stand(lengths, knee, elbow)
    for child, segment in SEGMENT_OF.items():
        parent = H36M21.joints[H36M21.parents[H36M21.index(child)]]
        built = np.linalg.norm(at(points, child) - at(points, parent))
        assert built == pytest.approx(lengths[SEGMENTS.index(segment)], abs=1e-9), child
    np.testing.assert_allclose(flexion(points[: len(H36M17)], "knee"), knee, atol=1e-6)
    np.testing.assert_allclose(flexion(points[: len(H36M17)], "elbow"), elbow, atol=1e-6)


def test_stands_on_the_floor_facing_z() -> None:
    lengths = PEOPLE["woman"]
    straight, bent = stand(lengths), stand(lengths, knee=60, elbow=60)
    tall = stature(lengths)
    assert at(straight, "head")[Y] == pytest.approx(tall)
    for points in (straight, bent):
        assert at(points, "left_ankle")[Y] == pytest.approx(ANKLE * tall)
        assert at(points, "left_ankle")[Z] == pytest.approx(at(points, "left_hip")[Z], abs=1e-9)
        assert at(points, "left_shoulder")[0] > 0 > at(points, "right_shoulder")[0]
        assert at(points, "nose")[Z] > at(points, "left_ear")[Z]
        np.testing.assert_allclose(at(points, "left_wrist"), at(points, "right_wrist") * [-1, 1, 1])
    assert at(bent, "head")[Y] < at(straight, "head")[Y] - 0.05
    assert at(bent, "left_knee")[Z] > 0.1 and at(bent, "left_wrist")[Z] > 0.1
    arm = at(straight, "left_wrist") - at(straight, "left_shoulder")
    assert np.degrees(np.arctan2(arm[0], -arm[Y])) == pytest.approx(AWAY)


def test_face_is_scaled_with_the_head() -> None:
    man = stand(PEOPLE["man"])
    for name, place in zip(FACE, FACE_POINTS, strict=True):
        np.testing.assert_allclose(at(man, name) - at(man, "neck"), place, atol=1e-9)
    child = stand(PEOPLE["child"])
    size = PEOPLE["child"][SEGMENTS.index("head")] / HEAD
    np.testing.assert_allclose(at(child, "nose") - at(child, "neck"), FACE_POINTS[0] * size, atol=1e-9)


def test_people() -> None:
    mean, covariance = prior()
    deviations = {name: (np.log(one) - mean) / np.sqrt(np.diag(covariance)) for name, one in PEOPLE.items()}
    assert stature(PEOPLE["child"]) < 0.8 * stature(PEOPLE["woman"]) < 0.8 * stature(PEOPLE["man"])
    assert stature(PEOPLE["man"]) == pytest.approx(1.755, abs=0.04)
    legs = [SEGMENTS.index("thigh"), SEGMENTS.index("shank")]
    np.testing.assert_allclose(deviations["long legs"][legs], SPREAD)
    np.testing.assert_allclose(deviations["short legs"][legs], -SPREAD)
    drawn = [one for name, one in deviations.items() if name.startswith("drawn")]
    assert len(drawn) == 3 and np.abs(drawn).max() <= SPREAD + 1e-9 and np.std(drawn, axis=0).min() > 0
    np.testing.assert_array_equal(bodies(3, seed=1)["drawn 2"], PEOPLE["drawn 2"])
    assert (bodies(3, seed=2)["drawn 2"] != PEOPLE["drawn 2"]).any()
    np.testing.assert_allclose(PEOPLE["man"], adult("men").to(torch.float64).numpy())
