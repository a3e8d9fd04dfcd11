"""The energy of a pose, half a sum of robust squares, and its Gauss-Newton equations.

Unknowns of a frame: root (3), then two turns of each direction about axes across it (30); of the person: the logs of ten
lengths. Robust terms enter by their weights (iteratively reweighted least squares).
"""

from dataclasses import dataclass
from math import cos, radians, sin

import numpy as np
from jaxtyping import Float

from lifting.body.problem import ELBOWS, HIPS, KNEES, NEAREST, SEGMENT_ROWS, Problem, State, accelerations, spread
from lifting.body.settings import FitSettings
from lifting.body.structure import SEGMENT, TIPS, chains

BONES = len(TIPS)
LENGTHS = SEGMENT_ROWS.shape[1]
FREE = 3 + 2 * BONES
"""Unknowns of a frame."""
HYPEREXTENSION = radians(5)
FLEXED = cos(radians(150))
"""Cosine of the flexion beyond which neither knees nor elbows bend."""
_CHAINS = chains()[1:]
_PAIRS = np.einsum("jb,jc->jbc", _CHAINS, _CHAINS).reshape(len(_CHAINS), -1)
_SEGMENTS = list(SEGMENT)

Many = Float[np.ndarray, "..."]


def geman_mcclure(square: Many, scale: float) -> tuple[Many, Many]:
    """Energy and weight of squared errors; bounded by ``scale``²."""
    share = 1 / (1 + square / scale**2)
    return square * share, share**2


def charbonnier(square: Many, scale: float) -> tuple[Many, Many]:
    """Energy and weight of squared errors; grows like |error| beyond ``scale``."""
    root = np.sqrt(1 + square / scale**2)
    return 2 * scale**2 * (root - 1), 1 / root


@dataclass(frozen=True, eq=False)
class Equations:
    """Normal equations: ``blocks[o]`` couples frame t + o (rows) with frame t (columns)."""

    blocks: tuple[Float[np.ndarray, "T 33 33"], Float[np.ndarray, "T 33 33"], Float[np.ndarray, "T 33 33"]]
    slope: Float[np.ndarray, "T 33"]
    border: Float[np.ndarray, "T 33 10"]
    corner: Float[np.ndarray, "10 10"]
    lengths: Float[np.ndarray, " 10"]


