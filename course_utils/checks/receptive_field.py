"""Exercises of notebook 04: what an output can see, what it touches, and what it really uses.

The oracles are PyTorch's and SciPy's own convolutions, products of polynomials, and weighted moments.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from fractions import Fraction
from functools import partial
from itertools import permutations

import numpy as np
import scipy.signal
import torch
import torch.nn.functional as F
from torch import Tensor

from course_utils.checking import Checker, Trial
from course_utils.checking.comparing import describe_type
from course_utils.checking.mistakes import given, then
from course_utils.checking.samples import numbers, tensor
from course_utils.receptive_field import Layer

check = Checker("receptive_field")


def _flip(kernel: Tensor) -> Tensor:
    return kernel.flip(tuple(range(kernel.ndim)))


# ---- 1. How far can one output see?


def _support(layers: Sequence[Layer]) -> tuple[np.ndarray, int, int]:
    """Which inputs output 0 touches (bool, from the first one on), where the first one lies, and the jump.

    Layers one behind the other multiply their polynomials: position o of a polynomial is the power x^o.
    """
    polynomial, start, jump = np.ones(1), 0, 1
    for layer in layers:
        taps = np.zeros((layer.kernel - 1) * layer.dilation * jump + 1)
        taps[:: layer.dilation * jump] = 1
        polynomial = np.convolve(polynomial, taps)
        start, jump = start - layer.padding * jump, jump * layer.stride
    return polynomial > 0.5, start, jump


def _receptive_field(layers: Sequence[Layer]) -> tuple[int, int, int]:
    support, start, jump = _support(layers)
    return len(support), jump, start


def _recursion(
    layers: Sequence[Layer],
    *,
    first: int = 1,
    keep: Callable = lambda x: 1,
    grow: Callable = lambda x, jump: (x.kernel - 1) * x.dilation * jump,
    shift: Callable = lambda x, jump: -x.padding * jump,
    step: Callable = lambda x, jump: jump * x.stride,
) -> tuple[int, int, int]:
    """The recursion with its parts left open, for the mistakes."""
    size, jump, start = first, 1, 0
    for x in layers:
        size, jump, start = keep(x) * size + grow(x, jump), step(x, jump), start + shift(x, jump)
    return size, jump, start


def _grow_late(x: Layer, jump: int) -> int:
    return (x.kernel - 1) * x.dilation * jump * x.stride


def _shift_late(x: Layer, jump: int) -> int:
    return -x.padding * jump * x.stride


@check.exercise(
    oracle=_receptive_field,
    hints=(
        "Before the first layer, an output is an input: size 1, jump 1, start 0. Then go through the layers "
        "and update the three numbers.",
        "The layer's kernel spans (kernel - 1) * dilation steps, and one step of its input is worth `jump` "
        "input pixels. The same holds for the padding.",
        "size += (kernel - 1) * dilation * jump; start -= padding * jump; and only then jump *= stride.",
    ),
    why={
        partial(_recursion, grow=lambda x, jump: (x.kernel - 1) * x.dilation): (
            "The kernel's steps are not worth one pixel each behind a stride: multiply by the jump."
        ),
        partial(
            _recursion,
            grow=lambda x, jump: (x.kernel - 1) * x.dilation,
            shift=lambda x, jump: -x.padding,
        ): (
            "Behind a stride a step is worth `jump` pixels: multiply the kernel's steps and the padding by "
            "it."
        ),
        partial(_recursion, step=lambda x, jump: jump): (
            "Your jump stays 1: each layer multiplies it by its stride."
        ),
        partial(
            _recursion,
            grow=lambda x, jump: ((x.kernel - 1) * x.dilation - 2 * x.padding) * jump,
        ): "Padding moves the field, it doesn't make it smaller: subtract it from the start only.",
        partial(_recursion, shift=lambda x, jump: -x.padding * x.dilation * jump): (
            "The dilation spreads the kernel, not the padding: start -= padding * jump."
        ),
        partial(_recursion, grow=_grow_late, shift=_shift_late): (
            "You update the jump too early: a layer's stride counts for the layers after it, not for itself."
        ),
        partial(_recursion, shift=_shift_late): (
            "The size is right, but the start needs the jump from before this layer: update the jump last."
        ),
        partial(_recursion, grow=_grow_late): (
            "The start is right, but the size needs the jump from before this layer: update the jump last."
        ),
        partial(_recursion, grow=lambda x, jump: (x.kernel - 1) * jump): (
            "The dilation is missing: it spreads the kernel over (kernel - 1) * dilation steps."
        ),
        partial(_recursion, grow=lambda x, jump: x.kernel * x.dilation * jump): (
            "A kernel of k values has k - 1 steps between its ends: it spans (kernel - 1) * dilation steps, "
            "not kernel * dilation."
        ),
        partial(_recursion, grow=lambda x, jump: (x.kernel * x.dilation - 1) * jump): (
            "Only the gaps of a kernel grow with the dilation, and there are kernel - 1 of them."
        ),
        partial(_recursion, keep=lambda x: 0): (
            "Your size forgets what the layers before have seen: add to it, `size += ...`."
        ),
        partial(_recursion, keep=lambda x: x.stride, grow=lambda x, jump: (x.kernel - 1) * x.dilation): (
            "size * stride + ... is a rule for going from the output down. From the input up the size only "
            "grows by addition, and the jump carries the strides."
        ),
        partial(_recursion, shift=lambda x, jump: x.padding * jump): (
            "Padding moves the field to the left, outside the image: subtract it."
        ),
        partial(_recursion, shift=lambda x, jump: -x.padding): (
            "The padding counts in input pixels, and behind a stride each of its steps is `jump` pixels wide."
        ),
        partial(
            _recursion, shift=lambda x, jump: 0
        ): "The padding is missing: it moves the start to the left.",
        partial(_recursion, step=lambda x, jump: x.stride): (
            "The jump is the product of all strides so far, not the last one."
        ),
        partial(_recursion, step=lambda x, jump: jump + x.stride): (
            "Strides multiply: behind two strides of 2 outputs are 4 pixels apart. jump *= stride."
        ),
        partial(_recursion, first=0): "Without any layer, an output is one input: the size starts at 1.",
        given(_receptive_field, layers=lambda layers: layers[::-1]): (
            "Go through the layers from the input on: the first one comes first."
        ),
        (lambda layers: _receptive_field(layers[:1]) if layers else None): (
            "Your function returns inside the loop, after the first layer: move `return` out of it."
        ),
        **{
            then(_receptive_field, lambda found, order=order: tuple(found[i] for i in order)): (
                "The order is size, jump, start. Yours is "
                f"{', '.join(('size', 'jump', 'start')[i] for i in order)}."
            )
            for order in list(permutations(range(3)))[1:]
        },
    },
)
def receptive_field_of(trial: Trial) -> None:
    trial.signature("layers")
    trial.case([Layer(3), Layer(2, stride=2), Layer(3)], expected=(8, 2, 0), whole=True)
    trial.case([Layer(3, padding=1)], expected=(3, 1, -1), whole=True)
    trial.case(
        [Layer(3, stride=2, padding=1), Layer(5, padding=2), Layer(3, stride=3, dilation=2, padding=2)],
        whole=True,
    )
    trial.case(
        [Layer(2, stride=3), Layer(4, dilation=3), Layer(1, stride=2), Layer(3, padding=1)], whole=True
    )
    trial.case([], whole=True)


check.choice(
    "early_stride",
    answer="B",
    hints=(
        "Write down the three numbers of the recursion for both networks, layer by layer.",
        "In both networks the layers' kernels are 3, 3, 3 and 2. What differs is the jump that the 3x3 "
        "layers meet.",
        "Pooling first: 2, then three times + 2 * 2. Pooling last: 7, then + 1.",
    ),
    why={
        "A": "The order matters: a layer behind the pooling makes steps of two pixels, one before it steps "
        "of one.",
        "C": "The last pooling sees two positions that are one pixel apart: it adds one pixel, no more.",
        "D": "Both outputs have the same jump, 2; what they see differs. Follow the size layer by layer.",
    },
)


def _depth_needed(size: int, kernel: int) -> int:
    return math.ceil(Fraction(size - 1, kernel - 1))


@check.exercise(
    oracle=_depth_needed,
    hints=(
        "With stride 1 and no dilation, each layer adds kernel - 1 pixels. What is the size after n layers?",
        "1 + n * (kernel - 1) has to reach `size`; the smallest whole n that does.",
        "-(-(size - 1) // (kernel - 1)) rounds (size - 1) / (kernel - 1) up without floats.",
    ),
    why={
        given(_depth_needed, size=lambda size: size + 1): (
            "One layer too many, at times: only size - 1 pixels have to be added to the first one."
        ),
        (lambda size, kernel: (size - 1) // (kernel - 1)): (
            "You rounded down: with that many layers the field is still too small."
        ),
        (lambda size, kernel: round((size - 1) / (kernel - 1))): (
            "round(...) goes to the nearest whole number, often down: the field has to reach `size`."
        ),
        (lambda size, kernel: size // (kernel - 1)): (
            "You divide `size` and round down. One pixel is seen without any layer, so size - 1 have to be "
            "added, and the number of layers is rounded up."
        ),
        given(_depth_needed, kernel=lambda kernel: kernel + 1): "A layer adds kernel - 1 pixels, not kernel.",
        (lambda size, kernel: math.ceil(size / kernel)): (
            "Fields don't lie side by side: each further layer adds kernel - 1 pixels to what is seen."
        ),
        then(_depth_needed, lambda depth: depth - 1): (
            "One layer too few: the first layer, which sees `kernel` pixels, counts as well."
        ),
        then(_depth_needed, lambda depth: depth + 1): (
            "One layer too many, always: the pixel that is seen without any layer isn't a layer."
        ),
        (lambda size, kernel: math.ceil(Fraction(size - 1, kernel // 2))): (
            "kernel // 2 pixels are added on one side, but a layer looks to both: kernel - 1 in all."
        ),
        (lambda size, kernel: math.ceil(math.log(size, kernel))): (
            "Plain layers don't multiply the field: each adds kernel - 1 pixels to it."
        ),
        (lambda size, kernel: (size - 1) / (kernel - 1)): (
            "The answer is a number of layers, a whole number: round up."
        ),
        (lambda size, kernel: max(1, _depth_needed(size, kernel))): (
            "One pixel is seen without any layer: for size 1 the answer is 0."
        ),
    },
)
def depth_needed(trial: Trial) -> None:
    trial.signature("size", "kernel")
    trial.case(25, 3, expected=12, whole=True)
    trial.case(6, 3, expected=3, whole=True)
    trial.case(1, 7, expected=0, whole=True)
    trial.cases([(8, 4), (9, 4), (64, 4), (102, 6), (240, 3), (9, 9), (100_002, 20_001)], whole=True)


# ---- 2. Causal convolution


def _causal_convolution(signal: Tensor, kernel: Tensor, dilation: int = 1) -> Tensor:
    """As a filter: the newest value meets the kernel's last entry."""
    impulse_response = np.zeros((len(kernel) - 1) * dilation + 1)
    impulse_response[::dilation] = kernel.flip(0).numpy()
    return torch.from_numpy(scipy.signal.lfilter(impulse_response, 1.0, signal.numpy()))


