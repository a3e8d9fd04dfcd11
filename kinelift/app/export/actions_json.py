"""``actions.json``: who does what, from when to when.

    {"video": "dance", "people": [
        {"id": 1, "start": 0.0, "end": 7.9, "actions": [
            {"start": 0.0, "end": 7.9, "label": "dance", "probability": 0.91, "top": [
                {"label": "dance", "probability": 0.91}, {"label": "unknown", "probability": 0.04}]}]}]}

Seconds from the first picture; ``start`` and ``end`` of a person are their first and last frame; ``actions`` is null
where nothing was classified. ``top`` holds the most probable labels. Without anybody in the video ``people`` is empty.
"""

import json
from pathlib import Path
from typing import Any

from kinelift.poses import Action, Person, Recording
from kinelift.poses.output import replacing

_DECIMALS = 6


def write_timeline(path: Path, recording: Recording) -> None:
    """Write the actions of everybody to ``path`` in one move. Raises ``OutputError``."""
    document = {"video": recording.video.name, "people": [_entry(person) for person in recording.people]}
    with replacing(path) as part:
        part.write_text(
            json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False) + "\n",
            encoding="utf-8",
            errors="backslashreplace",
        )


def plain_actions(actions: tuple[Action, ...] | None) -> list[dict[str, Any]] | None:
    """Actions as JSON values; None stays None."""
    if actions is None:
        return None
    return [
        {
            "start": round(action.start, _DECIMALS),
            "end": round(action.end, _DECIMALS),
            "label": action.label,
            "probability": round(action.probability, 4),
            "top": [{"label": label, "probability": round(value, 4)} for label, value in action.top],
        }
        for action in actions
    ]


def _entry(person: Person) -> dict[str, Any]:
    times = person.track.times
    return {
        "id": person.id,
        "start": round(float(times[0]), _DECIMALS),
        "end": round(float(times[-1]), _DECIMALS),
        "actions": plain_actions(person.actions),
    }
