"""Steadier keypoints, at a price that is stated: how far they lag behind, or how far the filter looks ahead.

Every joint is smoothed between its gaps, never across one. What was filled in is smoothed too, and stays marked.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, fields, replace
from typing import Protocol, runtime_checkable

import numpy as np
from jaxtyping import Bool, Float

from kinelift.detectors.tracking.likeness import extent
from kinelift.poses import Track2D
from kinelift.poses.errors import SettingsError


@runtime_checkable
class Smoothing(Protocol):
    """A filter of tracks that states what it costs."""

    @property
    def lag(self) -> float:
        """Seconds by which it comes late at most."""

    @property
    def ahead(self) -> float:
        """Seconds of the future that it needs."""

    def apply(self, track: Track2D) -> Track2D:
        """The same track with steadier points; scores, gaps and ``filled`` stay."""


@dataclass(frozen=True)
class OneEuro:
    """A low pass whose cut-off rises with speed: steady at rest, quick in motion. Never looks ahead.

    ``rest``: cut-off in Hz of what stands still; ``gain``: by how much it rises with speed, Hz for one size of the
    person a second; ``pace``: cut-off of the speed itself. Source: Casiez, Roussel and Vogel, 1 € filter: a simple
    speed-based low-pass filter for noisy input in interactive systems, CHI 2012.
    """

    rest: float = 2.0
    gain: float = 4.0
    pace: float = 1.0

    def __post_init__(self) -> None:
        _positive(self)

    @property
    def lag(self) -> float:
        """Of slow movement: 1 / (2π ``rest``). Movement of one size a second comes by rest / (rest + gain) as late."""
        return 1 / (2 * np.pi * self.rest)

    @property
    def ahead(self) -> float:
        """None of the future is used."""
        return 0.0

    def apply(self, track: Track2D) -> Track2D:
        """Frame by frame; a joint that was lost begins anew."""
        out = track.points.copy()
        speed = np.zeros(out.shape[1:])
        sizes = extent(track.points).tolist()
        for k in range(1, len(track)):
            before, now, step = out[k - 1], track.points[k], track.times[k] - track.times[k - 1]
            size = sizes[k] = sizes[k] or sizes[k - 1] or 1.0
            goes_on = np.isfinite(before) & np.isfinite(now)
            raw = np.where(goes_on, (now - before) / step, 0.0)
            speed = np.where(goes_on, speed + _share(self.pace, step) * (raw - speed), 0.0)
            cut_off = self.rest + self.gain * np.linalg.norm(speed, axis=-1, keepdims=True) / size
            out[k] = np.where(goes_on, before + _share(cut_off, step) * (now - before), now)
        return replace(track, points=out)


@dataclass(frozen=True)
class SavitzkyGolay:
    """A polynomial of degree ``order`` fitted to ``window`` seconds around every frame, by the actual times.

    No lag, but it looks half a window ahead; at the ends of a stretch it fits what is there. Source: Savitzky and
    Golay, Smoothing and differentiation of data by simplified least squares procedures, 1964.
    """

    window: float = 0.2
    order: int = 2

    def __post_init__(self) -> None:
        _positive(self)

    @property
    def lag(self) -> float:
        """Centred: none."""
        return 0.0

    @property
    def ahead(self) -> float:
        """Half of the window."""
        return self.window / 2

    def apply(self, track: Track2D) -> Track2D:
        """Stretch by stretch of every joint; stretches of fewer frames than a polynomial needs stay as they are."""
        out = track.points.copy()
        for start, stop, joints in _stretches(np.isfinite(track.points).all(axis=-1)):
            times = track.times[start:stop]
            for k, time in enumerate(times):
                first = int(np.searchsorted(times, time - self.window / 2 - 1e-9))
                last = int(np.searchsorted(times, time + self.window / 2 + 1e-9))
                if last - first > self.order + 1:
                    powers = np.vander((times[first:last] - time) / self.window, self.order + 1, increasing=True)
                    weights = np.linalg.pinv(powers)[0]
                    near = track.points[start + first : start + last, joints]
                    out[start + k, joints] = np.tensordot(weights, near, axes=1)
        return replace(track, points=out)


def smoothing(name: str) -> Smoothing | None:
    """By name: none, one-euro or savgol. Raises ``SettingsError`` for any other."""
    if name == "none":
        return None
    if name not in _KINDS:
        raise SettingsError(f"Unknown smoothing {name!r}. Known: none, {', '.join(_KINDS)}.")
    return _KINDS[name]()


_KINDS: Mapping[str, Callable[[], Smoothing]] = {"one-euro": OneEuro, "savgol": SavitzkyGolay}


def _stretches(seen: Bool[np.ndarray, "T J"]) -> Iterator[tuple[int, int, list[int]]]:
    """Start, stop and joints of all stretches without a gap; joints with the same ones together."""
    found: dict[tuple[int, int], list[int]] = {}
    edge = np.zeros((1, seen.shape[1]), dtype=int)
    change = np.diff(seen.astype(int), axis=0, prepend=edge, append=edge)
    for joint in range(seen.shape[1]):
        starts, stops = np.flatnonzero(change[:, joint] > 0), np.flatnonzero(change[:, joint] < 0)
        for start, stop in zip(starts.tolist(), stops.tolist(), strict=True):
            found.setdefault((start, stop), []).append(joint)
    return ((start, stop, joints) for (start, stop), joints in found.items())


def _share(cut_off: float | Float[np.ndarray, "J 1"], step: float) -> float | Float[np.ndarray, "J 1"]:
    """How much of the way to the new value a first-order low pass goes in ``step`` seconds."""
    return 1 / (1 + 1 / (2 * np.pi * cut_off * step))


def _positive(settings: OneEuro | SavitzkyGolay) -> None:
    for field in fields(settings):
        if not getattr(settings, field.name) > 0:
            raise SettingsError(f"Smoothing setting {field.name} is {getattr(settings, field.name)}; give more than 0.")
