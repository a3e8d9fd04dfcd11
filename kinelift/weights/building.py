"""Build networks for stored weights, after comparing the shapes: a description can ask for any amount of memory."""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import torch
from torch import Tensor, nn

from kinelift.poses.errors import WeightsError

_LARGEST_NUMBER = 65_536
"""Limit for whole numbers in the config of a network, far above any channel count or window."""
_MOST_LAYERS = 4096
"""Limit for the entries of a list in a config."""

Net = TypeVar("Net", bound=nn.Module)


def build_for(make: Callable[[], Net], config: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> Net:
    """Build a network and load its weights.

    Args:
        make: Builds the network from ``config``.
        config: The stored config, as JSON values.
        tensors: The stored weights.

    Raises:
        WeightsError: The weights do not fit the network; it was not built.
    """
    _check_config(config, "config")
    with torch.device("meta"):  # shapes only, no memory
        expected = {name: tuple(tensor.shape) for name, tensor in make().state_dict().items()}
    found = {name: tuple(tensor.shape) for name, tensor in tensors.items()}
    for name in sorted(expected.keys() | found.keys()):
        if expected.get(name) != found.get(name):
            raise WeightsError(
                f"its tensor {name} has the shape {found.get(name, 'none')}, but the network's has "
                f"{expected.get(name, 'none')}"
            )
    net = make()
    net.load_state_dict(dict(tensors))
    return net


def _check_config(value: Any, name: str) -> None:
    """Refuse configs that would build without end."""
    if isinstance(value, Mapping):
        for key, item in value.items():
            _check_config(item, f"{name}.{key}")
    elif isinstance(value, list | tuple):
        if len(value) > _MOST_LAYERS:
            raise WeightsError(f"{name} has {len(value)} entries")
        for item in value:
            _check_config(item, name)
    elif isinstance(value, int) and not -_LARGEST_NUMBER <= value <= _LARGEST_NUMBER:
        raise WeightsError(f"{name} is {value}")
