"""Exercises of notebook 00: how the course works, and a first look at a brain.

Oracles: SciPy's physical constants and z-scores, NiBabel's affine functions and mask volume, a linear
solve, and the label table of the BraTS challenge (Menze et al. 2015; Bakas et al. 2017).
"""

from __future__ import annotations

import nibabel
import nibabel.affines
import nibabel.imagestats
import numpy as np
import scipy.constants
import scipy.stats

from course_utils.checking import Checker, Trial

check = Checker("start_here")


# ---- data for the trials: nothing is symmetric, no two numbers are alike

# A quarter turn: the first array axis runs along y and the second, backwards, along x. By hand:
# x = -2 j + 10, y = 3 i + 20, z = 4 k + 30.
_QUARTER_TURN = np.array(
    [[0.0, -2.0, 0.0, 10.0], [3.0, 0.0, 0.0, 20.0], [0.0, 0.0, 4.0, 30.0], [0.0, 0.0, 0.0, 1.0]]
)
_BRATS_1_MM = np.array(
    [[-1.0, 0.0, 0.0, 0.0], [0.0, -1.0, 0.0, 239.0], [0.0, 0.0, 1.0, 0.0], [0.0, 0.0, 0.0, 1.0]]
)
_SINGLE = {
    "tolerance": 1e-5,
    "any_dtype": True,
}  # single precision is enough wherever nothing is said about it
_POINTS = np.array([[0, 0, 0], [1, 2, 3], [10.5, -4.25, 7], [99, 31, 64], [-3, 8, 0.5]])


def _oblique_affine(shear: float = 0.0) -> np.ndarray:
    """A tilted scan with voxels of 0.9375 x 1.25 x 6 mm; ``shear`` tilts the slices as a CT gantry does."""
    a, b = 0.3, -0.5  # radians
    about_x = np.array([[1, 0, 0], [0, np.cos(a), -np.sin(a)], [0, np.sin(a), np.cos(a)]])
    about_z = np.array([[np.cos(b), -np.sin(b), 0], [np.sin(b), np.cos(b), 0], [0, 0, 1]])
    sheared = np.array([[1, 0, 0], [0, 1, shear], [0, 0, 1]])
    affine = np.eye(4)
    affine[:3, :3] = about_z @ about_x @ sheared @ np.diag([-0.9375, 1.25, 6.0])
    affine[:3, 3] = [93.0, -120.5, -41.25]
    return affine


def _some_labels(shape: tuple[int, ...] = (7, 5, 4)) -> np.ndarray:
    """A label array in which every label occurs, each in another number of voxels."""
    rng = np.random.default_rng(3)
    return rng.choice(np.array([0, 1, 2, 4], np.uint8), size=shape, p=[0.5, 0.1, 0.25, 0.15])


# ---- 1 · warm-up


def _millilitres(cubic_millimetres: float) -> float:
    return cubic_millimetres * scipy.constants.milli**3 / (scipy.constants.milli * scipy.constants.litre)


