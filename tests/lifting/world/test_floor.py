"""Levels, sizes and tilt from contacts."""

import numpy as np
import pytest

from kinelift.lifting.world.contacts import Span
from kinelift.lifting.world.floor import Standing, corrected_up, sizes
from tests.lifting.world.test_up import angle, tilted


def test_contacts_are_grouped_into_levels() -> None:
    heights = (-1.52, -0.98, -1.48, -1.5, -1.0)
    frames = (10, 20, 10, 30, 20)
    spans = [Span(0, 50 * k, 50 * k + n, h) for k, (h, n) in enumerate(zip(heights, frames, strict=True))]
    found = Standing.of(spans)
    assert found.levels[0] == found.levels[2] == found.levels[3] == -1.5
    assert found.levels[1] == found.levels[4] and found.levels[1] in (-0.98, -1.0)
    assert found.main == -1.5  # fewer contacts than frames decide
    assert Standing.of([]).main is None


def test_people_on_one_floor_agree_more() -> None:
    factors = sizes([-1.4, -1.6, None, -0.2])
    depths = np.array([1.4, 1.6]) * factors[:2]
    assert abs(np.log(depths[1] / depths[0])) < 0.25 * abs(np.log(1.6 / 1.4))
    assert np.prod(depths) == pytest.approx(1.4 * 1.6)  # the mean stays
    assert factors[2:] == [1.0, 1.0]


def test_people_on_other_floors_keep_their_sizes() -> None:
    factors = sizes([-1.5, -1.52, -4.5])
    assert factors[2] == 1.0 and factors[0] < 1.02
    assert sizes([None, None]) == [1.0, 1.0]
    assert sizes([-1.7]) == pytest.approx([1.0])


def test_a_known_camera_height_fixes_sizes() -> None:
    assert sizes([-1.5, -1.2, None], 3.0) == pytest.approx([2.0, 2.5, 1.0])


def test_the_size_of_one_person_fixes_the_others() -> None:
    assert sizes([-1.5, -1.4, None, -4.5], known=(0, 1.1)) == pytest.approx([1.1, 1.1 * 1.5 / 1.4, 1.1, 1.1])
    assert sizes([-1.5, -1.4, None, -4.5], known=(1, 1.1)) == pytest.approx([1.1 * 1.4 / 1.5, 1.1, 1.1, 1.1])
    assert sizes([-1.5, None], known=(1, 1.1)) == pytest.approx([1.1, 1.1])


@pytest.mark.parametrize("pitch", [0.0, 20.0])
@pytest.mark.parametrize("direction", [(1.0, 0.0), (0.0, 1.0), (-0.7, 0.7)])
def test_two_degrees_of_tilt_are_recovered(pitch: float, direction: tuple[float, float]) -> None:
    """From contacts of two people on two levels."""
    up, random = tilted(pitch), np.random.default_rng(0)
    right, forward = np.array([1.0, 0.0, 0.0]), np.cross([1.0, 0.0, 0.0], up)
    people = np.arange(80) % 2
    places = random.uniform(-3, 3, (80, 1)) * right + random.uniform(-8, -2, (80, 1)) * forward
    places = places - 1.5 * up + 0.4 * people[:, None] * up + random.normal(0, 0.02, (80, 3))
    wrong = up + np.tan(np.radians(2.0)) * (direction[0] * right + direction[1] * forward)
    wrong = wrong / np.linalg.norm(wrong)
    assert angle(wrong, up) > 1.9
    assert angle(corrected_up(places, people, np.ones(80), wrong), up) < 0.5
    assert angle(corrected_up(places, people, np.ones(80), up), up) < 0.3


def test_few_contacts_in_one_place_change_little() -> None:
    up = tilted(10)
    places = np.array([[0.0, 1.4, 5.0], [0.1, 1.5, 5.0], [0.0, 1.45, 5.2]])
    found = corrected_up(places, np.zeros(3, int), np.ones(3), up)
    assert angle(found, up) < 1
    np.testing.assert_array_equal(corrected_up(np.zeros((0, 3)), np.zeros(0, int), np.zeros(0), up), up)
