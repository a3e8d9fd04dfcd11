"""What a run depends on. It is stored with every result that is used again: state, checkpoint, measurement.

A result of other inputs is refused: old weights under new labels are worse than none.
"""

import hashlib
import json
import pickle
import zipfile
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, fields, is_dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from kinelift.poses.errors import ResumeError, WeightsError
from kinelift.poses.output import replacing

RAISED = ("epochs",)
"""Settings that may be higher when an interrupted run goes on: it is then trained for longer."""
_SHOWN = 8
_FACTS = ("inputs", "settings", "version")


def program_version() -> str:
    """The installed version of the program, "unknown" where it was never installed."""
    try:
        return metadata.version("kinelift")
    except metadata.PackageNotFoundError:
        return "unknown"


@dataclass(frozen=True)
class Run:
    """The inputs of a training, a search or a measurement. All values are ready for JSON.

    ``inputs``: what is read, by name: labels, and fingerprints of data and checkpoints. ``settings``: what is chosen.
    ``version``: of the program.

    A run may go on under another patch release (0.1.0 and 0.1.3): such a release repairs faults and leaves networks and
    sampling alone, so installing it must not cost anybody days of training. Any other release may change both, and
    nobody could repeat a run that was half trained by each.
    """

    inputs: Mapping[str, Any]
    settings: Mapping[str, Any]
    version: str = field(default_factory=program_version)

    def facts(self) -> dict[str, Any]:
        """The three as JSON has them, to be stored with a result."""
        return json.loads(json.dumps({name: getattr(self, name) for name in _FACTS}))

    def differences(self, stored: Mapping[str, Any], raised: Collection[str] = ()) -> list[str]:
        """What differs from the ``facts`` of an earlier run, one text each. Numbers named in ``raised`` may grow."""
        now = self.facts()
        found = []
        for part in _FACTS[:2]:
            old, new = _leaves(stored[part]), _leaves(now[part])
            found += [
                _difference(name, old.get(name), new.get(name))
                for name in (*old, *(name for name in new if name not in old))
                if old.get(name) != new.get(name) and not (name in raised and old.get(name, 0) < new.get(name, 0))
            ]
        if _release(stored["version"]) != _release(now["version"]):
            found.append(_difference("the program's version", stored["version"], now["version"]))
        return found

    def check(self, path: Path, stored: Mapping[str, Any], raised: Collection[str] = ()) -> None:
        """Raise ``ResumeError`` unless ``path``, which holds the facts ``stored``, is a result of this run."""
        remedy = f"Delete {path} to start anew, or name another output with -o."
        if not recorded(stored):
            raise ResumeError(
                f"{path} does not say what it was made from: an earlier version of the program wrote it. {remedy}"
            )
        if found := self.differences(stored, raised):
            more = f"; and {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
            raise ResumeError(
                f"{path} was made from other inputs than this run has: {'; '.join(found[:_SHOWN])}{more}. {remedy}"
            )


def recorded(stored: Any) -> bool:
    """Whether a result says what it was made from: those of earlier versions do not."""
    kinds = {"inputs": Mapping, "settings": Mapping, "version": str}
    return isinstance(stored, Mapping) and all(isinstance(stored.get(name), kind) for name, kind in kinds.items())


def save_state(path: Path, state: Mapping[str, Any], run: Run) -> None:
    """Write tensors, numbers, strings and nested containers of them, with their run as JSON, in one move.

    Raises ``OutputError`` where the system refuses to write.
    """
    with replacing(path) as part, part.open("wb") as file:
        torch.save({"run": json.dumps(run.facts(), indent=1), **state}, file)


def load_state(path: Path, run: Run) -> dict[str, Any]:
    """Read what ``save_state`` wrote for an earlier part of ``run``, onto the CPU. Nothing in the file is executed.

    Raises ``WeightsError`` for any other file, ``ResumeError`` if it is of a run with other inputs; of the settings
    only ``RAISED`` may differ.
    """
    remedy = "Delete it to start anew, or name another output with -o."
    if not zipfile.is_zipfile(path):
        raise WeightsError(f"{path} is not the state of a training run. {remedy}")
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except (OSError, RuntimeError, pickle.UnpicklingError) as error:
        raise WeightsError(f"{path} is not the state of a training run: {error}. {remedy}") from error
    if not isinstance(state, dict):
        raise WeightsError(f"{path} is not the state of a training run. {remedy}")
    run.check(path, json.loads(state.pop("run", "{}")), RAISED)
    return state


def fingerprint(value: Any) -> str:
    """SHA-256 of arrays, tensors, numbers, texts, None, and of dataclasses, mappings and iterables of them.

    Contents count, with their types and shapes; so does the order of an iterable, but not that of a mapping. Arrays
    are read where they are, and an iterator one item at a time: nothing is copied as a whole.
    """
    digest = hashlib.sha256()
    for part in _parts(value):
        digest.update(part)
    return digest.hexdigest()


def _parts(value: Any) -> Iterator[Any]:
    """Bytes that say what ``value`` is; each piece of text ends with a mark, so that no two values share them."""
    if isinstance(value, Tensor):
        yield from _parts(value.detach().cpu().numpy())
    elif isinstance(value, np.ndarray):
        yield f"array {value.dtype.str} {value.shape}\0".encode()
        yield np.ascontiguousarray(value).reshape(-1).view(np.uint8)
    elif isinstance(value, np.generic):
        yield from _parts(value.item())
    elif isinstance(value, str | int | float | None):
        yield f"{value!r}\0".encode()
    elif is_dataclass(value):
        yield from _parts({each.name: getattr(value, each.name) for each in fields(value)})
    elif isinstance(value, Mapping):
        yield from _parts(sorted(value.items()))
    elif isinstance(value, Iterable):
        yield b"[\0"
        for item in value:
            yield from _parts(item)
        yield b"]\0"
    else:
        raise TypeError(f"No fingerprint of a {type(value).__name__}.")


def _leaves(values: Mapping[str, Any], above: str = "") -> dict[str, Any]:
    """Nested values by dotted names."""
    found: dict[str, Any] = {}
    for name, value in values.items():
        found |= _leaves(value, f"{above}{name}.") if isinstance(value, Mapping) else {above + name: value}
    return found


def _difference(name: str, old: Any, new: Any) -> str:
    if name.endswith(".sha256") and old is not None and new is not None:
        return f"{name.removesuffix('.sha256')}: other content"
    return f"{name} was {_short(old)}, now {_short(new)}"


def _short(value: Any) -> str:
    text = "none" if value in (None, [], "") else ", ".join(map(str, value)) if isinstance(value, list) else str(value)
    text = " ".join(text.split())
    return text if len(text) <= 80 else f"{text[:77]}…"


def _release(version: str) -> list[str]:
    return version.split(".")[:2]
