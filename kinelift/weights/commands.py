"""``kinelift weights``: list, fetch and verify networks; record and import them."""

from collections.abc import Sequence
from math import prod
from pathlib import Path
from typing import Annotated

import tyro
from rich.table import Table
from rich.text import Text
from tyro.conf import Positional

from kinelift.poses.errors import WeightsError
from kinelift.terminal.parsing import Command, run_command
from kinelift.terminal.reporter import Reporter
from kinelift.weights import registry
from kinelift.weights.registry import Entry, sha256
from kinelift.weights.sources import Shipped
from kinelift.weights.store import FILES, State, default_store

_METHOD = "Pavllo et al. 2019, 3D human pose estimation in video with temporal convolutions"
_TERMS = "Those of whoever published the file and of the data it was trained on; Kinelift's licence does not cover it."

Names = Annotated[tuple[str, ...], tyro.conf.arg(metavar="[NAME ...]")]
_COLOUR = {State.READY: "green", State.MISSING: "dim", State.DAMAGED: "bold red"}


def show() -> None:
    """Show every known file: size, licence, whether it is here, what it is."""
    store, reporter = default_store(), Reporter()
    table = Table(box=None, pad_edge=False)
    for title in ("name", "MB", "licence", "state"):
        table.add_column(title, no_wrap=True)
    table.add_column("what it is")
    for entry in registry.entries():
        state = store.verify(entry)
        table.add_row(entry.name, f"{entry.size / 1e6:.1f}", entry.licence, _coloured(state), entry.summary)
    reporter.table(table)
    reporter.result(f"Fetched files lie in {store.cache} (set KINELIFT_CACHE to move them).")


def fetch(names: Positional[Names] = ()) -> None:
    """Download weights by name, check them, keep them in the cache; those that are there already stay.

    Args:
        names: What to fetch, as shown by ``list``.
    """
    if not names:
        raise WeightsError("Nothing to fetch: give one or more names. See them with: kinelift weights list")
    store, reporter = default_store(), Reporter()
    for entry in [registry.entry(name) for name in names]:
        with reporter.status(f"Fetching {entry.name} ({entry.size / 1e6:.1f} MB) from {entry.source}"):
            path = store.fetch(entry)
        reporter.result(f"{entry.name}: {path}")


def verify(names: Positional[Names] = ()) -> None:
    """Check files against the registry: the named ones, or every one that is here.

    Args:
        names: What to check. A named file that is missing counts as wrong.
    """
    store = default_store()
    chosen = [registry.entry(name) for name in names] or registry.entries()
    states = {entry: store.verify(entry) for entry in chosen}
    for entry, state in states.items():
        Reporter().result(f"{entry.name}: {state.value}")
    accepted = {State.READY} if names else {State.READY, State.MISSING}
    wrong = [entry for entry, state in states.items() if state not in accepted]
    if wrong:
        store.locate(wrong[0])


def record(
    name: Positional[str],
    file: Positional[str],
    summary: str,
    trained_on: str,
    measured: str,
    licence: str = "Apache-2.0",
) -> None:
    """Enter a checkpoint of our own, that lies in weights/files/, in the registry with its size and hash.

    Args:
        name: What users call it.
        file: Its file name in weights/files/.
        summary: What it does, in one line.
        trained_on: The data it was trained on.
        measured: How good it is, on what.
        licence: SPDX identifier.
    """
    path = FILES / Path(file).name
    if not path.is_file():
        raise WeightsError(f"No file {path}. Put the checkpoint there first.")
    entry = Entry(name, summary, path.name, 0, "", licence, trained_on, measured, Shipped())
    made = registry.record(entry, path)
    Reporter().result(f"{made.name}: {made.size} bytes, SHA-256 {made.sha256}")


def import_(
    file: Positional[Path],
    out: Annotated[Path, tyro.conf.arg(aliases=["-o"])],
    skeleton_in: Annotated[str | None, tyro.conf.arg(metavar="NAME")] = None,
    skeleton_out: Annotated[str | None, tyro.conf.arg(metavar="NAME")] = None,
    rate: float = 50.0,
    causal: bool = False,
) -> None:
    """Turn published weights of VideoPose3D (.bin) into a checkpoint for ``kinelift run VIDEO --lifter OUT``.

    Args:
        file: The published file. Nothing in it is run.
        out: The checkpoint to write, such as lifter.safetensors.
        skeleton_in: Layout of the keypoints. Without it: coco17 where there are 17, humaneva15 where there are 15.
        skeleton_out: Layout of the poses. Without it: h36m17 where there are 17, humaneva15 where there are 15.
        rate: Frames a second of the training data: 50 in Human3.6M, 60 in HumanEva.
        causal: The network answers for the last frame that it sees, not for the middle one.
    """
    from kinelift.weights import checkpoint, published  # torch: the other commands do without
    from kinelift.weights.videopose3d import Intent, converted

    about = {"imported_from": file.name, "method": _METHOD, "terms": _TERMS}
    held, intent = published.read(file), Intent(skeleton_in, skeleton_out, rate, causal)
    made = converted(held, intent, {**about, "sha256": sha256(file)})
    checkpoint.save(out, made)
    facts, config = made.description, made.description["config"]
    roots = "with" if facts["trajectory"] else "no"
    reporter = Reporter()
    reporter.result(
        f"{out}: {facts['skeleton_in']} → {facts['skeleton_out']}, {prod(config['widths'])} frames at "
        f"{facts['rate']:g} Hz, {config['channels']} channels, {config['layout']}, {roots} trajectory network."
    )
    for note in facts["about"]["assumed"]:
        reporter.result(note)


def main(arguments: Sequence[str]) -> int | None:
    """Run the command that ``arguments`` begin with."""
    commands: dict[str, Command] = {"list": show, "fetch": fetch, "verify": verify, "record": record, "import": import_}
    return run_command(commands, "kinelift weights", "The networks' weights.", arguments)


def _coloured(state: State) -> Text:
    return Text(state.value, style=_COLOUR[state])
