"""Simulate a detector: noise, misses, occlusion, merged and double detections, and false ones."""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, Float

from benchmarks.keypoints.noise_figures import WITH_FEET
from benchmarks.tracking.crossings import SIZE, Scene
from kinelift.lifting.synthesis.noise import MEASURED, NoiseSettings, corrupt
from kinelift.poses import COCO17, People

MIRROR = list(COCO17.mirror)


@dataclass(frozen=True)
class Flaws:
    """Rates (per person and second) and durations (s) of errors; ``keypoints`` are the settings of the noise.

    ``miss``: probability that a visible person is missed in a frame; ``lost``: the same for an episode. ``flip``: the
    whole body is swapped left to right. ``double``: a person is detected twice. ``ghost``: an object is detected as a
    person (per scene and second). ``merge``: two people whose boxes overlap by a third are detected as one mixture.
    ``hidden``: fraction of occluded joints from which a person is never detected; from half of it, they may be missed.
    ``astray``: probability that an occluded joint is detected at the corresponding joint of the person in front.
    """

    keypoints: NoiseSettings = MEASURED
    miss: float = 0.03
    lost: tuple[float, float] = (0.05, 0.25)
    flip: tuple[float, float] = (0.1, 0.15)
    double: tuple[float, float] = (0.15, 0.15)
    ghost: tuple[float, float] = (0.25, 0.25)
    merge: tuple[float, float] = (1.0, 0.2)
    hidden: float = 0.75
    astray: float = 0.4


@dataclass(frozen=True, eq=False)
class _Found:
    points: Float[np.ndarray, "J 2"]
    scores: Float[np.ndarray, " J"]
    confidence: float


def detected(scene: Scene, flaws: Flaws, seed: int) -> tuple[People, ...]:
    """Simulate the detections of each frame, in random order."""
    random = np.random.default_rng(seed)
    points, inside = _read(scene, flaws, seed)
    count, length = scene.clear.shape
    points = _pulled(points, scene, flaws, random)
    flipped, doubled, lost = (
        np.stack([episodes(scene.times, *what, random) for _ in range(count)])
        for what in (flaws.flip, flaws.double, flaws.lost)
    )
    points = np.where(flipped[..., None, None], points[:, :, MIRROR], points)
    covered = scene.behind.mean(axis=-1)
    missed = random.random((count, length)) < flaws.miss + (covered / flaws.hidden * 2 - 1).clip(0)
    scores = np.where(
        scene.behind, random.uniform(0.03, 0.35, scene.behind.shape), random.uniform(0.5, 0.9, scene.behind.shape)
    )
    scores = np.where(inside, scores, 0.0)
    found: list[list[_Found]] = [[] for _ in range(length)]
    merged = _merged(scene, flaws, random)
    for t in range(length):
        for p in np.flatnonzero((scene.clear[:, t] > 0.15) & ~missed[:, t] & ~lost[:, t]):
            other = merged[p, t]
            if other >= 0 and scene.depth[p, t].mean() > scene.depth[other, t].mean():
                continue
            mix = random.random(len(COCO17)) < (0.3 if other >= 0 else 0.0)
            one = np.where(mix[:, None], points[other, t], points[p, t])
            sure = float(np.clip(0.75 - 0.6 * covered[p, t] + random.normal(0, 0.08), 0.05, 0.95))
            found[t].append(_Found(one, scores[p, t], sure))
            if doubled[p, t]:
                again = one + random.normal(0, 0.06, (len(COCO17), 2)) * np.ptp(one, axis=0).max()
                found[t].append(_Found(again, scores[p, t] * 0.6, random.uniform(0.1, 0.5)))
    _haunt(found, scene, flaws, random)
    return tuple(_people(t, [rows[k] for k in random.permutation(len(rows))]) for t, rows in enumerate(found))


def episodes(
    times: Float[np.ndarray, " T"], often: float, long: float, random: np.random.Generator
) -> Bool[np.ndarray, " T"]:
    """Whether each frame is in an episode: ``often`` per second, with an exponential duration of mean ``long`` s."""
    wrong = np.zeros(len(times), dtype=bool)
    for start in random.uniform(times[0], times[-1], random.poisson(often * (times[-1] - times[0]))):
        wrong |= (times >= start) & (times < start + random.exponential(long))
    return wrong


