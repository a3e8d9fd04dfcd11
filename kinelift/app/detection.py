"""The detector that a user chose, put together from its parts."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from kinelift.app.following import Mend
from kinelift.app.settings import Detection
from kinelift.detectors.converted import as_skeleton
from kinelift.detectors.detectron2 import detector as detectron2
from kinelift.detectors.keypoint_files.detector import KeypointFile
from kinelift.detectors.movenet.scales import movenet_people
from kinelift.detectors.one_by_one import OneByOne
from kinelift.detectors.openpose.detector import open_openpose
from kinelift.detectors.openpose.part_fields import GroupingSettings
from kinelift.detectors.protocol import Detector
from kinelift.detectors.refining.blazepose import BlazePose
from kinelift.detectors.refining.refined import Looks, Refined
from kinelift.detectors.strided import Strided
from kinelift.detectors.tracking import unflipped
from kinelift.poses import keypoints
from kinelift.weights.store import locate


@dataclass(frozen=True, eq=False)
class Opened:
    """A detector, what recordings say of it, and what its tracks need."""

    detector: Detector
    facts: Mapping[str, str] = field(default_factory=dict)
    mend: Mend | None = None


def open_detector(choice: Detection, device: str) -> Opened:
    """The detector of ``choice``; networks that can, run on ``device``.

    Raises ``DetectorError`` for one that is not installed or cannot run, ``WeightsError`` for weights that are missing
    or damaged, ``DataError`` for a file of keypoints that cannot be read.
    """
    chosen = decided(choice, device)
    opened = _network(chosen, device) if chosen.keypoints is None else _file(chosen, chosen.keypoints)
    detector, facts = opened.detector, dict(opened.facts)
    if chosen.stride > 1:
        detector, facts["stride"] = Strided(detector, chosen.stride), str(chosen.stride)
    if chosen.flips == "mend":
        facts["flips"] = "mended"
    return Opened(detector, facts, unflipped if chosen.flips == "mend" else None)


def decided(choice: Detection, device: str) -> Detection:
    """``choice`` without any "auto": Detectron2 where it is installed and has a GPU, else MoveNet; a second stage for
    MoveNet; sides mended where no second stage keeps them.
    """
    detector, refine, flips = choice.detector, choice.refine, choice.flips
    if detector == "auto" and choice.keypoints is None:
        detector = "detectron2" if device == "cuda" and detectron2.installed() else "movenet"
    if refine == "auto":
        refine = "full" if detector == "movenet" else "none"
    if flips == "auto":
        flips = "mend" if refine == "none" else "keep"
    return replace(choice, detector=detector, refine=refine, flips=flips)


def _network(choice: Detection, device: str) -> Opened:
    return Opened(_refined(choice, _OPENERS[choice.detector](choice, device)), _facts(choice))


def _facts(choice: Detection) -> dict[str, str]:
    facts: dict[str, str] = {"detector": choice.detector, "refine": choice.refine}
    if choice.detector == "detectron2":
        facts["backbone"] = choice.backbone
    for name in ("detector_weights", "long_side", "person_threshold"):
        if (value := getattr(choice, name)) is not None:
            facts[name] = str(value)
    return facts | ({"redetect": str(choice.redetect)} if choice.redetect > 1 else {})


def _file(choice: Detection, path: Path) -> Opened:
    found = keypoints.read(path, choice.keypoint_layout, choice.keypoint_first)
    return Opened(
        KeypointFile(found), {"detector": "keypoints", "keypoints": f"{found.source}: {found.layout} ({found.stated})"}
    )


def _refined(choice: Detection, base: Detector) -> Detector:
    """``base``, and BlazePose on a close-up of everybody whom it finds."""
    if choice.refine == "none":
        return base
    landmarks = BlazePose(locate(f"blazepose-{choice.refine}"))
    people = base if isinstance(base, Looks) else OneByOne(as_skeleton(base, landmarks.skeleton))
    return Refined(people, landmarks, every=choice.redetect)


def _movenet(choice: Detection, device: str) -> Detector:
    return movenet_people(
        locate("movenet-multipose"), **_given(long_side=choice.long_side, person_threshold=choice.person_threshold)
    )


def _detectron2(choice: Detection, device: str) -> Detector:
    side, threshold = choice.long_side, choice.person_threshold
    settings = detectron2.Detectron2Settings(**_given(short_side=side, long_side=side, person_threshold=threshold))
    return detectron2.Detectron2.load(choice.backbone, choice.detector_weights, device, settings)


def _openpose(choice: Detection, device: str) -> Detector:
    grouping = GroupingSettings(**_given(person=choice.person_threshold))
    return open_openpose(choice.detector_weights, device=device, long_side=choice.long_side, grouping=grouping)


def _given(**settings: Any) -> dict[str, Any]:
    """Those that were chosen; the others keep their detector's default."""
    return {name: value for name, value in settings.items() if value is not None}


_OPENERS: Mapping[str, Callable[[Detection, str], Detector]] = {
    "movenet": _movenet, "detectron2": _detectron2, "openpose": _openpose
}  # fmt: skip
