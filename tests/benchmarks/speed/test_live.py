"""The figures of a live analysis, of frames whose times are known."""

from fractions import Fraction

import numpy as np

from benchmarks.speed.live import WARMING, Done, counting, figures
from kinelift.app.live.analyser import Moment
from kinelift.app.live.session import Step
from kinelift.poses import Frame

FRAME = Frame(0, Fraction(0), np.zeros((2, 2, 3), np.uint8))


def done(at: float, latency: float, dropped: int = 1) -> Done:
    return Done(at, 0.5 * at, Step(Moment(FRAME, ()), latency, dropped))


def test_the_first_seconds_do_not_count() -> None:
    slow = [done(10.0 + k, 9.0, dropped=50) for k in range(int(WARMING))]
    steady = [done(10.0 + WARMING + 0.25 * k, 0.1) for k in range(41)]
    found = figures(slow + steady)
    assert found["frames_per_second"] == 4.0 and found["latency_ms"] == {"median": 100, "p95": 100}
    assert (found["analysed"], found["dropped"], found["processor_ms"], found["people"]) == (40, 40, 125.0, 0.0)


def test_busy_processes_end_with_the_measurement() -> None:
    with counting(2) as processes:
        assert [process.poll() for process in processes] == [None, None]
    assert None not in [process.poll() for process in processes]
