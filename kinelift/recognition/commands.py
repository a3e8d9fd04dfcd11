"""``kinelift recognition``: from labelled motion to a measured classifier."""

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from math import inf
from pathlib import Path
from typing import Annotated

import numpy as np
import tyro
from jaxtyping import Float

from kinelift.models.enas.architecture import AnyGenotype
from kinelift.poses.errors import DataError, SettingsError
from kinelift.poses.output import make_folder, replacing
from kinelift.poses.overwriting import check_outputs
from kinelift.recognition.calibration import Calibration
from kinelift.recognition.console import Cell, Data, Out, Settings, read_corpus, read_genotype, report_flaws
from kinelift.recognition.data import clipfile, labelled_folder
from kinelift.recognition.data.collections import Layout
from kinelift.recognition.data.collections import convert as convert_collection
from kinelift.recognition.encoding.spmf import Encoding
from kinelift.recognition.measuring import classifier_plots, evaluation, reports
from kinelift.recognition.measuring.advice import expectation, shortages
from kinelift.recognition.measuring.measure import measure
from kinelift.recognition.network import ActionNetwork
from kinelift.recognition.search.command import search
from kinelift.recognition.training.corpus import Corpus
from kinelift.recognition.training.inputs import run_of
from kinelift.recognition.training.session import fit_with_log, matching_report, resume
from kinelift.recognition.training.trainer import Trainer, TrainSettings
from kinelift.recognition.windows import WindowPlan, resample
from kinelift.terminal.parsing import Command, run_command
from kinelift.terminal.reporter import Reporter

OptionalFile = Annotated[Path | None, tyro.conf.arg(metavar="FILE")]
Threshold = Annotated[float | None, tyro.conf.arg(metavar="P")]
Prior = Annotated[tuple[str, ...], tyro.conf.arg(metavar="LABEL=TIMES")]


def convert(path: tyro.conf.Positional[Path], out: Out, layout: Layout, lifted: OptionalFile = None) -> None:
    """Convert a public data set to the folder that training reads.

    Args:
        path: The data set, a folder or an archive.
        out: The new folder.
        layout: Which data set it is.
        lifted: For motion capture, the output of kinelift lifting relift.
    """
    dataset = convert_collection(path, out, layout, lifted)
    reporter = Reporter()
    report_flaws(dataset.flaws, reporter)
    reporter.table(reports.dataset_table(dataset))
    reporter.result(f"Wrote {out}: {len(dataset)} clips of {len(dataset.subjects)} subjects.")


def train(
    data: Data,
    out: Out,
    settings: Settings = TrainSettings(),  # noqa: B008
    genotype: Cell = None,
    folds: int = 5,
    false_names: float = 0.1,
    threshold: Threshold = None,
    prior: Prior = (),
    device: str = "cpu",
) -> None:
    """Measure across subjects, then train on everybody. Resumes an interrupted run.

    Args:
        data: Labelled motion.
        out: Checkpoint to write. Beside it: report, confusion matrix, log (one JSON line per epoch), state of the run.
        settings: Of the training.
        genotype: JSON of the cell from a search; by default, the hand-chosen one.
        folds: Groups of subjects to measure on, if the data have no split; 0 = do not measure.
        false_names: Share of unknown motion that may get a name. Sets the threshold for naming an action.
        threshold: Probability that an action needs for a name, instead of one chosen by --false-names.
        prior: Labels that are likelier than others before anything is seen, and how many times: stand=8 walk=8.
        device: cpu or cuda.
    """
    report = out.with_suffix(".json")
    beside = [out.with_suffix(suffix) for suffix in (".json", ".jsonl", ".png", ".state")]
    check_outputs([out, *beside], [*labelled_folder.files(data), *([genotype] if genotype else [])])
    reporter = Reporter()
    corpus, settings = read_corpus(data, settings, reporter)
    settings, rate = _decisions(settings, corpus, prior, threshold), None if threshold is not None else false_names
    cell = read_genotype(genotype)
    make_folder(out.parent)
    for shortage in shortages(corpus):
        reporter.note(shortage)
    trainer, run = Trainer(settings, corpus, None, cell, device), run_of(corpus, settings, cell)
    if resume(trainer, out, run):
        reporter.note(f"Resuming after epoch {trainer.epoch} from {out.with_suffix('.state')}.")
    measuring_run = run_of(corpus, settings, cell, folds=folds, false_names=rate)
    figures = matching_report(report, measuring_run)
    if folds and figures is None:
        _measure(corpus, settings, cell, folds, rate, report, out.with_suffix(".png"), reporter)
        figures = matching_report(report, measuring_run)
    with reporter.progress_bar("epochs", settings.epochs, trainer.epoch) as advance:
        for record in fit_with_log(trainer, out, run):
            advance(f"loss {record['loss']:.2f}")
    about = {"date": f"{datetime.now(UTC):%Y-%m-%d}", "data": corpus.dataset.terms, "measured": figures, **run.facts()}
    calibration = Calibration.from_mapping(figures["calibration"]) if figures else settings.calibration
    replace(trainer.result(about), calibration=calibration).save(out)
    reporter.result(f"Wrote {out}.")


