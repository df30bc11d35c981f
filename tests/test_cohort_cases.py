"""Cases on disk: both BraTS conventions, every kind of damage named in words, any orientation."""

from __future__ import annotations

import gzip
import shutil
from pathlib import Path

import nibabel
import numpy as np
import pytest

from course_utils import cohort
from course_utils.cohort import CohortError
from tests.cases import AFFINE, SHAPE, file_of, make_case, make_case_2023, random_labels, save

# ---------------------------------------------------------------------- loading


@pytest.mark.parametrize("ending", [".nii", ".nii.gz"])
def test_case_is_loaded_as_stored(tmp_path, ending):
    case = make_case(tmp_path, ending=ending)
    loaded = cohort.load_case(case)
    assert loaded.name == "BraTS20_Training_001"
    assert loaded.image.shape == (4, *SHAPE) and loaded.image.dtype == np.float32
    for number, modality in enumerate(cohort.MODALITIES):
        stored = nibabel.load(case / f"{case.name}_{modality}{ending}").get_fdata()
        np.testing.assert_array_equal(loaded.image[number], stored)
    assert loaded.labels.dtype == np.uint8
    np.testing.assert_array_equal(loaded.labels, random_labels())
    np.testing.assert_array_equal(loaded.affine, AFFINE)
    np.testing.assert_allclose(loaded.spacing, 2)
    assert cohort.check_case(case) == []


def test_brats_2023_names_and_labels(tmp_path):
    case = make_case_2023(tmp_path, random_labels((0, 1, 2, 3)))
    assert cohort.check_case(case) == []
    loaded = cohort.load_case(case)
    np.testing.assert_array_equal(loaded.labels, random_labels((0, 1, 2, 4)))
    assert loaded.image[3].max() > 300, "t2f is the FLAIR image"


def test_label_3_means_enhancing_under_the_old_names_too(tmp_path):
    case = make_case(tmp_path, labels=random_labels((0, 1, 2, 3)))
    np.testing.assert_array_equal(cohort.load_case(case).labels, random_labels((0, 1, 2, 4)))


def test_labels_without_enhancing_tumour_are_the_same_in_both_conventions(tmp_path):
    labels = random_labels((0, 1, 2))
    for case in (make_case(tmp_path, labels=labels), make_case_2023(tmp_path, labels)):
        np.testing.assert_array_equal(cohort.load_case(case).labels, labels)


def test_ambiguous_labels_are_refused(tmp_path):
    both = make_case(tmp_path, "both", labels=random_labels((0, 1, 2, 3, 4)))
    with pytest.raises(CohortError, match="both: both_seg.nii.gz has the values 0, 1, 2, 3, 4; .*ambiguous"):
        cohort.load_case(both)
    resected = make_case_2023(tmp_path, random_labels((0, 1, 2, 4)))
    with pytest.raises(CohortError, match="resection cavity"):
        cohort.load_case(resected)


def test_case_without_segmentation_can_be_loaded_but_is_reported(tmp_path):
    case = make_case(tmp_path)
    file_of(case, "seg").unlink()
    save(case / "mask.nii.gz", random_labels())
    assert cohort.load_case(case).labels is None
    assert cohort.check_case(case, need_labels=False) == []
    (problem,) = cohort.check_case(case)
    assert "seg is missing" in problem and "mask.nii.gz" in problem and "rename" in problem


def test_segmentation_under_another_name_is_not_overlooked(tmp_path):
    case = make_case(tmp_path)
    file_of(case, "seg").rename(case / "W39_1998.09.19_Segm.nii.gz")  # as in one case of BraTS 2020
    with pytest.raises(CohortError, match=r"seg is missing.*W39_1998.09.19_Segm.nii.gz.*rename"):
        cohort.load_case(case)
    for need_labels in (True, False):
        (problem,) = cohort.check_case(case, need_labels)
        assert "W39_1998.09.19_Segm.nii.gz" in problem and "rename" in problem


# ---------------------------------------------------------------------- damage


def remove(case: Path) -> None:
    file_of(case, "t2").unlink()


def truncate(case: Path) -> None:
    file = file_of(case, "flair")
    file.write_bytes(file.read_bytes()[:-200])


def empty_file(case: Path) -> None:
    file_of(case, "t1ce").write_bytes(b"")


