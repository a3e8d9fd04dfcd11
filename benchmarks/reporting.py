"""Shared output of the benchmarks: the machine they ran on, and Markdown tables."""

import os
import platform
from collections.abc import Mapping
from typing import Any, NamedTuple


class Column(NamedTuple):
    """How one column is shown: heading, factor and unit."""

    heading: str
    times: float = 1
    unit: str = ""

    def show(self, figure: float | None) -> str:
        """Format a figure with up to four digits; None is a dash."""
        return "–" if figure is None else f"{figure * self.times:.4g}{self.unit}"


def machine() -> dict[str, Any]:
    """Describe the machine that the benchmark runs on."""
    return {"system": platform.platform(), "processor": platform.machine(), "cores": os.cpu_count()}


def percent(heading: str) -> Column:
    """A column of fractions, shown in percent."""
    return Column(heading, 100, " %")


def table(title: str, rows: Mapping[str, Mapping[str, Any]], columns: Mapping[str, Column]) -> str:
    """A Markdown table with one line per row, by name, and one column per key of ``columns``."""
    lines = [[title, *(column.heading for column in columns.values())], ["---", *["---:"] * len(columns)]]
    lines += [[name, *(column.show(row[key]) for key, column in columns.items())] for name, row in rows.items()]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)
