"""Rotated crops: pixel-exact where nothing is interpolated, and mapped back."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from kinelift.detectors.refining.crop import Crop

PICTURE = np.random.default_rng(0).integers(1, 256, (60, 90, 3), dtype=np.uint8)
crops = st.builds(
    Crop,
    st.tuples(st.floats(-50, 150), st.floats(-50, 150)),
    st.floats(5, 200),
    st.floats(-np.pi, np.pi),
)


def test_an_upright_crop_of_the_same_size_is_a_slice() -> None:
    view = Crop((40.0, 30.0), 20.0).view(PICTURE, 20)
    np.testing.assert_array_equal(view, PICTURE[20:40, 30:50])


def test_a_quarter_turn_is_exact() -> None:
    """The crop's upper side points right in the image: the image's right is the crop's top."""
    view = Crop((40.0, 30.0), 20.0, np.pi / 2).view(PICTURE, 20)
    np.testing.assert_array_equal(view, np.rot90(PICTURE[20:40, 30:50]))


def test_pixels_outside_the_image_are_black() -> None:
    view = Crop((0.0, 30.0), 20.0).view(PICTURE, 20)
    assert (view[:, :10] == 0).all() and (view[:, 10:] > 0).all()
    assert (Crop((-500.0, 30.0), 20.0).view(PICTURE, 20) == 0).all()


def test_undo_maps_a_bright_spot_back_to_its_position() -> None:
    picture = np.zeros((200, 300, 3), np.uint8)
    picture[118:123, 78:83] = 255  # its middle is (80.5, 120.5)
    crop = Crop((95.0, 110.0), 80.0, 0.7)
    weights = crop.view(picture, 256)[..., 0].astype(float)
    y, x = np.indices(weights.shape) + 0.5
    middle = np.array([(x * weights).sum(), (y * weights).sum()]) / weights.sum()
    np.testing.assert_allclose(crop.undo(middle, 256), [80.5, 120.5], atol=0.05)


@given(crops, st.floats(0, 256), st.floats(0, 256))
def test_undo_keeps_proportions(crop: Crop, x: float, y: float) -> None:
    points = np.array([[x, y], [128.0, 128.0]])
    placed = crop.undo(points, 256)
    np.testing.assert_allclose(placed[1], crop.centre, atol=1e-6)
    distances = [np.linalg.norm(p[0] - p[1]) for p in (points, placed)]
    np.testing.assert_allclose(distances[1], distances[0] * crop.side / 256, rtol=1e-6, atol=1e-6)


@given(st.floats(-np.pi, np.pi), st.floats(1, 100), st.floats(1, 2))
def test_around_a_circle(angle: float, radius: float, margin: float) -> None:
    """A point on the circle, above the centre, lies straight above the middle of the crop."""
    centre = np.array([30.0, 40.0])
    top = centre + radius * np.array([np.sin(angle), -np.cos(angle)])
    crop = Crop.around(centre, top, radius, margin)
    placed = crop.undo(np.array([[0.5, 0.5 - 0.5 / margin]]) * 256, 256)
    np.testing.assert_allclose(placed[0], top, atol=1e-6 * radius)
