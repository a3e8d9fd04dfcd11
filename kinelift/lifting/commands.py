"""``kinelift lifting``: prepare data, train and evaluate lifters."""

import argparse
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Annotated, Literal, TypeAlias

import tyro
from lightning_fabric import Fabric

from kinelift.lifting.body import FitMode
from kinelift.lifting.datasets import dataset_split
from kinelift.lifting.datasets.convert import Layout
from kinelift.lifting.datasets.convert import convert as convert_files
from kinelift.lifting.datasets.dataset_split import Bank
from kinelift.lifting.lifter import Lifter
from kinelift.lifting.measuring.error_plots import errors_by_action, save
from kinelift.lifting.measuring.error_tables import tables
from kinelift.lifting.measuring.evaluation import TrialT, mean_pose, network_predictions, predictions, report, to_json
from kinelift.lifting.mocap import capture_files
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
from kinelift.lifting.training.train_settings import TrainSettings
from kinelift.lifting.training.trainer import Trainer
from kinelift.lifting.world.stage import WorldLifter
from kinelift.poses.errors import SettingsError
from kinelift.poses.output import make_folder, replacing
from kinelift.poses.overwriting import check_outputs, files_under
from kinelift.terminal.parsing import Command, run_command
from kinelift.terminal.reporter import Quiet, Reporter

Preset: TypeAlias = Literal["kinelift", "videopose3d", "humaneva", "gupta", "bai", "ugcn", "two-stream"]

TEST_NOISE = {"clean keypoints": None, "flawed keypoints": NoiseSettings(), "measured noise": MEASURED}
"""Detector noise for tests on motion capture, by its name in the report."""

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
    """Read motion capture (ASF/AMC, BVH) into one npz, retargeted to a body of typical proportions.

    Args:
        folders: Folders to search, with all sub-folders.
        out: The npz to write.
        index: CSV that describes each trial (the CMU index).
        asf: The skeleton for AMC files that have none in their folder.
        audit: Also print proportions and joint angles of every subject, with those of the population, before and after.
    """
    check_outputs([out], [file for folder in folders for file in capture_files.files(folder)])
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
    """Read a recorded data set, or keypoints of your own videos, into one npz of sequences.

    Args:
        files: npz: DATA_2D [DATA_3D]; human36m: FOLDER CAMERAS; mpi3dhp-train, mpi3dhp-test and tracks: FOLDER or FILE.
        out: The npz to write.
        layout: How the files are laid out.
        size: Width and height of the videos, for tracks that do not state them.
        rate: Frames per second, if the files do not state them.
        projections: npz: DATA_2D of exact keypoints, to estimate the cameras if FILES hold detected ones.
    """
    if not files:
        raise SettingsError("There is nothing to convert. Name the files or folders of the data set.")
    earlier_outputs = ".npz"
    check_outputs([out], [one for path in files for one in files_under(path) if one.suffix != earlier_outputs])
    bank, summary = convert_files(layout, files, size, rate, projections)
    bank.save(out)
    Reporter().result(f"Wrote {out}: {summary}")


