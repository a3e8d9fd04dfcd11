"""Gauss-Newton steps for all spells of one person: banded equations, bordered by the lengths that they share."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from numpy.lib.stride_tricks import as_strided
from scipy.linalg.lapack import dpbtrf, dpbtrs

from lifting.body.energy import FREE, Energy, Equations
from lifting.body.problem import Problem, State
from lifting.body.settings import FitSettings

BAND = 3 * FREE
"""Unknowns that an unknown is coupled with at most, itself and those after it."""
FIRST_DAMPING = 1e-4
DAMPINGS = 6
"""Tries of a step, each damped ten times as much as the last."""


@dataclass(frozen=True, eq=False)
class Lengths:
    """What is known of the logs of a person's lengths beforehand: Gaussian with this mean and precision."""

    mean: Float[np.ndarray, " 10"]
    precision: Float[np.ndarray, "10 10"]

    def value(self, logs: Float[np.ndarray, " 10"]) -> float:
        """Their energy."""
        off = logs - self.mean
        return 0.5 * float(off @ self.precision @ off)


@dataclass(frozen=True, eq=False)
class Body:
    """Poses of all spells, and the logs of the lengths (metres) that they share."""

    states: tuple[State, ...]
    logs: Float[np.ndarray, " 10"]

    def moved(self, turns: Sequence[Float[np.ndarray, "T 33"]], longer: Float[np.ndarray, " 10"]) -> "Body":
        """After a step of every spell and of the lengths."""
        states = (state.turned(turn) for state, turn in zip(self.states, turns, strict=True))
        return Body(tuple(states), self.logs + longer)


def solve(problems: Sequence[Problem], start: Body, prior: Lengths, settings: FitSettings) -> Body:
    """The most probable body near ``start``."""
    energies = [Energy(problem, settings) for problem in problems]
    body, damping = start, FIRST_DAMPING
    value = _value(energies, body, prior)
    for _ in range(settings.steps):
        equations = [one.equations(state, body.logs) for one, state in zip(energies, body.states, strict=True)]
        for _ in range(DAMPINGS):
            turns, longer = _step(equations, body, prior, damping)
            tried = body.moved(turns, longer)
            then = _value(energies, tried, prior)
            if then <= value:
                break
            damping *= 10
        else:
            return body
        body, value, damping = tried, then, max(damping / 10, 1e-8)
        if max(float(np.abs(longer).max()), *(float(np.abs(turn).max()) for turn in turns)) < settings.tolerance:
            return body
    return body


def _value(energies: Sequence[Energy], body: Body, prior: Lengths) -> float:
    parts = (one.value(state, body.logs) for one, state in zip(energies, body.states, strict=True))
    return sum(parts) + prior.value(body.logs)


def _step(
    equations: Sequence[Equations], body: Body, prior: Lengths, damping: float
) -> tuple[list[Float[np.ndarray, "T 33"]], Float[np.ndarray, " 10"]]:
    """The unknowns of the frames eliminated spell by spell, then the lengths, then back."""
    corner = prior.precision.copy()
    slope = prior.precision @ (body.logs - prior.mean)
    solved = []
    for one in equations:
        both = _banded(one, damping)
        solved.append(both)
        border = one.border.reshape(-1, len(slope))
        corner += one.corner - border.T @ both[:, 1:]
        slope += one.lengths - border.T @ both[:, 0]
    longer = -np.linalg.solve(corner, slope)
    return [-(both[:, 0] + both[:, 1:] @ longer).reshape(-1, FREE) for both in solved], longer


def _banded(one: Equations, damping: float) -> Float[np.ndarray, "N 11"]:
    """Inverse of the frames' matrix times their slope and their border with the lengths."""
    count = len(one.slope)
    band = np.zeros((count, FREE, BAND))
    near, far, farther = one.blocks
    damped = near.copy()
    diagonal = np.einsum("tii->ti", damped)
    diagonal *= 1 + damping
    diagonal += 1e-6
    step = band.itemsize
    slanted = as_strided(band, band.shape, (FREE * BAND * step, (BAND - 1) * step, step))
    slanted[:, :, :FREE] = np.triu(damped.transpose(0, 2, 1))
    slanted[:, :, FREE : 2 * FREE] = far.transpose(0, 2, 1)
    slanted[:, :, 2 * FREE :] = farther.transpose(0, 2, 1)
    factor, _ = dpbtrf(band.reshape(count * FREE, BAND).T, lower=1, overwrite_ab=1)
    right = np.concatenate([one.slope[..., None], one.border], -1).reshape(count * FREE, -1)
    out, _ = dpbtrs(factor, right, lower=1)
    return out
