"""Published files: read in every form, never run, and turned into checkpoints only if they fit."""

import os
import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from kinelift.__main__ import main
from kinelift.poses.errors import DataError, WeightsError
from kinelift.weights import checkpoint
from kinelift.weights.published import Published, read, read_state
from kinelift.weights.videopose3d import ImportOptions
from kinelift.weights.videopose3d import convert as convert_weights
from tests.weights.bins import state, write


@pytest.mark.parametrize("zipped", [True, False])
@pytest.mark.parametrize("with_roots", [True, False])
def test_reads_both_forms(tmp_path: Path, zipped: bool, with_roots: bool) -> None:
    positions, roots = state(), state(answers=1) if with_roots else None
    held = read(write(tmp_path / "x.bin", positions, roots, zipped=zipped))
    assert held.epoch == 80
    torch.testing.assert_close(dict(held.positions), positions, rtol=0, atol=0)
    assert (held.trajectory is None) == (roots is None)
    torch.testing.assert_close(dict(held.trajectory or {}), roots or {}, rtol=0, atol=0)


class OldRandomState:
    """A random state as numpy up to 1.16 pickles it."""

    def __reduce__(self) -> tuple[Any, ...]:
        return getattr(np.random, "__RandomState_ctor"), (), ("MT19937", np.zeros(624, np.uint32), 624, 0, 0.0)


def test_reads_what_old_versions_of_numpy_wrote(tmp_path: Path) -> None:
    path = write(tmp_path / "x.bin", state(), zipped=False, random_state=OldRandomState())
    content = path.read_bytes()
    assert b"cnumpy._core.multiarray\n" in content and b"__RandomState_ctor" in content
    path.write_bytes(content.replace(b"cnumpy._core.multiarray\n", b"cnumpy.core.multiarray\n"))
    assert len(read(path).positions) == len(state())


class Calling:
    """Unpickling it calls a function."""

    def __init__(self, function: Any, *args: Any) -> None:
        self.call = function, args

    def __reduce__(self) -> tuple[Any, ...]:
        return self.call


@pytest.mark.parametrize("zipped", [True, False])
@pytest.mark.parametrize("key", ["random_state", "model_pos", "optimizer"])
@pytest.mark.parametrize("function", [os.mkdir, exec])
def test_nothing_in_a_file_is_run(tmp_path: Path, zipped: bool, key: str, function: Any) -> None:
    mark = tmp_path / "mark"
    argument = str(mark) if function is os.mkdir else f"import os; os.mkdir({str(mark)!r})"
    path = write(tmp_path / "x.bin", state(), zipped=zipped, **{key: Calling(function, argument)})
    torch.load(path, weights_only=False)
    assert mark.exists(), "the file is hostile"
    mark.rmdir()
    with pytest.raises(WeightsError, match=r"x\.bin refers to .*(mkdir|exec), which weights do not need"):
        read(path)
    assert not mark.exists()


@pytest.mark.filterwarnings("ignore:Detected pickle protocol")
@pytest.mark.parametrize("zipped", [True, False])
def test_damaged_files_are_refused_or_read(tmp_path: Path, zipped: bool) -> None:
    content = write(tmp_path / "x.bin", state(), zipped=zipped).read_bytes()
    chance, refused = random.Random(0), 0
    for _ in range(60):
        damaged = bytearray(content[: chance.choice([len(content), chance.randrange(len(content))])])
        for _ in range(min(len(damaged), 20)):
            damaged[chance.randrange(len(damaged))] = chance.randrange(256)
        (tmp_path / "x.bin").write_bytes(damaged)
        try:
            read(tmp_path / "x.bin")
        except WeightsError:
            refused += 1
    assert refused > 30


def test_what_is_no_published_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="No file"):
        read(tmp_path / "none.bin")
    (tmp_path / "text").write_text("hello, these are no weights")
    with pytest.raises(WeightsError, match=r"was not written by torch\.save"):
        read(tmp_path / "text")
    torch.save(state(), tmp_path / "bare")
    with pytest.raises(WeightsError, match="'model_pos'"):
        read(tmp_path / "bare")
    with pytest.raises(WeightsError, match="'model_traj'"):
        read(write(tmp_path / "x", state(), {"weight": 3}))


def convert(
    positions: dict[str, Any], trajectory: dict[str, Any] | None = None, **intent: Any
) -> checkpoint.Checkpoint:
    return convert_weights(Published(positions, trajectory, 80), ImportOptions(**intent), {"imported_from": "x.bin"})


@pytest.mark.parametrize(
    ("kernels", "widths", "layout"),
    [
        ((3, 3, 3), [3, 3, 3], "dilated"),
        ((3, 7, 19), [3, 3, 3], "dense"),
        ((5, 21), [5, 5], "dense"),
        ((3, 5), [3, 5], "dilated"),
        ((3,), [3], "dilated"),
        ((1, 1), [1, 1], "dilated"),
    ],
)
def test_architecture_is_read_off_the_shapes(kernels: tuple[int, ...], widths: list[int], layout: str) -> None:
    config = convert(state(kernels, channels=6)).description["config"]
    assert (config["widths"], config["layout"], config["channels"]) == (widths, layout, 6)
    assert (config["joints_in"], config["features_in"], config["joints_out"]) == (17, 2, 17)


