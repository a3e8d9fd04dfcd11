"""Recordings of people by known cameras: keypoints, true poses if known, and the file format of both."""

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from math import isfinite
from pathlib import Path

import numpy as np
from jaxtyping import Float, Shaped

from kinelift.lifting.synthesis.trials import Trial
from kinelift.poses import Skeleton, Track2D, skeleton
from kinelift.poses.camera import Camera
from kinelift.poses.errors import DataError, SettingsError, ShapeError
from kinelift.poses.output import make_folder, replacing

FORMAT = 1


@dataclass(frozen=True, eq=False)
class Sequence:
    """One person over consecutive frames of one camera.

    Attributes:
        subject: Who it is.
        action: What the person does.
        keypoints: Pixels of ``camera``, NaN where not visible.
        truth: True poses in metres in the frame of ``camera`` (x right, y down, z forward), not relative to any joint,
            NaN where not recorded; or None.
        camera: The camera.
        size: Width and height of the image in pixels.
        rate: Frames per second.
        source: Skeleton of the keypoints.
        target: Skeleton of the true poses.
        view: Name of the camera.

    Raises:
        ShapeError: ``keypoints`` or ``truth`` have another shape.
        DataError: There are no frames.
        SettingsError: ``size`` or ``rate`` is not positive.
    """

    subject: str
    action: str
    keypoints: Float[np.ndarray, "T J 2"]
    truth: Float[np.ndarray, "T K 3"] | None
    camera: Camera
    size: tuple[int, int]
    rate: float
    source: Skeleton
    target: Skeleton
    view: str = ""

    def __post_init__(self) -> None:
        _expect(self, "keypoints", self.keypoints, (len(self.keypoints), len(self.source), 2))
        if self.truth is not None:
            _expect(self, "truth", self.truth, (len(self.keypoints), len(self.target), 3))
        if not len(self.keypoints):
            raise DataError(f"{self} has no frames. Leave it out.")
        if not (isfinite(self.rate) and self.rate > 0 and min(self.size) > 0):
            raise SettingsError(
                f"{self} has {self.rate} frames per second of {self.size} pixels. Give positive numbers."
            )

    def __str__(self) -> str:
        return ", ".join(filter(None, (f"subject {self.subject}", self.action, self.view and f"camera {self.view}")))

    def __len__(self) -> int:
        return len(self.keypoints)

    @property
    def kind(self) -> str:
        """The action without the number of its repetition, which follows the first space."""
        return self.action.split(" ")[0]

    def track(self) -> Track2D:
        """Convert the keypoints to a track, with score 1 where visible."""
        seen = np.isfinite(self.keypoints).all(-1)
        times = np.arange(len(self)) / self.rate
        points = np.where(seen[..., None], self.keypoints.astype(np.float64), np.nan)
        return Track2D(points, seen.astype(float), times, np.zeros_like(seen), 0, self.size, self.source)

    def trial(self) -> Trial:
        """Convert the recording to a test of a lifter; its errors are grouped by ``kind``.

        Raises:
            DataError: There are no true poses.
        """
        if self.truth is None:
            raise DataError(f"{self} has no true poses to compare with. Choose sequences that have them.")
        truth = self.truth.astype(np.float64)
        truth = truth - truth[:, self.target.root, None]
        return Trial(self.subject, self.kind, self.track(), truth, self.camera)


