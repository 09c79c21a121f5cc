"""Numbers as JSON writes them, whatever library they come from."""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor


def plain(value):
    """``value`` with Python's own numbers for numpy's scalars, 0-d arrays and 0-d tensors.

    It reaches into dicts, lists and tuples, and makes lists of the last two.  A float of fewer bits
    than Python's becomes the shortest decimal that it stands for.

    Example:
        >>> plain({"low": torch.tensor(0.1), "sizes": (np.int64(3), np.float32(0.2))})
        {'low': 0.1, 'sizes': [3, 0.2]}
    """
    if isinstance(value, dict):
        return {key: plain(each) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(each) for each in value]
    if isinstance(value, Tensor) and value.ndim == 0:
        value = value.detach().cpu()
        value = (value.float() if value.dtype == torch.bfloat16 else value).numpy()
    if isinstance(value, (np.ndarray, np.generic)) and value.ndim == 0:
        scalar = value[()] if isinstance(value, np.ndarray) else value
        return float(str(scalar)) if isinstance(scalar, np.floating) else scalar.item()
    return value


def is_number(value) -> bool:
    """Whether it is one of Python's own, and finite."""
    return type(value) in (int, float) and math.isfinite(value)
