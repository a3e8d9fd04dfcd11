"""``timeline.png``: one row per person and one bar per action, with time from left to right.

A bar is paler the less probable its action is. "unknown" is a thin grey line, and there is neither while somebody is
not in the video. A strip below shows the second most probable action; below "unknown", the most probable one. The
colour of an action depends on its name alone, so it is the same in every figure. A long video wraps into several
strips, like lines of text.
"""

from collections.abc import Iterator, Sequence
from colorsys import hls_to_rgb
from dataclasses import dataclass, replace
from math import ceil
from pathlib import Path
from zlib import crc32

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import FuncFormatter, MultipleLocator

from kinelift.app.render.style import person_colour
from kinelift.poses import Action, Person, Recording
from kinelift.poses.output import replacing
from kinelift.poses.timeseries import span
from kinelift.recognition.segments import UNKNOWN
from kinelift.terminal.figure_fonts import Fonts, columns
from kinelift.terminal.reporter import visible

_COLOURS = {
    "walk": "#4c8fd9", "run": "#f0c419", "jump": "#f28e2b", "sit": "#9a7fc7", "stand": "#6fb35c", "idle": "#a8c97f",
    "gesture": "#3fb6c6", "wave": "#86d0e8", "kick": "#ab7a5f", "punch": "#e15759", "dance": "#e377c2",
    "climb": "#bdb130", "pick up": "#3fae8a", "unknown": "#9a9a9a",
}  # fmt: skip
_MIN_SATURATION = 0.25
"""Saturation of the colour at probability 0."""
_MAX_PEOPLE = 24
"""Maximum number of rows in a strip; of more people, those with the longest tracks are shown."""
_MAX_ROWS = 40
"""Approximate number of rows in a figure beyond which its strips cover more time."""
_STRIP_SECONDS = (60, 120, 300, 600, 1200, 1800, 3600, 7200, 14400)
"""Durations that a strip may cover (s)."""
_TICK_STEPS = (0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600)
"""Distances between the ticks of an axis (s)."""
_MAX_TICKS = 12
_DPI = 100
_WIDTH, _LEFT, _RIGHT, _TOP, _ROW, _AXIS, _LEGEND = 12.0, 0.95, 0.3, 0.45, 0.34, 0.42, 0.28
"""Inches: the figure's width and margins, and the height of a row, an axis with its ticks, and a legend row."""
_LEGEND_COLUMNS, _LEGEND_ENTRY, _LEGEND_TEXT = 9, 0.45, 50
"""Maximum number of columns of the legend; inches of an entry beside its text; characters of a text."""
_CHARACTER_WIDTH = 0.075
"""Width of a character in a bar (inches)."""
_BAR, _LINE, _STRIP = (-0.4, 0.6), (-0.01, 0.06), (0.26, 0.14)
"""Top, from the middle of the row, and height (rows): a bar, the line of "unknown", and the strip of the runner-up."""
_BRIGHT = 0.45
"""Luminance of a colour above which text on it is black."""


@dataclass(frozen=True)
class _Strip:
    """The part of the timeline from ``start`` to ``end`` (s), with a row for each person in the video then."""

    start: float
    end: float
    people: tuple[Person, ...]

    @property
    def height(self) -> float:
        return _ROW * max(len(self.people), 1)


def write_timeline_figure(path: Path, recording: Recording) -> None:
    """Draw everybody's actions into a PNG, in one move.

    Raises:
        OutputError: The file cannot be written.
    """
    with replacing(path) as part, part.open("wb") as file:
        FigureCanvasAgg(timeline_figure(recording)).print_png(file)


def timeline_figure(recording: Recording) -> Figure:
    """The timeline as a figure. People whose actions were not classified have an empty outline instead of bars."""
    shown = _longest_tracked(recording.people)
    strips = _strips(recording, shown)
    labels = _labels(shown)
    fonts = Fonts.of([recording.video.name, *labels])
    legend = _LEGEND * ceil(len(labels) / _legend_columns(labels))
    height = _TOP + sum(strip.height + _AXIS for strip in strips) + legend
    figure = Figure(figsize=(_WIDTH, height), dpi=_DPI)
    figure.text(
        0.1 / _WIDTH, 1 - 0.16 / height, _title(recording, shown, fonts), va="top", fontsize=11, parse_math=False,
        fontfamily=fonts.families,
    )  # fmt: skip
    top = height - _TOP
    tick_format = _format_clock if strips[-1].end > 120 else _format_seconds
    for strip in strips:
        box = (_LEFT / _WIDTH, (top - strip.height) / height, _plot_width() / _WIDTH, strip.height / height)
        axes = figure.add_axes(box)
        axes.xaxis.set_major_formatter(FuncFormatter(tick_format))
        _draw_strip(axes, strip, fonts)
        top -= strip.height + _AXIS
    if labels:
        _draw_legend(figure, labels, fonts)
    return figure


