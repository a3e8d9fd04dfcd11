"""Gauss-Newton steps for all spells of one person: banded equations, bordered by the lengths that they share."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from numpy.lib.stride_tricks import as_strided
from scipy.linalg.lapack import dpbtrf, dpbtrs

from kinelift.lifting.body.energy import FREE, Energy, Equations
from kinelift.lifting.body.fit_settings import FitSettings
from kinelift.lifting.body.problem import Problem, State

Logs = Float[np.ndarray, " 10"]

BAND = 3 * FREE
"""Unknowns that an unknown is coupled with at most, itself and those after it."""
FIRST_DAMPING = 1e-4
LEAST_DAMPING = 1e-8
LOOSEST = 1e-6
"""Precision of what nothing tells of."""
DAMPINGS = 6
"""Tries of a step, each damped ten times as much as the last."""


@dataclass(frozen=True, eq=False)
class Lengths:
    """What is known of the logs of a person's lengths beforehand: Gaussian with this mean and precision."""

    mean: Logs
    precision: Float[np.ndarray, "10 10"]

    def value(self, logs: Logs) -> float:
        """Their energy."""
        off = logs - self.mean
        return 0.5 * float(off @ self.precision @ off)


@dataclass(frozen=True, eq=False)
class Body:
    """Poses of all spells, and the logs of the lengths (metres) that they share."""

    states: tuple[State, ...]
    logs: Logs

    def moved(self, turns: Sequence[Float[np.ndarray, "T 33"]], longer: Logs) -> "Body":
        """After a step of every spell and of the lengths."""
        states = (state.turned(turn) for state, turn in zip(self.states, turns, strict=True))
        return Body(tuple(states), self.logs + longer)

    def distance(self, other: "Body") -> float:
        """The largest change of a root (metres), a direction, or the log of a length."""
        parts = [np.abs(self.logs - other.logs).max()]
        for mine, theirs in zip(self.states, other.states, strict=True):
            parts += [np.abs(mine.root - theirs.root).max(), np.abs(mine.directions - theirs.directions).max()]
        return float(max(parts))


@dataclass(frozen=True, eq=False)
class Objective:
    """What is minimised: the energies of all spells and of their lengths."""

    energies: tuple[Energy, ...]
    prior: Lengths | None

    def value(self, body: Body) -> float:
        """The energy of a body."""
        parts = (one.value(state, body.logs) for one, state in zip(self.energies, body.states, strict=True))
        return sum(parts) + (self.prior.value(body.logs) if self.prior else 0.0)

    def equations(self, body: Body) -> list[Equations]:
        """The quadratic of every spell around a body."""
        return [one.equations(state, body.logs) for one, state in zip(self.energies, body.states, strict=True)]

    def along(self, body: Body, turns: Sequence[Float[np.ndarray, "T 33"]], longer: Logs) -> tuple[Body, float]:
        """The body after a step, and its energy; after twice or four times the step while that is better.

        Reweighting makes steps too short where a term is robust.
        """
        best = body.moved(turns, longer)
        least = self.value(best)
        for stride in (2.0, 4.0):
            tried = body.moved([stride * turn for turn in turns], stride * longer)
            value = self.value(tried)
            if not value < least:
                break
            best, least = tried, value
        return best, least


def unsettled(problem: Problem, body: Body, settings: FitSettings) -> Float[np.ndarray, " T"]:
    """How far (metres, radians) the next step would move each frame of a single spell, its lengths left as they are."""
    equations = Energy(problem, settings).equations(body.states[0], body.logs)
    return np.asarray(np.abs(banded(equations, equations.slope[..., None], 0.0)).reshape(-1, FREE).max(1))


def solve(problems: Sequence[Problem], start: Body, prior: Lengths | None, settings: FitSettings) -> Body:
    """The most probable body near ``start``: Gauss-Newton, damped where a step would not help (Levenberg-Marquardt).

    Without a ``prior`` of its lengths they stay as they are.
    """
    objective = Objective(tuple(Energy(problem, settings) for problem in problems), prior)
    body, damping = start, FIRST_DAMPING
    value = objective.value(body)
    for _ in range(settings.steps):
        equations = objective.equations(body)
        for _ in range(DAMPINGS):
            found, then = objective.along(body, *_step(equations, body, prior, damping))
            if then <= value:
                break
            damping *= 10
        else:
            return body
        size, damping = body.distance(found), max(damping / 10, LEAST_DAMPING)
        body, value = found, then
        if size < settings.tolerance:
            return body
    return body


def _step(
    equations: Sequence[Equations], body: Body, prior: Lengths | None, damping: float
) -> tuple[list[Float[np.ndarray, "T 33"]], Logs]:
    """The unknowns of the frames eliminated spell by spell, then the lengths, then back."""
    if prior is None:
        turns = [-banded(one, one.slope[..., None], damping).reshape(one.slope.shape) for one in equations]
        return turns, np.zeros_like(body.logs)
    corner = prior.precision.copy()
    slope = prior.precision @ (body.logs - prior.mean)
    solved = []
    for one in equations:
        both = banded(one, np.concatenate([one.slope[..., None], one.border], -1), damping)
        solved.append(both)
        border = one.border.reshape(-1, len(slope))
        corner += one.corner - border.T @ both[:, 1:]
        slope += one.lengths - border.T @ both[:, 0]
    longer = -np.linalg.solve(corner, slope)
    return [-(both[:, 0] + both[:, 1:] @ longer).reshape(-1, FREE) for both in solved], longer


def banded(one: Equations, right: Float[np.ndarray, "T 33 R"], damping: float) -> Float[np.ndarray, "N R"]:
    """Inverse of the damped matrix of the frames times ``right``; NaN if it has none."""
    count = len(right)
    band = np.zeros((count, FREE, BAND))
    near, far, farther = one.blocks
    step = band.itemsize
    slanted = as_strided(band, band.shape, (FREE * BAND * step, (BAND - 1) * step, step))
    slanted[:, :, :FREE] = np.triu(near.transpose(0, 2, 1))
    slanted[:, :, FREE : 2 * FREE] = far.transpose(0, 2, 1)
    slanted[:, :, 2 * FREE :] = farther.transpose(0, 2, 1)
    band[:, :, 0] = band[:, :, 0] * (1 + damping) + LOOSEST
    factor, failed = dpbtrf(band.reshape(count * FREE, BAND).T, lower=1, overwrite_ab=1)
    if failed:
        return np.full((count * FREE, right.shape[-1]), np.nan)
    out, _ = dpbtrs(factor, right.reshape(count * FREE, -1), lower=1)
    return out
