"""``python -m lifting prepare | train | evaluate``: from motion capture to a measured checkpoint."""

import json
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import tyro
from lightning_fabric import Fabric
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from lifting import subjects
from lifting.evaluation import lifted, mean_pose, report, tables
from lifting.lifter import Lifter
from lifting.network import LifterNetwork
from lifting.prepare import prepare as prepare_folder
from lifting.synthesis.bank import MotionBank
from lifting.synthesis.noise import NoiseSettings
from lifting.training import Trainer, TrainSettings
from lifting.trials import Trial, trials
from poses.errors import KineliftError
from poses.output import make_folder, replacing

_CMU = (
    "CMU Graphics Lab Motion Capture Database (free for research and commercial use). The data used in this project "
    "was obtained from mocap.cs.cmu.edu. The database was created with funding from NSF EIA-0196217."
)

console = Console(stderr=True)
_COLUMNS = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()


def prepare(
    folder: tyro.conf.Positional[Path], out: Annotated[Path, tyro.conf.arg(aliases=["-o"])], index: Path | None = None
) -> None:
    """Read a folder of motion capture (ASF/AMC, BVH) into one npz.

    Args:
        folder: Searched with all its sub-folders.
        out: The npz to write.
        index: CSV with what each trial shows (the CMU index).
    """
    console.print(f"Wrote {out}: {prepare_folder(folder, out, index)}", highlight=False)


def train(
    data: tyro.conf.Positional[Path],
    out: Annotated[Path, tyro.conf.arg(aliases=["-o"])],
    settings: Annotated[TrainSettings, tyro.conf.arg(name="")] = TrainSettings(),  # noqa: B008
    start: Path | None = None,
    accelerator: str = "auto",
    devices: int = 1,
    nodes: int = 1,
    precision: str = "bf16-mixed",
    data_terms: str = _CMU,
) -> None:
    """Train a temporal lifter on prepared motion capture, and go on where an interrupted run stopped.

    Args:
        data: What ``prepare`` wrote.
        out: Checkpoint to write. The log (one JSON line an epoch) and the state of the run lie beside it.
        settings: The run.
        start: A checkpoint of the same shape whose weights to begin with.
        accelerator: cpu, cuda or auto.
        devices: How many of them a node.
        nodes: How many machines; start one process a device with torchrun.
        precision: Fabric's name for it, such as 32-true or bf16-mixed.
        data_terms: Origin and licence of the data, recorded in the checkpoint.
    """
    fabric = Fabric(accelerator=accelerator, devices=devices, num_nodes=nodes, precision=precision)  # type: ignore[arg-type]
    fabric.launch()
    bank = MotionBank.load(data)
    learn = bank.without(subjects.HELD_OUT).dropping(subjects.UNFIT)
    trainer = Trainer(settings, learn, bank.only(subjects.VALIDATION), fabric)
    state, log = out.with_suffix(".state"), out.with_suffix(".jsonl")
    make_folder(out.parent)
    if state.exists():
        trainer.restore(state)
        console.print(f"Going on after epoch {trainer.epoch} of {state}.")
    else:
        if start:
            trainer.start_from(LifterNetwork.load(start))
        if fabric.is_global_zero:
            log.unlink(missing_ok=True)
    with Progress(*_COLUMNS, console=console, disable=not fabric.is_global_zero) as progress:
        task = progress.add_task("epochs", total=settings.epochs, completed=trainer.epoch)
        for record in trainer.fit():
            trainer.save(state)
            if fabric.is_global_zero:
                with log.open("a") as lines:
                    lines.write(json.dumps(record) + "\n")
            progress.update(task, advance=1, description=f"P-MPJPE {record['p_mpjpe']:.1f} mm")
    if fabric.is_global_zero:
        trained = {"date": f"{datetime.now(UTC):%Y-%m-%d}", "data": data_terms, "settings": asdict(settings)}
        if start:
            trained["start"] = dict(LifterNetwork.load(start).about)
        trainer.result(trained).save(out)
        console.print(f"Wrote {out}.")
    fabric.barrier()  # nobody leaves while another process still needs an answer


def evaluate(
    data: tyro.conf.Positional[Path],
    checkpoint: tyro.conf.Positional[Path],
    subject: tuple[str, ...] = subjects.TEST,
    cameras: int = 2,
    seed: int = 0,
    out: Annotated[Path | None, tyro.conf.arg(aliases=["-o"])] = None,
    device: str = "cpu",
) -> None:
    """Measure a checkpoint on held-out subjects: clean and flawed keypoints, and the mean pose as baseline.

    Args:
        data: What ``prepare`` wrote.
        checkpoint: The lifter.
        subject: Whom to test on.
        cameras: Random cameras for each piece of four seconds.
        seed: Of cameras and noise.
        out: Also write the figures to this JSON file.
        device: cpu or cuda.
    """
    lifter, bank = Lifter.load(checkpoint, device), MotionBank.load(data)
    test = bank.only(subject).dropping(subjects.COPIES)
    baseline = mean_pose(trials(bank.without(subjects.HELD_OUT), 1, None, seed))
    reports = {
        "mean pose": report(trials(test, cameras, None, seed), baseline),
        "clean keypoints": report(_shown(trials(test, cameras, None, seed)), lifted(lifter)),
        "flawed keypoints": report(_shown(trials(test, cameras, NoiseSettings(), seed)), lifted(lifter)),
    }
    for title, table in tables(reports).items():
        print(f"\n### {title}\n\n{table}")  # noqa: T201
    if out:
        with replacing(out) as part:
            part.write_text(json.dumps({name: asdict(r) for name, r in reports.items()}, indent=1) + "\n")


def _shown(items: Iterator[Trial]) -> Iterator[Trial]:
    with Progress(*_COLUMNS, console=console, transient=True) as progress:
        yield from progress.track(items, description="lifting")


def main() -> None:
    """Run the command; a typed error becomes one line on stderr and exit status 1."""
    commands: dict[str, Callable[..., None]] = {"prepare": prepare, "train": train, "evaluate": evaluate}
    try:
        tyro.extras.subcommand_cli_from_dict(commands, prog="python -m lifting", description=__doc__)
    except KineliftError as error:
        console.print(f"[red]error:[/] {error}", highlight=False)
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()