def colour_of(label: str) -> str | tuple[float, float, float]:
    """The colour of an action: a fixed one for common actions, otherwise a hue derived from the name."""
    return _COLOURS.get(label) or hls_to_rgb(crc32(label.encode()) / 2**32, 0.45, 0.6)


def runner_up(action: Action) -> tuple[str, float] | None:
    """The second most probable label of an action, or the most probable one of "unknown", with its probability."""
    return next(((label, probability) for label, probability in action.top if label != action.label), None)


def _draw_strip(axes: Axes, strip: _Strip, fonts: Fonts) -> None:
    axes.set_xlim(strip.start, strip.end)
    axes.set_ylim(max(len(strip.people), 1) - 0.5, -0.5)
    axes.spines[["top", "left", "right"]].set_visible(False)
    axes.set_yticks([])
    axes.xaxis.set_major_locator(MultipleLocator(_tick_step(strip.end - strip.start)))
    axes.tick_params(labelsize=8)
    axes.grid(axis="x", color="#dddddd", linewidth=0.6)
    axes.set_axisbelow(True)
    for row, person in enumerate(strip.people):
        _draw_person(axes, row, person, strip, fonts)


def _draw_person(axes: Axes, row: int, person: Person, strip: _Strip, fonts: Fonts) -> None:
    colour = tuple(part / 255 for part in person_colour(person.id))
    text_colour = "black" if np.dot(colour, (0.3, 0.59, 0.11)) > _BRIGHT else "white"
    box = {"facecolor": colour, "edgecolor": "none", "boxstyle": "round,pad=0.25"}
    name = f"person {person.id}"
    transform = axes.get_yaxis_transform()
    axes.text(-0.012, row, name, transform=transform, ha="right", va="center", fontsize=8, color=text_colour, bbox=box)
    if person.actions is None:
        start, end = span(person.track.times)
        axes.broken_barh([(start, end - start)], (row - 0.4, 0.8), facecolors="none", edgecolors="#9a9a9a")
        return
    actions = list(_clipped(person.actions, strip))
    named = [(action, action.label, action.probability) for action in actions if action.label != UNKNOWN]
    unknown = [(action, UNKNOWN, 1.0) for action in actions if action.label == UNKNOWN]
    seconds = [(action, *second) for action in actions if (second := runner_up(action)) is not None]
    for parts, (top, height) in ((named, _BAR), (unknown, _LINE), (seconds, _STRIP)):
        if parts:
            _draw_parts(axes, parts, row + top, height)
    for action in actions:
        _label_bar(axes, row, action, strip, fonts)


def _draw_parts(axes: Axes, parts: Sequence[tuple[Action, str, float]], top: float, height: float) -> None:
    """Draw a bar during each of some actions, in the colour of a label and its probability."""
    axes.broken_barh(
        [(action.start, action.end - action.start) for action, _, _ in parts],
        (top, height),
        facecolors=[_bar_colour(label, probability) for _, label, probability in parts],
        edgecolors="white",
        linewidth=0.4,
    )


def _label_bar(axes: Axes, row: int, action: Action, strip: _Strip, fonts: Fonts) -> None:
    """Write what an action is in its bar, as much as fits, or nothing if its name does not fit."""
    room = (action.end - action.start) / (strip.end - strip.start) * _plot_width()
    for text in map(fonts.legible, _descriptions(action)):
        if columns(text) * _CHARACTER_WIDTH <= room:
            axes.text(
                (action.start + action.end) / 2, row + _BAR[0] + _BAR[1] / 2, text, ha="center",
                va="bottom" if action.label == UNKNOWN else "center", fontsize=8, clip_on=True, parse_math=False,
                fontfamily=fonts.families,
            )  # fmt: skip
            return


def _descriptions(action: Action) -> tuple[str, ...]:
    """What to write about an action, from the longest to the shortest."""
    second = runner_up(action)
    if action.label == UNKNOWN:
        return () if second is None else (f"perhaps {second[0]} {100 * second[1]:.0f} %", f"{second[0]}?")
    percent = f"{action.label} {100 * action.probability:.0f} %"
    return (*(() if second is None else (f"{percent}, or {second[0]} {100 * second[1]:.0f} %",)), percent, action.label)


