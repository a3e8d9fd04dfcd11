"""``kinelift lifting``: from recordings to lifters, and back."""

import argparse
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Annotated, Literal, TypeAlias

import tyro
from lightning_fabric import Fabric

from kinelift.lifting.body import Fit, fitted
from kinelift.lifting.datasets import dataset_split
from kinelift.lifting.datasets.convert import Layout
from kinelift.lifting.datasets.convert import convert as convert_files
from kinelift.lifting.lifter import Lifter
from kinelift.lifting.measuring.error_plots import errors_by_action, save
from kinelift.lifting.measuring.evaluation import Seen, lifted, mean_pose, report, tables, written
from kinelift.lifting.mocap.audit import table as audited
from kinelift.lifting.mocap.prepare import prepare as prepare_folders
from kinelift.lifting.relift import ReliftSettings, errors
from kinelift.lifting.relift import relift as relift_clips
from kinelift.lifting.relift import save as save_lifted
from kinelift.lifting.synthesis.bank import MotionBank
from kinelift.lifting.synthesis.noise import MEASURED, NoiseSettings
from kinelift.lifting.training.inputs import run_of
from kinelift.lifting.training.presets import PRESETS
from kinelift.lifting.training.session import begin, finish, logged
from kinelift.lifting.training.specialists import Comparison, labels, markdown, save_table, train_all
from kinelift.lifting.training.trainer import Trainer
from kinelift.poses.errors import SettingsError
from kinelift.poses.output import make_folder, replacing
from kinelift.terminal.parsing import Command, run_command
from kinelift.terminal.reporter import Quiet, Reporter

Preset: TypeAlias = Literal["kinelift", "videopose3d", "humaneva", "gupta", "bai", "ugcn", "two-stream"]

WAYS = {"clean keypoints": None, "flawed keypoints": NoiseSettings(), "measured noise": MEASURED}
"""What is seen of motion capture in tests."""

Files = Annotated[tuple[Path, ...], tyro.conf.arg(metavar="PATH ...", help_behavior_hint="")]
Names = Annotated[tuple[str, ...], tyro.conf.arg(metavar="[NAME ...]")]
OptionalFile = Annotated[Path | None, tyro.conf.arg(metavar="FILE")]


def prepare(
    folders: tyro.conf.Positional[Files],
    out: Annotated[Path, tyro.conf.arg(aliases=["-o"])],
    index: OptionalFile = None,
    asf: OptionalFile = None,
    audit: bool = False,
) -> None:
    """Read folders of motion capture (ASF/AMC, BVH) into one npz, on bodies of human proportions.

    Args:
        folders: Searched with all their sub-folders.
        out: The npz to write.
        index: CSV with what each trial shows (the CMU index).
        asf: The skeleton of AMC files that have none beside them.
        audit: Also print proportions and joint angles of every subject beside people's, as recorded and as written.
    """
    summary = prepare_folders(folders, out, index, asf)
    reporter = Reporter()
    reporter.result(f"Wrote {out}: {summary}")
    if audit:
        before, after = audited(summary.before), audited(summary.after)
        reporter.document(f"### As recorded\n\n{before}\n\n### As written\n\n{after}")


def convert(
    files: tyro.conf.Positional[Files],
    out: Annotated[Path, tyro.conf.arg(aliases=["-o"])],
    layout: Layout = "npz",
    size: Annotated[tuple[int, int] | None, tyro.conf.arg(metavar="WIDTH HEIGHT")] = None,
    rate: Annotated[float | None, tyro.conf.arg(metavar="RATE")] = None,
    projections: OptionalFile = None,
) -> None:
    """Read a recorded data set, or keypoints of own videos, into one npz of sequences.

    Args:
        files: npz: DATA_2D [DATA_3D]; human36m: FOLDER CAMERAS; mpi3dhp-train, mpi3dhp-test and tracks: FOLDER or FILE.
        out: The npz to write.
        layout: How the files are laid out.
        size: Width and height of the pictures, for tracks that do not say.
        rate: Frames a second, where the files do not say.
        projections: npz: DATA_2D of exact keypoints, to find the cameras by where FILES are a detector's.
    """
    if not files:
        raise SettingsError("Nothing to convert: name the files or folders of the data set.")
    bank, told = convert_files(layout, files, size, rate, projections)
    bank.save(out)
    Reporter().result(f"Wrote {out}: {told}")


