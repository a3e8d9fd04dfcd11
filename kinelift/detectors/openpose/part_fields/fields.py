"""What an OpenPose-style network answers for one picture."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from kinelift.detectors.openpose.part_fields.limbs import FIELDS, HEATMAPS
from kinelift.poses.errors import ShapeError


@dataclass(frozen=True, eq=False)
class PartFields:
    """Maps of h × w cells, in the order of ``detectors.part_fields.layout``.

    ``heat``: how surely a part lies in a cell, about 0–1, one map a part and one of the background. ``limbs``: in each
    cell a vector along the limb that passes there, of length about 1, or 0 where none does; x and y of each limb.
    """

    heat: Float[np.ndarray, "M h w"]
    limbs: Float[np.ndarray, "F h w"]

    def __post_init__(self) -> None:
        if (len(self.heat), len(self.limbs)) != (HEATMAPS, FIELDS) or self.heat.shape[1:] != self.limbs.shape[1:]:
            raise ShapeError(
                f"Heat maps {self.heat.shape} and fields {self.limbs.shape}, "
                f"expected ({HEATMAPS}, h, w) and ({FIELDS}, h, w)."
            )
