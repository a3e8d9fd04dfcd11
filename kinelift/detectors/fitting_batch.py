"""Batches that fit into a GPU's memory."""

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import numpy as np
import torch

from kinelift.poses.errors import DetectorError

Answer = TypeVar("Answer")


class FittingBatch:
    """Runs a network on batches, and halves them for good where the GPU's memory does not suffice.

    Args:
        most: Items in a batch at first.
    """

    def __init__(self, most: int) -> None:
        self.most = self.size = most

    def run(
        self, network: Callable[[Any], Sequence[Answer]], items: Sequence[Any] | np.ndarray, smaller: str
    ) -> list[Answer]:
        """The network's answers to all items, in order.

        Args:
            network: Answers several items at once, given as a part of ``items``.
            items: The items, as a list or as an array.
            smaller: What makes a single item smaller, for the error.

        Raises:
            DetectorError: The memory does not suffice for one item.
        """
        answers: list[Answer] = []
        while len(answers) < len(items):
            some = items[len(answers) : len(answers) + self.size]
            try:
                answers += network(some)
                continue
            except torch.OutOfMemoryError as error:
                if len(some) == 1:
                    raise DetectorError(f"The GPU has too little memory for a single frame. {smaller}") from error
            torch.cuda.empty_cache()  # after the error has let go of the network's tensors
            self.size = -(-len(some) // 2)
        return answers

    def remarks(self) -> tuple[str, ...]:
        """What the user should know after a pass over a video."""
        if self.size == self.most:
            return ()
        return (
            f"The GPU has too little memory for {self.most} frames at a time: the detector went on with {self.size}.",
        )
