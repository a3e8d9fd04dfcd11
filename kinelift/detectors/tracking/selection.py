"""Selecting the people of a video by prominence."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float

from kinelift.detectors.tracking.tracker import Identity
from kinelift.poses import Track2D
from kinelift.poses.errors import SettingsError


def select_people(tracks: Sequence[Identity], people: str | int) -> tuple[Identity, ...]:
    """Select people of a video, sorted by id.

    Args:
        tracks: Everybody.
        people: "all", "main" (the most prominent person), or how many of the most prominent ones.

    Raises:
        SettingsError: ``people`` is something else.
    """
    count = len(tracks) if people == "all" else 1 if people == "main" else _count(people)
    ranked = sorted(tracks, key=lambda identity: prominence(identity.track), reverse=True)
    return tuple(sorted(ranked[:count], key=lambda identity: identity.id))


def prominence(track: Track2D) -> float:
    """How much of the image a person takes up for how long: area around the body × time, px² s."""
    points = track.points[:, track.skeleton.body]
    visible = np.isfinite(points).all(axis=-1).any(axis=1)
    extent = np.nanmax(points[visible], axis=1) - np.nanmin(points[visible], axis=1)
    return float(extent.prod(axis=1) @ _durations(track.times)[visible])


def _durations(times: Float[np.ndarray, " T"]) -> Float[np.ndarray, " T"]:
    return np.gradient(times) if len(times) > 1 else np.ones(1)


def _count(people: str | int) -> int:
    if not str(people).isdecimal() or int(people) < 1:
        raise SettingsError(f"people is {people!r}; give all, main, or how many (1 or more).")
    return int(people)
