"""Identity over time: who is who from frame to frame, and one gap-filled track a person."""

from detectors.tracking.choice import choose
from detectors.tracking.flips import unflipped
from detectors.tracking.settings import TrackerSettings
from detectors.tracking.smoothing import Smoothing, smoothing
from detectors.tracking.tracker import Identity, Tracker

__all__ = ["Identity", "Smoothing", "Tracker", "TrackerSettings", "choose", "smoothing", "unflipped"]
