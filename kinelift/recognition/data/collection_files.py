"""Files of a collection, be it a folder or the tar archive in which it came."""

import lzma
import re
import tarfile
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath

from kinelift.poses.errors import DataError

LARGEST = 64 * 2**20
"""Bytes of one file; the known collections stay far below."""


def members(path: Path, wanted: re.Pattern[str]) -> Mapping[str, bytes]:
    """Contents of all files under ``path`` whose name matches ``wanted`` as a whole, by that name, sorted.

    Raises ``DataError`` if ``path`` is neither a folder nor a readable tar archive, or has a file of that name twice.
    """
    found: dict[str, bytes] = {}
    try:
        for name, content in _folder(path, wanted) if path.is_dir() else _archive(path, wanted):
            if name in found:
                raise DataError(f"{path} has two files {name}. Name the folder that holds the right ones.")
            found[name] = content
    except FileNotFoundError:
        raise DataError(f"There is no {path}. Name the folder or the tar archive of the collection.") from None
    except (OSError, EOFError, tarfile.TarError, lzma.LZMAError, zlib.error) as error:
        raise DataError(
            f"{path} is no tar archive, or it is damaged ({error}). Name a folder, or download it again."
        ) from error
    return dict(sorted(found.items()))


def _folder(path: Path, wanted: re.Pattern[str]) -> Iterator[tuple[str, bytes]]:
    for file in sorted(path.rglob("*")):
        if wanted.fullmatch(file.name) and file.is_file():
            _check_size(file.name, file.stat().st_size)
            yield file.name, file.read_bytes()


def _archive(path: Path, wanted: re.Pattern[str]) -> Iterator[tuple[str, bytes]]:
    with tarfile.open(path) as archive:
        for member in archive:
            name = PurePosixPath(member.name).name
            if wanted.fullmatch(name) and member.isfile():
                _check_size(name, member.size)
                content = archive.extractfile(member)
                assert content is not None
                yield name, content.read()


def _check_size(name: str, size: int) -> None:
    if size > LARGEST:
        raise DataError(f"{name} has {size / 2**20:.0f} MB, which no file of the collection has. Download it again.")
