"""The energy of a pose, half a sum of robust squared residuals, and its Gauss-Newton equations.

Unknowns per frame: the root (3), then two tangent coordinates for each bone direction (38). Unknowns of the person:
the logarithms of twelve segment lengths. Robust terms enter by their weights (iteratively reweighted least squares).
"""

from dataclasses import dataclass
from functools import cached_property
from math import radians

import numpy as np
from jaxtyping import Float

from kinelift.lifting.anthropometry import SEGMENTS
from kinelift.lifting.body.accelerations import acceleration_bands, accelerations, accelerations_transposed
from kinelift.lifting.body.fit_settings import FitSettings
from kinelift.lifting.body.hinges import ELBOWS, KNEES, limit_violations
from kinelift.lifting.body.problem import Problem, State
from kinelift.lifting.body.robust import Array, charbonnier, geman_mcclure, welsch
from kinelift.lifting.body.structure import FEET, FOOT_SHAPE, SEGMENT, SOLES, TIPS, chains

BONES = len(TIPS)
LENGTHS = len(SEGMENTS)
FRAME_DOF = 3 + 2 * BONES
"""Unknowns per frame."""
MIN_DEPTH = 0.1
"""Metres: smallest depth used in the projection."""
LIMIT_OUTLIER = 4.0
"""Standard deviations from which a joint limit yields: the estimated hip axis may be wrong."""
GRAVITY = 9.81
"""m/s²."""
FIXED_PRECISION = 1e12
"""Precision of the unknowns of a fixed frame."""
_CHAINS = chains()[1:]
"""Joints whose acceleration is limited: all but the root, and the feet relative to the ankles."""
_CHAINS[[foot - 1 for foot in FEET]] = np.eye(len(TIPS))[-len(FEET) :]
_CHAIN_PRODUCTS = np.einsum("jb,jc->jbc", _CHAINS, _CHAINS).reshape(len(_CHAINS), -1)
_SEGMENT = list(SEGMENT)
_SEGMENT_ONE_HOT = np.eye(LENGTHS)[_SEGMENT]

LogLengths = Float[np.ndarray, " 12"]
Tangents = Float[np.ndarray, "T 19 2 3"]
Block = Float[np.ndarray, "T 41 41"]
Gradient = Float[np.ndarray, "T 53"]


@dataclass(frozen=True, eq=False)
class NormalEquations:
    """The normal equations of one window, bordered by the lengths.

    ``blocks[o]`` couples frame t + o (rows) with frame t (columns); ``border`` couples frames with lengths, and
    ``corner`` lengths with lengths.
    """

    blocks: tuple[Block, Block, Block]
    gradient: Float[np.ndarray, "T 41"]
    border: Float[np.ndarray, "T 41 12"]
    corner: Float[np.ndarray, "12 12"]
    length_gradient: Float[np.ndarray, " 12"]


@dataclass(frozen=True, eq=False)
class Reprojection:
    """Model keypoints on the plane z = 1, normalised residual per metre, robust weights, and energies."""

    projected: Float[np.ndarray, "T K 2"]
    residual_per_metre: Float[np.ndarray, "T K"]
    weight: Float[np.ndarray, "T K"]
    energy: Float[np.ndarray, "T K"]


