"""One body a person: a fit over a whole track, after the network."""

from kinelift.lifting.body.fit import fit, fits
from kinelift.lifting.body.fitted import Fit, Fitted, Lifts, fitted
from kinelift.lifting.body.settings import FitSettings

__all__ = ["Fit", "FitSettings", "Fitted", "Lifts", "fit", "fits", "fitted"]
