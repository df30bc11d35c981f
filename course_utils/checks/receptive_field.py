"""Exercises of notebook 04: what an output can see, what it touches, and what it really uses.

The oracles are PyTorch's and SciPy's own convolutions, products of polynomials, and weighted moments.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import scipy.signal
import torch
import torch.nn.functional as F
from torch import Tensor

from course_utils.checking import Checker, Trial
from course_utils.checking.samples import numbers, tensor
from course_utils.receptive_field import Layer

check = Checker("receptive_field")


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


def _recursion(layers: Sequence[Layer], step) -> tuple[int, int, int]:
    """The recursion with one of its lines left open, for the mistakes."""
    size, jump, start = 1, 1, 0
    for layer in layers:
        size, jump, start = step(layer, size, jump, start)
    return size, jump, start


@check.exercise(
    oracle=_receptive_field,
    hints=(
        "Before the first layer, an output is an input: size 1, jump 1, start 0. Then go through the layers "
        "and "
        "update the three numbers.",
        "The layer's kernel spans (kernel - 1) * dilation steps, and one step of its input is worth `jump` "
        "input "
        "pixels. The same holds for the padding.",
        "size += (kernel - 1) * dilation * jump; start -= padding * jump; and only then jump *= stride.",
    ),
    why={
        (
            lambda layers: _recursion(
                layers,
                lambda x, size, jump, start: (
                    size + (x.kernel - 1) * x.dilation,
                    jump * x.stride,
                    start - x.padding * jump,
                ),
            )
        ): "The kernel's steps are not worth one pixel each behind a stride: multiply by the jump.",
        (
            lambda layers: _recursion(
                layers,
                lambda x, size, jump, start: (
                    size + (x.kernel - 1) * x.dilation * jump * x.stride,
                    jump * x.stride,
                    start - x.padding * jump * x.stride,
                ),
            )
        ): (
            "You update the jump too early: a layer's stride counts for the layers after it, not for itself."
        ),
        (
            lambda layers: _recursion(
                layers,
                lambda x, size, jump, start: (
                    size + (x.kernel - 1) * jump,
                    jump * x.stride,
                    start - x.padding * jump,
                ),
            )
        ): "The dilation is missing: it spreads the kernel over (kernel - 1) * dilation steps.",
        (
            lambda layers: _recursion(
                layers,
                lambda x, size, jump, start: (
                    size + x.kernel * x.dilation * jump,
                    jump * x.stride,
                    start - x.padding * jump,
                ),
            )
        ): ("A kernel of k values has k - 1 steps between its ends: one pixel more is not one step more."),
        (
            lambda layers: _recursion(
                layers,
                lambda x, size, jump, start: (
                    size + (x.kernel - 1) * x.dilation * jump,
                    jump * x.stride,
                    start + x.padding * jump,
                ),
            )
        ): "Padding moves the field to the left, outside the image: subtract it.",
        (
            lambda layers: _recursion(
                layers,
                lambda x, size, jump, start: (
                    size + (x.kernel - 1) * x.dilation * jump,
                    jump * x.stride,
                    start - x.padding,
                ),
            )
        ): (
            "The padding counts in input pixels, and behind a stride each of its steps is `jump` pixels wide."
        ),
        (
            lambda layers: tuple(_receptive_field(layers)[i] for i in (0, 2, 1))
        ): "The order is size, jump, start.",
        (
            lambda layers: _recursion(
                layers,
                lambda x, size, jump, start: (
                    size + (x.kernel - 1) * x.dilation * jump,
                    x.stride,
                    start - x.padding * jump,
                ),
            )
        ): "The jump is the product of all strides so far, not the last one.",
        (
            lambda layers: (
                *_receptive_field(layers)[:2],
                0,
            )
        ): "The padding is missing: it moves the start to the left.",
        (
            lambda layers: (
                _receptive_field(layers)[0] - 1,
                *_receptive_field(layers)[1:],
            )
        ): "Without any layer, an output is one input: the size starts at 1.",
        (
            lambda layers: _recursion(
                layers,
                lambda x, size, jump, start: (
                    size + (x.kernel - 1) * x.dilation * jump,
                    jump * x.stride,
                    start - x.padding * jump * x.stride,
                ),
            )
        ): ("The size is right, but the start needs the jump from before this layer: update the jump last."),
        (
            lambda layers: _receptive_field(layers[::-1])
        ): "Go through the layers from the input on: the first one comes first.",
    },
)
def receptive_field_of(trial: Trial) -> None:
    trial.signature("layers")
    trial.case([Layer(3), Layer(2, stride=2), Layer(3)], expected=(8, 2, 0))
    trial.case([Layer(3, padding=1)], expected=(3, 1, -1))
    trial.case(
        [Layer(3, stride=2, padding=1), Layer(5, padding=2), Layer(3, stride=3, dilation=2, padding=2)]
    )
    trial.case([Layer(2, stride=3), Layer(4, dilation=3), Layer(1, stride=2), Layer(3, padding=1)])
    trial.case([])


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
        "D": "Both outputs have the same number of pixels and the same jump, 2; what they see differs.",
    },
)


def _depth_needed(size: int, kernel: int) -> int:
    layers: list[Layer] = []
    while _receptive_field(layers)[0] < size:
        layers.append(Layer(kernel))
    return len(layers)


@check.exercise(
    oracle=_depth_needed,
    hints=(
        "With stride 1 and no dilation, each layer adds kernel - 1 pixels. What is the size after n layers?",
        "1 + n * (kernel - 1) has to reach `size`; the smallest whole n that does.",
        "-(-(size - 1) // (kernel - 1)) rounds (size - 1) / (kernel - 1) up without floats.",
    ),
    why={
        (
            lambda size, kernel: -(-size // (kernel - 1))
        ): "One layer too many: only size - 1 pixels have to be added, and exactly `size` is enough.",
        (
            lambda size, kernel: (size - 1) // (kernel - 1)
        ): "You rounded down: with that many layers the field is still too small.",
        (lambda size, kernel: -(-(size - 1) // kernel)): "A layer adds kernel - 1 pixels, not kernel.",
        (lambda size, kernel: (size - 1) / (kernel - 1)): "The answer is a number of layers, a whole number.",
    },
)
def depth_needed(trial: Trial) -> None:
    trial.signature("size", "kernel")
    trial.case(25, 3, expected=12)
    trial.case(6, 3, expected=3)
    trial.case(1, 7, expected=0)
    for size, kernel in ((8, 4), (64, 4), (102, 6), (101, 5), (240, 3), (9, 9)):
        result = trial.case(size, kernel)
        trial.require(
            isinstance(result, (int, np.integer)),
            "The answer is a number of layers, a whole number.",
            "Use // instead of /.",
            yours=result,
        )


check.number(
    "doubling_depth",
    answer=7,
    hints=(
        "Layer i has dilation 2^(i-1) and adds 2 * 2^(i-1) pixels.",
        "After n layers the size is 1 + 2 * (1 + 2 + 4 + ... + 2^(n-1)) = 1 + 2 * (2^n - 1).",
        "The smallest n with 2^(n+1) - 1 >= 240.",
    ),
    why={
        120: "That is the depth without dilation: here each layer adds twice as much as the one before.",
        6: "With 6 layers the field is 127 pixels wide: not yet 240.",
        8: "8 layers see 511 pixels: one layer more than needed.",
    },
)


# ---- 2. Causal convolution


def _causal_convolution(signal: Tensor, kernel: Tensor, dilation: int = 1) -> Tensor:
    """As a filter: the newest value meets the kernel's last entry."""
    impulse_response = np.zeros((len(kernel) - 1) * dilation + 1)
    impulse_response[::dilation] = kernel.flip(0).numpy()
    return torch.from_numpy(scipy.signal.lfilter(impulse_response, 1.0, signal.numpy()))