def training(preset: str) -> Callable[..., None]:
    """``train`` with the defaults of a preset."""
    run = PRESETS[preset]

    def train(
        data: tyro.conf.Positional[Path],
        out: Annotated[Path, tyro.conf.arg(aliases=["-o"])],
        settings: Annotated[run, tyro.conf.arg(name="")] = run(),  # type: ignore[valid-type]  # noqa: B008
        preset: Preset = preset,  # type: ignore[assignment]
        actions: Names = (),
        extra_datasets: Annotated[tuple[Literal["hdm05", "sfu"], ...], tyro.conf.arg(metavar="{hdm05,sfu} ...")] = (),
        unlabelled: OptionalFile = None,
        start: OptionalFile = None,
        accelerator: str = "auto",
        devices: int = 1,
        nodes: int = 1,
        precision: str = "bf16-mixed",
        data_terms: str = "not stated",
    ) -> None:
        """Train a lifter, and go on where an interrupted run stopped.

        Args:
            data: What ``prepare`` or ``convert`` wrote.
            out: Checkpoint to write. Beside it: log (one JSON line an epoch), state of the run, figure of its course.
            settings: The run.
            preset: Where the defaults of the run come from: our own schedule, or a published one.
            actions: Learn these only, named exactly; without it, all.
            extra_datasets: Data sets to train on besides CMU's, if the file holds them: their terms bind the weights.
            unlabelled: More recordings (of ``prepare`` or ``convert``), whose true poses are not looked at.
            start: A checkpoint of the same shape whose weights to begin with.
            accelerator: cpu, cuda or auto.
            devices: How many of them a node.
            nodes: How many machines; start one process a device with torchrun.
            precision: Fabric's name for it, such as 32-true or bf16-mixed.
            data_terms: Origin and licence of the data, for the checkpoint to tell: weights often inherit terms.
        """
        parts = dataset_split.split(dataset_split.load(data), learned=extra_datasets)
        learning, validation = (dataset_split.showing(part, actions) for part in (parts.train, parts.validation))
        more = None if unlabelled is None else dataset_split.load(unlabelled)
        fabric = _fabric(accelerator, devices, nodes, precision)
        chosen = {"actions": sorted(actions), "extra_datasets": sorted(extra_datasets), "data_terms": data_terms}
        trainer = Trainer(settings, learning, validation, fabric, more)
        run = run_of(settings, learning, validation, fabric, more, start, **chosen)
        begin(trainer, out, run, start)
        with _reporter().progress_bar("epochs", trainer.settings.epochs, trainer.epoch) as advance:
            for record in logged(trainer, out, run):
                advance(f"P-MPJPE {record['p_mpjpe']:.1f} mm")
        about = {"data": data_terms, "preset": preset, "actions": actions, "guests": extra_datasets}
        finish(trainer, out, run, about, start)

    return train


def specialising(preset: str) -> Callable[..., None]:
    """``specialists`` with the defaults of a preset."""
    run = PRESETS[preset]

    def specialists(
        data: tyro.conf.Positional[Path],
        out: Annotated[Path, tyro.conf.arg(aliases=["-o"])],
        settings: Annotated[run, tyro.conf.arg(name="")] = run(),  # type: ignore[valid-type]  # noqa: B008
        preset: Preset = preset,  # type: ignore[assignment]
        actions: Annotated[dict[str, str], tyro.conf.arg(metavar="ACTION LABEL ...")] = {},  # noqa: B006
        accelerator: str = "auto",
        precision: str = "bf16-mixed",
    ) -> None:
        """Train a generalist and, at equal unit-epochs, a specialist for every action (Bai); measure both.

        Args:
            data: What ``prepare`` or ``convert`` wrote.
            out: Folder for the checkpoints; give it to ``kinelift run --lifter``.
            settings: The generalist's run.
            preset: Where the defaults of the run come from: our own schedule, or a published one.
            actions: Action and what the recogniser calls it, in pairs: Walking walk Jog run. Without it, all actions.
            accelerator: cpu, cuda or auto.
            precision: Fabric's name for it, such as 32-true or bf16-mixed.
        """
        parts = dataset_split.split(dataset_split.load(data))
        make_folder(out)
        found: list[Comparison] = []
        reporter = Reporter()
        for one in train_all(settings, parts, labels(parts.test, actions), out, _fabric(accelerator, 1, 1, precision)):
            found.append(one)
            reporter.note(f"{one.action}: generalist {one.generalist}, specialist {one.specialist}")
        save_table(out, settings, found)
        reporter.document(markdown(found))

    return specialists


