# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 01 · From pixels to classes
#
# A radiologist looks at a slice of a brain and sees at once whether there is a tumour, where it is, and
# which pixels belong to it. These are three different questions. This notebook takes the third one,
# segmentation, and follows the way that the field went: group pixels by their intensities; then classify
# the centre of a sliding window; then notice that nearly all of that work is done hundreds of times, and do
# it once.
#
# **You build:** a pixel classifier that slides over a brain, the bill for it, and the same classifier as a
# fully convolutional network that gives the same answers for a fraction of the work.
#
# **Time:** computed
#
# **You need:** NumPy and PyTorch arrays (indexing, `reshape`, `shape`). What a convolutional layer, max
# pooling and a linear layer do, in words, is enough; notebook 02 takes the convolution apart.
#
# **Checks:** run an exercise's cell, then the cell below it; `check.hint("bounding_box")` gives a nudge
# (notebook 00 explains the rest).
#
# **You will be able to**
#
# - tell classification, detection and semantic segmentation apart by what they answer;
# - say why a clustering is no semantic segmentation, and prove it by renaming;
# - count the multiplications of a network by hand, and name the sliding window's three problems;
# - turn a trained classifier into a fully convolutional network, exactly, in two ways;
# - explain what happens at the border, and why the next notebooks make images smaller and larger again.

# %% tags=["bootstrap"]
# generated

# %%
import copy
import itertools
import time

import matplotlib.pyplot as plt
import numpy as np
import torch
import torch.nn.functional as F
from matplotlib.patches import Rectangle
from sklearn.cluster import KMeans
from torch import nn
from torch.utils.flop_counter import FlopCounterMode
from tqdm.auto import tqdm

from course_utils import cohort, figures, metrics
from course_utils.checking import compare
from course_utils.checks.pixels_to_classes import check
from course_utils.cohort import batches
from course_utils.interactive import pixels_to_classes as interactive

figures.use_style()
torch.set_num_threads(1)  # small networks gain nothing from more, and times become comparable

# %% [markdown]
# As in all notebooks we compute the same numbers in two ways. `compare` says how far apart they are: whether
# they are the same bit for bit, whether they agree up to rounding, and the largest difference.

# %% [markdown]
# ## 1 · Three questions about one slice
#
# Our patients are simulated (notebook 00 tells how). Twelve of them are for training, eight others are put
# aside for judging. Each volume is normalised, cropped to the brain and cut into axial slices with four
# channels: T1, T1 with contrast agent, T2, FLAIR. A slice has two axes, $x$ to the right and $y$ downwards,
# and we keep this order in all arrays. (Where the subjects are missing, the cell first makes them, which
# takes about half a minute.)

# %%
subjects = cohort.split(cohort.synthetic_cases(20), seed=0, train=12, validation=0, test=8)
training = batches.TrainingSlices(subjects.train)
held_out = [batches.TrainingSlices([path]) for path in subjects.test]  # one set of slices for each subject
print("training slices (number, channels, x, y):", tuple(training.images.shape))

subject = held_out[3]
k = int((subject.labels > 0).sum(dim=(1, 2)).argmax())  # the slice with most of the tumour
image, labels = subject.images[k], subject.labels[k]
brain, tumour = (image != 0).any(dim=0), labels > 0
width, height = tumour.shape
print("our slice:", tuple(image.shape))
print("pixels in the brain:", int(brain.sum()), "  in the tumour:", int(tumour.sum()))

# %% [markdown]
# Vision has a ladder of questions about such an image:
#
# 1. **Classification:** is there a tumour? The answer is *one* number, yes or no.
# 2. **Localisation, detection:** where is it? The answer is a box, *four* numbers (for each object, if
#    there are several).
# 3. **Semantic segmentation:** which pixels belong to it? The answer is a *mask*, one number for each pixel.
#
# Each answer contains the one before: from the mask the box can be computed, and from the box the yes or no.
# (If several objects of one class each need a mask of their own, this is *instance* segmentation. A tumour of
# several pieces is still one tumour to us.)
#
# ### Exercise 1: from the mask to the box
#
# *6 minutes · difficulty 1 of 3*
#
# Compute the smallest box that holds all pixels of a mask: the first and last $x$, then the first and last
# $y$, all four inside the mask. They will be used as indices, so they have to be integers: `int(...)` makes
# one of a tensor with one number. The mask is not empty. (`mask.any(dim=1)` says for each $x$ whether there
# is anything at this $x$.)


# %% tags=["exercise"]
def bounding_box(mask):
    """(first x, last x, first y, last y) of the true pixels of a mask (x, y), bool; four integers."""
    ### BEGIN SOLUTION
    xs = mask.any(dim=1).nonzero()
    ys = mask.any(dim=0).nonzero()
    return int(xs.min()), int(xs.max()), int(ys.min()), int(ys.max())
    ### END SOLUTION


# %%
bounding_box = check("bounding_box", bounding_box)

# %% [markdown] tags=["solution"]
# **Solution.** The mask is projected on each axis, and the ends of the two projections are the box. The way
# back does not exist: from the box nobody can tell the shape.
#
# That is why annotating masks costs an expert so much more time than drawing boxes, and why a mask is worth
# it: a volume in millilitres needs the third answer.

# %%
flair = image[3]
first_x, last_x, first_y, last_y = map(int, bounding_box(tumour))
box_width, box_height = last_x - first_x + 1, last_y - first_y + 1
share = int(tumour.sum()) / (box_width * box_height)
print(f"the box holds {box_width * box_height} pixels, the tumour fills {share:.0%} of it")

# %% tags=["plot"]
# One slice, three answers
titles = ("the slice (FLAIR)", "is there one?\n1 number", "where?\n4 numbers")
titles += (f"which pixels?\n{width * height:,} numbers",)
fig = figures.row_of_slices([flair] * 4, titles, masks=[None, None, None, tumour], window=(-2, 4))
yellow = figures.COLOURS["yellow"]
fig.axes[1].text(width / 2, height / 2, "yes", ha="center", va="center", fontsize=26, color=yellow)
box = Rectangle(
    (first_x - 0.5, first_y - 0.5), box_width, box_height, fill=False, edgecolor=yellow, linewidth=2
)
fig.axes[2].add_patch(box)
figures.show(
    fig,
    alt="One FLAIR slice four times: plain; with the word yes; with a yellow box around the bright tumour; "
    "with the tumour's pixels coloured orange.",
)

# %% [markdown]
# Whoever measures the tumour by its box counts healthy brain as tumour. From here on we want the mask.

# %% [markdown]
# ## 2 · Regions without names
#
# An old idea of segmentation needs no teacher: put pixels together that look alike. **K-means** finds $K$
# groups of points and their means so that the points are close to the mean of their group. It minimises the
# *within-cluster sum of squares*,
#
# $$W = \sum_{c} \sum_{i \text{ in cluster } c} \lVert p_i - m_c \rVert^2, \qquad
# m_c = \text{mean of the points in cluster } c .$$
#
# Here a point $p_i$ is a pixel of the brain with its four intensities. The reference has four classes
# (healthy, core, oedema, enhancing tumour), so we ask for four clusters.

# %%
points = image[:, brain].T.double().numpy()  # (pixels, 4)
reference = labels[brain].numpy()  # class index of each pixel, 0 to 3
clusters = KMeans(4, n_init=10, random_state=0).fit(points).labels_
print("points:", points.shape, "  first clusters:", clusters[:12], "  first classes:", reference[:12])

# %% [markdown]
# The algorithm returns numbers from 0 to 3, and so does the reference. But the numbers of the clusters are
# mere *numbers of drawers*: which group is called 0 depends on how the random start fell.
#
# ### Exercise 2: give the clusters other names
#
# *3 minutes · difficulty 1 of 3*
#
# `names` is a list of integers: cluster $c$ is to be called `names[c]`. Return the renamed clusters.


# %% tags=["exercise"]
def rename_clusters(clusters, names):
    """Cluster numbers (n,), each number c replaced by names[c]: an integer array (n,)."""
    ### BEGIN SOLUTION
    return np.array(names)[clusters]
    ### END SOLUTION


# %%
rename_clusters = check("rename_clusters", rename_clusters)

