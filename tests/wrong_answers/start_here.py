"""Mistakes that students make in notebook 00, each with the words that the check's answer must contain."""

from __future__ import annotations

import numpy as np

from tests.wrong_answers import WrongAnswers

wrong = WrongAnswers("start_here")


# ---- millilitres


@wrong("millilitres", says="divided by 10:")
def millilitres_as_a_length(cubic_millimetres):
    return cubic_millimetres / 10


@wrong("millilitres", says="square centimetres")
def millilitres_as_an_area(cubic_millimetres):
    return cubic_millimetres / 10**2


@wrong("millilitres", says="multiplied where you should divide")
def millilitres_the_other_way(cubic_millimetres):
    return 1000 * cubic_millimetres


@wrong("millilitres", says="litres, not millilitres")
def millilitres_as_litres(cubic_millimetres):
    return cubic_millimetres / 100**3


@wrong("millilitres", says="rounded down")
def millilitres_whole(cubic_millimetres):
    return cubic_millimetres // 1000


@wrong("millilitres", says="rounded to whole")
def millilitres_rounded(cubic_millimetres):
    return round(cubic_millimetres / 1000)


@wrong("millilitres", says="rounded to two digits")
def millilitres_two_digits(cubic_millimetres):
    return round(cubic_millimetres / 1000, 2)


@wrong("millilitres", says="rounded to one digit")
def millilitres_one_digit(cubic_millimetres):
    return round(cubic_millimetres / 1000, 1)


# ---- voxel_to_world


@wrong("voxel_to_world", says="forgot the translation")
def world_without_translation(affine, voxels):
    homogeneous = np.column_stack([voxels, np.zeros(len(voxels))])
    return (affine @ homogeneous.T).T[:, :3]


@wrong("voxel_to_world", says="from the wrong side")
def world_from_the_wrong_side(affine, voxels):
    return voxels @ affine[:3, :3] + affine[:3, 3]


@wrong("voxel_to_world", says="only the diagonal")
def world_by_the_diagonal(affine, voxels):
    return voxels * affine.diagonal()[:3] + affine[:3, 3]


@wrong("voxel_to_world", says="before multiplying")
def world_translated_first(affine, voxels):
    return (affine[:3, :3] @ (voxels + affine[:3, 3]).T).T


@wrong("voxel_to_world", says="homogeneous coordinates")
def world_with_a_fourth_number(affine, voxels):
    return (affine @ np.column_stack([voxels, np.ones(len(voxels))]).T).T


@wrong("voxel_to_world", says="so it is added")
def world_minus_translation(affine, voxels):
    return np.array([affine[:3, :3] @ voxel - affine[:3, 3] for voxel in voxels])


@wrong("voxel_to_world", says="whole millimetres")
def world_whole(affine, voxels):
    return (voxels @ affine[:3, :3].T + affine[:3, 3]).astype(int)


# ---- world_to_voxel


@wrong("world_to_voxel", says="same way again")
def voxel_the_same_way(affine, points):
    return points @ affine[:3, :3].T + affine[:3, 3]


@wrong("world_to_voxel", says="left the translation as it was")
def voxel_with_the_old_translation(affine, points):
    inverse = np.linalg.inv(affine[:3, :3])
    return (inverse @ points.T).T + affine[:3, 3]


@wrong("world_to_voxel", says="subtracted the translation after")
def voxel_translated_last(affine, points):
    inverse = np.linalg.inv(affine[:3, :3])
    return (inverse @ points.T).T - affine[:3, 3]


@wrong("world_to_voxel", says="divided by the diagonal")
def voxel_by_the_diagonal(affine, points):
    diagonal = affine.diagonal()[:3].copy()
    diagonal[diagonal == 0] = 1
    return (points - affine[:3, 3]) / diagonal


@wrong("world_to_voxel", says="transposed where you should invert")
def voxel_by_the_transpose(affine, points):
    return (affine[:3, :3].T @ (points - affine[:3, 3]).T).T


@wrong("world_to_voxel", says="rounded to whole voxels")
def voxel_rounded(affine, points):
    inverse = np.linalg.inv(affine)
    return np.rint(points @ inverse[:3, :3].T + inverse[:3, 3])


@wrong("world_to_voxel", says="undoes the size of the voxels")
def voxel_by_the_spacing(affine, points):
    spacing = np.sqrt((affine[:3, :3] ** 2).sum(axis=0))
    return (points - affine[:3, 3]) / spacing


