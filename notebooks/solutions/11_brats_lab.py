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
# **You build:** a U-Net that outlines brain tumours in subjects it has never seen, from NIfTI files to a
# table of Dice scores.
#
# **Time:** computed
#
# Everything that the course has built meets here: four MR images of a head go in, a label for every voxel
# comes out. The computer trains for about three minutes of the time.
#
# **What you will learn**
#
# - to prepare BraTS-like data: normalise, crop, map labels to class indices, split by subject;
# - to say what the loss should be before the first step, and why you should look;
# - to train a small U-Net with a loop that you can read, and that survives being killed;
# - to predict whole volumes, score them per subject, and read the distribution, not only the mean;
# - to save a prediction as NIfTI so that a radiologist's viewer opens it over the scan.
#
# Replace `...` or the `raise` line, run the cell, then its check; `check.hint("name")` gives a nudge.

# %% tags=["bootstrap"]
# generated

# %%
import matplotlib.pyplot as plt
import nibabel
import numpy as np
import pandas as pd
import torch

from course_utils import cohort, evaluation, figures, losses, paths, training
from course_utils.checks.brats_lab import check
from course_utils.cohort import batches
from course_utils.networks.unet import UNet
from course_utils.prediction import predict_case, without_specks

# %% [markdown]
# ## 1 · The patients
#
# Forty subjects, each with the four sequences of a brain tumour protocol and a label for every voxel. They
# are simulated (the first notebook says how), in the folders, names, labels and orientation of BraTS. On
# the first run this cell makes them, which takes about a minute; afterwards it only finds them.

# %%
cases = cohort.synthetic_cases(40)
example = cohort.load_case(cases[6])
print(example.name, "image", example.image.shape, "spacing", example.spacing, "mm")
print("labels", np.unique(example.labels))


# %%
def largest_level(labels):
    """The axial slice with most tumour."""
    return int((labels > 0).sum(axis=(0, 1)).argmax())


def tumour_slice(case):
    """Where the slice with most tumour lies in a volume, cropped to the brain."""
    x, y, _ = cohort.brain_box(cohort.brain_mask(case.image))
    return x, y, largest_level(case.labels)


# %% tags=["plot"]
# One slice in four sequences, and its labels
place = tumour_slice(example)
figure = figures.row_of_slices(
    [*(volume[place] for volume in example.image), example.image[3][place]],
    [*cohort.MODALITIES, "labels on flair"],
    labels=[None] * 4 + [example.labels[place]],
    spacing=example.spacing[:2],
)
figures.show(
    figure,
    alt="One axial slice in T1, T1 with contrast agent, T2 and FLAIR, and the labels over FLAIR: a bright "
    "enhancing tumour in the T1 image with contrast agent, and around it oedema, bright in FLAIR.",
)

# %% [markdown]
# Each sequence shows something that the others hide: the rim lights up only in T1 with contrast agent
# (`t1ce`), the oedema is best seen in FLAIR, where fluid in the ventricles is dark. That is why the network
# gets all four as input channels.
#
# The labels are 1 (necrotic and non-enhancing core), 2 (oedema), 4 (enhancing tumour). BraTS judges three
# nested *regions*: WT, the whole tumour (1, 2, 4); TC, the tumour core (1, 4); ET, the enhancing tumour (4).

# %% [markdown]
# ## 2 · From labels to class indices
#
# The network has four outputs, numbered 0 to 3, and PyTorch's cross-entropy wants for each voxel the number
# of the right one, as a 64-bit integer. BraTS calls its classes 0, 1, 2 and **4**.

# %% [markdown]
# ### Exercise 1: Class indices
#
# *5 minutes · difficulty 1 of 3*
#
# Turn BraTS labels (uint8, any shape, any of the four may be missing) into class indices 0, 1, 2, 3 (an int64
# array of the same shape), without changing the input.


# %% tags=["exercise"]
def class_indices(labels):
    ### BEGIN SOLUTION
    indices = labels.astype(np.int64)
    indices[indices == 4] = 3
    return indices
    ### END SOLUTION


# %%
class_indices = check("class_indices", class_indices)

