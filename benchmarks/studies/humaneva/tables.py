"""Tables of the study, from its JSON files, in the form of ``benchmarks/results``."""

from collections.abc import Iterator, Mapping, Sequence
from statistics import mean, stdev
from typing import Any, TypeAlias

SUBJECTS = ("S1", "S2", "S3")
MEASURED = (
    "training MPJPE", "P1, running", "P2, running", "P1", "P2", *(f"P1, {one}" for one in SUBJECTS), "MPJVE",
    "change, %",
)  # fmt: skip
DETECTED = ("P1, detected 2D", "P2, detected 2D")
LAST_FIFTH = 0.8

Training: TypeAlias = Mapping[str, Any]
Table: TypeAlias = dict[str, Any]


def tables(trainings: Sequence[Training]) -> list[Table]:
    """A table for every run and width, with a row for the trainings that differ in the seed only.

    Cells are the mean and, of several, the standard deviation over seeds: mm, and mm per frame. Where a column is not
    called "running", the statistics of batch normalisation were computed anew. The change is that of P1 in the last
    fifth of the epochs.
    """
    found: dict[str, dict[tuple[str, int, bool], list[Training]]] = {}
    for one in sorted(trainings, key=lambda one: (one["settings"]["run"], one["settings"]["epochs"])):
        settings = one["settings"]
        title = f"{settings['run']}, {settings['channels']} channels"
        key = settings["name"], settings["epochs"], one["finished"]
        found.setdefault(title, {}).setdefault(key, []).append(one)
    return [
        {"title": title, "columns": _columns(rows), "rows": [_row(*key, same) for key, same in rows.items()]}
        for title, rows in found.items()
    ]


def _columns(rows: Mapping[Any, Sequence[Training]]) -> list[dict[str, Any]]:
    """The columns of a table; those of detected keypoints where they were measured."""
    detected = any("detected" in one["records"][-1] for same in rows.values() for one in same)
    values = (*MEASURED, *DETECTED) if detected else MEASURED
    return [
        *({"heading": name} for name in ("", "seeds", "epochs")),
        *({"heading": name, "decimals": 2 if name == "MPJVE" else 1, "join": " ± "} for name in values),
    ]


def _row(name: str, planned: int, finished: bool, same: Sequence[Training]) -> list[Any]:
    last = [one["records"][-1] for one in same]
    reached = "–".join(str(number) for number in sorted({one["epoch"] for one in last}))
    values = zip(*(_values(one["records"]) for one in same), strict=True)
    epochs = planned if finished else f"{reached} of {planned}"
    return [name, len(same), epochs, *(None if None in each else spread(each) for each in values)]


def _values(records: Sequence[Mapping[str, Any]]) -> Iterator[float | None]:
    """The columns of ``MEASURED`` and, if there are any, ``DETECTED``."""
    record = records[-1]
    running, anew = record["running"], record["recomputed"]
    yield from (record["train_mpjpe"], running["P1"], running["P2"], anew["P1"], anew["P2"])
    yield from (anew["subjects"][subject]["P1"] for subject in SUBJECTS)
    yield from (anew["MPJVE"], _change(records))
    if "detected" in record:
        yield from (record["detected"]["P1"], record["detected"]["P2"])


def _change(records: Sequence[Mapping[str, Any]]) -> float | None:
    """The change of P1 in the last fifth of the epochs, %; None if it was not measured before that."""
    end = records[-1]
    before = [one for one in records if "recomputed" in one and one["epoch"] <= LAST_FIFTH * end["epoch"]]
    return 100 * (end["recomputed"]["P1"] / before[-1]["recomputed"]["P1"] - 1) if before else None


def spread(values: Sequence[float]) -> list[float]:
    """The mean and, of several values, the standard deviation."""
    found = [mean(values)] if len(values) == 1 else [mean(values), stdev(values)]
    return [round(value, 3) for value in found]
