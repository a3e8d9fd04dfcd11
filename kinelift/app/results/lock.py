"""Keeps a folder of results to one program at a time, and says which one has it."""

import json
import os
import platform
import shutil
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime
from hashlib import blake2b
from pathlib import Path

from filelock import FileLock, Timeout

from kinelift.app.results.source import Source
from kinelift.poses.errors import DataError, OutputError
from kinelift.poses.exchange import restore
from kinelift.poses.json_values import from_json, parse, to_json
from kinelift.poses.output import make_folder, output_errors, replacing

CHECKPOINT, NEW, OLD = "checkpoint", "new", "old"
"""Folders in the working folder: what an interrupted run has found, the results in the making, and the earlier ones."""
_LOCK, _HOLDER = "lock", "holder.json"
_LONGEST_NAME = 100
"""Bytes of a folder's name above which that of its working folder is shortened: names may have 255 bytes."""


@dataclass(frozen=True)
class _Holder:
    """The program that works on a folder, or was the last to do so."""

    source: Source
    process: int
    host: str
    since: str


def working_folder(path: Path) -> Path:
    """Where a program works on the results in ``path``: ``.NAME.part`` beside it."""
    path = path.resolve()  # the target of a link
    if len(os.fsencode(path.name)) <= _LONGEST_NAME:
        return path.with_name(f".{path.name}.part")
    return path.with_name(f".{blake2b(os.fsencode(path.name), digest_size=16).hexdigest()}.part")


def checkpoint_source(path: Path) -> Source | None:
    """The video of whose analysis ``path`` has a checkpoint; None if there is no checkpoint."""
    holder = _holder(path) if (working_folder(path) / CHECKPOINT).exists() else None
    return None if holder is None else holder.source


def lock(path: Path, source: Source, held: ExitStack) -> bool:
    """Lock the folder ``path`` until ``held`` closes.

    Args:
        path: The folder. It need not exist.
        source: The video whose results it will get.
        held: Releases the lock, and removes the working folder unless it has a checkpoint.

    Returns:
        Whether it is locked; not if another program writes the results of another video there.

    Raises:
        OutputError: Another program writes the results of this video there, or the lock cannot be made.
    """
    work = working_folder(path)
    if work.is_symlink():
        raise OutputError(f"{work} is a link. Remove it, or choose another folder with -o.")
    with output_errors(path):
        try:
            held.enter_context(FileLock(make_folder(work) / _LOCK, timeout=0))
        except Timeout:
            _refuse_same_source(path, source)
            return False
        held.callback(_remove, work)
        restore(work / OLD, path.resolve())
    since = datetime.now().astimezone().strftime("%Y-%m-%d %H:%M")
    holder = _Holder(source, os.getpid(), platform.node(), since)
    with replacing(work / _HOLDER) as part:
        part.write_text(json.dumps(to_json(holder)) + "\n", encoding="utf-8")
    return True


def _remove(work: Path) -> None:
    kept = any((work / CHECKPOINT).glob("*.npz"))
    shutil.rmtree(work / NEW if kept else work, ignore_errors=True)


def _refuse_same_source(path: Path, source: Source) -> None:
    holder = _holder(path)
    if holder is None or holder.source == source:
        who = f"process {holder.process} on {holder.host}, since {holder.since}" if holder else "which has just started"
        raise OutputError(
            f"{path} is being written by another Kinelift ({who}). Wait until it has finished, or choose another "
            "folder with -o."
        )


def _holder(path: Path) -> _Holder | None:
    try:
        holder: _Holder = from_json(_Holder, parse((working_folder(path) / _HOLDER).read_bytes(), _HOLDER), "")
    except (OSError, DataError):
        return None
    return holder
