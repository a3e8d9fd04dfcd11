from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Generator, Tensor

from kinelift.lifting.datasets.chunks import Chunks, ChunkSampler, Mirror
from kinelift.lifting.datasets.sequences import SequenceBank
from kinelift.lifting.losses.terms import reproject
from kinelift.lifting.training_batch import Framing
from kinelift.poses import COCO17, H36M17, Skeleton
from kinelift.poses.camera import Camera, Distortion
from kinelift.poses.errors import DataError
from tests.lifting.datasets.recordings import bank, sequence

FRAMINGS = st.builds(
    lambda window, first, span: Framing(window, 1, min(first, window - 1), span),
    st.integers(1, 9), st.integers(0, 8), st.integers(1, 4),
) | st.builds(lambda window: Framing(window, window, 0), st.integers(1, 9))  # fmt: skip


def labelled() -> SequenceBank:
    return bank().filter(lambda one: one.truth is not None)


def numbered(*lengths: int) -> SequenceBank:
    """Sequences whose keypoints all lie at x = number of the frame, y = number of the sequence."""
    every = []
    for k, length in enumerate(lengths):
        places = np.stack([np.arange(length), np.full(length, k)], -1).astype(np.float32)
        keypoints = np.broadcast_to(places[:, None], (length, 17, 2)).copy()
        truth = np.concatenate([keypoints, np.ones((length, 17, 1), np.float32)], -1)
        every.append(replace(sequence(length, camera=Camera(1.0, (0.0, 0.0))), keypoints=keypoints, truth=truth))
    return SequenceBank(tuple(every))


def generator(seed: int = 0) -> Generator:
    return Generator().manual_seed(seed)


def mirror(chunks: Chunks, source: Skeleton, target: Skeleton) -> Chunks:
    return Mirror.of(source, target)(chunks, torch.ones(len(chunks), dtype=torch.bool))


def answered(chunks: Chunks) -> list[tuple[int, int]]:
    """(sequence, frame) of every output frame of ``numbered`` sequences."""
    assert chunks.truth is not None
    return [(int(y), int(x)) for x, y in chunks.truth[:, :, 0, :2].reshape(-1, 2).tolist()]


@settings(max_examples=30)
@given(framing=FRAMINGS, seed=st.integers(0, 9))
def test_input_frames_surround_the_output_frames(framing: Framing, seed: int) -> None:
    lengths = (5, 1, 12)
    chunks = ChunkSampler.of(numbered(*lengths), framing).draw(20, generator(seed))
    assert chunks.keypoints.shape == (20, framing.window + framing.span - 1, 17, 2)
    assert chunks.truth is not None
    assert torch.equal(chunks.keypoints[:, framing.target_slice], chunks.truth[..., :2])
    for sample in chunks.keypoints[:, :, 0]:
        x, y = sample.T
        last = lengths[int(y[0])] - 1
        assert (y == y[0]).all()
        steps = x.diff()
        assert ((steps == 1) | (steps == 0) & ((x[1:] == 0) | (x[1:] == last))).all()


def test_every_frame_is_equally_likely() -> None:
    sampler = ChunkSampler.of(numbered(5, 1, 14), Framing(3, 1, 1))
    drawn = Counter(answered(sampler.draw(20000, generator())))
    assert set(drawn) == {(k, t) for k, length in enumerate((5, 1, 14)) for t in range(length)}
    assert np.abs(np.array([*drawn.values()]) / 1000 - 1).max() < 0.15


@settings(max_examples=30)
@given(framing=FRAMINGS, lengths=st.lists(st.integers(1, 20), min_size=1, max_size=4), count=st.integers(1, 30))
def test_an_epoch_outputs_every_frame(framing: Framing, lengths: list[int], count: int) -> None:
    sampler = ChunkSampler.of(numbered(*lengths), framing)
    batches = list(sampler.epoch(count, generator()))
    assert len(batches) == sampler.steps(count)
    assert sum(map(len, batches)) == len(sampler)
    answers = [one for batch in batches for one in answered(batch)]
    inner = [(k, t) for k, length in enumerate(lengths) for t in range(1, length - 1)]
    assert set(answers) == {(k, t) for k, length in enumerate(lengths) for t in range(length)}
    assert all(answers.count(one) == 1 for one in inner)  # edges may repeat
    if framing.targets == 1:
        assert len(answers) == sum(lengths)


def test_epochs_cut_sequences_at_varying_frames() -> None:
    sampler, source = ChunkSampler.of(numbered(14), Framing(4, 4, 0)), generator()
    firsts = [{one[1] for one in answered(chunks)[::4]} for _ in range(20) for chunks in sampler.epoch(9, source)]
    assert {min(first - {0}) for first in firsts} == {2, 3, 4}  # 16 frames are answered for, 14 exist


