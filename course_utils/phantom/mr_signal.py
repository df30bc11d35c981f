"""The signal of each tissue in each sequence, from relaxation times at 3 T.

White and grey matter: Wansapura JP, Holland SK, Dunn RS, Ball WS. NMR relaxation times in the human brain at
3.0 tesla. Journal of Magnetic Resonance Imaging 9, 531-538 (1999): T1 832 and 1331 ms, T2 79.6 and 110 ms.
Stanisz GJ et al. T1, T2 relaxation and magnetization transfer in tissue at 3T. Magnetic Resonance in Medicine
54, 507-512 (2005): T1 1084 and 1820 ms, T2 69 and 99 ms. Published values differ by a third, which is one
reason why MR intensities have no unit. The phantom takes the first T1, and a T2 between the two. The tissues
of the tumour are plausible values between grey matter and fluid, drawn anew for each subject.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

MODALITIES = ("t1", "t1ce", "t2", "flair")

RELAXIVITY = 3.7
"""r1 of gadopentetate at 3 T, 1/(mM s). Rohrer M et al., Investigative Radiology 40, 715-724 (2005)."""


@dataclass(frozen=True)
class Tissue:
    """Relaxation times in ms; proton density relative to water."""

    t1: float
    t2: float
    proton_density: float


@dataclass(frozen=True)
class Protocol:
    """Timing of the sequences, ms. T1 before and after contrast agent share theirs."""

    t1_repetition: float
    t1_echo: float
    t2_repetition: float
    t2_echo: float
    flair_repetition: float
    flair_echo: float
    flair_inversion: float


WHITE_MATTER = Tissue(832, 76, 0.69)
GREY_MATTER = Tissue(1331, 106, 0.84)
DEEP_GREY_MATTER = Tissue(1150, 80, 0.79)
FLUID = Tissue(4300, 1500, 1.0)
OEDEMA = Tissue(1800, 200, 0.88)
SOLID_TUMOUR = Tissue(2500, 250, 0.91)
ENHANCING_TUMOUR = Tissue(1500, 125, 0.86)
NECROSIS = Tissue(2500, 300, 0.94)
VESSEL = Tissue(1700, 40, 0.90)


def spin_echo(tissue: Tissue, repetition: float, echo: float) -> float:
    """S = PD (1 - exp(-TR / T1)) exp(-TE / T2); times in ms."""
    return tissue.proton_density * (1 - np.exp(-repetition / tissue.t1)) * np.exp(-echo / tissue.t2)


def inversion_recovery(tissue: Tissue, repetition: float, echo: float, inversion: float) -> float:
    """S = PD |1 - 2 exp(-TI / T1) + exp(-TR / T1)| exp(-TE / T2); times in ms.

    FLAIR is this with TI near nulling.
    """
    longitudinal = 1 - 2 * np.exp(-inversion / tissue.t1) + np.exp(-repetition / tissue.t1)
    return tissue.proton_density * np.abs(longitudinal) * np.exp(-echo / tissue.t2)


def nulling_inversion_time(t1: float, repetition: float) -> float:
    """The TI at which a tissue gives no signal: TI = T1 (ln 2 - ln(1 + exp(-TR / T1))), ms."""
    return t1 * (np.log(2) - np.log1p(np.exp(-repetition / t1)))


def with_contrast_agent(tissue: Tissue, concentration: float) -> Tissue:
    """Contrast agent shortens T1: 1/T1' = 1/T1 + r1 C, with C in mM. Its small effect on T2 is neglected."""
    per_ms = RELAXIVITY / 1000
    return Tissue(1 / (1 / tissue.t1 + per_ms * concentration), tissue.t2, tissue.proton_density)


def mix(first: Tissue, second: Tissue, share: float) -> Tissue:
    """A tissue between two others, on a logarithmic scale: ``share`` 0 is the first, 1 the second."""

    def between(a: float, b: float) -> float:
        return float(np.exp((1 - share) * np.log(a) + share * np.log(b)))

    return Tissue(
        between(first.t1, second.t1),
        between(first.t2, second.t2),
        between(first.proton_density, second.proton_density),
    )


