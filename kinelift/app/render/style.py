"""Colours (RGB) and stroke widths, the same in the overlay and in the 3D view."""

from colorsys import hls_to_rgb
from dataclasses import dataclass
from functools import lru_cache

RGB = tuple[int, int, int]

LEFT: RGB = (255, 140, 66)
RIGHT: RGB = (64, 170, 255)
MIDDLE: RGB = (240, 240, 235)
OUTLINE: RGB = (20, 22, 28)
TEXT: RGB = (255, 255, 255)
SIDE_COLOURS = {"left": LEFT, "right": RIGHT, "middle": MIDDLE}

PERSON_COLOURS: tuple[RGB, ...] = (
    (255, 226, 140), (6, 214, 160), (239, 71, 111), (178, 132, 255), (221, 198, 212), (133, 224, 41),
    (120, 134, 80), (27, 167, 187), (224, 41, 178), (209, 244, 175), (163, 102, 156), (207, 134, 110),
    (54, 161, 54), (224, 64, 41), (175, 244, 244), (224, 224, 41), (175, 175, 244), (187, 127, 27),
    (201, 41, 224), (41, 110, 224), (161, 161, 54), (102, 125, 163), (219, 193, 148), (143, 237, 130),
)  # fmt: skip
"""Those of the first people, by id. Each was chosen far in CIELAB from those before it and from the sides'."""
_GOLDEN = 0.618034
"""Share of the colour circle between the hues of two further people: no number of steps comes back to a hue."""
_LIGHTNESS, _SATURATION = (0.75, 0.6, 0.45), (0.8, 0.5)

BACKGROUND: RGB = (24, 27, 34)
FLOOR: RGB = (112, 124, 148)
SHADOW: RGB = (10, 11, 15)


@dataclass(frozen=True)
class Strokes:
    """Sizes in pixels of what is drawn on a panel.

    Args:
        line: Width of a bone.
        outline: Width of a bone with its outline.
        joint: Radius of a joint.
        text: Font size.
    """

    line: int
    outline: int
    joint: int
    text: float

    @staticmethod
    def of(height: int) -> "Strokes":
        """Strokes in proportion to a panel's height in pixels."""
        line = max(1, round(height / 220))
        return Strokes(line, line + max(2, round(height / 300)), max(1, round(height / 190)), max(11.0, height / 40))


@lru_cache(maxsize=1024)
def person_colour(person: int) -> RGB:
    """The colour of a person by id. No two people of a video have the same."""
    extra = person - 1 - len(PERSON_COLOURS)
    if extra < 0:
        return PERSON_COLOURS[person - 1]
    lightness, saturation = _LIGHTNESS[extra % len(_LIGHTNESS)], _SATURATION[extra % len(_SATURATION)]
    red, green, blue = hls_to_rgb(extra * _GOLDEN % 1, lightness, saturation)
    return round(255 * red), round(255 * green), round(255 * blue)


@lru_cache(maxsize=4096)
def blend(colour: RGB, other: RGB, share: float) -> RGB:
    """Mix two colours; ``share`` (0–1) is that of ``other``."""
    return tuple(round(c + (o - c) * share) for c, o in zip(colour, other, strict=True))  # type: ignore[return-value]
