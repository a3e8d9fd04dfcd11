"""The benchmark on real video: its labels, whose track is whose, and its figures."""

from itertools import pairwise

import numpy as np
import pytest

from benchmarks.actions import labels
from benchmarks.actions.clips import CALIBRATED, FILES
from benchmarks.actions.labels import ACTIONS, NONE, Label, Place
from benchmarks.actions.real import figures, judged, markdown
from benchmarks.actions.scores import by_action, confusions, overall, spells
from kinelift.poses import Action
from tests.poses.scenes import person, recording

CLIPS = ("sample", *CALIBRATED, *FILES)
ROWS = [
    Label("clip", "report", "ann", 0.0, 4.0, ("walk",)),
    Label("clip", "report", "ann", 4.0, 10.0, ("squat", "exercise")),
    Label("clip", "report", "ann", 10.0, 12.0, (NONE,)),
]
SAID = (
    Action(0.0, 3.0, "walk", 0.9),
    Action(3.0, 5.0, "unknown", 0.2),
    Action(5.0, 8.0, "exercise", 0.7),
    Action(8.0, 11.0, "jump", 0.6),
    Action(11.0, 20.0, "unknown", 0.6),
)


@pytest.mark.parametrize("clip", CLIPS)
def test_labels_are_in_order_and_know_their_people(clip: str) -> None:
    rows, people = labels.labels(clip), {place.person for place in labels.places(clip)}
    assert rows and len({row.use for row in rows}) == 1 and rows[0].use in ("choose", "report")
    assert {row.person for row in rows} == people
    assert {action for row in rows for action in row.actions} <= {*ACTIONS, NONE}
    for name in people:
        own = [row for row in rows if row.person == name]
        assert all(a.end <= b.start for a, b in pairwise(own)) and all(row.start < row.end for row in own)


def test_both_uses_have_clips() -> None:
    assert {labels.labels(clip)[0].use for clip in CLIPS} == {"choose", "report"}


def test_seconds_are_right_wrong_or_unnamed() -> None:
    found = spells(ROWS, [SAID])
    assert sum(spell.seconds for spell in found) == pytest.approx(12.0)
    total = overall(found)
    # walk: 3 right, 1 unnamed; squat: 1 unnamed, 3 exercise (right), 2 jump; nothing: 1 jump, 1 unnamed
    assert (total["seconds"], total["right"], total["wrong"], total["unnamed"]) == (10.0, 6.0, 2.0, 2.0)
    assert (total["coverage"], total["precision"], total["none_named"]) == (0.8, round(6 / 9, 3), 0.5)
    low, high = total["coverage_interval"]
    assert (low, high) == pytest.approx((0.490, 0.943), abs=0.001)  # Wilson, 8 of 10
    rows = by_action(found)
    assert rows["squat"]["recall"] == 0.5 and rows["squat"]["precision"] is None
    assert rows["jump"]["seconds"] == 0.0 and rows["jump"]["precision"] == 0.0
    assert rows["exercise"]["precision"] == 1.0
    assert confusions(found) == {"squat, said to be jump": 2.0, "none, said to be jump": 1.0}


def test_without_enough_time_there_is_no_share() -> None:
    total = overall(spells([Label("clip", "report", "ann", 0.0, 0.3, ("walk",))], [SAID]))
    assert total["coverage"] is None and total["seconds"] == 0.3


def test_a_place_belongs_to_the_person_around_it() -> None:
    one, other = person(1, start=0, frames=5), person(2, start=0, frames=5)
    other.track.points[:] = one.track.points + 500.0
    middle = (np.nanmin(other.track.points[0], axis=0) + np.nanmax(other.track.points[0], axis=0)) / 2
    time, (x, y) = float(other.track.times[0]), middle.tolist()
    whole = recording(one, other)
    assert labels.identify(whole, [Place("clip", "ann", time, x, y)]) == {1: "ann"}
    assert labels.identify(whole, [Place("clip", "ann", time, 1e5, y)]) == {}
    assert labels.identify(whole, [Place("clip", "ann", 1e5, x, y)]) == {}


def test_people_without_labels_are_counted_apart() -> None:
    stranger = person(1, start=0, frames=5)
    stranger = type(stranger)(1, stranger.track, stranger.poses, (Action(0.0, 2.0, "walk", 0.9),))
    one = judged(recording(stranger), ROWS, [])
    assert (one.spells, one.untracked, one.strangers, one.strangers_named) == ([], 12.0, 2.0, 2.0)
    assert figures([one]) == {}


def test_the_table_has_a_line_per_action() -> None:
    one = judged(recording(), ROWS, [])
    result = figures([type(one)(one.use, spells(ROWS, [SAID]), 0.0, 0.0, 0.0)])
    lines = markdown("report", result).splitlines()
    assert [line.split(" | ")[0] for line in lines[2:7]] == ["| walk", "| squat", "| exercise", "| jump", "| all"]
