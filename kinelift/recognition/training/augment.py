"""Training windows that look like what a classifier will meet: other bodies, other speeds, a lifter's errors.

Moving and resizing the body as a whole are left out on purpose: ``spmf.encode`` does not see them. Nor does it see how
the body is turned, unless it draws in the recording's own axes.
"""

from collections import Counter
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int
from numpy.random import Generator
from scipy.spatial.transform import Rotation

from kinelift.poses import Skeleton
from kinelift.poses.timeseries import interpolate
from kinelift.recognition.training.corpus import Corpus
from kinelift.recognition.windows import fold

_ENDS = ("wrist", "ankle", "hand", "foot")


@dataclass(frozen=True)
class Augmentation:
    """How much windows are varied. Errors are standard deviations in metres, twice as large at hands and feet.

    ``wander`` drifts over about half a second in all directions; ``depth`` does so along one line of sight a window,
    where a lifter is least certain; ``jitter`` is new in every frame. Lifted clips have errors of their own already,
    so none are added to them.
    """

    speed: tuple[float, float] = (0.8, 1.25)
    """Stretch of time shown, as a share of the window's length."""
    shift: float = 0.15
    """Share of its length that a window may start earlier or later."""
    short: float = 0.25
    """Share of windows of which only a part (at least 40 %) was seen, lengthened as in use: so length gives no hint."""
    warp: float = 0.0
    """Standard deviation of the logarithm of the speed within a window, which changes smoothly."""
    lost: float = 0.0
    """Share of windows in which nobody was seen for up to half of the time: bridged by straight lines, as in use."""
    mirror: float = 0.5
    """Share of windows that are mirrored."""
    exchange: float = 0.5
    """Share of windows in which two people change roles, where the skeleton is of two."""
    proportion: float = 0.08
    """Standard deviation of a bone's length, as a share of it; the same on both sides."""
    turn: float = 0.0
    """Standard deviation of a turn about the y axis, in degrees, for pictures in the recording's own axes."""
    lean: float = 0.0
    """The same about the x and z axes."""
    wander: float = 0.012
    depth: float = 0.03
    jitter: float = 0.003


class Sampler:
    """Draws augmented windows: every label equally often, and within a label every subject."""

    def __init__(self, corpus: Corpus, augmentation: Augmentation) -> None:
        self.corpus, self.augmentation = corpus, augmentation
        self.chances = _balance(corpus)
        self.recorded = corpus.of("")

    def draw(self, count: int, generator: Generator) -> tuple[Float[np.ndarray, "B T J 3"], Int[np.ndarray, " B"]]:
        """``count`` windows and their labels."""
        rows = generator.choice(len(self.corpus), count, p=self.chances)
        return self.varied(rows, generator), self.corpus.labels[rows]

    def varied(self, rows: Int[np.ndarray, " B"], generator: Generator) -> Float[np.ndarray, "B T J 3"]:
        """These rows of the corpus, each augmented once."""
        skeleton = self.corpus.dataset.skeleton
        windows = self.corpus.at(rows, self._places(rows, generator))
        windows = bridged(windows, self.augmentation.lost, generator)
        windows = vary(windows, skeleton, self.augmentation, generator)
        made = errors(windows.shape, skeleton, self.augmentation, generator)
        return windows + np.where(self.recorded[rows, None, None, None], made, 0.0)

    def _places(self, rows: Int[np.ndarray, " B"], generator: Generator) -> Float[np.ndarray, "B T"]:
        """Frame numbers: each window earlier or later, faster or slower, and now and then seen in part only.

        A window that is a whole segment stays inside it.
        """
        first, last = self.corpus.spans[rows].T
        count, plan = len(rows), self.corpus.plan
        speed = generator.uniform(*self.augmentation.speed, (count, 1))
        room = np.inf if plan.seconds else np.maximum(1 - speed, 0) / 2
        shift = generator.uniform(-1, 1, (count, 1)) * np.minimum(self.augmentation.shift, room)
        cut = generator.random((count, 1)) < self.augmentation.short
        seen = np.where(cut, generator.uniform(0.4, 1, (count, 1)), 1)
        moments = fold(_warped(count, plan.frames, self.augmentation.warp, generator), seen) - 0.5
        return ((first + last) / 2)[:, None] + (last - first)[:, None] * (shift + speed * moments)


