# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 11 · The lab: segmenting brain tumours with a U-Net
#
# **You build:** a U-Net that outlines brain tumours in subjects it has never seen, from NIfTI files to a table of Dice scores.
#
# **Time:** about 60 minutes (the computer trains for about 3 of them)
#
# Everything that the course has built meets here: four MR images of a head go in, a label for every voxel comes out.
#
# **What you will learn**
#
# - to prepare BraTS-like data: normalise, crop, map labels to class indices, split by subject;
# - to say what the loss should be before the first step, and why you should look;
# - to train a small U-Net with a loop that you can read, and that survives being killed;
# - to predict whole volumes, score them per subject, and read the distribution, not only the mean;
# - to save a prediction as NIfTI so that a radiologist's viewer opens it over the scan.
#
# **How the checks work:** replace `...` or the `raise` line by your answer, run the cell, run the check below it.
# `check.hint("name")` gives one nudge at a time. A skipped exercise is filled in, so the notebook always runs to the end.

# %% tags=["bootstrap"]
# generated

# %%
import json

import matplotlib.pyplot as plt
import nibabel
import numpy as np
import torch

from course_utils import cohort, evaluation, figures, losses, paths, training
from course_utils.checks.brats_lab import check
from course_utils.networks.unet import UNet

# %% [markdown]
# ## 1 · The patients
#
# Forty subjects, each with the four sequences of a brain tumour protocol and a label for every voxel. They are simulated (the first
# notebook says how), in the folders, names, labels and orientation of BraTS. On the first run this cell makes them, which takes
# about a minute; afterwards it only finds them.

# %%
cases = cohort.synthetic_cases(40)
example = cohort.load_case(cases[3])
print(example.name, "image", example.image.shape, "spacing", example.spacing, "mm, labels", np.unique(example.labels))

# %%
level = int((example.labels > 0).sum(axis=(0, 1)).argmax())
figure, axes = plt.subplots(1, 5, figsize=(figures.WIDTH, 2.7))
for axis, modality, volume in zip(axes, cohort.MODALITIES, example.image):
    figures.show_slice(axis, volume[:, :, level], title=modality, spacing=example.spacing[:2])
figures.show_slice(axes[4], example.image[3, :, :, level], example.labels[:, :, level], title="labels on FLAIR",
                   spacing=example.spacing[:2])
for axis in axes[1:]:
    axis.set(ylabel="", yticklabels=[])
figures.label_legend(figure, loc="outside lower center", ncols=3)
figures.show(figure, alt="One axial slice in T1, T1 with contrast agent, T2 and FLAIR, and the labels over FLAIR: a dark "
             "core inside a bright enhancing rim, surrounded by oedema.")

# %% [markdown]
# Each sequence shows something that the others hide: the rim lights up only in T1 with contrast agent (`t1ce`), the oedema
# is best seen in FLAIR, where fluid in the ventricles is dark. That is why the network gets all four as input channels.
#
# The labels are 1 (necrotic and non-enhancing core), 2 (oedema), 4 (enhancing tumour). BraTS judges three nested *regions*:
# WT, the whole tumour (1, 2, 4); TC, the tumour core (1, 4); ET, the enhancing tumour (4).

# %% [markdown]
# ## 2 · From labels to class indices
#
# The network has four outputs, numbered 0 to 3, and PyTorch's cross-entropy wants for each voxel the number of the right one.
# BraTS calls its classes 0, 1, 2 and **4**.
#
# **Exercise `class_indices`.** Turn BraTS labels (uint8, any shape) into class indices 0, 1, 2, 3 (int64, same shape),
# without changing the input.

# %% tags=["exercise"]
def class_indices(labels):
    ### BEGIN SOLUTION
    indices = labels.astype(np.int64)
    indices[indices == 4] = 3
    return indices
    ### END SOLUTION


# %%
class_indices = check("class_indices", class_indices)

# %% [markdown]
# How unequal are the classes? Predict first: of all voxels inside the brain, how many in a hundred are enhancing tumour?

# %%
inside_brain = example.image[0] > 0
shares = np.bincount(class_indices(example.labels)[inside_brain], minlength=4) / inside_brain.sum()
for name, share in zip(("healthy brain", "core", "oedema", "enhancing"), shares):
    print(f"{name:14s} {100 * share:5.1f} %")

# %% [markdown]
# A network that answers "healthy" everywhere is right for most voxels and useless for every patient. Two remedies are at work
# below: the loss contains the Dice coefficient, which does not care how much background there is, and two thirds of
# the slices in each batch are drawn from those that contain tumour.

# %% [markdown]
# ## 3 · Split by subject
#
# **Exercise `split_by_subject`.** A colleague pools all slices of all subjects and puts a random fifth of the *slices* aside for
# testing. Her test Dice is much better than ours. What is wrong?
#
# - A: nothing: more slices in the training set make a better network
# - B: the classes are not equally frequent in the two sets
# - C: slices of the same head are in both sets, so the test measures memory, not skill on new patients
# - D: training takes longer that way

# %% tags=["exercise"]
### BEGIN SOLUTION
split_by_subject = "C"
#> split_by_subject = ...
### END SOLUTION

# %%
split_by_subject = check("split_by_subject", split_by_subject)

# %% [markdown] tags=["solution"]
# **C.** Two neighbouring slices, 2 mm apart, are nearly the same picture. If one is in the training set and the other in the
# test set, a network that memorises heads looks excellent. The unit that must be new is the *patient*, so we split the list of
# subjects, and every slice follows its subject.
