"""What a detector is, and how its folder presents it to the rest of the program."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Generic, Literal, Protocol, runtime_checkable

import numpy as np
from jaxtyping import Shaped

from kinelift.detectors.options import Options, OptionValue, fields_of, read_options
from kinelift.poses import Frame, People, Skeleton, Track2D

Memory = dict[str, Shaped[np.ndarray, "..."]]
"""What a detector remembers of the frames that it has seen, by names of its own."""
TrackRepair = Callable[[Track2D], Track2D]
"""Corrects a whole track before its gaps are filled."""


@runtime_checkable
class Detector(Protocol):
    """Finds people in a stream of frames.

    A detector answers every frame, in order, with N = 0 where nobody is seen. It may read a few frames ahead, to
    fill a batch, but never the whole stream.
    """

    @property
    def skeleton(self) -> Skeleton:
        """The joints of every ``People`` that ``detect`` yields."""

    def detect(self, frames: Iterable[Frame]) -> Iterator[People]:
        """Detect the people in each frame.

        Raises:
            DetectorError: The detector cannot run here.
        """


@runtime_checkable
class ResumableDetector(Detector, Protocol):
    """A detector that can be given a video stretch by stretch, and be continued by another program after each."""

    @property
    def resumable(self) -> bool:
        """Whether it can; a detector that wraps another one can if that one can."""

    def detect_from(self, memory: Memory, frames: Iterable[Frame]) -> Iterator[People]:
        """Detect the people in each frame of the next stretch, as if all stretches were given at once.

        Args:
            memory: What it remembers of the stretches before; empty at the start of a video. Once it has answered the
                last frame, it replaces that by what it will need for the next stretch.
            frames: The frames of the stretch.

        Raises:
            DetectorError: The detector cannot run here.
        """


class FrameIndependent:
    """Base of detectors that answer each frame by itself, so that they can be continued anywhere."""

    resumable = True

    def detect_from(self: Detector, memory: Memory, frames: Iterable[Frame]) -> Iterator[People]:
        """Detect the people in each frame of a stretch; see ``ResumableDetector``."""
        return self.detect(frames)


def is_resumable(detector: Detector) -> bool:
    """Whether a detector can be continued."""
    return isinstance(detector, ResumableDetector) and detector.resumable


@dataclass(frozen=True, eq=False)
class Opened:
    """A detector that is ready to run.

    Args:
        detector: The detector.
        notes: What the user should know about it, one sentence each.
        repair: How its tracks are corrected before their gaps are filled; None = not at all.
        remarks: What the user should know after a pass over a video, one sentence each.
        description: The network, its device and its weights, as in "MoveNet on cpu (movenet-multipose)".
    """

    detector: Detector
    notes: tuple[str, ...] = ()
    repair: TrackRepair | None = None
    remarks: Callable[[], tuple[str, ...]] = tuple
    description: str = ""


@dataclass(frozen=True)
class DetectorKind(Generic[Options]):
    """A detector that users can choose. Its folder defines one, and ``kinds.KINDS`` lists it.

    Args:
        name: What ``--detector`` takes.
        options: A frozen dataclass that checks its own values. Each field is made with ``option`` and becomes a flag of
            the command line. Detectors that have an option of the same name and type share its flag.
        open: Loads the detector with its options on a device ("cpu", "cuda", "cuda:1"). It imports networks and
            libraries when it is called, so that ``kinelift --help`` stays fast. It raises ``DetectorError`` for a
            missing library, ``WeightsError`` for missing or damaged weights, and ``DataError`` for a file that cannot
            be read.
        chosen_by: The option that selects this detector when ``--detector`` is auto.
        automatic_on: Whether auto may take this detector on a device; None = never.
        refinement: What ``--refine auto`` means for this detector; None = its joints cannot be refined.
    """

    name: str
    options: type[Options]
    open: Callable[[Options, str], Opened]
    chosen_by: str | None = None
    automatic_on: Callable[[str], bool] | None = None
    refinement: Literal["none", "full", "heavy"] | None = "none"

    def takes(self, name: str) -> bool:
        """Whether this detector has an option of that name."""
        return any(one.name == name for one in fields_of(self.options))

    def read(self, values: Mapping[str, OptionValue]) -> Options:
        """Build the detector's options; what is not given keeps its default.

        Raises:
            SettingsError: An option is unknown, missing, of the wrong type or out of range.
        """
        return read_options(self.name, self.options, values)
