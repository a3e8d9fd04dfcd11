"""A classifier measured before it is trained on everybody: across subjects, and on actions it was not taught."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from scipy.special import softmax

from kinelift.models.enas.architecture import AnyGenotype
from kinelift.recognition.calibration import (
    Answers,
    Calibration,
    Reliability,
    Trust,
    calibrate,
    decide,
    decide_across,
    reliability,
    temperatures,
    trust,
)
from kinelift.recognition.measuring import evaluation, reports
from kinelift.recognition.measuring.evaluation import CrossValidation, Round
from kinelift.recognition.training.corpus import Corpus
from kinelift.recognition.training.scores import Scores
from kinelift.recognition.training.trainer import TrainSettings

MODELS = ("network", "centroid", "majority")


@dataclass(frozen=True, eq=False)
class Measured:
    """``calibration`` is for use; ``trust`` and ``reliability`` are of decisions whose calibration was chosen on other
    people. They speak of the ``kind`` of clips that was judged: lifted ones where there are any.
    """

    verdicts: CrossValidation
    answers: Answers
    kind: str
    calibration: Calibration
    trust: Trust
    reliability: Reliability

    def scores(self, kind: str) -> dict[str, Scores]:
        """Scores of the network and its baselines over clips of one kind."""
        rows = self.verdicts.corpus.of_kind(kind)
        return {name: self.verdicts.scores(getattr(self.verdicts, name), rows) for name in MODELS}

    def facts(self) -> dict[str, Any]:
        """All of it, ready for JSON."""
        names = self.verdicts.corpus.names
        kinds = sorted({clip.kind for clip in self.verdicts.corpus.dataset.clips})
        return {
            "scores": {
                kind or "as recorded": {name: reports.plain(each, names) for name, each in self.scores(kind).items()}
                for kind in kinds
            },
            "judged": self.kind or "as recorded",
            "calibration": asdict(self.calibration),
            "trust": reports.plain_trust(self.trust, names),
            "calibration_error": self.reliability.error,
        }


def measure(
    corpus: Corpus,
    settings: TrainSettings,
    plan: Sequence[Round],
    genotype: AnyGenotype,
    false_names: float,
    progress: Callable[[str], None] = lambda stage: None,
) -> Measured:
    """Judge everybody by networks that have not seen them, then actions by networks that were not taught them.

    ``false_names``: the share of unknown motion that may get a name. ``progress`` is called after every epoch.
    """
    verdicts = evaluation.cross_validate(
        corpus, settings, plan, genotype, lambda k, _: progress(f"round {k + 1} of {len(plan)}")
    )
    kind = "lifted" if corpus.of_kind("lifted").any() else ""
    taught = evaluation.answers(verdicts, corpus.of_kind(kind))
    answers = taught
    if evaluation.left_out_actions(corpus):
        judged = corpus.of_kind(kind) & (verdicts.round >= 0)
        strangers = evaluation.answers_on_left_out(
            corpus, judged, settings, verdicts.round, genotype, lambda k, _: progress(f"actions left out, {k + 1}")
        )
        answers = evaluation.joined(taught, strangers)

    def choose(others: Answers) -> Calibration:
        return calibrate(others, false_names)

    several = len(np.unique(answers.folds)) > 1
    calibration = choose(answers)
    decisions = decide_across(answers, choose) if several else decide(answers, calibration)
    return Measured(verdicts, answers, kind, calibration, trust(answers, decisions), _reliability(taught))


def _reliability(taught: Answers) -> Reliability:
    """Confidence against truth, with the temperature of every fold chosen on the others where there are any."""
    probabilities = softmax(taught.logits / temperatures(taught)[:, None], axis=1)
    return reliability(probabilities.max(axis=1), probabilities.argmax(axis=1) == taught.labels)
