"""Cross-subject evaluation: every subject is judged by a network that has never seen them."""

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
    """One training: the rows that are learnt from, and those that are judged; ``name`` says who these show."""

    name: str
    train: Bool[np.ndarray, " W"]
    test: Bool[np.ndarray, " W"]


@dataclass(frozen=True, eq=False)
class CrossValidation:
    """What was said about every row of ``corpus`` by models that had not seen its subject.

    ``network`` are logits. ``round`` numbers the training that each row was judged by, −1 where it never was.
    ``fair`` marks the judged rows whose label was there in training: without that nobody could have learnt it.
    """

    corpus: Corpus
    round: Int[np.ndarray, " W"]
    fair: Bool[np.ndarray, " W"]
    network: Float[np.ndarray, "W K"]
    centroid: Float[np.ndarray, "W K"]
    majority: Float[np.ndarray, "W K"]

    def scores(self, answers: Float[np.ndarray, "W K"], rows: Bool[np.ndarray, " W"] | None = None) -> Scores:
        """Scores of one of the three models over the fair rows, or over those of ``rows`` that are fair."""
        keep = self.fair if rows is None else self.fair & rows
        return clip_scores(self.corpus.only(keep), answers[keep])


def rounds(corpus: Corpus, folds: int) -> list[Round]:
    """The collection's own protocol where its clips have a split: train and test, or a round a fold. Else by subject.

    Raises ``DataError`` if the subjects do not make two groups, or if a split leaves nothing to train on or to judge.
    """
    splits = np.array([clip.split for clip in corpus.clips])
    if set(splits.tolist()) == {"train", "test"}:
        found = [Round("test", splits == "train", splits == "test")]
    elif splits.any():
        found = [Round(name, splits != name, splits == name) for name in sorted(set(splits.tolist()))]
    else:
        groups = subject_folds(corpus, folds)
        found = [
            Round(", ".join(_ordered(group)), ~corpus.of_subjects(group), corpus.of_subjects(group)) for group in groups
        ]
    if not all(each.train.any() and each.test.any() for each in found):
        raise DataError("These data cannot be divided: everything is of one subject, or on one side of the split.")
    return found


def subject_folds(corpus: Corpus, folds: int) -> list[frozenset[str]]:
    """Subjects in ``folds`` groups, so that the subjects of every label are spread over the groups.

    Subjects with the rarest labels are placed first, each into the group that shares least with them.
    """
    labels: dict[str, set[int]] = {}
    for subject, label in zip(corpus.subjects, corpus.labels.tolist(), strict=True):
        labels.setdefault(subject, set()).add(label)
    subjects_of = Counter(label for found in labels.values() for label in found)
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
    """Train once for each round; ``progress(round, epoch)`` is called after every epoch."""
    shape = (len(corpus), len(corpus.names))
    judged, fair = np.full(len(corpus), -1), np.zeros(len(corpus), bool)
    network, nearest, most = np.zeros(shape), np.zeros(shape), np.zeros(shape)
    for number, each in enumerate(plan):
        train, test = corpus.only(each.train), corpus.only(each.test)
        trainer = Trainer(settings, train, None, genotype)
        for _ in trainer.fit():
            progress(number, trainer.epoch)
        judged[each.test] = number
        fair[each.test] = np.isin(test.labels, train.labels)
        network[each.test] = trainer.result({}).logits(test.windows())
        nearest[each.test] = centroid(train, test, settings.encoding)
        most[each.test] = majority(train, test)
    return CrossValidation(corpus, judged, fair, network, nearest, most)


def answers(verdicts: CrossValidation, rows: Bool[np.ndarray, " W"]) -> Answers:
    """What the networks said about people whom they had not seen, in the fair ones among ``rows``."""
    corpus, keep = verdicts.corpus, verdicts.fair & rows
    taught = np.zeros(int(keep.sum()), bool)
    return Answers(verdicts.network[keep], corpus.labels[keep], verdicts.round[keep], taught, other_of(corpus))


def answers_on_left_out(
    corpus: Corpus,
    judged: Bool[np.ndarray, " W"],
    settings: TrainSettings,
    folds: Int[np.ndarray, " W"],
    genotype: AnyGenotype = HAND_CHOSEN,
    progress: Callable[[int, int], None] = lambda number, epoch: None,
) -> Answers:
    """What networks say about actions that they were never taught: a few are left out of each training.

    Their people are in the training, doing other things. ``judged`` rows are asked about; ``folds`` are their groups.
    """
    parts = []
    for number, left_out in enumerate(left_out_actions(corpus)):
        rows = np.isin(corpus.labels, left_out)
        trainer = Trainer(settings, corpus.only(~rows), None, genotype)
        for _ in trainer.fit():
            progress(number, trainer.epoch)
        asked = rows & judged
        parts.append((trainer.result({}).logits(corpus.only(asked).windows()), corpus.labels[asked], folds[asked]))
    logits, labels, groups = (np.concatenate(part) for part in zip(*parts, strict=True))
    return Answers(logits, labels, groups, np.ones(len(labels), bool), other_of(corpus))


def joined(first: Answers, second: Answers) -> Answers:
    """The answers of both."""
    return Answers(
        np.concatenate([first.logits, second.logits]),
        np.concatenate([first.labels, second.labels]),
        np.concatenate([first.folds, second.folds]),
        np.concatenate([first.novel, second.novel]),
        first.other,
    )


def left_out_actions(corpus: Corpus, most: int = 5) -> list[list[int]]:
    """Actions in groups to be left out, at most ``most`` groups; none if that would leave less than two to learn."""
    known = [label for label in np.unique(corpus.labels).tolist() if label != other_of(corpus)]
    groups = [known[k::most] for k in range(min(most, len(known)))]
    return groups if len(known) - len(groups[0]) >= 2 else []


def other_of(corpus: Corpus) -> int | None:
    """Which label stands for none of the actions."""
    return corpus.names.index(OTHER) if OTHER in corpus.names else None


def majority(train: Corpus, test: Corpus) -> Float[np.ndarray, "W K"]:
    """The baseline that always says the label that most clips of ``train`` show."""
    shown = {(clip, label) for clip, label in zip(train.clip.tolist(), train.labels.tolist(), strict=True)}
    most = Counter(label for _, label in shown).most_common(1)[0][0]
    return _certain(np.full(len(test), most), test)


def centroid(train: Corpus, test: Corpus, encoding: Encoding) -> Float[np.ndarray, "W K"]:
    """The baseline that says the label whose mean motion image is nearest."""
    known, images = np.unique(train.labels), _flat(train, encoding)
    means = np.stack([images[train.labels == label].mean(axis=0) for label in known])
    distances = [((image - means) ** 2).sum(axis=1) for image in _flat(test, encoding)]
    return _certain(known[np.argmin(np.reshape(distances, (len(test), len(known))), axis=1)], test)


def _flat(corpus: Corpus, encoding: Encoding) -> Float[np.ndarray, "W P"]:
    return encode(corpus.windows(), encoding).reshape(len(corpus), -1).astype(np.float32)


def _certain(labels: Int[np.ndarray, " W"], corpus: Corpus) -> Float[np.ndarray, "W K"]:
    return np.eye(len(corpus.names))[labels]


def _ordered(subjects: frozenset[str]) -> list[str]:
    return sorted(subjects, key=lambda s: (len(s), s))
