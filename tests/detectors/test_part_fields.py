"""People who were drawn into maps come out of them: exactly, and each with their own joints."""

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from benchmarks.speed.rendered_fields import apart, render, somebody, standing
from kinelift.detectors.openpose.part_fields import Grouped, GroupingSettings, PartFields, group
from kinelift.detectors.openpose.part_fields.limbs import FIELDS, HEATMAPS, LIMBS, PARTS
from kinelift.detectors.openpose.part_fields.peaks import find_peaks
from kinelift.poses.errors import SettingsError, ShapeError

SIZE = (46, 82)
ALL = GroupingSettings(joints=1, person=0.0)
EXACT = 1e-5
"""Cells."""


def pieces(person: np.ndarray) -> list[np.ndarray]:
    """What is left of somebody without the parts that are NaN: a person for each set that limbs connect."""
    sets = [{j} for j in range(len(PARTS)) if np.isfinite(person[j]).all()]
    for ends in LIMBS:
        joined = [one for one in sets if one & set(ends)]
        if len(joined) == 2 and np.isfinite(person[list(ends)]).all():
            sets = [one for one in sets if one not in joined] + [joined[0] | joined[1]]
    return [np.where(np.isin(np.arange(len(PARTS)), list(one))[:, None], person, np.nan) for one in sets]


def expect(found: Grouped, people: Sequence[np.ndarray], tolerance: float = EXACT) -> None:
    """Each of ``people`` once, nobody else, and a score exactly where there is a joint."""
    left = list(found.points)
    for person in people:
        alike = [
            k
            for k, one in enumerate(left)
            if np.array_equal(np.isnan(one), np.isnan(person)) and np.nanmax(np.abs(one - person)) < tolerance
        ]
        assert alike, "somebody is missing or has other joints"
        left.pop(alike[0])
    assert left == [], "somebody was made up"
    assert np.array_equal(found.scores > 0, np.isfinite(found.points).all(axis=-1))


def separable(people: Sequence[np.ndarray]) -> bool:
    """Whether the maps say who is who.

    Parts of a kind lie far enough apart for maxima of their own, and the way from a part of one person to another's
    leaves the limbs of that kind for a third of its length: of limbs in one line nobody can tell whose they are.
    """
    for k, one in enumerate(people):
        for other in people[k + 1 :]:
            if np.nanmin(np.append(np.linalg.norm(one - other, axis=1), np.inf)) < 4:
                return False
    return all(_strays(people, *ends) for ends in LIMBS)


def _strays(people: Sequence[np.ndarray], start: int, end: int) -> bool:
    share = np.linspace(0.025, 0.975, 20)[:, None]
    limbs = [person[[start, end]] for person in people if np.isfinite(person[[start, end]]).all()]
    for one in people:
        for other in people:
            wrong = one[start] + share * (other[end] - one[start])
            if one is not other and limbs and np.isfinite(wrong).all():
                off = np.min([apart(wrong, *limb) for limb in limbs], axis=0) > 2
                if off.mean() < 0.3:
                    return False
    return True


@settings(max_examples=40)
@given(st.integers(0, 2**32 - 1), st.integers(1, 5))
def test_random_people_come_out_as_they_went_in(seed: int, count: int) -> None:
    chance = np.random.default_rng(seed)
    people = [somebody(chance, *SIZE) for _ in range(count)]
    assume(separable(people))
    expect(group(render(np.array(people), *SIZE), ALL), [piece for person in people for piece in pieces(person)])


@settings(max_examples=40)
@given(st.floats(4, 14), st.floats(-6, 6))
def test_people_who_pass_each_other_keep_their_joints(aside: float, down: float) -> None:
    one, other = standing(1.5, (35, 14)), standing(1.5, (35 + aside, 14 + down))
    expect(group(render(np.array([one, other]), *SIZE)), [one, other])


def test_arms_that_cross_are_told_apart() -> None:
    one, other = standing(1.5, (30, 8)), standing(1.5, (50, 8))
    wrists = [PARTS.index("left_wrist"), PARTS.index("left_elbow")]
    one[wrists], other[wrists] = [[44, 24], [36, 14]], [[38, 26], [46, 12]]
    expect(group(render(np.array([one, other]), *SIZE)), [one, other])


@settings(max_examples=30)
@given(st.floats(-12, 12), st.floats(-3, 3), st.sampled_from(["left", "right", "above", "below"]))
def test_people_at_the_border_lose_what_lies_outside(along: float, across: float, side: str) -> None:
    height, width = SIZE
    middle = {"left": (across, 23 + along), "right": (width + across, 23 + along)}
    middle |= {"above": (41 + along, across), "below": (41 + along, height + across)}
    person = standing(1.0, middle[side])
    person[((person < 0) | (person > [width, height])).any(axis=1)] = np.nan
    expect(group(render(person[None], height, width), ALL), pieces(person))


@pytest.mark.parametrize("joint", PARTS.joints)
def test_a_missing_joint_is_nan_and_stays_so(joint: str) -> None:
    person = standing(1.5, (40, 12))
    person[PARTS.index(joint)] = np.nan
    found = group(render(person[None], *SIZE), ALL)
    expect(found, pieces(person))
    assert (found.scores[:, PARTS.index(joint)] == 0).all()