def evaluate(
    data: tyro.conf.Positional[Path],
    checkpoint: tyro.conf.Positional[Path],
    tested: Literal["cmu", "hdm05", "sfu"] = "cmu",
    subject: Names = (),
    actions: Names = (),
    cameras: int = 2,
    seed: int = 0,
    fit: Fit = "off",
    out: Annotated[Path | None, tyro.conf.arg(metavar="FILE", aliases=["-o"])] = None,
    figure: OptionalFile = None,
    device: str = "cpu",
) -> None:
    """Measure a checkpoint on held-out subjects, beside always answering the mean pose.

    Motion capture is tested with clean keypoints, with those of the training's noise, and with noise as the program's
    detector has it on real video; recorded sequences with their own keypoints.

    Args:
        data: What ``prepare`` or ``convert`` wrote.
        checkpoint: The lifter.
        tested: Whose actors motion capture is tested on: the CMU subset's test subjects, HDM05's or SFU's.
        subject: Whom to test on; without it, the data's usual test subjects.
        actions: Test on these only, named exactly; without it, all.
        cameras: Random cameras for each piece of four seconds of motion capture.
        seed: Of cameras, bodies and noise.
        fit: Measure the network's own answers (off), or one body a person as the program makes it (body).
        out: Also write the figures to this JSON file.
        figure: Also draw the errors by action, as PNG, PDF or SVG.
        device: cpu or cuda.
    """
    lifter, parts = Lifter.load(checkpoint, device), dataset_split.split(dataset_split.load(data), tested)
    test = dataset_split.showing(dataset_split.of(parts.test, subject), actions)
    ways = WAYS if isinstance(test, MotionBank) else {"recorded keypoints": None}
    baseline = mean_pose(dataset_split.tests(parts.train, 1, None, seed))
    reports = {"mean pose": report(dataset_split.tests(test, cameras, None, seed), baseline)}
    for name, noise in ways.items():
        reports[name] = report(_shown(dataset_split.tests(test, cameras, noise, seed)), lifted(fitted(lifter, fit)))
    for title, table in tables(reports).items():
        Reporter().document(f"\n### {title}\n\n{table}")
    if out:
        with replacing(out) as part:
            part.write_text(written(reports))
    if figure:
        save(errors_by_action(reports), figure)


def relift(
    motion: tyro.conf.Positional[Path],
    out: Annotated[Path, tyro.conf.arg(aliases=["-o"])],
    settings: Annotated[ReliftSettings, tyro.conf.arg(name="")] = ReliftSettings(),  # noqa: B008
    device: str = "cpu",
) -> None:
    """Motion capture as the program would have it: filmed, found with mistakes, and lifted, to train classifiers on.

    Prints how far the lifted poses are from the true ones.

    Args:
        motion: What ``prepare`` wrote.
        out: The npz to write: lifted poses in the same layout, every clip once a camera.
        settings: How clips are filmed and lifted.
        device: cpu or cuda.
    """
    bank, lifter = MotionBank.load(motion), settings.load(device)
    done = list(_shown(relift_clips(bank, lifter, settings), settings.cameras * len(bank)))
    save_lifted(out, done, lifter.network.target, settings)
    reporter = Reporter()
    reporter.result(f"Wrote {out}: {len(done)} clips.")
    reporter.document(tables(errors(bank, done))["All metrics"])


def main(arguments: Sequence[str]) -> int | None:
    """Run the command that ``arguments`` begin with; the defaults of training are those of its ``--preset``."""
    commands: dict[str, Command] = {
        "prepare": prepare,
        "convert": convert,
        "train": training(_preset(arguments, "kinelift")),
        "specialists": specialising(_preset(arguments, "bai")),
        "evaluate": evaluate,
        "relift": relift,
    }
    return run_command(commands, "kinelift lifting", "From recordings to lifters, and back.", arguments)


def _fabric(accelerator: str, devices: int, nodes: int, precision: str) -> Fabric:
    fabric = Fabric(accelerator=accelerator, devices=devices, num_nodes=nodes, precision=precision)  # type: ignore[arg-type]
    fabric.launch()
    return fabric


def _reporter() -> Reporter:
    """One process of several reports."""
    return Quiet() if int(os.environ.get("RANK", "0")) > 0 else Reporter()


def _shown(items: Iterable[Seen], total: int | None = None) -> Iterator[Seen]:
    with Reporter().progress("lifting") as progress:
        yield from progress(items, "clips", total)


def _preset(args: Sequence[str], otherwise: str) -> str:
    """What ``--preset`` names; the command's own parser complains about what does not exist."""
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False, exit_on_error=False)
    parser.add_argument("--preset", default=otherwise)
    try:
        named = parser.parse_known_args(args)[0].preset
    except argparse.ArgumentError:
        return otherwise
    return named if named in PRESETS else otherwise
