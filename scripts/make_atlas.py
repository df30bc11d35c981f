"""Derive the atlas of the synthetic cohort from the MNI ICBM152 2009 template that nilearn ships.

    pip install nilearn
    python scripts/make_atlas.py [--out course_utils/assets/mni_icbm152_tissues.npz]

Only the maintainers need this script, and only this script needs nilearn: its output is part of the
repository. The template is the symmetric 2009a version at 1 mm: probabilities of grey and white matter, and
the skull-stripped T1 image. The atlas keeps grey matter, white matter and brain mask at 1.5 mm in 32 levels:
under 1 MB.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
from pathlib import Path

import nibabel
import numpy as np
from scipy import ndimage

SPACING = 1.5
LEVELS = 31
DEFAULT_OUT = Path(__file__).resolve().parent.parent / "course_utils" / "assets" / "mni_icbm152_tissues.npz"


def template_folder() -> Path:
    """Where the installed nilearn keeps the template; found without importing nilearn."""
    package = importlib.util.find_spec("nilearn")
    if package is None or not package.submodule_search_locations:
        raise SystemExit("nilearn is not installed. Install it with: pip install nilearn")
    return Path(package.submodule_search_locations[0]) / "datasets" / "data"


def read_template(folder: Path, tissue: str) -> np.ndarray:
    """One map of the template, scaled to 0..1, (197, 233, 189), axes R, A, S, 1 mm."""
    path = folder / f"mni_icbm152_{tissue}_tal_nlin_sym_09a_converted.nii.gz"
    if not path.is_file():
        raise SystemExit(f"This version of nilearn has no {path.name} in {folder}. Version 0.14.1 has it.")
    return nibabel.load(path).get_fdata(dtype=np.float32) / 255


def brain_mask(t1: np.ndarray) -> np.ndarray:
    """The skull-stripped T1 image as a mask: opened, holes filled, one voxel off the border, softened."""
    mask = ndimage.binary_opening(t1 > 0.02)
    mask = ndimage.binary_erosion(ndimage.binary_fill_holes(mask))
    return ndimage.gaussian_filter(mask.astype(np.float32), 0.6)


def reduce_map(probability: np.ndarray) -> np.ndarray:
    """From 1 mm to ``SPACING``, smoothed first so that nothing aliases, in ``LEVELS`` + 1 levels; uint8."""
    smooth = ndimage.gaussian_filter(probability, 0.35 * SPACING)
    return np.round(ndimage.zoom(smooth, 1 / SPACING, order=1) * LEVELS).astype(np.uint8)


def make_atlas(folder: Path) -> dict[str, np.ndarray]:
    """The arrays of the atlas file, cropped to the brain with a margin of one voxel."""
    maps = {
        "grey_matter": reduce_map(read_template(folder, "gm")),
        "white_matter": reduce_map(read_template(folder, "wm")),
        "brain": reduce_map(brain_mask(read_template(folder, "t1"))),
    }
    occupied = np.nonzero(maps["brain"])
    box = tuple(slice(max(0, index.min() - 1), index.max() + 2) for index in occupied)
    return {
        **{name: values[box] for name, values in maps.items()},
        "spacing": np.array(SPACING),
        "levels": np.array(LEVELS),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--out", type=Path, default=DEFAULT_OUT, help="atlas file (default: the one in the package)"
    )
    out = parser.parse_args().out
    temporary = out.with_suffix(".part.npz")
    np.savez_compressed(temporary, **make_atlas(template_folder()))
    os.replace(temporary, out)
    print(f"{out}: {out.stat().st_size / 1e6:.2f} MB")


if __name__ == "__main__":
    main()
