"""Skeletons: joints and parents are defined once, and everything else is derived from them."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Float, Shaped

from kinelift.poses.errors import DataError

_FEET = ("heel", "toe", "big_toe", "small_toe")


@dataclass(frozen=True)
class Skeleton:
    """A named set of joints in a fixed order, connected as a tree.

    Attributes:
        name: Unique name.
        joints: Names in storage order. Those on a side begin with ``left_`` or ``right_``.
        parents: Index of each joint's parent, -1 for the root.
        braces: Extra pairs of joints to connect in drawings, which would close a loop in the tree.
    """

    name: str
    joints: tuple[str, ...]
    parents: tuple[int, ...]
    braces: tuple[tuple[int, int], ...] = ()

    def __len__(self) -> int:
        return len(self.joints)

    def __str__(self) -> str:
        return self.name

    @cached_property
    def root(self) -> int:
        """Index of the joint without a parent."""
        return self.parents.index(-1)

    @cached_property
    def bones(self) -> tuple[tuple[int, int], ...]:
        """(parent, child) for every joint that has a parent."""
        return tuple((p, j) for j, p in enumerate(self.parents) if p >= 0)

    @cached_property
    def outward(self) -> tuple[tuple[int, int], ...]:
        """The bones ordered so that each comes after its parent bone."""

        def depth(joint: int) -> int:
            return 0 if self.parents[joint] < 0 else 1 + depth(self.parents[joint])

        return tuple(sorted(self.bones, key=lambda bone: depth(bone[1])))

    @cached_property
    def links(self) -> tuple[tuple[int, int], ...]:
        """The lines to draw: bones and braces."""
        return self.bones + self.braces

    @cached_property
    def left(self) -> tuple[int, ...]:
        """Indices of the joints on the person's left."""
        return tuple(j for j, name in enumerate(self.joints) if name.startswith("left_"))

    @cached_property
    def right(self) -> tuple[int, ...]:
        """Indices of the joints on the person's right, paired with ``left``."""
        return tuple(self.mirror[j] for j in self.left)

    @cached_property
    def mirror(self) -> tuple[int, ...]:
        """For every joint, the index of its counterpart on the other side (itself on the midline)."""
        return tuple(self.index(_other_side(name)) for name in self.joints)

    @cached_property
    def feet(self) -> tuple[int, ...]:
        """Indices of the heels and toes, which many detectors do not find."""
        return tuple(
            j for j, name in enumerate(self.joints) if name.removeprefix("left_").removeprefix("right_") in _FEET
        )

    @cached_property
    def body(self) -> tuple[int, ...]:
        """Indices of all joints but ``feet``: those on which people are compared and measured."""
        return tuple(j for j in range(len(self)) if j not in self.feet)

    def index(self, joint: str) -> int:
        """Index of a joint by name.

        Raises:
            DataError: The skeleton has no such joint.
        """
        try:
            return self.joints.index(joint)
        except ValueError:
            known = ", ".join(self.joints)
            raise DataError(f"Skeleton {self.name} has no joint {joint!r}. It has: {known}.") from None

    def side(self, joint: int) -> str:
        """The side of a joint: ``"left"``, ``"right"`` or ``"middle"``."""
        return "left" if joint in self.left else "right" if joint in self.right else "middle"


def _other_side(name: str) -> str:
    if name.startswith("left_"):
        return "right_" + name.removeprefix("left_")
    if name.startswith("right_"):
        return "left_" + name.removeprefix("right_")
    return name


def tree(name: str, braces: tuple[tuple[str, str], ...] = (), /, **parents: str | None) -> Skeleton:
    """Make a skeleton.

    Args:
        name: Its name.
        braces: See ``Skeleton``, by joint names.
        **parents: ``joint=parent`` in storage order; the root's parent is ``None``.
    """
    joints = tuple(parents)
    indices = tuple(-1 if p is None else joints.index(p) for p in parents.values())
    return Skeleton(name, joints, indices, tuple((joints.index(a), joints.index(b)) for a, b in braces))


def pair(body: Skeleton) -> Skeleton:
    """Two bodies as one set of joints: ``head_1`` … of the first person, then ``head_2`` … of the second.

    The result is a forest of two trees. Its ``root`` is the first person's. Mirroring does not swap the two people.
    """
    joints = tuple(f"{joint}_{person}" for person in (1, 2) for joint in body.joints)
    shifted = tuple(p if p < 0 else p + len(body) for p in body.parents)
    braces = body.braces + tuple((a + len(body), b + len(body)) for a, b in body.braces)
    return Skeleton(f"{body.name}-pair", joints, body.parents + shifted, braces)


SAME_JOINT = {
    f"{side}_{name}": f"{side}_{other}"
    for side in ("left", "right")
    for name, other in (("toe", "big_toe"), ("big_toe", "toe"))
}
"""Names of h36m21 and coco23 for the same joint."""


