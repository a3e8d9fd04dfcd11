from dataclasses import replace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from kinelift.lifting import anthropometry
from kinelift.lifting.anthropometry import BIG_TOE, HEEL, SMALL_TOE, typical_foot
from kinelift.lifting.mocap.prepare import Clip, write
from kinelift.lifting.synthesis import random
from kinelift.lifting.synthesis.bank import COCO, JOINTS, MOCAP, MotionBank
from kinelift.lifting.synthesis.body import (
    BodySettings,
    apply_segment_lengths,
    bend_knees,
    bend_limb,
    flexion,
    freeze_motion,
    is_low_posture,
    mirror,
    random_orientation,
    replace_upper_body,
    scale_bones,
    straighten_limbs,
)
from kinelift.lifting.synthesis.noise import FEET, LEGS, MEASURED, SMALL_TOES, SPREAD, NoiseSettings, corrupt
from kinelift.lifting.synthesis.sampler import Sampler, SynthesisSettings
from kinelift.lifting.synthesis.view import ViewSettings, draw_view
from kinelift.lifting.training_batch import Framing
from kinelift.poses import COCO23
from kinelift.poses.errors import DataError

CLEAN = NoiseSettings(clean=1.0, no_feet=0.0, no_small_toes=0.0)


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def standing(frames: int) -> torch.Tensor:
    """A rough person, Y up, facing +Z with the left hand at +X, who moves along Z."""
    side = {"left": 1.0, "right": -1.0}
    heights = {"hip": 0.95, "knee": 0.5, "ankle": 0.08, "spine": 1.15, "thorax": 1.4, "neck": 1.5, "head": 1.7,
               "shoulder": 1.4, "elbow": 1.15, "wrist": 0.9, "nose": 1.56, "eye": 1.6, "ear": 1.58}  # fmt: skip
    widths = {
        "hip": 0.1,
        "knee": 0.1,
        "ankle": 0.1,
        "shoulder": 0.18,
        "elbow": 0.25,
        "wrist": 0.3,
        "eye": 0.03,
        "ear": 0.07,
    }
    length, height = typical_foot()
    foot = {"heel": HEEL, "big_toe": BIG_TOE, "small_toe": SMALL_TOE}
    points = torch.zeros(frames, len(MOCAP), 3)
    for j, name in enumerate(MOCAP.joints):
        which, _, part = name.rpartition("_") if "toe" not in name else name.partition("_")
        if part in foot:
            inward, up, forward = foot[part]
            points[:, j, 0] = side[which] * (0.1 - inward * length)
            points[:, j, 1], points[:, j, 2] = 0.08 + up * height, forward * length
            continue
        points[:, j, 0] = side.get(which, 0.0) * (widths[part] if which else 0.0)
        points[:, j, 1] = heights[part]
        points[:, j, 2] = 0.1 if part in ("nose", "eye") else 0.0
    points[..., 2] += torch.linspace(0, 1, frames)[:, None]
    return points


@pytest.fixture
def bank() -> MotionBank:
    points = torch.cat([standing(60), standing(90) * 1.05])
    return MotionBank(
        points, torch.tensor([0, 60]), torch.tensor([60, 90]), torch.tensor([60.0, 60.0]),
        ("a", "b"), ("1", "2"), ("walk", "walk"),
    )  # fmt: skip


def bones(points: torch.Tensor) -> torch.Tensor:
    parents = torch.tensor([max(p, 0) for p in MOCAP.parents])
    return (points - points[..., parents, :]).norm(dim=-1)


def test_reshaping_scales_each_bone_and_keeps_its_direction() -> None:
    points = torch.randn(3, 4, len(MOCAP), 3)
    factors = random.uniform((3, len(MOCAP)), 0.8, 1.2, generator())
    torch.testing.assert_close(bones(scale_bones(points, factors)), bones(points) * _rootless(factors)[:, None])
    torch.testing.assert_close(scale_bones(points, torch.ones(3, len(MOCAP))), points, atol=1e-5, rtol=1e-5)


def _rootless(factors: torch.Tensor) -> torch.Tensor:
    return torch.cat([torch.ones(len(factors), 1), factors[:, 1:]], 1)


def test_mirror_twice_is_the_identity() -> None:
    points = torch.randn(2, 5, len(MOCAP), 3)
    torch.testing.assert_close(mirror(mirror(points)), points)


