"""Scenes of people under one camera, who cross, hide, stop, turn back, enter and leave: motion capture on paths.

A path is made of places (seconds, u, z): ``u`` runs from −1 to 1 over the picture's width at the depth of ``z`` metres.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

import numpy as np
from jaxtyping import Bool, Float
from scipy.interpolate import PchipInterpolator
from scipy.ndimage import gaussian_filter1d

from kinelift.lifting.synthesis.bank import COCO, MOCAP, MotionBank
from kinelift.poses.camera import Camera, Extrinsics

SECONDS = 8.0
SIZE = (1280, 720)
RATES = (25.0, 30.0, 60.0)
SHORTEST = 1.2
"""Seconds of motion that a body needs; it is played to and fro."""
VIEW = 60.0
"""Degrees that the camera sees across."""
WIDTH = np.tan(np.radians(VIEW) / 2)
HIP, MIDDLE = 0.95, 5.0
"""Metres above the floor and from the camera: where the camera looks, to within 3°."""
WIDEST = 1.8
"""Metres from the hip that a joint of motion made in place may be away."""

Path = Sequence[tuple[float, float, float]]


@dataclass(frozen=True)
class Pillar:
    """Hides what is deeper than ``depth`` metres between ``left`` and ``right`` (−1 to 1)."""

    left: float
    right: float
    depth: float


@dataclass(frozen=True, eq=False)
class Scene:
    """Where everybody's joints are: ``points`` (P, T, 17, 2) in pixels of a picture of ``SIZE``, ``depth`` in metres.

    ``behind`` marks joints that something or somebody nearer hides, ``inside`` those in the picture.
    """

    kind: str
    rate: float
    points: Float[np.ndarray, "P T J 2"]
    depth: Float[np.ndarray, "P T J"]
    behind: Bool[np.ndarray, "P T J"]

    @property
    def times(self) -> Float[np.ndarray, " T"]:
        """Seconds."""
        return np.arange(self.points.shape[1]) / self.rate

    @property
    def inside(self) -> Bool[np.ndarray, "P T J"]:
        """Which joints lie in the picture."""
        return np.asarray(((self.points >= 0) & (self.points < SIZE)).all(axis=-1))

    @property
    def clear(self) -> Float[np.ndarray, "P T"]:
        """Share of everybody's joints that can be seen."""
        return (self.inside & ~self.behind).mean(axis=-1)


def scenes(bank: MotionBank, count: int, seed: int) -> Iterator[Scene]:
    """``count`` scenes of each kind, drawn anew for each."""
    for kind, draw in KINDS.items():
        for number in range(count):
            random = np.random.default_rng([seed, number, *kind.encode()])
            yield staged(kind, *draw(random), bank, RATES[number % len(RATES)], random)


def staged(
    kind: str,
    paths: Sequence[Path],
    pillars: Sequence[Pillar],
    bank: MotionBank,
    rate: float,
    random: np.random.Generator,
) -> Scene:
    """People of ``bank`` on ``paths``, one each, seen by a camera somewhere between hip and ceiling."""
    times = np.arange(round(SECONDS * rate)) / rate
    bodies = islice(_bodies(bank, times, random), len(paths))
    world = np.stack([_walked(path, body, times) for path, body in zip(paths, bodies, strict=True)])
    height = random.uniform(0.8, 2.4)
    pitch = np.arctan2(height - HIP, MIDDLE) + np.radians(random.normal(0, 3))
    down = np.array([[-1, 0, 0], [0, -np.cos(pitch), -np.sin(pitch)], [0, -np.sin(pitch), np.cos(pitch)]])
    seen = Extrinsics(down, np.array([0.0, height, 0.0])).to_camera(world)
    points, depth = Camera.from_field_of_view(VIEW, SIZE).project(seen), seen[..., 2]
    return Scene(kind, rate, points, depth, hidden(points, depth) | _pillared(points, depth, pillars))


def _bodies(
    bank: MotionBank, times: Float[np.ndarray, " T"], random: np.random.Generator
) -> Iterator[Float[np.ndarray, "T J 3"]]:
    """Different clips, each in its own time and at the origin, facing z; sizes within 8 %."""
    fit = [k for k in range(len(bank)) if bank.lengths[k] / bank.rates[k] >= SHORTEST]
    for k in random.permutation(fit):
        clip = in_place(bank.clip(int(k)).double().numpy(), float(bank.rates[k]))
        if np.abs(clip[..., [0, 2]]).max() < WIDEST:
            last = len(clip) - 1
            when = (times * float(bank.rates[k]) * random.uniform(0.9, 1.1) + random.uniform(0, 2 * last)) % (2 * last)
            yield clip[np.round(last - np.abs(last - when)).astype(int)][:, COCO] * random.uniform(0.92, 1.08)