@dataclass(frozen=True, eq=False)
class Energy:
    """Of one spell, without the prior of the lengths."""

    problem: Problem
    settings: FitSettings

    def value(self, state: State, logs: Float[np.ndarray, " 10"]) -> float:
        """Half the sum of the robust squares."""
        *_, image = self._image(state, logs)
        parts = [image.sum(), self._told(state)[0].sum(), *(one[0].sum() for one in self._moving(state))]
        for _, _, weight, square in self._straight(state):
            parts.append(2 * weight * (1 - np.exp(-square)).sum())
        for _, residual in self._limits(state):
            parts.append(geman_mcclure(residual**2, self.settings.keypoint_outlier)[0].sum())
        return 0.5 * float(sum(parts))

    def equations(self, state: State, logs: Float[np.ndarray, " 10"]) -> Equations:
        """The quadratic around ``state``."""
        axes = across(state.directions)
        rows, residuals = self._rows(state, logs, axes)
        whole = rows.transpose(0, 2, 1) @ rows
        slope = (residuals[:, None] @ rows)[:, 0]
        blocks = [whole[:, :FREE, :FREE].copy(), *np.zeros((2, len(state.root), FREE, FREE))]
        self._add_told(state, axes, blocks[0], slope)
        self._add_moving(state, axes, blocks, slope)
        return Equations(
            (blocks[0], blocks[1], blocks[2]),
            slope[:, :FREE],
            whole[:, :FREE, FREE:],
            whole[:, FREE:, FREE:].sum(0),
            slope[:, FREE:].sum(0),
        )

    def _image(
        self, state: State, logs: Float[np.ndarray, " 10"]
    ) -> tuple[Float[np.ndarray, "T K 2"], Float[np.ndarray, "T K"], Float[np.ndarray, "T K"], Float[np.ndarray, "T K"]]:
        """Where keypoints should be on the plane, d(residual)/d(metres), their weights and energies."""
        p = self.problem
        points = p.combined @ (np.exp(logs)[_SEGMENTS, None] * state.directions) + state.root[:, None]
        depth = points[..., 2].clip(min=NEAREST)
        plane = points[..., :2] / depth[..., None]
        gain = p.depth[:, None] / (self.settings.keypoint * depth)
        square = np.square(plane - p.plane).sum(-1) * np.square(gain * depth) * p.weight
        energy, weight = geman_mcclure(square, self.settings.keypoint_outlier)
        return plane, gain, weight, energy

    def _told(self, state: State) -> tuple[Many, Many]:
        square = np.square(state.directions - self.problem.told).sum(-1) / self.settings.direction**2
        return charbonnier(square, self.settings.direction_outlier)

    def _moving(self, state: State) -> tuple[tuple[Many, Many, Many], tuple[Many, Many, Many]]:
        """Energy, weight and acceleration (in standard deviations) of joints and of the root."""
        p, s = self.problem, self.settings
        bones = accelerations(p.size[_SEGMENTS, None] * state.directions, p.second / s.acceleration)
        joints = _CHAINS @ bones
        root = accelerations(state.root, p.second) / np.asarray(s.root_acceleration)
        inner = charbonnier(np.square(joints).sum(-1), s.acceleration_outlier)
        outer = charbonnier(np.square(root).sum(-1), s.acceleration_outlier)
        return (*inner, joints), (*outer, root)

    def _straight(self, state: State) -> list[tuple[tuple[int, int], Many, float, Many]]:
        s, out = self.settings, []
        for pairs, worth in ((KNEES, s.knee), (ELBOWS, s.elbow)):
            for pair in pairs:
                bend = (state.directions[:, pair[0]] - state.directions[:, pair[1]]) / radians(s.straight)
                out.append((pair, bend, worth, np.square(bend).sum(-1)))
        return out

    def _limits(self, state: State) -> list[tuple[list[tuple[int, Float[np.ndarray, "T 3"]]], Many]]:
        """Of every limit its slopes by direction, and how far it is exceeded, in standard deviations."""
        d, sharp, out = state.directions, radians(self.settings.limit), []
        for upper, lower in KNEES:
            turn = cross(d[:, lower], d[:, HIPS])
            over = -(d[:, upper] * turn).sum(-1) - sin(HYPEREXTENSION)
            beyond = (over > 0)[:, None] / -sharp
            slopes = [(upper, turn), (lower, cross(d[:, HIPS], d[:, upper])), (HIPS, cross(d[:, upper], d[:, lower]))]
            out.append(([(bone, beyond * slope) for bone, slope in slopes], over.clip(min=0) / sharp))
        for upper, lower in (*KNEES, *ELBOWS):
            over = FLEXED - (d[:, upper] * d[:, lower]).sum(-1)
            beyond = (over > 0)[:, None] / -sharp
            slopes = [(upper, beyond * d[:, lower]), (lower, beyond * d[:, upper])]
            out.append((slopes, over.clip(min=0) / sharp))
        return out

    def _rows(
        self, state: State, logs: Float[np.ndarray, " 10"], axes: Float[np.ndarray, "T 15 2 3"]
    ) -> tuple[Float[np.ndarray, "T R 43"], Float[np.ndarray, "T R"]]:
        """Weighted residuals of the terms within a frame, and their slopes by all unknowns."""
        p, count = self.problem, len(state.root)
        keypoints, straight, limits = p.combined.shape[0], self._straight(state), self._limits(state)
        size = 2 * keypoints + 3 * len(straight) + len(limits)
        rows, residuals = np.zeros((count, size, FREE + LENGTHS)), np.zeros((count, size))
        self._image_rows(state, logs, axes, rows, residuals)
        at = 2 * keypoints
        turns = rows[:, :, 3:FREE].reshape(count, size, BONES, 2)
        for (upper, lower), bend, worth, square in straight:
            weight = np.sqrt(2 * worth * np.exp(-square))[:, None]
            residuals[:, at : at + 3] = weight * bend
            unit = weight[..., None] / radians(self.settings.straight)
            turns[:, at : at + 3, upper] = unit * axes[:, upper].transpose(0, 2, 1)
            turns[:, at : at + 3, lower] = -unit * axes[:, lower].transpose(0, 2, 1)
            at += 3
        for slopes, residual in limits:
            weight = np.sqrt(geman_mcclure(residual**2, self.settings.keypoint_outlier)[1])
            residuals[:, at] = weight * residual
            for bone, slope in slopes:
                turns[:, at, bone] = weight[:, None] * (axes[:, bone] @ slope[..., None])[..., 0]
            at += 1
        rows[:, :, 3:FREE] = turns.reshape(count, size, 2 * BONES)
        return rows, residuals

    def _image_rows(
        self,
        state: State,
        logs: Float[np.ndarray, " 10"],
        axes: Float[np.ndarray, "T 15 2 3"],
        rows: Float[np.ndarray, "T R 43"],
        residuals: Float[np.ndarray, "T R"],
    ) -> None:
        p, lengths = self.problem, np.exp(logs)[_SEGMENTS]
        plane, gain, robust, _ = self._image(state, logs)
        weight = np.sqrt(p.weight * robust) * gain
        count, keypoints = weight.shape
        offset = (plane - p.plane) * (weight * p.depth[:, None] / (gain * self.settings.keypoint))[..., None]
        ways = lengths[:, None, None] * axes
        segments = p.combined[..., None] * SEGMENT_ROWS
        stretched = np.einsum("kbs,tbi->tksi", segments, lengths[:, None] * state.directions, optimize=True)
        for i in range(2):
            out = rows[:, i * keypoints : (i + 1) * keypoints]
            out[:, :, i] = weight
            out[:, :, 2] = -weight * plane[..., i]
            moved = ways[:, None, :, :, i] - plane[:, :, i, None, None] * ways[:, None, :, :, 2]
            moved *= p.combined[:, :, None] * weight[:, :, None, None]
            out[:, :, 3:FREE] = moved.reshape(count, keypoints, -1)
            out[:, :, FREE:] = (stretched[..., i] - plane[..., i, None] * stretched[..., 2]) * weight[..., None]
            residuals[:, i * keypoints : (i + 1) * keypoints] = offset[..., i]

    def _add_told(
        self,
        state: State,
        axes: Float[np.ndarray, "T 15 2 3"],
        block: Float[np.ndarray, "T 33 33"],
        slope: Float[np.ndarray, "T 43"],
    ) -> None:
        weight = self._told(state)[1] / self.settings.direction**2
        diagonal = np.einsum("tii->ti", block)
        diagonal[:, 3:] += weight.repeat(2, -1)
        off = weight[..., None] * (state.directions - self.problem.told)
        slope[:, 3:FREE] += (axes @ off[..., None]).reshape(len(off), -1)

    def _add_moving(
        self,
        state: State,
        axes: Float[np.ndarray, "T 15 2 3"],
        blocks: list[Float[np.ndarray, "T 33 33"]],
        slope: Float[np.ndarray, "T 43"],
    ) -> None:
        p, s = self.problem, self.settings
        (_, inner, joints), (_, outer, root) = self._moving(state)
        ways = (p.size[_SEGMENTS, None, None] * axes).reshape(len(axes), -1, 3)
        pull = spread(_CHAINS.T @ (inner[..., None] * joints), p.second / s.acceleration)
        slope[:, 3:FREE] += (ways.reshape(*axes.shape) @ pull[..., None]).reshape(len(pull), -1)
        slope[:, :3] += spread(outer[:, None] * root, p.second) / np.asarray(s.root_acceleration)
        for o, (block, at, centre) in enumerate(zip(blocks, products(inner, p.second), products(outer[:, None], p.second))):
            last = len(axes) - o
            pairs = (at[:last] / s.acceleration**2 @ _PAIRS).reshape(-1, BONES, 1, BONES, 1)
            alike = (ways[o:] @ ways[:last].transpose(0, 2, 1)).reshape(-1, BONES, 2, BONES, 2)
            block[:last, 3:, 3:] += (pairs * alike).reshape(-1, 2 * BONES, 2 * BONES)
            for i in range(3):
                block[:last, i, i] += centre[:last, 0] / s.root_acceleration[i] ** 2


