"""The two real scans, and the script that derives them: no face, voxels and place unchanged."""

import gzip
import importlib.util
from pathlib import Path

import nibabel
import numpy as np
import pytest
from scipy import ndimage

from course_utils import cohort

ROOT = Path(__file__).resolve().parents[1]
ASSETS = ROOT / "course_utils" / "assets" / "real_scans"


@pytest.fixture(scope="module")
def script():
    specification = importlib.util.spec_from_file_location(
        "make_real_scans", ROOT / "scripts/make_real_scans.py"
    )
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def scans():
    return cohort.real_scans()


@pytest.mark.parametrize(("number", "slices", "tumour_voxels"), [(0, 25, 4137), (1, 23, 453)])
def test_what_the_source_states(scans, number, slices, tumour_voxels):
    scan = scans[number]
    assert scan.modalities == ("t1ce",)
    assert scan.image.shape == (1, 256, 256, slices) and scan.image.dtype == np.float32
    assert scan.labels.shape == (256, 256, slices) and scan.labels.dtype == np.uint8
    assert set(np.unique(scan.labels)) == {0, 1} and np.count_nonzero(scan.labels) == tumour_voxels
    np.testing.assert_allclose(scan.spacing, (0.78125, 0.78125, 6.5))
    assert nibabel.aff2axcodes(scan.affine) == ("L", "P", "S")


def test_the_tumour_lies_in_the_head_and_enhances(scans):
    for scan in scans:
        tumour = scan.labels == 1
        ring = ndimage.binary_dilation(tumour, np.ones((9, 9, 1))) & ~tumour
        assert scan.image[0][tumour].min() > 0
        assert scan.image[0][tumour].mean() > scan.image[0][ring & (scan.image[0] > 0)].mean()


def test_no_face_is_left(scans):
    """In the lowest slices, those of jaw, mouth and nose, the front third of the head is blank."""
    for scan in scans:
        lowest = scan.image[0, :, :, :3]
        head = np.flatnonzero(lowest.any(axis=(0, 2)))  # the second axis runs to the back
        assert head.min() > 256 // 3, "something in front of the ears is left"
        assert scan.image[0, 128, :40, :6].max() == 0, "the nose"


def test_small_and_with_their_licence():
    scans = list(ASSETS.rglob("*.nii.gz"))
    assert len(scans) == 4 and sum(file.stat().st_size for file in scans) < 3e6
    for notice in (ASSETS / "NOTICE", ROOT / "LICENSE"):
        text = notice.read_text(encoding="utf-8")
        assert "Copyright 2017 Harvard Medical School" in text and "PyRadiomics 3.0.1" in text


def write_nrrd(path, values, type_name):
    header = (
        f"NRRD0004\n# a comment: with a colon\ntype: {type_name}\ndimension: 3\n"
        "space: left-posterior-superior\n"
        f"sizes: {' '.join(map(str, values.shape))}\nspace directions: (0.8,0,0) (0,-0.8,0) (0,0,6.5)\n"
        "kinds: domain domain domain\nendian: little\nencoding: gzip\nspace origin: (-50,40,-30)\n\n"
    )
    path.write_bytes(header.encode() + gzip.compress(values.tobytes(order="F")))


def test_nrrd_is_read_with_its_place(script, tmp_path):
    values = np.arange(24, dtype="<i2").reshape(2, 3, 4)
    write_nrrd(tmp_path / "a.nrrd", values, "short")
    read, affine = script.read_nrrd(tmp_path / "a.nrrd")
    np.testing.assert_array_equal(read, values)
    left_posterior_superior = np.array([-50 + 0.8 * 1, 40 - 0.8 * 2, -30 + 6.5 * 3])
    np.testing.assert_allclose(affine @ [1, 2, 3, 1], [*(left_posterior_superior * [-1, -1, 1]), 1])


def test_other_nrrd_files_are_refused(script, tmp_path):
    write_nrrd(tmp_path / "a.nrrd", np.zeros((2, 2, 2), "<i2"), "short")
    text = (tmp_path / "a.nrrd").read_bytes().replace(b"posterior", b"anterior")
    (tmp_path / "a.nrrd").write_bytes(text)
    with pytest.raises(SystemExit, match="its space is 'left-anterior-superior'"):
        script.read_nrrd(tmp_path / "a.nrrd")


def test_the_script_blanks_what_is_far_from_the_brain(script, tmp_path):
    """A ball of tissue in a bright shell, and a bar that sticks out like a nose: the bar's tip goes."""
    x, y, z = np.meshgrid(*(np.arange(size) - size // 2 for size in (160, 160, 15)), indexing="ij")
    radius = np.sqrt((0.8 * x) ** 2 + (0.8 * y) ** 2 + (6.5 * z) ** 2)
    head = np.where(radius < 40, 500, np.where((radius > 43) & (radius < 48), 1500, 0)).astype("<i2")
    nose = (abs(x) < 5) & (y > 58) & (y < 79) & (abs(z) < 2)
    head[nose] = 1500
    for name in ("brain1", "brain2"):
        write_nrrd(tmp_path / f"{name}_image.nrrd", head, "short")
        write_nrrd(tmp_path / f"{name}_label.nrrd", (radius < 6).astype("<i4"), "int")
    script.main([str(tmp_path), "--out", str(tmp_path / "out")])
    for name in script.NAMES:
        kept = nibabel.load(tmp_path / "out" / name / f"{name}_t1ce.nii.gz").get_fdata()
        assert np.array_equal(kept[radius < 48], head[radius < 48])
        assert not kept[nose & (0.8 * y > 40 + script.KEPT_AROUND_BRAIN_MM + 2)].any()
        assert nibabel.load(tmp_path / "out" / name / f"{name}_seg.nii.gz").get_fdata().sum() == np.sum(
            radius < 6
        )
