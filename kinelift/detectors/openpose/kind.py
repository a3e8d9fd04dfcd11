"""OpenPose-style networks as a choice of the command line."""

from dataclasses import dataclass
from pathlib import Path

from kinelift.detectors.options import (
    check_pixels,
    check_score,
    long_side_option,
    option,
    person_threshold_option,
)
from kinelift.detectors.protocol import DetectorKind, Opened


@dataclass(frozen=True)
class OpenPoseOptions:
    """What users can set. Raises ``SettingsError`` for values out of range."""

    detector_weights: Path | None = option(
        None, about="A network's file (.pth, .onnx, .xml) instead of the default one.", metavar="FILE"
    )
    long_side: int | None = long_side_option()
    person_threshold: float = person_threshold_option(0.1)

    def __post_init__(self) -> None:
        check_pixels("long_side", self.long_side)
        check_score("person_threshold", self.person_threshold)


def _open(options: OpenPoseOptions, device: str) -> Opened:
    from kinelift.detectors.openpose.detector import DEFAULT, open_openpose
    from kinelift.detectors.openpose.part_fields import GroupingSettings

    grouping = GroupingSettings(person=options.person_threshold)
    detector = open_openpose(options.detector_weights, device=device, long_side=options.long_side, grouping=grouping)
    description = f"an OpenPose network on {detector.device} ({options.detector_weights or DEFAULT[0]})"
    return Opened(detector, remarks=detector.remarks, description=description)


OPENPOSE = DetectorKind("openpose", OpenPoseOptions, _open)