def test_upper_body_is_replaced_and_the_legs_stay() -> None:
    lower = standing(9)[None]
    quarter = random.rotation_about("y", torch.tensor([torch.pi / 2]))
    upper = lower.clone()
    upper[:, :, MOCAP.index("left_wrist"), 1] = 2.0
    out = replace_upper_body(lower, upper @ quarter.transpose(1, 2) + 5)
    legs = [j for j, name in enumerate(MOCAP.joints) if name.endswith(("knee", "ankle", "heel", "toe"))]
    torch.testing.assert_close(out[:, :, legs], lower[:, :, legs])
    torch.testing.assert_close(out, upper, atol=1e-5, rtol=1e-5)


def test_bodies_have_the_drawn_segment_lengths() -> None:
    lengths = anthropometry.draw(5, anthropometry.Population(), generator())
    typical = apply_segment_lengths(standing(4).expand(5, -1, -1, -1), anthropometry.typical().expand(5, -1))
    torch.testing.assert_close(typical, standing(4).expand(5, -1, -1, -1), atol=1e-5, rtol=1e-5)
    factors = lengths / anthropometry.typical()
    grown = bones(apply_segment_lengths(typical, lengths)) / bones(typical)
    for name, segment in anthropometry.SEGMENT_OF.items():
        expected = factors[:, None, anthropometry.SEGMENTS.index(segment)].expand(-1, 4)
        torch.testing.assert_close(
            grown[:, :, MOCAP.index(name.replace("_toe", "_big_toe"))], expected, atol=1e-4, rtol=1e-4
        )


def test_limbs_bend_in_their_plane() -> None:
    chain = torch.randn(20, 3, 3, 3, generator=generator())
    out = torch.cat([chain[:, :, :1], bend_limb(chain, flexion(chain))], 2)
    torch.testing.assert_close(out, chain, atol=1e-3, rtol=1e-3)
    straight = torch.cat([chain[:, :, :1], bend_limb(chain, torch.zeros(20, 3))], 2)
    assert flexion(straight).max() < 1e-2
    for k in (0, 1):
        new, old = ((x[:, :, k + 1] - x[:, :, k]).norm(dim=-1) for x in (straight, chain))
        torch.testing.assert_close(new, old, atol=1e-4, rtol=1e-4)


def test_only_slightly_bent_legs_are_straightened() -> None:
    points = standing(9).expand(300, -1, -1, -1).clone()
    points[:, :, MOCAP.index("left_knee"), 2] += 0.1  # 27°
    points[:, :, MOCAP.index("right_knee"), 2] += 0.5  # a squat
    out = straighten_limbs(points, BodySettings(straight=1.0), generator())
    left, right = (
        torch.rad2deg(flexion(out[:, :, [MOCAP.index(f"{side}_{part}") for part in ("hip", "knee", "ankle")]]))
        for side in ("left", "right")
    )
    assert left.max() < 5
    assert right.min() > 90
    torch.testing.assert_close(straighten_limbs(points, BodySettings(straight=0.0), generator()), points)


def test_some_knees_bend_further_forwards() -> None:
    points = standing(9).expand(300, -1, -1, -1)
    out = bend_knees(points, BodySettings(crouched=0.5), generator())
    leg = [MOCAP.index(f"left_{part}") for part in ("hip", "knee", "ankle")]
    bend = torch.rad2deg(flexion(out[:, :, leg]))[:, 4]
    changed = (out != points).any((1, 2, 3))
    assert 0.4 < changed.float().mean() < 0.6
    assert bend[changed].min() > 14 and bend[changed].max() > 100 and bend[~changed].max() < 5
    deep = out[changed]
    assert (deep[:, :, leg[1], 2] > deep[:, :, leg[0], 2]).all()  # the person faces +Z
    torch.testing.assert_close(bones(deep), bones(points[changed]), atol=1e-4, rtol=1e-4)
    along = torch.nn.functional.normalize(deep[:, :, leg[2]] - deep[:, :, leg[0]], dim=-1)
    before = torch.nn.functional.normalize(points[:1, :, leg[2]] - points[:1, :, leg[0]], dim=-1)
    torch.testing.assert_close(along, before.expand_as(along), atol=1e-4, rtol=1e-4)


