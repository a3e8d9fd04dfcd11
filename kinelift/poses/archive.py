"""Write npz files, and read untrusted ones: plain arrays, and the pickled dictionaries in which data sets are shared.

No code named in a file is run, and arrays too large for memory are refused before they are decompressed.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from io import BufferedIOBase, BytesIO
from math import prod
from pathlib import Path
from typing import Any, BinaryIO
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile, ZipInfo

import numpy as np
from jaxtyping import Shaped
from numpy.lib import format as npy

from kinelift.poses.errors import DataError
from kinelift.poses.unpickling import array_from_bytes, check_length, unpickle

MAX_ARRAY_BYTES = 2 * 2**30
"""Limit for one array. The known data sets need less than a quarter of it."""
MAX_TOTAL_BYTES = 4 * 2**30
"""Limit for all arrays read at once: 40 hours of one person in a recording."""
MAX_COMPRESSION_RATIO = 20
"""Decompressed bytes per byte of the file. Real data reaches about 3; a zip bomb reaches 1000."""
MAX_MEMBERS = 100_000
"""Limit for the number of arrays. A recording has up to seven for each person."""
SMALL_BYTES = 64 * 2**20
"""Size up to which the compression ratio is not checked. Also the limit for a text."""

_CHUNK = 2**20
"""Bytes that are decompressed at once."""


def read_archive(path: Path, *keys: str) -> dict[str, Any]:
    """Read arrays of numbers, text, or nested dictionaries, lists and tuples from an npz. No code in it is run.

    Args:
        path: The npz.
        keys: The names of the arrays to read.

    Returns:
        The arrays by name, read-only. An array that holds a single object is returned as that object.

    Raises:
        DataError: An array is missing, damaged, too large or of another type. Names the file and the array.
    """
    return _members(path, keys, _read_member)


def read_arrays(path: Path, *keys: str) -> dict[str, Shaped[np.ndarray, "..."]]:
    """Read arrays of plain numbers and text from an npz.

    Args:
        path: The npz.
        keys: The names of the arrays to read.

    Raises:
        DataError: As for ``read_archive``, and for an array of Python objects.
    """
    return _members(path, keys, _read_plain_member)


def read_all_arrays(path: Path) -> dict[str, Shaped[np.ndarray, "..."]]:
    """Read every array of an npz; each must hold plain numbers or text.

    Raises:
        DataError: As for ``read_arrays``.
    """
    return read_arrays(path, *archive_keys(path))


def read_text(path: Path, key: str) -> str:
    """Read the text stored as the array ``key`` of an npz.

    Raises:
        DataError: As for ``read_arrays``, and if the array is not a single text of at most ``SMALL_BYTES``.
    """
    with _opened(path) as archive:
        sizes = [info.file_size for info in archive.infolist() if _key(info) == key]
    if max(sizes, default=0) > SMALL_BYTES:
        raise DataError(f"{path}: {key} claims {max(sizes) / 2**20:.0f} MB; the limit is {SMALL_BYTES / 2**20:.0f} MB.")
    array = read_arrays(path, key)[key]
    if array.shape != () or array.dtype.kind != "U":
        raise DataError(f"{path}: {key} holds {array.dtype} values of shape {array.shape}, expected one text.")
    return str(array)


def write_archive(file: BinaryIO, arrays: Iterable[tuple[str, Shaped[np.ndarray, "..."]]]) -> None:
    """Write arrays by name as ``np.savez_compressed`` does, but one at a time, so that not all must be in memory."""
    with ZipFile(file, "w", ZIP_DEFLATED) as archive:
        for name, array in arrays:
            with archive.open(f"{name}.npy", "w", force_zip64=True) as member:
                npy.write_array(member, array, allow_pickle=False)


def archive_keys(path: Path) -> tuple[str, ...]:
    """List the names of the arrays in an npz.

    Raises:
        DataError: There is no such file, or it is not an npz.
    """
    with _opened(path) as archive:
        return tuple(_key(info) for info in archive.infolist())


def _members(path: Path, keys: tuple[str, ...], read: Callable[[Any, int], Any]) -> dict[str, Any]:
    with _opened(path) as archive:
        members = {_key(info): info for info in archive.infolist()}
        keys = tuple(dict.fromkeys(keys))  # each is read once
        if missing := [key for key in keys if key not in members]:
            raise DataError(
                f"{path} has no {' and no '.join(missing)}. It has: {', '.join(members)[:200] or 'nothing'}. "
                f"Use a file that has them."
            )
        _check_sizes(path, {key: members[key] for key in keys})
        return {key: _member(path, archive, members[key], key, read) for key in keys}


def _check_sizes(path: Path, members: dict[str, ZipInfo]) -> None:
    """Refuse arrays that would not fit into memory, before anything is decompressed."""
    for key, info in members.items():
        if info.file_size > MAX_ARRAY_BYTES:
            raise DataError(
                f"{path}: {key} claims {info.file_size / 2**30:.0f} GB; the limit is {MAX_ARRAY_BYTES / 2**30:.0f} GB."
            )
        if info.compress_type not in (ZIP_STORED, ZIP_DEFLATED):
            raise DataError(f"{path}: {key} is compressed by a method numpy does not use. Write it with numpy.savez.")
    total = sum(info.file_size for info in members.values())
    if total > min(MAX_TOTAL_BYTES, max(SMALL_BYTES, MAX_COMPRESSION_RATIO * path.stat().st_size)):
        largest = max(members, key=lambda key: members[key].file_size)
        raise DataError(
            f"{path}: {largest} and the other arrays claim {total / 2**20:.0f} MB, more than a file of this size can "
            f"hold. Download it again."
        )


def _check_members(members: list[ZipInfo]) -> None:
    """Refuse what ``np.savez`` never writes: an array twice, or arrays without end."""
    if len(members) > MAX_MEMBERS:
        raise DataError(f"it holds {len(members)} arrays; the limit is {MAX_MEMBERS}.")
    keys = [_key(info) for info in members]
    if len(set(keys)) < len(keys):
        twice = next(key for key in keys if keys.count(key) > 1)
        raise DataError(f"it holds the array {twice} twice.")


def _key(info: ZipInfo) -> str:
    return info.filename.removesuffix(".npy")


@contextmanager
def _opened(path: Path) -> Iterator[ZipFile]:
    try:
        with ZipFile(path) as archive:
            _check_members(archive.infolist())
            yield archive
    except FileNotFoundError:
        raise DataError(f"{path} does not exist. Give the path of the data set's npz.") from None
    except DataError as error:
        if str(error).startswith(str(path)):
            raise
        raise DataError(f"{path} cannot be used: {error} Download it again.") from error
    except Exception as error:  # damaged bytes can raise anything
        raise DataError(
            f"{path} is not an npz file, or it is truncated ({error}). Copy or download it again."
        ) from error


def _member(path: Path, archive: ZipFile, info: ZipInfo, key: str, read: Callable[[Any, int], Any]) -> Any:
    try:
        with archive.open(info) as file:
            return read(file, info.file_size)
    except DataError as error:
        raise DataError(f"{path}: {key} {error}") from error
    except Exception as error:  # damaged and hostile bytes can raise anything
        raise DataError(f"{path}: {key} is damaged ({type(error).__name__}: {error}). Download it again.") from error


def _read_member(stream: BufferedIOBase, _: int) -> Any:
    """Read one npy file."""
    file = BytesIO(stream.read())
    dtype, shape, fortran = _npy_header(file)
    if not dtype.hasobject:
        return array_from_bytes(file.read(), dtype, shape, fortran)
    value = unpickle(file)
    return value.item() if isinstance(value, np.ndarray) and value.shape == () else value


def _read_plain_member(file: BufferedIOBase, size: int) -> Shaped[np.ndarray, "..."]:
    """Read one npy file of ``size`` bytes that holds numbers or text, into memory of its own."""
    dtype, shape, fortran = _npy_header(file)
    if dtype.hasobject:
        raise DataError("holds Python objects, expected plain numbers or text.")
    check_length(size - file.tell(), dtype, shape)
    flat = np.empty(prod(shape), dtype)
    view = memoryview(flat.view(np.uint8).data if flat.nbytes else b"")
    filled = 0
    while filled < len(view) and (count := file.readinto(view[filled : filled + _CHUNK])):
        filled += count
    check_length(filled + len(file.read(1)), dtype, shape)  # the last read checks the checksum
    return flat.reshape(shape, order="F" if fortran else "C")


def _npy_header(file: BufferedIOBase) -> tuple[np.dtype, tuple[int, ...], bool]:
    headers = {(1, 0): npy.read_array_header_1_0, (2, 0): npy.read_array_header_2_0}
    version = npy.read_magic(file)
    if version not in headers:
        raise DataError(f"has npy version {version}, used only for arrays with named fields; expected 1.0 or 2.0.")
    shape, fortran, dtype = headers[version](file)
    return dtype, shape, fortran
