"""Recordings of people by calibrated cameras: keypoints, true poses where known, and the file format for both."""

import re
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, replace
from math import isfinite
from pathlib import Path

import numpy as np
from jaxtyping import Float, Shaped

from kinelift.lifting.synthesis.trials import Trial
from kinelift.poses import Skeleton, Track2D, skeleton
from kinelift.poses.archive import read_all_arrays
from kinelift.poses.camera import Camera
from kinelift.poses.errors import DataError, SettingsError, ShapeError
from kinelift.poses.output import make_folder, replacing

FORMAT = 1
_PIECE = re.compile(r" chunk\d+$")
"""How HumanEva-I names the pieces between which a recording has no true poses."""


@dataclass(frozen=True, eq=False)
class Sequence:
    """One person in consecutive frames from one camera.

    Attributes:
        subject: Name of the person.
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
        ShapeError: ``keypoints`` or ``truth`` has the wrong shape.
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
                f"{self}: the frame rate is {self.rate} and the image size {self.size}. Both must be positive."
            )

    def __str__(self) -> str:
        return ", ".join(filter(None, (f"subject {self.subject}", self.action, self.view and f"camera {self.view}")))

    def __len__(self) -> int:
        return len(self.keypoints)

    @property
    def kind(self) -> str:
        """The action without its repetition number, which follows the first space."""
        return self.action.split(" ")[0]

    @property
    def recording(self) -> str:
        """Subject and action, the same for all cameras and for the pieces ("chunk0") that a recording was cut into."""
        return f"{self.subject} {_PIECE.sub('', self.action)}"

    def part(self, start: int, stop: int) -> "Sequence":
        """The frames from ``start`` up to ``stop``."""
        truth = None if self.truth is None else self.truth[start:stop]
        return replace(self, keypoints=self.keypoints[start:stop], truth=truth)

    def track(self) -> Track2D:
        """Convert the keypoints to a track, with score 1 where visible."""
        seen = np.isfinite(self.keypoints).all(-1)
        times = np.arange(len(self)) / self.rate
        points = np.where(seen[..., None], self.keypoints.astype(np.float64), np.nan)
        return Track2D(points, seen.astype(float), times, np.zeros_like(seen), 0, self.size, self.source)

    def trial(self) -> Trial:
        """Convert to a trial for evaluating a lifter; errors are grouped by ``kind``.

        Raises:
            DataError: There are no true poses.
        """
        if self.truth is None:
            raise DataError(f"{self} has no true poses to compare with. Choose sequences that have them.")
        truth = self.truth.astype(np.float64)
        truth = truth - truth[:, self.target.root, None]
        return Trial(self.subject, self.kind, self.recording, self.track(), truth, self.camera, self.target.root)


@dataclass(frozen=True, eq=False)
class SequenceBank:
    """Sequences that share a keypoint skeleton and a pose skeleton."""

    sequences: tuple[Sequence, ...]

    def __post_init__(self) -> None:
        if not self.sequences:
            raise DataError("No sequences. Choose other subjects, actions or cameras, or other files.")
        for sequence in self.sequences:
            if (sequence.source, sequence.target) != (self.source, self.target):
                raise DataError(
                    f"{sequence} has layouts {sequence.source} and {sequence.target}, others have {self.source} and "
                    f"{self.target}. Keep different layouts in separate files."
                )

    def __len__(self) -> int:
        return len(self.sequences)

    def __iter__(self) -> Iterator[Sequence]:
        return iter(self.sequences)

    def __str__(self) -> str:
        labelled = sum(len(sequence) for sequence in self if sequence.truth is not None) / self.frames
        minutes = sum(len(sequence) / sequence.rate for sequence in self) / 60
        return (
            f"{len(self)} sequences of {len({sequence.subject for sequence in self})} subjects by "
            f"{len({sequence.view for sequence in self})} cameras: {self.frames} frames, {minutes:.1f} minutes, "
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
            ("subject", subjects, {sequence.subject for sequence in self}),
            ("action", actions, {name for sequence in self for name in (sequence.kind, sequence.action)}),
            ("camera", cameras, {sequence.view for sequence in self}),
        ):
            if unknown := sorted(set(requested or ()) - known):
                raise DataError(f"Unknown {what}: {', '.join(unknown)}. Known: {', '.join(sorted(known))}.")
        return self.filter(
            lambda sequence: (
                (subjects is None or sequence.subject in subjects)
                and (actions is None or sequence.kind in actions or sequence.action in actions)
                and (cameras is None or sequence.view in cameras)
            )
        )

    def filter(self, predicate: Callable[[Sequence], bool]) -> "SequenceBank":
        """Select the sequences that satisfy ``predicate``.

        Raises:
            DataError: No sequence matches.
        """
        return SequenceBank(tuple(sequence for sequence in self if predicate(sequence)))

    def save(self, path: Path) -> None:
        """Write all sequences to a single npz file, in single precision and without pickles.

        Raises:
            OutputError: The file cannot be written.
        """
        labelled = [sequence.truth for sequence in self if sequence.truth is not None]
        make_folder(path.parent)
        with replacing(path) as part, part.open("wb") as file:
            np.savez(
                file,
                format=np.array(FORMAT),
                layouts=np.array([self.source.name, self.target.name]),
                keypoints=np.concatenate([sequence.keypoints for sequence in self]).astype(np.float32),
                truth=np.concatenate([np.zeros((0, len(self.target), 3)), *labelled]).astype(np.float32),
                labelled=np.array([sequence.truth is not None for sequence in self]),
                lengths=np.array([len(sequence) for sequence in self]),
                cameras=np.stack([sequence.camera.parameters for sequence in self]),
                sizes=np.array([sequence.size for sequence in self]),
                rates=np.array([float(sequence.rate) for sequence in self]),
                names=np.array([(sequence.subject, sequence.action, sequence.view) for sequence in self]),
            )

    @staticmethod
    def load(path: Path) -> "SequenceBank":
        """Load a file that ``save`` wrote.

        Raises:
            DataError: The file is missing, damaged, or not a sequence file of this format.
        """
        if not path.is_file():
            raise DataError(f"No sequence file at {path}. Create it with: kinelift lifting convert --help")
        try:
            return _bank(read_all_arrays(path))
        except Exception as error:  # damaged bytes can raise anything
            raise DataError(
                f"{path} is not a sequence file, or it is damaged: {error}. Convert the data set again."
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


def _expect(sequence: Sequence, name: str, array: np.ndarray, shape: tuple[int, ...]) -> None:
    if array.shape != shape:
        raise ShapeError(f"{sequence}: shape of {name} is {array.shape}, expected {shape}.")
