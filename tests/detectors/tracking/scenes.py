"""Synthetic scenes: people who walk across an image, as a detector would see them, and a score for their ids."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from benchmarks.tracking.identity_metrics import Moment, Score, score
from kinelift.detectors.tracking import Identity
from kinelift.poses import COCO17, People

SIZE = (1280, 720)
_COVERED = 0.6


@dataclass(frozen=True)
class Walker:
    """Walks at ``speed`` px/s from (``x``, ``ground``) px, there from ``enter`` to ``leave`` s; larger = nearer."""

    x: float
    speed: float
    ground: float = 600.0
    height: float = 300.0
    phase: float = 0.0
    enter: float = 0.0
    leave: float = np.inf

    def pose(self, time: float) -> Float[np.ndarray, "17 2"]:
        """Joints in pixels: a stick figure seen from the side whose arms and legs swing with its steps."""
        x = self.x + self.speed * (time - self.enter)
        swing = 2 * np.pi * (0.9 * time + self.phase)
        facing = 1.0 if self.speed >= 0 else -1.0
        places = {"nose": (0.06 * facing, -0.92)}
        for side, sign in (("left", 1.0), ("right", -1.0)):
            leg, arm = 0.45 * sign * np.sin(swing), -0.5 * sign * np.sin(swing)
            knee = leg - facing * 0.5 * max(0.0, sign * np.cos(swing))
            offsets = {
                "eye": (0.05 * facing + 0.01 * sign, -0.94), "ear": (0.02 * sign, -0.93),
                "shoulder": (0.04 * sign, -0.80), "hip": (0.03 * sign, -0.50),
            }  # fmt: skip
            offsets["elbow"] = _hang(offsets["shoulder"], 0.17, arm)
            offsets["wrist"] = _hang(offsets["elbow"], 0.15, arm + 0.4 * facing)
            offsets["knee"] = _hang(offsets["hip"], 0.24, leg)
            offsets["ankle"] = _hang(offsets["knee"], 0.24, knee)
            places |= {f"{side}_{part}": place for part, place in offsets.items()}
        return np.array([places[j] for j in COCO17.joints]) * self.height + [x, self.ground]

    def there(self, time: float) -> bool:
        """Whether their middle is in the picture."""
        return self.enter <= time <= self.leave and 0 <= self.x + self.speed * (time - self.enter) <= SIZE[0]


def _hang(joint: tuple[float, float], length: float, angle: float) -> tuple[float, float]:
    return joint[0] + length * np.sin(angle), joint[1] + length * np.cos(angle)


@dataclass(frozen=True)
class Camera:
    """What the detector does wrong: ``noise`` in body heights, chances to miss a person or a joint or swap sides."""

    noise: float = 0.01
    miss: float = 0.05
    drop: float = 0.05
    swap: float = 0.02
    ghosts: float = 0.02


PERFECT = Camera(0, 0, 0, 0, 0)


@dataclass(frozen=True, eq=False)
class Scene:
    """People found frame by frame, with the walker behind every row (-1 = ghost)."""

    times: Float[np.ndarray, " T"]
    people: tuple[People, ...]
    owners: tuple[Int[np.ndarray, " _"], ...]


def simulate_scene(
    walkers: Sequence[Walker], times: Float[np.ndarray, " T"], camera: Camera = PERFECT, seed: int = 0
) -> Scene:
    """What a detector finds of ``walkers`` at ``times``; a person who is 60 % occluded is not found."""
    random = np.random.default_rng(seed)
    frames = [_look(f, float(t), walkers, camera, random) for f, t in enumerate(times)]
    return Scene(times, tuple(p for p, _ in frames), tuple(o for _, o in frames))


def _look(
    frame: int, time: float, walkers: Sequence[Walker], camera: Camera, random: np.random.Generator
) -> tuple[People, Int[np.ndarray, " _"]]:
    poses = {w: walker.pose(time) for w, walker in enumerate(walkers) if walker.there(time)}
    rows, owners = [], []
    for w, pose in poses.items():
        nearer = [poses[o] for o in poses if walkers[o].ground > walkers[w].ground]
        cover = max((_covered(pose, other) for other in nearer), default=0.0)
        if cover < _COVERED and random.random() >= camera.miss:
            rows.append(_found(pose, walkers[w].height, 0.7 - 0.6 * cover, camera, random))
            owners.append(w)
    if random.random() < camera.ghosts:
        place = Walker(random.uniform(0, SIZE[0]), 1.0, random.uniform(300, 700), random.uniform(100, 300))
        rows.append(_found(place.pose(0.0), place.height, random.uniform(0.05, 0.45), camera, random))
        owners.append(-1)
    return _people(frame, rows), np.array(owners, dtype=int)


def _found(
    pose: Float[np.ndarray, "17 2"], height: float, confidence: float, camera: Camera, random: np.random.Generator
) -> tuple[Float[np.ndarray, "17 2"], Float[np.ndarray, " 17"], float]:
    sided = pose[list(COCO17.mirror)] if random.random() < camera.swap else pose
    scores = np.where(random.random(17) < camera.drop, 0.05, confidence)
    return sided + camera.noise * height * random.standard_normal((17, 2)), scores, confidence


def _people(frame: int, rows: list[tuple[Float[np.ndarray, "17 2"], Float[np.ndarray, " 17"], float]]) -> People:
    if not rows:
        return People.nobody(frame, 17)
    points, scores, confidence = (np.array(column) for column in zip(*rows, strict=True))
    return People(frame, points, scores, np.concatenate([points.min(axis=1), points.max(axis=1)], axis=1), confidence)


def _covered(pose: Float[np.ndarray, "17 2"], other: Float[np.ndarray, "17 2"]) -> float:
    """The share of a body's box that is behind the box of a nearer person."""
    overlap = np.minimum(pose.max(axis=0), other.max(axis=0)) - np.maximum(pose.min(axis=0), other.min(axis=0))
    return float(np.prod(np.maximum(overlap, 0)) / np.prod(np.ptp(pose, axis=0)))


def score_ids(scene: Scene, identities: Sequence[Identity]) -> Score:
    """Compare ids with the truth, frame by frame, where a detector saw the walker and the track has joints."""
    moments = []
    for frame, (people, owners) in enumerate(zip(scene.people, scene.owners, strict=True)):
        present = {i.id: points for i in identities if (points := _sighted(i, frame)) is not None}
        same = [[float(_same(p, row)) for p in present.values()] for row in people.points]
        alike = np.array(same).reshape(len(owners), len(present))[owners >= 0]
        moments.append(Moment(owners[owners >= 0], np.array(list(present), dtype=int), alike))
    return score(moments)


def _sighted(identity: Identity, frame: int) -> Float[np.ndarray, "17 2"] | None:
    """The joints that were seen, not filled, if any."""
    track = identity.track
    if not track.start <= frame < track.stop:
        return None
    points = np.where(track.filled[frame - track.start, :, None], np.nan, track.points[frame - track.start])
    return points if np.isfinite(points).any() else None


def _same(tracked: Float[np.ndarray, "17 2"], found: Float[np.ndarray, "17 2"]) -> bool:
    seen = np.isfinite(tracked).all(axis=-1)
    return bool(np.array_equal(tracked[seen], found[seen].astype(tracked.dtype)))
