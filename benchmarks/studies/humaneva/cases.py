"""The runs of the study by name, and the data that each trains on."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

from benchmarks.studies.humaneva.detected import detected
from benchmarks.studies.humaneva.tables import UNLABELLED
from kinelift.lifting.datasets.sequences import SequenceBank
from kinelift.lifting.losses.objective import LossSettings
from kinelift.lifting.training.learner import SemiSettings
from kinelift.lifting.training.presets import UGCN, Gupta, HumanEva, TwoStream
from kinelift.lifting.training.train_settings import TrainSettings

ACTIONS = ("Walking", "Jog", "Box")
INTERVALS = (10, 14, 19, 29)
"""Intervals of the motion loss at 60 Hz: the published 8, 12, 16 and 24 at 50 Hz."""
WALKING_BATCH = 8 * 96
"""Predicted frames: 12 steps for an epoch of Walking, which has 96 windows of 96 frames."""
WALKING_RATE = 1e-3
"""Learning rate for these batches, a 32nd of the published ones: 0.01 stays at the mean pose for many epochs."""

PUBLISHED_CHANNELS = 1024
ANNEALED: Mapping[str, Any] = {"schedule": "steps", "decay": 0.1, "milestones": (600, 750)}
"""A tenth of the learning rate after 60 % of the published epochs and a hundredth after 75 %, in place of the published
decay: errors no longer change in the last fifth."""


@dataclass(frozen=True)
class Case:
    """One training."""

    name: str
    settings: TrainSettings
    actions: tuple[str, ...] = ACTIONS
    loop: bool = False
    """Train with the plain loop."""
    labels: float | None = None
    """Fraction of the recordings of S1, from the start of each, that is labelled; None for all of everyone."""
    unlabelled: bool = False
    """Use the recordings of S2 and S3 without their poses."""
    detector: Literal["none", "test", "both"] = "none"
    """Where keypoints of an imitated detector (``detected``) are used beside the true ones: nowhere, in a second test,
    or in that and in training."""
    alike: bool = False
    """Both streams of a two-stream network train on detected keypoints."""
    run: str = ""
    """The run that it belongs to."""

    def seen(self, train: SequenceBank) -> SequenceBank:
        """The training data with the keypoints that are trained on."""
        return detected(train) if self.detector == "both" else train

    def banks(self, train: SequenceBank) -> tuple[SequenceBank, SequenceBank | None]:
        """The data with labels, and those without."""
        bank = self.seen(train.select(actions=self.actions))
        if self.labels is None:
            return bank, None
        first = bank.select(subjects=["Train/S1"])
        known = tuple(one.part(0, max(round(len(one) * self.labels), 1)) for one in first)
        rest = bank.select(subjects=["Train/S2", "Train/S3"])
        return SequenceBank(known), rest if self.unlabelled else None


def shortened(settings: TrainSettings, epochs: int) -> TrainSettings:
    """The published schedule, ended early; the momentum of batch normalisation still reaches its end."""
    return replace(settings, epochs=epochs)


def stretched(settings: TrainSettings, epochs: int) -> TrainSettings:
    """The whole published schedule in another number of epochs, with the dropout of ``narrowed``."""
    ratio = epochs / settings.epochs
    decay = settings.decay ** (1 / ratio) if settings.schedule == "exponential" else settings.decay
    milestones = tuple(round(ratio * one) for one in settings.milestones)
    return replace(settings, epochs=epochs, decay=decay, milestones=milestones, dropout=narrowed(settings))


def narrowed(settings: TrainSettings) -> float:
    """Dropout that is as noisy in these channels as the published one in 1024.

    The noise of a sum over channels has the variance p / (1 - p) / channels, relative to the sum. In a narrow network
    it would hide what differs from frame to frame, which the losses over time compare.
    """
    if settings.kind == "ugcn":
        return settings.dropout
    odds = settings.dropout / (1 - settings.dropout) * settings.channels / PUBLISHED_CHANNELS
    return odds / (1 + odds)


def cases(run: str, channels: int, epochs: int | None = None) -> Iterator[Case]:
    """The trainings of a run, with its own number of epochs or another one.

    Where only a fraction of the data is labelled, epochs are as many times more, so that all take as many steps.
    """
    make, usual, adjust = RUNS[run]
    for case in make():
        more = 1 / (case.labels or 1)
        settings = adjust(replace(case.settings, channels=channels), round(more * (epochs or usual)))
        yield replace(case, run=run, settings=replace(settings, semi=SemiSettings(warmup=round(more))))


def _losses() -> Iterator[Case]:
    base = replace(HumanEva(), span=8, batch=256, norm_batches=0, **ANNEALED)
    joint_aware = Gupta().loss
    yield Case("position", base)
    for name, weight in vars(joint_aware).items():
        if weight != getattr(LossSettings, name):
            yield Case(f"with {name}", replace(base, loss=replace(LossSettings(), **{name: weight})))
    yield Case("with all", replace(base, loss=joint_aware))


def _walking() -> Iterator[Case]:
    graph = replace(UGCN(), batch=WALKING_BATCH, learning_rate=WALKING_RATE, loss=LossSettings())
    yield Case("U-shaped GCN", graph, ("Walking",))
    for operator in ("cross", "inner", "subtraction"):
        loss = LossSettings(motion=1.0, motion_operator=operator, motion_intervals=INTERVALS)
        yield Case(f"U-shaped GCN, {operator}", replace(graph, loss=loss), ("Walking",))
    published = replace(graph, learning_rate=UGCN().learning_rate)
    yield Case(f"U-shaped GCN, learning rate {published.learning_rate}", published, ("Walking",))
    yield Case("temporal, 27 frames", replace(HumanEva(), batch=WALKING_BATCH), ("Walking",))


def _labels() -> Iterator[Case]:
    both = replace(HumanEva(), trajectory=1.0, norm_batches=0, **ANNEALED)
    for name, labels in (("S1", 1.0), ("a tenth of S1", 0.1)):
        yield Case(name, both, labels=labels)
        yield Case(name + UNLABELLED, both, labels=labels, unlabelled=True)


def _streams() -> Iterator[Case]:
    one, two = (replace(TwoStream(), streams=streams) for streams in (1, 2))
    yield Case("one stream, true 2D", one, detector="test")
    yield Case("one stream, detected 2D", one, detector="both")
    yield Case("two streams, detected 2D in both", two, detector="both", alike=True)
    yield Case("two streams, true and detected 2D", two, detector="both")


RUNS: Mapping[str, tuple[Callable[[], Iterator[Case]], int, Callable[[TrainSettings, int], TrainSettings]]] = {
    "recipe": (lambda: iter([Case("Kinelift", HumanEva())]), 20, shortened),
    "loop": (lambda: iter([Case("plain loop", HumanEva(), loop=True)]), 20, shortened),
    "ugcn": (_walking, 400, stretched),
    "losses": (_losses, 30, stretched),
    "semi": (_labels, 60, stretched),
    "streams": (_streams, 30, stretched),
}
"""The trainings of each run, their number of epochs, and how a published schedule gets that number."""
