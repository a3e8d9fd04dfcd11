"""Smoothing filters for keypoints. Each states its cost: how far it lags behind, and how far it looks ahead.

Every joint is smoothed between its gaps, never across one. Filled joints are smoothed too, and stay marked.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, fields, replace
from typing import Protocol, runtime_checkable

import numpy as np
from jaxtyping import Bool, Float

from kinelift.detectors.tracking.similarity import extent
from kinelift.poses import Track2D
from kinelift.poses.errors import SettingsError


@runtime_checkable
class Smoothing(Protocol):
    """A filter for tracks that states its cost."""

    @property
    def lag(self) -> float:
        """The longest delay of the output, s."""

    @property
    def lookahead(self) -> float:
        """How far it looks into the future, s."""

    def apply(self, track: Track2D) -> Track2D:
        """Smooth the points of a track; scores, gaps and ``filled`` are unchanged."""


@dataclass(frozen=True)
class OneEuro:
    """A low-pass filter whose cut-off rises with speed: steady at rest, quick in motion. It never looks ahead.

    Source: Casiez, Roussel and Vogel, 1 € filter: a simple speed-based low-pass filter for noisy input in interactive
    systems, CHI 2012.

    Args:
        min_cutoff: The cut-off at rest, Hz.
        beta: How much the cut-off rises with speed, Hz per body size per second.
        d_cutoff: The cut-off for the speed estimate itself, Hz.
    """

    min_cutoff: float = 2.0
    beta: float = 4.0
    d_cutoff: float = 1.0

    def __post_init__(self) -> None:
        _require_positive(self)

    @property
    def lag(self) -> float:
        """The delay for slow movement, 1 / (2π ``min_cutoff``). Faster movement is delayed less."""
        return 1 / (2 * np.pi * self.min_cutoff)

    @property
    def lookahead(self) -> float:
        """Zero: it uses no later frames."""
        return 0.0

    def apply(self, track: Track2D) -> Track2D:
        """Smooth frame by frame; a joint that was lost starts afresh."""
        out = track.points.copy()
        speed = np.zeros(out.shape[1:])
        sizes = extent(track.points[:, track.skeleton.body]).tolist()
        for k in range(1, len(track)):
            before, now, step = out[k - 1], track.points[k], track.times[k] - track.times[k - 1]
            size = sizes[k] = sizes[k] or sizes[k - 1] or 1.0
            continues = np.isfinite(before) & np.isfinite(now)
            raw = np.where(continues, (now - before) / step, 0.0)
            speed = np.where(continues, speed + _smoothing_factor(self.d_cutoff, step) * (raw - speed), 0.0)
            cut_off = self.min_cutoff + self.beta * np.linalg.norm(speed, axis=-1, keepdims=True) / size
            out[k] = np.where(continues, before + _smoothing_factor(cut_off, step) * (now - before), now)
        return replace(track, points=out)


@dataclass(frozen=True)
class SavitzkyGolay:
    """A polynomial fitted to a window around every frame, at the actual frame times.

    It has no lag, but looks half a window ahead; at the ends of a run it fits the available frames. Source: Savitzky
    and Golay, Smoothing and differentiation of data by simplified least squares procedures, 1964.

    Args:
        window: The length of the window, s.
        order: The degree of the polynomial.
    """

    window: float = 0.2
    order: int = 2

    def __post_init__(self) -> None:
        _require_positive(self)

    @property
    def lag(self) -> float:
        """Zero, as the window is centred."""
        return 0.0

    @property
    def lookahead(self) -> float:
        """Half of the window."""
        return self.window / 2

    def apply(self, track: Track2D) -> Track2D:
        """Smooth each run of each joint; runs with too few frames for the polynomial are left unchanged."""
        out = track.points.copy()
        for start, stop, joints in _visible_runs(np.isfinite(track.points).all(axis=-1)):
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
    """The filter with that name: none, one-euro or savgol.

    Raises:
        SettingsError: There is no such filter.
    """
    if name == "none":
        return None
    if name not in _KINDS:
        raise SettingsError(f"Unknown smoothing {name!r}. Known: none, {', '.join(_KINDS)}.")
    return _KINDS[name]()


_KINDS: Mapping[str, Callable[[], Smoothing]] = {"one-euro": OneEuro, "savgol": SavitzkyGolay}


def _visible_runs(seen: Bool[np.ndarray, "T J"]) -> Iterator[tuple[int, int, list[int]]]:
    """Start, stop and joints of all runs without a gap; joints that share a run are grouped together."""
    found: dict[tuple[int, int], list[int]] = {}
    edge = np.zeros((1, seen.shape[1]), dtype=int)
    change = np.diff(seen.astype(int), axis=0, prepend=edge, append=edge)
    for joint in range(seen.shape[1]):
        starts, stops = np.flatnonzero(change[:, joint] > 0), np.flatnonzero(change[:, joint] < 0)
        for start, stop in zip(starts.tolist(), stops.tolist(), strict=True):
            found.setdefault((start, stop), []).append(joint)
    return ((start, stop, joints) for (start, stop), joints in found.items())


def _smoothing_factor(cut_off: float | Float[np.ndarray, "J 1"], step: float) -> float | Float[np.ndarray, "J 1"]:
    """How much of the way to the new value a first-order low-pass filter goes in ``step`` seconds, 0-1."""
    return 1 / (1 + 1 / (2 * np.pi * cut_off * step))


def _require_positive(settings: OneEuro | SavitzkyGolay) -> None:
    for field in fields(settings):
        if not getattr(settings, field.name) > 0:
            raise SettingsError(
                f"Smoothing setting {field.name} is {getattr(settings, field.name)}; it must be above 0."
            )
