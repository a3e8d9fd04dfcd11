"""Opens the chosen detector, with its refinement, stride and track repair."""

from dataclasses import replace
from typing import Literal

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
    """Open the chosen detector, with its refinement, its stride and the repair of its tracks.

    Args:
        choice: What the user chose. Every "auto" is resolved here.
        device: "cpu" or "cuda", for the networks that support it.

    Raises:
        SettingsError: An option does not belong to the detector that "auto" selects.
        DetectorError: The detector is not installed or cannot run here.
        WeightsError: Its weights are missing or damaged.
        DataError: A keypoint file cannot be read.
    """
    resolved = resolve_auto(choice, device)
    kind = kinds.kind_named(resolved.detector)
    opened = kind.open(kind.read(resolved.options), device)
    detector = opened.detector
    if resolved.refine != "none":
        detector = with_refinement(detector, resolved.refine, every=resolved.redetect)
    if resolved.stride > 1:
        detector = Strided(detector, resolved.stride)
    repair = repair_side_flips if resolved.flips == "mend" else opened.repair
    return replace(opened, detector=detector, repair=repair)


def resolve_auto(choice: Detection, device: str) -> Detection:
    """Replace every "auto" by a concrete value.

    The detector becomes the first listed one that can run on the device, and the refinement that detector's usual one.
    Left-right flips are repaired where there is no refinement, which avoids them. Joints that cannot be refined come
    from the user, and keep their sides unless asked otherwise.

    Args:
        choice: What the user chose.
        device: "cpu" or "cuda".

    Raises:
        SettingsError: An option does not belong to the detector that "auto" selects.
    """
    kind = kinds.choose(choice.detector, choice.options, device)
    refine = (kind.refinement or "none") if choice.refine == "auto" else choice.refine
    usual: Literal["keep", "mend"] = "keep" if refine != "none" or kind.refinement is None else "mend"
    flips = usual if choice.flips == "auto" else choice.flips
    return replace(choice, detector=kind.name, refine=refine, flips=flips)


def with_refinement(base: Detector, size: str, *, every: int = 1) -> Refined:
    """Refine the joints of each detected person with BlazePose.

    Args:
        base: Any detector.
        size: The BlazePose model: "full" or "heavy".
        every: Run ``base`` on every ``every``-th frame; BlazePose tracks people in between.
    """
    landmarks = BlazePose(locate(f"blazepose-{size}"))
    people = base if isinstance(base, FramewiseDetector) else FrameByFrame(base)
    return Refined(people, landmarks, every=every)
