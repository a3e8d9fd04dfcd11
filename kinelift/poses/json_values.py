"""JSON text and dataclasses as JSON values, read strictly: every error names the field.

A field that is left out has its default, so that what an earlier version wrote can still be read. A field that the
dataclass does not have is an error, not something to ignore.
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

_DIGITS = 18
"""Of whole numbers: longer ones do not fit the integers of numpy."""
_NAMES = {
    str: "text",
    int: "a whole number",
    float: "a number",
    bool: "true or false",
    Path: "a path",
    NoneType: "null",
}


def parse(text: str | bytes, name: str) -> Any:
    """The value of a JSON text, without NaN, infinity, endless integers and text that is not Unicode.

    Raises ``DataError`` that begins with ``name`` for any other text.
    """
    try:
        found = json.loads(text, parse_int=_whole, parse_float=_finite, parse_constant=_constant)
        json.dumps(found, ensure_ascii=False).encode()  # half a surrogate pair is not Unicode
    except (ValueError, RecursionError) as error:
        raise DataError(f"{name} is not JSON, or it is damaged ({str(error)[:200]}).") from error
    return found


def to_json(value: Any) -> Any:
    """A dataclass, and what it is made of, as values that ``json.dumps`` takes; ``from_json`` is the inverse."""
    if is_dataclass(value):
        return {field.name: to_json(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, tuple | list):
        return [to_json(one) for one in value]
    if isinstance(value, Mapping):
        return {key: to_json(one) for key, one in value.items()}
    return str(value) if isinstance(value, Path) else value


def from_json(kind: Any, found: Any, name: str) -> Any:
    """``found``, a parsed JSON value, as ``kind``.

    Args:
        kind: A dataclass, ``str``, ``int``, ``float``, ``bool``, ``Path``, ``Any``, or a ``Literal``, union, tuple or
            string-keyed mapping of these.
        found: What ``parse`` returned.
        name: What to call the value in errors, for example "settings"; its fields are then "settings.fit" and so on.

    Raises:
        DataError: ``found`` has another type, lacks a field, or has one that ``kind`` does not have.
        KineliftError: The dataclass itself refuses the values.
    """
    arguments = get_args(kind)
    if is_dataclass(kind):
        return _dataclass(kind, found, name)
    match get_origin(kind) or kind:
        case origin if origin is Union or origin is UnionType:
            return _union(arguments, found, name)
        case origin if origin is Literal:
            return found if found in arguments and type(found) is not bool else _refuse(found, name, arguments)
        case origin if origin is tuple:
            return _tuple(arguments, found, name)
        case origin if isinstance(origin, type) and issubclass(origin, Mapping):
            return _mapping(arguments, found, name)
    return _single(kind, found, name)


def _mapping(arguments: tuple[Any, ...], found: Any, name: str) -> dict[str, Any]:
    if not isinstance(found, dict):
        _refuse(found, name, "an object")
    return {key: from_json(arguments[1], one, f"{name}.{key}") for key, one in found.items()}


def _single(kind: Any, found: Any, name: str) -> Any:
    if kind is Any or type(found) is kind:
        return found
    if kind is float and type(found) is int:
        return float(found)
    if kind is Path and type(found) is str:
        return Path(found)
    return _refuse(found, name, _NAMES[kind])


def _dataclass(kind: Any, found: Any, name: str) -> Any:
    if not isinstance(found, dict):
        _refuse(found, name, "an object")
    known = {field.name: field for field in fields(kind) if field.init}
    inside = f"{name}." if name else ""
    if unknown := [f"{inside}{key}" for key in found if key not in known]:
        raise DataError(f"{unknown[0][:80]} is not a known field. Known: {', '.join(known)}.")
    if missing := [f"{inside}{key}" for key, field in known.items() if key not in found and _needed(field)]:
        raise DataError(f"{missing[0]} is missing.")
    types = get_type_hints(kind)
    values = {key: from_json(types[key], one, f"{inside}{key}") for key, one in found.items()}
    try:
        return kind(**values)
    except KineliftError as error:
        raise type(error)(f"{name}: {error}" if name else str(error)) from error


def _needed(field: Field[Any]) -> bool:
    return field.default is MISSING and field.default_factory is MISSING


def _union(kinds: tuple[Any, ...], found: Any, name: str) -> Any:
    """The first of ``kinds`` that ``found`` is. Where it is none, the error is that of the last."""
    if found is None and NoneType in kinds:
        return None
    *others, last = [kind for kind in kinds if kind is not NoneType]
    for kind in others:
        try:
            return from_json(kind, found, name)
        except DataError:
            continue
    return from_json(last, found, name)


def _tuple(kinds: tuple[Any, ...], found: Any, name: str) -> tuple[Any, ...]:
    if not isinstance(found, list):
        _refuse(found, name, "a list")
    if kinds[-1] is Ellipsis:
        kinds = (kinds[0],) * len(found)
    if len(found) != len(kinds):
        _refuse(found, name, f"a list of {len(kinds)}")
    pairs = enumerate(zip(kinds, found, strict=True))
    return tuple(from_json(kind, one, f"{name}[{place}]") for place, (kind, one) in pairs)


def _refuse(found: Any, name: str, expected: object) -> NoReturn:
    wanted = " or ".join(map(repr, expected)) if isinstance(expected, tuple) else expected
    raise DataError(f"{name or 'it'} is {shortened(found)}, expected {wanted}.")


def _whole(text: str) -> int:
    if len(text) > _DIGITS:
        raise ValueError(f"a whole number of {len(text)} digits")
    return int(text)


def _finite(text: str) -> float:
    if not isfinite(number := float(text)):
        raise ValueError(f"{text} is too large a number")
    return number


def _constant(text: str) -> NoReturn:
    raise ValueError(f"{text} is no number")
