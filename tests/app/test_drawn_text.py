"""Text, colours and shapes on drawn videos."""

from fractions import Fraction

import cv2
import numpy as np
import pytest

from kinelift.app.render import drawing, text
from kinelift.app.render.legend import clock, legend
from kinelift.app.render.style import LEFT, RIGHT, person_colour


@pytest.mark.parametrize("words", ["walk 80 %", "ходить", "走る", "é?"])
def test_many_scripts_are_written_as_they_are(words: str) -> None:
    assert text.legible(words) == words


def test_what_the_fonts_lack_is_escaped() -> None:
    assert text.legible("ह walk\n\x1b") == "\\u0939 walk\\n\\x1b"


def test_letters_stand_where_they_should() -> None:
    image = np.zeros((60, 400, 3), np.uint8)
    text.write(image, "walk", 100, 40, 20)
    rows, columns = np.nonzero(image.any(axis=2))
    assert 98 <= columns.min() <= 104 and columns.max() == pytest.approx(100 + text.width_of("walk", 20), abs=4)
    assert rows.min() >= 20 and rows.max() <= 41


def test_labels_lie_inside_the_image() -> None:
    for anchor in ((-50.0, -50.0), (30.0, 10.0), (500.0, 500.0)):
        image = np.full((80, 120, 3), 90, np.uint8)
        text.label(image, "1  walk", anchor, (255, 0, 0), 14)
        assert (image == (255, 0, 0)).all(axis=2).sum() > 50


def test_no_two_people_share_a_colour() -> None:
    assert len({person_colour(number) for number in range(1, 1001)}) == 1000
    first = np.array([person_colour(number) for number in range(1, 25)], np.float32)[None] / 255
    lab = cv2.cvtColor(first, cv2.COLOR_RGB2LAB)[0]
    apart = np.linalg.norm(lab[:, None] - lab[None], axis=-1)[np.triu_indices(24, 1)]
    assert apart.min() > 20  # CIELAB; 2.3 is just noticeable


def test_a_hull_leaves_out_what_lies_inside() -> None:
    corners = drawing.hull(drawing.fixed(np.array([[0.5, 0.5], [10.5, 0.5], [3.5, 2.5], [0.5, 10.5]])))
    assert sorted(map(tuple, corners.tolist())) == [(0, 0), (0, 160), (160, 0)]


def test_the_clock_counts_hundredths() -> None:
    assert [clock(Fraction(n, 100)) for n in (0, 59_99, 65_05, 3600_00 + 61_20)] == [
        "0:00.00", "0:59.99", "1:05.05", "1:01:01.20",
    ]  # fmt: skip


def test_the_legend_shows_the_sides_and_as_much_more_as_fits() -> None:
    whole, narrow = legend(600, 16.0, guesses=True), legend(90, 16.0, guesses=True)
    for colour in (LEFT, RIGHT):
        assert (whole == colour).all(axis=2).sum() > 20
    assert (narrow == LEFT).all(axis=2).sum() > 20 and not (narrow == RIGHT).all(axis=2).any()
    assert (legend(600, 16.0, guesses=False) != whole).any()
