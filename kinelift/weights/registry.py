"""What weights exist: one record each, read from ``registry.json``, the only list of names, hashes and licences."""

import difflib
import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from kinelift.poses.errors import WeightsError
from kinelift.weights.sources import Npm, Shipped, Source, Url, Wheel

REGISTRY = Path(__file__).with_name("registry.json")

_SOURCES: Mapping[str, Callable[..., Source]] = {"shipped": Shipped, "https": Url, "pypi": Wheel, "npm": Npm}


@dataclass(frozen=True)
class Entry:
    """One file of weights.

    ``file`` is the name it is stored under; ``size`` in bytes; ``sha256`` in hex; ``licence`` an SPDX identifier;
    ``trained_on`` the data; ``measured`` how good it is, on what (both empty for what is not a model).
    """

    name: str
    summary: str
    file: str
    size: int
    sha256: str
    licence: str
    trained_on: str
    measured: str
    source: Source


def entries(registry: Path | None = None) -> tuple[Entry, ...]:
    """Every known entry, in the order of the file. Raises ``WeightsError`` if the file cannot be used."""
    registry = registry or REGISTRY
    try:
        records = json.loads(registry.read_text(encoding="utf-8"))
        return tuple(_entry(name, record) for name, record in records.items())
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise WeightsError(f"The list of weights {registry} is damaged ({error!r}). Reinstall Kinelift.") from error


def entry(name: str, registry: Path | None = None) -> Entry:
    """The entry of that name. Raises ``WeightsError`` naming the known ones."""
    known = {e.name: e for e in entries(registry)}
    if name not in known:
        close = difflib.get_close_matches(name, known, n=1, cutoff=0.4)
        hint = f" Did you mean {close[0]!r}?" if close else ""
        raise WeightsError(f"Unknown weights {name!r}.{hint} Known: {', '.join(known)}.")
    return known[name]


def record(new: Entry, path: Path, registry: Path | None = None) -> Entry:
    """Add or replace an entry; its size and hash are taken from the file at ``path``. Returns what was written.

    Raises ``WeightsError`` if the file cannot be read or the registry cannot be written.
    """
    registry = registry or REGISTRY
    part = registry.with_name(registry.name + ".part")
    try:
        complete = replace(new, size=path.stat().st_size, sha256=sha256(path))
        records = {e.name: _as_json(e) for e in entries(registry)} | {new.name: _as_json(complete)}
        part.write_text(json.dumps(records, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
        part.replace(registry)
    except OSError as error:
        raise WeightsError(f"Cannot record {path} in {registry}: {error}. Run this in a checkout of yours.") from error
    return complete


def sha256(path: Path) -> str:
    """The SHA-256 of a file, in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _entry(name: str, fields: Mapping[str, Any]) -> Entry:
    source = dict(fields["source"])
    kind = _SOURCES[source.pop("kind")]
    settings = {key: tuple(value) if isinstance(value, list) else value for key, value in source.items()}
    return Entry(name=name, **{**fields, "source": kind(**settings)})


def _as_json(item: Entry) -> dict[str, Any]:
    kind = next(kind for kind, made in _SOURCES.items() if made is type(item.source))
    fields = {key: value for key, value in asdict(item).items() if key != "name"}
    return {**fields, "source": {"kind": kind, **fields["source"]}}
