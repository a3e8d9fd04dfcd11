"""``kinelift recognition search``: search an architecture for labelled motion."""

from dataclasses import asdict, replace
from typing import Annotated, Any

import numpy as np
import torch
import tyro
from jaxtyping import Bool

from kinelift.poses.errors import DataError
from kinelift.poses.output import make_folder, replacing
from kinelift.poses.overwriting import check_outputs
from kinelift.recognition.console import Data, Out, read_corpus
from kinelift.recognition.data import labelled_folder
from kinelift.recognition.measuring.evaluation import subject_folds
from kinelift.recognition.network import motion_images
from kinelift.recognition.search import search_plots
from kinelift.recognition.search.search import Search
from kinelift.recognition.search.search_settings import SearchSettings
from kinelift.recognition.training.augment import Augmentation, Sampler
from kinelift.recognition.training.corpus import Corpus
from kinelift.recognition.training.inputs import inputs_of
from kinelift.recognition.training.trainer import ImageSampler, TrainSettings
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
    judged: Annotated[str, tyro.conf.arg(metavar="FOLD")] = "",
    device: str = "cpu",
) -> None:
    """Search an architecture (ENAS). Resumes an interrupted search. Test clips are not used.

    Args:
        data: Labelled motion.
        out: JSON to write: the architectures and the course of the search. Beside it: figures of both.
        settings: Of the search.
        plan: How clips are cut into windows.
        augmentation: How training windows are varied.
        validation_subjects: Subjects who give the rewards and are not trained on; by default, about a fifth.
        judged: Of clips in folds: the fold on which the network found will be tested; the search does not see it.
        device: cpu or cuda.
    """
    state, course, found = out.with_suffix(".state"), out.with_suffix(".png"), out.with_name(f"{out.stem}-found.png")
    check_outputs([out, state, course, found], labelled_folder.files(data))
    reporter = Reporter()
    corpus, training = read_corpus(data, TrainSettings(plan=plan, augmentation=augmentation), reporter)
    corpus = corpus.only(_unjudged(corpus, judged))
    validation = _validation(corpus, validation_subjects)
    source = ImageSampler(Sampler(corpus.only(~validation), augmentation), training.encoding)
    images = motion_images(corpus.only(validation).windows(), training.encoding)
    labels = torch.from_numpy(corpus.labels[validation])
    searcher = Search(settings, len(corpus.names), source, images, labels, device)
    run = Run(inputs_of(corpus), _settings(settings, training, corpus, validation))
    make_folder(out.parent)
    if state.exists():
        searcher.restore(state, run)
        reporter.note(f"Resuming after epoch {len(searcher.history)} from {state}.")
    with reporter.progress_bar("epochs", settings.epochs, len(searcher.history)) as advance:
        for record in searcher.fit():
            searcher.save(state, run)
            advance(f"reward {record.get('reward', 0.0):.1%}, random {record['random']:.1%}")
    result = replace(searcher.result(), run=run.facts())
    with replacing(out) as part:
        part.write_text(result.to_json(), encoding="utf-8")
    search_plots.course(result.history, course)
    search_plots.architecture(result.best.genotype, found)
    reporter.result(
        f"Wrote {out}: {result.best.accuracy:.1%}; best of as many random ones: {result.best_random.accuracy:.1%}."
    )


def _unjudged(corpus: Corpus, judged: str) -> Bool[np.ndarray, " W"]:
    """The rows that a search may see: all but the test clips or, of clips in folds, but those of the judged one.

    Raises:
        DataError: The clips are in folds and ``judged`` does not name one, or they are not and it is given.
    """
    splits = np.array([clip.split for clip in corpus.clips])
    folds = sorted(set(splits.tolist()) - {"train", "test", ""})
    if folds and judged not in folds:
        raise DataError(
            f"These clips are in the folds {', '.join(folds)}. Name the one on which the network found will be tested, "
            f"so that the search does not see it: --judged {folds[0]}."
        )
    if judged and not folds:
        raise DataError("These clips are not in folds. Leave out --judged; test clips are never used.")
    unseen: Bool[np.ndarray, " W"] = splits != (judged or "test")
    return unseen


def _validation(corpus: Corpus, subjects: tuple[str, ...]) -> Bool[np.ndarray, " W"]:
    """The rows that give the rewards: those of ``subjects`` or, without any, of about a fifth of all subjects.

    Raises:
        DataError: Nobody is left to validate on, or to train on.
    """
    validation = corpus.of_subjects(subjects or subject_folds(corpus, 5)[0])
    if not validation.any() or validation.all():
        raise DataError(
            "A search needs subjects to train on and others to validate on. Choose some with --validation-subjects."
        )
    return validation


def _settings(
    settings: SearchSettings, training: TrainSettings, corpus: Corpus, validation: Bool[np.ndarray, " W"]
) -> dict[str, Any]:
    """All settings that the outcome depends on, and the validation subjects."""
    image_settings = {name: asdict(getattr(training, name)) for name in ("plan", "augmentation", "encoding")}
    return {**asdict(settings), **image_settings, "validation_subjects": sorted(set(corpus.only(validation).subjects))}
