"""Tracks of any length: solved in windows, then again where frames would still move, among neighbours that stay."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
from jaxtyping import Float

from kinelift.lifting.body.fit_settings import FitSettings
from kinelift.lifting.body.problem import Problem, State
from kinelift.lifting.body.solver import Body, Lengths, solve, unsettled

WINDOWS = 8
"""Windows, at most, from which the lengths of a long track are found."""
ROUNDS = 2
"""How often frames that would still move are solved again."""
NEAR = 2
"""Frames on either side that an acceleration couples a frame with."""


def solved(problem: Problem, start: Body, prior: Lengths, settings: FitSettings) -> Body:
    """The most probable body near ``start``, which has one spell, that of ``problem``."""
    edges = np.linspace(0, len(problem), -(-len(problem) // settings.window) + 1).round().astype(int).tolist()
    windows = list(pairwise(edges))
    body = (
        solve([problem], start, prior, settings)
        if len(windows) == 1
        else _joined(problem, start, prior, settings, windows)
    )
    for _ in range(ROUNDS):
        body = _settled(problem, body, settings, windows)
    return body


def _joined(
    problem: Problem, start: Body, prior: Lengths, settings: FitSettings, windows: list[tuple[int, int]]
) -> Body:
    """Every window by itself: some together, which share their lengths, and the others with these."""
    state = start.states[0]
    chosen = set(np.linspace(0, len(windows) - 1, WINDOWS).round().astype(int).tolist())
    some = [window for k, window in enumerate(windows) if k in chosen]
    share = sum(b - a for a, b in some) / len(problem)
    first = Body(tuple(state.part(a, b) for a, b in some), start.logs)
    found = solve(
        [problem.part(a, b) for a, b in some], first, replace(prior, precision=share * prior.precision), settings
    )
    known = dict(zip(some, found.states, strict=True))
    for a, b in windows:
        if (a, b) not in known:
            alone = Body((state.part(a, b),), found.logs)
            (known[a, b],) = solve([problem.part(a, b)], alone, None, settings).states
    parts = [known[window] for window in windows]
    whole = State(np.concatenate([p.root for p in parts]), np.concatenate([p.directions for p in parts]))
    return Body((whole,), found.logs)


def _settled(problem: Problem, body: Body, settings: FitSettings, windows: list[tuple[int, int]]) -> Body:
    """The body after some more steps of the frames that would still move, where the picture tells little."""
    moves = np.concatenate([_moves(problem, body, settings, a, b) for a, b in windows])
    moving = np.flatnonzero(moves > settings.tolerance)
    if not len(moving):
        return body
    state = State(body.states[0].root.copy(), body.states[0].directions.copy())
    groups = np.split(moving, np.flatnonzero(np.diff(moving) > 2 * settings.margin) + 1)
    for group in groups:
        a, b = max(0, int(group[0]) - settings.margin), min(len(problem), int(group[-1]) + 1 + settings.margin)
        left, part = _among(problem, a, b)
        right = left + len(part)
        (found,) = solve([part], Body((state.part(left, right),), body.logs), None, settings).states
        state.root[left:right], state.directions[left:right] = found.root, found.directions
    return Body((state,), body.logs)


def _moves(problem: Problem, body: Body, settings: FitSettings, start: int, stop: int) -> Float[np.ndarray, " T"]:
    """How far the next step would move each frame of a window."""
    left, part = _among(problem, start, stop)
    found = unsettled(part, Body((body.states[0].part(left, left + len(part)),), body.logs), settings)
    return found[start - left : stop - left]


def _among(problem: Problem, start: int, stop: int) -> tuple[int, Problem]:
    """The frames from ``start`` to ``stop`` between neighbours that are held, and the first of them all."""
    left, right = max(0, start - NEAR), min(len(problem), stop + NEAR)
    part = problem.part(left, right)
    part.held[: start - left] = True
    part.held[stop - left :] = True
    return left, part
