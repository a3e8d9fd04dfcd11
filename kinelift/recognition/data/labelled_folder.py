"""A folder of labelled motion: the layout for anybody's own data, and what all training reads.

``labels.csv`` has one row for each labelled segment (``recognition.data.table``), ``clips/NAME.npz`` the poses
(``recognition.data.clipfile``). Optional files: ``labels.txt``, the labels in order, one per line; ``terms.txt``,
origin and licence; ``flaws.csv``, known faults of the clips.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import count
from pathlib import Path, PurePosixPath

import numpy as np

from kinelift.poses import Skeleton
from kinelift.poses.errors import DataError, OutputError
from kinelift.poses.output import make_folder, replacing
from kinelift.poses.overwriting import files_under
from kinelift.recognition.data import clipfile, repair
from kinelift.recognition.data.clips import Clip, Dataset, Flaw, Segment
from kinelift.recognition.data.table import Row, read_flaws, read_rows, write_flaws, write_rows


def read(path: Path) -> Dataset:
    """Read the data set in a folder.

    A clip without a subject counts as its own subject. Labels are in the order of ``labels.txt``, or else of their
    first rows.

    Returns:
        The data set. Its ``flaws`` list faults that were worked around.

    Raises:
        DataError: The folder cannot be used; the message names the file, the line and the remedy.
    """
    if not path.is_dir():
        raise DataError(f"There is no folder {path}. Name one that holds labels.csv and clips/.")
    rows = read_rows(path / "labels.csv")
    labels = _labels(path, rows)
    clips: list[Clip] = []
    flaws = list(read_flaws(path / "flaws.csv"))
    skeletons: dict[Skeleton, Path] = {}
    for group in _by_clip(rows):
        clip, layout, clip_flaws = _clip(path, group)
        skeletons.setdefault(layout, _file(path, group[0].clip))
        if len(skeletons) > 1:
            raise DataError(_mixed(skeletons))
        clips.append(clip)
        flaws += clip_flaws
    flaws += _warnings(path, rows)
    return Dataset(
        next(iter(skeletons)), labels, tuple(clips), _read_text(path / "terms.txt"), tuple(dict.fromkeys(flaws))
    )


def files(path: Path) -> tuple[Path, ...]:
    """The files in a folder that ``read`` reads. They need not exist."""
    named = (path / name for name in ("labels.csv", "labels.txt", "terms.txt", "flaws.csv"))
    return (*named, *files_under(path / "clips"))


def write(path: Path, dataset: Dataset) -> None:
    """Write a data set to a new folder that ``read`` reads.

    Raises:
        OutputError: ``path`` is not empty, or cannot be written.
        DataError: The data set has no clips, or a name that the table cannot hold.
    """
    if path.exists() and (not path.is_dir() or any(path.iterdir())):
        raise OutputError(f"{path} exists already. Choose another folder, or remove it.")
    if not dataset.clips:
        raise DataError(f"There are no clips to write to {path}. Pass a data set with clips.")
    for text in (*dataset.labels, *(clip.name for clip in dataset.clips)):
        if not text or text != text.strip() or len(text.splitlines()) > 1:
            raise DataError(f"The name {text!r} is empty, has spaces around it, or has several lines. Choose another.")
    make_folder(path.parent)
    with replacing(path) as part:
        _fill(make_folder(part), dataset)


def _labels(path: Path, rows: Iterable[Row]) -> tuple[str, ...]:
    table, listed = path / "labels.csv", path / "labels.txt"
    used: dict[str, int] = {}
    for row in rows:
        if row.label:
            used.setdefault(row.label, row.line)
    if not used:
        raise DataError(f"{table} has no label in any row. Fill in the column label.")
    if not listed.exists():
        return tuple(used)
    order = tuple(dict.fromkeys(line.strip() for line in _read_text(listed).splitlines() if line.strip()))
    if unlisted := [label for label in used if label not in order]:
        raise DataError(
            f"{table}, line {used[unlisted[0]]}: the label {unlisted[0]!r} is not in {listed}. Add it there, "
            f"correct it, or remove {listed.name}."
        )
    return order


def _by_clip(rows: Iterable[Row]) -> list[list[Row]]:
    """Rows grouped by clip and person, in the order of their first rows."""
    groups: dict[tuple[str, str], list[Row]] = {}
    for row in rows:
        groups.setdefault((row.clip, row.person), []).append(row)
    return list(groups.values())


def _clip(path: Path, rows: Sequence[Row]) -> tuple[Clip, Skeleton, tuple[Flaw, ...]]:
    table, first = path / "labels.csv", rows[0]
    name = _shared_value(table, rows, "name") or " ".join(filter(None, (first.clip, first.person)))
    points, times, layout = clipfile.load(_file(path, first.clip), first.person)
    points, times, flaws = repair.clean(name, points, times)
    if not np.isfinite(points).any():
        raise DataError(f"{_file(path, first.clip)} has no usable pose at any usable time. Remove it and its rows.")
    for row in rows:
        if row.label and not (row.start <= times[-1] and row.end > times[0]):
            raise DataError(
                f"{table}, line {row.line}: {row.label} is from {row.start:g} to {row.end:g} s, but {row.clip} lasts "
                f"from {times[0]:g} to {times[-1]:g} s. Correct the row; times are in seconds on the clip's clock."
            )
    clip = Clip(
        name,
        _shared_value(table, rows, "subject") or name,
        points,
        times,
        tuple(Segment(row.label, row.start, row.end) for row in rows if row.label),
        _shared_value(table, rows, "split"),
        _shared_value(table, rows, "kind"),
    )
    return clip, layout, flaws


def _shared_value(table: Path, rows: Iterable[Row], column: str) -> str:
    """The value of a column that describes the whole clip; its rows need not repeat it."""
    values = {getattr(row, column): row.line for row in rows if getattr(row, column)}
    if len(values) > 1:
        (a, line_a), (b, line_b) = list(values.items())[:2]
        raise DataError(
            f"{table}: {column} of one clip is {a!r} in line {line_a}, but {b!r} in line {line_b}. Choose one."
        )
    return next(iter(values), "")


def _file(path: Path, clip: str) -> Path:
    inner = PurePosixPath(f"{clip}.npz")
    if inner.is_absolute() or ".." in inner.parts:
        raise DataError(f"{path / 'labels.csv'} names the clip {clip!r}, outside its folder. Move its file to clips/.")
    return path / "clips" / inner


def _mixed(skeletons: Mapping[Skeleton, Path]) -> str:
    (a, file_a), (b, file_b) = list(skeletons.items())[:2]
    return f"{file_a} has the skeleton {a}, but {file_b} has {b}. A data set has one skeleton: make two data sets."


def _warnings(path: Path, rows: Iterable[Row]) -> Iterator[Flaw]:
    rows = list(rows)
    named = {_file(path, row.clip) for row in rows}
    for file in sorted((path / "clips").rglob("*.npz")):
        if file not in named:
            yield Flaw(file.relative_to(path / "clips").with_suffix("").as_posix(), "no row in labels.csv", "not read")
    without_subject = [group for group in _by_clip(rows) if not any(row.subject for row in group)]
    if without_subject:
        yield Flaw(
            "labels.csv",
            f"no subject for {len(without_subject)} clips",
            "each counts as its own subject, so a person in several clips can be on both sides of a split",
        )


def _read_text(path: Path) -> str:
    if not path.exists():
        return ""
    try:
        with path.open(encoding="utf-8", newline="") as file:
            return file.read()
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path} is not text in UTF-8 ({error}). Save it as UTF-8.") from error


def _fill(path: Path, dataset: Dataset) -> None:
    rows: list[Row] = []
    for clip, stem in zip(dataset.clips, _stems(dataset.clips), strict=True):
        rows += _rows_of(clip, stem)
        file = _file(path, stem)
        make_folder(file.parent)
        clipfile.save(file, clipfile.ClipMotion(clip.points, clip.times, dataset.skeleton))
    write_rows(path / "labels.csv", rows)
    (path / "labels.txt").write_text("".join(f"{label}\n" for label in dataset.labels), encoding="utf-8")
    if dataset.terms:
        (path / "terms.txt").write_text(dataset.terms, encoding="utf-8", newline="")
    if dataset.flaws:
        write_flaws(path / "flaws.csv", dataset.flaws)


def _rows_of(clip: Clip, stem: str) -> Iterator[Row]:
    name = "" if clip.name == stem else clip.name
    for part in clip.segments or (Segment(""),):
        yield Row(stem, part.label, part.start, part.end, clip.subject, clip.split, kind=clip.kind, name=name)


def _stems(clips: Iterable[Clip]) -> Iterator[str]:
    """A unique file name for every clip, without characters that some systems do not allow."""
    taken: set[str] = set()
    for clip in clips:
        parts = [clip.kind] if clip.kind else []
        stem = "/".join(re.sub(r"[^\w+ -]", "_", part).strip() or "_" for part in (*parts, *clip.name.split("/")))
        stem = next(s for k in count(1) if (s := stem if k == 1 else f"{stem}-{k}").casefold() not in taken)
        taken.add(stem.casefold())
        yield stem
