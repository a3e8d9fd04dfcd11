"""The user's settings for an analysis, checked before any work begins."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, get_args

from tyro.conf import FlagCreatePairsOff, arg

from kinelift.detectors import kinds
from kinelift.detectors.options import OptionValue, option
from kinelift.detectors.protocol import DetectorKind
from kinelift.poses.camera import DEFAULT_FIELD_OF_VIEW, Camera
from kinelift.poses.errors import SettingsError

if TYPE_CHECKING:
    from kinelift.lifting.world.stage import WorldSettings


@dataclass(frozen=True)
class Detection:
    """How people are detected: the detector, its options, and how its keypoints are processed.

    Args:
        detector: The name of a detector listed in ``kinelift.detectors.kinds``, or "auto".
        options: The detector's own options by name, such as ``{"long_side": 768}``; the others keep their defaults.
            Paths are kept as text, so that a ``Detection`` can be written as JSON.
        refine: What refines the joints of each person: "none", BlazePose ("full") or a larger BlazePose ("heavy").
        flips: Whether left and right stay as detected ("keep") or are repaired over whole tracks ("mend").
        redetect: Run the detector on every N-th frame; BlazePose tracks people in between.
        stride: Detect people in every N-th frame, and interpolate in between.

    Raises:
        SettingsError: A value is out of range, conflicts with another, or is an option of another detector.
    """

    detector: str = kinds.AUTO
    options: Mapping[str, OptionValue] = field(default_factory=dict)
    refine: Literal["auto", "none", "full", "heavy"] = option(
        "auto",
        about="Refine the joints of each person: not at all, with BlazePose, or with the larger and slower BlazePose "
        "heavy. auto refines for detectors that need it, such as MoveNet, and with --redetect.",
    )
    flips: Literal["auto", "keep", "mend"] = option(
        "auto",
        about="Left and right joints that are swapped in some frames: keep them, or repair them over the whole track. "
        "auto repairs them, except those of --keypoints.",
    )
    redetect: int = option(
        1,
        about="Detect people in every N-th frame only, and track them with the refinement in between.",
        metavar="N",
    )
    stride: int = option(
        1,
        about="Detect in every N-th frame only, but at least five times per second, and interpolate in between.",
        metavar="N",
    )

    def __post_init__(self) -> None:
        plain = {name: str(value) if isinstance(value, Path) else value for name, value in self.options.items()}
        object.__setattr__(self, "options", plain)
        for name, value in (("redetect", self.redetect), ("stride", self.stride)):
            if value < 1:
                raise SettingsError(f"--{name} is {value}; give 1 (every frame) or more.")
        if self.redetect > 1 and self.refine == "none":
            raise SettingsError("--redetect needs a refinement to track people in between. Leave out --refine none.")
        candidates = kinds.candidates(self.detector, plain)
        if len(candidates) == 1:
            self._check(candidates[0])

    def _check(self, kind: DetectorKind[Any]) -> None:
        kind.read(self.options)
        refine, redetect = ["--refine"] * (self.refine in ("full", "heavy")), ["--redetect"] * (self.redetect > 1)
        if kind.refinement is None and (refine or redetect):
            raise SettingsError(
                f"The joints of {kinds.chosen_with(kind, self.detector)} cannot be refined. "
                f"Leave out {' and '.join(refine + redetect)}."
            )


Layout = Literal["side-by-side", "overlay", "3d"]
Quality = Literal["low", "medium", "high"]
SMALLEST_SIDE, LARGEST_SIDE = 16, 16_384
"""Pixels that the longer side of a drawn picture may have; the largest is the H.264 encoder's."""


@dataclass(frozen=True)
class Drawing:
    """Drawing of the video.

    Raises:
        SettingsError: A value is out of range.
    """

    layout: Layout = "side-by-side"
    """What the video shows: the source with 2D skeletons, the 3D view, or both side by side."""

    size: Annotated[int | None, arg(metavar="PIXELS")] = None
    """The longer side of the source's picture in the drawn video. Default: the source's own size; beside a 3D view,
    small sources are enlarged to a height of 480, and videos wider than 4096 are made smaller."""

    quality: Quality = "medium"
    """The quality of the picture. low takes about half as much space as medium, and high twice as much."""

    def __post_init__(self) -> None:
        for name, value, known in (("layout", self.layout, Layout), ("quality", self.quality, Quality)):
            if value not in get_args(known):
                raise SettingsError(f"Unknown {name} {value!r}. Known: {', '.join(get_args(known))}.")
        if self.size is not None and not SMALLEST_SIDE <= self.size <= LARGEST_SIDE:
            raise SettingsError(f"--size is {self.size}. Give a number from {SMALLEST_SIDE} to {LARGEST_SIDE}.")


