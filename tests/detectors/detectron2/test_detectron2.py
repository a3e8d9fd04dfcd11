"""The adapter around a fake Detectron2, and around the real one with random weights where it is installed."""

import hashlib
import pickle
import sys
import threading
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st
from PIL import Image
from torch import Tensor

from kinelift.detectors.detectron2 import keypoint_rcnn
from kinelift.detectors.detectron2.detector import Detectron2, Detectron2Settings, normalised_scores
from kinelift.detectors.detectron2.kind import installed
from kinelift.detectors.refining.crop import Crop
from kinelift.detectors.refining.landmarks import Landmarks
from kinelift.detectors.refining.refined import Refined
from kinelift.poses import COCO17, COCO23, Frame
from kinelift.poses.errors import DetectorError, SettingsError, WeightsError
from kinelift.weights import download
from kinelift.weights.download import Patience
from tests.detectors.conftest import blank
from tests.detectors.detectron2.fake import Fake, Network, Seen, nobody, person, recorded, red_spot
from tests.detectors.detectron2.random_weights import random_network
from tests.weights.web import Web, cut_after, serving


class TestAnswers:
    def test_recorded_instances_become_people(self) -> None:
        given = recorded()
        network = Network(nobody)
        network.forward = lambda batch: [{"instances": given[one["image_id"]]} for one in batch]  # type: ignore[method-assign]
        found = list(Detectron2(network, Detectron2Settings(batch=2)).detect(blank(3)))
        assert [len(people) for people in found] == [5, 4, 0]
        for people, instances in zip(found, given, strict=True):
            np.testing.assert_array_equal(people.points, instances.pred_keypoints[..., :2].numpy())
            np.testing.assert_array_equal(people.boxes, instances.pred_boxes.tensor.numpy())
            np.testing.assert_array_equal(people.confidence, instances.scores.numpy())
            assert ((people.scores > 0) & (people.scores < 1)).all()
            flat, raw = people.scores.ravel(), instances.pred_keypoints[..., 2].numpy().ravel()
            np.testing.assert_array_equal(np.argsort(flat), np.argsort(raw))

    def test_people_are_sorted_by_confidence_and_weak_ones_left_out(self) -> None:
        scores = (0.6, 0.2, 0.9, 0.5)
        rows = [person(10 * k + 10, 20, score) for k, score in enumerate(scores)]
        seen = Seen(*(torch.cat([getattr(row, name) for row in rows]) for name in ("boxes", "scores", "keypoints")))
        settings = Detectron2Settings(short_side=64, person_threshold=0.5)
        (people,) = Detectron2(Network(lambda image: seen), settings).detect(blank(1))
        np.testing.assert_allclose(people.confidence, [0.9, 0.6, 0.5])
        np.testing.assert_allclose(people.points[:, 0, 0], [30, 10, 40])

    def test_joint_scores_keep_their_order_and_get_a_common_scale(self) -> None:
        raw = np.array([0.0, 1e-6, 0.05, 0.2, 1.0, 5.3, 844.0, np.inf])
        scores = normalised_scores(raw)
        assert (np.diff(scores) > 0).all() and scores[0] >= 0 and scores[-1] == 1
        np.testing.assert_allclose(scores[2:5], [0.2, 0.5, 5 / 6])


