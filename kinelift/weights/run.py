"""The inputs of a run, stored with every result that is reused: training state, checkpoint or measurement.

A result of other inputs is refused: continuing with old weights and new labels would give a wrong model.
"""

import hashlib
import json
import zipfile
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, fields, is_dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from kinelift import __version__
from kinelift.poses.errors import KineliftError, ResumeError, WeightsError
from kinelift.poses.output import replacing

INCREASABLE = ("epochs",)
"""Settings that may be increased when a run is resumed, to train for longer."""
_MAX_DIFFERENCES = 8
_FACTS = ("inputs", "settings", "version")


@dataclass(frozen=True)
class Run:
    """The inputs of a training, a search or a measurement, as JSON values.

    A run can be resumed with another patch release (0.1.0 and 0.1.3), which fixes bugs but changes neither networks nor
    sampling. Any other release may change both, and a run trained by two of them would not be reproducible.

    Args:
        inputs: What is read, by name: labels, and fingerprints of data and checkpoints.
        settings: The settings, by name.
        version: Version of the program.
    """

    inputs: Mapping[str, Any]
    settings: Mapping[str, Any]
    version: str = __version__

    def facts(self) -> dict[str, Any]:
        """Inputs, settings and version as JSON values, to be stored with a result."""
        facts: dict[str, Any] = json.loads(json.dumps({name: getattr(self, name) for name in _FACTS}))
        return facts

    def differences(self, stored: Mapping[str, Any], increasable: Collection[str] = ()) -> list[str]:
        """Compare with an earlier run.

        Args:
            stored: The ``facts`` of the earlier run.
            increasable: Names of settings that may be higher now.

        Returns:
            One text for each difference.
        """
        current = self.facts()
        differences = []
        for part in _FACTS[:2]:
            old, new = _flattened(stored[part]), _flattened(current[part])
            differences += [
                _difference(name, old.get(name), new.get(name))
                for name in (*old, *(name for name in new if name not in old))
                if old.get(name) != new.get(name) and not (name in increasable and old.get(name, 0) < new.get(name, 0))
            ]
        if _minor_release(stored["version"]) != _minor_release(current["version"]):
            differences.append(_difference("the program's version", stored["version"], current["version"]))
        return differences

    def check(self, path: Path, stored: Mapping[str, Any], increasable: Collection[str] = ()) -> None:
        """Check that a file is a result of this run.

        Args:
            path: The file, for the message.
            stored: The facts stored in it.
            increasable: Names of settings that may be higher now.

        Raises:
            ResumeError: The file is a result of other inputs, or does not record its inputs.
        """
        remedy = f"Delete {path} to start again, or choose another output with -o."
        if not records_inputs(stored):
            raise ResumeError(
                f"{path} does not record its inputs: an earlier version of the program wrote it. {remedy}"
            )
        if differences := self.differences(stored, increasable):
            listed = "; ".join(differences[:_MAX_DIFFERENCES])
            hidden = len(differences) - _MAX_DIFFERENCES
            more = f"; and {hidden} more" if hidden > 0 else ""
            raise ResumeError(f"{path} was made from other inputs than this run: {listed}{more}. {remedy}")


def records_inputs(stored: Any) -> bool:
    """Whether a result records its inputs; results of earlier versions do not."""
    kinds = {"inputs": Mapping, "settings": Mapping, "version": str}
    return isinstance(stored, Mapping) and all(isinstance(stored.get(name), kind) for name, kind in kinds.items())


def save_state(path: Path, state: Mapping[str, Any], run: Run) -> None:
    """Write a training state with the inputs of its run, in one move.

    Args:
        path: The file to write.
        state: Tensors, numbers, strings, and nested containers of them.
        run: The run, stored as JSON.

    Raises:
        OutputError: The file cannot be written.
    """
    with replacing(path) as part, part.open("wb") as file:
        torch.save({"run": json.dumps(run.facts(), indent=1), **state}, file)


def load_state(path: Path, run: Run) -> dict[str, Any]:
    """Read the state of an interrupted run onto the CPU. Nothing in the file is executed.

    Args:
        path: A file written by ``save_state``.
        run: The current run. Of its settings, those in ``INCREASABLE`` may be higher than in the file.

    Returns:
        The state that was saved.

    Raises:
        WeightsError: The file is not a training state.
        ResumeError: The state belongs to a run with other inputs.
    """
    remedy = "Delete it to start again, or choose another output with -o."
    try:
        _check_stored(path)
        state: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
        facts = json.loads(state.pop("run", "{}"))
    except Exception as error:  # damaged bytes can raise anything
        raise WeightsError(f"{path} is not the state of a training run ({_short(error)}). {remedy}") from error
    run.check(path, facts, INCREASABLE)
    return state


@contextmanager
def restoring(path: Path) -> Iterator[None]:
    """Turn any error that is raised while a state is put back into a ``WeightsError``.

    Args:
        path: The file of the state.

    Raises:
        WeightsError: Something that belongs to the state is missing or has another shape.
    """
    try:
        yield
    except KineliftError:
        raise
    except Exception as error:  # a damaged state can raise anything
        raise WeightsError(
            f"{path} does not hold the state of this run ({type(error).__name__}: {_short(error)}). Delete it to start "
            "again, or choose another output with -o."
        ) from error


def _check_stored(path: Path) -> None:
    """Check that a zip is stored as ``torch.save`` does, without compression, so that it cannot outgrow its size.

    Raises:
        ValueError: It is not.
    """
    with zipfile.ZipFile(path) as archive:
        members = archive.infolist()
    names = {info.filename for info in members}
    stored = all(info.compress_type == zipfile.ZIP_STORED for info in members)
    if not stored or len(names) < len(members) or sum(info.file_size for info in members) > path.stat().st_size:
        raise ValueError("torch did not write this zip file")


def fingerprint(value: Any) -> str:
    """SHA-256 of arrays, tensors, numbers, strings, None, and of dataclasses, mappings and iterables of them.

    The hash covers contents, types and shapes, and the order of an iterable but not that of a mapping. Arrays are
    hashed in place and iterators one item at a time, without copies of the whole.

    Raises:
        TypeError: A value has another type.
    """
    digest = hashlib.sha256()
    for part in _parts(value):
        digest.update(part)
    return digest.hexdigest()


def _parts(value: Any) -> Iterator[Any]:
    """The bytes to hash. Each string ends with a NUL, so that different values give different bytes."""
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
        yield from _parts({item.name: getattr(value, item.name) for item in fields(value)})
    elif isinstance(value, Mapping):
        yield from _parts(sorted(value.items()))
    elif isinstance(value, Iterable):
        yield b"[\0"
        for item in value:
            yield from _parts(item)
        yield b"]\0"
    else:
        raise TypeError(f"No fingerprint of a {type(value).__name__}.")


def _flattened(values: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Nested values by dotted names."""
    flat: dict[str, Any] = {}
    for name, value in values.items():
        flat |= _flattened(value, f"{prefix}{name}.") if isinstance(value, Mapping) else {prefix + name: value}
    return flat


def _difference(name: str, old: Any, new: Any) -> str:
    if name.endswith(".sha256") and old is not None and new is not None:
        return f"{name.removesuffix('.sha256')}: other content"
    return f"{name} was {_short(old)}, now {_short(new)}"


def _short(value: Any) -> str:
    text = "none" if value in (None, [], "") else ", ".join(map(str, value)) if isinstance(value, list) else str(value)
    text = " ".join(text.split())
    return text if len(text) <= 80 else f"{text[:77]}…"


def _minor_release(version: str) -> list[str]:
    return version.split(".")[:2]
