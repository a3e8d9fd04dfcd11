"""The detector that a user chose, put together from its parts."""

from collections.abc import Mapping
from typing import NamedTuple

from app.settings import Detection
from detectors.blazepose import BlazePose
from detectors.movenet import MoveNet
from detectors.protocol import Detector
from detectors.refined import Refined
from detectors.second_look import SecondLook
from weights.store import locate


class Opened(NamedTuple):
    """A detector, and what to say of it in recordings."""

    detector: Detector
    facts: Mapping[str, str]


def open_detector(choice: Detection, device: str) -> Opened:
    """The detector of ``choice``; networks that can, run on ``device``.

    Raises ``DetectorError`` for one that is not installed or cannot run, ``WeightsError`` for weights that are missing
    or damaged, ``DataError`` for a file of keypoints that cannot be read.
    """
    return _movenet(choice, device)


def _movenet(choice: Detection, device: str) -> Opened:
    """MoveNet on the whole picture, and once more, close up, on people who were lost since the last frame."""
    model = locate("movenet-multipose")
    people = SecondLook(MoveNet(model), MoveNet(model, long_side=256))
    refine = "full" if choice.refine == "auto" else choice.refine
    facts = {"detector": "movenet", "refine": refine}
    if refine == "none":
        return Opened(people, facts)
    return Opened(Refined(people, BlazePose(locate(f"blazepose-{refine}")), every=choice.redetect), facts)
