"""Reads npz files of strangers: plain arrays, and the pickled dictionaries of arrays in which data sets are shared.

Nothing that a file names is run, and nothing is unpacked that would not fit into memory.

A pickle names functions for its reader to call. The names that arrays, dictionaries, lists, text and numbers need
stand here for something of this file, which checks what it is given; any other name is refused.
"""

import pickle
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import BufferedIOBase, BytesIO
from math import prod
from pathlib import Path
from typing import Any
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile, ZipInfo

import numpy as np
from jaxtyping import Shaped
from numpy.lib import format as npy

from kinelift.poses.errors import DataError

LARGEST = 2 * 2**30
"""Bytes of one array. The known data sets have less than a quarter of it."""
ALL = 4 * 2**30
"""Bytes of all arrays that are read at once: 40 hours of one person in a recording."""
DENSEST = 100
"""Bytes that one byte of a file may become. Arrays of real numbers pack three into one, a thousand are an attack."""
SMALL = 64 * 2**20
"""Bytes that are read from any file, however densely packed. Text may have as many."""
DEEPEST = 16
"""Levels of dictionaries, lists and arrays inside one another. The known data sets have four."""


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
        return _numbers(file.read(), dtype, shape, fortran)
    found = _plain(_Unpickler(file, encoding="latin1").load(), {})
    return found.item() if isinstance(found, np.ndarray) and found.shape == () else found


def _read_plain(file: BufferedIOBase, size: int) -> Shaped[np.ndarray, "..."]:
    """One npy file of ``size`` bytes that holds numbers or text, as an array of its own memory."""
    dtype, shape, fortran = _npy_header(file)
    if dtype.hasobject:
        raise DataError("holds Python objects, expected plain numbers or text.")
    _check_length(size - file.tell(), dtype, shape)
    return _numbers(file.read(), dtype, shape, fortran).copy()


def _npy_header(file: BufferedIOBase) -> tuple[np.dtype, tuple[int, ...], bool]:
    headers = {(1, 0): npy.read_array_header_1_0, (2, 0): npy.read_array_header_2_0}
    version = npy.read_magic(file)
    if version not in headers:
        raise DataError(f"has version {version} of the npy format, which only arrays with named fields need.")
    shape, fortran, dtype = headers[version](file)
    return dtype, shape, fortran


class _Unpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        """What stands for a name: an object of its own each time, so that a pickle cannot change the next one's."""
        known: dict[str, Callable[..., Any]] = {
            "numpy.ndarray": _Array,
            "numpy.dtype": _Type,
            "numpy.core.multiarray._reconstruct": _Array,
            "numpy.core.multiarray.scalar": _scalar,
            "numpy.core.numeric._frombuffer": _from_buffer,
            "_codecs.encode": _latin1,
            "__builtin__.bytes": _nothing,
            "builtins.bytes": _nothing,
        }
        full = f"{module}.{name}".replace("numpy._core.", "numpy.core.")
        if full not in known:
            raise DataError(f"would run {module}.{name} if it were opened as usual; it was not. Do not use this file.")
        return _Call(known[full])


class _Call:
    __slots__ = ("_stand_in",)

    def __init__(self, stand_in: Callable[..., Any]) -> None:
        self._stand_in = stand_in

    def __call__(self, *arguments: Any) -> Any:
        return self._stand_in(*arguments)


class _Type:
    """Stands for a dtype: numbers, text or objects; the byte order comes as its state."""

    __slots__ = ("dtype",)

    def __init__(self, code: str, *_: Any) -> None:
        self.dtype = _checked(np.dtype(str(code)))

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        if state[1] in ("<", ">"):
            self.dtype = self.dtype.newbyteorder(state[1])


class _Array:
    """Stands for an array: shape, type and content come as its state."""

    __slots__ = ("array",)

    def __init__(self, *_: Any) -> None:
        self.array = np.empty(0)

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        _, shape, kind, fortran, content = state
        dtype = kind.dtype
        self.array = (_objects if dtype.hasobject else _numbers)(_latin1(content), dtype, shape, fortran)


def _scalar(kind: _Type, content: bytes | str) -> Any:
    return _numbers(_latin1(content), kind.dtype, (1,), False)[0]


def _from_buffer(content: bytes | bytearray, kind: _Type, shape: tuple[int, ...], order: str) -> _Array:
    found = _Array()
    found.array = _numbers(content, kind.dtype, shape, order == "F")
    return found


def _latin1(content: Any, *_: str) -> Any:
    """Old pickles hold bytes as text, one character a byte."""
    return content.encode("latin1") if isinstance(content, str) else content


def _nothing() -> bytes:
    """Old pickles call ``bytes`` for no bytes."""
    return b""


def _checked(dtype: np.dtype) -> np.dtype:
    if dtype.kind not in "biufSUO":
        raise DataError(f"holds values of type {dtype}; expected numbers, text or objects.")
    return dtype


def _numbers(
    content: bytes | bytearray, dtype: np.dtype, shape: tuple[int, ...], fortran: bool
) -> Shaped[np.ndarray, "..."]:
    _check_length(len(content), dtype, shape)
    return np.frombuffer(bytes(content), dtype).reshape(shape, order="F" if fortran else "C")


def _check_length(length: int, dtype: np.dtype, shape: tuple[int, ...]) -> None:
    if length != prod(shape) * _checked(dtype).itemsize:
        raise DataError(f"has {length} bytes for an array of shape {shape} and type {dtype}. Get it anew.")


def _objects(content: list[Any], dtype: np.dtype, shape: tuple[int, ...], fortran: bool) -> Shaped[np.ndarray, "..."]:
    found = np.empty(len(content), dtype)
    for k, one in enumerate(content):
        found[k] = one
    return found.reshape(shape, order="F" if fortran else "C")


def _plain(found: Any, done: dict[int, Any], level: int = 0) -> Any:
    """``found`` without stand-ins. ``done``: what was found for an object that occurs several times, by identity."""
    if level > DEEPEST:
        raise DataError(f"is nested more than {DEEPEST} levels deep, more than any known data set.")
    if id(found) not in done:
        done[id(found)] = _converted(found, lambda one: _plain(one, done, level + 1))
    return done[id(found)]


def _converted(found: Any, inner: Callable[[Any], Any]) -> Any:
    match found:
        case dict():
            return {inner(key): inner(value) for key, value in found.items()}
        case list():
            return [inner(one) for one in found]
        case tuple():
            return tuple(inner(one) for one in found)
        case _Array() if found.array.dtype.hasobject:
            flat = [inner(one) for one in found.array.ravel()]
            return _objects(flat, found.array.dtype, found.array.shape, False)
        case _Array():
            return found.array
        case None | str() | bytes() | bool() | int() | float() | np.generic():
            return found
    raise DataError(f"holds a {type(found).__name__}; expected dictionaries, lists, arrays, text and numbers.")
