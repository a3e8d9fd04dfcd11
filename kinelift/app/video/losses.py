"""Says what is missing from a video and where: from counts, from gaps in its times, and from what the file states."""

from array import array
from dataclasses import dataclass, field
from fractions import Fraction

import numpy as np
from jaxtyping import Float, Int

from kinelift.app.video.decoding import Counts

# Shares of a video that may be missing without a word: of its packets or times, and of the duration that it states.
# Other streams, such as the sound, count for the duration of a whole file.
_UNNOTICED, _TRACK_SHARE, _FILE_SHARE = 0.01, 0.02, 0.04
_FEWEST = 3
_FILE_SECONDS = 1.0
# A stream is regular if this share of its intervals is within 25 % of the median.
_REGULAR_SHARE, _REGULARITY = 0.6, 0.25
# An irregular stream has a gap where an interval is so many times as long as 95 % of the others, and at least so long.
_IRREGULAR_GAP, _IRREGULAR_SECONDS = 5.0, 1.0
# Gaps with less time than this between them (s) are told as one.
_JOINED = 0.5
_MOST_LISTED = 3


@dataclass(eq=False)
class FrameTimes:
    """The times of all frames, how long each is shown according to the file, and when the last one ends (s)."""

    times: "array[float]" = field(default_factory=lambda: array("d"))
    durations: "array[float]" = field(default_factory=lambda: array("d"))
    end: Fraction = Fraction(0)

    def add(self, time: Fraction, duration: Fraction) -> None:
        """Add the next frame."""
        self.times.append(float(time))
        self.durations.append(float(duration))
        self.end = time + duration


@dataclass(frozen=True)
class Gaps:
    """Where frames are missing.

    Attributes:
        spans: Start and end of each gap (s), in order of time.
        missing: How many frames the gaps would hold.
        frames: How many frames there are.
    """

    spans: tuple[tuple[float, float], ...] = ()
    missing: int = 0
    frames: int = 0

    @property
    def noteworthy(self) -> bool:
        """Whether more is missing than the odd frame."""
        return self.missing >= _FEWEST and self.missing > _UNNOTICED * (self.frames + self.missing)

    def __str__(self) -> str:
        longest = sorted(sorted(self.spans, key=lambda span: span[0] - span[1])[:_MOST_LISTED])
        listed = ", ".join(f"{start:.2f} to {end:.2f} s" for start, end in longest)
        total = sum(end - start for start, end in self.spans)
        more = len(self.spans) - len(longest)
        rest = f" and in {more} shorter gap{'s' * (more > 1)}, {total:.2f} s in all" if more else ""
        return f"no pictures from {listed}{rest}"


def find_gaps(frames: FrameTimes) -> Gaps:
    """Find the gaps in a video.

    A file may state how long each frame is shown, as mp4 does; a pause that it states is no gap.
    """
    times, durations = np.array(frames.times), np.array(frames.durations)
    if len(times) < _FEWEST:
        return Gaps(frames=len(times))
    intervals = np.diff(times)
    typical = float(np.median(intervals))
    excess = intervals - np.maximum(durations[:-1], typical)
    if (np.abs(intervals - typical) <= _REGULARITY * typical).mean() >= _REGULAR_SHARE:
        at = np.flatnonzero(excess > typical / 2)
    else:
        least = max(_IRREGULAR_GAP * float(np.quantile(intervals, 0.95)), _IRREGULAR_SECONDS)
        at = np.flatnonzero((intervals > least) & (excess > typical))
    return Gaps(_spans(times, excess, at), int(np.rint(excess[at] / typical).sum()), len(times))


def describe_damage(counts: Counts, gaps: Gaps, shortfall: str | None) -> str | None:
    """What is wrong with a file, in words; None if there is no sign of damage.

    Args:
        counts: What the pass over it met.
        gaps: Where frames are missing.
        shortfall: How the file is shorter than it states.
    """
    lost = max(counts.packets - counts.frames, counts.failed)
    undecoded = lost if counts.failed or counts.late or (lost >= _FEWEST and lost > _UNNOTICED * counts.packets) else 0
    packets = max(counts.packets, counts.frames + lost)
    reasons = (
        f"parts of the file cannot be read{counts.error}" if counts.error is not None else None,
        "the file is cut off or has gaps" if counts.torn else None,
        f"{undecoded} of its {packets} pictures cannot be decoded" if undecoded > 0 and not counts.interlaced else None,
        f"parts of {counts.corrupt} of its pictures are guessed" if counts.corrupt else None,
        shortfall,
    )
    known = [reason for reason in reasons if reason]
    return "; ".join([*known, *([str(gaps)] if gaps.spans else [])]) if known else None


def shortfall(end: Fraction, start: Fraction, interval: Fraction, stated: "StatedLength") -> str | None:
    """How a video is shorter than its file states; None if it is not.

    Args:
        end: When its last frame stops being shown (s from its first frame).
        start: The time of its first frame on the file's clock (s).
        interval: The nominal time between two frames (s).
        stated: What the file states.
    """
    if stated.seconds is None:
        return None
    seconds = float(stated.seconds)
    share = max(_TRACK_SHARE * seconds, 3 * float(interval))
    allowed = share if stated.of_track else max(_FILE_SHARE * seconds, _FILE_SECONDS)
    shown = float(end + (max(start, Fraction(0)) if stated.from_zero else 0))
    if seconds - shown <= allowed:
        return None
    return f"its pictures end at {shown:.2f} s, but the file states {seconds:.2f} s"


def fewer_frames(times: FrameTimes, interval: Fraction, stated: int | None) -> str | None:
    """How a video has fewer frames than its index states; None if it has not, or if the index counts something else.

    Args:
        times: Its frames.
        interval: The nominal time between two frames (s).
        stated: The number of frames that the file states.
    """
    count = len(times.times)
    if stated is None or count < _FEWEST or stated - count <= max(_TRACK_SHARE * stated, _FEWEST):
        return None
    typical = float(np.median(np.diff(np.array(times.times))))
    if abs(typical / float(interval) - 1) > _REGULARITY:
        return None
    return f"it has {count} pictures, but the file states {stated}"


@dataclass(frozen=True)
class StatedLength:
    """The duration that a file states.

    Attributes:
        seconds: The duration (s); None if it states none.
        of_track: Whether it is that of the video track, not of the whole file.
        from_zero: Whether it is counted from the clock's zero, not from the first frame.
    """

    seconds: Fraction | None
    of_track: bool
    from_zero: bool


def _spans(
    times: Float[np.ndarray, " T"], excess: Float[np.ndarray, " N"], at: Int[np.ndarray, " G"]
) -> tuple[tuple[float, float], ...]:
    spans: list[tuple[float, float]] = []
    for i in at.tolist():
        start, end = float(times[i + 1] - excess[i]), float(times[i + 1])
        joined = spans and start - spans[-1][1] < _JOINED
        spans[-1:] = [(spans[-1][0], end)] if joined else [*spans[-1:], (start, end)]
    return tuple(spans)