def _read(scene: Scene, flaws: Flaws, seed: int) -> tuple[Float[np.ndarray, "P T J 2"], Bool[np.ndarray, "P T J"]]:
    """Noisy keypoints and whether each is detected, by halves of the scene: probabilities refer to four seconds."""
    count, length = scene.clear.shape
    halves = torch.from_numpy(scene.points.reshape(2 * count, length // 2, len(COCO17), 2)).float()
    inside = torch.from_numpy(scene.inside.reshape(2 * count, length // 2, len(COCO17)))
    times = torch.from_numpy(scene.times[: length // 2]).float()
    halves, inside = halves[:, :, WITH_FEET], inside[:, :, WITH_FEET]
    generator = torch.Generator().manual_seed(seed)
    points, seen = corrupt(halves, inside, torch.ones(2 * count, dtype=torch.bool), times, flaws.keypoints, generator)
    points, seen = points[:, :, : len(COCO17)], seen[:, :, : len(COCO17)]
    return points.double().numpy().reshape(scene.points.shape), seen.numpy().reshape(scene.inside.shape)


def _pulled(
    points: Float[np.ndarray, "P T J 2"], scene: Scene, flaws: Flaws, random: np.random.Generator
) -> Float[np.ndarray, "P T J 2"]:
    """Move occluded joints, in some episodes, to those of the person in front."""
    out, middle, depth = points.copy(), scene.points.mean(axis=2), scene.depth.mean(axis=-1)
    for p in range(len(points)):
        off = np.linalg.norm(middle - middle[p], axis=-1) + 1e6 * (depth >= depth[p])
        front = off.argmin(axis=0)
        near = off.min(axis=0) < 0.6 * np.ptp(scene.points[p, :, :, 1], axis=1)
        slow = np.repeat(random.random((len(near) // 10 + 1, len(COCO17))), 10, axis=0)[: len(near)] < flaws.astray
        pull = scene.behind[p] & near[:, None] & slow
        out[p] = np.where(pull[..., None], points[front, np.arange(len(near))], points[p])
    return out


def _merged(scene: Scene, flaws: Flaws, random: np.random.Generator) -> np.ndarray:
    """For each person and frame, the person they are merged with; -1 if none."""
    out = np.full(scene.clear.shape, -1)
    low, high = scene.points.min(axis=2), scene.points.max(axis=2)
    for a in range(len(out)):
        for b in range(a):
            both = np.maximum(np.minimum(high[a], high[b]) - np.maximum(low[a], low[b]), 0).prod(axis=-1)
            union = (high[a] - low[a]).prod(axis=-1) + (high[b] - low[b]).prod(axis=-1) - both
            when = (both / union > 1 / 3) & episodes(scene.times, *flaws.merge, random)
            when &= (scene.clear[a] > 0.15) & (scene.clear[b] > 0.15)
            out[a, when], out[b, when] = b, a
    return out


def _haunt(found: list[list[_Found]], scene: Scene, flaws: Flaws, random: np.random.Generator) -> None:
    """Add ghosts: objects that look like a person for a while."""
    for _ in range(random.poisson(flaws.ghost[0] * scene.times[-1])):
        body = scene.points[0, random.integers(scene.points.shape[1])]
        body = (body - body.mean(axis=0)) / np.ptp(body[:, 1]) * random.uniform(80, 300)
        start, long = random.uniform(0, scene.times[-1]), random.exponential(flaws.ghost[1])
        place, sure = random.uniform((0, 0), SIZE), random.uniform(0.1, 0.5)
        for t in np.flatnonzero((scene.times >= start) & (scene.times < start + long)):
            points = body + place + random.normal(0, 3, (len(COCO17), 2))
            scores = np.where(((points >= 0) & (points < SIZE)).all(-1), random.uniform(0.1, 0.5, len(COCO17)), 0)
            found[t].append(_Found(points, scores, sure))


def _people(frame: int, rows: list[_Found]) -> People:
    rows = [one for one in rows if (one.scores > 0).sum() >= 3]
    if not rows:
        return People.nobody(frame, len(COCO17))
    scores = np.stack([one.scores for one in rows])
    points = np.where(scores[..., None] > 0, np.stack([one.points for one in rows]), np.nan)
    boxes = np.concatenate([np.nanmin(points, axis=1), np.nanmax(points, axis=1)], axis=1)
    return People(frame, points, scores, boxes, np.array([one.confidence for one in rows]))
