"""Candidates for parts: the maxima of heat maps, at sub-cell precision."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

_ROWS, _COLUMNS = (axis.ravel() - 1 for axis in np.indices((3, 3)))
_CENTRE = 4


@dataclass(frozen=True, eq=False)
class Peaks:
    """Maxima of heat maps.

    Args:
        part: The map of each, ascending.
        places: (x, y) in cells; the first cell's centre is at 0.5.
        scores: Their height, 0-1.
    """

    part: Int[np.ndarray, " K"]
    places: Float[np.ndarray, "K 2"]
    scores: Float[np.ndarray, " K"]

    def __len__(self) -> int:
        return len(self.part)


def find_peaks(heat: Float[np.ndarray, "P h w"], threshold: float) -> Peaks:
    """Find cells that are above ``threshold`` and higher than their eight neighbours, by non-maximum suppression.

    Of equal neighbours the first counts. Position and height are refined by a parabola, along each axis, through the
    logarithms of three cells: exact for a Gaussian, which networks are trained to output.
    """
    part, row, column = np.nonzero(heat > threshold)
    padded = np.pad(heat, ((0, 0), (1, 1), (1, 1)), constant_values=-np.inf)
    around = padded[part[:, None], row[:, None] + 1 + _ROWS, column[:, None] + 1 + _COLUMNS]
    before, centre, after = around[:, :_CENTRE], around[:, _CENTRE, None], around[:, _CENTRE + 1 :]
    top = (centre > before).all(axis=1) & (centre >= after).all(axis=1)
    part, row, column = part[top], row[top], column[top]
    floor = 0.1 * threshold + 1e-6
    x, rise_x = _vertex(np.log(np.maximum(heat[part, row], floor)), column)
    y, rise_y = _vertex(np.log(np.maximum(heat[part, :, column], floor)), row)
    height = heat[part, row, column] * np.exp(rise_x + rise_y)
    return Peaks(part, np.stack([x, y], axis=-1) + 0.5, height.clip(0, 1).astype(np.float64))


def _vertex(
    lines: Float[np.ndarray, "K n"], at: Int[np.ndarray, " K"]
) -> tuple[Float[np.ndarray, " K"], Float[np.ndarray, " K"]]:
    """The vertex of the parabola around ``at``, at most half a cell away, and how much higher it is there.

    At the ends of a line it goes through the last three cells. Lines of fewer than three cells stay as they are.
    """
    if lines.shape[1] < 3:
        return at.astype(np.float64), np.zeros(len(at))
    middle = at.clip(1, lines.shape[1] - 2)
    one, two, three = (np.take_along_axis(lines, (middle + k)[:, None], 1)[:, 0].astype(np.float64) for k in (-1, 0, 1))
    slope, bend = (three - one) / 2, one - 2 * two + three
    here = (at - middle).astype(np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        top = np.where(bend < 0, (-slope / bend).clip(here - 0.5, here + 0.5), here)
    return middle + top, slope * (top - here) + bend / 2 * (top**2 - here**2)