@dataclass(frozen=True, eq=False)
class SequenceBank:
    """Sequences with the same skeletons of keypoints and poses."""

    sequences: tuple[Sequence, ...]

    def __post_init__(self) -> None:
        if not self.sequences:
            raise DataError("No sequences. Choose other subjects, actions or cameras, or other files.")
        for one in self.sequences:
            if (one.source, one.target) != (self.source, self.target):
                raise DataError(
                    f"{one} has layouts {one.source} and {one.target}, others have {self.source} and {self.target}. "
                    f"Keep data of several layouts in separate files."
                )

    def __len__(self) -> int:
        return len(self.sequences)

    def __iter__(self) -> Iterator[Sequence]:
        return iter(self.sequences)

    def __str__(self) -> str:
        labelled = sum(len(one) for one in self if one.truth is not None) / self.frames
        minutes = sum(len(one) / one.rate for one in self) / 60
        return (
            f"{len(self)} sequences of {len({one.subject for one in self})} subjects by "
            f"{len({one.view for one in self})} cameras: {self.frames} frames, {minutes:.1f} minutes, "
            f"{labelled:.0%} with true poses ({self.source} → {self.target})"
        )

    @property
    def source(self) -> Skeleton:
        """Skeleton of all keypoints."""
        return self.sequences[0].source

    @property
    def target(self) -> Skeleton:
        """Skeleton of all true poses."""
        return self.sequences[0].target

    @property
    def frames(self) -> int:
        """Total number of frames."""
        return sum(map(len, self))

    def select(
        self,
        subjects: Collection[str] | None = None,
        actions: Collection[str] | None = None,
        cameras: Collection[str] | None = None,
    ) -> "SequenceBank":
        """Select sequences by subject, action and camera.

        Args:
            subjects: Names of subjects, or None for all.
            actions: Exact names of actions (``action`` or ``kind``), or None for all.
            cameras: Names of cameras, or None for all.

        Raises:
            DataError: A name is unknown, or no sequence matches.
        """
        for what, requested, known in (
            ("subject", subjects, {one.subject for one in self}),
            ("action", actions, {name for one in self for name in (one.kind, one.action)}),
            ("camera", cameras, {one.view for one in self}),
        ):
            if unknown := sorted(set(requested or ()) - known):
                raise DataError(f"No {what} {', '.join(unknown)} here. There are: {', '.join(sorted(known))}.")
        return self.filter(
            lambda one: (
                (subjects is None or one.subject in subjects)
                and (actions is None or one.kind in actions or one.action in actions)
                and (cameras is None or one.view in cameras)
            )
        )

    def filter(self, predicate: Callable[[Sequence], bool]) -> "SequenceBank":
        """Select the sequences that satisfy ``predicate``.

        Raises:
            DataError: No sequence does.
        """
        return SequenceBank(tuple(one for one in self if predicate(one)))

    def save(self, path: Path) -> None:
        """Write all sequences to one npz file without pickles, in single precision.

        Raises:
            OutputError: The file cannot be written.
        """
        labelled = [one.truth for one in self if one.truth is not None]
        make_folder(path.parent)
        with replacing(path) as part, part.open("wb") as file:
            np.savez(
                file,
                format=np.array(FORMAT),
                layouts=np.array([self.source.name, self.target.name]),
                keypoints=np.concatenate([one.keypoints for one in self]).astype(np.float32),
                truth=np.concatenate([np.zeros((0, len(self.target), 3)), *labelled]).astype(np.float32),
                labelled=np.array([one.truth is not None for one in self]),
                lengths=np.array([len(one) for one in self]),
                cameras=np.stack([one.camera.parameters for one in self]),
                sizes=np.array([one.size for one in self]),
                rates=np.array([float(one.rate) for one in self]),
                names=np.array([(one.subject, one.action, one.view) for one in self]),
            )

    @staticmethod
    def load(path: Path) -> "SequenceBank":
        """Load a file that ``save`` wrote.

        Raises:
            DataError: The file is missing, damaged, or of another kind or format.
        """
        if not path.is_file():
            raise DataError(f"No sequences at {path}. Make the file with: kinelift lifting convert --help")
        try:
            with np.load(path, allow_pickle=False) as file:
                return _bank({name: file[name] for name in file.files})
        except Exception as error:  # damaged bytes can raise anything
            raise DataError(
                f"{path} is not a file of sequences, or it is damaged: {error}. Convert the data set again."
            ) from error


def _bank(arrays: dict[str, Shaped[np.ndarray, "..."]]) -> SequenceBank:
    if (version := int(arrays["format"])) != FORMAT:
        raise DataError(f"it has format {version}; this version reads format {FORMAT}")
    source, target = (skeleton(str(name)) for name in arrays["layouts"])
    ends = np.cumsum(arrays["lengths"])
    labelled_ends = np.cumsum(np.where(arrays["labelled"], arrays["lengths"], 0))
    if (ends[-1], labelled_ends[-1]) != (len(arrays["keypoints"]), len(arrays["truth"])):
        raise DataError("its lengths do not add up")
    keypoints, truth = (np.split(arrays[name], at[:-1]) for name, at in (("keypoints", ends), ("truth", labelled_ends)))
    return SequenceBank(
        tuple(
            Sequence(
                str(subject), str(action), keypoints[k], truth[k] if arrays["labelled"][k] else None,
                Camera.from_parameters(arrays["cameras"][k]), (int(width), int(height)), float(arrays["rates"][k]),
                source, target, str(view),
            )
            for k, ((subject, action, view), (width, height)) in enumerate(
                zip(arrays["names"], arrays["sizes"], strict=True)
            )
        )
    )  # fmt: skip


def _expect(one: Sequence, name: str, array: np.ndarray, shape: tuple[int, ...]) -> None:
    if array.shape != shape:
        raise ShapeError(f"{one}: {name} have shape {array.shape}, expected {shape}.")
