"""What the commands of ``python -m recognition`` share: where they write, how they count, how they read."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import tyro
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from kinelift.models.enas.architecture import AnyGenotype, genotype
from kinelift.models.enas.genotype import HAND_CHOSEN
from kinelift.poses.errors import DataError
from kinelift.recognition.data import labelled_folder
from kinelift.recognition.encoding.spmf import Encoding
from kinelift.recognition.training.corpus import Corpus, corpus_of
from kinelift.recognition.training.trainer import TrainSettings

Data = Annotated[Path, tyro.conf.arg(help="A folder with labels.csv and clips/ (docs/reference/labelled-motion.md).")]
Out = Annotated[Path, tyro.conf.arg(aliases=["-o"])]
Settings = Annotated[TrainSettings, tyro.conf.arg(name="")]
Cell = Annotated[Path | None, tyro.conf.arg(help="The cell that a search found; without it, one chosen by hand.")]

console = Console(stderr=True)


def read(data: Path, settings: TrainSettings) -> tuple[Corpus, TrainSettings]:
    """The windows in a folder, and settings whose pictures are of its skeleton. Everything odd is reported."""
    dataset = labelled_folder.read(data)
    show_flaws(dataset.flaws)
    corpus = corpus_of(dataset, settings.plan)
    if corpus.unseen:
        console.print(f"Left out: {corpus.unseen} windows with a joint out of sight for over {settings.plan.gap} s.")
    if not len(corpus):
        raise DataError(
            f"No window in {data} shows a label. Windows last {settings.plan.seconds} s: see --plan.seconds."
        )
    if settings.encoding.skeleton != dataset.skeleton.name:
        settings = replace(settings, encoding=Encoding.of(dataset.skeleton.name))
    return corpus, settings


def cell_of(path: Path | None) -> AnyGenotype:
    """What a search found, or a genotype alone."""
    if path is None:
        return HAND_CHOSEN
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
        return genotype(values["candidates"][0]["genotype"] if "candidates" in values else values)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DataError(f"{path} holds no cell ({error}). Make one with: python -m recognition search") from error


def show_flaws(flaws: tuple[object, ...]) -> None:
    """One line a flaw."""
    for flaw in flaws:
        console.print(f"[yellow]note:[/] {flaw}", highlight=False)


@contextmanager
def progress(total: int, done: int = 0) -> Iterator[Callable[[str], None]]:
    """A bar of epochs; call what it yields after each, with a description."""
    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()
    with Progress(*columns, console=console) as bar:
        task = bar.add_task("epochs", total=total, completed=done)
        yield lambda description: bar.update(task, advance=1, description=description)
