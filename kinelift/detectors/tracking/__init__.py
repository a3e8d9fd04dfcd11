"""Tracking: an id for each person over time, and one gap-filled track for each id."""

from kinelift.detectors.tracking.selection import select_people
from kinelift.detectors.tracking.side_flips import repair_side_flips
from kinelift.detectors.tracking.smoothing import Smoothing, smoothing
from kinelift.detectors.tracking.tracker import Identity, Tracker
from kinelift.detectors.tracking.tracker_settings import TrackerSettings

__all__ = ["Identity", "Smoothing", "Tracker", "TrackerSettings", "select_people", "smoothing", "repair_side_flips"]
