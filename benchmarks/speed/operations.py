"""Counts the operations that a piece of work sends to the device.

On a GPU each one costs a launch, which takes longer than the computation if batches are small.
"""

from collections import Counter
from collections.abc import Callable
from typing import Any

from torch.utils._python_dispatch import TorchDispatchMode

VIEWS = frozenset({
    "_unsafe_view", "alias", "as_strided", "detach", "diagonal", "expand", "permute", "select", "slice", "split",
    "squeeze", "t", "transpose", "unbind", "unfold", "unsqueeze", "view",
})  # fmt: skip
"""Operations that compute nothing."""
WAITS = frozenset({"_local_scalar_dense", "is_nonzero", "lift_fresh", "masked_select", "nonzero"})
"""Operations for which the program waits until a GPU has finished, or copies numbers to it. So does indexing by a mask,
which counts as ``nonzero``."""


def operations(work: Callable[[], object]) -> Counter[str]:
    """How often ``work`` calls each of torch's operations, without views."""
    with _Counting() as counting:
        work()
    return counting.calls


class _Counting(TorchDispatchMode):
    def __init__(self) -> None:
        super().__init__()
        self.calls: Counter[str] = Counter()

    def __torch_dispatch__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        name = function.overloadpacket.__name__
        if name not in VIEWS:
            self.calls[_by_mask(name, args)] += 1
        return function(*args, **(kwargs or {}))


def _by_mask(name: str, args: Any) -> str:
    """``nonzero`` for indexing by a mask, which needs the places where it is true."""
    masks = args[1] if name == "index" else ()
    return "nonzero" if any(one is not None and str(one.dtype) == "torch.bool" for one in masks) else name
