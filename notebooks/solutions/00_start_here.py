# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 00 · Start here: your first brain
#
# Welcome. This notebook does two things. It shows you how the course works, with exercises that answer you.
# And it opens a brain scan: you will turn voxels into millimetres, find out which side is left, measure a
# tumour in millilitres, and see why it takes more than a threshold to find one.
#
# **You build:** the way from a scan's file to millimetres, millilitres and tumour regions. You also meet the
# data that you will work with until the last notebook.
#
# **Time:** computed
#
# **You need:** Python and a little NumPy (indexing, masks, `@` for matrix products). No medicine, no deep
# learning yet.
#
# **You will be able to**
#
# - work with the checks, the hints and the solutions of this course;
# - read a NIfTI file: array, affine, spacing, orientation;
# - convert voxel indices to positions in the patient, and back;
# - show a scan in three planes without squeezing or mirroring the patient;
# - say what T1, T1ce, T2 and FLAIR show, and what the labels of a brain tumour mean;
# - explain why intensities need normalising, and why a threshold is not enough.
#
# Run the cells one after the other with **Shift + Enter**. The first one finds the course and checks your
# installation.

# %% tags=["bootstrap"]
# generated

# %%
import matplotlib.pyplot as plt
import nibabel
import numpy as np

from course_utils import cohort, figures
from course_utils.checks.start_here import check
from course_utils.figures.viewer import volume_viewer
from course_utils.interactive import start_here as interactive

# %% [markdown]
# ## 1 · How the course works
#
# Every notebook has the same rhythm: **read, predict, write, check**.
#
# 1. *Read* a short text with a picture or a formula.
# 2. *Predict* what the next cell will print or show, before you run it. A wrong prediction teaches you most.
# 3. *Write* a few lines where a cell says `raise NotImplementedError(...)` (delete that line), or replace
#    `...` by your answer. Run the cell.
# 4. *Check* by running the cell below it.
#
# There are three kinds of exercises: write a function, predict a number, and explain a picture (multiple
# choice). Here is the smallest one.

# %% [markdown]
# ### Exercise 1: a warm-up
#
# *2 minutes · difficulty 1 of 3*
#
# Doctors give the size of a tumour in **millilitres**: one millilitre (ml) is one cubic centimetre. Images
# are measured in millimetres, so volumes come out in cubic millimetres. Convert them to millilitres,
# without rounding.


# %% tags=["exercise"]
def millilitres(cubic_millimetres):
    """Convert a volume from cubic millimetres to millilitres."""
    ### BEGIN SOLUTION
    return cubic_millimetres / 1000
    ### END SOLUTION


# %%
millilitres = check("millilitres", millilitres)

# %% [markdown] tags=["solution"]
# **Solution.** A centimetre is 10 mm, so a cubic centimetre is 10 · 10 · 10 = 1000 mm³: lengths convert by
# 10, areas by 100, volumes by 1000.
#
# The exponent is easily forgotten. You will meet the same cube again when spacing changes.

# %% [markdown]
# ### What a check answers
#
# | answer | what it means | what you do |
# |---|---|---|
# | **not attempted** | the stub, `...` or `None` is still there | write your answer, run the cell, run the check again |
# | **your code raised** | Python stopped in your lines; you see which, and why | mend that line |
# | **not yet** | it ran, but the result is wrong: you see the call, what came, what was expected | read the first sentence: it often names the mistake |
# | **pass** | right, also on cases that you haven't thought of | read why, and go on |
#
# The last one is for you to earn. Here are the other three: three attempts at the warm-up. What is wrong with
# each? Decide before you run the cell. (`check.examine` answers like a check, but doesn't count as your
# attempt.)


# %%
def not_written_yet(cubic_millimetres):
    raise NotImplementedError("millilitres: your code here")


def misspelt(cubic_millimetres):
    return cubic_milimetres / 10


def as_if_it_were_a_length(cubic_millimetres):
    return cubic_millimetres / 10


for attempt in (not_written_yet, misspelt, as_if_it_were_a_length):
    print(check.examine("millilitres", attempt), end="\n\n")

# %% [markdown]
# ### If you are stuck
#
# - **Ask for a hint.** `check.hint("millilitres")` gives one nudge with each call; the last is nearly the
#   answer. The cell below asks for the first one: run it twice more.
# - **Look at a small case.** Put a `print(x.shape)` into your function, or call it with numbers whose result
#   you know.
# - **Go on.** The check hands back a working version whenever yours isn't right yet, so everything after it
#   runs. (That is why it is written `millilitres = check("millilitres", millilitres)`.) When you come back,
#   run your own cell again before its check.
# - **Read the solution**: after a pass, or after the last hint, `check.solution("millilitres")` shows one way
#   to write it and what it means. Nobody counts how often you look. Then write it yourself.
# - **An endless loop** is stopped after 20 seconds, with the line it was in.
# - **Start again.** Strange errors after much editing? *Restart the kernel and run all cells.* To get an
#   untouched copy of this notebook, on Colab open it again from the course's page; on your own machine rename
#   yours, then run `make lab`.
#
# Each exercise says how long it takes most people and how difficult it is, from 1 (a line or a number) to 3
# (worth a walk around the block).
#
# `check.progress()` shows how far you are. Try it here and at the end.

# %%
check.hint("millilitres")

# %%
check.progress()

# %% [markdown]
# ## 2 · Is everything here?
#
# Each line of the next cell's report begins with `[OK]`, with `[FAIL]` and what to do about it, or with
# `[--]`, which is worth knowing but no fault. If you ask somebody for help, paste the whole report: it
# answers the first ten questions.
#
# - *Python*, *packages*, *torch*: the versions that the course needs. On Colab they are Colab's own: don't
#   upgrade torch or NumPy.
# - *device*: where networks will be trained. A CPU is enough for every notebook, so nothing is wrong if there
#   is no GPU.
# - *widgets*: whether sliders can be shown.
# - *memory*, *disk*: what is free. Training in the last notebook asks for most of it.
# - *data*: whether there are scans already. If not, section 3 makes them.

# %%
from course_utils import doctor

doctor.report()

