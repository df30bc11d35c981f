# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 02 · Convolution as a matrix
#
# A segmentation network makes its image smaller with strided convolutions and larger again with *transposed*
# convolutions. The second kind has a reputation for being mysterious. It isn't: write the first kind as a
# matrix, transpose the matrix, and all its properties follow, with the sizes, the strange options and the
# gradients.
#
# **You build:** cross-correlation and convolution, the matrix of a convolution in one and two dimensions, its
# transpose in three different ways, and the gradient of a convolution without automatic differentiation.
#
# **Time:** computed
#
# **You need:** matrix products, a little PyTorch (indexing, `shape`, `sum`), loops.
#
# **Stuck?** `check.hint("output_size")` gives a nudge, `check.solution("output_size")` the answer.
#
# **You will be able to**
#
# - say who flips the kernel and who doesn't, and when it matters;
# - predict the size of every output, with stride and padding, forwards and backwards;
# - write any convolution as a matrix, and recognise stride and padding in its picture;
# - explain a transposed convolution as stamping, as $X^\top$ and as a gradient, and why it is no inverse;
# - find the misprints on a slide of the lecture, and say precisely where two of its sentences stop being
#   true;
# - say why nobody stores the matrix.

# %% tags=["bootstrap"]
# generated

# %%
import matplotlib.pyplot as plt
import numpy as np
import scipy.sparse
import torch
import torch.nn.functional as F

from course_utils import cohort, figures
from course_utils.checking import compare
from course_utils.checks.convolution import check
from course_utils.interactive import convolution as interactive

figures.use_style()
torch.set_default_dtype(torch.float64)  # 16 digits: a difference of 1e-16 is rounding, 1e-2 is a mistake
torch.manual_seed(0)

# %% [markdown]
# Throughout this notebook we compute the same numbers in two ways. `compare` says how far apart they are:
# whether they are the same bit for bit, whether they agree up to rounding, and the largest difference.
# (`compare??` shows how.)

# %% [markdown]
# ## 1 · A kernel slides over a signal
#
# We begin in one dimension, with a real signal: one line through a FLAIR image of the synthetic cohort
# (notebook 00 tells what that is), in the slice that shows most of the tumour. Two things happen on this line
# that a network would like to know of. At the edges the intensity jumps; in the tumour it is high.

# %%
case = cohort.load_case(cohort.synthetic_cases(1)[0])
box = cohort.brain_box(cohort.brain_mask(case.image), multiple_of=4)
tumour = case.labels[box] > 0
best_slice = int(tumour.sum(axis=(0, 1)).argmax())  # the one with most of the tumour
best_row = int(tumour[:, :, best_slice].sum(axis=0).argmax())  # in it, the row with most of the tumour

# As an image: rows downwards, columns to the right, brightness between 0 and about 1.
flair = torch.tensor(case.image[3][box][:, :, best_slice].T).double()  # channel 3 is FLAIR
flair = flair / torch.quantile(flair, 0.995)
line = flair[best_row]
print("image (rows, columns):", tuple(flair.shape), "  line:", tuple(line.shape))

# %% tags=["plot"]
fig, (left, right) = plt.subplots(1, 2, figsize=(9, 3.2), width_ratios=(1, 2))
figures.show_slice(left, flair.T, title="FLAIR, one axial slice")
left.axhline(best_row, color=figures.COLOURS["orange"])
right.plot(line, color=figures.COLOURS["orange"])
right.set(title=f"the intensities along row {best_row}", xlabel="x (voxels)", ylabel="intensity (1 = bright)")
figures.show(
    fig,
    alt="Left: an axial FLAIR slice of a brain with a bright tumour, a horizontal line drawn "
    "through it. Right: the intensities along this line: zero outside the head, an uneven plateau "
    "inside, highest in the tumour.",
)

# %% [markdown]
# A **kernel** is a short list of weights $x = (x_0, \dots, x_{k-1})$. It is laid over the first $k$ values of
# the signal $a$, multiplied value by value, summed up. Then it moves on by one:
#
# $$y_i = \sum_{j=0}^{k-1} x_j\, a_{i+j}, \qquad i = 0, \dots, n-k .$$
#
# (The lecture calls the kernel $x$ and the input $a$. In formulas we keep these names; in code the kernel is
# `kernel`.) This is the **cross-correlation** of $a$ with $x$. By hand, with numbers whose digits show what
# happens:
#
# | $a$ | $x$ | $y_0$ | $y_1$ | $y_2$ |
# |---|---|---|---|---|
# | 1, 2, 4, 8, 3 | 1, 10, 100 | 1·1 + 10·2 + 100·4 = 421 | 842 | 384 |
#
# ### Exercise 1: cross-correlation by a loop
#
# *8 minutes · difficulty 1 of 3*
#
# Write it with a loop over $i$. No padding: only windows that lie wholly inside the signal count. (Start with
# `y = a.new_zeros(length)`: zeros of the same type as `a`.)


# %% tags=["exercise"]
def cross_correlation_1d(a, kernel):
    """Cross-correlation of a signal `a` (n,) with a kernel (k,), n >= k; a tensor (n - k + 1,)."""
    ### BEGIN SOLUTION
    k = len(kernel)
    y = a.new_zeros(len(a) - k + 1)
    for i in range(len(y)):
        y[i] = (kernel * a[i : i + k]).sum()
    return y
    ### END SOLUTION


# %%
cross_correlation_1d = check("cross_correlation_1d", cross_correlation_1d)

# %% [markdown] tags=["solution"]
# **Solution.** Each output is the dot product of the kernel, not turned round, with one window of the signal;
# `n - k + 1` windows lie wholly inside it.
#
# A dot product is large where the signal *resembles* the kernel. This is what "correlation" means, and how
# the first layer of a network reads: each kernel is a small pattern that it looks for everywhere, with the
# same weights.

# %% [markdown]
# PyTorch has the same operation under the name `conv1d`. It wants a batch axis and a channel axis before the
# positions, hence the `[None, None]` and, on the way back, `[0, 0]`.

# %%
difference_kernel = torch.tensor([-1.0, 0.0, 1.0])
ours = cross_correlation_1d(line, difference_kernel)
compare("our loop and F.conv1d", ours, F.conv1d(line[None, None], difference_kernel[None, None])[0, 0])

# %% [markdown]
# The kernel $(-1, 0, 1)$ subtracts the left neighbour from the right one. *Predict, before you run the next
# cell:* where along our line is the result large and positive, where negative, where about zero?

# %% tags=["plot"]
centres = np.arange(1, len(line) - 1)
ax = figures.curves(
    {"signal a": line, "cross-correlation with (-1, 0, 1)": (centres, ours)},
    xlabel="x (voxels), at the centre of the window",
    ylabel="intensity, response",
    colours=("orange", "blue"),
    legend="lower left",
)
ax.axhline(0, color="#999999", linewidth=0.8, zorder=0)
figures.show(
    ax.figure,
    alt="The line's intensities and, below, its cross-correlation with (-1, 0, 1): a "
    "positive peak where the signal rises, a negative one where it falls, near zero on plateaus "
    "and outside the head.",
)

# %% [markdown]
# It is positive where the signal rises from left to right, negative where it falls: the kernel detects edges
# and tells their direction.
#
# ### Who flips?
#
# In mathematics and in signal processing, **convolution** lets the kernel's index run *against* the signal's:
#
# $$(x * a)_i = \sum_{j=0}^{k-1} x_{k-1-j}\; a_{i+j}, \qquad i = 0, \dots, n-k .$$
#
# (Textbooks write $\sum_m x_m\, a_{i-m}$ over all places where both are defined. It is the same, counted
# from another place.) There is a reason for it: with the flip, $x * a = a * x$. Networks don't need this
# symmetry, so deep learning leaves out the flip and keeps the word.
#
# ### Exercise 2: convolution with the flip
#
# *4 minutes · difficulty 1 of 3*
#
# Write the true convolution. One line is enough if you use what you have.


# %% tags=["exercise"]
def convolution_1d(a, kernel):
    """Convolution, with the kernel flipped, of `a` (n,) with a kernel (k,), n >= k; a tensor (n - k + 1,)."""
    ### BEGIN SOLUTION
    return cross_correlation_1d(a, kernel.flip(0))
    ### END SOLUTION


