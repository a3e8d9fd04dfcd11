"""Plausibility of captured bodies: each subject's proportions and joint angles, compared with human ranges."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from jaxtyping import Float

from kinelift.lifting.mocap.feet import SIDES, resting
from kinelift.lifting.mocap.retarget import Clips, flexion
from kinelift.lifting.synthesis.bank import MOCAP

RANGES: Mapping[str, tuple[float, float]] = {
    "shank/thigh": (0.87, 1.11),
    "forearm/upper arm": (0.80, 1.08),
    "shoulders": (0.28, 0.42),
    "hips": (0.14, 0.20),
    "stature": (1.45, 1.98),
    "knee p2": (0.0, 6.0),
    "knee p50": (3.0, 60.0),
    "elbow p2": (0.0, 30.0),
    "gaze": (-25.0, 10.0),
    "foot/stature": (0.10, 0.123),
    "sole": (-5.0, 5.0),
}
"""Human ranges. Lengths are between joint centres, in metres, 1st to 99th percentile of women and men (ANSUR II, US
Army 2012; arms: to the lower forearm of Winter's tables). Flexions are in degrees, percentiles over a session with some
walking (Soucie 2011: legs extend to 0; Perry: 0–5 at heel strike). ``gaze`` is the elevation of the line from ears to
nose in degrees, median of upright frames; the nose is 5° below the ears. ``foot`` is the distance from the ankle to the
tip of the big toe. ``sole`` is the elevation of the line from heel to big toe in degrees, median of the frames in which
a foot rests on the floor; before retargeting, heels are not known and it is that of the recorded foot's axis."""


@dataclass(frozen=True)
class SubjectAudit:
    """One subject of one session. ``values`` are by the names of ``RANGES``."""

    session: str
    subject: str
    frames: int
    values: Mapping[str, float]

    @property
    def out_of_range(self) -> tuple[str, ...]:
        """Names of the values outside the human range."""
        return tuple(n for n, v in self.values.items() if not RANGES[n][0] - 5e-3 <= v <= RANGES[n][1] + 5e-3)


def audit(session: str, subject: str, clips: Clips) -> SubjectAudit:
    """Measure all clips (joints in metres) of a subject in a session."""
    points = np.concatenate(clips)
    knees, elbows = (
        np.concatenate([flexion(points, side, limb) for side in ("left", "right")]) for limb in ("leg", "arm")
    )
    thigh, shank = _length(points, "left_hip", "left_knee"), _length(points, "left_knee", "left_ankle")
    upper, fore = _length(points, "left_shoulder", "left_elbow"), _length(points, "left_elbow", "left_wrist")
    spine = ("hip", "spine", "thorax", "neck", "head")
    foot = _length(points, "left_ankle", "left_big_toe")
    back = sum(_length(points, a, b) for a, b in pairwise(spine))
    stature = (thigh + shank + back) / 0.96
    values = {
        "shank/thigh": shank / thigh,
        "forearm/upper arm": fore / upper,
        "shoulders": _length(points, "left_shoulder", "right_shoulder"),
        "hips": _length(points, "left_hip", "right_hip"),
        "stature": stature,
        "knee p2": float(np.percentile(knees, 2)),
        "knee p50": float(np.percentile(knees, 50)),
        "elbow p2": float(np.percentile(elbows, 2)),
        "gaze": _gaze(points),
        "foot/stature": foot / stature,
        "sole": _sole(clips),
    }
    return SubjectAudit(session, subject, len(points), values)


def table(rows: Sequence[SubjectAudit]) -> str:
    """Format as Markdown, one row per subject. Values out of range are marked in the table and listed below."""
    head = ["session", "subject", "frames", *RANGES]
    lines = [head, ["---"] * 2 + ["---:"] * (len(head) - 2)]
    lines.append(["people", "", "", *(f"{low:.3g} – {high:.3g}" for low, high in RANGES.values())])
    for row in rows:
        cells = [f"{v:.2f}{' !' if n in row.out_of_range else ''}" for n, v in row.values.items()]
        lines.append([row.session, row.subject, str(row.frames), *cells])
    outliers = [
        f"- {row.session}, subject {row.subject}: {', '.join(row.out_of_range)}" for row in rows if row.out_of_range
    ]
    footer = ["", "Out of range:", *outliers] if outliers else ["", "Nothing is out of range."]
    return "\n".join(["| " + " | ".join(line) + " |" for line in lines] + footer)


def _length(points: Float[np.ndarray, "T J 3"], start: str, end: str) -> float:
    return float(np.median(np.linalg.norm(points[:, MOCAP.index(end)] - points[:, MOCAP.index(start)], axis=1)))


def _sole(clips: Clips) -> float:
    lines = []
    for side in SIDES:
        for points in clips:
            stance = points[resting(points, side)]
            lines.append(stance[:, MOCAP.index(f"{side}_big_toe")] - stance[:, MOCAP.index(f"{side}_heel")])
    line = np.concatenate(lines)
    return float(np.degrees(np.median(np.arctan2(line[:, 1], np.hypot(line[:, 0], line[:, 2])))))


def _gaze(points: Float[np.ndarray, "T J 3"]) -> float:
    at = {name: points[:, MOCAP.index(name)] for name in ("nose", "left_ear", "right_ear", "hip", "thorax")}
    forward, up = at["nose"] - (at["left_ear"] + at["right_ear"]) / 2, at["thorax"] - at["hip"]
    forward, up = (v / np.linalg.norm(v, axis=1, keepdims=True) for v in (forward, up))
    upright = up[:, 1] > 0.9
    return float(np.degrees(np.median(np.arcsin(forward[upright, 1])))) if upright.any() else 0.0
