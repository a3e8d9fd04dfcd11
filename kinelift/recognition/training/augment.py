"""Augment training windows to resemble those in use: other bodies, other speeds, a lifter's errors.

A body as a whole is not moved or resized, because ``spmf.encode`` is invariant to that. It is also invariant to
rotation, unless it draws in the recording's axes.
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
from kinelift.recognition.windows import reflect

_EXTREMITIES = ("wrist", "ankle", "hand", "foot")


@dataclass(frozen=True)
class Augmentation:
    """How much windows are varied.

    Errors are standard deviations in metres, doubled at hands and feet. Lifted clips contain a lifter's errors already,
    so none are added to them.
    """

    speed: tuple[float, float] = (0.8, 1.25)
    """Range of playback speed; 1 is unchanged."""
    shift: float = 0.15
    """Largest shift of a window in time, as a share of its length."""
    short: float = 0.25
    """Share of windows reduced to a part of at least 40 % and extended as in use, so that length is no clue."""
    warp: float = 0.0
    """Standard deviation of the logarithm of the speed within a window, which changes smoothly."""
    lost: float = 0.0
    """Share of windows in which up to half of the time is interpolated linearly, as if the body was not seen."""
    mirror: float = 0.5
    """Share of windows that are mirrored."""
    exchange: float = 0.5
    """Share of windows in which two people are exchanged, for skeletons of two people."""
    proportion: float = 0.08
    """Standard deviation of bone lengths, as a share of them; the same on both sides."""
    turn: float = 0.0
    """Standard deviation of a rotation about the y axis, in degrees, for images in the recording's axes."""
    lean: float = 0.0
    """Standard deviation of a rotation about the x and z axes, in degrees."""
    wander: float = 0.012
    """Error in all directions that drifts over about half a second."""
    depth: float = 0.03
    """Error along a line of sight, one per window, that drifts in the same way: lifters are least certain in depth."""
    jitter: float = 0.003
    """Error that is independent in every frame."""


class Sampler:
    """Draws augmented windows, with equal probability for every label and, within a label, for every subject."""

    def __init__(self, corpus: Corpus, augmentation: Augmentation) -> None:
        self.corpus, self.augmentation = corpus, augmentation
        self.probabilities = _balance(corpus)
        self.recorded = corpus.of_kind("")

    def draw(self, count: int, generator: Generator) -> tuple[Float[np.ndarray, "B T J 3"], Int[np.ndarray, " B"]]:
        """Draw ``count`` windows and their labels."""
        rows = generator.choice(len(self.corpus), count, p=self.probabilities)
        return self.augment(rows, generator), self.corpus.labels[rows]

    def augment(self, rows: Int[np.ndarray, " B"], generator: Generator) -> Float[np.ndarray, "B T J 3"]:
        """Augment each of these rows of the corpus once."""
        skeleton = self.corpus.dataset.skeleton
        windows = self.corpus.poses_at(rows, self._sample_frames(rows, generator))
        windows = interpolate_gaps(windows, self.augmentation.lost, generator)
        windows = transform_bodies(windows, skeleton, self.augmentation, generator)
        errors = lifting_errors(windows.shape, skeleton, self.augmentation, generator)
        return windows + np.where(self.recorded[rows, None, None, None], errors, 0.0)

    def _sample_frames(self, rows: Int[np.ndarray, " B"], generator: Generator) -> Float[np.ndarray, "B T"]:
        """Frame numbers of windows shifted in time, at another speed, and sometimes reduced to a part.

        A window that is a whole segment stays inside it.
        """
        first, last = self.corpus.spans[rows].T
        count, plan = len(rows), self.corpus.plan
        speed = generator.uniform(*self.augmentation.speed, (count, 1))
        room = np.inf if plan.seconds else np.maximum(1 - speed, 0) / 2
        shift = generator.uniform(-1, 1, (count, 1)) * np.minimum(self.augmentation.shift, room)
        cut = generator.random((count, 1)) < self.augmentation.short
        visible = np.where(cut, generator.uniform(0.4, 1, (count, 1)), 1)
        moments = reflect(_warped(count, plan.frames, self.augmentation.warp, generator), visible) - 0.5
        middle, length = (first + last) / 2, last - first
        frames: Float[np.ndarray, "B T"] = middle[:, None] + length[:, None] * (shift + speed * moments)
        return frames


