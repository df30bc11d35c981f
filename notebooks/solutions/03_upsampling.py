# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 03 · Upsampling, its artefacts, and skip connections
#
# On its way down a segmentation network learns *what* is in the image and forgets *where* exactly. On the
# way up it has to give every pixel an answer. This notebook builds all the ways up, looks for the patterns
# that they leave behind, and measures what a skip connection brings back.
#
# **You build:** every way from a small feature map back to the size of the image: nearest neighbour, bed of
# nails, max unpooling, FCN's bilinear kernel and transposed convolution. Then a meter for checkerboard
# artefacts, and an encoder-decoder with and without skip connections.
#
# **Time:** computed
#
# **You need:** notebook 02 (transposed convolution as stamping, its matrix, its sizes).
#
# **Checks:** as in notebook 00: run your cell, then the one below it; `check.hint("...")` nudges,
# `check.solution("...")` tells.
#
# **You will be able to**
#
# - write each unpooling, and say which of them are transposes of which poolings;
# - describe a transposed convolution as zero-fill and convolution, for any stride, padding and kernel;
# - tell from kernel and stride alone whether stamps overlap evenly, and why that is not yet a guarantee;
# - measure a checkerboard in an image, before and after training;
# - say what resize-convolution guarantees, and what it costs;
# - measure where skip connections help, and how much.

# %% tags=["bootstrap"]
# generated

# %%
import copy
import itertools
import json

import matplotlib.pyplot as plt
import numpy as np
import torch
import torch.nn.functional as F
from scipy.ndimage import distance_transform_edt
from torch import nn
from tqdm.auto import tqdm

from course_utils import cohort, figures, losses, metrics, paths
from course_utils.checking import compare
from course_utils.checks.upsampling import check
from course_utils.cohort import batches
from course_utils.interactive import upsampling as interactive

figures.use_style()
torch.set_default_dtype(torch.float64)  # for exact comparisons; the networks below are trained in float32
torch.set_num_threads(1)  # networks as small as these gain nothing from more
torch.manual_seed(0)

# %% [markdown]
# ## 1 · Three ways without weights
#
# A feature map of 2x2 values has to become one of 4x4. Sixteen pixels, four numbers: somebody has to say
# what the other twelve are. The lecture's example is
#
# $$x = \begin{pmatrix} 1 & 2 \\ 3 & 4 \end{pmatrix},$$
#
# and the first answer is the plainest one: each value fills a square of its own. That is **nearest
# neighbour**.
#
# $$\begin{pmatrix} 1 & 2 \\ 3 & 4 \end{pmatrix} \longrightarrow
# \begin{pmatrix} 1 & 1 & 2 & 2 \\ 1 & 1 & 2 & 2 \\ 3 & 3 & 4 & 4 \\ 3 & 3 & 4 & 4 \end{pmatrix}$$
#
# ### Exercise 1: nearest neighbour
#
# *3 minutes · difficulty 1 of 3*
#
# Write it for any factor. `x` is one plane, (height, width); in a network each channel is treated like this
# by itself.


# %% tags=["exercise"]
def nearest_neighbour(x, factor):
    """Each value of `x` (height, width) fills factor x factor pixels; (height * factor, width * factor)."""
    ### BEGIN SOLUTION
    return x.repeat_interleave(factor, dim=0).repeat_interleave(factor, dim=1)
    ### END SOLUTION


# %%
nearest_neighbour = check("nearest_neighbour", nearest_neighbour)

# %% [markdown] tags=["solution"]
# **Solution.** Output pixel (r, c) shows input pixel (r // factor, c // factor): each value is repeated
# `factor` times along both axes. No weights, nothing to learn, no new information: the picture is as coarse
# as before, there is only more of it.

# %% [markdown]
# The second answer is more modest. It says nothing about the other twelve pixels: they stay zero, and the
# values stand in the top left corners of their squares, like nails in a board. This is the **bed of
# nails**.
#
# $$\begin{pmatrix} 1 & 2 \\ 3 & 4 \end{pmatrix} \longrightarrow
# \begin{pmatrix} 1 & 0 & 2 & 0 \\ 0 & 0 & 0 & 0 \\ 3 & 0 & 4 & 0 \\ 0 & 0 & 0 & 0 \end{pmatrix}$$
#
# ### Exercise 2: bed of nails
#
# *3 minutes · difficulty 1 of 3*
#
# Write it for any factor. The result is `factor` times as high and as wide, so zeros follow the last nail,
# too.


# %% tags=["exercise"]
def bed_of_nails(x, factor):
    """Each value of `x` (height, width) and zeros around it; (height * factor, width * factor)."""
    ### BEGIN SOLUTION
    height, width = x.shape
    board = x.new_zeros(height * factor, width * factor)
    board[::factor, ::factor] = x
    return board
    ### END SOLUTION


# %%
bed_of_nails = check("bed_of_nails", bed_of_nails)

# %% [markdown] tags=["solution"]
# **Solution.** Value (i, j) stands at pixel (i · factor, j · factor) and all else is zero: a slice with a
# step writes it. On its own a bed of nails is a strange image. It is meant to be followed by a convolution,
# which spreads each nail over its neighbourhood: that will be the transposed convolution (section 4).

# %% [markdown]
# The third answer remembers. Where had the value been, before pooling threw the others away? **Max
# pooling** takes the largest value of each window; **max unpooling** puts a value back at the place where
# the largest one had been. Somebody must have written the places down.
#
# The lecture's plane, its pooled values, and the places:
#
# $$\begin{pmatrix} 1 & 2 & 6 & 3 \\ 3 & 5 & 2 & 1 \\ 1 & 2 & 2 & 1 \\ 7 & 3 & 4 & 8 \end{pmatrix}
# \longrightarrow \begin{pmatrix} 5 & 6 \\ 7 & 8 \end{pmatrix}
# \quad\text{at}\quad \begin{pmatrix} 5 & 2 \\ 12 & 15 \end{pmatrix}$$
#
# A place is one number: pixels are counted in reading order, so that pixel (row, column) has the number row
# · width + column. PyTorch counts in the same way.
#
# ### Exercise 3: max pooling that remembers
#
# *8 minutes · difficulty 2 of 3*
#
# Return the pooled values and their places, both as tensors. Where a window has several equal maxima, take
# the first in reading order. Where `size` doesn't divide the height or the width, the rows and columns left
# over belong to no window.


