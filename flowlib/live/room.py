"""How many numbers a page holds at a time while it evaluates a graph.

``js/runtime.js`` gives every value of a graph its place in the memory of its figure, a node one that
is free again where there is one of its size.  Here the same is counted, so that a function that needs
more than a page has is refused where it is traced.
"""

from __future__ import annotations

from collections.abc import Iterator
from math import inf, prod

from flowlib.live.builder import LARGEST, TraceError


def check_room(graph: dict) -> None:
    """Raise TraceError if a page cannot hold what it computes of a graph."""
    if (count := room(graph)) > LARGEST:
        raise TraceError(
            f"the page would hold {count:,} numbers at a time, and has room for {LARGEST:,}; compute "
            "less at once, or in parts of one size"
        )


def room(graph: dict) -> int:
    """The numbers in the memory of one graph, and the gaps between them: never less than in the page.

    Example:
        >>> nodes = [["exp", [{"v": 0}], [100]], ["sin", [{"v": 1}], [100]], ["cos", [{"v": 2}], [100]]]
        >>> room({"input_shapes": [[100]], "consts": [], "nodes": nodes, "outputs": {"y": 3}})
        324
    """
    sizes = [prod(shape) for shape, *_ in graph["consts"]]
    sizes = [prod(shape) for shape in graph["input_shapes"]] + sizes
    inputs, given = len(graph["input_shapes"]), len(sizes)
    reads = [1 << min(i, 31) for i in range(inputs)] + [0] * len(graph["consts"])  # a bit each
    total = sum(map(_place, sizes))
    last = [inf] * given  # the last node that reads a value; inf where it stays
    sources = []
    for k, (op, args, shape) in enumerate(graph["nodes"]):
        total += _own(op, args, shape)
        read = list(_ids(args))
        every = 0
        for i in read:
            every |= reads[i]
        for i in read:
            last[i] = max(last[i], k) if reads[i] == every else inf
        sources.append(read)
        sizes.append(prod(shape))
        reads.append(every)
        last.append(k)
    for i in graph["outputs"].values():
        last[i] = inf

    free: dict[int, list[int]] = {}  # by size: what all that shared a place reads
    shared: dict[int, int] = {}
    for k, read in enumerate(sources):
        i = given + k
        places = free.setdefault(sizes[i], [])
        fits = [j for j, of in enumerate(places) if last[i] < inf or not of & ~reads[i]]
        if reads[i] and fits:
            shared[i] = places.pop(fits[-1]) | reads[i]
        else:
            shared[i] = reads[i]
            total += _place(sizes[i])
        for done in dict.fromkeys([i, *read]):
            if last[done] <= k and reads[done]:
                free.setdefault(sizes[done], []).append(shared[done])
    return total


def _ids(args: list) -> Iterator[int]:
    """The values that a node reads."""
    for each in args:
        if isinstance(each, dict):
            yield each["v"]
        elif isinstance(each, list):
            yield from _ids(each)


def _place(size: int) -> int:
    """What a value of so many numbers takes, with the gap that the kernels want behind it."""
    return (size + 3 & ~3) + 8


def _own(op: str, args: list, shape: list[int]) -> int:
    """What a node takes besides its value: the starts of the runs of a view, or its numbers."""
    if op != "view":
        return sum(_place(1) for each in args if isinstance(each, (int, float)))
    dims: list[tuple[int, int]] = []
    for length, stride in zip(shape, args[2]):
        if dims and dims[-1][1] == stride * length:
            dims[-1] = (dims[-1][0] * length, stride)
        elif length != 1:
            dims.append((length, stride))
    run = dims[-1][0] if dims else 1
    return _place(prod(shape) // max(run, 1))
