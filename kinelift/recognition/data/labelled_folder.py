"""The layout in which anybody can bring labelled motion, and what every training here reads.

``labels.csv``: one row a labelled stretch (``recognition.data.table``). ``clips/NAME.npz``: the poses
(``recognition.data.clipfile``). Optional: ``labels.txt``, the labels in their order, one a line; ``terms.txt``, origin
and licence; ``flaws.csv``, what was wrong with clips before.
"""

import re
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import count
from pathlib import Path, PurePosixPath

import numpy as np

from kinelift.poses import Skeleton
from kinelift.poses.errors import DataError, OutputError
from kinelift.poses.output import make_folder, replacing
from kinelift.recognition.data import clipfile, repair
from kinelift.recognition.data.clips import Clip, Dataset, Flaw, Segment
from kinelift.recognition.data.table import Row, read_flaws, read_rows, write_flaws, write_rows


def read(path: Path) -> Dataset:
    """The data set in the folder ``path``, with what is wrong with it but can be used as ``flaws``.

    A clip without a subject counts as its own. Labels come in the order of ``labels.txt``, else in that of their first
    rows. Raises ``DataError`` naming the file, the line and the remedy.
    """
    if not path.is_dir():
        raise DataError(f"There is no folder {path}. Name one that holds labels.csv and clips/.")
    rows = read_rows(path / "labels.csv")
    labels = _labels(path, rows)
    clips: list[Clip] = []
    flaws = list(read_flaws(path / "flaws.csv"))
    skeletons: dict[Skeleton, Path] = {}
    for group in _by_clip(rows):
        clip, layout, found = _clip(path, group)
        skeletons.setdefault(layout, _file(path, group[0].clip))
        if len(skeletons) > 1:
            raise DataError(_mixed(skeletons))
        clips.append(clip)
        flaws += found
    flaws += _loose_ends(path, rows)
    return Dataset(next(iter(skeletons)), labels, tuple(clips), _text(path / "terms.txt"), tuple(dict.fromkeys(flaws)))


def write(path: Path, dataset: Dataset) -> None:
    """Write a new folder that ``read`` reads.

    Raises ``OutputError`` if it cannot or if something is there already, ``DataError`` for names that no table can
    hold and for a data set without clips.
    """
    if path.exists() and (not path.is_dir() or any(path.iterdir())):
        raise OutputError(f"{path} is there already. Choose another folder, or remove it.")
    if not dataset.clips:
        raise DataError(f"There are no clips to write to {path}. Give some.")
    for text in (*dataset.labels, *(clip.name for clip in dataset.clips)):
        if not text or text != text.strip() or len(text.splitlines()) > 1:
            raise DataError(f"The name {text!r} is empty, has spaces around it or several lines. Choose another.")
    make_folder(path.parent)
    with replacing(path) as part:
        shutil.rmtree(part, ignore_errors=True)
        try:
            _fill(make_folder(part), dataset)
        except BaseException:
            shutil.rmtree(part, ignore_errors=True)
            raise


def _labels(path: Path, rows: Iterable[Row]) -> tuple[str, ...]:
    table, listed = path / "labels.csv", path / "labels.txt"
    used: dict[str, int] = {}
    for row in rows:
        if row.label:
            used.setdefault(row.label, row.line)
    if not used:
        raise DataError(f"{table} has no label in any row. Write what people do into the column label.")
    if not listed.exists():
        return tuple(used)
    order = tuple(dict.fromkeys(line.strip() for line in _text(listed).splitlines() if line.strip()))
    if strange := [label for label in used if label not in order]:
        raise DataError(
            f"{table}, line {used[strange[0]]}: the label {strange[0]!r} is not in {listed}. Add it there, correct it, "
            f"or remove {listed.name}."
        )
    return order


def _by_clip(rows: Iterable[Row]) -> list[list[Row]]:
    """Rows about the same poses, in the order of the first of each."""
    groups: dict[tuple[str, str], list[Row]] = {}
    for row in rows:
        groups.setdefault((row.clip, row.person), []).append(row)
    return list(groups.values())