def test_layouts_are_told_or_usual_and_noted() -> None:
    usual = convert(state()).description
    assert (usual["skeleton_in"], usual["skeleton_out"], usual["normalisation"]) == ("coco17", "h36m17", "picture")
    assert [note.partition(" ")[0] for note in usual["about"]["assumed"]] == ["17", "Whether"]
    told = convert(state(), skeleton_in="h36m17", causal=True, rate=25.0).description
    assert (told["skeleton_in"], told["rate"], told["config"]["causal"]) == ("h36m17", 25.0, True)
    assert told["about"]["assumed"] == []
    humaneva = convert(state(joints=15, answers=15)).description
    assert (humaneva["skeleton_in"], humaneva["skeleton_out"]) == ("humaneva15", "humaneva15")


def test_tensors_stay_exact_and_missing_counters_are_added() -> None:
    whole = state()
    old = {name: tensor for name, tensor in whole.items() if not name.endswith("num_batches_tracked")}
    made = convert(old, state(answers=1)).tensors
    assert {name for name in made if not name.startswith("trajectory.")} == set(whole)
    assert all(torch.equal(made[name], tensor) for name, tensor in old.items())
    assert f"trajectory.{next(iter(whole))}" in made


def without(name: str) -> dict[str, Any]:
    return {n: t for n, t in state().items() if n != name}


@pytest.mark.parametrize(
    ("positions", "trajectory", "intent", "says"),
    [
        (without("expand_conv.weight"), None, {}, "model_pos has no convolution expand_conv.weight"),
        (without("layers_bn.1.running_mean"), None, {}, "layers_bn.1.running_mean is missing"),
        ({**state(), "shrink.bias": torch.zeros(5)}, None, {}, r"shrink.bias is \(5,\), expected \(51,\)"),
        ({**state(), "attention.weight": torch.zeros(5)}, None, {}, "do not belong .*: attention.weight"),
        ({**state(), "expand_conv.weight": torch.zeros(4, 51, 3)}, None, {}, "takes 51 values"),
        (state((3, 4)), None, {}, "odd"),
        (state(joints=16), None, {}, "--skeleton-in"),
        (state(answers=14), None, {}, "--skeleton-out"),
        (state(), None, {"skeleton_in": "humaneva15"}, "humaneva15 has 15"),
        (state(), None, {"rate": 0.0}, "frame rate"),
        (state(), state(), {}, "not a trajectory network"),
        (state(), {"weight": torch.zeros(3)}, {}, "model_traj has no convolution"),
    ],
)
def test_what_does_not_fit_is_refused_by_name(positions: Any, trajectory: Any, intent: Any, says: str) -> None:
    with pytest.raises(WeightsError, match=says):
        convert(positions, trajectory, **intent)


def test_unknown_layouts_name_the_known() -> None:
    with pytest.raises(DataError, match="h36m17"):
        convert(state(), skeleton_in="centaur")


def test_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path, out = write(tmp_path / "x.bin", state((3, 3, 3))), tmp_path / "x.safetensors"
    assert main(["weights", "import", str(path), "-o", str(out)]) == 0
    said = capsys.readouterr().out
    assert "coco17 → h36m17, 27 frames at 50 Hz, 4 channels, dilated, no trajectory" in said
    assert "--skeleton-in h36m17" in said and "--causal" in said
    about = checkpoint.load(out).description["about"]
    assert (about["imported_from"], about["epoch"], len(about["sha256"])) == ("x.bin", 80, 64)
    told = ["--skeleton-in", "h36m17", "--causal", "--rate", "25"]
    assert main(["weights", "import", str(path), "-o", str(out), *told]) == 0
    assert capsys.readouterr().out.count("\n") == 1
    assert main(["weights", "import", str(tmp_path / "none"), "-o", str(out)]) == 1
    assert "No file" in capsys.readouterr().err
    assert main(["weights", "import", str(path), "-o", str(tmp_path / "nowhere" / "x.safetensors")]) == 1
    assert "cannot be written" in capsys.readouterr().err


@pytest.mark.parametrize("zipped", [True, False])
def test_reads_the_state_beside_that_of_a_training(tmp_path: Path, zipped: bool) -> None:
    net = torch.nn.Linear(3, 2)
    adam = torch.optim.Adam(net.parameters())
    schedule = torch.optim.lr_scheduler.MultiStepLR(adam, [100, 200])
    held = {"state_dict": net.state_dict(), "optimizer": adam.state_dict(), "scheduler": schedule.state_dict()}
    torch.save({**held, "iter": 370000}, tmp_path / "x.pth", _use_new_zipfile_serialization=zipped)
    torch.testing.assert_close(dict(read_state(tmp_path / "x.pth")), dict(net.state_dict()), rtol=0, atol=0)
    with pytest.raises(WeightsError, match="no tensors under 'iter'"):
        read_state(tmp_path / "x.pth", "iter")
    torch.save([1], tmp_path / "list.pth")
    with pytest.raises(WeightsError, match="no tensors under 'state_dict'"):
        read_state(tmp_path / "list.pth")
