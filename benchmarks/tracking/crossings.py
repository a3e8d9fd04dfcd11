"""Synthetic scenes for one camera in which people cross, hide, stop, turn back, enter and leave.

Motion capture is moved along paths. A path is a list of points (seconds, u, z), where ``u`` runs from −1 to 1 over the
picture's width at depth ``z``, m.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

import numpy as np
from jaxtyping import Bool, Float
from scipy.interpolate import PchipInterpolator
from scipy.ndimage import gaussian_filter1d

from kinelift.lifting.synthesis.bank import COCO, MOCAP, MotionBank
from kinelift.poses import COCO17
from kinelift.poses.camera import Camera, Extrinsics

SECONDS = 8.0
SIZE = (1280, 720)
RATES = (25.0, 30.0, 60.0)
SHORTEST = 1.2
"""Minimum length, s, of a body's motion, which is played forwards and backwards."""
VIEW = 60.0
"""Horizontal field of view, degrees."""
WIDTH = np.tan(np.radians(VIEW) / 2)
HIP, MIDDLE = 0.95, 5.0
"""Height above the floor and distance from the camera, m, of the point at which it aims, to within 3°."""
WIDEST = 1.8
"""Maximum distance, m, of a joint from the hip in motion without translation."""

Path = Sequence[tuple[float, float, float]]


@dataclass(frozen=True)
class Pillar:
    """Occludes everything deeper than ``depth`` m between ``left`` and ``right`` (−1 to 1)."""

    left: float
    right: float
    depth: float


@dataclass(frozen=True, eq=False)
class Scene:
    """The true joints of all people in a scene.

    Attributes:
        kind: One of ``KINDS``.
        points: Joints (P, T, 17, 2), px, in a picture of ``SIZE``.
        depth: Depth of the joints, m.
        behind: Whether a joint is occluded.
    """

    kind: str
    rate: float
    points: Float[np.ndarray, "P T J 2"]
    depth: Float[np.ndarray, "P T J"]
    behind: Bool[np.ndarray, "P T J"]

    @property
    def times(self) -> Float[np.ndarray, " T"]:
        """Time of each frame, s."""
        return np.arange(self.points.shape[1]) / self.rate

    @property
    def inside(self) -> Bool[np.ndarray, "P T J"]:
        """Whether each joint is in the picture."""
        return np.asarray(((self.points >= 0) & (self.points < SIZE)).all(axis=-1))

    @property
    def clear(self) -> Float[np.ndarray, "P T"]:
        """Fraction of each person's joints that are visible."""
        return (self.inside & ~self.behind).mean(axis=-1)


def scenes(bank: MotionBank, count: int, seed: int) -> Iterator[Scene]:
    """``count`` random scenes of each kind."""
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
    """One person of ``bank`` on each of ``paths``, for a camera at a random height from hip to ceiling."""
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
    """Different clips with random speeds, at the origin and facing z, with sizes scaled by up to 8 %."""
    fit = [k for k in range(len(bank)) if bank.lengths[k] / bank.rates[k] >= SHORTEST]
    for k in random.permutation(fit):
        clip = in_place(bank.clip(int(k)).double().numpy(), float(bank.rates[k]))
        if np.abs(clip[..., [0, 2]]).max() < WIDEST:
            last = len(clip) - 1
            when = (times * float(bank.rates[k]) * random.uniform(0.9, 1.1) + random.uniform(0, 2 * last)) % (2 * last)
            yield clip[np.round(last - np.abs(last - when)).astype(int)][:, COCO[: len(COCO17)]] * random.uniform(
                0.92, 1.08
            )


def in_place(points: Float[np.ndarray, "T J 3"], rate: float) -> Float[np.ndarray, "T J 3"]:
    """The motion without translation and slow turns: on the floor y = 0, with the hip at x = z = 0."""
    axis = points[:, MOCAP.index("left_hip")] - points[:, MOCAP.index("right_hip")]
    turn = gaussian_filter1d(np.unwrap(np.arctan2(-axis[:, 2], axis[:, 0])), rate / 2)
    centred = points - points[:, :1] * [1.0, 0.0, 1.0]
    return _turned(centred - [0.0, points[..., 1].min(), 0.0], -turn)


