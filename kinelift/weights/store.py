"""The store of weights: shipped files in ``weights/files/``, downloaded ones in a cache. Every file is verified.

The environment variable ``KINELIFT_CACHE`` selects another cache folder. ``KINELIFT_WEIGHTS`` names a folder of files
that were downloaded beforehand, for all users of a machine or for an image; nothing is written there. In an image,
``KINELIFT_IMAGE`` is its name, for messages that say what to run.
"""

import enum
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from kinelift.poses.errors import WeightsError
from kinelift.weights import registry
from kinelift.weights.download import download_folder
from kinelift.weights.registry import Entry, sha256
from kinelift.weights.sources import Shipped

FILES = Path(__file__).with_name("files")


class State(enum.Enum):
    """The state of an entry's file in the store."""

    READY = "ready"
    MISSING = "not fetched"
    DAMAGED = "damaged"


@dataclass(frozen=True)
class Store:
    """The folders of weights.

    Args:
        shipped: Files that come with the program; read only.
        cache: Downloaded files.
        fetched: Files that were downloaded beforehand; read only.
    """

    shipped: Path
    cache: Path
    fetched: Path | None = None

    def path(self, entry: Entry) -> Path:
        """The path of an entry's file, which may not exist."""
        return self.shipped / entry.file if isinstance(entry.source, Shipped) else self.downloaded(entry.file)

    def downloaded(self, name: str) -> Path:
        """The path of a downloaded file: in the cache, unless only the files downloaded beforehand have it."""
        cached = self.cache / name
        if self.fetched and not cached.exists() and (self.fetched / name).is_file():
            return self.fetched / name
        return cached

    def verify(self, entry: Entry) -> State:
        """Compare the file's size and SHA-256 with the registry.

        Raises:
            WeightsError: The file cannot be read.
        """
        path = self.path(entry)
        try:
            if not path.is_file():
                return State.MISSING
            intact = path.stat().st_size == entry.size and sha256(path) == entry.sha256
        except OSError as error:
            raise WeightsError(f"Cannot read {path}: {error.strerror}. Check its permissions.") from error
        return State.READY if intact else State.DAMAGED

    def locate(self, entry: Entry) -> Path:
        """The path of the verified file.

        Raises:
            WeightsError: The file is missing or damaged. The message says how to get it.
        """
        state, path = self.verify(entry), self.path(entry)
        if state is State.READY:
            return path
        problem = {
            State.MISSING: f"No weights for {entry.name} at {path}.",
            State.DAMAGED: f"The weights for {entry.name} at {path} are damaged (their SHA-256 is not the registry's).",
        }
        raise WeightsError(f"{problem[state]} {_remedy(entry)}")

    def fetch(self, entry: Entry) -> Path:
        """Download the file if necessary. Only a verified file replaces an existing one.

        What arrived of a download that broke off is kept beside it, and the next one goes on from there.

        Returns:
            The path of the verified file.

        Raises:
            WeightsError: The file cannot be downloaded, is not the registered one, or cannot be written.
        """
        if self.verify(entry) is State.READY:
            return self.path(entry)
        if isinstance(entry.source, Shipped):
            return self.locate(entry)
        try:
            self.cache.mkdir(parents=True, exist_ok=True)
            with download_folder(self.cache / f".{entry.file}.{entry.sha256[:8]}.part") as folder:
                download = entry.source.retrieve(folder, entry.size)
                _check_download(entry, download)
                download.replace(self.cache / entry.file)
        except OSError as error:
            raise WeightsError(
                f"Cannot write {entry.name} ({entry.size / 1e6:.1f} MB) to {self.cache}: {error.strerror or error}. "
                f"{writable_cache()}"
            ) from error
        return self.path(entry)


def default_store() -> Store:
    """The store of the installed program. Its cache is ``$KINELIFT_CACHE``, otherwise the system's cache folder."""
    from platformdirs import user_cache_path

    cache, fetched = os.environ.get("KINELIFT_CACHE"), os.environ.get("KINELIFT_WEIGHTS")
    folder = Path(cache).expanduser() if cache else user_cache_path("kinelift", appauthor=False)
    return Store(FILES, folder, Path(fetched).expanduser() if fetched else None)


def writable_cache() -> str:
    """What to do if the cache cannot be written, in a sentence."""
    if image := os.environ.get("KINELIFT_IMAGE"):
        return f"Keep downloads in a folder of your own: docker run -e KINELIFT_CACHE=/data/weights ... {image} ..."
    return "Free space there, or set KINELIFT_CACHE to a folder that you can write to."


def locate(name: str) -> Path:
    """The path of a verified file by its registered name.

    Raises:
        WeightsError: The name is unknown, or the file is missing or damaged.
    """
    return default_store().locate(registry.entry(name))


def locate_all(names: Sequence[str]) -> list[Path]:
    """The paths of verified files that are used together.

    Raises:
        WeightsError: A name is unknown, or a file is missing or damaged. The message says how to get all of them.
    """
    store, entries = default_store(), [registry.entry(name) for name in names]
    if missing := [entry.name for entry in entries if store.verify(entry) is State.MISSING]:
        raise WeightsError(f"No weights for {' and '.join(missing)} at {store.cache}. {_how_to_fetch(*missing)}")
    return [store.locate(entry) for entry in entries]


def find(choice: str) -> Path:
    """Resolve NAME|PATH to the verified file of a registered name, or to a file or folder.

    A registered name is never a path, whatever the current folder contains. Text with a path separator or a suffix is a
    path: ``./mine``, ``mine.safetensors``, ``..``.

    Raises:
        WeightsError: The choice is neither, or the registered file is missing or damaged.
    """
    path = Path(choice)
    try:
        entry = registry.entry(choice)
    except WeightsError as unknown:
        if not (path.suffix or {os.sep, os.altsep} & set(choice) or choice in (".", "..")):
            raise WeightsError(f"{unknown} For a file or folder of this name, write .{os.sep}{choice}") from None
        if not path.exists():
            raise WeightsError(
                f"{choice!r} is not a registered name (see: kinelift weights list), and there is no file or folder "
                f"{path.absolute()}"
            ) from None
        return path
    return default_store().locate(entry)


def fetch(name: str) -> Path:
    """Download a file by its registered name if necessary; see ``Store.fetch``."""
    return default_store().fetch(registry.entry(name))


def verify(name: str) -> State:
    """The state of a file by its registered name; see ``Store.verify``."""
    return default_store().verify(registry.entry(name))


def _check_download(entry: Entry, download: Path) -> None:
    size, digest = download.stat().st_size, sha256(download)
    if (size, digest) != (entry.size, entry.sha256):
        raise WeightsError(
            f"The download of {entry.name} from {entry.source} is not the registered file: {size} bytes with SHA-256 "
            f"{digest}, expected {entry.size} bytes with {entry.sha256}. It was deleted. Run the same command again. "
            "If that fails, too, the published file has changed: please report it."
        )


def _remedy(entry: Entry) -> str:
    if isinstance(entry.source, Shipped):
        return "It comes with Kinelift: reinstall it, or record your own with: kinelift weights record"
    return _how_to_fetch(entry.name)


def _how_to_fetch(*names: str) -> str:
    if image := os.environ.get("KINELIFT_IMAGE"):
        volume = f"-v kinelift-weights:{default_store().cache}"
        return (
            f"Fetch them with: docker run --rm {volume} {image} weights fetch {' '.join(names)}, "
            f"and add {volume} to the run that needs them."
        )
    return f"Fetch them with: kinelift weights fetch {' '.join(names)}"
