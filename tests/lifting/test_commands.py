"""The commands on recorded sequences, from files in the shared layout to a measured checkpoint."""

import json
from pathlib import Path

import numpy as np
import pytest

from kinelift.lifting.datasets.sequences import SequenceBank
from kinelift.lifting.lifter import Lifter
from kinelift.poses import COCO17
from tests.lifting.conftest import Lifting
from tests.lifting.recordings import bank

RUN = ["--channels", "16", "--batch", "64", "--accelerator", "cpu", "--precision", "32-true"]


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("data") / "sequences.npz"
    bank("Train/S1", "Train/S2", "Validate/S1", actions=("Walking 1", "Box 1")).save(path)
    return path


def test_a_preset_is_trained_and_evaluated(lifting: Lifting, data: Path, tmp_path: Path) -> None:
    out, more = tmp_path / "net.safetensors", tmp_path / "more.npz"
    bank("S7", labelled=False).save(more)
    chosen = [
        "--preset",
        "humaneva",
        "--epochs",
        "2",
        "--actions",
        "Walking",
        "--unlabelled",
        more,
        "--trajectory",
        "1",
    ]
    lifting("train", data, "-o", out, *chosen, *RUN)
    network = Lifter.load(out).network
    assert (network.normalisation, network.rate, network.net.config.dropout) == ("picture", 50.0, 0.25)
    assert network.trajectory is not None
    about = network.about
    assert (about["preset"], about["actions"], about["settings"]["amsgrad"]) == ("humaneva", ["Walking"], True)
    records = [json.loads(line) for line in out.with_suffix(".jsonl").read_text().splitlines()]
    assert "train_reprojection" in records[1]
    assert out.with_suffix(".png").read_bytes().startswith(b"\x89PNG")
    output = lifting("evaluate", data, out, "-o", tmp_path / "e.json", "--figure", tmp_path / "e.png")
    assert "recorded keypoints, MPJPE / P-MPJPE" in output and "| Box |" in output
    figures = json.loads((tmp_path / "e.json").read_text())
    assert figures["recorded keypoints"]["overall"]["frames"] == 120
    assert (tmp_path / "e.png").read_bytes().startswith(b"\x89PNG")


def test_specialists_are_trained_and_compared(lifting: Lifting, data: Path, tmp_path: Path) -> None:
    output = lifting("specialists", data, "-o", tmp_path / "s", "--epochs", "1", "--actions", "Walking", "walk", *RUN)
    assert "| Walking | " in output and "mean over actions" in output
    assert {p.name for p in (tmp_path / "s").iterdir()} == {
        *(f"{name}.{end}" for name in ("generalist", "1-walk") for end in ("safetensors", "jsonl", "png")),
        "specialists.json",
    }


def test_shared_files_are_converted(lifting: Lifting, tmp_path: Path) -> None:
    metadata = {"layout_name": "coco", "num_joints": 17, "keypoints_symmetry": [list(COCO17.left), list(COCO17.right)],
                "video_metadata": {"clip.mp4": {"w": 640, "h": 480}}}  # fmt: skip
    points = {"clip.mp4": {"custom": [np.random.default_rng(0).uniform(0, 400, (30, 17, 2))]}}
    np.savez(tmp_path / "data_2d_custom_mine.npz", positions_2d=points, metadata=metadata)  # type: ignore[arg-type]
    lifting("convert", tmp_path / "data_2d_custom_mine.npz", "-o", tmp_path / "mine.npz", "--rate", "30")
    converted = SequenceBank.load(tmp_path / "mine.npz")
    assert (converted.frames, converted.source.name, converted.sequences[0].truth) == (30, "coco17", None)


@pytest.mark.parametrize(
    ("args", "expected"),
    [
        (["convert", "none.npz", "-o", "x.npz"], "none.npz"),
        (["convert", "a", "-o", "x.npz", "--layout", "human36m"], "Paths given: 1"),
        (["train", "none.npz", "-o", "x.safetensors"], "none.npz"),
        (["train", "DATA", "-o", "x.safetensors", "--actions", "Jump"], "Jump"),
        (["train", "DATA", "-o", "x.safetensors", "--loss.motion", "1"], "--span 25"),
        (["train", "DATA", "-o", "x.safetensors", "--preset", "gupta", "--span", "1"], "--span 3"),
        (["train", "DATA", "-o", "x.safetensors", "--preset", "nobody"], "nobody"),
        (["specialists", "DATA", "-o", "s", "--actions", "Jump", "jump"], "Jump"),
    ],
)
def test_errors_are_one_line(lifting: Lifting, data: Path, tmp_path: Path, args: list[str], expected: str) -> None:
    args = [str(data) if a == "DATA" else a for a in args]
    args = [str(tmp_path / a) if a in ("x.npz", "x.safetensors", "s") else a for a in args]
    assert expected in lifting.fails(*args)
    assert not (tmp_path / "x.safetensors").exists() and not (tmp_path / "x.npz").exists()


@pytest.mark.parametrize(
    ("command", "name"),
    [
        ("prepare FOLDER", "05/05_01.amc"),
        ("prepare FOLDER", "05/05.ASF"),
        ("convert FOLDER --layout tracks", "walk_000000000001_keypoints.json"),
        ("convert FOLDER --layout tracks", "labels/walk_1.txt"),
        ("convert FOLDER cameras.xml --layout human36m", "S1/MyPoseFeatures/D3_Positions/Walking.cdf"),
        ("convert FOLDER --layout mpi3dhp-train", "S1/Seq1/annot.mat"),
    ],
)
def test_no_output_replaces_a_file_of_a_folder(lifting: Lifting, tmp_path: Path, command: str, name: str) -> None:
    source = tmp_path / "data" / name
    source.parent.mkdir(parents=True)
    source.write_text("recorded")
    args = [str(tmp_path / "data") if word == "FOLDER" else word for word in command.split()]
    assert f"{source.name} is the source and would be overwritten" in lifting.fails(*args, "-o", source)
    assert source.read_text() == "recorded"
