"""Determine the joint layout of a keypoint file, from the file, its format or the user's request.

The number of joints alone does not determine it: 17 are COCO's joints in one file and Human3.6M's in another.
"""

import re
from collections.abc import Collection, Mapping
from typing import NamedTuple

from kinelift.poses.errors import DataError
from kinelift.poses.skeleton import COCO17, Skeleton, registered, skeleton


class Definition(NamedTuple):
    """A format that defines the layout for each number of joints.

    Attributes:
        name: The format's name, for messages.
        layouts: The layouts by number of joints.
        default: The layout of a file without people.
    """

    name: str
    layouts: Mapping[int, Skeleton]
    default: Skeleton


def resolve_layout(
    where: str, counts: Collection[int], definition: Definition, requested: str | None
) -> tuple[Skeleton, str]:
    """Determine the layout of a file.

    Args:
        where: The file, for errors.
        counts: The numbers of joints of its people.
        definition: The file's format.
        requested: The name of the layout, or None to go by the format.

    Returns:
        The layout, and in words how it is known.

    Raises:
        DataError: People differ in their number of joints, the requested layout is unknown or has another number, or
            the format defines no layout for this number.
    """
    found = set(counts)
    if len(found) > 1:
        raise DataError(
            f"{where} has people with {sorted(found)} keypoints. Put each network's results in its own file."
        )
    if requested is not None:
        return requested_layout(where, found, requested), "as requested"
    if not found:
        return definition.default, f"shows nobody; the default of {definition.name} is {len(definition.default)} joints"
    (count,) = found
    if count in definition.layouts:
        return definition.layouts[count], f"{definition.name} of {count} joints"
    raise DataError(f"{where} has {count} keypoints per person, but {_unknown_count(definition, count)}")


def requested_layout(where: str, counts: Collection[int], requested: str) -> Skeleton:
    """The layout that the user requested by name.

    Args:
        where: The file, for errors.
        counts: The numbers of joints of its people.
        requested: The layout's name.

    Raises:
        DataError: The layout is unknown, or people have another number of joints.
    """
    layout = skeleton(requested)
    if wrong := set(counts) - {len(layout)}:
        raise DataError(
            f"{where} has {min(wrong)} keypoints per person, but the layout {layout} has {len(layout)}. "
            f"{_candidates(min(wrong))}"
        )
    return layout


class Order(NamedTuple):
    """The layout of a file that names its joints.

    Attributes:
        layout: The layout.
        columns: The index in the layout of each of the file's joints.
        layout_source: How the layout is known, in words.
    """

    layout: Skeleton
    columns: list[int]
    layout_source: str


def order_of_names(where: str, names: list[str], requested: str | None) -> Order:
    """The requested layout, or COCO's if it has all these joints, or else the smallest one that has.

    Args:
        where: Where the file names its joints, for errors.
        names: The names, as ``plain_name`` gives them.
        requested: The name of the layout, or None to go by the names.

    Raises:
        DataError: No layout has all of them, or the requested one has another number of joints.
    """
    if requested is not None:
        return Order(requested_layout(where, {len(names)}, requested), list(range(len(names))), "as requested")
    fitting = [layout for layout in registered() if names and set(names) <= set(layout.joints)]
    if not fitting or len(set(names)) < len(names):
        raise DataError(
            f"{where} names the joints {', '.join(names) or '(none)'}, which no known layout has. "
            f"Choose the layout with kinelift run --keypoint-layout."
        )
    layout = COCO17 if COCO17 in fitting else min(fitting, key=len)
    return Order(layout, [layout.index(name) for name in names], f"{where.rpartition(': ')[2]} name the joints")


def plain_name(name: object) -> str:
    """A joint's name as ours are written: small letters, with underscores between words."""
    return re.sub(r"[\s_-]+", "_", str(name).strip().lower())


def _unknown_count(definition: Definition, count: int) -> str:
    known = " or ".join(f"{n} ({layout})" for n, layout in definition.layouts.items())
    return f"{definition.name} defines {known}. {_candidates(count)}"


def _candidates(count: int) -> str:
    fitting = [layout.name for layout in registered() if len(layout) == count]
    if not fitting:
        return f"No known layout has {count} joints."
    return f"Choose one with kinelift run --keypoint-layout. With {count} joints: {', '.join(fitting)}."
