"""Segment lengths agree with published surveys."""

import numpy as np
import pytest
import torch

from kinelift.lifting.anthropometry import SEGMENT_OF, SEGMENTS, Population, adult, child, draw, prior, typical
from kinelift.poses import H36M21


def lengths(tensor: torch.Tensor) -> dict[str, float]:
    return dict(zip(SEGMENTS, tensor.tolist(), strict=True))


@pytest.mark.parametrize(
    ("sex", "thigh", "shank", "upper_arm", "hips"),
    [("women", 0.400, 0.396, 0.264, 0.165), ("men", 0.424, 0.418, 0.284, 0.170)],
)
def test_median_adults(sex: str, thigh: float, shank: float, upper_arm: float, hips: float) -> None:
    segments = lengths(adult(sex))
    assert segments["thigh"] == pytest.approx(thigh, abs=0.002)
    assert segments["shank"] == pytest.approx(shank, abs=0.002)
    assert segments["upper_arm"] == pytest.approx(upper_arm, abs=0.002)
    assert 2 * segments["hip"] == pytest.approx(hips, abs=0.002)


def test_height_of_a_standing_adult_agrees_with_the_survey() -> None:
    """Ankle height and the height of the hips above the legs, 4 % of 1.756 m, are not segments."""
    segments = lengths(adult("men"))
    height = sum(segments[name] for name in ("thigh", "shank", "spine", "thorax", "neck", "head"))
    assert height == pytest.approx(1.756 * 0.96, abs=0.015)


def test_spread_of_proportions_agrees_with_the_survey() -> None:
    people = draw(20_000, Population(children=0.0), torch.Generator().manual_seed(0))
    ratio = people[:, SEGMENTS.index("shank")] / people[:, SEGMENTS.index("thigh")]
    assert ratio.mean().item() == pytest.approx(0.99, abs=0.01)
    assert 0.04 < ratio.std().item() < 0.07
    mean, covariance = prior()
    np.testing.assert_allclose(people.log().mean(0), mean, atol=0.005)
    np.testing.assert_allclose(np.sqrt(np.diag(covariance)), people.log().std(0), atol=0.005)
    assert np.linalg.eigvalsh(covariance).min() > 0


def test_children_grow() -> None:
    legs = child(torch.arange(2.0, 15.5, 0.5))[:, SEGMENTS.index("thigh")]
    assert (legs.diff() > 0).all()
    small, grown = lengths(child(torch.tensor([4.0]))[0]), lengths(typical())
    assert small["thigh"] / grown["thigh"] < small["head"] / grown["head"]  # heads are large


def test_every_joint_but_the_root_ends_a_segment() -> None:
    assert {*SEGMENT_OF, "hip"} == set(H36M21.joints)
    assert set(SEGMENT_OF.values()) == set(SEGMENTS)