# %%
convolution_1d = check("convolution_1d", convolution_1d)

# %% [markdown] tags=["solution"]
# **Solution.** Convolution is cross-correlation with the kernel turned round, nothing more: the index that
# ran forwards runs backwards. The signal stays as it is.
#
# A trained network can't tell the difference: if the library flipped, training would find the flipped
# weights. It matters when weights come from elsewhere: a filter from a textbook, from SciPy, from another
# framework. And it matters below, when we transpose.

# %%
a = torch.tensor([7.0, 11.0, 13.0, 17.0, 19.0])
kernel = torch.tensor([2.0, 3.0, 5.0])
print("F.conv1d            ", F.conv1d(a[None, None], kernel[None, None])[0, 0])
print("cross_correlation_1d", cross_correlation_1d(a, kernel))
print("np.correlate        ", np.correlate(a, kernel, mode="valid"))
print("convolution_1d      ", convolution_1d(a, kernel))
print("np.convolve         ", np.convolve(a, kernel, mode="valid"))

# %% [markdown]
# ### Exercise 3: explain the picture
#
# *4 minutes · difficulty 1 of 3*
#
# An **impulse** is a signal that is 1 at one place and 0 elsewhere. What an operation makes of it shows its
# kernel at once. The kernel here is $(1, 2, 4)$.

# %% tags=["plot"]
impulse = [0, 0, 0, 0, 1, 0, 0, 0, 0]
first, second = [0, 0, 4, 2, 1, 0, 0], [0, 0, 1, 2, 4, 0, 0]

fig, axes = plt.subplots(1, 3, figsize=(9, 2.4), sharey=True)
titles = ("the impulse", "first result", "second result")
for ax, values, title in zip(axes, (impulse, first, second), titles):
    ax.bar(range(len(values)), values, color=figures.COLOURS["blue"])
    ax.set(title=title, xlabel="index", xticks=range(len(values)))
axes[0].set_ylabel("value")
figures.show(
    fig,
    alt="Three bar charts. The impulse: a single 1 at index 4. The first result: 4, 2, 1 at "
    "the indices 2, 3, 4. The second result: 1, 2, 4 at the indices 2, 3, 4.",
)

# %% [markdown]
# Which operation gave which result, and which of them is PyTorch's `conv1d`?
#
# - **A.** The first is convolution, the second cross-correlation; `conv1d` computes the first.
# - **B.** The first is cross-correlation, the second convolution; `conv1d` computes the first.
# - **C.** The first is cross-correlation, the second convolution; `conv1d` computes the second.
# - **D.** Both are the same operation; only the padding differs.

# %% tags=["exercise"]
### BEGIN SOLUTION
impulse_picture = "B"
# > impulse_picture = ...
### END SOLUTION

# %%
impulse_picture = check("impulse_picture", impulse_picture)

# %% [markdown] tags=["solution"]
# **Solution.** B: a window that comes from the left touches the impulse with its *last* weight, 4, first, so
# a kernel that slides unflipped, as in `conv1d`, writes itself backwards: 4, 2, 1. Convolution flips it
# beforehand and so writes it forwards.
#
# Keep this picture: in section 5 an operation will *stamp* the kernel forwards, and the flip comes back.

# %% [markdown]
# In two dimensions the kernel is a small image and slides over rows and columns:
#
# $$y_{i,j} = \sum_{p} \sum_{q} x_{p,q}\; a_{i+p,\, j+q} .$$
#
# Here is an edge kernel on the brain. *Predict:* convolution turns this kernel by 180 degrees. What does that
# do to the picture on the right?

# %%
edge_kernel = torch.tensor([[-1.0, 0.0, 1.0], [-2.0, 0.0, 2.0], [-1.0, 0.0, 1.0]])
correlated = F.conv2d(flair[None, None], edge_kernel[None, None])[0, 0]
convolved = F.conv2d(flair[None, None], edge_kernel.flip(0, 1)[None, None])[0, 0]
compare("convolution and minus cross-correlation", convolved, -correlated)

# %% tags=["plot"]
fig, axes = plt.subplots(1, 4, figsize=(9, 2.8), width_ratios=(3, 1, 3, 3))
figures.show_slice(axes[0], flair.T, title="FLAIR")
figures.show_matrix(axes[1], edge_kernel, "kernel")
axis_labels = {"row_label": "y (voxels)", "column_label": "x (voxels)"}
for ax, response, title in ((axes[2], correlated, "cross-correlation"), (axes[3], convolved, "convolution")):
    figures.show_matrix(ax, response, title + "\nred > 0, blue < 0", values=False, limit=1, **axis_labels)
figures.show(
    fig,
    alt="A FLAIR slice, a kernel with -1 -2 -1 in its left column and 1 2 1 in its right, "
    "and the two responses. In the cross-correlation left edges of bright parts are red "
    "(positive), right edges blue; convolution swaps the colours.",
)

# %% [markdown]
# Turned by 180 degrees, this kernel is its own negative: the colours swap, and an edge that was "bright on
# the right" becomes one that is "bright on the left". With a symmetric kernel, such as a blur, you would
# see no difference at all. That is how a flip goes unnoticed for years.
#
# *Try it:* put a blur, `torch.ones(3, 3) / 9`, in the place of `edge_kernel` and run the two cells again.
# What do you expect of the two pictures, and of `compare`?

# %% [markdown]
# ## 2 · How long is the output?
#
# Two options change where the kernel stops.
#
# - **Padding** $p$ adds $p$ zeros at *each* end, so that the kernel may stick out.
# - **Stride** $s$ moves the kernel by $s$ places instead of one. A last step that doesn't fit is left out.
#
# The windows of a kernel of size 3 on a signal of 7 values; grey places are padding:

# %% tags=["plot"]
settings = [(1, 0), (1, 1), (2, 0), (2, 1), (3, 0)]
fig, axes = plt.subplots(1, len(settings), figsize=(9, 2.6), sharey=True)
for ax, (stride, padding) in zip(axes, settings):
    interactive.show_windows(ax, 7, 3, stride=stride, padding=padding)
axes[0].set_ylabel("output i")
figures.show(
    fig,
    alt="Five diagrams of windows of length 3 over 7 places. Stride 1 without padding gives "
    "5 outputs, with padding 1 it gives 7; stride 2 gives 3, with padding 4; stride 3 without "
    "padding gives 2, and the last place is never seen.",
)

# %% [markdown]
# ### Exercise 4: the size of the output
#
# *6 minutes · difficulty 2 of 3*
#
# Write the formula for any $n$, $k$, $s$, $p$. Look at the last diagram: where does the rounding go? Try it
# on the lecture's example first: a kernel of size 3, stride 2, padding 1 takes 4 values to 2. (A size counts
# something, so it has to be a whole number: an `int`, not 2.0.)


# %% tags=["exercise"]
def output_size(n, kernel, stride=1, padding=0):
    """Length of the convolution of n values with a kernel of size `kernel` (an int); an int."""
    ### BEGIN SOLUTION
    return (n + 2 * padding - kernel) // stride + 1
    ### END SOLUTION


# %%
output_size = check("output_size", output_size)

# %% [markdown] tags=["solution"]
# **Solution.** `(n + 2 * padding - kernel) // stride + 1`: the first window is the "+ 1", and each *whole*
# stride that fits into the `n + 2 * padding - kernel` places after it makes one output more.
#
# As a formula, $\lfloor (n + 2p - k)/s \rfloor + 1$. Three special cases to know by heart: stride 1 and
# $p = (k-1)/2$, for odd $k$, keep the size ("same"); stride 1 without padding loses $k - 1$ ("valid");
# $k = 3$, $s = 2$, $p = 1$ halve it, rounding up.

# %% [markdown]
# ### Exercise 5: predict a number
#
# *3 minutes · difficulty 1 of 3*
#
# A real BraTS scan has 155 slices. A network has four layers with kernel size 3, **stride 2** and padding 1,
# one after the other, in all three directions. How many slices are left after the fourth, exactly? *First
# guess* from 155 / 16, *then* compute.