def _padded(
    signal: Tensor,
    kernel: Tensor,
    dilation: int = 1,
    *,
    left: Callable = lambda k, d: (k - 1) * d,
    right: Callable = lambda k, d: 0,
) -> Tensor:
    """A convolution with so many zeros on either side (cut off where negative), for the mistakes."""
    around = left(len(kernel), dilation), right(len(kernel), dilation)
    return F.conv1d(F.pad(signal, around)[None, None], kernel[None, None], dilation=dilation)[0, 0]


def _padded_for_a_dilation(signal: Tensor, kernel: Tensor, dilation: int = 1) -> Tensor:
    """So many zeros as the dilation needs, and then a convolution without dilation."""
    return _padded(F.pad(signal, ((len(kernel) - 1) * (dilation - 1), 0)), kernel)


def _wrapping(signal: Tensor, kernel: Tensor, dilation: int = 1) -> Tensor:
    return sum(weight * signal.roll((len(kernel) - 1 - j) * dilation) for j, weight in enumerate(kernel))


def _zeros_before_the_result(signal: Tensor, kernel: Tensor, dilation: int = 1) -> Tensor:
    valid = _padded(signal, kernel, dilation, left=lambda k, d: 0)
    return F.pad(valid, (len(signal) - len(valid), 0))


