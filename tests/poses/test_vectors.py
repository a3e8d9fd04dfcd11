import numpy as np
import pytest

from kinelift.poses.vectors import unit


@pytest.mark.parametrize("shape", [(3,), (5, 3), (2, 5, 3)])
@pytest.mark.parametrize("kind", [np.float32, np.float64])
def test_directions_and_precision_stay(shape: tuple[int, ...], kind: type) -> None:
    vectors = np.random.default_rng(0).normal(size=shape).astype(kind)
    found = unit(vectors)
    assert found.dtype == kind
    np.testing.assert_allclose(found * np.linalg.norm(vectors, axis=-1, keepdims=True), vectors, rtol=1e-6)
    np.testing.assert_allclose(np.linalg.norm(found, axis=-1), 1, rtol=1e-6)


def test_a_vector_without_length_stays_and_an_unknown_one_stays_unknown() -> None:
    zero, unknown = unit(np.array([[0.0, 0, 0], [np.nan, 1, 0]]))
    assert zero.tolist() == [0, 0, 0]
    assert np.isnan(unknown).all()