def test_who_touches_shares_no_joint() -> None:
    one, other = standing(1.5, (30, 12)), standing(1.5, (42, 12))
    other[PARTS.index("right_wrist")] = one[PARTS.index("left_wrist")] + [0.3, 0.0]
    found = group(render(np.array([one, other]), *SIZE))
    assert len(found.points) == 2
    wrists = np.isfinite(found.points[:, [PARTS.index("left_wrist"), PARTS.index("right_wrist")]]).all(-1)
    assert wrists.all(), "wrists of two kinds may lie on each other"


def test_no_part_is_used_twice_where_people_are_too_near() -> None:
    crowd = np.array([standing(1.5, (30 + 2 * k, 12 + 0.5 * k)) for k in range(6)])
    points = group(render(crowd, *SIZE), ALL).points
    for part in points.swapaxes(0, 1):
        seen = part[np.isfinite(part).all(axis=1)]
        assert len(np.unique(seen, axis=0)) == len(seen)


@settings(max_examples=50)
@given(st.floats(0, 82), st.floats(0, 46))
def test_peaks_are_exact_between_and_beside_the_centres_of_cells(x: float, y: float) -> None:
    person = np.full((1, len(PARTS), 2), np.nan)
    person[0, 0] = x, y
    peaks = find_peaks(render(person, *SIZE).heat[: len(PARTS)], 0.1)
    assert peaks.part.tolist() == [0]
    np.testing.assert_allclose(peaks.places, [[x, y]], atol=EXACT)
    np.testing.assert_allclose(peaks.scores, 1, atol=1e-4)


def test_equal_neighbours_are_one_peak_and_flat_maps_none() -> None:
    heat = np.zeros((2, 6, 9), np.float32)
    heat[0, 2:4, 3:6] = 0.5
    peaks = find_peaks(heat, 0.1)
    assert peaks.part.tolist() == [0] and peaks.scores[0] >= 0.5
    assert len(find_peaks(np.zeros((2, 6, 9), np.float32), 0.0)) == 0
    assert len(find_peaks(np.full((1, 1, 1), 0.5, np.float32), 0.1)) == 1


def test_empty_maps_hold_nobody() -> None:
    found = group(render(np.zeros((0, len(PARTS), 2)), *SIZE))
    assert found.points.shape == (0, len(PARTS), 2) and found.confidence.shape == (0,)


@settings(max_examples=10)
@given(st.integers(0, 2**32 - 1))
def test_noise_is_grouped_without_breaking_a_promise(seed: int) -> None:
    chance = np.random.default_rng(seed)
    maps = chance.normal(0, 0.3, (HEATMAPS + FIELDS, 12, 17)).astype(np.float32)
    found = group(PartFields(maps[:HEATMAPS], maps[HEATMAPS:]), GroupingSettings(joints=2, support=0.5, person=0.0))
    assert np.array_equal(found.scores == 0, np.isnan(found.points).any(axis=-1))
    assert ((found.scores >= 0) & (found.scores <= 1)).all() and (
        (found.confidence >= 0) & (found.confidence <= 1)
    ).all()
    assert (np.diff(found.confidence) <= 0).all()
    assert ((found.scores > 0).sum(axis=1) >= 2).all()


@pytest.mark.parametrize("noise", [0.02, 0.05])
def test_noise_moves_people_a_little(noise: float) -> None:
    chance = np.random.default_rng(0)
    people = np.array([standing(1.5, (12 + 16 * k, 12)) for k in range(5)])
    maps = render(people, *SIZE)
    heat, limbs = (a + chance.normal(0, noise, a.shape).astype(np.float32) for a in (maps.heat, maps.limbs))
    found = group(PartFields(heat, limbs), GroupingSettings(peak=0.3))
    expect(found, list(people), tolerance=6 * noise)


def test_scores_follow_the_height_of_the_maps() -> None:
    person = standing(1.5, (40, 12))
    maps = render(person[None], *SIZE)
    faint = PartFields(maps.heat * np.float32(0.5), maps.limbs * np.float32(0.3))
    np.testing.assert_allclose(group(faint).scores, 0.5, atol=1e-3)
    assert 0.3 < group(faint).confidence[0] < 0.5 < group(maps).confidence[0] <= 1
    assert len(group(faint, GroupingSettings(person=0.6)).points) == 0


def test_limbs_are_in_the_order_of_their_maps() -> None:
    """Against the published table: part pairs (as numbers) and the first of their two maps."""
    published = {
        (1, 2): 12, (1, 5): 20, (2, 3): 14, (3, 4): 16, (5, 6): 22, (6, 7): 24, (1, 8): 0, (8, 9): 2, (9, 10): 4,
        (1, 11): 6, (11, 12): 8, (12, 13): 10, (1, 0): 28, (0, 14): 30, (14, 16): 34, (0, 15): 32, (15, 17): 36,
        (2, 16): 18, (5, 17): 26,
    }  # fmt: skip
    assert {ends: 2 * k for k, ends in enumerate(LIMBS)} == published


@pytest.mark.parametrize("wrong", [{"peak": -0.1}, {"support": 1.5}, {"samples": 0}, {"joints": 0}])
def test_settings_out_of_range_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(SettingsError, match=next(iter(wrong))):
        GroupingSettings(**wrong)


def test_maps_of_other_layouts_are_refused() -> None:
    with pytest.raises(ShapeError, match="expected"):
        PartFields(np.zeros((26, 4, 4), np.float32), np.zeros((52, 4, 4), np.float32))
