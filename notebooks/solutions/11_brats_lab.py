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
import matplotlib.pyplot as plt
import nibabel
import numpy as np
import torch

from course_utils import cohort, evaluation, figures, losses, paths, training
from course_utils.checks.brats_lab import check
from course_utils.cohort import batches
from course_utils.networks.unet import UNet
from course_utils.prediction import predict_case, without_specks

# %% [markdown]
# ## 1 · The patients
#
# Forty subjects, each with the four sequences of a brain tumour protocol and a label for every voxel. They are simulated (the first
# notebook says how), in the folders, names, labels and orientation of BraTS. On the first run this cell makes them, which takes
# about a minute; afterwards it only finds them.

# %%
cases = cohort.synthetic_cases(40)
example = cohort.load_case(cases[6])
print(
    example.name,
    "image",
    example.image.shape,
    "spacing",
    example.spacing,
    "mm, labels",
    np.unique(example.labels),
)


# %%
def largest_level(labels):
    """The axial slice with most tumour."""
    return int((labels > 0).sum(axis=(0, 1)).argmax())


level = largest_level(example.labels)
x, y, _ = cohort.brain_box(cohort.brain_mask(example.image))  # the part of the slice that shows the brain
figure, axes = plt.subplots(1, 5, figsize=(figures.WIDTH, 3.1))
for axis, modality, volume in zip(axes, cohort.MODALITIES, example.image):
    figures.show_slice(axis, volume[x, y, level], title=modality, spacing=example.spacing[:2])
figures.show_slice(
    axes[4],
    example.image[3, x, y, level],
    example.labels[x, y, level],
    title="labels on flair",
    spacing=example.spacing[:2],
)
for axis in axes[1:]:
    axis.set(ylabel="", yticklabels=[])
figures.label_legend(figure, loc="outside lower center", ncols=3)
figures.show(
    figure,
    alt="One axial slice in T1, T1 with contrast agent, T2 and FLAIR, and the labels over FLAIR: a bright "
    "enhancing tumour in the T1 image with contrast agent, and around it oedema, bright in FLAIR.",
)

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
# > split_by_subject = ...
### END SOLUTION

# %%
split_by_subject = check("split_by_subject", split_by_subject)

# %% [markdown] tags=["solution"]
# **C.** Two neighbouring slices, 2 mm apart, are nearly the same picture. If one is in the training set and the other in the
# test set, a network that memorises heads looks excellent. The unit that must be new is the *patient*, so we split the list of
# subjects, and every slice follows its subject.

# %%
subjects = cohort.split(cases, seed=0, train=26, validation=4, test=10)
print(*(f"{name}: {len(part)} subjects" for name, part in zip(subjects._fields, subjects)), sep=", ")
data = batches.TrainingSlices(subjects.train)
print(
    "training slices:",
    tuple(data.images.shape),
    "of which with tumour:",
    int((data.labels > 0).any((1, 2)).sum()),
)

# %% [markdown]
# `TrainingSlices` has normalised each volume inside the brain (mean 0, standard deviation 1 in each sequence, for MR intensities have
# no unit), cropped it to the brain, and cut it into axial slices. Each batch is changed at random: flipped, turned, scaled, with
# another contrast and some noise. Here is one batch, as the network sees it.

# %%
images, targets = next(data.epoch(torch.Generator().manual_seed(1)))
figure, axes = plt.subplots(2, 6, figsize=(figures.WIDTH, 3.7))
for axis, image, target in zip(axes.flat, images, targets):
    figures.show_slice(
        axis, image[3].numpy(), cohort.brats_labels(target.numpy()), window=(-2, 4), alpha=0.45
    )
    axis.set(xlabel="", ylabel="", xticks=[], yticks=[])
figure.supxlabel("x (2 mm voxels, right to left)", fontsize=9)
figure.supylabel("y (2 mm voxels, front to back)", fontsize=9)
figures.label_legend(figure, loc="outside upper center", ncols=3)
figures.show(
    figure,
    alt="Twelve augmented FLAIR slices with their labels: heads turned, scaled and mirrored, with different "
    "contrast; most show a tumour.",
)

# %% [markdown]
# ## 4 · The network and its loss, before the first step
#
# A U-Net with four levels and 16 channels at the first: about half a million weights, a sixtieth of the paper's. Instance normalisation
# instead of none, and zero padding, so that the answer is as large as the question.

