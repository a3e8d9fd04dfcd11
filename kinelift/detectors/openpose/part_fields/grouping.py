"""Grouping of parts and limbs into people."""

from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Float

from kinelift.detectors.openpose.part_fields.connections import Connections, connect
from kinelift.detectors.openpose.part_fields.fields import PARTS, PartFields
from kinelift.detectors.openpose.part_fields.grouping_settings import GroupingSettings
from kinelift.detectors.openpose.part_fields.peaks import Peaks, find_peaks


@dataclass(frozen=True, eq=False)
class Grouped:
    """People, most confident first.

    Args:
        points: In cells (the first cell's centre is at 0.5); NaN = not found.
        scores: Of each part, 0-1; 0 = not found.
        confidence: Of each person, 0-1.
    """

    points: Float[np.ndarray, "N J 2"]
    scores: Float[np.ndarray, "N J"]
    confidence: Float[np.ndarray, " N"]


def group(fields: PartFields, settings: GroupingSettings | None = None) -> Grouped:
    """Group the maps of one image into people (Cao et al. 2017, sections 2.3 and 2.4)."""
    settings = settings or GroupingSettings()
    peaks = find_peaks(fields.heat[: len(PARTS)], settings.peak)
    return select(assemble(peaks, connect(peaks, fields.limbs, settings)), peaks, settings)


@dataclass(eq=False)
class Body:
    """Parts that belong together: ``parts`` = the peak of each part; ``limbs`` = the scores of the connections."""

    parts: dict[int, int]
    limbs: list[float] = field(default_factory=list)


def assemble(peaks: Peaks, connections: Connections) -> list[Body]:
    """Join peaks by connections, the best first, unless a body would get a part twice (greedy matching).

    Limbs of all kinds are taken in one order, so that a doubtful limb cannot join two people whom better limbs hold
    together. A limb that closes a loop counts as confirmation.
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


def select(bodies: list[Body], peaks: Peaks, settings: GroupingSettings) -> Grouped:
    """Keep the bodies with enough parts and enough confidence, the most confident first."""
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
