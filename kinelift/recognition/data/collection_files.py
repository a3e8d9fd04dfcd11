"""Files of a public data set, in a folder or in the tar archive that it comes in."""

import lzma
import re
import tarfile
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath

from kinelift.poses.errors import DataError

MAX_SIZE = 64 * 2**20
"""Bytes of one file; the known data sets stay far below."""


def members(path: Path, pattern: re.Pattern[str]) -> Mapping[str, bytes]:
    """Read all files whose name matches a pattern.

    Args:
        path: A folder or a tar archive; sub-folders are searched too.
        pattern: Must match the whole file name.

    Returns:
        Contents by file name, sorted.

    Raises:
        DataError: ``path`` is neither a folder nor a readable tar archive, or has two files of one name.
    """
    contents: dict[str, bytes] = {}
    try:
        for name, content in _folder(path, pattern) if path.is_dir() else _archive(path, pattern):
            if name in contents:
                raise DataError(f"{path} has two files called {name}. Name the folder that holds the right one.")
            contents[name] = content
    except FileNotFoundError:
        raise DataError(f"There is no {path}. Name the folder or the tar archive of the data set.") from None
    except (OSError, EOFError, tarfile.TarError, lzma.LZMAError, zlib.error) as error:
        raise DataError(
            f"{path} is not a tar archive, or it is damaged ({error}). Name a folder, or download it again."
        ) from error
    return dict(sorted(contents.items()))


def _folder(path: Path, pattern: re.Pattern[str]) -> Iterator[tuple[str, bytes]]:
    for file in sorted(path.rglob("*")):
        if pattern.fullmatch(file.name) and file.is_file():
            _check_size(file.name, file.stat().st_size)
            yield file.name, file.read_bytes()


def _archive(path: Path, pattern: re.Pattern[str]) -> Iterator[tuple[str, bytes]]:
    with tarfile.open(path) as archive:
        for member in archive:
            name = PurePosixPath(member.name).name
            if pattern.fullmatch(name) and member.isfile():
                _check_size(name, member.size)
                content = archive.extractfile(member)
                assert content is not None
                yield name, content.read()


def _check_size(name: str, size: int) -> None:
    if size > MAX_SIZE:
        raise DataError(f"{name} has {size / 2**20:.0f} MB, more than any file of the data set. Download it again.")
