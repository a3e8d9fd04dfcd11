"""Shared npz files of keypoints and poses → sequences before their cameras, which the files themselves lack."""

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

SHOWN = 8
"""Names that a line of the report lists."""


@dataclass(frozen=True)
class Studio:
    """What the files do not say: frames a second, and the cameras in their order with width and height in pixels."""

    rate: float
    sizes: Mapping[str, tuple[int, int]]


STUDIOS = {
    H36M17: Studio(human36m.RATE, human36m.SIZES),
    HUMANEVA15: Studio(60.0, {"C1": (640, 480), "C2": (640, 480), "C3": (640, 480)}),
}
"""By layout of the poses."""


@dataclass(frozen=True, eq=False)
class Conversion:
    """Sequences, the cameras that were found for them by (subject, camera), and what was left out or assumed."""

    bank: SequenceBank
    cameras: Mapping[tuple[str, str], Resection]
    notes: tuple[str, ...]

    def __str__(self) -> str:
        """The report: several lines."""
        subjects, kinds = Counter[str](), Counter[str]()
        for one in self.bank:
            subjects[one.subject] += len(one)
            kinds[one.kind] += len(one)
        errors = (f"{subject} {view} {one.residual:.3f}" for (subject, view), one in self.cameras.items())
        found = f"Error of the cameras found, pixels (RMS): {', '.join(errors)}" if self.cameras else None
        frames = (f"{name} {count}" for name, count in subjects.items())
        actions = (f"{name} {count}" for name, count in kinds.items())
        parts = f"By subject: {', '.join(frames)}", f"By action: {', '.join(actions)}"
        return "\n".join(f"{line}." for line in (str(self.bank), *parts, found, *self.notes) if line)


def read_community(
    path_2d: Path, path_3d: Path | None = None, truth_2d: Path | None = None, rate: float | None = None
) -> Conversion:
    """The sequences of a file of keypoints, with the truth of a file of poses where there is one.

    The cameras of Human3.6M and HumanEva are found from the poses and their exact projections: those in ``truth_2d``,
    by default ``path_2d`` itself. Without poses, the files must be of users' own videos, for which a field of view is
    assumed. ``rate``: frames a second, where it is not the data set's. Raises ``DataError`` naming file and key.
    """
    seen = read_2d(path_2d)
    if path_3d is None:
        return _videos(path_2d, seen, rate)
    poses = read_3d(path_3d)
    exact, path_exact = (seen, path_2d) if truth_2d is None else (read_2d(truth_2d), truth_2d)
    if exact.layout != poses.layout:
        raise DataError(
            f"{path_exact} has {exact.layout} keypoints, and {path_3d} has {poses.layout} poses, so that they do not "
            f"tell where the cameras were. Give the ground-truth keypoints of the same recordings too."
        )
    cameras = _cameras(path_exact, exact, poses)
    return _together(path_2d, seen, poses, cameras, rate)


def _cameras(path: Path, exact: Keypoints, poses: Poses) -> dict[tuple[str, str], Resection]:
    """A camera's place is found for each subject: sets were calibrated anew between them."""
    sizes = STUDIOS[poses.layout].sizes
    found: dict[tuple[str, str], Resection] = {}
    common = [recording for recording in exact.recordings if recording in poses.recordings]
    for subject in dict.fromkeys(recording.subject for recording in common):
        for k, (view, size) in enumerate(sizes.items()):
            pairs = [
                _alike(poses.recordings[one], _camera(path, exact, one, k, len(sizes)))
                for one in common
                if one.subject == subject
            ]
            world, pixels = (np.concatenate([pair[i] for pair in pairs]) for i in (0, 1))
            try:
                found[subject, view] = resect(world.reshape(-1, 3), pixels.reshape(-1, 2), size)
            except DataError as error:
                raise DataError(f"{path}: camera {view} of {subject}: {error}") from error
    return found


def _together(
    path: Path, seen: Keypoints, poses: Poses, cameras: Mapping[tuple[str, str], Resection], rate: float | None
) -> Conversion:
    studio = STUDIOS[poses.layout]
    pace = studio.rate if rate is None else rate
    sequences: list[Sequence] = []
    cut: dict[Recording, int] = {}
    for one in seen.recordings:
        for k, (view, size) in enumerate(studio.sizes.items()):
            if (one.subject, view) not in cameras:
                continue
            found = cameras[one.subject, view]
            keypoints, truth = _camera(path, seen, one, k, len(studio.sizes)), None
            if one in poses.recordings:
                world, shown = _alike(poses.recordings[one], keypoints)
                cut[one] = max(cut.get(one, 0), abs(len(poses.recordings[one]) - len(keypoints)))
                keypoints, truth = shown, found.place.to_camera(world.astype(np.float64)).astype(np.float32)
            if len(keypoints):
                sequences.append(
                    Sequence(
                        one.subject, one.action, keypoints, truth, found.camera, size, pace,
                        seen.layout, poses.layout, view,
                    )
                )  # fmt: skip
    known = {subject for subject, _ in cameras}
    notes = (
        _note("Cut to the shorter of keypoints and poses (frames)", (f"{r} {n}" for r, n in cut.items() if n)),
        _note("Without poses", (f"{r}" for r in seen.recordings if r.subject in known and r not in poses.recordings)),
        _note("Left out, no camera", (f"{r}" for r in seen.recordings if r.subject not in known)),
        _note("Left out, no keypoints", (f"{r}" for r in poses.recordings if r not in seen.recordings)),
        "Confidences of the keypoints are not kept" if seen.scored else "",
    )
    return Conversion(SequenceBank(tuple(sequences)), cameras, tuple(filter(None, notes)))


def _videos(path: Path, seen: Keypoints, rate: float | None) -> Conversion:
    """Users' own videos, without truth."""
    if rate is None:
        raise SettingsError(f"{path} does not say how many frames a second its videos have. Give the rate.")
    if lacking := sorted({one.subject for one in seen.recordings} - seen.sizes.keys()):
        raise DataError(
            f"{path}: video_metadata has no size for {_listed(lacking)}. Expected it for every video; for a data set "
            f"with poses, give their file too."
        )
    sequences = tuple(
        Sequence(
            one.subject, one.action, keypoints, None,
            Camera.from_field_of_view(DEFAULT_FIELD_OF_VIEW, seen.sizes[one.subject]), seen.sizes[one.subject], rate,
            seen.layout, H36M17, str(k) if len(cameras) > 1 else "",
        )
        for one, cameras in seen.recordings.items()
        for k, keypoints in enumerate(cameras)
        if len(keypoints)
    )  # fmt: skip
    notes = (
        f"Assumed a field of view of {DEFAULT_FIELD_OF_VIEW:.0f}° along the longer side",
        "Confidences of the keypoints are not kept" if seen.scored else "",
    )
    return Conversion(SequenceBank(sequences), {}, tuple(filter(None, notes)))


def _camera(path: Path, file: Keypoints, one: Recording, k: int, count: int) -> np.ndarray:
    cameras = file.recordings[one]
    if len(cameras) != count:
        raise DataError(f"{path}: positions_2d of {one} has {len(cameras)} cameras. Expected {count}, in usual order.")
    return cameras[k]


def _alike(poses: np.ndarray, keypoints: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Both from the first frame on, as long as both last: by custom, what one has more stands at its end."""
    frames = min(len(poses), len(keypoints))
    return poses[:frames], keypoints[:frames]


def _note(what: str, names: Iterable[str]) -> str:
    found = list(names)
    return f"{what}: {_listed(found)}" if found else ""


def _listed(names: list[str]) -> str:
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return ", ".join(names[:SHOWN]) + more
