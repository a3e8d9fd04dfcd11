"""Tables of the study, from its JSON files."""

from collections.abc import Iterator, Mapping, Sequence
from statistics import mean, median, stdev
from typing import Any

COLUMNS = (
    "", "seeds", "epochs", "s an epoch", "training MPJPE", "P1 / P2", "P1 / P2, median of the last half",
    "P1 / P2, recomputed", "MPJVE", "MPJVE, recomputed",
)  # fmt: skip
SUBJECTS = ("S1", "S2", "S3")

Training = Mapping[str, Any]


def tables(trainings: Sequence[Training]) -> str:
    """Two tables per run: errors with running and with recomputed statistics, and the latter by subject (mm)."""
    runs = dict.fromkeys(one["settings"]["run"] for one in trainings)
    return "\n\n".join(
        f"### {run}\n\n{_table(COLUMNS, rows, _errors)}\n\n{_table(('', *SUBJECTS), rows, _by_subject)}"
        for run in runs
        if (rows := [one for one in trainings if one["settings"]["run"] == run])
    )


def _table(columns: Sequence[str], trainings: Sequence[Training], cells: Any) -> str:
    """A row for the trainings that differ in the seed only."""
    rows: dict[tuple[str, int, bool], list[Training]] = {}
    for one in trainings:
        key = one["settings"]["name"], one["settings"]["epochs"], one["finished"]
        rows.setdefault(key, []).append(one)
    lines = [columns, ["---"] * len(columns)]
    lines += [[name + ("" if finished else ", unfinished"), *cells(same)] for (name, _, finished), same in rows.items()]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _errors(same: Sequence[Training]) -> Iterator[str]:
    last = [one["records"][-1] for one in same]
    yield str(len(same))
    yield " ".join(str(number) for number in sorted({one["epoch"] for one in last}))
    yield f"{median(record['seconds'] for one in same for record in one['records']):.2f}"
    yield spread([one["train_mpjpe"] for one in last])
    yield _both([one["running"] for one in last])
    yield _both([_typical(one["records"]) for one in same])
    yield _both([one["recomputed"] for one in last])
    for how in ("running", "recomputed"):
        yield spread([one[how]["MPJVE"] for one in last], 2)


def _by_subject(same: Sequence[Training]) -> Iterator[str]:
    for subject in SUBJECTS:
        yield _both([one["records"][-1]["recomputed"]["subjects"][subject] for one in same])


def _typical(records: Sequence[Mapping[str, Any]]) -> Mapping[str, float]:
    """The median error with running statistics over the later half of the measurements."""
    found = [record["running"] for record in records if "running" in record]
    return {name: median(one[name] for one in found[len(found) // 2 :]) for name in ("P1", "P2")}


def _both(errors: Sequence[Mapping[str, float]]) -> str:
    return " / ".join(spread([one[name] for one in errors]) for name in ("P1", "P2"))


def spread(values: Sequence[float], digits: int = 1) -> str:
    """Mean ± standard deviation."""
    text = f"{mean(values):.{digits}f}"
    return text if len(values) == 1 else f"{text} ± {stdev(values):.{digits}f}"
