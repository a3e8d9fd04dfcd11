from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import rgb_to_hsv, to_rgb

from kinelift.app.export.timeline_figure import colour_of, runner_up, timeline_figure, write_timeline_figure
from kinelift.poses import Action, Person, Recording, Track2D, VideoFacts
from kinelift.poses.errors import OutputError
from kinelift.terminal.figure_fonts import USUAL, Fonts

TOTAL_ROWS = 60
"""Rows that no figure should have more of."""


def person(number: int, *actions: Action, seen: tuple[float, float] = (0.0, 3.0)) -> Person:
    times = np.linspace(*seen, 30)
    track = Track2D(np.zeros((30, 17, 2)), np.ones((30, 17)), times, np.zeros((30, 17), bool), 0, (64, 48))
    return Person(number, track, None, actions)


def recording(*people: Person, seconds: float = 3.0) -> Recording:
    return Recording(VideoFacts("dance $1 and $2", 64, 48, np.linspace(0, seconds, 50)), people)


def drawn(path: Path, found: Recording) -> np.ndarray:
    write_timeline_figure(path, found)
    picture = cv2.imread(str(path))
    assert picture is not None
    return picture[..., ::-1]


def shows(picture: np.ndarray, colour: tuple[float, ...]) -> bool:
    return bool((np.abs(picture / 255.0 - colour).max(axis=2) < 0.01).sum() > 100)


def test_bars_have_the_colour_of_their_action_and_fade_with_its_probability(tmp_path: Path) -> None:
    sure = drawn(tmp_path / "sure.png", recording(person(1, Action(0, 1, "walk", 1.0), Action(1, 3, "unknown", 1.0))))
    assert shows(sure, to_rgb(colour_of("walk"))) and shows(sure, to_rgb(colour_of("unknown")))
    doubtful = recording(person(1, Action(0, 3, "walk", 0.5)))
    bars = timeline_figure(doubtful).axes[0].collections[0]
    (shade,) = bars.get_facecolor()[:, :3]
    assert (shade > to_rgb(colour_of("walk"))).all()
    assert shows(drawn(tmp_path / "doubtful.png", doubtful), tuple(shade))


def test_a_bar_lies_at_its_time(tmp_path: Path) -> None:
    picture = drawn(tmp_path / "t.png", recording(person(1, Action(1.0, 2.0, "walk", 1.0)), seconds=4.0))
    columns = np.flatnonzero((np.abs(picture / 255.0 - to_rgb(colour_of("walk"))).max(axis=2) < 0.01)[:70].any(axis=0))
    left, width = 95, 1200 - 95 - 30
    assert columns[0] == pytest.approx(left + width / 4, abs=2)
    assert columns[-1] == pytest.approx(left + width / 2, abs=2)


def test_unknown_is_a_thin_line_and_named_actions_are_bars() -> None:
    axes = timeline_figure(recording(person(1, Action(0, 1, "walk", 0.9), Action(1, 3, "unknown", 0.9)))).axes[0]
    heights = {
        label: np.ptp(part.get_paths()[0].vertices[:, 1]) for label, part in zip("bu", axes.collections, strict=False)
    }
    assert heights["b"] > 0.5 and heights["u"] < 0.1
    assert "unknown" not in " ".join(text.get_text() for text in axes.texts)


def test_the_runner_up_is_shown_below_and_in_words() -> None:
    sure = Action(0, 2, "walk", 0.7, (("walk", 0.7), ("run", 0.2), ("unknown", 0.1)))
    unsure = Action(2, 3, "unknown", 0.3, (("sit", 0.4), ("unknown", 0.3), ("stand", 0.2)))
    assert [runner_up(action) for action in (sure, unsure)] == [("run", 0.2), ("sit", 0.4)]
    assert runner_up(Action(0, 1, "walk", 0.9)) is None
    figure = timeline_figure(recording(person(1, sure, unsure)))
    texts = [text.get_text() for text in figure.axes[0].texts]
    assert "walk 70 %, or run 20 %" in texts and "perhaps sit 40 %" in texts
    strip = figure.axes[0].collections[2]
    colours = strip.get_facecolor()[:, :3]
    expected = np.array([to_rgb(colour_of(label)) for label in ("run", "sit")])
    np.testing.assert_allclose(rgb_to_hsv(colours)[:, 0], rgb_to_hsv(expected)[:, 0], atol=0.01)  # paler, of that hue
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["walk", "unknown", "run", "sit"]


