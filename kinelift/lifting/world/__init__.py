"""Places everybody of a clip in one world: which way is up, where the floor is, and which feet rest on it."""

from kinelift.lifting.world.stage import WorldSettings, lift_together

__all__ = ["WorldSettings", "lift_together"]
