"""Measure how a classifier rejects unknown motion, as tables, and as JSON with --report.

    python -m benchmarks.studies.unknown FOLDER [--answers FILE.npz] [--report FILE.json] [--figure FILE.png]

Everybody in FOLDER (docs/reference/labelled-motion.md) is classified by networks that were not trained on them, and
every action also by networks that were not trained on it, as ``kinelift recognition train`` does; lifted clips are used
if the folder has any. By default that takes ten trainings. --answers caches the networks' outputs, so that the tables
can be printed again at once.

Temperatures and thresholds are always chosen on other people than they are measured on. Rates of false names are means
over the labels of unknown motion.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import tyro
from jaxtyping import Float, Int
from rich.console import Console
from rich.table import Table
from scipy.special import logsumexp, softmax, xlogy
from scipy.stats import mannwhitneyu

from benchmarks.reporting import machine
from kinelift.poses.errors import DataError
from kinelift.poses.output import replacing
from kinelift.recognition.calibration import (
    Answers,
    Reliability,
    Trust,
    calibrate,
    decide_across,
    reliability,
    temperatures,
    trust,
    trust_curve,
)
from kinelift.recognition.console import Cell, Data, Settings, read_corpus, read_genotype
from kinelift.recognition.decoding import NOTHING
from kinelift.recognition.measuring import evaluation, reports
from kinelift.recognition.measuring.calibration_figure import write_calibration_figure
from kinelift.recognition.measuring.measure import measure
from kinelift.recognition.training.corpus import Corpus
from kinelift.recognition.training.inputs import run_of
from kinelift.recognition.training.trainer import TrainSettings
from kinelift.terminal.reporter import Reporter
from kinelift.weights.run import Run

BOUNDS = (0.05, 0.1, 0.15, 0.2, 0.3)
"""Bounds of the fraction of unknown motion that gets a name."""
ARRAYS = ("logits", "labels", "folds", "novel", "sequences")


@dataclass(frozen=True, eq=False)
class Asked:
    """Answers, the ``names`` of their labels, and the ``kind`` of the clips: "lifted" or, as recorded, ""."""

    answers: Answers
    names: tuple[str, ...]
    kind: str

    @property
    def counts(self) -> dict[str, int]:
        """Numbers of windows of each kind."""
        found = self.answers
        return {
            "known": int((~found.unknown).sum()),
            "other": int((found.labels == found.other).sum()),
            "left out": int(found.novel.sum()),
        }


@dataclass(frozen=True)
class Score:
    """How well a score separates known from unknown motion: at one bound, and as areas under the ROC curve."""

    trust: Trust
    other: float
    left_out: float


def main(
    data: tyro.conf.Positional[Data],
    settings: Settings = TrainSettings(),  # noqa: B008
    genotype: Cell = None,
    folds: int = 5,
    false_names: float = 0.1,
    answers: Path | None = None,
    report: Path | None = None,
    figure: Path | None = None,
) -> None:
    """Measure and print.

    Args:
        data: Labelled motion.
        settings: Settings of the networks' training.
        genotype: JSON file of a cell.
        folds: Number of groups of subjects, if the data have no split of their own.
        false_names: The bound at which scores are compared.
        answers: File in which the networks' outputs are cached.
        report: JSON file to write.
        figure: PNG file to write, with reliability, and rates over thresholds.
    """
    corpus, settings = read_corpus(data, settings, Reporter())
    run = run_of(corpus, settings, read_genotype(genotype), folds=folds)
    found = kept(answers, run, lambda: ask(corpus, settings, genotype, folds))
    scaled = temperatures(found.answers)
    facts = {
        "date": f"{datetime.now(UTC):%Y-%m-%d}",
        "machine": machine(),
        "judged": found.kind or "as recorded",
        "windows": found.counts,
        "bounds": {bound: bounded(found.answers, bound) for bound in BOUNDS},
        "scores": compared(found.answers, scaled, false_names),
        "calibration_errors": errors(found.answers, scaled),
        "data": data.resolve().name,
        **run.facts(),
    }
    show(found, facts, false_names)
    if figure:
        draw(found.answers, scaled, false_names, figure)
    if report:
        with replacing(report) as part:
            part.write_text(json.dumps(facts, indent=1, default=plain(found.names)), encoding="utf-8")


def ask(corpus: Corpus, settings: TrainSettings, genotype: Path | None, folds: int) -> Asked:
    """Train all networks and collect their outputs.

    Raises:
        DataError: The people cannot be split into several groups.
    """
    plan = evaluation.rounds(corpus, folds)
    if len(plan) < 2:
        raise DataError(
            "The split of these data leaves nobody to choose thresholds on. Use data with several groups of people."
        )
    epochs = (len(plan) + len(evaluation.left_out_actions(corpus))) * settings.epochs
    with Reporter().progress_bar("epochs", epochs) as advance:
        found = measure(corpus, settings, plan, read_genotype(genotype), BOUNDS[0], advance)
    return Asked(found.answers, corpus.names, found.kind)


def kept(path: Path | None, run: Run, ask: Callable[[], Asked]) -> Asked:
    """Load the answers from ``path`` if it exists; otherwise call ``ask`` and save them.

    Raises:
        ResumeError: ``path`` is of another run.
    """
    if path is None or not path.exists():
        found = ask()
        if path:
            save(path, found, run)
        return found
    with np.load(path) as file:
        run.check(path, json.loads(str(file["about"])))
        other = int(file["other"])
        arrays, stride = {name: file[name] for name in ARRAYS}, float(file["stride"])
        answers = Answers(**arrays, other=other if other >= 0 else None, stride=stride)
        return Asked(answers, tuple(file["names"].tolist()), str(file["kind"]))


def save(path: Path, found: Asked, run: Run) -> None:
    """Save answers with the inputs of their run."""
    arrays = {name: getattr(found.answers, name) for name in ARRAYS}
    other = -1 if found.answers.other is None else found.answers.other
    arrays |= {"names": np.array(found.names), "kind": np.array(found.kind), "other": np.array(other)}
    arrays |= {"about": np.array(json.dumps(run.facts())), "stride": np.array(found.answers.stride)}
    with replacing(path) as part, part.open("wb") as file:
        np.savez_compressed(file, **arrays)


def bounded(answers: Answers, bound: float) -> dict[str, Any]:
    """The threshold for use, and trust with thresholds chosen on other people."""
    decisions = decide_across(answers, lambda others: calibrate(others, bound))
    return {**asdict(calibrate(answers, bound)), "trust": trust(answers, decisions)}


def claim(
    action: Float[np.ndarray, " W"], other: Float[np.ndarray, " W"] | None, labels: int
) -> Float[np.ndarray, " W"]:
    """How likely an action is against "other", if that weighed as much as all actions together."""
    return action if other is None else action / np.maximum(action + (labels - 1) * other, 1e-12)


def scores(
    logits: Float[np.ndarray, "W K"], other: int | None
) -> tuple[Int[np.ndarray, " W"], dict[str, Float[np.ndarray, " W"]]]:
    """The most likely action of each window, and all its scores, from scaled logits. Higher scores are more confident.

    Energy and entropy use the actions' logits only; with "other", a confident "other" would count as a confident
    action. The margin is over the next most likely label, including "other".
    """
    probabilities = softmax(logits, axis=1)
    actions, rest = logits.copy(), probabilities.copy()
    if other is not None:
        actions[:, other] = -np.inf
    choice, rows = actions.argmax(axis=1), np.arange(len(logits))
    chosen, none = probabilities[rows, choice], None if other is None else probabilities[:, other]
    rest[rows, choice] = 0.0
    energy, shares = logsumexp(actions, axis=1), softmax(actions, axis=1)
    found = {
        "claim": claim(chosen, none, logits.shape[1]),
        "probability": chosen,
        "largest logit": actions.max(axis=1),
        "energy": energy,
        "margin": chosen - rest.max(axis=1),
        "entropy": xlogy(shares, shares).sum(axis=1),
    }
    return choice, found if other is None else {**found, "energy against other": energy - logits[:, other]}


def compared(answers: Answers, scaled: Float[np.ndarray, " W"], bound: float) -> dict[str, Score]:
    """Evaluate each score of single windows with its own thresholds."""
    logits = answers.taught / scaled[:, None]
    choice, found = scores(logits, answers.other)
    return {name: judged(answers, choice, values, bound) for name, values in found.items()}


def judged(answers: Answers, choice: Int[np.ndarray, " W"], values: Float[np.ndarray, " W"], bound: float) -> Score:
    """Evaluate one score."""
    thresholds = np.empty(len(values))
    for fold in np.unique(answers.folds):
        others = (answers.folds != fold) & answers.unknown
        thresholds[answers.folds == fold] = bounding(values[others], answers.labels[others], bound)
    known = values[~answers.unknown]
    areas = {int(k): area(known, values[answers.unknown & (answers.labels == k)]) for k in unknown_labels(answers)}
    left_out = [each for label, each in areas.items() if label != answers.other]
    found = trust(answers, np.where(values >= thresholds, choice, NOTHING))
    return Score(found, areas.get(-1 if answers.other is None else answers.other, np.nan), float(np.mean(left_out)))


def bounding(scores: Float[np.ndarray, " W"], labels: Int[np.ndarray, " W"], rate: float) -> float:
    """The lowest threshold that at most ``rate`` of the scores reach, as a mean over the labels; −∞ if all may."""
    groups = [np.sort(scores[labels == label]) for label in np.unique(labels)]
    candidates = np.unique(np.concatenate([[-np.inf], np.nextafter(scores, np.inf)]))
    reaching = [1 - np.searchsorted(group, candidates) / len(group) for group in groups]
    rates = np.mean(reaching, axis=0) if groups else np.zeros(len(candidates))
    return float(candidates[np.argmax(rates <= rate + 1e-12)])


def unknown_labels(answers: Answers) -> list[int]:
    """Labels of windows that should not get a name."""
    return np.unique(answers.labels[answers.unknown]).tolist()


def area(known: Float[np.ndarray, " A"], unknown: Float[np.ndarray, " B"]) -> float:
    """Area under the ROC curve: how often a known window scores higher than an unknown one; ties count half."""
    return float(mannwhitneyu(known, unknown).statistic / (len(known) * len(unknown)))


def errors(answers: Answers, scaled: Float[np.ndarray, " W"]) -> dict[str, float]:
    """Expected calibration errors of the most likely label, over known motion."""
    return {
        f"{title}, {bins} bins": confidence(answers, values, bins).error
        for title, values in (("calibrated", scaled), ("temperature 1", np.ones(len(answers))))
        for bins in (10, 15)
    }


def confidence(answers: Answers, scaled: Float[np.ndarray, " W"], bins: int) -> Reliability:
    """Probability of the most likely label against its accuracy, over known motion."""
    taught = ~answers.novel
    probabilities = softmax(answers.logits[taught] / scaled[taught, None], axis=1)
    return reliability(probabilities.max(axis=1), probabilities.argmax(axis=1) == answers.labels[taught], bins)


def draw(answers: Answers, scaled: Float[np.ndarray, " W"], bound: float, path: Path) -> None:
    """The figure of docs/explanation/recognition.md."""
    calibration, thresholds = calibrate(answers, bound), np.linspace(0, 1, 101)
    curve = trust_curve(answers, calibration, thresholds)
    write_calibration_figure(path, confidence(answers, scaled, 10), thresholds, curve, calibration.threshold)


def show(found: Asked, facts: dict[str, Any], bound: float) -> None:
    """Print the tables."""
    counts = ", ".join(f"{count:,} {name}" for name, count in found.counts.items())
    console = Console(width=120)
    table = Table("bound", "temperature", "threshold", "false names", "known named", "names right")
    table.title = f"The rule in use; windows {facts['judged']}: {counts}"
    for name, row in facts["bounds"].items():
        table.add_row(f"{name:.0%}", f"{row['temperature']:.2f}", f"{row['threshold']:.2f}", *shares(row["trust"]))
    console.print(table)
    table = Table("score", "false names", "known named", "names right", "AUC other", "AUC left out")
    table.title = f"Thresholds that bound false names by {bound:.0%}"
    for name, score in facts["scores"].items():
        table.add_row(name, *shares(score.trust), f"{score.other:.3f}", f"{score.left_out:.3f}")
    console.print(table)
    table = Table("motion", "false names", title=f"The rule in use, bound {bound:.0%}")
    for label, share in bounded(found.answers, bound)["trust"].false_accept_rates.items():
        table.add_row(found.names[label], f"{share:.1%}")
    console.print(table)
    table = Table("expected calibration error", "")
    for name, error in facts["calibration_errors"].items():
        table.add_row(name, f"{error:.1%}")
    console.print(table)


def plain(names: Sequence[str]) -> Callable[[Any], Any]:
    """A function that converts trust and scores to JSON values."""

    def made(value: Trust | Score) -> Any:
        return reports.trust_json(value, names) if isinstance(value, Trust) else vars(value)

    return made


def shares(found: Trust) -> Sequence[str]:
    """Rates of false names, of known windows named, and of correct names."""
    return [f"{share:.1%}" for share in (found.false_accept_rate, found.named, found.precision)]


if __name__ == "__main__":
    tyro.cli(main)
