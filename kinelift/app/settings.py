"""What a user can choose about an analysis, checked before any work begins."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal

from tyro.conf import arg

from kinelift.detectors import kinds
from kinelift.detectors.options import OptionValue, option
from kinelift.detectors.protocol import DetectorKind
from kinelift.poses.camera import DEFAULT_FIELD_OF_VIEW, Camera
from kinelift.poses.errors import SettingsError


@dataclass(frozen=True)
class Detection:
    """How people are detected: which detector, with which options, and what happens to its answers.

    Args:
        detector: The name of a detector, or "auto"; ``kinelift.detectors.kinds`` lists them.
        options: The detector's own options by name, such as ``{"long_side": 768}``; the others keep their defaults.
            Paths are kept as text, so that a ``Detection`` can be written as JSON.
        refine: What refines the joints of each person: "none", BlazePose ("full") or a larger BlazePose ("heavy").
        flips: Whether left and right stay as detected ("keep") or are repaired over whole tracks ("mend").
        redetect: The detector sees every N-th frame; BlazePose follows people in between.
        stride: People are detected in every N-th frame and interpolated in between.

    Raises:
        SettingsError: A value is out of range or in conflict with another, or an option belongs to another detector.
    """

    detector: str = kinds.AUTO
    options: Mapping[str, OptionValue] = field(default_factory=dict)
    refine: Literal["auto", "none", "full", "heavy"] = option(
        "auto",
        about="What refines the joints of each person: nothing, BlazePose, or the larger and slower BlazePose heavy; "
        "auto takes BlazePose after detectors that need it, as MoveNet does.",
    )
    flips: Literal["auto", "keep", "mend"] = option(
        "auto",
        about="Left and right may be confused for a while: keep them so, or mend them over the whole track; auto mends "
        "for detectors that read every frame on its own.",
    )
    redetect: int = option(
        1,
        about="Look for people in every N-th frame only, and follow them close up in between; needs a refinement.",
        metavar="N",
    )
    stride: int = option(
        1,
        about="Detect in every N-th frame only, at least five times a second, and interpolate in between.",
        metavar="N",
    )

    def __post_init__(self) -> None:
        plain = {name: str(value) if isinstance(value, Path) else value for name, value in self.options.items()}
        object.__setattr__(self, "options", plain)
        for name, value in (("redetect", self.redetect), ("stride", self.stride)):
            if value < 1:
                raise SettingsError(f"--{name} is {value}; give 1 (every frame) or more.")
        if self.redetect > 1 and self.refine == "none":
            raise SettingsError("--redetect needs a refinement, which follows people in between: not --refine none.")
        possible = kinds.candidates(self.detector, plain)
        if len(possible) == 1:
            self._check(possible[0])

    def _check(self, kind: DetectorKind[Any]) -> None:
        kind.read(self.options)
        if kind.refinement is None and (self.refine in ("full", "heavy") or self.redetect > 1):
            raise SettingsError(f"The joints of --detector {kind.name} stay as they are: no --refine, no --redetect.")


@dataclass(frozen=True)
class Following:
    """Whom to follow, and how. Raises ``SettingsError`` for values out of range."""

    people: Annotated[str, arg(metavar="all|main|N")] = "all"
    """Whom to follow: all, main (the most prominent person), or the number of the most prominent ones."""

    smooth: Literal["none", "one-euro", "savgol"] = "none"
    """Steadier joints in the picture: one-euro never looks ahead and comes up to 80 ms late; savgol (Savitzky-Golay)
    comes at the right time, by looking 100 ms ahead."""

    def __post_init__(self) -> None:
        from kinelift.detectors.tracking import select_people  # scipy takes time, which --help does not have

        select_people((), self.people)


@dataclass(frozen=True)
class Settings(Following):
    """Whom to follow, what is known of the camera, and how poses are finished.

    Raises ``SettingsError`` for values out of range or in conflict.
    """

    fov: Annotated[float | None, arg(metavar="DEGREES")] = None
    """The camera's field of view along the longer side of the picture, in degrees (55 if nothing is given)."""

    focal: Annotated[float | None, arg(metavar="PIXELS")] = None
    """The camera's focal length in pixels, instead of --fov."""

    fit: Literal["body", "off"] = "body"
    """What happens to the 3D poses after the network: body makes them one body of constant size, which fits its
    keypoints and is steady; off leaves the network's answer as it is."""

    unknown: Annotated[float | None, arg(metavar="PROBABILITY")] = None
    """An action needs at least this probability (0-1) to be named; otherwise it is "unknown". Lower names more and errs
    more. Without it: the classifier's own threshold, which its training chose for a share of false names
    (kinelift recognition train --false-names)."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.fov is not None and self.focal is not None:
            raise SettingsError("Both --fov and --focal were given, which say the same thing. Give one of them.")
        if self.unknown is not None and not 0 <= self.unknown <= 1:
            raise SettingsError(f"--unknown is {self.unknown:g}; give a probability from 0 to 1.")
        self.camera((1, 1))

    def camera(self, size: tuple[int, int]) -> Camera:
        """The camera of a video of ``size`` (width, height in pixels)."""
        if self.focal is not None:
            return Camera.from_focal(self.focal, size)
        return Camera.from_field_of_view(DEFAULT_FIELD_OF_VIEW if self.fov is None else self.fov, size)
