"""What the commands of ``kinelift recognition`` share: their options, and how they read."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import tyro

from kinelift.models.enas.architecture import AnyGenotype, genotype_from_mapping
from kinelift.models.enas.genotype import HAND_CHOSEN
from kinelift.poses.errors import DataError
from kinelift.recognition.data import labelled_folder
from kinelift.recognition.encoding.spmf import Encoding
from kinelift.recognition.training.corpus import Corpus, corpus_of
from kinelift.recognition.training.trainer import TrainSettings
from kinelift.terminal.reporter import Reporter

Data = Annotated[Path, tyro.conf.arg(help="A folder with labels.csv and clips/ (docs/reference/labelled-motion.md).")]
Out = Annotated[Path, tyro.conf.arg(aliases=["-o"])]
Settings = Annotated[TrainSettings, tyro.conf.arg(name="")]
Cell = Annotated[Path | None, tyro.conf.arg(metavar="FILE")]


def read(data: Path, settings: TrainSettings, reporter: Reporter) -> tuple[Corpus, TrainSettings]:
    """The windows in a folder, and settings whose pictures are of its skeleton. Everything odd is reported."""
    dataset = labelled_folder.read(data)
    show_flaws(dataset.flaws, reporter)
    corpus = corpus_of(dataset, settings.plan)
    if corpus.unseen:
        reporter.note(f"Left out: {corpus.unseen} windows with a joint out of sight for over {settings.plan.gap} s.")
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
        return genotype_from_mapping(values["candidates"][0]["genotype"] if "candidates" in values else values)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DataError(f"{path} holds no cell ({error}). Make one with: kinelift recognition search") from error


def show_flaws(flaws: tuple[object, ...], reporter: Reporter) -> None:
    """One line a flaw."""
    for flaw in flaws:
        reporter.note(flaw)
