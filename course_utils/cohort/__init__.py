"""BraTS-like cases: find, check and load them, prepare them for a network, split them by subject.

==================  ====================================================================================
``folders``         case folders on disk: find them, their files by name
``nifti``           one file: every byte checked, voxels in the orientation of BraTS
``cases``           a case: check it, load it; save a segmentation
``labels``          the labels of BraTS, the regions that it evaluates, the class indices of a network
``preparing``       brain mask, box, normalisation: what training and prediction do alike
``splitting``       training, validation and test cases; a subject is in one of them only
``batches``         what a network trains on (imports torch, so ask for it by name)
``augmentation``    random changes of batches (torch, too)
``sources``         where cases come from: the synthetic cohort, two real scans
==================  ====================================================================================
"""

from course_utils.cohort.cases import (
    Case,
    CohortReport,
    check_case,
    check_cohort,
    load_case,
    save_labels,
)
from course_utils.cohort.errors import CohortError
from course_utils.cohort.folders import MODALITIES, find_cases
from course_utils.cohort.labels import LABELS, REGIONS, brats_labels, class_indices, region_mask
from course_utils.cohort.preparing import (
    MULTIPLE_OF,
    Prepared,
    brain_box,
    brain_mask,
    normalise,
    paste,
    prepare,
)
from course_utils.cohort.sources.real_scans import real_scans
from course_utils.cohort.sources.synthetic import synthetic_cases
from course_utils.cohort.splitting import Split, split, subject_of

__all__ = [
    "LABELS",
    "MODALITIES",
    "MULTIPLE_OF",
    "REGIONS",
    "Case",
    "CohortError",
    "CohortReport",
    "Prepared",
    "Split",
    "brain_box",
    "brain_mask",
    "brats_labels",
    "check_case",
    "check_cohort",
    "class_indices",
    "find_cases",
    "load_case",
    "normalise",
    "paste",
    "prepare",
    "real_scans",
    "region_mask",
    "save_labels",
    "split",
    "subject_of",
    "synthetic_cases",
]
