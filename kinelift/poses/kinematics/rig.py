"""The rig: nodes that turn, their places at rest, and their names.

At rest a person stands in a T-pose: Y up, facing +Z, the left arm along +X, palms down, feet parallel and flat. Every
node has the axes of the world then, so a rotation says how far a part of the body has turned from that pose.

A recorded joint can have several bones that move on their own: spine and thighs at the hip, neck and shoulders at the
thorax, toe and heel at the ankle. So there is a node for each bone, and several nodes can lie at one joint.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from math import sqrt

import numpy as np
from jaxtyping import Float

from kinelift.poses.skeleton import Skeleton

SIDES = ("left", "right")


@dataclass(frozen=True)
class Node:
    """A part of the body.

    Attributes:
        name: Its name.
        parent: The name of the node that carries it; None for the root.
        joint: The recorded joint at which it lies.
        aim: The recorded joint that turns with it, at the other end of its bone; None if it does not turn by itself.
        mixamo: Its name in Mixamo's rigs.
        tip: Whether it only marks the end of its parent.
    """

    name: str
    parent: str | None
    joint: str
    aim: str | None
    mixamo: str
    tip: bool = False


def _limbs(side: str) -> tuple[Node, ...]:
    title = side.title()
    return (
        Node(f"{side}_shoulder", "upper_back", "thorax", f"{side}_shoulder", f"{title}Shoulder"),
        Node(f"{side}_upper_arm", f"{side}_shoulder", f"{side}_shoulder", f"{side}_elbow", f"{title}Arm"),
        Node(f"{side}_forearm", f"{side}_upper_arm", f"{side}_elbow", f"{side}_wrist", f"{title}ForeArm"),
        Node(f"{side}_hand", f"{side}_forearm", f"{side}_wrist", None, f"{title}Hand"),
        Node(f"{side}_thigh", "hips", f"{side}_hip", f"{side}_knee", f"{title}UpLeg"),
        Node(f"{side}_shank", f"{side}_thigh", f"{side}_knee", f"{side}_ankle", f"{title}Leg"),
        Node(f"{side}_foot", f"{side}_shank", f"{side}_ankle", f"{side}_toe", f"{title}Foot"),
        Node(f"{side}_toe", f"{side}_foot", f"{side}_toe", None, f"{title}ToeBase"),
        Node(f"{side}_heel", f"{side}_shank", f"{side}_ankle", f"{side}_heel", f"{title}Heel"),
        Node(f"{side}_heel_end", f"{side}_heel", f"{side}_heel", None, f"{title}Heel_End", tip=True),
    )


NODES = (
    Node("hips", None, "hip", None, "Hips"),
    Node("lower_back", "hips", "hip", "spine", "Spine"),
    Node("upper_back", "lower_back", "spine", "thorax", "Spine1"),
    Node("neck", "upper_back", "thorax", "neck", "Neck"),
    Node("head", "neck", "neck", "head", "Head"),
    Node("head_end", "head", "head", None, "HeadTop_End", tip=True),
    *_limbs("left"),
    *_limbs("right"),
)
"""All nodes, each after its parent."""
BY_NAME = {node.name: node for node in NODES}

_LEFT_REST: Mapping[str, tuple[float, float, float]] = {
    "hip": (1.0, 0.0, 0.0), "knee": (0.0, -1.0, 0.0), "ankle": (0.0, -1.0, 0.0),
    "shoulder": (0.92, -sqrt(1 - 0.92**2), 0.0), "elbow": (1.0, 0.0, 0.0), "wrist": (1.0, 0.0, 0.0),
}  # fmt: skip
"""Directions at rest from the joint before to each joint on the left. The thorax joint lies above the shoulders."""
_FOOT_ANGLE = -0.55
"""Cosine of the angle heel-ankle-toe of an adult, where it is not known."""


@dataclass(frozen=True, eq=False)
class Rig:
    """One person's nodes at rest.

    Attributes:
        nodes: The nodes, each after its parent. Those whose joint was never seen are left out.
        offsets: The place of each node at rest, from that of its parent; 0 for the root. Metres.
    """

    nodes: tuple[Node, ...]
    offsets: Float[np.ndarray, "N 3"]

    def __len__(self) -> int:
        return len(self.nodes)

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The names of the nodes."""
        return tuple(node.name for node in self.nodes)

    @cached_property
    def parents(self) -> tuple[int, ...]:
        """The index of each node's parent, -1 for the root."""
        return tuple(-1 if node.parent is None else self.names.index(node.parent) for node in self.nodes)

    @cached_property
    def places(self) -> Float[np.ndarray, "N 3"]:
        """The place of each node at rest. The lowest one is at height 0, the root at x = z = 0."""
        out = self.offsets.copy()
        for node, parent in enumerate(self.parents):
            if parent >= 0:
                out[node] += out[parent]
        return np.asarray(out - [0.0, out[:, 1].min(), 0.0])

    def index(self, name: str) -> int:
        """The index of the node of this name."""
        return self.names.index(name)

    def at(self, joint: str) -> int | None:
        """The index of a node at this joint; None if the joint was never seen."""
        return next((index for index, node in enumerate(self.nodes) if node.joint == joint), None)

    def children(self, index: int) -> tuple[int, ...]:
        """The indices of the nodes that a node carries."""
        return tuple(child for child, parent in enumerate(self.parents) if parent == index)


