"""Read COCO annotations: ``{"images": …, "annotations": …, "categories": …}``. The categories name the joints."""

from collections import defaultdict
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from kinelift.poses.errors import DataError
from kinelift.poses.keypoints.container import FrameRef, Keypoints, Videos, frame_ref
from kinelift.poses.keypoints.documents import entry
from kinelift.poses.keypoints.instances import Instance, box_of_corner_and_size, people_by_frame, triples
from kinelift.poses.keypoints.layouts import Order, order_of_names, plain_name

Size = tuple[int, int]
Images = Mapping[int | str, tuple[FrameRef, Size | None]]


def annotated_videos(path: Path, facts: dict[str, Any], requested: str | None) -> Videos:
    """The videos of an annotations file.

    Args:
        path: The file.
        facts: Its content.
        requested: The name of the layout, or None to take it from the categories.

    Raises:
        DataError: An entry is missing or invalid. Names the entry and the key.
    """
    category, names = _category(path, facts)
    order, images = order_of_names(f"{path}: categories", names, requested), _images(path, facts)
    found: dict[str, list[Instance]] = defaultdict(list)
    for k, row in enumerate(entry(facts, "annotations", str(path), list)):
        where = f"{path}: annotations[{k}]"
        if entry(row, "category_id", where, int) == category:
            video, frame = _place(images, row, where)
            found[video].append(_instance(frame, row, where, order))
    videos = sorted({place.video for place, _ in images.values()})
    several = len(videos) > 1
    return {
        name: partial(_video, str(path / name if several else path), name, found[name], order, images)
        for name in videos
    }  # fmt: skip


def _category(path: Path, facts: dict[str, Any]) -> tuple[int, list[str]]:
    """The id of the category with named joints, and the names."""
    found = {}
    for k, category in enumerate(entry(facts, "categories", str(path), list)):
        where = f"{path}: categories[{k}]"
        number = entry(category, "id", where, int)
        if "keypoints" in category:
            names = entry(category, "keypoints", where, list)
            found[number] = [plain_name(name) for name in names], str(category.get("name"))
    people = {number: names for number, (names, name) in found.items() if len(found) == 1 or name == "person"}
    if len(people) != 1:
        raise DataError(f"{path}: categories has {len(people)} with keypoints of people. Keep one, with named joints.")
    return next(iter(people.items()))


def _images(path: Path, facts: dict[str, Any]) -> Images:
    found: dict[int | str, tuple[FrameRef, Size | None]] = {}
    for k, image in enumerate(entry(facts, "images", str(path), list)):
        where = f"{path}: images[{k}]"
        number = entry(image, "id", where, int, str)
        named = "file_name" in image
        place = frame_ref(entry(image, "file_name", where, str) if named else number, f"{where}: file_name")
        known = "width" in image and "height" in image
        size = (entry(image, "width", where, int), entry(image, "height", where, int)) if known else None
        found[number] = place, size
    if len({place for place, _ in found.values()}) < len(found):
        raise DataError(f"{path}: two images are the same frame of a video. Number them in their file names.")
    if not found:
        raise DataError(f"{path}: images is empty. Export the file again.")
    return found


def _place(images: Images, row: dict[str, Any], where: str) -> FrameRef:
    image = entry(row, "image_id", where, int, str)
    if image not in images:
        raise DataError(f"{where}: image_id is {image!r}, which is not in images. Export the file again.")
    return images[image][0]


def _instance(frame: int, row: dict[str, Any], where: str, order: Order) -> Instance:
    """COCO marks joints as 0 (not labelled), 1 (occluded) or 2 (visible); predictions have scores instead."""
    given = triples(entry(row, "keypoints", where, list), f"{where}: keypoints")
    if len(given) != 3 * len(order.columns):
        raise DataError(f"{where}: keypoints has {len(given)} numbers, expected {3 * len(order.columns)}.")
    joints = np.full((len(order.layout), 3), np.nan)
    joints[order.columns] = np.reshape(given, (-1, 3))
    box = box_of_corner_and_size(row["bbox"], f"{where}: bbox") if "bbox" in row else None
    return Instance(frame, joints.ravel(), f"{where}: keypoints", box)


def _video(source: str, name: str, found: list[Instance], order: Order, images: Images) -> Keypoints:
    own = [(place.frame, size) for place, size in images.values() if place.video == name]
    sizes = {size for _, size in own}
    if len(sizes) > 1:
        raise DataError(f"{source} has pictures of different sizes, so they are not one video. Keep one video's.")
    frames = people_by_frame(source, found, len(order.layout), (frame for frame, _ in own))
    return Keypoints(source, order.layout, order.layout_source, frames, next(iter(sizes)))
