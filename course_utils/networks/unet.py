"""The U-Net, in two and three dimensions.

Ronneberger O, Fischer P, Brox T. U-Net: Convolutional Networks for Biomedical Image Segmentation. MICCAI
2015, arXiv 1505.04597. Çiçek Ö et al. 3D U-Net: Learning Dense Volumetric Segmentation from Sparse
Annotation. MICCAI 2016, arXiv 1606.06650.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import torch
from torch import Tensor, nn

CONVOLUTION = {2: nn.Conv2d, 3: nn.Conv3d}
TRANSPOSED_CONVOLUTION = {2: nn.ConvTranspose2d, 3: nn.ConvTranspose3d}
MAX_POOLING = {2: nn.MaxPool2d, 3: nn.MaxPool3d}
NORMALISATION = {
    "instance": {2: nn.InstanceNorm2d, 3: nn.InstanceNorm3d},
    "batch": {2: nn.BatchNorm2d, 3: nn.BatchNorm3d},
}


class DoubleConvolution(nn.Sequential):
    """Two 3x3 (3x3x3) convolutions, each followed by normalisation, if any, and a (leaky) rectifier."""

    def __init__(
        self, channels: tuple[int, int, int], dims: int, padding: str, normalisation: str | None
    ) -> None:
        layers: list[nn.Module] = []
        leaky = normalisation == "instance"
        for entering, leaving in itertools.pairwise(channels):
            convolution = CONVOLUTION[dims](entering, leaving, kernel_size=3, padding=int(padding == "same"))
            layers.append(convolution)
            if normalisation is not None:
                layers.append(NORMALISATION[normalisation][dims](leaving, affine=True))
            layers.append(nn.LeakyReLU(0.01, inplace=True) if leaky else nn.ReLU(inplace=True))
        super().__init__(*layers)


class UNet(nn.Module):
    """A contracting path sees context, an expanding path restores detail, skip connections join them.

    Images (N, in_channels, *size) become logits (N, out_channels, *size'), where size' = size with
    ``padding="same"`` and is smaller, see :meth:`output_size`, with ``padding="valid"``.

    Args:
        in_channels: image channels, for example four MR modalities.
        out_channels: classes, the background included.
        dims: 2 for images (N, C, X, Y), 3 for volumes (N, C, X, Y, Z).
        base_channels: channels of the first level; each level has twice those of the level above.
        depth: number of levels; between them lie ``depth - 1`` poolings.
        padding: "valid" as in the papers: only voxels whose whole context was seen are predicted; "same":
            zeros around every feature map, the output has the input's size.
        normalisation: None as in the 2D paper, "batch" as in the 3D paper, or "instance" as in nnU-Net (then
            with leaky rectifiers, arXiv 1809.10486).
        double_before_pooling: as in the 3D paper, the second convolution of a level doubles the channels
            (instead of the first one of the next level), and up-convolutions keep theirs and have no bias.

    ``UNet(1, 2)`` is the network of the 2D paper: 572 x 572 -> 388 x 388, 31,030,658 parameters.

    Raises:
        ValueError: an argument is none of those above.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        *,
        dims: int = 2,
        base_channels: int = 64,
        depth: int = 5,
        padding: str = "valid",
        normalisation: str | None = None,
        double_before_pooling: bool = False,
    ) -> None:
        super().__init__()
        if dims not in CONVOLUTION:
            raise ValueError(f"dims is {dims!r}: choose 2 (images) or 3 (volumes)")
        if padding not in ("same", "valid"):
            raise ValueError(f'padding is {padding!r}: choose "same" or "valid"')
        if normalisation is not None and normalisation not in NORMALISATION:
            raise ValueError(f'normalisation is {normalisation!r}: choose None, "instance" or "batch"')
        if min(in_channels, out_channels, base_channels, depth) < 1:
            raise ValueError(
                f"in_channels {in_channels}, out_channels {out_channels}, base_channels {base_channels}, "
                f"depth {depth}: each must be 1 or larger"
            )
        self.in_channels, self.dims, self.depth, self.padding = in_channels, dims, depth, padding

        widths = [base_channels * 2**level for level in range(depth)]
        if double_before_pooling:
            levels = [(width, 2 * width) for width in widths]
        else:
            levels = [(width, width) for width in widths]

        def block(*channels: int) -> DoubleConvolution:
            return DoubleConvolution(channels, dims, padding, normalisation)

        entering = [in_channels, *(second for _, second in levels[:-1])]
        self.encoder = nn.ModuleList(block(last, *level) for last, level in zip(entering, levels))
        self.pool = MAX_POOLING[dims](kernel_size=2, stride=2)
        self.upsamplers, self.decoder = nn.ModuleList(), nn.ModuleList()
        for (_, below), (_, beside) in zip(levels[::-1], levels[-2::-1]):
            up = below if double_before_pooling else beside
            self.upsamplers.append(
                TRANSPOSED_CONVOLUTION[dims](
                    below, up, kernel_size=2, stride=2, bias=not double_before_pooling
                )
            )
            self.decoder.append(block(beside + up, beside, beside))
        self.head = CONVOLUTION[dims](levels[0][1], out_channels, kernel_size=1)

    def forward(self, image: Tensor) -> Tensor:
        """Logits of an image (N, in_channels, *size); raises ValueError where its shape doesn't fit."""
        if image.ndim != self.dims + 2 or image.shape[1] != self.in_channels:
            raise ValueError(
                f"the input has shape {tuple(image.shape)}: expected (N, {self.in_channels}, "
                f"{', '.join('XYZ'[: self.dims])})"
            )
        self.output_size(image.shape[2:])
        features, skips = image, []
        for block in self.encoder[:-1]:
            features = block(features)
            skips.append(features)
            features = self.pool(features)
        features = self.encoder[-1](features)
        for upsample, block in zip(self.upsamplers, self.decoder):
            features = upsample(features)
            features = block(torch.cat([centre_crop(skips.pop(), features.shape[2:]), features], dim=1))
        return self.head(features)

    def output_size(self, size: Sequence[int]) -> tuple[int, ...]:
        """Size of the logits for an input of ``size``, an edge at a time.

        Raises:
            ValueError: an edge has no output, naming the nearest edges that have: a multiple of 2^poolings
                with padding "same"; with "valid", every pooling must meet an even number (12 mod 16 in the 2D
                paper).
        """
        result = []
        for edge in size:
            leaving = self._output_edge(int(edge))
            if leaving is None:
                reach = range(1, 2 ** (self.depth + 3))
                smaller = next((edge - step for step in reach if self._output_edge(edge - step)), None)
                larger = next(edge + step for step in reach if self._output_edge(edge + step))
                nearest = f"{smaller} or {larger}" if smaller else str(larger)
                raise ValueError(
                    f"an edge of {edge} does not fit a U-Net with {self.depth - 1} poolings and padding "
                    f"{self.padding!r}: crop or pad it, the nearest that fits is {nearest}"
                )
            result.append(leaving)
        return tuple(result)

    def _output_edge(self, edge: int) -> int | None:
        lost = 0 if self.padding == "same" else 4  # by two convolutions
        for _ in range(self.depth - 1):
            edge -= lost
            if edge <= 0 or edge % 2:
                return None
            edge //= 2
        edge -= lost
        for _ in range(self.depth - 1):
            edge = 2 * edge - lost
        return edge if edge > 0 else None


def centre_crop(features: Tensor, size: Sequence[int]) -> Tensor:
    """The middle of (N, C, *larger) with ``size``: valid padding cost the other path its border."""
    for axis, edge in enumerate(size, start=2):
        features = features.narrow(axis, (features.shape[axis] - edge) // 2, edge)
    return features
