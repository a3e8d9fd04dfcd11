"""Fits the network's poses to one body per person, over a whole track."""

from kinelift.lifting.body.fit import Contacts, can_fit, fit, plant
from kinelift.lifting.body.fit_settings import FitSettings
from kinelift.lifting.body.fitted_lifter import FitMode, FittedLifter, PoseLifter, with_fit

__all__ = ["Contacts", "FitMode", "FitSettings", "FittedLifter", "PoseLifter", "can_fit", "fit", "plant", "with_fit"]