def _padded_convolution(signal: Tensor, kernel: Tensor, left: int, right: int, dilation: int) -> Tensor:
    return F.conv1d(F.pad(signal, (left, right))[None, None], kernel[None, None], dilation=dilation)[0, 0]


@check.exercise(
    oracle=_causal_convolution,
    hints=(
        "Output t may look at signal[t], signal[t - dilation], ... only. Which values does F.conv1d look at?",
        "Put zeros on the left only, so many that output 0 meets signal[0] with the kernel's last entry.",
        "F.pad(signal, ((len(kernel) - 1) * dilation, 0)), then F.conv1d(..., dilation=dilation) with [None, "
        "None] "
        "and [0, 0].",
    ),
    why={
        (
            lambda signal, kernel, dilation=1: _padded_convolution(
                signal,
                kernel,
                (len(kernel) - 1) * dilation // 2,
                (len(kernel) - 1) * dilation - (len(kernel) - 1) * dilation // 2,
                dilation,
            )
        ): "You padded both sides alike: output t sees the future, signal[t + 1] and further.",
        (
            lambda signal, kernel, dilation=1: _padded_convolution(
                signal, kernel, 0, (len(kernel) - 1) * dilation, dilation
            )
        ): (
            "The zeros are on the wrong side: now every output sees the present and the future, never the "
            "past."
        ),
        (
            lambda signal, kernel, dilation=1: _padded_convolution(
                signal, kernel, len(kernel) - 1, 0, dilation
            )
        ): "The padding has to grow with the dilation: (k - 1) * dilation zeros.",
        (
            lambda signal, kernel, dilation=1: _causal_convolution(signal, kernel)
        ): "The dilation is missing: neighbours in the kernel look `dilation` steps apart.",
        (
            lambda signal, kernel, dilation=1: _padded_convolution(
                signal, kernel, (len(kernel) - 1) * dilation + 1, -1, dilation
            )
        ): "One zero too many: output t no longer sees signal[t] itself.",
        (
            lambda signal, kernel, dilation=1: _padded_convolution(
                signal, kernel, (len(kernel) - 1) * dilation, (len(kernel) - 1) * dilation, dilation
            )
        ): "You padded both ends: the first n outputs are those that you want, cut off the rest.",
        (
            lambda signal, kernel, dilation=1: sum(
                weight * signal.roll((len(kernel) - 1 - j) * dilation) for j, weight in enumerate(kernel)
            )
        ): (
            "signal[-1] is Python's last value, not the past: before the signal's beginning there are zeros."
        ),
        (
            lambda signal, kernel, dilation=1: _causal_convolution(signal, kernel.flip(0), dilation)
        ): "Your kernel is flipped: its last entry has to meet the present, signal[t].",
    },
)
def causal_convolution(trial: Trial) -> None:
    trial.signature("signal", "kernel", "dilation")
    trial.case(tensor(1, 10, 100, 1000), tensor(2, 3, 5), expected=tensor(5, 53, 532, 5320))
    trial.case(numbers(9, seed=1), numbers(3, seed=2))
    trial.case(numbers(12, seed=3), numbers(4, seed=4), 2)
    trial.case(numbers(11, seed=5), numbers(2, seed=6), 5)


