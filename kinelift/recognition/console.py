"""Options that the commands of ``kinelift recognition`` share, and how they are read."""

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


def read_corpus(data: Path, settings: TrainSettings, reporter: Reporter) -> tuple[Corpus, TrainSettings]:
    """Read the windows in a folder, and report its flaws.

    Returns:
        The windows, and the settings with the default encoding of their skeleton if they had another one's.

    Raises:
        DataError: The folder cannot be read, or has no labelled window.
    """
    dataset = labelled_folder.read(data)
    report_flaws(dataset.flaws, reporter)
    corpus = corpus_of(dataset, settings.plan)
    if corpus.incomplete:
        reporter.note(
            f"Left out {corpus.incomplete} windows in which a joint is not seen for over {settings.plan.gap} s."
        )
    if not len(corpus):
        raise DataError(f"No window in {data} has a label. Windows last {settings.plan.seconds} s: see --plan.seconds.")
    if settings.encoding.skeleton != dataset.skeleton.name:
        settings = replace(settings, encoding=Encoding.of(dataset.skeleton.name))
    return corpus, settings


def read_genotype(path: Path | None) -> AnyGenotype:
    """The best architecture in the result of a search, or a genotype alone; without a file, the hand-chosen one.

    Raises:
        DataError: The file holds neither.
    """
    if path is None:
        return HAND_CHOSEN
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
        return genotype_from_mapping(values["candidates"][0]["genotype"] if "candidates" in values else values)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DataError(
            f"{path} does not contain an architecture ({error}). Make one with: kinelift recognition search"
        ) from error


def report_flaws(flaws: tuple[object, ...], reporter: Reporter) -> None:
    """Report one line for each flaw."""
    for flaw in flaws:
        reporter.note(flaw)
