"""Cross-subject evaluation: every subject is tested by a network that was not trained on them."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int

from kinelift.models.enas.architecture import AnyGenotype
from kinelift.models.enas.genotype import HAND_CHOSEN
from kinelift.poses.errors import DataError
from kinelift.recognition.calibration import Answers
from kinelift.recognition.data.clips import OTHER
from kinelift.recognition.encoding.spmf import Encoding, encode
from kinelift.recognition.training.corpus import Corpus
from kinelift.recognition.training.scores import Scores, clip_scores
from kinelift.recognition.training.trainer import Trainer, TrainSettings


@dataclass(frozen=True, eq=False)
class Round:
    """One training of a cross-validation.

    Attributes:
        name: The subjects, or the side of the split, in ``test``.
        train: Rows to train on.
        test: Rows to test on.
    """

    name: str
    train: Bool[np.ndarray, " W"]
    test: Bool[np.ndarray, " W"]


@dataclass(frozen=True, eq=False)
class CrossValidation:
    """Predictions for every row of a corpus, by models that were not trained on its subject.

    Attributes:
        corpus: The windows.
        round: Number of the round that tested each row, −1 if none did.
        learnable: Tested rows whose label occurs in training. No model can predict the others.
        network: Logits of the network.
        centroid: One-hot predictions of ``centroid``.
        majority: One-hot predictions of ``majority``.
    """

    corpus: Corpus
    round: Int[np.ndarray, " W"]
    learnable: Bool[np.ndarray, " W"]
    network: Float[np.ndarray, "W K"]
    centroid: Float[np.ndarray, "W K"]
    majority: Float[np.ndarray, "W K"]

    def scores(self, predictions: Float[np.ndarray, "W K"], rows: Bool[np.ndarray, " W"] | None = None) -> Scores:
        """Score the predictions of one model.

        Args:
            predictions: ``network``, ``centroid`` or ``majority``.
            rows: Rows to score, if they are learnable; by default, all.
        """
        keep = self.learnable if rows is None else self.learnable & rows
        return clip_scores(self.corpus.only(keep), predictions[keep])


def rounds(corpus: Corpus, folds: int) -> list[Round]:
    """Divide a corpus by its own protocol if its clips have a split (train and test, or folds), or else by subject.

    Args:
        corpus: The windows.
        folds: Groups of subjects, if the clips have no split.

    Raises:
        DataError: There is only one group, or nothing to train or to test on.
    """
    splits = np.array([clip.split for clip in corpus.clips])
    if set(splits.tolist()) == {"train", "test"}:
        plan = [Round("test", splits == "train", splits == "test")]
    elif splits.any():
        plan = [Round(name, splits != name, splits == name) for name in sorted(set(splits.tolist()))]
    else:
        groups = subject_folds(corpus, folds)
        plan = [
            Round(", ".join(_ordered(group)), ~corpus.of_subjects(group), corpus.of_subjects(group)) for group in groups
        ]
    if not all(each.train.any() and each.test.any() for each in plan):
        raise DataError(
            "These data cannot be divided: they have one subject, or only one side of a split. "
            "Add subjects, or train with --folds 0."
        )
    return plan


def subject_folds(corpus: Corpus, folds: int) -> list[frozenset[str]]:
    """Divide subjects into groups so that those who show a label are spread over the groups.

    Subjects with the rarest labels come first. Each joins the group with the least in common.
    """
    labels: dict[str, set[int]] = {}
    for subject, label in zip(corpus.subjects, corpus.labels.tolist(), strict=True):
        labels.setdefault(subject, set()).add(label)
    subjects_of = Counter(label for shown in labels.values() for label in shown)
    groups: list[set[str]] = [set() for _ in range(folds)]

    def cost(group: set[str], subject: str) -> tuple[float, int]:
        return sum(1 / subjects_of[label] for other in group for label in labels[other] & labels[subject]), len(group)

    for subject in sorted(labels, key=lambda s: (min(subjects_of[label] for label in labels[s]), s)):
        min(groups, key=lambda group: cost(group, subject)).add(subject)
    return [frozenset(group) for group in groups if group]


def cross_validate(
    corpus: Corpus,
    settings: TrainSettings,
    plan: Sequence[Round],
    genotype: AnyGenotype = HAND_CHOSEN,
    progress: Callable[[int, int], None] = lambda number, epoch: None,
) -> CrossValidation:
    """Train and test once for each round.

    Args:
        corpus: The windows.
        settings: Of every training.
        plan: See ``rounds``.
        genotype: The architecture.
        progress: Called with the number of the round and of the epoch after every epoch.
    """
    shape = (len(corpus), len(corpus.names))
    tested, learnable = np.full(len(corpus), -1), np.zeros(len(corpus), bool)
    network, nearest, most_frequent = np.zeros(shape), np.zeros(shape), np.zeros(shape)
    for number, each in enumerate(plan):
        train, test = corpus.only(each.train), corpus.only(each.test)
        trainer = Trainer(settings, train, None, genotype)
        for _ in trainer.fit():
            progress(number, trainer.epoch)
        tested[each.test] = number
        learnable[each.test] = np.isin(test.labels, train.labels)
        network[each.test] = trainer.result({}).logits(test.windows())
        nearest[each.test] = centroid(train, test, settings.encoding)
        most_frequent[each.test] = majority(train, test)
    return CrossValidation(corpus, tested, learnable, network, nearest, most_frequent)


def answers(validation: CrossValidation, rows: Bool[np.ndarray, " W"]) -> Answers:
    """Logits of the networks for people that they were not trained on.

    Args:
        validation: The predictions.
        rows: Rows to take, if they are learnable.
    """
    corpus, keep = validation.corpus, validation.learnable & rows
    novel = np.zeros(int(keep.sum()), bool)
    return Answers(validation.network[keep], corpus.labels[keep], validation.round[keep], novel, other_of(corpus))


def answers_on_left_out(
    corpus: Corpus,
    tested: Bool[np.ndarray, " W"],
    settings: TrainSettings,
    folds: Int[np.ndarray, " W"],
    genotype: AnyGenotype = HAND_CHOSEN,
    progress: Callable[[int, int], None] = lambda number, epoch: None,
) -> Answers:
    """Logits for actions that a network was not trained on: some actions are left out of each training.

    The people who perform them are in the training, with other actions.

    Args:
        corpus: The windows.
        tested: Rows to test, if their action is left out.
        settings: Of every training.
        folds: Group of every row, for calibration.
        genotype: The architecture.
        progress: Called with the number of the training and of the epoch after every epoch.
    """
    parts = []
    for number, left_out in enumerate(left_out_actions(corpus)):
        rows = np.isin(corpus.labels, left_out)
        trainer = Trainer(settings, corpus.only(~rows), None, genotype)
        for _ in trainer.fit():
            progress(number, trainer.epoch)
        test = rows & tested
        parts.append((trainer.result({}).logits(corpus.only(test).windows()), corpus.labels[test], folds[test]))
    logits, labels, groups = (np.concatenate(part) for part in zip(*parts, strict=True))
    return Answers(logits, labels, groups, np.ones(len(labels), bool), other_of(corpus))


def concatenate(first: Answers, second: Answers) -> Answers:
    """Concatenate two sets of answers."""
    return Answers(
        np.concatenate([first.logits, second.logits]),
        np.concatenate([first.labels, second.labels]),
        np.concatenate([first.folds, second.folds]),
        np.concatenate([first.novel, second.novel]),
        first.other,
    )


def left_out_actions(corpus: Corpus, max_groups: int = 5) -> list[list[int]]:
    """Divide the actions into at most ``max_groups`` groups to be left out.

    Empty if fewer than two actions would remain for training.
    """
    known = [label for label in np.unique(corpus.labels).tolist() if label != other_of(corpus)]
    groups = [known[k::max_groups] for k in range(min(max_groups, len(known)))]
    return groups if len(known) - len(groups[0]) >= 2 else []


def other_of(corpus: Corpus) -> int | None:
    """Index of the label that stands for none of the actions, or None."""
    return corpus.names.index(OTHER) if OTHER in corpus.names else None


def majority(train: Corpus, test: Corpus) -> Float[np.ndarray, "W K"]:
    """Baseline: predict the label of most clips in ``train``."""
    shown = {(clip, label) for clip, label in zip(train.clip.tolist(), train.labels.tolist(), strict=True)}
    label = Counter(label for _, label in shown).most_common(1)[0][0]
    return _one_hot(np.full(len(test), label), test)


def centroid(train: Corpus, test: Corpus, encoding: Encoding) -> Float[np.ndarray, "W K"]:
    """Baseline: predict the label whose mean motion image is nearest."""
    known, images = np.unique(train.labels), _flattened_images(train, encoding)
    means = np.stack([images[train.labels == label].mean(axis=0) for label in known])
    distances = [((image - means) ** 2).sum(axis=1) for image in _flattened_images(test, encoding)]
    return _one_hot(known[np.argmin(np.reshape(distances, (len(test), len(known))), axis=1)], test)


def _flattened_images(corpus: Corpus, encoding: Encoding) -> Float[np.ndarray, "W P"]:
    return encode(corpus.windows(), encoding).reshape(len(corpus), -1).astype(np.float32)


def _one_hot(labels: Int[np.ndarray, " W"], corpus: Corpus) -> Float[np.ndarray, "W K"]:
    one_hot: Float[np.ndarray, "W K"] = np.eye(len(corpus.names))[labels]
    return one_hot


def _ordered(subjects: frozenset[str]) -> list[str]:
    return sorted(subjects, key=lambda s: (len(s), s))
