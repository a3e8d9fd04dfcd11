"""People out of parts and limbs."""

from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Float

from kinelift.detectors.openpose.part_fields.connections import Connections, connect
from kinelift.detectors.openpose.part_fields.fields import PartFields
from kinelift.detectors.openpose.part_fields.limbs import PARTS
from kinelift.detectors.openpose.part_fields.peaks import Peaks, find_peaks
from kinelift.detectors.openpose.part_fields.settings import GroupingSettings


@dataclass(frozen=True, eq=False)
class Grouped:
    """People, the surest first: ``points`` in cells (first cell's centre at 0.5), NaN where a part was not found;
    ``scores`` 0–1, 0 there; ``confidence`` 0–1.
    """

    points: Float[np.ndarray, "N J 2"]
    scores: Float[np.ndarray, "N J"]
    confidence: Float[np.ndarray, " N"]


def group(fields: PartFields, settings: GroupingSettings | None = None) -> Grouped:
    """The people whose parts and limbs a network saw (Cao et al. 2017, sections 2.3 and 2.4)."""
    settings = settings or GroupingSettings()
    peaks = find_peaks(fields.heat[: len(PARTS)], settings.peak)
    return chosen(assemble(peaks, connect(peaks, fields.limbs, settings)), peaks, settings)


@dataclass(eq=False)
class Body:
    """Parts that belong together: ``parts`` = which peak is which part; ``limbs`` = scores of what connects them."""

    parts: dict[int, int]
    limbs: list[float] = field(default_factory=list)


def assemble(peaks: Peaks, connections: Connections) -> list[Body]:
    """Join peaks by connections, the best first, wherever nobody gets a part twice.

    So no two limbs of a kind share a part: the greedy matching. That limbs of all kinds stand in one order keeps a
    doubtful limb from spoiling two people whom better ones hold together; limbs that close a loop confirm it.
    """
    body_of = [Body({int(part): peak}) for peak, part in enumerate(peaks.part)]
    for start, end, score in zip(connections.start, connections.end, connections.scores, strict=True):
        body, other = body_of[start], body_of[end]
        if body is not other:
            if not body.parts.keys().isdisjoint(other.parts):
                continue
            body.parts |= other.parts
            body.limbs += other.limbs
            for peak in other.parts.values():
                body_of[peak] = body
        body.limbs.append(float(score))
    return list({id(body): body for body in body_of}.values())


def chosen(bodies: list[Body], peaks: Peaks, settings: GroupingSettings) -> Grouped:
    """Those bodies that have enough parts and are sure enough, the surest first."""
    bodies = [body for body in bodies if len(body.parts) >= settings.joints]
    points = np.full((len(bodies), len(PARTS), 2), np.nan)
    scores = np.zeros((len(bodies), len(PARTS)))
    for row, body in enumerate(bodies):
        parts, places = list(body.parts.keys()), list(body.parts.values())
        points[row, parts], scores[row, parts] = peaks.places[places], peaks.scores[places]
    confidence = np.array([_confidence(body, peaks) for body in bodies])
    order = np.argsort(-confidence, kind="stable")
    order = order[confidence[order] >= settings.person]
    return Grouped(points[order], scores[order], confidence[order])


def _confidence(body: Body, peaks: Peaks) -> float:
    """Mean score of all the parts and limbs of a body."""
    scores = [*peaks.scores[list(body.parts.values())], *body.limbs]
    return float(np.mean(scores))