check.number(
    "wavenet_field",
    answer=1024,
    hints=(
        "Each layer adds (kernel - 1) * dilation samples; the kernel has two entries.",
        "1 + (1 + 2 + 4 + ... + 512). What is the sum of the powers of two up to 512?",
        "1 + 2 + ... + 512 = 1023.",
    ),
    why={
        1023: "The sum of the dilations is what the layers add; the present sample counts as well.",
        513: "That counts the last layer only: all ten add up.",
        2047: "The kernel has two entries, so a layer adds one times its dilation, not twice.",
        11: "Ten layers of two entries without dilation would see that: here the dilations double.",
    },
)


# ---- 3. Dilated convolution


def _dilated_convolution(image: Tensor, kernel: Tensor, dilation: int) -> Tensor:
    """By SciPy, with a kernel that has zeros between its entries."""
    spread = np.zeros([(edge - 1) * dilation + 1 for edge in kernel.shape])
    spread[::dilation, ::dilation] = kernel.numpy()
    return torch.from_numpy(scipy.signal.correlate2d(image.numpy(), spread, mode="valid"))


def _conv2d(image: Tensor, kernel: Tensor, **options: int) -> Tensor:
    return F.conv2d(image[None, None], kernel[None, None], **options)[0, 0]


@check.exercise(
    oracle=_dilated_convolution,
    hints=(
        "How large is the output? The kernel spans (k - 1) * dilation + 1 pixels.",
        "Loop over the kernel's entries p, q: each adds kernel[p, q] times the image, moved by (p * "
        "dilation, "
        "q * dilation), to the output.",
        "output += kernel[p, q] * image[p * dilation : p * dilation + height, q * dilation : q * dilation + "
        "width]",
    ),
    why={
        (
            lambda image, kernel, dilation: _conv2d(image, kernel)
        ): "The dilation is missing: the kernel's neighbours read pixels `dilation` apart.",
        (
            lambda image, kernel, dilation: _conv2d(image, kernel, stride=dilation)
        ): "That is a stride: it moves the whole kernel. The dilation moves its entries apart.",
        (
            lambda image, kernel, dilation: _dilated_convolution(image, kernel.flip(0, 1), dilation)
        ): "Your kernel is flipped: as in F.conv2d, kernel[0, 0] meets the first pixel of each window.",
        (lambda image, kernel, dilation: _printed_formula(image, kernel, dilation)): (
            "You stamp the kernel at places `dilation` apart, a transposed convolution: here the kernel's "
            "entries move apart."
        ),
        (
            lambda image, kernel, dilation: _conv2d(
                F.pad(image, (0, (kernel.shape[1] - 1) * dilation, 0, (kernel.shape[0] - 1) * dilation)),
                kernel,
                dilation=dilation,
            )
        ): ("The kernel spans (k - 1) * dilation + 1 pixels, and only windows that lie wholly inside count."),
    },
)
def dilated_convolution(trial: Trial) -> None:
    trial.signature("image", "kernel", "dilation")
    image = torch.arange(1.0, 16.0, dtype=torch.float64).reshape(3, 5)
    trial.case(image, tensor(1, 10, 100).reshape(1, 3), 2, expected=tensor(531, 1086, 1641).reshape(3, 1))
    trial.case(numbers(9, 7, seed=11), numbers(3, 2, seed=12), 2)
    trial.case(numbers(8, 11, seed=13), numbers(2, 4, seed=14), 3)
    trial.case(numbers(5, 6, seed=15), numbers(3, 3, seed=16), 1)


