"""``angles.png``: the main joint angles over time, a column per person, left and right in one panel."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from kinelift.app.export.angle_series import AngleSeries
from kinelift.app.export.placing import Placed
from kinelift.app.render.style import LEFT, RIGHT
from kinelift.poses import JointState
from kinelift.poses.output import replacing
from kinelift.terminal.reporter import visible

_PANELS = ("hip_flexion", "knee_flexion", "ankle_dorsiflexion", "shoulder_elevation", "elbow_flexion", "trunk_flexion")
_MOST_PEOPLE = 6
_WIDTH, _HEIGHT, _DPI = 5.0, 1.5, 100
"""Inches of a panel."""
_EDGE = 0.6
"""Inches around and between the panels, for titles and numbers."""
_TRUNK = (90, 90, 90)
_FAINT = 0.3


People = Mapping[int, tuple[Placed, Mapping[str, AngleSeries]]]


def write_angles_figure(path: Path, video: str, people: People) -> None:
    """Draw the angles into a PNG, in one move.

    Raises:
        OutputError: The file cannot be written.
    """
    with replacing(path) as part, part.open("wb") as file:
        FigureCanvasAgg(angles_figure(video, people)).print_png(file)


def angles_figure(video: str, people: People) -> Figure:
    """The angles as a figure. Of more than six people, the first six are shown."""
    shown = list(people.items())[:_MOST_PEOPLE]
    width, height = _WIDTH * max(len(shown), 1), _HEIGHT * len(_PANELS) + 2 * _EDGE
    figure = Figure(figsize=(width, height), dpi=_DPI)
    text = f"{visible(video)}: joint angles; thin and faint: guessed; band: expected error"
    figure.suptitle(text, parse_math=False, fontsize=10, y=1 - 0.1 / height, va="top")
    panels = figure.subplots(len(_PANELS), len(shown), squeeze=False, sharex="col")
    figure.subplots_adjust(_EDGE / width, _EDGE / height, 1 - 0.1 / width, 1 - _EDGE / height, _EDGE / _WIDTH, 0.12)
    for column, (number, (person, series)) in enumerate(shown):
        panels[0][column].set_title(f"person {number}", fontsize=9)
        panels[-1][column].set_xlabel("seconds", fontsize=8)
        for row, name in enumerate(_PANELS):
            _draw(panels[row][column], name, person.poses.times, series)
        panels[0][column].legend(fontsize=6, loc="upper right", ncols=2)
    return figure


def _draw(axes: Axes, name: str, times: Float[np.ndarray, " T"], series: Mapping[str, AngleSeries]) -> None:
    axes.set_ylabel(f"{name.replace('_', ' ')} (°)", fontsize=7)
    axes.tick_params(labelsize=7)
    axes.grid(color="#dddddd", linewidth=0.6)
    lines = {"": _TRUNK} if name in series else {"left_": LEFT, "right_": RIGHT}
    for side, rgb in lines.items():
        one, colour = series[f"{side}{name}"], tuple(part / 255 for part in rgb)
        sure = np.ones(len(times), dtype=bool) if one.seen is None else one.seen == JointState.SEEN
        low, high = one.degrees - one.error, one.degrees + one.error
        axes.fill_between(times, low, high, color=colour, alpha=0.12, linewidth=0)
        axes.plot(times, one.degrees, color=colour, linewidth=0.8, alpha=_FAINT)
        axes.plot(
            times, np.where(sure, one.degrees, np.nan), color=colour, linewidth=1.4, label=side.strip("_") or "trunk"
        )
