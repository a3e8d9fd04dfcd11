import tarfile
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from kinelift.poses.errors import DataError
from kinelift.recognition.data import labelled_folder, msr_action3d
from kinelift.recognition.data.clips import Dataset
from tests.recognition.data.folders import same
from tests.recognition.data.samples import msr_points, packed, write_msr

K = msr_action3d.SKELETON


@pytest.fixture(scope="module")
def real(shared: Path) -> Dataset:
    return msr_action3d.read(archive(shared))


def archive(shared: Path) -> Path:
    path = shared / "data/msr_action3d/msr_action3d_real3d.tar.xz"
    if not path.is_file():
        pytest.skip(f"no {path}")
    return path


def middle(points: np.ndarray, *joints: str) -> np.ndarray:
    return points[:, [K.index(name) for name in joints]].mean(axis=1)


def test_files_become_clips_by_their_names(tmp_path: Path) -> None:
    path = write_msr(tmp_path / "msr", a01_s01_e01=msr_points(4), a20_s10_e03=msr_points(5), a20_s10_e02=msr_points(6))
    first, second = msr_action3d.read(path).clips
    assert (first.name, first.subject, first.split) == ("a01_s01_e01", "s01", "train")
    assert (second.name, second.subject, second.split) == ("a20_s10_e02", "s10", "test")
    assert [clip.segments[0].label for clip in (first, second)] == ["high arm wave", "pickup & throw"]
    np.testing.assert_allclose(first.points, msr_points(4) * [-1, -1, 1])
    np.testing.assert_allclose(np.diff(second.times), 1 / 15)


def test_an_archive_reads_like_its_folder(tmp_path: Path) -> None:
    path = write_msr(tmp_path / "msr", a01_s01_e01=msr_points(4), a02_s02_e01=msr_points(5))
    same(msr_action3d.read(packed(path, "msr.tar.xz")), msr_action3d.read(path))


def test_lost_bodies_are_interpolated_and_cut_off_at_the_ends(tmp_path: Path) -> None:
    points = msr_points(12)
    points[[0, 4, 5, 11]] = 0
    dataset = msr_action3d.read(write_msr(tmp_path / "msr", a01_s01_e01=points))
    (clip,) = dataset.clips
    np.testing.assert_allclose(clip.points, msr_points(12)[1:11] * [-1, -1, 1], atol=1e-9)
    np.testing.assert_allclose(clip.times, np.arange(1, 11) / 15)
    assert [str(flaw) for flaw in dataset.flaws] == [
        "a01_s01_e01: no pose in 2 of 12 frames at the ends; cut off",
        "a01_s01_e01: no pose in 2 of 12 frames, up to 2 in a row; interpolated linearly",
    ]


def test_unlisted_sequences_can_be_kept_and_are_reported(tmp_path: Path) -> None:
    path = write_msr(tmp_path / "msr", a02_s03_e02=msr_points(4), a13_s09_e02=0 * msr_points(3))
    assert [flaw.done for flaw in msr_action3d.read(path).flaws] == ["left out"] * 2
    dataset = msr_action3d.read(path, listed=False)
    assert [clip.name for clip in dataset.clips] == ["a02_s03_e02"]
    assert [str(flaw) for flaw in dataset.flaws] == ["a13_s09_e02: no pose in any of 3 frames; left out"]


@pytest.mark.parametrize("text", ["", "1 2 3", "1 2 3 x\n" * 20, "1 2 3 4\n" * 19])
def test_damaged_files_are_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "a01_s01_e01_skeleton3D.txt").write_text(text)
    with pytest.raises(DataError, match=r"a01_s01_e01_skeleton3D\.txt in"):
        msr_action3d.read(tmp_path)


def test_other_paths_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="has no files such as"):
        msr_action3d.read(tmp_path)
    with pytest.raises(DataError, match="There is no"):
        msr_action3d.read(tmp_path / "none.tar")
    (tmp_path / "cut.tar.xz").write_bytes(
        packed(write_msr(tmp_path / "m", a01_s01_e01=msr_points(9)), "x").read_bytes()[:99]
    )
    with pytest.raises(DataError, match="damaged"):
        msr_action3d.read(tmp_path / "cut.tar.xz")


@pytest.mark.parametrize(
    ("labels", "counts"),
    [(msr_action3d.AS1, (114, 105)), (msr_action3d.AS2, (116, 112)), (msr_action3d.AS3, (111, 111))],
)
def test_published_counts_of_the_subsets(real: Dataset, labels: tuple[str, ...], counts: tuple[int, int]) -> None:
    splits = Counter(clip.split for clip in real.with_labels(labels).clips)
    assert (splits["train"], splits["test"]) == counts


def test_clips_are_those_on_the_list_of_the_data_set(real: Dataset, shared: Path) -> None:
    with tarfile.open(archive(shared)) as file:
        listing = file.extractfile("./real_world_coordinates/files_used_in_cvpr12_paper.txt")
        assert listing is not None
        assert [clip.name for clip in real.clips] == sorted(listing.read().decode().split())
    assert len(real.flaws) == 23


def test_real_bodies_stand_upright_before_the_camera_and_are_not_mirrored(real: Dataset) -> None:
    """Camera axes: y down, z forward. Left is where a body that faces its feet's way has it, in right-handed axes."""
    across, down, ahead, sides = [], [], [], []
    for clip in real.clips:
        p = clip.points
        across.append((middle(p, "left_shoulder") - middle(p, "right_shoulder")).mean(axis=0))
        down.append((middle(p, "hip") - middle(p, "head")).mean(axis=0))
        ahead.append((middle(p, "left_foot", "right_foot") - middle(p, "left_ankle", "right_ankle")).mean(axis=0))
        sides.append(np.linalg.norm(np.diff(p, axis=0), axis=-1).sum(axis=0))
        assert np.isfinite(p).all()
    assert np.median(down, axis=0)[1] == pytest.approx(0.6, abs=0.1)
    assert np.median(ahead, axis=0)[2] < -0.1
    assert np.median(across, axis=0)[0] == pytest.approx(0.33, abs=0.05)
    facing = np.cross(across, -np.array(down))
    assert (np.einsum("nc,nc->n", facing, ahead) > 0).mean() > 0.98
    one_handed = [n for n, clip in enumerate(real.clips) if clip.segments[0].label in msr_action3d.ACTIONS[:9]]
    paths = np.array(sides)[one_handed]
    assert (paths[:, K.index("right_hand")] > paths[:, K.index("left_hand")]).mean() > 0.98


def test_real_clips_survive_the_folder(real: Dataset, tmp_path: Path) -> None:
    part = real.with_clips(real.clips[::40])
    labelled_folder.write(tmp_path / "out", part)
    same(labelled_folder.read(tmp_path / "out"), part)