@wrong("world_to_voxel", says="but not the translation")
def voxel_without_translation(affine, points):
    return (np.linalg.inv(affine[:3, :3]) @ points.T).T


@wrong("world_to_voxel", says="inverse from the wrong side")
def voxel_from_the_wrong_side(affine, points):
    return (points - affine[:3, 3]) @ np.linalg.inv(affine[:3, :3])


@wrong("world_to_voxel", says="rounded down to whole voxels")
def voxel_rounded_down(affine, points):
    return np.floor((points - affine[:3, 3]) @ np.linalg.inv(affine[:3, :3]).T)


@wrong("world_to_voxel", says="cut the result to whole voxels")
def voxel_as_integers(affine, points):
    return ((points - affine[:3, 3]) @ np.linalg.inv(affine[:3, :3]).T).astype(int)


@wrong("world_to_voxel", says="added the translation")
def voxel_with_the_translation_added(affine, points):
    return np.linalg.solve(affine[:3, :3], (points + affine[:3, 3]).T).T


# ---- spacing_from_affine


@wrong("spacing_from_affine", says="took the diagonal")
def spacing_signed(affine):
    return np.diag(affine)[:3]


@wrong("spacing_from_affine", says="absolute value of the diagonal")
def spacing_of_unrotated_scans(affine):
    return abs(affine.diagonal()[:3])


@wrong("spacing_from_affine", says="lengths of the rows")
def spacing_of_rows(affine):
    return np.sqrt((affine[:3, :3] ** 2).sum(axis=1))


@wrong("spacing_from_affine", says="two street corners")
def spacing_in_blocks(affine):
    return abs(affine[:3, :3]).sum(axis=0)


@wrong("spacing_from_affine", says="squared lengths")
def spacing_squared(affine):
    return np.diag(affine[:3, :3].T @ affine[:3, :3])


@wrong("spacing_from_affine", says="fourth column")
def spacing_of_four_columns(affine):
    return np.sqrt((affine[:3] ** 2).sum(axis=0))


@wrong("spacing_from_affine", says="signs cancel")
def spacing_of_signed_sums(affine):
    return affine[:3, :3].sum(axis=0)


@wrong("spacing_from_affine", says="largest entry")
def spacing_of_largest_entries(affine):
    return abs(affine[:3, :3]).max(axis=0)


@wrong("spacing_from_affine", says="translation included")
def spacing_of_long_rows(affine):
    return np.linalg.norm(affine[:3, :4], axis=1)


@wrong("spacing_from_affine", says="don't sort")
def spacing_sorted(affine):
    return np.array(sorted(np.linalg.norm(affine[:3, :3], axis=0)))


@wrong("spacing_from_affine", says="singular values")
def spacing_by_decomposition(affine):
    return np.linalg.svd(affine[:3, :3])[1]


@wrong("spacing_from_affine", says="rounded to whole millimetres")
def spacing_rounded(affine):
    return np.linalg.norm(affine[:3, :3], axis=0).round()


@wrong("spacing_from_affine", says="cut the edges")
def spacing_in_integers(affine):
    return (np.sqrt((affine[:3, :3] ** 2).sum(axis=0)) + 1e-9).astype(int)


@wrong("spacing_from_affine", says="dropped the sign at the end")
def spacing_by_the_size_of_the_sum(affine):
    return np.sqrt(affine[:3, :3].sum(axis=0) ** 2)


# ---- tumour_volume_ml


@wrong("tumour_volume_ml", says="added up the labels")
def volume_of_summed_labels(labels, spacing):
    return labels.astype(int).sum() * np.prod(spacing) / 1000


@wrong("tumour_volume_ml", says="counted label 1 only")
def volume_of_label_one(labels, spacing):
    return np.count_nonzero(labels == 1) * np.prod(spacing) / 1000


@wrong("tumour_volume_ml", says="cube")
def volume_of_cubes(labels, spacing):
    return np.count_nonzero(labels) * spacing[0] ** 3 / 1000


@wrong("tumour_volume_ml", says="spacing is missing")
def volume_in_voxels(labels, spacing):
    return np.count_nonzero(labels) / 1000


@wrong("tumour_volume_ml", says="cubic millimetres")
def volume_not_converted(labels, spacing):
    return np.count_nonzero(labels) * np.prod(spacing)


@wrong("tumour_volume_ml", says="added the three edges")
def volume_of_added_edges(labels, spacing):
    return np.count_nonzero(labels) * sum(spacing) / 1000