def vary(
    points: Float[np.ndarray, "B T J 3"], skeleton: Skeleton, augmentation: Augmentation, generator: Generator
) -> Float[np.ndarray, "B T J 3"]:
    """Windows with other proportions, turned, some of them mirrored, and some pairs of people exchanged."""
    points = reproportioned(points, skeleton, augmentation.proportion, generator)
    points = turned(points, augmentation, generator)
    flip = generator.random((len(points), 1, 1, 1)) < augmentation.mirror
    points = np.where(flip, points[:, :, list(skeleton.mirror)] * [-1.0, 1.0, 1.0], points)
    if skeleton.parents.count(-1) == 2:
        swap = generator.random((len(points), 1, 1, 1)) < augmentation.exchange
        points = np.where(swap, np.roll(points, len(skeleton) // 2, axis=2), points)
    return points


def turned(
    points: Float[np.ndarray, "B T J 3"], augmentation: Augmentation, generator: Generator
) -> Float[np.ndarray, "B T J 3"]:
    """Each window as a whole turned about the y axis, and leaning."""
    spreads = [augmentation.turn, augmentation.lean, augmentation.lean]
    turns = Rotation.from_euler("yxz", spreads * generator.standard_normal((len(points), 3)), degrees=True)
    return np.einsum("bac,btjc->btja", turns.as_matrix(), points)


def bridged(points: Float[np.ndarray, "B T J 3"], share: float, generator: Generator) -> Float[np.ndarray, "B T J 3"]:
    """In a ``share`` of the windows one stretch, of up to half of the time, becomes a straight line."""
    count, frames = points.shape[:2]
    length = generator.uniform(0, 0.5, count) * (generator.random(count) < share)
    first = generator.uniform(0, 1 - length) * (frames - 1)
    last = first + length * (frames - 1)
    places = np.tile(np.arange(frames, dtype=float), (count, 1))
    inside = (places > first[:, None]) & (places < last[:, None])
    rows = np.arange(count)
    ends = (points[rows, np.floor(first).astype(int)], points[rows, np.ceil(last).astype(int)])
    along = ((places - first[:, None]) / np.maximum(last - first, 1e-9)[:, None])[..., None, None]
    return np.where(inside[..., None, None], (1 - along) * ends[0][:, None] + along * ends[1][:, None], points)


def reproportioned(
    points: Float[np.ndarray, "B T J 3"], skeleton: Skeleton, spread: float, generator: Generator
) -> Float[np.ndarray, "B T J 3"]:
    """The same joint angles on bodies with other bone lengths."""
    factors = np.exp(spread * generator.standard_normal((len(points), len(skeleton))))
    factors = (factors + factors[:, list(skeleton.mirror)]) / 2
    out = points.copy()
    for parent, child in skeleton.outward:
        bone = points[:, :, child] - points[:, :, parent]
        out[:, :, child] = out[:, :, parent] + factors[:, child, None, None] * bone
    return out


def errors(
    shape: tuple[int, ...], skeleton: Skeleton, augmentation: Augmentation, generator: Generator
) -> Float[np.ndarray, "B T J 3"]:
    """What a lifter adds to the truth, in metres."""
    count, frames, joints, _ = shape
    sight = generator.standard_normal((count, 1, 1, 3)) * [1.0, 0.3, 1.0]
    sight /= np.linalg.norm(sight, axis=-1, keepdims=True)
    strength = np.exp(0.5 * generator.standard_normal((count, 1, 1, 1)))
    wander = augmentation.wander * _drift((count, frames, joints, 3), generator)
    depth = augmentation.depth * _drift((count, frames, joints, 1), generator) * sight
    jitter = augmentation.jitter * generator.standard_normal(shape)
    return strength * (wander + depth + jitter) * np.where(_outer(skeleton), 2.0, 1.0)[:, None]


def _outer(skeleton: Skeleton) -> Bool[np.ndarray, " J"]:
    return np.array([any(end in name for end in _ENDS) for name in skeleton.joints])


def _warped(count: int, frames: int, spread: float, generator: Generator) -> Float[np.ndarray, "B T"]:
    """Moments from 0 to 1, passed at a speed that changes."""
    speed = np.exp(spread * _drift((count, frames - 1), generator, knots=5))
    passed = np.cumsum(speed, axis=1)
    return np.concatenate([np.zeros((count, 1)), passed / passed[:, -1:]], axis=1)


def _drift(shape: tuple[int, ...], generator: Generator, knots: int = 4) -> Float[np.ndarray, "B T *more"]:
    """Standard normal values that change slowly along T: a few knots, joined by straight lines."""
    count, frames, *rest = shape
    return interpolate(generator.standard_normal((count, knots, *rest)), np.linspace(0, knots - 1, frames), axis=1)


def _balance(corpus: Corpus) -> Float[np.ndarray, " W"]:
    """Probability of every window: labels equal, subjects equal within a label, windows equal within a subject."""
    groups = list(zip(corpus.labels.tolist(), corpus.subjects, strict=True))
    windows = Counter(groups)
    subjects = Counter(label for label, _ in windows)
    weights = np.array([1 / (windows[group] * subjects[group[0]]) for group in groups])
    return weights / weights.sum()