def not_gzip(case: Path) -> None:
    file_of(case, "t1ce").write_bytes(b"<html>Please log in</html>" * 100)


def truncate_uncompressed(case: Path) -> None:
    contents = gzip.decompress(file_of(case, "t2").read_bytes())
    file_of(case, "t2").unlink()
    (case / f"{case.name}_t2.nii").write_bytes(contents[:-300])


def two_files(case: Path) -> None:
    (case / f"{case.name}_t2.nii").write_bytes(gzip.decompress(file_of(case, "t2").read_bytes()))


def put_nan(case: Path) -> None:
    image = np.ones(SHAPE, np.float32)
    image[3, 3, 3:5] = np.nan
    save(file_of(case, "t1ce"), image)


def all_zero(case: Path) -> None:
    save(file_of(case, "t2"), np.zeros(SHAPE, np.int16))


def other_shape(case: Path) -> None:
    save(file_of(case, "t2"), np.ones((12, 10, 9), np.int16))


def four_dimensions(case: Path) -> None:
    save(file_of(case, "t2"), np.ones((*SHAPE, 2), np.int16))


def other_affine(case: Path) -> None:
    save(file_of(case, "flair"), np.ones(SHAPE, np.int16), np.diag([2.0, 2.0, 2.0, 1.0]))


def labels_of_other_shape(case: Path) -> None:
    save(file_of(case, "seg"), np.zeros((6, 5, 4), np.uint8))


def labels_on_other_affine(case: Path) -> None:
    save(file_of(case, "seg"), random_labels(), np.diag([1.0, 1.0, 1.0, 1.0]))


def unknown_label(case: Path) -> None:
    save(file_of(case, "seg"), random_labels((0, 1, 7)))


def fractional_labels(case: Path) -> None:
    save(file_of(case, "seg"), random_labels() * np.float32(0.5))


def other_than_voxels_follow(case: Path) -> None:
    file = file_of(case, "t2")
    file.write_bytes(file.read_bytes() + b"something else")


def something_follows_inside(case: Path) -> None:
    file = file_of(case, "t2")
    file.write_bytes(gzip.compress(gzip.decompress(file.read_bytes()) + b"something else"))


def copied_over(case: Path) -> None:
    shutil.copy(file_of(case, "t1"), file_of(case, "t1ce"))


def with_offset(case: Path) -> None:
    change_header(file_of(case, "flair"), scl_slope=1, scl_inter=10)


def without_depth(case: Path) -> None:
    change_header(file_of(case, "t2"), srow_z=[0, 0, 0, 0.5], pixdim=[1, 2, 2, 0, 1, 1, 1, 1])


def without_affine(case: Path) -> None:
    change_header(file_of(case, "t2"), srow_x=np.nan)


def without_orientation(case: Path) -> None:
    change_header(file_of(case, "t2"), sform_code=0, qform_code=0)


def contradictory(case: Path) -> None:
    change_header(file_of(case, "t2"), pixdim=[1, 2, 2, 7, 1, 1, 1, 1])


def change_header(file: Path, **values) -> None:
    """Write values into the stored header, where nibabel itself would keep them consistent."""
    contents = bytearray(gzip.decompress(file.read_bytes()))
    header = np.frombuffer(contents, nibabel.nifti1.header_dtype, count=1)
    for name, value in values.items():
        header[name] = value
    file.write_bytes(gzip.compress(contents))


DAMAGE = [
    (other_than_voxels_follow, "t2", "cannot be read"),
    (something_follows_inside, "t2", "14 bytes of something else follow"),
    (copied_over, "t1ce", "_t1.nii.gz and .*_t1ce.nii.gz are the same image"),
    (with_offset, "flair", r"not 0 in 100 %.*smallest value 10.*skull.*scl_inter"),
    (without_depth, "t2", "voxels of 2 x 2 x 0 mm"),
    (without_affine, "t2", "voxels of nan"),
    (without_orientation, "t2", "does not say how it lies"),
    (contradictory, "t2", "2 x 2 x 7 mm by its header's pixdim, 2 x 2 x 2 mm by its affine"),
    (remove, "t2", "t2 is missing"),
    (truncate, "flair", "damaged or was not copied completely"),
    (empty_file, "t1ce", r"cannot be read \(0 bytes"),
    (not_gzip, "t1ce", "cannot be read"),
    (truncate_uncompressed, "t2", "cannot be read"),
    (two_files, "t2", "two files for t2.*Remove one"),
    (put_nan, "t1ce", "2 voxels that are NaN"),
    (all_zero, "t2", "0 everywhere"),
    (other_shape, "t2", r"\(12, 10, 9\).*\(12, 10, 8\)"),
    (four_dimensions, "t2", "4 dimensions"),
    (other_affine, "flair", "another affine"),
    (labels_of_other_shape, "seg", r"\(6, 5, 4\)"),
    (labels_on_other_affine, "seg", "another affine"),
    (unknown_label, "seg", "values 0, 1, 7; labels are 0, 1, 2, 4"),
    (fractional_labels, "seg", "values 0, 0.5, 1, 2; labels are"),
]


