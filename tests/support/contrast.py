"""The contrast of two colours, by WCAG 2.2."""

import numpy as np

XYZ = np.array(
    [[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]
)  # of linear sRGB


def channels(colour: str) -> list[int]:
    digits = colour[1:] if len(colour) == 7 else "".join(2 * digit for digit in colour[1:])
    return [int(digits[i : i + 2], 16) for i in (0, 2, 4)]


def linear(colour) -> np.ndarray:
    """Of a colour as in CSS, or of channels from 0 to 255 (*, 3)."""
    part = np.asarray(channels(colour) if isinstance(colour, str) else colour) / 255
    return np.where(part <= 0.04045, part / 12.92, ((part + 0.055) / 1.055) ** 2.4)


def contrast(one, other) -> np.ndarray:
    light = [linear(colour) @ XYZ[1] + 0.05 for colour in (one, other)]
    return np.maximum(*light) / np.minimum(*light)
