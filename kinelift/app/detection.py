"""The detector that a user chose, put together from its parts."""

from dataclasses import replace

from kinelift.app.settings import Detection
from kinelift.detectors import kinds
from kinelift.detectors.protocol import Detector, Opened
from kinelift.detectors.refining.blazepose import BlazePose
from kinelift.detectors.refining.framewise import FrameByFrame, FramewiseDetector
from kinelift.detectors.refining.refined import Refined
from kinelift.detectors.strided import Strided
from kinelift.detectors.tracking import repair_side_flips
from kinelift.weights.store import locate


def open_detector(choice: Detection, device: str) -> Opened:
    """Open the detector of ``choice``, with its refinement, its stride and the repair of its tracks.

    Args:
        choice: What the user chose; "auto" is decided here.
        device: "cpu" or "cuda"; networks that can, run on it.

    Raises:
        SettingsError: An option does not belong to the detector that "auto" means here.
        DetectorError: The detector is not installed or cannot run.
        WeightsError: Its weights are missing or damaged.
        DataError: A file of keypoints cannot be read.
    """
    chosen = decided(choice, device)
    kind = kinds.kind_named(chosen.detector)
    opened = kind.open(kind.read(chosen.options), device)
    detector = opened.detector
    if chosen.refine != "none":
        detector = refined(detector, chosen.refine, every=chosen.redetect)
    if chosen.stride > 1:
        detector = Strided(detector, chosen.stride)
    repair = repair_side_flips if chosen.flips == "mend" else opened.repair
    return replace(opened, detector=detector, repair=repair)


def decided(choice: Detection, device: str) -> Detection:
    """Replace every "auto" of a choice by what it means on a device ("cpu", "cuda").

    The first detector of the list that can run there; its usual refinement; left and right mended where no refinement
    keeps them.

    Raises:
        SettingsError: An option does not belong to the detector that "auto" means.
    """
    kind = kinds.choose(choice.detector, choice.options, device)
    refine = (kind.refinement or "none") if choice.refine == "auto" else choice.refine
    flips = ("mend" if refine == "none" else "keep") if choice.flips == "auto" else choice.flips
    return replace(choice, detector=kind.name, refine=refine, flips=flips)


def refined(base: Detector, size: str, *, every: int = 1) -> Refined:
    """``base``, whose people BlazePose refines in close-ups.

    Args:
        base: Any detector.
        size: Which BlazePose: "full" or "heavy".
        every: ``base`` looks at every ``every``-th frame; BlazePose follows people in between.
    """
    landmarks = BlazePose(locate(f"blazepose-{size}"))
    people = base if isinstance(base, FramewiseDetector) else FrameByFrame(base)
    return Refined(people, landmarks, every=every)
