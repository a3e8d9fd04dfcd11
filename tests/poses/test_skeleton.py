import numpy as np
import pytest

from kinelift.poses import COCO17, COCO23, H36M17, H36M21, Skeleton, convert, skeleton
from kinelift.poses.errors import DataError
from kinelift.poses.skeleton import BODY25, HALPE26, KINECT15_PAIR, registered, tree


@pytest.fixture(params=[one for one in registered() if one != KINECT15_PAIR], ids=str)
def layout(request: pytest.FixtureRequest) -> Skeleton:
    found: Skeleton = request.param
    return found


def test_name_and_count_agree(layout: Skeleton) -> None:
    assert layout.name.endswith(str(len(layout)))
    assert len(set(layout.joints)) == len(layout.parents) == len(layout)
    assert skeleton(str(layout)) is layout


def test_is_one_tree(layout: Skeleton) -> None:
    assert layout.parents.count(-1) == 1 and layout.parents[layout.root] == -1
    assert len(layout.bones) == len(layout) - 1
    for joint in range(len(layout)):
        way = [joint]
        while layout.parents[way[-1]] >= 0:
            way.append(layout.parents[way[-1]])
            assert len(way) <= len(layout), "a loop"
        assert way[-1] == layout.root


def test_mirror_swaps_the_sides_and_nothing_else(layout: Skeleton) -> None:
    mirror = layout.mirror
    assert tuple(mirror[j] for j in mirror) == tuple(range(len(layout)))
    for joint, twin in enumerate(mirror):
        assert {layout.side(joint), layout.side(twin)} in ({"left", "right"}, {"middle"})
        assert (joint == twin) == (layout.side(joint) == "middle")


def test_mirror_keeps_the_bones(layout: Skeleton) -> None:
    mirrored = {(layout.mirror[a], layout.mirror[b]) for a, b in layout.bones}
    assert mirrored == set(layout.bones)


def test_sides_are_paired(layout: Skeleton) -> None:
    assert len(layout.left) == len(layout.right) == len({*layout.left, *layout.right}) / 2
    for left, right in zip(layout.left, layout.right, strict=True):
        assert layout.joints[left].removeprefix("left_") == layout.joints[right].removeprefix("right_")
    middle = [j for j in range(len(layout)) if layout.side(j) == "middle"]
    assert sorted([*layout.left, *layout.right, *middle]) == list(range(len(layout)))


def test_links_are_bones_and_braces(layout: Skeleton) -> None:
    assert layout.links[: len(layout.bones)] == layout.bones
    assert all(a != b for a, b in layout.links)
    assert not {frozenset(b) for b in layout.bones} & {frozenset(b) for b in layout.braces}


def test_feet_are_heels_and_toes() -> None:
    assert all((one.joints[j].split("_")[-1] in ("heel", "toe")) == (j in one.feet) for one in registered()
               for j in range(len(one)))  # fmt: skip
    assert [len(one.feet) for one in (COCO17, COCO23, BODY25, HALPE26, H36M17, H36M21)] == [0, 6, 6, 6, 0, 4]
    assert tuple(COCO23.joints[j] for j in COCO23.body) == COCO17.joints
    assert tuple(H36M21.joints[j] for j in H36M21.body) == H36M17.joints


def test_orders_of_the_published_layouts() -> None:
    """Spot checks against the data sets' own tables, which no derived property would notice."""
    assert COCO17.joints[0] == "nose" and COCO17.joints[5] == "left_shoulder" and COCO17.joints[16] == "right_ankle"
    assert H36M17.joints[1] == "right_hip" and H36M17.joints[7:11] == ("spine", "thorax", "neck", "head")
    assert H36M17.joints[14] == "right_shoulder"
    assert skeleton("body25").joints[8] == "hip" and skeleton("body25").joints[19] == "left_big_toe"
    assert skeleton("kinect20").joints[19] == "head" and skeleton("kinect20").joints[6] == "hip"


def test_conversion_goes_by_name(layout: Skeleton) -> None:
    labelled = np.arange(len(layout), dtype=float)[:, None] + [0.0, 100.0]
    converted = convert(labelled, layout, COCO17)
    for joint, name in enumerate(COCO17.joints):
        if name in layout.joints:
            assert np.array_equal(converted[joint], labelled[layout.index(name)])
        else:
            assert np.isnan(converted[joint]).all()


def test_conversion_takes_any_leading_axes_and_widens_integers() -> None:
    labelled = np.broadcast_to(np.arange(17)[:, None], (2, 3, 17, 2))
    converted = convert(labelled, COCO17, H36M17)
    assert converted.shape == (2, 3, 17, 2) and converted.dtype == np.float64
    assert (converted[:, :, H36M17.index("left_knee")] == COCO17.index("left_knee")).all()
    assert np.isnan(converted[:, :, H36M17.root]).all()


def test_conversion_to_itself_changes_nothing(layout: Skeleton) -> None:
    points = np.random.default_rng(0).normal(size=(4, len(layout), 3))
    assert np.array_equal(convert(points, layout, layout), points)


def test_unknown_names_are_told_with_the_known_ones() -> None:
    with pytest.raises(DataError, match=r"Unknown skeleton 'coco18'.*coco17"):
        skeleton("coco18")
    with pytest.raises(DataError, match=r"no joint 'tail'.*left_wrist"):
        COCO17.index("tail")


def test_a_skeleton_is_told_by_its_name_not_its_count() -> None:
    assert len(COCO17) == len(H36M17) and COCO17 != H36M17


def test_tree_takes_braces_by_name() -> None:
    made = tree("y", (("left_tip", "right_tip"),), fork=None, left_tip="fork", right_tip="fork")
    assert made.links == ((0, 1), (0, 2), (1, 2)) and made.mirror == (0, 2, 1)


def test_a_pair_is_two_bodies_that_keep_their_own_joints() -> None:
    one, both = skeleton("kinect15"), skeleton("kinect15-pair")
    assert len(both) == 2 * len(one) and both.parents.count(-1) == 2
    assert [name.removesuffix("_1") for name in both.joints[: len(one)]] == list(one.joints)
    assert [name.removesuffix("_2") for name in both.joints[len(one) :]] == list(one.joints)
    assert set(both.bones) == {(a + k, b + k) for a, b in one.bones for k in (0, len(one))}
    assert [both.mirror[j] for j in range(len(both))] == [*one.mirror, *(j + len(one) for j in one.mirror)]


def test_outward_bones_come_after_those_they_hang_on(layout: Skeleton) -> None:
    assert sorted(layout.outward) == sorted(layout.bones)
    reached = {joint for joint, parent in enumerate(layout.parents) if parent < 0}
    for parent, child in layout.outward:
        assert parent in reached
        reached.add(child)
