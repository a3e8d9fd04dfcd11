"""The options of a detector: fields of a dataclass that become flags of the command line."""

import types
from collections.abc import Mapping
from dataclasses import MISSING, Field, field, fields
from pathlib import Path
from typing import Any, TypeVar, get_args, get_type_hints

from kinelift.poses.errors import SettingsError

OptionValue = str | int | float | Path
"""A value of an option. A path may be given as text."""

Options = TypeVar("Options")
"""A dataclass of options."""


def option(default: Any = MISSING, *, about: str, metavar: str | None = None) -> Any:
    """Make a dataclass field that is a flag of the command line.

    Args:
        default: The value if the flag is not given; without one, the flag must be given.
        about: What the help says about it.
        metavar: What stands for the value in the help.
    """
    return field(default=default, metadata={"about": about, "metavar": metavar})


def long_side_option(default: int | None = None) -> Any:
    """``--long-side``, which several detectors share."""
    about = "The longer side, in pixels, of the image that the detector sees. A larger one finds smaller people and "
    return option(default, about=about + "takes longer.", metavar="PIXELS")


def person_threshold_option(default: float) -> Any:
    """``--person-threshold``, which several detectors share."""
    return option(default, about="Leave out people whom the detector scores below this (0-1).", metavar="SCORE")


def fields_of(kind: type[Any]) -> tuple[Field[Any], ...]:
    """The fields of a dataclass of options, in the order of the help."""
    return fields(kind)


def flag(name: str) -> str:
    """The flag of an option: ``--long-side`` for ``long_side``."""
    return f"--{name.replace('_', '-')}"


def check_pixels(name: str, value: int | None) -> None:
    """Raise ``SettingsError`` unless the option ``name`` is None or a positive number of pixels."""
    if value is not None and value < 1:
        raise SettingsError(f"{flag(name)} is {value}; give a positive number of pixels.")


def check_score(name: str, value: float) -> None:
    """Raise ``SettingsError`` unless the option ``name`` has a value from 0 to 1."""
    if not 0 <= value <= 1:
        raise SettingsError(f"{flag(name)} is {value}; give a score from 0 to 1.")


def read_options(detector: str, kind: type[Options], values: Mapping[str, OptionValue]) -> Options:
    """Build a detector's options from stored values; what is not given keeps its default.

    Args:
        detector: The detector's name, for error messages.
        kind: The dataclass of its options.
        values: Values by name, as read from the command line or from JSON.

    Raises:
        SettingsError: An option is unknown, missing, of the wrong type or out of range.
    """
    known = {one.name: one for one in fields_of(kind)}
    for name in values:
        if name not in known:
            raise SettingsError(f"{flag(name)} is not an option of the detector {detector}. Leave it out.")
    for name, one in known.items():
        if one.default is MISSING and name not in values:
            raise SettingsError(f"The detector {detector} needs {flag(name)}. Add it.")
    hints = get_type_hints(kind)
    return kind(**{name: _converted(name, value, hints[name]) for name, value in values.items()})


def _converted(name: str, value: OptionValue, hint: Any) -> Any:
    """``value`` as the type of its field: int, float, str, Path or a Literal, each possibly optional."""
    types_allowed = [one for one in _alternatives(hint) if one is not type(None)]
    for allowed in types_allowed:
        if allowed is Path and isinstance(value, str | Path):
            return Path(value)
        if choices := get_args(allowed):
            if value in choices:
                return value
        elif isinstance(value, int | float if allowed is float else allowed) and not isinstance(value, bool):
            return value
    expected = " or ".join(", ".join(map(str, get_args(one))) or one.__name__ for one in types_allowed)
    raise SettingsError(f"{flag(name)} is {value!r}; it must be {expected}.")


def _alternatives(hint: Any) -> tuple[Any, ...]:
    return get_args(hint) if isinstance(hint, types.UnionType) else (hint,)
