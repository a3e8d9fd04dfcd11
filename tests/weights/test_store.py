"""The store hands out verified files only, and a failed fetch changes nothing."""

from dataclasses import dataclass
from pathlib import Path

import pytest

from kinelift.poses.errors import WeightsError
from kinelift.weights import store as module
from kinelift.weights.registry import Entry
from kinelift.weights.sources import Shipped
from kinelift.weights.store import State, Store
from tests.weights.conftest import CONTENT, Bytes, entry_for


@dataclass(frozen=True)
class Fails:
    error: BaseException

    def retrieve(self, folder: Path, size: int) -> Path:
        (folder / "half").write_bytes(CONTENT[:100])
        raise self.error


class DiskFull:
    def retrieve(self, folder: Path, size: int) -> Path:
        Path("/dev/full").write_bytes(CONTENT)
        raise AssertionError("unreachable")


class MustNotBeAsked:
    def retrieve(self, folder: Path, size: int) -> Path:
        raise AssertionError("downloaded although the file was there")


def test_missing_then_fetched_then_ready(store: Store) -> None:
    entry = entry_for(Bytes())
    assert store.verify(entry) is State.MISSING
    with pytest.raises(WeightsError, match="Fetch them with: kinelift weights fetch toy"):
        store.locate(entry)
    assert store.fetch(entry) == store.locate(entry)
    assert store.verify(entry) is State.READY
    assert store.fetch(entry_for(MustNotBeAsked())).read_bytes() == CONTENT


def test_damage_is_found_and_mended(store: Store, damaged: Entry) -> None:
    assert store.verify(damaged) is State.DAMAGED
    with pytest.raises(WeightsError, match=r"damaged.*kinelift weights fetch toy"):
        store.locate(damaged)
    store.fetch(damaged)
    assert store.verify(damaged) is State.READY


@pytest.mark.parametrize("content", [CONTENT[:-1], CONTENT[::-1], b""])
def test_wrong_bytes_are_never_kept(store: Store, content: bytes) -> None:
    with pytest.raises(WeightsError, match="not the registered file"):
        store.fetch(entry_for(Bytes(content)))
    assert list(store.cache.iterdir()) == []


@pytest.mark.parametrize("error", [WeightsError("offline"), OSError(5, "I/O error"), KeyboardInterrupt()])
def test_failed_fetch_leaves_the_old_file_and_nothing_else(store: Store, damaged: Entry, error: BaseException) -> None:
    before = store.path(damaged).read_bytes()
    with pytest.raises((WeightsError, KeyboardInterrupt)):
        store.fetch(entry_for(Fails(error)))
    assert store.path(damaged).read_bytes() == before
    assert [p.name for p in store.cache.iterdir()] == [damaged.file]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_disk_full(store: Store) -> None:
    with pytest.raises(WeightsError, match=r"No space left on device. Free space there, or set KINELIFT_CACHE"):
        store.fetch(entry_for(DiskFull()))
    assert list(store.cache.iterdir()) == []


def test_cache_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(WeightsError, match="set KINELIFT_CACHE"):
        Store(tmp_path, tmp_path / "file" / "cache").fetch(entry_for(Bytes()))


def test_a_folder_in_the_way(store: Store) -> None:
    entry = entry_for(Bytes())
    store.path(entry).mkdir(parents=True)
    with pytest.raises(WeightsError, match="Cannot write toy"):
        store.fetch(entry)


def test_shipped_files_are_read_where_they_are(store: Store) -> None:
    entry = entry_for(Shipped())
    with pytest.raises(WeightsError, match="comes with Kinelift: reinstall"):
        store.fetch(entry)
    store.shipped.mkdir()
    (store.shipped / entry.file).write_bytes(CONTENT)
    assert store.fetch(entry) == store.locate(entry) == store.shipped / entry.file


