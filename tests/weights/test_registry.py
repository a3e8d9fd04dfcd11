"""The registry is complete and true: every shipped file is in it, hashes agree, every entry has a card."""

import json
import re
from pathlib import Path

import pytest

from kinelift.poses.errors import WeightsError
from kinelift.weights import checkpoint, registry
from kinelift.weights.sources import Npm, Shipped, Source, Url, Wheel
from kinelift.weights.store import FILES, State, default_store
from tests.weights.conftest import CONTENT, entry_for

CARDS = Path(registry.__file__).with_name("cards")


@pytest.mark.parametrize("entry", registry.entries(), ids=lambda entry: entry.name)
def test_entries_are_complete(entry: registry.Entry) -> None:
    assert re.fullmatch(r"[0-9a-f]{64}", entry.sha256)
    assert entry.size > 0 and entry.summary and entry.licence
    assert Path(entry.file).name == entry.file
    assert not isinstance(entry.source, Url) or entry.source.url.startswith("https://")
    assert not isinstance(entry.source, Wheel) or re.search(r"==\d", entry.source.requirement)
    assert not isinstance(entry.source, Npm) or re.search(r".@\d", entry.source.package)
    card = (CARDS / f"{entry.name}.md").read_text(encoding="utf-8")
    assert entry.licence in card


@pytest.mark.parametrize("entry", registry.entries(), ids=lambda entry: entry.name)
def test_shipped_files_are_the_recorded_ones(entry: registry.Entry) -> None:
    if isinstance(entry.source, Shipped):
        assert default_store().verify(entry) is State.READY, "run: kinelift weights record"
        assert entry.source.origin or (entry.trained_on and entry.measured)


@pytest.mark.parametrize("path", sorted(FILES.glob("*.safetensors")), ids=lambda path: path.name)
def test_shipped_files_can_be_read(path: Path) -> None:
    assert checkpoint.load(path).tensors


def test_every_shipped_file_is_recorded() -> None:
    recorded = {entry.file for entry in registry.entries() if isinstance(entry.source, Shipped)}
    assert {path.name for path in FILES.iterdir()} == recorded


def test_notice_and_card_tell_where_files_of_others_come_from() -> None:
    notice = (Path(__file__).resolve().parents[2] / "NOTICE").read_text(encoding="utf-8")
    sources = {entry.name: entry.source for entry in registry.entries() if isinstance(entry.source, Shipped)}
    copies = {name: source.origin for name, source in sources.items() if source.origin}
    assert list(copies) == ["three", "three-orbit-controls"]
    for entry_name, origin in copies.items():
        package, _, member = origin.removeprefix("npm:").partition("/")
        name, _, version = package.partition("@")
        card = (CARDS / f"{entry_name}.md").read_text(encoding="utf-8")
        assert member in card and f"{name} {version}" in card
        assert f"{name} {version}" in notice and f'"{entry_name}"' in notice


def test_file_names_do_not_collide() -> None:
    files = [entry.file for entry in registry.entries()]
    assert len(set(files)) == len(files)


def test_unknown_name_is_answered_with_the_known_ones() -> None:
    with pytest.raises(WeightsError, match=r"'movenet'. Did you mean 'movenet-multipose'.*sample-clip"):
        registry.entry("movenet")


@pytest.mark.parametrize(
    "source",
    [
        Shipped(),
        Shipped("npm:a@1/b"),
        Url("https://example.org/x"),
        Wheel("a==1", ("b", "c"), platform="p"),
        Npm("a@1", "b"),
    ],
)
def test_recorded_entries_come_back(tmp_path: Path, source: Source) -> None:
    path, file = tmp_path / "registry.json", tmp_path / "toy.bin"
    path.write_text("{}")
    file.write_bytes(CONTENT)
    made = registry.record(entry_for(source, b"something else"), file, path)
    assert made == entry_for(source)
    assert registry.entries(path) == (made,)


def test_recording_again_replaces_and_keeps_the_others(tmp_path: Path) -> None:
    path, file = tmp_path / "registry.json", tmp_path / "toy.bin"
    path.write_text(registry.REGISTRY.read_text(encoding="utf-8"), encoding="utf-8")
    before = registry.entries(path)
    for content in (b"first", b"second"):
        file.write_bytes(content)
        registry.record(entry_for(Shipped()), file, path)
    assert registry.entries(path) == (*before, entry_for(Shipped(), b"second"))


@pytest.mark.parametrize("text", ["", "[]", '{"x": 1}', '{"x": {"source": {"kind": "ftp"}}}', '{"x": {}}'])
def test_damaged_registry(tmp_path: Path, text: str) -> None:
    path = tmp_path / "registry.json"
    path.write_text(text)
    with pytest.raises(WeightsError, match="damaged"):
        registry.entries(path)


def test_registry_on_disk_is_what_record_would_write() -> None:
    text = registry.REGISTRY.read_text(encoding="utf-8")
    assert json.dumps(json.loads(text), indent=2, ensure_ascii=False) + "\n" == text
