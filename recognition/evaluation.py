"""Cross-subject evaluation: every subject is judged by a network that has never seen them."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int

from models.architecture import AnyGenotype
from models.genotype import HAND_CHOSEN
from poses.errors import DataError
from recognition.corpus import Corpus
from recognition.scores import Scores, clip_scores
from recognition.spmf import Encoding, encode
from recognition.training import Trainer, TrainSettings


@dataclass(frozen=True, eq=False)
class Round:
    """One training: the rows that are learnt from, and those that are judged; ``name`` says who these show."""

    name: str
    train: Bool[np.ndarray, " W"]
    test: Bool[np.ndarray, " W"]


@dataclass(frozen=True, eq=False)
class Verdicts:
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
        found = [Round(", ".join(_ordered(group)), ~corpus.by(group), corpus.by(group)) for group in groups]
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


def judge(
    corpus: Corpus,
    settings: TrainSettings,
    plan: Sequence[Round],
    genotype: AnyGenotype = HAND_CHOSEN,
    progress: Callable[[int, int], None] = lambda number, epoch: None,
) -> Verdicts:
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
    return Verdicts(corpus, judged, fair, network, nearest, most)


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