# %% [markdown]
# ## 3 · A scan is an array with an address
#
# ### The data of this course
#
# Real scans of patients need an agreement and gigabytes. So the course brings a **synthetic cohort** that is
# made on your machine, in the format of BraTS, the Brain Tumor Segmentation challenge [2-4]. It is made in
# three steps. The anatomy of an average brain (a template from 152 healthy people [6]) is deformed at random,
# differently for each subject. In it a tumour grows by a diffusion equation, faster along white matter, and
# pushes the brain aside. Then the equations of MR physics turn the tissues into four images, with the blur,
# noise and uneven brightness of a scanner.
#
# **It is no substitute for patients.** It is good for learning, because it is free, small and has the
# difficulties that this course is about. A method that works here has not shown anything about people, and
# simulated labels are exact where two experts would disagree. The loader that you will use reads the real
# BraTS, too, if you have access to it: folders, names, labels and orientation are the same.
#
# The first call takes about ten seconds to make eight subjects. We look at the seventh of them, and compare
# it with the others later.

# %%
case_folders = cohort.synthetic_cases(8)
case_folder = case_folders[6]
for file in sorted(case_folder.iterdir()):
    print(f"{file.name:32} {file.stat().st_size / 1e6:5.2f} MB")

# %% [markdown]
# One patient is one folder: four images of the same head, made with four settings of the scanner (section 6),
# and `seg`, the segmentation: for each voxel, what an annotator says it is (section 7). A **voxel** is a
# pixel with depth.
#
# `.nii.gz` is a compressed **NIfTI** file [7]: a header of 348 bytes, then the numbers. NiBabel reads it.
# *Predict:* are these numbers integers or floats?

# %%
flair_file = nibabel.load(case_folder / f"{case_folder.name}_flair.nii.gz")
print("shape            ", flair_file.shape)
print("data type on disk", flair_file.get_data_dtype())
print("voxel size       ", np.array(flair_file.header.get_zooms()), flair_file.header.get_xyzt_units()[0])

flair = flair_file.get_fdata()
print("in memory        ", flair.dtype)
print("one voxel        ", flair[60, 60, 40])

# %% [markdown]
# Integers of 16 bits on disk, as scanners write them; `get_fdata()` makes floats of 64 bits, four times as
# large. Networks compute with 32 bits.
#
# ### Exercise 2: predict a number
#
# *3 minutes · difficulty 1 of 3*
#
# The synthetic cohort has voxels of 2 mm, to be small. A real BraTS case has **240 × 240 × 155 voxels** of 1
# mm in each of its **four** images. How many **megabytes** (1 MB = 1,000,000 bytes) is one case in memory as
# `float32`, without the labels? Guess the size first: like a photo, a song, or a film? The check accepts a
# deviation of 1 %.

# %% tags=["exercise"]
### BEGIN SOLUTION
case_megabytes = 4 * 240 * 240 * 155 * 4 / 1e6  # images * voxels * bytes for each
# > case_megabytes = ...
### END SOLUTION

# %%
case_megabytes = check("case_megabytes", case_megabytes)

# %% [markdown] tags=["solution"]
# **Solution.** 240 · 240 · 155 = 8,928,000 voxels, times four images, times 4 bytes for each number, make
# 142.8 million bytes.
#
# The input alone is no problem. But the first layer of a U-Net may turn 4 channels into 32, and training
# keeps that result: 8,928,000 · 32 · 4 bytes = 1.1 GB for one layer of one case. This is why 3D networks
# work on patches (notebooks 05 and 09).

# %% [markdown]
# ### A first picture
#
# A slice is what you get when you fix one index. *Predict:* the array's first index goes from right to left
# through the head, the second from front to back. How will the head lie if we hand `flair[:, :, k]` to
# matplotlib as it is?

# %% tags=["plot"]
# The slice as it is, and transposed
fig, axes = plt.subplots(1, 2, figsize=(7, 3.5))
axes[0].imshow(flair[:, :, 40], cmap="gray")
axes[0].set(title="flair[:, :, 40]", xlabel="second index j", ylabel="first index i")
axes[1].imshow(flair[:, :, 40].T, cmap="gray")
axes[1].set(title="flair[:, :, 40].T", xlabel="first index i", ylabel="second index j")
figures.show(
    fig,
    alt="An axial slice of a head, twice. Drawn as it is, the head lies on its side, with the front to the "
    "left. Transposed, the front is on top.",
)

# %% [markdown]
# Matplotlib draws the first index downwards, as for a table. A scan's first index is its x. So pictures of
# scans need a transpose `.T`, and from now on `figures.show_slice` does it.
#
# Is the left of the picture the left of the patient? The picture can't say. The file can.

# %% [markdown]
# ## 4 · From voxels to millimetres
#
# ### The affine
#
# Array indices $(i, j, k)$ say where a number is in the file. A radiologist wants to know where it is in the
# patient: a position in millimetres, in **world coordinates** $(x, y, z)$. In NIfTI, $x$ grows to the
# patient's **R**ight, $y$ to the front (**A**nterior), $z$ to the top (**S**uperior): *RAS* for short. The
# header has the map from one to the other, a matrix $A$ of $4 \times 4$, the **affine**:
#
# $$\begin{pmatrix} x \\ y \\ z \\ 1 \end{pmatrix} = A \begin{pmatrix} i \\ j \\ k \\ 1 \end{pmatrix},
# \qquad A = \begin{pmatrix} M & t \\ 0 & 1 \end{pmatrix}, \qquad\text{in short}\quad p = M\,v + t$$
#
# with the position $p = (x, y, z)$ and the voxel $v = (i, j, k)$. A column of $M$ is **one step along one
# array axis**, as an arrow in millimetres: the first column is a step along $i$. $t$ is where voxel $(0, 0,
# 0)$ lies. The fourth coordinate, always 1, is a trick that lets one matrix multiply and add. The picture
# has the same in two dimensions, for a scan that is tilted.

# %% tags=["plot"]
# An affine in two dimensions
fig, axes = plt.subplots(1, 2, figsize=(9, 3.8))
interactive.show_affine(axes, matrix=np.array([[3.0, -0.8], [1.2, 2.0]]), translation=np.array([4.0, 2.0]))
figures.show(
    fig,
    alt="Left: a grid of points in voxel units, an arrow of length one along i and one along j, point (2, 3) "
    "circled. Right: the same grid in millimetres, stretched and tilted, beginning at the tip of the "
    "translation arrow.",
)

# %% [markdown]
# Here is the affine of our scan. *Predict* from it, without running anything further: where is voxel (0, 0,
# 0)? What happens to $x$ when $i$ grows by one?

# %%
affine = flair_file.affine
print(affine)

# %% [markdown]
# And here is one voxel by hand: two matrix products, to see that the homogeneous form and $M\,v + t$ agree.

