"""Part affinity fields rendered from known people, as in networks' training (Cao et al. 2017, equations 6–9)."""

import numpy as np
from jaxtyping import Float

from kinelift.detectors.openpose.part_fields import PartFields
from kinelift.detectors.openpose.part_fields.fields import HEATMAPS, LIMBS, PARTS

SPREAD = 0.875
"""Standard deviation of a part's Gaussian in cells: 7 pixels of Lightweight OpenPose's training."""
WIDTH = 1.0
"""Distance from a limb, in cells, to which its field reaches."""

_STANDING = {
    "nose": (0.0, -2.2), "neck": (0.0, 0.0), "left_eye": (0.6, -2.8), "left_ear": (1.4, -2.5),
    "left_shoulder": (2.2, 0.0), "left_elbow": (3.0, 3.0), "left_wrist": (3.2, 6.0),
    "left_hip": (1.3, 6.5), "left_knee": (1.5, 11.0), "left_ankle": (1.5, 15.5),
}  # fmt: skip


def standing(size: float = 1.0, neck: tuple[float, float] = (0.0, 0.0)) -> Float[np.ndarray, "J 2"]:
    """A person standing and facing the camera, 18 · ``size`` cells high."""
    other = {name.replace("left", "right"): (-x, y) for name, (x, y) in _STANDING.items()}
    places = other | _STANDING
    return size * np.array([places[joint] for joint in PARTS.joints]) + neck


def somebody(chance: np.random.Generator, height: int, width: int, missing: float = 0.1) -> Float[np.ndarray, "J 2"]:
    """A person of random size and posture, possibly partly outside; parts are missing with a given probability."""
    turn, size = chance.uniform(-0.6, 0.6), chance.uniform(0.7, 2.0)
    spread = standing() * [chance.choice([-1, 1]), 1] + chance.normal(0, 0.6, (len(PARTS), 2))
    rotation = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    points = size * spread @ rotation.T + chance.uniform([0, 5], [width, height - 5])
    outside = ((points < 0) | (points > [width, height])).any(axis=1)
    return np.where((outside | (chance.random(len(PARTS)) < missing))[:, None], np.nan, points)


def render(people: Float[np.ndarray, "N J 2"], height: int, width: int) -> PartFields:
    """Render maps of people given in cells (first cell's centre at 0.5); NaN where a part is not visible."""
    y, x = np.mgrid[:height, :width] + 0.5
    cells = np.stack([x, y], axis=-1)
    heat = np.zeros((HEATMAPS, height, width), np.float32)
    limbs = np.zeros((len(LIMBS), 2, height, width), np.float32)
    for part, at in enumerate(people.swapaxes(0, 1)):
        for place in _seen(at[:, None])[:, 0]:
            squares = ((cells - place) ** 2).sum(axis=-1)
            heat[part] = np.maximum(heat[part], np.exp(-squares / (2 * SPREAD**2)))
    for limb, ends in enumerate(LIMBS):
        fields = [_limb(cells, start, end) for start, end in _seen(people[:, ends])]
        count = sum((np.any(field != 0, axis=0) for field in fields), start=np.zeros((height, width), int))
        limbs[limb] = sum(fields, start=np.zeros((2, height, width))) / np.maximum(count, 1)
    heat[-1] = 1 - heat[:-1].max(axis=0)
    return PartFields(heat, limbs.reshape(-1, height, width))


def apart(
    cells: Float[np.ndarray, "*many 2"], start: Float[np.ndarray, " 2"], end: Float[np.ndarray, " 2"]
) -> Float[np.ndarray, "*many"]:
    """Distance of ``cells`` from the line between two points."""
    way = end - start
    share = ((cells - start) @ way / max(way @ way, 1e-12)).clip(0, 1)
    return np.linalg.norm(cells - start - share[..., None] * way, axis=-1)


def _limb(
    cells: Float[np.ndarray, "h w 2"], start: Float[np.ndarray, " 2"], end: Float[np.ndarray, " 2"]
) -> Float[np.ndarray, "2 h w"]:
    direction = (end - start) / max(float(np.linalg.norm(end - start)), 1e-12)
    return direction[:, None, None] * (apart(cells, start, end) <= WIDTH)


def _seen(points: Float[np.ndarray, "N k 2"]) -> Float[np.ndarray, "M k 2"]:
    return points[np.isfinite(points).all(axis=(1, 2))]
