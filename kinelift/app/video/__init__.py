"""Reading and writing video files with exact frame times, and with the source's audio."""

from kinelift.app.video.limits import Reading
from kinelift.app.video.part import Part
from kinelift.app.video.pictures import video_name
from kinelift.app.video.reader import Video
from kinelift.app.video.summary import Summary
from kinelift.app.video.writer import VideoWriter

__all__ = ["Part", "Reading", "Summary", "Video", "VideoWriter", "video_name"]
