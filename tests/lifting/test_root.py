import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from kinelift.lifting.root import SHARED_JOINTS, estimate_root
from kinelift.poses import COCO17, H36M17, skeleton


@given(st.integers(0, 2**31))
@settings(max_examples=30)
def test_root_of_an_exact_projection_is_recovered(seed: int) -> None:
    random = np.random.default_rng(seed)
    points = np.broadcast_to(random.normal(0, 0.4, (1, 17, 3)), (40, 17, 3))
    root = np.array([0.5, -0.2, 4.0]) + np.linspace(0, 1, 40)[:, None] * [0.5, 0.0, 0.0]
    body = points + root[:, None]
    plane = body[..., :2] / body[..., 2:]
    plane[:, [j for j in range(17) if j not in SHARED_JOINTS]] = np.nan
    plane[10:14, SHARED_JOINTS[:-1]] = np.nan
    np.testing.assert_allclose(estimate_root(points, plane, np.arange(40) / 30), root, atol=1e-4)


def test_root_without_keypoints_is_nan() -> None:
    plane = np.full((5, 17, 2), np.nan)
    assert np.isnan(estimate_root(np.zeros((5, 17, 3)), plane, np.arange(5) / 30)).all()


def test_shared_joints_are_the_limbs_and_trunk() -> None:
    assert {H36M17.joints[j] for j in SHARED_JOINTS} == set(COCO17.joints) & set(skeleton("h36m17").joints)
    assert len(SHARED_JOINTS) == 12
