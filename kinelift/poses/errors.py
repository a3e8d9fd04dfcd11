"""The error classes. Every message says what is wrong, with which input, and what to do about it.

The command line prints the message of a ``KineliftError`` without a traceback and exits with status 1.
"""


class KineliftError(Exception):
    """Any error that a user can cause and can fix."""


class VideoError(KineliftError):
    """A video that is missing, unreadable or truncated, or has no pictures."""


class OutputError(KineliftError):
    """A result that cannot be written: no permission, no space, no encoder."""


class WeightsError(KineliftError):
    """Weights that are unknown, missing, damaged or do not fit the network."""


class DetectorError(KineliftError):
    """A detector that is not installed or cannot run here."""


class DataError(KineliftError):
    """A data file (motion capture, keypoints, recording, labels) that is missing, damaged or of another format."""


class SettingsError(KineliftError):
    """A setting outside its range, or settings that contradict each other."""


class ResumeError(KineliftError):
    """A stored run that cannot be resumed or reused, because its data, labels, settings or version differ."""


class ShapeError(KineliftError):
    """An array whose shape does not fit the skeleton or the number of frames it travels with."""
