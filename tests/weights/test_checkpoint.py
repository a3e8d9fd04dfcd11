from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from kinelift.poses.errors import WeightsError
from kinelift.weights.checkpoint import Checkpoint, load, save

WHOLE = Checkpoint(
    "net", {"widths": [3, 3], "about": {"data": "Größe"}}, {"a": torch.randn(3, 4), "n": torch.tensor(7)}
)


@pytest.mark.parametrize("half", [False, True])
def test_round_trip(tmp_path: Path, half: bool) -> None:
    path = tmp_path / "x.safetensors"
    save(path, WHOLE, half=half)
    read = load(path)
    assert (read.kind, read.description) == (WHOLE.kind, WHOLE.description)
    assert read.tensors["a"].dtype == torch.float32
    torch.testing.assert_close(read.tensors["a"], WHOLE.tensors["a"], atol=2e-3 if half else 0, rtol=0)
    assert read.tensors["n"] == 7
    assert [p.name for p in tmp_path.iterdir()] == ["x.safetensors"]
    assert path.stat().st_mode & 0o044  # others may read what an installation holds


def test_what_is_no_checkpoint_is_refused(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="No checkpoint at"):
        load(tmp_path / "none.safetensors")
    (tmp_path / "text").write_text("hello, this is no checkpoint")
    with pytest.raises(WeightsError, match="not a Kinelift checkpoint"):
        load(tmp_path / "text")
    save_file({"a": torch.zeros(1)}, tmp_path / "foreign")
    with pytest.raises(WeightsError, match="header"):
        load(tmp_path / "foreign")
    save_file({"a": torch.zeros(1)}, tmp_path / "future", metadata={"kinelift": '{"format": 99}'})
    with pytest.raises(WeightsError, match="format 99"):
        load(tmp_path / "future")
    save(tmp_path / "cut", WHOLE)
    (tmp_path / "cut").write_bytes((tmp_path / "cut").read_bytes()[:-9])
    with pytest.raises(WeightsError, match="not a Kinelift checkpoint"):
        load(tmp_path / "cut")
