"""Derive the two real scans of the course from those that PyRadiomics 3.0.1 ships.

    python scripts/make_real_scans.py FOLDER [--out course_utils/assets/real_scans]

FOLDER holds brain1_image.nrrd, brain1_label.nrrd, brain2_image.nrrd and brain2_label.nrrd: the folder
``data`` of the source distribution pyradiomics-3.0.1.tar.gz. Only the maintainers need this script: its
output is part of the repository.

What is done: NRRD becomes NIfTI (the voxels themselves are not resampled), and everything further than 15 mm
from the brain is set to 0. The heads come with their faces; nobody should be recognisable.
"""

from __future__ import annotations

import argparse
import gzip
import itertools
from collections.abc import Iterable
from pathlib import Path

import nibabel
import numpy as np
from scipy import ndimage

from course_utils import files

KEPT_AROUND_BRAIN_MM = 15
NAMES = {"RealScan_1": "brain1", "RealScan_2": "brain2"}
DEFAULT_OUT = Path(__file__).resolve().parent.parent / "course_utils" / "assets" / "real_scans"

_TYPES = {"short": "<i2", "int": "<i4"}
_PATIENT_TO_RAS = np.diag([-1.0, -1.0, 1.0, 1.0])
"""NRRD counts millimetres towards left, posterior, superior; NIfTI towards right, anterior, superior."""


def read_nrrd(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """Voxels (X, Y, Z) and affine (4, 4; R, A, S in mm) of a gzip-compressed NRRD file in LPS space.

    Raises:
        SystemExit: the file is of another kind.
    """
    header, _, voxels = path.read_bytes().partition(b"\n\n")
    fields = dict(line.split(": ", 1) for line in header.decode("ascii").splitlines() if ": " in line)
    expected = {"space": "left-posterior-superior", "encoding": "gzip", "endian": "little"}
    for field, value in expected.items():
        if fields.get(field) != value:
            raise SystemExit(
                f"{path.name}: its {field} is {fields.get(field)!r}, this script reads {value!r}."
            )
    shape = tuple(int(size) for size in fields["sizes"].split())
    values = np.frombuffer(gzip.decompress(voxels), _TYPES[fields["type"]]).reshape(shape, order="F")
    affine = np.eye(4)
    affine[:3, :3] = np.array([_vector(text) for text in fields["space directions"].split()]).T
    affine[:3, 3] = _vector(fields["space origin"])
    return values, _PATIENT_TO_RAS @ affine


def brain_mask(image: np.ndarray, spacing: np.ndarray) -> np.ndarray:
    """About where the brain is, slice by slice from the middle outwards: bool, (X, Y, Z).

    Good enough to keep 15 mm around it, not to measure anything: near the neck it takes muscle for brain.
    The middle slice gives the intensity of brain tissue. In each slice, tissue of about that intensity is
    eroded by 5 mm, which cuts it off from the scalp, and what lies within 3 mm of the last slice's brain is
    kept, grown back by 6 mm and filled.
    """
    smooth = ndimage.gaussian_filter(image.astype(np.float32), (1, 1, 0))
    middle = image.shape[2] // 2 + 1
    width, height = image.shape[:2]
    centre = smooth[3 * width // 8 : 5 * width // 8, 3 * height // 8 : 5 * height // 8, middle]
    tissue = (smooth > 0.55 * np.median(centre)) & (smooth < 1.75 * np.median(centre))
    disc = {radius: _disc(radius, spacing[0]) for radius in (3, 5, 6, 8)}
    core = np.stack([ndimage.binary_erosion(one, disc[5]) for one in np.moveaxis(tissue, 2, 0)], axis=2)

    mask = np.zeros(image.shape, bool)
    mask[..., middle] = _grown(_large_pieces(core[..., middle], share=1), disc)
    for slices in (range(middle, -1, -1), range(middle, image.shape[2])):
        for last, this in itertools.pairwise(slices):
            near = core[..., this] & ndimage.binary_dilation(mask[..., last], disc[3])
            grown = _grown(_large_pieces(near, share=0.15), disc)
            mask[..., this] = grown & ndimage.binary_dilation(mask[..., last], disc[5])
    return mask


def without_face(image: np.ndarray, spacing: np.ndarray) -> np.ndarray:
    """The image where it is at most 15 mm from the brain, elsewhere 0."""
    distance = ndimage.distance_transform_edt(~brain_mask(image, spacing), sampling=spacing)
    return np.where(distance <= KEPT_AROUND_BRAIN_MM, image, 0)


def write_nifti(values: np.ndarray, affine: np.ndarray, path: Path) -> None:
    """A .nii.gz whose bytes depend on nothing but the arguments; scanner coordinates."""
    image = nibabel.Nifti1Image(values, affine)
    image.header.set_xyzt_units("mm")
    image.set_sform(affine, code="scanner")
    image.set_qform(affine, code="scanner")
    path.parent.mkdir(parents=True, exist_ok=True)
    with files.replacing(path) as file:
        file.write(gzip.compress(image.to_bytes(), compresslevel=9, mtime=0))


def _vector(text: str) -> list[float]:
    return [float(number) for number in text.strip("()").split(",")]


def _disc(radius: float, spacing: float) -> np.ndarray:
    reach = int(radius / spacing) + 1
    across, along = np.mgrid[-reach : reach + 1, -reach : reach + 1]
    return np.hypot(across, along) * spacing <= radius


def _large_pieces(mask: np.ndarray, share: float) -> np.ndarray:
    """The pieces of a mask (X, Y) that have at least ``share`` of the largest one's size."""
    pieces, number = ndimage.label(mask)
    sizes = np.bincount(pieces.ravel(), minlength=number + 1)[1:]
    return np.isin(pieces, 1 + np.flatnonzero(sizes >= share * sizes.max(initial=0)))


def _grown(mask: np.ndarray, disc: dict[int, np.ndarray]) -> np.ndarray:
    room = np.pad(ndimage.binary_dilation(mask, disc[6]), 20)  # closing must not feel the border
    return ndimage.binary_fill_holes(ndimage.binary_closing(room, disc[8]))[20:-20, 20:-20]


def main(arguments: Iterable[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, help="the folder data of PyRadiomics' source distribution")
    parser.add_argument("--out", type=Path, default=DEFAULT_OUT, help="default: the folder in the package")
    options = parser.parse_args(None if arguments is None else list(arguments))
    for name, source in NAMES.items():
        image, affine = read_nrrd(options.folder / f"{source}_image.nrrd")
        tumour, _ = read_nrrd(options.folder / f"{source}_label.nrrd")
        kept = without_face(image, nibabel.affines.voxel_sizes(affine))
        write_nifti(kept, affine, options.out / name / f"{name}_t1ce.nii.gz")
        write_nifti(tumour.astype(np.uint8), affine, options.out / name / f"{name}_seg.nii.gz")
        print(f"{name}: kept {np.count_nonzero(kept) / np.count_nonzero(image):.0%} of the voxels above 0")


if __name__ == "__main__":
    main()
