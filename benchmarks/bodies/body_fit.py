"""Compare poses with and without the body fit after the network; prints JSON.

    python -m benchmarks.bodies.body_fit [--lifter NAME|PATH] [--recording FILE] [--cache FOLDER]

``clips``: people of the calibrated clips, lifted from the default detector's keypoints (``found``) and from projections
of the reference (``true``), in cameras 1 and 3 (``chosen``) and 2 and 4 (``reported``). ``p_mpjpe``, ``mpjpe``: mm;
``velocity``: error of the joints' movement from frame to frame, mm; ``knee``, ``elbow``: mean absolute error in
degrees; ``off_px``: median reprojection error of detected joints; ``limbs``: largest coefficient of variation of a limb
length, percent.

``standing``: bodies of ``benchmarks.bodies.standing`` that stand still in the views of
``benchmarks.bodies.still_views``, with exact keypoints. ``straight``: flexion of straight limbs in degrees, median and
worst; ``slope`` and ``bias`` (degrees): of predicted over true flexion at ``BENDS``; ``answers``: median predictions.

``recording``: people of a recording made by the program. ``off_px`` and ``limbs`` as above; ``knees``: median flexion
from 2.2 to 3.7 s. ``ms``: CPU time of the fit in ms per frame, on one thread.

With ``--offsets``, joints do not coincide with keypoints. The keypoints that the fit predicts are then compared with
the detected keypoints, and with the clips' reference, which is derived from keypoints.
"""

import json
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
import tyro
from jaxtyping import Float
from tyro.conf import OmitArgPrefixes

from benchmarks.bodies.body_angles import HINGES, Hinge, flexion, spread
from benchmarks.bodies.calibrated_tracks import Clip, Seen, people, plain
from benchmarks.bodies.lifted_figures import HIPS, SHARED
from benchmarks.bodies.standing import bodies, stand, stature
from benchmarks.bodies.still_views import RATE, SIZE, VIEWS
from benchmarks.reporting import machine
from kinelift.lifting.body import FitSettings, fit
from kinelift.lifting.body.structure import keypoints_at_joints, keypoints_with_offsets
from kinelift.lifting.lifter import Lifter
from kinelift.lifting.measuring.metrics import aligned
from kinelift.lifting.synthesis.offsets import PUBLISHED
from kinelift.poses import COCO17, H36M17, Poses3D, Track2D
from kinelift.poses.camera import DEFAULT_FIELD_OF_VIEW, Camera
from kinelift.poses.recording import load
from kinelift.weights.store import find

BENDS = (0, 10, 20, 30, 60, 90)
"""Degrees of true flexion."""
STILL = 10
"""Number of frames of a body that stands still."""
STANDING = (2.2, 3.7)
"""Interval, s, that is measured of the man of the sample clip, who stands, bends his knees and jumps in it."""
CLIPS: tuple[Clip, ...] = ("single", "multi")


@dataclass(frozen=True, eq=False)
class Case:
    """A track, its camera and the network's poses, with the reference where it is known.

    Attributes:
        name: The body or person.
        track: 2D keypoints.
        camera: The camera of the track.
        raw: Poses of the network without the fit.
        truth: Reference positions of the joints ``SHARED``, m, in the camera frame.
        bends: True flexion by hinge, degrees.
    """

    name: str
    track: Track2D
    camera: Camera
    raw: Poses3D
    truth: Float[np.ndarray, "T 12 3"] | None = None
    bends: Mapping[str, float] | None = None


def main(
    settings: OmitArgPrefixes[FitSettings],
    lifter: str = "default",
    recording: Path | None = None,
    cache: Path | None = None,
    drawn: int = 2,
) -> None:
    """Measure and print.

    Args:
        settings: Settings of the fit.
        lifter: Name of a lifter, or path of its checkpoint.
        recording: A recording of the sample clip.
        cache: Folder in which tracks of the calibrated clips are cached.
        drawn: Number of adults sampled from the survey, in addition to the named bodies.
    """
    network = Lifter.load(find(lifter))
    groups = {
        "clips": list(clips(network, cache)),
        "standing": list(standing(network, drawn)),
        "recording": list(recorded(network, recording)) if recording else [],
    }
    print(json.dumps({"machine": machine(), "lifter": lifter, **compared(groups, settings)}, indent=2))


