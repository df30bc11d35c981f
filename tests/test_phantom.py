"""The synthetic cohort: its equations, its geometry, its reproducibility, and how hard it is."""

from __future__ import annotations

import functools
import hashlib
import inspect
import json
import os
import shutil
import signal
import stat
import subprocess
import sys
import time
from concurrent.futures import Future
from pathlib import Path

import nibabel
import numpy as np
import psutil
import pytest
from scipy import ndimage
from sklearn.ensemble import RandomForestClassifier

from course_utils import cohort
from course_utils.phantom import (
    CohortMismatchError,
    Subject,
    atlas,
    make_subject,
    mr_signal,
    subject,
    write_cohort,
    writing,
)
from course_utils.phantom.atlas import ATLAS_FILE, load_atlas
from course_utils.phantom.grids import (
    BRATS_SIZE_MM,
    bounding_box,
    brats_affine,
    brats_grid,
    interpolate,
    sample,
)
from course_utils.phantom.lesions import drop_specks
from course_utils.phantom.random_fields import gaussian_random_field
from course_utils.phantom.scanner import add_rician_noise
from course_utils.phantom.tumour_growth import COARSE_SPACING_MM, Diffusion, sphere_radius, stable_time_step
from tests import promises

REPOSITORY = Path(__file__).resolve().parent.parent
DOWNLOAD = REPOSITORY / "data" / "download.py"
COARSE = 4.0  # mm: fast subjects, for tests that do not look at the voxels


coarse_subject = functools.lru_cache(maxsize=None)(lambda index: make_subject(0, index, COARSE))
"""Subjects at 4 mm with seed 0, made once for all tests that only write and read them."""


@pytest.fixture(scope="module")
def twelve() -> list[Subject]:
    """Twelve subjects at 2 mm; two of them, 5 and 11, are low-grade."""
    return [make_subject(0, index) for index in range(12)]


@pytest.fixture(params=["two coarse", pytest.param("twelve", marks=pytest.mark.slow)])
def subjects(request) -> list[Subject]:
    """Two subjects at 4 mm, of which 5 is low-grade; or the twelve."""
    if request.param == "twelve":
        return request.getfixturevalue("twelve")
    return [coarse_subject(1), coarse_subject(5)]


@pytest.fixture(scope="module")
def written(tmp_path_factory) -> Path:
    """A cohort of two subjects at 4 mm, written by one process. Not to be changed: see ``made_cohort``."""
    folder = tmp_path_factory.mktemp("cohort") / "made"
    write_cohort(folder, 2, COARSE, workers=1, progress=False)
    return folder


@pytest.fixture
def made_cohort(written, tmp_path, monkeypatch) -> Path:
    """A copy of ``written``; what ``write_cohort`` makes in addition comes from ``coarse_subject``."""
    monkeypatch.setattr(writing, "make_subject", lambda seed, index, spacing: coarse_subject(index))
    return Path(shutil.copytree(written, tmp_path / "made"))


def contents_of(folder: Path) -> dict[str, bytes]:
    """All files below a folder, also the hidden ones."""
    return {
        str(file.relative_to(folder)): file.read_bytes()
        for file in sorted(folder.rglob("*"))
        if file.is_file()
    }


def voxel_hash(made: Subject) -> str:
    """One number for all voxels of a subject."""
    digest = hashlib.sha256(made.labels.tobytes())
    for name in sorted(made.images):
        digest.update(made.images[name].tobytes())
    return digest.hexdigest()


# ---------------------------------------------------------------------- equations


def test_random_field_has_unit_variance_and_its_correlation_length():
    spacing, correlation = 2.0, 6.0
    field = gaussian_random_field((80, 80, 80), correlation, spacing, np.random.default_rng(0))
    assert field.dtype == np.float32
    assert field.mean() == pytest.approx(0, abs=1e-4) and field.std() == pytest.approx(1, abs=1e-4)
    # White noise smoothed by a Gaussian of standard deviation s has the autocorrelation exp(-d^2 / (4 s^2)).
    for voxels in (2, 4):
        measured = np.mean(field[voxels:] * field[:-voxels])
        assert measured == pytest.approx(np.exp(-((voxels * spacing) ** 2) / (4 * correlation**2)), abs=0.08)


