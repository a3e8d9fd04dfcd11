"""Which joints a file's numbers are: what the file states, what its format defines, or what the user says.

Several layouts have the same count, so a count alone tells nothing: 17 are COCO's joints in one file and Human3.6M's in
another.
"""

from collections.abc import Collection, Mapping
from typing import NamedTuple

from kinelift.poses.errors import DataError
from kinelift.poses.skeleton import Skeleton, registered, skeleton


class Definition(NamedTuple):
    """A format that defines its ``layouts``, one for each count; ``usual`` is taken where a file shows nobody."""

    name: str
    layouts: Mapping[int, Skeleton]
    usual: Skeleton


def decide(where: str, counts: Collection[int], definition: Definition, requested: str | None) -> tuple[Skeleton, str]:
    """The layout of a file whose people have ``counts`` joints, and how it is known.

    Raises ``DataError`` if counts are mixed, if the ``requested`` layout is unknown or of another count, and if
    nothing tells which layout it is.
    """
    found = set(counts)
    if len(found) > 1:
        raise DataError(f"{where} has people of {sorted(found)} keypoints. Keep networks' results apart.")
    if requested is not None:
        return chosen(where, found, requested), "as it was asked for"
    if not found:
        return definition.usual, f"shows nobody; {definition.name} of {len(definition.usual)} joints would be usual"
    (count,) = found
    if count in definition.layouts:
        return definition.layouts[count], f"{definition.name} of {count} joints"
    raise DataError(f"{where} has {count} keypoints a person, and {_unclear(definition, count)}")


def chosen(where: str, counts: Collection[int], requested: str) -> Skeleton:
    """The ``requested`` layout, by its name. Raises ``DataError`` unless people have as many joints."""
    layout = skeleton(requested)
    if wrong := set(counts) - {len(layout)}:
        raise DataError(
            f"{where} has {min(wrong)} keypoints a person, and the layout {layout} has {len(layout)}. "
            f"{_candidates(min(wrong))}"
        )
    return layout


def _unclear(definition: Definition, count: int) -> str:
    known = " or ".join(f"{n} ({layout})" for n, layout in definition.layouts.items())
    return f"{definition.name} defines {known}. {_candidates(count)}"


def _candidates(count: int) -> str:
    fitting = [layout.name for layout in registered() if len(layout) == count]
    if not fitting:
        return f"No known layout has {count} joints."
    return f"Say which layout it is: kinelift run --keypoint-layout. Of {count} joints: {', '.join(fitting)}."