# %% [markdown] tags=["solution"]
# **Solution.** Labels are names, and only one of them differs from its index: 4 becomes 3. The copy and the
# type come first (`astype` makes both), because an index that stays uint8 is refused by PyTorch's loss.
#
# Counting the labels that occur, as `np.unique(..., return_inverse=True)` does, gives the same numbers in
# most volumes, and other ones in a slice without oedema: there 4 would become 2.

# %% [markdown]
# How unequal are the classes? Predict first: of all voxels inside the brain, how many in a hundred are
# enhancing tumour?

# %%
inside_brain = example.image[0] > 0
shares = np.bincount(class_indices(example.labels)[inside_brain], minlength=4) / inside_brain.sum()
for name, share in zip(("healthy brain", "core", "oedema", "enhancing"), shares):
    print(f"{name:14s} {100 * share:5.1f} %")

# %% [markdown]
# A network that answers "healthy" everywhere is right for most voxels and useless for every patient. Two
# remedies are at work below: the loss contains the Dice coefficient, which does not care how much background
# there is, and two thirds of the slices in each batch are drawn from those that contain tumour.

# %% [markdown]
# ## 3 · Split by subject

# %% [markdown]
# ### Exercise 2: The unit that must be new
#
# *3 minutes · difficulty 1 of 3*
#
# A colleague pools all slices of all subjects and puts a random fifth of the *slices* aside for testing. Her
# test Dice is much better than ours. What is wrong?
#
# - **A**: nothing: more slices in the training set make a better network
# - **B**: the classes are not equally frequent in the two sets
# - **C**: slices of the same head are in both sets
# - **D**: training takes longer that way

# %% tags=["exercise"]
### BEGIN SOLUTION
split_by_subject = "C"
# > split_by_subject = ...
### END SOLUTION

# %%
split_by_subject = check("split_by_subject", split_by_subject)

# %% [markdown] tags=["solution"]
# **Solution.** C. Two neighbouring slices, 2 mm apart, are nearly the same picture: if one is in the training
# set and the other in the test set, a network that memorises heads looks excellent.
#
# The test then measures memory, not skill on new patients. The unit that must be new is the *patient*, so we
# split the list of subjects, and every slice follows its subject.

# %%
subjects = cohort.split(cases, seed=0, train=26, validation=4, test=10)
print(*(f"{name}: {len(part)} subjects" for name, part in zip(subjects._fields, subjects)), sep=", ")
data = batches.TrainingSlices(subjects.train)
with_tumour = int((data.labels > 0).any((1, 2)).sum())
print("training slices:", tuple(data.images.shape), "of which with tumour:", with_tumour)

# %% [markdown]
# `TrainingSlices` has normalised each volume inside the brain (mean 0, standard deviation 1 in each
# sequence, for MR intensities have no unit), cropped it to the brain, and cut it into axial slices. Each
# batch is changed at random: flipped, turned, scaled, with another contrast and some noise. Here is one
# batch, as the network sees it.

# %%
images, targets = next(data.epoch(torch.Generator().manual_seed(1)))
print("images", tuple(images.shape), images.dtype, "| class indices", tuple(targets.shape), targets.dtype)

# %% tags=["plot"]
# Twelve slices of a batch
figure, axes = plt.subplots(2, 6, figsize=(figures.WIDTH, 3.7))
for axis, image, target in zip(axes.flat, images, targets):
    labels = cohort.brats_labels(target.numpy())
    figures.show_slice(axis, image[3].numpy(), labels, window=(-2, 4), alpha=0.45)
    axis.set(xlabel="", ylabel="", xticks=[], yticks=[])
figure.supxlabel(
    "along one edge of the slice (2 mm voxels; slices are turned and mirrored at random)", fontsize=9
)
figure.supylabel("along the other edge (2 mm voxels)", fontsize=9)
figures.label_legend(figure, loc="outside upper center", ncols=3)
figures.show(
    figure,
    alt="Twelve augmented FLAIR slices with their labels: heads turned, scaled and mirrored, with different "
    "contrast; most show a tumour.",
)

# %% [markdown]
# ## 4 · The network and its loss, before the first step
#
# A U-Net with four levels and 16 channels at the first: about half a million weights, a sixtieth of the
# paper's. Instance normalisation instead of none, and zero padding, so that the answer is as large as the
# question.

