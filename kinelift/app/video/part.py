"""A part of a video, from one time to another, as users write it: 12s-20s, 12-20, 1:05-1:20, 12s-, -20s."""

import re
from dataclasses import dataclass
from fractions import Fraction

from kinelift.poses.errors import SettingsError

_TIME = r"(?:(?:(\d+):)?(\d+):)?(\d+(?:\.\d+)?)s?"
_PART = re.compile(rf"(?:{_TIME})?-(?:{_TIME})?")


@dataclass(frozen=True)
class Part:
    """The frames of a video from ``start`` to before ``end`` (s); without an end, to the last one."""

    start: Fraction = Fraction(0)
    end: Fraction | None = None

    @staticmethod
    def parse(words: str) -> "Part":
        """Read a range as users write it.

        Raises:
            SettingsError: It is not a range, or it is empty.
        """
        found = _PART.fullmatch(words.replace(" ", ""))
        if found is None or not any(found.groups()):
            raise SettingsError(f"--range {words} is not a range of time. Write 12s-20s, 1:05-1:20, 12s- or -20s.")
        start, end = _seconds(*found.groups()[:3]), _seconds(*found.groups()[3:])
        part = Part(start or Fraction(0), end)
        if part.end is not None and part.end <= part.start:
            raise SettingsError(f"--range {words} ends before it begins. Give the earlier time first.")
        return part

    @property
    def whole(self) -> bool:
        """Whether it is the whole video."""
        return self == WHOLE

    @property
    def suffix(self) -> str:
        """What the name of a file with this part ends in; nothing for the whole video."""
        if self.whole:
            return ""
        return f"-{float(self.start):g}s-" + ("end" if self.end is None else f"{float(self.end):g}s")


WHOLE = Part()
"""The whole of a video."""


def _seconds(hours: str | None, minutes: str | None, seconds: str | None) -> Fraction | None:
    if seconds is None:
        return None
    return 3600 * int(hours or 0) + 60 * int(minutes or 0) + Fraction(seconds)
