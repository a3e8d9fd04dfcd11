"""Reading and writing video files with exact frame times, and with the source's audio."""

from kinelift.app.video.reader import Video
from kinelift.app.video.summary import Summary
from kinelift.app.video.writer import VideoWriter

__all__ = ["Summary", "Video", "VideoWriter"]
