"""From the ideal image to one that came out of a scanner: slices, blur, bias field, noise, units."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from course_utils.phantom.random_fields import gaussian_random_field

SLICE_THICKNESS_MM = {
    "t1": ((1.0, 3.0, 5.0), (0.45, 0.30, 0.25)),
    "t1ce": ((1.0, 3.0), (0.7, 0.3)),
    "t2": ((1.0, 3.0, 5.0), (0.45, 0.30, 0.25)),
    "flair": ((1.0, 3.0, 5.0), (0.45, 0.30, 0.25)),
}
"""Thicknesses in use and their probabilities.

Clinical protocols are mixed: BraTS resampled everything to 1 mm.
"""

LARGEST_INTENSITY = 32000  # fits in int16


def scan(
    ideal: np.ndarray,
    modality: str,
    brain: np.ndarray,
    reference: np.ndarray,
    spacing: float,
    rng: np.random.Generator,
) -> np.ndarray:
    """The image as a scanner would deliver it, skull-stripped, in arbitrary units: int16, (X, Y, Z).

    Args:
        ideal: signal without imperfections.
        modality: one of ``mr_signal.MODALITIES``.
        brain: mask; outside the result is 0.
        reference: mask of healthy white matter, whose median signal sets the scale of noise and intensities.
        spacing: edge of a voxel, mm.
        rng: source of randomness.
    """
    image = _slice_profile(ideal, modality, spacing, rng)
    image = ndimage.gaussian_filter(image, 0.42 / spacing + 0.12)  # point spread, voxels
    image *= bias_field(image.shape, spacing, rng)
    reference_signal = np.median(image[reference])
    image = add_rician_noise(image, rng.uniform(0.02, 0.06) * reference_signal, spacing, rng)
    gain = rng.uniform(200, 900) / reference_signal
    # A voxel of the brain is never exactly 0, so that "non-zero" means "brain", as it does in BraTS.
    return np.where(brain, np.clip(image * gain, 1, LARGEST_INTENSITY), 0).astype(np.int16)


def _slice_profile(image: np.ndarray, modality: str, spacing: float, rng: np.random.Generator) -> np.ndarray:
    """Average over the thickness of the slices: partial volume along the axis."""
    thicknesses, probabilities = SLICE_THICKNESS_MM[modality]
    width = round(rng.choice(thicknesses, p=probabilities) / spacing)
    return ndimage.uniform_filter1d(image, width, axis=2) if width > 1 else image


def bias_field(shape: tuple[int, ...], spacing: float, rng: np.random.Generator) -> np.ndarray:
    """The receive coils' uneven sensitivity: a smooth factor around 1, which varies by 6-20 %."""
    strength = np.float32(rng.uniform(0.06, 0.20))
    return np.exp(strength * gaussian_random_field(shape, 45, spacing, rng))


def add_rician_noise(
    signal: np.ndarray, standard_deviation: float, spacing: float, rng: np.random.Generator
) -> np.ndarray:
    """Gaussian noise on the real and imaginary part, of which the magnitude is taken: M = |S + a + ib|.

    Gudbjartsson H, Patz S. The Rician distribution of noisy MRI data. Magnetic Resonance in Medicine 34,
    910-914 (1995).
    """
    real, imaginary = (
        np.float32(standard_deviation) * rng.standard_normal(signal.shape, dtype=np.float32) for _ in range(2)
    )
    if spacing < 1.5:  # images of 1 mm were interpolated, which smooths their noise
        real, imaginary = (1.8 * ndimage.gaussian_filter(noise, 0.5) for noise in (real, imaginary))
    return np.sqrt((signal + real) ** 2 + imaginary**2)