@wrong("tumour_volume_ml", says="whole image")
def volume_of_the_box(labels, spacing):
    return labels.size * np.prod(spacing) / 1000


@wrong("tumour_volume_ml", says="background")
def volume_of_the_background(labels, spacing):
    return np.count_nonzero(labels == 0) * np.prod(spacing) / 1000


@wrong("tumour_volume_ml", says="number of tumour voxels")
def volume_as_a_count(labels, spacing):
    return np.count_nonzero(labels)


@wrong("tumour_volume_ml", says="left out label 1")
def volume_above_one(labels, spacing):
    return np.count_nonzero(labels > 1) * np.prod(spacing) / 1000


@wrong("tumour_volume_ml", says="tumour core")
def volume_of_the_core(labels, spacing):
    return ((labels == 1) | (labels == 4)).sum() * np.prod(spacing) / 1000


@wrong("tumour_volume_ml", says="2 x 2 x 2")
def volume_of_this_cohort(labels, spacing):
    return np.count_nonzero(labels) * 8 / 1000


@wrong("tumour_volume_ml", says="values differ")
def volume_counted_in_bytes(labels, spacing):
    return (labels > 0).sum(dtype=np.uint8) * np.prod(spacing) / 1000


@wrong("tumour_volume_ml", says="there is no label 3")
def volume_of_labels_1_to_3(labels, spacing):
    return ((labels >= 1) & (labels <= 3)).sum() * np.prod(spacing) / 1000


@wrong("tumour_volume_ml", says="box around the tumour")
def volume_of_the_box_around_it(labels, spacing):
    if not labels.any():
        return 0.0
    return np.prod((np.ptp(np.argwhere(labels > 0), axis=0) + 1) * spacing) / 1000


# ---- region_mask


def by_table(table):
    def region_mask(labels, region):
        return np.isin(labels, table[region])

    return region_mask


def each_region_by_table(says, **labels_of):
    right = {"WT": (1, 2, 4), "TC": (1, 4), "ET": (4,)}
    wrong("region_mask", says=says)(by_table({**right, **labels_of}))


each_region_by_table("label 3 for the enhancing", ET=(3,))
each_region_by_table("label 2) as tumour core: it is swollen", TC=(1, 2, 4))
each_region_by_table("left out the enhancing", TC=(1, 2))
each_region_by_table("necrotic part alone", TC=(1, 3))
each_region_by_table("enhancing part alone", TC=(4,))
each_region_by_table("swapped necrotic", ET=(1,))
each_region_by_table("oedema (label 2) for the enhancing", ET=(2,))
each_region_by_table("nested", WT=(2,))
each_region_by_table("one label of its own", WT=(2,), TC=(1,))
each_region_by_table("3 for the enhancing tumour in every region", WT=(1, 2, 3), TC=(1, 3), ET=(3,))
each_region_by_table("lacks the enhancing part", WT=(1, 2, 3))


@wrong("region_mask", says="leaves none")
def region_by_and(labels, region):
    if region == "ET":
        return labels == 4
    if region == "TC":
        return (labels == 1) & (labels == 4)
    return (labels == 1) & (labels == 2) & (labels == 4)


@wrong("region_mask", says="tumour core is empty")
def region_by_and_in_the_core_only(labels, region):
    if region == "TC":
        return (labels == 1) & (labels == 4)
    return labels == 4 if region == "ET" else labels > 0


@wrong("region_mask", says="asks for label 5")
def region_without_brackets(labels, region):
    if region == "TC":
        return labels == 1 | 4
    return labels == 4 if region == "ET" else labels > 0


@wrong("region_mask", says="takes a list or a tuple")
def region_by_a_set(labels, region):
    return np.isin(labels, {"WT": {1, 2, 4}, "TC": {1, 4}, "ET": {4}}[region])


@wrong("region_mask", says="labels of the region")
def region_keeping_the_labels(labels, region):
    return labels * np.isin(labels, {"WT": (1, 2, 4), "TC": (1, 4), "ET": (4,)}[region])


@wrong("region_mask", says="data type")
def region_as_numbers(labels, region):
    return np.isin(labels, {"WT": (1, 2, 4), "TC": (1, 4), "ET": (4,)}[region]).astype(np.uint8)


# ---- normalise_inside_the_brain


@wrong("normalise_inside_the_brain", says="size of the box")
def normalise_with_the_background(image, brain):
    normalised = np.zeros(image.shape)
    normalised[brain] = (image[brain] - image.mean()) / image.std()
    return normalised


