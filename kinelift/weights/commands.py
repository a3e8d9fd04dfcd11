"""``kinelift weights``: list, fetch, verify, record and import weights."""

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
_TERMS = "Those of the publisher and of the training data; Kinelift's licence does not cover this file."

Line = Annotated[str, tyro.conf.arg(metavar="TEXT")]
Names = Annotated[tuple[str, ...], tyro.conf.arg(metavar="[NAME ...]")]
_COLOUR = {State.READY: "green", State.MISSING: "dim", State.DAMAGED: "bold red"}


def list_weights() -> None:
    """List the registered weights, with size, licence and state."""
    store, reporter = default_store(), Reporter()
    table = Table(box=None, pad_edge=False)
    for title in ("name", "MB", "licence", "state"):
        table.add_column(title, no_wrap=True)
    table.add_column("description")
    for entry in registry.entries():
        state = store.verify(entry)
        table.add_row(entry.name, f"{entry.size / 1e6:.1f}", entry.licence, _coloured(state), entry.summary)
    reporter.table(table)
    reporter.result(f"Fetched files are in {store.cache} (set KINELIFT_CACHE to use another folder).")
    if store.fetched:
        reporter.result(f"Files fetched beforehand are in {store.fetched} (KINELIFT_WEIGHTS).")


def fetch(names: Positional[Names] = ()) -> None:
    """Download weights to the cache and verify them.

    Args:
        names: The weights, as listed by kinelift weights list. Those in the cache are not downloaded again.
    """
    if not names:
        raise WeightsError("Give the names of the weights to fetch. List them with: kinelift weights list")
    store, reporter = default_store(), Reporter()
    for entry in [registry.entry(name) for name in names]:
        with reporter.status(f"Fetching {entry.name} ({entry.size / 1e6:.1f} MB) from {entry.source}"):
            path = store.fetch(entry)
        reporter.result(f"{entry.name}: {path}")


def verify(names: Positional[Names] = ()) -> None:
    """Verify weights against the hashes of the registry.

    Args:
        names: The weights to verify. By default all that are present. A named file that is missing is an error.
    """
    store = default_store()
    selected = [registry.entry(name) for name in names] or registry.entries()
    states = {entry: store.verify(entry) for entry in selected}
    for entry, state in states.items():
        Reporter().result(f"{entry.name}: {state.value}")
    accepted = {State.READY} if names else {State.READY, State.MISSING}
    invalid = [entry for entry, state in states.items() if state not in accepted]
    if invalid:
        store.locate(invalid[0])  # raises the error with its remedy


def record(
    name: Annotated[Positional[str], tyro.conf.arg(metavar="NAME")],
    file: Annotated[Positional[str], tyro.conf.arg(metavar="FILE")],
    summary: Line,
    trained_on: Line,
    measured: Line,
    licence: Annotated[str, tyro.conf.arg(metavar="SPDX")] = "Apache-2.0",
) -> None:
    """Add a checkpoint in weights/files/ to the registry, with its size and hash.

    Args:
        name: The name for users.
        file: The file name in weights/files/.
        summary: What it does, in one line.
        trained_on: The training data.
        measured: Its accuracy, and on which data.
        licence: The licence, as an SPDX identifier.
    """
    path = FILES / Path(file).name
    if not path.is_file():
        raise WeightsError(f"No file {path}. Put the checkpoint there first.")
    entry = Entry(name, summary, path.name, 0, "", licence, trained_on, measured, Shipped())
    written = registry.record(entry, path)
    Reporter().result(f"{written.name}: {written.size} bytes, SHA-256 {written.sha256}")


def import_(
    file: Annotated[Positional[Path], tyro.conf.arg(metavar="FILE")],
    out: Annotated[Path, tyro.conf.arg(aliases=["-o"], metavar="FILE")],
    skeleton_in: Annotated[str | None, tyro.conf.arg(metavar="NAME")] = None,
    skeleton_out: Annotated[str | None, tyro.conf.arg(metavar="NAME")] = None,
    rate: Annotated[float, tyro.conf.arg(metavar="FPS")] = 50.0,
    causal: bool = False,
) -> None:
    """Convert published VideoPose3D weights to a checkpoint for kinelift run --lifter.

    Args:
        file: The published file (.bin). No code in it is executed.
        out: The checkpoint to write, such as lifter.safetensors.
        skeleton_in: Layout of the keypoints. By default coco17 for 17 joints, humaneva15 for 15.
        skeleton_out: Layout of the poses. By default h36m17 for 17 joints, humaneva15 for 15.
        rate: Frame rate of the training data: 50 for Human3.6M, 60 for HumanEva.
        causal: The network predicts the last frame of its window, not the middle one.
    """
    from kinelift.weights import checkpoint, published  # imports torch, which the other commands do not need
    from kinelift.weights.videopose3d import ImportOptions, convert

    about = {"imported_from": file.name, "method": _METHOD, "terms": _TERMS}
    options = ImportOptions(skeleton_in, skeleton_out, rate, causal)
    converted = convert(published.read(file), options, {**about, "sha256": sha256(file)})
    checkpoint.save(out, converted)
    facts, config = converted.description, converted.description["config"]
    trajectory = "with" if facts["trajectory"] else "no"
    reporter = Reporter()
    reporter.result(
        f"{out}: {facts['skeleton_in']} → {facts['skeleton_out']}, {prod(config['widths'])} frames at "
        f"{facts['rate']:g} Hz, {config['channels']} channels, {config['layout']}, {trajectory} trajectory network."
    )
    for note in facts["about"]["assumed"]:
        reporter.result(note)


def main(arguments: Sequence[str]) -> int | None:
    """Run the command named by the first of ``arguments``."""
    commands: dict[str, Command] = {
        "list": list_weights,
        "fetch": fetch,
        "verify": verify,
        "record": record,
        "import": import_,
    }
    return run_command(commands, "kinelift weights", "Manage the weights of the networks.", arguments)


def _coloured(state: State) -> Text:
    return Text(state.value, style=_COLOUR[state])
