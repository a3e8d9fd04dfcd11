"""Reads cameras from the TOML of Pose2Sim, Caliscope, Anipose and FreeMoCap: one table for each camera."""

import tomllib
from collections.abc import Iterator, Mapping
from typing import Any

from kinelift.app.camera.calibration import Calibration
from kinelift.poses.errors import DataError


def read_toml(text: str) -> tuple[Calibration, ...]:
    """The calibrated cameras in the ``text`` of a TOML file, in the order of the file.

    Raises:
        DataError: The text is not TOML, has no camera, or has one that is not supported.
    """
    try:
        document = tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        raise DataError(f"it is not TOML, or it is damaged ({str(error)[:100]}). Export it again.") from error
    cameras = tuple(_camera(name, table) for name, table in _tables(document))
    if not cameras:
        raise DataError(
            "it has no table with a camera's matrix and size. Give the calibration file that Pose2Sim, Caliscope or "
            "Anipose writes."
        )
    return cameras


def _tables(document: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """The tables of cameras, at the top or in ``cameras``; a camera without ``matrix`` was not calibrated."""
    nested = document.get("cameras")
    for name, table in [*document.items(), *(nested.items() if isinstance(nested, dict) else ())]:
        if isinstance(table, dict) and "matrix" in table:
            yield name, table


def _camera(name: str, table: Mapping[str, Any]) -> Calibration:
    if table.get("fisheye"):
        raise DataError(
            f"{name} is a fisheye camera, which is not supported. Undistort the video, or calibrate without fisheye."
        )
    names = [name, table.get("name"), *(f"{key}_{table[key]}" for key in ("port", "cam_id") if key in table)]
    known = tuple(dict.fromkeys(one for one in names if isinstance(one, str) and one))
    try:
        rows = table["matrix"] if isinstance(table["matrix"], list) else []
        flat = [number for row in rows for number in (row if isinstance(row, list) else [row])]
        size = table.get("size")
        return Calibration.of(
            known,
            _numbers(flat, "matrix"),
            _numbers(table.get("distortions", []), "distortions"),
            None if size is None else _numbers(size, "size"),
        )
    except DataError as error:
        raise DataError(f"{name}: {error}") from error


def _numbers(values: Any, name: str) -> list[float]:
    if not isinstance(values, list) or not all(type(value) in (int, float) for value in values):
        raise DataError(f"{name} is not a list of numbers. Export it again.")
    return [float(value) for value in values]