def test_separable_interpolation_equals_the_general_one():
    volume = np.random.default_rng(0).standard_normal((7, 9, 8)).astype(np.float32)
    start, step, shape = (0.3, 1.2, 0.0), 0.7, (8, 9, 6)
    indices = np.meshgrid(
        *(first + step * np.arange(size) for first, size in zip(start, shape)), indexing="ij"
    )
    np.testing.assert_allclose(interpolate(volume, start, step, shape), sample(volume, indices), atol=1e-5)


def test_diffusion_keeps_the_total_and_stays_out_of_fluid():
    rng = np.random.default_rng(0)
    coefficient = rng.uniform(0.1, 0.3, (12, 11, 10))
    coefficient[6] = 0  # a wall of fluid
    density = np.zeros(coefficient.shape, np.float32)
    density[3, 5, 5] = 1
    step = Diffusion(coefficient, stable_time_step(coefficient))
    for _ in range(100):
        density = step(density)
    assert density.sum() == pytest.approx(1, abs=1e-4)
    assert density.min() >= -1e-6
    assert density[4].sum() > 0.01, "it should have spread"
    assert not density[6:].any(), "it crossed the fluid"


def test_growth_travels_at_fishers_speed():
    """A plane front of du/dt = D u'' + rho u (1 - u) moves at 2 sqrt(D rho) (Fisher 1937)."""
    diffusion, rho, dt = 1.0, 0.05, 0.5
    density = np.zeros((200, 1, 1), np.float32)
    density[:3] = 1
    step = Diffusion(np.full(density.shape, diffusion), dt)
    position = {}
    for iteration in range(1, 1801):
        density = step(density)
        density += dt * rho * density * (1 - density)
        if iteration in (1000, 1800):
            position[iteration] = np.count_nonzero(density > 0.5) * COARSE_SPACING_MM
    speed = (position[1800] - position[1000]) / (800 * dt)
    assert speed == pytest.approx(2 * np.sqrt(diffusion * rho), rel=0.06)


def test_sphere_radius():
    assert sphere_radius(4 / 3 * np.pi) == pytest.approx(10)  # a sphere of 10 mm has 4.19 ml


def test_signal_equations_in_their_limits():
    tissue = mr_signal.Tissue(1000, 100, 0.8)
    assert mr_signal.spin_echo(tissue, 1e9, 0) == pytest.approx(0.8)
    assert mr_signal.spin_echo(tissue, 1000, 100) == pytest.approx(0.8 * (1 - np.exp(-1)) * np.exp(-1))
    inversion = mr_signal.nulling_inversion_time(4300, 9000)
    assert inversion == pytest.approx(2480.5, abs=0.1)  # 4300 (0.69315 - 0.11628), by hand
    assert mr_signal.inversion_recovery(mr_signal.FLUID, 9000, 120, inversion) == pytest.approx(0, abs=1e-12)
    assert mr_signal.inversion_recovery(tissue, 1e9, 0, 1e9) == pytest.approx(0.8)


def test_contrast_agent_shortens_t1_by_the_relaxivity():
    with_agent = mr_signal.with_contrast_agent(mr_signal.Tissue(1000, 100, 0.8), 1.0)
    assert with_agent.t1 == pytest.approx(1000 / 4.7)  # 1/T1' = 1/s + 3.7 /(mM s) * 1 mM
    assert (with_agent.t2, with_agent.proton_density) == (100, 0.8)


def test_contrasts_are_those_of_the_sequences():
    protocol = mr_signal.draw_protocol(mr_signal.FLUID, np.random.default_rng(0))
    tissues = {"white": mr_signal.WHITE_MATTER, "grey": mr_signal.GREY_MATTER, "fluid": mr_signal.FLUID}
    tissues["oedema"] = mr_signal.OEDEMA
    of = {
        name: mr_signal.signals(name, tissues, protocol, dict.fromkeys(tissues, 0.0))
        for name in mr_signal.MODALITIES
    }
    assert of["t1"]["white"] > of["t1"]["grey"] > of["t1"]["fluid"]
    assert of["t2"]["fluid"] > of["t2"]["oedema"] > of["t2"]["grey"] > of["t2"]["white"]
    assert of["flair"]["oedema"] > of["flair"]["grey"] > of["flair"]["white"] > of["flair"]["fluid"]
    assert of["t1ce"] == of["t1"]  # no agent, no change
    with pytest.raises(ValueError, match="t1ce"):
        mr_signal.signals("t1w", tissues, protocol, {})