def _cut(result: Tensor, image: Tensor) -> Tensor:
    return result[: image.shape[0], : image.shape[1]]


def _printed_formula(image: Tensor, kernel: Tensor, dilation: int) -> Tensor:
    return F.conv_transpose2d(image[None, None], kernel[None, None], stride=dilation)[0, 0]


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
        (lambda image, kernel, dilation: _dilated_convolution(image, kernel, dilation)): (
            "That is the right definition of a dilated convolution. Here, write what is printed, letter by "
            "letter."
        ),
        (
            lambda image, kernel, dilation: _cut(_printed_formula(image, kernel, dilation), image)
        ): "The output is larger than the image: the last pixel still writes a whole window.",
        (
            lambda image, kernel, dilation: _overwritten(image, kernel, dilation)
        ): "Windows overlap: add to the output, don't overwrite it.",
        (lambda image, kernel, dilation: _printed_formula(image, kernel.flip(0, 1), dilation)): (
            "Your kernel is flipped: i - dilation * m grows with i, so the window reads the kernel forwards."
        ),
        (
            lambda image, kernel, dilation: _printed_formula(image, kernel, 1)
        ): "The dilation is missing: (m, n) writes its window at (dilation * m, dilation * n).",
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


def _overwritten(image: Tensor, kernel: Tensor, dilation: int) -> Tensor:
    height, width = kernel.shape
    result = torch.zeros_like(_printed_formula(image, kernel, dilation))
    for (m, n), value in np.ndenumerate(image.numpy()):
        result[dilation * m : dilation * m + height, dilation * n : dilation * n + width] = value * kernel
    return result