@check.exercise(
    oracle=_causal_convolution,
    hints=(
        "Output t may look at signal[t], signal[t - dilation], ... only. Which values does F.conv1d look at?",
        "Put zeros on the left only, so many that output 0 meets signal[0] with the kernel's last entry.",
        "F.pad(signal, ((len(kernel) - 1) * dilation, 0)), then F.conv1d(..., dilation=dilation) with "
        "[None, None] and [0, 0].",
    ),
    why={
        partial(
            _padded,
            left=lambda k, d: (k - 1) * d // 2,
            right=lambda k, d: (k - 1) * d - (k - 1) * d // 2,
        ): "You padded both sides alike: output t sees the future, signal[t + 1] and further.",
        partial(
            _padded, left=lambda k, d: (k - 1) * d // 2, right=lambda k, d: (k - 1) * d // 2
        ): "Half of the zeros stand on either side: output t sees the future, signal[t + 1] and further.",
        partial(_padded, left=lambda k, d: 0, right=lambda k, d: (k - 1) * d): (
            "The zeros are on the wrong side: every output sees the present and the future, never the past."
        ),
        partial(_padded, left=lambda k, d: k - 1): (
            "The padding has to grow with the dilation: (k - 1) * dilation zeros."
        ),
        given(_causal_convolution, dilation=1): (
            "The dilation is missing: neighbours in the kernel look `dilation` steps apart."
        ),
        partial(_padded, left=lambda k, d: (k - 1) * d + 1, right=lambda k, d: -1): (
            "One zero too many: output t no longer sees signal[t] itself."
        ),
        partial(_padded, left=lambda k, d: k * d, right=lambda k, d: -d): (
            "k * dilation zeros are too many: (k - 1) * dilation, or output t doesn't see signal[t] itself."
        ),
        partial(_padded, left=lambda k, d: 2 * d): (
            "2 * dilation zeros are right for a kernel of three entries. For k entries: (k - 1) * dilation."
        ),
        _padded_for_a_dilation: (
            "The zeros are right, but F.conv1d doesn't know of the dilation: give it dilation=dilation."
        ),
        partial(_padded, left=lambda k, d: k * d): (
            "k * dilation zeros are too many: a kernel of k entries has k - 1 gaps, (k - 1) * dilation zeros."
        ),
        partial(_padded, right=lambda k, d: (k - 1) * d): (
            "You padded both ends: the first n outputs are those that you want, cut off the rest."
        ),
        partial(_padded, left=lambda k, d: 0): (
            "Without padding the result is too short, and output t sees signal[t] and what comes later."
        ),
        _wrapping: (
            "signal[-1] is Python's last value, not the past: before the signal's beginning there are zeros."
        ),
        _zeros_before_the_result: (
            "You put the zeros in front of the result. They belong in front of the signal: the first outputs "
            "see only the last entries of the kernel, but they aren't zero."
        ),
        given(_causal_convolution, kernel=_flip): (
            "Your kernel is flipped: its last entry has to meet the present, signal[t]."
        ),
    },
)
def causal_convolution(trial: Trial) -> None:
    trial.signature("signal", "kernel", dilation=1)
    trial.case(tensor(1, 10, 100, 1000), tensor(2, 3, 5), expected=tensor(5, 53, 532, 5320))
    trial.case(numbers(12, seed=3), numbers(4, seed=4), 2)
    trial.case(numbers(11, seed=5), numbers(2, seed=6), 5)
    trial.case(numbers(3, seed=1), numbers(3, seed=2), 4)


check.number(
    "wavenet_blocks",
    answer=5,
    hints=(
        "300 ms are 0.3 * 16,000 samples. What does one layer add to the field, what one block?",
        "Stride is 1 everywhere: a layer adds its dilation, a block 1 + 2 + 4 + ... + 512 = 1023 samples.",
        "1 + 1023 * blocks has to reach 4800.",
    ),
    why={
        4: "Four blocks hear 1 + 4 * 1023 = 4093 samples, 256 ms: not yet 300.",
        4800 / 1024: "A part of a block can't be built: the answer is a whole number.",
        4799
        / 1023: "That is how many blocks it takes exactly, but a part of a block can't be built: round up.",
        4.69: "4.69 blocks can't be built: round up to a whole number.",
        4.7: "4.7 blocks can't be built: round up to a whole number.",
        1: "One block hears 1024 samples, which are 64 ms.",
        2: "The dilations don't go on doubling: the second block begins with dilation 1 again, and adds as "
        "much "
        "as the first.",
        3: "The kernel has two entries, so a layer adds one times its dilation, not twice.",
        480: "Ten plain layers would add 10 samples. With dilations 1, 2, 4, ..., 512 a block adds 1023.",
        13: "Thirteen layers would do if the dilations went on doubling. Each block begins with 1 again.",
        10: "Each layer adds its own dilation, so a block adds 1 + 2 + ... + 512 = 1023, not only the last "
        "512.",
        50: "These are the layers. How many blocks of ten are they?",
    },
)


# ---- 3. Dilated convolution


def _dilated_convolution(image: Tensor, kernel: Tensor, dilation: int) -> Tensor:
    """By SciPy, with a kernel that has zeros between its entries."""
    spread = np.zeros([(edge - 1) * dilation + 1 for edge in kernel.shape])
    spread[::dilation, ::dilation] = kernel.numpy()
    return torch.from_numpy(scipy.signal.correlate2d(image.numpy(), spread, mode="valid"))


def _moved_copies(
    image: Tensor,
    kernel: Tensor,
    dilation: int,
    *,
    down: Callable = lambda dilation: dilation,
    right: Callable = lambda dilation: dilation,
    last_only: bool = False,
) -> Tensor:
    """A sum of moved copies with the distance of the kernel's entries left open, for the mistakes."""
    (k1, k2), (dy, dx) = kernel.shape, (down(dilation), right(dilation))
    height, width = image.shape[0] - (k1 - 1) * dy, image.shape[1] - (k2 - 1) * dx
    copies = [
        weight * image[p * dy : p * dy + height, q * dx : q * dx + width]
        for (p, q), weight in np.ndenumerate(kernel.numpy())
    ]
    return copies[-1] if last_only else sum(copies)


def _conv2d(image: Tensor, kernel: Tensor, **options: int) -> Tensor:
    return F.conv2d(image[None, None], kernel[None, None], **options)[0, 0]


