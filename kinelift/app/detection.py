"""Opens the chosen detector, with its refinement, stride and track repair."""

from dataclasses import replace
from functools import partial

from kinelift.app.settings import Detection
from kinelift.detectors import kinds
from kinelift.detectors.protocol import Detector, Opened, TrackRepair
from kinelift.detectors.refining.blazepose import BlazePose
from kinelift.detectors.refining.refined import Refined
from kinelift.detectors.strided import Strided
from kinelift.detectors.tflite import Engine
from kinelift.detectors.tracking import repair_side_flips
from kinelift.detectors.tracking.side_flips import VOTED
from kinelift.weights.store import locate


def open_detector(choice: Detection, device: str) -> Opened:
    """Open the chosen detector, with its refinement, its stride and the repair of its tracks.

    Args:
        choice: What the user chose. Every "auto" is resolved here.
        device: "cpu", "cuda" or "cuda:1", for the networks that support it.

    Raises:
        SettingsError: An option does not belong to the detector that "auto" selects.
        DetectorError: The detector is not installed or cannot run here.
        WeightsError: Its weights are missing or damaged.
        DataError: A keypoint file cannot be read.
    """
    resolved = resolve_auto(choice, device)
    kind = kinds.kind_named(resolved.detector)
    options = kind.read(resolved.options)
    opened = kind.open(options, device)
    detector, description = opened.detector, opened.description
    if resolved.refine != "none":
        engine: Engine = getattr(options, "engine", "tflite")
        detector = with_refinement(detector, resolved.refine, every=resolved.redetect, engine=engine)
        description += f", joints refined by BlazePose on cpu (blazepose-{resolved.refine})"
    if resolved.stride > 1:
        detector = Strided(detector, resolved.stride)
    return replace(opened, detector=detector, repair=_repair(resolved) or opened.repair, description=description)


def _repair(resolved: Detection) -> TrackRepair | None:
    """What repairs left and right, if anything: of joints that are refined, two networks have voted on the sides."""
    if resolved.flips == "keep":
        return None
    return repair_side_flips if resolved.refine == "none" else partial(repair_side_flips, costs=VOTED)


def resolve_auto(choice: Detection, device: str) -> Detection:
    """Replace every "auto" by a concrete value.

    The detector becomes the first listed one that has the given options and can run on the device. The refinement
    becomes that detector's usual one; ``redetect``, which needs one, gives every detector a second stage. Left-right
    flips are repaired, unless joints cannot be refined: these come from the user, who may have repaired them.

    Args:
        choice: What the user chose.
        device: "cpu", "cuda" or "cuda:1".

    Raises:
        SettingsError: An option does not belong to the detector that "auto" selects.
    """
    kind = kinds.choose(choice.detector, choice.options, device)
    usual = "full" if kind.refinement == "none" and choice.redetect > 1 else kind.refinement or "none"
    refine = usual if choice.refine == "auto" else choice.refine
    flips = ("keep" if kind.refinement is None else "mend") if choice.flips == "auto" else choice.flips
    return replace(choice, detector=kind.name, refine=refine, flips=flips)


def with_refinement(base: Detector, size: str, *, every: int = 1, engine: Engine = "tflite") -> Refined:
    """Refine the joints of each detected person with BlazePose.

    Args:
        base: Any detector.
        size: The BlazePose model: "full" or "heavy".
        every: Run ``base`` on every ``every``-th frame; BlazePose tracks people in between.
        engine: What runs BlazePose.
    """
    landmarks = BlazePose(locate(f"blazepose-{size}"), engine=engine)
    return Refined(base, landmarks, every=every)
