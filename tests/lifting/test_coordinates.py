import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from kinelift.lifting.coordinates import facing, fill_invisible, normalisation, turn_to
from kinelift.poses import COCO17, COCO23
from kinelift.poses.errors import WeightsError
from tests.lifting.networks import CAMERA


def test_unknown_normalisation_lists_the_available() -> None:
    with pytest.raises(WeightsError, match="facing, frame, level, screen, picture"):
        normalisation("astrology")


@pytest.mark.parametrize("size", [(640, 480), (480, 640)])
def test_picture_coordinates_are_those_of_the_paper(size: tuple[int, int]) -> None:
    w, h = size
    corners = np.array([[0, 0], [w, 0], [w / 2, h / 2], [0, h], [np.nan, np.nan]])
    found = normalisation("picture").inputs(corners, CAMERA, size)
    np.testing.assert_allclose(found, [[-1, -h / w], [1, -h / w], [0, 0], [-1, h / w], [np.nan, np.nan]])


def test_picture_input_has_no_visibility_feature_and_keeps_the_axes() -> None:
    points, visible = torch.randn(2, 5, 17, 2), torch.ones(2, 5, 17, dtype=torch.bool)
    features, rotation = normalisation("picture")(points, visible)
    torch.testing.assert_close(features, points)
    torch.testing.assert_close(rotation, torch.eye(3).expand(2, 5, 3, 3))


@given(st.integers(0, 2**31), st.floats(0, 1))
@settings(max_examples=15)
def test_invisible_joints_are_filled_from_the_nearest_frame(seed: int, share: float) -> None:
    generator = torch.Generator().manual_seed(seed)
    points = torch.randn(2, 6, 4, 2, generator=generator)
    visible = torch.rand(2, 6, 4, generator=generator) < share
    filled = fill_invisible(torch.where(visible[..., None], points, torch.nan), visible)
    for b, t, j in np.ndindex(2, 6, 4):
        near = min((abs(s - t), s) for s in range(6) if visible[b, s, j]) if visible[b, :, j].any() else None
        others = [k for k in range(4) if visible[b, :, k].any()]
        centroid = filled[b, t, others].mean(0) if others else torch.zeros(2)
        torch.testing.assert_close(filled[b, t, j], points[b, near[1], j] if near else centroid)


def test_turn_to_is_a_rotation_without_roll() -> None:
    direction = torch.randn(100, 3) + torch.tensor([0, 0, 3.0])
    rotation = turn_to(direction)
    ahead = (rotation @ direction[..., None])[..., 0]
    torch.testing.assert_close(ahead[:, :2], torch.zeros(100, 2), atol=1e-5, rtol=0)
    assert (ahead[:, 2] > 0).all()
    torch.testing.assert_close(rotation[:, 0, 1], torch.zeros(100))  # the new x axis stays level


def test_facing_does_not_depend_on_place_or_focal_length() -> None:
    generator = torch.Generator().manual_seed(0)
    body = torch.randn(8, 27, 17, 3, generator=generator) * 0.3
    visible = torch.rand(8, 27, 17, generator=generator) > 0.2
    straight = torch.tensor([0.0, 0.0, 6.0])
    away = turn_to(torch.tensor([[0.4, 0.3, 1.0]])).transpose(1, 2)

    def features_of(points: torch.Tensor) -> torch.Tensor:
        return facing(points[..., :2] / points[..., 2:], visible)[0]

    ahead = body + straight
    turned = turn_to(ahead.mean((1, 2)))
    centred = ahead @ turned.transpose(1, 2)[:, None]
    torch.testing.assert_close(features_of(centred @ away[0].T), features_of(centred), atol=0.02, rtol=0)
    zoomed = facing(centred[..., :2] / centred[..., 2:] * 1.05, visible)[0]
    torch.testing.assert_close(zoomed, features_of(centred), atol=0.02, rtol=0)


def test_facing_ignores_invisible_joints() -> None:
    plane = torch.randn(4, 27, 17, 2) * 0.1
    visible = torch.rand(4, 27, 17) > 0.3
    other = torch.where(visible[..., None], plane, torch.nan)
    torch.testing.assert_close(facing(plane, visible)[0], facing(other, visible)[0])
    assert facing(plane, torch.zeros_like(visible))[0].isfinite().all()


def seen_body(frames: int = 6) -> tuple[torch.Tensor, torch.Tensor]:
    """Keypoints of coco23 on the plane z = 1 in two windows, some not visible."""
    generator = torch.Generator().manual_seed(0)
    plane = 0.1 * torch.randn(2, frames, len(COCO23), 2, generator=generator) + torch.tensor([0.3, -0.1])
    return plane, torch.rand(2, frames, len(COCO23), generator=generator) > 0.2


def test_feet_do_not_change_position_and_size() -> None:
    plane, visible = seen_body()
    body = slice(len(COCO17))
    without = visible.clone()
    without[:, :, len(COCO17) :] = False
    moved = plane.clone()
    moved[:, :, len(COCO17) :] += 1.0
    expected, rotation = normalisation("frame")(plane[:, :, body], visible[:, :, body])
    for points, seen in ((plane, visible), (plane, without), (moved, visible)):
        features, axes = normalisation("level")(points, seen)
        torch.testing.assert_close(features[:, :, body], expected)
        torch.testing.assert_close(axes, rotation)
    assert (normalisation("level")(plane, without)[0][:, :, len(COCO17) : -1] == 0).all()


def test_up_is_the_last_row_in_the_axes_of_the_output() -> None:
    plane, visible = seen_body()
    up = torch.nn.functional.normalize(torch.tensor([[0.1, -1.0, -0.3], [-0.4, -0.8, 0.2]]), dim=-1)
    features, rotation = normalisation("level")(plane, visible, up)
    assert features.shape[2] == len(COCO23) + 1
    torch.testing.assert_close(features[:, :, -1:] @ rotation, up[:, None, None].expand(-1, 6, -1, -1))
    torch.testing.assert_close(features[:, :, -1].norm(dim=-1), torch.ones(2, 6))
    assert not torch.allclose(features[:, :, -1], up[:, None].expand(-1, 6, -1), atol=0.05)  # other axes
    mixed = normalisation("level")(plane, visible, up * torch.tensor([[1.0], [0.0]]))[0]
    torch.testing.assert_close(mixed[0], features[0])
    assert (mixed[1, :, -1] == 0).all()
    assert (normalisation("level")(plane, visible)[0][:, :, -1] == 0).all()  # not known
    torch.testing.assert_close(mixed[:, :, :-1], features[:, :, :-1])