# %%
i, j, k = 60, 60, 40
print("A @ (i, j, k, 1)  =", affine @ (i, j, k, 1))
print("M @ (i, j, k) + t =", affine[:3, :3] @ (i, j, k) + affine[:3, 3])

# %% [markdown]
# ### Exercise 3: voxel to world
#
# *8 minutes · difficulty 2 of 3*
#
# Write it for many voxels at once: `voxels` has one voxel a row, so its shape is `(n, 3)`. No loop is needed.
# The check uses tilted scans: an affine is not always diagonal.


# %% tags=["exercise"]
def voxel_to_world(affine, voxels):
    """World coordinates (n, 3) in mm of voxel indices (n, 3), by an affine (4, 4)."""
    ### BEGIN SOLUTION
    return voxels @ affine[:3, :3].T + affine[:3, 3]
    ### END SOLUTION


# %%
voxel_to_world = check("voxel_to_world", voxel_to_world)

# %% [markdown] tags=["solution"]
# **Solution.** The voxels are rows here, and a row times a matrix is the transpose of matrix times column:
# hence `voxels @ M.T`. Broadcasting then adds the translation to each row.
#
# In formulas: $p = M\,v + t$ for a column, and the transpose of $M\,v$ is $v^T M^T$. With a diagonal affine
# `M` and `M.T` are the same, so forgetting the transpose goes unnoticed until the first tilted scan: this
# is why the check has one.

# %% [markdown]
# ### Exercise 4: world to voxel
#
# *6 minutes · difficulty 2 of 3*
#
# And back: in which voxel is a point of the patient? The result may have fractions; keep them, they say how
# far the point is from the centre of a voxel.


# %% tags=["exercise"]
def world_to_voxel(affine, points):
    """Voxel indices (n, 3), with fractions, of world coordinates (n, 3) in mm."""
    ### BEGIN SOLUTION
    return voxel_to_world(np.linalg.inv(affine), points)
    ### END SOLUTION


# %%
world_to_voxel = check("world_to_voxel", world_to_voxel)

# %% [markdown] tags=["solution"]
# **Solution.** Undoing an affine map is an affine map again, the one with the inverse matrix, so the function
# that you already have does the work.
#
# In formulas: $v = M^{-1}(p - t)$. The translation goes first, because it was added last.

# %% [markdown]
# ### World coordinates are the common language
#
# Clinical scans often have thick slices. We make one from ours: the mean of every three slices, so voxels of
# 2 × 2 × 6 mm. The affine must follow. The centre of new slice $k'$ lies at old index $k = 3k' + 1$; as a
# matrix this is `thicken` below, and "new voxel to old voxel to world" is a product of matrices.
#
# Now take the middle of the tumour in the fine scan. It has other indices in the thick one, but it is at the
# same place in the patient. *Predict* its third index in the thick scan, roughly.

# %%
case = cohort.load_case(case_folder)  # name, image (4, X, Y, Z), labels (X, Y, Z), affine, spacing
t1, t1ce, t2, flair = case.image
labels = case.labels

slices = flair.shape[2] // 3
thick_flair = flair[:, :, : 3 * slices].reshape(*flair.shape[:2], slices, 3).mean(axis=3)
thicken = np.array([[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 3, 1], [0, 0, 0, 1]])
thick_affine = affine @ thicken

tumour_voxels = np.argwhere(labels > 0)
centre = tumour_voxels.mean(axis=0, keepdims=True)  # one row: (1, 3)
centre_mm = voxel_to_world(affine, centre)
centre_thick = world_to_voxel(thick_affine, centre_mm)
print("voxel in the fine scan ", centre[0].round(1))
print("in the patient, mm     ", centre_mm[0].round(1))
print("voxel in the thick scan", centre_thick[0].round(1))

# %% [markdown]
# In the picture, look at the third panel: the thick scan drawn with square voxels, as `imshow` does if you
# don't tell it the spacing. The patient is squeezed to a third. Every length, angle and volume that you take
# from such a picture is wrong.

# %% tags=["plot"]
# Fine and thick slices, and a forgotten spacing
middle = round(centre[0, 1])
fig, axes = plt.subplots(1, 3, figsize=(10, 2.8))
fine, thick = (flair, centre[0], 2), (thick_flair, centre_thick[0], 6)
for ax, (volume, point, height) in zip(axes, (fine, thick)):
    extent = (0, 2 * volume.shape[0], 0, height * volume.shape[2])
    ax.imshow(volume[:, middle].T, origin="lower", extent=extent, cmap="gray")
    across, up = 2 * (point[0] + 0.5), height * (point[2] + 0.5)
    ax.plot(across, up, "+", color=figures.COLOURS["orange"], ms=14, mew=2)
    ax.set(title=f"2 × 2 × {height} mm", xlabel="along i (mm)", ylabel="along k (mm)")
axes[2].imshow(thick_flair[:, middle].T, origin="lower", cmap="gray")
axes[2].set(title="thick, spacing forgotten", xlabel="i (voxels)", ylabel="k (voxels)")
figures.show(
    fig,
    alt="Three coronal slices of the same head. Fine and thick slices with the right proportions, a cross at "
    "the same place in the tumour in both; then the thick one with square voxels, flattened to a third of "
    "its height.",
)

# %% [markdown]
# ### Exercise 5: spacing
#
# *5 minutes · difficulty 2 of 3*
#
# The **spacing** is the size of a voxel: the distance in millimetres between neighbours along each array
# axis. You know what one step along an axis is: a column of $M$. How long is it?


# %% tags=["exercise"]
def spacing_from_affine(affine):
    """Edge lengths in mm of a voxel, an array (3,), from an affine (4, 4)."""
    ### BEGIN SOLUTION
    return np.sqrt((affine[:3, :3] ** 2).sum(axis=0))
    ### END SOLUTION


# %%
spacing_from_affine = check("spacing_from_affine", spacing_from_affine)
print("fine ", spacing_from_affine(affine), "mm; the header says", np.array(flair_file.header.get_zooms()))
print("thick", spacing_from_affine(thick_affine), "mm")

# %% [markdown] tags=["solution"]
# **Solution.** One step along an array axis is a column of the matrix, and its length is the root of the
# sum of squares, along axis 0. The diagonal alone gives -2 here, and in a tilted scan something too short.
#
# BraTS brought all its scans to 1 mm in all
# directions (*isotropic*). Clinical ones are often *anisotropic*, such as 0.9 × 0.9 × 6 mm, and a network
# that takes voxels for cubes then sees squeezed brains (notebook 09).