def transform_bodies(
    points: Float[np.ndarray, "B T J 3"], skeleton: Skeleton, augmentation: Augmentation, generator: Generator
) -> Float[np.ndarray, "B T J 3"]:
    """Change the proportions of bodies and rotate them; mirror some windows, and exchange some pairs of people."""
    points = scale_bones(points, skeleton, augmentation.proportion, generator)
    points = rotate(points, augmentation, generator)
    flip = generator.random((len(points), 1, 1, 1)) < augmentation.mirror
    points = np.where(flip, points[:, :, list(skeleton.mirror)] * [-1.0, 1.0, 1.0], points)
    if skeleton.parents.count(-1) == 2:
        swap = generator.random((len(points), 1, 1, 1)) < augmentation.exchange
        points = np.where(swap, np.roll(points, len(skeleton) // 2, axis=2), points)
    return points


def rotate(
    points: Float[np.ndarray, "B T J 3"], augmentation: Augmentation, generator: Generator
) -> Float[np.ndarray, "B T J 3"]:
    """Rotate each window as a whole about the y axis, and tilt it about the x and z axes."""
    spreads = [augmentation.turn, augmentation.lean, augmentation.lean]
    rotations = Rotation.from_euler("yxz", spreads * generator.standard_normal((len(points), 3)), degrees=True)
    rotated: Float[np.ndarray, "B T J 3"] = np.einsum("bac,btjc->btja", rotations.as_matrix(), points)
    return rotated


def interpolate_gaps(
    points: Float[np.ndarray, "B T J 3"], share: float, generator: Generator
) -> Float[np.ndarray, "B T J 3"]:
    """Replace one stretch of up to half of the time by linear interpolation, in a ``share`` of the windows."""
    count, frames = points.shape[:2]
    length = generator.uniform(0, 0.5, count) * (generator.random(count) < share)
    first = generator.uniform(0, 1 - length) * (frames - 1)
    last = first + length * (frames - 1)
    frame_numbers = np.tile(np.arange(frames, dtype=float), (count, 1))
    inside = (frame_numbers > first[:, None]) & (frame_numbers < last[:, None])
    rows = np.arange(count)
    ends = (points[rows, np.floor(first).astype(int)], points[rows, np.ceil(last).astype(int)])
    along = ((frame_numbers - first[:, None]) / np.maximum(last - first, 1e-9)[:, None])[..., None, None]
    return np.where(inside[..., None, None], (1 - along) * ends[0][:, None] + along * ends[1][:, None], points)


def scale_bones(
    points: Float[np.ndarray, "B T J 3"], skeleton: Skeleton, spread: float, generator: Generator
) -> Float[np.ndarray, "B T J 3"]:
    """The same joint angles on bodies with other bone lengths.

    Args:
        points: Joints in any axes and unit.
        skeleton: Names the joints.
        spread: Standard deviation of the logarithm of the factors.
        generator: Source of randomness.
    """
    factors = np.exp(spread * generator.standard_normal((len(points), len(skeleton))))
    factors = (factors + factors[:, list(skeleton.mirror)]) / 2
    scaled = points.copy()
    for parent, child in skeleton.outward:
        bone = points[:, :, child] - points[:, :, parent]
        scaled[:, :, child] = scaled[:, :, parent] + factors[:, child, None, None] * bone
    return scaled


def lifting_errors(
    shape: tuple[int, ...], skeleton: Skeleton, augmentation: Augmentation, generator: Generator
) -> Float[np.ndarray, "B T J 3"]:
    """Random errors like those of a lifter, in metres."""
    count, frames, joints, _ = shape
    line_of_sight = generator.standard_normal((count, 1, 1, 3)) * [1.0, 0.3, 1.0]
    line_of_sight /= np.linalg.norm(line_of_sight, axis=-1, keepdims=True)
    strength = np.exp(0.5 * generator.standard_normal((count, 1, 1, 1)))
    wander = augmentation.wander * _drift((count, frames, joints, 3), generator)
    depth = augmentation.depth * _drift((count, frames, joints, 1), generator) * line_of_sight
    jitter = augmentation.jitter * generator.standard_normal(shape)
    return strength * (wander + depth + jitter) * np.where(_is_extremity(skeleton), 2.0, 1.0)[:, None]


def _is_extremity(skeleton: Skeleton) -> Bool[np.ndarray, " J"]:
    return np.array([any(end in name for end in _EXTREMITIES) for name in skeleton.joints])


def _warped(count: int, frames: int, spread: float, generator: Generator) -> Float[np.ndarray, "B T"]:
    """Moments from 0 to 1 at a speed that changes."""
    speed = np.exp(spread * _drift((count, frames - 1), generator, knots=5))
    elapsed = np.cumsum(speed, axis=1)
    return np.concatenate([np.zeros((count, 1)), elapsed / elapsed[:, -1:]], axis=1)


def _drift(shape: tuple[int, ...], generator: Generator, knots: int = 4) -> Float[np.ndarray, "B T *more"]:
    """Standard normal values that change slowly along T: linear interpolation between a few knots."""
    count, frames, *rest = shape
    return interpolate(generator.standard_normal((count, knots, *rest)), np.linspace(0, knots - 1, frames), axis=1)


def _balance(corpus: Corpus) -> Float[np.ndarray, " W"]:
    """Probability of every window: equal for labels, for subjects of a label, and for windows of a subject."""
    groups = list(zip(corpus.labels.tolist(), corpus.subjects, strict=True))
    windows = Counter(groups)
    subjects = Counter(label for label, _ in windows)
    weights = np.array([1 / (windows[group] * subjects[group[0]]) for group in groups])
    probabilities: Float[np.ndarray, " W"] = weights / weights.sum()
    return probabilities
