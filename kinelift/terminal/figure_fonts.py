"""The fonts of a figure: matplotlib's own, and of those on this machine what its texts need beside it."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from unicodedata import east_asian_width

from matplotlib.font_manager import FontProperties, findfont, fontManager
from matplotlib.ft2font import FT2Font

from kinelift.terminal.escapes import escaped

USUAL = "DejaVu Sans"
_PLACEHOLDERS = "Last Resort"
"""The beginning of the names of fonts that have a box for every character."""
_REGULAR = (400, "normal", "regular", "book", "medium")


@dataclass(frozen=True)
class Fonts:
    """Font families for a figure.

    Attributes:
        families: Their names; a character is taken from the first that has it.
        missing: Characters that no font has.
    """

    families: tuple[str, ...]
    missing: frozenset[str]

    @staticmethod
    def of(texts: Iterable[str]) -> "Fonts":
        """The fonts for these texts. Those on this machine are looked at only if matplotlib's own is not enough."""
        families, missing = [USUAL], set("".join(texts)) - _characters(findfont(FontProperties(family=USUAL)))
        for family, path in _installed() if missing else ():
            if found := missing & _characters(path):
                families.append(family)
                missing -= found
            if not missing:
                break
        return Fonts(tuple(families), frozenset(missing))

    def legible(self, text: str) -> str:
        r"""Escape characters that no font has and control characters, as ``\u0939``."""
        return "".join(one if one.isprintable() and one not in self.missing else escaped(one) for one in text)


def columns(text: str) -> int:
    """The width of a text in Latin letters; Chinese, Japanese and Korean characters are twice as wide."""
    return sum(2 if east_asian_width(one) in "WF" else 1 for one in text)


def _installed() -> Iterable[tuple[str, str]]:
    """Families and files of the regular sans-serif fonts on this machine, then of the other regular ones."""
    regular = {
        entry.name: entry.fname
        for entry in fontManager.ttflist
        if entry.style == "normal" and entry.weight in _REGULAR and not entry.name.startswith(_PLACEHOLDERS)
    }
    return sorted(regular.items(), key=lambda font: ("Sans" not in font[0], font[0]))


@lru_cache(maxsize=1024)
def _characters(path: str) -> frozenset[str]:
    """The characters that a font file has; none if it cannot be read."""
    try:
        return frozenset(map(chr, FT2Font(path).get_charmap()))
    except (OSError, RuntimeError):
        return frozenset()
