"""``python -m recognition train | evaluate | encode``: from labelled motion capture to a measured classifier."""

import json
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import numpy as np
import tyro
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from poses.errors import DataError, KineliftError
from poses.output import make_folder, replacing
from recognition import evaluation, figures
from recognition.corpus import Clip, Corpus, read_corpus
from recognition.labels import LABELS
from recognition.scores import Scores
from recognition.spmf import Encoding
from recognition.spmf import encode as encode_windows
from recognition.training import Trainer, TrainSettings
from recognition.windows import WindowPlan, cut

_CMU = (
    "CMU Graphics Lab Motion Capture Database (free for research and commercial use). The data used in this project "
    "was obtained from mocap.cs.cmu.edu. The database was created with funding from NSF EIA-0196217."
)

Data = Annotated[Path, tyro.conf.arg(help="Motion capture as written by: python -m lifting prepare")]
Settings = Annotated[TrainSettings, tyro.conf.arg(name="")]

console = Console(stderr=True)


def train(
    data: Data,
    out: Annotated[Path, tyro.conf.arg(aliases=["-o"])],
    settings: Settings = TrainSettings(),  # noqa: B008
    hold_out: tuple[str, ...] = (),
    device: str = "cpu",
    data_terms: str = _CMU,
) -> None:
    """Train a classifier on labelled motion capture, and go on where an interrupted run stopped.

    Args:
        data: Prepared motion capture.
        out: Checkpoint to write. The log (one JSON line an epoch) and the state of the run lie beside it.
        settings: The run.
        hold_out: Subjects to validate on instead of training on them.
        device: cpu or cuda.
        data_terms: Origin and licence of the data, recorded in the checkpoint.
    """
    corpus = read_corpus(data, settings.plan)
    held_out = corpus.by(hold_out)
    trainer = Trainer(settings, corpus.only(~held_out), corpus.only(held_out), device)
    state, log = out.with_suffix(".state"), out.with_suffix(".jsonl")
    make_folder(out.parent)
    if state.exists():
        trainer.restore(state)
        console.print(f"Going on after epoch {trainer.epoch} of {state}.")
    else:
        log.unlink(missing_ok=True)
    with _progress(settings.epochs, trainer.epoch) as advance, log.open("a") as lines:
        for record in trainer.fit():
            trainer.save(state)
            lines.write(json.dumps(record) + "\n")
            lines.flush()
            advance(f"loss {record['loss']:.2f}")
    about = {
        "date": f"{datetime.now(UTC):%Y-%m-%d}",
        "data": data_terms,
        "held_out": list(hold_out),
        **_facts(settings),
    }
    trainer.result(about).save(out)
    console.print(f"Wrote {out}.")


def evaluate(
    data: Data,
    settings: Settings = TrainSettings(),  # noqa: B008
    folds: int = 5,
    figure: Path | None = None,
    report: Path | None = None,
) -> None:
    """Measure across subjects: train once a fold, judge the subjects that were left out, and print the figures.

    Args:
        data: Prepared motion capture.
        settings: The run of every fold.
        folds: Groups of subjects.
        figure: PNG to write the confusion matrix to.
        report: JSON to write the figures to.
    """
    corpus = read_corpus(data, settings.plan)
    groups = evaluation.subject_folds(corpus, folds)
    _show_corpus(corpus, groups)
    with _progress(len(groups) * settings.epochs) as advance:
        verdicts = evaluation.cross_validate(
            corpus, settings, groups, lambda group, _: advance(f"fold {group + 1} of {len(groups)}")
        )
    scores = {name: verdicts.scores(getattr(verdicts, name)) for name in ("network", "centroid", "majority")}
    calibration = evaluation.calibrate(verdicts)
    trust = evaluation.trust(verdicts, calibration)
    _show_scores(scores)
    console.print(calibration, trust, highlight=False)
    if figure:
        title = f"Cross-subject, {folds} folds: {scores['network'].accuracy:.1%} of clips"
        figures.confusion(scores["network"].confusion, LABELS, title, figure)
    if report:
        facts = {"calibration": asdict(calibration), "trust": asdict(trust), **_facts(settings)}
        summary = {name: _summary(each) for name, each in scores.items()}
        with replacing(report) as part:
            part.write_text(json.dumps({"scores": summary, "folds": [sorted(g) for g in groups], **facts}, indent=1))


