"""Where weights lie: shipped ones in ``weights/files/``, fetched ones in the user's cache. Nothing unverified is used.

``KINELIFT_CACHE`` names another cache folder.
"""

import enum
import os
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from kinelift.poses.errors import WeightsError
from kinelift.weights import registry
from kinelift.weights.registry import Entry, sha256
from kinelift.weights.sources import Shipped

FILES = Path(__file__).with_name("files")


class State(enum.Enum):
    """What the store holds of an entry."""

    READY = "ready"
    MISSING = "not fetched"
    DAMAGED = "damaged"


@dataclass(frozen=True)
class Store:
    """Two folders: ``shipped`` is read only; ``cache`` is filled by ``fetch``."""

    shipped: Path
    cache: Path

    def path(self, entry: Entry) -> Path:
        """Where the entry's file belongs, whether or not it is there."""
        folder = self.shipped if isinstance(entry.source, Shipped) else self.cache
        return folder / entry.file

    def verify(self, entry: Entry) -> State:
        """Compare size and SHA-256 of the file with the registry. Raises ``WeightsError`` if it cannot be read."""
        path = self.path(entry)
        try:
            if not path.is_file():
                return State.MISSING
            whole = path.stat().st_size == entry.size and sha256(path) == entry.sha256
        except OSError as error:
            raise WeightsError(f"Cannot read {path}: {error.strerror}. Check its permissions.") from error
        return State.READY if whole else State.DAMAGED

    def locate(self, entry: Entry) -> Path:
        """The verified file. Raises ``WeightsError`` with the remedy if it is missing or damaged."""
        state, path = self.verify(entry), self.path(entry)
        if state is State.READY:
            return path
        wrong = {
            State.MISSING: f"No weights for {entry.name} at {path}.",
            State.DAMAGED: f"The weights for {entry.name} at {path} are damaged (their SHA-256 is not the registry's).",
        }
        raise WeightsError(f"{wrong[state]} {_remedy(entry)}")

    def fetch(self, entry: Entry) -> Path:
        """The verified file, downloaded if need be. An earlier file is only ever replaced by a verified one.

        Raises ``WeightsError`` if it cannot be downloaded, is not the registered file, or cannot be written.
        """
        if self.verify(entry) is State.READY:
            return self.path(entry)
        if isinstance(entry.source, Shipped):
            return self.locate(entry)
        try:
            self.cache.mkdir(parents=True, exist_ok=True)
            with TemporaryDirectory(prefix=f"{entry.file}.", suffix=".part", dir=self.cache) as scratch:
                got = entry.source.retrieve(Path(scratch))
                _expect(entry, got)
                got.replace(self.path(entry))
        except OSError as error:
            raise WeightsError(
                f"Cannot write {entry.name} ({entry.size / 1e6:.1f} MB) to {self.cache}: {error.strerror or error}. "
                "Free space there, or set KINELIFT_CACHE to a folder that you can write to."
            ) from error
        return self.path(entry)


def default_store() -> Store:
    """The installed program's store; the cache is ``$KINELIFT_CACHE``, else the system's folder for caches."""
    from pooch import os_cache

    chosen = os.environ.get("KINELIFT_CACHE")
    return Store(FILES, Path(chosen).expanduser() if chosen else Path(os_cache("kinelift")))


def locate(name: str) -> Path:
    """The verified file of that name. Raises ``WeightsError`` if it is unknown, missing or damaged."""
    return default_store().locate(registry.entry(name))


def find(choice: str) -> Path:
    """What NAME|PATH stands for: the verified file of a registered name, else a path that exists.

    A registered name is never a path, whatever lies in the current folder. Text with a path separator or a suffix is
    a path, as ``./mine``, ``mine.safetensors`` and ``..`` are.

    Raises:
        WeightsError: With what was tried, if it is neither; and as ``locate`` does.
    """
    path = Path(choice)
    try:
        entry = registry.entry(choice)
    except WeightsError as unknown:
        if not (path.suffix or {os.sep, os.altsep} & set(choice) or choice in (".", "..")):
            raise WeightsError(f"{unknown} For a file or folder of that name, write .{os.sep}{choice}") from None
        if not path.exists():
            raise WeightsError(
                f"{choice!r} is no registered name (see: kinelift weights list), and there is no file or folder "
                f"{path.absolute()}"
            ) from None
        return path
    return default_store().locate(entry)


def fetch(name: str) -> Path:
    """The verified file of that name, downloaded if need be. Raises ``WeightsError``."""
    return default_store().fetch(registry.entry(name))


def verify(name: str) -> State:
    """What the store holds of that name. Raises ``WeightsError`` if it is unknown or cannot be read."""
    return default_store().verify(registry.entry(name))


def _expect(entry: Entry, got: Path) -> None:
    size, digest = got.stat().st_size, sha256(got)
    if (size, digest) != (entry.size, entry.sha256):
        raise WeightsError(
            f"What came from {entry.source} for {entry.name} is not the registered file: {size} bytes with SHA-256 "
            f"{digest}, expected {entry.size} bytes with {entry.sha256}. Nothing was kept. Run the same command again; "
            "if it happens twice, the file was changed where it is published: please report it."
        )


def _remedy(entry: Entry) -> str:
    if isinstance(entry.source, Shipped):
        return "It comes with Kinelift: reinstall it, or record your own with: kinelift weights record"
    return f"Fetch them with: kinelift weights fetch {entry.name}"