def test_still_people_do_not_move() -> None:
    points = standing(9).expand(200, -1, -1, -1)
    out = freeze_motion(points, BodySettings(still=0.25), generator())
    still = (out == out[:, :1]).all((1, 2, 3))
    assert 0.15 < still.float().mean() < 0.35
    torch.testing.assert_close(out[~still], points[~still])


def test_finds_low_postures_in_a_bank(bank: MotionBank) -> None:
    assert not is_low_posture(bank.points).any()
    lying = bank.points[..., [0, 2, 1]]
    assert is_low_posture(lying).all()
    clips, frames = bank.find_frames(lambda points: points[:, 0, 2] > points[0, 0, 2] + 0.5)
    assert set(clips.tolist()) == {0, 1}
    assert frames[clips == 0].tolist() == [float(f) for f in range(30, 60)]


def test_groups_of_joints_are_missing_together() -> None:
    plane = standing(27)[None, :, COCO, :2].expand(600, -1, -1, -1)
    flawed, inside = torch.ones(600, dtype=torch.bool), torch.ones(600, 27, len(COCO), dtype=torch.bool)
    nothing = dict.fromkeys(("swap", "drop", "drop_limb", "stray", "drop_whole", "drop_face", "half", "cover"), 0.0)
    nothing |= {"no_feet": 0.0, "no_small_toes": 0.0}

    def visible(**loss: float) -> torch.Tensor:
        settings = NoiseSettings(**{**nothing, **loss})
        return corrupt(plane, inside, flawed, torch.arange(27) / 20, settings, generator())[1]

    assert visible().all()
    face = visible(drop_face=0.5)
    assert (face[..., :5].all(-1) | ~face[..., :5].any(-1)).all() and face[..., 5:].all()
    assert not face[..., :5].all()
    arm = [COCO23.index(f"left_{part}") for part in ("shoulder", "elbow", "wrist")]
    whole = visible(drop_whole=0.5)[..., arm]
    assert (whole.all(-1) | ~whole.any(-1)).all() and not whole.all()
    leg = [j for j, name in enumerate(COCO23.joints) if name.startswith("left_") and j in LEGS]
    whole = visible(drop_whole=0.5)[..., leg]
    assert (whole.all(-1) | ~whole.any(-1)).all() and not whole.all()
    # An occluder hides one side of a line, so a joint between two visible ones is visible.
    hidden = ~visible(cover=1.0)
    share = hidden.float().mean(-1)
    assert share.max() <= 0.75 and 0.05 < share.mean() < 0.6


def test_rotations_are_rotations() -> None:
    for matrix in (random.uniform_rotations(50, generator()), random_orientation(50, BodySettings(), generator())):
        torch.testing.assert_close(matrix @ matrix.transpose(1, 2), torch.eye(3).expand(50, 3, 3), atol=1e-5, rtol=0)
        torch.testing.assert_close(torch.linalg.det(matrix), torch.ones(50))


def test_cameras_see_an_upright_person_upright_and_inside() -> None:
    view = draw_view(500, ViewSettings(steep=0.0), generator())
    torch.testing.assert_close(torch.linalg.det(view.rotation), torch.ones(500))
    person = torch.tensor([[[[0.0, 0.0, 0.0], [0.0, 0.5, 0.0]]]]).expand(500, 1, 2, 3)
    body = view.to_camera(person)
    plane = body[..., :2] / body[..., 2:]
    assert (body[:, 0, 1, 1] < body[:, 0, 0, 1]).float().mean() > 0.99  # the head is above the hip: y is down
    assert view.inside(plane)[:, 0, 0].all()
    distance = body[:, 0, 0].norm(dim=-1)
    assert distance.min() >= 2 and distance.max() <= 8


def test_looking_down_brings_the_head_nearer() -> None:
    settings = ViewSettings(steep=1.0, elevation=(30, 60), roll=0.0)
    view = draw_view(100, settings, generator())
    body = view.to_camera(torch.tensor([[[[0.0, 0.0, 0.0], [0.0, 0.7, 0.0]]]]).expand(100, 1, 2, 3))
    assert (body[:, 0, 1].norm(dim=-1) < body[:, 0, 0].norm(dim=-1)).all()