def _with_zero(where: tuple) -> Callable[[Tensor], Tensor]:
    """Sets these entries of a tensor to zero: what a loop leaves out that stops one step early."""

    def changed(values: Tensor) -> Tensor:
        values = values.clone()
        values[where] = 0
        return values

    return changed


def _narrow(image: Tensor, kernel: Tensor, dilation: int) -> Tensor:
    right = _dilated_convolution(image, kernel, dilation)
    return right[: len(right) - dilation + 1, : right.shape[1] - dilation + 1]


def _as_large_as_the_image(image: Tensor, kernel: Tensor, dilation: int) -> Tensor:
    missing = [(edge - 1) * dilation for edge in kernel.shape]
    return _conv2d(F.pad(image, (0, missing[1], 0, missing[0])), kernel, dilation=dilation)


def _as_if_square(kernel: Tensor) -> Tensor:
    """What a loop reads that takes the number of rows for that of columns, where there are more of these."""
    return kernel[:, : len(kernel)]


def _with_padding(image: Tensor, kernel: Tensor, dilation: int, *, share: float) -> Tensor:
    """Zeros on all sides: a share of what the kernel spans beyond one pixel."""
    missing = [(edge - 1) * dilation for edge in kernel.shape]
    before = [int(share * edge) for edge in missing]
    after = [math.ceil(share * edge) for edge in missing]
    padded = F.pad(image, (before[1], after[1], before[0], after[0]))
    return _conv2d(padded, kernel, dilation=dilation)


@check.exercise(
    oracle=_dilated_convolution,
    hints=(
        "How large is the output? The kernel spans (k - 1) * dilation + 1 pixels.",
        "Loop over the kernel's entries: each adds its value times a window of the image to the output. The "
        "window has the output's size; where does it begin for the entry in row p and column q?",
        "output += kernel[p, q] * image[p * dilation : p * dilation + height, q * dilation : q * dilation + "
        "width]",
    ),
    why={
        given(_dilated_convolution, dilation=1): (
            "The dilation is missing: the kernel's neighbours read pixels `dilation` apart."
        ),
        partial(_moved_copies, down=lambda dilation: dilation - 1, right=lambda dilation: dilation - 1): (
            "Your entries are dilation - 1 apart. With dilation 2 they read every second pixel: the "
            "distance is the dilation itself."
        ),
        partial(_moved_copies, down=lambda dilation: dilation + 1, right=lambda dilation: dilation + 1): (
            "Your entries are dilation + 1 apart. With dilation 1 neighbours read neighbouring pixels: the "
            "distance is the dilation itself."
        ),
        partial(_moved_copies, down=lambda dilation: 1): (
            "You spread the kernel from left to right only: its rows are `dilation` apart, too."
        ),
        partial(_moved_copies, right=lambda dilation: 1): (
            "You spread the kernel from top to bottom only: its columns are `dilation` apart, too."
        ),
        partial(_moved_copies, last_only=True): (
            "Only the kernel's last entry is left: add to the output with +=, don't overwrite it."
        ),
        given(_dilated_convolution, kernel=_with_zero((-1,))): (
            "The kernel's last row is left out: range(k) runs from 0 to k - 1."
        ),
        given(_dilated_convolution, kernel=_with_zero((slice(None), -1))): (
            "The kernel's last column is left out: range(k) runs from 0 to k - 1."
        ),
        given(_dilated_convolution, kernel=then(_with_zero((-1,)), _with_zero((slice(None), -1)))): (
            "The kernel's last row and column are left out: range(k) runs from 0 to k - 1."
        ),
        _narrow: (
            "The output is too small: the kernel spans (k - 1) * dilation + 1 pixels, not k * dilation."
        ),
        (lambda image, kernel, dilation: _conv2d(image, kernel, stride=dilation)): (
            "That is a stride: it moves the whole kernel. The dilation moves its entries apart."
        ),
        given(_dilated_convolution, kernel=_flip): (
            "Your kernel is flipped: as in F.conv2d, kernel[0, 0] meets the first pixel of each window."
        ),
        (lambda image, kernel, dilation: _printed_formula(image, kernel, dilation)): (
            "You stamp the kernel at places `dilation` apart, a transposed convolution: here the kernel's "
            "entries move apart."
        ),
        then(_dilated_convolution, lambda found: found.T): (
            "Rows and columns are exchanged: the first axis of the output is that of the image."
        ),
        given(_dilated_convolution, kernel=_as_if_square): (
            "The kernel needn't be square: its columns are kernel.shape[1], not as many as its rows."
        ),
        (lambda image, kernel, dilation: _conv2d(image[::dilation, ::dilation], kernel)): (
            "You threw away pixels before you began: every pixel of the image begins a window, or is in one."
        ),
        (lambda image, kernel, dilation: _dilated_convolution(image, kernel, dilation) / kernel.sum()): (
            "Sum the products and leave it at that: dividing by the kernel's sum is not in the definition."
        ),
        partial(_with_padding, share=0.5): (
            "You padded the image, so that the output is as large as it is. Only windows that lie wholly "
            "inside count."
        ),
        partial(_with_padding, share=1.0): (
            "You padded the image, and the output is larger than it is. Only windows that lie wholly inside "
            "count."
        ),
        _as_large_as_the_image: (
            "The kernel spans (k - 1) * dilation + 1 pixels, and only windows that lie wholly inside count."
        ),
    },
)
def dilated_convolution(trial: Trial) -> None:
    trial.signature("image", "kernel", "dilation")
    image = torch.arange(1.0, 15.0, dtype=torch.float64).reshape(2, 7)
    trial.case(
        image,
        tensor(1, 10, 100).reshape(1, 3),
        2,
        expected=tensor(531, 642, 753, 1308, 1419, 1530).reshape(2, 3),
    )
    trial.case(numbers(9, 7, seed=11), numbers(3, 2, seed=12), 2)
    trial.case(numbers(8, 13, seed=13), numbers(2, 4, seed=14), 3)
    trial.case(numbers(5, 6, seed=15), numbers(3, 3, seed=16), 1)


def _printed_formula(image: Tensor, kernel: Tensor, dilation: int) -> Tensor:
    return F.conv_transpose2d(image[None, None], kernel[None, None], stride=dilation)[0, 0]


def _spread_stamps(image: Tensor, kernel: Tensor, dilation: int) -> Tensor:
    return F.conv_transpose2d(image[None, None], kernel[None, None], dilation=dilation)[0, 0]


