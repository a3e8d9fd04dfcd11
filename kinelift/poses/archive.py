"""Reads npz files of strangers: plain arrays, and the pickled dictionaries of arrays in which data sets are shared.

Nothing that a file names is run, and nothing is unpacked that would not fit into memory.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import BufferedIOBase, BytesIO
from pathlib import Path
from typing import Any
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile, ZipInfo

import numpy as np
from jaxtyping import Shaped
from numpy.lib import format as npy

from kinelift.poses.errors import DataError
from kinelift.poses.unpickling import array_of, check_length, unpickle

LARGEST = 2 * 2**30
"""Bytes of one array. The known data sets have less than a quarter of it."""
ALL = 4 * 2**30
"""Bytes of all arrays that are read at once: 40 hours of one person in a recording."""
DENSEST = 100
"""Bytes that one byte of a file may become. Arrays of real numbers pack three into one, a thousand are an attack."""
SMALL = 64 * 2**20
"""Bytes that are read from any file, however densely packed. Text may have as many."""


def read_archive(path: Path, *keys: str) -> dict[str, Any]:
    """The arrays ``keys`` of an npz: of numbers, text, dictionaries, lists, tuples and None, whatever they nest.

    An array that holds a single object comes as that object. Arrays are read-only. Raises ``DataError`` naming the
    file and the key for what is missing, damaged, too large or of another type; nothing in the file is run.
    """
    return _members(path, keys, _read)


def read_arrays(path: Path, *keys: str) -> dict[str, Shaped[np.ndarray, "..."]]:
    """The arrays ``keys`` of an npz that holds plain numbers and text only. Raises ``DataError`` as ``read_archive``
    does, and for an array of objects.
    """
    return _members(path, keys, _read_plain)


def read_text(path: Path, key: str) -> str:
    """The text that the array ``key`` of an npz holds. Raises ``DataError`` as ``read_arrays`` does."""
    with _opened(path) as archive:
        sizes = [info.file_size for info in archive.infolist() if _key(info) == key]
    if max(sizes, default=0) > SMALL:
        raise DataError(f"{path}: {key} claims {max(sizes) / 2**20:.0f} MB; {SMALL / 2**20:.0f} MB is the limit.")
    found = read_arrays(path, key)[key]
    if found.shape != () or found.dtype.kind != "U":
        raise DataError(f"{path}: {key} holds {found.dtype} values of shape {found.shape}, expected one text.")
    return str(found)


def archive_keys(path: Path) -> tuple[str, ...]:
    """The names of the arrays in an npz. Raises ``DataError`` for anything else."""
    with _opened(path) as archive:
        return tuple(_key(info) for info in archive.infolist())


def _members(path: Path, keys: tuple[str, ...], read: Callable[[Any, int], Any]) -> dict[str, Any]:
    with _opened(path) as archive:
        members = {_key(info): info for info in archive.infolist()}
        if missing := [key for key in keys if key not in members]:
            raise DataError(
                f"{path} has no {' and no '.join(missing)}. It has: {', '.join(members)[:200] or 'nothing'}. "
                f"Give a file that has them."
            )
        _check_sizes(path, {key: members[key] for key in keys})
        return {key: _member(path, archive, members[key], key, read) for key in keys}


def _check_sizes(path: Path, members: dict[str, ZipInfo]) -> None:
    """Raises ``DataError`` for what would not fit into memory, before anything is unpacked."""
    for key, info in members.items():
        if info.file_size > LARGEST:
            raise DataError(
                f"{path}: {key} claims {info.file_size / 2**30:.0f} GB; {LARGEST / 2**30:.0f} GB is the limit."
            )
        if info.compress_type not in (ZIP_STORED, ZIP_DEFLATED):
            raise DataError(f"{path}: {key} is packed in a way that numpy does not use. Write it with numpy.savez.")
    total = sum(info.file_size for info in members.values())
    if total > min(ALL, max(SMALL, DENSEST * path.stat().st_size)):
        largest = max(members, key=lambda key: members[key].file_size)
        raise DataError(
            f"{path}: {largest} and the other arrays claim {total / 2**20:.0f} MB, more than a file of its size holds. "
            f"Get it anew."
        )


def _key(info: ZipInfo) -> str:
    return info.filename.removesuffix(".npy")


@contextmanager
def _opened(path: Path) -> Iterator[ZipFile]:
    try:
        with ZipFile(path) as archive:
            yield archive
    except FileNotFoundError:
        raise DataError(f"There is no file {path}. Give the npz of the data set.") from None
    except DataError:
        raise
    except Exception as error:  # damaged bytes can raise anything
        raise DataError(f"{path} is not an npz file, or it is cut off ({error}). Get it anew.") from error


def _member(path: Path, archive: ZipFile, info: ZipInfo, key: str, read: Callable[[Any, int], Any]) -> Any:
    try:
        with archive.open(info) as file:
            return read(file, info.file_size)
    except DataError as error:
        raise DataError(f"{path}: {key} {error}") from error
    except Exception as error:  # damaged and hostile bytes can raise anything
        raise DataError(f"{path}: {key} is damaged ({type(error).__name__}: {error}). Get it anew.") from error


def _read(stream: BufferedIOBase, _: int) -> Any:
    """One npy file."""
    file = BytesIO(stream.read())
    dtype, shape, fortran = _npy_header(file)
    if not dtype.hasobject:
        return array_of(file.read(), dtype, shape, fortran)
    found = unpickle(file)
    return found.item() if isinstance(found, np.ndarray) and found.shape == () else found


def _read_plain(file: BufferedIOBase, size: int) -> Shaped[np.ndarray, "..."]:
    """One npy file of ``size`` bytes that holds numbers or text, as an array of its own memory."""
    dtype, shape, fortran = _npy_header(file)
    if dtype.hasobject:
        raise DataError("holds Python objects, expected plain numbers or text.")
    check_length(size - file.tell(), dtype, shape)
    return array_of(file.read(), dtype, shape, fortran).copy()


def _npy_header(file: BufferedIOBase) -> tuple[np.dtype, tuple[int, ...], bool]:
    headers = {(1, 0): npy.read_array_header_1_0, (2, 0): npy.read_array_header_2_0}
    version = npy.read_magic(file)
    if version not in headers:
        raise DataError(f"has version {version} of the npy format, which only arrays with named fields need.")
    shape, fortran, dtype = headers[version](file)
    return dtype, shape, fortran