def test_noise_does_not_change_clean_samples_and_scales_with_the_person() -> None:
    plane = standing(27)[None, :, COCO, :2].expand(400, -1, -1, -1) * 0.2
    inside, flawed = torch.ones(400, 27, len(COCO), dtype=torch.bool), torch.arange(400) % 2 == 0
    times = torch.arange(27) / 20
    noisy, seen = corrupt(plane, inside, flawed, times, NoiseSettings(), generator())
    torch.testing.assert_close(noisy[1::2], plane[1::2])
    body = seen[..., : COCO23.index("left_big_toe")]
    assert body[1::2].all()
    assert 0.6 < body[::2].float().mean() < 0.95
    double, _ = corrupt(2 * plane, inside, flawed, times, NoiseSettings(), generator())
    torch.testing.assert_close(double, 2 * noisy, atol=1e-4, rtol=1e-4)
    error = (noisy - plane)[::2].norm(dim=-1).mean((0, 1))
    assert error[COCO23.index("left_wrist")] > 1.3 * error[COCO23.index("left_eye")]


def test_noise_is_correlated_in_time() -> None:
    plane = torch.rand(300, 27, len(COCO), 2)
    flawed = torch.ones(300, dtype=torch.bool)
    still = NoiseSettings(swap=0, drop=0, drop_limb=0, stray=0, drop_whole=0, drop_face=0, half=0, cover=0)
    noisy, _ = corrupt(
        plane, flawed[:, None, None].expand(300, 27, len(COCO)), flawed, torch.arange(27) / 20, still, generator()
    )
    error = noisy - plane
    near = (error[:, 1:] * error[:, :-1]).sum() / error.square().sum()
    far = (error[:, 20:] * error[:, :-20]).sum() / error[:, :7].square().sum()
    assert near > 0.4
    assert far.abs() < 0.1


def test_measured_noise_has_the_measured_size_and_correlation() -> None:
    plane = standing(120)[None, :, COCO, :2].expand(300, -1, -1, -1)
    flawed = torch.ones(300, dtype=torch.bool)
    inside, times = flawed[:, None, None].expand(300, 120, len(COCO)), torch.arange(120) / 30
    noisy, seen = corrupt(plane, inside, flawed, times, MEASURED, generator())
    size = (plane - plane.mean(2, keepdim=True)).square().sum(-1).mean().sqrt()
    error = (noisy - plane) / size
    typical = error.abs().median() * 1.4826 / torch.tensor(SPREAD).square().mean().sqrt()
    assert 0.018 < typical < 0.03  # of one coordinate; by linear interpolation less than MEASURED.level
    steady = error.where(error.abs() < 0.15, 0)  # without strays and swaps
    near = (steady[:, 1:] * steady[:, :-1]).sum() / steady.square().sum()
    assert 0.55 < near < 0.75
    assert not seen[..., SMALL_TOES].any()
    found = [j for j in range(len(COCO23)) if j not in SMALL_TOES]
    assert 0.98 < seen[..., found].float().mean() < 0.995


def test_some_detectors_have_no_feet_or_no_small_toes() -> None:
    plane = standing(5)[None, :, COCO, :2].expand(2000, -1, -1, -1)
    inside, flawed = torch.ones(2000, 5, len(COCO), dtype=torch.bool), torch.zeros(2000, dtype=torch.bool)
    settings = NoiseSettings(no_feet=0.3, no_small_toes=0.5)
    seen = corrupt(plane, inside, flawed, torch.arange(5) / 20, settings, generator())[1]
    assert (seen == seen[:, :1]).all()  # a detector is the same in all frames
    seen = seen[:, 0]
    small, other = seen[:, SMALL_TOES], seen[:, [j for j in range(len(COCO23))[FEET] if j not in SMALL_TOES]]
    assert seen[:, : FEET.start].all()
    assert (small.all(1) | ~small.any(1)).all() and (other.all(1) | ~other.any(1)).all()
    assert 0.27 < (~other[:, 0]).float().mean() < 0.33
    assert 0.46 < (~small[other[:, 0], 0]).float().mean() < 0.54  # among those with feet
    assert not small[~other[:, 0]].any()