# %%
torch.manual_seed(0)
network = UNet(
    in_channels=4, out_channels=4, base_channels=16, depth=4, padding="same", normalisation="instance"
)
print(f"{sum(weights.numel() for weights in network.parameters()):,} weights")
print("a batch", tuple(images.shape), "becomes logits", tuple(network(images).shape))

# %% [markdown]
# ### Exercise 3: The loss before the first step
#
# *3 minutes · difficulty 1 of 3*
#
# Predict the number. An untrained network has no preference: all four classes get the same probability at
# every voxel. What is the mean cross-entropy then? Two decimals are enough.

# %% tags=["exercise"]
### BEGIN SOLUTION
starting_loss = np.log(4)
# > starting_loss = ...
### END SOLUTION

# %%
starting_loss = check("starting_loss", starting_loss)

# %% [markdown] tags=["solution"]
# **Solution.** The cross-entropy of a voxel is minus the logarithm of the probability of its true class, here
# -log(1/4) = log 4 = 1.39, whatever the class.
#
# The real network starts close to it, not exactly there, because its random weights do prefer something.
# Had it printed 14 instead of 1.4, something would be wrong before training began: labels out of range,
# images not normalised, a softmax too many. This look costs a second and finds most mistakes.

# %%
with torch.no_grad():
    logits = network(images)
print(f"no preference      {starting_loss:.3f}")
print(f"untrained network  {losses.cross_entropy(logits, targets).item():.3f}   (cross-entropy)")
print(f"                   {losses.dice_loss(logits, targets).item():.3f}   (Dice loss)")

# %% [markdown]
# The loss that we minimise is that of nnU-Net: the sum of the two. Cross-entropy gives every voxel a clear
# gradient from the first step on; the Dice loss looks at each class as a whole, so a small class counts as
# much as a large one.

# %% [markdown]
# ## 5 · Train
#
# `training.fit` is one function with a plain loop in it; read it (`training.fit??`). After each epoch it
# writes a checkpoint: kill the kernel at any moment, run the notebook again, and it continues where it was,
# with exactly the weights of an undisturbed run. If you have run this notebook before, the cell returns at
# once. To train anew, delete the folder that it prints.

# %%
EPOCHS = 20
folder = paths.runs_dir() / f"brats_lab_{EPOCHS}_epochs_{data.fingerprint()[:8]}"  # one training, one folder
print("checkpoint in", folder)
validation_cases = [cohort.load_case(path) for path in subjects.validation[:2]]
history = training.fit(
    network,
    data,
    loss=losses.dice_cross_entropy_loss,
    epochs=EPOCHS,
    folder=folder,
    seed=0,
    validation=lambda net: evaluation.mean_dice(net, validation_cases),
)

# %% tags=["plot"]
# The training, and two validation subjects
figure, (left, right) = plt.subplots(1, 2, figsize=(figures.WIDTH, 3))
epochs = [row["epoch"] for row in history]
losses_of_epochs = {"loss": (epochs, [row["loss"] for row in history])}
ticks = {"xticks": range(0, EPOCHS + 1, 5), "xlabel": "epoch (50 steps of 16 slices)"}
figures.curves(
    losses_of_epochs, ylabel="Dice + cross-entropy loss", title="training", ax=left, ylim=(0, None), **ticks
)
dice = {name: (epochs, [row["validation"][name] for row in history]) for name in cohort.REGIONS}
figures.curves(
    dice, ylabel="mean Dice", title="two validation subjects", ax=right, marker="each", ylim=(0, 1), **ticks
)
figures.show(
    figure,
    alt="Left: the training loss falls steeply in the first epochs and then slowly. Right: the Dice of WT, "
    "TC and ET on two validation subjects rises quickly and then levels off.",
)

# %% [markdown]
# ## 6 · Predict a whole volume
#
# The network knows slices, a patient is a volume. So: cut the volume into slices, predict each, stack the
# answers.

# %% [markdown]
# ### Exercise 4: From slices to a volume
#
# *10 minutes · difficulty 2 of 3*
#
# Write `predict_volume(network, image)`: `image` is a tensor (channels, X, Y, Z), already normalised; the
# network takes (slices, channels, X, Y) and gives logits (slices, classes, X, Y). Return the class index of
# each voxel, an integer tensor (X, Y, Z). Two things that beginners forget: the network must be in evaluation
# mode, and no gradients are needed.