def test_noise_is_rician():
    rng = np.random.default_rng(0)
    background = add_rician_noise(np.zeros((60, 60, 60), np.float32), 2.0, 2.0, rng)
    rayleigh_mean = 2.0 * np.sqrt(np.pi / 2)  # without signal the Rician distribution is the Rayleigh
    assert background.mean() == pytest.approx(rayleigh_mean, rel=0.01)
    bright = add_rician_noise(np.full((60, 60, 60), 100, np.float32), 2.0, 2.0, rng)
    assert bright.mean() == pytest.approx(np.sqrt(100**2 + 2.0**2), rel=1e-3)
    assert bright.std() == pytest.approx(2.0, rel=0.02)


def test_annotator_draws_no_specks():
    labels = np.zeros((30, 30, 30), np.uint8)
    labels[5:15, 5:15, 5:15] = 2
    labels[7:13, 7:13, 7:13] = 1
    labels[8, 8, 8] = 4  # one enhancing voxel of 8 mm^3 in the core
    labels[25, 25, 25] = 4  # an island far away
    labels[15:25, 10, 10] = 2  # a thread of oedema
    drawn = drop_specks(labels, 2.0)
    assert drawn[8, 8, 8] == 1
    assert drawn[25, 25, 25] == 0
    assert not drawn[18:25, 10, 10].any()
    assert drawn[6, 6, 6] == 2 and drawn[10, 10, 10] == 1
    assert not (drawn == 4).any()


def test_tissue_fractions_add_up(monkeypatch):
    totals = []

    def recorded(tissues, lesions, confounders):
        fractions = original(tissues, lesions, confounders)
        totals.append(sum(fractions.values())[tissues.brain])
        assert min(float(fraction.min()) for fraction in fractions.values()) >= -1e-6
        return fractions

    original = subject.tissue_fractions
    monkeypatch.setattr(subject, "tissue_fractions", recorded)
    make_subject(0, 2, COARSE)
    np.testing.assert_allclose(totals[0], 1, atol=1e-4)


# ---------------------------------------------------------------------- atlas


def test_atlas_is_small_and_plausible():
    assert ATLAS_FILE.stat().st_size < 1e6
    assert "McGill" in (ATLAS_FILE.parent / "NOTICE").read_text(encoding="utf-8")
    atlas = load_atlas()
    millilitres = atlas.spacing**3 / 1000
    # The template is larger than a brain, which has about 1.2-1.5 l, of which about 45 % is white matter.
    assert 1600 < atlas.brain.sum() * millilitres < 2000
    assert 0.55 < atlas.white_matter.sum() / atlas.grey_matter.sum() < 0.95
    assert 5 < atlas.ventricles.sum() * millilitres < 60


def test_script_reproduces_the_atlas():
    pytest.importorskip("nilearn")
    sys.path.insert(0, str(REPOSITORY / "scripts"))
    try:
        import make_atlas
    finally:
        sys.path.pop(0)
    made = make_atlas.make_atlas(make_atlas.template_folder())
    with np.load(ATLAS_FILE) as shipped:
        assert set(shipped) == set(made)
        for name in shipped:
            np.testing.assert_array_equal(shipped[name], made[name], err_msg=name)