def convert(
    points: Shaped[np.ndarray, "*frames J C"], source: Skeleton, target: Skeleton
) -> Float[np.ndarray, "*frames K C"]:
    """Reorder joints from one layout to another by name. Joints that ``source`` lacks are NaN."""
    out = np.full((*points.shape[:-2], len(target), points.shape[-1]), np.nan, dtype=np.float64)
    for j, name in enumerate(target.joints):
        name = name if name in source.joints else SAME_JOINT.get(name, name)
        if name in source.joints:
            out[..., j, :] = points[..., source.joints.index(name), :]
    return out


FACE = ("nose", "left_eye", "right_eye", "left_ear", "right_ear")
OPTIONAL = ("nose", "eye", "ear", "heel", "toe")
"""Last words of the names of face and feet, which detectors may lack."""


def missing_keypoints(given: Skeleton, wanted: Skeleton) -> tuple[str, ...]:
    """The joints of ``wanted``, other than face and feet, that ``given`` lacks."""
    return tuple(j for j in wanted.joints if j not in given.joints and j.split("_")[-1] not in OPTIONAL)


def _by_name(*skeletons: Skeleton) -> Mapping[str, Skeleton]:
    return {s.name: s for s in skeletons}


_TORSO = (("left_shoulder", "right_shoulder"), ("left_hip", "right_hip"))

COCO17 = tree(
    "coco17", _TORSO,
    nose=None, left_eye="nose", right_eye="nose", left_ear="left_eye", right_ear="right_eye",
    left_shoulder="nose", right_shoulder="nose", left_elbow="left_shoulder", right_elbow="right_shoulder",
    left_wrist="left_elbow", right_wrist="right_elbow", left_hip="left_shoulder", right_hip="right_shoulder",
    left_knee="left_hip", right_knee="right_hip", left_ankle="left_knee", right_ankle="right_knee",
)  # fmt: skip

COCO23 = tree(
    "coco23", _TORSO,
    nose=None, left_eye="nose", right_eye="nose", left_ear="left_eye", right_ear="right_eye",
    left_shoulder="nose", right_shoulder="nose", left_elbow="left_shoulder", right_elbow="right_shoulder",
    left_wrist="left_elbow", right_wrist="right_elbow", left_hip="left_shoulder", right_hip="right_shoulder",
    left_knee="left_hip", right_knee="right_hip", left_ankle="left_knee", right_ankle="right_knee",
    left_big_toe="left_ankle", left_small_toe="left_big_toe", left_heel="left_ankle",
    right_big_toe="right_ankle", right_small_toe="right_big_toe", right_heel="right_ankle",
)  # fmt: skip
"""coco17 with the feet of COCO-WholeBody, in its order."""

H36M17 = tree(
    "h36m17",
    hip=None, right_hip="hip", right_knee="right_hip", right_ankle="right_knee",
    left_hip="hip", left_knee="left_hip", left_ankle="left_knee",
    spine="hip", thorax="spine", neck="thorax", head="neck",
    left_shoulder="thorax", left_elbow="left_shoulder", left_wrist="left_elbow",
    right_shoulder="thorax", right_elbow="right_shoulder", right_wrist="right_elbow",
)  # fmt: skip

H36M21 = tree(
    "h36m21",
    hip=None, right_hip="hip", right_knee="right_hip", right_ankle="right_knee",
    left_hip="hip", left_knee="left_hip", left_ankle="left_knee",
    spine="hip", thorax="spine", neck="thorax", head="neck",
    left_shoulder="thorax", left_elbow="left_shoulder", left_wrist="left_elbow",
    right_shoulder="thorax", right_elbow="right_shoulder", right_wrist="right_elbow",
    right_heel="right_ankle", right_toe="right_ankle", left_heel="left_ankle", left_toe="left_ankle",
)  # fmt: skip
"""h36m17 with the feet: the rear end of each heel and the tip of each big toe."""

MOCAP28 = tree(
    "mocap28",
    hip=None, right_hip="hip", right_knee="right_hip", right_ankle="right_knee",
    left_hip="hip", left_knee="left_hip", left_ankle="left_knee",
    spine="hip", thorax="spine", neck="thorax", head="neck",
    left_shoulder="thorax", left_elbow="left_shoulder", left_wrist="left_elbow",
    right_shoulder="thorax", right_elbow="right_shoulder", right_wrist="right_elbow",
    nose="neck", left_eye="neck", right_eye="neck", left_ear="neck", right_ear="neck",
    left_big_toe="left_ankle", left_small_toe="left_ankle", left_heel="left_ankle",
    right_big_toe="right_ankle", right_small_toe="right_ankle", right_heel="right_ankle",
)  # fmt: skip
"""Prepared motion capture: h36m17 and the joints that coco23 adds. The face is fixed to the head bone's lower end.

Not registered, because it is not a layout of keypoint files, and must not be chosen by their joint names.
"""

