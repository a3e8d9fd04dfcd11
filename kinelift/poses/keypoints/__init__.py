"""Read and write the keypoint files of other programs."""

from kinelift.poses.keypoints.container import Keypoints
from kinelift.poses.keypoints.reading import read, read_videos
from kinelift.poses.keypoints.writing import Format, check, write

__all__ = ["Format", "Keypoints", "check", "read", "read_videos", "write"]
