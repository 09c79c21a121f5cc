"""How torch's operations are expressed in the few that ``js/operations.js`` has.

:data:`LOWERINGS` holds a short function for each aten operation that the page computes directly;
:data:`DECOMPOSITIONS` writes others as torch code; the rest is left to torch's own core
decompositions, and what then remains unknown is refused by ``trace``.

To add an operation:

1. If it can be written in torch operations that are here, write it so in ``decompositions.py``,
   with ``@decompose("its_aten_name")``, and go to 3.
2. Otherwise write its loop: if it is elementwise or reduces one dimension, an entry of
   ``js/kernels.js``, and its name among those of its kind in ``lowerings.py``; else an entry of
   ``js/operations.js``, which checks its arguments, and a function of ``lowerings.py``, with
   ``@lower("its_aten_name")``, which makes them.
3. Add one line to ``tests/support/cases.py``: page and torch are compared on random inputs.
"""

from __future__ import annotations

from functools import cache

import torch

from flowlib.live.compat import core_aten_decompositions, decomposition_table, schema

aten = torch.ops.aten
LOWERINGS: dict = {}  # "add" -> function(graph, *arguments in the order of the schema) -> Value
DECOMPOSITIONS: dict = {}  # aten.roll.default -> torch function


def names_in(text: str) -> list[str]:
    return text.split()


VIEWS = names_in("""
    view _unsafe_view expand permute transpose t unsqueeze squeeze select slice diagonal unfold split
    split_with_sizes unbind
""")
# decompositions that torch has, but not among the core ones
FROM_TORCH = names_in("""
    _softmax _log_softmax leaky_relu gelu elu hardtanh isinf linalg_vector_norm repeat
""")


def lower(*names: str):
    """Register what the page computes for the aten operations ``names``."""

    def register(function):
        LOWERINGS.update(dict.fromkeys(names, function))
        return function

    return register


def decompose(*names: str):
    """Register torch code for the aten operations ``names``, in all their overloads."""

    def register(function):
        DECOMPOSITIONS.update(dict.fromkeys(_overloads(names), function))
        return function

    return register


@cache
def all_decompositions() -> dict:
    """The table for ``make_fx``: ours, and torch's for what has no lowering."""
    table = {**core_aten_decompositions()}
    extra = [o for o in _overloads(FROM_TORCH) if o in decomposition_table]
    table.update((o, decomposition_table[o]) for o in extra)
    table.update(DECOMPOSITIONS)
    return {o: function for o, function in table.items() if name_of(o) not in LOWERINGS}


def name_of(overload) -> str:
    """add for aten.add.Tensor; prims.add for what is not aten."""
    return schema(overload).name.removeprefix("aten::").replace("::", ".")


def _overloads(names):
    """Every overload of the aten operations ``names``; a torch that lacks one cannot call it."""
    for packet in (getattr(aten, name) for name in names if hasattr(aten, name)):
        yield from (getattr(packet, o) for o in packet.overloads() if not o.endswith("out"))