@wrong("normalise_inside_the_brain", says="no longer 0")
def normalise_everything(image, brain):
    return (image - image.mean()) / image.std()


@wrong("normalise_inside_the_brain", says="background is not 0")
def normalise_and_leave_the_background(image, brain):
    return (image - image[brain].mean()) / image[brain].std()


@wrong("normalise_inside_the_brain", says="raw values outside")
def normalise_a_copy(image, brain):
    normalised = image.astype(float)
    normalised[brain] = (image[brain] - image[brain].mean()) / image[brain].std()
    return normalised


@wrong("normalise_inside_the_brain", says="did not divide")
def normalise_the_mean_only(image, brain):
    return np.where(brain, image - image[brain].mean(), 0)


@wrong("normalise_inside_the_brain", says="variance")
def normalise_by_the_variance(image, brain):
    return np.where(brain, (image - image[brain].mean()) / image[brain].var(), 0)


@wrong("normalise_inside_the_brain", says="smallest to largest")
def normalise_from_0_to_1(image, brain):
    lowest, highest = image[brain].min(), image[brain].max()
    return np.where(brain, (image - lowest) / (highest - lowest), 0)


@wrong("normalise_inside_the_brain", says="n - 1")
def normalise_by_the_sample_deviation(image, brain):
    return np.where(brain, (image - image[brain].mean()) / image[brain].std(ddof=1), 0)


@wrong("normalise_inside_the_brain", says="whole numbers")
def normalise_into_integers(image, brain):
    normalised = np.zeros_like(image)
    normalised[brain] = (image[brain] - image[brain].mean()) / image[brain].std()
    return normalised


@wrong("normalise_inside_the_brain", says="flat list")
def normalise_to_a_list(image, brain):
    return (image[brain] - image[brain].mean()) / image[brain].std()


@wrong("normalise_inside_the_brain", says="changes its input")
def normalise_in_place(image, brain):
    values = image[brain]
    image[~brain] = 0
    image[brain] = (values - values.mean()) / values.std()
    return image


@wrong("normalise_inside_the_brain", says="every voxel above 0")
def normalise_what_is_bright(image, brain):
    normalised, bright = np.zeros(image.shape), image > 0
    normalised[bright] = (image[bright] - image[bright].mean()) / image[bright].std()
    return normalised


@wrong("normalise_inside_the_brain", says="deviation is that of the whole image")
def normalise_by_the_box(image, brain):
    return np.where(brain, (image - image[brain].mean()) / image.std(), 0)


@wrong("normalise_inside_the_brain", says="its zeros")
def normalise_with_zeros(image, brain):
    masked = np.where(brain, image, 0).astype(float)
    return np.where(brain, (masked - masked.mean()) / masked.std(), 0)


@wrong("normalise_inside_the_brain", says="the sign")
def normalise_upside_down(image, brain):
    normalised = np.zeros(image.shape)
    normalised[brain] = (image[brain].mean() - image[brain]) / image[brain].std()
    return normalised


@wrong("normalise_inside_the_brain", says="which voxels count")
def normalise_by_what_is_bright(image, brain):
    bright = image[image > 0]
    return np.where(brain, (image - bright.mean()) / bright.std(), 0)


@wrong("normalise_inside_the_brain", says="did not subtract the mean")
def normalise_the_scale_only(image, brain):
    return np.where(brain, image / image[brain].std(), 0)


@wrong("normalise_inside_the_brain", says="brackets")
def normalise_without_brackets(image, brain):
    return np.where(brain, image - image[brain].mean() / image[brain].std(), 0)


@wrong("normalise_inside_the_brain", says="fill an array of floating-point numbers")
def normalise_into_an_integer_array(image, brain):
    normalised = np.zeros(image.shape, dtype=int)
    normalised[brain] = (image[brain] - image[brain].mean()) / image[brain].std()
    return normalised


@wrong("normalise_inside_the_brain", says="values differ")
def normalise_and_clip(image, brain):
    return np.clip(np.where(brain, (image - image[brain].mean()) / image[brain].std(), 0), -5, 5)


@wrong("normalise_inside_the_brain", says="values differ")
def normalise_slice_by_slice(image, brain):
    normalised = np.zeros(image.shape)
    for k in range(image.shape[2]):
        values = image[:, :, k][brain[:, :, k]]
        if values.size:
            normalised[:, :, k][brain[:, :, k]] = (values - values.mean()) / (values.std() + 1e-8)
    return normalised
