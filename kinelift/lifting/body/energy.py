"""The energy of a pose, half a sum of robust squares, and its Gauss-Newton equations.

Unknowns of a frame: root (3), then two turns of each direction about its axes (30); of the person: the logs of ten
lengths. Robust terms enter by their weights (iteratively reweighted least squares).
"""

from dataclasses import dataclass
from math import radians

import numpy as np
from jaxtyping import Float

from kinelift.lifting.anthropometry import SEGMENTS
from kinelift.lifting.body.accelerations import accelerations, products, spread
from kinelift.lifting.body.fit_settings import FitSettings
from kinelift.lifting.body.hinges import ELBOWS, KNEES, excesses
from kinelift.lifting.body.problem import Problem, State
from kinelift.lifting.body.structure import SEGMENT, TIPS, chains

BONES = len(TIPS)
LENGTHS = len(SEGMENTS)
FREE = 3 + 2 * BONES
"""Unknowns of a frame."""
NEAREST = 0.1
"""Metres in front of the camera, at least."""
LIMIT_OUTLIER = 4.0
"""Standard deviations from which a limit gives way: the hips may point elsewhere than was thought."""
HELD = 1e12
"""Precision of what stays as it is."""
_CHAINS = chains()[1:]
_PAIRS = np.einsum("jb,jc->jbc", _CHAINS, _CHAINS).reshape(len(_CHAINS), -1)
_SEGMENT = list(SEGMENT)
_MEMBERS = np.eye(LENGTHS)[_SEGMENT]

Logs = Float[np.ndarray, " 10"]
Many = Float[np.ndarray, "..."]
Axes = Float[np.ndarray, "T 15 2 3"]
Block = Float[np.ndarray, "T 33 33"]


@dataclass(frozen=True, eq=False)
class Equations:
    """Normal equations: ``blocks[o]`` couples frame t + o (rows) with frame t (columns)."""

    blocks: tuple[Block, Block, Block]
    slope: Float[np.ndarray, "T 33"]
    border: Float[np.ndarray, "T 33 10"]
    corner: Float[np.ndarray, "10 10"]
    lengths: Float[np.ndarray, " 10"]


@dataclass(frozen=True, eq=False)
class Image:
    """Where keypoints should be on the plane z = 1, residuals by metres, weights, and energies."""

    plane: Float[np.ndarray, "T K 2"]
    gain: Float[np.ndarray, "T K"]
    weight: Float[np.ndarray, "T K"]
    energy: Float[np.ndarray, "T K"]


