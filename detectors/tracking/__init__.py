"""Identity over time: who is who from frame to frame, and one gap-filled track a person."""

from detectors.tracking.choice import choose
from detectors.tracking.settings import TrackerSettings
from detectors.tracking.tracker import Identity, Tracker

__all__ = ["Identity", "Tracker", "TrackerSettings", "choose"]
