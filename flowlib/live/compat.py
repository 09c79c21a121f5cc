"""Every name that tracing takes from torch's private parts, and what happens where one is gone.

All of them are there from torch 2.6 to 2.13.

===============================  ====================================================================
``make_fx``                      captures what torch computes; no public function does so for plain
                                 functions with a table of decompositions
``TorchDispatchMode``            finds the reader's line that called an operation
``OpOverload``, ``_schema``      an operation's class, and the names and aliases of its arguments
``core_aten_decompositions``,    torch's own ways to rewrite operations;
``decomposition_table``          ``torch.export.default_decompositions`` has only the first
``proxy_tensor.set_meta``         speed only: where it is gone, a trace takes twice as long
===============================  ====================================================================
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import torch

try:
    from torch._decomp import core_aten_decompositions, decomposition_table
    from torch._ops import OpOverload
    from torch.fx.experimental import proxy_tensor
    from torch.fx.experimental.proxy_tensor import make_fx
    from torch.utils._python_dispatch import TorchDispatchMode
except ImportError as error:
    raise ImportError(
        f"flowlib.live traces with a part of torch that version {torch.__version__} no longer has "
        f"({error}); the versions from 2.6 to 2.13 have it, and flowlib works without flowlib.live"
    ) from error

if TYPE_CHECKING:
    from torch._C import FunctionSchema


@contextmanager
def bare_nodes() -> Iterator[None]:
    """While it lasts, ``make_fx`` gives no node an example of its value, which takes half of its time."""
    kept = getattr(proxy_tensor, "set_meta", None)
    if kept:
        proxy_tensor.set_meta = lambda proxy, val: proxy
    try:
        yield
    finally:
        if kept:
            proxy_tensor.set_meta = kept


__all__ = [
    "OpOverload",
    "TorchDispatchMode",
    "bare_nodes",
    "core_aten_decompositions",
    "decomposition_table",
    "make_fx",
    "schema",
]


def schema(overload: OpOverload) -> FunctionSchema:
    """The names, defaults and aliases of an operation's arguments."""
    return overload._schema