def test_an_epoch_outputs_every_frame_mirrored_too() -> None:
    whole = labelled()
    sampler = ChunkSampler.of(whole, Framing(3, 1, 1), mirrored=True)
    assert len(sampler) == 2 * whole.frames
    batches = list(sampler.epoch(8, generator()))
    truth = torch.cat([batch.truth for batch in batches if batch.truth is not None])[:, 0]
    swapped = truth[:, list(H36M17.mirror)] * torch.tensor([-1.0, 1.0, 1.0])
    distance = (truth[:, None] - swapped).flatten(2).norm(dim=-1) + torch.eye(len(truth))
    assert distance.min(1).values.max() < 1e-5
    other = next(sampler.epoch(8, generator(1)))
    assert not torch.equal(other.keypoints, batches[0].keypoints)


@settings(max_examples=8)
@given(
    centre=st.floats(250, 400), p1=st.floats(-0.01, 0.01), p2=st.floats(-0.01, 0.01), s1=st.floats(-0.01, 0.01),
    s3=st.floats(-0.01, 0.01),
)  # fmt: skip
def test_a_mirrored_chunk_is_seen_by_its_mirrored_camera(
    centre: float, p1: float, p2: float, s1: float, s3: float
) -> None:
    camera = Camera((760.0, 750.0), (centre, 230.0), Distortion(-0.2, 0.05, p1, p2, 0.01, s1, s3))
    sampler = ChunkSampler.of(SequenceBank((sequence(9, camera=camera),)), Framing(1, 1, 0))
    chunks = next(sampler.epoch(9, generator()))
    for one in (chunks, mirror(chunks, H36M17, H36M17)):
        assert one.truth is not None
        torch.testing.assert_close(reproject(one.truth, one.cameras), one.keypoints, atol=2e-3, rtol=1e-5)
        torch.testing.assert_close(one.truth[..., :2] / one.truth[..., 2:], one.rays, atol=1e-5, rtol=1e-5)
    twice = mirror(mirror(chunks, H36M17, H36M17), H36M17, H36M17)
    for name in ("keypoints", "rays", "seen", "truth", "cameras"):
        torch.testing.assert_close(getattr(twice, name), getattr(chunks, name), atol=1e-4, rtol=1e-6)


def test_a_mirrored_sampler_gives_a_chunk_or_its_mirror_image() -> None:
    plain = ChunkSampler.of(labelled(), Framing(5, 1, 2))
    both = replace(plain, mirrored=True)
    owner, place = torch.tensor([0, 1, 0, 2]), torch.tensor([3, 6, 19, 0])
    one, other = (sampler.cut(owner, place, torch.tensor([True, False, True, False])) for sampler in (plain, both))
    twin = mirror(one, H36M17, H36M17)
    for name, expected in vars(one).items():
        assert torch.equal(getattr(other, name), torch.cat([expected[1::2], getattr(twin, name)[::2]]))
    drawn = both.draw(2000, generator()).cameras[:, 7]
    assert 0.45 < (drawn < 0).float().mean() < 0.55


def test_invisible_keypoints_stay_invisible_when_mirrored() -> None:
    one = sequence(4, layout=COCO17)
    one.keypoints[2, 9] = np.nan  # left wrist
    chunks = next(ChunkSampler.of(SequenceBank((one,)), Framing(4, 4, 0)).epoch(1, generator()))
    assert (~chunks.seen).nonzero().tolist() == [[0, 2, 9]]
    twin = mirror(chunks, COCO17, COCO17)
    assert (~twin.seen).nonzero().tolist() == [[0, 2, 10]]
    for shown, joint in ((chunks, 9), (twin, 10)):
        assert not shown.keypoints[0, 2, joint].any()
        assert not shown.rays[0, 2, joint].any()
        assert torch.isfinite(shown.keypoints).all()


def test_frames_without_truth_are_not_output_frames() -> None:
    whole = numbered(12)
    truth = whole.sequences[0].truth
    assert truth is not None
    truth[4:6, 3] = np.nan
    sampler = ChunkSampler.of(whole, Framing(5, 1, 2, span=2))
    assert sampler.lengths.tolist() == [4, 6]
    assert {t for _, t in answered(sampler.draw(500, generator()))} == set(range(12)) - {4, 5}
    truth[:] = np.nan
    with pytest.raises(DataError, match="No frame"):
        ChunkSampler.of(whole, Framing(5, 1, 2))


def test_sequences_without_truth_are_sampled_separately() -> None:
    with pytest.raises(DataError, match="separately"):
        ChunkSampler.of(bank(), Framing(3, 1, 1))
    chunks = ChunkSampler.of(bank().filter(lambda one: one.truth is None), Framing(3, 1, 1), True).draw(4, generator())
    assert chunks.truth is None
    assert chunks.keypoints.shape == (4, 3, 17, 2)


def test_draws_depend_on_the_generator_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    sampler = ChunkSampler.of(labelled(), Framing(3, 1, 1, span=3), mirrored=True)

    def everything(seed: int) -> Tensor:
        source = generator(seed)
        return torch.cat([sampler.draw(5, source).keypoints, *(one.keypoints for one in sampler.epoch(4, source))])

    assert torch.equal(everything(1), everything(1))
    assert not torch.equal(everything(1), everything(2))
