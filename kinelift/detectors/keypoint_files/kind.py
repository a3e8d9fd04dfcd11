"""Keypoints of another program as a choice of the command line."""

from dataclasses import dataclass
from pathlib import Path

from kinelift.detectors.options import option
from kinelift.detectors.protocol import DetectorKind, Opened


@dataclass(frozen=True)
class KeypointFileOptions:
    """What users can set."""

    keypoints: Path = option(
        about="Use keypoints that another program found: a folder of OpenPose JSON, COCO or AlphaPose JSON, an npz of "
        "Detectron2 or VideoPose3D, or a recording.",
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


def _open(options: KeypointFileOptions, device: str) -> Opened:
    from kinelift.detectors.keypoint_files.detector import KeypointFile
    from kinelift.poses import keypoints

    found = keypoints.read(options.keypoints, options.keypoint_layout, options.keypoint_first)
    return Opened(KeypointFile(found), (f"{found.source}: {found.layout} ({found.layout_source})",))


KEYPOINT_FILES = DetectorKind("keypoints", KeypointFileOptions, _open, chosen_by="keypoints", refinement=None)
