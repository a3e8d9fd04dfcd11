import numpy as np

from kinelift.lifting.inference.windows import cut


def test_windows_interpolate_between_seen_frames_only() -> None:
    points = np.zeros((4, 1, 2))
    points[:, 0, 0] = [0, 10, 20, 30]
    points[2] = np.nan
    times = np.array([0.0, 1.0, 2.0, 3.0])
    value, seen = cut(points, times, np.array([0.5, 1.5, 2.0]), np.array([-9.0, 0.0, 0.75, 9.0]))
    assert seen[:, :, 0].tolist() == [[True] * 4, [True, True, False, True], [True, False, True, True]]
    np.testing.assert_allclose(value[0, :, 0, 0], [0, 5, 10, 30])
    np.testing.assert_allclose(value[1, :, 0, 0], [0, 10, 0, 30])