# %% tags=["exercise"]
def predict_volume(network, image):
    ### BEGIN SOLUTION
    network.eval()
    slices_first = image.movedim(-1, 0)
    with torch.no_grad():
        indices = network(slices_first).argmax(dim=1)
    return indices.movedim(0, -1)
    ### END SOLUTION


# %%
predict_volume = check("predict_volume", predict_volume)

# %% [markdown] tags=["solution"]
# **Solution.** `movedim` (or `permute`) turns the slice axis into the batch axis and afterwards back;
# `reshape` would deal the same numbers out anew and mix voxels. `eval()` goes before the prediction, and
# `no_grad()` around it: a graph of all slices would take gigabytes that nobody needs.
#
# `network.training = False` is not enough: it sets the flag of the outermost module only, and dropout and
# normalisation look at their own.

# %% [markdown]
# Try it on a validation subject: we look at its result, and what we look at can no longer be a test.

# %%
case = cohort.load_case(subjects.validation[2])
prepared = cohort.prepare(case)
indices = predict_volume(network, torch.from_numpy(prepared.image))
prediction = cohort.brats_labels(prepared.paste(indices.numpy()))
library = predict_case(network, case)
print("voxels that differ from the package's predict_case:", int((prediction != library).sum()))

# %% [markdown]
# ## 7 · Score it

# %% [markdown]
# ### Exercise 5: Dice
#
# *5 minutes · difficulty 1 of 3*
#
# Two boolean masks of the same shape; return 2 |A ∩ B| / (|A| + |B|), a number (five digits will do). If both
# are empty, return 1.0: nothing was there and nothing was found.


# %% tags=["exercise"]
def dice_score(prediction, reference):
    ### BEGIN SOLUTION
    sizes = prediction.sum() + reference.sum()
    if sizes == 0:
        return 1.0
    return float(2 * (prediction & reference).sum() / sizes)
    ### END SOLUTION


# %%
dice_score = check("dice_score", dice_score)

# %% [markdown] tags=["solution"]
# **Solution.** The overlap counts twice above because the sum of both sizes counts it twice below, so two
# equal masks score 1. Where both masks are empty the fraction is 0/0, and a convention has to decide: BraTS
# says 1.
#
# Dividing by the union instead gives the Jaccard index J, which ranks all answers alike, D = 2J / (1 + J),
# but is another number: say which one you report.

# %%
for region in cohort.REGIONS:
    score = dice_score(cohort.region_mask(prediction, region), cohort.region_mask(case.labels, region))
    print(f"{case.name}  {region}  Dice {score:.3f}")

# %% [markdown]
# **A decision before the table.** Some tumours do not enhance at all. If the network marks eight voxels as
# enhancing there, the Dice of ET is 0, if it marks none, it is 1. So: what is the smallest enhancing tumour
# that we believe in? nnU-Net had such a rule for BraTS 2020. Its size we take from the *training* subjects
# alone, but be warned: that a rule is needed here was noticed by the course's authors on test subjects of
# this very cohort, and so was the number of epochs. The mean of ET below is a little better than it would
# be on a cohort that nobody has looked at.

# %%
training_cases = [cohort.load_case(path) for path in subjects.train]
enhancing = [cohort.region_mask(c.labels, "ET").sum() * np.prod(c.spacing) / 1000 for c in training_cases]
print("ml of enhancing tumour in the training subjects:", *(f"{volume:.1f}" for volume in sorted(enhancing)))

# a quarter of the smallest that the training subjects show: less than that, in total, becomes core
smallest_enhancing = min(volume for volume in enhancing if volume > 0) / 4
print(f"smallest enhancing tumour that we believe in: {smallest_enhancing:.1f} ml")


def segment(case):
    return without_specks(predict_case(network, case), case.spacing, smallest_enhancing)


# %% [markdown]
# Now all ten held-out subjects, which the network has never seen.