def training(preset: str) -> Callable[..., None]:
    """The ``train`` command with the defaults of a preset."""
    preset_settings = PRESETS[preset]

    def train(
        data: tyro.conf.Positional[Path],
        out: Annotated[Path, tyro.conf.arg(aliases=["-o"])],
        settings: Annotated[preset_settings, tyro.conf.arg(name="")] = preset_settings(),  # type: ignore[valid-type]  # noqa: B008
        preset: Preset = preset,  # type: ignore[assignment]
        actions: Names = (),
        extra_datasets: Annotated[tuple[Literal["hdm05", "sfu"], ...], tyro.conf.arg(metavar="{hdm05,sfu} ...")] = (),
        unlabelled: OptionalFile = None,
        start: OptionalFile = None,
        accelerator: str = "auto",
        devices: int = 1,
        nodes: int = 1,
        data_terms: str = "not stated",
    ) -> None:
        """Train a lifter, or resume an interrupted run.

        Args:
            data: File written by ``prepare`` or ``convert``.
            out: Checkpoint to write. Log (one JSON line per epoch), state and training curves are written next to it.
            settings: Settings of the run.
            preset: Defaults of the settings: our own schedule, or a published one.
            actions: Train on these actions only (exact names). Default: all.
            extra_datasets: Further data sets in the file to train on, besides CMU. Their terms apply to the weights.
            unlabelled: Further prepared or converted data for semi-supervised training; true poses are ignored.
            start: Checkpoint of the same shape with the initial weights.
            accelerator: cpu, cuda or auto.
            devices: Devices per node.
            nodes: Number of machines; start one process per device with torchrun.
            data_terms: Origin and licence of the data, recorded in the checkpoint; weights often inherit the terms.
        """
        train_data, validation = _training_data(data, actions, extra_datasets)
        unlabelled_data = None if unlabelled is None else dataset_split.load(unlabelled)
        fabric = _fabric(settings, accelerator, devices, nodes)
        chosen = {"actions": sorted(actions), "extra_datasets": sorted(extra_datasets), "data_terms": data_terms}
        trainer = Trainer(settings, train_data, validation, fabric, unlabelled_data)
        run = run_of(settings, train_data, validation, fabric, unlabelled_data, start, **chosen)
        begin(trainer, out, run, start)
        with _reporter().progress_bar("epochs", trainer.settings.epochs, trainer.epoch) as advance:
            for record in logged(trainer, out, run):
                advance(f"P-MPJPE {record['p_mpjpe']:.1f} mm")
        about = {"data": data_terms, "preset": preset, "actions": actions, "guests": extra_datasets}
        finish(trainer, out, run, about, start)

    return train


def specialising(preset: str) -> Callable[..., None]:
    """The ``specialists`` command with the defaults of a preset."""
    preset_settings = PRESETS[preset]

    def specialists(
        data: tyro.conf.Positional[Path],
        out: Annotated[Path, tyro.conf.arg(aliases=["-o"])],
        settings: Annotated[preset_settings, tyro.conf.arg(name="")] = preset_settings(),  # type: ignore[valid-type]  # noqa: B008
        preset: Preset = preset,  # type: ignore[assignment]
        actions: Annotated[dict[str, str], tyro.conf.arg(metavar="ACTION LABEL ...")] = {},  # noqa: B006
        accelerator: str = "auto",
    ) -> None:
        """Train a generalist and, with equal unit-epochs, a specialist for every action (Bai), and compare them.

        Args:
            data: File written by ``prepare`` or ``convert``.
            out: Folder for the checkpoints, for ``kinelift run --lifter``.
            settings: Settings of the generalist.
            preset: Defaults of the settings: our own schedule, or a published one.
            actions: Pairs of an action and the recogniser's label for it: Walking walk Jog run. Default: all actions.
            accelerator: cpu, cuda or auto.
        """
        parts = dataset_split.split(dataset_split.load(data))
        make_folder(out)
        comparisons: list[Comparison] = []
        reporter = Reporter()
        for comparison in train_all(settings, parts, labels(parts.test, actions), out, _fabric(settings, accelerator)):
            comparisons.append(comparison)
            reporter.note(
                f"{comparison.action}: generalist {comparison.generalist}, specialist {comparison.specialist}"
            )
        save_table(out, settings, comparisons)
        reporter.document(markdown(comparisons))

    return specialists


def evaluate(
    data: tyro.conf.Positional[Path],
    checkpoint: tyro.conf.Positional[Path],
    tested: Literal["cmu", "hdm05", "sfu"] = "cmu",
    subject: Names = (),
    actions: Names = (),
    cameras: int = 2,
    seed: int = 0,
    fit: FitMode = "off",
    out: Annotated[Path | None, tyro.conf.arg(metavar="FILE", aliases=["-o"])] = None,
    figure: OptionalFile = None,
    device: str = "cpu",
) -> None:
    """Measure a checkpoint on held-out subjects, next to a baseline that always predicts the mean pose.

    Motion capture is tested with clean keypoints, with the noise of training, and with noise as measured for the
    program's detector on real video. Recorded sequences are tested with their own keypoints.

    Args:
        data: File written by ``prepare`` or ``convert``.
        checkpoint: The lifter.
        tested: Test subjects of motion capture: those of the CMU subset, of HDM05 or of SFU.
        subject: Subjects to test on. Default: the usual test subjects of the data.
        actions: Test on these actions only (exact names). Default: all.
        cameras: Random cameras for every four seconds of motion capture.
        seed: Seed of cameras, bodies and noise.
        fit: Measure the network's own predictions (off), or the poses fitted to one body as in the program (body).
        out: Also write the errors to this JSON file.
        figure: Also plot the errors by action, as PNG, PDF or SVG.
        device: cpu or cuda.
    """
    lifter, parts = Lifter.load(checkpoint, device), dataset_split.split(dataset_split.load(data), tested)
    test = dataset_split.select_actions(dataset_split.select_subjects(parts.test, subject), actions)
    noises = TEST_NOISE if isinstance(test, MotionBank) else {"recorded keypoints": None}
    baseline = mean_pose(dataset_split.test_trials(parts.train, 1, None, seed))
    reports = {"mean pose": report(dataset_split.test_trials(test, cameras, None, seed), baseline)}
    for name, noise in noises.items():
        reports[name] = report(
            _with_progress(dataset_split.test_trials(test, cameras, noise, seed)),
            network_predictions(lifter) if fit == "off" else predictions(WorldLifter(lifter, fit)),
        )
    for title, table in tables(reports).items():
        Reporter().document(f"\n### {title}\n\n{table}")
    if out:
        with replacing(out) as part:
            part.write_text(to_json(reports))
    if figure:
        save(errors_by_action(reports), figure)


