"""What is guessed in an export: a JSON file beside those of formats that need a value in every frame."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Bool

from kinelift.app.export.placing import Placed
from kinelift.app.export.timing import JITTER, Clock
from kinelift.poses import JointState
from kinelift.poses.output import replacing

_NOTABLE = 1.0
"""Millimetres by which joints may be off without a remark."""


def sidecar_path(path: Path) -> Path:
    """The sidecar of an export: its name and ``.json``."""
    return path.with_name(f"{path.name}.json")


def write_sidecar(path: Path, facts: Mapping[str, Any]) -> None:
    """Write a sidecar in one move.

    Raises:
        OutputError: The file cannot be written.
    """
    with replacing(path) as part:
        text = json.dumps(facts, indent=1, ensure_ascii=False, allow_nan=False)
        part.write_text(text + "\n", encoding="utf-8", errors="backslashreplace")


def remarks(sidecar: Path) -> list[str]:
    """What the user should know about an export, from its sidecar."""
    facts, out = json.loads(sidecar.read_text(encoding="utf-8")), []
    if facts["resampled"]:
        out.append(f"The frame rate of the video varies: {sidecar.stem} is resampled to {facts['rate']:.3f} Hz.")
    if not facts["coordinates"].startswith("world"):
        out.append(f"{sidecar.stem} has no world, only {facts['coordinates']}.")
    apart = max((person.get("bone_residual_max_mm", 0.0) for person in facts["people"]), default=0.0)
    if apart > _NOTABLE:
        out.append(
            f"Bones of this recording change length (a live recording, or --fit off): {sidecar.stem} has their median "
            f"lengths, so joints are up to {apart:.0f} mm from the recorded ones."
        )
    return out


def guesses(person: Placed, clock: Clock) -> list[dict[str, Any]]:
    """The spans of frames in which a joint does not rest on a keypoint.

    Returns:
        One entry per span: ``joint`` ("all", or its name), ``first`` and ``last`` frame (included, from 0), ``from``
        and ``to`` in seconds, and ``why``: "absent" (the person is not tracked: held), "not lifted" (held), "never
        seen" (the joint is left out), "unseen" (the network's guess) or "interpolated".
    """
    times = person.poses.times
    row = np.clip(np.searchsorted(times, clock.times + 1e-9, side="right") - 1, 0, len(times) - 1)
    slack = JITTER / clock.rate
    absent = (clock.times < times[0] - slack) | (clock.times > times[-1] + slack)
    lifted = np.isfinite(person.points).all(-1).any(1)[row]
    out = [*_spans("all", "absent", absent, clock), *_spans("all", "not lifted", ~absent & ~lifted, clock)]
    for index, joint in enumerate(person.poses.skeleton.joints):
        if not np.isfinite(person.points[:, index]).all(-1).any():
            out += _spans(joint, "never seen", ~absent, clock)
        elif person.poses.seen is not None:
            for state in (JointState.UNSEEN, JointState.INTERPOLATED):
                here = ~absent & lifted & (person.poses.seen[row, index] == state)
                out += _spans(joint, state.name.lower(), here, clock)
    return out


def _spans(joint: str, why: str, frames: Bool[np.ndarray, " F"], clock: Clock) -> Iterator[dict[str, Any]]:
    edges = np.flatnonzero(np.diff(np.concatenate([[False], frames, [False]])))
    for first, stop in edges.reshape(-1, 2).tolist():
        begin, end = (round(float(clock.times[k]), 6) for k in (first, stop - 1))
        yield {"joint": joint, "why": why, "first": first, "last": stop - 1, "from": begin, "to": end}