# %% [markdown] tags=["solution"]
# **Solution.** `np.array(names)[clusters]` is an array indexed by an array: the list is a table, and every
# pixel looks its new name up, all at once, so that none is renamed twice.
#
# BraTS label maps are converted in the same way.

# %% [markdown]
# ### Exercise 3: what k-means minimises
#
# *6 minutes · difficulty 2 of 3*
#
# Compute $W$. The names of the clusters can be any integers, negative ones as well: `np.unique(clusters)`
# lists them.


# %% tags=["exercise"]
def sum_of_squares(points, clusters):
    """Within-cluster sum of squares of points (n, d) with cluster numbers (n,); a number."""
    ### BEGIN SOLUTION
    total = 0.0
    for cluster in np.unique(clusters):
        members = points[clusters == cluster]
        total += ((members - members.mean(axis=0)) ** 2).sum()
    return total
    ### END SOLUTION


# %%
sum_of_squares = check("sum_of_squares", sum_of_squares)

# %% [markdown] tags=["solution"]
# **Solution.** Each cluster adds the squared distances of its points from its own mean. Of a cluster's name
# only one thing is used: whether two points have the same one.
#
# This is the whole difference between clustering and semantics.

# %% [markdown]
# Four clusters can be named in $4! = 24$ ways. For each naming we draw $W$ and the share of pixels named as
# in the reference. *Predict* before you run: which of the two pictures below is flat?

# %%
namings = list(itertools.permutations(range(4)))
objective = np.array([sum_of_squares(points, rename_clusters(clusters, names)) for names in namings])
accuracy = np.array([(rename_clusters(clusters, names) == reference).mean() for names in namings])
print(f"sum of squares: {objective.min():.6f} to {objective.max():.6f}")
print(f"accuracy:       {accuracy.min():.3f} to {accuracy.max():.3f}")

# %% tags=["plot"]
# What k-means minimises, and what a reader of the map wants
order = np.argsort(accuracy)
fig, (left, right) = plt.subplots(1, 2, figsize=(9, 3))
left.bar(range(24), objective[order], color=figures.COLOURS["blue"])
left.set(title="what k-means minimises", ylabel="sum of squares $W$")
right.bar(range(24), accuracy[order], color=figures.COLOURS["orange"])
right.set(title="what a reader of the map wants", ylabel="share of right brain pixels", ylim=(0, 1))
for ax in (left, right):
    ax.set_xlabel("naming, sorted by accuracy")
figures.show(
    fig,
    alt="Two bar charts over the 24 namings. The sum of squares has the same height for all. The share of "
    "right pixels rises from almost 0 to somewhat above one half.",
)

# %% [markdown]
# ### Exercise 4: explain the picture
#
# *2 minutes · difficulty 1 of 3*
#
# What do the two bar charts say?
#
# - **A.** K-means has found the best clusters, so one of the 24 namings must be the reference, and a human
#   only has to find it.
# - **B.** K-means got stuck in a local minimum. With more random starts it would prefer the right naming.
# - **C.** Accuracy is an unsuitable measure. A measure for segmentations must not change under renaming.
# - **D.** $W$ depends only on which pixels are together. Its minimum says nothing about names, and a semantic
#   segmentation consists of names.

# %% tags=["exercise"]
### BEGIN SOLUTION
relabelling = "D"
# > relabelling = ...
### END SOLUTION

# %%
relabelling = check("relabelling", relabelling)

# %% [markdown] tags=["solution"]
# **Solution.** A clustering is a *partition*: a set of drawers. A semantic segmentation is a *function* from
# pixels to meanings, and no amount of intensities can teach the names: somebody has to say them.
#
# Oedema is not necrosis, and swapping the two would change a treatment. This is what labels are for.

# %% [markdown]
# Suppose that somebody names the clusters for us, and cheats: they look at the reference and take, of all
# ways to call some clusters *tumour*, the one with the best Dice coefficient (notebook 07 treats it in full:
# 1 is a perfect overlap, 0 none).


# %%
def cheat(clusters):
    """The best Dice of any set of clusters called tumour, and that set."""
    names = np.unique(clusters).tolist()
    choices = (chosen for n in range(len(names)) for chosen in itertools.combinations(names, n + 1))
    return max((metrics.dice_score(np.isin(clusters, chosen), reference > 0), chosen) for chosen in choices)


def as_map(values):
    """A map (width, height) with these values at the pixels of the brain, and 0 elsewhere."""
    result = np.zeros((width, height), dtype=int)
    result[brain.numpy()] = values
    return result


best_dice, best_choice = cheat(clusters)
print(f"Dice of the best choice of clusters, chosen with the reference in hand: {best_dice:.3f}")
squares = sum_of_squares(points, clusters), sum_of_squares(points, reference)
print("sum of squares: k-means {:,.0f}, reference {:,.0f}".format(*squares))

# %% tags=["plot"]
# Best and worst naming, the best choice of clusters, the reference
best, worst = namings[accuracy.argmax()], namings[accuracy.argmin()]
maps = [as_map(rename_clusters(clusters, names)) for names in (best, worst)]
maps += [None, labels.numpy()]
fig = figures.row_of_slices(
    [flair] * 4,
    ("best naming", "worst naming", f"best clusters for tumour\nDice {best_dice:.2f}", "reference"),
    labels=[None if classes is None else cohort.brats_labels(classes) for classes in maps],
    masks=[None, None, as_map(np.isin(clusters, best_choice)) > 0, None],
    window=(-2, 4),
    alpha=0.8,
)
figures.show(
    fig,
    alt="Four maps of one slice. Best and worst naming show the same regions in other colours; each spreads "
    "its classes all over the brain. The clusters that fit the tumour best also cover healthy parts. The "
    "reference: one tumour with core, enhancing rim and oedema.",
)

# %% [markdown]
# (In the legend class 3 is called 4, as BraTS writes it.) The last line printed is the deeper reason. As a
# *clustering*, the reference is much worse than what k-means found: by this measure the tumour's classes are
# no good groups at all. Their intensities overlap with those of fluid and of grey matter, and with each
# other. K-means optimises its goal well; it is the wrong goal. We need a teacher, and we need to look at more
# than one pixel.
#
# *Try* in a cell of your own: `cheat(KMeans(8, n_init=10, random_state=0).fit(points).labels_)`. How much do
# more drawers help?

# %% [markdown]
# ## 3 · Idea 1: classify the centre of a sliding window
#
# A classifier of images exists already. To use it for pixels, cut a small **patch** around each pixel and let
# the classifier say what its *centre* is. Do it for every pixel, and the answers form a segmentation. So
# Cireşan and colleagues won the ISBI challenge on neuronal membranes in 2012.
#
# Patches have an odd size $P$, so that there is a centre. Around the image lie zeros, $P // 2$ on each
# side, so that the pixels at the border have patches, too. (Zero is also the value of everything outside
# the brain.)
#
# ### Exercise 5: a patch for every pixel
#
# *12 minutes · difficulty 3 of 3*
#
# From an image (channels, $x$, $y$) make one patch for each pixel, in the order of `image[0].flatten()`:
# pixel $(x, y)$ becomes patch number $x \cdot n_y + y$ with $n_y$ pixels in $y$. Loops will do, but they
# are slow. `tensor.unfold(dim, size, 1)` makes all windows along one axis, without copying anything, and
# appends the window as a new last axis; do it for both axes. `permute` brings the axes into order. And
# `F.pad(image, (1, 2, 3, 4))` puts zeros around the last two axes: 1 place before and 2 behind along $y$, 3
# before and 4 behind along $x$.


# %% tags=["exercise"]
def patches_around(image, size):
    """Patches (pixels, channels, size, size) around all pixels of an image (channels, x, y); size is odd."""
    ### BEGIN SOLUTION
    half = size // 2
    padded = F.pad(image, (half, half, half, half))
    windows = padded.unfold(1, size, 1).unfold(2, size, 1)  # (channels, x, y, size, size)
    return windows.permute(1, 2, 0, 3, 4).reshape(-1, image.shape[0], size, size)
    ### END SOLUTION


# %%
patches_around = check("patches_around", patches_around)

