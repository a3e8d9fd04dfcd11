"""Video files: reading with exact times, writing with the source's times and sound."""

from app.video.reader import Video
from app.video.summary import Summary
from app.video.writer import VideoWriter

__all__ = ["Summary", "Video", "VideoWriter"]
