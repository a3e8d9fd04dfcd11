"""Reads pickles of strangers without running what they name.

A pickle names functions for its reader to call. The names that arrays, dictionaries, lists, text and numbers need
stand here for something of this file, which checks what it is given; any other name is refused.
"""

import pickle
from collections.abc import Callable
from io import BufferedIOBase
from math import prod
from typing import Any

import numpy as np
from jaxtyping import Shaped

from kinelift.poses.errors import DataError

DEEPEST = 16
"""Levels of dictionaries, lists and arrays inside one another. The known data sets have four."""


def unpickle(file: BufferedIOBase) -> Any:
    """The dictionaries, lists, tuples, arrays, text, numbers and None that a pickle holds. Arrays are read-only.

    Raises ``DataError`` for a pickle that names or holds anything else. Damaged bytes can raise any exception.
    """
    return _plain(_Unpickler(file, encoding="latin1").load(), {})


def array_of(
    content: bytes | bytearray, dtype: np.dtype, shape: tuple[int, ...], fortran: bool
) -> Shaped[np.ndarray, "..."]:
    """A read-only array of numbers or text from its bytes.

    Raises ``DataError`` for a type that holds anything else, and for the wrong number of bytes.
    """
    check_length(len(content), dtype, shape)
    return np.frombuffer(bytes(content), dtype).reshape(shape, order="F" if fortran else "C")


def check_length(length: int, dtype: np.dtype, shape: tuple[int, ...]) -> None:
    """Raises ``DataError`` unless ``length`` bytes make an array of this type and shape."""
    if length != prod(shape) * _checked(dtype).itemsize:
        raise DataError(f"has {length} bytes for an array of shape {shape} and type {dtype}. Get it anew.")


class _Unpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        """What stands for a name: an object of its own each time, so that a pickle cannot change the next one's."""
        known: dict[str, Callable[..., Any]] = {
            "numpy.ndarray": _Array,
            "numpy.dtype": _Type,
            "numpy.core.multiarray._reconstruct": _Array,
            "numpy.core.multiarray.scalar": _scalar,
            "numpy.core.numeric._frombuffer": _from_buffer,
            "collections.OrderedDict": dict,
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
        self.array = (_objects if dtype.hasobject else array_of)(_latin1(content), dtype, shape, fortran)


def _scalar(kind: _Type, content: bytes | str) -> Any:
    return array_of(_latin1(content), kind.dtype, (1,), False)[0]


def _from_buffer(content: bytes | bytearray, kind: _Type, shape: tuple[int, ...], order: str) -> _Array:
    found = _Array()
    found.array = array_of(content, kind.dtype, shape, order == "F")
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
