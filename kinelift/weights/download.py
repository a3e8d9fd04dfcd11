"""Downloads over HTTP that stop at a size and at a time, and go on where an earlier one broke off."""

import io
import re
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from filelock import FileLock, Timeout

from kinelift.poses.errors import WeightsError

if TYPE_CHECKING:
    from requests import Response

KEPT = "incomplete"
"""The file, in the folder of a download, with what arrived of one that broke off."""

AGAIN = "Check the connection and run the same command again."
_LOCK = "lock"
_CHUNK = 1 << 16
_PAST_THE_END = 416


@dataclass(frozen=True)
class Patience:
    """How long to wait for a server.

    Args:
        silence: Seconds without a byte after which a connection counts as broken.
        start: Seconds that a download of any size may take ...
        rate: ... and one more for so many bytes.
        tries: Connections in a row that bring nothing new before a download is given up.
        pause: Seconds before the second of them. It doubles with each further one.
    """

    silence: float = 20
    start: float = 60
    rate: float = 64_000
    tries: int = 4
    pause: float = 1

    def seconds(self, size: int) -> float:
        """The longest time that a file of ``size`` bytes may take."""
        return self.start + size / self.rate


PATIENCE = Patience()


class Download:
    """A file at an address, to read once from the start to the end.

    What arrives is appended to a file, ``kept``. If that has content, the download goes on behind it; a server that
    cannot send parts of a file starts over. ``kept`` is deleted once it is of no use to another try.
    """

    def __init__(self, url: str, kept: Path, most: int) -> None:
        """Prepare the download; the first read connects.

        Args:
            url: The address.
            kept: The file to keep what arrives in.
            most: The largest size of the file in bytes.

        Raises:
            OSError: ``kept`` cannot be written.
        """
        self._url, self._kept, self._most = url, kept, most
        self._patience = PATIENCE
        self._deadline = time.monotonic() + self._patience.seconds(most)
        self._file = kept.open("a+b")
        self._length, self._position = self._file.seek(0, io.SEEK_END), 0
        self._response: Response | None = None
        self._repeated = 0  # bytes to pass over, because they are kept already
        self._total: int | None = None
        self._complete = False

    def __enter__(self) -> "Download":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def read(self, size: int, /) -> bytes:
        """Read up to ``size`` bytes, waiting until there are any. There are none at the end.

        Raises:
            WeightsError: The file cannot be had, or not in time, or is larger than ``most``.
            OSError: ``kept`` cannot be written.
        """
        if not self._complete and (self._response is None or self._position == self._length):
            self._receive()
        self._file.seek(self._position)
        part = self._file.read(min(size, self._length - self._position))
        self._position += len(part)
        return part

    def close(self) -> None:
        """Disconnect; what has arrived stays in ``kept``."""
        self._disconnect()
        self._file.close()
        if not (self._length or self._complete):
            self._kept.unlink(missing_ok=True)

    def discard(self) -> None:
        """Delete what has arrived."""
        self.close()
        self._kept.unlink(missing_ok=True)

    def _receive(self) -> None:
        """Append the next bytes to ``kept``, or find that they are complete."""
        import requests
        from urllib3.exceptions import HTTPError

        problem = ""
        for failures in range(self._patience.tries):
            if failures:
                time.sleep(self._patience.pause * 2 ** (failures - 1))
            try:
                if self._response is None:
                    self._connect()
                chunk = self._next_bytes()
            except (requests.RequestException, HTTPError) as error:
                problem = _reason(error)
                if _is_final(error):
                    break
            else:
                self._append(chunk)
                if chunk or self._complete:
                    return
                problem = "the connection broke off before the end of the file"
            self._disconnect()
        raise WeightsError(f"Cannot download {self._url}: {problem}. {AGAIN}")

    def _connect(self) -> None:
        import requests

        headers = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={self._length}-"} if self._length else {})
        response = requests.get(self._url, headers=headers, stream=True, timeout=self._patience.silence)
        self._response = response
        if self._length and response.status_code == _PAST_THE_END:
            self._total, self._repeated = self._length, 0
            return
        response.raise_for_status()
        self._check_encrypted(response)
        start = _first_byte(response)
        if start == 0 and self._position == 0:
            self._file.truncate(0)
            self._length = 0
        if start > self._length:
            raise requests.ConnectionError("the server sent another part of the file")
        self._repeated = self._length - start
        announced = response.headers.get("Content-Length", "")
        self._total = start + int(announced) if announced.isdecimal() else None
        self._check_size(self._total or 0)

    def _next_bytes(self) -> bytes:
        """The next bytes that are not in ``kept``: none at the end, or if the connection is lost."""
        assert self._response is not None
        while self._total is None or self._length < self._total:
            if time.monotonic() > self._deadline:
                raise WeightsError(
                    f"The download of {self._url} was given up after {self._patience.seconds(self._most):.0f} s, with "
                    f"{self._length / 1e6:.1f} MB. Run the same command again: it goes on from there."
                )
            chunk: bytes = self._response.raw.read1(_CHUNK, decode_content=False)
            new = chunk[self._repeated :]
            self._repeated -= len(chunk) - len(new)
            if new or not chunk:
                return new
        return b""

    def _append(self, chunk: bytes) -> None:
        self._check_size(self._length + len(chunk))
        self._file.write(chunk)
        self._file.flush()
        self._length += len(chunk)
        self._complete = not chunk and self._total in (None, self._length)

    def _check_size(self, size: int) -> None:
        if size > self._most:
            self.discard()
            raise WeightsError(
                f"{self._url} is not the registered file: it has more than {self._most} bytes. It was deleted. If the "
                "same command fails again, the published file has changed: please report it."
            )

    def _check_encrypted(self, response: "Response") -> None:
        addresses = [step.url for step in (*response.history, response)]
        if self._url.startswith("https:") and not all(address.startswith("https:") for address in addresses):
            raise WeightsError(f"{self._url} leads to an address without encryption, {addresses[-1]}. It was not read.")

    def _disconnect(self) -> None:
        if self._response is not None:
            self._response.close()
        self._response = None


