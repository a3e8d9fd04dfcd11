"""Measure a classifier before it is trained on everybody: across subjects, and on actions it was not trained on."""

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
class Measurement:
    """Accuracy and calibration of a classifier.

    ``calibration`` is for use. ``trust`` and ``reliability`` measure decisions whose calibration was chosen on other
    people.

    Attributes:
        validation: Predictions across subjects.
        answers: Logits on clips of ``kind``, including actions left out of training.
        kind: "lifted" if there are lifted clips, otherwise "".
        calibration: Chosen on all ``answers``.
        trust: Of decisions on ``answers``.
        reliability: Of the network's probabilities on clips of ``kind``, all labels weighted alike.
    """

    validation: CrossValidation
    answers: Answers
    kind: str
    calibration: Calibration
    trust: Trust
    reliability: Reliability

    def scores(self, kind: str) -> dict[str, Scores]:
        """Scores of the network and of the baselines on clips of one kind."""
        rows = self.validation.corpus.of_kind(kind)
        return {name: self.validation.scores(getattr(self.validation, name), rows) for name in MODELS}

    def facts(self) -> dict[str, Any]:
        """All figures, ready for JSON."""
        names = self.validation.corpus.names
        kinds = sorted({clip.kind for clip in self.validation.corpus.dataset.clips})
        return {
            "scores": {
                kind or "as recorded": {
                    name: reports.scores_json(each, names) for name, each in self.scores(kind).items()
                }
                for kind in kinds
            },
            "judged": self.kind or "as recorded",
            "calibration": asdict(self.calibration),
            "trust": reports.trust_json(self.trust, names),
            "calibration_error": self.reliability.error,
        }


def measure(
    corpus: Corpus,
    settings: TrainSettings,
    plan: Sequence[Round],
    genotype: AnyGenotype,
    false_names: float | None,
    progress: Callable[[str], None] = lambda stage: None,
) -> Measurement:
    """Test every subject with networks not trained on them, then actions with networks not trained on those.

    Args:
        corpus: The windows.
        settings: Of every training. The weights of labels are those of its calibration.
        plan: See ``evaluation.rounds``.
        genotype: The architecture.
        false_names: Share of unknown motion that may get a name; None keeps the threshold of the settings.
        progress: Called with the stage after every epoch.
    """
    validation = evaluation.cross_validate(
        corpus, settings, plan, genotype, lambda k, _: progress(f"round {k + 1} of {len(plan)}")
    )
    kind = "lifted" if corpus.of_kind("lifted").any() else ""
    known = evaluation.answers(validation, corpus.of_kind(kind))
    answers = known
    if evaluation.left_out_actions(corpus):
        tested = corpus.of_kind(kind) & (validation.round >= 0)
        left_out = evaluation.answers_on_left_out(
            corpus, tested, settings, validation.round, genotype, lambda k, _: progress(f"actions left out, {k + 1}")
        )
        answers = evaluation.concatenate(known, left_out)

    def choose(others: Answers) -> Calibration:
        return calibrate(others, false_names, settings.calibration)

    several_folds = len(np.unique(answers.folds)) > 1
    calibration = choose(answers)
    choices = decide_across(answers, choose) if several_folds else decide(answers, calibration)
    return Measurement(validation, answers, kind, calibration, trust(answers, choices), _reliability(known))


def _reliability(known: Answers) -> Reliability:
    """Reliability with the temperature of every fold chosen on the other folds, if there are any."""
    probabilities = softmax(known.logits / temperatures(known)[:, None], axis=1)
    return reliability(probabilities.max(axis=1), probabilities.argmax(axis=1) == known.labels)
