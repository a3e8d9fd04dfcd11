"""Keypoints of another program as a choice of the command line."""

import re
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from kinelift.detectors.options import option
from kinelift.detectors.protocol import DetectorKind, Opened
from kinelift.poses.errors import SettingsError

_HIGHEST_RATE = 1000


@dataclass(frozen=True)
class KeypointFileOptions:
    """What users can set."""

    keypoints: Path = option(
        about="Use keypoints that another program found: a folder of OpenPose JSON or Ultralytics labels, JSON of "
        "COCO, AlphaPose, MMPose or Ultralytics, a csv of DeepLabCut, an npz of Detectron2, VideoPose3D or MHFormer, "
        "or a recording.",
        metavar="PATH",
    )
    keypoint_layout: str | None = option(
        None,
        about="The order of their joints, if the file does not say or is wrong: coco17, body25, openpose18 ...",
        metavar="NAME",
    )
    keypoint_first: int = option(
        0, about="The number that the file gives to the first frame of the video.", metavar="N"
    )
    keypoint_fps: float | None = option(
        None,
        about="The frames per second at which they were found, if that is not every frame of the video.",
        metavar="RATE",
    )
    keypoint_size: str | None = option(
        None, about="The size of the pictures that they were found in, if that is not the video's.", metavar="WxH"
    )

    def __post_init__(self) -> None:
        if self.keypoint_fps is not None and not 0 < self.keypoint_fps <= _HIGHEST_RATE:
            raise SettingsError(f"--keypoint-fps is {self.keypoint_fps:g}. Give frames per second, such as 10.")
        self.size()

    def size(self) -> tuple[int, int] | None:
        """``keypoint_size`` as width and height in pixels.

        Raises:
            SettingsError: It is something else.
        """
        if self.keypoint_size is None:
            return None
        sides = re.fullmatch(r"([1-9][0-9]{0,4})[x×]([1-9][0-9]{0,4})", self.keypoint_size.strip().lower())
        if not sides:
            raise SettingsError(f"--keypoint-size is {self.keypoint_size!r}. Give width and height, such as 640x360.")
        return int(sides[1]), int(sides[2])


def _open(options: KeypointFileOptions, device: str) -> Opened:
    from kinelift.detectors.keypoint_files.detector import KeypointFile
    from kinelift.poses import keypoints

    found = keypoints.read(options.keypoints, options.keypoint_layout, options.keypoint_first)
    rate = None if options.keypoint_fps is None else Fraction(options.keypoint_fps).limit_denominator(1001)
    detector = KeypointFile(found, rate, options.size())
    notes = (f"{found.source}: {found.layout} ({found.layout_source})",)
    return Opened(detector, notes, remarks=lambda: tuple(detector.remarks), description=f"keypoints of {found.source}")


KEYPOINT_FILES = DetectorKind("keypoints", KeypointFileOptions, _open, chosen_by="keypoints", refinement=None)