@pytest.mark.parametrize("contents", [b"", b"version https://git-lfs.github.com/spec/v1\n", "half"])
def test_a_damaged_atlas_is_named(tmp_path, monkeypatch, contents):
    file = tmp_path / "atlas.npz"
    whole = ATLAS_FILE.read_bytes()
    file.write_bytes(whole[: len(whole) // 2] if contents == "half" else contents)
    monkeypatch.setattr(atlas, "ATLAS_FILE", file)
    with pytest.raises(RuntimeError, match=r"atlas.npz is damaged.*git checkout"):
        load_atlas.__wrapped__()


# ---------------------------------------------------------------------- geometry


def test_affine_at_1_mm_is_that_of_brats():
    expected = [[-1, 0, 0, 0], [0, -1, 0, 239], [0, 0, 1, 0], [0, 0, 0, 1]]
    np.testing.assert_array_equal(brats_affine(1.0), expected)
    assert brats_grid(1.0).shape == (240, 240, 155)


@pytest.mark.parametrize("spacing", [1.0, 1.75, 2.0, 4.0])
def test_grid_and_affine_agree(spacing):
    """The phantom computes with R, A, S axes around the middle of the field of view; files have L, P, S."""
    grid = brats_grid(spacing)
    middle = brats_affine(1.0)[:3] @ [*((size - 1) / 2 for size in BRATS_SIZE_MM), 1]
    index = (3, 5, 7)
    flipped = (grid.shape[0] - 1 - index[0], grid.shape[1] - 1 - index[1], index[2])
    position = [start + spacing * i for start, i in zip(grid.start, flipped)]
    np.testing.assert_allclose(brats_affine(spacing)[:3] @ [*index, 1] - middle, position)


def test_voxels_are_as_in_brats(subjects):
    for made in subjects:
        edge = abs(made.affine[0, 0])
        assert made.labels.shape == tuple(int(np.ceil(size / edge)) for size in BRATS_SIZE_MM)
        assert made.labels.dtype == np.uint8
        assert set(np.unique(made.labels)) <= {0, 1, 2, 4}
        brain = made.images["t1"] > 0
        for image in made.images.values():
            assert image.dtype == np.int16 and image.min() == 0
            np.testing.assert_array_equal(image > 0, brain)
        assert 1000 < brain.sum() * edge**3 / 1000 < 1900, "volume of brain and fluid in ml"
        assert not (made.labels[~brain] > 0).any()
        for axis in (0, 1):
            assert not brain.take((0, -1), axis).any(), "the brain is cut off at a side"
        assert brain[:, :, -1].sum() * edge**2 < 300, "more than 3 cm^2 of the brain is cut off at the top"


def test_brain_is_upright_and_faces_forwards(subjects):
    """Array axes run to the left, to the back, upwards: the cerebellum lies low and far back."""
    for made in subjects:
        brain = made.images["t1"] > 0
        box = bounding_box(brain)
        low = box[2].start + (box[2].stop - box[2].start) // 6
        middle = (box[2].start + box[2].stop) // 2
        back_of_bottom = np.flatnonzero(brain[:, :, low].any(axis=0)).mean()
        back_of_middle = np.flatnonzero(brain[:, :, middle].any(axis=0)).mean()
        assert back_of_bottom > back_of_middle
        assert brain[:, :, box[2].stop - 2].sum() < 0.5 * brain[:, :, middle].sum(), "the top is narrow"


@pytest.mark.slow
def test_full_size_subject_is_the_same_brain_and_tumour(twelve):
    fine = make_subject(0, 3, spacing=1.0)
    coarse = twelve[3]
    assert fine.labels.shape == (240, 240, 155)

    def volume_and_middle(mask: np.ndarray, affine: np.ndarray) -> tuple[float, np.ndarray]:
        return mask.sum() * abs(np.linalg.det(affine)), affine[:3] @ [*np.argwhere(mask).mean(axis=0), 1]

    for of_subject in (
        lambda s: s.images["t2"] > 0,
        lambda s: s.labels > 0,
        lambda s: np.isin(s.labels, (1, 4)),
    ):
        fine_volume, fine_middle = volume_and_middle(of_subject(fine), fine.affine)
        coarse_volume, coarse_middle = volume_and_middle(of_subject(coarse), coarse.affine)
        assert fine_volume == pytest.approx(coarse_volume, rel=0.12)
        np.testing.assert_allclose(fine_middle, coarse_middle, atol=2.0)


# ---------------------------------------------------------------------- tumours


def test_enhancing_tumour_is_absent_or_of_some_size(subjects):
    for made in subjects:
        assert made.low_grade == (made.name in ("SynthBraTS_005", "SynthBraTS_011"))
        millilitres = abs(np.linalg.det(made.affine)) / 1000
        enhancing_ml = (made.labels == 4).sum() * millilitres
        core_ml = np.isin(made.labels, (1, 4)).sum() * millilitres
        assert enhancing_ml == 0 if made.low_grade else enhancing_ml > 1
        assert 2 < core_ml < 150


def test_tumour_looks_as_its_sequences_say(subjects):
    """Oedema is bright on FLAIR, and the rim is brighter with contrast agent than without."""
    for made in subjects:
        image = cohort.normalise(np.stack([made.images[name] for name in cohort.MODALITIES]))
        t1, t1ce, _, flair = image
        healthy = (made.labels == 0) & (made.images["t1"] > 0)
        assert flair[made.labels == 2].mean() > flair[healthy].mean() + 0.2  # some is faint
        if not made.low_grade:
            assert t1ce[made.labels == 4].mean() > t1[made.labels == 4].mean() + 0.5


# ---------------------------------------------------------------------- reproducibility


def test_same_arguments_give_the_same_voxels_in_another_process():
    program = f"""
from course_utils.phantom import make_subject
import hashlib

{inspect.getsource(voxel_hash).replace(": Subject", "")}
make_subject(0, 2, {COARSE})  # what was made before makes no difference
print(voxel_hash(make_subject(0, 1, {COARSE})))
"""
    other = subprocess.run(
        [sys.executable, "-c", program], cwd=REPOSITORY, capture_output=True, text=True, check=True
    )
    assert other.stdout.strip() == voxel_hash(coarse_subject(1))


def test_seed_and_index_both_matter():
    assert len({voxel_hash(made) for made in (coarse_subject(0), coarse_subject(1))}) == 2
    assert voxel_hash(make_subject(1, 0, COARSE)) not in map(voxel_hash, map(coarse_subject, range(2)))


@pytest.mark.slow
def test_number_of_workers_makes_no_difference(written, tmp_path):
    write_cohort(tmp_path, 2, COARSE, workers=2, progress=False)
    assert contents_of(tmp_path) == contents_of(written)
    assert len(contents_of(written)) == 2 * 6 + 1


def test_what_is_written_is_what_was_made(written):
    loaded, made = cohort.load_case(written / "SynthBraTS_001"), coarse_subject(1)
    np.testing.assert_array_equal(loaded.labels, made.labels)
    np.testing.assert_array_equal(loaded.image, np.stack([made.images[name] for name in cohort.MODALITIES]))


# ---------------------------------------------------------------------- writing


def test_cohort_on_disk_has_the_layout_of_brats(written):
    case = written / "SynthBraTS_000"
    names = sorted(file.name for file in case.iterdir() if not file.name.startswith("."))
    assert names == sorted(f"SynthBraTS_000_{kind}.nii.gz" for kind in ("t1", "t1ce", "t2", "flair", "seg"))
    for name in names:
        image = nibabel.load(case / name)
        assert image.get_data_dtype() == (np.uint8 if "seg" in name else np.int16)
        assert image.header.get_xyzt_units()[0] == "mm"
        assert nibabel.aff2axcodes(image.affine) == ("L", "P", "S")
        assert image.header.get_zooms() == (COARSE,) * 3
        np.testing.assert_array_equal(image.affine, brats_affine(COARSE))
    assert cohort.check_cohort(written).bad == {}


def missing(file: Path) -> None:
    file.unlink()


def emptied(file: Path) -> None:
    file.write_bytes(b"")


def truncated(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:-100])


def flipped(file: Path) -> None:
    contents = bytearray(file.read_bytes())
    contents[len(contents) // 2] ^= 4
    file.write_bytes(contents)


def of_another_subject(file: Path) -> None:
    shutil.copy(str(file).replace("_001", "_000"), file)


def without_checksums(file: Path) -> None:
    (file.parent / writing.CHECKSUMS_FILE).unlink()


def damaged_checksums(file: Path) -> None:
    (file.parent / writing.CHECKSUMS_FILE).write_bytes(b"\xff\n")


@pytest.mark.parametrize("kind", ["t2", "seg"])
@pytest.mark.parametrize(
    "damage",
    [missing, emptied, truncated, flipped, of_another_subject, without_checksums, damaged_checksums],
)
def test_a_second_call_mends_what_is_damaged_and_leaves_the_rest(
    written, made_cohort, monkeypatch, damage, kind
):
    damage(made_cohort / "SynthBraTS_001" / f"SynthBraTS_001_{kind}.nii.gz")
    assert not writing.is_complete(made_cohort / "SynthBraTS_001")
    made = []
    make = writing.make_subject
    monkeypatch.setattr(writing, "make_subject", lambda *where: made.append(where[1]) or make(*where))
    for _ in range(2):
        write_cohort(made_cohort, 2, COARSE, workers=1, progress=False)
    assert made == [1]
    assert contents_of(made_cohort) == contents_of(written)
    assert sorted(entry.name for entry in made_cohort.iterdir()) == sorted(
        entry.name for entry in written.iterdir()
    )


def test_a_second_call_with_more_subjects_makes_those_that_are_missing(made_cohort):
    before = contents_of(made_cohort)
    cases = write_cohort(made_cohort, 3, COARSE, workers=1, progress=False)
    assert [case.name for case in cases] == ["SynthBraTS_000", "SynthBraTS_001", "SynthBraTS_002"]
    after = contents_of(made_cohort)
    assert {name: after[name] for name in before} == before
    assert write_cohort(made_cohort, 2, COARSE, workers=1, progress=False) == cases[:2]


def test_interrupted_call_leaves_no_half_made_case(written, tmp_path, monkeypatch):
    original = writing.nifti_bytes
    calls = []

    def interrupted(values, affine):
        calls.append(1)
        if len(calls) == 8:  # in the middle of the second case
            raise KeyboardInterrupt
        return original(values, affine)

    monkeypatch.setattr(writing, "make_subject", lambda seed, index, spacing: coarse_subject(index))
    monkeypatch.setattr(writing, "nifti_bytes", interrupted)
    with pytest.raises(KeyboardInterrupt):
        write_cohort(tmp_path, 2, COARSE, workers=1, progress=False)
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["SynthBraTS_000", "cohort.json"]
    monkeypatch.setattr(writing, "nifti_bytes", original)
    write_cohort(tmp_path, 2, COARSE, workers=1, progress=False)
    assert contents_of(tmp_path) == contents_of(written)


@pytest.mark.skipif(os.name != "posix", reason="file modes and umask are POSIX")
@pytest.mark.parametrize("mask", [0o022, 0o077])
def test_files_are_as_open_as_the_umask_says(tmp_path, monkeypatch, mask):
    monkeypatch.setattr(writing, "make_subject", lambda seed, index, spacing: coarse_subject(index))
    before = os.umask(mask)
    try:
        (case,) = write_cohort(tmp_path / "made", 1, COARSE, workers=1, progress=False)
    finally:
        os.umask(before)
    assert {stat.S_IMODE(folder.stat().st_mode) for folder in (case.parent, case)} == {0o777 & ~mask}
    files = [file for file in case.parent.rglob("*") if file.is_file()]
    assert len(files) == 7 and {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o666 & ~mask}


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="this system has no SIGKILL")
def test_workers_of_a_killed_process_end(tmp_path):
    program = f"""
from course_utils.phantom import write_cohort
if __name__ == "__main__":
    write_cohort({str(tmp_path / "made")!r}, 1000, {COARSE}, workers=2, progress=False)
"""
    (tmp_path / "program.py").write_text(program)
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
    parent = subprocess.Popen([sys.executable, str(tmp_path / "program.py")], env=environment)
    try:
        while not (tmp_path / "made" / "SynthBraTS_001").exists():  # then both workers are at work
            assert parent.poll() is None
            time.sleep(0.05)
        workers = psutil.Process(parent.pid).children(recursive=True)
    finally:
        parent.kill()
        parent.wait()
    assert len(workers) >= 2
    _, alive = psutil.wait_procs(workers, timeout=120)
    for worker in alive:
        worker.kill()
    assert not alive


def test_error_in_a_worker_is_not_swallowed(tmp_path, monkeypatch):
    class FailingPool:
        def __init__(self, *_, **__):
            pass

        def __enter__(self):
            return self

        def __exit__(self, *_):
            return False

        def submit(self, *_):
            future = Future()
            future.set_exception(OSError("no space left on device"))
            return future

        def shutdown(self, cancel_futures):
            assert cancel_futures

    monkeypatch.setattr(writing, "ProcessPoolExecutor", FailingPool)
    with pytest.raises(OSError, match="no space left"):
        write_cohort(tmp_path, 2, COARSE, workers=2, progress=False)


def test_folder_of_another_cohort_is_refused(made_cohort, tmp_path):
    with pytest.raises(CohortMismatchError, match="seed 0.*seed 2.*asked for.*delete this one"):
        write_cohort(made_cohort, 1, COARSE, seed=2, progress=False)
    with pytest.raises(CohortMismatchError, match="spacing 4.*spacing 2"):
        write_cohort(made_cohort, 1, 2.0, progress=False)
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("do not touch")
    with pytest.raises(CohortMismatchError, match="not a synthetic cohort"):
        write_cohort(tmp_path / "mine", 1, COARSE, progress=False)
    with pytest.raises(CohortMismatchError, match="is a file"):
        write_cohort(tmp_path / "mine" / "thesis.txt", 1, COARSE, progress=False)


@pytest.mark.parametrize("record", ["{", "[1, 2]", "null", '{"seed": "one"}'])
def test_a_damaged_record_is_named(made_cohort, record):
    (made_cohort / "cohort.json").write_text(record)
    with pytest.raises(CohortMismatchError, match="cohort.json is damaged.*Delete the folder"):
        write_cohort(made_cohort, 1, COARSE, progress=False)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"subjects": 0}, "at least one"),
        ({"spacing": 0.5}, "spacing is 0.5 mm: choose 1"),
        ({"spacing": float("nan")}, "spacing is nan"),
        ({"seed": -1}, "seed is -1"),
        ({"workers": 0}, "workers is 0"),
    ],
)
def test_bad_arguments_are_named(tmp_path, arguments, message):
    with pytest.raises(ValueError, match=message):
        write_cohort(tmp_path / "cohort", **arguments, progress=False)
    assert not (tmp_path / "cohort").exists()