def _clip(path: Path, rows: Sequence[Row]) -> tuple[Clip, Skeleton, tuple[Flaw, ...]]:
    table, first = path / "labels.csv", rows[0]
    name = _one(table, rows, "name") or " ".join(filter(None, (first.clip, first.person)))
    points, times, layout = clipfile.load(_file(path, first.clip), first.person)
    points, times, flaws = repair.tidy(name, points, times)
    if not np.isfinite(points).any():
        raise DataError(f"{_file(path, first.clip)} has no usable pose at any usable time. Remove it and its rows.")
    for row in rows:
        if row.label and not (row.start <= times[-1] and row.end > times[0]):
            raise DataError(
                f"{table}, line {row.line}: {row.label} is from {row.start:g} to {row.end:g} s, but {row.clip} lasts "
                f"from {times[0]:g} to {times[-1]:g} s. Correct it; times are in seconds on the clip's own clock."
            )
    clip = Clip(
        name,
        _one(table, rows, "subject") or name,
        points,
        times,
        tuple(Segment(row.label, row.start, row.end) for row in rows if row.label),
        _one(table, rows, "split"),
        _one(table, rows, "kind"),
    )
    return clip, layout, flaws


def _one(table: Path, rows: Iterable[Row], column: str) -> str:
    """What the rows of one clip say about it, which they need not repeat."""
    said = {getattr(row, column): row.line for row in rows if getattr(row, column)}
    if len(said) > 1:
        (a, line_a), (b, line_b) = list(said.items())[:2]
        raise DataError(f"{table}: {column} of one clip is {a!r} in line {line_a}, {b!r} in line {line_b}. Choose one.")
    return next(iter(said), "")


def _file(path: Path, clip: str) -> Path:
    inner = PurePosixPath(f"{clip}.npz")
    if inner.is_absolute() or ".." in inner.parts:
        raise DataError(f"{path / 'labels.csv'} names the clip {clip!r}, outside its folder. Put its file into clips/.")
    return path / "clips" / inner


def _mixed(skeletons: Mapping[Skeleton, Path]) -> str:
    (a, file_a), (b, file_b) = list(skeletons.items())[:2]
    return f"{file_a} has the skeleton {a}, but {file_b} has {b}. A data set has one: make two data sets of them."


def _loose_ends(path: Path, rows: Iterable[Row]) -> Iterator[Flaw]:
    rows = list(rows)
    named = {_file(path, row.clip) for row in rows}
    for file in sorted((path / "clips").rglob("*.npz")):
        if file not in named:
            yield Flaw(file.relative_to(path / "clips").with_suffix("").as_posix(), "no row in labels.csv", "not read")
    anonymous = [group for group in _by_clip(rows) if not any(row.subject for row in group)]
    if anonymous:
        yield Flaw(
            "labels.csv",
            f"no subject for {len(anonymous)} clips",
            "each counts as its own, so a person who is in several can be on both sides of a split",
        )


def _text(path: Path) -> str:
    if not path.exists():
        return ""
    try:
        with path.open(encoding="utf-8", newline="") as file:
            return file.read()
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path} is not text in UTF-8 ({error}). Save it as such.") from error


def _fill(path: Path, dataset: Dataset) -> None:
    rows: list[Row] = []
    for clip, stem in zip(dataset.clips, _stems(dataset.clips), strict=True):
        rows += _rows_of(clip, stem)
        file = _file(path, stem)
        make_folder(file.parent)
        clipfile.save(file, clipfile.Motion(clip.points, clip.times, dataset.skeleton))
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
    """A file name for every clip: its own, but for what not all systems allow, and with a number if it is taken."""
    taken: set[str] = set()
    for clip in clips:
        parts = [clip.kind] if clip.kind else []
        stem = "/".join(re.sub(r"[^\w+ -]", "_", part).strip() or "_" for part in (*parts, *clip.name.split("/")))
        stem = next(s for k in count(1) if (s := stem if k == 1 else f"{stem}-{k}").casefold() not in taken)
        taken.add(stem.casefold())
        yield stem
