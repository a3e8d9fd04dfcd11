"""Keypoint files as other programs write them, of made-up people."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from kinelift.poses import COCO17, Skeleton
from kinelift.poses.keypoints import Keypoints

SIZE = (640, 480)
Frames = Sequence[Sequence[np.ndarray]]
"""The people of every frame, (J, 3) each: x, y, score; zeros where not seen."""


def person(layout: Skeleton, seed: int, least: float = 0.2) -> np.ndarray:
    """Random joints in a picture of ``SIZE``; a third of them, not the first, is not seen."""
    chance = np.random.default_rng(seed)
    found = np.concatenate([chance.uniform(20, 460, (len(layout), 2)), chance.uniform(least, 1, (len(layout), 1))], -1)
    found[1:][chance.random(len(layout) - 1) < 0.3] = 0
    return found.round(3)


def crowd(layout: Skeleton, counts: Sequence[int] = (1, 2, 0, 1, 3)) -> list[list[np.ndarray]]:
    return [[person(layout, 10 * t + n) for n in range(count)] for t, count in enumerate(counts)]


def write_openpose(folder: Path, frames: Frames, name: str = "walk", first: int = 0) -> Path:
    folder.mkdir(exist_ok=True, parents=True)
    for k, people in enumerate(frames, first):
        rows = [{"person_id": [-1], "pose_keypoints_2d": p.ravel().tolist(), "face_keypoints_2d": []} for p in people]
        (folder / f"{name}_{k:012d}_keypoints.json").write_text(json.dumps({"version": 1.3, "people": rows}))
    return folder


def write_results(path: Path, frames: Frames, **extra: Any) -> Path:
    rows = [
        {"image_id": k, "category_id": 1, "keypoints": p.ravel().tolist(), "score": 0.5, **extra}
        for k, people in enumerate(frames)
        for p in people
    ]
    path.write_text(json.dumps(rows))
    return path


def alphapose(frames: Frames, name: str = "{}.jpg") -> list[dict[str, Any]]:
    return [
        {"image_id": name.format(k), "category_id": 1, "keypoints": p.ravel().tolist(),
         "score": 0.75 + p[:, 2].mean() + 1.25 * p[:, 2].max(), "box": [10.0, 20.0, 100.0, 200.0], "idx": [n]}
        for k, people in enumerate(frames)
        for n, p in enumerate(people)
    ]  # fmt: skip


def annotations(frames: Frames, names: Sequence[str] = COCO17.joints) -> dict[str, Any]:
    return {
        "images": [
            {"id": 100 + k, "file_name": f"walk_{k:06d}.png", "width": SIZE[0], "height": SIZE[1]}
            for k in range(len(frames))
        ],
        "annotations": [
            {"id": 7, "image_id": 100 + k, "category_id": 1, "keypoints": p.ravel().tolist(), "bbox": [1, 2, 30, 40]}
            for k, people in enumerate(frames)
            for p in people
        ],
        "categories": [{"id": 1, "name": "person", "keypoints": list(names)}],
    }


def write_detectron(path: Path, frames: Frames, **changed: Any) -> Path:
    """As ``infer_video_d2.py`` does: rows x, y, 0, score; nobody is an empty list."""
    boxes, keypoints = [], []
    for people in frames:
        rows = [np.stack([p[:, 0], p[:, 1], np.zeros(len(p)), p[:, 2]]).astype(np.float32) for p in people]
        found = [[5, 6, 70, 80 + k, 0.9 - 0.1 * k] for k in range(len(people))]
        boxes.append([[], np.array(found, dtype=np.float32) if people else []])
        keypoints.append([[], np.stack(rows) if people else []])
    save_objects(path, **{
        "boxes": boxes, "segments": [None] * len(boxes), "keypoints": keypoints,
        "metadata": {"w": SIZE[0], "h": SIZE[1]}, **changed,
    })  # fmt: skip
    return path


def write_positions(path: Path, videos: dict[str, np.ndarray], **metadata: Any) -> Path:
    """As ``prepare_data_2d_custom.py`` does: T × J × 2 a video."""
    known = {"layout_name": "coco", "video_metadata": {name: {"w": SIZE[0], "h": SIZE[1]} for name in videos}}
    positions = {name: {"custom": [points.astype("float32")]} for name, points in videos.items()}
    save_objects(path, positions_2d=positions, metadata={**known, **metadata})
    return path


def save_objects(path: Path, **content: Any) -> None:
    """``np.savez`` as numpy 1 did it: lists with an entry a frame become arrays of objects."""
    arrays = {}
    for key, value in content.items():
        arrays[key] = np.empty(len(value), dtype=object) if isinstance(value, list) else np.array(value)
        for k, one in enumerate(value if isinstance(value, list) else ()):
            arrays[key][k] = one
    np.savez_compressed(path, **arrays)


def check_same(found: Keypoints, frames: Frames, atol: float = 0.0) -> None:
    """Everybody with a visible joint is there, in order, with the same points and scores."""
    for k, people in enumerate(frames):
        there = [p for p in people if (p[:, 2] > 0).any()]
        assert len(found.at(k)) == len(there)
        for n, p in enumerate(there):
            seen = p[:, 2] > 0
            np.testing.assert_allclose(
                found.at(k).points[n], np.where(seen[:, None], p[:, :2], np.nan), rtol=0, atol=atol
            )
            np.testing.assert_allclose(found.at(k).scores[n], np.where(seen, p[:, 2], 0), rtol=0, atol=atol)
    assert not [k for k, people in found.frames.items() if k >= len(frames) and len(people)]
