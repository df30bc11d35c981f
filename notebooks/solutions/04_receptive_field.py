# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 04 · Receptive field: what an output can see
#
# A network says of one pixel: tumour. What did it look at before it said so? At a few pixels around, or at
# half of the brain? And of what it *could* look at, what did it *use*? The answers decide how deep a network
# must be, where its poolings go, what dilation is good for, and where it leaves holes.
#
# **You build:** the recursion for receptive fields, causal and dilated convolution, the set of pixels that an
# output touches, a dilation schedule without holes, and the effective field, measured by gradients.
#
# **Time:** computed
#
# **You need:** notebook 02 (convolution, stride, padding, its transpose), gradients in PyTorch.
#
# **Checks:** as in notebook 00: run an exercise's cell, then the cell below it; `check.hint("depth_needed")`
# gives a nudge.
#
# **You will be able to**
#
# - compute what an output can see, through any chain of kernels, strides, dilations and paddings;
# - make a convolution causal, and show that the future can't leak;
# - tell dilated convolution from what a slide of the lecture prints, and say what its "9x9" leaves out;
# - find the holes of a dilation schedule, and build one that has none;
# - say why a U-Net has two receptive fields, and why networks use far less than they could.

# %% tags=["bootstrap"]
# generated

# %%
import matplotlib.pyplot as plt
import numpy as np
import torch
import torch.nn.functional as F
from torch import nn
from tqdm.auto import tqdm

from course_utils import cohort, figures, losses, metrics, paths, receptive_field
from course_utils.checking import compare
from course_utils.checks.receptive_field import check
from course_utils.cohort import batches
from course_utils.interactive import receptive_field as interactive
from course_utils.networks.unet import UNet
from course_utils.receptive_field import Layer
from experiments import record

figures.use_style()
torch.set_default_dtype(torch.float64)  # 16 digits: a difference of 1e-16 is rounding, 1e-2 is a mistake
torch.set_num_threads(1)  # networks as small as these gain nothing from more
torch.manual_seed(0)

# %% [markdown]
# ## 1 · How far can one output see?
#
# The **receptive field** of an output is the part of the input that it depends on. One 3x3 convolution: 3x3
# pixels. Two of them, one behind the other: each of the nine values that the second one reads was itself
# computed from 3x3 pixels.
#
# There is a way to *see* the field of any network. Take one output pixel and ask for its gradient with
# respect to the input: where the gradient is zero, the input doesn't matter.


# %%
def seen_by(network, image, row, column):
    """The pixels (bool) on which the output at (row, column) depends: where its gradient isn't zero."""
    image = image.clone().requires_grad_()
    output = network(image[None, None])[0, 0, row, column]
    (gradient,) = torch.autograd.grad(output, image)
    return gradient != 0


# %% [markdown]
# We look from one pixel in a tumour, on the slice that shows most of it. *Predict:* how many pixels wide is
# the field behind 1, 3 and 10 layers of 3x3?

# %%
case = cohort.load_case(cohort.synthetic_cases(1)[0])
box = cohort.brain_box(cohort.brain_mask(case.image), multiple_of=4)
flair_volume, tumour = case.image[3][box], case.labels[box] > 0
k = int(tumour.sum(axis=(0, 1)).argmax())  # the slice with most of the tumour
flair = torch.tensor(flair_volume[:, :, k].T / np.percentile(flair_volume[:, :, k], 99.5)).double()
row, column = (int(centre) for centre in np.argwhere(tumour[:, :, k].T).mean(axis=0))

seen = {}
for depth in (1, 3, 10):
    network = nn.Sequential(*[nn.Conv2d(1, 1, 3, padding=1) for _ in range(depth)])
    pixels = seen_by(network, flair, row, column)
    width = int(pixels.any(dim=0).sum())
    seen[f"{depth} layer{'s' * (depth > 1)}: {width}x{width} pixels"] = pixels

# %% tags=["plot"]
fig = figures.row_of_slices(flair.T, list(seen), masks=[pixels.T for pixels in seen.values()], spacing=(2, 2))
figures.show(
    fig,
    alt="A FLAIR slice with a tumour, three times, and a square around one tumour pixel: what one output "
    "sees. 1 layer: 3x3 pixels, a dot; 3 layers: 7x7; 10 layers: 21x21 pixels, 42 mm, which is "
    "still less than the tumour with its surroundings.",
)

# %% [markdown]
# Each layer adds one pixel on every side. One pixel is 2 mm here: ten layers see 42 mm.
#
# Now the general rule, along one axis. Three numbers describe what the outputs see: output $o$ depends on
# `size` inputs, from `start + o * jump` on. Without any layer, an output is an input: size 1, jump 1, start
# 0. A layer with kernel $k$, stride $s$, dilation $d$ (the distance between neighbours in the kernel;
# usually 1) and padding $p$ reads positions of *its* input, and these are `jump` pixels apart:
#
# | | becomes | because |
# |---|---|---|
# | size | size + $(k-1)\,d\,$ · jump | the kernel's ends are $(k-1)\,d$ steps apart |
# | start | start − $p$ · jump | the first window begins $p$ steps earlier |
# | jump | jump · $s$ | neighbouring outputs are $s$ steps apart |
#
# By hand, for a 3x3 convolution, a 2x2 pooling with stride 2, and another 3x3 convolution:
#
# | after | size | jump | start |
# |---|---|---|---|
# | nothing | 1 | 1 | 0 |
# | 3x3 | 3 | 1 | 0 |
# | pooling | 4 | 2 | 0 |
# | 3x3 | 8 | 2 | 0 |
#
# The second convolution added 4 pixels, not 2: behind a pooling every step is worth two pixels.
#
# ### Exercise 1: the recursion
#
# *8 minutes · difficulty 1 of 3*
#
# Write it. `layers` is a list of `Layer(kernel, stride=1, dilation=1, padding=0)`; each has attributes of
# these names, such as `layer.stride`. In which order must the three lines stand?


# %% tags=["exercise"]
def receptive_field_of(layers):
    """Size, jump and start of the outputs behind a list of layers, along one axis; three ints."""
    ### BEGIN SOLUTION
    size, jump, start = 1, 1, 0
    for layer in layers:
        size += (layer.kernel - 1) * layer.dilation * jump
        start -= layer.padding * jump
        jump *= layer.stride
    return size, jump, start
    ### END SOLUTION


# %%
receptive_field_of = check("receptive_field_of", receptive_field_of)

# %% [markdown] tags=["solution"]
# **Solution.** The jump comes last: a layer's own stride doesn't change what *this* layer reads, only how far
# apart its outputs are. So a stride widens everything that comes after it, and nothing before. The size grows
# by addition, the jump by multiplication: that is why a few poolings do more for the field than many layers.

# %% [markdown]
# A recursion on paper is a claim. Here is a real network with random weights, and the gradients of its
# outputs. (What lies beyond the signal's ends is padding: there the prediction is cut off.)

# %%
layers = [Layer(5, stride=2, padding=2), Layer(3, dilation=2, padding=1), Layer(4, stride=3)]
network = nn.Sequential(
    *[nn.Conv1d(1, 1, x.kernel, stride=x.stride, dilation=x.dilation, padding=x.padding) for x in layers]
)
size, jump, start = receptive_field_of(layers)
print(f"the recursion: size {size}, jump {jump}, start {start}")

signal = torch.randn(80, requires_grad=True)
for o, output in enumerate(network(signal[None, None])[0, 0]):
    (gradient,) = torch.autograd.grad(output, signal, retain_graph=True)
    positions = gradient.nonzero()[:, 0].tolist()
    first, last = max(start + o * jump, 0), min(start + o * jump + size - 1, len(signal) - 1)
    print(f"output {o}: gradient {positions[0]:2} to {positions[-1]:2}, predicted {first:2} to {last:2}")

