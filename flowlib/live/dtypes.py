"""What a page, which computes in float32, does with torch's other dtypes.

Whole numbers are exact in float32 as long as they stay below 2**24, and booleans are 0 and 1.  So an
operation that makes whole numbers is followed by ``whole``, which stops the page where one leaves
its dtype's range or that of float32: nothing wraps around, nothing is rounded.  What torch computes in
float64 the page computes in float32, to whose rounding it is good.
"""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor

from flowlib.live.builder import Builder, TraceError, Value

HIGHEST = 2**24 - 1  # 2**24 itself may be 2**24 + 1, rounded
WHOLE = (torch.uint8, torch.int8, torch.int16, torch.int32, torch.int64)


def check_result(where: str, result: Tensor):
    """Refuse a dtype that the page lacks, and a whole number that is too large for it."""
    if result.dtype not in (torch.float32, torch.float64, torch.bool, *WHOLE):
        raise TraceError(f"the page computes in float32; got {result.dtype} from {where}")
    if result.dtype in WHOLE and result.numel():
        low, high = int(result.min()), int(result.max())
        if max(-low, high) > HIGHEST:
            got = low if -low > high else high
            raise TraceError(
                f"the page has whole numbers from {-HIGHEST} to {HIGHEST}; got {got} from {where}"
            )


def check_conversion(where: str, operands: Iterable[Tensor], dtype: torch.dtype | None):
    """Refuse to convert ``operands`` to whole numbers or booleans within an operation."""
    if dtype in (torch.bool, *WHOLE) and any(each.is_floating_point() for each in operands):
        raise TraceError(
            f"the page does not convert within {where}; got dtype={dtype}. Convert before it, "
            "as in x.long().sum()"
        )


def whole(graph: Builder, x: Value, dtype: torch.dtype) -> Value:
    """``x`` without its fractions; the page stops where a number does not fit into ``dtype``."""
    limits = torch.iinfo(dtype)
    return graph.pointwise("whole", x, max(limits.min, -HIGHEST), min(limits.max, HIGHEST))
