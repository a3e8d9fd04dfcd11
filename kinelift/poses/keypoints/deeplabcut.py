"""Read DeepLabCut's tables, .csv: a row per frame, below rows that say whose joint and which coordinate a column holds.

The rows above are scorer, (with several individuals) individuals, bodyparts and coords: x, y and likelihood, in px.
The first column is the frame's number, counted from 0, or the name of a picture, which may take three columns. An empty
cell was not seen. Joints of no individual ("single") are left out beside those of individuals.
"""

import csv
import re
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path

from kinelift.poses.errors import DataError
from kinelift.poses.keypoints.container import Keypoints, Videos, frame_ref
from kinelift.poses.keypoints.instances import Instance, people_by_frame
from kinelift.poses.keypoints.layouts import Order, order_of_names, plain_name

Columns = Mapping[str, Mapping[str, Mapping[str, int]]]
"""The column of each coordinate, by individual and joint."""
_HEADERS = (("scorer", "individuals", "bodyparts", "coords"), ("scorer", "bodyparts", "coords"))
_COORDS = {"x", "y", "likelihood"}
_SHARED = "single"
_UNKNOWN = {"", "nan"}


def deeplabcut_videos(path: Path, requested: str | None) -> Videos:
    """The single video of a table.

    Args:
        path: The file.
        requested: The name of the layout, or None to go by the names of the joints.
    """
    return {"": partial(_video, path, requested)}


def _video(path: Path, requested: str | None) -> Keypoints:
    rows = _rows(path)
    header = next((each for each in _HEADERS if [row[0] for row in rows[: len(each)] if row] == list(each)), None)
    if header is None:
        raise DataError(
            f"{path} is not a table of DeepLabCut: its first rows are not scorer, bodyparts and coords. Export "
            "it again, as csv."
        )
    columns, start = _columns(path, dict(zip(header, rows, strict=False)))
    order = _order(path, columns, requested)
    body = [(number, row) for number, row in enumerate(rows, 1) if number > len(header) and any(row)]
    frames: dict[int, list[Instance]] = {}
    for number, row in body:
        where = f"{path}: line {number}"
        frame = _frame(row, start, where)
        if frame in frames:
            raise DataError(f"{where} is frame {frame} again. Keep the rows of one video.")
        frames[frame] = list(_people(row, frame, columns, order, where))
    instances = [instance for people in frames.values() for instance in people]
    people = people_by_frame(str(path), instances, len(order.layout), frames)
    return Keypoints(str(path), order.layout, order.layout_source, people)


def _rows(path: Path) -> list[list[str]]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            return [[cell.strip() for cell in row] for row in csv.reader(file)]
    except OSError as error:
        raise DataError(f"Cannot read {path}: {error.strerror}.") from error
    except (csv.Error, UnicodeDecodeError) as error:
        raise DataError(f"{path} is not a table ({error}). Export the file again.") from error


def _columns(path: Path, header: Mapping[str, list[str]]) -> tuple[Columns, int]:
    """The columns of the joints, and the first of them."""
    coords = header["coords"]
    start = next((k for k in range(1, len(coords)) if coords[k]), len(coords))
    if any(len(row) != len(coords) for row in header.values()):
        raise DataError(f"{path} has first rows of different lengths. Export the file again.")
    found: dict[str, dict[str, dict[str, int]]] = {}
    for k in range(start, len(coords)):
        individual = header["individuals"][k] if "individuals" in header else ""
        joint = found.setdefault(individual, {}).setdefault(_joint_name(header["bodyparts"][k]), {})
        if coords[k] not in _COORDS or coords[k] in joint:
            raise DataError(
                f"{path}: column {k + 1} is {coords[k]!r}, expected x, y or likelihood, once for each joint."
            )
        joint[coords[k]] = k
    if len(found) > 1:
        found.pop(_SHARED, None)
    if not found:
        raise DataError(f"{path} has no columns of joints. Export the file again.")
    return found, start


def _joint_name(name: str) -> str:
    """A joint's name as ours are written: RightKnee, right-knee and "right knee" become right_knee."""
    return plain_name(re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name))


def _order(path: Path, columns: Columns, requested: str | None) -> Order:
    names = [list(joints) for joints in columns.values()]
    if any(other != names[0] for other in names):
        raise DataError(f"{path} has individuals with different joints. Export them one by one.")
    for individual, joints in columns.items():
        incomplete = next((name for name, each in joints.items() if not {"x", "y"} <= each.keys()), None)
        if incomplete is not None:
            raise DataError(
                f"{path}: {individual or 'the table'} has no x and y for {incomplete}. Export the file again."
            )
    return order_of_names(f"{path}: bodyparts", names[0], requested)


def _frame(row: list[str], start: int, where: str) -> int:
    name = "/".join(cell for cell in row[:start] if cell)
    return frame_ref(int(name) if name.isdecimal() and len(name) <= 18 else name, f"{where}: the first column").frame


def _people(row: list[str], frame: int, columns: Columns, order: Order, where: str) -> Iterator[Instance]:
    for individual, joints in columns.items():
        place = f"{where}, {individual}" if individual else where
        values = [float("nan")] * (3 * len(order.layout))
        for at, each in zip(order.columns, joints.values(), strict=True):
            x, y = (_number(row, each[coord], place) for coord in ("x", "y"))
            score = _number(row, each["likelihood"], place) if "likelihood" in each else 1.0
            values[3 * at : 3 * at + 3] = x, y, score
        yield Instance(frame, values, place)


def _number(row: list[str], column: int, where: str) -> float:
    cell = row[column] if column < len(row) else ""
    if cell.lower() in _UNKNOWN:
        return float("nan")
    try:
        return float(cell)
    except ValueError as error:
        raise DataError(
            f"{where}: column {column + 1} is {cell!r}, expected a number. Export the file again."
        ) from error
