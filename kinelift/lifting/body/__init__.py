"""Fits the network's poses to one body per person, over a whole track."""

from kinelift.lifting.body.fit import Contacts, can_fit, fit, plant
from kinelift.lifting.body.fit_settings import FitSettings
from kinelift.lifting.body.pose_lifter import FitMode, PoseLifter

__all__ = ["Contacts", "FitMode", "FitSettings", "PoseLifter", "can_fit", "fit", "plant"]
