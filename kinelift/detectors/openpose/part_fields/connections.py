"""Candidates for limbs: pairs of parts where the field points from one to the other."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from kinelift.detectors.openpose.part_fields.fields import LIMBS, PARTS
from kinelift.detectors.openpose.part_fields.grouping_settings import GroupingSettings
from kinelift.detectors.openpose.part_fields.peaks import Peaks

_NONE = -1
_LIMB_BETWEEN = np.full((len(PARTS), len(PARTS)), _NONE)
for _limb, _ends in enumerate(LIMBS):
    _LIMB_BETWEEN[_ends] = _limb


@dataclass(frozen=True, eq=False)
class Connections:
    """Pairs of peaks, ``start`` and ``end``; ``scores``: how well the field points from one to the other, 0-1."""

    start: Int[np.ndarray, " C"]
    end: Int[np.ndarray, " C"]
    scores: Float[np.ndarray, " C"]


def connect(peaks: Peaks, limbs: Float[np.ndarray, "F h w"], settings: GroupingSettings) -> Connections:
    """Find the pairs of peaks that may be the ends of a limb, the best first."""
    limb = _LIMB_BETWEEN[peaks.part[:, None], peaks.part]
    start, end = np.nonzero(limb != _NONE)
    along = projections(limbs, limb[start, end], peaks.places[start], peaks.places[end], settings.samples)
    scores = along.mean(axis=1)
    good = ((along > settings.along).mean(axis=1) >= settings.support) & (scores > settings.along)
    order = np.argsort(-scores[good], kind="stable")
    return Connections(start[good][order], end[good][order], scores[good][order].clip(0, 1))


def projections(
    limbs: Float[np.ndarray, "F h w"],
    limb: Int[np.ndarray, " C"],
    starts: Float[np.ndarray, "C 2"],
    ends: Float[np.ndarray, "C 2"],
    samples: int,
) -> Float[np.ndarray, "C S"]:
    """The component of the field of ``limb`` from start to end, at points spread evenly in between.

    Their mean is the line integral of Cao et al. 2017, equation 10.
    """
    vector = ends - starts
    length = np.linalg.norm(vector, axis=1, keepdims=True)
    share = (np.arange(samples) + 0.5) / samples
    places = starts[:, None] + vector[:, None] * share[:, None]
    field = _bilinear(limbs, limb, places)
    components: Float[np.ndarray, "C S"] = np.einsum("csd,cd->cs", field, vector / np.maximum(length, 1e-9))
    return components


def _bilinear(
    limbs: Float[np.ndarray, "F h w"], limb: Int[np.ndarray, " C"], places: Float[np.ndarray, "C S 2"]
) -> Float[np.ndarray, "C S 2"]:
    """The vectors of a limb's field at any position, interpolated between the centres of cells."""
    height, width = limbs.shape[1:]
    vectors = limbs.reshape(-1, 2, height * width).transpose(0, 2, 1)
    place = (places - 0.5).clip(0, [width - 1, height - 1])
    low = np.floor(place).astype(np.intp)
    high = np.minimum(low + 1, [width - 1, height - 1])
    (u, v), which = np.moveaxis(place - low, -1, 0)[..., None], limb[:, None]
    upper, lower = low[..., 1] * width, high[..., 1] * width
    left, right = low[..., 0], high[..., 0]
    above = vectors[which, upper + left] * (1 - u) + vectors[which, upper + right] * u
    below = vectors[which, lower + left] * (1 - u) + vectors[which, lower + right] * u
    between: Float[np.ndarray, "C S 2"] = above * (1 - v) + below * v
    return between