def _spread_stamps_apart(image: Tensor, kernel: Tensor, dilation: int) -> Tensor:
    options = {"stride": dilation, "dilation": dilation}
    return F.conv_transpose2d(image[None, None], kernel[None, None], **options)[0, 0]


def _overwritten(image: Tensor, kernel: Tensor, dilation: int) -> Tensor:
    height, width = kernel.shape
    result = torch.zeros_like(_printed_formula(image, kernel, dilation))
    for (m, n), value in np.ndenumerate(image.numpy()):
        result[dilation * m : dilation * m + height, dilation * n : dilation * n + width] = value * kernel
    return result


def _cut(image: Tensor, kernel: Tensor, dilation: int) -> Tensor:
    return _printed_formula(image, kernel, dilation)[: image.shape[0], : image.shape[1]]


def _in_blocks(image: Tensor, kernel: Tensor, dilation: int) -> Tensor:
    """Cut or filled up to so many rows and columns as there are pixels, times the dilation."""
    right, (height, width) = _printed_formula(image, kernel, dilation), image.shape
    missing = [dilation * edge - found for edge, found in zip((height, width), right.shape)]
    return F.pad(right, (0, missing[1], 0, missing[0]))


def _roomy(image: Tensor, kernel: Tensor, dilation: int) -> Tensor:
    return F.pad(_printed_formula(image, kernel, dilation), (0, dilation - 1, 0, dilation - 1))


def _room_for_a_spread_kernel(image: Tensor, kernel: Tensor, dilation: int) -> Tensor:
    rows, columns = ((edge - 1) * (dilation - 1) for edge in kernel.shape)
    return F.pad(_printed_formula(image, kernel, dilation), (0, columns, 0, rows))


def _reading_backwards(image: Tensor, kernel: Tensor, dilation: int) -> Tensor:
    """With Python's negative indices taken for entries of the kernel."""
    twice = kernel.repeat(2, 2)  # its second half are the indices from 0 on, its first one the negative ones
    (k1, k2), found = kernel.shape, _printed_formula(image, twice, dilation)
    return found[k1:, k2:]


@check.exercise(
    oracle=_printed_formula,
    hints=(
        "Do what is printed: for each (m, n), where does I[m, n] end up? At all (i, j) for which the kernel "
        "has an entry (i - dilation * m, j - dilation * n).",
        "For fixed (m, n) these (i, j) are a window as large as the kernel; it begins at (dilation * m, "
        "dilation * n).",
        "output[dilation * m : dilation * m + k1, dilation * n : dilation * n + k2] += image[m, n] * kernel",
    ),
    why={
        _dilated_convolution: (
            "That is dilated convolution, as rightly defined. Here, write what is printed, letter by letter."
        ),
        _cut: "The output is larger than the image: the last pixel still writes a whole window.",
        _roomy: (
            "No pixel writes to the last rows and columns of your output: the last window begins at "
            "dilation * (h - 1), dilation * (w - 1)."
        ),
        _room_for_a_spread_kernel: (
            "No pixel writes to the last rows and columns of your output: the kernel isn't spread, a window "
            "is as large as the kernel."
        ),
        _reading_backwards: (
            "kernel[-1] is Python's last entry, but K has none at negative indices: there it is zero."
        ),
        given(_printed_formula, kernel=_as_if_square): (
            "The kernel needn't be square: its columns are kernel.shape[1], not as many as its rows."
        ),
        (lambda image, kernel, dilation: _conv2d(image, kernel, stride=dilation)): (
            "That is a convolution with a stride, and smaller than the image. Ask of each pixel (m, n) to "
            "which (i, j) it contributes: the output is larger."
        ),
        _in_blocks: (
            "Your output has h * dilation rows, w * dilation columns. The last window begins at dilation * "
            "(h - 1) and is as high as the kernel; likewise its columns."
        ),
        _spread_stamps: (
            "You spread the kernel inside each window. As printed, the windows are `dilation` apart, and the "
            "kernel in them is as it was."
        ),
        _spread_stamps_apart: (
            "The windows are `dilation` apart, as printed, but you spread the kernel inside them, too."
        ),
        _overwritten: "Windows overlap: add to the output, don't overwrite it.",
        given(_printed_formula, image=_with_zero((-1,))): (
            "The image's last row is left out: range(h) runs from 0 to h - 1."
        ),
        given(_printed_formula, image=_with_zero((slice(None), -1))): (
            "The image's last column is left out: range(w) runs from 0 to w - 1."
        ),
        given(_printed_formula, kernel=_flip): (
            "Your kernel is flipped: i - dilation * m grows with i, so the window reads the kernel forwards."
        ),
        given(_printed_formula, dilation=1): (
            "The dilation is missing: (m, n) writes its window at (dilation * m, dilation * n)."
        ),
    },
)
def printed_formula(trial: Trial) -> None:
    trial.signature("image", "kernel", "dilation")
    trial.case(
        tensor(1, 10, 100, 1000, 10000).reshape(1, 5),
        tensor(2, 3, 5).reshape(1, 3),
        2,
        expected=tensor(2, 3, 25, 30, 250, 300, 2500, 3000, 25000, 30000, 50000).reshape(1, 11),
    )
    trial.case(numbers(3, 4, seed=21), numbers(3, 2, seed=22), 2)
    trial.case(numbers(4, 3, seed=23), numbers(2, 3, seed=24), 3)
    trial.case(numbers(3, 5, seed=25), numbers(2, 2, seed=26), 1)


check.choice(
    "slide_formula",
    answer="A",
    hints=(
        "What happens to the size of the image, in the picture of the printed formula?",
        "It grows by about the factor l. A dilated convolution without padding makes it smaller.",
        "Each pixel stamps the kernel, and the stamps are l apart. You built that in notebook 02.",
    ),
    why={
        "B": "A strided convolution makes the image smaller. Here l multiplies the index of the *input*: "
        "pixels move apart.",
        "C": "Compare the sizes: a dilated convolution makes the image smaller, the printed formula makes it "
        "larger.",
        "D": "Flipping the kernel changes the values, but never the size of the result, and here the size "
        "differs.",
    },
)


# ---- 4. Holes

