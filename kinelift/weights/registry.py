"""The registry of weights: names, hashes, licences and sources, read from ``registry.json``."""

import difflib
import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from kinelift.poses.errors import OutputError, WeightsError
from kinelift.poses.output import replacing
from kinelift.weights.sources import Npm, Shipped, Source, Url, Wheel

REGISTRY = Path(__file__).with_name("registry.json")

_SOURCES: Mapping[str, Callable[..., Source]] = {"shipped": Shipped, "https": Url, "pypi": Wheel, "npm": Npm}


@dataclass(frozen=True)
class Entry:
    """A registered file of weights.

    Args:
        name: What users call it.
        summary: What it does, in one line.
        file: The name that it is stored under.
        size: Its size in bytes.
        sha256: Its SHA-256 in hex.
        licence: An SPDX identifier.
        trained_on: The training data; empty for a file that is not a model.
        measured: Its accuracy, and on which data; empty for a file that is not a model.
        source: Where to get it.
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
    """All entries, in the order of the file.

    Args:
        registry: The registry file; by default the one of the program.

    Raises:
        WeightsError: The registry cannot be read.
    """
    registry = registry or REGISTRY
    try:
        records = json.loads(registry.read_text(encoding="utf-8"))
        return tuple(_entry(name, record) for name, record in records.items())
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise WeightsError(f"The registry of weights {registry} is damaged ({error!r}). Reinstall Kinelift.") from error


def entry(name: str, registry: Path | None = None) -> Entry:
    """Look up an entry by name.

    Raises:
        WeightsError: There is no such entry. The message lists the known names.
    """
    known = {item.name: item for item in entries(registry)}
    if name not in known:
        close = difflib.get_close_matches(name, known, n=1, cutoff=0.4)
        hint = f" Did you mean {close[0]!r}?" if close else ""
        raise WeightsError(f"Unknown weights {name!r}.{hint} Known: {', '.join(known)}.")
    return known[name]


def record(new: Entry, path: Path, registry: Path | None = None) -> Entry:
    """Add or replace an entry.

    Args:
        new: The entry. Its size and hash are ignored.
        path: The file, which determines size and hash.
        registry: The registry file; by default the one of the program.

    Returns:
        The entry as written.

    Raises:
        WeightsError: The file cannot be read, or the registry cannot be written.
    """
    registry = registry or REGISTRY
    try:
        complete = replace(new, size=path.stat().st_size, sha256=sha256(path))
        records = {item.name: _as_json(item) for item in entries(registry)} | {new.name: _as_json(complete)}
        with replacing(registry) as part:
            part.write_text(json.dumps(records, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    except (OSError, OutputError) as error:
        raise WeightsError(
            f"Cannot record {path} in {registry}: {error}. Run this in a checkout that you can write to."
        ) from error
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
    kind = next(kind for kind, source in _SOURCES.items() if source is type(item.source))
    fields = {key: value for key, value in asdict(item).items() if key != "name"}
    return {**fields, "source": {"kind": kind, **{k: v for k, v in fields["source"].items() if v != ""}}}
