"""Cases on disk: both BraTS conventions, and every kind of damage named in words."""

from __future__ import annotations

import gzip
from pathlib import Path

import nibabel
import numpy as np
import pytest

from course_utils import cohort
from course_utils.cohort import CohortError
from course_utils.phantom.grids import brats_affine

SHAPE = (12, 10, 8)
AFFINE = brats_affine(2.0)
NAMES_2023 = {"t1": "t1n", "t1ce": "t1c", "t2": "t2w", "flair": "t2f", "seg": "seg"}


def save(path: Path, values: np.ndarray, affine: np.ndarray = AFFINE) -> None:
    nibabel.save(nibabel.Nifti1Image(values, affine), path)


def random_labels(values: tuple[int, ...] = (0, 1, 2, 4)) -> np.ndarray:
    """Labels with every value in them."""
    labels = np.zeros(SHAPE, np.uint8)
    for position, value in enumerate(values):
        labels[2 + position, 3:6, 2:5] = value
    return labels


def make_case(
    folder: Path,
    name: str = "BraTS20_Training_001",
    ending: str = ".nii.gz",
    labels: np.ndarray | None = None,
) -> Path:
    """A small good case: modality i has the values 100 i + 1..99 in a block of brain."""
    case = folder / name
    case.mkdir(parents=True)
    rng = np.random.default_rng(0)
    for number, modality in enumerate(cohort.MODALITIES):
        image = np.zeros(SHAPE, np.int16)
        image[2:9, 2:8, 1:7] = 100 * number + rng.integers(1, 100, (7, 6, 6))
        save(case / f"{name}_{modality}{ending}", image)
    save(case / f"{name}_seg{ending}", random_labels() if labels is None else labels)
    return case


def make_case_2023(folder: Path, labels: np.ndarray, name: str = "BraTS-GLI-00005-000") -> Path:
    case = make_case(folder, name, labels=labels)
    for modality, new in NAMES_2023.items():
        (case / f"{name}_{modality}.nii.gz").rename(case / f"{name}-{new}.nii.gz")
    return case


def file_of(case: Path, kind: str) -> Path:
    return case / f"{case.name}_{kind}.nii.gz"


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


