"""Recordings of people by known cameras: keypoints, the true poses where they are known, and one file for both."""

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from math import isfinite
from pathlib import Path

import numpy as np
from jaxtyping import Float, Shaped

from kinelift.lifting.measuring.trials import Trial
from kinelift.poses import Skeleton, Track2D, skeleton
from kinelift.poses.camera import Camera
from kinelift.poses.errors import DataError, SettingsError, ShapeError
from kinelift.poses.output import make_folder, replacing

FORMAT = 1


@dataclass(frozen=True, eq=False)
class Sequence:
    """One person over consecutive frames of one camera.

    ``keypoints``: pixels of ``camera``, NaN = not seen; ``truth``: metres in the frame of ``camera`` (x right, y down,
    z forward), not relative to any joint, NaN = not recorded, or None; ``size``: width and height of the picture;
    ``rate``: frames a second; ``source`` and ``target``: layouts of keypoints and truth; ``view``: name of the camera.
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
            raise SettingsError(f"{self} has {self.rate} frames a second of {self.size} pixels; give positive numbers.")

    def __str__(self) -> str:
        return ", ".join(filter(None, (f"subject {self.subject}", self.action, self.view and f"camera {self.view}")))

    def __len__(self) -> int:
        return len(self.keypoints)

    @property
    def kind(self) -> str:
        """The action without the number of its repetition: what stands before the first space of its name."""
        return self.action.split(" ")[0]

    def track(self) -> Track2D:
        """The keypoints as a detector would have given them. What is seen has score 1."""
        seen = np.isfinite(self.keypoints).all(-1)
        times = np.arange(len(self)) / self.rate
        points = np.where(seen[..., None], self.keypoints.astype(np.float64), np.nan)
        return Track2D(points, seen.astype(float), times, np.zeros_like(seen), 0, self.size, self.source)

    def trial(self) -> Trial:
        """The recording as a test of a lifter; errors of one ``kind`` of action count together.

        Raises ``DataError`` if there is no truth.
        """
        if self.truth is None:
            raise DataError(f"{self} has no true poses to compare with. Choose sequences that have them.")
        truth = self.truth.astype(np.float64)
        truth = truth - truth[:, self.target.root, None]
        return Trial(self.subject, self.kind, self.track(), truth, self.camera)


@dataclass(frozen=True, eq=False)
class SequenceBank:
    """Sequences of one pair of layouts."""

    sequences: tuple[Sequence, ...]

    def __post_init__(self) -> None:
        if not self.sequences:
            raise DataError("No sequences. Choose other subjects, actions or cameras, or other files.")
        for one in self.sequences:
            if (one.source, one.target) != (self.source, self.target):
                raise DataError(
                    f"{one} has layouts {one.source} and {one.target}, others have {self.source} and {self.target}. "
                    f"Keep data of several layouts in files of their own."
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
        """The layout of all keypoints."""
        return self.sequences[0].source

    @property
    def target(self) -> Skeleton:
        """The layout of all true poses."""
        return self.sequences[0].target

    @property
    def frames(self) -> int:
        """Frames of all sequences."""
        return sum(map(len, self))

    def only(
        self,
        subjects: Collection[str] | None = None,
        actions: Collection[str] | None = None,
        cameras: Collection[str] | None = None,
    ) -> "SequenceBank":
        """The sequences of these subjects, actions (by ``action`` or ``kind``, exactly) and cameras; None = of all.

        Raises ``DataError`` for a name that no sequence has, or if no sequence has all.
        """
        for what, wanted, known in (
            ("subject", subjects, {one.subject for one in self}),
            ("action", actions, {name for one in self for name in (one.kind, one.action)}),
            ("camera", cameras, {one.view for one in self}),
        ):
            if unknown := sorted(set(wanted or ()) - known):
                raise DataError(f"No {what} {', '.join(unknown)} here. There are: {', '.join(sorted(known))}.")
        return self.where(
            lambda one: (
                (subjects is None or one.subject in subjects)
                and (actions is None or one.kind in actions or one.action in actions)
                and (cameras is None or one.view in cameras)
            )
        )

    def where(self, keep: Callable[[Sequence], bool]) -> "SequenceBank":
        """The sequences that ``keep`` accepts. Raises ``DataError`` if there are none."""
        return SequenceBank(tuple(one for one in self if keep(one)))

    def save(self, path: Path) -> None:
        """Write everything to one npz without pickles, points in single precision. Raises ``OutputError``."""
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
        """Read what ``save`` wrote. Raises ``DataError`` for anything else."""
        if not path.is_file():
            raise DataError(f"No sequences at {path}. Make the file with: kinelift lifting convert --help")
        try:
            with np.load(path, allow_pickle=False) as file:
                return _bank({name: file[name] for name in file.files})
        except Exception as error:  # damaged bytes can raise anything
            raise DataError(
                f"{path} is not a file of sequences, or it is damaged: {error}. Convert the data set anew."
            ) from error


def _bank(arrays: dict[str, Shaped[np.ndarray, "..."]]) -> SequenceBank:
    if (version := int(arrays["format"])) != FORMAT:
        raise DataError(f"it has format {version}, and this version reads {FORMAT}")
    source, target = (skeleton(str(name)) for name in arrays["layouts"])
    ends = np.cumsum(arrays["lengths"])
    known = np.cumsum(np.where(arrays["labelled"], arrays["lengths"], 0))
    if (ends[-1], known[-1]) != (len(arrays["keypoints"]), len(arrays["truth"])):
        raise DataError("its lengths do not add up")
    keypoints, truth = (np.split(arrays[name], at[:-1]) for name, at in (("keypoints", ends), ("truth", known)))
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