@dataclass(frozen=True, eq=False)
class Energy:
    """Of one spell, without the prior of the lengths."""

    problem: Problem
    settings: FitSettings

    def value(self, state: State, logs: Logs) -> float:
        """Half the sum of the robust squares."""
        s = self.settings
        total = self._image(state, logs).energy.sum() + self._told(state)[0].sum()
        total += sum(energy.sum() for energy, _, _ in self._moving(state))
        total += sum(2 * worth * welsch(np.square(bend).sum(-1))[0].sum() for _, worth, bend in self._bends(state))
        for excess in excesses(state.directions):
            total += geman_mcclure(np.square(excess.amount / radians(s.limit)), LIMIT_OUTLIER)[0].sum()
        return 0.5 * float(total)

    def equations(self, state: State, logs: Logs) -> Equations:
        """The quadratic around ``state``."""
        axes = state.axes
        rows, residuals = self._rows(state, logs, axes)
        whole = rows.transpose(0, 2, 1) @ rows
        slope = (residuals[:, None] @ rows)[:, 0]
        blocks = (whole[:, :FREE, :FREE].copy(), *np.zeros((2, len(axes), FREE, FREE)))
        self._add_told(state, axes, blocks[0], slope)
        self._add_moving(state, axes, blocks, slope)
        blocks[0][self.problem.held] += HELD * np.eye(FREE)
        border, corner = whole[:, :FREE, FREE:], whole[:, FREE:, FREE:].sum(0)
        return Equations(blocks, slope[:, :FREE], border, corner, slope[:, FREE:].sum(0))

    def _image(self, state: State, logs: Logs) -> Image:
        p, s = self.problem, self.settings
        points = p.combined @ (np.exp(logs)[_SEGMENT, None] * state.directions) + state.root[:, None]
        depth = points[..., 2].clip(min=NEAREST)
        plane = points[..., :2] / depth[..., None]
        metres = p.depth[:, None] / s.keypoint
        square = np.square(plane - p.plane).sum(-1) * np.square(metres)
        energy, weight = geman_mcclure(square, s.keypoint_outlier)
        return Image(plane, metres / depth, p.weight * weight, p.weight * energy)

    def _told(self, state: State) -> tuple[Many, Many]:
        """Energy and weight of the directions beside the network's."""
        square = np.square(state.directions - self.problem.told).sum(-1) / self.settings.direction**2
        return charbonnier(square, self.settings.direction_outlier)

    def _moving(self, state: State) -> tuple[tuple[Many, Many, Many], tuple[Many, Many, Many]]:
        """Energy, weight and acceleration (in standard deviations) of joints and of the root."""
        p, s = self.problem, self.settings
        bones = accelerations(p.size[_SEGMENT, None] * state.directions, p.second / s.acceleration)
        joints = _CHAINS @ bones
        root = accelerations(state.root, p.second) / np.asarray(s.root_acceleration)
        inner = charbonnier(np.square(joints).sum(-1), s.acceleration_outlier)
        outer = charbonnier(np.square(root).sum(-1), s.acceleration_outlier)
        return (*inner, joints), (*outer, root)

    def _bends(self, state: State) -> list[tuple[tuple[int, int], float, Float[np.ndarray, "T 3"]]]:
        """Of every hinge its directions, what it is worth straight, and how bent it is."""
        s, d = self.settings, state.directions
        hinges = [*((pair, s.knee) for pair in KNEES), *((pair, s.elbow) for pair in ELBOWS)]
        return [(pair, worth, (d[:, pair[0]] - d[:, pair[1]]) / radians(s.straight)) for pair, worth in hinges]

    def _rows(
        self, state: State, logs: Logs, axes: Axes
    ) -> tuple[Float[np.ndarray, "T R 43"], Float[np.ndarray, "T R"]]:
        """Weighted residuals of the terms within a frame, and their slopes by all unknowns."""
        bends, limits, count = self._bends(state), excesses(state.directions), len(axes)
        first = 2 * len(self.problem.combined)
        size = first + 3 * len(bends) + len(limits)
        rows, residuals = np.zeros((count, size, FREE + LENGTHS)), np.zeros((count, size))
        self._image_rows(state, logs, axes, rows, residuals)
        turns = np.zeros((count, size - first, BONES, 2))
        for k, ((upper, lower), worth, bend) in enumerate(bends):
            weight = np.sqrt(2 * worth * welsch(np.square(bend).sum(-1))[1])[:, None]
            here = slice(3 * k, 3 * k + 3)
            residuals[:, first:][:, here] = weight * bend
            unit = weight[..., None] / radians(self.settings.straight)
            turns[:, here, upper] = unit * axes[:, upper].transpose(0, 2, 1)
            turns[:, here, lower] = -unit * axes[:, lower].transpose(0, 2, 1)
        for k, (amount, slopes) in enumerate(limits, start=3 * len(bends)):
            over = amount / radians(self.settings.limit)
            weight = np.sqrt(geman_mcclure(np.square(over), LIMIT_OUTLIER)[1])
            residuals[:, first + k] = weight * over
            for bone, slope in slopes:
                sharp = weight[:, None, None] / radians(self.settings.limit)
                turns[:, k, bone] = (axes[:, bone] @ (sharp * slope[..., None]))[..., 0]
        rows[:, first:, 3:FREE] = turns.reshape(count, size - first, -1)
        return rows, residuals

    def _image_rows(
        self,
        state: State,
        logs: Logs,
        axes: Axes,
        rows: Float[np.ndarray, "T R 43"],
        residuals: Float[np.ndarray, "T R"],
    ) -> None:
        p, lengths, image = self.problem, np.exp(logs)[_SEGMENT], self._image(state, logs)
        robust, count = np.sqrt(image.weight), len(axes)
        weight, keypoints = robust * image.gain, len(p.combined)
        off = (image.plane - p.plane) * (robust * p.depth[:, None] / self.settings.keypoint)[..., None]
        ways = lengths[:, None, None] * axes
        members = (p.combined[..., None] * _MEMBERS).transpose(0, 2, 1).reshape(-1, BONES)
        longer = (members @ (lengths[:, None] * state.directions)).reshape(count, keypoints, LENGTHS, 3)
        for i in range(2):
            out, at = rows[:, i * keypoints : (i + 1) * keypoints], image.plane[..., i]
            out[:, :, i], out[:, :, 2] = weight, -weight * at
            moved = ways[:, None, :, :, i] - at[..., None, None] * ways[:, None, :, :, 2]
            moved *= p.combined[:, :, None] * weight[..., None, None]
            out[:, :, 3:FREE] = moved.reshape(count, keypoints, -1)
            out[:, :, FREE:] = (longer[..., i] - at[..., None] * longer[..., 2]) * weight[..., None]
            residuals[:, i * keypoints : (i + 1) * keypoints] = off[..., i]

    def _add_told(self, state: State, axes: Axes, block: Block, slope: Float[np.ndarray, "T 43"]) -> None:
        weight = self._told(state)[1] / self.settings.direction**2
        diagonal = np.einsum("tii->ti", block)
        diagonal[:, 3:] += weight.repeat(2, -1)
        off = weight[..., None] * (state.directions - self.problem.told)
        slope[:, 3:FREE] += (axes @ off[..., None]).reshape(len(off), -1)

    def _add_moving(
        self, state: State, axes: Axes, blocks: tuple[Block, Block, Block], slope: Float[np.ndarray, "T 43"]
    ) -> None:
        p, s = self.problem, self.settings
        (_, inner, joints), (_, outer, root) = self._moving(state)
        ways = p.size[_SEGMENT, None, None] * axes
        pull = spread(_CHAINS.T @ (inner[..., None] * joints), p.second / s.acceleration)
        slope[:, 3:FREE] += (ways @ pull[..., None]).reshape(len(pull), -1)
        slope[:, :3] += spread(outer[:, None] * root, p.second) / np.asarray(s.root_acceleration)
        flat = ways.reshape(len(axes), -1, 3)
        couplings = zip(blocks, products(inner, p.second), products(outer[:, None], p.second), strict=True)
        for o, (block, joint, centre) in enumerate(couplings):
            last = max(len(axes) - o, 0)
            pairs = (joint[:last] / s.acceleration**2 @ _PAIRS).reshape(-1, BONES, 1, BONES, 1)
            alike = (flat[o:] @ flat[:last].transpose(0, 2, 1)).reshape(-1, BONES, 2, BONES, 2)
            block[:last, 3:, 3:] += (pairs * alike).reshape(-1, 2 * BONES, 2 * BONES)
            for i in range(3):
                block[:last, i, i] += centre[:last, 0] / s.root_acceleration[i] ** 2


def geman_mcclure(square: Many, scale: float) -> tuple[Many, Many]:
    """Energy, bounded by ``scale``², and weight (Geman and McClure 1987)."""
    share = 1 / (1 + square / scale**2)
    return square * share, share**2


def charbonnier(square: Many, scale: float) -> tuple[Many, Many]:
    """Energy, which grows like the error beyond ``scale``, and weight (Charbonnier et al. 1997)."""
    root = np.sqrt(1 + square / scale**2)
    return 2 * scale**2 * (root - 1), 1 / root


def welsch(square: Many) -> tuple[Many, Many]:
    """Energy, bounded by 1, and weight (Dennis and Welsch 1978)."""
    weight = np.exp(-square)
    return 1 - weight, weight