class TestPictures:
    @given(
        width=st.integers(120, 400),
        height=st.integers(120, 400),
        place=st.tuples(st.floats(0.35, 0.65), st.floats(0.35, 0.65)),
        short_side=st.integers(50, 300),
        long_side=st.integers(50, 300),
    )
    @settings(max_examples=30)
    def test_people_are_in_pixels_of_the_original_image(
        self, width: int, height: int, place: tuple[float, float], short_side: int, long_side: int
    ) -> None:
        x, y = place[0] * width, place[1] * height
        across, down = (np.exp(-((np.arange(n) + 0.5 - at) ** 2) / 288) for n, at in ((width, x), (height, y)))
        image = (down[:, None, None] * across[:, None] * [250, 20, 60]).round().astype(np.uint8)
        settings = Detectron2Settings(short_side=short_side, long_side=long_side)
        (people,) = Detectron2(Network(red_spot), settings).detect([Frame(0, Fraction(0), image)])
        rounding = 0.05 * max(1.0, width / settings.scaled(width, height)[0])  # of colours, in the scaled picture
        np.testing.assert_allclose(people.points[0], np.broadcast_to([x, y], (17, 2)), atol=rounding)

    @given(width=st.integers(30, 300), height=st.integers(30, 300), side=st.integers(20, 300), seed=st.integers(0, 9))
    @example(width=30, height=133, side=252, seed=7)  # torch's own resize of bytes differs by 2
    @settings(max_examples=30)
    def test_pictures_are_resized_as_detectron2_does(self, width: int, height: int, side: int, seed: int) -> None:
        """By Pillow, with its bilinear filter, in ``ResizeTransform``."""
        network, image = Network(nobody), np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)
        chosen = Detectron2Settings(short_side=side, long_side=side)
        list(Detectron2(network, chosen).detect([Frame(0, Fraction(0), image)]))
        expected = np.asarray(Image.fromarray(image).resize(chosen.scaled(width, height), Image.Resampling.BILINEAR))
        given_ = network.batches[0][0]["image"].permute(1, 2, 0).numpy()[..., ::-1]
        assert given_.dtype == np.uint8 and given_.shape == expected.shape
        assert np.abs(given_.astype(int) - expected).max() <= 1

    def test_red_is_the_last_channel(self) -> None:
        network = Network(nobody)
        image = np.broadcast_to(np.array([200, 100, 50], np.uint8), (60, 90, 3))
        list(Detectron2(network, Detectron2Settings(short_side=60)).detect([Frame(0, Fraction(0), image)]))
        assert network.batches[0][0]["image"].float().mean(dim=(1, 2)).tolist() == [50, 100, 200]

    @pytest.mark.parametrize(
        ("size", "expected"),
        [
            ((1920, 1080), (1333, 750)),
            ((1080, 1920), (750, 1333)),
            ((640, 480), (1067, 800)),
            ((1000, 1), (1333, 1)),
            ((2000, 1), (1333, 1)),
            ((1, 1), (800, 800)),
        ],
    )
    def test_default_sizes_are_detectron2s(self, size: tuple[int, int], expected: tuple[int, int]) -> None:
        assert Detectron2Settings().scaled(*size) == expected

    def test_frames_of_several_sizes_in_one_batch(self) -> None:
        network = Network(lambda image: person(image.shape[2] / 2, image.shape[1] / 2))
        frames = [Frame(k, Fraction(k), np.zeros((h, w, 3), np.uint8)) for k, (w, h) in enumerate([(90, 60), (50, 80)])]
        wide, tall = Detectron2(network, Detectron2Settings(short_side=30)).detect(frames)
        np.testing.assert_allclose(wide.points[0, 0], [45, 30])
        np.testing.assert_allclose(tall.points[0, 0], [25, 40])


