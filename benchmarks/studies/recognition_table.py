"""Print the table of a recognition study from the files of its runs.

python -m benchmarks.studies.recognition_table FOLDER
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import mean, stdev
from typing import NamedTuple

import numpy as np
import tyro

MODELS = ("searched", "random", "by hand", "fixed")
MEMBERS = ("16", "24", "32")
"""Numbers of moments of the images."""
PUBLISHED = "published look"
"""The pictures that the paper describes, with the cell chosen by hand."""
SUBSETS = ("AS1", "AS2", "AS3")
FOLDS = tuple(f"fold{k}" for k in range(1, 6))
SEEDS = range(10)
ROWS = {
    **{model: ((model, MEMBERS[0]),) for model in MODELS},
    **{f"{model}, three kinds of pictures": tuple((model, m) for m in MEMBERS) for model in ("searched", "by hand")},
    PUBLISHED: ((PUBLISHED, PUBLISHED),),
    "both of these together": tuple((model, m) for model in ("searched", "by hand") for m in MEMBERS),
}
"""The networks whose probabilities each row averages: model and member."""


@dataclass(frozen=True)
class Case:
    """One training: ``problem`` is AS1 … AS3 or a fold of SBU, ``member`` is one of ``MEMBERS`` or ``PUBLISHED``."""

    problem: str
    model: str
    member: str
    seed: int

    @property
    def name(self) -> str:
        """The name of its file."""
        return f"{self.problem}-{self.model}-{self.member}-{self.seed}".replace(" ", "-")


class Shares(NamedTuple):
    """Accuracy on clips and on images, and the number of parameters of one network."""

    clips: float
    images: float
    parameters: float


def table(out: Path) -> Iterator[str]:
    """Markdown with one row per model: mean ± standard deviation over the finished seeds, for clips and images."""
    columns = {**{name: (name,) for name in SUBSETS}, "mean of AS1–3": SUBSETS, "SBU": FOLDS}
    yield f"| a clip counts once | {' | '.join(columns)} | parameters |"
    yield "|---|" + "---:|" * (len(columns) + 1)
    for title, nets in ROWS.items():
        found = {name: over_seeds(out, nets, problems, name) for name, problems in columns.items()}
        cells = [spread([each.clips for each in shares]) for shares in found.values()]
        size = sum(int(shares.parameters) for shares in found["AS1"][:1]) * len(nets)
        yield f"| {title} | {' | '.join(cells)} | {size:,} |"
        if len(nets) == 1:
            images = [spread([each.images for each in shares]) for shares in found.values()]
            yield f"| {title}, *augmented images* | {' | '.join(images)} | |"


def over_seeds(out: Path, nets: Sequence[tuple[str, str]], problems: Sequence[str], column: str) -> list[Shares]:
    """Accuracy for each finished seed: averaged over subsets, pooled over folds."""
    found = []
    for seed in SEEDS:
        files = [[out / f"{Case(name, *net, seed).name}.npz" for net in nets] for name in problems]
        if all(file.exists() for group in files for file in group):
            parts = [judged(group) for group in files]
            weights = [count if column == "SBU" else 1 for count, _ in parts]
            shares = np.average([part for _, part in parts], axis=0, weights=weights)
            found.append(Shares(*shares.tolist()))
    return found


def judged(files: Sequence[Path]) -> tuple[int, Shares]:
    """Number of clips and accuracy of these networks' ensemble; accuracy on images and size are of the first."""
    runs = [np.load(file) for file in files]
    right = np.mean([run["probabilities"] for run in runs], axis=0).argmax(axis=1) == runs[0]["labels"]
    return len(right), Shares(float(right.mean()), float(runs[0]["images"]), float(runs[0]["parameters"]))


def spread(values: Sequence[float]) -> str:
    """Mean ± standard deviation in percent, with the number of seeds if it is not three."""
    if not values:
        return "–"
    number = "" if len(values) == 3 else f" ({len(values)} seeds)" if len(values) > 1 else " (1 seed)"
    deviation = f" ± {100 * stdev(values):.1f}" if len(values) > 1 else ""
    return f"{100 * mean(values):.1f}{deviation}{number}"


def main(folder: tyro.conf.Positional[Path]) -> None:
    """Print the table of the runs in a folder."""
    print("\n".join(table(folder)))


if __name__ == "__main__":
    tyro.cli(main)