@contextmanager
def download_folder(path: Path) -> Iterator[Path]:
    """A folder to download into. It is removed at the end, unless a download broke off: then it holds ``KEPT`` alone.

    While another program uses ``path``, it is a temporary one beside it.

    Raises:
        OSError: The folder cannot be made.
    """
    path.mkdir(exist_ok=True)
    lock = FileLock(path / _LOCK, timeout=0)
    try:
        lock.acquire()
    except Timeout:
        with TemporaryDirectory(prefix=f"{path.name}.", dir=path.parent) as other:
            yield Path(other)
        return
    try:
        _clear(path)  # of what a killed program left
        yield path
    finally:
        _clear(path)
        if not (path / KEPT).exists():
            shutil.rmtree(path)
        lock.release()


def download_whole(url: str, folder: Path, most: int) -> Path:
    """Download the file at an address into a ``download_folder``.

    Raises:
        WeightsError: The file cannot be had, or not in time, or is larger than ``most`` bytes.
        OSError: It cannot be written.
    """
    with Download(url, folder / KEPT, most) as download:
        while download.read(_CHUNK):
            pass
    return (folder / KEPT).replace(folder / "download")


def _clear(folder: Path) -> None:
    for path in folder.iterdir():
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        elif path.name not in (KEPT, _LOCK):
            path.unlink()


def _first_byte(response: "Response") -> int:
    """The place in the file of the first byte that the server sends."""
    part = re.match(r"bytes (\d+)-", response.headers.get("Content-Range", ""))
    return int(part[1]) if part and response.status_code == 206 else 0


def _is_final(error: Exception) -> bool:
    """Whether trying again is no use."""
    import requests

    return isinstance(error, requests.HTTPError) and error.response is not None and error.response.status_code < 500


def _reason(error: Exception) -> str:
    import requests
    from urllib3.exceptions import ProtocolError, ReadTimeoutError

    if isinstance(error, requests.HTTPError) and error.response is not None:
        return f"the server answered {error.response.status_code} {error.response.reason}"
    if isinstance(error, requests.Timeout | ReadTimeoutError):
        return "the server did not answer in time"
    if isinstance(error, requests.exceptions.ChunkedEncodingError | ProtocolError):
        return "the connection broke off before the end of the file"
    if isinstance(error, requests.ConnectionError):
        return "the server cannot be reached"
    return str(error)