# %% [markdown]
# ### Exercise 6: predict a number
#
# *2 minutes · difficulty 1 of 3*
#
# A tumour has **40,000 voxels in a scan of 1 mm**. The same tumour, in a scan with voxels of **2 mm** in all
# three directions: how many voxels does it have? (An exact number.)

# %% tags=["exercise"]
### BEGIN SOLUTION
voxels_at_2_mm = 40_000 / 2**3
# > voxels_at_2_mm = ...
### END SOLUTION

# %%
voxels_at_2_mm = check("voxels_at_2_mm", voxels_at_2_mm)

# %% [markdown] tags=["solution"]
# **Solution.** A voxel of 2 mm holds 2³ = 8 voxels of 1 mm, so 40,000 / 8 = 5,000. A number of voxels says
# nothing without the spacing.
#
# A volume in millilitres does, and it is what a doctor follows from visit to visit.

# %% [markdown]
# ### Exercise 7: the volume of a tumour
#
# *4 minutes · difficulty 1 of 3*
#
# `labels` is 0 where there is no tumour and 1, 2 or 4 where there is (what they mean comes in section 7).
# Return the volume of the whole tumour in millilitres. You have already written the last step.


# %% tags=["exercise"]
def tumour_volume_ml(labels, spacing):
    """Volume in ml of all voxels of `labels` (X, Y, Z) that are not 0; `spacing` (3,) in mm."""
    ### BEGIN SOLUTION
    return millilitres((labels > 0).sum() * np.prod(spacing))
    ### END SOLUTION


# %%
tumour_volume_ml = check("tumour_volume_ml", tumour_volume_ml)

thick_labels = labels[:, :, 1 : 3 * slices : 3]  # the middle one of every three slices
for name, segmentation, matrix in (("fine ", labels, affine), ("thick", thick_labels, thick_affine)):
    volume = tumour_volume_ml(segmentation, spacing_from_affine(matrix))
    print(f"{name} {(segmentation > 0).sum():6} voxels {volume:7.1f} ml")

# %% [markdown] tags=["solution"]
# **Solution.** The number of voxels that are not 0, times the volume of one voxel (the product of its three
# edges), then to millilitres. Labels are names: they are counted, not added up.
#
# The fine and the thick scan differ by a factor of three in voxels and agree in millilitres, up to what thick
# slices lose at the rim.
#
# Did you notice that we took the *middle* slice of the labels, not the mean of three as for the image? Labels
# are names. The mean of "nothing" (0) and "enhancing tumour" (4) would be 2, "oedema". Never average labels,
# and never interpolate them linearly.

# %% [markdown]
# ## 5 · Three planes, and which side is left
#
# A volume is looked at in three planes: **axial** (horizontal), **coronal** (as if facing the patient) and
# **sagittal** (from the side). The letters on the sides are Right, Left, Anterior, Posterior, Superior,
# Inferior *of the patient*.

# %%
nearest = (
    ((tumour_voxels - centre) ** 2).sum(axis=1).argmin()
)  # the centre itself may lie outside a curved tumour
position = tuple(int(index) for index in tumour_voxels[nearest])
print("a voxel in the middle of the tumour:", position)

# %% tags=["plot"]
# Three planes
fig, axes = plt.subplots(1, 3, figsize=(9, 3.4))
figures.show_planes(axes, flair, position=position, spacing=case.spacing, crosshair=True)
figures.show(
    fig,
    alt="Axial, coronal and sagittal slice of a FLAIR image with a bright tumour, green lines cross in it. "
    "On the axial and coronal slice the letter R, the patient's right, is on the left-hand side.",
)

# %% [markdown]
# And here you can walk through it. Move the sliders, change the image, switch the labels off. The line above
# the picture is your `voxel_to_world`: compare.

# %%
volume_viewer(case)

# %% [markdown]
# (If you see no sliders above, the notebook isn't running: it is then a still picture.)
#
# How does the viewer know where to put the letters? From the affine. Each array axis has a direction in the
# patient, and the number in its column that is largest in size, whatever its sign, says which. For our
# scan, the first column is $(-2, 0, 0)$: a step along $i$ makes $x$ smaller, so it goes towards the
# patient's **L**eft. *Work out the other two, then run the cell.*

# %%
print(nibabel.aff2axcodes(affine))

# %% [markdown]
# So BraTS **arrays** run to the **L**eft, **P**osterior, **S**uperior, while NIfTI's **world** is Right,
# Anterior, Superior. That is no contradiction: the minus signs in the affine turn one into the other.
# (DICOM's and ITK's world is LPS. When positions come out mirrored, this is the first thing to look at.)
#
# ### Exercise 8: explain the picture
#
# *4 minutes · difficulty 2 of 3*
#
# An axial slice, with $i$ growing to the right and $j$ growing downwards. A cross marks a voxel **on the left
# of the picture**. Where is it in the patient?
#
# - **A**: in the left half of the brain, since it is on the left of the picture
# - **B**: in the right half of the brain
# - **C**: nobody can tell without knowing the patient
# - **D**: that depends on whether $x$ is above or below 0 mm there

# %%
brain = cohort.brain_mask(case.image)
brain_centre = np.argwhere(brain).mean(axis=0)
marked = (round(brain_centre[0] - 18), round(brain_centre[1]), position[2])
print(f"the cross: voxel {marked}, world {affine @ (*marked, 1)}")

# %% tags=["plot"]
# A voxel on the left of the picture
fig, ax = plt.subplots(figsize=(4, 4))
figures.show_slice(ax, t1[:, :, marked[2]], title=f"T1, k = {marked[2]}")
ax.plot(marked[0], marked[1], "x", color=figures.COLOURS["orange"], ms=14, mew=3)
ax.set(xlabel="i (voxels)", ylabel="j (voxels)")
figures.show(
    fig,
    alt="An axial slice of a T1 image, the front on top, without letters at its sides. An orange cross lies "
    "in the half of the brain that is on the left of the picture.",
)

# %% tags=["exercise"]
### BEGIN SOLUTION
which_side = "B"
# > which_side = ...  # "A", "B", "C" or "D"
### END SOLUTION

# %%
which_side = check("which_side", which_side)

# %% [markdown] tags=["solution"]
# **Solution.** B. The first index grows to the right of the picture and towards the patient's left, so the
# picture's left is the patient's right.
#
# This is the **radiological convention**: you look at the patient from the feet, as
# if standing before the bed, and as when you face somebody, their right hand is on your left. Some software
# shows the other one (*neurological*); a viewer should write an L or R.
#
# Not D: in BraTS all of $x$ is at or below 0, as its origin lies in a corner. The *direction* of an axis is
# reliable, the origin is a matter of convention. To find the side of a tumour, compare it with the middle of
# the brain, as the next cell does.

