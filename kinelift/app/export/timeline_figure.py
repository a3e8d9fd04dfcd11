"""``timeline.png``: one row a person, one bar an action, seconds from left to right.

A bar's colour is as strong as its action is probable; "unknown" is grey, and where somebody is not in the video there
is no bar. The colour of an action depends on its name alone, so it is the same in every figure. A long video is laid
out in several lines, like text.
"""

from collections.abc import Iterator, Sequence
from colorsys import hls_to_rgb
from dataclasses import dataclass, replace
from math import ceil
from pathlib import Path
from zlib import crc32

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from matplotlib.ticker import FuncFormatter, MultipleLocator

from kinelift.app.render.style import accent
from kinelift.poses import Action, Person, Recording
from kinelift.poses.output import replacing
from kinelift.terminal.reporter import visible

_COLOURS = {
    "walk": "#4c8fd9", "run": "#f0c419", "jump": "#f28e2b", "sit": "#9a7fc7", "stand": "#6fb35c", "idle": "#6fb35c",
    "gesture": "#3fb6c6", "wave": "#86d0e8", "kick": "#ab7a5f", "punch": "#e15759", "dance": "#e377c2",
    "climb": "#bdb130", "pick up": "#3fae8a", "unknown": "#9a9a9a",
}  # fmt: skip
_FAINTEST = 0.25
"""Strength of the colour at probability 0."""
_MOST_PEOPLE = 24
"""Rows in a line at most; of more people, those who are seen longest are shown."""
_MOST_ROWS = 40
"""About how many rows a figure may have before its lines cover more time."""
_LINES = (60, 120, 300, 600, 1200, 1800, 3600, 7200, 14400)
"""Seconds that a line may cover."""
_STEPS = (0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600)
"""Seconds that two numbers of an axis may lie apart."""
_MOST_NUMBERS = 12
_DPI = 100
_WIDTH, _LEFT, _RIGHT, _TOP, _ROW, _AXIS, _LEGEND = 12.0, 0.95, 0.3, 0.45, 0.34, 0.42, 0.28
"""Inches: of the figure, its margins, a row, an axis with its numbers, and a row of the legend."""
_PER_LEGEND_ROW = 9
_CHARACTER = 0.075
"""Inches that a letter in a bar takes."""


@dataclass(frozen=True)
class _Line:
    """From ``start`` to ``end`` seconds, with a row for each of ``people``, who are seen in between."""

    start: float
    end: float
    people: tuple[Person, ...]

    @property
    def height(self) -> float:
        return _ROW * max(len(self.people), 1)


def write_timeline_figure(path: Path, recording: Recording) -> None:
    """Draw the actions of everybody into a PNG at ``path``, in one move. Raises ``OutputError``."""
    with replacing(path) as part, part.open("wb") as file:
        FigureCanvasAgg(timeline_figure(recording)).print_png(file)


def timeline_figure(recording: Recording) -> Figure:
    """The timeline as a figure; people whose actions were not classified have an empty frame for a bar."""
    shown = _longest_seen(recording.people)
    lines = _lines(recording, shown)
    labels = list(dict.fromkeys(action.label for person in shown for action in person.actions or ()))
    legend = _LEGEND * ceil(len(labels) / _PER_LEGEND_ROW)
    height = _TOP + sum(line.height + _AXIS for line in lines) + legend
    figure = Figure(figsize=(_WIDTH, height), dpi=_DPI)
    figure.text(0.1 / _WIDTH, 1 - 0.16 / height, _title(recording, shown), va="top", fontsize=11, parse_math=False)
    top = height - _TOP
    numbers = _clock if lines[-1].end > 120 else _seconds
    for line in lines:
        box = (_LEFT / _WIDTH, (top - line.height) / height, _inside() / _WIDTH, line.height / height)
        axes = figure.add_axes(box)
        axes.xaxis.set_major_formatter(FuncFormatter(numbers))
        _draw_line(axes, line)
        top -= line.height + _AXIS
    if labels:
        _draw_legend(figure, labels)
    return figure


def colour_of(label: str) -> str | tuple[float, float, float]:
    """The colour of an action: chosen for the common ones, otherwise a hue that follows from its name."""
    return _COLOURS.get(label) or hls_to_rgb(crc32(label.encode()) / 2**32, 0.45, 0.6)


def _draw_line(axes: Axes, line: _Line) -> None:
    axes.set_xlim(line.start, line.end)
    axes.set_ylim(max(len(line.people), 1) - 0.5, -0.5)
    axes.spines[["top", "left", "right"]].set_visible(False)
    axes.set_yticks([])
    axes.xaxis.set_major_locator(MultipleLocator(_step(line.end - line.start)))
    axes.tick_params(labelsize=8)
    axes.grid(axis="x", color="#dddddd", linewidth=0.6)
    axes.set_axisbelow(True)
    for row, person in enumerate(line.people):
        _draw_person(axes, row, person, line)


