"""Detectron2 as a choice of the command line."""

from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

from kinelift.detectors.options import (
    check_pixels,
    check_score,
    long_side_option,
    option,
    person_threshold_option,
)
from kinelift.detectors.protocol import DetectorKind, Opened


@dataclass(frozen=True)
class Detectron2Options:
    """What users can set. Raises ``SettingsError`` for values out of range."""

    backbone: Literal["R50-FPN", "R101-FPN"] = option(
        "R50-FPN", about="Which Keypoint R-CNN runs; R101-FPN is slower and finds a little more."
    )
    detector_weights: Path | None = option(
        None,
        about="A file of weights (.pth, .pkl) instead of the published ones.",
        metavar="FILE",
    )
    long_side: int | None = long_side_option()
    person_threshold: float = person_threshold_option(0.5)

    def __post_init__(self) -> None:
        check_pixels("long_side", self.long_side)
        check_score("person_threshold", self.person_threshold)


def installed() -> bool:
    """Whether there is a Detectron2 to import; it is not imported."""
    return find_spec("detectron2") is not None


def _open(options: Detectron2Options, device: str) -> Opened:
    from kinelift.detectors.detectron2.detector import Detectron2, Detectron2Settings

    settings = Detectron2Settings(person_threshold=options.person_threshold)
    if options.long_side is not None:
        settings = replace(settings, short_side=options.long_side, long_side=options.long_side)
    detector = Detectron2.load(options.backbone, options.detector_weights, device, settings)
    weights = options.detector_weights or "published weights"
    description = f"Detectron2's Keypoint R-CNN {options.backbone} on {device} ({weights})"
    return Opened(detector, remarks=detector.remarks, description=description)


DETECTRON2 = DetectorKind(
    "detectron2", Detectron2Options, _open, automatic_on=lambda device: device.startswith("cuda") and installed()
)
