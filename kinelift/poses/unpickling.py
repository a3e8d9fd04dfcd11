"""Read untrusted pickles without running the code they name.

A pickle names functions for its reader to call. Those needed for arrays, dictionaries, lists, text and numbers are
replaced by functions of this module, which check their arguments. Any other name is refused.
"""

import pickle
from collections.abc import Callable
from io import BufferedIOBase
from math import prod
from typing import Any

import numpy as np
from jaxtyping import Shaped

from kinelift.poses.errors import DataError

MAX_DEPTH = 16
"""Nesting levels of dictionaries, lists and arrays. The known data sets have four."""


def unpickle(file: BufferedIOBase) -> Any:
    """Read dictionaries, lists, tuples, read-only arrays, text, numbers and None from a pickle.

    Raises:
        DataError: The pickle names or holds anything else.
        Exception: The bytes are damaged; they can raise any exception.
    """
    return _plain(_Unpickler(file, encoding="latin1").load(), {})


def array_from_bytes(
    content: bytes | bytearray, dtype: np.dtype, shape: tuple[int, ...], fortran: bool
) -> Shaped[np.ndarray, "..."]:
    """A read-only array of numbers or text from its bytes.

    Raises:
        DataError: ``dtype`` is neither numbers nor text, or the number of bytes does not fit the shape.
    """
    check_length(len(content), dtype, shape)
    return np.frombuffer(bytes(content), dtype).reshape(shape, order="F" if fortran else "C")


def check_length(length: int, dtype: np.dtype, shape: tuple[int, ...]) -> None:
    """Check that ``length`` bytes make an array of this type and shape.

    Raises:
        DataError: They do not.
    """
    if length != prod(shape) * _checked(dtype).itemsize:
        raise DataError(f"has {length} bytes for an array of shape {shape} and type {dtype}. Download it again.")


class _Unpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        """The replacement for a name: a new object each time, so that a pickle cannot alter it for the next."""
        replacements: dict[str, Callable[..., Any]] = {
            "numpy.ndarray": _Array,
            "numpy.dtype": _Type,
            "numpy.core.multiarray._reconstruct": _Array,
            "numpy.core.multiarray.scalar": _scalar,
            "numpy.core.numeric._frombuffer": _from_buffer,
            "collections.OrderedDict": dict,
            "_codecs.encode": _latin1,
            "__builtin__.bytes": _empty_bytes,
            "builtins.bytes": _empty_bytes,
        }
        full = f"{module}.{name}".replace("numpy._core.", "numpy.core.")
        if full not in replacements:
            raise DataError(f"would run {module}.{name} if opened normally; it was not run. Do not use this file.")
        return _Call(replacements[full])


class _Call:
    __slots__ = ("_replacement",)

    def __init__(self, replacement: Callable[..., Any]) -> None:
        self._replacement = replacement

    def __call__(self, *arguments: Any) -> Any:
        return self._replacement(*arguments)


class _Type:
    """Replaces a dtype of numbers, text or objects; its state sets the byte order."""

    __slots__ = ("dtype",)

    def __init__(self, code: str, *_: Any) -> None:
        self.dtype = _checked(np.dtype(str(code)))

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        if state[1] in ("<", ">"):
            self.dtype = self.dtype.newbyteorder(state[1])


class _Array:
    """Replaces an array; its state sets shape, type and content."""

    __slots__ = ("array",)

    def __init__(self, *_: Any) -> None:
        self.array = np.empty(0)

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        _, shape, kind, fortran, content = state
        dtype = kind.dtype
        make = _object_array if dtype.hasobject else array_from_bytes
        self.array = make(_latin1(content), dtype, shape, fortran)


def _scalar(kind: _Type, content: bytes | str) -> Any:
    return array_from_bytes(_latin1(content), kind.dtype, (1,), False)[0]


def _from_buffer(content: bytes | bytearray, kind: _Type, shape: tuple[int, ...], order: str) -> _Array:
    replacement = _Array()
    replacement.array = array_from_bytes(content, kind.dtype, shape, order == "F")
    return replacement


def _latin1(content: Any, *_: str) -> Any:
    """Python 2 pickles hold bytes as text, one character per byte."""
    return content.encode("latin1") if isinstance(content, str) else content


def _empty_bytes() -> bytes:
    """Python 2 pickles call ``bytes`` to make an empty byte string."""
    return b""


def _checked(dtype: np.dtype) -> np.dtype:
    if dtype.kind not in "biufSUO":
        raise DataError(f"holds values of type {dtype}; expected numbers, text or objects.")
    return dtype


def _object_array(
    content: list[Any], dtype: np.dtype, shape: tuple[int, ...], fortran: bool
) -> Shaped[np.ndarray, "..."]:
    array = np.empty(len(content), dtype)
    for k, item in enumerate(content):
        array[k] = item
    return array.reshape(shape, order="F" if fortran else "C")


def _plain(value: Any, converted: dict[int, Any], level: int = 0) -> Any:
    """``value`` without replacements. ``converted`` holds the result for each object, by identity."""
    if level > MAX_DEPTH:
        raise DataError(f"is nested more than {MAX_DEPTH} levels deep, more than any known data set.")
    if id(value) not in converted:
        converted[id(value)] = _convert(value, lambda item: _plain(item, converted, level + 1))
    return converted[id(value)]


def _convert(value: Any, inner: Callable[[Any], Any]) -> Any:
    match value:
        case dict():
            return {inner(key): inner(item) for key, item in value.items()}
        case list():
            return [inner(item) for item in value]
        case tuple():
            return tuple(inner(item) for item in value)
        case _Array() if value.array.dtype.hasobject:
            flat = [inner(item) for item in value.array.ravel()]
            return _object_array(flat, value.array.dtype, value.array.shape, False)
        case _Array():
            return value.array
        case None | str() | bytes() | bool() | int() | float() | np.generic():
            return value
    raise DataError(f"holds a {type(value).__name__}; expected dictionaries, lists, arrays, text and numbers.")