def relift(
    motion: tyro.conf.Positional[Path],
    out: Annotated[Path, tyro.conf.arg(aliases=["-o"])],
    settings: Annotated[ReliftSettings, tyro.conf.arg(name="")] = ReliftSettings(),  # noqa: B008
    device: str = "cpu",
) -> None:
    """Simulate the program on motion capture (camera, noisy detection, lifting) to train classifiers on the result.

    Prints the errors of the lifted poses.

    Args:
        motion: File written by ``prepare``.
        out: The npz to write: lifted poses in the same layout, one clip per camera.
        settings: How clips are recorded and lifted.
        device: cpu or cuda.
    """
    bank, lifter = MotionBank.load(motion), settings.load(device)
    relifted = list(_with_progress(relift_clips(bank, lifter, settings), settings.cameras * len(bank)))
    save_lifted(out, relifted, settings)
    reporter = Reporter()
    reporter.result(f"Wrote {out}: {len(relifted)} clips.")
    reporter.document(tables(errors(bank, relifted))["All metrics"])


def main(arguments: Sequence[str]) -> int | None:
    """Run ``kinelift lifting`` with these arguments. ``--preset`` decides the defaults of training."""
    commands: dict[str, Command] = {
        "prepare": prepare,
        "convert": convert,
        "train": training(_preset(arguments, "kinelift")),
        "specialists": specialising(_preset(arguments, "bai")),
        "evaluate": evaluate,
        "relift": relift,
    }
    return run_command(commands, "kinelift lifting", "Prepare data, train and evaluate lifters.", arguments)


def _training_data(data: Path, actions: tuple[str, ...], extra_datasets: tuple[str, ...]) -> tuple[Bank, Bank]:
    """What a lifter is trained on, and what it is validated on."""
    parts = dataset_split.split(dataset_split.load(data), extra_training=extra_datasets)
    return dataset_split.select_actions(parts.train, actions), dataset_split.select_actions(parts.validation, actions)


def _fabric(settings: TrainSettings, accelerator: str, devices: int = 1, nodes: int = 1) -> Fabric:
    """The devices to train on. Says when fewer bits than single precision are computed with."""
    if settings.precision != "32-true":
        _reporter().note(f"Training in {settings.precision}. For single precision: --precision 32-true")
    fabric = Fabric(accelerator=accelerator, devices=devices, num_nodes=nodes, precision=settings.precision)
    fabric.launch()
    return fabric


def _reporter() -> Reporter:
    """A reporter that is silent in all but one of several processes."""
    return Quiet() if int(os.environ.get("RANK", "0")) > 0 else Reporter()


def _with_progress(items: Iterable[TrialT], total: int | None = None) -> Iterator[TrialT]:
    with Reporter().progress("lifting") as progress:
        yield from progress(items, "clips", total)


def _preset(args: Sequence[str], default: str) -> str:
    """The value of ``--preset``; the command's own parser rejects unknown ones."""
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False, exit_on_error=False)
    parser.add_argument("--preset", default=default)
    try:
        preset = parser.parse_known_args(args)[0].preset
    except argparse.ArgumentError:
        return default
    return preset if preset in PRESETS else default
