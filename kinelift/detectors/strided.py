"""Detection on every n-th frame only."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from fractions import Fraction
from functools import partial

from kinelift.detectors.protocol import Detector, Memory, ResumableDetector, is_resumable
from kinelift.poses import Frame, People, Skeleton
from kinelift.poses.errors import SettingsError


class Strided:
    """A detector that runs on every ``every``-th frame and on the last one, and reports nobody on the others.

    The tracker then fills the gaps and marks what it filled.
    """

    def __init__(self, base: Detector, every: int, *, longest: float = 0.2) -> None:
        """Wrap a detector.

        Args:
            base: The detector.
            every: 1 = every frame, 2 = every second one, and so on.
            longest: The longest time between two frames that ``base`` sees, in seconds; it takes effect at low or
                varying frame rates. The default is short enough for a tracker with default settings to bridge a
                single missed detection, and to pick up new people.

        Raises:
            SettingsError: ``every`` is below 1.
        """
        if every < 1:
            raise SettingsError(f"The stride is {every}: give 1 for every frame, 2 for every second one, and so on.")
        self._base, self._every, self._longest = base, every, longest

    @property
    def skeleton(self) -> Skeleton:
        """The joints of ``base``."""
        return self._base.skeleton

    def detect(self, frames: Iterable[Frame]) -> Iterator[People]:
        """Detect people in the chosen frames; the others get N = 0."""
        return self._detect(self._base.detect, frames)

    @property
    def resumable(self) -> bool:
        """Whether ``base`` can be continued."""
        return is_resumable(self._base)

    def detect_from(self, memory: Memory, frames: Iterable[Frame]) -> Iterator[People]:
        """Detect people in the chosen frames of a stretch, among them its first and its last one."""
        assert isinstance(self._base, ResumableDetector)
        return self._detect(partial(self._base.detect_from, memory), frames)

    def _detect(
        self, detect: Callable[[Iterable[Frame]], Iterator[People]], frames: Iterable[Frame]
    ) -> Iterator[People]:
        read: deque[int] = deque()
        for people in detect(self._chosen(frames, read)):
            while (index := read.popleft()) != people.frame:
                yield People.nobody(index, len(self.skeleton))
            yield people

    def _chosen(self, frames: Iterable[Frame], read: deque[int]) -> Iterator[Frame]:
        """The frames to detect people in; the indices of all frames go to ``read``. One frame is read ahead."""
        held: Frame | None = None
        since_chosen, chosen_at = self._every, Fraction(0)
        for frame in frames:
            if held is not None and (since_chosen >= self._every or frame.time - chosen_at > self._longest):
                since_chosen, chosen_at = 0, held.time
                yield held
            read.append(frame.index)
            held, since_chosen = frame, since_chosen + 1
        if held is not None:
            yield held
