from collections.abc import Iterator
from fractions import Fraction
from itertools import islice
from pathlib import Path

import av
import numpy as np
import pytest

from kinelift.poses import Frame
from kinelift.poses.errors import WeightsError
from kinelift.weights import store


def fetched(name: str) -> Path:
    """A registered file; skips the test where it was not fetched."""
    try:
        return store.locate(name)
    except WeightsError as error:
        pytest.skip(str(error))


@pytest.fixture(scope="session")
def movenet_file() -> Path:
    """The real network, if it was fetched."""
    return fetched("movenet-multipose")


@pytest.fixture(scope="session")
def blazepose_file() -> Path:
    """The smaller of the two landmark networks, if it was fetched."""
    return fetched("blazepose-full")


@pytest.fixture(scope="session")
def openpose_file(shared: Path) -> Path:
    """A real network with part affinity fields, if a developer has it."""
    file = shared / "models" / "openpose_mobilenet_v2_small.onnx"
    if not file.is_file():
        pytest.skip(f"no network at {file}")
    return file


@pytest.fixture(scope="session")
def clip() -> list[Frame]:
    """Every eighth of the sample clip's first 120 frames, if it was fetched: a man, from frame 40 on a woman too."""
    with av.open(str(fetched("sample-clip"))) as video:
        frames: Iterator[av.VideoFrame] = islice(video.decode(video=0), 0, 120, 8)
        return [Frame(k, Fraction(8 * k, 30), f.to_ndarray(format="rgb24")) for k, f in enumerate(frames)]


def blank(count: int, width: int = 96, height: int = 64) -> list[Frame]:
    return [Frame(k, Fraction(k, 25), np.zeros((height, width, 3), np.uint8)) for k in range(count)]