# %% [markdown]
# ### Exercise 2: where to pool
#
# *4 minutes · difficulty 2 of 3*
#
# Two networks have the same four layers: three 3x3 convolutions and one 2x2 pooling with stride 2. The first
# begins with the pooling, the second ends with it. What does one output see? *Guess first*, then use your
# function.
#
# - **A.** The same: the layers are the same.
# - **B.** 14 pixels with the pooling first, 8 with the pooling last.
# - **C.** 8 pixels with the pooling first, 14 with the pooling last: it doubles what was there.
# - **D.** 8 pixels both, but the outputs of the second network are further apart.

# %% tags=["exercise"]
### BEGIN SOLUTION
early_stride = "B"
# > early_stride = ...
### END SOLUTION

# %%
early_stride = check("early_stride", early_stride)

# %% [markdown] tags=["solution"]
# **Solution.** Behind the pooling each 3x3 layer adds 2 steps of 2 pixels, so 2 + 3 · 4 = 14; before it they
# add 2 pixels each, so 7, and a pooling at the end adds one more: 8. Both networks make a picture of half the
# size with the same number of weights, and the first needs a quarter of the multiplications for its
# convolutions. The price: it never saw single pixels. A network that reduces early sees far and coarsely, one
# that reduces late sees finely and near. The U-Net's skip connections exist because one wants both.

# %% [markdown]
# ### Exercise 3: how deep must it be?
#
# *5 minutes · difficulty 1 of 3*
#
# How many plain layers (stride 1, no dilation) does it take until the field is at least `size` pixels wide?


