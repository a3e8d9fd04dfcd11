"""What a user can choose about an analysis, checked before any work begins."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from tyro.conf import arg

from kinelift.detectors.tracking import choose
from kinelift.poses.camera import DEFAULT_FIELD_OF_VIEW, Camera
from kinelift.poses.errors import SettingsError


@dataclass(frozen=True)
class Detection:
    """How people are found in the frames.

    Raises ``SettingsError`` for values out of range or in conflict.
    """

    detector: Literal["auto", "movenet", "detectron2", "openpose"] = "auto"
    """What finds people; auto takes Detectron2 if it is installed and there is a GPU, else MoveNet."""

    refine: Literal["auto", "none", "full", "heavy"] = "auto"
    """What then places their joints: nothing else, BlazePose, or the larger and slower BlazePose heavy; auto takes
    BlazePose after MoveNet, and nothing after the others."""

    detector_weights: Annotated[Path | None, arg(metavar="FILE")] = None
    """Weights for Detectron2 (.pth, .pkl) or of an OpenPose network (.pth, .onnx), if not the published ones."""

    backbone: Literal["R50-FPN", "R101-FPN"] = "R50-FPN"
    """Which Keypoint R-CNN Detectron2 runs; the second is slower and finds a little more."""

    keypoints: Annotated[Path | None, arg(metavar="PATH")] = None
    """Keypoints found by another program, instead of a detector: a folder of OpenPose JSON, COCO or AlphaPose JSON, an
    npz of Detectron2 or VideoPose3D, or a recording."""

    keypoint_layout: Annotated[str | None, arg(metavar="NAME")] = None
    """The order of their joints, where the file does not tell or is wrong: coco17, body25, openpose18, halpe26 ..."""

    keypoint_first: Annotated[int, arg(metavar="N")] = 0
    """The number that the file gives to the first frame of the video."""

    flips: Literal["auto", "keep", "mend"] = "auto"
    """Left and right that were read the wrong way round for a while: keep them so, or mend them over the whole track;
    auto mends for detectors that read every frame on its own."""

    long_side: Annotated[int | None, arg(metavar="PIXELS")] = None
    """The longer side of the pictures that the detector sees: larger finds smaller people and takes longer."""

    person_threshold: Annotated[float | None, arg(metavar="SCORE")] = None
    """Leave out people of whom the detector is less sure (0-1); by default 0.2 for MoveNet, 0.5 for Detectron2, 0.1 for
    OpenPose."""

    redetect: Annotated[int, arg(metavar="N")] = 1
    """Look for people in every N-th frame only, and follow them close up in between; needs a refinement."""

    stride: Annotated[int, arg(metavar="N")] = 1
    """Detect in every N-th frame only, at least five times a second, and interpolate in between."""

    def __post_init__(self) -> None:
        for name, value in (("redetect", self.redetect), ("stride", self.stride)):
            if value < 1:
                raise SettingsError(f"--{name} is {value}; give 1 (every frame) or more.")
        if self.person_threshold is not None and not 0 <= self.person_threshold <= 1:
            raise SettingsError(f"--person-threshold is {self.person_threshold}; give a score from 0 to 1.")
        if self.keypoints and self.detector != "auto":
            raise SettingsError("Both a detector and a file of keypoints were given. Give one of them.")
        if self.keypoints and self._for_networks():
            raise SettingsError("Keypoints of a file stay as they are: leave out what is for networks, as --refine.")
        if not self.keypoints and (self.keypoint_layout or self.keypoint_first):
            raise SettingsError("A layout or first frame of keypoints was given, but no --keypoints PATH.")
        if self.detector_weights and self.detector not in ("detectron2", "openpose"):
            raise SettingsError("Whose weights are these? Give --detector detectron2 or --detector openpose, too.")
        if self.redetect > 1 and self.refine == "none":
            raise SettingsError("--redetect needs a second stage, which follows people in between: not --refine none.")

    def _for_networks(self) -> bool:
        chosen = self.refine in ("full", "heavy") or self.redetect > 1
        return chosen or self.long_side is not None or self.person_threshold is not None


@dataclass(frozen=True)
class Following:
    """Whom to follow, and how. Raises ``SettingsError`` for values out of range."""

    people: Annotated[str, arg(metavar="all|main|N")] = "all"
    """Whom to follow: all, main (the most prominent person), or the number of the most prominent ones."""

    smooth: Literal["none", "one-euro", "savgol"] = "none"
    """Steadier joints in the picture: one-euro never looks ahead and comes up to 80 ms late; savgol (Savitzky-Golay)
    comes at the right time, by looking 100 ms ahead."""

    def __post_init__(self) -> None:
        choose((), self.people)


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

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.fov is not None and self.focal is not None:
            raise SettingsError("Both --fov and --focal were given, which say the same thing. Give one of them.")
        self.camera((1, 1))

    def camera(self, size: tuple[int, int]) -> Camera:
        """The camera of a video of ``size`` (width, height in pixels)."""
        if self.focal is not None:
            return Camera.from_focal(self.focal, size)
        return Camera.from_field_of_view(DEFAULT_FIELD_OF_VIEW if self.fov is None else self.fov, size)
