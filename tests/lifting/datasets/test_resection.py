from math import pi

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kinelift.lifting.datasets.resection import resect
from kinelift.poses.camera import Camera, Distortion
from kinelift.poses.errors import DataError
from tests.lifting.datasets.recordings import LENS, SIZE, standing, walk

WORLD = walk(100).reshape(-1, 3)


@settings(max_examples=10)
@given(
    focal=st.floats(0.6, 3.0),
    shift=st.tuples(st.floats(-40, 40), st.floats(-40, 40)),
    bend=st.tuples(st.floats(-0.3, 0.0), st.floats(0.0, 0.1), st.floats(-0.005, 0.005), st.floats(-0.005, 0.005)),
    turn=st.floats(0, 2 * pi),
)
def test_recovers_any_camera(
    focal: float, shift: tuple[float, float], bend: tuple[float, float, float, float], turn: float
) -> None:
    camera = Camera((focal * 640, focal * 650), (320 + shift[0], 240 + shift[1]), Distortion(*bend))
    place = standing(turn, distance=2 + 2.5 * focal)
    found = resect(WORLD, camera.project(place.to_camera(WORLD)), SIZE)
    assert found.residual < 0.01
    np.testing.assert_allclose(found.extrinsics.to_camera(WORLD), place.to_camera(WORLD), atol=2e-3)


def test_a_lens_without_distortion_gets_none() -> None:
    place, noise = standing(1.0), np.random.default_rng(0).normal(scale=0.3, size=(len(WORLD), 2))
    camera = Camera((800.0, 800.0), (320.0, 240.0))
    found = resect(WORLD, camera.project(place.to_camera(WORLD)) + noise, SIZE)
    assert found.camera.distortion is None
    assert found.residual == pytest.approx(0.3 * 2**0.5, rel=0.05)
    np.testing.assert_allclose(found.camera.focals, (800, 800), rtol=0.01)


def test_the_lens_model_of_human36m_is_matched() -> None:
    lens = Distortion.human36m((-0.2078, 0.2477, -0.0031), (-0.00098, -0.00142))
    camera, place = Camera((1145.05, 1143.78), (512.54, 515.45), lens), standing(2.0, 5.0)
    found = resect(WORLD, camera.project(place.to_camera(WORLD)), (1000, 1002))
    assert found.residual < 0.05
    np.testing.assert_allclose(found.extrinsics.centre, place.centre, atol=0.02)


def test_unknown_points_are_ignored() -> None:
    place = standing(0.5)
    pixels = LENS.project(place.to_camera(WORLD))
    world, pixels[::3] = WORLD.copy(), np.nan
    world[1::3] = np.nan
    assert resect(world, pixels, SIZE).residual < 0.01


def test_points_that_determine_no_camera_are_refused() -> None:
    place = standing(0.5)
    pixels = LENS.project(place.to_camera(WORLD))
    with pytest.raises(DataError, match="99 points are too few"):
        resect(WORLD[:99], pixels[:99], SIZE)
    flat = WORLD * [1.0, 1.0, 0.0]
    with pytest.raises(DataError, match="plane"):
        resect(flat, LENS.project(place.to_camera(flat)), SIZE)


@pytest.mark.parametrize("spoil", [
    lambda pixels: pixels + np.random.default_rng(0).normal(scale=3.0, size=pixels.shape),
    lambda pixels: np.roll(pixels, 17 * 5, axis=0),
    lambda pixels: pixels * [-1, 1] + [640, 0],
])  # fmt: skip
def test_points_that_are_not_projections_are_refused(spoil: object) -> None:
    pixels = LENS.project(standing(0.5).to_camera(WORLD))
    with pytest.raises(DataError, match="ground truth"):
        resect(WORLD, spoil(pixels), SIZE)  # type: ignore[operator]
