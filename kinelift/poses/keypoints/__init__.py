"""Keypoints as files of other programs: read for tracking and lifting, written for them."""

from poses.keypoints.container import Keypoints
from poses.keypoints.reading import read, read_videos
from poses.keypoints.writing import Format, check, write

__all__ = ["Format", "Keypoints", "check", "read", "read_videos", "write"]
