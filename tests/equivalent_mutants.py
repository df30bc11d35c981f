"""Mutants that pass because they are right: exercise -> the change -> why nothing changes that is asked."""

from __future__ import annotations

EQUIVALENT: dict[str, dict[str, str]] = {
    "spacing_from_affine": {
        (
            "return np.sqrt((affine[:3, :3] ** 2).sum(axis=0))  ->  return np.sqrt((affine[:4, :3] **"
            " 2).sum(axis=0))"
        ): "the last row of an affine is 0, 0, 0, 1",
    },
    "region_mask": {
        (
            "members = {'WT': (1, 2, 4), 'TC': (1, 4), 'ET': (4,)}  ->  members = {'WT': (1, 2, 4), "
            "'TC': (4, 1), 'ET': (4,)}"
        ): "a set of labels has no order",
    },
    "normalise_inside_the_brain": {
        "inside = image[brain]  ->  inside = (image + 1)[brain]": (
            "a constant falls out where the mean is subtracted"
        ),
        "inside = image[brain]  ->  inside = (image - 1)[brain]": (
            "a constant falls out where the mean is subtracted"
        ),
        "normalised = np.zeros(image.shape)  ->  normalised = np.zeros(brain.shape)": (
            "image and mask have one shape"
        ),
    },
    "sum_of_squares": {
        "members = points[clusters == cluster]  ->  members = (points + 1)[clusters == cluster]": (
            "a constant falls out where the mean is subtracted"
        ),
        "members = points[clusters == cluster]  ->  members = (points - 1)[clusters == cluster]": (
            "a constant falls out where the mean is subtracted"
        ),
        (
            "total += ((members - members.mean(axis=0)) ** 2).sum()  ->  total += "
            "((members.mean(axis=0) - members) ** 2).sum()"
        ): "a square or an absolute value forgets the sign",
    },
    "patches_around": {
        "half = size // 2  ->  half = (size - 1) // 2": ("sizes are odd"),
        (
            "return windows.permute(1, 2, 0, 3, 4).reshape(-1, image.shape[0], size, size)  ->  "
            "return windows.permute(1, 2, 0, 3, 4).reshape(-1, padded.shape[0], size, size)"
        ): "padding and cutting leave the number of channels",
        (
            "return windows.permute(1, 2, 0, 3, 4).reshape(-1, image.shape[0], size, size)  ->  "
            "return windows.permute(1, 2, 0, 3, 4).reshape(-1, windows.shape[0], size, size)"
        ): "padding and cutting leave the number of channels",
    },
    "reads_per_pixel": {
        (
            "places, half = (np.arange(length), size // 2)  ->  places, half = (np.arange(length), "
            "(size - 1) // 2)"
        ): "sizes are odd",
        (
            "return np.minimum(places + half, length - 1) - np.maximum(places - half, 0) + 1  ->  "
            "return np.minimum(length - 1, places + half) - np.maximum(places - half, 0) + 1"
        ): "minimum and maximum have no order",
        (
            "return np.minimum(places + half, length - 1) - np.maximum(places - half, 0) + 1  ->  "
            "return np.minimum(places + half, length - 1) - np.maximum(0, places - half) + 1"
        ): "minimum and maximum have no order",
    },
    "shift_and_stitch": {
        (
            "stitched = padded.new_zeros(1, parts[0, 0].shape[1], width, height)  ->  stitched = "
            "padded.new_ones(1, parts[0, 0].shape[1], width, height)"
        ): "every entry is overwritten",
    },
    "cross_correlation_1d": {
        "y = a.new_zeros(len(a) - k + 1)  ->  y = a.new_ones(len(a) - k + 1)": ("every entry is overwritten"),
        "y = a.new_zeros(len(a) - k + 1)  ->  y = kernel.new_zeros(len(a) - k + 1)": (
            "signal and kernel have one type"
        ),
    },
    "convolution_1d": {
        (
            "return cross_correlation_1d(a, kernel.flip(0))  ->  return cross_correlation_1d(a, "
            "kernel.flip(-1))"
        ): "there is one axis",
    },
    "transposed_convolution_1d": {
        (
            "full = b.new_zeros((len(b) - 1) * stride + k)  ->  full = kernel.new_zeros((len(b) - 1) "
            "* stride + k)"
        ): "signal and kernel have one type",
    },
    "transpose_by_convolution": {
        "flipped = kernel.flip(0)  ->  flipped = kernel.flip(-1)": ("there is one axis"),
        (
            "return F.conv1d(b[None, None], flipped[None, None], padding=len(kernel) - 1 - "
            "padding)[0, 0]  ->  return F.conv1d(b[None, None], flipped[None, None], "
            "padding=len(kernel) - 1 - padding)[-1, 0]"
        ): "the axis has length 1",
        (
            "return F.conv1d(b[None, None], flipped[None, None], padding=len(kernel) - 1 - "
            "padding)[0, 0]  ->  return F.conv1d(b[None, None], flipped[None, None], "
            "padding=len(kernel) - 1 - padding)[0, -1]"
        ): "the axis has length 1",
        (
            "return F.conv1d(b[None, None], flipped[None, None], padding=len(kernel) - 1 - "
            "padding)[0, 0]  ->  return F.conv1d(b[None, None], flipped[None, None], "
            "padding=len(flipped) - 1 - padding)[0, 0]"
        ): "a flipped kernel is as long",
    },
    "input_gradient": {
        (
            "return F.conv_transpose2d(v[None, None], kernel[None, None], None, stride, padding, "
            "extra)[0, 0]  ->  return F.conv_transpose2d(v[None, None], kernel[None, None], None, "
            "stride, padding, extra)[-1, 0]"
        ): "the axis has length 1",
        (
            "return F.conv_transpose2d(v[None, None], kernel[None, None], None, stride, padding, "
            "extra)[0, 0]  ->  return F.conv_transpose2d(v[None, None], kernel[None, None], None, "
            "stride, padding, extra)[0, -1]"
        ): "the axis has length 1",
    },
    "max_pool_with_indices": {
        (
            "values = x.new_zeros(height // size, width // size)  ->  values = x.new_ones(height // "
            "size, width // size)"
        ): "every entry is overwritten",
        (
            "indices = torch.zeros(height // size, width // size, dtype=torch.int64)  ->  indices = "
            "torch.ones(height // size, width // size, dtype=torch.int64)"
        ): "every entry is overwritten",
    },
    "bilinear_kernel": {
        "line = 1 - (j - (k - 1) / 2).abs() / factor  ->  line = (j - (k - 1) / 2).abs() / factor - 1": (
            "the sign falls out of the product of two lines"
        ),
        "line = 1 - (j - (k - 1) / 2).abs() / factor  ->  line = 1 - ((k - 1) / 2 - j).abs() / factor": (
            "a square or an absolute value forgets the sign"
        ),
    },
    "zero_fill_convolution": {
        (
            "return F.conv2d(padded[None, None], kernel.flip(0, 1)[None, None])[0, 0]  ->  return "
            "F.conv2d(padded[None, None], kernel.flip(0, 1)[None, None])[-1, 0]"
        ): "the axis has length 1",
        (
            "return F.conv2d(padded[None, None], kernel.flip(0, 1)[None, None])[0, 0]  ->  return "
            "F.conv2d(padded[None, None], kernel.flip(0, 1)[None, None])[0, -1]"
        ): "the axis has length 1",
        (
            "return F.conv2d(padded[None, None], kernel.flip(0, 1)[None, None])[0, 0]  ->  return "
            "F.conv2d(padded[None, None], kernel.flip(1, 0)[None, None])[0, 0]"
        ): "the order in which axes are flipped changes nothing",
    },
    "checkerboard_energy": {
        (
            "phases = image.reshape(height // stride, stride, width // stride, stride).mean(dim=(0, "
            "2))  ->  phases = image.reshape(height // stride, stride, width // stride, "
            "stride).mean(dim=(2, 0))"
        ): "the order of the axes of a mean changes nothing",
        (
            "phases = image.reshape(height // stride, stride, width // stride, stride).mean(dim=(0, "
            "2))  ->  phases = image.reshape((height + 1) // stride, stride, width // stride, "
            "stride).mean(dim=(0, 2))"
        ): "edges are multiples of the stride, which is 2 or more",
        (
            "phases = image.reshape(height // stride, stride, width // stride, stride).mean(dim=(0, "
            "2))  ->  phases = image.reshape(height // stride, stride, (width + 1) // stride, "
            "stride).mean(dim=(0, 2))"
        ): "edges are multiples of the stride, which is 2 or more",
    },
    "boundary_band": {
        (
            "inside, outside = (distance_transform_edt(mask), distance_transform_edt(~mask))  ->  "
            "inside, outside = (distance_transform_edt(~mask), distance_transform_edt(mask))"
        ): "the two distances are used alike",
    },
    "causal_convolution": {
        (
            "return F.conv1d(padded[None, None], kernel[None, None], dilation=dilation)[0, 0]  ->  "
            "return F.conv1d(padded[None, None], kernel[None, None], dilation=dilation)[-1, 0]"
        ): "the axis has length 1",
        (
            "return F.conv1d(padded[None, None], kernel[None, None], dilation=dilation)[0, 0]  ->  "
            "return F.conv1d(padded[None, None], kernel[None, None], dilation=dilation)[0, -1]"
        ): "the axis has length 1",
    },
    "dilated_convolution": {
        "y = image.new_zeros(height, width)  ->  y = kernel.new_zeros(height, width)": (
            "signal and kernel have one type"
        ),
    },
    "printed_formula": {
        (
            "output = image.new_zeros((h - 1) * dilation + k1, (w - 1) * dilation + k2)  ->  output ="
            " kernel.new_zeros((h - 1) * dilation + k1, (w - 1) * dilation + k2)"
        ): "signal and kernel have one type",
    },
    "effective_sigma": {
        (
            "return (share * (positions - mean) ** 2).sum().sqrt().item()  ->  return (share * (mean "
            "- positions) ** 2).sum().sqrt().item()"
        ): "a square or an absolute value forgets the sign",
    },
    "class_indices": {
        "indices[indices == 4] = 3  ->  indices[labels == 4] = 3": ("the copy still equals the labels there"),
    },
}
