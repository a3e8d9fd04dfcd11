"""Limits of a whole analysis: length, picture size, people, and clocks that jump."""

import time
import tracemalloc
from collections.abc import Iterator
from dataclasses import fields
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from kinelift.app import batch
from kinelift.app.settings import Settings, TrackingSettings
from kinelift.app.video import Reading, Video
from kinelift.poses import Recording
from kinelift.poses.errors import VideoError
from tests.app.stages import pipeline, script
from tests.clips import steady, write_clip

DAYS = 116 * 86_400


def test_the_defaults_are_those_of_security_md() -> None:
    reading, tracking = ({each.name: each.default for each in fields(one)} for one in (Reading, TrackingSettings))
    assert (reading["max_duration"], reading["max_pixels"], tracking["max_people"]) == (24 * 3600, 100_000_000, 100)
    assert Settings().max_people == 100