def compared(groups: Mapping[str, Sequence[Case]], settings: FitSettings) -> dict[str, Any]:
    """Compute all figures without and with the fit."""
    off = {name: [case.raw for case in cases] for name, cases in groups.items()}
    start = time.process_time()
    on = {name: [fit(case.track, case.raw, case.camera, settings) for case in cases] for name, cases in groups.items()}
    spent = time.process_time() - start
    frames = sum(len(case.track) for cases in groups.values() for case in cases)
    share = settings.offsets
    table = (1 - share) * keypoints_at_joints() + share * keypoints_with_offsets(PUBLISHED)
    found = {"off": figures(groups, off, keypoints_at_joints()), "on": figures(groups, on, table)}
    return {"ms": round(1000 * spent / frames, 2), **found}


Table = Float[np.ndarray, "K J"]
"""Keypoints as linear combinations of joints."""


def figures(
    groups: Mapping[str, Sequence[Case]], answers: Mapping[str, Sequence[Poses3D]], table: Table
) -> dict[str, Any]:
    """All figures for one set of poses, whose keypoints follow from ``table``."""
    named: dict[str, list[tuple[Case, Poses3D]]] = {}
    for case, poses in zip(groups["clips"], answers["clips"], strict=True):
        named.setdefault(case.name, []).append((case, poses))
    still = list(zip(groups["standing"], answers["standing"], strict=True))
    return {
        "clips": {
            name: {"chosen": against(some[::2], table), "reported": against(some[1::2], table)}
            for name, some in named.items()
        },
        "standing": {hinge: followed(still, hinge) for hinge in HINGES} if still else {},
        "recording": {
            case.name: {
                "off_px": median_off([(case, poses)], table),
                "limbs": limbs([poses]),
                "knees": standing_knees(poses),
            }
            for case, poses in zip(groups["recording"], answers["recording"], strict=True)
        },
    }


def clips(lifter: Lifter, cache: Path | None) -> Iterator[Case]:
    """The people of the calibrated clips in each view, with detected and with exact keypoints."""
    for clip in CLIPS:
        for k, who in enumerate(people(clip, 100, cache)):
            for way in ("full", "truth"):
                yield from _views(f"{clip} {k} {'true' if way == 'truth' else 'found'}", who, way, lifter)


def _views(name: str, who: Seen, way: str, lifter: Lifter) -> Iterator[Case]:
    joints = [COCO17.index(joint) for joint in SHARED]
    for k, view in enumerate(who.views):
        track = plain(view.image(who.truth)) if way == "truth" else who.tracks[way][k]
        truth = view.place.to_camera(who.truth)[:, joints]
        yield Case(name, track, view.camera, lifter.lift(track, view.camera), truth)


def standing(lifter: Lifter, drawn: int) -> Iterator[Case]:
    """Each body with each flexion in each view."""
    camera = Camera.from_field_of_view(DEFAULT_FIELD_OF_VIEW, SIZE)
    bends = [{"knee": float(knee), "elbow": 0.0} for knee in BENDS]
    bends += [{"knee": 0.0, "elbow": float(elbow)} for elbow in BENDS[1:]]
    for name, lengths in bodies(drawn, 0).items():
        for view in VIEWS:
            for bend in bends:
                track = still(view.keypoints(stand(lengths, **bend), stature(lengths)), 1)
                one = lifter.lift(track, camera)
                yield Case(name, still(track.points[0], STILL), camera, lasting(one, STILL), bends=bend)


def still(points: Float[np.ndarray, "J 2"], frames: int) -> Track2D:
    """A track of a body that does not move."""
    shape = (frames, len(points))
    repeated = np.broadcast_to(points, (*shape, 2)).copy()
    return Track2D(repeated, np.ones(shape), np.arange(frames) / RATE, np.zeros(shape, bool), 0, SIZE)


def lasting(poses: Poses3D, frames: int) -> Poses3D:
    """A pose repeated over ``frames``."""
    root = None if poses.root is None else poses.root.repeat(frames, 0)
    return Poses3D(poses.points.repeat(frames, 0), np.arange(frames) / RATE, root, poses.skeleton)


def recorded(lifter: Lifter, path: Path) -> Iterator[Case]:
    """The people of a recording."""
    for who in load(path).people:
        camera = Camera.from_field_of_view(DEFAULT_FIELD_OF_VIEW, who.track.size)
        yield Case(f"person {who.id}", who.track, camera, lifter.lift(who.track, camera))


