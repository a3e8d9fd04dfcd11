from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kinelift.poses.errors import DataError, SettingsError
from kinelift.poses.json_values import from_json, parse, to_json


@dataclass(frozen=True)
class Lens:
    focal: float
    size: tuple[int, int] = (4, 3)

    def __post_init__(self) -> None:
        if self.focal <= 0:
            raise SettingsError(f"--focal is {self.focal}.")


@dataclass(frozen=True)
class Everything:
    lens: Lens
    lenses: tuple[Lens, ...] = ()
    way: Literal["fast", "slow"] = "fast"
    path: Annotated[Path | None, "where"] = None
    flag: bool = False
    options: Mapping[str, str | int | float] = field(default_factory=dict)


lenses = st.builds(Lens, st.floats(1e-9, 1e9), st.tuples(st.integers(-9, 9), st.integers(-9, 9)))
values = st.builds(
    Everything,
    lenses,
    st.lists(lenses, max_size=2).map(tuple),
    st.sampled_from(["fast", "slow"]),
    st.none() | st.sampled_from([Path("a.json"), Path("b/c")]),
    st.booleans(),
    st.dictionaries(st.text(max_size=3), st.text(max_size=3) | st.integers(-9, 9) | st.floats(-1, 1), max_size=2),
)


@given(values)
def test_reading_undoes_writing(value: Everything) -> None:
    assert from_json(Everything, to_json(value), "") == value


@pytest.mark.parametrize(("wrong", "message"), [
    ({}, "lens is missing"),
    ({"lens": {}}, r"lens\.focal is missing"),
    ({"lens": {"focal": 1, "colour": "red"}}, r"lens\.colour is not a known field. Known: focal, size"),
    ({"lens": {"focal": True}}, r"lens\.focal is True, expected a number"),
    ({"lens": {"focal": 1, "size": [4]}}, r"lens\.size is \[4\], expected a list of 2"),
    ({"lens": {"focal": 1, "size": [4, 3.0]}}, r"lens\.size\[1\] is 3.0, expected a whole number"),
    ({"lens": {"focal": 1}, "lenses": [{"focal": 1}, 3]}, r"lenses\[1\] is 3, expected an object"),
    ({"lens": {"focal": 1}, "way": 1}, "way is 1, expected 'fast' or 'slow'"),
    ({"lens": {"focal": 1}, "path": 1}, "path is 1, expected a path"),
    ({"lens": {"focal": 1}, "flag": 1}, "flag is 1, expected true or false"),
    ({"lens": {"focal": 1}, "options": {"a": []}}, r"options\.a is \[\], expected text or a whole number or a number"),
    ({"lens": {"focal": 1}, "options": []}, r"options is \[\], expected an object"),
])  # fmt: skip
def test_what_does_not_fit_is_named(wrong: Any, message: str) -> None:
    with pytest.raises(DataError, match=f"^{message}"):
        from_json(Everything, wrong, "")
    with pytest.raises(DataError, match=f"^settings.{message}"):
        from_json(Everything, wrong, "settings")


def test_what_the_dataclass_refuses_keeps_its_type_and_gets_a_place() -> None:
    with pytest.raises(SettingsError, match=r"^settings\.lens: --focal is -1\.0\.$"):
        from_json(Everything, {"lens": {"focal": -1}}, "settings")


@pytest.mark.parametrize(
    "text", ["", "{", "NaN", "[1e999]", "-Infinity", "1" * 19, '"\\ud800"', '{"\\udfff": 1}', "[" * 100_000]
)
def test_text_that_is_not_strict_json_is_refused(text: str) -> None:
    with pytest.raises(DataError, match=r"^the header is not JSON, or it is damaged \(.{1,200}\)"):
        parse(text, "the header")


def test_strict_json_is_read() -> None:
    assert parse('{"a": [1, -2.5, null, true, "\\ud83d\\ude00"]}', "it") == {"a": [1, -2.5, None, True, "😀"]}
