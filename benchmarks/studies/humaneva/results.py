"""Put the tables of finished trainings into ``benchmarks/results/humaneva-study.json``.

    python -m benchmarks.studies.humaneva.results FOLDER

A table takes the place of the one with its title and keeps that one's date, command and conditions.
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import tyro

from benchmarks.studies.humaneva.tables import Table, Training, tables
from kinelift.poses.output import replacing

RESULTS = Path(__file__).resolve().parents[2] / "results" / "humaneva-study.json"


def main(folder: tyro.conf.Positional[Path], out: Path = RESULTS) -> None:
    """Renew the tables of a results file.

    Args:
        folder: Folder of the study.
        out: The results file, which must exist: its texts are written by hand.
    """
    result = json.loads(out.read_text(encoding="utf-8"))
    with replacing(out) as part:
        text = json.dumps(updated(result, tables(load(folder))), indent=1, ensure_ascii=False)
        part.write_text(text + "\n", encoding="utf-8")


def load(folder: Path) -> list[Training]:
    """All trainings of a folder, by file name."""
    return [json.loads(path.read_text(encoding="utf-8")) for path in sorted(folder.glob("*.json"))]


def updated(result: Mapping[str, Any], new: Sequence[Table]) -> dict[str, Any]:
    """``result`` with these tables in place of those of the same titles; others are kept, further ones come last."""
    found = {table["title"]: table for table in result["tables"]}
    for table in new:
        found[table["title"]] = {**found.get(table["title"], {}), **table}
    return {**result, "tables": list(found.values())}


if __name__ == "__main__":
    tyro.cli(main, description=__doc__)
