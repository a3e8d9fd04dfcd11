"""Solves tracks of any length in windows, then refines frames that have not converged, between fixed neighbours."""

from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from itertools import pairwise

import numpy as np
from jaxtyping import Float, Int
from threadpoolctl import ThreadpoolController

from kinelift.lifting.body.energy import LogLengths
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
        start: The initial body, with a single state for all of ``problem``. Its arrays become those of the result: a
            long track has no room for more.
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

    With a thread for each core they are slower for these small systems, and much slower where other programs use the
    cores, because threads spin while they wait.
    """
    return ThreadpoolController()


def _solve_in_windows(problem: Problem, start: Body, prior: LengthPrior | None, settings: FitSettings) -> Body:
    edges = np.linspace(0, len(problem), -(-len(problem) // settings.window) + 1).round().astype(int).tolist()
    windows = list(pairwise(edges))
    (state,) = start.states
    if len(windows) == 1:
        body = solve([problem], start, prior, settings)
        _put(state, windows[0], body.states[0])
        lengths = body.log_lengths
    else:
        lengths = _solve_separately(problem, state, start.log_lengths, prior, settings, windows)
    for _ in range(settings.refinements):
        _refine(problem, state, lengths, settings, windows)
    return Body((state,), lengths)


def _solve_separately(
    problem: Problem,
    state: State,
    log_lengths: LogLengths,
    prior: LengthPrior | None,
    settings: FitSettings,
    windows: list[Window],
) -> LogLengths:
    """Solve window by window. ``state`` holds the start, and then the result.

    Without a prior, the lengths are kept. With one, they are estimated from some of the windows jointly, before the
    others are solved with these lengths.

    Returns:
        The log lengths.
    """
    chosen: list[Window] = []
    if prior:
        indices = set(np.linspace(0, len(windows) - 1, LENGTH_WINDOWS).round().astype(int).tolist())
        chosen = [window for k, window in enumerate(windows) if k in indices]
        share = sum(stop - first for first, stop in chosen) / len(problem)
        joint = solve(
            [problem.frames(*window) for window in chosen],
            Body(tuple(state.frames(*window) for window in chosen), log_lengths),
            replace(prior, precision=share * prior.precision),
            settings,
        )
        log_lengths = joint.log_lengths
        for window, solved in zip(chosen, joint.states, strict=True):
            _put(state, window, solved)
    for window in windows:
        if window not in chosen:
            single = Body((state.frames(*window),), log_lengths)
            (solved,) = solve([problem.frames(*window)], single, None, settings).states
            _put(state, window, solved)
    return log_lengths


def _put(state: State, window: Window, solved: State) -> None:
    """Replace the frames of a window."""
    part = slice(*window)
    state.root[part], state.directions[part] = solved.root, solved.directions


def _refine(
    problem: Problem, state: State, log_lengths: LogLengths, settings: FitSettings, windows: list[Window]
) -> None:
    """Take further steps of the frames that have not converged."""
    sizes = np.concatenate([_window_step_sizes(problem, state, log_lengths, settings, *one) for one in windows])
    moving = np.flatnonzero(sizes > settings.tolerance)
    for group in refined_together(moving, settings) if len(moving) else ():
        start = max(0, int(group[0]) - settings.margin)
        stop = min(len(problem), int(group[-1]) + 1 + settings.margin)
        left, part = _between_fixed_neighbours(problem, start, stop)
        window = left, left + len(part)
        (refined,) = solve([part], Body((state.frames(*window),), log_lengths), None, settings).states
        _put(state, window, refined)


def refined_together(moving: Int[np.ndarray, " M"], settings: FitSettings) -> Iterator[Int[np.ndarray, " N"]]:
    """Frames to be refined together: those close to each other, within a window, because memory grows with them."""
    for group in np.split(moving, np.flatnonzero(np.diff(moving) > 2 * settings.margin) + 1):
        yield from np.split(group, np.searchsorted(group, np.arange(group[0], group[-1] + 1, settings.window)[1:]))


def _window_step_sizes(
    problem: Problem, state: State, log_lengths: LogLengths, settings: FitSettings, start: int, stop: int
) -> Float[np.ndarray, " T"]:
    """How far the next step would move each frame of a window."""
    left, part = _between_fixed_neighbours(problem, start, stop)
    body = Body((state.frames(left, left + len(part)),), log_lengths)
    sizes = next_step_sizes(part, body, settings)
    return sizes[start - left : stop - left]


def _between_fixed_neighbours(problem: Problem, start: int, stop: int) -> tuple[int, Problem]:
    """The frames from ``start`` to ``stop`` with their neighbours fixed, and the index of the first one."""
    left, right = max(0, start - COUPLED_FRAMES), min(len(problem), stop + COUPLED_FRAMES)
    part = problem.frames(left, right)
    part.fixed[: start - left] = True
    part.fixed[stop - left :] = True
    return left, part
