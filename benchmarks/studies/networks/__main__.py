"""Compare the shipped action network with others on the same folds of people, as a table.

    python -m benchmarks.studies.networks FOLDER --genotype CELL.json [--kinds …] [--folds 5] [--report FILE.json]

Kinds: ``cell``, the cell given; ``random``, a uniformly random cell, drawn with each seed; ``resnet``, a small residual
network on the same motion images; ``skeleton``, graph and temporal convolutions on the joints themselves
(``skeleton_network``). All get the same windows, augmentation, schedule and number of steps. Lifted clips are judged if
FOLDER has any, by networks that have not seen their people. About two minutes of CPU time a fold, ``skeleton`` ten.
"""

import json
from copy import deepcopy
from datetime import UTC, datetime
from pathlib import Path
from time import process_time
from typing import Any, Literal

import numpy as np
import torch
import tyro
from jaxtyping import Float, Int
from numpy.random import Generator
from torch import Tensor, nn
from torch.nn import functional

from benchmarks.reporting import Column, machine, percent, table
from benchmarks.studies.networks.image_network import ImageResNet
from benchmarks.studies.networks.skeleton_network import SkeletonNet, features
from kinelift.models.enas.architecture import AnyGenotype
from kinelift.models.enas.space import MicroSpace
from kinelift.poses.output import replacing
from kinelift.recognition.console import Cell, Data, Settings, read_corpus, read_genotype
from kinelift.recognition.measuring.evaluation import rounds
from kinelift.recognition.network import motion_images
from kinelift.recognition.training.augment import Sampler
from kinelift.recognition.training.corpus import Corpus
from kinelift.recognition.training.scores import clip_scores
from kinelift.recognition.training.trainer import Trainer, TrainSettings
from kinelift.terminal.reporter import Reporter

Kind = Literal["cell", "random", "resnet", "skeleton"]
BATCH = 256
COLUMNS = {
    "clips": percent("clips"), "mean_recall": percent("mean recall"), "windows": percent("windows"),
    "parameters": Column("parameters, thousands", 1e-3), "minutes": Column("CPU min"),
}  # fmt: skip


class SkeletonSampler:
    """Draws the features of augmented windows, for ``SkeletonNet``."""

    def __init__(self, sampler: Sampler) -> None:
        self.sampler = sampler

    def draw(self, count: int, generator: Generator) -> tuple[Float[Tensor, "B 9 T J"], Int[Tensor, " B"]]:
        """Draw ``count`` windows and their labels."""
        windows, labels = self.sampler.draw(count, generator)
        return features(windows), torch.from_numpy(labels)


def main(
    data: tyro.conf.Positional[Data],
    settings: Settings = TrainSettings(),  # noqa: B008
    genotype: Cell = None,
    kinds: tuple[Kind, ...] = ("cell", "random", "resnet", "skeleton"),
    folds: int = 5,
    report: Path | None = None,
) -> None:
    """Measure and print.

    Args:
        data: Labelled motion.
        settings: Settings of every training.
        genotype: JSON file of a cell.
        kinds: Networks to compare.
        folds: Number of groups of people.
        report: JSON file to write.
    """
    torch.set_num_threads(1)
    corpus, settings = read_corpus(data, settings, Reporter())
    rows: dict[str, dict[str, Any]] = {}
    for kind in kinds:
        rows[kind] = measured(corpus, settings, kind, read_genotype(genotype), folds)
        print(kind, rows[kind], flush=True)
    print(table("", rows, COLUMNS))
    facts = {
        "date": f"{datetime.now(UTC):%Y-%m-%d}", "machine": machine(), "seed": settings.seed, "folds": folds,
        "windows": len(corpus), "networks": rows,
    }  # fmt: skip
    if report:
        with replacing(report) as part:
            part.write_text(json.dumps(facts, indent=1), encoding="utf-8")


def measured(corpus: Corpus, settings: TrainSettings, kind: Kind, genotype: AnyGenotype, folds: int) -> dict[str, Any]:
    """Shares of clips and windows that are right, on people not trained on."""
    started = process_time()
    logits, judged = np.zeros((len(corpus), len(corpus.names))), np.zeros(len(corpus), bool)
    lifted = corpus.of_kind("lifted")
    parameters = 0
    for one in rounds(corpus, folds):
        train = corpus.only(one.train)
        test = one.test & (lifted if lifted.any() else True) & np.isin(corpus.labels, np.unique(train.labels))
        trainer = trainer_of(kind, settings, train, genotype)
        for _ in trainer.fit():
            pass
        parameters = sum(each.numel() for each in trainer.net.parameters())
        logits[test] = outputs(kind, trainer, corpus.only(test))
        judged |= test
    scores = clip_scores(corpus.only(judged), torch.from_numpy(logits[judged]).softmax(dim=1).numpy())
    return {
        "clips": scores.accuracy,
        "mean_recall": scores.mean_recall,
        "windows": scores.window_accuracy,
        "parameters": parameters,
        "minutes": (process_time() - started) / 60,
    }


def trainer_of(kind: Kind, settings: TrainSettings, train: Corpus, genotype: AnyGenotype) -> Trainer:
    """The trainer of a network of this kind."""
    if kind in ("resnet", "skeleton"):
        return OtherTrainer(kind, settings, train)
    if kind == "random":
        generator, space = np.random.default_rng(settings.seed), MicroSpace()
        genotype = space.decode([int(generator.integers(decision.choices)) for decision in space.decisions])
    return Trainer(settings, train, None, genotype)


class OtherTrainer(Trainer):
    """Trains a network that is not made of cells, in the same way."""

    def __init__(self, kind: Kind, settings: TrainSettings, train: Corpus) -> None:
        super().__init__(settings, train)
        self.net: Any
        self.source: Any
        with torch.random.fork_rng():
            torch.manual_seed(settings.seed)
            self.net = (ImageResNet if kind == "resnet" else SkeletonNet)(len(train.names))
        self.optimizer = torch.optim.AdamW(self.net.parameters(), weight_decay=settings.weight_decay)
        if kind == "skeleton":
            self.source = SkeletonSampler(self.source.sampler)

    def loss(self, images: Float[Tensor, "B ..."], labels: Int[Tensor, " B"]) -> Float[Tensor, ""]:
        """Cross-entropy."""
        return functional.cross_entropy(self.net(images), labels, label_smoothing=self.settings.label_smoothing)


@torch.no_grad()
def outputs(kind: Kind, trainer: Trainer, test: Corpus) -> Float[np.ndarray, "W K"]:
    """Logits of the trained network."""
    net: nn.Module = deepcopy(trainer.net).eval()
    windows = test.windows()
    parts = [windows[i : i + BATCH] for i in range(0, len(windows), BATCH)]
    images = (
        features(part) if kind == "skeleton" else motion_images(part, trainer.settings.encoding) for part in parts
    )
    return np.concatenate([net(each).double().numpy() for each in images])


if __name__ == "__main__":
    tyro.cli(main)
