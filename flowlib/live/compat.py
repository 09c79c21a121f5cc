"""Every name that tracing takes from torch's private parts, and what happens where one is gone.

All of them are there from torch 2.6 to 2.13.

===============================  ====================================================================
``make_fx``                      captures what torch computes; no public function does so for plain
                                 functions with a table of decompositions
``TorchDispatchMode``            finds the reader's line that called an operation
``OpOverload``, ``_schema``      an operation's class, and the names and aliases of its arguments
``core_aten_decompositions``,    torch's own ways to rewrite operations;
``decomposition_table``          ``torch.export.default_decompositions`` has only the first
``FakeTensorMode``, ``tracing``  speed only: without them a trace takes longer
===============================  ====================================================================
"""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING

import torch

try:
    from torch._decomp import core_aten_decompositions, decomposition_table
    from torch._ops import OpOverload
    from torch.fx.experimental.proxy_tensor import make_fx
    from torch.utils._python_dispatch import TorchDispatchMode
except ImportError as error:
    raise ImportError(
        f"flowlib.live traces with a part of torch that version {torch.__version__} no longer has "
        f"({error}); the versions from 2.6 to 2.13 have it, and flowlib works without flowlib.live"
    ) from error

if TYPE_CHECKING:
    from torch._C import FunctionSchema

try:
    from torch._guards import TracingContext, tracing
    from torch._subclasses import FakeTensorMode
except ImportError:

    def one_fake_mode() -> AbstractContextManager:
        return nullcontext()

else:

    def one_fake_mode() -> AbstractContextManager:
        """While it lasts, ``make_fx`` uses one mode instead of making one for every node."""
        return tracing(TracingContext(FakeTensorMode()))


__all__ = [
    "OpOverload",
    "TorchDispatchMode",
    "core_aten_decompositions",
    "decomposition_table",
    "make_fx",
    "one_fake_mode",
    "schema",
]


def schema(overload: OpOverload) -> FunctionSchema:
    """The names, defaults and aliases of an operation's arguments."""
    return overload._schema
