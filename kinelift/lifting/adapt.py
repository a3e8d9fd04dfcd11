"""Adapts a trained lifter to skeletons with more joints, as the start of further training."""

from dataclasses import replace

import torch
from torch import Tensor

from kinelift.lifting.coordinates import normalisation
from kinelift.lifting.network import LifterNetwork
from kinelift.models.temporal import TemporalNet
from kinelift.poses import Skeleton
from kinelift.poses.errors import WeightsError


def adapted(network: LifterNetwork, normalise: str, source: Skeleton, target: Skeleton) -> LifterNetwork:
    """The same temporal network for larger skeletons.

    New rows of the input have no influence yet; new joints of the output are where their parents are.

    Args:
        network: The trained network.
        normalise: Name of the new normalisation (``lifting.coordinates``); features per joint must not change.
        source: Skeleton of the keypoints, with all joints of the present one.
        target: Skeleton of the poses, with all joints of the present one.

    Raises:
        WeightsError: The network is of another kind, or joints would be lost.
    """
    net = network.net
    kept = set(network.source.joints) <= set(source.joints) and set(network.target.joints) <= set(target.joints)
    if not (isinstance(net, TemporalNet) and kept) or network.trajectory:
        raise WeightsError(
            f"A lifter from {network.source} to {network.target} cannot be turned into one from {source} to {target}. "
            f"Only temporal networks without trajectory can, and to skeletons with all of their joints."
        )
    rows = int(normalisation(normalise).has_up)
    new = TemporalNet(replace(net.config, joints_in=len(source) + rows, joints_out=len(target) + rows))
    tensors = dict(net.state_dict())
    tensors["expand_conv.weight"] = _input(tensors["expand_conv.weight"], network.source, source, rows)
    for name in ("shrink.weight", "shrink.bias"):
        tensors[name] = _output(tensors[name], network.target, target, rows)
    new.load_state_dict(tensors)
    return replace(network, net=new.eval(), normalisation=normalise, source=source, target=target)


def _input(weight: Tensor, old: Skeleton, new: Skeleton, rows: int) -> Tensor:
    """Weights (channels, joints × features, taps) of the first layer, by the names of the joints."""
    features = weight.shape[1] // len(old)
    out = weight.new_zeros(len(weight), len(new) + rows, features, weight.shape[2])
    out[:, [new.index(joint) for joint in old.joints]] = weight.unflatten(1, (len(old), features))
    return out.flatten(1, 2)


def _output(weight: Tensor, old: Skeleton, new: Skeleton, rows: int) -> Tensor:
    """Weights or biases (joints × 3, …) of the last layer, by the names of the joints or of their ancestors."""
    by_joint = weight.unflatten(0, (len(old), 3))
    found = []
    for joint in range(len(new)):
        while new.joints[joint] not in old.joints:
            joint = new.parents[joint]
        found.append(by_joint[old.index(new.joints[joint])])
    return torch.cat([torch.stack(found), weight.new_zeros(rows, *by_joint.shape[1:])]).flatten(0, 1)
