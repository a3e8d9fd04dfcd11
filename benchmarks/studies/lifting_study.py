"""Compare published lifting methods with the same data and number of training frames, over several seeds.

    python -m benchmarks.studies.lifting_study cmu.npz -o FOLDER

Each run writes a JSON file, and is skipped if the file exists; a file from other data or settings is refused. With
``--humaneva humaneva.npz``, specialists are also compared with their generalist. Results are in
docs/explanation/lifting-study.md.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from statistics import mean, stdev
from time import perf_counter
from typing import Annotated, Any

import torch
import tyro
from lightning_fabric import Fabric

from kinelift.lifting.datasets import dataset_split
from kinelift.lifting.datasets.dataset_split import Split
from kinelift.lifting.lifter import Lifter
from kinelift.lifting.losses.objective import LossSettings
from kinelift.lifting.measuring.evaluation import Errors, predictions, report
from kinelift.lifting.synthesis.bank import MotionBank
from kinelift.lifting.synthesis.noise import NoiseSettings
from kinelift.lifting.training.inputs import contents, run_of
from kinelift.lifting.training.presets import Bai
from kinelift.lifting.training.specialists import train_all
from kinelift.lifting.training.train_settings import TrainSettings
from kinelift.lifting.training.trainer import Trainer
from kinelift.poses.output import make_folder, replacing

BASE = TrainSettings(
    channels=256, rate=25.0, span=16, epochs=8, steps=100, batch=512, learning_rate=2e-3, averaging=0.99, warmup=100
)
"""27 frames at 25 Hz; 409,600 training frames."""

INTERVALS = (4, 6, 8, 12)
"""Intervals of the motion loss at 25 Hz: the published 8, 12, 16 and 24 at 50 Hz."""

NETWORKS = {
    "temporal net, 27 frames": BASE,
    "temporal net, causal": replace(BASE, causal=True),
    "two-stream": replace(BASE, kind="two-stream", dropout=0.25),
    "U-shaped GCN": replace(BASE, kind="ugcn", span=1, batch=1536, steps=34, dropout=0.1),
}
LOSSES = {
    "position": LossSettings(),
    "with velocity": LossSettings(velocity=0.3),
    **{
        f"with motion, {operator}": LossSettings(motion=0.1, motion_operator=operator, motion_intervals=INTERVALS)
        for operator in ("subtraction", "inner", "cross")
    },
    "with limbs (θ, d, s, r)": LossSettings(angle=0.002, distance=0.1, symmetry=0.1, motion_range=0.002),
    "with joint motion (ẋ, ẍ, θ̈)": LossSettings(joint_velocity=1.0, joint_acceleration=1.0, angular_acceleration=0.002),
}
METRICS = {"mpjpe": "P1", "p_mpjpe": "P2", "mpjve": "MPJVE", "mpjae": "MPJAE"}
TEST = ("2", "8", "32", "38")
"""Test subjects with little data, besides 14, because a study has many runs."""
LABELLED = {"a tenth": 0.1, "a hundredth": 0.01}
"""Fractions of the training clips that keep their labels in the semi-supervised part."""


@dataclass(frozen=True)
class Case:
    """One run of the study."""

    part: str
    name: str
    settings: TrainSettings
    labelled: float = 1.0
    semi: bool = False


def cases(parts: Sequence[str]) -> Iterator[Case]:
    """Every comparison, by name."""
    table = {
        "networks": (Case("networks", name, settings) for name, settings in NETWORKS.items()),
        "losses": (Case("losses", name, replace(BASE, loss=loss)) for name, loss in LOSSES.items()),
        "labels": _label_cases(),
    }
    for part in parts:
        yield from table[part]


def _label_cases() -> Iterator[Case]:
    both = replace(BASE, normalisation="screen", trajectory=1.0)
    yield Case("labels", "all labels", both)
    for name, share in LABELLED.items():
        yield Case("labels", f"{name} of the labels", both, share)
        yield Case("labels", f"{name}, the rest unlabelled", both, share, semi=True)


def run(case: Case, seed: int, parts: Split, path: Path) -> None:
    """Train, and write the errors on clean and noisy keypoints of the test subjects, unless ``path`` exists.

    Raises:
        ResumeError: ``path`` was made from other data or settings.
    """
    assert isinstance(parts.train, MotionBank)
    known, rest = divided(parts.train, case.labelled)
    fabric = Fabric(accelerator="cpu", devices=1, precision=case.settings.precision)
    learned = replace(case.settings, seed=seed), known, parts.validation, fabric, rest if case.semi else None
    inputs = run_of(*learned, test=contents(parts.test))
    if path.exists():
        inputs.check(path, json.loads(path.read_text()))
        return
    trainer = Trainer(*learned)
    began = perf_counter()
    records = list(trainer.fit())
    seconds = perf_counter() - began
    lifter = Lifter(trainer.result({}), torch.device("cpu"))
    found = {name: errors(lifter, parts.test, noise) for name, noise in (("clean", None), ("flawed", NoiseSettings()))}
    size = sum(p.numel() for p in trainer.net.parameters())
    facts = {
        "part": case.part, "name": case.name, "seed": seed, "parameters": size, "seconds": seconds,
        "records": records, **{name: asdict(e) for name, e in found.items()}, **inputs.facts(),
    }  # fmt: skip
    with replacing(path) as part:
        part.write_text(json.dumps(facts, indent=1) + "\n")
    print(f"{path.name}: done", flush=True)


def errors(lifter: Lifter, test: dataset_split.Bank, noise: NoiseSettings | None) -> Errors:
    """Errors for one camera per piece of four seconds."""
    return report(dataset_split.test_trials(test, 1, noise, 0), predictions(lifter)).overall


def divided(bank: MotionBank, share: float) -> tuple[MotionBank, MotionBank | None]:
    """Split into every n-th clip and the others."""
    if share == 1:
        return bank, None
    names = bank.names[:: round(1 / share)]
    others = [name for name in bank.names if name not in names]
    return bank.without_clips(others), bank.without_clips(names)


def main(
    data: tyro.conf.Positional[Path],
    out: Annotated[Path, tyro.conf.arg(aliases=["-o"])],
    parts: tuple[str, ...] = ("networks", "losses", "labels"),
    seeds: int = 3,
    share: tuple[int, int] = (0, 1),
    humaneva: Path | None = None,
) -> None:
    """Do the remaining runs, then print the tables.

    Args:
        data: A file of ``kinelift lifting prepare``.
        out: Folder for the JSON file of each run.
        parts: Any of networks, losses and labels.
        seeds: Number of seeds per case.
        share: Do only every n-th run from number k on, given as k n, to share the work between processes.
        humaneva: HumanEva-I as written by ``kinelift lifting convert``.
    """
    torch.set_num_threads(1)
    out.mkdir(parents=True, exist_ok=True)
    split = dataset_split.split(MotionBank.load(data))
    split = replace(split, test=dataset_split.select_subjects(split.test, TEST))
    todo = [(case, seed) for seed in range(seeds) for case in cases(parts)]
    for case, seed in todo[share[0] :: share[1]]:
        run(case, seed, split, out / f"{case.part}, {case.name}, {seed}.json")
    if humaneva:
        specialists(humaneva, out, seeds)
    for part in parts:
        print(f"\n### {part}\n\n{table([json.loads(p.read_text()) for p in sorted(out.glob(f'{part},*.json'))])}")


SPECIALISTS = replace(Bai(), channels=256, epochs=10, batch=512, precision="bf16-mixed")
"""Of HumanEva-I: 10 epochs over three actions are 30 unit-epochs."""


def specialists(data: Path, out: Path, seeds: int) -> None:
    """Compare one specialist per action with the generalist, at equal training; MPJPE and MPJVE over the seeds."""
    split = dataset_split.split(dataset_split.load(data))
    fabric = Fabric(accelerator="cpu", devices=1, precision=SPECIALISTS.precision)
    actions = {"Walking": "walking", "Jog": "jog", "Box": "box"}
    for seed in range(seeds):
        folder = make_folder(out / f"specialists {seed}")
        found = list(train_all(replace(SPECIALISTS, seed=seed), split, actions, folder, fabric))
        (out / f"specialists, {seed}.json").write_text(json.dumps([asdict(one) for one in found], indent=1) + "\n")
    runs = [json.loads(path.read_text()) for path in sorted(out.glob("specialists, *.json"))]
    print("\n### specialists\n\n| | generalist MPJPE | MPJVE | specialist MPJPE | MPJVE |\n|---|---:|---:|---:|---:|")
    for k, action in enumerate(actions):
        cells = [
            [run[k][who][key] for run in runs] for who in ("generalist", "specialist") for key in ("mpjpe", "mpjve")
        ]
        print(f"| {action} | " + " | ".join(map(_spread, cells)) + " |")


def table(runs: Sequence[Mapping[str, Any]]) -> str:
    """Mean ± standard deviation over seeds: P1 / P2 (mm), MPJVE (mm a frame), MPJAE (mm a frame²)."""
    columns = [f"{keypoints} {name}" for keypoints in ("clean", "flawed") for name in METRICS.values()]
    lines = ["| | runs | parameters | s | " + " | ".join(columns) + " |", "|---" * (4 + len(columns)) + "|"]
    for name in dict.fromkeys(one["name"] for one in runs):
        same = [one for one in runs if one["name"] == name]
        cells = [_spread([r[kind][key] for r in same]) for kind in ("clean", "flawed") for key in METRICS]
        size, time = f"{same[0]['parameters'] / 1e6:.2f} M", f"{mean(r['seconds'] for r in same):.0f}"
        lines.append(f"| {name} | {len(same)} | {size} | {time} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def _spread(values: Sequence[float]) -> str:
    return f"{mean(values):.2f} ± {stdev(values):.2f}" if len(values) > 1 else f"{values[0]:.2f}"


if __name__ == "__main__":
    tyro.cli(main, description=__doc__)
