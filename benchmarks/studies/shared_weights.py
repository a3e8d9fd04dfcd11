"""Do the shared weights of a search rank cells as training each of them from scratch does?

    kinelift recognition convert ARCHIVE --layout msr-action3d -o msr
    python -m benchmarks.studies.shared_weights msr -o FOLDER

The same random cells are scored with the shared weights of several searches, and trained from scratch. Everything uses
the training subjects of MSR-Action3D only, one of whom is taken out to judge. Kendall's τ says how well two rankings
agree: 1 for the same order, 0 for unrelated ones. τ between two trainings of the same cells that differ in the seed is
what the best ranking could reach. Each result is kept in a file; one of other data or settings is refused.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from functools import partial
from math import ceil
from pathlib import Path
from statistics import fmean
from typing import Annotated, Any

import numpy as np
import torch
import tyro
from scipy.stats import kendalltau
from torch import Generator

from benchmarks.studies.recognition_study import PLAN, SEARCH, TRAINING, VARIED, corpus, encodings
from benchmarks.studies.recognition_table import MEMBERS
from docs.generate.results import markdown
from kinelift.models.enas.architecture import AnyGenotype
from kinelift.models.enas.batch_norm import batch_statistics
from kinelift.poses.output import make_folder, replacing
from kinelift.recognition.network import motion_images
from kinelift.recognition.search.search import Search
from kinelift.recognition.search.search_settings import SearchSettings
from kinelift.recognition.training.augment import Sampler
from kinelift.recognition.training.corpus import Corpus
from kinelift.recognition.training.inputs import inputs_of
from kinelift.recognition.training.trainer import ImageSampler, Trainer
from kinelift.weights.run import Run

ENCODING = encodings("kinect20")[MEMBERS[0]]
WAYS = {
    "the study's search: 10 of 60 epochs uniform": SEARCH,
    "uniform for 70 epochs": replace(SEARCH, epochs=70, warm_up=70),
    "uniform for 150 epochs": replace(SEARCH, epochs=150, warm_up=150),
}
"""The learning rate is lowest after 70 and 150 epochs. Uniform sampling trains every operation equally often."""


def main(
    msr: tyro.conf.Positional[Path],
    out: Annotated[Path, tyro.conf.arg(aliases=["-o"])],
    subject: str = "s01",
    cells: int = 20,
    seeds: tuple[int, ...] = (0, 1),
    epochs: int = 30,
) -> None:
    """Search, train the cells, and print how well the rankings agree, anew after each of them.

    Args:
        msr: MSR-Action3D as a folder.
        out: Folder for the results.
        subject: The training subject who judges.
        cells: Number of random cells.
        seeds: Of the trainings from scratch, at least two.
        epochs: Of the trainings from scratch.
    """
    torch.set_num_threads(1)
    make_folder(out)
    whole = corpus(msr)
    learnt = whole.only(np.array([clip.split == "train" for clip in whole.clips]))
    judge = learnt.of_subjects({subject})
    parts = learnt.only(~judge), learnt.only(judge)
    genotypes = drawn(parts, cells)
    alone: list[list[float]] = []
    shared: dict[str, list[float]] = {}
    for seed in seeds:
        inputs = run(parts, seed=seed, epochs=epochs, ranked=cells)
        alone.append(kept(out / f"alone-{seed}.json", inputs, partial(trained, parts, genotypes, seed, epochs)))
    print(markdown(table(alone, shared)), flush=True)
    for number, (name, settings) in enumerate(WAYS.items()):
        inputs = run(parts, **asdict(settings), ranked=cells)
        shared[name] = kept(out / f"shared-{number}.json", inputs, partial(scored, parts, genotypes, settings))
        print(markdown(table(alone, shared)), flush=True)


def run(parts: tuple[Corpus, Corpus], **settings: Any) -> Run:
    """Everything that a result depends on."""
    pictured = {"plan": asdict(PLAN), "augmentation": asdict(VARIED), "encoding": asdict(ENCODING)}
    return Run({"training": inputs_of(parts[0]), "judge": inputs_of(parts[1])}, {**settings, **pictured})


def kept(path: Path, inputs: Run, compute: Callable[[], list[float]]) -> list[float]:
    """The accuracies in ``path``, computed first if there is no such file.

    Raises:
        ResumeError: The file was made from other data or settings.
    """
    if not path.exists():
        values = compute()
        with replacing(path) as part:
            part.write_text(json.dumps({"accuracies": values, **inputs.facts()}), encoding="utf-8")
        print(path.name, [round(value, 3) for value in values], flush=True)
    stored = json.loads(path.read_text(encoding="utf-8"))
    inputs.check(path, stored)
    accuracies: list[float] = stored["accuracies"]
    return accuracies


def search_of(parts: tuple[Corpus, Corpus], settings: SearchSettings) -> Search:
    """A search that has not begun, rewarded on the clips of the judge."""
    learnt, judge = parts
    source = ImageSampler(Sampler(learnt, VARIED), ENCODING)
    images, labels = motion_images(judge.windows(), ENCODING), torch.from_numpy(judge.labels)
    return Search(settings, len(learnt.names), source, images, labels)


def drawn(parts: tuple[Corpus, Corpus], count: int) -> list[AnyGenotype]:
    """Uniformly random cells, the same for all."""
    return search_of(parts, SEARCH).sample_uniform(count, Generator().manual_seed(99))


def scored(parts: tuple[Corpus, Corpus], genotypes: Sequence[AnyGenotype], settings: SearchSettings) -> list[float]:
    """Accuracy of each cell with the shared weights of a search."""
    search = search_of(parts, settings)
    for _ in search.fit():
        pass
    with batch_statistics(search.net):
        return [search.accuracy(genotype) for genotype in genotypes]


def trained(parts: tuple[Corpus, Corpus], genotypes: Sequence[AnyGenotype], seed: int, epochs: int) -> list[float]:
    """Accuracy on the judge's clips of each cell trained from scratch."""
    learnt, judge = parts
    steps = ceil(len(learnt) / TRAINING.batch)
    settings = replace(TRAINING, steps=steps, epochs=epochs, encoding=ENCODING, seed=seed)
    found = []
    for genotype in genotypes:
        trainer = Trainer(settings, learnt, genotype=genotype)
        for _ in trainer.fit():
            pass
        found.append(trainer.scores(judge).accuracy)
    return found


def table(alone: Sequence[Sequence[float]], shared: dict[str, list[float]]) -> dict[str, Any]:
    """A row for each ranking: its accuracies, and how well it agrees with training from scratch."""
    means = [fmean(values) for values in zip(*alone, strict=True)]
    rows = [["trained from scratch, other seed", *spread(alone[1]), *agreement(alone[1], alone[0])]]
    rows += [[name, *spread(values), *agreement(values, means)] for name, values in shared.items()]
    percent = {"decimals": 1}
    return {
        "columns": [
            {"heading": "cells ranked by"},
            {"heading": "lowest, %", **percent},
            {"heading": "mean, %", **percent},
            {"heading": "highest, %", **percent},
            {"heading": "Kendall τ", "decimals": 2},
            {"heading": "p", "decimals": 2},
        ],
        "rows": rows,
    }


def spread(values: Sequence[float]) -> list[float]:
    """Lowest, mean and highest, %."""
    return [100 * value for value in (min(values), fmean(values), max(values))]


def agreement(one: Sequence[float], other: Sequence[float]) -> list[float]:
    """Kendall's τ of two rankings, and the probability of so strong a one by chance."""
    found = kendalltau(one, other)
    return [float(found.statistic), float(found.pvalue)]


if __name__ == "__main__":
    tyro.cli(main)
