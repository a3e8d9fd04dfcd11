"""Lengths of bones: against the truth, or where there is none, against those of other people."""

from jaxtyping import Float
from torch import Tensor

from kinelift.lifting.losses.joint_aware import lengths
from kinelift.lifting.losses.position import Loss, Poses
from kinelift.poses import Skeleton


def bone_length(predicted: Poses, target: Poses, skeleton: Skeleton) -> Loss:
    """Mean absolute error of the bones' lengths, metres."""
    return (lengths(predicted, skeleton) - lengths(target, skeleton)).abs().mean()


def bone_difference(labelled: Poses, unlabelled: Float[Tensor, "U M K 3"], skeleton: Skeleton) -> Loss:
    """How far every bone's mean length over one batch is from that over the other; mean over bones, metres.

    The soft constraint of semi-supervised training (Pavllo et al. 2019, section 4): people without truth have bones
    about as long as the others.
    """
    return (lengths(labelled, skeleton).mean((0, 1)) - lengths(unlabelled, skeleton).mean((0, 1))).abs().mean()
