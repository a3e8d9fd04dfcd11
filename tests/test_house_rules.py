"""Rules of CONTRIBUTING.md that no tool of ``make check`` knows."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
RULES = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")


def functions(path: Path) -> Iterator[tuple[str, int]]:
    """Every function of a file, also one within another, and its lines from ``def`` to the end."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            assert node.end_lineno is not None
            yield f"{path.relative_to(ROOT).as_posix()}: {node.name}", node.end_lineno - node.lineno + 1


def test_functions_have_at_most_so_many_lines() -> None:
    (most,) = re.findall(r"a function about \d+ and at most (\d+)", RULES)
    found = [one for path in sorted((ROOT / "kinelift").rglob("*.py")) for one in functions(path)]
    assert len(found) > 1000
    longer = [(name, lines) for name, lines in found if lines > int(most)]
    assert longer == [], f"shorten them to {most} lines: take a part out that has a name"
