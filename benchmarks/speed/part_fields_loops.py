"""The baseline for grouping part affinity fields: the same method in plain loops."""

import math

import numpy as np

from kinelift.detectors.openpose.part_fields import Grouped, GroupingSettings, PartFields
from kinelift.detectors.openpose.part_fields.connections import Connections
from kinelift.detectors.openpose.part_fields.fields import LIMBS, PARTS
from kinelift.detectors.openpose.part_fields.grouping import assemble, select
from kinelift.detectors.openpose.part_fields.peaks import Peaks

_SETTINGS = GroupingSettings()


def group_by_loops(fields: PartFields) -> Grouped:
    """Group as ``group`` does, but with peaks at the centres of cells."""
    peaks = _peaks(fields)
    return select(assemble(peaks, _connections(fields, peaks)), peaks, _SETTINGS)


def _peaks(fields: PartFields) -> Peaks:
    found = []
    _, height, width = fields.heat.shape
    for part in range(len(PARTS)):
        heat = fields.heat[part]
        for y in range(height):
            for x in range(width):
                value = heat[y, x]
                if value > _SETTINGS.peak and all(
                    value >= heat[v, u]
                    for v in range(max(y - 1, 0), min(y + 2, height))
                    for u in range(max(x - 1, 0), min(x + 2, width))
                ):
                    found.append((part, x + 0.5, y + 0.5, value))
    table = np.array(found, dtype=np.float64).reshape(-1, 4)
    return Peaks(table[:, 0].astype(np.int64), table[:, 1:3], table[:, 3].clip(0, 1))


def _connections(fields: PartFields, peaks: Peaks) -> Connections:
    found = []
    for limb, (start, end) in enumerate(LIMBS):
        for a in np.flatnonzero(peaks.part == start):
            for b in np.flatnonzero(peaks.part == end):
                score, support = _along(fields, limb, *peaks.places[a], *peaks.places[b])
                if support >= _SETTINGS.support and score > _SETTINGS.along:
                    found.append((score, int(a), int(b)))
    found.sort(reverse=True)
    scores, starts, ends = (np.array(column) for column in zip(*found, strict=True)) if found else (np.zeros(0),) * 3
    return Connections(starts.astype(np.int64), ends.astype(np.int64), scores.clip(0, 1))


def _along(fields: PartFields, limb: int, x: float, y: float, to_x: float, to_y: float) -> tuple[float, float]:
    """Mean of the field along the line, and fraction of samples that support the limb, from the nearest cells."""
    length = math.hypot(to_x - x, to_y - y) or 1e-9
    values = []
    for k in range(_SETTINGS.samples):
        share = (k + 0.5) / _SETTINGS.samples
        column, row = int(x + share * (to_x - x)), int(y + share * (to_y - y))
        along_x, along_y = fields.limbs[2 * limb, row, column], fields.limbs[2 * limb + 1, row, column]
        values.append((along_x * (to_x - x) + along_y * (to_y - y)) / length)
    return float(np.mean(values)), sum(value > _SETTINGS.along for value in values) / len(values)
