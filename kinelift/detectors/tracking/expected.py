"""Where the joints of a moving body are expected next: Kalman filters of constant velocity that survive wrong points.

All joints of several readings of a track are followed at once. Positions are pixels; deviations and variances are in
sizes of the person, so that the settings hold for people near and far.
"""

from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float, Int

_LOST = 0.25
"""The variance of a position, in squared sizes, from which on a joint can be anywhere."""


@dataclass(frozen=True)
class MotionCosts:
    """How joints move and how detectors err.

    Args:
        noise: Standard deviation of a detected position, in sizes.
        push: Standard deviation of a joint's acceleration, in sizes per square second.
        speed: Standard deviation of its velocity when it is first seen, in sizes per second.
        stray: Density of positions that have nothing to do with the joint, per square size.
    """

    noise: float = 0.04
    push: float = 30.0
    speed: float = 3.0
    stray: float = 0.03


@dataclass(frozen=True, eq=False)
class Expected:
    """What is known of J joints in R readings of a track.

    Attributes:
        place: Expected positions, px.
        velocity: Velocities, px/s.
        variance: Variance of the position along either axis.
        covariance: Covariance of position and velocity.
        spread: Variance of the velocity.
        costs: How joints move and how detectors err.
    """

    place: Float[np.ndarray, "R J 2"]
    velocity: Float[np.ndarray, "R J 2"]
    variance: Float[np.ndarray, "R J"]
    covariance: Float[np.ndarray, "R J"]
    spread: Float[np.ndarray, "R J"]
    costs: MotionCosts

    @classmethod
    def nowhere(cls, readings: int, joints: int, costs: MotionCosts) -> "Expected":
        """Joints that have not been seen."""
        still, none = np.zeros((readings, joints, 2)), np.zeros((readings, joints))
        return cls(still, still, np.full_like(none, np.inf), none, none, costs)

    @property
    def known(self) -> np.ndarray:
        """Which joints have a place, (R, J)."""
        return np.asarray(self.variance < _LOST)

    def after(self, step: float) -> "Expected":
        """What is expected ``step`` seconds later."""
        pushed = self.costs.push**2
        return replace(
            self,
            place=self.place + self.velocity * step,
            variance=self.variance + 2 * step * self.covariance + step**2 * self.spread + pushed * step**4 / 4,
            covariance=self.covariance + step * self.spread + pushed * step**3 / 2,
            spread=self.spread + pushed * step**2,
        )

    def of(self, readings: Int[np.ndarray, " S"]) -> "Expected":
        """Some of the readings, in a new order."""
        parts = ("place", "velocity", "variance", "covariance", "spread")
        return replace(self, **{name: getattr(self, name)[readings] for name in parts})

    def density(self, points: Float[np.ndarray, "*#R J 2"], size: float) -> Float[np.ndarray, "R J"]:
        """Probability density of detected positions, per square size; NaN where a joint was not detected.

        0 for joints that can be anywhere.
        """
        variance = self.variance + self.costs.noise**2
        off = np.square((points - self.place) / size).sum(axis=-1)
        return np.asarray(np.exp(-off / (2 * variance)) / (2 * np.pi * variance))

    def seen(self, points: Float[np.ndarray, "R J 2"], size: float) -> "Expected":
        """What is known after a frame with these positions.

        A position counts by the probability that it belongs to the joint. A joint that could be anywhere starts anew.
        """
        costs, detected = self.costs, np.isfinite(points).all(axis=-1)
        density = np.where(detected, self.density(points, size), 0.0)
        share = density / (density + costs.stray)
        with np.errstate(invalid="ignore"):  # of joints that are nowhere, which start anew
            gain, turn = (share * part / (self.variance + costs.noise**2) for part in (self.variance, self.covariance))
            spread, covariance = self.spread - turn * self.covariance, self.covariance * (1 - gain)
            variance = self.variance * (1 - gain)
        off = np.where(detected[..., None], points - self.place, 0.0)
        fresh = detected & ~self.known
        return replace(
            self,
            place=np.where(fresh[..., None], points, self.place + gain[..., None] * off),
            velocity=np.where(fresh[..., None], 0.0, self.velocity + turn[..., None] * off),
            variance=np.where(fresh, costs.noise**2, np.where(self.known, variance, self.variance)),
            covariance=np.where(fresh, 0.0, covariance),
            spread=np.where(fresh, costs.speed**2, spread),
        )
