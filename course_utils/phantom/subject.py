"""One synthetic subject, from a seed to images and labels."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from course_utils.phantom import mr_signal
from course_utils.phantom.anatomy import COARSE_GRID, Tissues, make_anatomy, make_tissues
from course_utils.phantom.atlas import load_atlas
from course_utils.phantom.confounders import Confounders, make_confounders
from course_utils.phantom.grids import Grid, bounding_box, brats_affine, brats_grid, resample
from course_utils.phantom.lesions import Lesions, make_lesions
from course_utils.phantom.random_fields import gaussian_random_field, smooth_step
from course_utils.phantom.scanner import scan
from course_utils.phantom.tumour_growth import draw_tumour_parameters, grow, mass_effect, pushed

SMALLEST_SPACING, LARGEST_SPACING = 1.0, 4.0

LESION_TISSUES = ("oedema", "enhancing", "solid", "necrosis", "white_matter_lesion")
BLEEDING_PROBABILITY = 0.3


@dataclass(frozen=True)
class Subject:
    """A synthetic subject in the geometry of BraTS: axes left, posterior, superior.

    Attributes:
        name: ``SynthBraTS_000`` and so on.
        images: by modality (t1, t1ce, t2, flair), int16, (X, Y, Z), arbitrary units, 0 outside the brain.
        labels: uint8, (X, Y, Z): 0 background, 1 necrotic and non-enhancing core, 2 oedema, 4 enhancing.
        affine: voxel indices to world coordinates (R, A, S), mm, (4, 4).
        low_grade: whether the tumour is without an enhancing part.
        foci: number of places at which it began: 1 or 2.
    """

    name: str
    images: dict[str, np.ndarray]
    labels: np.ndarray
    affine: np.ndarray
    low_grade: bool
    foci: int


def subject_name(index: int) -> str:
    """The name of subject ``index``, which is also the name of its folder."""
    return f"SynthBraTS_{index:03d}"


def make_subject(seed: int, index: int, spacing: float = 2.0) -> Subject:
    """Make subject ``index`` of the cohort ``seed``: the same arguments always give the same voxels.

    Args:
        seed: the cohort, 0 or larger.
        index: the subject in it, 0 or larger. Every sixth tumour (5, 11, ...) is low-grade.
        spacing: edge of a voxel, 1 to 4 mm. At 1 mm the images have BraTS's 240 x 240 x 155 voxels.

    Raises:
        ValueError: an argument is out of range.
    """
    check_arguments(seed, spacing)
    if index < 0:
        raise ValueError(f"index is {index}: a subject's index is 0 or larger")

    # One generator a stage: brain and tumour do not depend on the spacing, only the textures do.
    anatomy_rng, tumour_rng, detail_rng, signal_rng = (
        np.random.default_rng([seed, index, stage]) for stage in range(4)
    )
    atlas = load_atlas()
    anatomy = make_anatomy(atlas, anatomy_rng)
    parameters = draw_tumour_parameters(index, tumour_rng)
    growth = grow(anatomy, parameters, tumour_rng)
    origins = mass_effect(anatomy, growth, parameters)

    full_grid = brats_grid(spacing)
    brain = resample(pushed(anatomy.brain, origins), COARSE_GRID, full_grid)
    box = bounding_box(brain > 0.3, margin=1)
    grid = full_grid.part(box)

    def on_image(coarse_map: np.ndarray) -> np.ndarray:
        return resample(pushed(coarse_map, origins), COARSE_GRID, grid)

    tissues = make_tissues(
        atlas,
        [on_image(index_map) for index_map in anatomy.atlas_indices],
        on_image(anatomy.depth),
        on_image(anatomy.ventricles),
        spacing,
        detail_rng,
    )
    lesions = make_lesions(
        tissues, on_image(growth.density), on_image(growth.oedema), parameters, spacing, detail_rng
    )
    confounders = make_confounders(tissues, grid, detail_rng)
    images = _make_images(tissues, lesions, confounders, spacing, signal_rng)
    return Subject(
        subject_name(index),
        {modality: _to_brats(image, box, full_grid) for modality, image in images.items()},
        _to_brats(lesions.labels, box, full_grid),
        brats_affine(spacing),
        parameters.low_grade,
        growth.foci,
    )


def check_arguments(seed: int, spacing: float) -> None:
    """Raise a ValueError that says what is wrong with ``seed`` or ``spacing``."""
    if seed < 0:
        raise ValueError(f"seed is {seed}: choose 0 or a larger whole number")
    if not SMALLEST_SPACING <= spacing <= LARGEST_SPACING:
        raise ValueError(
            f"spacing is {spacing:g} mm: choose {SMALLEST_SPACING:g} (BraTS's own) to {LARGEST_SPACING:g} mm"
        )


def tissue_fractions(tissues: Tissues, lesions: Lesions, confounders: Confounders) -> dict[str, np.ndarray]:
    """What each voxel consists of, by tissue. The fractions add up to 1: partial volume is their mixture."""
    vessels = confounders.vessels * (1 - lesions.core)
    healthy = (1 - lesions.core) * (1 - lesions.oedema_extent) * (1 - vessels)
    diseased_share = confounders.white_matter_lesion * (1 - lesions.oedema_extent) * (1 - lesions.core)
    fractions = {
        "white_matter": healthy * tissues.white_matter * (1 - diseased_share),
        "white_matter_lesion": healthy * tissues.white_matter * diseased_share,
        "grey_matter": healthy * (tissues.grey_matter - tissues.deep_grey_matter),
        "deep_grey_matter": healthy * tissues.deep_grey_matter,
        "fluid": healthy * tissues.fluid,
        "oedema": lesions.oedema * (1 - vessels),
        "solid": lesions.solid,
        "enhancing": lesions.enhancing,
        "necrosis": lesions.necrosis,
        "vessels": vessels * (1 - lesions.core),
    }
    fractions["fluid"] = fractions["fluid"] + np.clip(1 - sum(fractions.values()), 0, 1)
    return fractions


def _make_images(
    tissues: Tissues, lesions: Lesions, confounders: Confounders, spacing: float, rng: np.random.Generator
) -> dict[str, np.ndarray]:
    """The four modalities, int16."""
    shape = tissues.brain.shape
    fractions = tissue_fractions(tissues, lesions, confounders)
    relaxation = mr_signal.draw_tissues(rng)
    protocol = mr_signal.draw_protocol(relaxation["fluid"], rng)
    concentrations = mr_signal.draw_concentrations(rng)

    lesion_texture = np.exp(
        0.10 * gaussian_random_field(shape, 2.5, spacing, rng) + 0.06 * lesions.coarse_texture
    )
    uptake_texture = np.exp(0.45 * gaussian_random_field(shape, 2.0, spacing, rng))
    has_bleeding = rng.random() < BLEEDING_PROBABILITY and lesions.may_bleed
    bleeding = 1 + 0.35 * has_bleeding * lesions.core * smooth_step(lesions.coarse_texture, 0.9, 0.2)
    healthy_white_matter = tissues.brain & (tissues.white_matter > 0.7) & (lesions.labels == 0)
    without_agent = mr_signal.signals("t1", relaxation, protocol, concentrations)["enhancing"]

    images = {}
    for modality in mr_signal.MODALITIES:
        signals = mr_signal.signals(modality, relaxation, protocol, concentrations)
        ideal = np.zeros(shape, np.float32)
        for name, fraction in fractions.items():
            contribution = np.float32(signals[name]) * fraction
            if modality == "t1ce" and name == "enhancing":  # the rim takes up the agent unevenly
                contribution = fraction * (
                    np.float32(without_agent) + np.float32(signals[name] - without_agent) * uptake_texture
                )
            ideal += contribution * lesion_texture if name in LESION_TISSUES else contribution
        if modality == "flair":  # fluid that moved in before the readout was never inverted
            moving = 0.9 * mr_signal.spin_echo(relaxation["white_matter"], 4000, protocol.flair_echo)
            ideal += np.float32(moving) * confounders.flow * (1 - lesions.core)
        if modality in ("t2", "flair"):
            ideal *= np.exp(0.05 * gaussian_random_field(shape, 4, spacing, rng))
        if modality in ("t1", "t1ce"):  # blood products are bright on T1
            ideal *= bleeding
        images[modality] = scan(ideal, modality, tissues.brain, healthy_white_matter, spacing, rng)
    return images


def _to_brats(values: np.ndarray, box: tuple[slice, ...], grid: Grid) -> np.ndarray:
    """From the box around the brain (axes R, A, S) to the full field of view with BraTS's axes L, P, S."""
    full = np.zeros(grid.shape, values.dtype)
    full[box] = values
    return np.ascontiguousarray(full[::-1, ::-1])
