import hashlib
import io
import tarfile
import threading
from collections.abc import Iterator
from dataclasses import dataclass, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from kinelift.weights import download
from kinelift.weights.download import Patience
from kinelift.weights.registry import Entry
from kinelift.weights.sources import Source
from kinelift.weights.store import Store

CONTENT = b"weights " * 4096


def entry_for(source: Source, content: bytes = CONTENT) -> Entry:
    digest = hashlib.sha256(content).hexdigest()
    return Entry("toy", "A toy", "toy.bin", len(content), digest, "Apache-2.0", "nothing", "nothing", source)


@dataclass(frozen=True)
class Bytes:
    """A source that always has the same bytes."""

    content: bytes = CONTENT

    def retrieve(self, folder: Path, size: int) -> Path:
        (folder / "got").write_bytes(self.content)
        return folder / "got"


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Downloads wait for a busy machine, but not before they try again."""
    monkeypatch.setattr(download, "PATIENCE", Patience(silence=60, start=600, rate=1e9, tries=3, pause=0.01))


@pytest.fixture
def impatient(patient: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Downloads wait for a server for a second, and last three."""
    monkeypatch.setattr(download, "PATIENCE", Patience(silence=1, start=3, rate=1e9, tries=3, pause=0.01))


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "shipped", tmp_path / "cache")


@pytest.fixture
def damaged(store: Store) -> Entry:
    """An entry whose file in the cache has the right size and wrong bytes."""
    entry = entry_for(Bytes())
    store.cache.mkdir()
    store.path(entry).write_bytes(CONTENT[::-1])
    return replace(entry)


def _package(*names: str) -> bytes:
    """An archive as the npm registry has them; every file holds ``CONTENT``."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        for name in names:
            about = tarfile.TarInfo(f"package/{name}")
            about.size = len(CONTENT)
            archive.addfile(about, io.BytesIO(CONTENT))
    return packed.getvalue()


PACKAGES = {
    "/@toy/nets/-/nets-1.0.tgz": _package("package.json", "net.bin", "more.bin"),
    "/plain/-/plain-1.0.tgz": _package("models/net.bin"),
    "/@toy/nets/-/nets-1.1.tgz": _package("net.bin")[:60],
    "/@toy/nets/-/nets-1.2.tgz": b"<html>not found</html>",
}


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        if self.path == "/missing":
            self.send_error(404)
            return
        if self.path == "/moved":
            self.send_response(302)
            self.send_header("Location", "/good")
            self.end_headers()
            return
        if self.path.endswith(".tgz"):
            self._send_package()
            return
        body = {"/other": CONTENT[::-1], "/truncated": CONTENT[:1000]}.get(self.path, CONTENT)
        self.send_response(200)
        self.send_header("Content-Length", str(len(CONTENT)))
        self.end_headers()
        self.wfile.write(body)

    def _send_package(self) -> None:
        """Those of version 1.3 break off before the end that was announced."""
        body = PACKAGES.get(self.path.replace("-1.3", "-1.0"))
        if body is None:
            self.send_error(404)
            return
        cut = body[: len(body) // 2] if "-1.3" in self.path else body
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(cut)

    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture(scope="session")
def server() -> Iterator[str]:
    """The address of a web server with /good, /moved (to /good), /other, /truncated and /missing."""
    with ThreadingHTTPServer(("127.0.0.1", 0), _Handler) as running:
        threading.Thread(target=running.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{running.server_port}"
        running.shutdown()