def test_negative_index_is_named():
    with pytest.raises(ValueError, match="index is -1"):
        make_subject(0, -1)


# ---------------------------------------------------------------------- command line


def download(*arguments: str) -> subprocess.CompletedProcess:
    return subprocess.run([sys.executable, str(DOWNLOAD), *arguments], capture_output=True, text=True)


def test_command_line_makes_a_cohort(tmp_path):
    result = download("synthetic", "--subjects", "1", "--spacing", "4", "--seed", "9", "--out", str(tmp_path))
    assert result.returncode == 0, result.stderr
    assert "1 subject" in result.stdout and str(tmp_path) in result.stdout
    assert json.loads((tmp_path / "cohort.json").read_text())["seed"] == 9
    np.testing.assert_array_equal(
        cohort.load_case(tmp_path / "SynthBraTS_000").labels, make_subject(9, 0, COARSE).labels
    )


def test_command_line_explains_mistakes(tmp_path):
    result = download("synthetic", "--spacing", "9", "--out", str(tmp_path / "a"))
    assert result.returncode == 1
    assert "choose 1" in result.stderr and "Traceback" not in result.stderr
    result = download("synthetic", "--subjects", "1", "--out", "~nobody-of-this-name/cohort")
    assert result.returncode == 2
    assert "~nobody-of-this-name" in result.stderr and "Traceback" not in result.stderr
    result = download("synthetic", "--subjects", "many")
    assert result.returncode == 2 and "--subjects" in result.stderr
    assert download().returncode == 2


