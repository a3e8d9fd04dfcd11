"""The sizes of drawn videos: the source's, unless a 3D view needs more room or players could not show it."""

from dataclasses import dataclass

from kinelift.app.settings import LARGEST_SIDE, Drawing
from kinelift.poses.errors import SettingsError

PLAYABLE = 4096
"""Width and height in pixels that most players show (H.264 level 5.1). Larger videos are made only on request."""
READABLE = 480
"""Least height of a 3D view in pixels. Smaller sources are enlarged to it."""
ENLARGED = 1280
"""Width in pixels beyond which no source is enlarged."""
GAP = 4
"""Pixels between two panels."""
Size = tuple[int, int]


@dataclass(frozen=True)
class Sizes:
    """The size of each part of a drawn video, as (width, height) in even pixels.

    Attributes:
        whole: The video.
        picture: The source's picture; None if it is not shown.
        view: The 3D view; None if it is not shown.
        note: Why the video is smaller than the source asks for; None if it is not.
    """

    whole: Size
    picture: Size | None
    view: Size | None
    note: str | None = None


def sizes(source: Size, drawing: Drawing) -> Sizes:
    """The sizes for a source of this width and height in pixels.

    Raises:
        SettingsError: The video would be larger than the encoder allows.
    """
    if drawing.size is not None:
        asked = _scaled(source, drawing, drawing.size / max(source))
        if max(asked.whole) > LARGEST_SIDE:
            raise SettingsError(
                f"With --size {drawing.size} the video would be {_text(asked.whole)}; no side may be longer than "
                f"{LARGEST_SIDE}. Give a smaller --size."
            )
        return asked
    full = _scaled(source, drawing, 1.0 if drawing.layout == "overlay" else _enlargement(source))
    if max(full.whole) <= PLAYABLE:
        return full
    between = GAP if drawing.layout == "side-by-side" else 0
    reduced = _scaled(source, drawing, (PLAYABLE - 1.5 * between) / (max(full.whole) - between))
    note = (
        f"The drawn video is {_text(reduced.whole)}, because many players do not show {_text(full.whole)}. "
        f"--size {max(source)} draws it in full."
    )
    return Sizes(reduced.whole, reduced.picture, reduced.view, note)


def _enlargement(source: Size) -> float:
    """The factor that makes a small source readable; 1 for others."""
    return max(1.0, min(READABLE / source[1], ENLARGED / source[0]))


def _scaled(source: Size, drawing: Drawing, scale: float) -> Sizes:
    picture = _even(source[0] * scale), _even(source[1] * scale)
    if drawing.layout == "overlay":
        return Sizes(picture, picture, None)
    if drawing.layout == "3d":
        return Sizes(picture, None, picture)
    view = min(picture), picture[1]
    return Sizes((picture[0] + GAP + view[0], picture[1]), picture, view)


def _even(pixels: float) -> int:
    """Round to an even number, as H.264 in 4:2:0 requires."""
    return max(2, 2 * round(pixels / 2))


def _text(size: Size) -> str:
    return f"{size[0]} × {size[1]} pixels"