check.choice(
    "slide_formula",
    answer="C",
    hints=(
        "What happens to the size of the image, in the picture of the printed formula?",
        "It grows by about the factor l. A dilated convolution without padding makes it smaller.",
        "Each pixel stamps the kernel, and the stamps are l apart. You built that in notebook 02.",
    ),
    why={
        "A": "Compare the sizes: a dilated convolution makes the image smaller, the printed formula makes it "
        "larger.",
        "B": "A strided convolution makes the image smaller. Here l multiplies the index of the *input*: "
        "pixels move "
        "apart.",
        "D": "Flipping the kernel changes the values, but never the size of the result, and here the size "
        "differs.",
    },
)

check.number(
    "context_weights",
    answer=64,
    hints=(
        "A 3x3 convolution from C channels to C has 3 * 3 * C * C weights.",
        "Seven layers have 3x3 kernels, the eighth has 1x1.",
        "7 * 9 + 1",
    ),
    why={
        72: "The last of the eight layers is 1x1: it has C^2 weights, not 9 C^2.",
        63: "The last layer, 1x1, has weights, too.",
        8: "A layer's C^2 pairs of channels have nine weights each.",
    },
)


# ---- 4. Holes


def _touched_positions(layers: Sequence[Layer]) -> list[int]:
    support, start, _ = _support(layers)
    return [int(position) + start for position in np.flatnonzero(support)]


def _shifts(layers: Sequence[Layer], window) -> list[int]:
    """The positions layer by layer from the output down, with one layer's window left open."""
    positions = {0}
    for layer in reversed(layers):
        positions = {place for position in positions for place in window(layer, position)}
    return sorted(positions)


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
        (
            lambda layers: _shifts(
                layers[::-1],
                lambda x, o: [o * x.stride - x.padding + j * x.dilation for j in range(x.kernel)],
            )
        ): (
            "You went through the layers from the first to the last: begin with the last, next to the output."
        ),
        (
            lambda layers: list(range(_touched_positions(layers)[0], _touched_positions(layers)[-1] + 1))
        ): "These are all positions of the field, holes included: list only those that are read.",
        (
            lambda layers: _shifts(
                layers, lambda x, o: [o - x.padding + j * x.dilation for j in range(x.kernel)]
            )
        ): "The stride is missing: output o begins its window at o * stride.",
        (
            lambda layers: _shifts(
                layers, lambda x, o: [o * x.stride + j * x.dilation for j in range(x.kernel)]
            )
        ): "The padding is missing: the window begins `padding` earlier.",
        (
            lambda layers: _shifts(
                layers, lambda x, o: [o * x.stride - x.padding + j for j in range(x.kernel)]
            )
        ): "The dilation is missing: the kernel's entries read every dilation-th position.",
        (
            lambda layers: sorted(_paths(layers))
        ): "Each position counts once: two paths to the same pixel are one entry. Use a set.",
        (
            lambda layers: _shifts(
                layers, lambda x, o: [o * x.stride + x.padding + j * x.dilation for j in range(x.kernel)]
            )
        ): "The padding moves the window to the left: subtract it.",
        (
            lambda layers: _shifts(
                layers, lambda x, o: [(o - x.padding + j * x.dilation) * x.stride for j in range(x.kernel)]
            )
        ): "The stride multiplies the output's position only: o * stride - padding + j * dilation.",
        (
            lambda layers: [position for position in _touched_positions(layers) if position >= 0]
        ): "Positions in the padding are negative: keep them.",
    },
)
def touched_positions(trial: Trial) -> None:
    trial.signature("layers")
    trial.case([Layer(3, dilation=2), Layer(3, dilation=2)], expected=[0, 2, 4, 6, 8])
    trial.case([Layer(2, stride=3), Layer(2, stride=2, dilation=3)], expected=[0, 1, 9, 10])
    trial.case([Layer(3, padding=1), Layer(2, stride=2), Layer(3, dilation=4, padding=3)])
    result = trial.case(
        [Layer(2, stride=2, padding=1), Layer(3, dilation=3, padding=2), Layer(4, stride=3, dilation=2)]
    )
    trial.require(
        all(isinstance(position, (int, np.integer)) for position in result),
        "Positions are whole numbers: write int(...).",
        yours=result,
    )
    trial.case([])