# %% tags=["exercise"]
def depth_needed(size, kernel):
    """The smallest number of layers with this kernel whose field has at least `size` pixels; an int."""
    ### BEGIN SOLUTION
    return -(-(size - 1) // (kernel - 1))
    ### END SOLUTION


# %%
depth_needed = check("depth_needed", depth_needed)

# %% [markdown] tags=["solution"]
# **Solution.** An output sees one pixel without any layer, and each layer adds k − 1 more: so it takes (size
# − 1) / (k − 1) layers, rounded up. For a slice of BraTS, 240 pixels, and 3x3 kernels that is 120 layers.
# Nobody builds that; everybody strides or dilates.

# %%
print("3x3 layers for 240 pixels:", depth_needed(240, 3), "  7x7 layers:", depth_needed(240, 7))

# %% [markdown]
# Four ways to build a network of $n$ layers. *Predict:* with 3x3 layers whose dilations double, 1, 2, 4, 8,
# ..., how many does it take to see 240 pixels?

# %%
families = {
    "kernel 3": lambda n: [Layer(3)] * n,
    "kernel 5": lambda n: [Layer(5)] * n,
    "kernel 3, every fourth stride 2": lambda n: [Layer(3, stride=1 + (i % 4 == 3)) for i in range(n)],
    "kernel 3, dilation 1, 2, 4, ...": lambda n: [Layer(3, dilation=2**i) for i in range(n)],
}
depths = range(1, 17)
growth = {name: (depths, [receptive_field_of(make(n))[0] for n in depths]) for name, make in families.items()}

# %% tags=["plot"]
ax = figures.curves(
    growth,
    xlabel="number of layers",
    ylabel="size of the field (pixels)",
    logy=True,
    marker="each",
    xticks=depths,
    ylim=(2, 3000),
)
ax.axhline(240, color="black", linewidth=0.8, linestyle="--")
ax.text(16.4, 250, "240, a slice of BraTS", fontsize=8, va="bottom", ha="right")
figures.show(
    ax.figure,
    alt="Field size against depth, logarithmic. Kernels 3 and 5 grow slowly, to 33 and 65 pixels after 16 "
    "layers. With a stride of 2 in every fourth layer it is about 120. With doubling dilation it is a "
    "straight line that passes 240 at 7 layers.",
)

# %% [markdown]
# On this scale a straight line is exponential growth. Plain layers grow linearly, so their curves bend down.
# With doubling dilations $n$ layers see $1 + 2\,(2^n - 1)$ pixels: 127 for six, 255 for seven. 120 layers or
# 7, with the same nine weights each. There must be a catch, and section 4 finds it.
#
# Your recursion, on networks from papers. The numbers on the right are what their papers (or careful counts)
# state.

# %%
vgg16 = []  # 13 convolutions and 5 poolings
for convolutions in (2, 2, 3, 3, 3):
    vgg16 += [Layer(3, padding=1)] * convolutions + [Layer(2, stride=2)]
deepmedic_low_resolution = [Layer(3, stride=3), *[Layer(3)] * 8]  # means over 3x3x3 voxels, then 8 layers
published = {
    "FCN-32s: VGG16, then a 7x7 layer": ([*vgg16, Layer(7)], "404, stride 32"),
    "HighRes3DNet": ([*[Layer(3)] * 7, *[Layer(3, dilation=2)] * 6, *[Layer(3, dilation=4)] * 6], "87"),
    "DeepMedic, normal pathway": ([Layer(3)] * 8, "17"),
    "DeepMedic, pathway at a third of the resolution": (deepmedic_low_resolution, "51"),
}
for name, (layers, paper) in published.items():
    size, jump, _ = receptive_field_of(layers)
    print(f"{name:48} size {size:3}, jump {jump:2}   published: {paper}")

# %% [markdown]
# ## 2 · Causal convolution
#
# The lecture has a slide called *Causal convolutions*. Its picture shows how the receptive field grows with
# depth, but nothing on it is causal. What is meant?
#
# Let the signal be a function of time. A convolution is **causal** if output $t$ depends on the inputs up to
# $t$ and on no later one. WaveNet, which generates speech sample by sample, can't look at samples that it
# hasn't made yet. With dilation $d$ and a kernel of size $k$:
#
# $$y_t = \sum_{j=0}^{k-1} x_j\; a_{\,t - (k-1-j)\,d}\,, \qquad a_m = 0 \text{ for } m < 0 .$$
#
# The last entry of the kernel meets the present, the others the past.
#
# ### Exercise 4: a causal convolution
#
# *8 minutes · difficulty 2 of 3*
#
# Write it with `F.conv1d`. All it takes is the right padding. (`F.pad(signal, (left, right))` puts zeros at
# the ends; `F.conv1d` wants a batch and a channel axis, `[None, None]`.)


# %% tags=["exercise"]
def causal_convolution(signal, kernel, dilation=1):
    """Causal convolution of a signal (n,) with a kernel (k,); a tensor (n,)."""
    ### BEGIN SOLUTION
    padded = F.pad(signal, ((len(kernel) - 1) * dilation, 0))
    return F.conv1d(padded[None, None], kernel[None, None], dilation=dilation)[0, 0]
    ### END SOLUTION


# %%
causal_convolution = check("causal_convolution", causal_convolution)

# %% [markdown] tags=["solution"]
# **Solution.** All the padding goes to the left: (k − 1) · d zeros, so that the kernel's last entry meets the
# present. The convolution itself is the ordinary one. So "causal" isn't another operation, it is another
# alignment of the same operation.

# %% [markdown]
# Is it really causal? A claim about the future can be tested by perturbation: change the input after time 30
# and look which outputs change. *Predict* both curves: for the causal convolution and for the usual one,
# which pads both sides.

# %%
signal, kernel = flair[row, :60].clone(), torch.tensor([0.5, -1.0, 2.0])
disturbed = signal.clone()
disturbed[31:] += 0.5 + torch.rand(len(signal) - 31)


def symmetric(a):
    return F.conv1d(a[None, None], kernel[None, None], padding=4, dilation=4)[0, 0]


changes = {
    "padding on both sides": symmetric(disturbed) - symmetric(signal),
    "causal": causal_convolution(disturbed, kernel, 4) - causal_convolution(signal, kernel, 4),
}
for name, change in changes.items():
    print(f"{name}: first change at t = {int(change.nonzero()[0])}")

# %% tags=["plot"]
fig, axes = plt.subplots(1, 2, figsize=(9, 2.8), sharey=True)
for ax, (name, change) in zip(axes, changes.items()):
    ax.axvspan(30.5, 59.5, color=figures.COLOURS["yellow"], alpha=0.3, lw=0)
    figures.curves({name: change.abs()}, xlabel="t (samples)", ylabel="", title=name, marker="o", ax=ax)
axes[0].set_ylabel("change of the output")
figures.show(
    fig,
    alt="Change of the output when the input changes from t = 31 on (yellow). With padding on both sides "
    "outputs change from t = 27 on: the future leaks. The causal convolution's outputs are unchanged up to "
    "t = 30.",
)

# %% [markdown]
# With padding on both sides, output 27 already knew of input 31. The causal one changes at 31, not earlier:
# before that the change is not small, it is exactly zero. And because the operation is linear, a random
# change of all later inputs that leaves no trace is a proof: no weight leads from them to an earlier output.
#
# ### Exercise 5: predict a number
#
# *4 minutes · difficulty 2 of 3*
#
# WaveNet stacks causal layers with kernel size **2** and dilations 1, 2, 4, ..., 512: ten layers make a
# *block*. At 16,000 samples a second one block hears 64 ms. So blocks are repeated, one behind the other,
# each beginning with dilation 1 again. How many blocks does it take, at least, until an output hears 300 ms?
# (Exactly: a whole number.)

# %% tags=["exercise"]
### BEGIN SOLUTION
block = [Layer(2, dilation=2**i) for i in range(10)]
wavenet_blocks = 1
while receptive_field_of(block * wavenet_blocks)[0] < 0.3 * 16000:
    wavenet_blocks += 1
# > wavenet_blocks = ...
### END SOLUTION

# %%
wavenet_blocks = check("wavenet_blocks", wavenet_blocks)

# %% [markdown] tags=["solution"]
# **Solution.** 300 ms are 4800 samples. A block adds 1 + 2 + ... + 512 = 1023, to the one sample that is seen
# without any layer: four blocks hear 4093 samples, five 5116. Blocks add up, dilations within a block double:
# that is why one block hears 1024 samples with ten layers, for which plain layers of kernel size 2 would need
# 1023.

# %%
response = F.pad(torch.ones(1), (0, 1099))  # an impulse at t = 0
for i in range(10):
    response = causal_convolution(response, torch.ones(2), dilation=2**i)
reached = response.nonzero()[:, 0].tolist()
print(f"one block of ones: the impulse at t = 0 reaches the outputs {reached[0]} to {reached[-1]}")
print("number of paths from it to each of them:", set(response[reached].tolist()))

# %% [markdown]
# Exactly one path to each of the 1024 samples of a block. Remember this when we come to holes.
#
# ## 3 · Dilated convolution
#
# In two dimensions. A **dilated** convolution with dilation $l$ moves the entries of the kernel $l$ pixels
# apart. In the convention of PyTorch, which doesn't flip (notebook 02),
#
# $$y_{i,j} = \sum_{p,q} x_{p,q}\; a_{\,i + l p,\; j + l q} \qquad
# \text{(with the flip: } \sum_{m,n} K(m,n)\, I(i - l m,\, j - l n)\text{)} .$$
#
# ### Exercise 6: dilated convolution, by its definition
#
# *12 minutes · difficulty 2 of 3*
#
# Write it for any kernel and dilation. Only windows that lie wholly inside the image count: how wide is a
# window? Try it without PyTorch's convolutions: `F.conv2d` is what we compare with below, and a comparison
# with itself would show nothing.


# %% tags=["exercise"]
def dilated_convolution(image, kernel, dilation):
    """Cross-correlation of an image (h, w) with a kernel (k1, k2) whose entries are `dilation` pixels apart.

    Returns a tensor (h - (k1 - 1) * dilation, w - (k2 - 1) * dilation).
    """
    ### BEGIN SOLUTION
    k1, k2 = kernel.shape
    height, width = image.shape[0] - (k1 - 1) * dilation, image.shape[1] - (k2 - 1) * dilation
    y = image.new_zeros(height, width)
    for p in range(k1):
        for q in range(k2):
            top, left = p * dilation, q * dilation
            y += kernel[p, q] * image[top : top + height, left : left + width]
    return y
    ### END SOLUTION


# %%
dilated_convolution = check("dilated_convolution", dilated_convolution)

# %% [markdown] tags=["solution"]
# **Solution.** Each weight of the kernel adds one moved copy of the image, and the dilation says how far the
# copies are moved. So the loop runs over the nine weights, not over the pixels, and the number of weights and
# of multiplications is that of the plain 3x3 kernel, whatever the dilation.

# %%
kernel = torch.tensor([[1.0, 2.0, 0.0], [-1.0, 3.0, 1.0], [0.0, -2.0, 1.0]])
for dilation in (1, 2, 5):
    reference = F.conv2d(flair[None, None], kernel[None, None], dilation=dilation)[0, 0]
    ours = dilated_convolution(flair, kernel, dilation)
    compare(f"ours and F.conv2d, dilation {dilation}", ours, reference)

# %% [markdown]
# ### Exercise 7: the formula as printed
#
# *12 minutes · difficulty 3 of 3*
#
# The lecture defines dilated convolution on a slide, and prints
#
# $$O(i, j) = \sum_{m,n} I(m, n)\; K(i - l m,\; j - l n) .$$
#
# It looks like the definition above, with image and kernel exchanged. For $l = 1$ that would be harmless,
# because convolution is commutative. For larger $l$? Implement *what is printed*: the sum runs over all
# pixels $(m, n)$ of the image, and $K$ is zero where it has no entry. *Before you write:* which $(i, j)$
# does the pixel $(m, n)$ contribute to, and how large does the output get?


# %% tags=["exercise"]
def printed_formula(image, kernel, dilation):
    """O(i, j) as printed, from (0, 0) to the last (i, j) that a pixel contributes to; a tensor."""
    ### BEGIN SOLUTION
    (h, w), (k1, k2) = image.shape, kernel.shape
    output = image.new_zeros((h - 1) * dilation + k1, (w - 1) * dilation + k2)
    for m in range(h):
        for n in range(w):
            rows = slice(dilation * m, dilation * m + k1)
            columns = slice(dilation * n, dilation * n + k2)
            output[rows, columns] += image[m, n] * kernel
    return output
    ### END SOLUTION


# %%
printed_formula = check("printed_formula", printed_formula)

# %% [markdown] tags=["solution"]
# **Solution.** Read it from the pixel (m, n): K(i − l·m, j − l·n) has an entry only where (i, j) lies in a
# window as large as the kernel that begins at (l·m, l·n). So each pixel writes the kernel, times its own
# value, into its window, and the output is about $l$ times as large as the image.

# %% [markdown]
# Both on the brain, with a kernel of ones (divided by nine) and $l = 3$.

# %%
small = F.avg_pool2d(flair[None, None], 2)[0, 0]
ones = torch.ones(3, 3) / 9
pictures = {
    "image": small,
    "the definition, l = 3": dilated_convolution(small, ones, 3),
    "as printed, l = 3": printed_formula(small, ones, 3),
}
titles = [f"{name}\n{picture.shape[0]} x {picture.shape[1]} pixels" for name, picture in pictures.items()]

# %% tags=["plot"]
fig = figures.row_of_slices([picture.T for picture in pictures.values()], titles)
for ax in fig.axes:
    ax.set(xlabel="x (pixels)", ylabel="y (pixels)")
figures.show(
    fig,
    alt="A brain slice; its dilated convolution, blurred and six pixels smaller on each axis; and what the "
    "printed formula gives: the slice three times as large, each pixel a block.",
)

# %% [markdown]
# ### Exercise 8: what does the slide print?
#
# *3 minutes · difficulty 2 of 3*
#
# Which operation is it?
#
# - **A.** Transposed convolution with stride $l$.
# - **B.** Strided convolution with stride $l$.
# - **C.** Dilated convolution with dilation $l$: the definition with other letters.
# - **D.** Dilated convolution with the kernel flipped.

# %% tags=["exercise"]
### BEGIN SOLUTION
slide_formula = "A"
# > slide_formula = ...
### END SOLUTION

# %%
slide_formula = check("slide_formula", slide_formula)

# %% [markdown] tags=["solution"]
# **Solution.** Pixel (m, n) writes the kernel, times its value, into a window that begins at (l·m, l·n):
# these are notebook 02's stamps, l pixels apart, a transposed convolution with stride l. The factor $l$
# stands at the wrong index. At the *kernel's* index it spreads the kernel (dilation), at the *image's* index
# it spreads the pixels (transposed convolution). The two agree for $l = 1$ only, and there a test would have
# found nothing. Test with $l = 2$.

# %%
for stride in (1, 2, 3):
    transposed = F.conv_transpose2d(small[None, None], kernel[None, None], stride=stride)[0, 0]
    printed = printed_formula(small, kernel, stride)
    compare(f"as printed and conv_transpose2d, stride {stride}", printed, transposed)
full = F.conv2d(small[None, None], kernel.flip(0, 1)[None, None], padding=2)[0, 0]
compare("as printed, l = 1, and full convolution", printed_formula(small, kernel, 1), full)

# %% [markdown]
# ### A module for context
#
# Yu and Koltun, who made dilation popular for segmentation, put a *context module* behind a network: eight
# layers from $C$ channels to $C$, the first seven 3x3 with dilations 1, 1, 2, 4, 8, 16, 1, the last 1x1.
# Your recursion reproduces the row of their table 1, and the fields of their figure 1:

# %%
context_module = [Layer(3, dilation=d) for d in (1, 1, 2, 4, 8, 16, 1)] + [Layer(1)]
print("yours:   ", [receptive_field_of(context_module[:n])[0] for n in range(1, 9)])
print("table 1: ", [3, 5, 9, 17, 33, 65, 67, 67])
doubling = [Layer(3, dilation=d) for d in (1, 2, 4)]
print("yours:   ", [receptive_field_of(doubling[:n])[0] for n in (1, 2, 3)])
print("figure 1:", [3, 7, 15])
print("weights: ", sum(layer.kernel**2 for layer in context_module), "C^2")

# %% [markdown]
# $7 \cdot 9\,C^2 + C^2 = 64\,C^2$ weights, whatever the dilations: with dilation 1 everywhere they would buy
# a field of 15 pixels, here it has 67, and the image keeps its full resolution. Dilation looks like a free
# lunch.
#
# ## 4 · Holes
#
# The lecture shows a 3x3 kernel with dilation 2 and says that it covers 5x5, and that two of them cover 9x9.
# Your recursion agrees. But the recursion only tells where the first and the last pixel are. What lies
# between?
#
# ### Exercise 9: predict a number
#
# *4 minutes · difficulty 2 of 3*
#
# Take the slide's 9x9 field: two 3x3 layers, both with dilation 2. Of its 81 pixels, how many does one output
# depend on? Draw one axis on paper before you answer. (Exactly: a whole number.)

# %% tags=["exercise"]
### BEGIN SOLUTION
touched_pixels = 5 * 5  # positions 0, 2, 4, 6, 8 on each axis
# > touched_pixels = ...
### END SOLUTION

# %%
touched_pixels = check("touched_pixels", touched_pixels)

# %% [markdown] tags=["solution"]
# **Solution.** Both layers make steps of 2, so along one axis they reach 0, 2, 4, 6 and 8, and never an odd
# position: 5 of 9, and 5 · 5 = 25 of the 81 pixels. "Covers 9x9" is true for the corners and false for two
# pixels in three.

# %% [markdown]
# ### Exercise 10: which positions are touched?
#
# *10 minutes · difficulty 2 of 3*
#
# Now for any chain. Write a function that lists the input positions on which output 0 depends, along one
# axis. Go from the output down: begin with the position 0; each layer replaces a position $o$ of its output
# by the positions $o\,s - p + j\,d$, $j = 0, \dots, k-1$, of its input.


# %% tags=["exercise"]
def touched_positions(layers):
    """The input positions on which output 0 depends, ascending and each once; a list of ints."""
    ### BEGIN SOLUTION
    positions = {0}
    for layer in reversed(layers):
        positions = {
            o * layer.stride - layer.padding + j * layer.dilation
            for o in positions
            for j in range(layer.kernel)
        }
    return sorted(positions)
    ### END SOLUTION


# %%
touched_positions = check("touched_positions", touched_positions)

# %% [markdown] tags=["solution"]
# **Solution.** The recursion of exercise 1 runs from the input up and keeps three numbers; this one runs from
# the output down and keeps the whole set. The set's first and last element are what the recursion knows, and
# its gaps are what the recursion can't see. `course_utils.receptive_field.touched` does the same and knows
# transposed convolutions as well.

# %%
pairs = {}
for dilations in ((2, 2), (1, 3), (1, 2)):
    positions = touched_positions([Layer(3, dilation=d) for d in dilations])
    pairs[f"dilations {dilations[0]} and {dilations[1]}"] = positions
    print(dilations, "touch", positions, "along one axis")

# %% tags=["plot"]
figures.show(
    interactive.show_touched_pixels(pairs),
    alt="Touched pixels of two 3x3 layers, as orange cells of one size. Dilations 2 and 2: every second "
    "pixel of every second row of a 9x9 square, 25 of 81. Dilations 1 and 3: the whole 9x9 square. Dilations "
    "1 and 2: the whole 7x7 square.",
)

# %% [markdown]
# With dilations 1 and 3 all 81 pixels are read, by the same 18 weights. So the catch of section 1 isn't
# dilation, it is repeating the *same* dilation. And Yu and Koltun's pair, 1 and 2, spans 7x7 without a hole.
#
# Try it. The widget draws **your** function: set kernel, stride and dilation of three layers, and see what
# lights up. Three things to find out:
#
# 1. Set all three dilations to 2. What do the neighbours of a lit pixel look like? Then change *one* of them
#    to 1.
# 2. Set the dilations to 1, 2, 5 (layers 1 to 3). Now 5, 2, 1. Does the order matter for what is touched?
# 3. Set dilation 1 everywhere, kernel 2 and stride 2 in layer 2 (a pooling). How wide is a step of layer 3?
#
# (If you see no sliders, you read a printed page; the pictures above show the idea.)

# %%
interactive.receptive_field_layers(touched_positions)

# %% [markdown] tags=["solution"]
# **What you find.** (1) The neighbours of a lit pixel are dark, in both directions; one layer of dilation 1
# fills the gaps. (2) With stride 1 the order doesn't matter: the touched set is the sum of the layers'
# offsets. (3) Two pixels: behind the pooling every step is worth two.

# %% [markdown]
# ### Exercise 11: explain the picture
#
# *4 minutes · difficulty 2 of 3*
#
# What do holes do to an image? Here is a network of three layers that only averages: all weights are equal,
# and each output is a mean of pixels from its field. The image has stripes, one pixel wide, in its left
# half, and noise in its right half. A mean over so wide a field should leave next to nothing of either.

# %%
generator = torch.Generator().manual_seed(1)
stripes = (torch.arange(48) % 2).double().expand(48, 48).clone()
stripes[:, 24:] = torch.rand(48, 24, generator=generator).round()


def averaged(image, dilations):
    for d in dilations:
        padded = F.pad(image[None, None], (d, d, d, d), mode="reflect")
        image = F.conv2d(padded, torch.ones(1, 1, 3, 3) / 9, dilation=d)[0, 0]
    return image


pictures = [stripes, averaged(stripes, (2, 2, 2)), averaged(stripes, (1, 2, 3))]

# %% tags=["plot"]
fig = figures.row_of_slices(
    [picture.T for picture in pictures],
    ["image", "dilations 2, 2, 2", "dilations 1, 2, 3"],
    window=(0, 1),
)
for ax in fig.axes:
    ax.set_xlabel("x (pixels)")
fig.axes[0].set_ylabel("y (pixels)")
figures.show(
    fig,
    alt="Left: an image with vertical stripes in its left half and black-and-white noise in its right half. "
    "Middle, dilations 2, 2, 2: the stripes are as sharp as before, the noise is smoothed. Right, dilations "
    "1, 2, 3: all is nearly grey, faint stripes remain.",
)

# %% [markdown]
# With dilations 2, 2, 2 the field is 13x13, and the noise is smoothed, to a fine chessboard. Why did the
# stripes survive?
#
# - **A.** The layers pass the image on: nine equal weights are too few for a mean over 13x13 pixels.
# - **B.** Dilation leaves out every second output; the missing ones were copied from the image.
# - **C.** Three layers are too few: with more layers of dilation 2 the stripes would go.
# - **D.** Each output reads only columns of its own kind, even or odd: it averages over stripes of one
#   colour.

# %% tags=["exercise"]
### BEGIN SOLUTION
gridding_picture = "D"
# > gridding_picture = ...
### END SOLUTION

# %%
gridding_picture = check("gridding_picture", gridding_picture)

# %% [markdown] tags=["solution"]
# **Solution.** With every dilation even, a path from an even column ends at an even column, always: each
# output averages over columns of its own kind, and all of these have one colour. The network falls apart into
# four (even and odd rows, even and odd columns) that never exchange anything, and neighbouring outputs share
# no input. In segmentations this shows as a chessboard of little errors, called **gridding**. More layers of
# dilation 2 don't help. A layer with an odd dilation mixes the four again; here, beside layers of dilation 2,
# one with dilation 1 leaves no hole.

# %% [markdown]
# Here are seven schedules of three 3x3 layers, along one axis. Wang et al. proposed a rule for choosing them,
# *hybrid dilated convolution*: with dilations $r_1, \dots, r_n$ from input to output, let $M_n = r_n$ and
#
# $$M_i = \max\,(M_{i+1} - 2 r_i,\;\; 2 r_i - M_{i+1},\;\; r_i) ,$$
#
# and ask for $M_2 \le k$. $M_i$ is meant as the largest distance between neighbours that the layers from $i$
# on leave. *Predict:* which of the seven have holes, and does the rule find them?


# %%
def hybrid_rule(dilations):
    """M_2 of Wang et al. (2018)."""
    m = dilations[-1]
    for r in dilations[-2:0:-1]:
        m = max(m - 2 * r, 2 * r - m, r)
    return m


rows = {}
for dilations in ((1, 1, 1), (1, 2, 4), (1, 2, 5), (1, 3, 9), (1, 2, 9), (2, 2, 2), (2, 2, 3)):
    positions = touched_positions([Layer(3, dilation=d) for d in dilations])
    m2 = hybrid_rule(dilations)
    rule = f"M2 = {m2}: the rule says {'yes' if m2 <= 3 else 'no'}"
    rows[str(dilations)] = (positions, f"{len(positions)} of {positions[-1] + 1} touched, {rule}")

# %% tags=["plot"]
figures.show(
    interactive.show_schedules(rows),
    alt="Touched positions of seven schedules as blue bars on grey, from top to bottom. 1 1 1: 7 of 7; "
    "1 2 4: 15 of 15; 1 2 5: 17 of 17; 1 3 9: 27 of 27; 1 2 9: 21 of 25, with holes; 2 2 2: 7 of 13, every "
    "second one; 2 2 3: 13 of 15. The rule says no for 1 2 9 only.",
)

# %% [markdown]
# The rule accepts (1, 2, 5) and rejects (1, 2, 9), as it should. But it also accepts (2, 2, 2), with its 49
# of 169 pixels: $M_2 \le 3$ isn't enough. The authors add, in words, that the dilations should have no
# common factor. Read as "no divisor that all of them share", even that isn't enough: (2, 2, 3) passes both
# tests and leaves 2 of 15 positions untouched. Read as "no two of them share a divisor", it forbids
# (1, 2, 4), which has no hole. Counting is easy and certain: `touched_positions` does it for any schedule.
#
# ### Exercise 12: the widest field without holes
#
# *8 minutes · difficulty 3 of 3*
#
# Given $n$ layers with 3x3 kernels and stride 1: which dilations give the widest field *without any hole*?
# Write a function that returns the list for any $n$. *Think first:* how many positions can $n$ layers of
# three taps touch at the very most? Look for a schedule in the last picture that reaches this number.


# %% tags=["exercise"]
def widest_without_holes(layers):
    """Dilations for this number of 3x3 layers: the widest field without holes; a list of ints."""
    ### BEGIN SOLUTION
    return [3**i for i in range(layers)]
    ### END SOLUTION


# %%
widest_without_holes = check("widest_without_holes", widest_without_holes)

# %% [markdown] tags=["solution"]
# **Solution.** Powers of three: each layer puts three copies of what was reached before side by side, and no
# position is read twice. With three taps $n$ layers have $3^n$ paths, so they can't touch more than $3^n$
# positions, and these reach as many. (It is the number system with the digits −1, 0, 1: every position has
# exactly one path.) That is the extreme, not the recommendation: with one path to each pixel, the weight of a
# pixel is one product of $n$ weights, and nothing can be learned about it alone. Powers of two leave several
# paths to most pixels.

# %%
for n in range(1, 6):
    dilations = widest_without_holes(n)
    chain = [Layer(3, dilation=d) for d in dilations]
    touched, size = len(touched_positions(chain)), receptive_field_of(chain)[0]
    print(f"{n} layers: {touched:3} of {size:3} positions touched, dilations {dilations}")

# %% [markdown]
# ## 5 · A whole network, with its branches
#
# The U-Net isn't a chain: it has skip connections and makes its image larger again. No recursion of three
# numbers describes it, but a gradient does. `receptive_field.measure` runs any network with all weights
# equal and positive, so that nothing can cancel, and looks at which inputs an output depends on, at all
# positions of one period.

# %%
unet = UNet(in_channels=1, out_channels=2, base_channels=1)  # more channels wouldn't change what is seen
measured = receptive_field.measure(unet, (572, 572))
print("U-Net, 572x572:", measured)
print("at 16 neighbouring outputs:", *measured.sizes[0])

# %% [markdown]
# Two different fields, depending on where the output lies! Papers and blogs name one number, 188 or another.
# Both are right somewhere. Here are the fields of two outputs, six pixels apart:

# %%
middle = unet.output_size((572, 572))[0] // 2
fields = {}
for place in (middle - 2, middle + 4):
    pixels = receptive_field.touched_by_network(unet, (572, 572), position=(place, place))
    rows_seen = pixels.any(dim=1).nonzero()[:, 0].tolist()
    fields[f"output at {place}"] = (rows_seen[0], rows_seen[-1])
    print(f"output at {place}: rows {rows_seen[0]} to {rows_seen[-1]}, {len(rows_seen)} of them")

# %% tags=["plot"]
figures.show(
    interactive.show_fields(measured.sizes[0], fields, 572),
    alt="Left: the field's size at 16 neighbouring output positions: 204 pixels at twelve of them, 188 at "
    "four in a row. Right: two squares of 188 (dashed) and 204 pixels (solid) in the input of 572 x 572 "
    "pixels, with the same upper left corner: the larger one reaches 16 pixels further right and down.",
)

# %% [markdown]
# ### Exercise 13: explain the picture
#
# *5 minutes · difficulty 3 of 3*
#
# Why do outputs of one and the same network see 188 or 204 pixels?
#
# - **A.** On the way up, an output's position decides from how many coarser pixels its neighbourhood comes.
# - **B.** Some weights are zero by chance.
# - **C.** Max pooling passes on one of four pixels; where it takes an outer one, the field is wider.
# - **D.** Zeros at the image's border shorten the field of some outputs.

# %% tags=["exercise"]
### BEGIN SOLUTION
unet_phase = "A"
# > unet_phase = ...
### END SOLUTION

# %%
unet_phase = check("unet_phase", unet_phase)

# %% [markdown] tags=["solution"]
# **Solution.** Two 3x3 convolutions on the way up read 5 neighbouring pixels of the upsampled map, and which
# coarser pixels *those* come from depends on their position: so on down to the bottom, where one pixel more
# or less means 16 input pixels, 204 − 188. Each pixel of an upsampled map comes from exactly one coarser
# pixel (up-convolution 2x2, stride 2). It is the price of coming back from a grid of 16. The same grid is why
# shifting the input by a pixel changes a U-Net's answer a little.

# %% [markdown]
# The deepest path of the U-Net is a chain again, with transposed convolutions in it. The package's `touched`
# follows it, position by position, and agrees with the gradient:

# %%
two = [Layer(3), Layer(3)]
down, up = [*two, Layer(2, stride=2)], [Layer(2, stride=2, transposed=True), *two]
deepest_path = down * 4 + two + up * 4 + [Layer(1)]
by_chain = [len(receptive_field.touched(deepest_path, o)) for o in range(16)]
print("deepest path, outputs 0 to 15:", *by_chain)
print("the same sizes as measured:", sorted(by_chain) == sorted(measured.sizes[0]))

lab = UNet(in_channels=4, out_channels=4, base_channels=1, depth=4, padding="same", normalisation="instance")
in_the_lab = receptive_field.measure(lab, (208, 208), in_channels=4)
print("the lab's U-Net (notebook 11), in pixels of 2 mm:", in_the_lab)

# %% [markdown]
# ## 6 · Theoretical and effective
#
# Up to here a pixel was either seen or not. But an output doesn't care equally for all pixels of its field.
# The lecture uses the words "effective receptive field" for what we computed so far; in the literature that
# is the *theoretical* one. The **effective** receptive field (Luo et al., 2016) is how strongly the output
# depends on each pixel.
#
# Take $n$ layers whose $k$ weights are all $1/k$. The weight of a pixel is the number of paths that lead to
# it, divided by $k^n$: the layers' kernels convolved with each other. That is the distribution of a sum of
# $n$ dice with $k$ faces, and a sum of many dice is a bell curve.


# %%
def path_shares(n, k=3):
    """The share of paths from one output to each pixel of its field, n layers with k equal weights."""
    shares = torch.ones(1)
    for _ in range(n):
        shares = F.conv1d(shares[None, None], torch.ones(1, 1, k) / k, padding=k - 1)[0, 0]
    return shares


# %% tags=["plot"]
fig, axes = plt.subplots(1, 4, figsize=(9, 2.5), sharey=True)
for ax, n in zip(axes, (1, 2, 8, 32)):
    shares = path_shares(n)
    ax.bar(np.arange(len(shares)) - n, shares, width=1, color=figures.COLOURS["blue"])
    ax.set(title=f"{n} layer{'s' * (n > 1)}: {2 * n + 1} pixels", xlabel="position (pixels)")
axes[0].set_ylabel("share of the paths")
figures.show(
    fig,
    alt="Shares of paths to each pixel for 1, 2, 8 and 32 layers, on one vertical scale: a block of three "
    "bars, a triangle, a bell, and a low bell that is narrow within its field of 65 pixels: outside about 15 "
    "pixels nothing can be seen.",
)

# %% [markdown]
# With 32 layers the field has 65 pixels, but the outer half of them have next to no weight. One number for
# the width of a bell is its standard deviation.
#
# ### Exercise 14: the effective width
#
# *8 minutes · difficulty 2 of 3*
#
# Write the standard deviation of the *position*, when position $i$ counts with weight $w_i \ge 0$. The
# weights needn't add up to one, and section 7 will pass them in float32.


# %% tags=["exercise"]
def effective_sigma(weights):
    """Standard deviation, in pixels, of the position i = 0, 1, ... with weights (n,) >= 0; a float."""
    ### BEGIN SOLUTION
    positions = torch.arange(len(weights))
    share = weights / weights.sum()
    mean = (share * positions).sum()
    return (share * (positions - mean) ** 2).sum().sqrt().item()
    ### END SOLUTION


# %%
effective_sigma = check("effective_sigma", effective_sigma)

# %% [markdown] tags=["solution"]
# **Solution.** It is the root of the weighted mean of the squared distance to the weighted mean: each
# position counts with its share of all weight. It says within how many pixels of the middle most of the
# weight lies: two thirds of a bell lie within one σ.

# %% [markdown]
# For equal weights there is a formula. One die with faces $0, \dots, k-1$ has the variance $(k^2-1)/12$, and
# variances of independent dice add up: $\sigma = \sqrt{n\,(k^2-1)/12}$ for $n$ layers, exactly.

# %%
for n, k in ((1, 3), (2, 3), (8, 3), (32, 3), (8, 5)):
    sigma, formula = effective_sigma(path_shares(n, k)), np.sqrt(n * (k**2 - 1) / 12)
    print(f"{n:2} layers of {k}: field {1 + n * (k - 1):2}, sigma {sigma:.6f}, formula {formula:.6f}")

# %% [markdown]
# ### Exercise 15: predict a number
#
# *4 minutes · difficulty 2 of 3*
#
# A network should *use* pixels some 10 pixels away: its σ should be 10. How many plain 3x3 layers with equal
# weights does that take? (Exactly: a whole number, the number of layers.) And, on paper only: how wide is
# their theoretical field?

# %% tags=["exercise"]
### BEGIN SOLUTION
layers_for_sigma = round(10**2 / ((3**2 - 1) / 12))
# > layers_for_sigma = ...
### END SOLUTION

# %%
layers_for_sigma = check("layers_for_sigma", layers_for_sigma)

# %% [markdown] tags=["solution"]
# **Solution.** The variance grows with the number of layers, by 8/12 each, so a σ of 10 takes 100 · 12/8 =
# 150 layers, whose theoretical field has 301 pixels. To double σ takes four times the layers, for σ grows
# like $\sqrt n$, the field like $n$. The share of the field that is used falls like $1/\sqrt n$. Depth alone
# is a slow way to see far.

# %% [markdown]
# Real networks have random weights at first, rectifiers, and channels. We measure: the gradient of the
# middle output with respect to the input, squared (random signs average out in the sum, squares don't), as a
# mean over networks and inputs. By the same argument as above, the squares spread like the dice.


# %%
class Residual(nn.Module):
    """A layer with a skip connection around it."""

    def __init__(self, layer):
        super().__init__()
        self.layer = layer

    def forward(self, x):
        return x + self.layer(x)


def random_network(depth, skip, channels=8):
    """3x3 layers with random weights, He initialisation; with or without skip connections."""
    network = nn.Sequential(nn.Conv2d(1, channels, 1))
    for _ in range(depth):
        convolution = nn.Conv2d(channels, channels, 3, padding=1)
        nn.init.kaiming_normal_(convolution.weight)
        layer = nn.Sequential(nn.ReLU(), convolution)
        network.append(Residual(layer) if skip else layer)
    return network


# %%
def squared_gradient(network, images):
    """Squared gradient of the middle output with respect to the input, a mean over images; (h, w)."""
    images = images.clone().requires_grad_()
    middle = [edge // 2 for edge in images.shape[2:]]
    output = network(images)[:, :, middle[0], middle[1]].sum()
    (gradient,) = torch.autograd.grad(output, images)
    return (gradient**2).mean(dim=(0, 1))


# %% [markdown]
# *Predict:* what does a skip connection around every layer, $x + \mathrm{conv}(\mathrm{relu}(x))$, do to the
# width?

# %%
depth, maps = 12, {}
formula = np.sqrt(depth * (3**2 - 1) / 12)
print(f"{depth} layers: theoretical field {2 * depth + 1} pixels, formula for sigma {formula:.2f}")
for name, skip in (("without skip connections", False), ("with skip connections", True)):
    torch.manual_seed(0)
    measurements = [
        squared_gradient(random_network(depth, skip), torch.randn(4, 1, 41, 41)) for _ in range(25)
    ]
    energy = torch.stack(measurements).mean(dim=0)
    sigma = effective_sigma(energy.sum(dim=0))
    print(f"{name}: sigma {sigma:.2f}, {sigma / formula:.2f} of the formula")
    maps[f"{name}\nsigma {sigma:.2f} pixels"] = energy.sqrt() / energy.sqrt().max()

# %% tags=["plot"]
fig = figures.row_of_maps(list(maps.values()), list(maps), label="root mean square gradient\n(1 = largest)")
for ax in fig.axes[:2]:
    square = {"fill": False, "linewidth": 2, "edgecolor": figures.COLOURS["orange"]}
    ax.add_patch(plt.Rectangle((20 - depth - 0.5, 20 - depth - 0.5), 2 * depth + 1, 2 * depth + 1, **square))
figures.show(
    fig,
    alt="Two maps of the gradient of a middle output of 12 random layers, each a round spot that fades long "
    "before it reaches the orange square of 25 x 25 pixels, the theoretical field. With skip connections the "
    "spot is clearly smaller.",
)

# %% [markdown]
# The orange square is the theoretical field. Random weights and rectifiers change little: the formula holds,
# roughly. Skip connections make the effective field *smaller*: a path may now go around a layer, and then it
# doesn't spread there. If half of the gradient goes around each layer, only half of the layers spread it,
# and σ falls to $1/\sqrt 2 \approx 0.71$ of what it was. (With a skip connection networks can be made
# deeper, which more than makes up for it.)
#
# ## 7 · How much context does a tumour need?
#
# Now with data: networks that find the whole tumour on axial slices of the cohort, at 4 mm a pixel. Five of
# them, alike in all but what they see: four hidden layers, about 7,500 weights, the same training. Replacing
# 3x3 layers by (wider) 1x1 layers, or dilating them, gives fields of 1, 5, 15, 31 and 45 pixels, without
# holes.

# %%
SCHEDULES = {  # the field in pixels: the layers' dilations (None: a 1x1 layer), and channels
    1: ((None, None, None, None), 47),
    5: ((1, 1, None, None), 24),
    15: ((1, 1, 2, 3), 16),
    31: ((1, 2, 4, 8), 16),
    45: ((1, 3, 6, 12), 16),
}


def small_network(dilations, channels):
    """Four hidden layers: 3x3 with a dilation, or 1x1 where the dilation is None; then two classes."""
    network, entering = nn.Sequential(), 4
    for d in dilations:
        kernel = {"kernel_size": 1} if d is None else {"kernel_size": 3, "padding": d, "dilation": d}
        network.append(nn.Conv2d(entering, channels, bias=False, **kernel))
        network.extend([nn.BatchNorm2d(channels), nn.ReLU()])
        entering = channels
    return network.append(nn.Conv2d(channels, 2, 1))


# %%
torch.set_default_dtype(torch.float32)  # from here on we train: seven digits are enough, and twice as fast
for field, (dilations, channels) in SCHEDULES.items():
    chain = [Layer(1) if d is None else Layer(3, dilation=d) for d in dilations]
    touched, size = len(touched_positions(chain)), receptive_field_of(chain)[0]
    weights = sum(parameter.numel() for parameter in small_network(dilations, channels).parameters())
    print(f"{4 * field:3} mm: {touched:2} of {size:2} positions touched, {weights:,} weights")

# %% [markdown]
# Training slices of 26 subjects, and ten subjects that no network sees before the end. (The slices are read
# and prepared in some ten seconds.)


# %%
def at_four_millimetres(cases):
    """Slices (N, 4, X, Y) of these cases at half the resolution, and where half a pixel or more is tumour."""
    data = batches.TrainingSlices(cases)
    tumour = (data.labels > 0).float()[:, None]
    return F.avg_pool2d(data.images, 2), (F.avg_pool2d(tumour, 2) >= 0.5).long()[:, 0]


def training_and_held_out(seed):
    """The slices of 26 subjects that show tumour, (images, labels), and a pair for each of ten others."""
    subjects = cohort.split(cohort.synthetic_cases(40), seed=seed, train=26, validation=0, test=10)
    images, labels = at_four_millimetres(subjects.train)
    chosen = (labels > 0).any(dim=(1, 2))
    return (images[chosen], labels[chosen]), [at_four_millimetres([case]) for case in subjects.test]


(images, labels), held_out = training_and_held_out(seed=0)
print("training slices:", tuple(images.shape), "  held-out subjects:", len(held_out))


# %%
def train(network, images, labels, steps):
    """Adam on batches of 12 slices; the learning rate rises and falls once; Dice + cross-entropy."""
    optimizer = torch.optim.Adam(network.parameters())
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=0.012, total_steps=steps)
    network.train()
    for _ in tqdm(range(steps), desc="training", leave=False):
        chosen = torch.randint(len(images), (12,))
        loss = losses.dice_cross_entropy_loss(network(images[chosen]), labels[chosen])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
    network.eval()


# %% [markdown]
# Two things to measure: the Dice of each held-out subject, and the effective width of the decision in a
# slice's middle, by exercise 14.


# %%
def dice_of_subjects(network, held_out):
    """Dice of the tumour for each held-out subject."""
    with torch.no_grad():
        return [
            metrics.dice_score(network(image).argmax(dim=1).numpy() == 1, label.numpy() == 1)
            for image, label in held_out
        ]


def sigma_of(network, images):
    """Effective width (pixels) of the tumour's logit minus the other's, mean of both axes."""
    network.eval()
    energy = squared_gradient(lambda batch: network(batch).diff(dim=1), images)
    return (effective_sigma(energy.sum(dim=0)) + effective_sigma(energy.sum(dim=1))) / 2


# %% [markdown]
# One of the five, in view: the one that sees 15 pixels, 60 mm. *Predict:* does training widen the part of the
# field that it uses, or narrow it?

# %%
torch.manual_seed(0)
network = small_network(*SCHEDULES[15])
before = sigma_of(network, images[::8])
train(network, images, labels, steps=480)
scores = dice_of_subjects(network, held_out)
print(f"mean Dice of ten held-out subjects: {np.mean(scores):.3f}, lowest {min(scores):.3f}")
print(f"sigma: {4 * before:.1f} mm before training, {4 * sigma_of(network, images[::8]):.1f} mm after")

# %% [markdown]
# One training proves little. `experiments/04_receptive_field.py` repeats it for all five fields and five
# seeds, with these functions; each seed has its own split of the subjects, initial weights and batches. Its
# results come with the course.
#
# *Predict, before you run:* draw a curve of Dice against the field's size. Where is it steep, where flat,
# does it ever fall?

# %%
results = record.read(paths.repository_root() / "experiments" / "results" / "04_receptive_field.json")
fields_mm = [4 * field for field in SCHEDULES]


def table(key, steps):
    """One row a seed, one column a field."""
    runs = [run for run in results["runs"] if run["steps"] == steps]
    rows = [[run[key] for run in runs if run["seed"] == seed] for seed in results["seeds"]]
    return np.array(rows)


dice = table("dice", steps=480).mean(axis=2)  # over subjects
print("Dice, 480 steps; field", *(f"{field:4} mm" for field in fields_mm))
for seed, row_of_seed in zip(results["seeds"], dice):
    print(f"                seed {seed}", *(f"{score:7.3f}" for score in row_of_seed))

# %% tags=["plot"]
figures.show(
    interactive.show_context(
        fields_mm,
        {f"seed {seed}": scores for seed, scores in zip(results["seeds"], dice)},
        {
            "before training": 4 * table("sigma_before", 480).mean(axis=0),
            "after 480 steps": 4 * table("sigma_after", 480).mean(axis=0),
        },
    ),
    alt="Left: mean Dice of held-out subjects against the theoretical field of 4, 20, 60, 124 and 180 mm on "
    "a logarithmic axis, one line for each of five seeds. All lines are lowest at 4 mm, rise steeply to 20 "
    "mm, are highest at 60 mm and fall towards 180 mm. Right: the effective width before and after training "
    "for 20 to 180 mm: after training it is smaller at every field.",
)

# %% [markdown]
# ### Exercise 16: explain the picture
#
# *5 minutes · difficulty 2 of 3*
#
# - **A.** The more a network can see, the better it gets.
# - **B.** Context doesn't matter here: intensities alone tell what is tumour.
# - **C.** Context helps, but not without end: with as many weights and steps, the widest field didn't pay.
# - **D.** Training widens the effective field until it fills the theoretical one.

# %% tags=["exercise"]
### BEGIN SOLUTION
context_picture = "C"
# > context_picture = ...
### END SOLUTION

# %%
context_picture = check("context_picture", context_picture)

# %% [markdown] tags=["solution"]
# **Solution.** Context helps, up to a point: in every seed Dice rises steeply from 4 to 20 mm, and the widest
# field, 180 mm, is never the best. A single pixel can't tell oedema from other bright tissue, a few
# centimetres around it can. As to the widest field: in all five seeds it lies 0.04 to 0.12 below 60 mm, which
# wins each time. That isn't for lack of training: after a quarter of it, 120 steps, the best field is 20, 60
# or 124 mm, depending on the seed, and 180 mm is only 0.02 to 0.07 behind it. What else it is, these runs
# don't say.
#
# The right panel: training makes the effective fields *narrower* than they are by chance, in every seed, by
# 13 to 44 percent: near pixels seem to be the most telling ones here. (Luo et al. saw the opposite, fields
# that grow in training, on other tasks. It depends on what there is to learn.) So the theoretical field is an
# upper bound, to be computed before training; what a network uses must be measured after it.

# %% [markdown]
# These are small networks of one kind on one cohort: they show *that* a wide field isn't free, not where the
# best one lies for your data. Find out more with the functions above: does the widest network catch up if its
# layers pad by reflection instead of zeros (`padding_mode="reflect"`)? If its dilations come in the order 12,
# 6, 3, 1? Which of these changes leaves everything else equal?
#
# ## Summary
#
# You built the recursion for receptive fields, causal and dilated convolutions, the set of touched pixels, a
# schedule without holes, and the effective width. Remember:
#
# - size += $(k-1)\,d$ · jump, start −= $p$ · jump, **then** jump ·= $s$. Strides widen what comes after them.
# - $\lceil(\text{size}-1)/(k-1)\rceil$ plain layers, or a handful with strides or doubling dilations.
# - Causal is an alignment: all padding on one side. Test it by perturbing the future.
# - Dilation puts $l$ at the *kernel's* index. At the image's index, as printed on the slide, it is a
#   transposed convolution.
# - **The field's size says nothing about its holes.** Two layers of dilation 2 read 25 of 81 pixels. Even
#   dilations only, and the network falls apart into four. Check every schedule by counting.
# - Coming back from a coarse grid, outputs differ: the U-Net sees 188 or 204 pixels.
# - The effective field is a bell inside the theoretical one: σ grows like $\sqrt n$. Skip connections narrow
#   it.
# - More field isn't more knowledge. It has to be learned, and it has to be worth learning.
#
# Next, notebook 05 builds the U-Net, and runs it on images larger than memory.

# %%
check.progress()

# %% [markdown]
# ## References
#
# 1. O. Colliot, M. Vakalopoulou, *Deep learning for medical imaging, Part 4: Segmentation*, lecture, Master
#    MVA, 2019-20: growth of the receptive field, causal and dilated convolution.
# 2. A. Araujo, W. Norris, J. Sim, *Computing receptive fields of convolutional neural networks*, Distill,
#    2019, https://doi.org/10.23915/distill.00021: the recursion, with derivations.
# 3. W. Luo, Y. Li, R. Urtasun, R. Zemel, *Understanding the effective receptive field in deep convolutional
#    neural networks*, NeurIPS 2016, arXiv:1701.04128: the bell curve, $\sqrt n$, training and skip
#    connections.
# 4. F. Yu, V. Koltun, *Multi-scale context aggregation by dilated convolutions*, ICLR 2016,
#    arXiv:1511.07122: the context module, figure 1, table 1.
# 5. P. Wang et al., *Understanding convolution for semantic segmentation*, WACV 2018, arXiv:1702.08502:
#    gridding, hybrid dilated convolution.
# 6. A. van den Oord et al., *WaveNet: a generative model for raw audio*, 2016, arXiv:1609.03499: causal
#    dilated convolution.
# 7. J. Long, E. Shelhamer, T. Darrell, *Fully convolutional networks for semantic segmentation*, CVPR 2015,
#    arXiv:1411.4038: the field of 404 pixels.
# 8. O. Ronneberger, P. Fischer, T. Brox, *U-Net*, MICCAI 2015, arXiv:1505.04597.
# 9. W. Li et al., *On the compactness, efficiency, and representation of 3D convolutional networks: brain
#    parcellation as a pretext task* (HighRes3DNet), IPMI 2017, arXiv:1707.01992.
# 10. K. Kamnitsas et al., *Efficient multi-scale 3D CNN with fully connected CRF for accurate brain lesion
#     segmentation* (DeepMedic), Medical Image Analysis 36, 2017, arXiv:1603.05959.
