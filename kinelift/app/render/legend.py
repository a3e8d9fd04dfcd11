"""What stands on the 3D view beside people: the time, and what the colours mean."""

from fractions import Fraction

import numpy as np

from kinelift.app.render import drawing, text
from kinelift.app.render.floor import SPACING
from kinelift.app.render.style import BACKGROUND, FLOOR, LEFT, OUTLINE, RGB, RIGHT, TEXT, blend

_DIM: RGB = blend(TEXT, BACKGROUND, 0.25)


def legend(width: int, height: float, guesses: bool) -> drawing.Image:
    """A strip that explains the colours. Entries that do not fit are left out.

    Args:
        width: Width in pixels.
        height: Font size in pixels.
        guesses: Whether the view has guesses.
    """
    strip = np.empty((round(1.8 * height), width, 3), dtype=np.uint8)
    strip[:] = OUTLINE
    entries = [("left", LEFT, False), ("right", RIGHT, False), ("guess", _DIM, True)]
    named = [entry for entry in entries if guesses or not entry[2]]
    named.append((f"grid {SPACING:g} m", FLOOR, False))
    x, middle = 0.8 * height, strip.shape[0] / 2
    for words, colour, dashed in named:
        end = x + 1.9 * height + text.width_of(words, height)
        if end > width:
            break
        draw = drawing.dashed_line if dashed else drawing.line
        start, stop = drawing.fixed(np.array([[x, middle], [x + 1.4 * height, middle]]))
        draw(strip, start, stop, colour, max(1, round(height / (9 if dashed else 5))))
        text.write(strip, words, x + 1.9 * height, middle + 0.35 * height, height, _DIM)
        x = end + height
    return strip


def clock(time: Fraction) -> str:
    """A time in the video, as minutes, seconds and hundredths, with hours if there are any."""
    hundredths = int(time * 100)
    minutes, rest = divmod(hundredths, 6000)
    hours, minutes = divmod(minutes, 60)
    start = f"{hours}:{minutes:02d}" if hours else f"{minutes}"
    return f"{start}:{rest // 100:02d}.{rest % 100:02d}"