@pytest.mark.filterwarnings("error:Glyph")
def test_other_scripts_come_out_or_are_escaped(tmp_path: Path) -> None:
    names = ("ходить", "مشى", "走る", "हिलाना", "\U000f0000", "a\nb")
    found = recording(*(person(k + 1, Action(0, 3, name, 0.9)) for k, name in enumerate(names)))
    figure = timeline_figure(replace(found, video=replace(found.video, name="踊り")))
    written = [text.get_text() for text in figure.legends[0].get_texts()]
    assert written[:2] == ["ходить", "مشى"] and written[4:] == ["\\U000f0000", "a\\nb"]
    assert all(
        text in (name, name.encode("unicode_escape").decode()) for text, name in zip(written, names, strict=True)
    )
    write_timeline_figure(tmp_path / "t.png", found)


def test_fonts_are_looked_for_only_where_they_are_needed() -> None:
    assert Fonts.of(["walk", "é"]) == Fonts((USUAL,), frozenset())
    assert "\U000f0000" in Fonts.of(["\U000f0000"]).missing


def test_a_person_ends_with_their_last_frame() -> None:
    late = replace(person(1, seen=(0.0, 2.9)), actions=None)
    (frame,) = timeline_figure(recording(late, seconds=2.9)).axes[0].collections
    assert frame.get_paths()[0].vertices[:, 0].max() == pytest.approx(2.9 + 0.1)


def test_everybody_has_a_row_and_every_action_an_entry() -> None:
    found = recording(*(person(i, Action(0, 3, f"action {i}", 0.9)) for i in range(1, 13)))
    figure = timeline_figure(found)
    texts = [text.get_text() for text in figure.axes[0].texts]
    assert [f"person {i}" in texts for i in range(1, 13)] == [True] * 12
    assert [text.get_text() for text in figure.legends[0].get_texts()] == [f"action {i}" for i in range(1, 13)]


def test_not_classified_is_an_empty_frame_not_unknown() -> None:
    figure = timeline_figure(recording(replace(person(1), actions=None)))
    (frame,) = figure.axes[0].collections
    assert len(frame.get_facecolor()) == 0
    assert not figure.legends


@settings(max_examples=15)
@given(st.floats(0.04, 20_000), st.integers(0, 40))
def test_any_length_and_any_number_of_people_is_readable(seconds: float, people: int) -> None:
    half = Action(0.0, seconds / 2, "walk", 0.8), Action(seconds / 2, seconds, "sit", 0.8)
    found = recording(*(person(i + 1, *half, seen=(0, seconds)) for i in range(people)), seconds=seconds)
    figure = timeline_figure(found)
    limits = [axes.get_xlim() for axes in figure.axes]
    assert limits[0][0] == 0 and limits[-1][1] >= seconds
    assert all(a[1] == b[0] for a, b in pairwise(limits))
    rows = sum(text.get_text().startswith("person") for axes in figure.axes for text in axes.texts)
    assert min(people, 24) <= rows <= TOTAL_ROWS
    assert all(len(axes.get_xticks()) <= 15 for axes in figure.axes)
    assert ("not shown" in figure.texts[0].get_text()) == (people > 24)


def test_of_many_people_those_seen_longest_are_shown() -> None:
    brief = replace(person(7, Action(0, 0.1, "run", 1.0)), track=_shortened(person(7).track))
    found = recording(brief, *(person(i, Action(0, 3, "walk", 1.0)) for i in range(8, 32)))
    assert "person 7" not in [text.get_text() for text in timeline_figure(found).axes[0].texts]


def _shortened(track: Track2D) -> Track2D:
    return replace(
        track, points=track.points[:2], scores=track.scores[:2], times=track.times[:2], filled=track.filled[:2]
    )


def test_nobody_is_said(tmp_path: Path) -> None:
    assert "nobody was found" in timeline_figure(recording()).texts[0].get_text()
    assert drawn(tmp_path / "t.png", recording()).size


def test_names_alone_decide_colours() -> None:
    assert colour_of("juggle") == colour_of("juggle") != colour_of("swim")


def test_an_unwritable_place_is_told(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="cannot be written"):
        write_timeline_figure(tmp_path / "none" / "timeline.png", recording())


@pytest.mark.parametrize("length", [4, 25, 300])
def test_the_legend_fits_into_the_figure_whatever_the_labels(length: int) -> None:
    labels = [chr(ord("a") + k) * length for k in range(18)]
    figure = timeline_figure(
        recording(person(1, *(Action(k, k + 1, name, 0.9) for k, name in enumerate(labels))), seconds=18.0)
    )
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    box = figure.legends[0].get_window_extent()
    assert box.x1 <= figure.bbox.x1
    assert box.y1 <= figure.axes[-1].get_tightbbox().y0 + 1
