"""Identity metrics: cases worked out by hand, and what must not change them."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.tracking.identity_metrics import Moment, score


def moments(ids: list[list[int | None]]) -> list[Moment]:
    """For every frame, the id on each person's body (None = missed); ids from 100 on lie on nobody."""
    frames = []
    for row in ids:
        found = np.array([i for i in row if i is not None], dtype=int)
        alike = np.array([[float(i == j and i < 100) for j in found] for i in row]).reshape(len(row), len(found))
        people = [k for k, i in enumerate(row) if i is None or i < 100]
        frames.append(Moment(np.array(people, dtype=int), found, alike[people]))
    return frames


def test_perfect_tracks() -> None:
    result = score(moments([[1, 2]] * 10))
    assert (result.idf1, result.mota, result.held) == (1, 1, 1)
    assert (result.switches, result.fragments, result.ghosts, result.ids) == (0, 0, 0, 2)


def test_two_who_exchange_ids_half_way() -> None:
    result = score(moments([[1, 2]] * 5 + [[2, 1]] * 5))
    assert result.idf1 == pytest.approx(0.5)
    assert result.held == pytest.approx(0.5)
    assert result.switches == 2
    assert result.mota == pytest.approx(1 - 2 / 20)


def test_two_who_share_an_id() -> None:
    """One leaves, another enters: no switch, yet half of the time belongs to somebody else."""
    frames = [Moment(np.array([k // 5]), np.array([1]), np.ones((1, 1))) for k in range(10)]
    result = score(frames)
    assert (result.switches, result.held, result.mota) == (0, 1, 1)
    assert result.idf1 == pytest.approx(0.5)


def test_a_gap_is_a_fragment() -> None:
    result = score(moments([[1]] * 4 + [[None]] * 2 + [[1]] * 4))
    assert (result.switches, result.fragments) == (0, 1)
    assert result.idf1 == pytest.approx(2 * 8 / (10 + 8))
    assert result.mota == pytest.approx(0.8)


def test_a_new_id_after_a_gap() -> None:
    result = score(moments([[1]] * 4 + [[None]] * 2 + [[2]] * 4))
    assert (result.switches, result.fragments, result.ids) == (1, 1, 2)
    assert result.idf1 == pytest.approx(2 * 4 / (10 + 8))
    assert result.held == pytest.approx(0.4)


def test_whoever_is_nobody_is_a_ghost() -> None:
    result = score(moments([[1, 100]] * 10))
    assert (result.ghosts, result.ids) == (1, 2)
    assert result.idf1 == pytest.approx(2 * 10 / (10 + 20))
    assert result.mota == pytest.approx(0)


def test_the_last_partner_is_kept_while_alike() -> None:
    near = np.array([[0.6, 0.9]])
    frames = [Moment(np.array([0]), np.array([1, 2]), near[:, ::-1] if k == 0 else near) for k in range(5)]
    assert score(frames).switches == 0


def test_nothing_at_all() -> None:
    assert score([]).idf1 == 0
    empty = Moment(np.zeros(0, dtype=int), np.zeros(0, dtype=int), np.zeros((0, 0)))
    assert score([empty]).switches == 0


@given(
    st.lists(st.lists(st.sampled_from([1, 2, 3, 100, 101, None]), min_size=3, max_size=3), min_size=1, max_size=12),
    st.permutations([7, 8, 9, 10, 11]),
)
def test_names_of_ids_do_not_matter(rows: list[list[int | None]], names: list[int]) -> None:
    tidy = [[i if i is None or row.index(i) == k else None for k, i in enumerate(row)] for row in rows]
    frames = moments(tidy)
    renamed = dict(zip([1, 2, 3, 100, 101], names, strict=True))
    others = [
        Moment(m.truth, np.array([renamed[i] for i in m.found.tolist()], dtype=int), m.similarity) for m in frames
    ]
    result = score(frames)
    assert score(others) == result
    assert 0 <= result.idf1 <= 1 and result.mota <= 1 and 0 <= result.held <= 1