check.number(
    "touched_pixels",
    answer=25,
    hints=(
        "One axis first. Which positions does one layer with dilation 2 read? Three of them, two apart.",
        "The second layer does the same from each of those three: 0, 2, 4, then 2, 4, 6, then 4, 6, 8.",
        "0, 2, 4, 6, 8 along one axis. In two dimensions each touched row is crossed with each touched "
        "column.",
    ),
    why={
        5: "That is along one axis; in two dimensions rows and columns multiply.",
        81: "That is the square they span. Most of its pixels are never read.",
        9: "Nine weights read nine pixels in one layer; two layers reach more places.",
        10: "Rows and columns multiply: each of the touched rows is crossed with each touched column.",
        18: "These are the weights. Each of the second layer's nine reads nine pixels through the first, and "
        "many of these 81 paths end at the same pixel.",
        45: "Only every second row is touched, but in these rows only every second pixel.",
        56: "These are the pixels that are left out.",
        49: "Seven positions on an axis would be those of dilations 1 and 2. Here both layers make steps of "
        "2.",
        36: "Six positions on an axis? From 0 to 8 in steps of 2 there are five.",
        25 / 81: "That is the share of the pixels: how many are they?",
        16: "Four positions on an axis? From 0 to 8 in steps of 2 there are five: both ends count.",
    },
)


def _touched_positions(layers: Sequence[Layer]) -> list[int]:
    support, start, _ = _support(layers)
    return [int(position) + start for position in np.flatnonzero(support)]


def _window(layer: Layer, o: int) -> list[int]:
    return [o * layer.stride - layer.padding + j * layer.dilation for j in range(layer.kernel)]


def _downwards(
    layers: Sequence[Layer],
    *,
    window: Callable[[Layer, int], Iterable[int]] = _window,
    once: bool = True,
    keep: bool = False,
    order: Callable = sorted,
) -> list[int]:
    """The positions layer by layer from the output down, with its parts left open, for the mistakes."""
    positions = [0]
    for layer in reversed(layers):
        below = [place for position in positions for place in window(layer, position)]
        positions = below + positions * keep
        positions = list(dict.fromkeys(positions)) if once else positions
    return order(positions)