# %% tags=["exercise"]
### BEGIN SOLUTION
slices_left = 155
for _layer in range(4):
    slices_left = output_size(slices_left, 3, stride=2, padding=1)
# > slices_left = ...
### END SOLUTION

# %%
slices_left = check("slices_left", slices_left)

# %% [markdown] tags=["solution"]
# **Solution.** 155, 78, 39, 20, **10**: each layer rounds by itself, and with padding 1 it rounds up. So
# 155 / 16 = 9.69, rounded down, would mislead you.
#
# More important: *every* size from 145 to 160 ends as 10. The network
# can't know from 10 slices how many there were, and on the way up somebody has to tell it. Most people avoid
# the question and crop or pad their scans to a multiple of 16.

# %% [markdown]
# The sizes as a staircase. Wherever a step is wider than one, several inputs share an output size.

# %% tags=["plot"]
sizes = np.arange(3, 17)
fig, ax = plt.subplots(figsize=(6, 3))
for stride in (1, 2, 3):
    outputs = [output_size(int(n), 3, stride, 1) for n in sizes]
    ax.plot(sizes, outputs, "o-", drawstyle="steps-mid", markersize=4, label=f"stride {stride}")
ax.set(xlabel="input size n", ylabel="output size", title="kernel 3, padding 1")
ax.set(xticks=sizes, yticks=range(2, 17, 2))
ax.legend()
figures.show(
    fig,
    alt="Output size against input size. Stride 1 goes up by one each time; stride 2 is a "
    "staircase whose steps are two inputs wide, for example 3 and 4 both give 2; stride 3 has steps "
    "three inputs wide.",
)

# %% [markdown]
# ## 3 · Convolution is a matrix
#
# Each $y_i$ is a weighted sum of the inputs: the operation is linear. So there is a matrix $X$ with $y = Xa$.
# With stride $s$ and padding $p$,
#
# $$y_i = \sum_j x_j\, a_{is + j - p} = \sum_m X_{i,m}\, a_m
# \qquad\Longrightarrow\qquad X_{i,m} = x_{m - is + p},$$
#
# and $X_{i,m} = 0$ where $x$ has no such index. In words: **row $i$ is the kernel, moved to where it lies
# when it computes output $i$.** What lies over padding multiplies a zero and needs no column.

# %% tags=["plot"]
fig, axes = plt.subplots(1, 3, figsize=(9, 2.6))
rows = [[3, 5, 0, 0], [2, 3, 5, 0], [0, 2, 3, 5], [0, 0, 2, 3]]
for ax, row in zip(axes, (0, 1, 3)):
    interactive.show_convolution_row(ax, rows, [7, 11, 13, 17], [2, 3, 5], row, padding=1)
figures.show(
    fig,
    alt="Three steps of one convolution with kernel 2 3 5 and padding 1 over the input 7 11 "
    "13 17. Where the kernel lies over the input, its values fall straight down into the lit row "
    "of the matrix: row 0 reads 3 5 0 0, row 1 reads 2 3 5 0, row 3 reads 0 0 2 3.",
)

# %% [markdown]
# We take primes, so that each product shows which two numbers it was made of.
#
# ### Exercise 6: the convolution matrix
#
# *12 minutes · difficulty 2 of 3*
#
# Write it for any kernel, size, stride and padding. The matrix has `output_size(...)` rows and `n` columns,
# and the type of the kernel (`kernel.new_zeros(rows, columns)`).


# %% tags=["exercise"]
def convolution_matrix(kernel, n, stride=1, padding=0):
    """The matrix X of the cross-correlation of n values with a kernel (k,); a tensor (outputs, n)."""
    ### BEGIN SOLUTION
    k = len(kernel)
    X = kernel.new_zeros(output_size(n, k, stride, padding), n)
    for i in range(X.shape[0]):
        for j in range(k):
            column = i * stride - padding + j
            if 0 <= column < n:  # otherwise the kernel sticks out there, and meets a padding zero
                X[i, column] = kernel[j]
    return X
    ### END SOLUTION


# %%
convolution_matrix = check("convolution_matrix", convolution_matrix)

# %% [markdown] tags=["solution"]
# **Solution.** Nothing was computed: row `i` is the kernel, copied to the columns from `i * stride - padding`
# on; what would lie outside the columns 0 to `n - 1` meets padding zeros and is left out.
#
# With stride 1 all diagonals are constant (a *Toeplitz* matrix): this is weight sharing. A fully connected
# layer from 4 values to 4 has 16 free numbers; a convolution with a kernel of 3 has 3, repeated, and zeros
# elsewhere. So a convolution is a fully connected layer that was told two things: *look at neighbours only*,
# and *do the same everywhere*.

# %%
slide_input, slide_kernel = torch.tensor([7.0, 11.0, 13.0, 17.0]), torch.tensor([2.0, 3.0, 5.0])
X = convolution_matrix(slide_kernel, 4, padding=1)
print(X)
direct = F.conv1d(slide_input[None, None], slide_kernel[None, None], padding=1)[0, 0]
compare("X @ a and F.conv1d, lecture's example", X @ slide_input, direct)

random_a, random_kernel = torch.randn(50), torch.randn(6)
X = convolution_matrix(random_kernel, 50, stride=3, padding=2)
direct = F.conv1d(random_a[None, None], random_kernel[None, None], stride=3, padding=2)[0, 0]
compare("50 values, kernel 6, stride 3, padding 2", X @ random_a, direct)

# %% [markdown]
# Now move the kernel yourself. The widget draws **your** matrix. Three things to find out:
#
# 1. Move *row of the output*. What happens to the lit row at the two ends?
# 2. Set *stride* to 2. How far is each row from the one above? What becomes of the number of rows?
# 3. Set *padding* to 0, 1, 2. Which rows come and go, and do the columns change?
#
# (If you see no sliders, you read a printed page; the three pictures above show the idea.)

# %%
interactive.convolution_rows(
    convolution_matrix, slide_kernel, torch.tensor([7.0, 11.0, 13.0, 17.0, 19.0, 23.0])
)

# %% [markdown]
# ### Exercise 7: explain the picture
#
# *3 minutes · difficulty 1 of 3*
#
# Which of these matrices belongs to kernel $(2, 3, 5)$, **stride 2, padding 1**, on seven inputs?

# %% tags=["plot"]
candidates = {
    "A": [[3, 5, 0, 0, 0, 0, 0], [0, 2, 3, 5, 0, 0, 0], [0, 0, 0, 2, 3, 5, 0], [0, 0, 0, 0, 0, 2, 3]],
    "B": [[2, 3, 5, 0, 0, 0, 0], [0, 0, 2, 3, 5, 0, 0], [0, 0, 0, 0, 2, 3, 5]],
    "C": [[3, 5, 0, 0, 0, 0, 0], [2, 3, 5, 0, 0, 0, 0], [0, 2, 3, 5, 0, 0, 0], [0, 0, 2, 3, 5, 0, 0]],
    "D": [[3, 2, 0, 0, 0, 0, 0], [0, 5, 3, 2, 0, 0, 0], [0, 0, 0, 5, 3, 2, 0], [0, 0, 0, 0, 0, 5, 3]],
}
fig = figures.row_of_matrices(candidates, columns=2, row_label="output", column_label="input")
figures.show(
    fig,
    alt="Four matrices. A, 4 rows: 3 5 in columns 0 and 1, 2 3 5 from columns 1 and 3, 2 3 in "
    "columns 5 and 6. B, 3 rows: 2 3 5 from the columns 0, 2 and 4. C, 4 rows: 3 5 in columns 0 "
    "and 1, then 2 3 5 moved by one column a row. D, 4 rows: 3 2 in columns 0 and 1, 5 3 2 from "
    "columns 1 and 3, 5 3 in columns 5 and 6.",
)

# %% tags=["exercise"]
### BEGIN SOLUTION
which_matrix = "A"
# > which_matrix = ...
### END SOLUTION

# %%
which_matrix = check("which_matrix", which_matrix)

# %% [markdown] tags=["solution"]
# **Solution.** A: three things can be read off any such picture. The **shift** from row to row is the stride
# (C shifts by one), what is **cut off** the first row is the padding (B cuts nothing), and the **order**
# within a full row is the kernel's (D reads 5, 3, 2).