# %%
torch.manual_seed(0)
network = UNet(
    in_channels=4, out_channels=4, base_channels=16, depth=4, padding="same", normalisation="instance"
)
print(f"{sum(weights.numel() for weights in network.parameters()):,} weights")
print("a batch", tuple(images.shape), "becomes logits", tuple(network(images).shape))

# %% [markdown]
# **Exercise `starting_loss`** (predict the number). An untrained network has no preference: all four classes get the same
# probability at every voxel. What is the mean cross-entropy then? Two decimals are enough.

# %% tags=["exercise"]
### BEGIN SOLUTION
starting_loss = np.log(4)
# > starting_loss = ...
### END SOLUTION

# %%
starting_loss = check("starting_loss", starting_loss)

# %%
with torch.no_grad():
    logits = network(images)
print(f"no preference      {starting_loss:.3f}")
print(f"untrained network  {losses.cross_entropy(logits, targets).item():.3f}   (cross-entropy)")
print(f"                   {losses.dice_loss(logits, targets).item():.3f}   (Dice loss)")

# %% [markdown] tags=["solution"]
# **-log(1/4) = log 4 = 1.39.** The real network starts close to it, not exactly there, because its random weights do prefer
# something. Had it printed 14 instead of 1.4, something would be wrong before training began: labels out of range, images not
# normalised, a softmax too many. This look costs a second and finds most mistakes.

# %% [markdown]
# The loss that we minimise is that of nnU-Net: the sum of the two. Cross-entropy gives every voxel a clear gradient from the
# first step on; the Dice loss looks at each class as a whole, so a small class counts as much as a large one.

# %% [markdown]
# ## 5 · Train
#
# `training.fit` is a plain loop of some sixty lines; read it (`training.fit??`). After each epoch it writes a checkpoint: kill the kernel at any
# moment, run the notebook again, and it continues where it was, with exactly the weights of an undisturbed run. If you have
# run this notebook before, the cell returns at once. To train anew, delete the folder that it prints.

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

# %%
epochs = [row["epoch"] for row in history]
figure, (left, right) = plt.subplots(1, 2, figsize=(figures.WIDTH, 3))
left.plot(epochs, [row["loss"] for row in history], marker="o", markersize=3)
left.set(
    xlabel="epoch (50 steps of 16 slices)",
    ylabel="Dice + cross-entropy loss",
    title="training",
    ylim=(0, None),
)
for region, style in zip(cohort.REGIONS, ("-", "--", ":")):
    right.plot(epochs, [row["validation"][region] for row in history], style, label=region)
right.set(xlabel="epoch", ylabel="mean Dice", title="two validation subjects", ylim=(0, 1))
right.legend()
figures.show(
    figure,
    alt="Left: the training loss falls steeply in the first epochs and then slowly. Right: the Dice of WT, TC and ET on "
    "two validation subjects rises quickly and then levels off.",
)

# %% [markdown]
# ## 6 · Predict a whole volume
#
# The network knows slices, a patient is a volume. So: cut the volume into slices, predict each, stack the answers.
#
# **Exercise `predict_volume`.** Write `predict_volume(network, image)`: `image` is a tensor (channels, X, Y, Z), already normalised; the
# network takes (slices, channels, X, Y) and gives logits (slices, classes, X, Y). Return the class index of each voxel, a
# tensor (X, Y, Z). Two things that beginners forget: the network must be in evaluation mode, and no gradients are needed.


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

# %%
case = cohort.load_case(subjects.test[0])
prepared = cohort.prepare(case)  # normalised and cropped to the brain, as the training slices were
indices = predict_volume(network, torch.from_numpy(prepared.image))
prediction = prepared.paste(cohort.brats_labels(indices.numpy()))
library = predict_case(network, case)
print("voxels that differ from the package's predict_case:", int((prediction != library).sum()))

# %% [markdown]
# ## 7 · Score it
#
# **Exercise `dice_score`.** Two boolean masks of the same shape; return 2 |A ∩ B| / (|A| + |B|) as a float. If both are empty,
# return 1.0: nothing was there and nothing was found.


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

# %%
for region in cohort.REGIONS:
    score = dice_score(cohort.region_mask(prediction, region), cohort.region_mask(case.labels, region))
    print(f"{case.name}  {region}  Dice {score:.3f}")