# ---------------------------------------------------------------------- difficulty
# The lab promises a Dice on held-out subjects (tests/promises.py). The cohort is worth training on only as
# long as simpler methods stay well below that: the labels must not follow from a voxel's intensity. Each
# method is fitted on one half of twelve subjects and scored on the other, both ways round: twelve held-out
# subjects.


def dice(prediction: np.ndarray, reference: np.ndarray) -> float:
    total = prediction.sum() + reference.sum()
    return 1.0 if total == 0 else float(2 * (prediction & reference).sum() / total)


def largest_piece(mask: np.ndarray) -> np.ndarray:
    """Opened, then its largest connected piece: what one would do by hand to tidy up."""
    pieces, number = ndimage.label(ndimage.binary_opening(mask))
    return pieces == 1 + np.argmax(np.bincount(pieces.ravel())[1:]) if number else pieces > 0


@pytest.fixture(scope="module")
def prepared(twelve) -> list[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Normalised image (4, X, Y, Z), labels and brain mask of each subject, cropped to the brain."""
    result = []
    for made in twelve:
        image = np.stack([made.images[name] for name in cohort.MODALITIES])
        brain = cohort.brain_mask(image)
        box = cohort.brain_box(brain)
        result.append(
            (cohort.normalise(image[(slice(None), *box)], brain[box]), made.labels[box], brain[box])
        )
    return result


@pytest.fixture(scope="module")
def halves_both_ways(prepared) -> list[tuple[list, list]]:
    """(training, held out), twice; each half has one low-grade subject."""
    return [(prepared[:6], prepared[6:]), (prepared[6:], prepared[:6])]


def threshold_dice(training: list, held_out: list, region: tuple[int, ...]) -> list[float]:
    """Dice on held-out subjects of the best threshold on one modality, chosen on the training subjects."""

    def scores(subjects: list, modality: int, threshold: float, tidied: bool) -> list[float]:
        result = []
        for image, labels, brain in subjects:
            mask = (image[modality] > threshold) & brain
            result.append(dice(largest_piece(mask) if tidied else mask, np.isin(labels, region)))
        return result

    rules = [(m, t, tidied) for m in range(4) for t in np.arange(0, 3.01, 0.25) for tidied in (False, True)]
    best = max(rules, key=lambda rule: np.mean(scores(training, *rule)))
    return scores(held_out, *best)


def forest_dice(training: list, held_out: list) -> list[dict[str, float]]:
    """Dice on held-out subjects of a random forest that sees nothing but a voxel's four intensities."""
    rng = np.random.default_rng(0)
    intensities, classes = [], []
    for image, labels, brain in training:
        chosen = rng.choice(np.flatnonzero(brain), 3000, replace=False)
        intensities.append(image.reshape(4, -1)[:, chosen].T)
        classes.append(labels.ravel()[chosen])
    forest = RandomForestClassifier(40, min_samples_leaf=5, random_state=0)
    forest.fit(np.concatenate(intensities), np.concatenate(classes))
    result = []
    for image, labels, brain in held_out:
        predicted = np.zeros(labels.shape, np.uint8)
        predicted[brain] = forest.predict(image[:, brain].T)
        result.append(
            {
                region: dice(np.isin(predicted, values), np.isin(labels, values))
                for region, values in cohort.REGIONS.items()
            }
        )
    return result


@pytest.mark.slow
def test_no_single_threshold_finds_the_tumour(halves_both_ways):
    """Measured: 0.56 here, 0.52 and 0.44 with the seeds 1 and 2. Above 0.3 the tumour is at least visible."""
    scores = [score for halves in halves_both_ways for score in threshold_dice(*halves, cohort.REGIONS["WT"])]
    assert len(scores) == 12
    assert 0.3 < np.mean(scores) <= 0.6


@pytest.mark.slow
def test_intensities_alone_do_not_suffice(halves_both_ways):
    """Measured: 0.61 WT, 0.57 TC, 0.62 ET here; 0.56/0.50/0.55 and 0.52/0.51/0.56 with the seeds 1 and 2.

    The guard asks for a distance of 0.15 to what the U-Net reaches, and that the task is not hopeless.
    """
    scores = [score for halves in halves_both_ways for score in forest_dice(*halves)]
    for region, promised in promises.DICE.items():
        assert 0.35 < np.mean([score[region] for score in scores]) <= promised - 0.15, region