# %% [markdown]
# ### Exercise 8: a slide, proofread
#
# *5 minutes · difficulty 1 of 3*
#
# The lecture writes kernel size 3, stride 1, padding 1 for $x = (x, y, z)$ and the input $(a, b, c, d)$. It
# keeps the padding zeros as part of the vector, so its matrix has six columns. Printed on the slide is
#
# $$\begin{pmatrix}
# x & y & x & 0 & 0 & 0 \\ 0 & x & y & x & 0 & 0 \\ 0 & 0 & x & y & x & 0 \\ 0 & 0 & 0 & x & y & x
# \end{pmatrix}
# \begin{pmatrix} 0 \\ a \\ b \\ c \\ d \\ 0 \end{pmatrix}
# = \begin{pmatrix} ay + bz \\ ax + by + cz \\ bx + cy + dz \\ cx + dy \end{pmatrix}.$$
#
# Is it right? Below, `printed` is the slide's matrix with numbers for $x, y, z$. Compute the right one with
# your own function and compare. How many of the 24 printed entries are wrong, exactly?

# %% tags=["exercise"]
x, y, z = 2.0, 3.0, 5.0
printed = torch.tensor([[x, y, x, 0, 0, 0], [0, x, y, x, 0, 0], [0, 0, x, y, x, 0], [0, 0, 0, x, y, x]])
### BEGIN SOLUTION
wrong_entries = int((printed != convolution_matrix(torch.tensor([x, y, z]), 6)).sum())
# > wrong_entries = ...
### END SOLUTION

# %%
wrong_entries = check("wrong_entries", wrong_entries)

# %% [markdown] tags=["solution"]
# **Solution.** Four: the third kernel value of each of the four rows is printed `x` and must be `z`.
#
# The right-hand side is printed correctly, so the slide contradicts itself: no $z$ can come out of a matrix
# that has none. If you had tested with $x = z$, a symmetric kernel, both versions would agree. *Test with
# numbers that are all different.*

# %% [markdown]
# ## 4 · In two dimensions
#
# A matrix acts on a vector, so the image becomes one: `flatten()` lays its rows one behind the other. Pixel
# $(r, c)$ of an image that is $w$ pixels wide becomes entry $r\,w + c$. Row and column of $X$ now stand for a
# pixel each:
#
# $$X_{\,i\,w' + j,\;\; r\,w + c} = x_{\,r - is + p,\;\; c - js + p}\,,$$
#
# with $w'$ the width of the output, and zero where the kernel has no such entry.
#
# ### Exercise 9: the matrix of a 2D convolution
#
# *20 minutes · difficulty 3 of 3*
#
# Write it. Mind images that are not square, and kernels that aren't. *Before you write:* the neighbour
# below a pixel is how many entries away in the flattened image?


# %% tags=["exercise"]
def convolution_matrix_2d(kernel, height, width, stride=1, padding=0):
    """The matrix of the cross-correlation of an image (height, width) with a kernel (k1, k2).

    It acts on the flattened image: a tensor (output pixels, height * width).
    """
    ### BEGIN SOLUTION
    k1, k2 = kernel.shape
    out_height = output_size(height, k1, stride, padding)
    out_width = output_size(width, k2, stride, padding)
    X = kernel.new_zeros(out_height * out_width, height * width)
    for i in range(out_height):
        for j in range(out_width):
            for p in range(k1):
                for q in range(k2):
                    r, c = i * stride - padding + p, j * stride - padding + q
                    if 0 <= r < height and 0 <= c < width:
                        X[i * out_width + j, r * width + c] = kernel[p, q]
    return X
    ### END SOLUTION


# %%
convolution_matrix_2d = check("convolution_matrix_2d", convolution_matrix_2d)

# %% [markdown] tags=["solution"]
# **Solution.** For output pixel `(i, j)` kernel entry `(p, q)` lies on row `i * stride - padding + p` and
# column `j * stride - padding + q` of the input; the two have to be tested apart, or a kernel that sticks out
# on the left reads the end of the image row above.
#
# The pixel below is $w$ entries away: what is close in the image is far apart in the vector, and this is
# what makes the picture of the matrix interesting.

# %%
image, kernel_2d = torch.randn(7, 5), torch.randn(3, 2)
ours = convolution_matrix_2d(kernel_2d, 7, 5, stride=2, padding=1) @ image.flatten()
direct = F.conv2d(image[None, None], kernel_2d[None, None], stride=2, padding=1)[0, 0]
print("output (rows, columns):", tuple(direct.shape))
compare("X @ image.flatten() and F.conv2d", ours, direct.flatten())

# %% [markdown]
# ### Exercise 10: explain the picture
#
# *5 minutes · difficulty 2 of 3*
#
# A 3x3 kernel on a 6x6 image without padding: 16 output pixels, 36 input pixels. Thin lines separate the
# image rows: each **block** has four rows (one row of the output) and six columns (one row of the input).
# One block has a frame.

# %%
counting_kernel = torch.arange(1.0, 10.0).reshape(3, 3)
blocks = convolution_matrix_2d(counting_kernel, 6, 6)

# %% tags=["plot"]
fig, (left, right) = plt.subplots(1, 2, figsize=(11, 4.2), width_ratios=(1, 9))
figures.show_matrix(left, counting_kernel, "kernel", row_label="p", column_label="q")
pixels = {"row_label": "output pixel", "column_label": "input pixel"}
figures.show_matrix(right, blocks, "its matrix", values=True, **pixels)
interactive.draw_blocks(right, 4, 6, frame=(1, 2))
figures.show(
    fig,
    alt="Left: the kernel 1 to 9, row by row. Right: its 16 x 36 matrix, divided in 4 x 6 "
    "blocks. Blocks on three diagonals are filled, each with a short diagonal band, the others "
    "are zero. The framed block is block row 1, block column 2.",
)

# %% [markdown]
# Which part of the kernel does the framed block hold? (Its band is readable, but find out *why* it has to be
# this part.)
#
# - **A.** The kernel's middle column, 2, 5, 8: what input column 2 gives to output column 1.
# - **B.** The kernel's first row, 1, 2, 3: what input row 2 gives to output row 1.
# - **C.** The kernel's middle row, 4, 5, 6: what input row 2 gives to output row 1.
# - **D.** The whole kernel, once for each pixel of the row.

# %% tags=["exercise"]
### BEGIN SOLUTION
block_picture = "C"
# > block_picture = ...
### END SOLUTION

# %%
block_picture = check("block_picture", block_picture)

# %% [markdown] tags=["solution"]
# **Solution.** C: the block in block row `i` and block column `r` says what input row `r` gives to output row
# `i`, so it is the 1D matrix of kernel row `r - i`, here 2 - 1 = 1, the middle one.
#
# So the matrix is Toeplitz twice: the *blocks* repeat along diagonals, and within each block the *entries*
# do. It is called **doubly block Toeplitz**, and a 3D convolution adds a third level.

# %% [markdown]
# That observation is a second way to build the matrix, from your 1D function. Let $S_p$ be the matrix that
# picks input row $i + p$ for output row $i$: the 1D convolution matrix of the unit vector $e_p$. Then
#
# $$X = \sum_p S_p \otimes X^{\text{1D}}(\text{kernel row } p),$$
#
# where $\otimes$, the Kronecker product, puts a copy of its second factor at each entry of the first.

# %%
by_blocks = sum(
    torch.kron(convolution_matrix(unit_vector, 6), convolution_matrix(kernel_row, 6))
    for unit_vector, kernel_row in zip(torch.eye(3), counting_kernel)
)
compare("four loops and Kronecker products", blocks, by_blocks)

# %% [markdown]
# Padding and stride as patterns, on a 9x9 image. *Predict* before you run: which of the three is square?
# Which is flat, and how fast do its bands move to the right? And where do the notches in the bands of the
# middle one come from?

# %% tags=["plot"]
fig, axes = plt.subplots(1, 3, figsize=(10, 3.6))
for ax, (stride, padding) in zip(axes, ((1, 0), (1, 1), (2, 1))):
    matrix = convolution_matrix_2d(torch.ones(3, 3), 9, 9, stride, padding)
    title = f"stride {stride}, padding {padding}: {matrix.shape[0]} x {matrix.shape[1]}"
    figures.show_matrix(ax, matrix, title, row_label="output pixel", column_label="input pixel")
