"""What a run records of its inputs, and what of an earlier run it takes."""

import json
import zipfile
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

import kinelift
from kinelift.poses.errors import ResumeError, WeightsError
from kinelift.weights.run import Run, fingerprint, load_state, restoring, save_state

RUN = Run(
    {"labels": ["walk", "wave"], "clips": {"clips": 2, "sha256": "ab"}, "start": None},
    {"epochs": 5, "loss": {"angle": 0.1}, "widths": (3, 3), "actions": []},
    "0.3.1",
)
OTHERS = {
    "labels was walk, wave, now wave, walk": replace(RUN, inputs={**RUN.inputs, "labels": ["wave", "walk"]}),
    "clips: other content": replace(RUN, inputs={**RUN.inputs, "clips": {"clips": 2, "sha256": "cd"}}),
    "start.sha256 was none, now ef": replace(RUN, inputs={**RUN.inputs, "start": {"sha256": "ef"}}),
    "loss.angle was 0.1, now 0.2": replace(RUN, settings={**RUN.settings, "loss": {"angle": 0.2}}),
    "widths was 3, 3, now 3": replace(RUN, settings={**RUN.settings, "widths": (3,)}),
    "actions was none, now walk": replace(RUN, settings={**RUN.settings, "actions": ["walk"]}),
    "epochs was 5, now 4": replace(RUN, settings={**RUN.settings, "epochs": 4}),
    "the program's version was 0.3.1, now 0.4.0": replace(RUN, version="0.4.0"),
}


@pytest.fixture
def state(tmp_path: Path) -> Path:
    save_state(tmp_path / "x.state", {"epoch": 3, "net": {"w": torch.ones(2)}}, RUN)
    return tmp_path / "x.state"


def test_a_state_comes_back_to_its_own_run(state: Path) -> None:
    assert load_state(state, RUN)["net"]["w"].tolist() == [1, 1]
    assert set(load_state(state, RUN)) == {"epoch", "net"}


@pytest.mark.parametrize("said", OTHERS)
def test_a_state_of_other_inputs_is_refused_with_what_differs(state: Path, said: str) -> None:
    with pytest.raises(ResumeError) as caught:
        load_state(state, OTHERS[said])
    assert said in str(caught.value)
    assert f"Delete {state} to start again, or choose another output with -o." in str(caught.value)
    assert sum(each in str(caught.value) for each in OTHERS) == 1, "nothing else differs"


def test_a_run_may_go_on_for_longer_and_with_a_patch(state: Path) -> None:
    longer = replace(RUN, settings={**RUN.settings, "epochs": 9}, version="0.3.7")
    assert load_state(state, longer)["epoch"] == 3
    assert longer.differences(RUN.facts()) == ["epochs was 5, now 9"], "but a measurement is of exactly one run"


def test_many_differences_are_counted(tmp_path: Path) -> None:
    save_state(tmp_path / "x.state", {}, Run({}, {f"s{k}": 0 for k in range(12)}))
    with pytest.raises(ResumeError, match=r"s7 was 0, now 1; and 4 more\. Delete"):
        load_state(tmp_path / "x.state", Run({}, {f"s{k}": 1 for k in range(12)}))


def test_what_an_earlier_version_wrote_is_refused(tmp_path: Path) -> None:
    torch.save({"epoch": 3, "net": {}}, tmp_path / "old.state")
    with pytest.raises(ResumeError, match=r"old\.state does not record its inputs: .* Delete .*old\.state"):
        load_state(tmp_path / "old.state", RUN)


@pytest.mark.parametrize("held", [{"x": Path("/")}, [1, 2]])
def test_anything_else_is_no_state_and_is_not_executed(tmp_path: Path, held: object) -> None:
    torch.save(held, tmp_path / "hostile")
    with pytest.raises(WeightsError, match="not the state"):
        load_state(tmp_path / "hostile", RUN)
    (tmp_path / "text").write_text("hello")
    with pytest.raises(WeightsError, match="not the state"):
        load_state(tmp_path / "text", RUN)


def test_facts_are_json(state: Path) -> None:
    assert json.loads(json.dumps(RUN.facts())) == RUN.facts()
    assert RUN.differences(RUN.facts()) == []
    assert json.loads(torch.load(state, weights_only=True)["run"]) == RUN.facts(), "readable without this class"
    assert Run({}, {}).version == kinelift.__version__


@dataclass(frozen=True)
class Pair:
    a: object
    b: object


DIFFERENT = [
    None, "", "None", 0, 1, 1.0, True, [], [[]], ["ab"], ["a", "b"], [["a"], "b"], {"a": 1}, {"b": 1},
    Pair(1, 2), Pair(2, 1),
    np.zeros(0), np.zeros(2), np.zeros(2, np.float32), np.zeros((2, 1)), np.ones(2), np.zeros((0, 3)),
    np.array(["ab", "c"]), np.array(["a", "bc"]), np.array(1.0), float("inf"),
]  # fmt: skip


def test_different_values_have_different_fingerprints() -> None:
    assert len({fingerprint(value) for value in DIFFERENT}) == len(DIFFERENT)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"a": 1, "b": 2}, {"b": 2, "a": 1}),
        (np.arange(12.0).reshape(3, 4).T, np.ascontiguousarray(np.arange(12.0).reshape(3, 4).T)),
        (torch.arange(3.0), np.arange(3.0, dtype=np.float32)),
        (np.float64(0.5), 0.5),
        (np.array([np.nan, 1.0]), np.array([np.nan, 1.0])),
        (iter(["a", "b"]), ["a", "b"]),
    ],
)
def test_equal_contents_have_equal_fingerprints(one: object, other: object) -> None:
    assert fingerprint(one) == fingerprint(other)


@given(values=st.lists(st.floats(allow_nan=False), min_size=1, max_size=8), place=st.integers(0, 7))
def test_every_number_counts(values: list[float], place: int) -> None:
    changed = np.array(values)
    changed[place % len(values)] = np.nextafter(changed[place % len(values)], 1.0)
    assert (fingerprint(changed) == fingerprint(np.array(values))) == (changed == values).all()


def test_what_has_no_contents_has_no_fingerprint() -> None:
    with pytest.raises(TypeError, match="object"):
        fingerprint(object())


def test_a_state_that_was_packed_again_is_refused(state: Path) -> None:
    with zipfile.ZipFile(state) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(state, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    with pytest.raises(WeightsError, match="torch did not write this"):
        load_state(state, RUN)


@pytest.mark.parametrize("seed", range(60))
def test_a_damaged_state_is_refused_or_read(state: Path, seed: int) -> None:
    random = Random(seed)
    content = bytearray(state.read_bytes())
    for _ in range(random.randrange(1, 20)):
        content[random.randrange(len(content))] = random.randrange(256)
    state.write_bytes(content)
    with suppress(WeightsError, ResumeError), restoring(state):
        load_state(state, RUN)["net"]["w"].sum()


def test_what_a_state_lacks_is_told(state: Path) -> None:
    with (
        pytest.raises(WeightsError, match=r"does not hold the state of this run \(KeyError: 'optimizer'\)"),
        restoring(state),
    ):
        load_state(state, RUN)["optimizer"]