# %% [markdown] tags=["solution"]
# **Solution.** Pad, make the windows of both axes, bring the pixels in front of the channels, and only then
# reshape: without `permute` the shape can be right and every patch wrong.
#
# `unfold` only changes the *strides*, the steps in memory from one element to the next: the windows overlap,
# and all of them look at the same numbers. The `reshape` at the end has to copy, and then each number exists
# up to $P^2$ times.

# %%
SIZE = 17
half = SIZE // 2
patches = patches_around(image, SIZE)
print(f"image:   {tuple(image.shape)}, {image.numel() * 4 / 1e6:.2f} MB in float32")
times_as_much = patches.numel() // image.numel()
print(f"patches: {tuple(patches.shape)}, {patches.numel() * 4 / 1e6:.2f} MB, {times_as_much} times as much")

# %%
centre_x, centre_y = (first_x + last_x) // 2, (first_y + last_y) // 2
edge_y = int(tumour[first_x].nonzero()[0])  # here the tumour begins
places = [(centre_x, centre_y), (first_x, edge_y), (width // 3, height // 4), (2, height // 2)]
answers = ["tumour" if tumour[place] else "not tumour" for place in places]

# %% tags=["plot"]
# Four windows and the patches in them
titles = [f"around {place}:\n{answer}" for place, answer in zip(places, answers)]
shown = [patches[x * height + y, 3] for x, y in places]
fig = interactive.show_windows(flair, places, shown, titles=titles, window=(-2, 4))
figures.show(
    fig,
    alt="A FLAIR slice with four coloured 17 x 17 windows, and the four patches with their centre pixel "
    "framed: inside the tumour, at its edge, in healthy brain, and at the border, where a part of the patch "
    "lies outside the image.",
)

# %% [markdown]
# The classifier is small, and its sizes are chosen to come out even: follow the comments. At its end stand
# two **linear layers**, as in every image classifier of that time, and two scores: *not tumour* and
# *tumour*.


# %%
def make_classifier(seed):
    """An untrained network from patches (N, 4, 17, 17) to scores (N, 2)."""
    torch.manual_seed(seed)
    return nn.Sequential(
        nn.Conv2d(4, 8, 3),
        nn.ReLU(),  # 17 x 17 -> 15 x 15, 8 channels
        nn.MaxPool2d(3, stride=2),  # 15 x 15 -> 7 x 7
        nn.Conv2d(8, 16, 3),
        nn.ReLU(),  # 7 x 7 -> 5 x 5, 16 channels
        nn.Flatten(),
        nn.Linear(16 * 5 * 5, 16),
        nn.ReLU(),  # 400 numbers -> 16
        nn.Linear(16, 2),
    )


print(f"{sum(weights.numel() for weights in make_classifier(0).parameters()):,} weights")

# %% [markdown]
# Training data: draw centres at random from the brains of the twelve training subjects, a quarter of them in
# tumour (it is rare; notebook 06 is about that), and cut the patches around them.

# %%
all_windows = F.pad(training.images, (half,) * 4).unfold(2, SIZE, 1).unfold(3, SIZE, 1)  # a view, no copies
in_tumour = (training.labels > 0).nonzero()
in_healthy = ((training.labels == 0) & (training.images != 0).any(dim=1)).nonzero()


def random_patches(generator):
    """128 patches (128, 4, 17, 17) of the training subjects and the class of each centre (128,)."""
    draws = [
        centres[torch.randint(len(centres), (number,), generator=generator)]
        for centres, number in ((in_tumour, 32), (in_healthy, 96))
    ]
    which, x, y = torch.cat(draws).T
    return all_windows[which, :, x, y], (torch.arange(128) < 32).long()


# %% [markdown]
# Training itself compares the scores with the class of the centre. The argument `visible` hides all but the
# middle of each patch; we need it later. With 17 nothing is hidden.


# %%
def central_mask(visible):
    """(17, 17): 1 in the central `visible` x `visible` pixels, 0 around."""
    mask = torch.zeros(SIZE, SIZE)
    hidden = (SIZE - visible) // 2
    mask[hidden : SIZE - hidden, hidden : SIZE - hidden] = 1
    return mask


# %%
def train(seed, steps, visible=SIZE, progress=False):
    """A classifier, trained on `steps` batches of 128 patches."""
    classifier, generator = make_classifier(seed), torch.Generator().manual_seed(seed)
    optimizer = torch.optim.Adam(classifier.parameters())
    scheduler = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=0.01, total_steps=steps)
    mask = central_mask(visible)
    for _ in tqdm(range(steps), desc="training", unit="step", disable=not progress):
        patches, classes = random_patches(generator)
        loss = F.cross_entropy(classifier(patches * mask), classes)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        scheduler.step()
    return classifier.eval()


classifier = train(seed=0, steps=400, progress=True)

# %% [markdown]
# Now let it slide over a slice of a subject that it has never seen: all patches through the classifier, the
# scores back into the form of an image.


# %%
@torch.no_grad()
def sliding_window(classifier, image):
    """Scores (2, x, y) of all pixels of an image (4, x, y), patch by patch."""
    scores = [classifier(batch) for batch in patches_around(image, SIZE).split(1024)]
    return torch.cat(scores).T.reshape(2, *image.shape[1:])


scores = sliding_window(classifier, image)
probability = scores.softmax(dim=0)[1] * brain  # outside the brain there is nothing to classify
found = probability > 0.5
dice = metrics.dice_score(found.numpy(), tumour.numpy())
print(f"Dice {dice:.3f};   best choice of k-means clusters, with the reference in hand: {best_dice:.3f}")

# %% tags=["plot"]
# The classifier's probability, its mask, the reference
fig = figures.row_of_slices(
    [flair] * 3,
    ("probability of tumour", f"classified as tumour, Dice {dice:.2f}", "reference"),
    masks=[None, found, tumour],
    window=(-2, 4),
)
picture = fig.axes[0].imshow(probability.T, vmin=0, vmax=1, cmap="viridis")
fig.colorbar(picture, ax=fig.axes[0], shrink=0.8)
figures.show(
    fig,
    alt="Left: a map of the probability of tumour, high in one compact region and in a few spots elsewhere. "
    "Middle: the pixels above one half over the FLAIR slice. Right: the reference, which agrees in the main "
    "region.",
)

# %% [markdown]
# A few hundred steps of training on other people's brains, and it beats the clusters that were chosen by
# looking at the answer. The names came from the teacher. Move the window yourself: each picture is one of
# the classifier's many small decisions. (If you see no sliders, you read a printed page.)


# %%
@torch.no_grad()
def tumour_probability(patches):
    """Probability that the centre is tumour, for patches (N, 4, 17, 17); (N,)."""
    return classifier(patches).softmax(dim=1)[:, 1]


interactive.sliding_patch(patches_around, tumour_probability, image, SIZE)

# %% [markdown]
# ### What does it cost?
#
# We count **multiply-accumulates** (MACs): one multiplication and one addition. Each output value of a
# convolution is a sum over the kernel's places and over all input channels. Additions of biases, ReLUs and
# comparisons in max pooling are not counted.
#
# ### Exercise 6: the multiply-accumulates of a convolution
#
# *4 minutes · difficulty 1 of 3*
#
# Write the formula. The kernel is square, `kernel` on a side; `width` and `height` are those of the *output*.


# %% tags=["exercise"]
def convolution_macs(in_channels, out_channels, kernel, width, height):
    """Multiply-accumulates of a 2D convolution whose output is (out_channels, width, height); an integer."""
    ### BEGIN SOLUTION
    return in_channels * kernel**2 * out_channels * width * height
    ### END SOLUTION


# %%
convolution_macs = check("convolution_macs", convolution_macs)

# %% [markdown] tags=["solution"]
# **Solution.** One output value sums over all places of the kernel in all input channels, which is
# `in_channels * kernel**2` multiply-accumulates, and there are `out_channels * width * height` output values.
#
# A linear layer from $m$ numbers to $n$ costs $m\,n$: the formula with a 1 x 1 kernel and a 1 x 1 output.
# This is no accident, as section 4 shows.

# %% [markdown]
# The bill of one patch, layer by layer, and PyTorch's own counter beside it. (It counts floating point
# operations, two for each MAC.)

# %%
patch_bill = {
    "convolution 4 -> 8": convolution_macs(4, 8, 3, 15, 15),
    "convolution 8 -> 16": convolution_macs(8, 16, 3, 5, 5),
    "linear 400 -> 16": convolution_macs(400, 16, 1, 1, 1),
    "linear 16 -> 2": convolution_macs(16, 2, 1, 1, 1),
}
patch_macs = sum(patch_bill.values())
sliding_macs = width * height * patch_macs
for name, macs in patch_bill.items():
    print(f"{name:22}{macs:12,}")


# %%
def counted_macs(function, *inputs):
    """MACs of a call, counted by PyTorch while it runs."""
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        function(*inputs)
    return counter.get_total_flops() // 2


print(f"{'one patch, formula':22}{patch_macs:12,}")
print(f"{'one patch, counter':22}{counted_macs(classifier, patches[:1]):12,}")
print(f"{'the slice, formula':22}{sliding_macs:12,}")
print(f"{'the slice, counter':22}{counted_macs(sliding_window, classifier, image):12,}")

# %% [markdown]
# Hundreds of millions of MACs for one small slice and a tiny network; and a scan has a hundred slices or
# more. Now to the three problems that the lecture names.
#
# ### Problem one: nothing is reused
#
# Neighbouring patches overlap almost wholly. How often is each pixel of the image read? Once for each patch
# that contains it.
#
# ### Exercise 7: reads per pixel
#
# *10 minutes · difficulty 2 of 3*
#
# Count, for every pixel of an image of `width` x `height` pixels, in how many of the patches (one around
# each pixel) it lies. Think in one dimension first: which centres have pixel $x$ in their window?


# %% tags=["exercise"]
def reads_per_pixel(width, height, size):
    """In how many of the patches around all pixels each pixel lies; a NumPy array (width, height)."""

    ### BEGIN SOLUTION
    def along_one_axis(length):
        places, half = np.arange(length), size // 2
        return np.minimum(places + half, length - 1) - np.maximum(places - half, 0) + 1

    return np.outer(along_one_axis(width), along_one_axis(height))
    ### END SOLUTION


# %%
reads_per_pixel = check("reads_per_pixel", reads_per_pixel)

# %% [markdown] tags=["solution"]
# **Solution.** Pixel `x` lies in the windows of the centres from `x - half` to `x + half`, as far as these
# exist; and as windows are squares, the counts along the two axes multiply.
#
# Inside it is $P^2$; in a corner $(P//2 + 1)^2$, about a quarter, because three quarters of those centres
# would lie outside the image.

# %%
reads = reads_per_pixel(width, height, SIZE)
print(f"inside {reads.max():.0f}, in a corner {reads.min():.0f}, on average {reads.mean():.0f}")

# %% tags=["plot"]
# How often each pixel is read
fig, (left, right) = plt.subplots(1, 2, figsize=(9, 3.4), width_ratios=(1, 1.6))
picture = left.imshow(reads.T, cmap="viridis", vmin=0)
left.set(title="reads of each pixel", xlabel="x (voxels)", ylabel="y (voxels)")
fig.colorbar(picture, ax=left, shrink=0.8)
lines = {"through the middle": reads[:, height // 2], "along the upper edge": reads[:, 0]}
figures.curves(lines, xlabel="x (voxels)", ylabel="reads", title="two lines through the map", ax=right)
right.axhline(1, color="black", linestyle="--", linewidth=0.8)
right.text(36, 8, "1: every pixel read once", fontsize=8, ha="center")
right.set_ylim(-12, 310)
right.legend(fontsize=8, loc="lower center", bbox_to_anchor=(0.5, 0.2))
figures.show(
    fig,
    alt="Left: a map of the number of reads, a high plateau inside that falls towards all four borders. "
    "Right: along the middle row it is 153 at the ends and 289 inside; along the upper edge 81 at the ends "
    "and 153 inside. A dashed line far below marks 1.",
)

# %% [markdown]
# And each time the first layer computes the *same* thing from it. Two patches whose centres are neighbours in
# $x$ overlap in 16 of 17 columns; here are the first layer's responses, where they overlap:

# %%
weight, bias = (values.detach().double() for values in classifier[0].parameters())
one, other = (patches[[x * height + centre_y]].double() for x in (centre_x, centre_x + 1))
here, beside = F.conv2d(one, weight, bias), F.conv2d(other, weight, bias)
compare("first layer, two neighbouring patches", here[:, :, 1:], beside[:, :, :-1])

# %% [markdown]
# ### Problem two: it is inefficient
#
# No reuse has a price. The first layer computes 15 x 15 responses in each patch. On the whole image it would
# have to be computed once at each place (with the padding that the patches had):

# %%
once = convolution_macs(4, 8, 3, width + SIZE - 3, height + SIZE - 3)
each_patch = width * height * patch_bill["convolution 4 -> 8"]
print(f"first layer: {each_patch:,} MACs in patches, {once:,} on the whole image")
print(f"that is {each_patch / once:.0f} times as many")

# %% [markdown]
# For the whole network the ratio is smaller, because the linear layers do have something new to do in every
# patch. You will predict and measure it in section 4.

# %% [markdown]
# ### Problem three: it sees little
#
# A patch is all that the classifier knows. How much does it need? We train the *same* network several times
# and let it see only the central 1, 3, 9 or all 17 pixels on a side; what is hidden is set to 0. So all
# these networks have the same weights to learn and do the same work: what differs is the context alone. Two
# seeds each show how much is chance. To be quick, we judge on every third pixel in both directions of every
# fifth slice of the eight held-out subjects. *Predict:* does the step from 9 to 17 bring as much as the step
# from 3 to 9?


# %%
def judging_set(subject):
    """Windows, (slice, x, y) and truth of every third brain pixel in every fifth slice."""
    images, tumour = subject.images[2::5], subject.labels[2::5] > 0
    grid = torch.zeros_like(tumour)
    grid[:, 1::3, 1::3] = True
    where = (grid & (images != 0).any(dim=1)).nonzero()
    return F.pad(images, (half,) * 4).unfold(2, SIZE, 1).unfold(3, SIZE, 1), where, tumour[tuple(where.T)]


@torch.no_grad()
def held_out_dice(classifier, visible):
    """Dice of each held-out subject, (8,)."""
    results, mask = [], central_mask(visible)
    for windows, where, truth in judging_sets:
        parts = (windows[which, :, x, y] * mask for which, x, y in (part.T for part in where.split(2048)))
        tumour = torch.cat([classifier(patches).argmax(dim=1) for patches in parts]) == 1
        results.append(metrics.dice_score(tumour.numpy(), truth.numpy()))
    return np.array(results)


# %%
judging_sets = [judging_set(subject) for subject in held_out]
sizes, seeds = (1, 3, 9, 17), (0, 1)
context = np.zeros((len(sizes), len(seeds), len(held_out)))
for i, j in tqdm(list(np.ndindex(len(sizes), len(seeds))), desc="trainings", unit="training"):
    context[i, j] = held_out_dice(train(seeds[j], steps=240, visible=sizes[i]), sizes[i])
for size, results in zip(sizes, context):
    per_seed = "  ".join(f"{mean:.3f}" for mean in results.mean(axis=1))
    print(f"sees {size:2} x {size:2}: mean Dice {results.mean():.3f}   (seeds: {per_seed})")
gains = (context[2] - context[0]).mean(axis=0)  # of each subject, from 1 x 1 to 9 x 9
print(f"gain of a subject from 1 x 1 to 9 x 9: {gains.min():.3f} to {gains.max():.3f}")
tumour_pixels = [int(truth.sum()) for _, _, truth in judging_sets]
lowest = context.mean(axis=(0, 1)).argmin()
print(f"tumour pixels judged: {min(tumour_pixels)} to {max(tumour_pixels)} in a subject;", end=" ")
print(f"{tumour_pixels[lowest]} in the subject with the lowest Dice")

# %% tags=["plot"]
# Dice against what the network sees
by_size = {f"{size} x {size}": results.mean(axis=0) for size, results in zip(sizes, context)}
names = {"xlabel": "what the network sees (pixels, logarithmic axis)", "ylabel": "Dice"}
ax = figures.points_by_group(by_size, at=sizes, logx=True, connect=True, ylim=(0, 1), **names)
for marker, seed, results in zip("os", seeds, context.mean(axis=2).T):
    ax.plot(sizes, results, marker, color=figures.COLOURS["orange"], zorder=5, label=f"mean, seed {seed}")
ax.legend(fontsize=8, loc="center left", bbox_to_anchor=(1, 0.5))
figures.show(
    ax.figure,
    alt="Dice against the side of the visible patch, 1, 3, 9 and 17, on a logarithmic axis. The mean rises "
    "steeply from 1 to 3 and to 9, and little to 17. The two seeds lie close together. The single subjects "
    "are far apart, one far below all others, but the line of each rises from 1 to 9.",
)

# %% [markdown]
# One line lies far below the others. What is special about that subject? We ask the classifier that we have
# trained at length:

# %%
windows, where, truth = judging_sets[lowest]
which, x, y = where.T
with torch.no_grad():
    called = classifier(windows[which, :, x, y]).argmax(dim=1) == 1
print(f"lowest Dice: {int((called & truth).sum())} of {int(truth.sum())} tumour pixels found,", end=" ")
print(f"{int((called & ~truth).sum())} false alarms in {len(truth):,} pixels")

# %% [markdown]
# Its tumour is the smallest of all, and most of what the classifier calls tumour is a false alarm. In the
# whole brain these are few; beside a small tumour they are many, and the Dice coefficient compares with the
# tumour (notebook 07).

# %% [markdown]
# ### Exercise 8: explain the picture
#
# *3 minutes · difficulty 1 of 3*
#
# What do the curves show?
#
# - **A.** A pixel with its surroundings says much more than its own four intensities alone. The gain gets
#   smaller with the size, while the number of pixels to read grows with its square.
# - **B.** Nothing: the subjects lie much further apart than the sizes do, so the differences are noise.
# - **C.** Larger patches are better because a network with a larger input has more weights, and more weights
#   can learn more.
# - **D.** The gain grows with the number of visible pixels: with 33 x 33 it would be four times as large as
#   with 17 x 17.

# %% tags=["exercise"]
### BEGIN SOLUTION
context_picture = "A"
# > context_picture = ...
### END SOLUTION

# %%
context_picture = check("context_picture", context_picture)

# %% [markdown] tags=["solution"]
# **Solution.** The network is the same in all cases, so only the context can make the difference. The
# subjects differ a lot, but each subject's own line rises from 1 to 9: what counts is the comparison
# *within* subjects, and the two seeds say how much of it is chance.
#
# Between 1 and 9 the gain is far above chance; between 9 and 17 it is not always, and that step brings less
# than half as much as the one from 3 to 9. A window that sees more costs more, in patches, with the square of
# its side. With idea 1 context is expensive. (The U-Net of notebook 11 sees nearly the whole slice.)

# %% [markdown]
# ## 4 · Idea 2: all pixels at once
#
# The patches overlap, and the network computes the same things in each. So compute everything **once, on
# the whole image**. For a convolution nothing has to change: it doesn't care how large its input is. Two
# layers stand in the way: the linear ones, which want exactly 400 numbers, and the pooling, which throws
# away three of four places.
#
# ### A linear layer is a convolution
#
# Before the linear layer, `Flatten` writes the feature map of 16 channels of 5 x 5 as 400 numbers: channel
# 0 first (in it x = 0 with all its y, then x = 1, ...), then channel 1, and so on. Each output of the layer
# is a dot product of these 400 numbers with 400 weights. But a convolution computes just that, a dot product
# of a window with a kernel. If the kernel is as large as the feature map, there is one window, and one
# result.
#
# ### Exercise 9: linear weights as a kernel
#
# *4 minutes · difficulty 2 of 3*
#
# Turn the weights of a linear layer (outputs, channels · width · height) into those of a convolution that
# gives the same result on a feature map (channels, width, height).


# %% tags=["exercise"]
def linear_to_convolution(weight, channels, width, height):
    """Kernel (outputs, channels, width, height) from a weight (outputs, channels * width * height)."""
    ### BEGIN SOLUTION
    return weight.reshape(-1, channels, width, height)
    ### END SOLUTION


# %%
linear_to_convolution = check("linear_to_convolution", linear_to_convolution)

# %% [markdown] tags=["solution"]
# **Solution.** A fully connected layer *is* a convolution whose kernel is as large as its input: no number is
# changed, moved or added, only the shape, because `Flatten` wrote the feature map in the order in which it
# lies in memory.
#
# Give the convolution a larger map, and it slides. (No flip: PyTorch's convolution is a cross-correlation,
# see notebook 02.)

# %%
exact = copy.deepcopy(classifier).double().requires_grad_(False)  # the same weights, with 16 digits
convolution1, _, _, convolution2, _, _, linear1, _, linear2 = exact
features = exact[:5](patches[:3].double())  # three patches up to the second convolution
kernel1 = linear_to_convolution(linear1.weight, 16, 5, 5).detach()
kernel2 = linear_to_convolution(linear2.weight, 16, 1, 1).detach()
print("features", tuple(features.shape), "  kernel", tuple(kernel1.shape))
as_convolution = F.conv2d(features, kernel1, linear1.bias)[:, :, 0, 0]
compare("linear and convolution, on feature maps", as_convolution, linear1(features.flatten(1)))

# %% tags=["plot"]
# A linear layer and its kernel
output = int(linear1.weight.abs().sum(dim=1).argmax())  # the output with the largest weights
row, tiles = linear1.weight[output], F.pad(kernel1[output].mT, (0, 1), value=torch.nan)  # x to the right
limit = float(row.abs().max())
style = {"cmap": "RdBu_r", "vmin": -limit, "vmax": limit}
fig, axes = plt.subplots(2, 1, figsize=(9, 2.9), height_ratios=(1, 3))
axes[0].imshow(row[None], aspect="auto", **style)
axes[0].set(title=f"linear layer: the 400 weights of output {output}, in a row", yticks=[], xlabel="input")
picture = axes[1].imshow(torch.cat([*tiles], dim=1), **style)
axes[1].set(title="convolution: the same numbers as a 5 x 5 kernel for each of 16 channels", yticks=[])
axes[1].set_xticks(np.arange(16) * 6 + 2, range(16))
axes[1].set_xlabel("channel")
fig.colorbar(picture, ax=axes, shrink=0.9, label="weight")
figures.show(
    fig,
    alt="Above, a strip of 400 coloured weights, red positive and blue negative. Below, the same weights as "
    "sixteen squares of 5 x 5, one for each channel.",
)

# %% [markdown]
# With these two kernels the trained classifier takes an image of any size. Nothing is trained anew. Compare
# with `make_classifier`: no `Flatten`, no `Linear`. We pad the image once by half a patch, as the patches
# were.


# %%
def layer(weight, bias, **options):
    """A convolutional layer with these weights (outputs, channels, k, k) and biases (outputs,)."""
    convolution = nn.Conv2d(weight.shape[1], weight.shape[0], weight.shape[2], **options)
    convolution.weight, convolution.bias = nn.Parameter(weight.clone()), nn.Parameter(bias.clone())
    return convolution.requires_grad_(False)


strided_network = nn.Sequential(
    layer(convolution1.weight, convolution1.bias),
    nn.ReLU(),
    nn.MaxPool2d(3, stride=2),
    layer(convolution2.weight, convolution2.bias),
    nn.ReLU(),
    layer(kernel1, linear1.bias),
    nn.ReLU(),
    layer(kernel2, linear2.bias),
)

# %%
padded = F.pad(image.double(), (half,) * 4)[None]
by_patches = sliding_window(exact, image.double())
coarse = strided_network(padded)[0]
print("padded image  ", tuple(padded.shape))
print("scores        ", tuple(coarse.shape))
print("sliding window", tuple(by_patches.shape))
compare("whole image, and every second patch", coarse, by_patches[:, ::2, ::2])

# %% [markdown]
# One pass over the image, and it gives the sliding window's scores at every *second* pixel in each
# direction. The pooling has stride 2, so the layers behind it live on a grid that is twice as coarse. There
# are two exact ways to the other three quarters.
#
# ### First way: shift and stitch
#
# If the whole image is moved by one pixel, the coarse grid falls on other pixels. With stride $s$ there are
# $s^2$ different shifts. Run the network on each shifted image, and put the results into one another like
# the teeth of a zip.

# %% tags=["plot"]
# Four shifts, stitched
figures.show(
    interactive.show_shifts(),
    alt="Five 6 x 6 grids. Each of the first four has every second cell in both directions coloured, "
    "starting at a different corner of a 2 x 2 block. The fifth has all of them together and no gap.",
)

# %% [markdown]
# ### Exercise 10: shift and stitch
#
# *12 minutes · difficulty 3 of 3*
#
# `strided` is a function from a padded image (1, channels, ..., ...) to scores at every `stride`-th pixel,
# such as `strided_network`. Shifting means: leave out the first `dx` places along x and the first `dy`
# along y of the padded image. Return the scores of all pixels. (A padded image of `n` places along an axis
# has `n - size + 1` pixels there. How many classes there are, the shape of the first result says.)


# %% tags=["exercise"]
def shift_and_stitch(strided, padded, size, stride):
    """Scores (1, classes, x, y) of all pixels of a padded image (1, channels, x + size - 1, y + size - 1)."""
    ### BEGIN SOLUTION
    width, height = padded.shape[2] - size + 1, padded.shape[3] - size + 1
    parts = {(dx, dy): strided(padded[:, :, dx:, dy:]) for dx in range(stride) for dy in range(stride)}
    stitched = padded.new_zeros(1, parts[0, 0].shape[1], width, height)
    for (dx, dy), part in parts.items():
        stitched[:, :, dx::stride, dy::stride] = part
    return stitched
    ### END SOLUTION


# %%
shift_and_stitch = check("shift_and_stitch", shift_and_stitch)

# %% [markdown] tags=["solution"]
# **Solution.** Leaving out the first `dx` and `dy` places makes the coarse grid start at pixel (`dx`, `dy`),
# so the scores belong into every `stride`-th place from there on. Slices with a step do the interleaving.
#
# Each shift recomputes the layers *before* the pooling, which were dense already: some work is done four
# times, but that is far less than 225 times.

# %%
stitched = shift_and_stitch(strided_network, padded, SIZE, 2)[0]
compare("shift and stitch, and sliding window", stitched, by_patches)


# %% [markdown]
# ### Second way: no stride, but holes
#
# Or change the pooling: stride 1 instead of 2. Then nothing is thrown away, and the map has all places. But
# what had been *neighbours* on the coarse map are now *two* apart, so every later kernel has to be spread:
# it takes each second place. This is a **dilated** convolution (notebook 04). The weights stay as they are.

# %% tags=["plot"]
# Pooling with a stride, and without
figures.show(
    interactive.show_dilation(),
    alt="Two diagrams of three rows of dots. Left: the pooled row keeps every second place, and a kernel of "
    "three takes three neighbouring kept places, 2, 4, 6, to make the value at place 4. Right: the pooled "
    "row keeps all places, and the kernel with dilation 2 takes the same places 2, 4, 6.",
)

# %%
dense_network = nn.Sequential(
    layer(convolution1.weight, convolution1.bias),
    nn.ReLU(),
    nn.MaxPool2d(3, stride=1),
    layer(convolution2.weight, convolution2.bias, dilation=2),
    nn.ReLU(),
    layer(kernel1, linear1.bias, dilation=2),
    nn.ReLU(),
    layer(kernel2, linear2.bias),
)
dense = dense_network(padded)[0]
print("scores", tuple(dense.shape))
compare("fully convolutional, and sliding window", dense, by_patches)

# %% [markdown]
# The same trained weights, the same scores up to rounding, at every pixel. Both `strided_network`
# and this one are **fully convolutional networks**: no layer asks for a fixed size of input. Only this one
# answers at every pixel.
#
# ### Exercise 11: predict a number
#
# *2 minutes · difficulty 1 of 3*
#
# VGG16, a classic classifier, has *five* poolings with stride 2, one after the other, before its first
# fully connected layer. Suppose that you make all five dense in this way. Which dilation (a whole number)
# does that layer need?

# %% tags=["exercise"]
### BEGIN SOLUTION
vgg_dilation = 2**5
# > vgg_dilation = ...
### END SOLUTION

# %%
vgg_dilation = check("vgg_dilation", vgg_dilation)

# %% [markdown] tags=["solution"]
# **Solution.** Each pooling made dense spreads everything behind it by another factor of 2: for five of them
# that is 2 · 2 · 2 · 2 · 2 = 32.
#
# The 7 x 7 kernel of that layer then spans $6 \cdot 32 + 1 = 193$ places, and all layers run at full
# resolution with up to 512 channels. It is exact, and expensive. Hold on to this thought until section 5.

# %% [markdown]
# ### Exercise 12: predict the speed-up
#
# *5 minutes · difficulty 2 of 3*
#
# A real BraTS slice has 240 x 240 pixels. By what **factor** are the MACs of the sliding window more than
# those of the fully convolutional network `dense_network`, to one decimal or better? The padded image is
# 256 x 256; layer by layer the maps have 254, 252, 248, 240 and 240 places on a side:
#
# | layer | kernel | output on a side |
# |---|---|---|
# | convolution 4 -> 8 | 3 x 3 | 254 |
# | pooling | 3 x 3, stride 1 | 252 |
# | convolution 8 -> 16, dilation 2 | 3 x 3 | 248 |
# | convolution 16 -> 16 (was linear), dilation 2 | 5 x 5 | 240 |
# | convolution 16 -> 2 (was linear) | 1 x 1 | 240 |
#
# *Guess first:* nearer to 300, to 100, or to 10? Then use your `convolution_macs` and `patch_macs`.

# %% tags=["exercise"]
### BEGIN SOLUTION
dense_macs = (
    convolution_macs(4, 8, 3, 254, 254)
    + convolution_macs(8, 16, 3, 248, 248)
    + convolution_macs(16, 16, 5, 240, 240)
    + convolution_macs(16, 2, 1, 240, 240)
)
speed_up = 240 * 240 * patch_macs / dense_macs
# > speed_up = ...
### END SOLUTION

# %%
speed_up = check("speed_up", speed_up)

# %% [markdown] tags=["solution"]
# **Solution.** About **12.5**. The first layer is saved about 200 times (225, less what the padding costs),
# the second about 23 times, the former linear layers not at all: their work was never repeated.
#
# In the dense network these make up four fifths of the bill. So the saving depends on where a network does
# its work: deep networks with small heads gain much more.

# %%
saved = {
    "first": patch_bill["convolution 4 -> 8"] * 240**2 / convolution_macs(4, 8, 3, 254, 254),
    "second": patch_bill["convolution 8 -> 16"] * 240**2 / convolution_macs(8, 16, 3, 248, 248),
}
for name, factor in saved.items():
    print(f"{name} layer: saved {factor:.1f} times")

# %% [markdown]
# Does the clock agree with the bill? We time all three ways on our slice, with the same weights in float32.
# *Predict:* we did not count the comparisons of max pooling. Will the clock's ratio be smaller or larger
# than that of the MACs?


# %%
def seconds(function, *inputs):
    """The shortest of five times of a call."""
    times = []
    for _ in range(5):
        start = time.perf_counter()
        function(*inputs)
        times.append(time.perf_counter() - start)
    return min(times)


# %%
strided32, dense32 = (copy.deepcopy(network).float() for network in (strided_network, dense_network))
padded32 = padded.float()
ways = {
    "sliding window": (sliding_window, classifier, image),
    "shift and stitch": (shift_and_stitch, strided32, padded32, SIZE, 2),
    "fully convolutional": (dense32, padded32),
}
times = {name: seconds(*call) for name, call in ways.items()}
macs = {name: counted_macs(*call) for name, call in ways.items()}
for name in ways:
    print(f"{name:20} {times[name] * 1e3:7.1f} ms   {macs[name] / 1e6:7.1f} million MACs")
measured, by_macs = (of["sliding window"] / of["fully convolutional"] for of in (times, macs))
print(f"speed-up: measured {measured:.1f}; by MACs {by_macs:.1f} on this slice, {speed_up:.1f} for 240 x 240")

# %%
with torch.no_grad():
    in_patches = seconds(classifier[2], classifier[:2](patches)) * 1e3
    at_once = seconds(dense32[2], dense32[:2](padded32)) * 1e3
print(f"of this, max pooling: {in_patches:.1f} ms in patches, {at_once:.1f} ms on the whole image")

# %% [markdown]
# Times depend on the machine, so don't expect the same number as the bill's. Usually the clock is kinder to
# the whole image than the MACs are: what we did not count (pooling, ReLU, writing and reading feature maps)
# belongs to the first layers, and these are the ones that the sliding window repeats most: 49 poolings in
# each patch, against one for each pixel. A bill of MACs is a good guide, and no stopwatch.

# %% [markdown]
# ### What happens at the border
#
# So far we padded the *image*, once, by half a patch. Networks in practice pad **every layer**, each by as
# much as it needs to keep the size ("same" padding). To see what this does, we cut a piece out of the
# middle of the brain, as one does with images that are too large. Now there is brain at the border.

# %%
same_network = nn.Sequential(
    layer(convolution1.weight, convolution1.bias, padding=1),
    nn.ReLU(),
    nn.MaxPool2d(3, stride=1, padding=1),
    layer(convolution2.weight, convolution2.bias, dilation=2, padding=2),
    nn.ReLU(),
    layer(kernel1, linear1.bias, dilation=2, padding=4),
    nn.ReLU(),
    layer(kernel2, linear2.bias),
)
piece = image[:, 16:60, 20:76].double()
padded_once = dense_network(F.pad(piece, (half,) * 4)[None])[0]
padded_everywhere = same_network(piece[None])[0]
compare("padded once, and sliding window", padded_once, sliding_window(exact, piece))
compare("padded in every layer, and sliding window", padded_everywhere, sliding_window(exact, piece))

# %%
difference = (padded_everywhere - padded_once).abs().amax(dim=0)
columns, rows = difference.shape
across, down = torch.arange(columns)[:, None], torch.arange(rows)[None, :]
distance = torch.minimum(torch.minimum(across, columns - 1 - across), torch.minimum(down, rows - 1 - down))
largest = [difference[distance == d].max().item() for d in range(12)]  # at each distance from the border
print("largest difference at the distances 0 to 11:", *(f"{value:.0e}" for value in largest))

# %% tags=["plot"]
# Where padding in every layer changes the scores
fig, (left, middle, right) = plt.subplots(1, 3, figsize=(11, 3.4), width_ratios=(1, 1.3, 1.6))
figures.show_slice(left, piece[3], title="the piece (FLAIR)", window=(-2, 4))
picture = middle.imshow(difference.T, cmap="viridis")
frame = {"fill": False, "edgecolor": "white", "linestyle": "--"}
middle.add_patch(Rectangle((6.5, 6.5), columns - 14, rows - 14, **frame))
middle.set(title="|difference| of the scores", xlabel="x (voxels)", ylabel="y (voxels)")
fig.colorbar(picture, ax=middle, shrink=0.8)
right.semilogy(range(12), np.maximum(largest, 1e-16), "o-")
right.axvspan(-0.5, 6.5, color=figures.COLOURS["orange"], alpha=0.2)
right.set(title="the largest at each distance (at least $10^{-16}$)", ylabel="|difference|")
right.set(xlabel="distance from the border (voxels)", xlim=(-0.5, 11.5))
figures.show(
    fig,
    alt="Left: a rectangular piece of a FLAIR slice. Middle: a map of the differences, large in a band along "
    "all four borders and zero inside a dashed frame 7 pixels from the border. Right: the largest difference "
    "at each distance, plainly above zero up to distance 6 and no larger than rounding from 7 on.",
)

# %% [markdown]
# ### Exercise 13: explain the border
#
# *4 minutes · difficulty 2 of 3*
#
# The zeros around the piece are the same in both networks, and so are all weights. Why do the scores
# differ, and why in a band of exactly 7 pixels?
#
# - **A.** Rounding: in the band more zeros are added up, and the errors grow with their number. Seven pixels
#   further in they have died away.
# - **B.** The dilated kernels skip every second pixel. At the border the pixels that they need are missing,
#   and their neighbours, which stand in for them, have other values.
# - **C.** Inside, the sliding window's feature maps go on beyond the border: there the first layer has looked
#   at zeros and at the image's edge, and its answer is not 0 (it has a bias). With "same" padding the later
#   layers find zeros there. Such places are up to 7 pixels away from the centre of a patch.
# - **D.** The classifier was never trained on patches that stick out of a brain, so its scores there are
#   random, and random numbers differ from one network to the other.

# %% tags=["exercise"]
### BEGIN SOLUTION
border_picture = "C"
# > border_picture = ...
### END SOLUTION

# %%
border_picture = check("border_picture", border_picture)

# %% [markdown] tags=["solution"]
# **Solution.** A patch of 17 x 17 has a first feature map of 15 x 15: up to 7 pixels around the centre. If
# that map sticks out of the image, the two networks see different things there: *features of zeros* on one
# side, *zeros instead of features* on the other.
#
# Neither is wrong. But a network must be used as it was trained, and each "same" layer lets the border's
# influence grow inwards. The U-Net's paper pads nothing at all and lets the image shrink (notebook 05).

# %% [markdown]
# ### From a classifier to a segmenter: the FCN
#
# This is the step of Long, Shelhamer and Darrell (2015): take a network that was trained to *classify* a
# million photographs, turn its linear layers into convolutions, and train on for segmentation. Their VGG16
# has thirteen 3 x 3 convolutions, a pooling after each group, and behind them three fully connected layers,
# `fc6`, `fc7` and the scores of 1,000 classes; the FCN replaces the last one. Here are the convolutions:

# %%
groups = ((3, 64, 64), (64, 128, 128), (128, 256, 256, 256), (256, 512, 512, 512), (512, 512, 512, 512))
vgg_convolutions = sum(
    inputs * outputs * 9 + outputs for group in groups for inputs, outputs in itertools.pairwise(group)
)
print(f"weights of the 13 convolutions, with biases: {vgg_convolutions:,}")

# %% [markdown]
# ### Exercise 14: predict a number
#
# *4 minutes · difficulty 2 of 3*
#
# Then come `fc6`, fully connected from a feature map of 512 x 7 x 7 to 4,096 outputs, `fc7` from 4,096 to
# 4,096, and for segmentation a 1 x 1 convolution from 4,096 to the scores of 21 classes. All have biases.
# How many weights (biases included) does the **whole** fully convolutional network have, with `fc6` and
# `fc7` as convolutions? Give the exact number, and let Python add: `vgg_convolutions + ...`. *Guess first:*
# does turning them into convolutions make them more or fewer?

# %% tags=["exercise"]
### BEGIN SOLUTION
fcn_weights = vgg_convolutions + (512 * 7 * 7 * 4096 + 4096) + (4096 * 4096 + 4096) + (4096 * 21 + 21)
# > fcn_weights = ...
### END SOLUTION

# %%
fcn_weights = check("fcn_weights", fcn_weights)

# %% [markdown] tags=["solution"]
# **Solution.** 134,346,581, the number of the published FCN-32s (its fixed upsampling not counted). The
# conversion changes no count: `fc6` becomes a convolution with a 7 x 7 kernel, 512 inputs and 4,096
# outputs, and has the same 102,764,544 weights as before.
#
# That is three quarters of the network, in one layer. (A fully convolutional network is not a small one;
# later architectures left this layer out.)

# %%
finer = {"FCN-32s": 0, "FCN-16s": 512 * 21 + 21, "FCN-8s": 512 * 21 + 21 + 256 * 21 + 21}
for name, more in finer.items():
    print(f"{name:8}{fcn_weights + more:12,} weights (paper's network, without the upsampling kernels)")

# %% [markdown]
# The finer versions look at earlier, finer maps as well, each through a 1 x 1 convolution: FCN-16s at one of
# 512 channels, FCN-8s at one of 256 besides. That is some ten thousand weights more, next to nothing.
#
# The answer of FCN-32s comes out at 1/32 of the image's resolution, as ours came out at 1/2. The FCN
# neither stitches nor dilates: it *upsamples* the coarse scores. Why not stay at full resolution?

# %% [markdown]
# ## 5 · Why not everything at full resolution?
#
# A dense network needs two resources in plenty. **Computing:** each layer costs MACs at every pixel.
# **Memory:** for backpropagation the output of every layer is kept until the backward pass, and at full
# resolution each is as large as the image, times the number of channels.
#
# And it has to see far. A 3 x 3 convolution lets a pixel see one more on each side (notebook 04). To see 63
# pixels on a side, 31 such layers are needed at full resolution, with 64 channels each, say. The
# **pyramid** halves the resolution after each layer: what a layer adds doubles each time, and with layers
# at 1/1, 1/2, 1/4, 1/8 and 1/16 five layers see $1 + 2\,(1 + 2 + 4 + 8 + 16) = 63$. (The halving itself is
# not counted.) Networks double the channels when they halve the size, so that little is lost. We count
# each layer with as many input as output channels; one that doubles them costs half.


# %%
def plan_costs(plan, side):
    """MACs and bytes (float32 outputs) of each 3x3 layer of a plan [(shrink, channels), ...]."""
    sides = [side // shrink for shrink, _ in plan]
    macs = [convolution_macs(channels, channels, 3, n, n) for n, (_, channels) in zip(sides, plan)]
    memory = [channels * n**2 * 4 for n, (_, channels) in zip(sides, plan)]
    return np.array(macs), np.array(memory)


plans = {
    "full resolution": [(1, 64)] * 31,
    "pyramid": [(2**level, 64 * 2**level) for level in range(5)],
}
for name, plan in plans.items():
    macs, memory = plan_costs(plan, 240)
    print(f"{name:16} {len(plan):2} layers: {macs.sum() / 1e9:5.1f} GMACs,", end=" ")
    print(f"outputs {memory.sum() / 1e6:5.1f} MB    (1 GMAC: a thousand million MACs)")

# %% tags=["plot"]
# Computing and memory, with and without the pyramid
fig, axes = plt.subplots(1, 2, figsize=(9, 3.2))
for ax, costs, unit in zip(axes, (0, 1), (1e9, 1e6)):
    totals = {name: np.cumsum(plan_costs(plan, 240)[costs]) / unit for name, plan in plans.items()}
    sees = {name: 1 + np.cumsum([2 * shrink for shrink, _ in plan]) for name, plan in plans.items()}
    lines = {name: (sees[name], totals[name]) for name in plans}
    ylabel = ("all layers so far (GMACs)", "all layers so far (MB, float32)")[costs]
    style = {"colours": ("orange", "blue"), "marker": "each", "legend": "upper left"}
    figures.curves(lines, xlabel="an output sees (pixels on a side)", ylabel=ylabel, ax=ax, **style)
    ax.set(title=("computing", "memory for the outputs")[costs], xticks=(3, 7, 15, 31, 63))
figures.show(
    fig,
    alt="Two curves each for computing and memory against what an output sees. At full resolution both rise "
    "on a straight line through 31 layers. The pyramid gets to 63 pixels in 5 layers, for about a sixth of "
    "the computing and a sixteenth of the memory.",
)

# %% [markdown]
# A layer of the pyramid costs as many MACs as a layer at full resolution, because half the size on each
# side and twice the channels cancel. The gain is that five layers see what otherwise takes 31. In memory
# the pyramid gains twice: fewer layers, and each takes half as much as the one before.
#
# ### Exercise 15: predict a number
#
# *3 minutes · difficulty 1 of 3*
#
# A whole scan of BraTS has 240 x 240 x 155 voxels. How many **gigabytes** (1 GB = 10⁹ bytes) do the outputs
# of 31 layers with 64 channels take at full resolution, in float32 (4 bytes a number), for one scan? To the
# nearest gigabyte will do. *Guess first:* does it fit into a GPU with 24 GB?

# %% tags=["exercise"]
### BEGIN SOLUTION
activation_memory = 31 * 64 * 240 * 240 * 155 * 4 / 1e9
# > activation_memory = ...
### END SOLUTION

# %%
activation_memory = check("activation_memory", activation_memory)

# %% [markdown] tags=["solution"]
# **Solution.** 31 layers, 64 channels and 8.9 million voxels at 4 bytes each make 70.9 GB, for the outputs
# alone, for a single scan: it doesn't fit.
#
# In 3D the pyramid is even more worth it: half the size means an eighth of the voxels, so with twice the
# channels a layer's MACs halve and its memory falls to a quarter.

# %%
voxels = 240 * 240 * 155
pyramid_memory = sum(64 * 2**level * (voxels / 8**level) * 4 for level in range(5))
print(f"3D: full resolution, 31 layers {31 * 64 * voxels * 4 / 1e9:.1f} GB;", end=" ")
print(f"pyramid, 5 layers {pyramid_memory / 1e9:.1f} GB")

# %% [markdown]
# What is missing: the pyramid ends at 1/16 of the resolution, and the mask is wanted at 1/1. The way out is
# to go **down and up again**: downsampling to see far at little cost, upsampling to answer at every pixel.
# How to upsample well is notebook 03; how to keep the fine detail on the way is the U-Net of notebook 05.

# %% [markdown]
# ## Summary
#
# You built the three answers to one slice, showed that a clustering has no names, slid a classifier over a
# brain, wrote its bill, and made it fully convolutional in two exact ways. Remember:
#
# - Classification answers with one number, detection with a box, semantic segmentation with a name for each
#   pixel.
# - **Clustering is invariant under renaming, semantics is nothing but names.** All 24 namings of four
#   clusters have one sum of squares; labels must come from a teacher.
# - The sliding window reads each inner pixel $P^2$ times, computes shared features again and again, and
#   pays for context with the square of the patch's side.
# - **A linear layer is a convolution whose kernel is as large as its input.** The weights are only reshaped.
# - Stride makes scores coarse. Shift and stitch, or stride 1 and dilation, give all pixels: the same scores
#   to rounding. The first layer is saved about 200 times, the second about 23 times, the linear ones not
#   at all.
# - At the border, padding once and padding in every layer are two different networks.
# - Seeing far at full resolution costs too much, in memory above all: go down, and up again.
#
# Next, notebook 02 takes the convolution itself apart, and notebook 03 makes images larger again.

# %%
check.progress()

# %% [markdown]
# ## References
#
# 1. O. Colliot, M. Vakalopoulou, *Deep learning for medical imaging, Part 4: Segmentation*, lecture, Master
#    MVA, 2019-20: vision tasks, clustering and semantic segmentation, sliding window, fully convolutional
#    networks.
# 2. S. P. Lloyd, *Least squares quantization in PCM*, IEEE Transactions on Information Theory 28, 1982:
#    k-means.
# 3. D. C. Cireşan, A. Giusti, L. M. Gambardella, J. Schmidhuber, *Deep neural networks segment neuronal
#    membranes in electron microscopy images*, NIPS 2012: the sliding window that won the ISBI challenge.
# 4. A. Giusti, D. C. Cireşan, J. Masci, L. M. Gambardella, J. Schmidhuber, *Fast image scanning with deep
#    max-pooling convolutional neural networks*, ICIP 2013, arXiv:1302.1700: all pixels at once in spite of
#    pooling, exactly.
# 5. P. Sermanet et al., *OverFeat*, ICLR 2014, arXiv:1312.6229: linear layers as convolutions, shifted
#    pooling.
# 6. J. Long, E. Shelhamer, T. Darrell, *Fully convolutional networks for semantic segmentation*, CVPR 2015,
#    arXiv:1411.4038: the FCN; shift-and-stitch and why they chose to upsample.
# 7. K. Simonyan, A. Zisserman, *Very deep convolutional networks for large-scale image recognition*, ICLR
#    2015, arXiv:1409.1556: VGG16.
# 8. F. Yu, V. Koltun, *Multi-scale context aggregation by dilated convolutions*, ICLR 2016,
#    arXiv:1511.07122: dilation instead of stride.