# %%
middle_mm, tumour_mm = voxel_to_world(affine, np.stack([brain_centre, centre[0]]))
offset = tumour_mm - middle_mm
directions = (("right", "left"), ("front", "back"), ("top", "bottom"))
words = [f"{abs(d):.0f} mm to the {names[int(d < 0)]}" for d, names in zip(offset, directions)]
print("the tumour's centre lies, seen from the middle of the brain,", ", ".join(words))

# %% [markdown]
# ### Exercise 9: explain the picture
#
# *2 minutes · difficulty 1 of 3*
#
# On the left, an image with the outline of its tumour. On the right, the same after somebody's "data
# augmentation" (a random change that makes more training data out of little): the function should have
# changed image and labels together. The network that was trained on it never learned. What happened?
#
# - **A**: the annotator drew the outline on the wrong side
# - **B**: the image was turned by 180 degrees, the labels were not
# - **C**: the image was flipped along its first axis, the labels were not
# - **D**: image and labels have different spacings

# %% tags=["plot"]
# Before and after augmentation
tumour_slice = labels[:, :, position[2]] > 0
before = flair[:, :, position[2]]
after, outline = interactive.augmented_carelessly(before, tumour_slice)
fig = figures.row_of_slices([before, after], ["original", "augmented"], size=(8, 4))
for ax in fig.axes:
    ax.contour(outline.T, levels=[0.5], colors=figures.COLOURS["orange"], linewidths=2)
figures.show(
    fig,
    alt="Two axial FLAIR slices with an orange outline. In the original it encloses the bright tumour. In "
    "the other the brain is mirrored left to right with the front still on top; the outline is where it was,"
    " now over healthy brain.",
)

# %% tags=["exercise"]
### BEGIN SOLUTION
what_went_wrong = "C"
# > what_went_wrong = ...  # "A", "B", "C" or "D"
### END SOLUTION

# %%
what_went_wrong = check("what_went_wrong", what_went_wrong)

# %% [markdown] tags=["solution"]
# **Solution.** C. The front is still on top, so it is no turn; only left and right changed places, and only
# in the image. No error message will ever tell you.
#
# The function behind it does `image[::-1]` and returns the labels as they were. **Look at what you feed to
# a network**, image and labels in one picture: it is the cheapest test there is.

# %% [markdown]
# ## 6 · Four ways to look
#
# An MR scanner is a camera with many settings. BraTS has four images of each patient, already aligned with
# each other and with the skull removed.
#
# | image | fluid (CSF) | white and grey matter | what it is taken for |
# |---|---|---|---|
# | **T1** | dark | white matter brighter than grey (in our noisy scans only just) | anatomy |
# | **T1ce**: T1 after a contrast agent | dark | as in T1 | the agent leaks out where the tumour has damaged the barrier between blood and brain: the **enhancing** rim lights up |
# | **T2** | bright | white matter darker than grey | water: oedema is bright, and so is all fluid |
# | **FLAIR** | **dark** | white matter slightly darker than grey | T2 with the signal of free fluid suppressed: **oedema** stands out beside dark fluid |
#
# *Predict* from the table: in which image is the rim of the tumour easiest to see, and in which its whole
# extent?

# %%
box = cohort.brain_box(brain)
axial = (box[0], box[1], position[2])
plane = tuple(case.spacing[:2])

# %% tags=["plot"]
# One slice in four images, each with the grey scale of its healthy brain
fig, axes = plt.subplots(1, 5, figsize=(11, 3.0), sharey=True)
for ax, image, name in zip(axes, case.image, ("T1", "T1ce", "T2", "FLAIR")):
    darkest, brightest = np.percentile(image[brain & (labels == 0)], (1, 99.8))
    figures.show_slice(ax, image[axial], title=name, spacing=plane, window=(darkest / 2, 1.15 * brightest))
figures.show_slice(axes[4], flair[axial], labels[axial], title="FLAIR and labels", spacing=plane)
for ax in axes:
    ax.label_outer()
figures.label_legend(fig, loc="outside lower center", ncols=3)
figures.show(
    fig,
    alt="One axial slice five times. T1: the tumour darker than the brain. T1ce: an irregular bright ring "
    "around a dark core. T2: tumour, oedema and the fluid in the furrows bright. FLAIR: oedema bright, "
    "core and fluid dark. Last, FLAIR with coloured labels: core, enhancing ring around it, oedema outside.",
)

# %% [markdown]
# No single image shows all of it. The rim is in T1ce, with the dark dead core inside it; the extent is in T2
# and FLAIR, and only FLAIR keeps it apart from fluid. A network gets all four, as the four channels of its
# input, as a photo has red, green and blue. (How best to combine them is a question of its own: notebook
# 08.)

# %% [markdown]
# ## 7 · Labels and regions
#
# An annotator gave every voxel one label:
#
# | label | meaning |
# |---|---|
# | 0 | everything else |
# | 1 | necrotic (dead) and non-enhancing tumour core |
# | 2 | oedema: swollen brain around the tumour, often with tumour cells in it |
# | 4 | enhancing tumour: the active rim |
#
# There is no 3: the first editions of the challenge had one, "non-enhancing tumour", which later became
# part of label 1. What is *measured* is not these labels but three **regions** that contain each other:
#
# | region | labels | why |
# |---|---|---|
# | **WT**, whole tumour | 1, 2, 4 | the extent of the disease |
# | **TC**, tumour core | 1, 4 | what a surgeon would take out |
# | **ET**, enhancing tumour | 4 | the active part, followed under therapy |
#
# **Other data sets number differently**, and mixing them up is a classic: BraTS 2023 writes the enhancing
# tumour as 3. The Medical Segmentation Decathlon has 1 oedema, 2 non-enhancing, 3 enhancing; a widely used
# tutorial took its 2 for "enhancing" and so reported the wrong part of the tumour. `cohort.load_case` brings
# BraTS files of all years to 0, 1, 2, 4.
#
# ### Exercise 10: regions
#
# *5 minutes · difficulty 1 of 3*
#
# Return the mask of a region: an array of `True` and `False`, in the shape of `labels`.


# %% tags=["exercise"]
def region_mask(labels, region):
    """Where `labels` (X, Y, Z), values 0/1/2/4, belong to `region`, "WT", "TC" or "ET": bool (X, Y, Z)."""
    ### BEGIN SOLUTION
    members = {"WT": (1, 2, 4), "TC": (1, 4), "ET": (4,)}
    return np.isin(labels, members[region])
    ### END SOLUTION