@pytest.mark.parametrize(
    ("damage", "kind", "message"), DAMAGE, ids=[damage.__name__ for damage, _, _ in DAMAGE]
)
def test_damage_is_named(tmp_path, damage, kind, message):
    case = make_case(tmp_path)
    damage(case)
    with pytest.raises(CohortError, match=message) as caught:
        cohort.load_case(case)
    assert str(caught.value).startswith("BraTS20_Training_001: ")
    assert f"BraTS20_Training_001_{kind}.nii" in str(caught.value)
    problems = cohort.check_case(case)
    assert len(problems) == 1, problems
    assert problems[0] == str(caught.value).removeprefix("BraTS20_Training_001: ")


@pytest.mark.parametrize("kind", ["flair", "seg"])
def test_no_flipped_bit_changes_voxels_silently(tmp_path, kind):
    """nibabel alone does not come to gzip's checksum: it gives other voxels for about two flips in three."""
    case = make_case(tmp_path)
    file, before = file_of(case, kind), cohort.load_case(case)
    contents = file.read_bytes()
    random, refused = np.random.default_rng(0), 0
    for bit in random.integers(len(contents) * 8, size=100):
        flipped = bytearray(contents)
        flipped[bit // 8] ^= 1 << bit % 8
        file.write_bytes(flipped)
        try:
            loaded = cohort.load_case(case)
        except CohortError:
            assert cohort.check_case(case)
            refused += 1
        else:  # the name or the time in gzip's own header
            np.testing.assert_array_equal(loaded.image, before.image)
            np.testing.assert_array_equal(loaded.labels, before.labels)
            np.testing.assert_array_equal(loaded.affine, before.affine)
    assert refused > 80


def test_zeros_that_fill_up_a_block_do_no_harm(tmp_path):
    case = make_case(tmp_path)
    before = cohort.load_case(case).image
    file = file_of(case, "t2")
    file.write_bytes(gzip.compress(gzip.decompress(file.read_bytes()) + bytes(100)) + bytes(100))
    np.testing.assert_array_equal(cohort.load_case(case).image, before)


def test_a_part_of_another_size_is_not_overlooked_in_an_uncompressed_file(tmp_path):
    case = make_case(tmp_path, ending=".nii")
    file = case / f"{case.name}_flair.nii"
    file.write_bytes(file.read_bytes() + b"1")
    with pytest.raises(CohortError, match="1 bytes of something else follow"):
        cohort.load_case(case)


# ---------------------------------------------------------------------- orientation


def stored_as(case: Path, axes: str) -> None:
    """Store all files of a case with other array axes: the same head at the same place."""
    for file in case.iterdir():
        image = nibabel.load(file)
        there = nibabel.orientations.axcodes2ornt(tuple(axes))
        change = nibabel.orientations.ornt_transform(nibabel.io_orientation(image.affine), there)
        nibabel.save(nibabel.Nifti1Image.from_bytes(image.as_reoriented(change).to_bytes()), file)


@pytest.mark.parametrize("axes", ["LPS", "RAS", "PLS", "ARI", "SRP", "PSL"])
def test_any_orientation_is_loaded_as_that_of_brats(tmp_path, axes):
    case = make_case(tmp_path)
    before = cohort.load_case(case)
    stored_as(case, axes)
    assert "".join(nibabel.aff2axcodes(nibabel.load(file_of(case, "t2")).affine)) == axes
    assert cohort.check_case(case) == []
    loaded = cohort.load_case(case)
    np.testing.assert_array_equal(loaded.image, before.image)
    np.testing.assert_array_equal(loaded.labels, before.labels)
    np.testing.assert_allclose(loaded.affine, before.affine, atol=1e-5)


@pytest.mark.parametrize("axes", ["LPS", "RAS", "PLS", "ARI", "SRP", "PSL"])
def test_labels_are_saved_on_the_scans_own_grid(tmp_path, axes):
    case = make_case(tmp_path)
    stored_as(case, axes)
    loaded = cohort.load_case(case)
    saved = nibabel.load(cohort.save_labels(loaded.labels, tmp_path / "prediction.nii.gz", case))
    reference = nibabel.load(file_of(case, "seg"))
    assert saved.shape == reference.shape
    np.testing.assert_array_equal(saved.affine, reference.affine)
    np.testing.assert_array_equal(np.asarray(saved.dataobj), np.asarray(reference.dataobj))


# ---------------------------------------------------------------------- reports


def test_all_problems_of_a_case_are_listed(tmp_path):
    case = make_case(tmp_path)
    for damage in (remove, put_nan, unknown_label):
        damage(case)
    assert len(cohort.check_case(case)) == 3


def test_bad_cases_are_reported_and_good_ones_kept(tmp_path):
    cases = [make_case(tmp_path, f"BraTS20_Training_{number:03d}") for number in (1, 2, 3, 4)]
    truncate(cases[1])
    for file in cases[3].iterdir():
        file.unlink()
    report = cohort.check_cohort(tmp_path)
    assert report.good == [cases[0], cases[2]]
    assert list(report.bad) == [cases[1], cases[3]]
    text = str(report)
    assert "2 of 4 cases are good" in text
    assert "BraTS20_Training_002" in text and "_flair.nii.gz" in text
    assert len(report.bad[cases[3]]) == 5 and "nothing" in report.bad[cases[3]][0]


def test_damaged_synthetic_case_says_how_to_make_it_again(tmp_path):
    case = make_case(tmp_path, "SynthBraTS_003")
    truncate(case)
    with pytest.raises(
        CohortError, match=rf"run `python data/download.py synthetic --subjects 4 --out {tmp_path}`"
    ):
        cohort.load_case(case)


# ---------------------------------------------------------------------- saving


@pytest.mark.parametrize("ending", [".nii", ".nii.gz"])
def test_saved_labels_open_over_their_scan(tmp_path, ending):
    case = make_case(tmp_path / "cases")
    path = cohort.save_labels(
        random_labels().astype(np.int64), tmp_path / "out" / f"prediction{ending}", case
    )
    saved, scan = nibabel.load(path), nibabel.load(file_of(case, "t1"))
    np.testing.assert_array_equal(saved.affine, scan.affine)
    assert saved.get_data_dtype() == np.uint8
    assert (saved.get_sform(coded=True)[1], saved.get_qform(coded=True)[1]) == (
        scan.get_sform(coded=True)[1],
        scan.get_qform(coded=True)[1],
    )
    np.testing.assert_array_equal(np.asarray(saved.dataobj), random_labels())
    assert [file.name for file in path.parent.iterdir()] == [path.name]
    cohort.save_labels(random_labels(), path, file_of(case, "t2"))  # again, over a single file


def test_labels_that_do_not_fit_are_not_saved(tmp_path):
    case = make_case(tmp_path)
    out = tmp_path / "out.nii.gz"
    with pytest.raises(CohortError, match=r"\(3, 3, 3\).*\(12, 10, 8\).*paste"):
        cohort.save_labels(np.zeros((3, 3, 3), np.uint8), out, case)
    with pytest.raises(CohortError, match=r"unknown label values \[3\]"):
        cohort.save_labels(random_labels((0, 1, 2, 3)), out, case)
    with pytest.raises(CohortError, match="does not end in"):
        cohort.save_labels(random_labels(), tmp_path / "out.png", case)
    assert not out.exists()


def test_failed_save_leaves_the_old_file(tmp_path, monkeypatch):
    case = make_case(tmp_path / "cases")
    out = cohort.save_labels(random_labels(), tmp_path / "out.nii.gz", case)
    before = out.read_bytes()

    def fail(*_):
        raise OSError("no space left on device")

    monkeypatch.setattr("os.replace", fail)
    with pytest.raises(OSError, match="no space"):
        cohort.save_labels(np.zeros(SHAPE, np.uint8), out, case)
    assert out.read_bytes() == before
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["cases", "out.nii.gz"]