figures.show(
    fig,
    alt="Three patterns of nonzero entries for a 3x3 kernel on a 9x9 image. Without padding, "
    "49 rows: three groups of three thin diagonal bands. With padding 1, 81 rows, square, the "
    "bands have notches at the borders of image rows. With stride 2, 25 rows: the bands advance "
    "twice as fast.",
)

# %% [markdown]
# With padding 1 the output is as large as the image, so the matrix is square. Its bands have notches at
# the borders of the image: where the kernel sticks out to the left or right, its entries have no column.
# With stride 2 there are 25 rows instead of 81 (on a large image, a quarter). Within an output row the bands
# move on by two columns a row; from one output row to the next they jump, because an image row is skipped.

# %% [markdown]
# ## 5 · The transpose
#
# $X$ has a row for each output and a column for each input. Its transpose $X^\top$ has them the other way
# round: it takes as many values as the convolution *put out* to as many as it *took in*. That is the
# **transposed convolution**, and a U-Net's way up. What does it do?
#
# $$(X^\top b)_m = \sum_i X_{i,m}\, b_i = \sum_i x_{m - is + p}\, b_i .$$
#
# Read it input by input: $b_i$ appears, times $x_j$, at place $m = is + j - p$ for each $j$. **Each input
# value stamps the kernel into the output, multiplied by itself; stamps are $s$ apart, and where they
# overlap they add up.**
#
# A convolution *gathers*: one output looks at a window (a row of $X$). A transposed convolution *scatters*:
# one input writes a window (a column of $X^\top$).

# %% tags=["plot"]
X = convolution_matrix(slide_kernel, 5, stride=2)
fig, (left, right) = plt.subplots(1, 2, figsize=(7, 3))
names = {"row_label": "output", "column_label": "input"}
figures.show_matrix(left, X, "X gathers: row 1 makes output 1", highlight_rows=[1], **names)
figures.show_matrix(right, X.T, "X.T scatters:\ncolumn 1 is input 1's stamp", highlight_columns=[1], **names)
figures.show(
    fig,
    alt="Left: a 2 x 5 matrix, kernel 2 3 5 in the columns 0 to 2 of row 0 and 2 to 4 of row "
    "1, row 1 framed. Right: its transpose, 5 x 2, column 1 framed: the same kernel, standing "
    "upright in the rows 2 to 4.",
)

# %% tags=["plot"]
fig, axes = plt.subplots(1, 4, figsize=(9, 2.6), sharey=True)
interactive.show_stamps(axes, [1, 3, 2], [2, 3, 5], stride=2)
figures.show(
    fig,
    alt="Stamps of the input 1, 3, 2 with kernel 2 3 5 and stride 2. Input 0 writes 2 3 5 at "
    "places 0 to 2, input 1 writes 6 9 15 at places 2 to 4, input 2 writes 4 6 10 at places 4 to "
    "6. Added up, places 2 and 4 get two stamps each.",
)

# %% [markdown]
# **Padding** of a transposed convolution is that of the convolution it belongs to. The convolution had $p$
# zeros more at each end; these places were never real inputs, so the transpose has nothing to write there:
# **$p$ values are cut off each end.** Padding makes a convolution's output longer, and a transposed
# convolution's shorter.
#
# ### Exercise 11: the transposed convolution by stamping
#
# *10 minutes · difficulty 2 of 3*
#
# Write it with a loop over the inputs: stamp into a long enough array of zeros, then cut. Try it without the
# matrix and without PyTorch's convolutions: we compare with both below. (To cut, mind that `full[0:-0]` is
# empty.)


# %% tags=["exercise"]
def transposed_convolution_1d(b, kernel, stride=1, padding=0):
    """Transposed convolution of `b` (n,) with a kernel (k,).

    Returns a tensor ((n - 1) * stride + k - 2 * padding,).
    """
    ### BEGIN SOLUTION
    k = len(kernel)
    full = b.new_zeros((len(b) - 1) * stride + k)
    for i in range(len(b)):
        full[i * stride : i * stride + k] += b[i] * kernel
    return full[padding : len(full) - padding]
    ### END SOLUTION


# %%
transposed_convolution_1d = check("transposed_convolution_1d", transposed_convolution_1d)

# %% [markdown] tags=["solution"]
# **Solution.** Each input value stamps the kernel, multiplied by itself, `stride` places after the one
# before; overlaps add up, the padding is cut off both ends, and nothing is flipped.
#
# Nor were zeros put between the inputs. Flip and zeros appear when one insists on describing this operation
# as an ordinary convolution; as stamping it is four lines. With a stride smaller than the kernel stamps
# overlap, and not evenly: places 2 and 4 above got two contributions, the others one. That is the seed of
# the checkerboard artefacts of notebook 03.

# %% [markdown]
# Three ways, the same numbers: stamping, the transposed matrix, PyTorch.

# %%
b, random_kernel = torch.randn(6), torch.randn(4)
stamped = transposed_convolution_1d(b, random_kernel, stride=3, padding=2)
by_matrix = convolution_matrix(random_kernel, len(stamped), stride=3, padding=2).T @ b
by_torch = F.conv_transpose1d(b[None, None], random_kernel[None, None], stride=3, padding=2)[0, 0]
compare("stamping and X.T @ b", stamped, by_matrix)
compare("stamping and F.conv_transpose1d", stamped, by_torch)

# %% [markdown]
# ### Exercise 12: the slide's second half
#
# *8 minutes · difficulty 2 of 3*
#
# The lecture goes on with the same kernel and the transposed matrix. (Its $a$ is now the input of the
# transposed convolution; and because the slide kept the padding as columns, nothing is cut off.) Printed is
#
# $$X^\top a = \begin{pmatrix}
# x & 0 & 0 & 0 \\ y & x & 0 & 0 \\ z & y & x & 0 \\ 0 & z & y & x \\ 0 & 0 & z & y \\ 0 & 0 & 0 & z
# \end{pmatrix}
# \begin{pmatrix} a \\ b \\ c \\ d \end{pmatrix}
# = \begin{pmatrix} ax \\ ay + bx \\ az + by + cx \\ bz + cy + dx \\ dz + dy \\ dy \end{pmatrix}.$$
#
# Check the right-hand side with numbers: compute `X.T @ a` with the matrix of exercise 8, put the same
# numbers into the printed expressions and compare, entry by entry. Here are the printed ones:


# %%
def printed_on_the_slide(x, y, z, a, b, c, d):
    return [x * a, y * a + x * b, z * a + y * b + x * c, z * b + y * c + x * d, z * d + y * d, y * d]


print("printed:", printed_on_the_slide(2, 3, 5, 7, 11, 13, 17))

# %% [markdown]
# Then write the list as it should be.


# %% tags=["exercise"]
def slide_transposed(x, y, z, a, b, c, d):
    """The six entries of X^T (a, b, c, d) for the kernel (x, y, z), stride 1, nothing cut off; a list."""
    ### BEGIN SOLUTION
    return [x * a, y * a + x * b, z * a + y * b + x * c, z * b + y * c + x * d, z * c + y * d, z * d]
    ### END SOLUTION


# %%
slide_transposed = check("slide_transposed", slide_transposed)

# %% [markdown] tags=["solution"]
# **Solution.** The last two are misprinted: `cz + dy` and `dz` are right, not `dz + dy` and `dy`. Each of
# a, b, c, d stamps the whole kernel, so it meets each of x, y, z exactly once: in print `dy` occurs twice,
# `cz` never.
#
# With the numbers: 116 and 85, not 136 and 51. But you need no arithmetic to see that something is wrong:
# twelve products, each of the four inputs with each of the three weights, have to occur.

# %%
by_matrix = convolution_matrix(slide_kernel, 6).T @ slide_input
print("printed   ", printed_on_the_slide(2, 3, 5, 7, 11, 13, 17))
print("X.T @ a   ", by_matrix.tolist())
corrected = torch.tensor([float(entry) for entry in slide_transposed(2, 3, 5, 7, 11, 13, 17)])
compare("corrected slide and X.T @ a", corrected, by_matrix)
compare("stamping and X.T @ a", transposed_convolution_1d(slide_input, slide_kernel), by_matrix)

