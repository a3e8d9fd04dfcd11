"""What ``Refined`` remembers from one frame to the next, as arrays that can be stored and read without loss."""

from typing import Any

import numpy as np
from jaxtyping import Shaped

from kinelift.detectors.protocol import Memory
from kinelift.detectors.refining.body import Body
from kinelift.detectors.refining.crop import Crop
from kinelift.detectors.refining.side_voting import SideVoting
from kinelift.poses import Skeleton

_ARRAYS = ("points", "scores", "box", "confidence", "correction")


def store_bodies(memory: Memory, bodies: tuple[Body, ...], time: float, number: int) -> None:
    """Replace what is in ``memory``.

    Args:
        memory: Where to put it.
        bodies: The people in the last frame.
        time: Its time, s.
        number: How many frames have been seen.
    """
    memory.clear()
    memory.update({"time": np.array(time), "number": np.array(number), "bodies": np.array(len(bodies))})
    for index, body in enumerate(bodies):
        values: dict[str, Any] = {name: getattr(body, name) for name in _ARRAYS} | {"votes": body.sides.votes}
        if body.sides.last is not None:
            values["last"] = body.sides.last
        if body.crop is not None:
            values["crop"] = (*body.crop.centre, body.crop.side, body.crop.angle)
        memory.update({f"body{index}/{name}": np.array(value) for name, value in values.items()})


def stored_bodies(memory: Memory, skeleton: Skeleton) -> tuple[tuple[Body, ...], float, int]:
    """What ``store_bodies`` has stored: the people, the time of their frame (s), and how many frames were seen."""
    if not memory:
        return (), 0.0, 0
    bodies = tuple(_body(memory, f"body{index}/", skeleton) for index in range(int(memory["bodies"])))
    return bodies, float(memory["time"]), int(memory["number"])


def _body(memory: Memory, prefix: str, skeleton: Skeleton) -> Body:
    values = {name: _plain(memory[prefix + name]) for name in _ARRAYS}
    crop = memory.get(f"{prefix}crop")
    x, y, side, angle = (0.0, 0.0, 0.0, 0.0) if crop is None else crop.tolist()
    sides = SideVoting(skeleton, memory.get(f"{prefix}last"), float(memory[f"{prefix}votes"]))
    return Body(**values, crop=None if crop is None else Crop((x, y), side, angle), sides=sides)


def _plain(array: Shaped[np.ndarray, "..."]) -> Any:
    """A single number as Python's, which, unlike an array, takes the precision of what it is added to."""
    return array.item() if array.shape == () else array
