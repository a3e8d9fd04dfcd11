"""Names and phrases of ``plain_english.toml`` do not come back."""

import re
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePath
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[1]
LISTED = tomllib.loads((ROOT / "tests/plain_english.toml").read_text(encoding="utf-8"))["phrase"]
PAGES = ("README.md", "CONTRIBUTING.md", "docs/**/*.md")
FROM_CODE = "docs/reference/commands/*.md"


def files(entry: Mapping[str, Any]) -> Iterator[Path]:
    """The files that an entry applies to. Links between folders are not followed."""
    excepted = (FROM_CODE, *entry.get("except", ()))
    for pattern in entry.get("where", PAGES):
        for file in ROOT.glob(pattern):
            name = PurePath(file.relative_to(ROOT))
            if file.is_file() and not any(name.match(kept) for kept in excepted):
                yield file


def searched(entry: Mapping[str, Any]) -> re.Pattern[str]:
    """The phrase, in any case and across line ends, comment signs and all."""
    phrase = r"[\s#]+".join(re.escape(word) for word in entry["phrase"].split())
    edge = r"\b" if entry.get("word") else ""
    return re.compile(edge + phrase + edge, re.NOFLAG if entry.get("case") else re.IGNORECASE)


@pytest.mark.parametrize("entry", LISTED, ids=[entry["phrase"] for entry in LISTED])
def test_phrase_does_not_come_back(entry: Mapping[str, Any]) -> None:
    found = []
    for file in files(entry):
        text = file.read_text(encoding="utf-8")
        lines = (text.count("\n", 0, match.start()) + 1 for match in searched(entry).finditer(text))
        found += [f"{file.relative_to(ROOT)}:{line}" for line in lines]
    assert not found, f"{entry['phrase']!r} in {', '.join(found)}. Instead: {entry['instead']}"


@pytest.mark.parametrize("text", ["Who IS\n    # Believed", "who is believed"])
def test_phrases_are_found_across_lines_and_cases(text: str) -> None:
    assert searched({"phrase": "who is believed"}).search(text)


def test_entries_are_complete_and_apply_to_files() -> None:
    for entry in LISTED:
        assert entry.keys() <= {"phrase", "instead", "where", "except", "word", "case"}, entry
        assert entry["instead"], entry
        assert next(files(entry), None), f"no file matches {entry.get('where')}"
    assert len({entry["phrase"] for entry in LISTED}) == len(LISTED)