# %% [markdown]
# In two dimensions the stamps are squares; the lecture has an example. An input of 2x2, a kernel of 3x3,
# stride 2: four stamps of 3x3 whose corners are two apart. *Predict:* how large is the result, and how many
# stamps does its centre get?

# %%
corners, square = torch.tensor([[1.0, 2.0], [3.0, 4.0]]), torch.ones(3, 3)
total = F.conv_transpose2d(corners[None, None], square[None, None], stride=2)[0, 0]
by_matrix = convolution_matrix_2d(square, 5, 5, stride=2).T @ corners.flatten()
compare("2D: X.T and F.conv_transpose2d", by_matrix.reshape(5, 5), total)

# %% tags=["plot"]
stamps = {}
for row, column in ((0, 0), (0, 1), (1, 0), (1, 1)):
    alone = torch.zeros(2, 2)
    alone[row, column] = corners[row, column]
    stamp = F.conv_transpose2d(alone[None, None], square[None, None], stride=2)[0, 0]
    stamps[f"stamp of {corners[row, column]:g}"] = stamp
fig = figures.row_of_matrices({**stamps, "all, added": total})
figures.show(
    fig,
    alt="Four 5x5 matrices, each with a 3x3 square of 1s, 2s, 3s or 4s in one corner, and "
    "their sum: 1 2 3 4 in the corners, sums of two between them, and 10, the sum of all four, in "
    "the centre.",
)

# %% [markdown]
# ### When is it an ordinary convolution?
#
# The lecture says: *for stride 1, the transposed convolution is a regular convolution with other padding
# rules.* Almost. Compare the two matrices for the slide's kernel. On the left $X^\top$, on the right the
# matrix of an ordinary convolution of four values with the same kernel and padding 2, so that the sizes
# agree.

# %% tags=["plot"]
fig, (left, right) = plt.subplots(1, 2, figsize=(6.5, 3.4))
names = {"row_label": "output", "column_label": "input"}
figures.show_matrix(left, convolution_matrix(slide_kernel, 6).T, "transposed, kernel 2 3 5", **names)
figures.show_matrix(right, convolution_matrix(slide_kernel, 4, padding=2), "ordinary, kernel 2 3 5", **names)
figures.show(
    fig,
    alt="Two 6 x 4 band matrices. In the transposed one the full rows read 5 3 2 and row 0 "
    "begins with 2; in the ordinary one the full rows read 2 3 5 and row 0 begins with 5.",
)

# %% [markdown]
# Same shape, same band, but something is different.
#
# ### Exercise 13: stride 1, by an ordinary convolution
#
# *8 minutes · difficulty 2 of 3*
#
# Compute the transposed convolution with **stride 1** by an ordinary one: try it with a single call of
# `F.conv1d`. What has to happen to the kernel, and how large must the padding of `F.conv1d` be when the
# transposed convolution has padding $p$ (with $p \le k - 1$)?


# %% tags=["exercise"]
def transpose_by_convolution(b, kernel, padding=0):
    """Transposed convolution, stride 1, of `b` (n,) with a kernel (k,), by an ordinary convolution.

    Returns a tensor (n + k - 1 - 2 * padding,).
    """
    ### BEGIN SOLUTION
    flipped = kernel.flip(0)
    return F.conv1d(b[None, None], flipped[None, None], padding=len(kernel) - 1 - padding)[0, 0]
    ### END SOLUTION


# %%
transpose_by_convolution = check("transpose_by_convolution", transpose_by_convolution)

# %% [markdown] tags=["solution"]
# **Solution.** The kernel is **flipped**, and the padding becomes `k - 1 - padding`. A stamp writes the
# kernel forwards, a sliding kernel writes itself backwards: to get the same picture it has to be turned
# round first.
#
# So the lecture's sentence is true with four more words: *with the kernel flipped*. In the language of
# section 1: the transpose of a cross-correlation is a true convolution, with "full" padding.

# %%
transposed = F.conv_transpose1d(slide_input[None, None], slide_kernel[None, None])[0, 0]
without_flip = F.conv1d(slide_input[None, None], slide_kernel[None, None], padding=2)[0, 0]
compare("transposed, and ordinary with flip", transposed, transpose_by_convolution(slide_input, slide_kernel))
compare("transposed, and ordinary without flip", transposed, without_flip)

# %% [markdown]
# For larger strides an ordinary convolution gives the same only if $s - 1$ zeros are first put between the
# inputs (notebook 03 does that). It is a way to *describe* the operation; as a way to compute it, it would
# mostly multiply zeros.
#
# ### How large is the output? And why does 2x2 become 3x3?
#
# The lecture's forward example: kernel 3x3, stride 2, padding 1 takes 4x4 to 2x2. Then it shows the
# transposed convolution "3x3, stride 2, padding 1" from 2x2 back to 4x4. *Predict* what PyTorch says:

# %%
small, weights = torch.rand(2, 2) + 0.5, torch.rand(3, 3) + 0.5
for n in (3, 4, 5):
    forward = F.conv2d(torch.rand(1, 1, n, n), weights[None, None], stride=2, padding=1)
    print(f"convolution            {n}x{n} -> {forward.shape[-2]}x{forward.shape[-1]}")
for extra in (0, 1):
    options = {"stride": 2, "padding": 1, "output_padding": extra}
    back = F.conv_transpose2d(small[None, None], weights[None, None], **options)
    print(f"transposed convolution 2x2 -> {back.shape[-2]}x{back.shape[-1]}   with output_padding={extra}")

# %% [markdown]
# The forward direction forgets: 3x3 *and* 4x4 give 2x2 (the staircase of section 2). So "back" is
# ambiguous. PyTorch takes the smallest size, 3x3, and `output_padding=1` asks for the next one. The
# option's name invites a wrong idea: that it puts zeros around the result. Look at what it does.

# %%
full = F.conv_transpose2d(small[None, None], weights[None, None], stride=2)[0, 0]
compare("padding 1, output_padding 1 = full[1:5, 1:5]", back[0, 0], full[1:5, 1:5])

# %% tags=["plot"]
fig, axes = plt.subplots(1, 2, figsize=(7, 3.4))
for ax, kept, title in zip(axes, (3, 4), ("padding 1: keeps 3x3", "padding 1, output_padding 1: keeps 4x4")):
    figures.show_matrix(ax, full, title)
    interactive.draw_frame(ax, 1, 1, kept, kept)
figures.show(
    fig,
    alt="The 5x5 result of all stamps, twice, with a green frame around what is kept. "
    "Padding 1 cuts one row and column off each side and keeps the 3x3 in the middle. With "
    "output_padding 1 the last row and column are kept as well: 4x4. None of the kept values is "
    "zero.",
)

# %% [markdown]
# All stamps together make 5x5. Padding cuts one row and column off each side. `output_padding` **gives
# back** what had been cut at the *end*: numbers that the stamps wrote, not zeros. (Only if `output_padding`
# were larger than `padding` would the rest be zeros.)
#
# ### Exercise 14: the size of the transposed output
#
# *6 minutes · difficulty 2 of 3*
#
# Write the formula. Count stamps, don't memorise: where does the last stamp begin, where does it end, what is
# cut, what is given back?


# %% tags=["exercise"]
def transposed_output_size(n, kernel, stride=1, padding=0, output_padding=0):
    """Length of the transposed convolution of n values with a kernel of size `kernel` (an int); an int."""
    ### BEGIN SOLUTION
    return (n - 1) * stride + kernel - 2 * padding + output_padding
    ### END SOLUTION


# %%
transposed_output_size = check("transposed_output_size", transposed_output_size)

# %% [markdown] tags=["solution"]
# **Solution.** `(n - 1) * stride + kernel - 2 * padding + output_padding`: the last stamp begins at
# `(n - 1) * stride` and is as long as the kernel; the padding is cut off both ends, `output_padding` is given
# back at one.
#
# For the lecture: $(2 - 1) \cdot 2 + 3 - 2 = 3$, and 4 with `output_padding=1`. So the slide's transposed
# convolution needs it, though it isn't printed. Without it, the result is the smallest input size that the
# convolution takes to $n$; there are $s$ of them, which is why `output_padding` is only allowed from 0 to
# $s - 1$ (PyTorch also accepts values below the dilation).

