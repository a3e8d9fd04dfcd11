"""Names and phrases of ``plain_english.toml`` do not come back."""

import re
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path, PurePath

import pytest

ROOT = Path(__file__).resolve().parents[1]
LISTED = tomllib.loads((ROOT / "tests/plain_english.toml").read_text(encoding="utf-8"))
PAGES = ("README.md", "CONTRIBUTING.md", "docs/**/*.md")
CODE = tuple(f"{folder}/**/*.py" for folder in ("kinelift", "tests", "benchmarks", "docs"))
WHERE = {"everywhere": (*PAGES, *CODE), "pages": PAGES, "names": (*PAGES, *CODE)}
NOT_SEARCHED = ("docs/reference/commands/*.md", "docs/reference/moved-names.md", "tests/test_plain_english.py")
ENTRIES = [(group, phrase, instead) for group in WHERE for phrase, instead in LISTED[group].items()]


@cache
def texts(*patterns: str) -> dict[Path, str]:
    """The files that match ``patterns``, by their names from the root. Links between folders are not followed."""
    files = {file.relative_to(ROOT): file for pattern in patterns for file in ROOT.glob(pattern) if file.is_file()}
    return {name: file.read_text(encoding="utf-8") for name, file in files.items() if not among(name, NOT_SEARCHED)}


def among(name: PurePath, patterns: tuple[str, ...]) -> bool:
    return any(name.match(pattern) for pattern in patterns)


def searched(phrase: str, flags: re.RegexFlag = re.IGNORECASE) -> re.Pattern[str]:
    """The phrase as whole words, across line ends, comment signs and all."""
    words = r"[\s#]+".join(re.escape(word) for word in phrase.split())
    return re.compile(rf"(?<!\w){words}(?!\w)", flags)


def places(group: str, phrase: str) -> Iterator[str]:
    pattern = searched(phrase, re.NOFLAG if group == "names" else re.IGNORECASE)
    for name, text in texts(*WHERE[group]).items():
        if not among(name, tuple(LISTED["except"].get(phrase, ()))):
            yield from (f"{name}:{text.count(chr(10), 0, match.start()) + 1}" for match in pattern.finditer(text))


@pytest.mark.parametrize(("group", "phrase", "instead"), ENTRIES, ids=[phrase for _, phrase, _ in ENTRIES])
def test_phrase_does_not_come_back(group: str, phrase: str, instead: str) -> None:
    found = list(places(group, phrase))
    assert not found, f"{phrase!r} in {', '.join(found)}. Instead: {instead}"


@pytest.mark.parametrize("text", ["Who IS\n    # Believed", "who is believed"])
def test_phrases_are_found_across_lines_and_cases(text: str) -> None:
    assert searched("who is believed").search(text)


@pytest.mark.parametrize("text", ["whose believer", "who_is_believed", "who is believed_in"])
def test_phrases_are_whole_words(text: str) -> None:
    assert not searched("who is believed").search(text)


def test_entries_are_listed_once_and_exceptions_are_of_entries() -> None:
    phrases = [phrase for _, phrase, _ in ENTRIES]
    assert len(set(phrases)) == len(phrases)
    assert all(instead for *_, instead in ENTRIES)
    assert LISTED.keys() == {*WHERE, "except"} and LISTED["except"].keys() <= set(phrases)