def evaluate(
    data: Data,
    settings: Settings = TrainSettings(),  # noqa: B008
    genotype: Cell = None,
    folds: int = 5,
    false_names: float = 0.1,
    threshold: Threshold = None,
    prior: Prior = (),
    figure: OptionalFile = None,
    report: OptionalFile = None,
) -> None:
    """Train once per fold, test on the subjects left out, and print the figures.

    Args:
        data: Labelled motion.
        settings: Of every training.
        genotype: JSON of the cell from a search; by default, the hand-chosen one.
        folds: Groups of subjects, if the data have no split.
        false_names: Share of unknown motion that may get a name.
        threshold: Probability that an action needs for a name, instead of one chosen by --false-names.
        prior: Labels that are likelier than others before anything is seen, and how many times: stand=8 walk=8.
        figure: PNG to write the confusion matrix to.
        report: JSON to write the figures to.
    """
    check_outputs([path for path in (figure, report) if path], labelled_folder.files(data))
    reporter = Reporter()
    corpus, settings = read_corpus(data, settings, reporter)
    settings, rate = _decisions(settings, corpus, prior, threshold), None if threshold is not None else false_names
    _measure(corpus, settings, read_genotype(genotype), folds, rate, report, figure, reporter)


def encode(
    recording: tyro.conf.Positional[Path],
    figure: Path,
    person: str = "",
    start: Annotated[float | None, tyro.conf.arg(metavar="SECONDS")] = None,
    seconds: float = 1.0,
    weights: OptionalFile = None,
) -> None:
    """Draw a motion image with its rows, time and colours explained.

    Args:
        recording: A recording.npz of kinelift run, or a clip of a labelled folder (clips/NAME.npz).
        figure: PNG to write.
        person: Id of the person, in a recording of several people.
        start: First second to draw, on the recording's clock; by default, when the person appears.
        seconds: Length to draw; inf = to the end.
        weights: Checkpoint whose encoding to use; by default, that of the skeleton.
    """
    if not recording.is_file():
        raise DataError(f"There is no recording {recording}. Make one with: kinelift run VIDEO")
    motion = clipfile.load(recording, person)
    encoding = ActionNetwork.load(weights).encoding if weights else Encoding.of(motion.skeleton.name)
    begin = float(motion.times[0]) if start is None else start
    points, length = _excerpt(recording, motion, begin, seconds)
    classifier_plots.motion_image(points, encoding, begin, length, figure)
    Reporter().result(f"Wrote {figure}.")


def main(arguments: Sequence[str]) -> int | None:
    """Run the command at the start of ``arguments``."""
    commands: dict[str, Command] = {
        "convert": convert,
        "search": search,
        "train": train,
        "evaluate": evaluate,
        "encode": encode,
    }
    return run_command(commands, "kinelift recognition", "From labelled motion to a measured classifier.", arguments)


