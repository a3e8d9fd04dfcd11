"""Tables of labels by eye: CSV files whose first column is the clip."""

import csv
from collections.abc import Iterator
from pathlib import Path


def rows_of(clip: str, table: Path) -> Iterator[list[str]]:
    """The lines of a table that belong to a clip."""
    with table.open(newline="") as file:
        yield from (row for row in csv.reader(file) if row[0] == clip)
