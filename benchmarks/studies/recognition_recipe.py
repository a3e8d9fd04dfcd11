"""Choose a recipe for MSR-Action3D by cross-validation on its training subjects, then judge its test subjects once.

    kinelift recognition convert ARCHIVE --layout msr-action3d -o msr
    python -m benchmarks.studies.recognition_recipe msr -o FOLDER

Each recipe is trained on four of the five training subjects and judged on the fifth, for AS1, AS2 and AS3. The recipe
with the highest mean accuracy on clips is then trained on all five with several seeds, and only this one sees the test
subjects. Each training writes a file, and is skipped if the file exists; a file from other data or settings is refused.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from statistics import fmean, stdev
from typing import Annotated, Any

import numpy as np
import tyro

from benchmarks.studies.recognition_study import (
    TRAINING,
    VALIDATION_SUBJECTS,
    VARIED,
    Data,
    encodings,
    evaluate,
    problem,
)
from benchmarks.studies.recognition_table import MEMBERS, PUBLISHED, SUBSETS
from docs.generate.results import markdown
from kinelift.models.enas.genotype import HAND_CHOSEN
from kinelift.poses.output import make_folder
from kinelift.recognition.training.corpus import Corpus
from kinelift.recognition.training.trainer import TrainSettings


@dataclass(frozen=True)
class Network:
    """A network of a recipe: its pictures, a key of ``encodings``, and its training."""

    name: str
    member: str = MEMBERS[0]
    training: TrainSettings = field(default=TRAINING)


SMALL, MIDDLE, LARGE = (Network(f"{moments} moments", moments) for moments in MEMBERS)
LOOK = Network(PUBLISHED, PUBLISHED)
WHOLE = Network("16 moments, nothing lost", training=replace(TRAINING, augmentation=replace(VARIED, lost=0.0)))
WIDE = Network("16 moments, 16 channels", training=replace(TRAINING, channels=16))
RECIPES: Mapping[str, tuple[Network, ...]] = {
    **{network.name: (network,) for network in (SMALL, MIDDLE, LARGE, WHOLE, WIDE, LOOK)},
    "16, 24 and 32 moments": (SMALL, MIDDLE, LARGE),
    "16, 24 and 32 moments, published look": (SMALL, MIDDLE, LARGE, LOOK),
}
"""The recipes. Several networks are averaged by their probabilities."""


@dataclass(frozen=True)
class Study:
    """The data, and the folder of the files."""

    data: Data
    out: Path

    def subjects_left_out(self, recipe: str) -> list[float]:
        """Accuracy on AS1, AS2 and AS3, over the clips of all training subjects, each judged when left out; seed 0."""
        found = []
        for subset in SUBSETS:
            learnt, _ = problem(self.data, subset)
            right = [self.right(recipe, part(learnt, judge), f"{subset}-{judge}", 0) for judge in VALIDATION_SUBJECTS]
            found.append(float(np.concatenate(right).mean()))
        return found

    def tested(self, recipe: str, seed: int) -> list[float]:
        """Accuracy on AS1, AS2 and AS3 of the test subjects."""
        found = (self.right(recipe, problem(self.data, subset), f"{subset}-test", seed) for subset in SUBSETS)
        return [float(right.mean()) for right in found]

    def right(self, recipe: str, parts: tuple[Corpus, Corpus], name: str, seed: int) -> np.ndarray:
        """Whether each clip of the second part is named rightly by the networks of a recipe, trained on the first."""
        probabilities = []
        for network in RECIPES[recipe]:
            file = self.out / f"{name}-{network.name}-{seed}.npz".replace(" ", "-")
            encoding = encodings(parts[0].dataset.skeleton.name)[network.member]
            evaluate(*parts, replace(network.training, encoding=encoding, seed=seed), HAND_CHOSEN, file)
            with np.load(file) as stored:
                probabilities.append(stored["probabilities"])
        return np.mean(probabilities, axis=0).argmax(axis=1) == parts[1].labels


def part(learnt: Corpus, judge: str) -> tuple[Corpus, Corpus]:
    """The clips of all other subjects, and those of the one who judges."""
    judged = learnt.of_subjects({judge})
    return learnt.only(~judged), learnt.only(judged)


def table(validated: Mapping[str, Sequence[float]], tested: Mapping[str, Sequence[Sequence[float]]]) -> dict[str, Any]:
    """A row for each recipe, the chosen one last; accuracy on test clips only where they were judged."""
    percent = {"decimals": 1, "join": " ± "}
    return {
        "columns": [
            {"heading": "recipe"},
            *({"heading": heading, **percent} for heading in (*SUBSETS, "mean")),
            *({"heading": f"{heading}, test", **percent} for heading in (*SUBSETS, "mean")),
        ],
        "rows": [
            [name, *percents([validated[name]]), *percents(tested.get(name, ()))]
            for name in sorted(validated, key=lambda name: (fmean(validated[name]), name in tested))
        ],
    }


def percents(runs: Sequence[Sequence[float]]) -> list[list[float] | None]:
    """For each subset and for their mean: per cent, and its standard deviation over several seeds."""
    if not runs:
        return [None] * (len(SUBSETS) + 1)
    columns = [*zip(*runs, strict=True), [fmean(run) for run in runs]]
    return [[100 * fmean(values), *([100 * stdev(values)] if len(values) > 1 else [])] for values in columns]


def main(
    msr: tyro.conf.Positional[Path],
    out: Annotated[Path, tyro.conf.arg(aliases=["-o"])],
    seeds: tuple[int, ...] = (0, 1, 2),
) -> None:
    """Choose, test, and print the tables.

    Args:
        msr: MSR-Action3D as a folder.
        out: Folder for the results of each training.
        seeds: Of the trainings that are tested.
    """
    make_folder(out)
    study = Study(Data(msr, msr), out)
    validated = {recipe: study.subjects_left_out(recipe) for recipe in RECIPES}
    print(markdown(table(validated, {})), flush=True)
    best = max(validated, key=lambda recipe: fmean(validated[recipe]))
    print(markdown(table(validated, {best: [study.tested(best, seed) for seed in seeds]})))


if __name__ == "__main__":
    tyro.cli(main)