DAMAGE = [
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


# ---------------------------------------------------------------------- finding


def test_cases_are_found_in_order(tmp_path):
    cases = [make_case(tmp_path, name) for name in ("b", "a", "c")]
    (tmp_path / ".hidden.part").mkdir()
    (tmp_path / "cohort.json").write_text("{}")
    assert cohort.find_cases(tmp_path) == sorted(cases)


def test_folder_without_cases_is_explained(tmp_path):
    with pytest.raises(CohortError, match="no folder .*nowhere.*download.py synthetic --out"):
        cohort.find_cases(tmp_path / "nowhere")
    with pytest.raises(CohortError, match="holds no case.*download.py synthetic"):
        cohort.find_cases(tmp_path)
    case = make_case(tmp_path / "data" / "Training")
    with pytest.raises(CohortError, match="one level further down.*Training"):
        cohort.find_cases(tmp_path / "data")
    with pytest.raises(CohortError, match="single case: use the folder above"):
        cohort.find_cases(case)
    with pytest.raises(CohortError, match="there is no folder"):
        cohort.load_case(tmp_path / "nobody")


def test_synthetic_cases_are_made_where_the_course_keeps_its_data(tmp_path, monkeypatch):
    from course_utils import phantom

    asked = []
    monkeypatch.setenv("COURSE_DATA", str(tmp_path))
    monkeypatch.setattr(
        phantom, "write_cohort", lambda folder, subjects: asked.append((folder, subjects)) or ["case"]
    )
    assert cohort.synthetic_cases(7) == ["case"]
    assert asked == [(tmp_path.resolve() / "synthetic", 7)]


def test_synthetic_cases_do_not_touch_another_cohort(tmp_path, monkeypatch):
    monkeypatch.setenv("COURSE_DATA", str(tmp_path))
    make_case(tmp_path / "synthetic")
    with pytest.raises(CohortError, match="not a synthetic cohort"):
        cohort.synthetic_cases(1)


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


# ---------------------------------------------------------------------- preparing


def test_normalise_uses_the_brain_only(tmp_path):
    image = cohort.load_case(make_case(tmp_path)).image
    before = image.copy()
    brain = cohort.brain_mask(image)
    result = cohort.normalise(image)
    assert result.dtype == np.float32 and result.shape == image.shape
    np.testing.assert_allclose(result[:, brain].mean(axis=1), 0, atol=1e-5)
    np.testing.assert_allclose(result[:, brain].std(axis=1), 1, atol=1e-5)
    assert not result[:, ~brain].any()
    np.testing.assert_array_equal(image, before)
    # The scanner's gain and offset do not matter.
    np.testing.assert_allclose(cohort.normalise(image * 7 + 3 * brain), result, atol=1e-4)


def test_normalise_clips_outliers_and_survives_a_constant():
    rng = np.random.default_rng(0)
    image = rng.normal(100, 10, (1, 20, 20, 20))
    with_outlier = image.copy()
    with_outlier[0, 3, 3, 3] = 1e6
    np.testing.assert_allclose(cohort.normalise(with_outlier)[0, 5], cohort.normalise(image)[0, 5], atol=0.02)
    assert not cohort.normalise(np.full((1, 4, 4, 4), 5.0)).any()


def test_normalise_refuses_what_it_cannot_do():
    with pytest.raises(CohortError, match="mask is empty"):
        cohort.normalise(np.zeros((4, *SHAPE)))
    with pytest.raises(CohortError, match=r"\(2, 2, 2\)"):
        cohort.normalise(np.ones((4, *SHAPE)), np.ones((2, 2, 2), bool))


def test_class_indices_regions_and_labels_agree():
    labels = random_labels()
    indices = cohort.class_indices(labels)
    assert indices.dtype == np.int64 and set(np.unique(indices)) == {0, 1, 2, 3}
    np.testing.assert_array_equal(cohort.brats_labels(indices), labels)
    np.testing.assert_array_equal(labels, random_labels(), err_msg="the labels were changed")
    np.testing.assert_array_equal(cohort.region_mask(labels, "WT"), indices > 0)
    np.testing.assert_array_equal(cohort.region_mask(labels, "TC"), (indices == 1) | (indices == 3))
    np.testing.assert_array_equal(cohort.region_mask(labels, "ET"), labels == 4)


def test_brain_box_and_paste_undo_each_other():
    brain = np.zeros((12, 10, 8), bool)
    brain[1:6, 4:10, 3] = True
    assert cohort.brain_box(brain) == (slice(1, 6), slice(4, 10), slice(3, 4))
    box = cohort.brain_box(brain, (8, 4, 2))
    assert [side.stop - side.start for side in box] == [8, 8, 2]
    assert all(0 <= side.start and side.stop <= size for side, size in zip(box, brain.shape))
    np.testing.assert_array_equal(cohort.paste(brain[box], box, brain.shape), brain)
    with pytest.raises(CohortError, match="axis 1.*16.*Pad"):
        cohort.brain_box(brain, (1, 16, 1))
    with pytest.raises(CohortError, match="empty"):
        cohort.brain_box(np.zeros(SHAPE, bool))


# ---------------------------------------------------------------------- splitting


def test_split_is_disjoint_reproducible_and_independent_of_order():
    cases = [Path(f"SynthBraTS_{number:03d}") for number in range(20)]
    parts = cohort.split(cases, seed=3, train=12, validation=3, test=5)
    assert [len(part) for part in parts] == [12, 3, 5]
    assert sorted([*parts.train, *parts.validation, *parts.test]) == cases
    assert cohort.split(cases[::-1], 3, 12, 3, 5) == parts
    assert cohort.split(cases, 4, 12, 3, 5) != parts


def test_scans_of_a_subject_stay_together():
    cases = [Path(f"BraTS-GLI-{subject:05d}-{time:03d}") for subject in range(10) for time in range(3)]
    parts = cohort.split(cases, seed=0, train=6, validation=2, test=2)
    assert [len(part) for part in parts] == [18, 6, 6]
    subjects = [{cohort.subject_of(case) for case in part} for part in parts]
    assert not (subjects[0] & subjects[1] or subjects[0] & subjects[2] or subjects[1] & subjects[2])
    assert cohort.subject_of("BraTS20_Training_001") == "BraTS20_Training_001"


def test_split_that_asks_for_too_much_is_refused():
    with pytest.raises(CohortError, match=r"5 \+ 2 \+ 2 subjects were asked for, but there are 8"):
        cohort.split([f"case_{number}" for number in range(8)], 0, 5, 2, 2)
    with pytest.raises(CohortError, match="negative"):
        cohort.split(["a", "b"], 0, 2, -1, 1)