# %%
region_mask = check("region_mask", region_mask)

# %% [markdown] tags=["solution"]
# **Solution.** Each region is a set of labels, and `np.isin` asks for each voxel whether its label is in
# the set. The regions are nested, ET inside TC inside WT, so the enhancing label 4 belongs to all three.
#
# ET is the smallest region, and its Dice is the hardest to get high. `labels >= 1` for WT is right too;
# `labels >= 3` for ET works by luck.

# %% [markdown]
# ### What a segmentation is for
#
# The lecture ends with what one can do with a segmentation: measure **volumes**, give **location and
# extent**, build **3D surface models**. You can already do two of them.

# %%
masks = {region: region_mask(labels, region) for region in ("WT", "TC", "ET")}
volumes = {region: tumour_volume_ml(mask, case.spacing) for region, mask in masks.items()}
for region, mask in masks.items():
    extent_mm = (np.ptp(np.argwhere(mask), axis=0) + 1) * case.spacing
    print(
        f"{region}: {volumes[region]:5.1f} ml, extent", " × ".join(f"{edge:.0f}" for edge in extent_mm), "mm"
    )

# %% tags=["plot"]
# The three regions
fig = figures.row_of_slices(
    flair[axial],
    [f"{region}: {volume:.1f} ml" for region, volume in volumes.items()],
    masks=[mask[axial] for mask in masks.values()],
    spacing=plane,
)
figures.show(
    fig,
    alt="One axial slice three times with a region in orange: the whole tumour is largest, the tumour core "
    "lies inside it, the enhancing tumour is a ring within the core.",
)

# %% [markdown]
# ## 8 · Beside a real scan
#
# Everything so far was simulated. The course brings two real scans, too [8]: contrast-enhanced T1 images of
# two heads, each with a tumour outlined by hand. Who the patients are, which tumour it is and who drew the
# outlines their source doesn't say, so we don't know either. What lies further than 15 mm from the brain was
# blanked, because a face in a scan is a face. Here is the first of them. *Predict* from its affine: how thick
# are its slices, compared with a pixel's edge?

# %%
scan = cohort.real_scans()[0]
print("images        ", ", ".join(scan.modalities))
print("shape         ", scan.image.shape[1:])
print("array axes run", nibabel.aff2axcodes(scan.affine))
print("outlined      ", f"{(scan.labels > 0).sum():,} voxels, in {scan.labels.any(axis=(0, 1)).sum()} slices")
print(scan.affine.round(5))

# %% [markdown]
# ### Exercise 11: predict a number
#
# *4 minutes · difficulty 2 of 3*
#
# How large is this tumour, in **millilitres**? Work it out from what the cell above has printed, with paper
# or with Python as a calculator. The check accepts a deviation of 1 %.

# %% tags=["exercise"]
### BEGIN SOLUTION
real_tumour_ml = 4137 * 0.78125 * 0.78125 * 6.5 / 1000  # voxels, three edges in mm, mm³ to ml
# > real_tumour_ml = ...
### END SOLUTION

# %%
real_tumour_ml = check("real_tumour_ml", real_tumour_ml)

# %% [markdown] tags=["solution"]
# **Solution.** The columns of the affine are 0.78125, 0.78125 and 6.5 mm long, so a voxel holds 3.97 cubic
# millimetres, and 4,137 of them are 16.4 ml.
#
# By chance a voxel is half as large as one of the synthetic cohort's, 8 cubic millimetres. But it has
# another shape: more than eight times as thick as wide. How many voxels a tumour has says little, and so
# does how many slices: 7 here.

# %% [markdown]
# Your functions don't care where a scan comes from. Here they are on both:

# %%
for subject in (case, scan):
    spacing = spacing_from_affine(subject.affine)
    volume = tumour_volume_ml(subject.labels, spacing)
    edges = " × ".join(f"{edge:.2f}" for edge in spacing)
    print(f"{subject.name:15} {edges} mm, tumour {volume:5.1f} ml")

# %% tags=["plot"]
# The synthetic T1ce above, the real one below, through the middle of the tumour
fig, rows = plt.subplots(2, 3, figsize=(9, 7.4))
for axes, subject, image in zip(rows, (case, scan), (t1ce, scan.image[0])):
    outlined = np.argwhere(subject.labels > 0)
    through = outlined[((outlined - outlined.mean(axis=0)) ** 2).sum(axis=1).argmin()]
    figures.show_planes(axes, image, position=through, spacing=subject.spacing, crosshair=True)
    axes[0].set_title(f"{subject.name}: axial")
figures.show(
    fig,
    alt="Two rows of three planes, a T1 image with contrast agent in each. Above, the synthetic subject: a "
    "brain without skull, equally sharp in all. Below, the real scan: the axial plane sharp, with skin, fat "
    "and skull around the brain; coronal and sagittal plane in steps of 6.5 mm, and the face blank.",
)

# %% [markdown]
# What does the real one have that the simulated one lacks?
#
# - **A head around the brain.** Skin and fat are the brightest things in the picture; the brain must be found
#   before it can be normalised. `cohort.brain_mask`, "where the image isn't 0", would call all of it brain.
# - **Thick slices.** In plane it is sharper than anything else in this course. Across, each slice is a mean
#   over 6.5 mm, and the tumour appears in seven of them. A network that takes voxels for cubes sees a brain
#   squeezed to an eighth (spacing again: section 4).
# - **One sequence.** There is no FLAIR to see an oedema in, so nobody could outline the regions of BraTS. The
#   label 1 here means "the tumour that somebody outlined", not "core".
# - **A reference with an author.** The outline is a drawing by hand, slice by slice. Nobody knows the truth
#   behind it; what that means for measuring, notebook 07 shows on these two scans.
#
# And one thing it has in common: an affine, in which all of this could be read before looking.

# %% [markdown]
# ## 9 · Intensities have no units
#
# In CT, a number means something: water is 0, bone a thousand. In MR the same tissue gives 300 in one scanner
# and 900 in another: numbers depend on coil, settings and software. *Predict:* here are the FLAIR values of
# two subjects of the cohort. Will a threshold for the one fit the other?

# %%
other = cohort.load_case(case_folders[3])
other_flair, other_brain = other.image[3], cohort.brain_mask(other.image)
stored = {case.name: flair[brain], other.name: other_flair[other_brain]}

