"""``actions.json``: what each person does, and when.

    {"video": "dance", "people": [
        {"id": 1, "start": 0.0, "end": 7.9, "actions": [
            {"start": 0.0, "end": 7.9, "label": "dance", "probability": 0.91, "top": [
                {"label": "dance", "probability": 0.91}, {"label": "unknown", "probability": 0.04}]}]}]}

Times are seconds from the first frame. A person and an action end when the last frame stops being shown, so a person
ends with their last action. ``actions`` is null if none were classified. ``top`` holds the most probable labels.
``people`` is empty if nobody is in the video.
"""

import json
from pathlib import Path
from typing import Any

from kinelift.poses import Action, Person, Recording
from kinelift.poses.output import replacing
from kinelift.poses.timeseries import span

_DECIMALS = 6


def write_timeline(path: Path, recording: Recording) -> None:
    """Write everybody's actions, in one move.

    Raises:
        OutputError: The file cannot be written.
    """
    document = {"video": recording.video.name, "people": [_person_json(person) for person in recording.people]}
    with replacing(path) as part:
        part.write_text(
            json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False) + "\n",
            encoding="utf-8",
            errors="backslashreplace",
        )


def actions_to_json(actions: tuple[Action, ...] | None) -> list[dict[str, Any]] | None:
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


def _person_json(person: Person) -> dict[str, Any]:
    start, end = span(person.track.times)
    return {
        "id": person.id,
        "start": round(start, _DECIMALS),
        "end": round(end, _DECIMALS),
        "actions": actions_to_json(person.actions),
    }
