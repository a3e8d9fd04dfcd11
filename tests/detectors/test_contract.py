"""The contract of detectors, checked on every detector."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from kinelift.detectors.detectron2.detector import Detectron2, Detectron2Settings
from kinelift.detectors.keypoint_files.detector import KeypointFile
from kinelift.detectors.movenet.detector import MoveNet
from kinelift.detectors.movenet.second_look import SecondLook
from kinelift.detectors.openpose.detector import OpenPose, open_openpose
from kinelift.detectors.openpose.lightweight import LightweightFields
from kinelift.detectors.protocol import Detector
from kinelift.detectors.refining.blazepose import BlazePose
from kinelift.detectors.refining.refined import Refined
from kinelift.detectors.scripted import Scripted
from kinelift.detectors.strided import Strided
from kinelift.models.lightweight_openpose import LightweightOpenPose, LightweightOpenPoseConfig
from kinelift.poses import COCO17, People
from kinelift.poses.keypoints import Keypoints
from tests.detectors.contract import DetectorContract
from tests.detectors.detectron2.fake import Network, red_spot
from tests.detectors.detectron2.random_weights import random_network


def _scripted(request: pytest.FixtureRequest) -> Detector:
    generator = np.random.default_rng(0)
    counts = (0, 2, 1, 0, 3)
    return Scripted(
        [
            People(
                k, generator.random((n, 17, 2)), generator.random((n, 17)), np.tile([0, 0, 1.0, 1], (n, 1)), np.ones(n)
            )
            for k, n in enumerate(counts)
        ]
    )


def _movenet(request: pytest.FixtureRequest) -> Detector:
    return MoveNet(request.getfixturevalue("movenet_file"), threads=1, long_side=256)


def _second_look(request: pytest.FixtureRequest) -> SecondLook:
    file: Path = request.getfixturevalue("movenet_file")
    return SecondLook(MoveNet(file, threads=1, long_side=256), MoveNet(file, threads=1, long_side=192))


def _refined(request: pytest.FixtureRequest) -> Detector:
    return Refined(_second_look(request), BlazePose(request.getfixturevalue("blazepose_file"), threads=1), every=2)


def _strided(request: pytest.FixtureRequest) -> Detector:
    return Strided(_scripted(request), 3)


def _keypoint_file(request: pytest.FixtureRequest) -> Detector:
    people = (
        People(k, np.full((2, 17, 2), 30.0 + k), np.ones((2, 17)), np.tile([20.0, 20, 60, 60], (2, 1)), np.ones(2))
        for k in range(12)
    )
    return KeypointFile(Keypoints("clip", COCO17, "made up", {one.frame: one for one in people}))


def _detectron2(request: pytest.FixtureRequest) -> Detector:
    return Detectron2(random_network(doubt=100.0), Detectron2Settings(short_side=64, batch=4))


def _detectron2_fake(request: pytest.FixtureRequest) -> Detector:
    return Detectron2(Network(red_spot), Detectron2Settings(short_side=64, batch=16))


def _lightweight_openpose(request: pytest.FixtureRequest) -> Detector:
    torch.manual_seed(0)
    net = LightweightOpenPose(LightweightOpenPoseConfig())
    return OpenPose(LightweightFields(net, batch=4), long_side=128)


def _onnx_openpose(request: pytest.FixtureRequest) -> Detector:
    return open_openpose(request.getfixturevalue("openpose_file"), threads=1, long_side=320)


class TestEveryDetector(DetectorContract):
    @pytest.fixture(
        params=[
            _scripted,
            _strided,
            _keypoint_file,
            _movenet,
            _second_look,
            _refined,
            _detectron2,
            _detectron2_fake,
            _lightweight_openpose,
            _onnx_openpose,
        ],
        ids=lambda make: make.__name__[1:],
    )
    def detector(self, request: pytest.FixtureRequest) -> Detector:
        make: Callable[[pytest.FixtureRequest], Detector] = request.param
        return make(request)
