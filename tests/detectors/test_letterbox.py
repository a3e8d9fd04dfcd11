import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kinelift.detectors.letterbox import Letterbox

SIDES = st.integers(1, 4000)


@given(SIDES, SIDES, st.integers(1, 40).map(lambda n: 32 * n))
def test_sizes(width: int, height: int, long_side: int) -> None:
    box = Letterbox.fit(width, height, long_side)
    assert max(box.content) == long_side
    assert all(p % 32 == 0 and c <= p < c + 32 for c, p in zip(box.content, box.padded, strict=True))


@given(SIDES, SIDES)
def test_undo_maps_the_corners_of_the_content_to_those_of_the_image(width: int, height: int) -> None:
    box = Letterbox.fit(width, height, 512)
    corners = np.array([[0, 0], box.content], dtype=float)
    np.testing.assert_allclose(box.undo(corners), [[0, 0], [width, height]])


@pytest.mark.parametrize("size", [(640, 480), (480, 853), (160, 90), (33, 500)])
def test_undo_maps_a_spot_back_to_its_position(size: tuple[int, int]) -> None:
    width, height = size
    image = np.zeros((height, width, 3), np.uint8)
    x, y, radius = width * 0.6, height * 0.3, max(2, min(size) // 12)
    image[int(y) - radius : int(y) + radius, int(x) - radius : int(x) + radius] = 255
    centre = np.array([int(x), int(y)], dtype=float)
    box = Letterbox.fit(width, height, 256)
    seen = box.apply(image)[..., 0].astype(float)
    assert seen.shape == (box.padded[1], box.padded[0])
    rows, columns = np.indices(seen.shape) + 0.5
    found = np.array([(columns * seen).sum(), (rows * seen).sum()]) / seen.sum()
    np.testing.assert_allclose(box.undo(found), centre, atol=0.05 * width / box.content[0] + 0.01)


def test_padding_is_black_and_right_and_below() -> None:
    out = Letterbox.fit(100, 50, 64).apply(np.full((50, 100, 3), 200, np.uint8))
    assert out.shape == (32, 64, 3) and (out == 200).all()
    out = Letterbox.fit(100, 70, 64).apply(np.full((70, 100, 3), 200, np.uint8))
    assert out.shape == (64, 64, 3)
    assert (out[:45] == 200).all() and (out[45:] == 0).all()


@pytest.mark.parametrize("times", [1, 2, 4, 8])
def test_halving_alone_gives_the_means_of_the_pixels(times: int) -> None:
    image = np.random.default_rng(times).integers(0, 256, (24 * times, 32 * times, 3), np.uint8)
    means = image.reshape(24, times, 32, times, 3).mean(axis=(1, 3))
    seen = Letterbox.fit(32 * times, 24 * times, 32, multiple=8).apply(image)
    assert np.abs(seen - means).max() <= 2.0  # each of up to three halvings rounds by up to half a level
    assert abs((seen - means).mean()) < 0.5


@given(width=st.integers(130, 1200), height=st.integers(130, 1200), long_side=st.sampled_from([64, 96, 128]))
def test_other_sizes_give_the_means_of_smooth_pictures(width: int, height: int, long_side: int) -> None:
    box = Letterbox.fit(width, height, long_side)
    x, y = (np.arange(n) * 2 * np.pi / n for n in (width, height))
    image = (127 + 60 * np.sin(2 * x) + 60 * np.cos(y)[:, None])[..., None].repeat(3, -1).round().astype(np.uint8)
    at_once = cv2.resize(image.astype(np.float32), box.content, interpolation=cv2.INTER_AREA)
    seen = box.apply(image)[: box.content[1], : box.content[0]]
    assert np.abs(seen - at_once).mean() < 1 and abs((seen - at_once).mean()) < 0.5


@given(SIDES, SIDES, SIDES, SIDES)
def test_a_given_input_is_filled_along_one_side(width: int, height: int, wide: int, high: int) -> None:
    box = Letterbox.within(width, height, (wide, high))
    assert box.padded == (wide, high)
    assert box.content[0] == wide or box.content[1] == high
    assert box.content[0] <= wide and box.content[1] <= high
    shown = Letterbox((100, 70), (64, 45), (64, 64)).apply(np.zeros((70, 100, 3), np.uint8), fill=128)
    assert (shown[:45] == 0).all() and (shown[45:] == 128).all()