def products(
    weight: Float[np.ndarray, "T N"], second: Float[np.ndarray, "T 3"]
) -> tuple[Float[np.ndarray, "T N"], Float[np.ndarray, "T N"], Float[np.ndarray, "T N"]]:
    """Weighted products of the coefficients that frame t shares with frames t, t + 1 and t + 2."""
    before, here, after = second.T[..., None]
    zero, one, two = here**2 * weight, np.zeros_like(weight), np.zeros_like(weight)
    zero[:-1] += (before**2 * weight)[1:]
    zero[1:] += (after**2 * weight)[:-1]
    one[:-1] = (after * here * weight)[:-1] + (here * before * weight)[1:]
    two[:-2] = (before * after * weight)[1:-1]
    return zero, one, two


def cross(a: Float[np.ndarray, "T 3"], b: Float[np.ndarray, "T 3"]) -> Float[np.ndarray, "T 3"]:
    """The cross product."""
    (x, y, z), (u, v, w) = a.T, b.T
    return np.stack([y * w - z * v, z * u - x * w, x * v - y * u], -1)


def across(directions: Float[np.ndarray, "T 15 3"]) -> Float[np.ndarray, "T 15 2 3"]:
    """Two unit vectors at right angles to each direction and to each other (Duff et al. 2017)."""
    x, y, z = np.moveaxis(directions, -1, 0)
    sign = np.where(z < 0, -1.0, 1.0)
    a = -1 / (sign + z)
    b = x * y * a
    first = np.stack([1 + sign * x * x * a, sign * b, -sign * x], -1)
    return np.stack([first, np.stack([b, sign + y * y * a, -y], -1)], -2)
