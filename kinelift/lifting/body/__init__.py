"""One body a person: a fit over a whole track, after the network."""

from kinelift.lifting.body.fit import fit, fits
from kinelift.lifting.body.fit_settings import FitSettings
from kinelift.lifting.body.fitted import Fit, Fitted, Lifts, fitted

__all__ = ["Fit", "FitSettings", "Fitted", "Lifts", "fit", "fits", "fitted"]