@check.exercise(
    oracle=_millilitres,
    hints=(
        "One millilitre is one cubic centimetre. How many millimetres are there along each edge of that "
        "cube?",
        "The cube is 10 mm wide, 10 mm deep and 10 mm high. How many cubes of 1 mm fit into it?",
        "10 * 10 * 10 = 1000 cubic millimetres make one millilitre: divide by 1000.",
    ),
    why={
        (lambda v: v / 10): (
            "You divided by 10: that turns millimetres into centimetres, but a volume has three edges to "
            "convert, not one."
        ),
        (lambda v: v / 100): (
            "You divided by 100: that turns square millimetres into square centimetres, an area. A volume "
            "has a third edge."
        ),
        (lambda v: v * 1000): (
            "You multiplied where you should divide: a millilitre is larger than a cubic millimetre, so "
            "fewer of them fill the same volume."
        ),
        (lambda v: v / 1e6): "You divided by a million: those are litres, not millilitres.",
        (lambda v: float(v // 1000)): "You rounded down to whole millilitres: keep the fraction.",
        (lambda v: float(round(v / 1000))): "You rounded to whole millilitres: keep the fraction.",
        (
            lambda v: round(v / 1000, 2)
        ): "You rounded to two digits: return all of them, and round for display.",
        (
            lambda v: round(v / 1000, 1)
        ): "You rounded to one digit: return all of them, and round for display.",
    },
)
def millilitres(trial: Trial) -> None:
    trial.signature("cubic_millimetres")
    trial.case(2500.0, expected=2.5, **_SINGLE)
    trial.cases([(31_415.9,), (2700.0,), (0.0,)], **_SINGLE)


# ---- 2 · predict a number

check.number(
    "case_megabytes",
    answer=4 * 240 * 240 * 155 * 4 / 1e6,
    tolerance=0.01,
    hints=(
        "Count the voxels of one modality first: 240 * 240 * 155.",
        "There are four modalities, and each float32 number takes 32 bits, that is 4 bytes.",
        "modalities * voxels * bytes / 1,000,000 = 4 * (240 * 240 * 155) * 4 / 1e6",
    ),
    why={
        240 * 240 * 155 * 4 / 1e6: (
            "A factor of four is missing: either you counted one modality instead of four, or one byte for "
            "each number instead of four."
        ),
        4
        * 240
        * 240
        * 155
        * 8
        / 1e6: "That is float64, with 8 bytes for each number; float32 takes half of it.",
        4 * 240 * 240 * 155 * 2 / 1e6: (
            "That is 2 bytes for each number: right for the 16-bit integers in the file, but float32 takes 4"
            " bytes."
        ),
        4 * 240 * 240 * 155 * 32 / 1e6: "You counted bits; a byte has 8 of them.",
        4 * 240 * 240 * 155 * 4.0: "Those are bytes; a megabyte (MB) is a million bytes.",
        4 * 240 * 240 * 155 * 4 / 1e9: "Those are gigabytes (GB, thousands of megabytes): give megabytes.",
        4 * 240 * 240 * 155 * 4 / 1e3: "Those are kilobytes (kB, thousands of bytes): give megabytes.",
        5 * 240 * 240 * 155 * 4 / 1e6: "You counted the labels as a fifth image: only the four images count.",
        240 * 240 * 155 / 1e6: (
            "Those are millions of voxels in one modality: now multiply by the modalities and by the bytes "
            "for each number."
        ),
        4
        * 240
        * 240
        * 155
        * 4
        / 2**20: "Right, but in mebibytes (MiB, 1024 * 1024 bytes). Give megabytes (MB, 1,000,000 bytes).",
    },
)


# ---- 3, 4 · the affine, there and back


def _homogeneous(points: np.ndarray) -> np.ndarray:
    return np.concatenate([points, np.ones((len(points), 1))], axis=1)


def _voxel_to_world(affine: np.ndarray, voxels: np.ndarray) -> np.ndarray:
    return nibabel.affines.apply_affine(affine, voxels)


@check.exercise(
    oracle=_voxel_to_world,
    hints=(
        "Start with one voxel: world = M @ voxel + t, where M is affine[:3, :3] and t is affine[:3, 3].",
        "The voxels are the rows of the array. For rows, M @ v becomes v @ M.T, which works for all of them "
        "at once.",
        "return voxels @ affine[:3, :3].T + affine[:3, 3]",
    ),
    why={
        (lambda affine, voxels: voxels @ affine[:3, :3].T): (
            "You forgot the translation, the last column of the affine: your voxel (0, 0, 0) lands at 0 mm. "
            "(In homogeneous coordinates: the fourth entry of a point is 1, not 0.)"
        ),
        (lambda affine, voxels: voxels @ affine[:3, :3] + affine[:3, 3]): (
            "You multiplied by the matrix from the wrong side: voxels are rows here, so you need the "
            "transpose, voxels @ M.T. (A diagonal affine hides this mistake.)"
        ),
        (lambda affine, voxels: voxels * np.diag(affine)[:3] + affine[:3, 3]): (
            "You used only the diagonal of the affine: that works until the first tilted scan, where one "
            "array axis moves you along several world axes."
        ),
        (lambda affine, voxels: (voxels + affine[:3, 3]) @ affine[:3, :3].T): (
            "You added the translation before multiplying by the matrix; it is in millimetres, so it must "
            "come last."
        ),
        (
            lambda affine, voxels: _homogeneous(voxels) @ affine.T
        ): "You returned homogeneous coordinates: the fourth number is always 1, cut it off.",
        (lambda affine, voxels: voxels @ affine[:3, :3].T - affine[:3, 3]): (
            "You subtracted the translation: it says where voxel (0, 0, 0) lies, so it is added."
        ),
        (lambda affine, voxels: _voxel_to_world(affine, voxels).astype(int)): (
            "You cut the positions to whole millimetres: they may have fractions, so keep them."
        ),
    },
)
def voxel_to_world(trial: Trial) -> None:
    trial.signature("affine", "voxels")
    trial.case(_QUARTER_TURN, np.array([[1.0, 2.0, 3.0]]), expected=np.array([[6.0, 23.0, 42.0]]), **_SINGLE)
    trial.case(_oblique_affine(), _POINTS, **_SINGLE)
    trial.case(_oblique_affine(shear=0.25), _POINTS, **_SINGLE)
    corners = np.array([[0, 0, 0], [239, 239, 154]])
    trial.case(_BRATS_1_MM, corners, label="voxel_to_world(affine of BraTS, two corners)", **_SINGLE)


def _world_to_voxel(affine: np.ndarray, points: np.ndarray) -> np.ndarray:
    return np.linalg.solve(affine, _homogeneous(points).T)[:3].T


def _divided_by_the_spacing(affine: np.ndarray, points: np.ndarray) -> np.ndarray:
    return (points - affine[:3, 3]) / nibabel.affines.voxel_sizes(affine)


def _divided_by_the_diagonal(affine: np.ndarray, points: np.ndarray) -> np.ndarray:
    diagonal = np.diag(affine)[:3]
    return (points - affine[:3, 3]) / np.where(diagonal == 0, 1.0, diagonal)


@check.exercise(
    oracle=_world_to_voxel,
    hints=(
        "Solve world = M @ voxel + t for voxel: what do you do with t, and what with M?",
        "The inverse of an affine is an affine again, and NumPy can invert the whole 4 x 4 matrix: "
        "np.linalg.inv(affine).",
        "return voxel_to_world(np.linalg.inv(affine), points)",
    ),
    why={
        _voxel_to_world: (
            "You went the same way again, from voxels to millimetres: this direction needs the inverse of "
            "the affine."
        ),
        (lambda affine, points: points @ np.linalg.inv(affine[:3, :3]).T + affine[:3, 3]): (
            "You inverted the matrix but left the translation as it was: going back, subtract it first, then"
            " undo the matrix."
        ),
        (lambda affine, points: points @ np.linalg.inv(affine[:3, :3]).T - affine[:3, 3]): (
            "You subtracted the translation after undoing the matrix: it is in millimetres, so it must go "
            "first."
        ),
        _divided_by_the_diagonal: (
            "You divided by the diagonal of the affine: that undoes an unrotated scan only."
        ),
        _divided_by_the_spacing: (
            "You divided by the spacing: that undoes the size of the voxels, but not the directions of the "
            "axes."
        ),
        (lambda affine, points: points @ np.linalg.inv(affine[:3, :3]).T): (
            "You undid the matrix but not the translation: subtract it first."
        ),
        (lambda affine, points: (points - affine[:3, 3]) @ np.linalg.inv(affine[:3, :3])): (
            "You multiplied by the inverse from the wrong side: points are rows here, so you need its "
            "transpose."
        ),
        (lambda affine, points: (points - affine[:3, 3]) @ affine[:3, :3]): (
            "You transposed where you should invert: the transpose of a rotation is its inverse, but voxels "
            "that are not 1 mm wide make it more than a rotation."
        ),
        (lambda affine, points: np.round(_world_to_voxel(affine, points))): (
            "You rounded to whole voxels: a point in space rarely falls on the centre of a voxel, and the "
            "fraction is what interpolation needs. Round later, where you need an index."
        ),
        (lambda affine, points: np.floor(np.round(_world_to_voxel(affine, points), 9))): (
            "You rounded down to whole voxels: keep the fractions, they say how far the point is from the "
            "centre of a voxel."
        ),
        (lambda affine, points: np.trunc(np.round(_world_to_voxel(affine, points), 9))): (
            "You cut the result to whole voxels: keep the fractions, they say how far the point is from the "
            "centre of a voxel."
        ),
        (lambda affine, points: (points + affine[:3, 3]) @ np.linalg.inv(affine[:3, :3]).T): (
            "You added the translation: the way there adds it, so the way back subtracts it."
        ),
    },
)
def world_to_voxel(trial: Trial) -> None:
    trial.signature("affine", "points")
    trial.case(_QUARTER_TURN, np.array([[6.0, 23.0, 42.0]]), expected=np.array([[1.0, 2.0, 3.0]]), **_SINGLE)
    trial.case(
        _QUARTER_TURN, np.array([[5.0, 24.5, 29.0]]), expected=np.array([[1.5, 2.5, -0.25]]), **_SINGLE
    )
    trial.case(_oblique_affine(), _POINTS, **_SINGLE)
    trial.case(_oblique_affine(shear=0.25), _POINTS, **_SINGLE)


# ---- 5 · spacing


def _spacing_from_affine(affine: np.ndarray) -> np.ndarray:
    return nibabel.affines.voxel_sizes(affine)


@check.exercise(
    oracle=_spacing_from_affine,
    hints=(
        "One step along the first array axis is the first column of affine[:3, :3]: how long is that arrow?",
        "The length of an arrow (x, y, z) is sqrt(x**2 + y**2 + z**2). You need it for each of the three "
        "columns.",
        "return np.sqrt((affine[:3, :3] ** 2).sum(axis=0))",
    ),
    why={
        (lambda affine: np.abs(np.diag(affine)[:3])): (
            "You took the absolute value of the diagonal: that works until the first tilted scan. A spacing "
            "is the length of the whole column."
        ),
        (lambda affine: np.diag(affine)[:3]): (
            "You took the diagonal of the affine: a mirrored axis makes it negative, and a tilted scan makes"
            " it too short. A spacing is the length of a column."
        ),
        (lambda affine: np.linalg.norm(affine[:3, :3], axis=1)): (
            "Those are the lengths of the rows. A step along array axis j is column j of the affine."
        ),
        (lambda affine: np.abs(affine[:3, :3]).sum(axis=0)): (
            "You added absolute values along each column: that is the way around two street corners. The "
            "straight way is the root of the sum of squares."
        ),
        (lambda affine: affine[:3, :3].sum(axis=0)): (
            "You added up each column: the signs cancel. The length of an arrow is the root of the sum of "
            "squares."
        ),
        (lambda affine: np.abs(affine[:3, :3]).max(axis=0)): (
            "You took the largest entry of each column: right as long as no arrow is tilted. The length "
            "needs all three entries."
        ),
        (
            lambda affine: (affine[:3, :3] ** 2).sum(axis=0)
        ): "Those are squared lengths: take the square root.",
        (lambda affine: np.linalg.norm(affine[:3], axis=0)): (
            "That includes the fourth column, the translation: where the image begins says nothing about the "
            "size of a voxel."
        ),
        (lambda affine: np.linalg.norm(affine[:3], axis=1)): (
            "Those are the lengths of the rows, translation included. A spacing is the length of a column of"
            " the 3 x 3 part."
        ),
        (lambda affine: np.sort(nibabel.affines.voxel_sizes(affine))): (
            "These are the right lengths in another order: entry j belongs to array axis j, so don't sort."
        ),
        (lambda affine: np.linalg.svd(affine[:3, :3], compute_uv=False)): (
            "Singular values come sorted, and for a sheared scan they are no lengths of columns."
        ),
        (lambda affine: np.round(nibabel.affines.voxel_sizes(affine))): (
            "You rounded to whole millimetres: an edge of 0.9375 mm is no edge of 1 mm."
        ),
        (lambda affine: np.trunc(np.round(nibabel.affines.voxel_sizes(affine), 9))): (
            "You cut the edges to whole millimetres: an edge of 0.9375 mm became 0."
        ),
        (lambda affine: np.abs(affine[:3, :3].sum(axis=0))): (
            "You added up each column and dropped the sign at the end: entries of unlike sign cancel before. "
            "The length of an arrow is the root of the sum of squares."
        ),
    },
)
def spacing_from_affine(trial: Trial) -> None:
    trial.signature("affine")
    trial.case(_QUARTER_TURN, expected=np.array([3.0, 2.0, 4.0]), **_SINGLE)
    trial.case(_BRATS_1_MM, expected=np.array([1.0, 1.0, 1.0]), **_SINGLE)
    trial.case(_oblique_affine(), **_SINGLE)
    trial.case(_oblique_affine(shear=0.25), **_SINGLE)


# ---- 6, 7 · volume

check.number(
    "voxels_at_2_mm",
    answer=5000,
    hints=(
        "How many voxels of 1 mm fit into one voxel of 2 mm?",
        "2 * 2 * 2 = 8 of them.",
        "40,000 / 8",
    ),
    why={
        20_000: "You halved the number, as if only one of the three axes had become coarser.",
        10_000: "You divided by four: that counts two axes. A voxel has three edges.",
        40_000: "The tumour keeps its volume, but each voxel now holds eight times as much of it.",
        80_000: "You doubled the number: coarser voxels are larger, so fewer of them fill the tumour.",
        320_000: "Coarser voxels are larger, so fewer of them fill the tumour, not more.",
    },
)


def _tumour_volume_ml(labels: np.ndarray, spacing: np.ndarray) -> float:
    mask = nibabel.Nifti1Image((labels != 0).astype(np.uint8), np.diag([*spacing, 1.0]))
    return float(nibabel.imagestats.mask_volume(mask)) / 1000


def _box_around(labels: np.ndarray) -> np.ndarray:
    """The smallest part of a volume that holds all of the tumour."""
    places = np.argwhere(labels)
    return labels[
        tuple(slice(first, last + 1) for first, last in zip(places.min(axis=0), places.max(axis=0)))
    ]


@check.exercise(
    oracle=_tumour_volume_ml,
    hints=(
        "Three factors: how many voxels are tumour, how many cubic millimetres each of them has, and from "
        "there to ml.",
        "(labels > 0).sum() counts the tumour's voxels; spacing[0] * spacing[1] * spacing[2] is the volume "
        "of one.",
        "return millilitres((labels > 0).sum() * np.prod(spacing))",
    ),
    why={
        (lambda labels, spacing: labels.sum(dtype=float) * np.prod(spacing) / 1000): (
            "You added up the labels: an enhancing voxel (label 4) then counts four times. Count voxels: "
            "(labels > 0).sum()."
        ),
        (lambda labels, spacing: (labels == 1).sum() * np.prod(spacing) / 1000): (
            "You counted label 1 only. Labels are names, not a 0/1 mask: the whole tumour is 1, 2 and 4."
        ),
        (lambda labels, spacing: (labels > 0).sum() * spacing[0] ** 3 / 1000): (
            "You took the voxel for a cube with the edge spacing[0]; these voxels have three different edges."
        ),
        (lambda labels, spacing: float((labels > 0).sum())): (
            "That is the number of tumour voxels: multiply by the volume of one, and convert to ml."
        ),
        (lambda labels, spacing: (labels > 1).sum() * np.prod(spacing) / 1000): (
            "You left out label 1, the necrotic core: it belongs to the tumour, too."
        ),
        (lambda labels, spacing: np.isin(labels, (1, 4)).sum() * np.prod(spacing) / 1000): (
            "That is the tumour core: the whole tumour includes the oedema (label 2)."
        ),
        (lambda labels, spacing: (labels > 0).sum() * 8 / 1000): (
            "You took voxels of 2 x 2 x 2 mm: use the spacing that is passed."
        ),
        (
            lambda labels, spacing: (labels > 0).sum() / 1000
        ): "You counted voxels and took each for 1 cubic millimetre: the spacing is missing.",
        (
            lambda labels, spacing: (labels > 0).sum() * np.prod(spacing)
        ): "Those are cubic millimetres: 1000 of them make a millilitre.",
        (
            lambda labels, spacing: (labels > 0).sum() * np.sum(spacing) / 1000
        ): "You added the three edges of the voxel; its volume is their product.",
        (lambda labels, spacing: labels.size * np.prod(spacing) / 1000): (
            "That is the volume of the whole image, background included: count only voxels with a label "
            "above 0."
        ),
        (
            lambda labels, spacing: (labels == 0).sum() * np.prod(spacing) / 1000
        ): "That is the volume of the background: label 0 is what is not tumour.",
        (lambda labels, spacing: np.isin(labels, (1, 2, 3)).sum() * np.prod(spacing) / 1000): (
            "You left out label 4, the enhancing tumour: there is no label 3."
        ),
        (lambda labels, spacing: _box_around(labels).size * np.prod(spacing) / 1000): (
            "That is the volume of the box around the tumour: count only voxels with a label above 0."
        ),
    },
)
def tumour_volume_ml(trial: Trial) -> None:
    trial.signature("labels", "spacing")
    few = np.zeros((5, 4, 3), np.uint8)  # larger than the box around the tumour
    few[0, 0, 0], few[1, 2, 0], few[2, 2, 0], few[3, 1, 1] = 1, 2, 2, 4
    label = "tumour_volume_ml(4 tumour voxels, [2, 3, 5])"
    trial.case(few, np.array([2.0, 3.0, 5.0]), expected=0.12, label=label, **_SINGLE)
    # Edges that a float32 header holds exactly, so that NiBabel's answer is exact too.
    trial.case(_some_labels(), np.array([0.9375, 1.25, 6.0]), **_SINGLE)
    many = _some_labels((20, 15, 12))  # more tumour voxels than uint8 can count
    trial.case(many, np.array([1.25, 1.25, 2.5]), **_SINGLE)
    label = "tumour_volume_ml(no tumour, [1, 1, 1])"
    trial.case(np.zeros_like(few), np.array([1.0, 1.0, 1.0]), label=label, **_SINGLE)


# ---- 8, 9 · left and right

check.choice(
    "which_side",
    answer="B",
    why={
        "A": "You read the picture as if you were the patient. The picture's left shows small i, and i grows "
        "towards the patient's Left: small i is the other side.",
        "C": "The affine answers it: its first column says which way the first array axis runs through the "
        "patient.",
        "D": "The position of 0 mm decides nothing: in BraTS all of x is 0 or below, right side included. "
        "The direction in which x changes decides.",
    },
    hints=(
        "Which index grows as you go to the right in the picture, i, j or k?",
        "Its axis code is the first of the three letters that we printed: towards which side of the patient "
        "does i grow?",
        "i grows to the right in the picture and towards the patient's Left. So the picture's right is the "
        "patient's left.",
    ),
)

check.choice(
    "what_went_wrong",
    answer="C",
    why={
        "A": "Nobody draws a tumour that neatly on the healthy side: the outline has the tumour's exact "
        "form, mirrored.",
        "B": "A turn by 180 degrees swaps left and right, but also front and back: look whether the narrow "
        "frontal end is still at the top.",
        "D": "The spacing stretches or shrinks the picture; it can't move a tumour to the other side.",
    },
    hints=(
        "Compare with the left panel: what is the same in both, the grey image or the outline?",
        "The outline stayed where it was, and the image's front is still at the top.",
        "Only left and right of the image are swapped: one axis was flipped, in the image and not in the "
        "labels.",
    ),
)


# ---- 10 · regions

# From label (the index) to member of the region; label 3 does not occur (Menze et al. 2015, Bakas et al.
# 2017).
_MEMBERS = {
    "WT": np.array([False, True, True, False, True]),
    "TC": np.array([False, True, False, False, True]),
    "ET": np.array([False, False, False, False, True]),
}


def _members(**labels_of: tuple[int, ...]):
    """A mistaken ``region_mask``: as it should be, except for the regions named here."""
    table = {"WT": (1, 2, 4), "TC": (1, 4), "ET": (4,), **labels_of}
    return lambda labels, region: np.isin(labels, table[region])


def _none_at_all(labels: np.ndarray, region: str) -> np.ndarray:
    """What `(labels == 1) & (labels == 4)` gives: no voxel has two labels."""
    return _region_mask(labels, region) if region == "ET" else np.zeros(labels.shape, bool)


def _region_mask(labels: np.ndarray, region: str) -> np.ndarray:
    return _MEMBERS[region][labels]


@check.exercise(
    oracle=_region_mask,
    hints=(
        "Write down for each region which of the labels 1, 2 and 4 belong to it; the table above has it.",
        "A dictionary from the region's name to its labels, and np.isin(labels, ...), do the rest.",
        'return np.isin(labels, {"WT": (1, 2, 4), "TC": (1, 4), "ET": (4,)}[region])',
    ),
    why={
        _members(ET=(3,)): (
            "You took label 3 for the enhancing tumour: that is how BraTS 2023 and the Medical Segmentation "
            "Decathlon write it. In BraTS up to 2021, as here, it is label 4, and 3 does not occur."
        ),
        _members(WT=(1, 2, 3), TC=(1, 3), ET=(3,)): (
            "You wrote 3 for the enhancing tumour in every region, as BraTS 2023 does. Here it is label 4, "
            "and 3 does not occur."
        ),
        _members(TC=(1, 2, 4)): (
            "You counted oedema (label 2) as tumour core: it is swollen brain around the tumour, part of the"
            " whole tumour only."
        ),
        _members(
            TC=(1, 2)
        ): "You counted oedema (label 2) as tumour core and left out the enhancing tumour (label 4).",
        _members(TC=(1,)): (
            "Your tumour core is the necrotic part alone: the enhancing rim belongs to the core, and its "
            "label is 4, not 3."
        ),
        _members(TC=(4,)): (
            "Your tumour core is the enhancing part alone: the necrotic part (label 1) belongs to the core."
        ),
        _members(TC=()): (
            "Your tumour core is empty. A voxel has one label only, so `&` leaves none, and `labels == 1 | 4`"
            " asks for label 5: join two comparisons, each in its own brackets, with `|`."
        ),
        _members(WT=(), TC=(), ET=()): (
            "No voxel came out as True. (If you wrote np.isin with a set: it takes a list or a tuple.)"
        ),
        _members(WT=(2,), TC=(1,)): (
            "You gave each region one label of its own: the regions are nested, WT contains TC, and TC "
            "contains ET."
        ),
        (lambda labels, region: np.where(_region_mask(labels, region), labels, 0)): (
            "You returned the labels of the region: asked for is True or False for each voxel."
        ),
        _none_at_all: "A voxel has one label only, so `&` leaves none: join the labels with `|` (or).",
        _members(ET=(1,)): "You swapped necrotic core and enhancing tumour: 1 is necrotic, 4 is enhancing.",
        _members(ET=(2,)): "You took oedema (label 2) for the enhancing tumour (label 4).",
        _members(WT=(2,)): (
            "You took the oedema alone for the whole tumour: the regions are nested, WT contains TC, and TC "
            "contains ET."
        ),
        _members(WT=(1, 2)): (
            "Your whole tumour lacks the enhancing part: label 4 comes after a gap, there is no label 3."
        ),
    },
)
def region_mask(trial: Trial) -> None:
    trial.signature("labels", "region")
    each = np.array([[[0, 1, 2, 4]]], np.uint8)
    trial.case(each, "WT", expected=np.array([[[False, True, True, True]]]))
    trial.case(each, "TC", expected=np.array([[[False, True, False, True]]]))
    trial.case(each, "ET", expected=np.array([[[False, False, False, True]]]))
    for region in _MEMBERS:
        trial.case(_some_labels(), region)


check.number(
    "real_tumour_ml",
    answer=16.4127,
    tolerance=0.01,
    hints=(
        "How long is one step along each array axis? Look at the columns of the affine.",
        "One voxel is 0.78125 mm wide, 0.78125 mm deep and 6.5 mm thick. A millilitre is 1000 mm³.",
        "voxels * 0.78125 * 0.78125 * 6.5 / 1000",
    ),
    why={
        16412.7: "That is in cubic millimetres. A millilitre has 1000 of them.",
        4.137: (
            "That would be right for voxels of 1 mm in all directions. These have other edges: the affine"
            " says which."
        ),
        33.096: (
            "That would be right for the synthetic cohort's voxels of 2 mm. These have other edges: the "
            "affine says which."
        ),
        26.8905: (
            "You took 1 mm for the two edges in plane. The first two columns of the affine say how long "
            "they are."
        ),
        21.0082: (
            "One of the two edges in plane is missing: a voxel has three edges, 0.78125, 0.78125 and 6.5 mm."
        ),
        2.52502: "The thickness of the slices is missing: the third column of the affine has it.",
        1136.09: "You took 6.5 mm for all three edges. In plane the voxels are much smaller.",
        1.97266: (
            "You took 0.78125 mm for all three edges. The slices are thicker: the third column of the "
            "affine says how thick."
        ),
        0.00397: "That is one voxel. The tumour has 4,137 of them.",
    },
)


# ---- 11 · intensities


def _normalise(image: np.ndarray, brain: np.ndarray) -> np.ndarray:
    normalised = np.zeros(image.shape)
    normalised[brain] = scipy.stats.zscore(image[brain].astype(float))
    return normalised


def _box_deviation(image: np.ndarray, brain: np.ndarray) -> float:
    """Standard deviation of the whole box after the background was set to 0."""
    return np.where(brain, image, 0).std()


def _z_score(image: np.ndarray, brain: np.ndarray, mean: float, scale: float) -> np.ndarray:
    return np.where(brain, (image - mean) / scale, 0.0)


@check.exercise(
    oracle=_normalise,
    hints=(
        "image[brain] is a flat list of the values inside the brain: take its mean and its standard "
        "deviation.",
        "Begin with np.zeros(image.shape), then fill in the voxels of the brain only: normalised[brain] = "
        "...",
        "normalised[brain] = (image[brain] - image[brain].mean()) / image[brain].std()",
    ),
    why={
        (lambda image, brain: _z_score(image, brain, image.mean(), image.std())): (
            "You took mean and standard deviation over the whole image: most of it is background, so the "
            "size of the box around the head changes your result."
        ),
        (lambda image, brain: (image - image.mean()) / image.std()): (
            "You took mean and standard deviation over the whole image, and the background is no longer 0."
        ),
        (lambda image, brain: (image - image[brain].mean()) / image[brain].std()): (
            "The values inside the brain are right, but the background is not 0: set it to 0, the mean of "
            "the brain."
        ),
        (lambda image, brain: np.where(brain, _normalise(image, brain), image)): (
            "You left the raw values outside the brain: the background must be 0."
        ),
        (lambda image, brain: _normalise(image, image > 0)): (
            "You took every voxel above 0 for brain: the mask `brain` says which voxels belong to it."
        ),
        (lambda image, brain: _z_score(image, brain, image[image > 0].mean(), image[image > 0].std())): (
            "You took mean and standard deviation over every voxel above 0: the mask `brain` says which "
            "voxels count."
        ),
        (lambda image, brain: _z_score(image, brain, image[brain].mean(), image.std())): (
            "The mean is the brain's, but the standard deviation is that of the whole image: take "
            "image[brain].std()."
        ),
        (
            lambda image, brain: _z_score(
                image, brain, np.where(brain, image, 0).mean(), _box_deviation(image, brain)
            )
        ): (
            "You set the background to 0 first and then took mean and deviation of the whole box: its zeros "
            "count as if they were brain."
        ),
        (lambda image, brain: -_normalise(image, brain)): (
            "The sign: bright voxels must come out positive, so subtract the mean from the values."
        ),
        (lambda image, brain: _z_score(image, brain, image[brain].mean(), 1.0)): (
            "You subtracted the mean but did not divide: the scale of the scanner is still in there."
        ),
        (lambda image, brain: _z_score(image, brain, 0.0, image[brain].std())): (
            "You divided by the standard deviation but did not subtract the mean: 0 must be average brain."
        ),
        (lambda image, brain: _z_score(image, brain, image[brain].mean() / image[brain].std(), 1.0)): (
            "Brackets: the difference comes first, then the division, (image - mean) / deviation."
        ),
        (lambda image, brain: _z_score(image, brain, image[brain].mean(), image[brain].var())): (
            "You divided by the variance; the standard deviation is its square root."
        ),
        (lambda image, brain: _z_score(image, brain, image[brain].min(), np.ptp(image[brain]))): (
            "You scaled from smallest to largest (0 to 1): a single bright voxel then decides about all "
            "others. Use mean and standard deviation."
        ),
        (lambda image, brain: _z_score(image, brain, image[brain].mean(), image[brain].std(ddof=1))): (
            "Your standard deviation divides by n - 1 (ddof=1); NumPy's own, which the exercise asks for, "
            "divides by n."
        ),
        (lambda image, brain: _normalise(image, brain).astype(image.dtype)): (
            "Your values were cut to whole numbers: np.zeros_like(image) of an integer image is an integer "
            "array. Use np.zeros(image.shape)."
        ),
        (lambda image, brain: np.trunc(_normalise(image, brain))): (
            "Your values were cut to whole numbers: fill an array of floating-point numbers."
        ),
        (lambda image, brain: _normalise(image, brain)[brain]): (
            "You returned only the voxels of the brain, as a flat list: give back an array of the image's "
            "shape."
        ),
    },
)
def normalise_inside_the_brain(trial: Trial) -> None:
    trial.signature("image", "brain")
    precision = {"tolerance": 1e-4, "any_dtype": True}  # the notebook's image is float32
    trial.case(
        np.array([[[9.0, 1.0, 3.0], [9.0, 5.0, 7.0]]]),
        np.array([[[False, True, True], [False, True, True]]]),
        # mean 4, variance (9 + 1 + 1 + 9) / 4 = 5
        expected=np.array([[[0.0, -3.0, -1.0], [0.0, 1.0, 3.0]]]) / np.sqrt(5),
        **precision,
    )
    with_zeros = np.array([[[0.0, 2.0, 4.0], [8.0, 6.0, 0.0]]])  # one of them inside the brain
    trial.case(with_zeros, np.array([[[False, True, True], [False, True, True]]]), **precision)
    rng = np.random.default_rng(5)
    brain = rng.random((6, 5, 4)) < 0.6
    image = rng.gamma(3.0, 120.0, brain.shape).astype(np.float32)
    image[tuple(np.argwhere(brain)[7])] = (
        9000.0  # more than five deviations above the mean, and not to be clipped
    )
    trial.case(image, brain, label="normalise_inside_the_brain(image (6, 5, 4), brain)", **precision)
    trial.case(
        rng.integers(0, 900, brain.shape, dtype=np.int16),
        brain,
        label="normalise_inside_the_brain(image of 16-bit integers, brain)",
        **precision,
    )


# ---- 12 · why a threshold is not enough

check.choice(
    "why_not_a_threshold",
    answer="D",
    why={
        "A": "Finer bins show the same overlap in more detail: no bin width pulls the two hills apart.",
        "B": "Normalising shifts and stretches all voxels alike: it can't change which of two voxels is "
        "brighter, so the overlap stays as it is.",
        "C": "Try it: at 0, most of the tumour is to the right, and many times more healthy voxels too. At "
        "2, few healthy voxels are left, but about half of the tumour is lost, too.",
    },
    hints=(
        "Put the line at 0, then at 1, then at 2: how much of each hill lies to its right?",
        "To the right of 1: compare the area under the blue curve with the orange area.",
        "The hills overlap, and the healthy one is far larger. No line keeps most of the one and little of "
        "the other.",
    ),
)
