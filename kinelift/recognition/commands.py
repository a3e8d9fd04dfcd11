"""``python -m recognition convert | search | train | evaluate | encode``: labelled motion → a measured classifier."""

import json
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import tyro
from jaxtyping import Float

from kinelift.models.enas.architecture import AnyGenotype
from kinelift.poses.errors import DataError, KineliftError, SettingsError
from kinelift.poses.output import make_folder, replacing
from kinelift.recognition.calibration import Calibration
from kinelift.recognition.console import Cell, Data, Out, Settings, cell_of, console, progress, read, show_flaws
from kinelift.recognition.data import clipfile
from kinelift.recognition.data.collections import Layout
from kinelift.recognition.data.collections import convert as convert_collection
from kinelift.recognition.encoding.spmf import Encoding
from kinelift.recognition.measuring import classifier_plots, evaluation, reports
from kinelift.recognition.measuring.measure import measure
from kinelift.recognition.network import ActionNetwork
from kinelift.recognition.search.command import search
from kinelift.recognition.training.corpus import Corpus
from kinelift.recognition.training.inputs import run_of
from kinelift.recognition.training.session import begin, logged, measured
from kinelift.recognition.training.trainer import Trainer, TrainSettings
from kinelift.recognition.windows import WindowPlan, resample


def convert(path: tyro.conf.Positional[Path], out: Out, layout: Layout, lifted: Path | None = None) -> None:
    """Write a known collection as the folder that training reads.

    Args:
        path: The collection, a folder or an archive.
        out: The new folder.
        layout: Which collection it is.
        lifted: Of motion capture, what python -m lifting relift made of it.
    """
    dataset = convert_collection(path, out, layout, lifted)
    show_flaws(dataset.flaws)
    console.print(f"Wrote {out}: {len(dataset)} clips of {len(dataset.subjects)} subjects.", highlight=False)


def train(
    data: Data,
    out: Out,
    settings: Settings = TrainSettings(),  # noqa: B008
    genotype: Cell = None,
    folds: int = 5,
    false_names: float = 0.1,
    device: str = "cpu",
) -> None:
    """Measure across subjects, then train on everybody; a run that was interrupted goes on where it stopped.

    Args:
        data: Labelled motion.
        out: Checkpoint to write. Beside it: report, confusion matrix, log (one JSON line an epoch), state of the run.
        settings: The run.
        genotype: JSON of a cell.
        folds: Groups of subjects to measure on, where the data have no split of their own; 0 = do not measure.
        false_names: Share of motion of no known action that may get a name; sets the threshold below which it has none.
        device: cpu or cuda.
    """
    corpus, settings = read(data, settings)
    cell = cell_of(genotype)
    report = out.with_suffix(".json")
    make_folder(out.parent)
    trainer, run = Trainer(settings, corpus, None, cell, device), run_of(corpus, settings, cell)
    if begin(trainer, out, run):
        console.print(f"Going on after epoch {trainer.epoch} of {out.with_suffix('.state')}.")
    measurement = run_of(corpus, settings, cell, folds=folds, false_names=false_names)
    found = measured(report, measurement)
    if folds and found is None:
        _measure(corpus, settings, cell, folds, false_names, report, out.with_suffix(".png"))
        found = measured(report, measurement)
    with progress(settings.epochs, trainer.epoch) as advance:
        for record in logged(trainer, out, run):
            advance(f"loss {record['loss']:.2f}")
    about = {"date": f"{datetime.now(UTC):%Y-%m-%d}", "data": corpus.dataset.terms, "measured": found, **run.facts()}
    calibration = Calibration(**found["calibration"]) if found else settings.calibration
    replace(trainer.result(about), calibration=calibration).save(out)
    console.print(f"Wrote {out}.")


def evaluate(
    data: Data,
    settings: Settings = TrainSettings(),  # noqa: B008
    genotype: Cell = None,
    folds: int = 5,
    false_names: float = 0.1,
    figure: Path | None = None,
    report: Path | None = None,
) -> None:
    """Train once a fold, judge the subjects that were left out, and print the figures.

    Args:
        data: Labelled motion.
        settings: The run of every fold.
        genotype: JSON of a cell.
        folds: Groups of subjects, where the data have no split of their own.
        false_names: Share of motion of no known action that may get a name.
        figure: PNG to write the confusion matrix to.
        report: JSON to write the figures to.
    """
    corpus, settings = read(data, settings)
    _measure(corpus, settings, cell_of(genotype), folds, false_names, report, figure)


