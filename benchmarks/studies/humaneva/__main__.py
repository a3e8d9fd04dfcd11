"""Train the papers' methods on HumanEva-I with ground-truth 2D, and measure them while they train.

    python -m benchmarks.studies.humaneva humaneva.npz -o FOLDER --runs recipe loop --accelerator cuda

Each training writes a JSON file, also after every measurement. A finished one is skipped; one of other data or settings
is refused. Any number of processes may share a folder: each takes the next training that no other has.
"""

import fcntl
import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from time import perf_counter
from typing import Annotated, Any

import torch
import tyro
from lightning_fabric import Fabric

from benchmarks.studies.humaneva import loop
from benchmarks.studies.humaneva.cases import RUNS, Case, cases
from benchmarks.studies.humaneva.detected import detected
from benchmarks.studies.humaneva.judge import Judge
from benchmarks.studies.humaneva.results import load
from benchmarks.studies.humaneva.tables import tables
from docs.generate.results import markdown
from kinelift.lifting.datasets import dataset_split
from kinelift.lifting.datasets.sequences import SequenceBank
from kinelift.lifting.training.inputs import contents, run_of
from kinelift.lifting.training.trainer import Trainer
from kinelift.poses.output import make_folder, replacing

MEASUREMENTS = 10
"""Measurements of a training, evenly spaced."""
BATCHES = 40
"""Training batches over which the statistics of batch normalisation are computed anew, for the second figure."""


def main(
    data: tyro.conf.Positional[Path],
    out: Annotated[Path, tyro.conf.arg(aliases=["-o"])],
    runs: tuple[str, ...] = tuple(RUNS),
    seeds: tuple[int, ...] = (0, 1, 2),
    epochs: int | None = None,
    channels: int = 1024,
    accelerator: str = "cpu",
    budget_s: float = float("inf"),
) -> None:
    """Do what remains of the trainings, then print the tables of all in the folder.

    Args:
        data: HumanEva-I as written by ``kinelift lifting convert``.
        out: Folder for the JSON file of each training.
        runs: Any of recipe, loop, ugcn, losses, semi and streams, the most urgent first.
        seeds: Every training is done once with each.
        epochs: Passes over the data; each run has its own number if not given.
        channels: Width of the temporal and two-stream networks.
        accelerator: cpu or cuda.
        budget_s: After so many seconds no training starts, and one that has begun ends with its epoch.
    """
    stop = perf_counter() + budget_s
    torch.set_num_threads(1)
    torch.backends.cudnn.allow_tf32 = False  # all of them compute in single precision
    make_folder(out)
    bank = SequenceBank.load(data)
    for seed in seeds:
        for case in (case for run in runs for case in cases(run, channels, epochs)):
            path = out / file_name(case, seed)
            with claimed(path) as free:
                if free and perf_counter() < stop:
                    train(replace(case, settings=replace(case.settings, seed=seed)), bank, path, accelerator, stop)
    print("\n\n".join(f"### {table['title']}\n\n{markdown(table)}" for table in tables(load(out))))


def file_name(case: Case, seed: int) -> str:
    """The file of a training, of letters, digits and hyphens."""
    return re.sub(r"\W+", "-", f"{case.run} {case.name} {case.settings.epochs} epochs {seed}") + ".json"


@contextmanager
def claimed(path: Path) -> Iterator[bool]:
    """Whether no other process is doing this training. It stays so until the end of the context or of the process."""
    with path.with_suffix(".lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True


def train(case: Case, bank: SequenceBank, path: Path, accelerator: str, stop: float) -> None:
    """Train and measure until the time ``stop`` of ``perf_counter``, unless ``path`` holds the finished training.

    Raises:
        ResumeError: ``path`` was made from other data or settings.
    """
    split = dataset_split.split(bank)
    assert isinstance(split.train, SequenceBank) and isinstance(split.test, SequenceBank)
    (known, rest), test = case.banks(split.train), split.test.select(actions=case.actions)
    fabric = Fabric(accelerator=accelerator, devices=1, precision=case.settings.precision)
    learned = case.settings, known, test, fabric, rest
    flawed = None if case.detector == "none" else detected(test, seed=1)
    shown: dict[str, Any] = {} if flawed is None else {"detected": contents(flawed)}
    inputs = run_of(*learned, test=contents(test), run=case.run, name=case.name, loop=case.loop, **shown)
    if path.exists():
        stored = json.loads(path.read_text())
        inputs.check(path, stored)
        if stored["finished"]:
            return
    trainer = Trainer(*learned)
    if case.alike:
        trainer.learner = replace(trainer.learner, two_stream=False)
    facts = {"parameters": sum(p.numel() for p in trainer.net.parameters()), **inputs.facts()}
    records: list[Mapping[str, Any]] = []
    epochs = loop.fit(trainer, known) if case.loop else trainer.fit()
    for record in measured(trainer, epochs, test, flawed, stop):
        records.append(record)
        finished = record["epoch"] == case.settings.epochs
        if "running" in record:
            with replacing(path) as part:
                part.write_text(json.dumps({"finished": finished, "records": records, **facts}, indent=1) + "\n")
    print(f"{path.name}: {'done' if finished else 'out of time'}", flush=True)


def measured(
    trainer: Trainer,
    epochs: Iterator[Mapping[str, float]],
    test: SequenceBank,
    flawed: SequenceBank | None,
    stop: float,
) -> Iterator[Mapping[str, Any]]:
    """Add test errors to the records of regular epochs and of the last one before ``stop``, which ends the training.

    With the detected keypoints of ``flawed``, if given, errors are measured as well as with those of ``test``.
    """
    about = trainer.net, trainer.settings.normalisation, trainer.fabric.device
    judge, detector = Judge(test, *about), None if flawed is None else Judge(flawed, *about)
    every = max(trainer.settings.epochs // MEASUREMENTS, 1)
    for record in epochs:
        late = perf_counter() > stop
        if late or record["epoch"] % every == 0 or record["epoch"] == trainer.settings.epochs:
            anew = trainer.recomputed(BATCHES).net
            errors = {"running": judge.errors(trainer.net), "recomputed": judge.errors(anew)}
            yield {**record, **errors, **({} if detector is None else {"detected": detector.errors(anew)})}
        else:
            yield record
        if late:
            return


if __name__ == "__main__":
    tyro.cli(main, description=__doc__)