# %% [markdown]
# **A decision before the table.** Some tumours do not enhance at all. If the network marks eight voxels as enhancing there, the
# Dice of ET is 0, if it marks none, it is 1. So: what is the smallest enhancing tumour that we believe in? We ask the *training*
# subjects, never the test subjects. nnU-Net did the same for BraTS 2020.

# %%
training_cases = [cohort.load_case(path) for path in subjects.train]
enhancing = [
    cohort.region_mask(case.labels, "ET").sum() * np.prod(case.spacing) / 1000 for case in training_cases
]
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
print(
    f"Dice of {len(report)} held-out subjects\n\n{report.round(3)}\n\n{report.describe().drop('count').round(3)}"
)

# %%
unprocessed = evaluation.evaluate(network, subjects.test)
print(f"mean Dice of ET with the rule {report['ET'].mean():.3f}, without it {unprocessed['ET'].mean():.3f}")

# %% [markdown]
# A mean is one number for ten patients. Look at the ten.

# %%
figure, axis = plt.subplots(figsize=(figures.WIDTH, 3))
for position, region in enumerate(cohort.REGIONS):
    scores = report[region].to_numpy()
    axis.scatter(position + np.linspace(-0.15, 0.15, len(scores)), np.sort(scores), zorder=3)
    axis.hlines(np.median(scores), position - 0.3, position + 0.3, color="black", linewidth=2)
    axis.hlines(scores.mean(), position - 0.3, position + 0.3, color="black", linewidth=1, linestyle=":")
axis.set(
    xticks=range(3),
    xticklabels=list(cohort.REGIONS),
    xlabel="region",
    ylabel="Dice",
    ylim=(0, 1.02),
    title="ten held-out subjects, sorted; line: median, dotted: mean",
)
figures.show(
    figure,
    alt="Dice of ten held-out subjects for WT, TC and ET as points with median and mean. WT and TC lie close together near the "
    "top; ET is spread out, with two subjects at 1 and one far below the others.",
)

# %% [markdown]
# **Exercise `mean_or_distribution`** (explain the picture). Compare the three columns of points with their means and medians. Which
# sentence does the picture support?
#
# - A: the training loss was too high, otherwise all points would lie at 1
# - B: a few subjects, those with little or no tumour of that kind, lie far from the others and pull the mean their way
# - C: the voxels of the low subjects are larger
# - D: Dice is a noisy metric: measured again, the same predictions would score differently

# %% tags=["exercise"]
### BEGIN SOLUTION
mean_or_distribution = "B"
# > mean_or_distribution = ...
### END SOLUTION

# %%
mean_or_distribution = check("mean_or_distribution", mean_or_distribution)

# %%
print("subject           ET voxels   Dice ET")
for path, score in zip(subjects.test, report["ET"]):
    voxels = int(cohort.region_mask(cohort.load_case(path).labels, "ET").sum())
    print(f"{path.name:16s}  {voxels:9,d}   {score:.3f}")

# %% [markdown] tags=["solution"]
# **B.** The Dice of a small region is fragile: a hundred wrong voxels cost nothing in a tumour of ten thousand and much in one of
# eight hundred. And where the reference holds no enhancing tumour at all (a low-grade tumour), Dice is 1 if the network marks
# nothing and 0 if it marks a single voxel. That is a decision of the metric, not a property of the patient, and one such subject moves
# the mean of ten by a tenth. Always print the distribution, say how empty masks are scored, and read the worst case before you
# report the mean.

# %% [markdown]
# ## 8 · The best and the worst subject
#
# Predict before you run the cell: where will the worst subject fail, at the outer border of the oedema, at the thin enhancing rim, or
# by missing a focus altogether?


# %%
def show_prediction(axes, path):
    case, scores = cohort.load_case(path), report.loc[path.name]
    predicted = segment(case)
    level = largest_level(case.labels)
    x, y, _ = cohort.brain_box(cohort.brain_mask(case.image))
    pictures = {
        f"{case.name}\nflair": (case.image[3], None),
        "t1ce": (case.image[1], None),
        "reference": (case.image[3], case.labels),
        "U-Net\n" + ", ".join(f"{region} {scores[region]:.2f}" for region in cohort.REGIONS): (
            case.image[3],
            predicted,
        ),
    }
    for axis, (title, (volume, labels)) in zip(axes, pictures.items()):
        figures.show_slice(
            axis,
            volume[x, y, level],
            None if labels is None else labels[x, y, level],
            title=title,
            spacing=case.spacing[:2],
        )
    for axis in axes[1:]:
        axis.set(ylabel="", yticklabels=[])