# %% tags=["plot"]
# Two subjects, as stored
ax = interactive.show_intensities(stored, np.linspace(0, 1500, 76), "intensity (no unit)")
ax.set(title="FLAIR inside the brain, as stored")
figures.show(
    ax.figure,
    alt="Histograms of FLAIR values of two subjects: two peaks at clearly different intensities, of "
    "different width.",
)

# %% [markdown]
# ### Exercise 12: normalise inside the brain
#
# *7 minutes · difficulty 2 of 3*
#
# The usual remedy is the **z-score**: subtract the mean, divide by the standard deviation (NumPy's `std`),
# so that 0 is "average brain" and 1 is "one standard deviation brighter". Mean and standard deviation are
# those of the **brain**, not of the whole box: four fifths of it are background, and would decide about the
# result. The background itself is set to 0. Single precision is enough.


# %% tags=["exercise"]
def normalise_inside_the_brain(image, brain):
    """z-scores of `image` (X, Y, Z), with mean and deviation of the voxels in `brain` (bool); 0 outside."""
    ### BEGIN SOLUTION
    inside = image[brain]
    normalised = np.zeros(image.shape)
    normalised[brain] = (inside - inside.mean()) / inside.std()
    return normalised
    ### END SOLUTION


# %%
normalise_inside_the_brain = check("normalise_inside_the_brain", normalise_inside_the_brain)

# %% [markdown] tags=["solution"]
# **Solution.** `image[brain]` is a flat list of the brain's values; compute with it, and write the result
# back into an array of zeros. `np.zeros_like(image)` is a trap: for an image of integers it makes integers,
# and cuts your z-scores to whole numbers without a word.
#
# In the picture below one number means about the same in both subjects. Only about: mean and standard
# deviation contain the tumour too, and a large bright tumour shifts them. `cohort.normalise`, which the lab
# uses, also clips the most extreme values.

# %%
z = normalise_inside_the_brain(flair, brain)
other_z = normalise_inside_the_brain(other_flair, other_brain)

# %% tags=["plot"]
# The same two subjects, normalised
normalised = {case.name: z[brain], other.name: other_z[other_brain]}
ax = interactive.show_intensities(normalised, np.arange(-3, 5.1, 0.2), "z-score (standard deviations)")
ax.set(title="FLAIR inside the brain, normalised")
figures.show(
    ax.figure,
    alt="The same two histograms after normalising: the peaks lie nearly on top of each other; shapes still "
    "differ a little.",
)

# %% [markdown]
# ## 10 · Would a threshold do?
#
# The tumour is bright in FLAIR. So why not say: everything brighter than some $\theta$ is tumour? Here are
# the z-scores, by what the annotator says. On the left each curve has area 1; on the right voxels are
# counted.

# %%
healthy, tumour = z[brain & (labels == 0)], z[labels > 0]
by_label = {
    "no tumour": healthy,
    "core": z[labels == 1],
    "oedema": z[labels == 2],
    "enhancing": z[labels == 4],
}
print(f"{len(tumour):,} voxels of tumour, {len(healthy):,} voxels of healthy brain")

# %% tags=["plot"]
# FLAIR by label, as shares and as counts
bins = np.linspace(-4, 6, 51)
fig, (left, right) = plt.subplots(1, 2, figsize=(10, 3.6))
interactive.show_intensities(by_label, bins, "FLAIR (z-score)", ax=left)
left.set(title="each label on its own")
right.hist(tumour, bins, color=figures.COLOURS["orange"], alpha=0.8, label="tumour (1, 2, 4)")
right.hist(healthy, bins, histtype="step", lw=2, color=figures.COLOURS["blue"], label="no tumour")
right.set(title="voxels counted", xlabel="FLAIR (z-score)", ylabel="voxels")
right.legend(fontsize=8)
figures.show(
    fig,
    alt="Two histograms of FLAIR z-scores. Left, per label: oedema lies to the right of healthy brain, the "
    "core to the left of it, and all overlap. Right, counted: healthy voxels far outnumber tumour voxels, "
    "and the small hill of the tumour lies on the slope of the large one.",
)

# %% [markdown]
# ### Exercise 13: explain the picture
#
# *3 minutes · difficulty 2 of 3*
#
# Draw a vertical line into the right panel, in your mind, and call everything to its right tumour. What does
# the picture say?
#
# - **A**: the bins are too wide; with finer bins the two hills would come apart
# - **B**: the z-score is not good enough; another shift and scale would bring them apart
# - **C**: there is a place for the line that separates them well; one only has to find it
# - **D**: wherever the line is, many healthy voxels get in, or much of the tumour is lost

# %% tags=["exercise"]
### BEGIN SOLUTION
why_not_a_threshold = "D"
# > why_not_a_threshold = ...  # "A", "B", "C" or "D"
### END SOLUTION

# %%
why_not_a_threshold = check("why_not_a_threshold", why_not_a_threshold)

# %% [markdown] tags=["solution"]
# **Solution.** D. On the left, oedema and brain look quite separable, but the right panel counts: for each
# tumour voxel there are more than ten healthy ones, and a small share of many is many.
#
# Among the bright healthy
# voxels are grey matter, the rim of the ventricles, and the old white matter lesions that most brains have.
# And not even all of the tumour is bright: its dead core is darker than the brain. The **imbalance** returns
# all through the course: in the sampling and the losses (06) and in the metrics (07).

# %% [markdown]
# ### How good is the best threshold?
#
# To say how good, we need a number. The **Dice coefficient** compares two masks: twice the overlap, divided
# by the sum of both sizes. 1 is perfect, 0 is no overlap at all. (You will build it in notebook 07, make a
# loss of it in 06, and learn when it misleads.)
#
# $$\text{Dice}(P, R) = \frac{2\,|P \cap R|}{|P| + |R|}$$
#
# We try all thresholds and keep the best. This is cheating: we choose it with the answer in hand, which no
# doctor has. *Predict:* what Dice will it reach? Write your guess down.


# %%
def dice(prediction, reference):
    return 2 * (prediction & reference).sum() / (prediction.sum() + reference.sum())


reference = region_mask(labels, "WT")
thresholds = np.linspace(-1, 4, 101)
scores = [dice(brain & (z > threshold), reference) for threshold in thresholds]
best = thresholds[np.argmax(scores)]
prediction = brain & (z > best)
print(f"best threshold {best:.2f}: Dice {max(scores):.2f}")