def build(points: Float[np.ndarray, "T J 3"], skeleton: Skeleton) -> Rig:
    """The rig of a person: bones have their median lengths.

    Args:
        points: The joints in metres, NaN where unknown.
        skeleton: Their layout: h36m17 or h36m21.
    """
    known = {joint for joint in skeleton.joints if np.isfinite(points[:, skeleton.index(joint)]).all(-1).any()}
    lengths = {
        skeleton.joints[joint]: length
        for parent, joint in skeleton.bones
        if np.isfinite(length := _median(np.linalg.norm(points[:, joint] - points[:, parent], axis=-1)))
    }
    rest = {
        joint: np.array(direction) * lengths[joint] for joint, direction in _directions().items() if joint in lengths
    }
    for side in SIDES:
        rest |= _foot(points, skeleton, side, lengths)
    nodes: list[Node] = []
    for node in NODES:
        carried = node.parent is None or node.parent in [one.name for one in nodes]
        reached = node.parent is None or node.joint == BY_NAME[node.parent].joint or node.joint in rest
        if carried and reached and (node.joint in known or node.joint == "hip"):
            nodes.append(node)
    return Rig(tuple(nodes), np.array([_offset(node, rest) for node in nodes]))


def rest_direction(rig: Rig, node: Node) -> Float[np.ndarray, " 3"] | None:
    """The unit direction at rest from a node to its aim; None if the rig has no node there."""
    end = next((k for k, one in enumerate(rig.nodes) if one.joint == node.aim and one.parent == node.name), None)
    if end is None:
        return None
    length = float(np.linalg.norm(rig.offsets[end]))
    return rig.offsets[end] / length if length > 0 else None


def _directions() -> Mapping[str, tuple[float, float, float]]:
    middle = dict.fromkeys(("spine", "thorax", "neck", "head"), (0.0, 1.0, 0.0))
    left = {f"left_{joint}": direction for joint, direction in _LEFT_REST.items()}
    right = {f"right_{joint}": (-x, y, z) for joint, (x, y, z) in _LEFT_REST.items()}
    return {**middle, **left, **right}


def _foot(
    points: Float[np.ndarray, "T J 3"], skeleton: Skeleton, side: str, lengths: Mapping[str, float]
) -> dict[str, Float[np.ndarray, " 3"]]:
    """Heel and toe from the ankle at rest, at one height: the foot is flat."""
    heel, toe = f"{side}_heel", f"{side}_toe"
    if toe not in lengths or heel not in lengths:
        alone = {heel: np.array([0.0, -0.69, -0.724]), toe: np.array([0.0, -0.287, 0.958])}
        return {joint: direction * lengths[joint] for joint, direction in alone.items() if joint in lengths}
    ankle = points[:, skeleton.index(f"{side}_ankle")]
    back, front = (points[:, skeleton.index(joint)] - ankle for joint in (heel, toe))
    dots = (back * front).sum(-1) / np.linalg.norm(back, axis=-1) / np.linalg.norm(front, axis=-1)
    cosine = float(np.clip(_median(dots), -0.95, 0.0)) if np.isfinite(dots).any() else _FOOT_ANGLE
    a, b = lengths[heel], lengths[toe]
    base = np.sqrt(a**2 + b**2 - 2 * a * b * cosine)
    height = a * b * np.sqrt(1 - cosine**2) / base
    return {  # with an obtuse angle at the ankle, the heel is behind it and the toe in front
        heel: np.array([0.0, -height, -np.sqrt(a**2 - height**2)]),
        toe: np.array([0.0, -height, np.sqrt(b**2 - height**2)]),
    }


def _offset(node: Node, rest: Mapping[str, Float[np.ndarray, " 3"]]) -> Float[np.ndarray, " 3"]:
    if node.parent is None or BY_NAME[node.parent].joint == node.joint:
        return np.zeros(3)
    return rest[node.joint]


def _median(values: Float[np.ndarray, " T"]) -> float:
    """The median of the known values, NaN if there are none."""
    known = values[np.isfinite(values)]
    return float(np.median(known)) if len(known) else float("nan")