def _paths(layers: Sequence[Layer]) -> list[int]:
    positions = [0]
    for x in reversed(layers):
        positions = [o * x.stride - x.padding + j * x.dilation for o in positions for j in range(x.kernel)]
    return positions


check.number(
    "touched_pixels",
    answer=25,
    hints=(
        "Along one axis, your function gave the touched positions of exactly these two layers. How many?",
        "0, 2, 4, 6, 8. In two dimensions, each touched row is crossed with each touched column.",
        "5 * 5",
    ),
    why={
        5: "That is along one axis; in two dimensions rows and columns multiply.",
        81: "That is the square they span. Most of its pixels are never read.",
        9: "Nine weights read nine pixels in one layer; two layers reach more places.",
        18: "Two layers of nine weights make 81 paths, but many of them end at the same pixel.",
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
        "far "
        "apart as they are wide.",
    ),
)
def widest_without_holes(trial: Trial) -> None:
    trial.signature("layers")
    for layers in (1, 4, 3, 2):
        dilations = trial.call(layers)
        trial.require(dilations is not None, "Your function returned None.", "Does it end with `return ...`?")
        details = {"layers": layers, "yours": dilations}
        is_list = isinstance(dilations, (list, tuple)) and len(dilations) == layers
        trial.require(is_list, f"The answer should be a list of {layers} dilations.", **details)
        whole = all(isinstance(d, (int, np.integer)) and d >= 1 for d in dilations)
        trial.require(whole, "A dilation is a whole number, 1 or larger.", **details)
        support, _, _ = _support([Layer(3, dilation=int(d)) for d in dilations])
        details["touched"] = f"{int(support.sum())} of {len(support)} positions"
        if not support.all():
            common = math.gcd(*dilations)
            trial.require(
                common == 1,
                f"All dilations are multiples of {common}: every path lands on a multiple of {common}, the "
                "pixels between are never read.",
                **details,
            )
            trial.require(
                False, "There are holes: some positions inside the field are never read.", **details
            )
        if len(support) < 3**layers:
            is_doubling = sorted(dilations) == [2**i for i in range(layers)]
            message = (
                "Powers of two leave no holes, but many pixels are read twice: there is a wider field."
                if is_doubling
                else "No holes, but there is a wider field: three taps a layer can reach more positions."
            )
            trial.require(False, message, **details)


check.choice(
    "gridding_picture",
    answer="B",
    hints=(
        "Which columns does an output in an even column read, if every dilation is 2? And the output beside "
        "it?",
        "Even columns read even columns only, through all layers. In the image, all even columns have one "
        "colour.",
        "A mean over white stripes only is white; a mean over black stripes only is black.",
    ),
    why={
        "A": "Look at the noise: the same network smoothed it, so it does average.",
        "C": "An even step from an even column stays even, through as many layers of dilation 2 as you like.",
        "D": "All outputs exist, and nothing was subsampled: the dilation moves what an output reads, not "
        "where it "
        "lies.",
    },
)


# ---- 5. A whole network

check.choice(
    "unet_phase",
    answer="D",
    hints=(
        "Where do the two corners of the field come from? Follow the deepest path from one output pixel: up "
        "the "
        "decoder, through the bottom, down the encoder.",
        "A transposed convolution with kernel 2 and stride 2 hands each output pixel exactly one input: "
        "position o "
        "comes from o // 2. The two 3x3 layers before it widen this to a few neighbours.",
        "Five neighbours always lie in three coarser pixels. With the two 3x3 layers there, seven are "
        "needed, in four "
        "coarser ones; then eight, and these lie in four or five, depending on the position.",
    ),
    why={
        "A": "The picture is the middle of a valid convolution's output: no zeros are anywhere near.",
        "B": "The weights don't matter: the field was measured with all weights equal and positive.",
        "C": "Max pooling reads all four pixels of its window, and it was measured as if all of them "
        "counted.",
    },
)


