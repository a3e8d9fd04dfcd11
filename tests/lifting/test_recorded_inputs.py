"""Training resumes, and specialists are reused, only with the inputs they were trained from."""

import os
import shutil
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest
import torch
from lightning_fabric import Fabric

from kinelift.lifting.datasets import dataset_split
from kinelift.lifting.datasets.sequences import Sequence, SequenceBank
from kinelift.lifting.network import LifterNetwork
from kinelift.lifting.synthesis.bank import MOCAP, MotionBank
from kinelift.lifting.training.inputs import run_of
from kinelift.lifting.training.presets import PRESETS, Bai
from kinelift.lifting.training.specialists import train_all
from kinelift.poses.errors import ResumeError
from tests.lifting.conftest import Lifting
from tests.lifting.recordings import bank

TINY = ["--preset", "humaneva", "--channels", "16", "--batch", "64", "--epochs", "1", "--accelerator", "cpu"]
RUN = [*TINY, "--precision", "32-true", "--data-terms", "mine"]
PEOPLE = bank("Train/S1", "Train/S2", "Validate/S1", actions=("Walking 1", "Box 1"))
FABRIC = Fabric(accelerator="cpu", devices=1)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with data and nothing else."""
    path = tmp_path_factory.mktemp("folder")
    PEOPLE.save(path / "data.npz")
    bank("S7", labelled=False).save(path / "more.npz")
    return path


@pytest.fixture
def out(lifting: Lifting, folder: Path, tmp_path: Path) -> Path:
    """A copy of the data with a finished run, and a network of the same shape to start from."""
    if not (folder / "net.state").exists():
        for name in ("net", "start"):
            lifting("train", folder / "data.npz", "-o", folder / f"{name}.safetensors", *RUN)
    return Path(shutil.copytree(folder, tmp_path / "folder"))


def changed(which: int, **values: object) -> Callable[[SequenceBank], SequenceBank]:
    """A function that changes fields of one sequence of a bank."""

    def change(data: SequenceBank) -> SequenceBank:
        sequences = list(data.sequences)
        sequences[which] = replace(sequences[which], **values)  # type: ignore[arg-type]
        return SequenceBank(tuple(sequences))

    return change


def shifted(one: Sequence, name: str) -> np.ndarray:
    array = getattr(one, name).copy()
    array[30, 5, 0] += 1.0
    return array


FIRST, LAST = PEOPLE.sequences[0], PEOPLE.sequences[-1]
DATA: dict[str, tuple[Callable[[SequenceBank], SequenceBank], str]] = {
    "keypoints": (changed(0, keypoints=shifted(FIRST, "keypoints")), "training data: other content"),
    "truth": (changed(0, truth=shifted(FIRST, "truth")), "training data: other content"),
    "camera": (changed(0, camera=replace(FIRST.camera, focal=501.0)), "training data: other content"),
    "action": (changed(0, action="Jog 1"), "training data: other content"),
    "subject": (changed(0, subject="Train/S3"), "training data: other content"),
    "validation": (changed(-1, truth=shifted(LAST, "truth")), "validation data: other content"),
    "fewer": (lambda data: SequenceBank(data.sequences[1:]), "training data.clips was 4, now 3"),
    "order": (lambda data: SequenceBank(data.sequences[::-1]), "training data: other content"),
}


@pytest.mark.parametrize("what", DATA)
def test_resuming_with_other_data_is_rejected(lifting: Lifting, out: Path, what: str) -> None:
    change, expected = DATA[what]
    change(PEOPLE).save(out / "data.npz")
    before = (out / "net.safetensors").read_bytes()
    message = lifting.fails("train", out / "data.npz", "-o", out / "net.safetensors", *RUN)
    assert expected in message and "net.state" in message and "Delete" in message and "-o" in message
    assert (out / "net.safetensors").read_bytes() == before
    (out / "net.state").unlink()
    lifting("train", out / "data.npz", "-o", out / "net.safetensors", *RUN)


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["--learning-rate", "0.002"], "learning_rate was 0.001, now 0.002"),
        (["--seed", "1"], "seed was 0, now 1"),
        (["--loss.velocity", "1", "--span", "2"], "loss.velocity was 0.0, now 1.0"),
        (["--actions", "Walking"], "actions was none, now Walking"),
        (["--precision", "bf16-mixed"], "precision was 32-true, now bf16-mixed"),
        (["--data-terms", "CC BY"], "data_terms was mine, now CC BY"),
        (["--unlabelled", "more.npz", "--trajectory", "1"], "unlabelled data.clips was none, now 1"),
        (["--start", "start.safetensors"], "start.sha256 was none, now"),
        (["--extra-datasets", "sfu"], "extra_datasets was none, now sfu"),
    ],
)
def test_resuming_with_other_settings_is_rejected(
    lifting: Lifting, out: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], expected: str
) -> None:
    monkeypatch.chdir(out)
    assert expected in lifting.fails("train", "data.npz", "-o", "net.safetensors", *RUN, *arguments)


def test_resuming_from_another_checkpoint_is_rejected(
    lifting: Lifting, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(out)
    command = ["train", "data.npz", "-o", "on.safetensors", *RUN, "--start", "start.safetensors"]
    lifting(*command)
    lifting(*command)
    replace(LifterNetwork.load(out / "start.safetensors"), about={}).save(out / "start.safetensors")
    assert "start: other content" in lifting.fails(*command)
    (out / "start.safetensors").unlink()
    assert "No checkpoint at start.safetensors" in lifting.fails(*command)


def test_unchanged_inputs_resume_and_are_recorded_in_the_checkpoint(lifting: Lifting, out: Path, folder: Path) -> None:
    shutil.move(out / "data.npz", out / "elsewhere.npz")
    run = ["train", out / "elsewhere.npz", "-o", out / "net.safetensors", *RUN]
    lifting(*run)
    before, after = (LifterNetwork.load(path / "net.safetensors") for path in (folder, out))
    assert all(torch.equal(tensor, after.net.state_dict()[name]) for name, tensor in before.net.state_dict().items())
    assert after.about["inputs"]["training data"] == {
        "clips": 4, "frames": 240, "sha256": before.about["inputs"]["training data"]["sha256"]
    }  # fmt: skip
    settings = after.about["settings"]
    assert (settings["precision"], settings["data_terms"], settings["amsgrad"]) == ("32-true", "mine", True)
    lifting(*run, "--epochs", "2")
    assert len((out / "net.jsonl").read_text().splitlines()) == 2
    assert "epochs was 2, now 1" in lifting.fails(*run)


def test_the_order_of_actions_does_not_matter(lifting: Lifting, folder: Path, tmp_path: Path) -> None:
    run = ["train", folder / "data.npz", "-o", tmp_path / "net.safetensors", *RUN, "--actions"]
    lifting(*run, "Walking", "Box")
    lifting(*run, "Box", "Walking")
    assert "actions was Box, Walking, now Box" in lifting.fails(*run, "Box")


def motion(**changes: object) -> MotionBank:
    """Two clips of motion capture."""
    points = torch.linspace(-1, 1, 40 * len(MOCAP) * 3).reshape(40, len(MOCAP), 3)
    two = MotionBank(
        points,
        torch.tensor([0, 15]),
        torch.tensor([15, 25]),
        torch.tensor([30.0, 60.0]),
        ("a", "b"),
        ("1", "2"),
        ("", ""),
    )
    return replace(two, **changes)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "changes",
    [
        {"points": motion().points + torch.eye(40)[:, : len(MOCAP), None] * 1e-3},
        {"rates": torch.tensor([30.0, 30.0])},
        {"names": ("a", "c")},
        {"subjects": ("1", "1")},
        {"actions": ("", "walk")},
        {"lengths": torch.tensor([15, 24])},
        {"starts": torch.tensor([0, 14])},
    ],
)
def test_every_field_of_motion_capture_is_recorded(changes: dict[str, object]) -> None:
    first, second = (run_of(PRESETS["kinelift"](), data, motion(), FABRIC) for data in (motion(), motion(**changes)))
    assert "training data: other content" in second.differences(first.facts())


def test_unused_motion_capture_is_not_recorded() -> None:
    """The fingerprint covers the clips that are used, wherever they are in the file."""
    one = motion().with_subjects(("2",))
    alone = replace(one, points=one.clip(0), starts=torch.tensor([0]))
    first, second = (run_of(PRESETS["kinelift"](), data, motion(), FABRIC) for data in (one, alone))
    assert not second.differences(first.facts())


def test_every_setting_is_recorded() -> None:
    for preset in PRESETS.values():
        settings = replace(preset(), precision="32-true")  # FABRIC's, which is what counts
        recorded = run_of(settings, PEOPLE, PEOPLE, FABRIC)
        assert asdict(settings).items() <= recorded.settings.items()


SETTINGS = replace(Bai(), channels=24, epochs=1, batch=40)
ACTIONS = {"Walking": "walk", "Box": "punch"}


def test_interrupted_specialists_reuse_complete_checkpoints(tmp_path: Path) -> None:
    split = dataset_split.split(PEOPLE)
    whole = list(train_all(SETTINGS, split, ACTIONS, tmp_path, FABRIC))
    (tmp_path / "2-punch.safetensors").unlink()
    os.utime(tmp_path / "1-walk.safetensors", (0, 0))
    assert list(train_all(SETTINGS, split, ACTIONS, tmp_path, FABRIC)) == whole
    assert (tmp_path / "1-walk.safetensors").stat().st_mtime == 0, "trained once"


@pytest.mark.parametrize(
    ("settings", "data", "expected"),
    [
        (replace(SETTINGS, learning_rate=0.5), PEOPLE, "learning_rate was"),
        (SETTINGS, changed(1, truth=shifted(PEOPLE.sequences[1], "truth"))(PEOPLE), "training data: other content"),
    ],
)
def test_specialists_from_other_inputs_are_rejected(
    settings: Bai, data: SequenceBank, expected: str, tmp_path: Path
) -> None:
    list(train_all(SETTINGS, dataset_split.split(PEOPLE), ACTIONS, tmp_path, FABRIC))
    with pytest.raises(ResumeError, match=r"generalist\.safetensors") as caught:
        list(train_all(settings, dataset_split.split(data), ACTIONS, tmp_path, FABRIC))
    assert expected in str(caught.value)


def test_specialists_of_an_earlier_version_are_rejected(tmp_path: Path) -> None:
    split = dataset_split.split(PEOPLE)
    list(train_all(SETTINGS, split, ACTIONS, tmp_path, FABRIC))
    network = LifterNetwork.load(tmp_path / "generalist.safetensors")
    replace(network, about={"settings": network.about["settings"]}).save(tmp_path / "generalist.safetensors")
    with pytest.raises(ResumeError, match="does not record its inputs"):
        list(train_all(SETTINGS, split, ACTIONS, tmp_path, FABRIC))
