"""Training windows that look like what a classifier will meet: other bodies, other speeds, a lifter's errors.

Turning, moving and resizing the body as a whole are left out on purpose: ``spmf.encode`` does not see them.
"""

from collections import Counter
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int
from numpy.random import Generator

from poses import H36M17
from recognition.corpus import Corpus
from recognition.windows import fold

_OUTER = np.array([2.0 if name.endswith(("wrist", "ankle")) else 1.0 for name in H36M17.joints])


@dataclass(frozen=True)
class Augmentation:
    """How much windows are varied. Errors are standard deviations in metres, twice as large at wrists and ankles.

    ``wander`` drifts over about half a second in all directions; ``depth`` does so along one line of sight a window,
    where a lifter is least certain; ``jitter`` is new in every frame.
    """

    speed: tuple[float, float] = (0.8, 1.25)
    shift: float = 0.15
    """Seconds that a window may start earlier or later."""
    short: float = 0.25
    """Share of windows of which only a part (at least 40 %) was seen, lengthened as in use: so length gives no hint."""
    proportion: float = 0.08
    """Standard deviation of a bone's length, as a share of it; the same on both sides."""
    wander: float = 0.012
    depth: float = 0.03
    jitter: float = 0.003


class Sampler:
    """Draws augmented windows: every label equally often, and within a label every subject."""

    def __init__(self, corpus: Corpus, augmentation: Augmentation) -> None:
        self.corpus, self.augmentation = corpus, augmentation
        self.chances = _balance(corpus)

    def draw(self, count: int, generator: Generator) -> tuple[Float[np.ndarray, "B T 17 3"], Int[np.ndarray, " B"]]:
        """``count`` windows and their labels."""
        corpus, plan = self.corpus, self.corpus.plan
        rows = generator.choice(len(corpus), count, p=self.chances)
        half = (plan.frames - 1) / 2
        speed = generator.uniform(*self.augmentation.speed, (count, 1))
        shift = generator.uniform(-self.augmentation.shift, self.augmentation.shift, (count, 1)) * plan.rate
        seen = np.where(
            generator.random((count, 1)) < self.augmentation.short, generator.uniform(0.4, 1, (count, 1)), 1
        )
        moments = fold(np.tile(np.arange(float(plan.frames)), (count, 1)), seen * (plan.frames - 1))
        places = corpus.first[rows, None] + half + shift + speed * (moments - half)
        return vary(corpus.at(rows, places), self.augmentation, generator), corpus.labels[rows]


def vary(
    points: Float[np.ndarray, "B T 17 3"], augmentation: Augmentation, generator: Generator
) -> Float[np.ndarray, "B T 17 3"]:
    """Half of the windows mirrored, all with other proportions and with errors like a lifter's."""
    points = reproportioned(points, augmentation.proportion, generator)
    mirrored = points[:, :, list(H36M17.mirror)] * [-1.0, 1.0, 1.0]
    points = np.where(generator.random((len(points), 1, 1, 1)) < 0.5, mirrored, points)
    return points + errors(points.shape, augmentation, generator)


def reproportioned(
    points: Float[np.ndarray, "B T 17 3"], spread: float, generator: Generator
) -> Float[np.ndarray, "B T 17 3"]:
    """The same joint angles on bodies with other bone lengths."""
    factors = np.exp(spread * generator.standard_normal((len(points), len(H36M17))))
    factors = (factors + factors[:, list(H36M17.mirror)]) / 2
    out = points.copy()
    for parent, child in H36M17.bones:
        out[:, :, child] = out[:, :, parent] + factors[:, child, None, None] * (
            points[:, :, child] - points[:, :, parent]
        )
    return out


def errors(shape: tuple[int, ...], augmentation: Augmentation, generator: Generator) -> Float[np.ndarray, "B T 17 3"]:
    """What a lifter adds to the truth, in metres."""
    count, frames, joints, _ = shape
    sight = generator.standard_normal((count, 1, 1, 3)) * [1.0, 0.3, 1.0]
    sight /= np.linalg.norm(sight, axis=-1, keepdims=True)
    strength = np.exp(0.5 * generator.standard_normal((count, 1, 1, 1)))
    wander = augmentation.wander * _drift((count, frames, joints, 3), generator)
    depth = augmentation.depth * _drift((count, frames, joints, 1), generator) * sight
    jitter = augmentation.jitter * generator.standard_normal(shape)
    return strength * (wander + depth + jitter) * _OUTER[:, None]


def _drift(shape: tuple[int, ...], generator: Generator, knots: int = 4) -> Float[np.ndarray, "B T J C"]:
    """Standard normal values that change slowly: a few knots, joined by straight lines."""
    count, frames, *rest = shape
    values = generator.standard_normal((count, knots, *rest))
    place = np.linspace(0, knots - 1, frames)
    before = np.minimum(place.astype(int), knots - 2)
    share = (place - before)[:, None, None]
    return (1 - share) * values[:, before] + share * values[:, before + 1]


def _balance(corpus: Corpus) -> Float[np.ndarray, " W"]:
    """Probability of every window: labels equal, subjects equal within a label, windows equal within a subject."""
    groups = list(zip(corpus.labels.tolist(), corpus.subjects, strict=True))
    windows = Counter(groups)
    subjects = Counter(label for label, _ in windows)
    weights = np.array([1 / (windows[group] * subjects[group[0]]) for group in groups])
    return weights / weights.sum()
