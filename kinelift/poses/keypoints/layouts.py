"""Determine the joint layout of a keypoint file, from the file, its format or the user's request.

The number of joints alone does not determine it: 17 are COCO's joints in one file and Human3.6M's in another.
"""

from collections.abc import Collection, Mapping
from typing import NamedTuple

from kinelift.poses.errors import DataError
from kinelift.poses.skeleton import Skeleton, registered, skeleton


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


def _unknown_count(definition: Definition, count: int) -> str:
    known = " or ".join(f"{n} ({layout})" for n, layout in definition.layouts.items())
    return f"{definition.name} defines {known}. {_candidates(count)}"


def _candidates(count: int) -> str:
    fitting = [layout.name for layout in registered() if len(layout) == count]
    if not fitting:
        return f"No known layout has {count} joints."
    return f"Choose one with kinelift run --keypoint-layout. With {count} joints: {', '.join(fitting)}."
