"""Runs a live analysis until the source ends or the user ends it."""

import signal
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import FrameType
from typing import NamedTuple

from kinelift.app.live.analyser import LiveAnalyser, Moment
from kinelift.app.live.clock import Clock, SystemClock
from kinelift.app.live.lines import Lines
from kinelift.app.live.newest import Newest
from kinelift.app.live.recorder import Recorder
from kinelift.app.live.sources import Captured, Source
from kinelift.app.live.statistics import Statistics, Summary
from kinelift.app.live.window import Window
from kinelift.app.pipeline import Pipeline
from kinelift.terminal.reporter import Reporter


def run_live(
    source: Source,
    pipeline: Pipeline,
    reporter: Reporter,
    *,
    window: bool,
    record: Path | None,
    clock: Clock | None = None,
) -> Summary:
    """Analyse a source until it ends, or until q or Esc in the window, or Ctrl-C.

    Args:
        source: The camera or file.
        pipeline: Its lifter is causal.
        reporter: Receives a line a second if there is no window.
        window: Show a window.
        record: The recording to write; None = none.
        clock: Tells the time; None = the computer's.

    Raises:
        SettingsError: The pipeline cannot follow a stream.
        OutputError: The recording cannot be written.
        VideoError: The source stopped.
    """
    clock = clock or SystemClock()
    analyser = LiveAnalyser(pipeline, source.name, source.size, keep=record is not None)
    with ExitStack() as opened:
        shown = opened.enter_context(Window(analyser)) if window else None
        recorder = opened.enter_context(Recorder(record, analyser, source.size)) if record else None
        newest = opened.enter_context(Newest(source.frames(clock)))
        interrupted = opened.enter_context(_interruptions())
        whole, lines = Statistics(clock.now()), Lines(reporter, clock.now())
        for step in follow(newest, analyser, clock, shown.show if shown else lambda moment: True):
            whole.add(step.latency, step.dropped)
            if recorder is not None:
                recorder.add(step.moment)
            if shown is None:
                lines.add(step.moment, step.latency, step.dropped, clock.now())
            if interrupted():
                break
    return whole.summary(clock.now())


class Step(NamedTuple):
    """A frame that was analysed and shown.

    Attributes:
        moment: Its result.
        latency: Seconds from when it was taken until its result was shown.
        dropped: Frames dropped since the one before.
    """

    moment: Moment
    latency: float
    dropped: int


def follow(
    newest: Newest[Captured], analyser: LiveAnalyser, clock: Clock, show: Callable[[Moment], bool]
) -> Iterator[Step]:
    """Analyse the newest frame again and again, until there are no more or ``show`` returns False.

    Raises:
        VideoError: The source stopped.
    """
    dropped = 0
    for captured in newest:
        moment = analyser.analyse(captured.frame)
        going = show(moment)
        yield Step(moment, clock.now() - captured.taken, newest.dropped - dropped)
        dropped = newest.dropped
        if not going:
            return


@contextmanager
def _interruptions() -> Iterator[Callable[[], bool]]:
    """Whether Ctrl-C was pressed, which then ends nothing by itself. The second time it does."""
    pressed = False

    def note(number: int, frame: FrameType | None) -> None:
        nonlocal pressed
        pressed = True
        signal.signal(signal.SIGINT, previous)

    previous = signal.signal(signal.SIGINT, note)
    try:
        yield lambda: pressed
    finally:
        signal.signal(signal.SIGINT, previous)
