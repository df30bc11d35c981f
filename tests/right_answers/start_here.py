"""Right answers to the exercises of notebook 00, in other styles."""

from __future__ import annotations

import nibabel.affines
import numpy as np

from tests.right_answers import RightAnswers

right = RightAnswers("start_here")


@right("millilitres", "by centimetres")
def millilitres_by_centimetres(cubic_millimetres):
    return cubic_millimetres * 0.1**3


@right("millilitres", "a NumPy number, and a default that nobody asked for")
def millilitres_numpy(cubic_millimetres, per_millilitre=1e3):
    return np.float64(cubic_millimetres) / per_millilitre


@right("millilitres", "single precision")
def millilitres_single(cubic_millimetres):
    return np.float32(cubic_millimetres) / np.float32(1000)


@right("voxel_to_world", "a loop over voxels")
def voxel_to_world_by_loop(affine, voxels):
    return np.array([affine[:3, :3] @ voxel + affine[:3, 3] for voxel in voxels])


@right("voxel_to_world", "homogeneous coordinates")
def voxel_to_world_homogeneous(affine, voxels):
    return (affine @ np.column_stack([voxels, np.ones(len(voxels))]).T).T[:, :3]


@right("voxel_to_world", "einsum")
def voxel_to_world_einsum(affine, voxels):
    return np.einsum("ab,nb->na", affine[:3, :3], voxels) + affine[None, :3, 3]


@right("voxel_to_world", "single precision")
def voxel_to_world_single(affine, voxels):
    matrix = affine.astype(np.float32)
    return voxels.astype(np.float32) @ matrix[:3, :3].T + matrix[:3, 3]


@right("world_to_voxel", "solve, without an inverse")
def world_to_voxel_solved(affine, points):
    return np.linalg.solve(affine[:3, :3], (points - affine[:3, 3]).T).T


@right("world_to_voxel", "NiBabel")
def world_to_voxel_nibabel(affine, points):
    return nibabel.affines.apply_affine(np.linalg.inv(affine), points)


@right("world_to_voxel", "a loop with the inverse of the matrix")
def world_to_voxel_by_loop(affine, points):
    inverse = np.linalg.inv(affine[:3, :3])
    return np.stack([inverse @ (point - affine[:3, 3]) for point in points])


@right("spacing_from_affine", "norm of the columns")
def spacing_by_norm(affine):
    return np.linalg.norm(affine[:3, :3], axis=0)


@right("spacing_from_affine", "the distance between neighbouring voxels")
def spacing_by_steps(affine):
    origin = affine @ [0, 0, 0, 1]
    return np.array([np.linalg.norm(affine @ [*step, 1] - origin) for step in np.eye(3)])


@right("spacing_from_affine", "square roots of the Gram matrix's diagonal")
def spacing_by_gram(affine):
    m = affine[:3, :3]
    return np.diag(m.T @ m) ** 0.5


@right("tumour_volume_ml", "counted, a product by hand")
def volume_counted(labels, spacing):
    return np.count_nonzero(labels) * spacing[0] * spacing[1] * spacing[2] / 1000


@right("tumour_volume_ml", "the sum over the three labels, a Python float")
def volume_summed(labels, spacing):
    voxels = sum(int((labels == label).sum()) for label in (1, 2, 4))
    return float(voxels * np.prod(np.array(spacing) / 10))


@right("region_mask", "a loop over voxels, along three axes")
def region_by_voxels(labels, region):
    mask = np.zeros(labels.shape, dtype=bool)
    for x in range(labels.shape[0]):
        for y in range(labels.shape[1]):
            for z in range(labels.shape[2]):
                mask[x, y, z] = labels[x, y, z] in {"WT": (1, 2, 4), "TC": (1, 4), "ET": (4,)}[region]
    return mask


@right("region_mask", "comparisons joined by or")
def region_by_or(labels, region):
    if region == "WT":
        return labels > 0
    return (labels == 1) | (labels == 4) if region == "TC" else labels == 4


@right("region_mask", "a loop over labels")
def region_by_loop(labels, region):
    mask = np.zeros(labels.shape, dtype=bool)
    for label in {"WT": [1, 2, 4], "TC": [1, 4], "ET": [4]}[region]:
        mask |= labels == label
    return mask


@right("normalise_inside_the_brain", "sums over slices along the third axis")
def normalise_by_slices(image, brain):
    slices = range(image.shape[2])
    mean = sum(image[:, :, k][brain[:, :, k]].astype(float).sum() for k in slices) / brain.sum()
    squares = sum(((image[:, :, k][brain[:, :, k]] - mean) ** 2).sum() for k in slices)
    return np.where(brain, (image - mean) / np.sqrt(squares / brain.sum()), 0)


@right("normalise_inside_the_brain", "np.where over the whole box")
def normalise_where(image, brain):
    values = image[brain].astype(float)
    return np.where(brain, (image - values.mean()) / values.std(), 0)


@right("normalise_inside_the_brain", "a tiny number beside the deviation, single precision")
def normalise_single(image, brain):
    image = image.astype(np.float32)
    result = np.zeros_like(image)
    result[brain] = (image[brain] - image[brain].mean()) / (image[brain].std() + 1e-8)
    return result


@right("normalise_inside_the_brain", "by the definition of the variance")
def normalise_by_hand(image, brain):
    values = image.astype(float)
    n = brain.sum()
    mean = (values * brain).sum() / n
    variance = ((values - mean) ** 2 * brain).sum() / n
    return (values - mean) / np.sqrt(variance) * brain
