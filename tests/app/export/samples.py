"""Recordings to export."""

from dataclasses import replace
from pathlib import Path

import numpy as np

from kinelift.poses import Person, Recording, Track2D, VideoFacts
from kinelift.poses.recording import load

FILE = Path(__file__).with_name("sample-recording.npz")
"""What ``kinelift run`` made of the sample clip, in single precision."""


def sample() -> Recording:
    """A man on a roof and a man who walks below, 230 frames at 30 Hz. The second one appears in frame 38."""
    return load(FILE)


def with_times(recording: Recording, times: np.ndarray) -> Recording:
    """The recording of a video with other frame times."""
    video = VideoFacts(recording.video.name, recording.video.width, recording.video.height, times)
    return replace(recording, video=video, people=tuple(_timed(person, times) for person in recording.people))


def uneven(recording: Recording) -> Recording:
    """The recording of a video whose frame rate varies: its second half is slower."""
    steps = np.where(np.arange(len(recording.video.times)) < 115, 1 / 30, 1 / 12)
    return with_times(recording, np.concatenate([[0.0], np.cumsum(steps)[:-1]]))


def _timed(person: Person, times: np.ndarray) -> Person:
    own = times[person.track.start : person.track.start + len(person.track)]
    track: Track2D = replace(person.track, times=own)
    return replace(person, track=track, poses=person.poses and replace(person.poses, times=own))
