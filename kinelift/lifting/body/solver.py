"""Gauss-Newton for all windows of one person: banded normal equations, bordered by the shared lengths."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from numpy.lib.stride_tricks import as_strided
from scipy.linalg.lapack import dpbtrf, dpbtrs

from kinelift.lifting.body.energy import FRAME_DOF, Energy, LogLengths, NormalEquations
from kinelift.lifting.body.fit_settings import FitSettings
from kinelift.lifting.body.problem import Problem, State

BANDWIDTH = 3 * FRAME_DOF
"""Rows of the lower band matrix: an unknown is coupled with its own frame and the next two."""
INITIAL_DAMPING = 1e-4
MIN_DAMPING = 1e-8
MIN_PRECISION = 1e-6
"""Precision added to every unknown, so that unconstrained ones stay solvable."""
MAX_DAMPING_ATTEMPTS = 6
"""Attempts at one step; each multiplies the damping by ten."""

Step = Float[np.ndarray, "T 41"]


@dataclass(frozen=True, eq=False)
class LengthPrior:
    """A Gaussian prior on the log lengths of a person."""

    mean: LogLengths
    precision: Float[np.ndarray, "12 12"]

    def energy(self, log_lengths: LogLengths) -> float:
        """Half the squared Mahalanobis distance from the mean."""
        residual = log_lengths - self.mean
        return 0.5 * float(residual @ self.precision @ residual)


@dataclass(frozen=True, eq=False)
class Body:
    """The poses of all windows, and the log lengths (metres) that they share."""

    states: tuple[State, ...]
    log_lengths: LogLengths

    def updated(self, steps: Sequence[Step], length_step: LogLengths) -> "Body":
        """The body after a step of every window and of the lengths."""
        states = (state.updated(step) for state, step in zip(self.states, steps, strict=True))
        return Body(tuple(states), self.log_lengths + length_step)

    def max_change(self, other: "Body") -> float:
        """The largest change of a root (metres), a direction, or a log length."""
        changes = [np.abs(self.log_lengths - other.log_lengths).max()]
        for a, b in zip(self.states, other.states, strict=True):
            changes += [np.abs(a.root - b.root).max(), np.abs(a.directions - b.directions).max()]
        return float(max(changes))


@dataclass(frozen=True, eq=False)
class Objective:
    """The function to minimise: the energies of all windows plus the length prior."""

    energies: tuple[Energy, ...]
    prior: LengthPrior | None

    def value(self, body: Body) -> float:
        """The total energy."""
        pairs = zip(self.energies, body.states, strict=True)
        total = sum(energy.value(state, body.log_lengths) for energy, state in pairs)
        return total + (self.prior.energy(body.log_lengths) if self.prior else 0.0)

    def normal_equations(self, body: Body) -> Iterator[NormalEquations]:
        """The normal equations of every window, linearised at ``body``; one at a time, as they are large."""
        pairs = zip(self.energies, body.states, strict=True)
        return (energy.normal_equations(state, body.log_lengths) for energy, state in pairs)

    def line_search(self, body: Body, steps: Sequence[Step], length_step: LogLengths) -> tuple[Body, float]:
        """Take the step, then two and four times the step as long as the energy decreases.

        Iterative reweighting makes steps too short where a term is robust.

        Returns:
            The best body and its energy, which may be higher than that of ``body``.
        """
        best = body.updated(steps, length_step)
        lowest = self.value(best)
        for factor in (2.0, 4.0):
            candidate = body.updated([factor * step for step in steps], factor * length_step)
            value = self.value(candidate)
            if not value < lowest:
                break
            best, lowest = candidate, value
        return best, lowest


def next_step_sizes(problem: Problem, body: Body, settings: FitSettings) -> Float[np.ndarray, " T"]:
    """How far (metres, radians) an undamped step would move each frame of a single window, with fixed lengths."""
    equations = Energy(problem, settings).normal_equations(body.states[0], body.log_lengths)
    step = solve_banded(equations, equations.gradient[..., None], 0.0)
    return np.asarray(np.abs(step).reshape(-1, FRAME_DOF).max(1))


def solve(problems: Sequence[Problem], start: Body, prior: LengthPrior | None, settings: FitSettings) -> Body:
    """Minimise the energy from ``start`` by Gauss-Newton with Levenberg-Marquardt damping.

    Args:
        problems: One per window.
        start: The initial body, with one state per window.
        prior: The prior on lengths. None keeps the lengths fixed.
        settings: Terms and stopping criteria.

    Returns:
        A local minimum, or the best body after ``settings.steps`` steps.
    """
    objective = Objective(tuple(Energy(problem, settings) for problem in problems), prior)
    body, damping = start, INITIAL_DAMPING
    value = objective.value(body)
    for _ in range(settings.steps):
        for _ in range(MAX_DAMPING_ATTEMPTS):
            equations = objective.normal_equations(body)
            candidate, candidate_value = objective.line_search(body, *_step(equations, body, prior, damping))
            if candidate_value <= value:
                break
            damping *= 10
        else:
            return body
        change, gain = body.max_change(candidate), value - candidate_value
        body, value, damping = candidate, candidate_value, max(damping / 10, MIN_DAMPING)
        if change < settings.tolerance or gain < settings.gain:
            return body
    return body


def _step(
    equations: Iterable[NormalEquations], body: Body, prior: LengthPrior | None, damping: float
) -> tuple[list[Step], LogLengths]:
    """Solve for the lengths by the Schur complement of the frames, then substitute back window by window."""
    if prior is None:
        steps = [-solve_banded(e, e.gradient[..., None], damping).reshape(e.gradient.shape) for e in equations]
        return steps, np.zeros_like(body.log_lengths)
    schur = prior.precision.copy()
    gradient = prior.precision @ (body.log_lengths - prior.mean)
    solutions = []
    for e in equations:
        solution = solve_banded(e, np.concatenate([e.gradient[..., None], e.border], -1), damping)
        solutions.append(solution)
        border = e.border.reshape(-1, len(gradient))
        schur += e.corner - border.T @ solution[:, 1:]
        gradient += e.length_gradient - border.T @ solution[:, 0]
    length_step = -np.linalg.solve(schur, gradient)
    return [-(s[:, 0] + s[:, 1:] @ length_step).reshape(-1, FRAME_DOF) for s in solutions], length_step


def solve_banded(
    equations: NormalEquations, right: Float[np.ndarray, "T 41 R"], damping: float
) -> Float[np.ndarray, "N R"]:
    """Solve the damped block-banded system of the frames by Cholesky factorisation.

    Returns:
        One row per unknown; NaN if the matrix is not positive definite.
    """
    count = len(right)
    band = np.zeros((count, FRAME_DOF, BANDWIDTH))
    diagonal, first, second = equations.blocks
    size = band.itemsize
    # A view in which each frame's rows line up with the columns of its blocks.
    skewed = as_strided(band, band.shape, (FRAME_DOF * BANDWIDTH * size, (BANDWIDTH - 1) * size, size))
    skewed[:, :, :FRAME_DOF] = np.triu(diagonal.transpose(0, 2, 1))
    skewed[:, :, FRAME_DOF : 2 * FRAME_DOF] = first.transpose(0, 2, 1)
    skewed[:, :, 2 * FRAME_DOF :] = second.transpose(0, 2, 1)
    band[:, :, 0] = band[:, :, 0] * (1 + damping) + MIN_PRECISION
    factor, failed = dpbtrf(band.reshape(count * FRAME_DOF, BANDWIDTH).T, lower=1, overwrite_ab=1)
    if failed:
        return np.full((count * FRAME_DOF, right.shape[-1]), np.nan)
    solution: Float[np.ndarray, "N R"] = dpbtrs(factor, right.reshape(count * FRAME_DOF, -1), lower=1)[0]
    return solution