def in_place(points: Float[np.ndarray, "T J 3"], rate: float) -> Float[np.ndarray, "T J 3"]:
    """The motion without its way over the floor and without its slow turns: on y = 0, the hip at x = z = 0."""
    axis = points[:, MOCAP.index("left_hip")] - points[:, MOCAP.index("right_hip")]
    turn = gaussian_filter1d(np.unwrap(np.arctan2(-axis[:, 2], axis[:, 0])), rate / 2)
    centred = points - points[:, :1] * [1.0, 0.0, 1.0]
    return _turned(centred - [0.0, points[..., 1].min(), 0.0], -turn)


def _walked(path: Path, body: Float[np.ndarray, "T J 3"], times: Float[np.ndarray, " T"]) -> Float[np.ndarray, "T J 3"]:
    """The body along the path, facing where it goes."""
    when, u, z = np.array(path, dtype=float).T
    place = PchipInterpolator(when, np.stack([-u * z * WIDTH, z], -1))(times.clip(when[0], when[-1]))
    way = np.gradient(place, times, axis=0)
    rate = 1 / (times[1] - times[0])
    moving = np.hypot(*way.T) > 0.1
    last = np.maximum.accumulate(np.where(moving, np.arange(len(way)), moving.argmax()))
    facing = np.unwrap(np.arctan2(way[last, 0], way[last, 1]))
    ground = np.stack([place[:, 0], np.zeros(len(place)), place[:, 1]], -1)
    return _turned(body, gaussian_filter1d(facing, 0.2 * rate)) + ground[:, None]


def _turned(points: Float[np.ndarray, "T J 3"], angle: Float[np.ndarray, " T"]) -> Float[np.ndarray, "T J 3"]:
    """About the vertical: by a positive angle from z towards x."""
    c, s = np.cos(angle)[:, None], np.sin(angle)[:, None]
    x, y, z = np.moveaxis(points, -1, 0)
    return np.stack([c * x + s * z, y, c * z - s * x], -1)


_GIRTH = 0.075
"""Metres from the line of a bone to the skin, about."""
_TRUNK = 0.14
_SPACING = np.linspace(0, 1, 7)


def hidden(points: Float[np.ndarray, "P T J 2"], depth: Float[np.ndarray, "P T J"]) -> Bool[np.ndarray, "P T J"]:
    """Joints in front of which somebody nearer has a limb, a head or the trunk."""
    out = np.zeros(depth.shape, dtype=bool)
    focal = SIZE[0] / 2 / WIDTH
    middle = depth.mean(axis=-1)
    for back in range(len(points)):
        for front in range(len(points)):
            nearer = middle[front] < middle[back]
            size = focal / middle[front][:, None]
            flesh, radius = _flesh(points[front])
            off = np.linalg.norm(points[back][:, :, None] - flesh[:, None], axis=-1)
            out[back] |= nearer[:, None] & (off < radius * size[..., None]).any(axis=-1)
    return out


def _flesh(points: Float[np.ndarray, "T J 2"]) -> tuple[Float[np.ndarray, "T K 2"], Float[np.ndarray, " K"]]:
    """Middles of discs that make up a body, and their radii in metres."""
    limbs = [(5, 7), (7, 9), (6, 8), (8, 10), (11, 13), (13, 15), (12, 14), (14, 16)]
    ends = [points[:, [a, b]] for a, b in limbs]
    trunk = [points[:, 5:7].mean(1), points[:, 11:13].mean(1)]
    ends += [np.stack(trunk, 1), np.stack([points[:, 0], trunk[0]], 1), points[:, 5:7], points[:, 11:13]]
    discs = [e[:, :1] + _SPACING[:, None] * (e[:, 1:] - e[:, :1]) for e in ends]
    radii = np.repeat([_GIRTH] * len(limbs) + [_TRUNK] + [0.1] * 3, len(_SPACING))
    return np.concatenate(discs, axis=1), radii


def _pillared(points: np.ndarray, depth: np.ndarray, pillars: Sequence[Pillar]) -> Bool[np.ndarray, "P T J"]:
    u = points[..., 0] / SIZE[0] * 2 - 1
    within = [(p.left < u) & (u < p.right) & (depth > p.depth) for p in pillars]
    return np.any([np.zeros(u.shape, dtype=bool), *within], axis=0)