# %%
print("input size -> convolution, kernel 3, stride 3, padding 1 -> back with output_padding 0, 1, 2")
for n in range(7, 14):
    down = output_size(n, 3, 3, 1)
    print(f"{n:5} -> {down} -> {[transposed_output_size(down, 3, 3, 1, extra) for extra in range(3)]}")

# %% [markdown]
# ### Exercise 15: explain the picture
#
# *4 minutes · difficulty 1 of 3*
#
# Transposed convolution is sometimes called "deconvolution". A deconvolution would *undo* the convolution.
# Here is a smooth kernel, on the brain, with stride 2, and the transposed convolution with the same kernel,
# stride and padding. (The kernel is scaled so that a constant image comes back as it was,
# but for its border.)

# %%
smooth = torch.tensor([1.0, 2.0, 1.0]).outer(torch.tensor([1.0, 2.0, 1.0])) / 8
down = F.conv2d(flair[None, None], smooth[None, None], stride=2, padding=1)
up = F.conv_transpose2d(down, smooth[None, None], stride=2, padding=1, output_padding=1)[0, 0]
down, difference = down[0, 0], up - flair
print(f"largest difference: {difference.abs().max():.2f}, where the image's brightest values are about 1")

# %% tags=["plot"]
fig, axes = plt.subplots(1, 4, figsize=(11, 3.2))
for ax, picture, name in zip(axes, (flair, down, up), ("$a$", "$Xa$", r"$X^\top Xa$")):
    window = (0, float(picture.max()))
    figures.show_slice(ax, picture.T, title=f"{name}: {picture.shape[0]} x {picture.shape[1]}", window=window)
title = "$X^\\top Xa - a$, red > 0, blue < 0,\nfull colour from 0.2 on"
axis_labels = {"row_label": "y (voxels)", "column_label": "x (voxels)"}
figures.show_matrix(axes[3], difference, title, values=False, limit=0.2 / 1.6, **axis_labels)
figures.show(
    fig,
    alt="A FLAIR slice; its strided convolution, half as large on each side; the transposed "
    "convolution of that, as large as the original but blurred; and the difference, with red and "
    "blue along every edge and fine structure.",
)

# %% [markdown]
# What do the pictures say about the transposed convolution?
#
# - **A.** It is the inverse: the third picture is the first, size and values.
# - **B.** It would be the inverse, but for rounding errors, which the fourth picture shows.
# - **C.** It is not the inverse: it doesn't even give the image's size back.
# - **D.** It is not the inverse: it gives the size back, but not the values.

# %% tags=["exercise"]
### BEGIN SOLUTION
inverse_picture = "D"
# > inverse_picture = ...
### END SOLUTION

# %%
inverse_picture = check("inverse_picture", inverse_picture)

# %% [markdown] tags=["solution"]
# **Solution.** D: the size comes back, the values don't. The strided convolution keeps one number of four,
# and no map brings the other three back; the transpose only returns each number to *where it came from*,
# with the same weights, here a blur.
#
# And even where $X$ is square and invertible, $X^\top \ne X^{-1}$ unless its rows are orthonormal. A
# network learns another kernel for the way up, and gets the fine structures from its skip connections
# (notebooks 03 and 05). So: say "transposed convolution". "Deconvolution" promises what it doesn't keep.

# %% [markdown]
# *Try it:* in the cell that makes `down` and `up`, divide by 16 instead of 8 and leave out the stride and
# `output_padding`, so that no number is left out on the way down. Does the image come back now? What do you
# see in the fourth picture?

# %% [markdown]
# ## 6 · The gradient of a convolution
#
# Why would anybody transpose a convolution in the first place? Because training does it all the time.
#
# For any matrix, $\langle Xa,\, b\rangle = \langle a,\, X^\top b\rangle$: what $X$ does on the left,
# $X^\top$ does on the right. This property *defines* the transpose (mathematicians say "adjoint"), and it
# tests one without ever building the matrix: put in random vectors, compare two numbers.

# %%
a, b, weights = torch.randn(1, 1, 9, 7), torch.randn(1, 1, 5, 4), torch.randn(1, 1, 3, 3)
left_side = (F.conv2d(a, weights, stride=2, padding=1) * b).sum()
right_side = (a * F.conv_transpose2d(b, weights, stride=2, padding=1)).sum()
compare("<conv(a), b> and <a, conv_transpose(b)>", left_side, right_side)

# %% [markdown]
# Now let a loss $L$ depend on $y = Xa$, and let $v = \partial L / \partial y$ be what backpropagation
# brings back from the layers above. A small change of $a$ changes the loss by
#
# $$dL = \langle v,\, X\,da\rangle = \langle X^\top v,\, da\rangle
# \qquad\Longrightarrow\qquad \frac{\partial L}{\partial a} = X^\top v .$$
#
# **The backward pass of a convolution is a transposed convolution.** (And that of a transposed convolution
# is a convolution.) Autograd agrees, without knowing any matrix:

# %%
a = torch.randn(9, 7, requires_grad=True)
v, weights = torch.randn(5, 4), torch.randn(3, 3)
loss = (F.conv2d(a[None, None], weights[None, None], stride=2, padding=1)[0, 0] * v).sum()
(autograd,) = torch.autograd.grad(loss, a)
by_matrix = (convolution_matrix_2d(weights, 9, 7, stride=2, padding=1).T @ v.flatten()).reshape(9, 7)
compare("autograd and X.T @ v", autograd, by_matrix)

# %% [markdown]
# ### Exercise 16: backpropagation through a convolution
#
# *20 minutes · difficulty 3 of 3*
#
# Write the gradient with respect to the input. Try it without autograd, which the check compares with, and
# without the big matrix: `F.conv_transpose2d` does it. Mind the size: the gradient has to be as large as the
# input was. Height and width may need different care; `output_padding` takes a pair, (rows, columns).


# %% tags=["exercise"]
def input_gradient(v, kernel, height, width, stride=1, padding=0):
    """d<conv(a), v> / da for an input `a` of (height, width); a tensor (height, width).

    `v` has the size of the convolution's output, kernel is (k1, k2).
    """
    ### BEGIN SOLUTION
    extra_rows = height - transposed_output_size(v.shape[0], kernel.shape[0], stride, padding)
    extra_columns = width - transposed_output_size(v.shape[1], kernel.shape[1], stride, padding)
    extra = (extra_rows, extra_columns)
    return F.conv_transpose2d(v[None, None], kernel[None, None], None, stride, padding, extra)[0, 0]
    ### END SOLUTION


# %%
input_gradient = check("input_gradient", input_gradient)

# %% [markdown] tags=["solution"]
# **Solution.** The whole backward pass is one transposed convolution with the same kernel, stride and
# padding; `output_padding`, one for the rows and one for the columns, gives it the input's size, which for
# a stride above 1 the output's size doesn't tell.
#
# Inputs that no window touched (the last ones, when a step didn't fit) get gradient zero, and are never
# learned from.

# %% [markdown]
# What does this gradient look like? Take a loss that is one single output pixel: $v$ is an impulse. The
# gradient says how much each input pixel matters to it.

# %%
v = torch.zeros(4, 5)
v[1, 2] = 1
gradient = input_gradient(v, counting_kernel, 8, 10, stride=2, padding=1)

# %% tags=["plot"]
fig, (left, right) = plt.subplots(1, 2, figsize=(8.4, 3.8))
figures.show_matrix(left, v, "v: one output pixel", row_label="output row", column_label="output column")
names = {"row_label": "input row", "column_label": "input column"}
figures.show_matrix(right, gradient, "gradient: its stamp in the input", **names)
figures.show(
    fig,
    alt="Left: a 4 x 5 matrix, 1 at row 1, column 2. Right: the 8 x 10 gradient, zero but "
    "for a 3x3 square in the rows 1 to 3 and columns 3 to 5, which reads 1 to 9 row by row: the "
    "kernel, not flipped.",
)

# %% [markdown]
# One stamp: the kernel, unflipped, at the window from which that pixel was computed. Follow this through
# many layers, and you get the **receptive field** (notebook 04).

