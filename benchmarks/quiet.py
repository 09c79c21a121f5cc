"""Whether a run can be trusted: how far apart its times are, and a product that ran beside all of them.

A row of a benchmark is one piece of work, done by several contenders that alternate.  One of them is
the *reference*, a matrix product that is the same in every row: where it is slower than it usually
is, something else was running.  A run that was disturbed says where, and writes nothing.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterable
from pathlib import Path

import torch

from benchmarks.record import write

REFERENCE = "reference"
APART = 1.5  # at most: the upper quartile of a contender's times by the lower one
SLOWER = 1.25  # at most: the median of the reference in a row by its median over the rows


def timed(work: Callable[[], object]) -> float:
    """Milliseconds of one call."""
    start = time.perf_counter()
    work()
    return 1000 * (time.perf_counter() - start)


def reference() -> Callable[[], torch.Tensor]:
    """A product of 0.13 billion multiplications."""
    x, weight = torch.ones(256, 512), torch.ones(512, 1024)
    return lambda: x @ weight


def row(work: str, took: dict[str, list[float]]) -> dict:
    """The medians of the contenders' times, and their spreads."""
    quartiles = {
        name: statistics.quantiles(times, n=4, method="inclusive") for name, times in took.items()
    }
    own = quartiles.pop(REFERENCE)[1]
    return {
        "work": work,
        "median_ms": {name: round(q[1], 3) for name, q in quartiles.items()},
        "spread": {name: round(q[2] / q[0], 2) for name, q in quartiles.items()},
        "reference_ms": round(own, 3),
    }


def disturbed(rows: Iterable[dict]) -> list[str]:
    """Where a run was, in words."""
    rows = list(rows)
    usual = statistics.median(each["reference_ms"] for each in rows)
    said = []
    for each in rows:
        for name, spread in each["spread"].items():
            if spread > APART:
                said.append(
                    f"{each['work']}: the upper quartile of {name} is {spread} times the lower"
                )
        if each["reference_ms"] > SLOWER * usual:
            slow = each["reference_ms"] / usual
            said.append(f"{each['work']}: the reference took {slow:.2f} times its median")
    return said


def keep(path: Path, result: dict, rows: Iterable[dict]):
    """Writes the result, unless one of its rows was disturbed."""
    if where := disturbed(rows):
        lines = "\n  ".join(where)
        raise SystemExit(f"{path.name} is not written, the machine was busy:\n  {lines}")
    write(path, result)