means = report.mean(axis=1)  # over the regions
path_of = {path.name: path for path in subjects.test}
best, worst = path_of[means.idxmax()], path_of[means.idxmin()]
figure, axes = plt.subplots(2, 4, figsize=(figures.WIDTH, 6.6))
show_prediction(axes[0], best)
show_prediction(axes[1], worst)
for axis in axes[0]:
    axis.set(xlabel="")
figures.label_legend(figure, loc="outside lower center", ncols=3)
figures.show(
    figure,
    alt="Two held-out subjects, above the best and below the worst by mean Dice: FLAIR, T1 with contrast agent, reference "
    "labels and the U-Net's labels over FLAIR. In the best one the two label maps can hardly be told apart.",
)

# %% [markdown]
# Three questions to ask of every failure: Is the reference itself convincing there? Do the images show what the label claims? And would a
# radiologist's decision change?

# %% [markdown]
# ## 9 · Save it for a viewer
#
# A label map without its affine is a heap of voxels. `cohort.save_labels` writes the prediction as NIfTI with the affine of the scan,
# so that any viewer (ITK-SNAP, 3D Slicer, FSLeyes) lays it over the scan. The last line proves it: the same voxel lies at the same
# place, in millimetres.

# %%
path = best
scan = path / f"{path.name}_flair.nii.gz"
saved = cohort.save_labels(segment(cohort.load_case(path)), folder / f"{path.name}_prediction.nii.gz", scan)
label_file, scan_file = nibabel.load(saved), nibabel.load(scan)
print(saved)
print(
    "same affine:",
    np.array_equal(label_file.affine, scan_file.affine),
    "| same shape:",
    label_file.shape == scan_file.shape,
    "| type:",
    label_file.get_data_dtype(),
    "| labels:",
    np.unique(label_file.dataobj),
)

# %% [markdown]
# What a clinic asks for is often just a number: the volume. It is a count of voxels times the volume of one.

# %%
millilitres = np.prod(label_file.header.get_zooms()) / 1000
for region in cohort.REGIONS:
    volumes = [
        cohort.region_mask(np.asarray(labels), region).sum() * millilitres
        for labels in (label_file.dataobj, cohort.load_case(path).labels)
    ]
    print(f"{region}: predicted {volumes[0]:6.1f} ml, reference {volumes[1]:6.1f} ml")

# %% [markdown]
# ## What you built
#
# - The whole path from NIfTI files to a segmentation of patients never seen, scored per subject.
# - The loss before the first step is known: log 4 for four undecided classes. Look at it every time.
# - Split by subject. Predict in evaluation mode. Score with a stated convention for empty masks.
# - The mean hides; the distribution and the worst case tell.
#
# **Where it stops.** These subjects are simulated, and all from one simulator. A network that does well here has shown that the pipeline
# works, not that it works on patients.

# %%
check.progress()

# %% [markdown]
# ## References
#
# - O. Colliot, M. Vakalopoulou. *Deep learning for medical imaging, Part 4: Segmentation.* Lecture, Master MVA, 2019-20.
# - O. Ronneberger, P. Fischer, T. Brox. *U-Net: Convolutional Networks for Biomedical Image Segmentation.* MICCAI 2015. arXiv 1505.04597.
# - F. Isensee et al. *nnU-Net: Self-adapting Framework for U-Net-Based Medical Image Segmentation.* 2018. arXiv 1809.10486.
# - F. Isensee et al. *nnU-Net for Brain Tumor Segmentation.* BraTS 2020. arXiv 2011.00848 (the rule for small enhancing tumours).
# - F. Milletari, N. Navab, S.-A. Ahmadi. *V-Net.* 3DV 2016. arXiv 1606.04797 (the Dice loss).
# - B. H. Menze et al. *The Multimodal Brain Tumor Image Segmentation Benchmark (BRATS).* IEEE Transactions on Medical Imaging, 2015.
