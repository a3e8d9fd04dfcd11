"""Part affinity fields: from the maps that an OpenPose-style network gives to people (Cao et al. 2017)."""

from detectors.part_fields.fields import PartFields
from detectors.part_fields.grouping import Grouped, group
from detectors.part_fields.settings import GroupingSettings

__all__ = ["Grouped", "GroupingSettings", "PartFields", "group"]
