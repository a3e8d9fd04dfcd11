"""``labels.csv``: one row for each labelled segment of a clip, as a spreadsheet writes it."""

import csv
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, fields
from math import inf, isinf, isnan
from pathlib import Path

from kinelift.poses.errors import DataError
from kinelift.recognition.data.clips import Flaw

REQUIRED = ("clip", "label")
_LAYOUT = (
    "The first line names the columns: clip,label and optionally start,end,subject,split,person,kind,name. "
    "See the example in docs/reference/labelled-motion.md."
)


@dataclass(frozen=True)
class Row:
    """``label`` holds in ``clip`` from ``start`` to ``end``; a clip without labels has one row with an empty label.

    Attributes:
        clip: The file is ``clips/CLIP.npz``.
        label: What the person does.
        start: Seconds on the clip's clock; by default, its start.
        end: Seconds on the clip's clock; by default, its end.
        subject: See ``Clip``.
        split: See ``Clip``.
        person: Id of the person, in a recording of several people.
        kind: See ``Clip``.
        name: Of the clip, if it differs from ``clip``.
        line: Line of the table, for messages.
    """

    clip: str
    label: str
    start: float = -inf
    end: float = inf
    subject: str = ""
    split: str = ""
    person: str = ""
    kind: str = ""
    name: str = ""
    line: int = 0


COLUMNS = tuple(field.name for field in fields(Row) if field.name != "line")


def read_rows(path: Path) -> list[Row]:
    """Read a ``labels.csv`` with commas or semicolons, in UTF-8.

    Raises:
        DataError: The table is missing or wrong; the message names the line.
    """
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            first = file.readline()
            file.seek(0)
            reader = csv.DictReader(file, delimiter=";" if ";" in first and "," not in first else ",", strict=True)
            _check_columns(path, reader.fieldnames)
            rows = list(_rows(path, reader))
    except FileNotFoundError:
        raise DataError(f"There is no {path}. A data set is a folder with labels.csv and clips/. {_LAYOUT}") from None
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{path} is not a CSV file in UTF-8 ({error}). Save it as one. {_LAYOUT}") from error
    if not rows:
        raise DataError(f"{path} has no rows. Add one for each labelled segment. {_LAYOUT}")
    return rows


def write_rows(path: Path, rows: Iterable[Row]) -> None:
    """Write a table that ``read_rows`` reads, without columns that are empty throughout."""
    cells = [{name: _text(value) for name, value in asdict(row).items()} for row in rows]
    used = [name for name in COLUMNS if name in REQUIRED or any(row[name] for row in cells)]
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, used, extrasaction="ignore")
        writer.writeheader()
        writer.writerows(cells)


def read_flaws(path: Path) -> tuple[Flaw, ...]:
    """Read a ``flaws.csv``; a missing file has no flaws.

    Raises:
        DataError: The file is not such a table.
    """
    if not path.exists():
        return ()
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            return tuple(Flaw(row["clip"], row["what"], row["done"]) for row in csv.DictReader(file, strict=True))
    except (OSError, KeyError, UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{path} is not a table of clip,what,done ({error}). Correct or remove it.") from error


def write_flaws(path: Path, flaws: Iterable[Flaw]) -> None:
    """Write a table that ``read_flaws`` reads."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, [field.name for field in fields(Flaw)])
        writer.writeheader()
        writer.writerows(asdict(flaw) for flaw in flaws)


def _check_columns(path: Path, header: Iterable[str] | None) -> None:
    names = [name.strip() for name in header or ()]
    if missing := [name for name in REQUIRED if name not in names]:
        raise DataError(f"{path} has no column {' and no column '.join(missing)}. {_LAYOUT}")
    if unknown := [name for name in names if name not in COLUMNS]:
        raise DataError(f"{path} has an unknown column {unknown[0]!r}. Rename or remove it. {_LAYOUT}")
    if len(set(names)) < len(names):
        raise DataError(f"{path} has a column twice. Remove one. {_LAYOUT}")


def _rows(path: Path, reader: "csv.DictReader[str]") -> Iterator[Row]:
    for cells in reader:
        where = f"{path}, line {reader.line_num}"
        if None in cells or None in cells.values():
            raise DataError(
                f"{where} has more or fewer cells than columns. Put text that contains commas in double quotes."
            )
        row = {column.strip(): text.strip() for column, text in cells.items()}
        if any(row.values()):
            yield _row(where, row, reader.line_num)


def _row(where: str, cells: dict[str, str], line: int) -> Row:
    start = _seconds(where, "start", cells.pop("start", "")) if cells.get("start") else -inf
    end = _seconds(where, "end", cells.pop("end", "")) if cells.get("end") else inf
    cells["clip"] = cells["clip"].removesuffix(".npz")
    row = Row(**{**cells, "start": start, "end": end, "line": line})  # type: ignore[arg-type]
    if not row.clip:
        raise DataError(f"{where} has no clip. Write the name of a file in clips/, without .npz.")
    if not start < end:
        raise DataError(f"{where}: {row.label} ends at {end:g} s, but starts at {start:g} s. Correct one of them.")
    if not row.label and (start, end) != (-inf, inf):
        raise DataError(f"{where} has a start or an end but no label. Add the label, or remove the row.")
    return row


def _seconds(where: str, column: str, text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = float("nan")
    if isnan(value):
        raise DataError(f"{where}: {column} is {text!r}. Write seconds with a decimal point, such as 12.5.")
    return value


def _text(value: str | float) -> str:
    return value if isinstance(value, str) else "" if isinf(value) else repr(value)
