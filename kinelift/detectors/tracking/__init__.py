"""Identity over time: who is who from frame to frame, and one gap-filled track a person."""

from kinelift.detectors.tracking.choice import choose
from kinelift.detectors.tracking.flips import unflipped
from kinelift.detectors.tracking.settings import TrackerSettings
from kinelift.detectors.tracking.smoothing import Smoothing, smoothing
from kinelift.detectors.tracking.tracker import Identity, Tracker

__all__ = ["Identity", "Smoothing", "Tracker", "TrackerSettings", "choose", "smoothing", "unflipped"]