def _labels(people: Sequence[Person]) -> list[str]:
    """The labels of the actions and of their runners-up, in the order in which they appear."""
    actions = [action for person in people for action in person.actions or ()]
    seconds = [second[0] for action in actions if (second := runner_up(action)) is not None]
    return list(dict.fromkeys([*(action.label for action in actions), *seconds]))


def _draw_legend(figure: Figure, labels: Sequence[str], fonts: Fonts) -> None:
    handles: list[Patch | Line2D] = [
        Line2D([], [], color=colour_of(label), label=label, linewidth=2)
        if label == UNKNOWN
        else Patch(color=colour_of(label), label=fonts.legible(_fitting(label)))
        for label in labels
    ]
    legend = figure.legend(
        handles=handles, loc="lower left", bbox_to_anchor=(_LEFT / _WIDTH - 0.01, 0.0), ncols=_legend_columns(labels),
        prop={"size": 8, "family": list(fonts.families)}, frameon=False, handlelength=1.2, columnspacing=1.5,
    )  # fmt: skip
    for text in legend.get_texts():
        text.set_parse_math(False)


def _legend_columns(labels: Sequence[str]) -> int:
    """The number of columns of the legend in which the widest of these labels fits."""
    widest = max((columns(_fitting(label)) for label in labels), default=0)
    return min(max(int(_plot_width() / (_LEGEND_ENTRY + widest * _CHARACTER_WIDTH)), 1), _LEGEND_COLUMNS)


def _fitting(label: str) -> str:
    """A label, or the beginning of a very long one."""
    return label if len(label) <= _LEGEND_TEXT else f"{label[: _LEGEND_TEXT - 1]}…"


def _title(recording: Recording, shown: Sequence[Person], fonts: Fonts) -> str:
    video = fonts.legible(visible(recording.video.name))
    text = f"{video}: actions over time, below them the second most probable; paler is less certain"
    if not shown:
        return f"{video}: nobody was found"
    left_out = len(recording.people) - len(shown)
    return f"{text}; {left_out} more people with shorter tracks are not shown" if left_out else text


def _longest_tracked(people: Sequence[Person]) -> tuple[Person, ...]:
    """The ``_MAX_PEOPLE`` people with the longest tracks, in their original order."""
    longest = sorted(people, key=lambda person: len(person.track), reverse=True)[:_MAX_PEOPLE]
    return tuple(person for person in people if person in longest)


def _strips(recording: Recording, people: Sequence[Person]) -> list[_Strip]:
    """Divide the video's time into strips, as few as keep the figure readable."""
    ends = [span(person.track.times)[1] for person in people]
    end = max([0.1, *recording.video.times[-1:].tolist(), *ends])
    length = next((s for s in _STRIP_SECONDS if end / s * max(len(people), 1) <= _MAX_ROWS), _STRIP_SECONDS[-1])
    if end <= length:
        return [_Strip(0.0, end, tuple(people))]
    bounds = [(float(k * length), float((k + 1) * length)) for k in range(ceil(end / length))]
    spans = [(person, *span(person.track.times)) for person in people]
    return [_Strip(a, b, tuple(who for who, start, end in spans if start < b and end > a)) for a, b in bounds]


def _clipped(actions: Sequence[Action], strip: _Strip) -> Iterator[Action]:
    """The parts of actions that lie in a strip."""
    for action in actions:
        start, end = max(action.start, strip.start), min(action.end, strip.end)
        if start < end:
            yield replace(action, start=start, end=end)


def _bar_colour(label: str, probability: float) -> tuple[float, ...]:
    """The action's colour, closer to white the less probable it is."""
    saturation = _MIN_SATURATION + (1 - _MIN_SATURATION) * probability
    return tuple(1 - saturation * (1 - part) for part in to_rgb(colour_of(label)))


def _tick_step(seconds: float) -> float:
    return next((step for step in _TICK_STEPS if seconds / step <= _MAX_TICKS), _TICK_STEPS[-1])


def _plot_width() -> float:
    return _WIDTH - _LEFT - _RIGHT


def _format_seconds(value: float, _: int | None) -> str:
    return f"{value:g} s"


def _format_clock(value: float, _: int | None) -> str:
    minutes, seconds = divmod(round(value), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{seconds:02d}" if hours else f"{minutes}:{seconds:02d}"
