"""A page for each file of ``benchmarks/results/``: what was measured, how, when and where."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).resolve().parents[2] / "benchmarks" / "results"
Json = Mapping[str, Any]


def pages() -> Mapping[str, str]:
    """The pages by name, from the top of ``docs/reference``, with an index."""
    found = {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in sorted(RESULTS.glob("*.json"))}
    about = "Every table comes from a file in `benchmarks/results/` and names the command that prints it."
    lines = ["# Measurements", "", about, ""]
    lines += [f"- [{result['title']}]({name}.md): {_first_small(result['measures'])}" for name, result in found.items()]
    return {"results/README.md": "\n".join(lines)} | {f"results/{n}.md": page(r, f"{n}.json") for n, r in found.items()}


def page(result: Json, source: str) -> str:
    """Markdown of one measurement."""
    parts = [f"# {result['title']}", result["measures"], _facts(result), _listed(result["conditions"])]
    for table in result["tables"]:
        parts += [f"## {table['title']}", _facts(table), _listed(table.get("conditions", ())), markdown(table)]
    parts += [f"![{result['title']}]({result['figure']})"] if "figure" in result else []
    discussed = " · ".join(f"[{_title(page)}](../../{page})" for page in result["discussed"])
    parts += [f"Discussed in {discussed}. Data: [benchmarks/results/{source}](../../../benchmarks/results/{source})."]
    return "\n\n".join(part for part in parts if part)


def cell(value: Any, column: Json) -> str:
    """One figure as ``column`` says: ``unit``, ``decimals``, ``thousands``, ``signed``; null is a dash."""
    if value is None or isinstance(value, str):
        return value or "–"
    numbers = value if isinstance(value, list) else [value]
    joined: str = column.get("join", "").join(_number(number, column) for number in numbers)
    return joined + str(column.get("unit", ""))


def markdown(table: Json) -> str:
    """The Markdown of one table."""
    columns = table["columns"]
    lines = [[column["heading"] for column in columns], ["---", *["---:"] * (len(columns) - 1)]]
    lines += [[cell(value, column) for value, column in zip(row, columns, strict=True)] for row in table["rows"]]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _number(value: float, column: Json) -> str:
    grouped = "," if column.get("thousands") else ""
    text = f"{value:{grouped}.{column['decimals']}f}" if "decimals" in column else f"{value:{grouped}}"
    sign = "+" if column.get("signed") and value > 0 else ""
    return sign + (text.replace("-", "−", 1) if text.startswith("-") else text)


def _facts(result: Json) -> str:
    facts = [f"Measured {result['date']}"] if "date" in result else []
    facts += [result["machine"]] if "machine" in result else []
    seeds = result.get("seeds") or ()
    facts += [f"seed{'s' * (len(seeds) > 1)} {', '.join(map(str, seeds))}"] if seeds else []
    facts += [f"lifter: {result['lifter']}"] if "lifter" in result else []
    commands = "\n".join(f"    {command}" for command in result.get("command", ()))
    return "\n\n".join(part for part in ("; ".join(facts) + "." if facts else "", commands) if part)


def _listed(sentences: Sequence[str]) -> str:
    return "\n".join(f"- {sentence}" for sentence in sentences)


def _title(page: str) -> str:
    return Path(page).stem.replace("-", " ")


def _first_small(text: str) -> str:
    return text[0].lower() + text[1:] if not text[1].isupper() else text