# %% tags=["report"]
report = evaluation.evaluate(network, subjects.test, smallest_enhancing=smallest_enhancing)  # a pandas table
report.to_csv(folder / "report.csv")
print(f"Dice of {len(report)} held-out subjects\n\n{report.round(3)}")
print(f"\n{report.describe().drop('count').round(3)}")

# %%
unprocessed = evaluation.evaluate(network, subjects.test)
print(f"mean Dice of ET with the rule {report['ET'].mean():.3f}, without it {unprocessed['ET'].mean():.3f}")

# %% [markdown]
# A mean is one number for ten patients. Look at the ten, and then at each score over the true volume of its
# region. An open marker is a region that is empty in the reference.

# %%
test_cases = [cohort.load_case(path) for path in subjects.test]
volumes = pd.DataFrame(
    {name: [np.sum(cohort.region_mask(c.labels, name)) for c in test_cases] for name in cohort.REGIONS},
    index=report.index,
)
volumes = volumes * np.prod(test_cases[0].spacing) / 1000  # from voxels to ml

# %% tags=["plot"]
# Ten held-out subjects: Dice of the three regions
axes = figures.points_by_group(
    {name: report[name] for name in cohort.REGIONS},
    xlabel="region",
    ylabel="Dice",
    ylim=(0.68, 1.02),
    open={name: volumes[name] == 0 for name in cohort.REGIONS},
    medians=True,
    legend="outside",
)
figures.show(
    axes.figure,
    alt="Dice of ten held-out subjects for WT, TC and ET with mean and median. WT lies highest and "
    "closest together, TC a little lower; ET is spread out most, with the lowest point of all and two open "
    "circles at 1.",
)

# %% tags=["plot"]
# Dice over the volume of the region
figure, axes = plt.subplots(figsize=(figures.WIDTH, 3.2))
for name, marker, colour in zip(cohort.REGIONS, "os^", ("blue", "orange", "green")):
    colour = figures.COLOURS[colour]
    faces = ["none" if volume == 0 else colour for volume in volumes[name]]
    axes.scatter(volumes[name], report[name], marker=marker, c=faces, edgecolors=colour)
    axes.scatter([], [], marker=marker, color=colour, label=name)  # the legend's marker is a filled one
axes.set(xlabel="volume in the reference (ml)", ylabel="Dice", ylim=(0.68, 1.02))
axes.legend(loc="lower right")
figures.show(
    figure,
    alt="The same scores over the volume of the region in the reference: the lowest belongs to an enhancing "
    "tumour of 6 ml, and the open triangle at Dice 1 to two subjects without any.",
)

# %% [markdown]
# ### Exercise 6: What a mean hides
#
# *5 minutes · difficulty 2 of 3*
#
# Explain the picture: why is the column ET more spread out than the other two? Which sentence does
# the second picture support?
#
# - **A**: a few subjects with little or no tumour of that kind lie far from the others, in both directions
# - **B**: the training loss was too high, otherwise all points would lie at 1
# - **C**: the voxels of the low subjects are larger
# - **D**: Dice is a noisy metric: measured again, the same predictions would score differently

# %% tags=["exercise"]
### BEGIN SOLUTION
mean_or_distribution = "A"
# > mean_or_distribution = ...
### END SOLUTION

# %%
mean_or_distribution = check("mean_or_distribution", mean_or_distribution)

# %% [markdown] tags=["solution"]
# **Solution.** A. The Dice of a small region is fragile: a hundred wrong voxels cost nothing in a tumour of
# ten thousand and much in one of eight hundred.
#
# And where the reference holds no enhancing tumour at all (a low-grade tumour), Dice is 1 if the network
# marks nothing and 0 if it marks a single voxel. That is a decision of the metric, not a property of the
# patient, and one such subject moves the mean of ten by a tenth. Always print the distribution, say how
# empty masks are scored, and read the worst case before you report the mean.

# %% [markdown]
# ## 8 · The best and the worst subject
#
# Best and worst by the whole tumour (WT), a region that no subject lacks.
#
# Predict before you run the cell: where will the worst subject fail, at the outer border of the oedema, at
# the thin enhancing rim, or by missing a focus altogether?

# %%
path_of = {path.name: path for path in subjects.test}
best, worst = (cohort.load_case(path_of[name]) for name in (report["WT"].idxmax(), report["WT"].idxmin()))


