"""Reads shared npz files of keypoints and poses, and calibrates the cameras, which the files do not contain."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from kinelift.lifting.datasets import human36m
from kinelift.lifting.datasets.resection import Resection, resect
from kinelift.lifting.datasets.sequences import Sequence, SequenceBank
from kinelift.lifting.datasets.videopose3d import HUMANEVA15, Keypoints, Poses, Recording, read_2d, read_3d
from kinelift.poses import H36M17
from kinelift.poses.camera import DEFAULT_FIELD_OF_VIEW, Camera
from kinelift.poses.errors import DataError, SettingsError

MAX_LISTED = 8
"""Names listed per line of the report."""


@dataclass(frozen=True)
class CaptureSetup:
    """Facts that the files do not contain: frames per second, and the cameras in order with their image sizes."""

    rate: float
    sizes: Mapping[str, tuple[int, int]]


SETUPS = {
    H36M17: CaptureSetup(human36m.RATE, human36m.SIZES),
    HUMANEVA15: CaptureSetup(60.0, {"C1": (640, 480), "C2": (640, 480), "C3": (640, 480)}),
}
"""By skeleton of the poses."""


@dataclass(frozen=True, eq=False)
class Conversion:
    """Sequences, their cameras by (subject, camera), and notes on what was left out or assumed."""

    bank: SequenceBank
    cameras: Mapping[tuple[str, str], Resection]
    notes: tuple[str, ...]

    def __str__(self) -> str:
        """The report, in several lines."""
        subjects, kinds = Counter[str](), Counter[str]()
        for one in self.bank:
            subjects[one.subject] += len(one)
            kinds[one.kind] += len(one)
        errors = (f"{subject} {view} {one.residual:.3f}" for (subject, view), one in self.cameras.items())
        calibrated = (
            f"Reprojection error of the calibrated cameras, pixels (RMS): {', '.join(errors)}" if self.cameras else None
        )
        frames = (f"{name} {count}" for name, count in subjects.items())
        actions = (f"{name} {count}" for name, count in kinds.items())
        parts = f"By subject: {', '.join(frames)}", f"By action: {', '.join(actions)}"
        return "\n".join(f"{line}." for line in (str(self.bank), *parts, calibrated, *self.notes) if line)


def read_community(
    path_2d: Path, path_3d: Path | None = None, truth_2d: Path | None = None, rate: float | None = None
) -> Conversion:
    """Read the sequences of a file of keypoints, with true poses from a second file.

    Args:
        path_2d: A ``data_2d_*`` file.
        path_3d: A ``data_3d_*`` file of the true poses. Without it, the keypoints must be of users' own videos, whose
            field of view is assumed.
        truth_2d: A ``data_2d_*`` file of the exact projections of the poses, to calibrate the cameras with. By default
            it is ``path_2d``.
        rate: Frames per second, if it is not the data set's.

    Raises:
        DataError: A file is not valid, or its cameras cannot be calibrated; the message names the file.
        SettingsError: The rate is missing.
    """
    keypoints = read_2d(path_2d)
    if path_3d is None:
        return _videos(path_2d, keypoints, rate)
    poses = read_3d(path_3d)
    exact, path_exact = (keypoints, path_2d) if truth_2d is None else (read_2d(truth_2d), truth_2d)
    if exact.layout != poses.layout:
        raise DataError(
            f"{path_exact} has {exact.layout} keypoints and {path_3d} {poses.layout} poses, so the cameras cannot be "
            f"calibrated. Give the ground-truth keypoints of the same recordings too."
        )
    cameras = _cameras(path_exact, exact, poses)
    return _labelled(path_2d, keypoints, poses, cameras, rate)


def _cameras(path: Path, exact: Keypoints, poses: Poses) -> dict[tuple[str, str], Resection]:
    """Calibrate every camera for each subject, because cameras moved between subjects."""
    sizes = SETUPS[poses.layout].sizes
    cameras: dict[tuple[str, str], Resection] = {}
    common = [recording for recording in exact.recordings if recording in poses.recordings]
    for subject in dict.fromkeys(recording.subject for recording in common):
        for k, (view, size) in enumerate(sizes.items()):
            pairs = [
                _trim(poses.recordings[one], _camera(path, exact, one, k, len(sizes)))
                for one in common
                if one.subject == subject
            ]
            world, pixels = (np.concatenate([pair[i] for pair in pairs]) for i in (0, 1))
            try:
                cameras[subject, view] = resect(world.reshape(-1, 3), pixels.reshape(-1, 2), size)
            except DataError as error:
                raise DataError(f"{path}: camera {view} of {subject}: {error}") from error
    return cameras


def _labelled(
    path: Path, detections: Keypoints, poses: Poses, cameras: Mapping[tuple[str, str], Resection], rate: float | None
) -> Conversion:
    """Combine keypoints, true poses and cameras to sequences."""
    setup = SETUPS[poses.layout]
    frame_rate = setup.rate if rate is None else rate
    sequences: list[Sequence] = []
    cut: dict[Recording, int] = {}
    for one in detections.recordings:
        for k, (view, size) in enumerate(setup.sizes.items()):
            if (one.subject, view) not in cameras:
                continue
            resection = cameras[one.subject, view]
            keypoints, truth = _camera(path, detections, one, k, len(setup.sizes)), None
            if one in poses.recordings:
                world, trimmed = _trim(poses.recordings[one], keypoints)
                cut[one] = max(cut.get(one, 0), abs(len(poses.recordings[one]) - len(keypoints)))
                keypoints = trimmed
                truth = resection.extrinsics.to_camera(world.astype(np.float64)).astype(np.float32)
            if len(keypoints):
                sequences.append(
                    Sequence(
                        one.subject, one.action, keypoints, truth, resection.camera, size, frame_rate,
                        detections.layout, poses.layout, view,
                    )
                )  # fmt: skip
    calibrated = {subject for subject, _ in cameras}
    notes = (
        _note("Cut to the shorter of keypoints and poses (frames)", (f"{r} {n}" for r, n in cut.items() if n)),
        _note(
            "Without poses",
            (f"{r}" for r in detections.recordings if r.subject in calibrated and r not in poses.recordings),
        ),
        _note("Left out, no camera", (f"{r}" for r in detections.recordings if r.subject not in calibrated)),
        _note("Left out, no keypoints", (f"{r}" for r in poses.recordings if r not in detections.recordings)),
        "The confidences of the keypoints are ignored" if detections.scored else "",
    )
    return Conversion(SequenceBank(tuple(sequences)), cameras, tuple(filter(None, notes)))


def _videos(path: Path, file: Keypoints, rate: float | None) -> Conversion:
    """Convert users' own videos, which have no true poses."""
    if rate is None:
        raise SettingsError(f"{path} does not contain the frame rate of its videos. Give the rate.")
    if missing := sorted({one.subject for one in file.recordings} - file.sizes.keys()):
        raise DataError(
            f"{path}: video_metadata has no size for {_listed(missing)}. It must have one for every video. For a data "
            f"set with poses, give their file too."
        )
    sequences = tuple(
        Sequence(
            one.subject, one.action, keypoints, None,
            Camera.from_field_of_view(DEFAULT_FIELD_OF_VIEW, file.sizes[one.subject]), file.sizes[one.subject], rate,
            file.layout, H36M17, str(k) if len(cameras) > 1 else "",
        )
        for one, cameras in file.recordings.items()
        for k, keypoints in enumerate(cameras)
        if len(keypoints)
    )  # fmt: skip
    notes = (
        f"Assumed a field of view of {DEFAULT_FIELD_OF_VIEW:.0f}° along the longer side",
        "The confidences of the keypoints are ignored" if file.scored else "",
    )
    return Conversion(SequenceBank(sequences), {}, tuple(filter(None, notes)))


def _camera(path: Path, file: Keypoints, one: Recording, k: int, count: int) -> np.ndarray:
    cameras = file.recordings[one]
    if len(cameras) != count:
        raise DataError(
            f"{path}: positions_2d of {one} has {len(cameras)} cameras. Expected {count}, in the usual order."
        )
    return cameras[k]


def _trim(poses: np.ndarray, keypoints: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Cut both to the shorter length. By convention, extra frames are at the end."""
    frames = min(len(poses), len(keypoints))
    return poses[:frames], keypoints[:frames]


def _note(what: str, names: Iterable[str]) -> str:
    listed = list(names)
    return f"{what}: {_listed(listed)}" if listed else ""


def _listed(names: list[str]) -> str:
    more = f" and {len(names) - MAX_LISTED} more" if len(names) > MAX_LISTED else ""
    return ", ".join(names[:MAX_LISTED]) + more