@check.exercise(
    oracle=_touched_positions,
    hints=(
        "Start at the output, with the set {0}, and go down through the layers, the last one first.",
        "A position o of a layer's output reads its input at o * stride - padding + j * dilation, j from 0 "
        "to "
        "kernel - 1. Collect these in a new set.",
        "positions = {o * layer.stride - layer.padding + j * layer.dilation for o in positions for j in "
        "range(layer.kernel)} in a loop over reversed(layers); return sorted(positions).",
    ),
    why={
        given(_downwards, layers=lambda layers: layers[::-1]): (
            "You went through the layers from the first to the last: begin with the last, next to the output."
        ),
        then(_touched_positions, lambda found: list(range(found[0], found[-1] + 1))): (
            "These are all positions of the field, holes included: list only those that are read."
        ),
        then(_touched_positions, lambda found: [found[0], found[-1]]): (
            "These are the first and the last position. What lies between them?"
        ),
        then(
            _touched_positions, lambda found: found[::-1]
        ): "The positions are right, but ascending is asked for.",
        partial(_downwards, window=lambda x, o: [o - x.padding + j * x.dilation for j in range(x.kernel)]): (
            "The stride is missing: output o begins its window at o * stride."
        ),
        partial(_downwards, window=lambda x, o: [o * x.stride + j * x.dilation for j in range(x.kernel)]): (
            "The padding is missing: the window begins `padding` earlier."
        ),
        partial(_downwards, window=lambda x, o: [o * x.stride - x.padding + j for j in range(x.kernel)]): (
            "The dilation is missing: the kernel's entries read every dilation-th position."
        ),
        partial(_downwards, window=lambda x, o: [place + x.dilation for place in _window(x, o)]): (
            "Your j begins at 1: it runs from 0 to kernel - 1, which is range(kernel)."
        ),
        then(_touched_positions, lambda found: list(set(found))): (
            "The positions are right, but a set has no order: ascending is asked for, sorted(...)."
        ),
        partial(_downwards, order=list): (
            "The positions are right, but in the order of the paths: ascending is asked for, sorted(...)."
        ),
        partial(_downwards, window=lambda x, o: _window(x, o)[:-1]): (
            "The kernel's last entry is left out: j runs from 0 to kernel - 1, which is range(kernel)."
        ),
        partial(_downwards, once=False): (
            "Each position counts once: two paths to the same pixel are one entry. Use a set."
        ),
        partial(_downwards, keep=True): (
            "Each layer replaces the positions by those of its input: yours still hold those of layers above."
        ),
        partial(
            _downwards,
            window=lambda x, o: [o * x.stride + x.padding + j * x.dilation for j in range(x.kernel)],
        ): "The padding moves the window to the left: subtract it.",
        partial(
            _downwards,
            window=lambda x, o: [(o - x.padding + j * x.dilation) * x.stride for j in range(x.kernel)],
        ): "The stride multiplies the output's position only: o * stride - padding + j * dilation.",
        partial(
            _downwards,
            window=lambda x, o: [(o - x.padding) * x.stride + j * x.dilation for j in range(x.kernel)],
        ): "The padding counts in positions of the layer's input: it isn't multiplied by the stride.",
        partial(
            _downwards,
            window=lambda x, o: [place - x.kernel // 2 * x.dilation for place in _window(x, o)],
        ): (
            "Your window has o * stride in its middle. Here it begins at o * stride - padding: only padding "
            "moves it to the left."
        ),
        partial(
            _downwards,
            window=lambda x, o: [place - (x.kernel - 1) // 2 * x.dilation for place in _window(x, o)],
        ): (
            "Your kernel's middle entry lies at o * stride - padding. Here the first one does: only padding "
            "moves the window to the left."
        ),
        (lambda layers: _touched_positions(layers[-1:]) if layers else None): (
            "Your function returns inside the loop, after one layer: move `return` out of it."
        ),
        then(_touched_positions, lambda found: [position for position in found if position >= 0]): (
            "Positions in the padding are negative: keep them."
        ),
    },
)
def touched_positions(trial: Trial) -> None:
    trial.signature("layers")
    trial.case([Layer(3, dilation=2), Layer(3, dilation=2)], expected=[0, 2, 4, 6, 8], whole=True)
    trial.case([Layer(2, stride=3), Layer(2, stride=2, dilation=3)], expected=[0, 1, 9, 10], whole=True)
    trial.case([Layer(3, padding=1), Layer(2, stride=2), Layer(3, dilation=4, padding=3)], whole=True)
    trial.case(
        [Layer(2, stride=2, padding=1), Layer(3, dilation=3, padding=2), Layer(4, stride=3, dilation=2)],
        whole=True,
    )
    trial.case([], whole=True)


check.choice(
    "gridding_picture",
    answer="D",
    hints=(
        "Which columns does an output in an even column read, if every dilation is 2? And the output beside "
        "it?",
        "Even columns read even columns only, through all layers. In the image, all even columns have one "
        "colour.",
        "A mean over white stripes only is white; a mean over black stripes only is black.",
    ),
    why={
        "A": "Look at the noise: the same network smoothed it, so it does average.",
        "B": "All outputs exist, and nothing was subsampled: the dilation moves what an output reads, not "
        "where it lies.",
        "C": "An even step from an even column stays even, through as many layers of dilation 2 as you like.",
    },
)


@check.exercise(
    oracle=lambda layers: [3**i for i in range(layers)],
    hints=(
        "How many positions can one output touch at most after n layers with three taps each?",
        "Each layer at most triples the number: 3^n. Without holes the field can't be larger than that. "
        "Which "
        "dilations reach it?",
        "Each new layer must place three copies of what was reached so far side by side: the copies are as "
        "far apart as they are wide.",
    ),
    why={
        (lambda layers: [1] * layers): (
            "No holes, but the narrowest field: each layer adds two positions, where it could triple them."
        ),
        (lambda layers: [2] * layers): (
            "All dilations are 2: every path lands on an even position, and the odd ones are never read."
        ),
        (lambda layers: [2**i for i in range(layers)]): (
            "Powers of two leave no holes, but many pixels are read twice: there is a wider field."
        ),
        (lambda layers: [4**i for i in range(layers)]): (
            "Powers of four leave holes: after the first layer three neighbours are seen, and copies of them "
            "4 apart don't touch."
        ),
        (lambda layers: [i + 1 for i in range(layers)]): (
            "1, 2, 3, ... leaves no holes, but many pixels are read twice: there is a wider field."
        ),
        (lambda layers: [2 * i + 1 for i in range(layers)]): (
            "1, 3 is right for two layers, which see 9 neighbours. The third may put copies of these "
            "further apart than 5."
        ),
    },
)
def widest_without_holes(trial: Trial) -> None:
    trial.signature("layers")
    answers = {layers: trial.call(layers) for layers in (3, 2, 1, 4, 6)}
    for wrong, message in trial.why.items():
        if all(_as_list(dilations) == wrong(layers) for layers, dilations in answers.items()):
            trial.require(False, message, **_schedule(answers[3]))
    for layers, dilations in answers.items():
        trial.require(dilations is not None, "Your function returned None.", "Does it end with `return ...`?")
        details = {"layers": layers, "yours": dilations}
        is_list = isinstance(dilations, (list, tuple))
        other = "" if is_list else f", not {describe_type(dilations)}"
        trial.require(
            is_list and len(dilations) == layers,
            f"For n = {layers} the answer is a list of {layers} dilations{other}.",
            **details,
        )
        whole = all(isinstance(d, (int, np.integer)) and d >= 1 for d in dilations)
        trial.require(whole, "A dilation is a whole number, 1 or larger.", **details)
        support, _, _ = _support([Layer(3, dilation=int(d)) for d in dilations])
        common = math.gcd(*map(int, dilations))
        trial.require(
            support.all() or common == 1,
            f"All dilations are multiples of {common}: every path lands on a multiple of {common}, the "
            f"pixels "
            "between are never read.",
            **_schedule(dilations),
        )
        trial.require(
            support.all(),
            "There are holes: some positions inside the field are never read.",
            **_schedule(dilations),
        )
        trial.require(
            len(support) == 3**layers,
            "No holes, but there is a wider field: three taps a layer can reach more positions.",
            **_schedule(dilations),
        )


def _as_list(dilations: object) -> list | None:
    return list(dilations) if isinstance(dilations, (list, tuple)) else None


def _schedule(dilations: Sequence[int]) -> dict[str, object]:
    """What a "not yet" shows of a schedule: not the expected one, which would be the solution."""
    support, _, _ = _support([Layer(3, dilation=int(d)) for d in dilations])
    touched = f"{int(support.sum())} of {len(support)} positions"
    return {"layers": len(dilations), "yours": list(dilations), "touched": touched}


# ---- 5. A whole network

check.choice(
    "unet_phase",
    answer="A",
    hints=(
        "Where do the two corners of the field come from? Follow the deepest path from one output pixel: up "
        "the decoder, through the bottom, down the encoder.",
        "A transposed convolution with kernel 2 and stride 2 hands each output pixel exactly one input: "
        "position o comes from o // 2. The two 3x3 layers before it widen this to a few neighbours.",
        "Five neighbours always lie in three coarser pixels. With the two 3x3 layers there, seven are "
        "needed, in four coarser ones; then eight, and these lie in four or five, depending on the position.",
    ),
    why={
        "B": "The weights don't matter: the field was measured with all weights equal and positive.",
        "C": "Max pooling reads all four pixels of its window, and it was measured as if all of them "
        "counted.",
        "D": "The picture is the middle of a valid convolution's output: no zeros are anywhere near.",
    },
)


# ---- 6. Theoretical and effective


def _effective_sigma(weights: Tensor) -> float:
    return float(np.sqrt(np.cov(np.arange(len(weights)), aweights=weights.double().numpy(), ddof=0)))


def _positions(weights: Tensor) -> Tensor:
    return torch.arange(len(weights), dtype=weights.dtype)


def _mean(weights: Tensor) -> float:
    return float((weights * _positions(weights)).sum() / weights.sum())


def _spread(
    weights: Tensor,
    *,
    centre: Callable[[Tensor], float] = _mean,
    total: Callable[[Tensor], float] = torch.sum,
    deviation: Callable[[Tensor], Tensor] = torch.square,
    root: Callable[[float], float] = math.sqrt,
) -> float:
    """The standard deviation with its parts left open, for the mistakes."""
    deviations = deviation(_positions(weights) - centre(weights))
    return root(float((weights * deviations).sum() / total(weights)))


@check.exercise(
    oracle=_effective_sigma,
    hints=(
        "Treat the weights as how often each position occurs: divide by their sum first, then take mean and "
        "standard deviation of the position.",
        "The mean position is the sum of share times position; torch.arange(len(weights)) are the positions. "
        "The variance is the same sum, with the squared distance to the mean in the place of the position.",
        "The square root of (share * (positions - mean) ** 2).sum(), as a float.",
    ),
    why={
        partial(
            _spread, root=float
        ): "That is the variance: take its square root, for the answer is in pixels.",
        (lambda weights: float(weights.std())): (
            "That is how much the weights themselves vary. We ask for the spread of the positions, weighted."
        ),
        (lambda weights: float(weights.std(correction=0))): (
            "That is the standard deviation of the weights themselves. Asked for is that of the positions."
        ),
        (lambda w: math.sqrt(float((w * _positions(w) ** 2).sum() / w.sum()) - _mean(w))): (
            "The variance is the mean of the squares minus the *square* of the mean."
        ),
        (lambda w: float((w / w.sum() * (_positions(w) - _mean(w))).square().sum().sqrt())): (
            "You squared the share as well. What is to be squared is the distance to the mean."
        ),
        (lambda weights: float(_positions(weights).std())): (
            "Your result doesn't depend on the weights: a position counts as much as its weight says."
        ),
        (lambda weights: float(_positions(weights).std(correction=0))): (
            "The weights are missing: you took the standard deviation of 0, 1, ..., n - 1, all alike."
        ),
        partial(_spread, total=lambda weights: 1.0): (
            "The weights need not add up to one: divide by their sum in the variance, too."
        ),
        partial(_spread, centre=lambda w: float((w * _positions(w)).sum()), total=lambda weights: 1.0): (
            "The weights need not add up to one: divide them by their sum before you take mean and variance."
        ),
        partial(_spread, total=torch.max): (
            "Divide by the sum of the weights, not by the largest: shares add up to one."
        ),
        (lambda weights: float((weights * _positions(weights)).std())): (
            "That is how much the products of weight and position vary. A weight says how often its position "
            "counts."
        ),
        partial(_spread, total=len): "Divide by the sum of the weights, not by how many there are.",
        partial(_spread, total=lambda weights: weights.sum() * len(weights)): (
            "Shares add up to one already: sum the squared distances times their shares, don't average again."
        ),
        partial(_spread, total=lambda weights: weights.sum() - 1): (
            "Divide by the sum of the weights, not by the sum minus one: they are shares, not a sample."
        ),
        partial(_spread, centre=lambda weights: (len(weights) - 1) / 2): (
            "Measure from the weighted mean of the positions, not from the middle of the array."
        ),
        partial(_spread, centre=lambda weights: len(weights) // 2): (
            "Measure from the weighted mean of the positions, not from position len(weights) // 2."
        ),
        partial(_spread, centre=lambda weights: float(weights.argmax())): (
            "Measure from the weighted mean of the positions, not from the position with the largest weight."
        ),
        partial(_spread, centre=lambda weights: 0.0): (
            "Measure from the weighted mean of the positions, not from position 0."
        ),
        partial(_spread, deviation=torch.abs, root=float): (
            "That is the mean distance. The standard deviation is the root of the mean squared distance."
        ),
        given(_effective_sigma, weights=torch.square): (
            "You squared the weights. What is to be squared is the distance of a position to the mean."
        ),
        then(_effective_sigma, lambda sigma: 2 * sigma): "That is twice the standard deviation.",
        (lambda weights: float((weights >= weights.max() / 2).sum()) / 2): (
            "That is half of the width at half of the peak's height, another measure of a bell."
        ),
        _mean: "That is the mean position. How far around it do the positions spread?",
    },
)
def effective_sigma(trial: Trial) -> None:
    trial.signature("weights")
    trial.case(tensor(2, 5, 1, 1), expected=math.sqrt(62) / 9)
    trial.case(tensor(1, 2, 1), expected=math.sqrt(0.5))
    trial.case(numbers(12, seed=31).abs() * 5)
    trial.case(numbers(7, seed=32).abs() ** 4)
    trial.case(
        tensor(3, 0, 1, 4, 2).float(), tolerance=1e-5, label="effective_sigma([3, 0, 1, 4, 2] in float32)"
    )


check.number(
    "layers_for_sigma",
    answer=150,
    hints=(
        "sigma = sqrt(n (k^2 - 1) / 12) with k = 3. Which n gives 10?",
        "Square both sides: the variance has to be 100, and each layer adds (3^2 - 1) / 12 = 8/12.",
        "100 divided by 8/12.",
    ),
    why={
        15: "Each layer adds 8/12 to the *variance*, sigma squared: 100 has to be reached, not 10.",
        math.sqrt(
            150
        ): "sigma grows with the root of n, so n grows with the square of sigma: don't take the root.",
        12.25: "Don't take a root at the end: n is sigma squared, divided by what a layer adds.",
        12: "10 divided by the sigma of one layer is 12.2. But variances add up, and sigmas don't.",
        13: "The sigmas of layers don't add up to 10: their squares, the variances, add up to 100.",
        134: "A die of k faces has the variance (k^2 - 1) / 12, which is 8/12 here, not 9/12.",
        10: "Ten layers reach 10 pixels on each side: that is the theoretical field. Its edge has next to no "
        "weight; sigma is only 2.6.",
        5: "Five layers see 11 pixels in all: that is the theoretical field. sigma is only 1.8.",
        50: "With k = 3 a layer adds (9 - 1) / 12 to the variance; 2 would be that of k = 5.",
        100: "A layer adds 8/12 to the variance, not 1.",
        301: "That is how wide the theoretical field is: how many layers make it?",
    },
)


# ---- 7. How much context does a tumour need?

check.choice(
    "context_picture",
    answer="C",
    hints=(
        "Look at the left end first: what can a network know that sees a single pixel?",
        "Then compare the middle with the right end, seed by seed. All five networks have about the same "
        "number "
        "of weights and steps.",
        "The lines are lowest on the left, highest in the middle, and lower again on the right.",
    ),
    why={
        "A": "Follow the lines to their right end: the largest field doesn't give the best Dice in any seed.",
        "B": "The network of one pixel is far below the others in every seed: neighbours help a lot.",
        "D": "The right panel shows the opposite: after training the effective field is narrower than "
        "before, "
        "in every network that sees more than one pixel.",
    },
)
