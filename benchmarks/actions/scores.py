"""Person-seconds named rightly, wrongly or not at all."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from scipy.stats import binomtest

from benchmarks.actions.labels import NONE, Label
from kinelift.poses import Action
from kinelift.recognition.segments import UNKNOWN


@dataclass(frozen=True)
class Spell:
    """Some seconds of one person: what they do, any of which is right, and what they are said to do."""

    actions: tuple[str, ...]
    said: str
    seconds: float

    @property
    def named(self) -> bool:
        """Whether it has a name."""
        return self.said != UNKNOWN

    @property
    def right(self) -> bool:
        """Whether it has a right name."""
        return self.said in self.actions


def spells(labels: Iterable[Label], timelines: Sequence[Sequence[Action]]) -> list[Spell]:
    """Compare the labels of one person with the timelines of this person's tracks, where these overlap."""
    return [
        Spell(label.actions, action.label, seconds)
        for label in labels
        for actions in timelines
        for action in actions
        if (seconds := min(label.end, action.end) - max(label.start, action.start)) > 0
    ]


def overall(found: Sequence[Spell]) -> dict[str, Any]:
    """Figures over all actions.

    ``coverage``: share of the actions' time that has a name; ``precision``: share of named time whose name is right,
    that of people who do none of the actions included; ``none_named``: share of their time that has a name.
    """
    actions = [spell for spell in found if spell.actions[0] != NONE]
    none = [spell for spell in found if spell.actions[0] == NONE]
    return {
        **_outcomes(actions),
        "none": _sum(none),
        **_share("coverage", _sum(s for s in actions if s.named), _sum(actions)),
        **_share("precision", _sum(s for s in found if s.right), _sum(s for s in found if s.named)),
        **_share("none_named", _sum(s for s in none if s.named), _sum(none)),
    }


def by_action(found: Sequence[Spell]) -> Mapping[str, dict[str, Any]]:
    """Figures of every action that is done or said.

    ``coverage``: share of its time that has a name; ``recall``: a right one; ``precision``: share of the time so named
    in which this is right.
    """
    names = dict.fromkeys([*(s.actions[0] for s in found if s.actions[0] != NONE), *(s.said for s in found if s.named)])
    rows = {}
    for name in names:
        done = [spell for spell in found if spell.actions[0] == name]
        said = [spell for spell in found if spell.said == name]
        rows[name] = {
            **_outcomes(done),
            **_share("coverage", _sum(s for s in done if s.named), _sum(done)),
            **_share("recall", _sum(s for s in done if s.right), _sum(done)),
            **_share("precision", _sum(s for s in said if s.right), _sum(said)),
        }
    return rows


def confusions(found: Iterable[Spell]) -> Mapping[str, float]:
    """Seconds of every wrong name, the most first: ``{"walk, said to be run": 2.5}``."""
    seconds: dict[str, float] = defaultdict(float)
    for spell in found:
        if spell.named and not spell.right:
            seconds[f"{spell.actions[0]}, said to be {spell.said}"] += spell.seconds
    return {name: round(time, 2) for name, time in sorted(seconds.items(), key=lambda entry: -entry[1])}


def _outcomes(found: Sequence[Spell]) -> dict[str, float]:
    return {
        "seconds": _sum(found),
        "right": _sum(s for s in found if s.right),
        "wrong": _sum(s for s in found if s.named and not s.right),
        "unnamed": _sum(s for s in found if not s.named),
    }


def _share(name: str, part: float, whole: float) -> dict[str, Any]:
    """A share and its 95 % Wilson interval over whole seconds; None if there are none.

    Neighbouring seconds are not independent, so the true interval is wider.
    """
    if round(whole) < 1:
        return {name: None, f"{name}_interval": None}
    interval = binomtest(min(round(part), round(whole)), round(whole)).proportion_ci(method="wilson")
    return {
        name: round(part / whole, 3),
        f"{name}_interval": [round(float(interval.low), 3), round(float(interval.high), 3)],
    }


def _sum(found: Iterable[Spell]) -> float:
    return round(sum(spell.seconds for spell in found), 2)