# %% tags=["plot"]
# Dice over the threshold, and the best one
fig, axes = plt.subplots(1, 3, figsize=(11, 3.8), width_ratios=[1.3, 1, 1])
axes[0].plot(thresholds, scores, lw=2)
axes[0].plot(best, max(scores), "o", color=figures.COLOURS["red"])
axes[0].set(title=f"best threshold: Dice {max(scores):.2f}", ylim=(0, 1))
axes[0].set(xlabel="threshold (z-score)", ylabel="Dice of the whole tumour")
for ax, mask, title in ((axes[1], reference, "reference"), (axes[2], prediction, f"FLAIR > {best:.2f}")):
    figures.show_slice(ax, flair[axial], title=title, spacing=plane)
    figures.show_mask(ax, mask[axial], spacing=plane)
figures.show(
    fig,
    alt="Left: Dice against the threshold, a curve with one maximum far below 1. Middle: the reference "
    "tumour in orange, one compact region. Right: the best threshold in orange: parts of the tumour, and "
    "specks elsewhere; the dark core is missing.",
)

# %% [markdown]
# Another patient, another best threshold: here it is for all eight subjects, again chosen with the answer in
# hand.

# %%
for folder in case_folders:
    subject = cohort.load_case(folder)
    inside = cohort.brain_mask(subject.image)
    scaled, truth = normalise_inside_the_brain(subject.image[3], inside), region_mask(subject.labels, "WT")
    own = [dice(inside & (scaled > threshold), truth) for threshold in thresholds]
    print(f"{subject.name}: best threshold {thresholds[np.argmax(own)]:4.2f}, Dice {max(own):.2f}")

# %% [markdown]
# Six of the eight come out between 0.4 and 0.75, and each wants another threshold. Two fail altogether, and
# neither is a mistake of yours: subject 003 has a large oedema that is hardly brighter than its brain, and
# the tumour of 005 is small (22 ml) and so pale that any threshold which catches it catches the brain, too.
#
# A threshold groups voxels by how bright they are. It is **clustering**: it doesn't know what a tumour is. It
# can't know that a tumour is one thing in one place, that the rim of a ventricle is bright in everybody, that
# symmetric brightness is harmless. **Semantic segmentation** has to decide what each voxel *is*, and for that
# it must look around: at edges, textures, neighbours, the other side of the brain, all four images at once.
#
# This is what convolutional networks do. At the end of this course a U-Net that you understand down to each
# of its operations will do this on brains that it has never seen, in minutes on a CPU, with a Dice near 0.9.
# You just saw what it has to beat.

# %% [markdown]
# ## 11 · The map of the course
#
# | notebook | what you build |
# |---|---|
# | **00 start here** | you are here |
# | 01 pixels to classes | the tasks of vision; a classifier slid over the image, what that costs, and the same network made fully convolutional |
# | 02 convolution | convolution as a matrix; its transpose; the transposed convolution as a gradient |
# | 03 upsampling | nearest neighbour, bed of nails, max unpooling, checkerboards, skip connections |
# | 04 receptive field | how far a network sees: depth, stride, dilation; the theoretical field and the effective one |
# | 05 U-Net | U-Net and 3D U-Net from parts; weight maps, sparse annotation, tiles |
# | 06 losses | imbalance, cross-entropy, Dice, generalised Dice, focal; gradients by hand |
# | 07 metrics | from the confusion matrix to Dice, volume similarity, Hausdorff and surface distances |
# | 08 architectures | DeepMedic, HighRes3DNet, attention gates, a VAE branch, fusion of modalities |
# | 09 planning | nnU-Net: from a data set's fingerprint to patch, batch and pooling |
# | 10 beyond labels | atlases, classification forests, synthetic training data |
# | 11 BraTS lab | brain tumours with a U-Net, from NIfTI files to Dice scores and volumes |
#
# They follow the lecture and build on each other. (Notebooks 05 to 10 are being written: the table in the
# README says which are there.)

# %% [markdown]
# ## Summary
#
# You built `voxel_to_world` and `world_to_voxel`, `spacing_from_affine`, `tumour_volume_ml`, `region_mask`
# and `normalise_inside_the_brain`. Remember:
#
# - A scan is an array **and** an affine. Each column of its matrix is one step along one array axis, in
#   millimetres.
# - Spacing is the length of those columns. Numbers of voxels mean nothing without it.
# - Left and right are in the affine, not in the picture. BraTS arrays run LPS, NIfTI's world is RAS;
#   radiologists have the patient's right on the picture's left.
# - Labels are names: don't average them, don't add them up, and check what a data set means by 3.
# - MR intensities have no unit: normalise inside the brain.
# - A threshold knows brightness, not meaning. Context is what the rest of this course is about.
#
# Look at what you feed to a network, every time.

# %%
check.progress()

# %% [markdown]
# ## References
#
# 1. O. Colliot, M. Vakalopoulou, *Deep learning for medical imaging, Part 4: Segmentation*, lecture, Master
#    MVA, 2019-20.
# 2. B. H. Menze et al., *The Multimodal Brain Tumor Image Segmentation Benchmark (BRATS)*, IEEE Transactions
#    on Medical Imaging 34, 2015.
# 3. S. Bakas et al., *Advancing The Cancer Genome Atlas glioma MRI collections with expert segmentation
#    labels and radiomic features*, Scientific Data 4, 2017; S. Bakas et al., *Identifying the best machine
#    learning algorithms for brain tumor segmentation, progression assessment, and overall survival prediction
#    in the BRATS challenge*, arXiv:1811.02629, 2018.
# 4. U. Baid et al., *The RSNA-ASNR-MICCAI BraTS 2021 benchmark on brain tumor segmentation and radiogenomic
#    classification*, arXiv:2107.02314, 2021.
# 5. NiBabel, *Neuroimaging in Python: coordinate systems and affines*,
#    https://nipy.org/nibabel/coordinate_systems.html
# 6. V. Fonov et al., *Unbiased nonlinear average age-appropriate brain templates from birth to adulthood*,
#    NeuroImage 47, 2009; V. Fonov et al., *Unbiased average age-appropriate atlases for pediatric studies*,
#    NeuroImage 54, 2011 (the MNI ICBM152 template).
# 7. R. W. Cox et al., *A (sort of) new image data format standard: NIfTI-1*, Human Brain Mapping meeting,
#    2004; https://nifti.nimh.nih.gov/nifti-1
# 8. J. J. M. van Griethuysen et al., *Computational radiomics system to decode the radiographic phenotype*,
#    Cancer Research 77, 2017: PyRadiomics, whose source distribution 3.0.1 contains the two real scans
#    (BSD-3-Clause, Harvard Medical School).
