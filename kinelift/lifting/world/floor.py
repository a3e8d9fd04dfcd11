"""The floor's levels, the sizes that let everybody stand on one floor, and a correction of up from where feet rest."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from kinelift.lifting.world.contacts import Span

STEP = 0.25
"""Metres: contacts whose heights differ by more are on different levels, such as a floor and a roof."""
SAME_FLOOR = 0.2
"""People whose floors differ by less than this share of the camera's height stand on one floor."""
SIZE = 0.06
"""Standard deviation of the logarithm of a person's size after the fit."""
MEASURED = 0.03
"""Standard deviation of the logarithm of a floor's depth under the camera, as one person shows it."""
LOW_CAMERA = 0.4
"""Metres: a floor less far under the camera says nothing about sizes."""
TILT = np.radians(2.0)
"""Standard deviation of the error of the direction up, in each of two axes."""
CONTACT, DEPTH = 0.03, 0.04
"""Standard deviations of a contact's place: metres, and the share of its distance along the ray."""


@dataclass(frozen=True, eq=False)
class Standing:
    """One person's contacts: their spans, and for each the height of its level along up over the camera (metres)."""

    spans: tuple[Span, ...]
    levels: tuple[float, ...]

    @staticmethod
    def of(spans: Sequence[Span]) -> "Standing":
        """Group contacts into levels: where heights, in order, differ by more than ``STEP``, a new one begins."""
        order = sorted(range(len(spans)), key=lambda k: spans[k].height)
        levels, group = [0.0] * len(spans), list[int]()
        for place, k in enumerate(order):
            group.append(k)
            if place + 1 == len(order) or spans[order[place + 1]].height - spans[k].height > STEP:
                height = _weighted_median([spans[j].height for j in group], [_frames(spans[j]) for j in group])
                for j in group:
                    levels[j] = height
                group = []
        return Standing(tuple(spans), tuple(levels))

    @property
    def main(self) -> float | None:
        """The level with most contacts; None without contacts."""
        frames: dict[float, int] = {}
        for span, level in zip(self.spans, self.levels, strict=True):
            frames[level] = frames.get(level, 0) + _frames(span)
        return max(frames, key=lambda level: frames[level]) if frames else None


def sizes(
    floors: Sequence[float | None], camera_height: float | None = None, known: tuple[int, float] | None = None
) -> list[float]:
    """Factors of the people's sizes and distances with which those on one floor agree about it.

    Scaling a person about the camera does not change the picture. With sizes and floors normal on a log scale, the most
    probable factors have a closed form.

    Args:
        floors: Height of each person's main level along up over the camera, metres (negative); None if not known.
        camera_height: The camera's height over the floor in metres, if it is known.
        known: The index and the factor of a person whose size is known.
    """
    if known is not None:
        return _like(floors, *known)
    depths = {k: np.log(-floor) for k, floor in enumerate(floors) if floor is not None and floor < -LOW_CAMERA}
    factors = [1.0] * len(floors)
    if not depths:
        return factors
    common = np.log(camera_height) if camera_height else float(np.median(list(depths.values())))
    together = {k: depth for k, depth in depths.items() if camera_height or abs(depth - common) < SAME_FLOOR}
    if not together:
        return factors
    if camera_height is None:
        common = float(np.mean(list(together.values())))
    trust = 1.0 if camera_height else SIZE**2 / (SIZE**2 + MEASURED**2)
    for k, depth in together.items():
        factors[k] = float(np.exp(trust * (common - depth)))
    return factors


def _like(floors: Sequence[float | None], person: int, factor: float) -> list[float]:
    """Factors with which all stand on the floor of ``person``, who has the factor ``factor``."""
    own = floors[person]
    if own is None or own > -LOW_CAMERA:
        return [factor] * len(floors)
    common = factor * own
    shares = [None if floor is None or floor > -LOW_CAMERA else common / floor for floor in floors]
    return [factor if share is None or abs(np.log(share / factor)) > SAME_FLOOR else float(share) for share in shares]


def corrected_up(
    places: Float[np.ndarray, "N 3"],
    people: Int[np.ndarray, " N"],
    weights: Float[np.ndarray, " N"],
    up: Float[np.ndarray, " 3"],
) -> Float[np.ndarray, " 3"]:
    """The direction up for which each person's contacts on one level have one height, with ``up`` as prior.

    Args:
        places: Contacts in the camera frame, metres.
        people: Whose contacts they are: 0, 1, … Different people may stand on different levels.
        weights: Their weights.
        up: The direction up in camera axes.
    """
    if not len(places):
        return up
    right = np.cross([0.0, 0.0, 1.0], up)
    right = right / np.linalg.norm(right)
    axes = np.stack([right, np.cross(right, up)])
    height, ground = places @ up, places @ axes.T
    spread = CONTACT + DEPTH * np.abs(height)
    columns = np.concatenate([ground, np.eye(people.max() + 1)[people]], 1)
    weight = weights / weights.max() / spread**2
    prior = np.diag([TILT**-2, TILT**-2, *[0.0] * (columns.shape[1] - 2)])
    normal = columns.T @ (weight[:, None] * columns) + prior
    tilt = -np.linalg.solve(normal, columns.T @ (weight * height))[:2]
    corrected: Float[np.ndarray, " 3"] = up + tilt @ axes
    return np.asarray(corrected / np.linalg.norm(corrected))


def _frames(span: Span) -> int:
    return span.stop - span.start


def _weighted_median(values: Sequence[float], weights: Sequence[int]) -> float:
    order = np.argsort(values)
    total = np.cumsum(np.asarray(weights)[order])
    return float(np.asarray(values)[order][np.searchsorted(total, total[-1] / 2)])
