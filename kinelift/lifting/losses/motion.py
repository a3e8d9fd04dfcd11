"""Motion loss: pairs of a joint's places at two times, encoded by an operator (Wang et al. 2020, section 3.1)."""

from collections.abc import Callable, Mapping, Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from kinelift.lifting.losses.position import Loss, Poses


def subtraction(now: Poses, later: Poses) -> Poses:
    """How far a joint came."""
    return later - now


def inner(now: Poses, later: Poses) -> Float[Tensor, "B N K 1"]:
    """Inner product of the two places, square metres."""
    return (now * later).sum(-1, keepdim=True)


def cross(now: Poses, later: Poses) -> Poses:
    """Cross product of the two places, square metres: the paper's best."""
    return torch.linalg.cross(now, later)


OPERATORS: Mapping[str, Callable[[Tensor, Tensor], Tensor]] = {
    "subtraction": subtraction,
    "inner": inner,
    "cross": cross,
}


def motion(predicted: Poses, target: Poses, operator: str, intervals: Sequence[int]) -> Loss:
    """L1 distance between the encodings of prediction and target, summed over ``intervals`` (frames).

    For every interval it is the mean over samples, joints and pairs of frames, where the paper has a sum (equation 4);
    its weight so depends on none of their numbers. Beside a position error that is a mean too, it stands for the
    paper's λ beside one that is a sum, except that N frames have only N - τ pairs. Needs one frame more than the
    longest interval.
    """
    encode = OPERATORS[operator]
    terms = []
    for interval in intervals:
        made, true = (encode(x[:, :-interval], x[:, interval:]) for x in (predicted, target))
        terms.append((made - true).abs().sum(-1).mean())
    return torch.stack(terms).sum()