# %% tags=["exercise"]
def max_pool_with_indices(x, size):
    """Max pooling of `x` (height, width) by windows of size x size.

    Returns values and indices, each (height // size, width // size); an index (int64) is row * width + column
    in `x`.
    """
    ### BEGIN SOLUTION
    height, width = x.shape
    values = x.new_zeros(height // size, width // size)
    indices = torch.zeros(height // size, width // size, dtype=torch.int64)
    for i in range(height // size):
        for j in range(width // size):
            window = x[i * size : (i + 1) * size, j * size : (j + 1) * size]
            p, q = divmod(int(window.argmax()), size)  # argmax counts in reading order, too
            values[i, j] = window[p, q]
            indices[i, j] = (i * size + p) * width + j * size + q
    return values, indices
    ### END SOLUTION


# %%
max_pool_with_indices = check("max_pool_with_indices", max_pool_with_indices)

# %% [markdown] tags=["solution"]
# **Solution.** The window of output (i, j) begins at row i · size and column j · size; to these its own row
# and column are added, and row · width + column is the place in the whole plane. The place within the
# window would be less to store, but means nothing without the window: 5 stands at place 3 of its window, 6
# at place 0 of another.

# %% [markdown]
# ### Exercise 4: max unpooling
#
# *5 minutes · difficulty 2 of 3*
#
# Now the way back. The slide unpools the values 1, 2, 3, 4 (they come from deeper in the network) with the
# places of above:
#
# $$\begin{pmatrix} 1 & 2 \\ 3 & 4 \end{pmatrix} \longrightarrow
# \begin{pmatrix} 0 & 0 & 2 & 0 \\ 0 & 1 & 0 & 0 \\ 0 & 0 & 0 & 0 \\ 3 & 0 & 0 & 4 \end{pmatrix}$$


# %% tags=["exercise"]
def max_unpool(values, indices, height, width):
    """A plane (height, width) of zeros, with each of `values` at the place that `indices` names for it."""
    ### BEGIN SOLUTION
    flat = values.new_zeros(height * width)
    flat[indices.flatten()] = values.flatten()
    return flat.reshape(height, width)
    ### END SOLUTION


# %%
max_unpool = check("max_unpool", max_unpool)

# %% [markdown] tags=["solution"]
# **Solution.** Places count pixels in reading order, so the values go into a flat plane of zeros, which
# then gets its shape. It is a bed of nails again, but the nails stand where the strongest response had
# been. With $2 \times 2$ windows an ordinary nail is off by one pixel at most; along an edge this is the
# difference between a straight line and a staircase.

# %% [markdown]
# The slide, computed by your functions:

# %%
small = torch.tensor([[1.0, 2.0], [3.0, 4.0]])
plane = torch.tensor([[1.0, 2, 6, 3], [3, 5, 2, 1], [1, 2, 2, 1], [7, 3, 4, 8]])
slide_pooled, slide_places = max_pool_with_indices(plane, 2)
compare("pooled, as on the slide", slide_pooled, torch.tensor([[5.0, 6.0], [7.0, 8.0]]))
print("places:", slide_places.tolist())

# %% tags=["plot"]
# The lecture's examples as matrices
drawn = {
    "input": small,
    "nearest neighbour": nearest_neighbour(small, 2),
    "bed of nails": bed_of_nails(small, 2),
    "plane to pool": plane,
    "pooled": slide_pooled,
    "max unpooling\nof 1 2 3 4": max_unpool(small, slide_places, 4, 4),
}
figures.show(
    figures.row_of_matrices(drawn, limit=8, row_label="", column_label=""),
    alt="The slide's examples as matrices: the input 1 2 3 4; nearest neighbour, with 2x2 "
    "squares of equal values; bed of nails, with the values in the top left corners; the plane "
    "that is pooled; its maxima 5 6 7 8; and max unpooling, where 2 stands in row 0, 1 in row 1, 3 "
    "and 4 in row 3.",
)

# %% [markdown]
# And on a brain. We take a FLAIR slice of the synthetic cohort, make it half as large by max pooling, and
# bring it back in the three ways. *Predict:* which of the three pictures will look most like the original,
# and which will be darkest?

# %%
cases = cohort.synthetic_cases(20)
case = cohort.load_case(cases[0])
box = cohort.brain_box(cohort.brain_mask(case.image), multiple_of=8)
flair_volume, tumour = case.image[3][box], case.labels[box] > 0
level = int(tumour.sum(axis=(0, 1)).argmax())  # the slice with most of the tumour

# As an image: rows downwards, columns to the right, brightness between 0 and about 1.
flair = torch.tensor(flair_volume[:, :, level].T / np.percentile(flair_volume[:, :, level], 99.5)).double()
height, width = flair.shape
pooled, places = max_pool_with_indices(flair, 2)
print("slice (rows, columns):", (height, width), "  pooled:", tuple(pooled.shape))

# %%
row, column = (int(np.median(at)) for at in np.nonzero(tumour[:, :, level].T))  # look closely at the tumour
row, column = min(max(row - 16, 0), height - 32) // 2 * 2, min(max(column - 16, 0), width - 32) // 2 * 2
window = slice(row, row + 32), slice(column, column + 32)
ways = {
    "the slice, 32 x 32 pixels of it": flair,
    "nearest neighbour": nearest_neighbour(pooled, 2),
    "bed of nails": bed_of_nails(pooled, 2),
    "max unpooling": max_unpool(pooled, places, height, width),
}

# %% tags=["plot"]
# A slice, and three ways back from its max pooling
pictures = [picture[window].T for picture in ways.values()]
figures.show(
    figures.row_of_slices(pictures, list(ways), window=(0, 1.05)),
    alt="A part of a FLAIR slice with a bright tumour, and three ways back from its max "
    "pooling. Nearest neighbour is blocky and as bright as the slice. Bed of nails is a regular "
    "grid of bright dots on black. Max unpooling is black between its dots, too, but they are "
    "irregular and follow the structures.",
)

# %% [markdown]
# Nearest neighbour is an image, only coarse. The other two are three quarters black, with one dot for each
# 2x2 window. The nails stand in rank and file and know nothing of the brain; those of max unpooling stand
# on the brightest pixel of their window, and so lean towards the bright side of every edge.
#
# ### Exercise 5: predict a number
#
# *3 minutes · difficulty 1 of 3*
#
# **SegNet** (Badrinarayanan et al.) passes only the places from its way down to its way up; a **U-Net**
# passes the whole feature map as it was before the pooling. Count *bits* for one 2x2 window of one channel:
# the feature map holds `float32` numbers, a place is stored with as few bits as possible. How many times
# as many bits does the feature map take? (The exact number.)

# %% tags=["exercise"]
### BEGIN SOLUTION
index_saving = 4 * 32 / 2
# > index_saving = ...
### END SOLUTION

# %%
index_saving = check("index_saving", index_saving)

# %% [markdown] tags=["solution"]
# **Solution.** **64**: four numbers of 32 bits against one of four places, which is 2 bits. For SegNet,
# made for road scenes on a device in a car, that was an argument. What is lost is everything but the place:
# not how strong the response was, nor what the three other pixels said. Section 6 shows what this costs.

# %% [markdown]
# SegNet's encoder is the convolutional part of VGG16: thirteen 3x3 convolutions. How many weights is that,
# and how much does each kind of memory take for one image of SegNet's size, 360x480, at its five poolings?

# %%
widths = [3] + 2 * [64] + 2 * [128] + 3 * [256] + 6 * [512]  # the image's channels, then VGG16's
convolutions = sum(9 * entering * leaving + leaving for entering, leaving in itertools.pairwise(widths))
print(f"weights of the 13 convolutions: {convolutions:,}")

shape = np.array([360, 480])
for stage, maps in enumerate((64, 128, 256, 512, 512), start=1):
    pooled_shape = -(-shape // 2)  # rounded up, as SegNet's library does: 45 rows become 23
    feature_bytes, windows = maps * shape.prod() * 4, maps * pooled_shape.prod()
    print(
        f"pooling {stage}: {maps:3} channels of {shape[0]:3} x {shape[1]:3}, "
        f"feature map {feature_bytes / 1e6:5.1f} MB, places {windows * 2 / 8 / 1e6:5.2f} MB"
    )
    shape = pooled_shape

# %% [markdown]
# (PyTorch stores places as 64-bit integers, so `F.max_pool2d(..., return_indices=True)` only gets a small
# part of this saving: 128 bits against 64 a window.)

# %% [markdown]
# ## 2 · All of them are matrices
#
# Each of the three (the third, once the places are fixed) is **linear**: twice the input gives twice the
# output, and sums go to sums. So each has a matrix, and notebook 02 taught us to read matrices. To find
# one, put in the images that are 1 at one pixel only: column $m$ of the matrix is what becomes of pixel
# $m$.


# %%
def matrix_of(function, height, width):
    """The matrix of a linear map of images (height, width); it acts on flattened images."""
    unit_images = torch.eye(height * width).reshape(-1, height, width)
    return torch.stack([function(image).flatten() for image in unit_images], dim=1)


nearest_matrix = matrix_of(lambda image: nearest_neighbour(image, 2), 2, 2)
nails_matrix = matrix_of(lambda image: bed_of_nails(image, 2), 2, 2)
unpool_matrix = matrix_of(lambda image: max_unpool(image, slide_places, 4, 4), 2, 2)

# %% [markdown]
# ### Exercise 6: explain the picture
#
# *3 minutes · difficulty 1 of 3*
#
# Here are the three matrices for 2x2 to 4x4, in an order that we don't tell. (They are drawn lying,
# transposed: one line for each of the four inputs, one column for each of the sixteen output pixels.)

# %% tags=["plot"]
# Three matrices, one line for each input
drawn = {"first": unpool_matrix.T, "second": nearest_matrix.T, "third": nails_matrix.T}
figures.show(
    figures.row_of_matrices(drawn, columns=1, row_label="input pixel", column_label="output pixel"),
    alt="Three matrices with one line for each of four inputs and 16 columns. First: ones at "
    "the output pixels 5, 2, 12 and 15. Second: each line has four ones, input 0 at 0, 1, 4, 5, "
    "input 1 at 2, 3, 6, 7, input 2 at 8, 9, 12, 13, input 3 at 10, 11, 14, 15. Third: ones at 0, "
    "2, 8 and 10.",
)

# %% [markdown]
# Which is which?
#
# - **A.** First max unpooling, second nearest neighbour, third bed of nails.
# - **B.** First bed of nails, second nearest neighbour, third max unpooling.
# - **C.** First max unpooling, second bed of nails, third nearest neighbour.
# - **D.** First nearest neighbour, second max unpooling, third bed of nails.

# %% tags=["exercise"]
### BEGIN SOLUTION
unpooling_matrices = "A"
# > unpooling_matrices = ...
### END SOLUTION

# %%
unpooling_matrices = check("unpooling_matrices", unpooling_matrices)

# %% [markdown] tags=["solution"]
# **Solution.** A. Nearest neighbour writes four pixels for each input, the two others write one. A bed of
# nails writes the top left corner of each square, 0, 2, 8 and 10, whatever the image; max unpooling writes
# at 5, 2, 12 and 15, which were found in *this* plane. So the matrix of max unpooling changes with each
# image.

# %% [markdown]
# Now we can say what each of them *is*. Four statements, each checked with numbers:
#
# 1. Nearest neighbour is a transposed convolution whose kernel is a square of ones, as large as the stride.
# 2. Bed of nails is a transposed convolution whose kernel is the single number 1.
# 3. Nearest neighbour is the transpose of *average* pooling, but for the factor $1/s^2$.
# 4. Max unpooling is the transpose of *max* pooling: it is what backpropagation does there.

# %%
x = torch.randn(5, 7)
by_ones = F.conv_transpose2d(x[None, None], torch.ones(1, 1, 3, 3), stride=3)[0, 0]
compare("1. nearest neighbour, kernel of ones", nearest_neighbour(x, 3), by_ones)

by_one = F.conv_transpose2d(x[None, None], torch.ones(1, 1, 1, 1), stride=3, output_padding=2)[0, 0]
compare("2. bed of nails, kernel (1)", bed_of_nails(x, 3), by_one)

average = matrix_of(lambda image: F.avg_pool2d(image[None, None], 2)[0, 0], 4, 4)
compare("3. nearest neighbour, average pooling transposed", nearest_matrix / 4, average.T)

image, v = torch.randn(6, 8, requires_grad=True), torch.randn(3, 4)
_, image_places = max_pool_with_indices(image.detach(), 2)
(gradient,) = torch.autograd.grad((F.max_pool2d(image[None, None], 2)[0, 0] * v).sum(), image)
compare("4. max unpooling, autograd through max pooling", max_unpool(v, image_places, 6, 8), gradient)

# %% [markdown]
# The last line means: whoever trains a network with max pooling has always used max unpooling, in the
# backward pass. SegNet uses it forwards.

# %% [markdown]
# ## 3 · Bilinear, with a fixed kernel
#
# Nearest neighbour draws blocks. Smoother is a straight line from each value to the next: linear
# interpolation. It needs no new machinery. Stamp a **triangle** for every value; where two neighbouring
# triangles overlap, one falls as the other rises, and their sum is a straight line.

# %%
factor = 4
values = flair[height // 2, width // 2 - 12 : width // 2 + 12 : 4]
triangle = torch.tensor([1.0, 3, 5, 7, 7, 5, 3, 1]) / 8
total = torch.zeros((len(values) - 1) * factor + 8)
for i, value in enumerate(values):
    total[i * factor : i * factor + 8] += value * triangle

# %% tags=["plot"]
# Triangles, and their sum
fig, ax = plt.subplots(figsize=(9, 3))
centres = np.arange(len(values)) * factor + 3.5
for centre, value in zip(centres, values):
    stamp, of_the_first = [centre - factor, centre, centre + factor], centre == centres[0]
    label = "value · triangle" if of_the_first else None
    ax.plot(stamp, [0, value, 0], linewidth=1, color=figures.COLOURS["sky"], label=label)
ax.plot(centres, values, "s-", color=figures.COLOURS["orange"], linewidth=1, label="the six values")
ax.plot(total, "o", markersize=4, color=figures.COLOURS["blue"], label="all stamps, added")
ax.set(xlabel="place in the output (pixels)", ylabel="intensity (1 = bright)")
ax.set_title("factor 4: triangles of 8 weights")
ax.legend(fontsize=8, loc="upper left", bbox_to_anchor=(1, 1))
figures.show(
    fig,
    alt="Six values of a FLAIR line, each with a triangle eight pixels wide. The sums of the "
    "triangles, as dots, lie on the straight lines from value to value; before the first and after "
    "the last value they fall to zero.",
)

# %% [markdown]
# The dots lie on the straight lines between the values, as they should. At both ends they fall to zero:
# there the neighbour is missing, and nobody's triangle rises as the last one falls.
#
# FCN (Long et al., 2015) wrote down the weights for any factor. For factor 4 you have just seen them, 1 3 5
# 7 7 5 3 1, divided by 8. For a factor $s$ there are $k = 2s - (s \bmod 2)$ weights; the triangle has its
# peak, 1, in the middle of them and falls by $1/s$ from pixel to pixel. The middle need not be a pixel:
# then no weight reaches 1.
#
# In two dimensions the kernel is the product of a line and a column, $w_i\, w_j$: hence *bi*linear.
#
# ### Exercise 7: FCN's bilinear kernel
#
# *7 minutes · difficulty 2 of 3*
#
# Write it for any factor from 1 on.


# %% tags=["exercise"]
def bilinear_kernel(factor):
    """The kernel of bilinear upsampling; a float64 tensor (k, k), k = 2 * factor - factor % 2."""
    ### BEGIN SOLUTION
    k = 2 * factor - factor % 2
    j = torch.arange(k, dtype=torch.float64)
    line = 1 - (j - (k - 1) / 2).abs() / factor
    return line.outer(line)
    ### END SOLUTION


# %%
bilinear_kernel = check("bilinear_kernel", bilinear_kernel)

# %% [markdown] tags=["solution"]
# **Solution.** With the middle at c = (k - 1) / 2 weight j is 1 - |j - c| / factor, and the kernel holds
# the products of two such weights, one for the row and one for the column. For factor 2 the line is (1, 3,
# 3, 1)/4, for factor 3 it is (1, 2, 3, 2, 1)/3. The weights of the square sum up to $s^2$: each input is
# spread over $s^2$ new pixels and must be seen in full by each of them.

# %% [markdown]
# With stride $s$ and padding $\lfloor s/2 \rfloor$ the output is exactly $s$ times as large. Is it what
# PyTorch's own interpolation gives? *Predict:* everywhere?


# %%
def bilinear_by_transposed_convolution(x, factor):
    kernel = bilinear_kernel(factor)[None, None]
    return F.conv_transpose2d(x[None, None], kernel, stride=factor, padding=factor // 2)[0, 0]


def interpolate(x, factor):
    return F.interpolate(x[None, None], scale_factor=factor, mode="bilinear", align_corners=False)[0, 0]


for factor in (2, 3, 4):
    x = torch.rand(6, 9) + 0.5
    ours, library = bilinear_by_transposed_convolution(x, factor), interpolate(x, factor)
    inner = slice(factor, -factor), slice(factor, -factor)
    compare(f"factor {factor}, whole image", ours, library)
    compare(f"factor {factor}, without one input pixel at the border", ours[inner], library[inner])

# %% [markdown]
# In the interior it is the same operation. At the border it isn't: there the transposed convolution fades.
# An image of ones shows it best, as it is and with its border repeated by one pixel first.


# %%
def border_repeated(x, factor):
    """Bilinear upsampling of an image whose border is first repeated by a pixel, and then cut."""
    replicated = F.pad(x[None, None], (1, 1, 1, 1), mode="replicate")[0, 0]
    return bilinear_by_transposed_convolution(replicated, factor)[factor:-factor, factor:-factor]


ones = torch.ones(4, 5)
faded, mended = bilinear_by_transposed_convolution(ones, 4), border_repeated(ones, 4)

x = torch.rand(6, 9)
compare("border repeated first, then cut: whole image", border_repeated(x, 4), interpolate(x, 4))

# %% tags=["plot"]
# Bilinear at the border, and the border mended
titles = ("ones, upsampled", "with the border repeated first")
figures.show(
    figures.row_of_maps((faded, mended), titles, label="value", limits=(0, 1)),
    alt="Left: a 4 x 5 image of ones, upsampled four times by the transposed convolution, is "
    "1 in the middle and fades towards the border, most in the corners. Right: with the border "
    "pixels repeated first, it is 1 everywhere.",
)

# %% [markdown]
# The library repeats the border's values outwards, the transposed convolution meets nothing there, which is
# to say zeros. Repeat the border by one pixel, upsample, cut: now both agree everywhere.
#
# In **three dimensions** the kernel is a product of three lines, and the word is *tri*linear. (The lecture
# says "bilinear" of a 3D network. It means this.)

# %%
line = torch.tensor([1.0, 3.0, 3.0, 1.0]) / 4  # the line for factor 2
cube = line[:, None, None] * line[None, :, None] * line[None, None, :]
volume = torch.rand(1, 1, 5, 6, 7)
by_stamps = F.conv_transpose3d(volume, cube[None, None], stride=2, padding=1)[0, 0]
trilinear = F.interpolate(volume, scale_factor=2, mode="trilinear", align_corners=False)[0, 0]
inner = (slice(2, -2),) * 3
compare("3D interior, product of three lines", by_stamps[inner], trilinear[inner])

# %% [markdown]
# FCN uses this kernel in two ways: *fixed*, for the last, largest step, and as the *initial value* of
# transposed convolutions that then learn. And it adds skip connections, the first in this course: FCN-32s
# upsamples its coarsest scores 32 times at once. FCN-16s also scores the feature map "pool4" with a 1x1
# convolution, and adds up. FCN-8s does the same with "pool3" on top.
#
# ### Exercise 8: predict a number
#
# *3 minutes · difficulty 1 of 3*
#
# With 21 classes, pool4 of 512 channels and pool3 of 256, and with biases: how many weights does FCN-8s
# have *more* than FCN-32s? (The exact number; kernels for upsampling are not counted.) *First guess:*
# FCN-32s has 134 million.

# %% tags=["exercise"]
### BEGIN SOLUTION
fcn_heads = (512 + 1) * 21 + (256 + 1) * 21
# > fcn_heads = ...
### END SOLUTION

# %%
fcn_heads = check("fcn_heads", fcn_heads)

# %% [markdown] tags=["solution"]
# **Solution.** **16,170**: a 1x1 convolution has one weight for each channel and a bias, for each of 21
# classes; 513 · 21 = 10,773 for pool4 and 257 · 21 = 5,397 for pool3. Almost nothing. What made FCN-8s
# sharper than FCN-32s was not capacity but *access*: to features that had been pooled three times instead
# of five.

# %%
fully_connected = (7 * 7 * 512 + 1) * 4096 + (4096 + 1) * 4096 + (4096 + 1) * 21  # as convolutions
fcn_32s = convolutions + fully_connected
pool4, pool3 = (512 + 1) * 21, fcn_heads - (512 + 1) * 21
print(f"FCN-32s  {fcn_32s:,}")
print(f"FCN-16s  {fcn_32s + pool4:,}   + {pool4:,}")
print(f"FCN-8s   {fcn_32s + fcn_heads:,}   + {pool3:,}")
print(f"both skip connections together: {fcn_heads / fcn_32s:.4%} of the weights")

# %% [markdown]
# ## 4 · Transposed convolution: fill with zeros, then convolve
#
# Why fix the kernel? A **transposed convolution** learns it. Notebook 02 built it by stamping. The lecture
# describes it in another way, by an ordinary convolution: *fill with zeros between the values, then
# convolve.* For stride 1 we know this already: flip the kernel, pad by $k - 1 - p$. For any stride $s$:
#
# 1. **Fill:** put $s - 1$ zeros between neighbouring values. $n$ values become $(n-1)s + 1$.
# 2. **Pad** with $k - 1 - p$ zeros on every side, and with `output_padding` more at the end (at the bottom
#    and at the right).
# 3. **Slide** the flipped kernel, with stride 1.
#
# ### Exercise 9: zero-fill and convolution
#
# *12 minutes · difficulty 3 of 3*
#
# Write it for any stride, any padding up to $k - 1$, and kernels that needn't be square, with `F.pad` and
# `F.conv2d`. (`F.conv_transpose2d` would pass the check, too: it is what we compare with below. Try
# without. `F.pad` takes (left, right, top, bottom). A bed of nails has zeros after its last nail as well;
# here we want none.)


# %% tags=["exercise"]
def zero_fill_convolution(x, kernel, stride=1, padding=0, output_padding=0):
    """Transposed convolution of `x` (height, width) with a kernel (k1, k2), by an ordinary convolution.

    Returns ((height - 1) * stride + k1 - 2 * padding + output_padding, and the same for the width and k2).
    """
    ### BEGIN SOLUTION
    (height, width), (k1, k2) = x.shape, kernel.shape
    filled = bed_of_nails(x, stride)[: (height - 1) * stride + 1, : (width - 1) * stride + 1]
    top, left = k1 - 1 - padding, k2 - 1 - padding
    padded = F.pad(filled, (left, left + output_padding, top, top + output_padding))
    return F.conv2d(padded[None, None], kernel.flip(0, 1)[None, None])[0, 0]
    ### END SOLUTION


# %%
zero_fill_convolution = check("zero_fill_convolution", zero_fill_convolution)

# %% [markdown] tags=["solution"]
# **Solution.** The fill makes room, the padding lets the first and the last stamp stick out, the flip turns
# gathering into stamping. So "transposed convolution" and "fractionally strided convolution" (the kernel
# moves by $1/s$ of the distance of two values) are two names for one operation.

# %%
x = torch.randn(5, 4)
settings = ((3, 3, 2, 1, 1), (2, 5, 3, 1, 2), (4, 4, 2, 1, 0), (4, 1, 1, 0, 0), (5, 3, 4, 2, 3))
for k1, k2, stride, padding, extra in settings:
    kernel = torch.randn(k1, k2)
    ours = zero_fill_convolution(x, kernel, stride, padding, extra)
    library = F.conv_transpose2d(x[None, None], kernel[None, None], None, stride, padding, extra)[0, 0]
    compare(f"{k1}x{k2}, stride {stride}, padding {padding}, output_padding {extra}", ours, library)

# %% [markdown]
# The lecture sets a second way beside it: fill with **copies** instead of zeros (nearest neighbour), then
# convolve. It is called **resize-convolution**. The steps of both, for a 2x2 input, stride 2 and a kernel
# of ones. (Above with padding 1 and output_padding 1, which the lecture's way from 2x2 to 4x4 needs.)


# %%
def resize_convolution(x, kernel, factor):
    """Nearest neighbour, then a convolution that keeps the size; (height * factor, width * factor)."""
    return F.conv2d(nearest_neighbour(x, factor)[None, None], kernel[None, None], padding="same")[0, 0]


square = torch.ones(3, 3)
zero_filled, copied = bed_of_nails(small, 2)[:3, :3], nearest_neighbour(small, 2)

# %% tags=["plot"]
# Both ways, step by step
steps = {
    "zero-fill": zero_filled,
    "zero-fill, padded": F.pad(zero_filled, (1, 2, 1, 2)),
    "convolved:\ntransposed convolution": zero_fill_convolution(small, square, 2, 1, 1),
    "nearest-neighbour fill": copied,
    "copies, padded": F.pad(copied, (1, 1, 1, 1)),
    "convolved:\nresize-convolution": resize_convolution(small, square, 2),
}
figures.show(
    figures.row_of_matrices(steps, columns=3, limit=30, row_label="", column_label=""),
    alt="Above, a 2x2 input with zeros between its values, padded, and convolved with a 3x3 "
    "kernel of ones: the rows of the result are 1 3 2 2, 4 10 6 6, 3 7 4 4 and 3 7 4 4. Below, "
    "filled with copies, padded and convolved: 4 8 10 8, 10 18 21 16, 14 24 27 20 and 12 20 22 16.",
)

# %% [markdown]
# Above, neighbouring pixels jump (3, 10, 7): one of them got four stamps, its neighbours two. Below they
# rise and fall smoothly. That is the subject of section 5. But first: are these two different worlds?
#
# No. Nearest neighbour *is* a transposed convolution (section 2), and one convolution after another is
# again a convolution. So resize-convolution is a transposed convolution, with a kernel that is the given
# one, flipped and smeared out by a square of $s \times s$ ones: $k + s - 1$ pixels wide.

# %%
kernel = torch.randn(3, 3)
smeared = F.conv_transpose2d(kernel.flip(0, 1)[None, None], torch.ones(1, 1, 2, 2))  # 3 + 2 - 1 = 4
x = torch.randn(6, 5)
as_transposed = F.conv_transpose2d(x[None, None], smeared, stride=2, padding=1)[0, 0]
compare("resize-convolution 3x3, transposed 4x4", resize_convolution(x, kernel, 2), as_transposed)
print("the 4x4 kernel has 16 weights, but only", kernel.numel(), "of them are free")

# %% [markdown]
# ### Exercise 10: predict a number
#
# *3 minutes · difficulty 2 of 3*
#
# What does resize-convolution cost? Take both ways with the same kernel of 3x3x3, in **3D**, factor 2, one
# channel in and one out. The transposed convolution is computed sensibly (stamping, no multiplication by
# filled-in zeros). How many times as many multiplications does the resize-convolution need, computed as its
# name says? (The exact number.)

# %% tags=["exercise"]
### BEGIN SOLUTION
resize_cost = 2**3
# > resize_cost = ...
### END SOLUTION

# %%
resize_cost = check("resize_cost", resize_cost)

# %% [markdown] tags=["solution"]
# **Solution.** **8**: stamping multiplies the kernel once for each *input* voxel, a convolution after the
# fill once for each *output* voxel, and there are 2 · 2 · 2 times as many of these. In 2D it is 4.

# %%
print("multiplications for each input pixel or voxel, one channel in, one out")
for dims in (2, 3):
    for k, s in ((3, 2), (5, 2), (3, 4)):
        stamping, resizing, smeared_cost = k**dims, k**dims * s**dims, (k + s - 1) ** dims
        print(
            f"{dims}D, kernel {k}, factor {s}: transposed {stamping:4}, resize-convolution {resizing:5} "
            f"({resizing // stamping:2} times), smeared {smeared_cost:4}"
        )

# %% [markdown]
# The last column is the way out: the same result, computed as a transposed convolution with the smeared
# kernel, costs less than half as much. Libraries don't do this for you.

# %% [markdown]
# ## 5 · Checkerboards
#
# Stamps overlap. Do all pixels get equally many of them?
#
# ### Exercise 11: count the stamps
#
# *6 minutes · difficulty 2 of 3*
#
# Write the map of counts for an input of `height` x `width` values and a square kernel, without padding.


# %% tags=["exercise"]
def overlap_map(height, width, kernel, stride):
    """How many stamps of kernel x kernel pixels cover each output pixel; a float64 tensor.

    Shape ((height - 1) * stride + kernel, (width - 1) * stride + kernel).
    """
    ### BEGIN SOLUTION
    counts = torch.zeros((height - 1) * stride + kernel, (width - 1) * stride + kernel, dtype=torch.float64)
    for i in range(height):
        for j in range(width):
            counts[i * stride : i * stride + kernel, j * stride : j * stride + kernel] += 1
    return counts
    ### END SOLUTION


# %%
overlap_map = check("overlap_map", overlap_map)

# %% [markdown] tags=["solution"]
# **Solution.** Every input adds 1 to each pixel of its square, and squares are `stride` apart. It is the
# transposed convolution of an image of ones with a kernel of ones: the counts are what a network would draw
# if all its weights and all its features were equal.

# %% tags=["plot"]
# Counts of stamps, and their spectrum
fig, axes = plt.subplots(1, 2, figsize=(9, 3.8))
interactive.show_overlap(axes, overlap_map(10, 10, 3, 2), 3, 2)
figures.show(
    fig,
    alt="Left: the overlap map of 3x3 stamps, stride 2: a regular pattern of 1s, 2s and 4s. "
    "Right: its spectrum along x has the mean at frequency 0 and a peak of a third of it at 1/2 "
    "cycle per pixel.",
)

# %% [markdown]
# Kernel 3 and stride 2, the lecture's own example, gives counts of **1, 2 and 4**: a checkerboard, before
# any training. On the right is the same in the language of frequencies. A pattern that repeats every $s$
# pixels can only contain the frequencies $0, 1/s, 2/s, \dots$ cycles per pixel; $1/s$ is the **sampling
# frequency** of the small image. Everything but the mean, at 0, is artefact.
#
# The widget draws **your** map. Find out:
#
# 1. Stride 2: for which kernels does the peak vanish?
# 2. Stride 3 and kernels 3 to 8: when is it even? Do larger kernels make the unevenness smaller?
# 3. Set the stride larger than the kernel. What is the smallest count?
# 4. Go back to kernel 3 and stride 2, and let two such layers follow each other. Does the second one blur
#    the pattern of the first?
#
# (If you see no sliders, you read a printed page; the picture above shows the idea.)

# %%
interactive.overlap_map(overlap_map)

# %% [markdown] tags=["solution"]
# **Solution.** 1. For the even kernels: 2, 4, 6, 8. 2. It is even for kernels 3 and 6. For the others the
# peak is $1/k$ of the mean, 1/4, 1/5, 1/7, 1/8: larger kernels make the pattern weaker, but only a multiple
# of 3 removes it. 3. It is 0: between the stamps there are pixels that nobody writes. 4. Only in part:
# stretched to a pattern that repeats every 4 pixels, that of the first layer falls from a third of the mean
# to a ninth (the peak at 1/4). But the second layer adds its own, again a third, at 1/2. The counts are now
# 1, 2, 3, 4, 6 and 9.

# %% [markdown]
# Not only ways *up* draw checkerboards. The gradient of a convolution with stride is a transposed
# convolution (notebook 02), so it goes to the pixels of the image in uneven portions. Take a convolution
# with a kernel of ones, and ask of each pixel of the image how much it matters for the sum of all outputs:

# %%
image = torch.zeros(21, 21, requires_grad=True)
strided = F.conv2d(image[None, None], torch.ones(1, 1, 3, 3), stride=2)  # 10 x 10 outputs
(gradient,) = torch.autograd.grad(strided.sum(), image)
compare("gradient of a strided convolution, your overlap map", gradient, overlap_map(10, 10, 3, 2))

# %% [markdown]
# Whoever looks at such a gradient to see what a network attends to sees this pattern, too. (Max pooling is
# worse: section 2 showed that its gradient goes to one pixel of each window and to no other.)

# %% [markdown]
# ### Exercise 12: predict which pairs are clean
#
# *5 minutes · difficulty 2 of 3*
#
# Before you look at the table below: write the rule. Call a pair of kernel and stride **clean** if all
# pixels far from the border get equally many stamps.


# %% tags=["exercise"]
def is_clean(kernel, stride):
    """Whether stamps of this size and stride overlap evenly; True or False."""
    ### BEGIN SOLUTION
    return kernel % stride == 0
    ### END SOLUTION


# %%
is_clean = check("is_clean", is_clean)

# %% [markdown] tags=["solution"]
# **Solution.** A pair is clean if and only if **kernel % stride == 0**: a pixel meets exactly the weights
# whose number leaves the same remainder as the pixel's, divided by the stride, and only then are these
# equally many for all pixels. In one dimension: stamp $i$ covers pixel $m$ with weight $j = m - is$. Deal
# out the numbers $0, \dots, k-1$ to the $s$ remainders in turn: everybody gets the same number of them
# exactly when $k$ is a multiple of $s$. In 2D the counts are products of this, so the rule stays.

# %%
print("counts in the interior (2D); * where your rule says clean")
print("          " + "".join(f"{f'stride {stride}':>14}" for stride in range(1, 5)))
agreements = 0
for k in range(1, 5):
    cells = []
    for stride in range(1, 5):
        interior = overlap_map(9, 9, k, stride)[k - 1 : 8 * stride, k - 1 : 8 * stride]
        counts = sorted({int(count) for count in interior.flatten()})
        agreements += is_clean(k, stride) == (len(counts) == 1)
        cells.append(f"{', '.join(map(str, counts)) + (' *' if is_clean(k, stride) else '  '):>14}")
    print(f"kernel {k}  " + "".join(cells))
print(f"rule and counts agree in {agreements} of 16")

# %% [markdown]
# ### When does the rule matter?
#
# Counts assume weights that are all equal. Real weights aren't. So give the weights a spread: each is 1
# plus random noise. Photograph a grey wall through such a layer (an input of ones) and measure the
# **ripple**, the standard deviation of the output as a share of its mean. Kernel 3 breaks the rule, kernel
# 4 keeps it.


# %%
def ripple_of(kernel, stride=2):
    """Standard deviation, as a share of the mean, of what the layer makes of an image of ones."""
    wall = F.conv_transpose2d(torch.ones(1, 1, 16, 16), kernel[None, None], stride=stride)[0, 0, 8:-8, 8:-8]
    return float(wall.std(correction=0) / wall.mean().abs())


torch.manual_seed(0)
print("median ripple of 200 draws, stride 2")
for spread in (0, 0.1, 0.3, 1):
    draws = {k: [ripple_of(1 + spread * torch.randn(k, k)) for _ in range(200)] for k in (3, 4)}
    print(f"spread {spread:<4}" + "".join(f"  kernel {k}: {np.median(draws[k]):6.1%}" for k in draws))

# %% [markdown]
# With equal weights the rule is everything. With a spread of a tenth kernel 4 is ten times as flat as
# kernel 3. Where the spread is as large as the weights themselves, even overlap helps little: four weights
# for each pixel, but which four? So the rule speaks of layers whose weights are nearly equal, and we need a
# meter that works for any image.
#
# Sort the pixels of an image by their **phase**: the remainders of row and column, divided by the stride
# $s$. There are $s^2$ phases. Take the mean of each. For stride 2 and
#
# $$\begin{pmatrix} 5 & 3 & 7 & 3 \\ 1 & 3 & 1 & 3 \end{pmatrix}$$
#
# the means of the four phases are 6 (even row, even column), 3, 1 and 3. In an image without a pattern they
# are nearly equal. In a checkerboard they are not.
#
# ### Exercise 13: checkerboard energy
#
# *8 minutes · difficulty 2 of 3*
#
# Compute the *variance of the phase means as a share of the variance of all pixels.* Both variances divide
# by the number of values, not by one less (`correction=0` in PyTorch). Height and width are multiples of
# the stride, and the image is not constant.


# %% tags=["exercise"]
def checkerboard_energy(image, stride):
    """Variance of the phase means of an image (height, width), as a share of its variance; a float."""
    ### BEGIN SOLUTION
    height, width = image.shape
    phases = image.reshape(height // stride, stride, width // stride, stride).mean(dim=(0, 2))
    return float(phases.var(correction=0) / image.var(correction=0))
    ### END SOLUTION


# %%
checkerboard_energy = check("checkerboard_energy", checkerboard_energy)

# %% [markdown] tags=["solution"]
# **Solution.** Each phase is a slice with a step, `image[r::stride, c::stride]`; the variance of their
# means is what a pattern of period `stride` adds to the image's variance. The share is 1 for a pure
# pattern, and nearly 0 for an image without one: a mean over thousands of pixels hardly depends on where
# one begins to count.

# %% [markdown]
# **The same number from the spectrum.** (For those who know spectra; nothing below needs it.) A pattern
# that repeats every $s$ pixels only contains frequencies that are multiples of $1/s$ along both axes.
# Parseval's theorem says that their share of the spectrum's energy, the mean left out, is the share of the
# variance that you computed: hence the name.


# %%
def energy_by_spectrum(image, stride):
    """Share of the spectrum's energy, the mean left out, at the multiples of 1 / stride."""
    height, width = image.shape
    energy = torch.fft.fft2(image).abs() ** 2  # row u holds the frequency u / height
    energy[0, 0] = 0  # the mean
    return float(energy[:: height // stride, :: width // stride].sum() / energy.sum())


for stride in (2, 4):
    kernel = torch.rand(3, 3)
    up = F.conv_transpose2d(flair[None, None], kernel[None, None], None, stride, 1, stride - 1)[0, 0]
    pictures = {"slice": flair, "transposed": up, "nearest": nearest_neighbour(flair, stride)}
    for name, picture in pictures.items():
        ours, theirs = checkerboard_energy(picture, stride), energy_by_spectrum(picture, stride)
        numbers = f"phases {ours:.6f}  spectrum {theirs:.6f}  difference {abs(ours - theirs):.0e}"
        print(f"stride {stride}, {name:10}  {numbers}")

# %% [markdown]
# The slice itself has next to none. Nearest neighbour has none at all: its phases are copies of each other.
#
# ### Before training
#
# Now networks. Each has one layer of features and then one layer that doubles the size; they differ in that
# last layer only. Five draws of random weights for each; the input is a set of held-out slices at half
# their size.

# %%
subjects = cohort.split(cases, seed=0, train=12, validation=0, test=8)
training = batches.TrainingSlices(subjects.train, augmented=False)


def flair_images(data):
    """FLAIR slices (N, 1, X, Y) that are at least a quarter brain, float32, about 0 to 1, background 0."""
    images = data.images[:, 3:4]
    images = images[(images != 0).float().mean(dim=(1, 2, 3)) > 0.25]
    return torch.where(images == 0, 0.0, (images + 3) / 6)


flair_training = flair_images(training)
flair_held_out = flair_images(batches.TrainingSlices(subjects.test[:2], augmented=False))
small_held_out = F.avg_pool2d(flair_held_out, 2)
print("slices to learn from:", len(flair_training), "  held out:", len(flair_held_out))

# %%
LAST_LAYER = {
    "transposed, kernel 3": lambda: nn.ConvTranspose2d(8, 1, 3, stride=2, padding=1, output_padding=1),
    "transposed, kernel 4": lambda: nn.ConvTranspose2d(8, 1, 4, stride=2, padding=1),
    "resize, kernel 3": lambda: nn.Sequential(nn.Upsample(scale_factor=2), nn.Conv2d(8, 1, 3, padding=1)),
}


def upsampler(kind, seed):
    """A network that doubles the size of images (N, 1, X, Y), with random weights."""
    torch.manual_seed(seed)
    return nn.Sequential(nn.Conv2d(1, 8, 3, padding=1), nn.ReLU(), LAST_LAYER[kind]()).float()


# %%
@torch.no_grad()
def mean_energy(network):
    """Mean checkerboard energy of the held-out slices, brought back by the network."""
    return float(np.mean([checkerboard_energy(image, 2) for image in network(small_held_out)[:, 0].double()]))


before = {kind: [mean_energy(upsampler(kind, seed)) for seed in range(5)] for kind in LAST_LAYER}
own_energy = float(np.mean([checkerboard_energy(image, 2) for image in flair_held_out[:, 0].double()]))
print(f"{'checkerboard energy of':24} five random networks")
for kind, energies in before.items():
    print(f"{kind:24} " + " ".join(f"{energy:9.6f}" for energy in energies))
print(f"{'the slices themselves':24} {own_energy:9.6f}")

# %% [markdown]
# With random weights a transposed convolution puts a large part of all energy into the checkerboard, **with
# kernel 4 as well as with kernel 3**. That is the last line of the little table above: random weights are
# spread around zero, their spread is larger than their mean, and even overlap helps little.
#
# ### After training
#
# Does it matter? Training punishes every visible pattern. We let the three networks learn to bring slices
# back from half their size: 150 steps, slices of twelve subjects, the mean squared error as the loss.


# %%
def train_upsampler(kind, seed=0):
    network = upsampler(kind, seed)
    optimiser = torch.optim.Adam(network.parameters(), lr=5e-3)
    generator = torch.Generator().manual_seed(seed)
    for _ in tqdm(range(150), desc=kind):
        images = flair_training[torch.randint(len(flair_training), (8,), generator=generator)]
        loss = F.mse_loss(network(F.avg_pool2d(images, 2)), images)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    return network


trained = {kind: train_upsampler(kind) for kind in LAST_LAYER}


# %%
def error_of(images):
    return F.mse_loss(images, flair_held_out).item()


bilinear_error = error_of(F.interpolate(small_held_out, scale_factor=2, mode="bilinear"))
print(f"{'':24} energy before    after   error (bilinear = 1)")
for kind, network in trained.items():
    with torch.no_grad():
        error = error_of(network(small_held_out)) / bilinear_error
    print(f"{kind:24} {before[kind][0]:13.6f} {mean_energy(network):8.6f}   {error:.2f}")
print(f"{'the slices themselves':24} {'':13} {own_energy:8.6f}")

# %% [markdown]
# One training is one sample. `experiments/03_upsampling.py` ran these trainings, and those of section 6,
# with six seeds each; we draw what it wrote down.

# %%
recorded = json.loads((paths.repository_root() / "experiments/results/03_upsampling.json").read_text())[
    "results"
]

# %% tags=["plot"]
# Checkerboard energy before and after training, six seeds
fig, ax = plt.subplots(figsize=(8, 3.4))
for place, runs in enumerate(recorded["doubling"].values()):
    for shift, when, colour, marker in ((-0.1, "before", "orange", "o"), (0.1, "after", "blue", "s")):
        energies = [run[when]["energy"] for run in runs]
        label = f"{when} training, six seeds" if place == 0 else None
        style = {"facecolors": "none", "edgecolors": figures.COLOURS[colour], "marker": marker, "s": 40}
        ax.scatter([place + shift] * len(energies), energies, label=label, **style)
ax.axhline(own_energy, color="black", linestyle="--", linewidth=1, label="the slices themselves")
ax.set(yscale="log", xticks=range(3), xticklabels=list(LAST_LAYER), xlim=(-0.5, 2.5))
ax.set_ylabel("checkerboard energy (share)")
ax.legend(fontsize=8, loc="upper left", bbox_to_anchor=(1, 1))
figures.show(
    fig,
    alt="Checkerboard energy on a logarithmic axis, six seeds each. Before training both transposed "
    "convolutions lie between about a tenth and one, the resize-convolution below a hundredth. "
    "After training all lie far lower, below a thousandth. A dashed line marks the slices themselves.",
)

# %% [markdown]
# An honest result: **training removes nearly all of it.** In each of the twelve trainings of a transposed
# convolution the energy falls by a factor of more than 2,000, and what is left is a tiny share. With the
# right answer in front of it, a network finds weights whose phases agree well enough. And flat is not the
# same as accurate: relative to bilinear interpolation the errors were 0.85 to 1.27 with kernel 3, 0.87 to
# 1.84 with kernel 4, and 0.84 to 1.12 with the resize-convolution. After so short a training none of the
# three reliably beats the fixed bilinear kernel.
#
# "Well enough" can be measured with the grey wall: a constant input should give a constant output, and
# whatever pattern it shows is the network's own.


# %%
@torch.no_grad()
def flat_field(network):
    """The middle of what the network makes of a constant grey image, (24, 24), divided by its mean."""
    picture = network(torch.full((1, 1, 24, 24), 0.5, dtype=torch.float32))[0, 0, 12:36, 12:36].double()
    return picture / picture.mean()


walls = {
    kind: {"before": flat_field(upsampler(kind, 0)), "after": flat_field(trained[kind])}
    for kind in LAST_LAYER
}
for kind, wall in walls.items():
    ripple = {when: float(field.std(correction=0)) for when, field in wall.items()}
    print(f"ripple of {kind:24} before {ripple['before']:8.3%}   after {ripple['after']:7.3%}")

# %% tags=["plot"]
# A grey wall, before and after training
panels = {
    f"{kind}\n{when} training, ripple {float(wall[when].std(correction=0)):.2%}": wall[when]
    for when in ("before", "after")
    for kind, wall in walls.items()
}
fig = figures.row_of_maps(
    list(panels.values()),
    list(panels),
    label="value (the mean = 1)",
    limits=(0.98, 1.02),
    signed=True,
    columns=3,
)
fig.suptitle("A grey wall. Colours end at ±2 %: what exceeds it looks alike.", fontsize=10)
figures.show(
    fig,
    alt="Six pictures of what becomes of a constant grey image. Before training both "
    "transposed convolutions show a strong checkerboard, after training a faint one that is still "
    "there. The resize-convolution is perfectly flat before and after.",
)

# %% [markdown]
# Kernel 3, whose stamps overlap unevenly, is the flatter one here, by chance: over six trainings its ripple
# was 0.31 % to 0.99 %, that of kernel 4 0.26 % to 0.90 %. Once a layer is trained, the overlap count says
# nothing about it.
#
# ### Exercise 14: explain the picture
#
# *4 minutes · difficulty 2 of 3*
#
# Why does the transposed convolution with kernel 4 still show a pattern after training, and the
# resize-convolution none?
#
# - **A.** The stamps of kernel 4 and stride 2 overlap unevenly, so some pixels get more of them than
#   others; copies don't overlap.
# - **B.** The resize-convolution was trained better: training made it flat, and would make kernel 4 flat,
#   too, with more steps.
# - **C.** The pattern is rounding: kernel 4 adds up more products in float32, and their small errors differ
#   from pixel to pixel.
# - **D.** The sums of kernel 4's weights still differ a little from phase to phase; after nearest-neighbour
#   fill each phase gets the sum of the whole kernel.

# %% tags=["exercise"]
### BEGIN SOLUTION
flat_field_picture = "D"
# > flat_field_picture = ...
### END SOLUTION

# %%
flat_field_picture = check("flat_field_picture", flat_field_picture)

# %% [markdown] tags=["solution"]
# **Solution.** D. For a constant input a pixel's output is the input times the *sum* of the weights that it
# meets: with zero fill there are four such sums, one for each phase, each of *different* weights; after
# nearest-neighbour fill there is only one, that of the whole kernel. So training, which makes the four sums
# equal only nearly, makes a transposed convolution good; construction makes a resize-convolution flat.
# Where no right answer punishes the pattern (in a generative network, far from the training data, in a
# gradient that you look at), you want the second kind of certainty.

# %% [markdown]
# The explanation, in numbers: predict the flat field of the trained kernel 4 from the sums of its phases
# alone.

# %%
network = copy.deepcopy(trained["transposed, kernel 4"]).double()
grey = torch.full((1, 1, 24, 24), 0.5)
with torch.no_grad():
    features = network[1](network[0](grey))[0, :, 12, 12]  # eight channels, each of them constant
    weights, bias = network[2].weight[:, 0], network[2].bias
    predicted = torch.zeros(2, 2)
    for r in range(2):
        for c in range(2):  # with padding 1, phase 0 meets the weights 1 and 3, phase 1 the weights 0 and 2
            sums = weights[:, (r + 1) % 2 :: 2, (c + 1) % 2 :: 2].sum(dim=(1, 2))  # one for each channel
            predicted[r, c] = sums @ features + bias[0]
    measured = network(grey)[0, 0, 12:14, 12:14]
print("value of each phase:", predicted.flatten().numpy().round(4))
compare("flat field, predicted from four sums", predicted, measured)

# %% [markdown]
# And what does the eye see? A part of a held-out slice, before and after, and enlarged in a dark ventricle.

# %%
sample = int((flair_held_out[:, 0] > 0).sum(dim=(1, 2)).argmax())  # the slice with most brain
truth, halved = flair_held_out[sample, 0], small_held_out[sample : sample + 1]
middle = tuple(slice(size // 2 - 20, size // 2 + 20) for size in truth.shape)
shown = {"the slice": [nearest_neighbour(halved[0, 0], 2)[middle], truth[middle]]}
for kind, network in trained.items():
    with torch.no_grad():
        shown[kind] = [upsampler(kind, 0)(halved)[0, 0][middle], network(halved)[0, 0][middle]]

ventricle = slice(10, 22), slice(0, 12)  # of that part: the one at its upper edge

# %% tags=["plot"]
# A slice, before and after training, and a ventricle enlarged
fig, axes = plt.subplots(3, 4, figsize=(10, 8.4))
for column, (kind, (first, second)) in enumerate(shown.items()):
    rows = ["before training, own window", "after training", "the ventricle, window 0 to 0.2"]
    if kind == "the slice":
        rows = ["halved: the input", "the truth", "the ventricle, window 0 to 0.2"]
    own = (0, 1) if kind == "the slice" else tuple(np.percentile(first, (1, 99)))
    for ax, row, picture, limits in zip(
        axes[:, column], rows, (first, second, second[ventricle]), (own, (0, 1), (0, 0.2))
    ):
        figures.show_slice(ax, picture.numpy(), title=f"{kind}\n{row}", window=limits)
figures.show(
    fig,
    alt="Parts of a brain slice. Before training both transposed convolutions show it behind "
    "a fine grid of alternating pixels; the resize-convolution shows no grid, but a distorted "
    "contrast. After training all three look like the slice, a little blurred; in the enlarged "
    "dark ventricle kernel 4 leaves single pixels lighter than their neighbours, in a checkerboard, "
    "where the resize-convolution is evenly black.",
)

# %% [markdown]
# A ripple of one per cent drowns in the texture of a brain. In the bottom row, where there is little else
# to see, kernel 4 leaves single pixels lighter than their neighbours: the grey wall's pattern.
#
# Remember it like this: *kernel % stride says what nearly equal weights would do. What makes any layer flat
# are equal sums of its phases.* A U-Net's up-convolution with kernel 2 and stride 2 has no overlap at all,
# and its phases have one weight each, all free: it relies on training and on the convolutions that follow.

# %% [markdown]
# ## 6 · Skip connections
#
# However a feature map is enlarged, the pixels that pooling left out don't come back. A **skip connection**
# carries the feature map from before the pooling across, to where the size is the same again. (U-Net
# appends it as more channels; FCN adds it. We *add*, because then a network with skip connections has
# exactly as many weights as one without.)
#
# Three small networks, equal but for the way up (`join` is where they differ):
#
# - **plain**: a transposed convolution, nothing else;
# - **indices**: max unpooling with the places from the way down, as in SegNet;
# - **skips**: the transposed convolution, plus the feature map from the way down.


# %%
def block(entering, leaving):
    return nn.Sequential(nn.Conv2d(entering, leaving, 3, padding=1), nn.BatchNorm2d(leaving), nn.ReLU())


def up_layer(way_up, entering, leaving):
    """What takes a step up begins with; all three ways have the same number of weights."""
    if way_up == "indices":  # unpooling has no weights: a 2x2 convolution has as many as a transposed one
        same_size = nn.ZeroPad2d((0, 1, 0, 1))  # one column and one row more
        return nn.Sequential(same_size, nn.Conv2d(entering, leaving, 2))
    return nn.ConvTranspose2d(entering, leaving, 2, stride=2)


def join(way_up, x, features, indices):
    """What becomes of `x` on its way up, given what was remembered on the way down."""
    if way_up == "indices":
        return F.max_unpool2d(x, indices, 2)
    return x + features if way_up == "skips" else x


# %%
class EncoderDecoder(nn.Module):
    """Three poolings down, three steps up; images (N, 4, X, Y) become logits (N, 2, X, Y)."""

    def __init__(self, way_up, channels=(8, 16, 32, 64)):
        super().__init__()
        steps = list(zip(channels[:0:-1], channels[-2::-1]))  # (64, 32), (32, 16), (16, 8)
        self.way_up = way_up
        self.encoder = nn.ModuleList(block(a, b) for a, b in zip((4, *channels), channels))
        self.up = nn.ModuleList(up_layer(way_up, a, b) for a, b in steps)
        self.decoder = nn.ModuleList(block(b, b) for _, b in steps)
        self.head = nn.Conv2d(channels[0], 2, 1)

    def forward(self, x):
        remembered = []
        for stage in self.encoder[:-1]:
            features = stage(x)
            x, indices = F.max_pool2d(features, 2, return_indices=True)
            remembered.append((features, indices))
        x = self.encoder[-1](x)
        for up, stage in zip(self.up, self.decoder):
            x = stage(join(self.way_up, up(x), *remembered.pop()))
        return self.head(x)


# %%
WAYS_UP = ("plain", "indices", "skips")
for way_up in WAYS_UP:
    print(f"{way_up:8} {sum(weights.numel() for weights in EncoderDecoder(way_up).parameters()):,} weights")

# %% [markdown]
# The task is the **enhancing tumour** (label 4, class 3): often a rim a few pixels thin. To see where the
# networks are wrong, we judge the boundary and the rest apart: we need a band around the boundary.
#
# ### Exercise 15: the boundary band
#
# *10 minutes · difficulty 3 of 3*
#
# A pixel belongs to the band if the nearest pixel of the *other* kind (mask or background) is at most
# `width` pixels away, in a straight line, from centre to centre. So the band reaches `width` pixels inwards
# and `width` pixels outwards. `distance_transform_edt` (SciPy) gives each nonzero pixel its distance to the
# nearest zero pixel, and each zero pixel 0; it takes a tensor of `bool` as it is. A mask without a boundary
# has no band.


# %% tags=["exercise"]
def boundary_band(mask, width):
    """Pixels within `width` of the boundary of a mask (height, width), bool; a bool tensor of its shape."""
    ### BEGIN SOLUTION
    if mask.all() or not mask.any():
        return torch.zeros_like(mask)
    inside, outside = distance_transform_edt(mask), distance_transform_edt(~mask)
    return torch.from_numpy((inside <= width) & (outside <= width))
    ### END SOLUTION


# %%
boundary_band = check("boundary_band", boundary_band)

# %% [markdown] tags=["solution"]
# **Solution.** Each of the two distance maps is 0 on the other side of the boundary, so both conditions
# together ask each pixel for its distance to the other kind. Without a pixel of the other kind the distance
# means nothing, so a mask that is all True or all False is answered first. Distance maps come back in
# notebook 07, where they measure how far two surfaces are apart.

# %%
held_out = {path.name: batches.TrainingSlices([path], augmented=False) for path in subjects.test}
held_out = {name: data for name, data in held_out.items() if (data.labels == 3).any()}
print(f"{len(held_out)} of {len(subjects.test)} held-out subjects have an enhancing tumour: these judge")
largest = max(held_out, key=lambda name: int((held_out[name].labels == 3).sum()))
level = int((held_out[largest].labels == 3).sum(dim=(1, 2)).argmax())
t1ce, rim = held_out[largest].images[level, 1], held_out[largest].labels[level] == 3

# %% tags=["plot"]
# Enhancing tumour and its boundary band
titles = ("T1 with contrast agent", "enhancing tumour", "its band, 2 pixels to each side")
marked = [None, {"yellow": rim}, {"sky": boundary_band(rim, 2)}]
figures.show(
    figures.row_of_slices(t1ce, titles, masks=marked, window=(-2, 4)),
    alt="An axial slice of a held-out subject in T1 with contrast agent, with a "
    "large, solid bright region and a thin bright ring behind it; both marked as enhancing tumour; "
    "and the band of two pixels to each side of their boundary.",
)

# %% [markdown]
# **Predict, and write it down before you run the next cells.** All three networks see the same slices in
# the same order for 120 steps; training subjects and held-out subjects are different people.
#
# 1. In the *band*, how large will be the share of wrong pixels: below 10 %, around 20 %, around 30 %, for
#    each network?
# 2. *Far* from the boundary: will the three differ by much, in pixels out of a thousand?

# %%
STEPS = 120
with_rim = (training.labels == 3).any(dim=(1, 2)).nonzero()[:, 0]


def draw_batch(generator):
    """Six slices that show an enhancing tumour and two from anywhere, with their masks (class 1 of 2)."""
    six = with_rim[torch.randint(len(with_rim), (6,), generator=generator)]
    chosen = torch.cat([six, torch.randint(len(training.images), (2,), generator=generator)])
    images = training.images[chosen].to(memory_format=torch.channels_last)
    return images, (training.labels[chosen] == 3).long()


# %%
def train(way_up, seed=0):
    torch.manual_seed(seed)
    network = EncoderDecoder(way_up).float().to(memory_format=torch.channels_last)
    optimiser = torch.optim.Adam(network.parameters())
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, max_lr=0.02, total_steps=STEPS)
    generator = torch.Generator().manual_seed(seed)
    for _ in tqdm(range(STEPS), desc=way_up):
        images, labels = draw_batch(generator)
        loss = losses.dice_cross_entropy_loss(network(images), labels)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        schedule.step()
    return network.eval()


networks = {way_up: train(way_up) for way_up in WAYS_UP}

# %%
masks = {name: data.labels == 3 for name, data in held_out.items()}
brains = {name: (data.images != 0).any(dim=1) for name, data in held_out.items()}


@torch.no_grad()
def predict(network):
    """The network's masks of all held-out subjects: name -> (slices, X, Y), bool."""
    images = {name: data.images.to(memory_format=torch.channels_last) for name, data in held_out.items()}
    return {name: network(slices).argmax(dim=1) == 1 for name, slices in images.items()}


def bands_of(width):
    """The boundary band of every slice: name -> (slices, X, Y), bool."""
    return {name: torch.stack([boundary_band(mask, width) for mask in masks[name]]) for name in masks}


def error_rate(prediction, places):
    """Share of wrong pixels at some places, a dictionary of masks, over all held-out subjects."""
    wrong = sum(int(((prediction[name] != masks[name]) & at).sum()) for name, at in places.items())
    return wrong / sum(int(at.sum()) for at in places.values())


# %%
predictions = {way_up: predict(network) for way_up, network in networks.items()}
bands = bands_of(2)
far = {name: brains[name] & ~bands[name] for name in masks}

print(f"{'':8}  wrong in the band   wrong far away   Dice, mean   Dice of each held-out subject")
for way_up, prediction in predictions.items():
    dice = [metrics.dice_score(prediction[name].numpy(), masks[name].numpy()) for name in masks]
    each = " ".join(f"{score:.2f}" for score in dice)
    wrong = f"{error_rate(prediction, bands):15.1%} {error_rate(prediction, far):17.3%}"
    print(f"{way_up:8} {wrong}   {np.mean(dice):10.3f}   {each}")

# %% [markdown]
# Finer than "band" and "far": the error as a function of the distance to the boundary. (Your bands, one
# inside the other.) The points are your three trainings, the shaded bands the span of the six recorded
# ones.

# %%
nested = [bands_of(distance) for distance in range(9)]
rings = [
    {name: outer[name] & ~inner[name] & brains[name] for name in masks}
    for inner, outer in itertools.pairwise(nested)
]
rates = {
    way_up: [100 * error_rate(prediction, ring) for ring in rings]
    for way_up, prediction in predictions.items()
}

# %% tags=["plot"]
# Wrong pixels by their distance to the boundary
ax = figures.curves(
    {way_up: (range(1, 9), rate) for way_up, rate in rates.items()},
    xlabel="distance to the boundary of the reference (pixels, rounded up)",
    ylabel="wrong pixels (%)",
    colours=("red", "orange", "blue"),
    marker="each",
    title="points: your trainings; shaded: six recorded ones",
    ylim=(0, 45),
    xticks=range(1, 9),
)
for line, runs in zip(ax.get_lines(), recorded["segmenting"].values()):
    wrong = 100 * np.array([run["by_distance"] for run in runs])
    ax.fill_between(range(1, 9), wrong.min(0), wrong.max(0), alpha=0.2, lw=0, color=line.get_color())
figures.show(
    ax.figure,
    alt="Share of wrong pixels against the distance to the boundary. All curves fall from the "
    "first pixel on. The plain network lies highest in the first three pixels, the one with skip "
    "connections lowest; from the fourth pixel on all are below four per cent, and the one with "
    "places is no longer better than the plain one.",
)

# %% [markdown]
# And a picture of where the wrong pixels lie, in the held-out subject whose tumour is neither large nor
# small.

# %%
by_volume = sorted(held_out, key=lambda name: int(masks[name].sum()))
typical = by_volume[len(by_volume) // 2]  # neither the largest nor the smallest tumour
level = int(masks[typical].sum(dim=(1, 2)).argmax())
t1ce, rim = held_out[typical].images[level, 1], masks[typical][level]

centre = torch.nonzero(rim).double().mean(dim=0)
starts = [int(min(max(at - 18, 0), size - 36)) for at, size in zip(centre, rim.shape)]
part = tuple(slice(start, start + 36) for start in starts)
answers = {way_up: prediction[typical][level] for way_up, prediction in predictions.items()}

# %% tags=["plot"]
# Where the wrong pixels lie
titles, marked = ["reference"], [{"yellow": rim[part]}]
for way_up, answer in answers.items():
    titles.append(f"{way_up}:\n{int((answer != rim)[part].sum())} pixels wrong")
    marked.append({"sky": (rim & ~answer)[part], "red": (answer & ~rim)[part]})
names = {"yellow": "enhancing tumour", "sky": "missed", "red": "marked, but not tumour"}
figures.show(
    figures.row_of_slices(t1ce[part], titles, masks=marked, mask_names=names, window=(-2, 4), alpha=0.8),
    alt="A part of a held-out slice with the enhancing rim, and the wrong pixels of the three "
    "networks. The plain network marks the dark core or most of it, and is wrong along the rim's "
    "edge; with places fewer pixels are wrong, with skip connections fewest.",
)

# %% [markdown]
# ### Exercise 16: explain the picture
#
# *3 minutes · difficulty 1 of 3*
#
# Compare with what you had written down. What do the table, the curves and the picture say?
#
# - **A.** Without skip connections a network doesn't find the tumour: its errors are spread over the whole
#   brain, near the boundary and far from it.
# - **B.** The network with skip connections has more weights than the two others, and draws everything
#   better for that reason.
# - **C.** All three find the tumours. They differ near the boundary, where skip connections bring back what
#   the poolings had removed.
# - **D.** The network without skip connections saw less data than the others; trained for as long as they
#   were, it would be equally good.

# %% tags=["exercise"]
### BEGIN SOLUTION
boundary_picture = "C"
# > boundary_picture = ...
### END SOLUTION

# %%
boundary_picture = check("boundary_picture", boundary_picture)

# %% [markdown] tags=["solution"]
# **Solution.** C. *What* and roughly *where* survives three poolings, so far from the boundary all three
# are nearly always right; the exact *where* does not, and only the skip connection carries it past them. In
# the band the plain network is wrong more often, with the same number of weights, the same slices and the
# same steps. Six trainings of each say how much: the plain network was wrong 1.5 to 1.7 times as often in
# the band as the one with skip connections. Remembered places bring part of it at 2 bits a window: they say
# where a maximum was, but not how strong, nor what its neighbours were. The order plain, indices, skips was
# the same with all six seeds; the plain network was wrong 1.03 to 1.41 times as often as the one with
# places. From the fourth pixel on places are no help, and from the fifth on skip connections are none
# either: there the plain network was wrong least often, on average. In the picture look at the dark core:
# the plain network fills in most of it or all, the one with skip connections next to nothing.

# %% [markdown]
# ## Summary
#
# You built nearest neighbour, bed of nails, max pooling and unpooling with places, FCN's bilinear kernel,
# transposed convolution by zero-fill, the overlap map, a meter for checkerboards and a boundary band.
# Remember:
#
# - All ways up are **linear** (max unpooling once its places are fixed) and sparse; nearest neighbour and
#   bed of nails are transposed convolutions with a kernel of ones and of one. Max unpooling is the gradient
#   of max pooling.
# - **Bilinear** upsampling is a transposed convolution with a fixed triangle, up to the border. In 3D:
#   trilinear.
# - **Transposed convolution = fill with $s-1$ zeros, pad by $k-1-p$, slide the flipped kernel.**
# - Stamps overlap evenly iff **kernel % stride == 0**. Kernel 3, stride 2 gives 1, 2, 4. This decides where
#   weights are nearly equal, and says nothing about trained ones.
# - A layer is *flat* iff the weights of each phase have the same **sum**. Training gets close to that,
#   nearest-neighbour fill makes it true. Gradients of strided convolutions have the same patterns.
# - **Resize-convolution** is flat by construction (nearest-neighbour fill, away from the border), and costs
#   $s^d$ times as many multiplications.
# - **Skip connections** help where pooling lost the pixels: at the boundary. Look at errors by distance,
#   not only at Dice.
#
# **Try what happens if** (nobody checks this; all of it takes a line or two):
#
# - the transposed convolution with kernel 4 starts from your `bilinear_kernel(2)` instead of random
#   weights. What is its ripple before training?
# - U-Net's kernel 2 with stride 2 is trained like the other three. Is its wall flatter than that of kernel
#   4?
# - only the finest of the three skip connections is kept. How much of the gain in the band is left?
#
# Notebook 04 asks the opposite question: how much of the image does one output pixel see?

# %%
check.progress()

# %% [markdown]
# ## References
#
# 1. O. Colliot, M. Vakalopoulou, *Deep learning for medical imaging, Part 4: Segmentation*, lecture, Master
#    MVA, 2019-20: unpooling, transposed convolution, artefacts, skip connections. Its unpooling examples
#    are those of Stanford's course CS231n (F.-F. Li, J. Johnson, S. Yeung).
# 2. J. Long, E. Shelhamer, T. Darrell, *Fully convolutional networks for semantic segmentation*, CVPR 2015,
#    arXiv:1411.4038: bilinear kernels, FCN-32s, 16s and 8s.
# 3. V. Badrinarayanan, A. Kendall, R. Cipolla, *SegNet: a deep convolutional encoder-decoder architecture
#    for image segmentation*, IEEE TPAMI 2017, arXiv:1511.00561: max unpooling with remembered indices.
# 4. K. Simonyan, A. Zisserman, *Very deep convolutional networks for large-scale image recognition*, ICLR
#    2015, arXiv:1409.1556: VGG16.
# 5. A. Odena, V. Dumoulin, C. Olah, *Deconvolution and checkerboard artifacts*, Distill, 2016,
#    https://doi.org/10.23915/distill.00003: uneven overlap and resize-convolution.
# 6. V. Dumoulin, F. Visin, *A guide to convolution arithmetic for deep learning*, arXiv:1603.07285, 2016:
#    transposed convolution by zero-fill.
# 7. O. Ronneberger, P. Fischer, T. Brox, *U-Net: convolutional networks for biomedical image segmentation*,
#    MICCAI 2015, arXiv:1505.04597: skip connections by concatenation.
