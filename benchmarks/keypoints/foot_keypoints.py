"""Measure where BlazePose puts heels and big toes on the calibrated clips; prints JSON.

    python -m benchmarks.keypoints.foot_keypoints [--frames 100] [--cache FOLDER]

``offsets_mm``: triangulated keypoints of the detectors ``full`` and ``heavy`` minus the marks of
``benchmarks.bodies.feet``, for each mark and on average, in the axes of the foot: x outward, y up, z forward.
``keypoint_axes_mm``: the same in the axes between the keypoints instead of the marks (``feet.OFFSETS``).
``length_m``: from heel to big toe. Then for each detector, person and view, of ankles, heels and big toes: ``error``:
mean distance in the picture from the projected reference, in px, and in mm at its depth; ``image_mm``: median of the
error (x to the right, y down) of the left and of the right joint; ``noise_mm``: standard deviation around it, per
coordinate, without errors beyond ``FAR``; ``seen``: fraction of frames with the keypoint.
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import tyro
from jaxtyping import Float

from benchmarks.bodies.calibrated_tracks import SHOD, Seen
from benchmarks.bodies.feet import FOOT_PARTS, MARKS, Mark, axes, joints, keypoints, marked, metres_per_pixel
from benchmarks.bodies.rig import View
from benchmarks.keypoints.keypoint_offsets import FAR, named
from kinelift.poses import COCO23, Track2D


def main(frames: int = 100, cache: Path | None = None) -> None:
    """Measure and print.

    Args:
        frames: Number of frames to use of each clip.
        cache: Folder in which the 2D tracks are cached (see ``benchmarks.bodies.calibrated``).
    """
    everybody = named(frames, cache)
    people = {who: errors(seen) for who, seen in everybody.items()}
    print(json.dumps({**offsets(everybody["the man"]), "people": people}, indent=2))


def offsets(man: Seen) -> Mapping[str, Any]:
    """Keypoints minus marks, in both axes."""
    by_marks, by_keypoints = (np.stack([one(man, mark) for mark in MARKS]) for one in (from_marks, from_keypoints))
    lengths = [np.linalg.norm(toe - heel, axis=-1) for heel, toe, _ in (keypoints(man, s) for s in ("left", "right"))]
    return {
        "offsets_mm": {
            part: _mm([*by_marks[:, k], by_marks[:, k].mean(axis=0)]) for k, part in enumerate(FOOT_PARTS[1:])
        },
        "keypoint_axes_mm": {part: _mm(by_keypoints[:, k].mean(axis=0)) for k, part in enumerate(FOOT_PARTS[1:])},
        "length_m": round(float(np.nanmedian(lengths)), 4),
    }


def from_marks(man: Seen, mark: Mark) -> Float[np.ndarray, "2 3"]:
    """Offsets of heel and big toe in the axes between the marks, x outward, m."""
    return _apart(man, mark, *marked(man.views, mark))


def from_keypoints(man: Seen, mark: Mark) -> Float[np.ndarray, "2 3"]:
    """Offsets of heel and big toe in the axes between the keypoints, x outward, m."""
    return _apart(man, mark, *_still(man, mark)[:2])


def _apart(man: Seen, mark: Mark, heel: np.ndarray, toe: np.ndarray) -> Float[np.ndarray, "2 3"]:
    found = _still(man, mark)
    turn = axes(heel, toe, found[2])
    outward = np.array([1.0 if mark.side == "left" else -1.0, 1.0, 1.0])
    return np.stack([turn @ (a - b) * outward for a, b in zip(found[:2], marked(man.views, mark), strict=True)])


def _still(man: Seen, mark: Mark) -> list[Float[np.ndarray, " 3"]]:
    """Heel, big toe and ankle by the keypoints: medians over the frames of a mark, and two around them."""
    first, last = mark.frames
    return [np.nanmedian(points[max(first - 2, 0) : last + 3], axis=0) for points in keypoints(man, mark.side)]


def errors(seen: Seen) -> Mapping[str, Any]:
    """The figures of each detector in each view."""
    return {
        way: {
            f"view {k}": {part: part_errors(view, track, seen, part) for part in FOOT_PARTS}
            for k, (view, track) in enumerate(zip(seen.views, seen.with_feet[way], strict=True), start=1)
        }
        for way in SHOD
    }


def part_errors(view: View, track: Track2D, seen: Seen, part: str) -> Mapping[str, Any]:
    """The figures of the left and right joint of one name."""
    names = [f"{side}_{part}" for side in ("left", "right")]
    truth = joints(seen, names)
    pixels = np.where(track.filled[..., None], np.nan, track.points)[:, [COCO23.index(name) for name in names]]
    off = pixels - view.image(truth)
    metres = off * metres_per_pixel(view, truth)
    near = np.where(np.linalg.norm(metres, axis=-1, keepdims=True) < FAR, metres, np.nan)
    middle = np.nanmedian(near, axis=0)
    return {
        "error": [round(float(np.nanmean(np.linalg.norm(off, axis=-1))), 1),
                  round(1000 * float(np.nanmean(np.linalg.norm(metres, axis=-1))), 1)],
        "image_mm": dict(zip(("left", "right"), _mm(middle), strict=True)),
        "noise_mm": round(1000 * float(np.sqrt(np.nanmean(np.square(near - middle)))), 1),
        "seen": round(float(np.isfinite(pixels[..., 0]).mean()), 3),
    }  # fmt: skip


def _mm(metres: Sequence[Float[np.ndarray, " 3"]] | Float[np.ndarray, "*many"]) -> Any:
    return np.round(1000 * np.asarray(metres), 1).tolist()


if __name__ == "__main__":
    tyro.cli(main)