def _excerpt(
    path: Path, motion: clipfile.ClipMotion, start: float, seconds: float
) -> tuple[Float[np.ndarray, "T J 3"], float]:
    """Finite poses at an even rate from ``start`` on, and their length in seconds."""
    plan, (first, last) = WindowPlan(), motion.times[[0, -1]]
    if not seconds > 0:
        raise SettingsError(f"--seconds is {seconds:g}. Give more than 0.")
    resampled = resample(motion.points, motion.times, plan)
    begin, frames = round((start - first) * plan.rate), min(seconds * plan.rate, len(resampled))
    excerpt = resampled[max(begin, 0) : max(begin, 0) + round(frames) + 1]
    if begin < 0 or len(excerpt) < 2:
        raise SettingsError(
            f"{path} shows this person from {first:.2f} to {last:.2f} s. Choose a --start in that range."
        )
    if not np.isfinite(excerpt).all():
        raise DataError(
            f"In {path} a joint is not seen for over {plan.gap} s at that time. Choose another --start, or make the "
            f"recording with: kinelift run --guess"
        )
    return excerpt, (len(excerpt) - 1) / plan.rate


def _decisions(settings: TrainSettings, corpus: Corpus, prior: Sequence[str], threshold: float | None) -> TrainSettings:
    """The settings with these weights of labels and this threshold.

    Raises:
        SettingsError: The prior names no label of the data, or a number that is not positive.
    """
    times = dict.fromkeys(corpus.names, 1.0)
    for entry in prior:
        label, _, number = entry.rpartition("=")
        if label not in times:
            raise SettingsError(f"--prior {entry}: no label is called {label!r}. Labels: {', '.join(corpus.names)}.")
        try:
            times[label] = float(number)
        except ValueError:
            raise SettingsError(
                f"--prior {entry}: {number!r} is not a number. Give LABEL=TIMES, as in stand=8."
            ) from None
        if not 0 < times[label] < inf:
            raise SettingsError(f"--prior {entry}: give a positive number.")
    calibration = replace(
        settings.calibration, weights=tuple(times.values()) if prior else settings.calibration.weights
    )
    if len(calibration.weights) not in (0, len(corpus.names)):
        raise SettingsError(f"--calibration.weights: give {len(corpus.names)}, one for each label, or --prior.")
    if threshold is not None:
        if not 0 <= threshold <= 1:
            raise SettingsError(f"--threshold is {threshold:g}; it must be from 0 to 1.")
        calibration = replace(calibration, threshold=threshold)
    return replace(settings, calibration=calibration)


def _measure(
    corpus: Corpus,
    settings: TrainSettings,
    cell: AnyGenotype,
    folds: int,
    false_names: float | None,
    report: Path | None,
    figure: Path | None,
    reporter: Reporter,
) -> Calibration:
    plan = evaluation.rounds(corpus, folds)
    reporter.table(reports.corpus_table(corpus, plan))
    epochs = (len(plan) + len(evaluation.left_out_actions(corpus))) * settings.epochs
    with reporter.progress_bar("epochs", epochs) as advance:
        measurement = measure(corpus, settings, plan, cell, false_names, advance)
    scores = measurement.scores(measurement.kind)
    reporter.table(reports.scores_table(scores, corpus.names))
    reporter.table(reports.trust_table(measurement.trust, measurement.calibration, measurement.reliability.error))
    reporter.result(expectation(scores["network"], corpus.names))
    if figure:
        title = f"Subjects not trained on: {scores['network'].accuracy:.1%} of clips correct"
        classifier_plots.confusion(scores["network"].confusion, corpus.names, title, figure)
    if report:
        run = run_of(corpus, settings, cell, folds=folds, false_names=false_names)
        facts = {**measurement.facts(), "rounds": [each.name for each in plan], **run.facts()}
        with replacing(report) as part:
            part.write_text(json.dumps(facts, indent=1, allow_nan=False), encoding="utf-8")
    return measurement.calibration
