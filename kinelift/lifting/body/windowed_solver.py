"""Solves tracks of any length in windows, then refines frames that have not converged, between fixed neighbours."""

from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from itertools import pairwise

import numpy as np
from jaxtyping import Float, Int
from threadpoolctl import ThreadpoolController

from kinelift.lifting.body.fit_settings import FitSettings
from kinelift.lifting.body.problem import Problem, State
from kinelift.lifting.body.solver import Body, LengthPrior, next_step_sizes, solve

LENGTH_WINDOWS = 8
"""Maximum number of windows used to estimate the lengths of a long track."""
COUPLED_FRAMES = 2
"""Frames on either side that accelerations couple a frame with."""

Window = tuple[int, int]


def solve_in_windows(problem: Problem, start: Body, prior: LengthPrior | None, settings: FitSettings) -> Body:
    """Minimise the energy of a whole track.

    Args:
        problem: The whole track.
        start: The initial body, with a single state for all of ``problem``.
        prior: The prior on lengths. None keeps the lengths.
        settings: Terms, window size and stopping criteria.

    Returns:
        The estimated body, with a single state.
    """
    with _linear_algebra().limit(limits=1, user_api="blas"):
        return _solve_in_windows(problem, start, prior, settings)


@cache
def _linear_algebra() -> ThreadpoolController:
    """The libraries behind NumPy and SciPy.

    With a thread for each core they take half as long again for these small systems, and many times as long where other
    programs use the cores, because threads spin while they wait.
    """
    return ThreadpoolController()


def _solve_in_windows(problem: Problem, start: Body, prior: LengthPrior | None, settings: FitSettings) -> Body:
    edges = np.linspace(0, len(problem), -(-len(problem) // settings.window) + 1).round().astype(int).tolist()
    windows = list(pairwise(edges))
    body = (
        solve([problem], start, prior, settings)
        if len(windows) == 1
        else _solve_separately(problem, start, prior, settings, windows)
    )
    for _ in range(settings.refinements):
        body = _refined(problem, body, settings, windows)
    return body


def _solve_separately(
    problem: Problem, start: Body, prior: LengthPrior | None, settings: FitSettings, windows: list[Window]
) -> Body:
    """Estimate the lengths from some of the windows jointly, then solve the others with these lengths fixed."""
    state = start.states[0]
    if prior is None:
        bodies = (
            solve([problem.frames(*window)], Body((state.frames(*window),), start.log_lengths), None, settings)
            for window in windows
        )
        return Body((_joined([body.states[0] for body in bodies]),), start.log_lengths)
    indices = set(np.linspace(0, len(windows) - 1, LENGTH_WINDOWS).round().astype(int).tolist())
    chosen = [window for k, window in enumerate(windows) if k in indices]
    share = sum(stop - start for start, stop in chosen) / len(problem)
    joint = solve(
        [problem.frames(*window) for window in chosen],
        Body(tuple(state.frames(*window) for window in chosen), start.log_lengths),
        replace(prior, precision=share * prior.precision),
        settings,
    )
    solved = dict(zip(chosen, joint.states, strict=True))
    for window in windows:
        if window not in solved:
            single = Body((state.frames(*window),), joint.log_lengths)
            (solved[window],) = solve([problem.frames(*window)], single, None, settings).states
    return Body((_joined([solved[window] for window in windows]),), joint.log_lengths)


def _joined(states: list[State]) -> State:
    return State(np.concatenate([s.root for s in states]), np.concatenate([s.directions for s in states]))


def _refined(problem: Problem, body: Body, settings: FitSettings, windows: list[Window]) -> Body:
    """The body after further steps of the frames that have not converged."""
    sizes = np.concatenate([_window_step_sizes(problem, body, settings, *window) for window in windows])
    moving = np.flatnonzero(sizes > settings.tolerance)
    if not len(moving):
        return body
    state = State(body.states[0].root.copy(), body.states[0].directions.copy())
    for group in refined_together(moving, settings):
        start = max(0, int(group[0]) - settings.margin)
        stop = min(len(problem), int(group[-1]) + 1 + settings.margin)
        left, part = _between_fixed_neighbours(problem, start, stop)
        right = left + len(part)
        initial = Body((state.frames(left, right),), body.log_lengths)
        (refined,) = solve([part], initial, None, settings).states
        state.root[left:right], state.directions[left:right] = refined.root, refined.directions
    return Body((state,), body.log_lengths)


def refined_together(moving: Int[np.ndarray, " M"], settings: FitSettings) -> Iterator[Int[np.ndarray, " N"]]:
    """Frames to be refined together: those close to each other, within a window, because memory grows with them."""
    for group in np.split(moving, np.flatnonzero(np.diff(moving) > 2 * settings.margin) + 1):
        yield from np.split(group, np.searchsorted(group, np.arange(group[0], group[-1] + 1, settings.window)[1:]))


def _window_step_sizes(
    problem: Problem, body: Body, settings: FitSettings, start: int, stop: int
) -> Float[np.ndarray, " T"]:
    """How far the next step would move each frame of a window."""
    left, part = _between_fixed_neighbours(problem, start, stop)
    state = body.states[0].frames(left, left + len(part))
    sizes = next_step_sizes(part, Body((state,), body.log_lengths), settings)
    return sizes[start - left : stop - left]


def _between_fixed_neighbours(problem: Problem, start: int, stop: int) -> tuple[int, Problem]:
    """The frames from ``start`` to ``stop`` with their neighbours fixed, and the index of the first one."""
    left, right = max(0, start - COUPLED_FRAMES), min(len(problem), stop + COUPLED_FRAMES)
    part = problem.frames(left, right)
    part.fixed[: start - left] = True
    part.fixed[stop - left :] = True
    return left, part
