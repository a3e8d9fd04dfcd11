"""``kinelift recognition search``: an architecture for labelled motion."""

from dataclasses import asdict, replace
from typing import Annotated, Any

import numpy as np
import torch
import tyro
from jaxtyping import Bool

from kinelift.poses.errors import DataError
from kinelift.poses.output import make_folder, replacing
from kinelift.recognition.console import Data, Out, read
from kinelift.recognition.measuring.evaluation import subject_folds
from kinelift.recognition.network import pictures
from kinelift.recognition.search import search_plots
from kinelift.recognition.search.search import Search
from kinelift.recognition.search.search_settings import SearchSettings
from kinelift.recognition.training.augment import Augmentation, Sampler
from kinelift.recognition.training.corpus import Corpus
from kinelift.recognition.training.inputs import inputs_of
from kinelift.recognition.training.trainer import Pictures, TrainSettings
from kinelift.recognition.windows import WindowPlan
from kinelift.terminal.reporter import Reporter
from kinelift.weights.run import Run


def search(
    data: Data,
    out: Out,
    settings: Annotated[SearchSettings, tyro.conf.arg(name="")] = SearchSettings(),  # noqa: B008
    plan: WindowPlan = WindowPlan(),  # noqa: B008
    augmentation: Augmentation = Augmentation(),  # noqa: B008
    validation_subjects: Annotated[tuple[str, ...], tyro.conf.arg(metavar="[SUBJECT ...]")] = (),
    device: str = "cpu",
) -> None:
    """Search an architecture (ENAS), and go on where an interrupted search stopped. Test clips are not looked at.

    Args:
        data: Labelled motion.
        out: JSON to write: what was found, and how it went. Beside it: figures of the course and of the architecture.
        settings: The search.
        plan: How clips are cut.
        augmentation: How training windows are varied.
        validation_subjects: Subjects whose motion gives the rewards and is not trained on; without it, about a fifth.
        device: cpu or cuda.
    """
    reporter = Reporter()
    corpus, training = read(data, TrainSettings(plan=plan, augmentation=augmentation), reporter)
    corpus = corpus.only(np.array([clip.split != "test" for clip in corpus.clips]))
    validation = corpus.by(validation_subjects or subject_folds(corpus, 5)[0])
    if not validation.any() or validation.all():
        raise DataError(
            "A search needs people to learn from and others to judge by. Name some of them with --validation-subjects."
        )
    source = Pictures(Sampler(corpus.only(~validation), augmentation), training.encoding)
    images = pictures(corpus.only(validation).windows(), training.encoding)
    labels = torch.from_numpy(corpus.labels[validation])
    work = Search(settings, len(corpus.names), source, images, labels, device)
    run = Run(inputs_of(corpus), _chosen(settings, training, corpus, validation))
    make_folder(out.parent)
    state = out.with_suffix(".state")
    if state.exists():
        work.restore(state, run)
        reporter.note(f"Going on after epoch {len(work.history)} of {state}.")
    with reporter.progress_bar("epochs", settings.epochs, len(work.history)) as advance:
        for record in work.fit():
            work.save(state, run)
            advance(f"reward {record.get('reward', 0.0):.1%}, random {record['random']:.1%}")
    found = replace(work.result(), run=run.facts())
    with replacing(out) as part:
        part.write_text(found.to_json(), encoding="utf-8")
    search_plots.course(found.history, out.with_suffix(".png"))
    search_plots.architecture(found.best.genotype, out.with_name(f"{out.stem}-found.png"))
    reporter.result(
        f"Wrote {out}: {found.best.accuracy:.1%}; best of as many random ones {found.best_random.accuracy:.1%}."
    )


def _chosen(
    settings: SearchSettings, training: TrainSettings, corpus: Corpus, judging: Bool[np.ndarray, " W"]
) -> dict[str, Any]:
    """The settings that the outcome depends on, and who judges."""
    pictures = {name: asdict(getattr(training, name)) for name in ("plan", "augmentation", "encoding")}
    return {**asdict(settings), **pictures, "validation_subjects": sorted(set(corpus.only(judging).subjects))}
