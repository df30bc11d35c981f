"""A glioma that grows through the brain: reaction and diffusion, oedema, and the push on what lies around it.

Growth follows the Fisher-Kolmogorov equation of Swanson and colleagues. With u the cell density relative to
the largest that the tissue can carry, D the diffusion coefficient (mm^2/day) and rho the proliferation rate
(1/day),

    du/dt = div(D grad u) + rho u (1 - u),

where D in grey matter is 5 to 10 times smaller than in white matter, and 0 in fluid.

Swanson KR, Alvord EC, Murray JD. A quantitative model for differential motility of gliomas in grey and white
matter. Cell Proliferation 33, 317-329 (2000).
Clatz O et al. Realistic simulation of the 3-D growth of brain tumors in MR images coupling diffusion with
biomechanical deformation. IEEE Transactions on Medical Imaging 24, 1334-1346 (2005): anisotropic medium and
mass effect.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from course_utils.phantom.anatomy import COARSE_GRID, COARSE_HALF_SIZE_MM, COARSE_SPACING_MM, Anatomy
from course_utils.phantom.grids import sample
from course_utils.phantom.random_fields import gaussian_random_field

LOW_GRADE_EVERY = 6
"""Every sixth subject has a low-grade tumour, which does not enhance: balanced by construction."""

SECOND_FOCUS_PROBABILITY = 0.2
STABILITY = 0.9
"""Explicit Euler is stable in three dimensions up to dt = h^2 / (6 D). The phantom stays a tenth below."""

MOST_GROWTH_STEPS = 900
MOST_OEDEMA_STEPS = 70
SMALLEST_PARENCHYMA = 0.35
"""Voxels with less grey and white matter than this are fluid: no cell enters them."""


@dataclass(frozen=True)
class TumourParameters:
    """What is drawn once a subject.

    Attributes:
        low_grade: whether the tumour is without an enhancing part.
        core_volume: volume of the tumour core at which growth stops, ml.
        oedema_volume: largest volume of the oedema around it, ml.
        diffusion: D in white matter, mm^2/day.
        grey_matter_slowdown: D in white matter over D in grey matter.
        proliferation: rho, 1/day.
        mass_effect: largest displacement of the tissue around the core, mm.
        rim_thickness: of the living tumour around the necrosis, mm.
        solid_share: share of the living tumour that does not take up contrast agent; 1 in a low-grade tumour.
    """

    low_grade: bool
    core_volume: float
    oedema_volume: float
    diffusion: float
    grey_matter_slowdown: float
    proliferation: float
    mass_effect: float
    rim_thickness: float
    solid_share: float


@dataclass(frozen=True)
class Growth:
    """Result of the growth on the coarse grid: cell density and oedema, 0..1, and the number of foci."""

    density: np.ndarray
    oedema: np.ndarray
    foci: int


def draw_tumour_parameters(index: int, rng: np.random.Generator) -> TumourParameters:
    """Parameters of the tumour of subject ``index``."""
    low_grade = index % LOW_GRADE_EVERY == LOW_GRADE_EVERY - 1
    typical_core, typical_oedema = (18, 18) if low_grade else (22, 45)
    core_volume = float(np.clip(typical_core * np.exp(rng.normal(0, 0.75)), 4, 85))
    return TumourParameters(
        low_grade=low_grade,
        core_volume=core_volume,
        oedema_volume=float(np.clip(typical_oedema * np.exp(rng.normal(0, 0.7)), 3, 150)),
        diffusion=rng.uniform(0.10, 0.35),
        grey_matter_slowdown=rng.uniform(5, 10),
        proliferation=rng.uniform(0.02, 0.045),
        mass_effect=rng.uniform(0.12, 0.34) * sphere_radius(core_volume) + rng.uniform(0, 2),
        rim_thickness=rng.uniform(3.5, 8),
        solid_share=1.0 if low_grade else max(0.0, rng.uniform(-0.1, 0.28)),
    )


def sphere_radius(volume_ml: float) -> float:
    """Radius (mm) of a sphere of ``volume_ml`` millilitres."""
    return float(np.cbrt(volume_ml * 1000 * 3 / (4 * np.pi)))


def grow(anatomy: Anatomy, parameters: TumourParameters, rng: np.random.Generator) -> Growth:
    """Grow the tumour from one or two foci, then let its oedema spread."""
    foci = _choose_foci(anatomy, rng)
    box = _box_around(foci, parameters)
    density = np.zeros(COARSE_GRID.shape, np.float32)
    density[box] = _grow_density(anatomy, parameters, foci, box, rng)
    oedema = np.zeros(COARSE_GRID.shape, np.float32)
    oedema[box] = _spread_oedema(anatomy, parameters, density[box], box, rng)
    return Growth(density, oedema, len(foci))


def _choose_foci(anatomy: Anatomy, rng: np.random.Generator) -> np.ndarray:
    """Voxels in deep white matter, off the midline, above the brain stem: one, or a second 18-40 mm away."""
    x, _, z = COARSE_GRID.axes()
    suitable = (
        (anatomy.white_matter > 0.75)
        & (anatomy.depth > 8)
        & (anatomy.ventricles < 0.05)
        & (np.abs(x) >= 8)
        & (z > -30)
    )
    candidates = np.argwhere(suitable)
    foci = [candidates[rng.integers(len(candidates))]]
    if rng.random() < SECOND_FOCUS_PROBABILITY:
        distance = np.linalg.norm((candidates - foci[0]) * COARSE_SPACING_MM, axis=1)
        near = candidates[(distance > 18) & (distance < 40)]
        if len(near):
            foci.append(near[rng.integers(len(near))])
    return np.array(foci)


def _box_around(foci: np.ndarray, parameters: TumourParameters) -> tuple[slice, slice, slice]:
    """The part of the coarse grid that tumour and oedema can reach: the equations are solved only there."""
    reach = int((1.5 * sphere_radius(parameters.core_volume) + 38) / COARSE_SPACING_MM)
    first = np.maximum(foci.min(axis=0) - reach, 0)
    last = np.minimum(foci.max(axis=0) + reach + 1, COARSE_GRID.shape)
    return tuple(slice(int(low), int(high)) for low, high in zip(first, last))


def _grow_density(
    anatomy: Anatomy,
    parameters: TumourParameters,
    foci: np.ndarray,
    box: tuple[slice, slice, slice],
    rng: np.random.Generator,
) -> np.ndarray:
    """Solve du/dt = div(D grad u) + rho u (1 - u) by explicit Euler steps, until the core has its volume."""
    white_matter, grey_matter = anatomy.white_matter[box], anatomy.grey_matter[box]
    alive = (anatomy.brain[box] > 0.5) & (white_matter + grey_matter >= SMALLEST_PARENCHYMA)
    irregular_motility = gaussian_random_field(alive.shape, 8, COARSE_SPACING_MM, rng)
    irregular_growth = gaussian_random_field(alive.shape, 8, COARSE_SPACING_MM, rng)
    diffusion = parameters.diffusion * (white_matter + grey_matter / parameters.grey_matter_slowdown) * alive
    diffusion *= np.exp(np.clip(0.5 * irregular_motility, -2, 0.7))
    proliferation = parameters.proliferation * np.exp(0.7 * irregular_growth) * alive
    time_step = min(stable_time_step(diffusion), 0.5 / parameters.proliferation)

    density = np.zeros(alive.shape, np.float32)
    corner = [side.start for side in box]
    for focus, start_density in zip(foci, (0.9, 0.5)):  # the second focus is younger
        density[tuple(focus - corner)] = start_density
    density = ndimage.gaussian_filter(density, 1.0)
    density *= 0.8 / density.max()

    flow = Diffusion(diffusion, time_step)
    growth = (proliferation * time_step).astype(np.float32)
    core_voxels = parameters.core_volume * 1000 / COARSE_SPACING_MM**3
    for step in range(MOST_GROWTH_STEPS):
        density = flow(density)
        density += growth * density * (1 - density)
        if step % 4 == 0 and np.count_nonzero(density > 0.5) > core_voxels:
            break
    return density


def _spread_oedema(
    anatomy: Anatomy,
    parameters: TumourParameters,
    density: np.ndarray,
    box: tuple[slice, slice, slice],
    rng: np.random.Generator,
) -> np.ndarray:
    """Vasogenic oedema: a second wave of the same equation, fed by the tumour, that runs along white matter.

    Time has no unit here: the wave stops at its volume.
    """
    brain = anatomy.brain[box] > 0.5
    white_matter, grey_matter = anatomy.white_matter[box] * brain, anatomy.grey_matter[box] * brain
    irregular_flow = gaussian_random_field(brain.shape, 6, COARSE_SPACING_MM, rng)
    irregular_growth = gaussian_random_field(brain.shape, 8, COARSE_SPACING_MM, rng)
    diffusion = (white_matter**1.5 + 0.03 * grey_matter + 1e-4) * np.exp(
        np.clip(0.4 * irregular_flow, -1, 0.4)
    )
    growth = (0.30 * (white_matter**1.5 + 0.04 * grey_matter) * np.exp(0.5 * irregular_growth)).astype(
        np.float32
    )
    flow = Diffusion(diffusion, stable_time_step(diffusion))

    source = np.clip((density - 0.3) / 0.2, 0, 1)
    source_voxels = np.count_nonzero(source > 0.5)
    oedema_voxels = parameters.oedema_volume * 1000 / COARSE_SPACING_MM**3
    oedema = source
    for _ in range(MOST_OEDEMA_STEPS):
        oedema = flow(oedema)
        oedema = np.clip(oedema + growth * oedema * (1 - oedema), source, 1)
        if np.count_nonzero(oedema > 0.5) - source_voxels > oedema_voxels:
            break
    return oedema


def stable_time_step(diffusion: np.ndarray) -> float:
    """Just below the limit of explicit Euler on the coarse grid, h^2 / (6 max D)."""
    return STABILITY * COARSE_SPACING_MM**2 / (6 * float(diffusion.max()))


class Diffusion:
    """One explicit Euler step of du/dt = div(D grad u) on the coarse grid; no flow through the border.

    Finite volumes: what leaves a voxel through a face enters its neighbour, so the total is kept exactly. The
    coefficient of a face is the harmonic mean of D on its two sides, which is 0 where either side is fluid.

    Args:
        coefficient: D, (X, Y, Z).
        time_step: dt, in the unit of time of D.
    """

    def __init__(self, coefficient: np.ndarray, time_step: float) -> None:
        self.face_coefficients = []
        for axis in range(3):
            lower, upper = _neighbours(axis)
            here, there = coefficient[lower], coefficient[upper]
            face = 2 * here * there / (here + there + 1e-9)
            self.face_coefficients.append((face * (time_step / COARSE_SPACING_MM**2)).astype(np.float32))

    def __call__(self, density: np.ndarray) -> np.ndarray:
        result = density.copy()
        for axis, coefficient in enumerate(self.face_coefficients):
            lower, upper = _neighbours(axis)
            flux = coefficient * (density[upper] - density[lower])
            result[lower] += flux
            result[upper] -= flux
        return result


def _neighbours(axis: int) -> tuple[tuple[slice, ...], tuple[slice, ...]]:
    """Index of all voxels but the last, and of all but the first, along ``axis``: pairs of neighbours."""
    lower = tuple(slice(None, -1) if other == axis else slice(None) for other in range(3))
    upper = tuple(slice(1, None) if other == axis else slice(None) for other in range(3))
    return lower, upper


def mass_effect(anatomy: Anatomy, growth: Growth, parameters: TumourParameters) -> list[np.ndarray]:
    """Where the tissue of each voxel was before the tumour pushed it: three arrays of coarse voxel indices.

    The push follows the falling gradient of the smoothed core. It fades towards the unyielding skull.
    """
    core = ndimage.gaussian_filter((growth.density > 0.4).astype(np.float32), 9 / COARSE_SPACING_MM)
    push = -np.stack(np.gradient(core))
    push *= parameters.mass_effect / np.abs(push).max() * np.clip(anatomy.depth / 14, 0, 1)
    push = [ndimage.gaussian_filter(component, 0.8).astype(np.float32) for component in push]
    return [
        (position - displacement + np.float32(half)) / np.float32(COARSE_SPACING_MM)
        for position, displacement, half in zip(COARSE_GRID.axes(), push, COARSE_HALF_SIZE_MM)
    ]


def pushed(volume: np.ndarray, origins: list[np.ndarray]) -> np.ndarray:
    """A coarse map after the mass effect; ``origins`` come from :func:`mass_effect`."""
    return sample(volume, origins, outside="nearest")
