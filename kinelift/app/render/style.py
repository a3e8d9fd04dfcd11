"""Colours (RGB) and stroke widths, the same in the overlay and in the 3D view."""

from dataclasses import dataclass

RGB = tuple[int, int, int]

LEFT: RGB = (255, 140, 66)
RIGHT: RGB = (64, 170, 255)
MIDDLE: RGB = (240, 240, 235)
OUTLINE: RGB = (20, 22, 28)
SIDE_COLOURS = {"left": LEFT, "right": RIGHT, "middle": MIDDLE}

PERSON_COLOURS: tuple[RGB, ...] = (
    (255, 209, 102), (6, 214, 160), (239, 71, 111), (131, 197, 190), (178, 132, 255), (255, 158, 203),
)  # fmt: skip
"""One for each person, by id."""

BACKGROUND: RGB = (24, 27, 34)
FLOOR: RGB = (58, 64, 78)
SHADOW: RGB = (12, 13, 17)


@dataclass(frozen=True)
class Strokes:
    """Sizes of what is drawn on a panel.

    Args:
        line: Width of a bone in pixels.
        outline: Width of a bone with its outline in pixels.
        joint: Radius of a joint in pixels.
        text: Font scale of OpenCV.
    """

    line: int
    outline: int
    joint: int
    text: float

    @staticmethod
    def of(height: int) -> "Strokes":
        """Strokes in proportion to a panel's height in pixels."""
        line = max(1, round(height / 220))
        return Strokes(line, line + max(2, round(height / 300)), max(1, round(height / 190)), max(0.3, height / 1100))


def person_colour(person: int) -> RGB:
    """The colour of a person by id."""
    return PERSON_COLOURS[(person - 1) % len(PERSON_COLOURS)]


def blend(colour: RGB, other: RGB, share: float) -> RGB:
    """Mix two colours; ``share`` (0–1) is that of ``other``."""
    return tuple(round(c + (o - c) * share) for c, o in zip(colour, other, strict=True))  # type: ignore[return-value]