def _walked(path: Path, body: Float[np.ndarray, "T J 3"], times: Float[np.ndarray, " T"]) -> Float[np.ndarray, "T J 3"]:
    """Move the body along the path, facing its direction."""
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
    """Rotate about the vertical; a positive angle turns z towards x."""
    c, s = np.cos(angle)[:, None], np.sin(angle)[:, None]
    x, y, z = np.moveaxis(points, -1, 0)
    return np.stack([c * x + s * z, y, c * z - s * x], -1)


_GIRTH = 0.075
"""Approximate distance from a bone's line to the skin, m."""
_TRUNK = 0.14
_SPACING = np.linspace(0, 1, 7)


def hidden(points: Float[np.ndarray, "P T J 2"], depth: Float[np.ndarray, "P T J"]) -> Bool[np.ndarray, "P T J"]:
    """Whether each joint is behind the limbs, head or trunk of somebody nearer."""
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
    """Centres of discs that approximate a body, and their radii, m."""
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
    """A path across the picture at depth ``z`` that passes the centre at about the time ``middle``."""
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
    """One to three people walk behind a pillar, which hides each for up to a second; one stands beside it."""
    width = random.uniform(0.1, 0.3)
    pillars = [Pillar(-width / 2, width / 2, 2.4)]
    count = random.integers(1, 4)
    zs = random.uniform(3.5, 6.0, count)
    paths = [_through(random, random.choice([-1.0, 1.0]), z, random.uniform(3, 5)) for z in zs]
    beside = random.uniform(0.25, 0.6)
    return [*paths, [(0.0, beside, 3.2), (SECONDS, beside + 0.02, 3.2)]], pillars


def doors(random: np.random.Generator) -> Plan:
    """One person leaves where another enters soon after, while a third walks in the middle."""
    z, side, leave = random.uniform(3.5, 6.0), random.choice([-1.0, 1.0]), random.uniform(2.5, 3.5)
    enter = leave + random.uniform(0.2, 2.5)
    out = [(0.0, side * 0.2, z), (leave, side * 1.2, z)]
    into = [(enter, side * 1.2, z + random.normal(0, 0.3)), (enter + 3, side * random.uniform(-0.2, 0.3), z)]
    other = [(0.0, -side * 0.5, z + 1), (3.0, 0.0, z + 0.8), (SECONDS, -side * 0.4, z - 0.7)]
    return [out, into, other], []


def circling(random: np.random.Generator) -> Plan:
    """Two or three people circle each other."""
    z, count = random.uniform(4.5, 6.0), random.integers(2, 4)
    radius, speed, phase = random.uniform(0.5, 1.1), random.uniform(0.7, 1.4), random.uniform(0, 6.3)
    angle = speed * np.arange(0, SECONDS + 0.5, 0.5) * random.choice([-1.0, 1.0]) + phase
    paths: list[Path] = []
    for k in range(count):
        x, deep = radius * np.cos(angle + 2 * np.pi * k / count), z + radius * np.sin(angle + 2 * np.pi * k / count)
        paths.append([(0.5 * n, float(a / d / WIDTH), float(d)) for n, (a, d) in enumerate(zip(x, deep, strict=True))])
    return paths, []


def overtaking(random: np.random.Generator) -> Plan:
    """Two to four people walk in the same direction at different speeds, and overtake slowly."""
    side = random.choice([-1.0, 1.0])
    zs = _depths(random, int(random.integers(2, 5)))
    return [_through(random, side, z, 4 + random.normal(0, 0.5), random.uniform(0.9, 1.25)) for z in zs], []


def _depths(random: np.random.Generator, count: int) -> list[float]:
    """Distinct depths, at least 0.6 m apart, in random order."""
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
