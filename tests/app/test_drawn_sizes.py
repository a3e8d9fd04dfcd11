"""The sizes of drawn videos."""

import pytest

from kinelift.app.render.sizes import sizes
from kinelift.app.settings import Drawing, Layout
from kinelift.poses.errors import SettingsError


@pytest.mark.parametrize("source", [(1920, 1080), (3840, 2160), (720, 1280), (320, 240), (64, 48)])
def test_the_overlay_keeps_the_size_of_the_source(source: tuple[int, int]) -> None:
    found = sizes(source, Drawing("overlay"))
    assert (found.whole, found.picture, found.view, found.note) == (source, source, None, None)


def test_odd_sizes_become_even() -> None:
    assert sizes((241, 427), Drawing("overlay")).whole == (240, 428)


@pytest.mark.parametrize(
    ("source", "picture", "view"),
    [
        ((1280, 720), (1280, 720), (720, 720)),
        ((1920, 1080), (1920, 1080), (1080, 1080)),
        ((720, 1280), (720, 1280), (720, 1280)),
        ((320, 240), (640, 480), (480, 480)),  # small: enlarged, for the 3D view to be readable
        ((1200, 100), (1280, 106), (106, 106)),
    ],
)
def test_a_3d_view_is_beside_it(source: tuple[int, int], picture: tuple[int, int], view: tuple[int, int]) -> None:
    found = sizes(source, Drawing())
    assert (found.picture, found.view, found.note) == (picture, view, None)
    assert found.whole == (picture[0] + 4 + view[0], picture[1])


def test_what_players_do_not_show_is_made_smaller_and_this_is_told() -> None:
    found = sizes((3840, 2160), Drawing())
    assert 4080 < found.whole[0] <= 4096
    assert found.note is not None and "6004 × 2160" in found.note and "--size 3840" in found.note
    assert sizes((3840, 2160), Drawing(size=3840)).whole == (6004, 2160)
    assert sizes((7680, 4320), Drawing("overlay")).whole == (4096, 2304)


@pytest.mark.parametrize(
    ("layout", "whole"), [("overlay", (640, 360)), ("3d", (640, 360)), ("side-by-side", (1004, 360))]
)
def test_size_is_the_longer_side_of_the_picture(layout: Layout, whole: tuple[int, int]) -> None:
    assert sizes((1920, 1080), Drawing(layout, 640)).whole == whole
    assert sizes((1080, 1920), Drawing("overlay", 640)).whole == (360, 640)


def test_what_the_encoder_cannot_write_is_refused() -> None:
    with pytest.raises(SettingsError, match="smaller --size"):
        sizes((1920, 1080), Drawing(size=16_384))
    for size in (15, 16_385):
        with pytest.raises(SettingsError, match="--size"):
            Drawing(size=size)
