"""Reading a NIfTI file whole: every byte is checked, and the voxels come in the orientation of BraTS."""

from __future__ import annotations

import gzip
import zlib
from pathlib import Path
from typing import NamedTuple

import nibabel
import numpy as np
from nibabel import orientations
from nibabel.filebasedimages import ImageFileError
from nibabel.spatialimages import HeaderDataError
from nibabel.wrapstruct import WrapStructError

from course_utils.cohort.errors import CohortError

ORIENTATION = ("L", "P", "S")
"""The array axes of BraTS: towards the left, the back (posterior), the top (superior)."""

_UNREADABLE = (OSError, EOFError, zlib.error, ImageFileError, HeaderDataError, WrapStructError, ValueError)


class Volume(NamedTuple):
    """A file that was read: where it came from, its voxels, its affine.

    The values are float32, (X, Y, Z), with the axes of :data:`ORIENTATION`; the affine (4, 4) belongs to them
    and leads to world coordinates R, A, S in mm.
    """

    path: Path
    values: np.ndarray
    affine: np.ndarray


class DamagedFileError(CohortError):
    """A file is incomplete, changed, or no NIfTI."""


def read_image(file: Path) -> nibabel.Nifti1Image:
    """A NIfTI file as nibabel's image, as it is stored.

    nibabel itself reads of a .nii.gz only what the header asks for and so never comes to gzip's checksum at
    the end: a flipped bit would give wrong voxels without a word. Here the whole file is decompressed, and
    gzip compares. A plain .nii has no checksum: only its length can be checked.

    Raises:
        DamagedFileError: the file cannot be read, its checksum or length is wrong, or something else follows.
    """
    try:
        contents = file.read_bytes()
        if contents[:2] == b"\x1f\x8b":
            contents = gzip.decompress(contents)
        second = nibabel.Nifti2Image.header_class.may_contain_header(contents)
        image = (nibabel.Nifti2Image if second else nibabel.Nifti1Image).from_bytes(contents)
        end = image.dataobj.offset + image.get_data_dtype().itemsize * int(np.prod(image.shape))
        if len(contents) < end:
            raise EOFError(f"{len(contents):,} bytes, but the header announces {end:,}")
        if contents[end:].strip(b"\0"):  # zeros only fill up a block
            raise EOFError(f"{len(contents) - end:,} bytes of something else follow the voxels")
    except _UNREADABLE as error:
        size = f"{file.stat().st_size:,} bytes; " if file.is_file() else ""
        raise DamagedFileError(
            f"{file.name} cannot be read ({size}{type(error).__name__}: {error}). "
            "The file is damaged or was not copied completely"
        ) from error
    return image


def read_volume(file: Path) -> Volume:
    """The voxels and the affine of a NIfTI file, in the orientation of BraTS however they are stored.

    Raises:
        DamagedFileError: as :func:`read_image`.
        CohortError: it is no volume, or does not say where its voxels lie.
    """
    image = read_image(file)
    if len(image.shape) != 3:
        raise CohortError(
            f"{file.name} has {len(image.shape)} dimensions, shape {image.shape}; a volume has 3. "
            "Save one volume a file."
        )
    change = to_brats(image, file.name)
    values = orientations.apply_orientation(np.asarray(image.dataobj, dtype=np.float32), change)
    affine = image.affine @ orientations.inv_ornt_aff(change, image.shape)
    return Volume(file, np.ascontiguousarray(values), affine)


def to_brats(image: nibabel.Nifti1Image, name: str) -> np.ndarray:
    """How the stored axes become those of BraTS: nibabel's orientation array, (3, 2).

    Raises:
        CohortError: the header does not say, or contradicts itself.
    """
    affine = image.affine
    edges = nibabel.affines.voxel_sizes(affine)
    if not (np.isfinite(affine).all() and (edges > 0).all() and abs(np.linalg.det(affine[:3, :3])) > 0):
        raise CohortError(
            f"{name}: its affine gives voxels of {_in_words(edges)} mm: no place in the head, no volume in "
            "ml. Get the file again, or correct its header."
        )
    if image.get_sform(coded=True)[1] == 0 and image.get_qform(coded=True)[1] == 0:
        raise CohortError(
            f"{name} does not say how it lies in the head (qform and sform code 0): left and right would be "
            "a guess. Get the file again, or set its affine if you know it."
        )
    zooms = np.array(image.header.get_zooms()[:3])
    if not np.allclose(zooms, edges, rtol=0.01):
        raise CohortError(
            f"{name} contradicts itself: voxels of {_in_words(zooms)} mm by its header's pixdim, "
            f"{_in_words(edges)} mm by its affine. Get the file again, or correct its header."
        )
    stored = orientations.io_orientation(affine)
    return orientations.ornt_transform(stored, orientations.axcodes2ornt(ORIENTATION))


def from_brats(image: nibabel.Nifti1Image, name: str) -> np.ndarray:
    """The inverse of :func:`to_brats`: how axes in the orientation of BraTS become the stored ones again."""
    stored = orientations.io_orientation(image.affine)
    to_brats(image, name)  # for its checks
    return orientations.ornt_transform(orientations.axcodes2ornt(ORIENTATION), stored)


def _in_words(edges: np.ndarray) -> str:
    return " x ".join(f"{edge:g}" for edge in edges)
