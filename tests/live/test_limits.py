"""The page computes what torch computes at the edges too, or says that it cannot.

Every operation of ``cases.py`` on signed zeros, infinities, NaN, large numbers and nothing at all; and
what only edges show, from ``edges.py``.
"""

from __future__ import annotations

import pytest
import torch

import cases
import edges
from flowlib.live.trace import TraceError


def named(fn):
    def outputs(**inputs):
        made = fn(*inputs.values())
        made = made if isinstance(made, tuple) else (made,)
        return {f"output {i}": value for i, value in enumerate(made)}

    return outputs


def check(runtime, fn, *inputs, name=""):
    """Page and torch at ``inputs``, of a graph that was traced at 0.5."""
    at = dict(zip("ab", (torch.as_tensor(each, dtype=torch.float32) for each in inputs)))
    example = {key: torch.full_like(value, 0.5) for key, value in at.items()}
    got = runtime.evaluate(named(fn), example, at)
    for key, value in named(fn)(**at).items():
        expected, atol = value.float(), 1e-6 if name in edges.ROUNDED else 1e-37
        torch.testing.assert_close(
            got[key], expected, rtol=4e-6, atol=atol, equal_nan=True, check_stride=False
        )
        zeros = (expected == 0) & (got[key] == 0)
        if name not in edges.ZERO_OPEN:
            assert torch.equal(got[key][zeros].signbit(), expected[zeros].signbit()), key


@pytest.mark.parametrize("name", cases.UNARY)
def test_unary(runtime, name):
    fn, _ = cases.UNARY[name]
    wide = edges.SPECIAL + edges.TINY_AND_HUGE
    check(runtime, fn, edges.MODERATE if name in edges.COUNTS else wide, name=name)
    check(runtime, fn, torch.zeros(0, 3))


@pytest.mark.parametrize("name", cases.BINARY)
def test_binary(runtime, name):
    fn, _ = cases.BINARY[name]
    a, b = torch.cartesian_prod(*[torch.tensor(edges.SPECIAL)] * 2).T
    check(runtime, fn, a, b, name=name)
    for a, b in (((0, 3), (0, 3)), ((0, 3), (1, 3)), ((2, 0), (1,)), ((), (1, 1))):
        check(runtime, fn, torch.full(a, -2.0), torch.full(b, 3.0))


@pytest.mark.parametrize("name", edges.SAME)
@pytest.mark.filterwarnings("ignore:.*degrees of freedom:UserWarning")
def test_what_page_and_torch_agree_on(runtime, name):
    fn, at = edges.SAME[name]
    check(runtime, fn, at)


@pytest.mark.parametrize("name", edges.OUTSIDE | edges.NOT_FROM_THE_END)
def test_an_index_outside_stops_both(runtime, name):
    fn = (edges.OUTSIDE | edges.NOT_FROM_THE_END)[name]
    wrong = [4.0, -5.0] + [-1.0] * (name in edges.NOT_FROM_THE_END)
    inputs = {"x": torch.tensor(edges.BLOCK), "i": torch.zeros(1)}
    moved = named(lambda x, i: fn(x, i.long()))
    for index in wrong:
        at = inputs | {"i": torch.tensor([index])}
        with pytest.raises((IndexError, RuntimeError)):
            moved(**at)
        with pytest.raises(Exception, match=edges.INDEX):
            runtime.evaluate(moved, inputs, at)
        with pytest.raises(IndexError):
            fixed = torch.tensor([int(index)])
            runtime.evaluate(named(lambda x, fixed=fixed: fn(x, fixed)), {"x": inputs["x"]})


@pytest.mark.parametrize("name", edges.STOPS)
def test_what_the_page_cannot_hold_stops_it(runtime, name):
    fn, at, message = edges.STOPS[name]
    with pytest.raises(Exception, match=message):
        check(runtime, fn, at)


@pytest.mark.parametrize("name", edges.REFUSED)
def test_what_the_page_cannot_hold_is_refused(runtime, name):
    fn, message = edges.REFUSED[name]
    with pytest.raises(TraceError, match=message):
        check(runtime, fn, [0.5, 0.5])
