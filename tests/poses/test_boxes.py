import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kinelift.poses.boxes import areas, bounding_boxes, intersections, iou

UNIT = np.array([[0.0, 0.0, 2.0, 2.0]])


def boxes(count: int, seed: int) -> np.ndarray:
    corners = np.random.default_rng(seed).uniform(0, 100, (count, 2, 2))
    return np.sort(corners, axis=1).reshape(count, 4)


@pytest.mark.parametrize(("other", "shared", "ratio"), [
    ([0, 0, 2, 2], 4, 1), ([1, 1, 3, 3], 1, 1 / 7), ([0, 0, 2, 1], 2, 0.5), ([2, 0, 4, 2], 0, 0), ([5, 5, 6, 6], 0, 0),
])  # fmt: skip
def test_known_overlaps(other: list[float], shared: float, ratio: float) -> None:
    others = np.array([other], dtype=float)
    assert intersections(UNIT, others).tolist() == [[shared]]
    np.testing.assert_allclose(iou(UNIT, others), [[ratio]])


@settings(deadline=None)
@given(st.integers(0, 10**6))
def test_overlap_is_symmetric_bounded_and_free_of_scale(seed: int) -> None:
    some, others = boxes(4, seed), boxes(3, seed + 1)
    ratio = iou(some, others)
    assert ratio.shape == (4, 3) and ((ratio >= 0) & (ratio <= 1)).all()
    np.testing.assert_allclose(iou(others, some), ratio.T)
    np.testing.assert_allclose(iou(3 * some + 7, 3 * others + 7), ratio, atol=1e-9)
    np.testing.assert_allclose(np.diag(intersections(some, some)), areas(some))


def test_boxes_without_area_and_no_boxes() -> None:
    point = np.array([[1.0, 1.0, 1.0, 1.0]])
    assert iou(point, point).tolist() == [[0.0]]
    assert iou(np.zeros((0, 4)), UNIT).shape == (0, 1)


def test_a_box_around_joints_has_a_margin_and_ignores_unseen_ones() -> None:
    points = np.array([[10.0, 20.0], [30.0, 60.0], [np.nan, np.nan]])
    np.testing.assert_allclose(bounding_boxes(points), [10 - 3, 20 - 5, 30 + 3, 60 + 5])
