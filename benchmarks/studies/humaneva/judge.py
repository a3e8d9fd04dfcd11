"""Errors of a network on the test sequences, fast enough for every epoch.

They equal those of ``lifting evaluate`` with the predicted root kept: flip averaging, edge frames repeated, overlapping
windows averaged. Frames count equally within a subject's action, then actions and then subjects, as in the published
code of Pavllo et al. 2019.
"""

from collections.abc import Mapping
from statistics import fmean
from typing import Any, TypeAlias

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from kinelift.lifting.coordinates import normalisation
from kinelift.lifting.datasets.sequences import Sequence, SequenceBank
from kinelift.lifting.lifter import Lifter
from kinelift.lifting.measuring.metrics import mpjpe, mpjve, p_mpjpe
from kinelift.lifting.network import Net, framing, windowed

Cell: TypeAlias = tuple[str, str]
"""Subject and action."""
MEASURES = ("P1", "P1, root subtracted", "P2", "MPJVE")
_FRAMES_AT_ONCE = 2**14
"""Input frames of a forward pass; bounds the memory."""


class Judge:
    """The test sequences as windows for one kind of network; its normalisation must keep the camera's axes."""

    def __init__(self, test: SequenceBank, net: Net, normalise: str, device: torch.device) -> None:
        self.mirror, self.root, self.device = list(test.target.mirror), test.target.root, device
        self.shape = framing(net.config)
        self.cells = [(one.subject.split("/")[-1], one.kind) for one in test]
        self.truth = [_relative(one) for one in test]
        self.ends = np.cumsum([len(one) for one in test])
        cut = [self._windows(one, normalise) for one in test]
        points = np.concatenate([windows for windows, _ in cut])
        swapped = points[:, :, list(test.source.mirror)] * [-1, 1]
        rows = [
            np.where(own < len(one), own + end - len(one), -1)
            for (_, own), one, end in zip(cut, test, self.ends, strict=True)
        ]
        self.plain, self.swapped = (self._features(side, normalise) for side in (points, swapped))
        self.rows = torch.tensor(np.concatenate(rows).reshape(-1), device=device)

    def errors(self, net: Net) -> dict[str, Any]:
        """Mean errors, mm (MPJVE: mm per frame), and those of each subject."""
        cells: dict[Cell, list[int]] = {}
        for number, cell in enumerate(self.cells):
            cells.setdefault(cell, []).append(number)
        predicted = np.split(self.predicted(net), self.ends[:-1])
        found = {
            cell: _errors([predicted[k] for k in own], [self.truth[k] for k in own], self.root)
            for cell, own in cells.items()
        }
        subjects = {
            subject: _mean([found[cell] for cell in found if cell[0] == subject])
            for subject in sorted({subject for subject, _ in found})
        }
        return {**_mean(list(subjects.values())), "subjects": subjects}

    @torch.no_grad()
    def predicted(self, net: Net) -> Float[np.ndarray, "F K 3"]:
        """The poses of all frames of all sequences, metres, camera axes, roots where the network puts them."""
        run = windowed(net.eval())
        step = max(_FRAMES_AT_ONCE // self.shape.window, 1)
        plain, swapped = (
            torch.cat([run(part) for part in side.split(step)]).flatten(0, 1) for side in (self.plain, self.swapped)
        )
        poses = (plain + swapped[:, self.mirror] * plain.new_tensor([-1.0, 1.0, 1.0])) / 2
        inside, total = self.rows >= 0, plain.new_zeros(int(self.ends[-1]), *plain.shape[1:])
        count = torch.bincount(self.rows[inside], minlength=len(total))[:, None, None]
        found: Tensor = total.index_add(0, self.rows[inside], poses[inside]) / count
        return np.asarray(found.double().cpu().numpy())

    def _windows(self, one: Sequence, normalise: str) -> tuple[Float[np.ndarray, "B W J 2"], Int[np.ndarray, "B N"]]:
        """The windows of a sequence in input coordinates, and the frames that each predicts."""
        shown = normalisation(normalise).inputs(one.keypoints.astype(np.float64), one.camera, one.size)
        last = max(len(one) - self.shape.outputs, 0)
        step = 1 if self.shape.outputs == 1 else Lifter.step
        starts = np.unique(np.append(np.arange(0, last, step), last))[:, None]
        frames = starts + np.arange(self.shape.window) - self.shape.first
        return shown[frames.clip(0, len(one) - 1)], starts + np.arange(self.shape.outputs)

    def _features(self, points: Float[np.ndarray, "B W J 2"], normalise: str) -> Float[Tensor, "B W J F"]:
        windows = torch.tensor(points, dtype=torch.float32, device=self.device)
        return normalisation(normalise)(windows, windows.isfinite().all(-1))[0]


def _relative(one: Sequence) -> Float[np.ndarray, "T K 3"]:
    """The true poses relative to the root joint, metres."""
    assert one.truth is not None and np.isfinite(one.truth).all()
    return one.truth.astype(np.float64) - one.truth[:, one.target.root, None]


def _errors(predicted: list[np.ndarray], truth: list[np.ndarray], root: int) -> Mapping[str, float]:
    """The measures of one subject's action."""
    found, true = np.concatenate(predicted), np.concatenate(truth)
    ours = [poses - poses[:, root, None] for poses in predicted]
    pairs = [len(poses) - 1 for poses in truth]
    speed = sum(n * mpjve(a, b) for n, a, b in zip(pairs, ours, truth, strict=True) if n) / sum(pairs)
    values = mpjpe(found, true), mpjpe(np.concatenate(ours), true), p_mpjpe(found, true), speed
    return {name: 1000 * value for name, value in zip(MEASURES, values, strict=True)}


def _mean(found: list[Mapping[str, float]]) -> dict[str, float]:
    return {name: fmean(one[name] for one in found) for name in MEASURES}
