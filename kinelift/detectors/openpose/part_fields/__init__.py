"""Grouping: from part heat maps and part affinity fields to people (Cao et al. 2017)."""

from kinelift.detectors.openpose.part_fields.fields import PartFields
from kinelift.detectors.openpose.part_fields.grouping import Grouped, group
from kinelift.detectors.openpose.part_fields.grouping_settings import GroupingSettings

__all__ = ["Grouped", "GroupingSettings", "PartFields", "group"]
