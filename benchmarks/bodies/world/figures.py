"""Figures of feet, floors, stillness and jumps of people in the world."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from jaxtyping import Float

from benchmarks.bodies.body_angles import between
from benchmarks.bodies.world.labels import Jump, Span
from benchmarks.bodies.world.scene import Actor

SETTLED = 0.2
"""Seconds at the start of a span over which a place is averaged, before its drift is measured."""
AROUND = 15
"""Frames before and after a labelled jump in which its start and end are looked for."""
MM = 1000.0


def tilt(up: Float[np.ndarray, " 3"], true: Float[np.ndarray, " 3"]) -> float:
    """Angle between the estimated and the true direction up, degrees."""
    return round(float(between(up, true)), 2)


def planted(actor: Actor, spans: Iterable[Span]) -> dict[str, float]:
    """How fast heels and toes move that rest on something.

    Returns:
        ``speed``: median over frames, mm/s; ``speed_95``: 95th percentile; ``slide``: median over spans of the largest
        distance from the span's mean place, mm; ``seconds``: time measured.
    """
    speeds, slides, seconds = [], [], 0.0
    for span in spans:
        rows = actor.rows(span.first, span.last)
        path, times = actor.joints[rows, actor.part(span.foot, span.part)], actor.times[rows]
        if span.state == "contact" and len(path) > 1:
            speeds.append(np.linalg.norm(np.diff(path, axis=0), axis=-1) / np.diff(times))
            slides.append(np.nanmax(np.linalg.norm(path - np.nanmean(path, axis=0), axis=-1)))
            seconds += float(times[-1] - times[0])
    if not speeds:
        return {}
    every = MM * np.concatenate(speeds)
    return {
        "speed": _round(np.nanmedian(every)), "speed_95": _round(np.nanpercentile(every, 95)),
        "slide": _round(MM * float(np.median(slides))), "seconds": round(seconds, 2),
    }  # fmt: skip


def touched(actor: Actor, spans: Iterable[Span]) -> tuple[int, int, int, int] | None:
    """Contacts against labels; None if the program computes none.

    Returns:
        Labelled contacts, those of them that were found, labelled frames in the air, and those of them in contact.
    """
    counts = np.zeros(4, int)
    for span in spans:
        touching = actor.touching(span.foot, span.part)
        if touching is None:
            return None
        rows, column = touching[actor.rows(span.first, span.last)], 0 if span.state == "contact" else 2
        counts[column : column + 2] += [len(rows), int(rows.sum())]
    return int(counts[0]), int(counts[1]), int(counts[2]), int(counts[3])


def contact_shares(counts: Iterable[tuple[int, int, int, int] | None]) -> dict[str, float | None]:
    """``found``: share of labelled contacts that were found; ``false``: of frames in the air taken for contacts."""
    known = [some for some in counts if some is not None]
    contact, found, air, false = np.sum(known, axis=0) if known else (0, 0, 0, 0)
    return {
        "found": round(float(found / contact), 3) if contact else None,
        "false": round(float(false / air), 3) if air else None,
    }


def drift(path: Float[np.ndarray, "T 3"], times: Float[np.ndarray, " T"]) -> float:
    """Largest distance from the mean place of the first ``SETTLED`` seconds, mm."""
    start = np.nanmean(path[times <= times[0] + SETTLED], axis=0)
    return _round(MM * float(np.nanmax(np.linalg.norm(path - start, axis=-1))))


def heights(actor: Actor, spans: Iterable[Span]) -> dict[str, Float[np.ndarray, " N"]]:
    """Heights of planted heels and toes over the world's floor, mm, by surface."""
    found: dict[str, list[Float[np.ndarray, " T"]]] = {}
    for span in spans:
        if span.state == "contact":
            rows = actor.rows(span.first, span.last)
            found.setdefault(span.surface, []).append(MM * actor.joints[rows, actor.part(span.foot, span.part), 1])
    return {surface: np.concatenate(some) for surface, some in found.items()}


def level(some: Float[np.ndarray, " N"]) -> dict[str, float]:
    """``height``: median, mm; ``lowest`` and ``highest``: 5th and 95th percentile from there, mm."""
    low, middle, high = np.nanpercentile(some, [5, 50, 95])
    return {"height": _round(middle), "lowest": _round(low - middle), "highest": _round(high - middle)}


def flight(actor: Actor, jump: Jump) -> dict[str, Any]:
    """A jump in the world against one by eye.

    Returns:
        ``frames``: in the air by eye; ``frames_3d``: longest run without a contact around it, None if the program
        computes no contacts; ``g_hip``, ``g_body``: downward acceleration in the air of the hip and of the mean of all
        joints, m/s², from the parabola that fits best; ``off_hip``: its root mean square error, mm.
    """
    rows = actor.rows(jump.off + 1, jump.on - 1)
    times = actor.times[rows]
    hip, off = fall(actor.joints[rows, actor.skeleton.root, 1], times)
    body, _ = fall(actor.joints[rows, :, 1].mean(axis=1), times)
    return {
        "frames": jump.on - jump.off - 1, "frames_3d": _free(actor, jump),
        "g_hip": round(hip, 2), "g_body": round(body, 2), "off_hip": _round(MM * off),
    }  # fmt: skip


def fall(height: Float[np.ndarray, " T"], times: Float[np.ndarray, " T"]) -> tuple[float, float]:
    """Downward acceleration, m/s², of the least-squares parabola through a path, and its root mean square error, m."""
    known = np.isfinite(height)
    moments = times[known] - times[known].mean()
    curve = np.polyfit(moments, height[known], 2)
    return float(-2 * curve[0]), float(np.sqrt(np.mean((np.polyval(curve, moments) - height[known]) ** 2)))


def _free(actor: Actor, jump: Jump) -> int | None:
    """The longest run of frames around a jump in which neither heels nor toes touch anything."""
    parts = [actor.touching(foot, part) for foot in ("left", "right") for part in ("heel", "toe")]
    known = [one for one in parts if one is not None]
    if not known:
        return None
    touching = np.any(known, axis=0)[actor.rows(jump.off - AROUND, jump.on + AROUND)]
    edges = np.flatnonzero(np.concatenate([[True], touching, [True]]))
    return int(np.diff(edges).max() - 1)


def lean(actor: Actor) -> float:
    """Median angle from hip to thorax against the world's up, degrees."""
    trunk = actor.joints[:, actor.skeleton.index("thorax")] - actor.joints[:, actor.skeleton.index("hip")]
    return round(float(np.nanmedian(between(trunk, np.array([0.0, 1.0, 0.0])))), 1)


def middle(rows: Sequence[Mapping[str, Any]], key: str) -> float | None:
    """Median of a figure over those rows that have it."""
    some = [row[key] for row in rows if row.get(key) is not None]
    return _round(float(np.median(some))) if some else None


def _round(value: float) -> float:
    return round(float(value), 1)