def test_sampler_is_reproducible_and_matches_its_target(bank: MotionBank) -> None:
    sampler = Sampler(bank, Framing(27, 1, 13), 20.0, SynthesisSettings(noise=CLEAN))
    batch, again = sampler.draw(64, generator(3)), sampler.draw(64, generator(3))
    torch.testing.assert_close(batch.points, again.points)
    assert batch.visible.all()
    # The keypoints of the middle frame are the projection of the translated target.
    body = [
        MOCAP.index(n) for n in ("left_wrist", "right_wrist", "left_ankle", "right_ankle", "left_shoulder", "right_hip")
    ]
    coco = [COCO.index(j) for j in body]
    rows = torch.zeros(64, len(body), 2, 3)
    rows[..., 0, 0] = rows[..., 1, 1] = 1
    rows[..., 2] = -batch.points[:, 13, coco]
    target = batch.target[:, 0, [JOINTS.index(MOCAP.joints[j]) for j in body]]
    right = batch.points[:, 13, coco] * target[..., 2:] - target[..., :2]
    solution = torch.linalg.lstsq(rows.flatten(1, 2).double(), right.flatten(1)[..., None].double())
    residual = (rows.flatten(1, 2).double() @ solution.solution)[..., 0] - right.flatten(1).double()
    assert residual.abs().max() < 1e-3
    assert (solution.solution[:, 2, 0] > 1).all()


def test_sampler_tells_the_direction_up_of_the_view(bank: MotionBank) -> None:
    """Of the world, not of the body, which may lie; with an error, and not always."""
    upright = BodySettings(tilt=0.0, tumble=0.0, mix=0.0, straight=0.0, crouched=0.0, low=0.0)
    settings = SynthesisSettings(upright, noise=CLEAN, told_up=0.7, up_error=2.0)
    batch = Sampler(bank, Framing(9, 1, 4), 20.0, settings).draw(1000, generator(1))
    torch.testing.assert_close(batch.up.norm(dim=-1), torch.ones(1000))
    head, hip = (batch.target[:, 0, JOINTS.index(name)] for name in ("head", "hip"))
    torch.testing.assert_close(torch.nn.functional.normalize(head - hip, dim=-1), batch.up, atol=1e-4, rtol=0)
    told = batch.given_up.norm(dim=-1) > 0
    assert 0.65 < told.float().mean() < 0.75
    torch.testing.assert_close(batch.given_up[told].norm(dim=-1), torch.ones(int(told.sum())))
    error = torch.rad2deg(torch.acos((batch.given_up * batch.up).sum(-1).clamp(-1, 1)))[told]
    assert 1.7 < error.square().mean().div(2).sqrt() < 2.3  # in each of two axes
    tumbled = SynthesisSettings(replace(upright, tumble=1.0), noise=CLEAN)
    batch = Sampler(bank, Framing(9, 1, 4), 20.0, tumbled).draw(300, generator(1))
    along = (torch.nn.functional.normalize(batch.target[:, 0, JOINTS.index("head")], dim=-1) * batch.up).sum(-1)
    assert along.abs().mean() < 0.65 and (batch.up[:, 1] < 0).float().mean() > 0.95  # heads point anywhere


def test_bank_selects_subjects_and_repeats_the_edge_frames(bank: MotionBank) -> None:
    assert bank.with_subjects(("2",)).names == ("b",)
    assert bank.without_subjects(("2",)).names == ("a",)
    assert bank.without_clips(("a",)).names == ("b",)
    frames = bank.interpolate(torch.tensor([1]), torch.tensor([[-5.0, 0.0, 44.5, 500.0]]))[0]
    torch.testing.assert_close(frames[0], bank.clip(1)[0])
    torch.testing.assert_close(frames[3], bank.clip(1)[-1])
    torch.testing.assert_close(frames[2], (bank.clip(1)[44] + bank.clip(1)[45]) / 2)


@settings(max_examples=60)
@given(share=st.floats(0, 0.999), flip=st.none() | st.integers(1, 255))
def test_a_damaged_file_is_a_typed_error(
    share: float, flip: int | None, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.getbasetemp() / "motion.npz"
    write(path, [Clip("a", "1", "walk", standing(3).numpy(), 60.0)])
    whole = bytearray(path.read_bytes())
    at = int(share * len(whole))
    if flip is None:
        whole = whole[:at]
    else:
        whole[at] ^= flip
    path.write_bytes(whole)
    try:
        found = MotionBank.load(path)
    except DataError as error:
        assert "motion.npz" in str(error)
    else:  # a byte that is not read
        assert flip is not None
        torch.testing.assert_close(found.points, standing(3))
