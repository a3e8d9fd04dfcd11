"""Video files: reading with exact times, writing with the source's times and sound."""

from kinelift.app.video.reader import Video
from kinelift.app.video.summary import Summary
from kinelift.app.video.writer import VideoWriter

__all__ = ["Summary", "Video", "VideoWriter"]