def encode(data: Data, clip: str, figure: Path, start: float = 0.0) -> None:
    """Draw the motion image of one window, with its rows and columns explained.

    Args:
        data: Prepared motion capture.
        clip: Name of the clip, such as asfamc/02/02_01.
        figure: PNG to write.
        start: Where the window starts, in seconds.
    """
    plan, encoding = WindowPlan(), Encoding()
    points = _clip(read_corpus(data, plan), clip).points[round(start * plan.rate) :]
    if not len(points):
        raise DataError(f"Clip {clip} ends before {start} s. Choose an earlier --start.")
    figures.motion_image(encode_windows(cut(points, plan)[:1], encoding)[0], encoding, plan.seconds, figure)
    console.print(f"Wrote {figure}.")


def main() -> None:
    """Run the command; a typed error becomes one line on stderr and exit status 1."""
    try:
        commands: dict[str, Callable[..., None]] = {"train": train, "evaluate": evaluate, "encode": encode}
        tyro.extras.subcommand_cli_from_dict(commands, prog="python -m recognition", description=__doc__)
    except KineliftError as error:
        console.print(f"[red]error:[/] {error}", highlight=False)
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)


def _clip(corpus: Corpus, name: str) -> Clip:
    for clip in corpus.clips:
        if clip.name == name:
            return clip
    raise DataError(f"No clip {name!r} in the data. The first few: {', '.join(c.name for c in corpus.clips[:5])}.")


def _facts(settings: TrainSettings) -> dict[str, object]:
    return {"settings": asdict(settings)}


def _summary(scores: Scores) -> dict[str, object]:
    recalls = {label: None if np.isnan(r) else r for label, r in zip(LABELS, scores.recalls.tolist(), strict=True)}
    figures_of = {"clips": scores.accuracy, "mean_recall": scores.mean_recall, "windows": scores.window_accuracy}
    return {**figures_of, "recalls": recalls, "confusion": scores.confusion.tolist()}


def _show_corpus(corpus: Corpus, groups: Sequence[frozenset[str]]) -> None:
    table = Table("label", "subjects", "clips", "windows", title="Labelled motion")
    for index, label in enumerate(LABELS):
        part = corpus.only(corpus.labels == index)
        subjects = sorted(set(part.subjects), key=lambda s: (len(s), s))
        table.add_row(label, ", ".join(subjects), str(len(set(part.clip.tolist()))), str(len(part)))
    console.print(table)
    for number, group in enumerate(groups, 1):
        console.print(f"fold {number}: subjects {', '.join(sorted(group, key=lambda s: (len(s), s)))}", highlight=False)


def _show_scores(scores: dict[str, Scores]) -> None:
    table = Table("", *scores, title="Right, on subjects never seen")
    rows = {
        "clips": [each.accuracy for each in scores.values()],
        "mean recall": [each.mean_recall for each in scores.values()],
        "windows": [each.window_accuracy for each in scores.values()],
    }
    rows |= {label: [each.recalls[k] for each in scores.values()] for k, label in enumerate(LABELS)}
    for name, shares in rows.items():
        table.add_row(name, *("–" if np.isnan(share) else f"{share:.1%}" for share in shares))
    console.print(table)


@contextmanager
def _progress(total: int, done: int = 0) -> Iterator[Callable[[str], None]]:
    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()
    with Progress(*columns, console=console) as progress:
        task = progress.add_task("epochs", total=total, completed=done)
        yield lambda description: progress.update(task, advance=1, description=description)


if __name__ == "__main__":
    main()
