"""Runs a live analysis until the source ends or the user ends it."""

import signal
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import FrameType

from kinelift.app.live.analyser import LiveAnalyser
from kinelift.app.live.clock import Clock, SystemClock
from kinelift.app.live.lines import Lines
from kinelift.app.live.newest import Newest
from kinelift.app.live.recorder import Recorder
from kinelift.app.live.sources import Source
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
        whole, lines, dropped = Statistics(clock.now()), Lines(reporter, clock.now()), 0
        for captured in newest:
            moment = analyser.analyse(captured.frame, captured.taken)
            going = shown is None or shown.show(moment)
            now = clock.now()
            latency, new, dropped = now - captured.taken, newest.dropped - dropped, newest.dropped
            whole.add(latency, new)
            if recorder is not None:
                recorder.add(moment)
            if shown is None:
                lines.add(moment, latency, new, now)
            if interrupted() or not going:
                break
    return whole.summary(clock.now())


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