OPENPOSE18 = tree(
    "openpose18",
    nose="neck", neck=None, right_shoulder="neck", right_elbow="right_shoulder", right_wrist="right_elbow",
    left_shoulder="neck", left_elbow="left_shoulder", left_wrist="left_elbow",
    right_hip="neck", right_knee="right_hip", right_ankle="right_knee",
    left_hip="neck", left_knee="left_hip", left_ankle="left_knee",
    right_eye="nose", left_eye="nose", right_ear="right_eye", left_ear="left_eye",
)  # fmt: skip

BODY25 = tree(
    "body25",
    nose="neck", neck="hip", right_shoulder="neck", right_elbow="right_shoulder", right_wrist="right_elbow",
    left_shoulder="neck", left_elbow="left_shoulder", left_wrist="left_elbow", hip=None,
    right_hip="hip", right_knee="right_hip", right_ankle="right_knee",
    left_hip="hip", left_knee="left_hip", left_ankle="left_knee",
    right_eye="nose", left_eye="nose", right_ear="right_eye", left_ear="left_eye",
    left_big_toe="left_ankle", left_small_toe="left_big_toe", left_heel="left_ankle",
    right_big_toe="right_ankle", right_small_toe="right_big_toe", right_heel="right_ankle",
)  # fmt: skip

HALPE26 = tree(
    "halpe26",
    nose="neck", left_eye="nose", right_eye="nose", left_ear="left_eye", right_ear="right_eye",
    left_shoulder="neck", right_shoulder="neck", left_elbow="left_shoulder", right_elbow="right_shoulder",
    left_wrist="left_elbow", right_wrist="right_elbow", left_hip="hip", right_hip="hip",
    left_knee="left_hip", right_knee="right_hip", left_ankle="left_knee", right_ankle="right_knee",
    head="nose", neck="hip", hip=None,
    left_big_toe="left_ankle", right_big_toe="right_ankle", left_small_toe="left_big_toe",
    right_small_toe="right_big_toe", left_heel="left_ankle", right_heel="right_ankle",
)  # fmt: skip

HUMANEVA15 = tree(
    "humaneva15",
    hip=None, thorax="hip", left_shoulder="thorax", left_elbow="left_shoulder", left_wrist="left_elbow",
    right_shoulder="thorax", right_elbow="right_shoulder", right_wrist="right_elbow",
    left_hip="hip", left_knee="left_hip", left_ankle="left_knee",
    right_hip="hip", right_knee="right_hip", right_ankle="right_knee", head="thorax",
)  # fmt: skip

MPI3DHP17 = tree(
    "mpi3dhp17",
    head="nose", thorax="spine", right_shoulder="thorax", right_elbow="right_shoulder", right_wrist="right_elbow",
    left_shoulder="thorax", left_elbow="left_shoulder", left_wrist="left_elbow",
    right_hip="hip", right_knee="right_hip", right_ankle="right_knee",
    left_hip="hip", left_knee="left_hip", left_ankle="left_knee", hip=None, spine="hip", nose="thorax",
)  # fmt: skip

KINECT20 = tree(
    "kinect20",
    left_shoulder="thorax", right_shoulder="thorax", thorax="spine", spine="hip", left_hip="hip", right_hip="hip",
    hip=None, left_elbow="left_shoulder", right_elbow="right_shoulder", left_wrist="left_elbow",
    right_wrist="right_elbow", left_hand="left_wrist", right_hand="right_wrist",
    left_knee="left_hip", right_knee="right_hip", left_ankle="left_knee", right_ankle="right_knee",
    left_foot="left_ankle", right_foot="right_ankle", head="thorax",
)  # fmt: skip

KINECT15 = tree(
    "kinect15",
    head="thorax", thorax="spine", spine=None, left_shoulder="thorax", left_elbow="left_shoulder",
    left_hand="left_elbow", right_shoulder="thorax", right_elbow="right_shoulder", right_hand="right_elbow",
    left_hip="spine", left_knee="left_hip", left_foot="left_knee",
    right_hip="spine", right_knee="right_hip", right_foot="right_knee",
)  # fmt: skip

KINECT15_PAIR = pair(KINECT15)

_REGISTERED = _by_name(
    COCO17, COCO23, H36M17, H36M21, OPENPOSE18, BODY25, HALPE26, HUMANEVA15, MPI3DHP17, KINECT20, KINECT15,
    KINECT15_PAIR,
)  # fmt: skip


def skeleton(name: str) -> Skeleton:
    """The registered skeleton of this name.

    Raises:
        DataError: There is none. Lists the known names.
    """
    if name not in _REGISTERED:
        raise DataError(f"Unknown skeleton {name!r}. Known: {', '.join(sorted(_REGISTERED))}.")
    return _REGISTERED[name]


def registered() -> tuple[Skeleton, ...]:
    """All registered skeletons."""
    return tuple(_REGISTERED.values())