# ---- 6. Theoretical and effective


@check.exercise(
    oracle=lambda weights: float(np.sqrt(np.cov(np.arange(len(weights)), aweights=weights.numpy(), ddof=0))),
    hints=(
        "Treat the weights as how often each position occurs: divide by their sum first, then take mean and "
        "standard deviation of the position.",
        "positions = torch.arange(len(weights)); share = weights / weights.sum(); mean = (share * "
        "positions).sum().",
        "The square root of (share * (positions - mean) ** 2).sum(), as a float.",
    ),
    why={
        (
            lambda weights: float(np.cov(np.arange(len(weights)), aweights=weights.numpy(), ddof=0))
        ): "That is the variance: take its square root, for the answer is in pixels.",
        (lambda weights: float(weights.std())): (
            "That is how much the weights themselves vary. We ask for the spread of the positions, weighted."
        ),
        (
            lambda weights: float((weights * (torch.arange(len(weights)) - _mean(weights)) ** 2).sum().sqrt())
        ): "The weights need not add up to one: divide by their sum.",
        (
            lambda weights: float(
                (
                    (weights * (torch.arange(len(weights)) - (len(weights) - 1) / 2) ** 2).sum()
                    / weights.sum()
                ).sqrt()
            )
        ): "Measure from the weighted mean of the positions, not from the middle of the array.",
        (
            lambda weights: float(_mean(weights))
        ): "That is the mean position. How far around it do the positions spread?",
        (
            lambda weights: float(
                (
                    (weights * (torch.arange(len(weights)) - _mean(weights)) ** 2).sum() / (weights.sum() - 1)
                ).sqrt()
            )
        ): "Divide by the sum of the weights, not by the sum minus one: they are shares, not a sample.",
        (
            lambda weights: float(((weights * torch.arange(len(weights)) ** 2).sum() / weights.sum()).sqrt())
        ): "Measure from the weighted mean of the positions, not from position 0.",
    },
)
def effective_sigma(trial: Trial) -> None:
    trial.signature("weights")
    trial.case(tensor(0, 0, 1, 3), expected=math.sqrt(3) / 4)
    trial.case(tensor(1, 2, 1), expected=math.sqrt(0.5))
    trial.case(numbers(12, seed=31).abs() * 5)
    trial.case(numbers(7, seed=32).abs() ** 4)


def _mean(weights: Tensor) -> Tensor:
    return (weights * torch.arange(len(weights))).sum() / weights.sum()


check.number(
    "doubling_sigma",
    answer=4,
    hints=(
        "sigma = sqrt(n (k^2 - 1) / 12). What has to happen to n so that sigma doubles?",
        "sigma grows like the square root of n.",
        "sqrt(4 n) = 2 sqrt(n)",
    ),
    why={
        2: (
            "The theoretical field doubles with twice the layers; the effective one grows like a square root."
        ),
        math.sqrt(
            2
        ): "The square root of 2 is by how much sigma grows when n doubles; we ask for the opposite.",
        8: "sigma grows with the square root, not the logarithm or the cube root of n.",
    },
)


# ---- 7. How much context does a tumour need?

check.choice(
    "context_picture",
    answer="C",
    hints=(
        "Look at the left end first: what can a network know that sees a single pixel?",
        "Then compare the middle with the right end. All five have about the same number of weights and "
        "steps.",
        "One option says that context helps, and that a wide field isn't free.",
    ),
    why={
        "A": "Follow the curve to its right end: the largest field doesn't give the best Dice.",
        "B": "The network of one pixel is far below the others: neighbours help a lot.",
        "D": "The right panel shows the opposite: after training the effective field is narrower than "
        "before, in "
        "every network that sees more than one pixel.",
    },
)