# %% [markdown]
# ## 7 · What the matrix costs
#
# The matrix explains everything. Should one compute with it?
#
# ### Exercise 17: predict a number
#
# *4 minutes · difficulty 1 of 3*
#
# A slice of BraTS has 240x240 pixels. A 3x3 convolution with padding 1 has a matrix. How many
# **gigabytes** (1 GB = 10⁹ bytes) does it take, stored densely with `float32` (4 bytes a number)? Three
# digits are enough. *Guess first:* does it fit on your phone, your laptop, a GPU?

# %% tags=["exercise"]
### BEGIN SOLUTION
matrix_memory = (240 * 240) ** 2 * 4 / 1e9  # rows * columns * bytes
# > matrix_memory = ...
### END SOLUTION

# %%
matrix_memory = check("matrix_memory", matrix_memory)

# %% [markdown] tags=["solution"]
# **Solution.** 57,600 rows and as many columns make 3.3 thousand million entries: **13.3 GB**, for a kernel
# of nine numbers (36 bytes).
#
# And that is one pair of channels. A layer from 64 to 64 channels has 4,096 such pairs: 54 TB. In 3D, for
# 240x240x155 voxels, a single pair would need 319 TB.

# %% [markdown]
# ### Exercise 18: predict a number
#
# *4 minutes · difficulty 1 of 3*
#
# And the time? Multiplying by the dense matrix takes one multiplication for each entry. The direct way
# takes one for each kernel entry, at each output pixel. By what **factor** is the matrix more expensive
# (same 240x240 image, 3x3 kernel, padding 1; count the multiplications with padding zeros as well)? It is a
# whole number: give it exactly.

# %% tags=["exercise"]
### BEGIN SOLUTION
dense_overhead = (240 * 240) ** 2 / (240 * 240 * 9)
# > dense_overhead = ...
### END SOLUTION

# %%
dense_overhead = check("dense_overhead", dense_overhead)

# %% [markdown] tags=["solution"]
# **Solution.** 6,400: one output pixel costs the dense matrix a row of 57,600 multiplications, all but nine
# of them (or fewer) by zero; the direct way needs nine.
#
# The factor is (pixels) / (kernel entries): it grows with the image.

# %% [markdown]
# Zeros needn't be stored. A **sparse** matrix keeps only the others, with their places. By Kronecker
# products it is built in milliseconds, and it gives the same brain as `F.conv2d`, at full size:


# %%
def sparse_convolution_matrix_2d(kernel, height, width):
    """Sparse matrix of a 3x3 cross-correlation with padding 1: the sum over p of S_p (x) X(kernel row p)."""
    total = scipy.sparse.csr_array((height * width, height * width))
    for p in range(3):
        picks_row = scipy.sparse.diags_array([1.0], offsets=[p - 1], shape=(height, height))
        matrix_1d = scipy.sparse.diags_array(kernel[p].tolist(), offsets=(-1, 0, 1), shape=(width, width))
        total = total + scipy.sparse.kron(picks_row, matrix_1d, format="csr")
    return total


# %%
height, width = flair.shape
sparse = sparse_convolution_matrix_2d(edge_kernel + 0.1, height, width)  # + 0.1: no kernel entry is zero
by_matrix = torch.from_numpy(sparse @ flair.flatten().numpy()).reshape(height, width)
direct = F.conv2d(flair[None, None], edge_kernel[None, None] + 0.1, padding=1)[0, 0]
compare("sparse matrix and F.conv2d", by_matrix, direct)

sparse_bytes = sparse.data.nbytes + sparse.indices.nbytes + sparse.indptr.nbytes
dense_bytes = (height * width) ** 2 * 8
print(
    f"this image, {height}x{width}, in float64: dense matrix {dense_bytes / 1e9:.2f} GB, "
    f"sparse {sparse_bytes / 1e6:.2f} MB, kernel 72 bytes"
)

# %%
pixels = 240 * 240
matrix = sparse_convolution_matrix_2d(edge_kernel + 0.1, 240, 240)
print(f"240x240: {pixels**2:,} entries, {matrix.nnz:,} of them not zero ({matrix.nnz / pixels**2:.4%})")
print(f"multiplications: dense {pixels**2:,}, sparse {matrix.nnz:,}, direct {9 * pixels:,}")

# %% [markdown]
# $515{,}524 = 718^2$ and $718 = 3 \cdot 240 - 2$: three entries a line, less one at each border (you saw
# the notches in section 4). So the sparse matrix multiplies as little as the direct way. But it stores each
# of the nine weights some 57,000 times, with a column number beside it: in `float32` 4 MB instead of 36
# bytes, to be fetched from memory for each product.

# %% tags=["plot"]
ax = interactive.memory([16, 32, 64, 128, 240, 512, 1024])
figures.show(
    ax.figure,
    alt="Memory against image side on logarithmic axes. The dense matrix grows with the "
    "fourth power and passes 16 GB just above 240 pixels; the sparse matrix and the image grow "
    "with the square; the kernel stays at 36 bytes.",
)

# %% [markdown]
# So libraries never build $X$. They run over the windows directly, or rearrange the windows as the rows of
# a smaller matrix (`F.unfold`, "im2col") so that one dense product does the rest, or multiply Fourier
# transforms when the kernel is large. The matrix is for *thinking*: shapes, transposes and gradients can be
# read off it.

# %% [markdown]
# ## Summary
#
# You built cross-correlation and convolution, the two size formulas, the convolution matrix in 1D and 2D,
# the transposed convolution by stamping and by an ordinary convolution, and the backward pass of a
# convolution. Remember:
#
# - PyTorch's `conv` doesn't flip: it is a **cross-correlation**. It matters when weights come from elsewhere.
# - Output size: $\lfloor (n + 2p - k)/s \rfloor + 1$. With $s > 1$ several input sizes share it.
# - **Row $i$ of $X$ is the kernel where it lies for output $i$.** The shift between rows is the stride,
#   what is cut off is the padding. In 2D the blocks are 1D matrices of the kernel's rows.
# - **Transposed convolution is $X^\top$:** each input stamps the kernel, stamps are a stride apart,
#   overlaps add, padding cuts off. It is the gradient of the convolution. It is not its inverse.
# - Size: $(n-1)s + k - 2p + o$. `output_padding` $o$ chooses among the sizes that the convolution confuses;
#   it adds no zeros.
# - For stride 1 it is an ordinary convolution with padding $k - 1 - p$ **and the kernel flipped**.
# - The matrix is for thinking: dense, it takes 13 GB for one 240x240 image and a kernel of nine numbers.
# - Test with asymmetric kernels, non-square images and numbers that are all different. That is how the
#   slide's misprints show.
#
# Next, notebook 03 makes images larger again, in all the ways there are.

# %%
check.progress()

# %% [markdown]
# ## References
#
# 1. O. Colliot, M. Vakalopoulou, *Deep learning for medical imaging, Part 4: Segmentation*, lecture, Master
#    MVA, 2019-20: strided and transposed convolution, convolution as a matrix.
# 2. V. Dumoulin, F. Visin, *A guide to convolution arithmetic for deep learning*, arXiv:1603.07285, 2016:
#    the sizes, with animations; our exercises 4 and 14 are its relationships 6 and 14.
# 3. J. Long, E. Shelhamer, T. Darrell, *Fully convolutional networks for semantic segmentation*, CVPR 2015,
#    arXiv:1411.4038: upsampling in a network by transposed ("backwards strided") convolution.
# 4. I. Goodfellow, Y. Bengio, A. Courville, *Deep Learning*, MIT Press, 2016, chapter 9,
#    https://www.deeplearningbook.org: convolution and cross-correlation, convolution as a (doubly block
#    Toeplitz) matrix, its gradients.
# 5. A. Odena, V. Dumoulin, C. Olah, *Deconvolution and checkerboard artifacts*, Distill, 2016,
#    https://doi.org/10.23915/distill.00003: what uneven overlaps of stamps do to images (outlook on
#    notebook 03).
# 6. A. Karpathy, *Neural networks: zero to hero*, https://karpathy.ai/zero-to-hero.html: the habit of
#    printing "exact, close, largest difference".