@dataclass(frozen=True)
class TrackingSettings:
    """Which people to keep, and how to smooth their 2D joints.

    Raises:
        SettingsError: A value is out of range.
    """

    people: Annotated[str, arg(metavar="all|main|N")] = "all"
    """The people to keep: all, main (the most prominent person), or the N most prominent ones."""

    smooth: Literal["none", "one-euro", "savgol"] = "none"
    """Smooth the 2D joints. one-euro is causal and lags by up to 80 ms; savgol (Savitzky-Golay) has no lag but looks
    100 ms ahead."""

    max_people: Annotated[int, arg(metavar="N")] = 100
    """Keep no more than the N most confident people of each frame."""

    def __post_init__(self) -> None:
        from kinelift.detectors.tracking import select_people  # imports SciPy, too slow for --help

        select_people((), self.people)
        if self.max_people < 1:
            raise SettingsError(f"--max-people is {self.max_people}. Give 1 or more.")


@dataclass(frozen=True)
class Settings(TrackingSettings):
    """Settings for a whole analysis: people, camera and 3D poses.

    Raises:
        SettingsError: A value is out of range, or two conflict.
    """

    fov: Annotated[float | None, arg(metavar="DEGREES")] = None
    """The camera's field of view along the longer side of the image, in degrees (default: 55)."""

    focal: Annotated[float | None, arg(metavar="PIXELS")] = None
    """The camera's focal length in pixels, instead of --fov."""

    camera: Annotated[str | None, arg(metavar="FILE[:NAME]")] = None
    """The camera's calibration file, instead of --fov: OpenCV's YAML, XML or JSON, or the TOML of Pose2Sim, Caliscope
    or Anipose. Of several cameras, the one whose name is part of the video's name is used, or NAME."""

    camera_motion: Literal["auto", "still"] = "auto"
    """auto: estimate from the background how the camera turns, and undo it. still: take the camera to be still."""

    fit: Literal["body", "off"] = "body"
    """How to post-process the network's 3D poses. body: fit a body with constant bone lengths to the poses and
    keypoints, and smooth its motion. off: keep the network's output."""

    guess: Annotated[bool, FlagCreatePairsOff] = False
    """Also write 3D positions of joints that were never seen, such as feet that are always outside the picture. They
    are guesses. Without this, they are empty."""

    up: Annotated[tuple[float, float, float] | None, arg(metavar="X Y Z")] = None
    """The direction up, in the camera's axes (x right, y down, z away from it). A level camera has 0 -1 0. Default:
    estimated from the people and edges of the background."""

    camera_height: Annotated[float | None, arg(metavar="METRES")] = None
    """The camera's height over the floor, which fixes the sizes of people. Default: from average bodies."""

    height: Annotated[float | None, arg(metavar="CENTIMETRES")] = None
    """The height of the most prominent person, which fixes the sizes of all people. Default: from average bodies."""

    contacts: Literal["on", "off"] = "on"
    """Whether heels and toes that rest on the floor stay where they are."""

    unknown: Annotated[float | None, arg(metavar="PROBABILITY")] = None
    """The lowest probability (0-1) of an action that is named; below it, the label is "unknown". Lower values name more
    and err more. Default: the classifier's own threshold, which training sets for a share of false names
    (kinelift recognition train --false-names)."""

    viewer: bool = True
    """Also write viewer.html, a page to look around in with a browser."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.camera is not None:
            object.__setattr__(self, "camera", str(self.camera))
        if len(given := [name for name in ("fov", "focal", "camera") if getattr(self, name) is not None]) > 1:
            raise SettingsError(f"--{' and --'.join(given)} set the same thing. Give only one of them.")
        if self.unknown is not None and not 0 <= self.unknown <= 1:
            raise SettingsError(f"--unknown is {self.unknown:g}. Give a probability from 0 to 1.")
        if self.up is not None and not (all(map(isfinite, self.up)) and any(self.up)):
            raise SettingsError("--up is not a direction. Give three numbers, such as 0 -1 0 for a level camera.")
        if self.camera_height is not None and self.height is not None:
            raise SettingsError("--camera-height and --height both fix the sizes of people. Give only one of them.")
        for name, size, least, most in (
            ("camera-height", self.camera_height, 0.05, 500),
            ("height", self.height, 40, 260),
        ):
            if size is not None and not least <= size <= most:
                raise SettingsError(f"--{name} is {size:g}. Give a number from {least:g} to {most:g}.")
        self.assumed_camera((1, 1))

    @property
    def world(self) -> "WorldSettings":
        """What the user knows about the world."""
        from kinelift.lifting.world.stage import WorldSettings  # imports torch, too slow for --help

        height = None if self.height is None else self.height / 100
        return WorldSettings(self.up, self.camera_height, height, self.contacts == "on")

    def assumed_camera(self, size: tuple[int, int]) -> Camera:
        """The camera of a video without a calibration file.

        Args:
            size: Width and height of the video in pixels.
        """
        if self.focal is not None:
            return Camera.from_focal(self.focal, size)
        return Camera.from_field_of_view(DEFAULT_FIELD_OF_VIEW if self.fov is None else self.fov, size)
