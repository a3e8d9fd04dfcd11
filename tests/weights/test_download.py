"""Downloads from a local web server that is slow, endless, cut off, or has another file."""

import gzip
import io
import tarfile
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest

from kinelift.poses.errors import WeightsError
from kinelift.weights import sources
from kinelift.weights.download import KEPT, download_folder
from kinelift.weights.registry import Entry
from kinelift.weights.sources import Npm, Url
from kinelift.weights.store import Store
from tests.weights.conftest import CONTENT, entry_for
from tests.weights.web import Web, cut_after, serving, whole


def silent_after(count: int) -> Callable[[Web, BaseHTTPRequestHandler, bytes], None]:
    def answer(web: Web, reply: BaseHTTPRequestHandler, part: bytes) -> None:
        whole(reply, part[:count])
        reply.wfile.flush()
        time.sleep(3)

    return answer


def drip(web: Web, reply: BaseHTTPRequestHandler, part: bytes) -> None:
    for k in range(200):
        whole(reply, part[k : k + 1])
        reply.wfile.flush()
        time.sleep(0.1)


def endless(web: Web, reply: BaseHTTPRequestHandler, part: bytes) -> None:
    while True:
        whole(reply, bytes(1 << 16))


@pytest.fixture
def web() -> Iterator[Web]:
    with serving(CONTENT) as web:
        yield web


@pytest.fixture
def entry(web: Web) -> Entry:
    return entry_for(Url(web.address))


def kept(store: Store) -> list[bytes]:
    return [path.read_bytes() for path in store.cache.glob(f".*/{KEPT}")]


def test_a_connection_that_breaks_off_is_made_again_from_there(web: Web, store: Store, entry: Entry) -> None:
    web.answer = cut_after(10_000)
    assert store.fetch(entry).read_bytes() == CONTENT
    assert web.asked == [None, "bytes=10000-", "bytes=20000-", "bytes=30000-"]
    assert [path.name for path in store.cache.iterdir()] == [entry.file]


def test_a_server_without_parts_of_files_starts_over(web: Web, store: Store, entry: Entry) -> None:
    web.ranges = False
    web.answer = lambda web, reply, part: whole(reply, part[:10_000] if len(web.asked) == 1 else part)
    assert store.fetch(entry).read_bytes() == CONTENT
    assert web.asked == [None, "bytes=10000-"]


@pytest.mark.parametrize("ranges", [True, False])
def test_the_next_command_goes_on(web: Web, store: Store, entry: Entry, ranges: bool) -> None:
    web.ranges = ranges
    web.answer = lambda web, reply, part: whole(reply, part[:10_000] if len(web.asked) == 1 else b"")
    with pytest.raises(WeightsError, match=r"broke off before the end of the file\. Check the connection and run"):
        store.fetch(entry)
    assert kept(store) == [CONTENT[:10_000]]
    web.asked.clear()
    web.answer = lambda web, reply, part: whole(reply, part)
    assert store.fetch(entry).read_bytes() == CONTENT
    assert web.asked == ["bytes=10000-"]
    assert [path.name for path in store.cache.iterdir()] == [entry.file]


def test_a_killed_command_had_it_all(web: Web, store: Store, entry: Entry) -> None:
    store.cache.mkdir()
    with download_folder(store.cache / f".{entry.file}.{entry.sha256[:8]}.part") as folder:
        (folder / KEPT).write_bytes(CONTENT)
        (folder / "half").touch()
    assert store.fetch(entry).read_bytes() == CONTENT
    assert web.asked == [f"bytes={len(CONTENT)}-"]
    assert [path.name for path in store.cache.iterdir()] == [entry.file]


def test_what_was_kept_of_another_file_is_found_by_the_hash_and_deleted(web: Web, store: Store, entry: Entry) -> None:
    store.cache.mkdir()
    with download_folder(store.cache / f".{entry.file}.{entry.sha256[:8]}.part") as folder:
        (folder / KEPT).write_bytes(b"x" * 100)
    with pytest.raises(WeightsError, match=r"not the registered file: 32768 bytes .*Run the same command again"):
        store.fetch(entry)
    assert list(store.cache.iterdir()) == []
    assert store.fetch(entry).read_bytes() == CONTENT


def test_two_programs_at_once_do_not_disturb_each_other(web: Web, store: Store, entry: Entry) -> None:
    store.cache.mkdir()
    with download_folder(store.cache / f".{entry.file}.{entry.sha256[:8]}.part") as folder:
        (folder / KEPT).write_bytes(CONTENT[:5])
        assert store.fetch(entry).read_bytes() == CONTENT
        assert (folder / KEPT).read_bytes() == CONTENT[:5]
    assert web.asked == [None]


@pytest.mark.usefixtures("impatient")
def test_a_server_that_falls_silent(web: Web, store: Store, entry: Entry) -> None:
    web.answer = silent_after(0)
    with pytest.raises(WeightsError, match="did not answer in time"):
        store.fetch(entry)
    assert len(web.asked) == 3
    assert list(store.cache.iterdir()) == []


@pytest.mark.usefixtures("impatient")
def test_a_server_that_falls_silent_on_the_way_is_asked_for_the_rest(web: Web, store: Store, entry: Entry) -> None:
    web.answer = lambda web, reply, part: (
        silent_after(10)(web, reply, part) if len(web.asked) == 1 else whole(reply, part)
    )
    assert store.fetch(entry).read_bytes() == CONTENT
    assert web.asked == [None, "bytes=10-"]