def draw_tissues(rng: np.random.Generator) -> dict[str, Tissue]:
    """The relaxation times of one subject, by tissue."""
    healthy = {
        name: _vary(tissue, rng)
        for name, tissue in (
            ("white_matter", WHITE_MATTER),
            ("grey_matter", GREY_MATTER),
            ("deep_grey_matter", DEEP_GREY_MATTER),
            ("fluid", FLUID),
            ("enhancing", ENHANCING_TUMOUR),
            ("vessels", VESSEL),
        )
    }
    oedema = mix(GREY_MATTER, OEDEMA, rng.uniform(0.5, 1.0))  # faint ... frank
    return {
        **healthy,
        "oedema": oedema,
        "solid": mix(oedema, SOLID_TUMOUR, rng.uniform(0.8, 1.1)),  # resembles oedema, wetter
        "necrosis": mix(NECROSIS, FLUID, 0.85 * rng.beta(0.7, 1.1)),  # debris ... cyst
        "white_matter_lesion": mix(WHITE_MATTER, oedema, rng.uniform(0.6, 1.0)),
    }


def _vary(tissue: Tissue, rng: np.random.Generator) -> Tissue:
    """People differ: relaxation times by 6 %, proton density by 2 %."""
    factors = 1 + rng.normal(0, 0.06, 3) * (1, 1, 0.3)
    return Tissue(tissue.t1 * factors[0], tissue.t2 * factors[1], tissue.proton_density * factors[2])


def draw_protocol(fluid: Tissue, rng: np.random.Generator) -> Protocol:
    """The protocol of one scanner. Its FLAIR nulls fluid, more or less."""
    flair_repetition = 9000 + rng.normal(0, 500)
    return Protocol(
        t1_repetition=rng.uniform(520, 720),
        t1_echo=rng.uniform(8, 15),
        t2_repetition=rng.uniform(3800, 6000),
        t2_echo=rng.uniform(85, 110),
        flair_repetition=flair_repetition,
        flair_echo=rng.uniform(100, 135),
        flair_inversion=nulling_inversion_time(fluid.t1, flair_repetition) * rng.uniform(0.9, 1.02),
    )


def draw_concentrations(rng: np.random.Generator) -> dict[str, float]:
    """Concentration of contrast agent by tissue, mM: high where the blood-brain barrier leaks."""
    return {
        "enhancing": float(np.exp(rng.uniform(np.log(0.20), np.log(0.60)))),
        "vessels": rng.uniform(0.4, 1.2),
        "solid": 0.03,
        "necrosis": 0.02,
        "oedema": 0.005,
        "grey_matter": 0.03,
        "deep_grey_matter": 0.03,
        "white_matter": 0.012,
        "white_matter_lesion": 0.015,
        "fluid": 0.0,
    }


def signals(
    modality: str, tissues: dict[str, Tissue], protocol: Protocol, concentrations: dict[str, float]
) -> dict[str, float]:
    """The signal of every tissue in one modality, proton density of water = 1."""
    if modality == "t1":
        return {name: spin_echo(t, protocol.t1_repetition, protocol.t1_echo) for name, t in tissues.items()}
    if modality == "t1ce":
        return {
            name: spin_echo(
                with_contrast_agent(t, concentrations[name]), protocol.t1_repetition, protocol.t1_echo
            )
            for name, t in tissues.items()
        }
    if modality == "t2":
        return {name: spin_echo(t, protocol.t2_repetition, protocol.t2_echo) for name, t in tissues.items()}
    if modality == "flair":
        return {
            name: inversion_recovery(
                t, protocol.flair_repetition, protocol.flair_echo, protocol.flair_inversion
            )
            for name, t in tissues.items()
        }
    raise ValueError(f"unknown modality {modality!r}: choose one of {', '.join(MODALITIES)}")