def _draw_person(axes: Axes, row: int, person: Person, line: _Line) -> None:
    colour = tuple(part / 255 for part in accent(person.id))
    chip = {"facecolor": colour, "edgecolor": "none", "boxstyle": "round,pad=0.25"}
    name = f"person {person.id}"
    place = axes.get_yaxis_transform()
    axes.text(-0.012, row, name, transform=place, ha="right", va="center", fontsize=8, bbox=chip)
    if person.actions is None:
        start, end = _seen(person)
        axes.broken_barh([(start, end - start)], (row - 0.4, 0.8), facecolors="none", edgecolors="#9a9a9a")
        return
    actions = list(_within(person.actions, line))
    axes.broken_barh(
        [(action.start, action.end - action.start) for action in actions],
        (row - 0.4, 0.8),
        facecolors=[_shade(action) for action in actions],
        edgecolors="white",
        linewidth=0.4,
    )
    for action in actions:
        _name_bar(axes, row, action, line)


def _name_bar(axes: Axes, row: int, action: Action, line: _Line) -> None:
    """The action's name in its bar, with the probability if there is room, or nothing if there is none."""
    room = (action.end - action.start) / (line.end - line.start) * _inside()
    percent = f"{action.label} {100 * action.probability:.0f} %"
    for text in (percent, action.label):
        if len(text) * _CHARACTER <= room:
            middle = (action.start + action.end) / 2
            axes.text(middle, row, text, ha="center", va="center", fontsize=8, clip_on=True, parse_math=False)
            return


def _draw_legend(figure: Figure, labels: Sequence[str]) -> None:
    patches = [Patch(color=colour_of(label), label=label) for label in labels]
    legend = figure.legend(
        handles=patches, loc="lower left", bbox_to_anchor=(_LEFT / _WIDTH - 0.01, 0.0), ncols=_PER_LEGEND_ROW,
        fontsize=8, frameon=False, handlelength=1.2, columnspacing=1.5,
    )  # fmt: skip
    for text in legend.get_texts():
        text.set_parse_math(False)


def _title(recording: Recording, shown: Sequence[Person]) -> str:
    video = visible(recording.video.name)
    text = f"{video}: who does what, from when to when; the paler a bar, the less certain"
    if not shown:
        return f"{video}: nobody was found"
    left_out = len(recording.people) - len(shown)
    return f"{text}; {left_out} more people, seen for less time, are not shown" if left_out else text


def _longest_seen(people: Sequence[Person]) -> tuple[Person, ...]:
    """At most ``_MOST_PEOPLE``, in the order that they had."""
    longest = sorted(people, key=lambda person: len(person.track), reverse=True)[:_MOST_PEOPLE]
    return tuple(person for person in people if person in longest)


def _lines(recording: Recording, people: Sequence[Person]) -> list[_Line]:
    """The video's time in as few lines as a figure of bearable height allows to be read."""
    end = max([float(recording.video.times[-1]) if len(recording.video.times) else 0.0, *(_seen(p)[1] for p in people)])
    end = max(end, 0.1)
    length = next((s for s in _LINES if end / s * max(len(people), 1) <= _MOST_ROWS), _LINES[-1])
    if end <= length:
        return [_Line(0.0, end, tuple(people))]
    bounds = [(float(k * length), float((k + 1) * length)) for k in range(ceil(end / length))]
    return [_Line(a, b, tuple(p for p in people if _seen(p)[0] < b and _seen(p)[1] > a)) for a, b in bounds]


def _seen(person: Person) -> tuple[float, float]:
    """When somebody is in the video: the span of their actions, or of their track."""
    if person.actions:
        return person.actions[0].start, person.actions[-1].end
    return float(person.track.times[0]), float(person.track.times[-1])


def _within(actions: Sequence[Action], line: _Line) -> Iterator[Action]:
    """The parts of ``actions`` that lie on a line."""
    for action in actions:
        start, end = max(action.start, line.start), min(action.end, line.end)
        if start < end:
            yield replace(action, start=start, end=end)


def _shade(action: Action) -> tuple[float, ...]:
    """The action's colour, the less probable the nearer to white."""
    strength = _FAINTEST + (1 - _FAINTEST) * action.probability
    return tuple(1 - strength * (1 - part) for part in to_rgb(colour_of(action.label)))


def _step(seconds: float) -> float:
    return next((step for step in _STEPS if seconds / step <= _MOST_NUMBERS), _STEPS[-1])


def _inside() -> float:
    return _WIDTH - _LEFT - _RIGHT


def _seconds(value: float, _: int | None) -> str:
    return f"{value:g} s"


def _clock(value: float, _: int | None) -> str:
    minutes, seconds = divmod(round(value), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{seconds:02d}" if hours else f"{minutes}:{seconds:02d}"
