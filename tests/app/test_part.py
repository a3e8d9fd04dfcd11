"""Parts of a video, as users write them."""

from fractions import Fraction

import pytest

from kinelift.app.video import Part
from kinelift.poses.errors import SettingsError


@pytest.mark.parametrize(
    ("words", "start", "end"),
    [
        ("12s-20s", 12, 20),
        ("12-20", 12, 20),
        ("0.5s - 1.25s", Fraction(1, 2), Fraction(5, 4)),
        ("1:05-1:20.5", 65, Fraction(161, 2)),
        ("1:00:00-1:00:01", 3600, 3601),
        ("12s-", 12, None),
        ("-20s", 0, 20),
    ],
)
def test_ranges(words: str, start: Fraction, end: Fraction | None) -> None:
    assert Part.parse(words) == Part(Fraction(start), None if end is None else Fraction(end))


@pytest.mark.parametrize("words", ["", "-", "12s", "a-b", "20s-12s", "5-5", "1:2:3:4-", "1e3-", "-0"])
def test_what_is_no_range_is_refused(words: str) -> None:
    with pytest.raises(SettingsError, match="--range"):
        Part.parse(words)


def test_names_of_files() -> None:
    assert [Part.parse(words).suffix for words in ("12s-20s", "0.5-", "-1:00")] == ["-12s-20s", "-0.5s-end", "-0s-60s"]
    assert Part().suffix == ""
