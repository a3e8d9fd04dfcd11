"""The documentation agrees with the code: generated pages, and the paths, names and benchmarks that pages name."""

import importlib
import re
from inspect import getdoc
from pathlib import Path

import pytest

from docs.generate import left_over, pages
from docs.generate.results import RESULTS
from kinelift.app.export.formats import WRITERS

ROOT = Path(__file__).resolve().parents[1]
PAGES = sorted(ROOT.glob("docs/**/*.md"))
CODE = sorted(file for folder in ("kinelift", "benchmarks", "tests") for file in ROOT.glob(f"{folder}/**/*.py"))
WHERE = "docs/where-to-change.md"
EXAMPLE = "detectors/spot"  # the detector that how-to/add-a-detector.md adds
AGAIN = "Write them again with: python -m docs.generate"


def named(text: str) -> set[str]:
    """What a page names between backquotes."""
    return set(re.findall(r"`([^`\n]+)`", re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL)))


def paths(names: set[str]) -> set[str]:
    return {name for name in names if re.fullmatch(r"(kinelift|tests|docs|benchmarks)/[\w./-]*", name)}


def importable(name: str) -> bool:
    """Whether ``kinelift.module.Name.attribute`` leads to something."""
    parts = name.split(".")
    for size in range(len(parts), 0, -1):
        try:
            found = importlib.import_module(".".join(parts[:size]))
        except ModuleNotFoundError:
            continue
        for attribute in parts[size:]:
            if not hasattr(found, attribute):
                return False
            found = getattr(found, attribute)
        return True
    return False


def test_generated_pages_are_up_to_date() -> None:
    expected = pages()
    stale = [page for page, text in expected.items() if not page.exists() or page.read_text(encoding="utf-8") != text]
    wrong = [str(page.relative_to(ROOT)) for page in stale + left_over(expected)]
    assert not wrong, f"These pages differ from the code or from benchmarks/results: {', '.join(wrong)}. {AGAIN}"


@pytest.mark.parametrize("folder", ["start", "how-to", "explanation", "decisions"])
def test_the_first_page_leads_to_every_page(folder: str) -> None:
    text = (ROOT / "docs/README.md").read_text(encoding="utf-8")
    linked = {f"docs/{target}" for target in re.findall(r"\]\(([\w./-]+)\)", text)}
    assert {
        str(page.relative_to(ROOT)) for page in PAGES if page.parent.name == folder and page.name != "README.md"
    } <= linked


def test_decisions_are_listed_by_their_numbers() -> None:
    text = (ROOT / "docs/README.md").read_text(encoding="utf-8")
    listed = re.findall(r"^(\d+)\. \[.*\]\(decisions/(\d+)", text, flags=re.MULTILINE)
    assert listed and all(int(number) == int(file) for number, file in listed)


def test_every_export_format_is_described() -> None:
    assert all(getdoc(writer) for writer in WRITERS.values())


def test_every_measurement_is_dated_and_has_a_command() -> None:
    import json

    for path in RESULTS.glob("*.json"):
        result = json.loads(path.read_text(encoding="utf-8"))
        assert result["command"] and result["machine"] and re.search(r"\d{4}-\d\d-\d\d", result["date"]), path.name
        for table in result["tables"]:
            widths = {len(row) for row in table["rows"]}
            assert widths == {len(table["columns"])}, f"{path.name}: {table['title']}"


def test_benchmarks_that_pages_name_exist() -> None:
    text = "\n".join(
        page.read_text(encoding="utf-8") for page in [*PAGES, ROOT / "README.md", ROOT / "CONTRIBUTING.md"]
    )
    modules = set(re.findall(r"python -m (benchmarks[\w.]*)", text))
    places = {name: ROOT / name.replace(".", "/") for name in modules}
    missing = [
        name
        for name, place in places.items()
        if not (place.with_suffix(".py").exists() or (place / "__main__.py").exists())
    ]
    assert not missing, f"The documentation names benchmarks that do not exist: {', '.join(sorted(missing))}"


@pytest.mark.parametrize("page", [str(page.relative_to(ROOT)) for page in PAGES] + ["README.md", "CONTRIBUTING.md"])
def test_paths_that_pages_name_exist(page: str) -> None:
    names = paths(named((ROOT / page).read_text(encoding="utf-8")))
    missing = [name for name in names if EXAMPLE not in name and not (ROOT / name).exists()]
    assert not missing, f"{page} names files that do not exist: {', '.join(sorted(missing))}"


@pytest.mark.parametrize("name", sorted(n for n in named((ROOT / WHERE).read_text()) if re.match(r"kinelift\.\w", n)))
def test_where_to_change_names_what_can_be_imported(name: str) -> None:
    assert importable(name), f"{WHERE} names {name}, which does not exist (any more). Name the place that took over."


def test_where_to_change_answers_every_question() -> None:
    headings = re.findall(r"^## (.+)$", (ROOT / WHERE).read_text(encoding="utf-8"), re.MULTILINE)
    for word in ("joint", "export", "floor", "detector", "checkpoint", "actions", "option"):
        assert any(word in heading for heading in headings), word


@pytest.mark.parametrize("file", [str(f.relative_to(ROOT)) for f in CODE if "docs/" in f.read_text(encoding="utf-8")])
def test_pages_that_code_names_exist(file: str) -> None:
    text = (ROOT / file).read_text(encoding="utf-8")
    missing = [name for name in set(re.findall(r"\bdocs/[\w/-]+\.md", text)) if not (ROOT / name).exists()]
    assert not missing, f"{file} names pages that do not exist: {', '.join(missing)}"
