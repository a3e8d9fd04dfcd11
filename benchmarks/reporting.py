"""What benchmarks report: where they ran, and tables for the documentation."""

import os
import platform
from collections.abc import Mapping
from typing import Any, NamedTuple


class Column(NamedTuple):
    """How the figures of one column are shown: its ``heading``, a factor, a unit."""

    heading: str
    times: float = 1
    unit: str = ""

    def show(self, figure: float | None) -> str:
        """Three to four digits; a dash where nothing was measured."""
        return "–" if figure is None else f"{figure * self.times:.4g}{self.unit}"


def machine() -> dict[str, Any]:
    """The machine that the benchmark runs on."""
    return {"system": platform.platform(), "processor": platform.machine(), "cores": os.cpu_count()}


def percent(heading: str) -> Column:
    """A column of shares."""
    return Column(heading, 100, " %")


def table(title: str, rows: Mapping[str, Mapping[str, Any]], columns: Mapping[str, Column]) -> str:
    """Markdown: ``rows`` by name, of each what ``columns`` name, by key."""
    lines = [[title, *(column.heading for column in columns.values())], ["---", *["---:"] * len(columns)]]
    lines += [[name, *(column.show(row[key]) for key, column in columns.items())] for name, row in rows.items()]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)
