"""Convert dataclasses to JSON values and back. Reading is strict, and every error names the field.

A missing field takes its default, so that values written by an earlier version can still be read. A field that the
dataclass does not have is an error.
"""

import json
from collections.abc import Mapping
from dataclasses import MISSING, Field, fields, is_dataclass
from math import isfinite
from pathlib import Path
from reprlib import repr as shortened
from types import NoneType, UnionType
from typing import Any, Literal, NoReturn, Union, get_args, get_origin, get_type_hints

from kinelift.poses.errors import DataError, KineliftError

_MAX_DIGITS = 18
"""Longer integers are damage, and do not fit numpy's."""
_NAMES = {
    str: "text",
    int: "a whole number",
    float: "a number",
    bool: "true or false",
    Path: "a path",
    NoneType: "null",
}


def parse(text: str | bytes, name: str) -> Any:
    """Parse JSON text, refusing NaN, infinity, integers of more than 18 digits and invalid Unicode.

    Args:
        text: The JSON.
        name: How errors refer to it; messages begin with it.

    Raises:
        DataError: ``text`` is not such JSON.
    """
    try:
        value = json.loads(text, parse_int=integer, parse_float=_finite, parse_constant=_constant)
        json.dumps(value, ensure_ascii=False).encode()  # half a surrogate pair is not Unicode
    except (ValueError, RecursionError) as error:
        raise DataError(f"{name} is not JSON, or it is damaged ({str(error)[:200]}).") from error
    return value


def to_json(value: Any) -> Any:
    """Convert a dataclass and its fields to values that ``json.dumps`` takes; ``from_json`` is the inverse."""
    if is_dataclass(value):
        return {field.name: to_json(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, tuple | list):
        return [to_json(item) for item in value]
    if isinstance(value, Mapping):
        return {key: to_json(item) for key, item in value.items()}
    return str(value) if isinstance(value, Path) else value


def integer(text: str) -> int:
    """Parse an integer of at most 18 digits; ``parse_int`` of ``json.loads``.

    Raises:
        ValueError: It is longer.
    """
    if len(text) > _MAX_DIGITS:
        raise ValueError(f"an integer of {len(text)} digits")
    return int(text)


def storable(text: str) -> str:
    """Replace bytes of a file name that are not UTF-8, which JSON cannot hold, with escapes."""
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def from_json(kind: Any, value: Any, name: str) -> Any:
    """Convert a parsed JSON value to ``kind``.

    Args:
        kind: A dataclass, ``str``, ``int``, ``float``, ``bool``, ``Path``, ``Any``, or a ``Literal``, union, tuple or
            string-keyed mapping of these.
        value: The value that ``parse`` returned.
        name: How errors refer to it, for example "settings"; its fields are then "settings.fit" and so on.

    Raises:
        DataError: ``value`` has another type, lacks a field, or has one that ``kind`` does not have.
        KineliftError: The dataclass itself refuses the values.
    """
    arguments = get_args(kind)
    if is_dataclass(kind):
        return _dataclass(kind, value, name)
    match get_origin(kind) or kind:
        case origin if origin is Union or origin is UnionType:
            return _union(arguments, value, name)
        case origin if origin is Literal:
            return value if value in arguments and type(value) is not bool else _refuse(value, name, arguments)
        case origin if origin is tuple:
            return _tuple(arguments, value, name)
        case origin if isinstance(origin, type) and issubclass(origin, Mapping):
            return _mapping(arguments, value, name)
    return _single(kind, value, name)


def _mapping(arguments: tuple[Any, ...], value: Any, name: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        _refuse(value, name, "an object")
    return {key: from_json(arguments[1], item, f"{name}.{key}") for key, item in value.items()}


def _single(kind: Any, value: Any, name: str) -> Any:
    if kind is Any or type(value) is kind:
        return value
    if kind is float and type(value) is int:
        return float(value)
    if kind is Path and type(value) is str:
        return Path(value)
    return _refuse(value, name, _NAMES[kind])


def _dataclass(kind: Any, value: Any, name: str) -> Any:
    if not isinstance(value, dict):
        _refuse(value, name, "an object")
    known = {field.name: field for field in fields(kind) if field.init}
    inside = f"{name}." if name else ""
    if unknown := [f"{inside}{key}" for key in value if key not in known]:
        raise DataError(f"{unknown[0][:80]} is not a known field. Known: {', '.join(known)}.")
    if missing := [f"{inside}{key}" for key, field in known.items() if key not in value and _needed(field)]:
        raise DataError(f"{missing[0]} is missing.")
    types = get_type_hints(kind)
    values = {key: from_json(types[key], item, f"{inside}{key}") for key, item in value.items()}
    try:
        return kind(**values)
    except KineliftError as error:
        raise type(error)(f"{name}: {error}" if name else str(error)) from error


def _needed(field: Field[Any]) -> bool:
    return field.default is MISSING and field.default_factory is MISSING


def _union(kinds: tuple[Any, ...], value: Any, name: str) -> Any:
    """``value`` as the first of ``kinds`` that it fits."""
    if value is None and NoneType in kinds:
        return None
    others = [kind for kind in kinds if kind is not NoneType]
    if len(others) == 1:
        return from_json(others[0], value, name)
    for kind in others:
        try:
            return from_json(kind, value, name)
        except DataError:
            continue
    return _refuse(value, name, " or ".join(_NAMES.get(kind, str(kind)) for kind in others))


def _tuple(kinds: tuple[Any, ...], value: Any, name: str) -> tuple[Any, ...]:
    if not isinstance(value, list):
        _refuse(value, name, "a list")
    if kinds[-1] is Ellipsis:
        kinds = (kinds[0],) * len(value)
    if len(value) != len(kinds):
        _refuse(value, name, f"a list of {len(kinds)}")
    pairs = enumerate(zip(kinds, value, strict=True))
    return tuple(from_json(kind, item, f"{name}[{place}]") for place, (kind, item) in pairs)


def _refuse(value: Any, name: str, expected: object) -> NoReturn:
    description = " or ".join(map(repr, expected)) if isinstance(expected, tuple) else expected
    raise DataError(f"{name or 'it'} is {shortened(value)}, expected {description}.")


def _finite(text: str) -> float:
    if not isfinite(number := float(text)):
        raise ValueError(f"{text} is too large")
    return number


def _constant(text: str) -> NoReturn:
    raise ValueError(f"{text} is not a number")