def against(some: Sequence[tuple[Case, Poses3D]], table: Table) -> dict[str, float]:
    """Errors against the reference."""
    rows = table[[COCO17.index(joint) for joint in SHARED]]
    pairs = [(rows @ poses.points, case.truth) for case, poses in some if case.truth is not None]
    shown = [np.isfinite(p).all((1, 2)) & np.isfinite(t).all((1, 2)) for p, t in pairs]
    middle = [(p - p[:, HIPS].mean(1, keepdims=True), t - t[:, HIPS].mean(1, keepdims=True)) for p, t in pairs]
    near = [np.linalg.norm(aligned(p[s], t[s]) - t[s], axis=-1) for (p, t), s in zip(middle, shown, strict=True)]
    plain_ = [np.linalg.norm(p - t, axis=-1) for p, t in middle]
    speed = [np.linalg.norm(np.diff(p - t, axis=0), axis=-1) for p, t in middle]
    angles = {
        f"{hinge}": mean([np.abs(bent(p, hinge) - bent(t, hinge)) for p, t in middle], 1) for hinge in ("knee", "elbow")
    }
    bias = {
        f"{hinge}_bias": mean([bent(p, hinge) - bent(t, hinge) for p, t in middle], 1) for hinge in ("knee", "elbow")
    }
    return {
        "p_mpjpe": mean(near), "mpjpe": mean(plain_), "velocity": mean(speed), **angles, **bias,
        "off_px": median_off(some, table), "limbs": limbs([poses for _, poses in some]),
    }  # fmt: skip


def bent(points: Float[np.ndarray, "T 12 3"], hinge: Hinge) -> Float[np.ndarray, "T 2"]:
    """Flexion in degrees, from the joints ``SHARED``."""
    whole = np.full((len(points), len(H36M17), 3), np.nan)
    whole[:, [H36M17.index(joint) for joint in SHARED]] = points
    return flexion(whole, hinge)


def median_off(some: Sequence[tuple[Case, Poses3D]], table: Table) -> float:
    """Median reprojection error of detected keypoints, px."""
    off, known = [], np.isfinite(table).all(1)
    for case, poses in some:
        assert poses.root is not None
        image = case.camera.project(table[known] @ (poses.points + poses.root[:, None]))
        seen = np.where(case.track.filled[..., None], np.nan, case.track.points)[:, known]
        off.append(np.linalg.norm(image - seen, axis=-1))
    return round(float(np.nanmedian(np.concatenate(off))), 2)


def limbs(poses: Sequence[Poses3D]) -> float:
    """Largest coefficient of variation of a limb length, percent."""
    return round(max(percent for one in poses for percent in spread(one).values()), 2)


def standing_knees(poses: Poses3D) -> float:
    """Median knee flexion during ``STANDING``, degrees."""
    during = (poses.times >= STANDING[0]) & (poses.times <= STANDING[1])
    return round(float(np.nanmedian(flexion(poses.points[during], "knee"))), 1)


def followed(some: Sequence[tuple[Case, Poses3D]], hinge: Hinge) -> dict[str, Any]:
    """Flexion of straight limbs, and predicted against true flexion."""
    other = "elbow" if hinge == "knee" else "knee"
    rows = [
        (case.bends[hinge], np.nanmedian(flexion(poses.points, hinge), axis=0))
        for case, poses in some
        if case.bends is not None and case.bends[other] == 0
    ]
    true, predicted = np.array([row[0] for row in rows]), np.stack([row[1] for row in rows])
    straight = predicted[true == 0]
    return {
        "straight": {"median": round(float(np.median(straight)), 1), "worst": round(float(straight.max()), 1)},
        "slope": round(float(np.polyfit(true.repeat(2), predicted.ravel(), 1)[0]), 3),
        "bias": round(float((predicted - true[:, None]).mean()), 1),
        "answers": {str(bend): round(float(np.median(predicted[true == bend])), 1) for bend in BENDS},
    }


def mean(parts: Sequence[Float[np.ndarray, "*many"]], scale: float = 1000) -> float:
    """Mean over all values, without NaN, times ``scale``."""
    return round(scale * float(np.nanmean(np.concatenate([part.ravel() for part in parts]))), 1)


if __name__ == "__main__":
    torch.set_num_threads(1)
    tyro.cli(main)