def show_prediction(case):
    """FLAIR, T1 with contrast agent, reference and prediction, in the slice with most tumour."""
    place = tumour_slice(case)
    scores = ", ".join(f"{region} {score:.2f}" for region, score in report.loc[case.name].items())
    return figures.row_of_slices(
        [case.image[channel][place] for channel in (3, 1, 3, 3)],
        [f"{case.name}\nflair", "t1ce", "reference", f"U-Net\n{scores}"],
        labels=[None, None, case.labels[place], segment(case)[place]],
        spacing=case.spacing[:2],
    )


# %%
figures.show(
    show_prediction(best),
    alt="The held-out subject with the highest Dice of the whole tumour: FLAIR, T1 with contrast agent, "
    "reference labels and the U-Net's labels over FLAIR. The two label maps can hardly be told apart.",
)

# %%
figures.show(
    show_prediction(worst),
    alt="The held-out subject with the lowest Dice of the whole tumour, in the same four panels: the two "
    "label maps differ in more places than above.",
)

# %% [markdown]
# Three questions to ask of every failure: Is the reference itself convincing there? Do the images show what
# the label claims? And would a radiologist's decision change?

# %% [markdown]
# ## 9 · Save it for a viewer
#
# A label map without its affine is a heap of voxels. `cohort.save_labels` writes the prediction as NIfTI
# with the affine of the scan, so that any viewer (ITK-SNAP, 3D Slicer, FSLeyes) lays it over the scan. The
# last lines prove it: the same voxel lies at the same place, in millimetres.

# %%
scan = path_of[best.name] / f"{best.name}_flair.nii.gz"
saved = cohort.save_labels(segment(best), folder / f"{best.name}_prediction.nii.gz", scan)
label_file, scan_file = nibabel.load(saved), nibabel.load(scan)
print(saved)
print("same affine:", np.array_equal(label_file.affine, scan_file.affine))
print("same shape: ", label_file.shape == scan_file.shape)
print("type", label_file.get_data_dtype(), "| labels", np.unique(label_file.dataobj))

# %% [markdown]
# What a clinic asks for is often just a number: the volume. It is a count of voxels times the volume of one.

# %%
millilitres = np.prod(label_file.header.get_zooms()) / 1000
for region in cohort.REGIONS:
    ours, reference = (
        cohort.region_mask(np.asarray(labels), region).sum() * millilitres
        for labels in (label_file.dataobj, best.labels)
    )
    print(f"{region}: predicted {ours:6.1f} ml, reference {reference:6.1f} ml")

# %% [markdown]
# ## What you built
#
# - The whole path from NIfTI files to a segmentation of patients never seen, scored per subject.
# - The loss before the first step is known: log 4 for four undecided classes. Look at it every time.
# - Split by subject. Predict in evaluation mode. Score with a stated convention for empty masks.
# - The mean hides; the distribution and the worst case tell.
#
# **Where it stops.** These subjects are simulated, and all from one simulator. A network that does well
# here has shown that the pipeline works, not that it works on patients.

# %%
check.progress()

# %% [markdown]
# ## References
#
# - O. Colliot, M. Vakalopoulou. *Deep learning for medical imaging, Part 4: Segmentation.* Lecture, Master
#   MVA, 2019-20.
# - O. Ronneberger, P. Fischer, T. Brox. *U-Net: Convolutional Networks for Biomedical Image Segmentation.*
#   MICCAI 2015. arXiv 1505.04597.
# - F. Isensee et al. *nnU-Net: Self-adapting Framework for U-Net-Based Medical Image Segmentation.* 2018.
#   arXiv 1809.10486.
# - F. Isensee et al. *nnU-Net for Brain Tumor Segmentation.* BraTS 2020. arXiv 2011.00848 (the rule for small
#   enhancing tumours).
# - F. Milletari, N. Navab, S.-A. Ahmadi. *V-Net.* 3DV 2016. arXiv 1606.04797 (the Dice loss).
# - B. H. Menze et al. *The Multimodal Brain Tumor Image Segmentation Benchmark (BRATS).* IEEE Transactions on
#   Medical Imaging, 2015.
