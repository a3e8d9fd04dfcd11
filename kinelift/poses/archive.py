"""Reads npz files of pickled dictionaries of arrays, as data sets are often shared, without running their code."""

from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import Any
from zipfile import ZipFile, ZipInfo

import numpy as np
from numpy.lib import format as npy

from kinelift.poses.errors import DataError
from kinelift.poses.unpickling import array_of, unpickle

LARGEST = 2 * 2**30
"""Bytes of one array. The known data sets have less than a quarter of it."""


def read_archive(path: Path, *keys: str) -> dict[str, Any]:
    """The arrays ``keys`` of an npz: of numbers, text, dictionaries, lists, tuples and None, whatever they nest.

    An array that holds a single object comes as that object. Arrays are read-only. Raises ``DataError`` naming the
    file and the key for what is missing, damaged, too large or of another type; nothing in the file is run.
    """
    with _opened(path) as archive:
        members = {_key(info): info for info in archive.infolist()}
        if missing := [key for key in keys if key not in members]:
            raise DataError(
                f"{path} has no {' and no '.join(missing)}. It has: {', '.join(members) or 'nothing'}. "
                f"Give a file that has them."
            )
        return {key: _member(path, archive, members[key], key) for key in keys}


def archive_keys(path: Path) -> tuple[str, ...]:
    """The names of the arrays in an npz. Raises ``DataError`` for anything else."""
    with _opened(path) as archive:
        return tuple(_key(info) for info in archive.infolist())


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
        raise DataError(f"{path} is not an npz file, or it is cut off ({error}). Download it again.") from error


def _member(path: Path, archive: ZipFile, info: ZipInfo, key: str) -> Any:
    if info.file_size > LARGEST:
        raise DataError(f"{path}: {key} claims {info.file_size / 2**30:.0f} GB; {LARGEST / 2**30:.0f} GB is the limit.")
    try:
        return _read(BytesIO(archive.read(info)))
    except DataError as error:
        raise DataError(f"{path}: {key} {error}") from error
    except Exception as error:  # damaged and hostile bytes can raise anything
        raise DataError(f"{path}: {key} is damaged ({type(error).__name__}: {error}). Download it again.") from error


def _read(file: BytesIO) -> Any:
    """One npy file."""
    headers = {(1, 0): npy.read_array_header_1_0, (2, 0): npy.read_array_header_2_0}
    version = npy.read_magic(file)
    if version not in headers:
        raise DataError(f"has version {version} of the npy format, which only arrays with named fields need.")
    shape, fortran, dtype = headers[version](file)
    if not dtype.hasobject:
        return array_of(file.read(), dtype, shape, fortran)
    found = unpickle(file)
    return found.item() if isinstance(found, np.ndarray) and found.shape == () else found
