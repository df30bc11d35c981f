"""A synthetic cohort of brain tumours, so that the course runs anywhere, offline, in minutes.

Real anatomy (an atlas of tissue probabilities), deformed at random for every subject; a tumour grown in it by
a reaction-diffusion equation; four MR images by the signal equations of the sequences; and the imperfections
of a scanner. The modules follow that order, and each equation stands beside the lines that implement it:

===================  =====================================================================================
``atlas``            tissue probabilities of the MNI ICBM152 template, and what is derived from them
``grids``            voxel grids in millimetres, interpolation
``random_fields``    smooth random fields: the source of all irregularity
``anatomy``          one subject's brain: affine, elastic deformation, ventricles, cortex
``tumour_growth``    Fisher-Kolmogorov growth, oedema, mass effect
``lesions``          necrosis, enhancing rim, oedema: tissue fractions and the annotator's labels
``confounders``      what a careless method mistakes for tumour: white matter lesions, vessels, flow
``mr_signal``        spin echo, FLAIR and contrast agent, from published relaxation times
``scanner``          slice thickness, blurring, bias field, Rician noise
``subject``          all of it: :func:`make_subject`
``writing``          NIfTI files in the folder layout of BraTS: :func:`write_cohort`
===================  =====================================================================================

The images are for learning and for tests. They are not a model of any patient.
"""

from course_utils.phantom.subject import Subject, make_subject
from course_utils.phantom.writing import CohortMismatchError, write_cohort

__all__ = ["CohortMismatchError", "Subject", "make_subject", "write_cohort"]