class TestStream:
    @pytest.mark.parametrize("count", [0, 1, 3, 4, 8, 9])
    def test_batches_are_full_but_for_the_last(self, count: int) -> None:
        network = Network(nobody)
        found = list(Detectron2(network, Detectron2Settings(short_side=8, batch=4)).detect(blank(count)))
        assert [people.frame for people in found] == list(range(count))
        sizes = [len(batch) for batch in network.batches]
        assert sizes == [4] * (count // 4) + [count % 4] * (count % 4 > 0)

    def test_the_next_batch_is_ready_while_the_network_runs(self) -> None:
        prepared = threading.Event()
        waited: list[bool] = []

        def see(image: Tensor) -> Seen:
            waited.append(prepared.wait(60))
            return Seen.nobody()

        def frames() -> Iterator[Frame]:
            first, second, third, fourth = blank(4)
            yield from (first, second, third)
            prepared.set()  # the third is scaled: the second batch is under way
            yield fourth

        list(Detectron2(Network(see), Detectron2Settings(short_side=8, batch=2)).detect(frames()))
        assert waited == [True] * 4

    def test_reads_no_more_than_the_batches_that_it_needs(self) -> None:
        read: list[int] = []

        def frames() -> Iterator[Frame]:
            for frame in blank(100):
                read.append(frame.index)
                yield frame

        most = Detectron2Settings(short_side=8, batch=16)
        answers = Detectron2(Network(nobody), most).detect(frames())
        for k in range(40):
            assert next(answers).frame == k
            assert len(read) <= k + 32
        answers.close()  # type: ignore[attr-defined]

    def test_a_gpu_without_room_gets_smaller_batches(self) -> None:
        """There is room for three frames at a time: 8 do not fit, 4 do not, 2 do, from then on."""
        network = Network(lambda image: person(image.shape[2] / 2, image.shape[1] / 2))
        whole, asked = network.forward, []

        def forward(batch: list[dict[str, Any]]) -> Any:
            asked.append(len(batch))
            if len(batch) > 3:
                raise torch.OutOfMemoryError("CUDA out of memory.")
            return whole(batch)

        network.forward = forward  # type: ignore[method-assign]
        detector = Detectron2(network, Detectron2Settings(short_side=64, batch=8))
        found = list(detector.detect(blank(21)))
        assert [people.frame for people in found] == list(range(21))
        assert all(people.points[0, 0].tolist() == [48, 32] for people in found)
        assert asked[:6] == [8, 4, 2, 2, 2, 2] and set(asked[2:]) <= {1, 2}
        assert detector.remarks() == (
            "The GPU has too little memory for 8 frames at a time: the detector went on with 2.",
        )

    def test_a_gpu_without_room_for_one_frame_says_what_to_make_smaller(self) -> None:
        def see(image: Tensor) -> Seen:
            raise torch.OutOfMemoryError("CUDA out of memory.")

        detector = Detectron2(Network(see), Detectron2Settings(short_side=8, batch=4))
        assert detector.remarks() == ()
        with pytest.raises(DetectorError, match=r"a single frame. Give --long-side a number below 12, or --device cpu"):
            list(detector.detect(blank(2)))

    @pytest.mark.parametrize(("every", "batches"), [(1, [8, 8, 4]), (4, [5])])
    def test_a_second_stage_keeps_the_batches(self, every: int, batches: list[int]) -> None:
        network = Network(lambda image: person(image.shape[2] / 2, image.shape[1] / 2))
        refined = Refined(Detectron2(network, Detectron2Settings(short_side=64)), Agreeing(), every=every)
        found = list(refined.detect(blank(20)))
        assert [people.frame for people in found] == list(range(20)) and all(len(people) == 1 for people in found)
        assert [len(batch) for batch in network.batches] == batches


class Agreeing:
    """A second stage that sees a small person in the middle of every picture."""

    skeleton = COCO23

    def landmarks(self, image: np.ndarray, crop: Crop) -> Landmarks:
        points = np.tile([48.0, 32.0], (len(COCO23), 1)) + np.arange(len(COCO23))[:, None] / 100
        return Landmarks(points, np.ones(len(COCO23)), 1.0, crop)


class TestPrecision:
    @pytest.fixture
    def modes(self, monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, torch.dtype]]:
        """Mixed precision as it was asked for; it is computed on the CPU."""
        modes, real = [], torch.autocast

        def autocast(device: str, dtype: torch.dtype) -> Any:
            modes.append((device, dtype))
            return real("cpu", dtype)

        monkeypatch.setattr(torch, "autocast", autocast)
        return modes

    @pytest.mark.parametrize(
        ("device", "precision", "half"),
        [("cuda", "auto", True), ("cuda:1", "fp16", True), ("cuda", "fp32", False), ("cpu", "auto", False)],
    )
    def test_fp16_on_a_gpu_only(
        self, modes: list[tuple[str, torch.dtype]], device: str, precision: str, half: bool
    ) -> None:
        settings = Detectron2Settings(short_side=8, precision=precision)
        list(Detectron2(Network(nobody, device), settings).detect(blank(1)))
        assert modes == [("cuda", torch.float16)] * half

    def test_places_are_not_rounded_in_fp16(self, modes: list[tuple[str, torch.dtype]]) -> None:
        network = Network(lambda image: person(1100.3, 700.7), "cuda")
        (people,) = Detectron2(network).detect([Frame(0, Fraction(0), np.zeros((800, 1200, 3), np.uint8))])
        assert modes
        np.testing.assert_allclose(people.points[0, 0], [1100.3, 700.7], atol=1e-3)

    def test_fp16_on_a_cpu_is_refused(self) -> None:
        with pytest.raises(SettingsError, match="fp16 only on a GPU"):
            Detectron2(Network(nobody), Detectron2Settings(precision="fp16"))


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"person_threshold": 1.1}, "between 0 and 1"),
        ({"person_threshold": float("nan")}, "between 0 and 1"),
        ({"short_side": 0}, "positive numbers of pixels"),
        ({"long_side": -1}, "positive numbers of pixels"),
        ({"batch": 0}, "from 1 to 16"),
        ({"batch": 17}, "from 1 to 16"),
        ({"precision": "bf16"}, "Known: auto, fp16, fp32"),
    ],
)
def test_settings_out_of_range_are_refused(wrong: dict[str, Any], words: str) -> None:
    with pytest.raises(SettingsError, match=words):
        Detectron2Settings(**wrong)


