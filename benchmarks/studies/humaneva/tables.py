"""Tables of the study, from its JSON files, in the form of ``benchmarks/results``."""

from collections.abc import Iterator, Mapping, Sequence
from statistics import mean, stdev
from typing import Any, TypeAlias

UNLABELLED = ", S2 and S3 unlabelled"
"""What follows the name of a training in that of the same one with unlabelled data."""
SUBJECTS = ("S1", "S2", "S3")
MEASURED = (
    "training MPJPE", "P1, running", "P2, running", "P1", "P2", *(f"P1, {one}" for one in SUBJECTS), "MPJVE",
    "change, %",
)  # fmt: skip
EFFECTS = ("effect on P1", "effect on MPJVE")
DETECTED = ("P1, detected 2D", "P2, detected 2D")
LAST_FIFTH = 0.8

Training: TypeAlias = Mapping[str, Any]
Table: TypeAlias = dict[str, Any]
Key: TypeAlias = tuple[str, int, bool]
"""Name, planned epochs, whether it is finished."""


def tables(trainings: Sequence[Training]) -> list[Table]:
    """A table for every run and width, with a row for the trainings that differ in the seed only.

    Cells are the mean and, of several, the standard deviation over seeds: mm, and mm per frame. Where a column is not
    called "running", the statistics of batch normalisation were computed anew. The change is that of P1 in the last
    fifth of the epochs. Effects are differences from the training that a row is compared with (``compared_with``), by
    seed; where there are detected keypoints, with these.
    """
    found: dict[str, dict[Key, list[Training]]] = {}
    for one in sorted(trainings, key=lambda one: (one["settings"]["run"], one["settings"]["epochs"])):
        settings = one["settings"]
        title = f"{settings['run']}, {settings['channels']} channels"
        key = settings["name"], settings["epochs"], one["finished"]
        found.setdefault(title, {}).setdefault(key, []).append(one)
    return [
        {"title": title, "columns": _columns(rows), "rows": [_row(*key, same, rows) for key, same in rows.items()]}
        for title, rows in found.items()
    ]


def compared_with(run: str, name: str) -> str:
    """The name of the training that shows the effect of this one; its own where there is none."""
    if run == "semi":
        return name.removesuffix(UNLABELLED)
    return {"losses": "position", "streams": "one stream, detected 2D", "ugcn": "U-shaped GCN"}.get(run, name)


def _columns(rows: Mapping[Any, Sequence[Training]]) -> list[dict[str, Any]]:
    """The columns of a table; those of detected keypoints where they were measured."""
    detected = any("detected" in one["records"][-1] for same in rows.values() for one in same)
    values = (*MEASURED, *EFFECTS, *DETECTED) if detected else (*MEASURED, *EFFECTS)
    return [
        *({"heading": name} for name in ("", "seeds", "epochs")),
        *({"heading": name, "decimals": 2 if "MPJVE" in name else 1, "join": " ± "} for name in values),
    ]


def _row(name: str, planned: int, finished: bool, same: Sequence[Training], rows: Mapping[Key, Any]) -> list[Any]:
    last = [one["records"][-1] for one in same]
    reached = "–".join(str(number) for number in sorted({one["epoch"] for one in last}))
    other = compared_with(same[0]["settings"]["run"], name)
    base = {one["settings"]["seed"]: one for one in rows.get((other, planned, finished), ()) if other != name}
    values = zip(*(_values(one, base.get(one["settings"]["seed"])) for one in same), strict=True)
    epochs = planned if finished else f"{reached} of {planned}"
    return [name, len(same), epochs, *(None if None in each else spread(each) for each in values)]


def _values(training: Training, base: Training | None) -> Iterator[float | None]:
    """The columns of ``MEASURED``, ``EFFECTS`` and, if there are any, ``DETECTED``."""
    record = training["records"][-1]
    running, anew = record["running"], record["recomputed"]
    yield from (record["train_mpjpe"], running["P1"], running["P2"], anew["P1"], anew["P2"])
    yield from (anew["subjects"][subject]["P1"] for subject in SUBJECTS)
    yield from (anew["MPJVE"], _change(training["records"]))
    seen = "detected" if "detected" in record else "recomputed"
    for name in ("P1", "MPJVE"):
        yield None if base is None else record[seen][name] - base["records"][-1][seen][name]
    if seen == "detected":
        yield from (record[seen]["P1"], record[seen]["P2"])


def _change(records: Sequence[Mapping[str, Any]]) -> float | None:
    """The change of P1 in the last fifth of the epochs, %; None if it was not measured before that."""
    end = records[-1]
    before = [one for one in records if "recomputed" in one and one["epoch"] <= LAST_FIFTH * end["epoch"]]
    return 100 * (end["recomputed"]["P1"] / before[-1]["recomputed"]["P1"] - 1) if before else None


def spread(values: Sequence[float]) -> list[float]:
    """The mean and, of several values, the standard deviation."""
    found = [mean(values)] if len(values) == 1 else [mean(values), stdev(values)]
    return [round(value, 3) for value in found]
