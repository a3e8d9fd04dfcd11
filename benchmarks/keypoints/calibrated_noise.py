"""Measure each detector's keypoint errors on the calibrated clips, as JSON and as a table.

    python -m benchmarks.keypoints.calibrated_noise [--frames 100] [--cache FOLDER]

Unlike ``benchmarks.keypoints.keypoint_noise``, this has a reference: joints triangulated from all detectors and views,
smoothed over ``SMOOTH`` seconds. The constant part of the error of each person, view and joint is left out, because it
concerns the definition of the joint (``benchmarks.keypoints.keypoint_offsets``). So are errors of the man's face, which
is pixelated. Errors are per coordinate, as fractions of the person's size, as in ``lifting.synthesis.noise``. The clips
are 1.7 s long, so slower drift counts as constant.

``level``: as ``NoiseSettings.level``, at the 10th, 50th and 90th percentile over views of people; ``jitter``: the
fraction of it that is independent between frames; ``drift_seconds``: time constant of the rest. ``shared``: correlation
of the errors of a bone's two joints. Episodes are given as fraction of the time, number in four seconds and mean
duration in seconds. ``groups``: all joints of the face, an arm (elbow, wrist), a leg (knee, ankle) or both legs missing
at once from the tracks.
"""

import json
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import tyro
from jaxtyping import Bool, Float
from scipy.signal import savgol_filter

from benchmarks.bodies.calibrated_tracks import ASKED, Seen
from benchmarks.bodies.rig import RATE, View
from benchmarks.keypoints.keypoint_noise import rounded, table
from benchmarks.keypoints.keypoint_offsets import named
from benchmarks.keypoints.noise_figures import (
    FAR,
    GROUPS,
    LIMBS,
    PIECE,
    SPREAD,
    STRAYS_FAR,
    alone,
    autocovariance,
    by_part,
    crossed,
    decomposed,
    episodes,
    groups,
    rms,
    share,
    swapped,
    without,
)
from kinelift.poses import Track2D

SMOOTH = 0.25
"""Window, s, of the quadratics that smooth the reference."""
FACE = GROUPS["face"][0]
PIXELATED = ("the man", "the man behind the woman")
LONGEST = 0.8
"""Longest lag, s, of the errors' autocovariance."""


@dataclass(frozen=True, eq=False)
class Errors:
    """Errors of one detector for one person in one view, as fractions of the person's size.

    Attributes:
        off: Errors without their constant part; NaN where there is no detection, sides are swapped, or the joint is an
            outlier.
        sides: Whether arms and legs are swapped.
        far: Distance from the reference without the constant part.
        kept: Whether the track has the joint.
    """

    off: Float[np.ndarray, "1 T J 2"]
    sides: Bool[np.ndarray, "1 T 2"]
    far: Float[np.ndarray, "1 T J"]
    kept: Bool[np.ndarray, "1 T J"]


def main(frames: int = 100, cache: Path | None = None) -> None:
    """Measure and print.

    Args:
        frames: Number of frames to use of each clip.
        cache: Folder in which the 2D tracks are cached (see ``benchmarks.bodies.calibrated``).
    """
    warnings.filterwarnings("ignore", "All-NaN|Mean of empty")  # joints that were never detected stay NaN
    everybody = named(frames, cache)
    columns: dict[str, Mapping[str, Any]] = {}
    for way in ASKED:
        found = {who: of_person(seen, way, FACE if who in PIXELATED else ()) for who, seen in everybody.items()}
        columns[way] = figures([one for some in found.values() for one in some])
        columns |= {f"{way}, {who}": figures(some) for who, some in found.items()}
    print(json.dumps(rounded(columns), indent=2))
    print(table(columns))


def of_person(seen: Seen, way: str, hidden: Sequence[int]) -> list[Errors]:
    """The errors of one detector in each view, without the joints ``hidden``."""
    window = round(SMOOTH * RATE) // 2 * 2 + 1
    truth = savgol_filter(seen.truth, window, 2, axis=0)
    return [errors(view, track, truth, hidden) for view, track in zip(seen.views, seen.tracks[way], strict=True)]


def errors(view: View, track: Track2D, truth: Float[np.ndarray, "T J 3"], hidden: Sequence[int] = ()) -> Errors:
    """The errors of one track; NaN for the joints ``hidden``."""
    image = view.image(truth)
    size = np.sqrt(np.square(image - image.mean(axis=1, keepdims=True)).sum(-1).mean())
    seen = np.where(track.filled[..., None], np.nan, track.points)
    seen[:, list(hidden)] = np.nan
    sides = crossed(np.stack([seen, image, image]) / size)[:1]
    tidy = without(((seen - image) / size)[None], swapped(sides))
    off = tidy - np.nanmedian(tidy, axis=1, keepdims=True)
    far = np.linalg.norm(off, axis=-1)
    calm = without(off, ~(far <= FAR))
    return Errors(calm, sides, far, np.isfinite(track.points).all(-1)[None])


def figures(found: Sequence[Errors]) -> dict[str, Any]:
    """All figures over these views of people."""
    levels = np.percentile([level(one) for one in found], (10, 50, 90))
    _, jitter, drift, seconds = parts([one.off for one in found])
    limbs_lost = [~np.stack([one.kept[..., limb].any(-1) for limb in LIMBS], -1) for one in found]
    return {
        "level": dict(zip(("10 %", "50 %", "90 %"), levels.tolist(), strict=True)),
        "jitter": jitter / float(np.hypot(jitter, drift)),
        "drift_seconds": seconds,
        "spread": by_part(rms([one.off for one in found])),
        "shared": shared([one.off for one in found]),
        "stray": episodes([one.far > FAR for one in found], RATE),
        "swap": episodes([one.sides for one in found], RATE),
        "lost": episodes([~one.kept for one in found], RATE),
        "groups": groups([one.kept for one in found], RATE),
        "settings": {
            "swap": share(one.sides for one in found) * PIECE / 0.4,
            "drop": share(alone(one.kept[0], limbs) for one, limbs in zip(found, limbs_lost, strict=True))
            * PIECE
            / 0.5,
            "drop_limb": share(limbs_lost) * PIECE / 0.8,
            "stray": share(one.far > FAR for one in found) / STRAYS_FAR * PIECE / 0.2,
        },
    }


def level(one: Errors) -> float:
    """``NoiseSettings.level`` for one view of a person; see ``noise_figures.decomposed`` for the 1.5."""
    return float(np.sqrt(1.5 * np.nanmean(np.square(one.off)) / np.mean(np.square(SPREAD))))


def parts(off: Sequence[Float[np.ndarray, "1 T J 2"]]) -> tuple[float, float, float, float]:
    """Standard deviations of the whole error, of white jitter and of drift, and the drift's time constant, s.

    The constant part has been removed, and with it some drift. The constant part of the fit therefore counts as drift.
    """
    curve = autocovariance(off, round(LONGEST * RATE))
    jitter, drift, constant, seconds = decomposed(curve, RATE)
    return float(np.sqrt(curve[0])), jitter, float(np.hypot(drift, constant)), seconds


def shared(off: Sequence[Float[np.ndarray, "1 T J 2"]]) -> float:
    """Correlation of the errors of a limb's two outer joints."""
    pairs = np.concatenate([one[0][:, list(limb)].swapaxes(1, 2).reshape(-1, 2) for one in off for limb in LIMBS])
    pairs = pairs[np.isfinite(pairs).all(-1)]
    return float(np.corrcoef(pairs.T)[0, 1])


if __name__ == "__main__":
    tyro.cli(main)