def test_cache_folder_follows_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KINELIFT_CACHE", str(tmp_path))
    assert module.default_store().cache == tmp_path
    assert module.verify("sample-clip") is State.MISSING
    with pytest.raises(WeightsError, match="kinelift weights fetch sample-clip"):
        module.locate("sample-clip")
    monkeypatch.delenv("KINELIFT_CACHE")
    assert "kinelift" in str(module.default_store().cache)


class TestFilesFetchedBeforehand:
    """As in an image, whose weights belong to root."""

    @pytest.fixture
    def image(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
        (tmp_path / "image").mkdir()
        monkeypatch.setenv("KINELIFT_CACHE", str(tmp_path / "cache"))
        monkeypatch.setenv("KINELIFT_WEIGHTS", str(tmp_path / "image"))
        return module.default_store()

    def test_they_are_used_where_they_are(self, image: Store) -> None:
        entry = entry_for(MustNotBeAsked())
        (image.fetched / entry.file).write_bytes(CONTENT)
        assert image.fetch(entry) == image.locate(entry) == image.fetched / entry.file
        assert not image.cache.exists()

    @pytest.mark.parametrize("before", [None, CONTENT[:-1]], ids=["missing", "damaged"])
    def test_others_go_to_the_cache_which_comes_first(self, image: Store, before: bytes | None) -> None:
        entry = entry_for(Bytes())
        if before is not None:
            (image.fetched / entry.file).write_bytes(before)
        assert image.fetch(entry) == image.locate(entry) == image.cache / entry.file
        assert before is None or (image.fetched / entry.file).read_bytes() == before

    def test_in_an_image_the_remedies_are_commands_of_the_host(
        self, image: Store, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("KINELIFT_IMAGE", "kinelift")
        with pytest.raises(WeightsError) as missing:
            image.locate(entry_for(Bytes()))
        volume = f"-v kinelift-weights:{image.cache}"
        assert f"docker run --rm {volume} kinelift weights fetch toy, and add {volume}" in str(missing.value)
        image.cache.write_text("not a folder")
        with pytest.raises(WeightsError, match=r"Cannot write toy .*: docker run -e KINELIFT_CACHE=/data/weights"):
            image.fetch(entry_for(Bytes()))


class TestFind:
    """NAME|PATH: a registered name is never a path, and a path is never looked up as a name."""

    @pytest.fixture(autouse=True)
    def folder(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
        monkeypatch.chdir(tmp_path)
        return tmp_path

    @pytest.mark.parametrize("kind", ["nothing", "folder", "file"])
    def test_a_name_is_the_registered_weights_whatever_lies_here(self, folder: Path, kind: str) -> None:
        if kind == "folder":
            (folder / "default").mkdir()
        if kind == "file":
            (folder / "default").write_text("not weights")
        assert module.find("default") == module.locate("default")

    @pytest.mark.parametrize(
        "choice", ["./default", "./mine", "sub/mine", "./mine.st", "mine.st", ".", "ABSOLUTE/mine"]
    )
    @pytest.mark.parametrize("kind", ["folder", "file"])
    def test_a_path_is_what_lies_there(self, folder: Path, choice: str, kind: str) -> None:
        choice = choice.replace("ABSOLUTE", str(folder))
        path = Path(choice)
        path.parent.mkdir(exist_ok=True)
        if kind == "folder":
            path.mkdir(exist_ok=True)
        elif choice != ".":
            path.write_text("anything")
        assert module.find(choice).samefile(path)

    @pytest.mark.parametrize(("choice", "says"), [
        ("defualt", "Did you mean 'default'"), ("mine", r"write \./mine$"),
        ("./default", r"not a registered name .* no file or folder .*default$"),
        ("mine.st", r"no file or folder .*mine\.st$"),
        ("", "Unknown weights ''"),
    ])  # fmt: skip
    def test_a_wrong_one_is_told_with_what_was_tried(self, folder: Path, choice: str, says: str) -> None:
        if choice == "mine":
            (folder / "mine").mkdir()
        with pytest.raises(WeightsError, match=says):
            module.find(choice)