def encode(
    recording: tyro.conf.Positional[Path],
    figure: Path,
    person: str = "",
    start: float | None = None,
    seconds: float = 1.0,
    weights: Path | None = None,
) -> None:
    """Draw a motion image with its rows, its time and its colours explained.

    Args:
        recording: A recording.npz of kinelift run, or a clip of a labelled folder (clips/NAME.npz).
        figure: PNG to write.
        person: Whose poses, in a recording of several people.
        start: Where it begins, in seconds on the recording's clock; without it, where the person appears.
        seconds: How much is shown, as far as there is so much; inf = up to the end.
        weights: Checkpoint whose pictures are wanted; without it, the default of the skeleton.
    """
    if not recording.is_file():
        raise DataError(f"There is no recording {recording}. Make one with: kinelift run VIDEO")
    motion = clipfile.load(recording, person)
    encoding = ActionNetwork.load(weights).encoding if weights else Encoding.of(motion.skeleton.name)
    begin = float(motion.times[0]) if start is None else start
    points, length = _stretch(recording, motion, begin, seconds)
    classifier_plots.motion_image(points, encoding, begin, length, figure)
    console.print(f"Wrote {figure}.")


def main() -> None:
    """Run the command; a typed error becomes one line on stderr and exit status 1."""
    try:
        commands: dict[str, Callable[..., None]] = {
            "search": search,
            "convert": convert,
            "train": train,
            "evaluate": evaluate,
            "encode": encode,
        }
        tyro.extras.subcommand_cli_from_dict(commands, prog="python -m recognition", description=__doc__)
    except KineliftError as error:
        console.print(f"[red]error:[/] {error}", highlight=False)
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)


def _stretch(
    path: Path, motion: clipfile.Motion, start: float, seconds: float
) -> tuple[Float[np.ndarray, "T J 3"], float]:
    """Finite poses at an even rate from ``start`` on, and for how many seconds they last."""
    plan, (first, last) = WindowPlan(), motion.times[[0, -1]]
    if not seconds > 0:
        raise SettingsError(f"--seconds is {seconds:g}. Give more than 0.")
    even = resample(motion.points, motion.times, plan)
    begin, frames = round((start - first) * plan.rate), min(seconds * plan.rate, len(even))
    part = even[max(begin, 0) : max(begin, 0) + round(frames) + 1]
    if begin < 0 or len(part) < 2:
        raise SettingsError(f"{path} shows this person from {first:.2f} to {last:.2f} s. Choose a --start within.")
    if not np.isfinite(part).all():
        raise DataError(f"In {path} a joint is out of sight for over {plan.gap} s then. Choose another --start.")
    return part, (len(part) - 1) / plan.rate


def _measure(
    corpus: Corpus,
    settings: TrainSettings,
    cell: AnyGenotype,
    folds: int,
    false_names: float,
    report: Path | None,
    figure: Path | None,
) -> Calibration:
    plan = evaluation.rounds(corpus, folds)
    console.print(reports.contents(corpus, plan))
    with progress((len(plan) + len(evaluation.untaught(corpus))) * settings.epochs) as advance:
        found = measure(corpus, settings, plan, cell, false_names, advance)
    scores = found.scores(found.kind)
    console.print(reports.compared(scores, corpus.names))
    console.print(reports.trusted(found.trust, found.calibration, found.reliability.error))
    if figure:
        title = f"Subjects never seen: {scores['network'].accuracy:.1%} of clips"
        classifier_plots.confusion(scores["network"].confusion, corpus.names, title, figure)
    if report:
        run = run_of(corpus, settings, cell, folds=folds, false_names=false_names)
        facts = {**found.facts(), "rounds": [each.name for each in plan], **run.facts()}
        with replacing(report) as part:
            part.write_text(json.dumps(facts, indent=1, allow_nan=False), encoding="utf-8")
    return found.calibration


if __name__ == "__main__":
    main()
