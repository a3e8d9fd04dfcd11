"""One body a person: a fit over a whole track, after the network."""

from kinelift.lifting.body.fit import fit, fits
from kinelift.lifting.body.fit_settings import FitSettings
from kinelift.lifting.body.fitted import Fit, Fitted, PoseLifter, fitted

__all__ = ["Fit", "FitSettings", "Fitted", "PoseLifter", "fit", "fits", "fitted"]