class Trap:
    """Makes a file when it is unpickled as usual."""

    def __init__(self, sprung: Path) -> None:
        self.sprung = sprung

    def __reduce__(self) -> Any:
        return Path.touch, (self.sprung,)


class TestZoo:
    @pytest.fixture
    def web(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Web]:
        monkeypatch.setattr(download, "PATIENCE", Patience(silence=0.3, start=1, rate=1e9, tries=2, pause=0.01))
        monkeypatch.setenv("KINELIFT_CACHE", str(tmp_path / "cache"))
        with serving(self._save(tmp_path / "zoo.pkl", Network(nobody)).read_bytes()) as web:
            yield web

    @pytest.fixture
    def fake(self, monkeypatch: pytest.MonkeyPatch, web: Web) -> Fake:
        """Its zoo is the local server; the name that it gives its file says how the content begins, as MD5."""
        digits = hashlib.md5(web.content).hexdigest()[:6]
        zoo = lambda name: f"{web.address}/{name}/1/model_final_{digits}.pkl"  # noqa: E731
        return Fake(lambda image: person(4, 4), zoo).install(monkeypatch)

    @staticmethod
    def _save(path: Path, network: Network, **more: Any) -> Path:
        """The tensors of ``network`` as the zoo (.pkl) or Detectron2's training (.pth) write them."""
        tensors = network.state_dict() | more
        if path.suffix == ".pkl":
            arrays = {name: np.asarray(tensor) for name, tensor in tensors.items()}
            path.write_bytes(pickle.dumps({"model": arrays, "__author__": "Detectron2 Model Zoo"}))
        else:
            torch.save({"model": tensors, "iteration": 7}, path)
        return path

    @pytest.mark.parametrize(("backbone", "depth"), [("R50-FPN", "R_50"), ("R101-FPN", "R_101")])
    def test_the_zoos_networks_with_the_zoos_weights(self, fake: Fake, web: Web, backbone: str, depth: str) -> None:
        detector = Detectron2.load(backbone, settings=Detectron2Settings(person_threshold=0.3, short_side=8))
        (config,) = fake.configs
        assert config.file == f"/zoo/COCO-Keypoints/keypoint_rcnn_{depth}_FPN_3x.yaml"
        assert (config.MODEL.DEVICE, config.MODEL.ROI_HEADS.SCORE_THRESH_TEST) == ("cpu", 0.3)
        assert [path.partition("/1/")[0] for path in web.paths] == [f"/x/COCO-Keypoints/keypoint_rcnn_{depth}_FPN_3x"]
        assert detector.skeleton == COCO17
        assert [len(people) for people in detector.detect(blank(2))] == [1, 1]

    @pytest.mark.parametrize("name", ["own.pkl", "own.pth"])
    def test_weights_of_ones_own(self, fake: Fake, web: Web, tmp_path: Path, name: str) -> None:
        trained = Network(nobody)
        model = keypoint_rcnn.load(weights=self._save(tmp_path / name, trained))
        assert not web.asked
        for ours, theirs in zip(model.state_dict().values(), trained.state_dict().values(), strict=True):
            torch.testing.assert_close(ours, theirs, rtol=0, atol=0)

    @pytest.mark.parametrize("name", ["own.pkl", "own.pth"])
    def test_weights_of_another_network_are_refused_in_one_message(
        self, fake: Fake, tmp_path: Path, name: str, caplog: pytest.LogCaptureFixture
    ) -> None:
        file = self._save(tmp_path / name, Network(nobody), **{"backbone.bias": torch.zeros(5)})
        with pytest.raises(WeightsError, match=r"own.* does not fit this network: backbone\.bias and 0 other"):
            Detectron2.load(weights=file)
        assert not caplog.records

    @pytest.mark.parametrize("name", ["text.pkl", "text.pth"])
    def test_files_that_hold_no_weights_are_refused(self, fake: Fake, tmp_path: Path, name: str) -> None:
        (tmp_path / name).write_text("not weights")
        with pytest.raises(WeightsError, match=f"{name}"):
            Detectron2.load(weights=tmp_path / name)

    def test_a_pickle_that_runs_code_is_refused_before_it_runs(self, fake: Fake, tmp_path: Path) -> None:
        trap = {"model": {"backbone.bias": Trap(tmp_path / "sprung")}}
        (tmp_path / "trap.pkl").write_bytes(pickle.dumps(trap))
        torch.save(trap, tmp_path / "trap.pth")
        for name, says in (("trap.pkl", "would run .*Do not use"), ("trap.pth", "refers to .*Do not trust")):
            with pytest.raises(WeightsError, match=f"{name} {says} this file"):
                Detectron2.load(weights=tmp_path / name)
        assert not (tmp_path / "sprung").exists()

    def test_missing_file(self, fake: Fake, tmp_path: Path) -> None:
        with pytest.raises(WeightsError, match=r"no weights at .*gone\.pkl"):
            Detectron2.load(weights=tmp_path / "gone.pkl")

    @pytest.mark.parametrize("poison", ["trap", "nan"])
    def test_the_zoos_own_weights_are_not_trusted_either(
        self, fake: Fake, web: Web, tmp_path: Path, poison: str
    ) -> None:
        if poison == "trap":
            web.content = pickle.dumps({"model": {"backbone.bias": Trap(tmp_path / "sprung")}})
        else:
            bias = {"backbone.bias": torch.full((4,), torch.nan)}
            web.content = self._save(tmp_path / "nan.pkl", Network(nobody), **bias).read_bytes()
        digits = hashlib.md5(web.content).hexdigest()[:6]
        fake.zoo = lambda name: f"{web.address}/{name}/model_final_{digits}.pkl"
        with pytest.raises(
            WeightsError, match="Do not use this file" if poison == "trap" else "backbone.bias .* hold NaN"
        ):
            Detectron2.load()
        assert not (tmp_path / "sprung").exists()

    def test_the_zoos_weights_are_fetched_once_and_checked_each_time(
        self, fake: Fake, web: Web, tmp_path: Path
    ) -> None:
        Detectron2.load()
        Detectron2.load()
        assert len(web.asked) == 1
        (file,) = (tmp_path / "cache").iterdir()
        file.write_bytes(file.read_bytes()[:-1])
        Detectron2.load()
        assert len(web.asked) == 2
        assert file.read_bytes() == web.content

    @pytest.mark.parametrize("content", [b"x", b""], ids=["other", "empty"])
    def test_a_damaged_download_is_deleted(self, fake: Fake, web: Web, tmp_path: Path, content: bytes) -> None:
        web.content = content
        with pytest.raises(WeightsError, match=r"damaged: its MD5 does not begin with .*--detector-weights FILE"):
            Detectron2.load()
        assert list((tmp_path / "cache").iterdir()) == []

    def test_no_more_than_the_networks_size_twice_is_downloaded(self, fake: Fake, web: Web, tmp_path: Path) -> None:
        size = sum(tensor.nbytes for tensor in Network(nobody).state_dict().values())
        web.content = bytes(2 * size + 1)
        with pytest.raises(WeightsError, match=f"more than {2 * size} bytes"):
            Detectron2.load()
        assert list((tmp_path / "cache").iterdir()) == []

    def test_a_failed_download_says_what_to_fetch(self, fake: Fake, web: Web) -> None:
        web.answer = cut_after(0)
        with pytest.raises(WeightsError, match=rf"broke off.*Or fetch {web.address}.*--detector-weights FILE"):
            Detectron2.load()

    def test_an_address_without_a_checksum_is_not_fetched(self, fake: Fake, web: Web) -> None:
        fake.zoo = lambda name: f"{web.address}/{name}.pkl"
        with pytest.raises(WeightsError, match="holds no checksum"):
            Detectron2.load()
        assert not web.asked

    def test_unknown_backbone(self, fake: Fake) -> None:
        with pytest.raises(SettingsError, match="Known: R50-FPN, R101-FPN"):
            Detectron2.load("X101-FPN")

    def test_a_gpu_that_is_not_there(self, fake: Fake, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
        with pytest.raises(DetectorError, match="no CUDA device"):
            Detectron2.load(device="cuda")


class TestImport:
    def test_installed_does_not_import(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setitem(sys.modules, "detectron2", None)
        assert not installed()
        Fake(nobody).install(monkeypatch)
        assert installed()

    def test_without_it_the_error_says_how_to_install_it(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setitem(sys.modules, "detectron2", None)
        with pytest.raises(DetectorError) as error:
            Detectron2.load()
        for words in (
            'pip install "setuptools<81"',
            "pip install torchvision==0.28.0 --index-url https://download.pytorch.org/whl/cpu",
            "--no-build-isolation",
        ):
            assert words in str(error.value)

    def test_the_versions_are_those_of_the_image(self) -> None:
        root = Path(__file__).parents[3]
        (commit,) = (line for line in (root / "Dockerfile").read_text().splitlines() if "ARG DETECTRON2=" in line)
        assert f"detectron2@{commit.partition('=')[2]}" in keypoint_rcnn.INSTALL
        assert (root / "requirements" / "torchvision.lock").read_text() == "torchvision==0.28.0\n"

    def test_compiled_for_another_torch(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def broken(name: str) -> Any:
            raise RuntimeError("operator torchvision::nms does not exist")

        fake = Fake(nobody).install(monkeypatch)
        assert fake
        module = sys.modules["detectron2.modeling"]
        monkeypatch.delattr(module, "build_model")
        monkeypatch.setattr(module, "__getattr__", broken, raising=False)
        with pytest.raises(DetectorError, match=r"nms does not exist\)[\s\S]*pip install"):
            keypoint_rcnn.build()


def test_the_real_one_finds_finite_people_alike_alone_and_in_a_batch() -> None:
    network = random_network()
    generator = np.random.default_rng(0)
    frames = [Frame(k, Fraction(k), generator.integers(0, 255, (60, 90, 3), np.uint8)) for k in range(3)]
    settings = Detectron2Settings(person_threshold=0.1, short_side=64, batch=2)
    together = list(Detectron2(network, settings).detect(frames))
    assert [people.frame for people in together] == [0, 1, 2]
    for frame, people in zip(frames, together, strict=True):
        assert 0 < len(people) <= 100
        assert np.isfinite(people.points).all() and (people.boxes[:, 2:] > people.boxes[:, :2]).all()
        assert (people.boxes >= 0).all() and (people.boxes <= [90, 60, 90, 60]).all()
        (alone,) = Detectron2(network, settings).detect([frame])
        np.testing.assert_allclose(alone.boxes[0], people.boxes[0], atol=0.1)
        np.testing.assert_allclose(alone.points[0], people.points[0], atol=2)