@dataclass(frozen=True, eq=False)
class Energy:
    """The energy of one window, without the prior on lengths."""

    problem: Problem
    settings: FitSettings

    def value(self, state: State, log_lengths: LogLengths) -> float:
        """Half the sum of the robust squares."""
        s = self.settings
        total = self._reprojection(state, log_lengths).energy.sum() + self._direction_prior(state)[0].sum()
        total += sum(energy.sum() for energy, _, _ in self._accelerations(state))
        hinges = self._hinge_residuals(state)
        total += sum(2 * gain * welsch(np.square(bend).sum(-1))[0].sum() for _, gain, bend in hinges)
        total += sum(np.square(shape).sum() for _, shape in self._foot_shapes(state))
        if self.problem.planted:
            total += self.problem.planted.value(state.root, state.directions, np.exp(log_lengths), s)
        if self.problem.steady:
            total += self.problem.steady.value(state.root)
        for violation in limit_violations(state.directions):
            total += geman_mcclure(np.square(violation.amount / radians(s.limit)), LIMIT_OUTLIER)[0].sum()
        return 0.5 * float(total)

    def normal_equations(self, state: State, log_lengths: LogLengths) -> NormalEquations:
        """The Gauss-Newton approximation of the energy at ``state``."""
        tangents = state.tangents
        jacobian, residuals = self._jacobian(state, log_lengths, tangents)
        hessian = jacobian.transpose(0, 2, 1) @ jacobian
        gradient = (residuals[:, None] @ jacobian)[:, 0]
        blocks = (hessian[:, :FRAME_DOF, :FRAME_DOF].copy(), *np.zeros((2, len(tangents), FRAME_DOF, FRAME_DOF)))
        self._add_direction_prior(state, tangents, blocks[0], gradient)
        self._add_accelerations(state, tangents, blocks, gradient)
        if self.problem.planted:
            lengths = np.exp(log_lengths)
            self.problem.planted.add(state.root, state.directions, lengths, tangents, self.settings, blocks, gradient)
        if self.problem.steady:
            self.problem.steady.add(state.root, blocks, gradient)
        blocks[0][self.problem.fixed] += FIXED_PRECISION * np.eye(FRAME_DOF)
        border, corner = hessian[:, :FRAME_DOF, FRAME_DOF:], hessian[:, FRAME_DOF:, FRAME_DOF:].sum(0)
        return NormalEquations(blocks, gradient[:, :FRAME_DOF], border, corner, gradient[:, FRAME_DOF:].sum(0))

    def _reprojection(self, state: State, log_lengths: LogLengths) -> Reprojection:
        p, s = self.problem, self.settings
        bones = np.exp(log_lengths)[_SEGMENT, None] * state.directions
        points = p.keypoint_chains @ bones + state.root[:, None]
        depth = points[..., 2].clip(min=MIN_DEPTH)
        projected = points[..., :2] / depth[..., None]
        scale = p.depth[:, None] / s.keypoint
        square = np.square(projected - p.keypoints).sum(-1) * np.square(scale)
        energy, weight = geman_mcclure(square, s.keypoint_outlier)
        return Reprojection(projected, scale / depth, p.weight * weight, p.weight * energy)

    def _direction_prior(self, state: State) -> tuple[Array, Array]:
        """Energy and robust weight of the deviation from the network's directions."""
        residual = state.directions - self.problem.network_directions
        square = np.square(residual).sum(-1) / self.settings.direction**2
        return charbonnier(square, self.settings.direction_outlier)

    def _accelerations(self, state: State) -> tuple[tuple[Array, Array, Array], tuple[Array, Array, Array]]:
        """Energy, robust weight and normalised acceleration, of the joints and of the root."""
        p, s = self.problem, self.settings
        bones = p.reference_lengths[_SEGMENT, None] * state.directions
        joints = _CHAINS @ accelerations(bones, p.acceleration_weights / s.acceleration)
        root = (accelerations(state.root, p.acceleration_weights) - self._free_fall) / self._root_spread
        joint_terms = charbonnier(np.square(joints).sum(-1), s.acceleration_outlier)
        root_terms = charbonnier(np.square(root).sum(-1), s.acceleration_outlier)
        return (*joint_terms, joints), (*root_terms, root)

    @cached_property
    def _free_fall(self) -> Float[np.ndarray, "T 3"]:
        """The root's expected acceleration, m/s²: that of gravity in flight, otherwise zero."""
        planted = self.problem.planted
        if planted is None:
            return np.zeros((len(self.problem), 3))
        return np.asarray(-GRAVITY * planted.flight[:, None] * planted.up)

    @cached_property
    def _root_spread(self) -> Float[np.ndarray, "T 3"]:
        """Its standard deviation, m/s²."""
        spread = np.tile(np.asarray(self.settings.root_acceleration), (len(self.problem), 1))
        if self.problem.planted is not None:
            spread[self.problem.planted.flight] = self.settings.flight
        return spread

    def _hinge_residuals(self, state: State) -> list[tuple[tuple[int, int], float, Float[np.ndarray, "T 3"]]]:
        """For each hinge: its two directions, the gain of a straight limb, and the normalised bend."""
        s, d = self.settings, state.directions
        hinges = [*((pair, s.knee) for pair in KNEES), *((pair, s.elbow) for pair in ELBOWS)]
        return [(pair, gain, (d[:, pair[0]] - d[:, pair[1]]) / radians(s.straight)) for pair, gain in hinges]

    def _foot_shapes(self, state: State) -> list[tuple[tuple[int, int], Float[np.ndarray, " T"]]]:
        """For each foot: the directions to heel and toe, and by how much the angle between them is not a foot's."""
        d = state.directions
        return [
            ((heel, toe), ((d[:, heel] * d[:, toe]).sum(-1) - FOOT_SHAPE) / self.settings.foot) for heel, toe in SOLES
        ]

    def _jacobian(
        self, state: State, log_lengths: LogLengths, tangents: Tangents
    ) -> tuple[Float[np.ndarray, "T R 53"], Float[np.ndarray, "T R"]]:
        """Jacobian and weighted residuals of the terms within a frame."""
        hinges, violations, count = self._hinge_residuals(state), limit_violations(state.directions), len(tangents)
        offset = 2 * len(self.problem.keypoint_chains)
        feet = self._foot_shapes(state)
        size = offset + 3 * len(hinges) + len(violations) + len(feet)
        jacobian, residuals = np.zeros((count, size, FRAME_DOF + LENGTHS)), np.zeros((count, size))
        self._fill_reprojection(state, log_lengths, tangents, jacobian, residuals)
        by_tangent = np.zeros((count, size - offset, BONES, 2))
        for k, ((upper, lower), gain, bend) in enumerate(hinges):
            weight = np.sqrt(2 * gain * welsch(np.square(bend).sum(-1))[1])[:, None]
            rows = slice(3 * k, 3 * k + 3)
            residuals[:, offset:][:, rows] = weight * bend
            scale = weight[..., None] / radians(self.settings.straight)
            by_tangent[:, rows, upper] = scale * tangents[:, upper].transpose(0, 2, 1)
            by_tangent[:, rows, lower] = -scale * tangents[:, lower].transpose(0, 2, 1)
        for row, (amount, gradients) in enumerate(violations, start=3 * len(hinges)):
            excess = amount / radians(self.settings.limit)
            weight = np.sqrt(geman_mcclure(np.square(excess), LIMIT_OUTLIER)[1])
            residuals[:, offset + row] = weight * excess
            for bone, gradient in gradients:
                scale = weight[:, None, None] / radians(self.settings.limit)
                by_tangent[:, row, bone] = (tangents[:, bone] @ (scale * gradient[..., None]))[..., 0]
        for row, ((heel, toe), shape) in enumerate(feet, start=3 * len(hinges) + len(violations)):
            residuals[:, offset + row] = shape
            for bone, other in ((heel, toe), (toe, heel)):
                gradient = state.directions[:, other, :, None] / self.settings.foot
                by_tangent[:, row, bone] = (tangents[:, bone] @ gradient)[..., 0]
        jacobian[:, offset:, 3:FRAME_DOF] = by_tangent.reshape(count, size - offset, -1)
        return jacobian, residuals

    def _fill_reprojection(
        self,
        state: State,
        log_lengths: LogLengths,
        tangents: Tangents,
        jacobian: Float[np.ndarray, "T R 53"],
        residuals: Float[np.ndarray, "T R"],
    ) -> None:
        p, lengths, image = self.problem, np.exp(log_lengths)[_SEGMENT], self._reprojection(state, log_lengths)
        robust, count = np.sqrt(image.weight), len(tangents)
        weight, keypoints = robust * image.residual_per_metre, len(p.keypoint_chains)
        scale = robust * p.depth[:, None] / self.settings.keypoint
        residual = (image.projected - p.keypoints) * scale[..., None]
        by_tangent = lengths[:, None, None] * tangents
        segments = (p.keypoint_chains[..., None] * _SEGMENT_ONE_HOT).transpose(0, 2, 1).reshape(-1, BONES)
        by_length = (segments @ (lengths[:, None] * state.directions)).reshape(count, keypoints, LENGTHS, 3)
        for i in range(2):
            rows = slice(i * keypoints, (i + 1) * keypoints)
            out, at = jacobian[:, rows], image.projected[..., i]
            out[:, :, i], out[:, :, 2] = weight, -weight * at
            shift = by_tangent[:, None, :, :, i] - at[..., None, None] * by_tangent[:, None, :, :, 2]
            shift *= p.keypoint_chains[:, :, None] * weight[..., None, None]
            out[:, :, 3:FRAME_DOF] = shift.reshape(count, keypoints, -1)
            out[:, :, FRAME_DOF:] = (by_length[..., i] - at[..., None] * by_length[..., 2]) * weight[..., None]
            residuals[:, rows] = residual[..., i]

    def _add_direction_prior(self, state: State, tangents: Tangents, block: Block, gradient: Gradient) -> None:
        weight = self._direction_prior(state)[1] / self.settings.direction**2
        diagonal = np.einsum("tii->ti", block)
        diagonal[:, 3:] += weight.repeat(2, -1)
        residual = weight[..., None] * (state.directions - self.problem.network_directions)
        gradient[:, 3:FRAME_DOF] += (tangents @ residual[..., None]).reshape(len(residual), -1)

    def _add_accelerations(
        self, state: State, tangents: Tangents, blocks: tuple[Block, Block, Block], gradient: Gradient
    ) -> None:
        p, s = self.problem, self.settings
        (_, joint_weight, joints), (_, root_weight, root) = self._accelerations(state)
        by_tangent = p.reference_lengths[_SEGMENT, None, None] * tangents
        weighted = _CHAINS.T @ (joint_weight[..., None] * joints)
        by_bone = accelerations_transposed(weighted, p.acceleration_weights / s.acceleration)
        gradient[:, 3:FRAME_DOF] += (by_tangent @ by_bone[..., None]).reshape(len(by_bone), -1)
        by_root = root_weight[:, None] * root / self._root_spread
        gradient[:, :3] += accelerations_transposed(by_root, p.acceleration_weights)
        flat = by_tangent.reshape(len(tangents), -1, 3)
        joint_bands = acceleration_bands(joint_weight, p.acceleration_weights)
        root_bands = acceleration_bands(root_weight[:, None] / self._root_spread**2, p.acceleration_weights)
        for offset, (block, joint, centre) in enumerate(zip(blocks, joint_bands, root_bands, strict=True)):
            stop = max(len(tangents) - offset, 0)
            coupling = (joint[:stop] / s.acceleration**2 @ _CHAIN_PRODUCTS).reshape(-1, BONES, 1, BONES, 1)
            dots = (flat[offset:] @ flat[:stop].transpose(0, 2, 1)).reshape(-1, BONES, 2, BONES, 2)
            dots *= coupling
            block[:stop, 3:, 3:] += dots.reshape(-1, 2 * BONES, 2 * BONES)
            for i in range(3):
                block[:stop, i, i] += centre[:stop, i]