Plan = tuple[list[Path], list[Pillar]]


def _through(random: np.random.Generator, direction: float, z: float, middle: float, end: float = 1.25) -> Path:
    """Across the picture at the depth ``z``, in its middle at about the time ``middle``."""
    half = end * z * WIDTH / random.uniform(0.9, 2.2)
    slope = random.uniform(-1, 1)
    return [(middle - half, -direction * end, z), (middle + half, direction * end, max(2.5, z + slope))]


def passing(random: np.random.Generator) -> Plan:
    """Two to five people walk past each other."""
    count = int(random.integers(2, 6))
    sides = random.permutation([1.0, -1.0, *random.choice([-1.0, 1.0], count - 2)])
    return [
        _through(random, s, z, random.uniform(3, 5)) for s, z in zip(sides, _depths(random, count), strict=True)
    ], []


def turning(random: np.random.Generator) -> Plan:
    """Two or three people meet, face each other for a while, and each walks on or turns back."""
    paths: list[Path] = []
    for k, z in enumerate(_depths(random, int(random.integers(2, 4)))):
        side, meet = (-1.0) ** k, random.normal(0, 0.06)
        come = 2.5 + random.normal(0, 0.2)
        go = come + random.uniform(0.3, 1.6)
        away = side * random.choice([-1.0, 1.0]) * random.uniform(0.5, 0.8)
        paths.append([(0.0, side * 0.8, z), (come, meet, z), (go, meet, z), (go + 2.2, away, z)])
    return paths, []


def hiding(random: np.random.Generator) -> Plan:
    """One to three walk behind a pillar, which hides each for up to a second; somebody may stand beside."""
    width = random.uniform(0.1, 0.3)
    pillars = [Pillar(-width / 2, width / 2, 2.4)]
    count = random.integers(1, 4)
    zs = random.uniform(3.5, 6.0, count)
    paths = [_through(random, random.choice([-1.0, 1.0]), z, random.uniform(3, 5)) for z in zs]
    beside = random.uniform(0.25, 0.6)
    return [*paths, [(0.0, beside, 3.2), (SECONDS, beside + 0.02, 3.2)]], pillars


def doors(random: np.random.Generator) -> Plan:
    """One leaves the picture where another enters soon after; somebody walks about in the middle."""
    z, side, leave = random.uniform(3.5, 6.0), random.choice([-1.0, 1.0]), random.uniform(2.5, 3.5)
    enter = leave + random.uniform(0.2, 2.5)
    out = [(0.0, side * 0.2, z), (leave, side * 1.2, z)]
    into = [(enter, side * 1.2, z + random.normal(0, 0.3)), (enter + 3, side * random.uniform(-0.2, 0.3), z)]
    other = [(0.0, -side * 0.5, z + 1), (3.0, 0.0, z + 0.8), (SECONDS, -side * 0.4, z - 0.7)]
    return [out, into, other], []


def circling(random: np.random.Generator) -> Plan:
    """Two or three go round each other."""
    z, count = random.uniform(4.5, 6.0), random.integers(2, 4)
    radius, speed, phase = random.uniform(0.5, 1.1), random.uniform(0.7, 1.4), random.uniform(0, 6.3)
    angle = speed * np.arange(0, SECONDS + 0.5, 0.5) * random.choice([-1.0, 1.0]) + phase
    paths: list[Path] = []
    for k in range(count):
        x, deep = radius * np.cos(angle + 2 * np.pi * k / count), z + radius * np.sin(angle + 2 * np.pi * k / count)
        paths.append([(0.5 * n, float(a / d / WIDTH), float(d)) for n, (a, d) in enumerate(zip(x, deep, strict=True))])
    return paths, []


def overtaking(random: np.random.Generator) -> Plan:
    """Two to four go the same way at different speeds and pass each other slowly."""
    side = random.choice([-1.0, 1.0])
    zs = _depths(random, int(random.integers(2, 5)))
    return [_through(random, side, z, 4 + random.normal(0, 0.5), random.uniform(0.9, 1.25)) for z in zs], []


def _depths(random: np.random.Generator, count: int) -> list[float]:
    """Distinct depths, at least 0.6 m apart, in any order."""
    nearest = random.uniform(3.0, 4.0)
    return random.permutation(nearest + np.cumsum(random.uniform(0.6, 1.3, count))).tolist()


KINDS: Mapping[str, Callable[[np.random.Generator], Plan]] = {
    "passing": passing,
    "turning back": turning,
    "hiding": hiding,
    "doors": doors,
    "circling": circling,
    "overtaking": overtaking,
}
