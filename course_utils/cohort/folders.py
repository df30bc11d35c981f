"""Case folders: which files a case has, and where cases are.

A case is a folder with four co-registered, skull-stripped modalities and, where there is one, a
segmentation::

    BraTS20_Training_001/BraTS20_Training_001_{t1,t1ce,t2,flair,seg}.nii.gz    up to BraTS 2021, synthetic
    BraTS-GLI-00000-000/BraTS-GLI-00000-000-{t1n,t1c,t2w,t2f,seg}.nii.gz       BraTS 2023

Files may be ``.nii`` or ``.nii.gz``.
"""

from __future__ import annotations

import re
import shlex
from collections import Counter
from pathlib import Path

from course_utils import paths
from course_utils.cohort.errors import CohortError
from course_utils.cohort.sources import synthetic

MODALITIES = ("t1", "t1ce", "t2", "flair")

_FILE_NAMES = {
    "t1": ("t1", "t1n"),
    "t1ce": ("t1ce", "t1c"),
    "t2": ("t2", "t2w"),
    "flair": ("flair", "t2f"),
    "seg": ("seg",),
}
_KIND_OF_NAME = {name: kind for kind, names in _FILE_NAMES.items() for name in names}
_NAMES_OF_2023 = ("t1n", "t1c", "t2w", "t2f")
_NIFTI_NAME = re.compile(r"^(?P<case>.*)[_-](?P<kind>[a-z0-9]+)\.nii(\.gz)?$", re.IGNORECASE)
_NAME_OF_BRATS = re.compile(r"^(synth)?brats.*\d$", re.IGNORECASE)


def find_cases(folder: str | Path) -> list[Path]:
    """The case folders in ``folder``, sorted by name. Hidden folders are left out.

    Folders without images are listed too, so that :func:`course_utils.cohort.check_cohort` can report them.

    Raises:
        CohortError: the folder is missing or holds no case.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise CohortError(f"There is no folder {folder}. {_how_to_make_one(folder)}")
    folders = sorted(entry for entry in folder.iterdir() if entry.is_dir() and not entry.name.startswith("."))
    if not any(_has_images(case) for case in folders):
        raise CohortError(
            f"{folder} holds no case: no folder in it has NIfTI files. {_hint(folder, folders)}"
        )
    return folders


def files_of(case: Path) -> dict[str, Path]:
    """The files of a case by kind: "t1", "t1ce", "t2", "flair", "seg", those that are there.

    Raises:
        CohortError: there is no such folder, two files are of one kind, or one is named after another case.
    """
    if not case.is_dir():
        raise CohortError(f"{case.name}: there is no folder {case}.")
    found: dict[str, Path] = {}
    for file in sorted(case.iterdir()):
        kind = _kind(file) if file.is_file() and not file.name.startswith(".") else None
        if kind is None:
            continue
        if kind in found:
            raise CohortError(
                f"{case.name}: two files for {kind}: {found[kind].name} and {file.name}. Remove one."
            )
        found[kind] = file
    _check_names(case, list(found.values()))
    return found


def missing_file(case: Path, kind: str) -> str:
    """What to say where a case has no file of this kind."""
    expected = " or ".join(f"{case.name}_{name}.nii.gz" for name in _FILE_NAMES[kind])
    present = (
        ", ".join(sorted(file.name for file in case.iterdir() if not file.name.startswith("."))) or "nothing"
    )
    return (
        f"{kind} is missing. Expected {expected}; the folder holds {present}. "
        "Get the case again, or rename the file if it is there under another name."
    )


def has_misnamed_labels(case: Path) -> bool:
    """Whether a NIfTI file without a known name seems to be the segmentation.

    One case of BraTS 2020 has W39_1998.09.19_Segm.nii.
    """
    return any(
        "seg" in file.name.lower() and _kind(file) is None
        for file in case.iterdir()
        if file.name.endswith((".nii", ".nii.gz")) and not file.name.startswith(".")
    )


def is_named_as_in_2023(found: dict[str, Path]) -> bool:
    """Whether one of these files has a name that BraTS uses since 2023."""
    return any(_NIFTI_NAME.match(file.name)["kind"].lower() in _NAMES_OF_2023 for file in found.values())


def how_to_get_again(case: Path) -> str:
    """What to do about a damaged case."""
    if case.name.startswith("SynthBraTS_"):
        return f"run `{synthetic.command(case.parent)}`, which makes damaged cases again."
    return "get the case again from where it came from, or leave it out."


def _has_images(folder: Path) -> bool:
    return any(_kind(file) for file in folder.iterdir() if file.is_file())


def _kind(file: Path) -> str | None:
    """t1, t1ce, t2, flair or seg by the file's name; None for any other file."""
    match = _NIFTI_NAME.match(file.name)
    return _KIND_OF_NAME.get(match["kind"].lower()) if match else None


def _check_names(case: Path, found: list[Path]) -> None:
    """All files must be named after one case; after this one, if both names are of the kind BraTS gives."""
    names = {file: _NIFTI_NAME.match(file.name)["case"] for file in found}
    counted = Counter(name.casefold() for name in names.values())
    if not counted:
        return
    own = case.name.casefold()
    usual = own if own in counted else counted.most_common(1)[0][0]
    strangers = [file.name for file, name in names.items() if name.casefold() != usual]
    if strangers:
        raise CohortError(
            f"{case.name}: {' and '.join(strangers)} by name belongs to another case than the other files. "
            "Is it another subject's? Put the right file there, or rename it if it is this case's."
        )
    if usual != own and _NAME_OF_BRATS.match(usual) and _NAME_OF_BRATS.match(own):
        raise CohortError(
            f"{case.name}: {found[0].name} and the other files by name belong to another case. Are they "
            "another subject's? Get the case again, or name folder and files alike."
        )


def _hint(folder: Path, folders: list[Path]) -> str:
    """What to do about a folder that holds no case."""
    if _has_images(folder):
        return f"It looks like a single case: use the folder above it, {folder.resolve().parent}."
    deeper = [
        inner for inner in folders if any(_has_images(entry) for entry in inner.iterdir() if entry.is_dir())
    ]
    if len(deeper) == 1:
        return f"The cases seem to be one level further down: use {deeper[0]}."
    if deeper:
        names = ", ".join(inner.name for inner in deeper)
        return (
            f"The cases seem to be one level further down, in {names}: find_cases each of them and add the "
            "lists."
        )
    if (folder / "dataset.json").is_file() or (folder / "imagesTr").is_dir():
        return (
            "It looks like a task of the Medical Segmentation Decathlon, with all modalities in one file "
            "(imagesTr) and other labels (labelsTr). Here a case is a folder, with one file a modality, as "
            "in BraTS."
        )
    return _how_to_make_one(folder)


def _how_to_make_one(folder: Path) -> str:
    """The synthetic cohort: in the folder itself where it is missing or empty, else in its usual place."""
    if folder.is_dir() and any(not entry.name.startswith(".") for entry in folder.iterdir()):
        folder = paths.data_dir() / "synthetic"
    out = "" if folder.resolve() == paths.data_dir() / "synthetic" else f" --out {shlex.quote(str(folder))}"
    return f"Make a synthetic cohort with `python data/download.py synthetic{out}`."