@pytest.mark.usefixtures("impatient")
def test_a_slow_server_is_given_up_and_what_came_is_kept(web: Web, store: Store, entry: Entry) -> None:
    web.answer = drip
    with pytest.raises(WeightsError, match=r"given up after 3 s, .* it goes on from there"):
        store.fetch(entry)
    (part,) = kept(store)
    assert 0 < len(part) < len(CONTENT) and CONTENT.startswith(part)


def test_an_endless_file_is_stopped_at_the_registered_size(web: Web, store: Store, entry: Entry) -> None:
    web.announced, web.answer = False, endless
    with pytest.raises(WeightsError, match=f"it has more than {len(CONTENT)} bytes"):
        store.fetch(entry)
    assert list(store.cache.iterdir()) == []


def test_a_larger_file_is_refused_before_it_is_read(web: Web, store: Store, entry: Entry) -> None:
    web.content = CONTENT + b"x"
    web.answer = lambda web, reply, part: None
    with pytest.raises(WeightsError, match=f"it has more than {len(CONTENT)} bytes"):
        store.fetch(entry)
    assert len(web.asked) == 1
    assert list(store.cache.iterdir()) == []


@pytest.mark.parametrize("content", [CONTENT[:-1], CONTENT[::-1], b""], ids=["shorter", "other", "empty"])
def test_another_file_is_not_kept(web: Web, store: Store, entry: Entry, content: bytes) -> None:
    web.content = content
    with pytest.raises(WeightsError, match=f"not the registered file: {len(content)} bytes"):
        store.fetch(entry)
    assert list(store.cache.iterdir()) == []


def test_a_server_in_trouble_is_asked_again_and_a_missing_file_is_not(web: Web, store: Store, entry: Entry) -> None:
    for status, times in ((503, 3), (404, 1)):
        web.asked.clear()
        web.reply = lambda reply, status=status: (web.asked.append(None), reply.send_error(status))  # type: ignore[method-assign]
        with pytest.raises(WeightsError, match=f"answered {status}"):
            store.fetch(entry)
        assert len(web.asked) == times
        assert list(store.cache.iterdir()) == []


class TestPackages:
    @pytest.fixture
    def entry(self, web: Web, monkeypatch: pytest.MonkeyPatch) -> Entry:
        monkeypatch.setenv("npm_config_registry", web.address)
        web.content = self._packed(CONTENT)
        return entry_for(Npm("toy@1.0", "net.bin"))

    @staticmethod
    def _packed(content: bytes) -> bytes:
        packed = io.BytesIO()
        with tarfile.open(fileobj=packed, mode="w:gz", compresslevel=0) as archive:
            about = tarfile.TarInfo("package/net.bin")
            about.size = len(content)
            archive.addfile(about, io.BytesIO(content))
        return packed.getvalue()

    def test_one_that_breaks_off_goes_on(self, web: Web, store: Store, entry: Entry) -> None:
        web.answer = cut_after(10_000)
        assert store.fetch(entry).read_bytes() == CONTENT
        assert web.asked[1] == "bytes=10000-"
        assert [path.name for path in store.cache.iterdir()] == [entry.file]

    def test_the_next_command_goes_on(self, web: Web, store: Store, entry: Entry) -> None:
        web.answer = lambda web, reply, part: whole(reply, part[:10_000] if len(web.asked) == 1 else b"")
        with pytest.raises(WeightsError, match="broke off"):
            store.fetch(entry)
        web.answer = lambda web, reply, part: whole(reply, part)
        assert store.fetch(entry).read_bytes() == CONTENT
        assert web.asked[-1] == "bytes=10000-"

    def test_a_member_that_is_too_large(self, web: Web, store: Store, entry: Entry) -> None:
        web.content = self._packed(CONTENT + b"x")
        with pytest.raises(WeightsError, match=f"holds more than {len(CONTENT)} bytes"):
            store.fetch(entry)
        assert list(store.cache.iterdir()) == []

    def test_one_that_unpacks_to_more_than_any_package(
        self, web: Web, store: Store, entry: Entry, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(sources, "_MOST_UNPACKED", 100_000)
        header = tarfile.TarInfo("x")
        header.type, header.size = tarfile.XHDTYPE, 1 << 33
        web.content = gzip.compress(header.tobuf(tarfile.GNU_FORMAT) + bytes(1_000_000))
        with pytest.raises(WeightsError, match="holds more than 100000 bytes"):
            store.fetch(entry)
        assert list(store.cache.iterdir()) == []


def test_https_does_not_lead_to_plain_http(web: Web, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    import requests

    real = requests.get
    monkeypatch.setattr(requests, "get", lambda url, **options: real(web.address, **options))
    with pytest.raises(WeightsError, match="leads to an address without encryption"):
        store.fetch(entry_for(Url("https://example.com/x")))
    assert not (store.cache / "toy.bin").exists()


def test_a_folder_of_a_download_keeps_only_what_another_try_can_use(tmp_path: Path) -> None:
    with download_folder(tmp_path / "x") as folder:
        (folder / "sub").mkdir()
        (folder / "whole").touch()
        (folder / KEPT).touch()
    assert sorted(path.name for path in (tmp_path / "x").iterdir()) in ([KEPT], [KEPT, "lock"])
