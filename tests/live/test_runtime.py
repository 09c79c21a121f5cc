"""The page computes what torch computes: every operation, on random inputs, in float32.

Graphs are traced at one input and compared at another, so that nothing depends on the example.
"""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

import cases
from composites import COMPOSITES
from flowlib.live.ops import LOWERINGS
from flowlib.live.trace import ConstantPool, trace

NAMES = "abcdefgh"
TABLES = (cases.UNARY, cases.BINARY, cases.SHAPES, cases.REDUCTIONS, cases.PRODUCTS, cases.SQUARE)
TOTAL = sum(len(table) for table in TABLES)


def random_input(kind: str, shape, generator) -> Tensor:
    x = torch.randn(shape, generator=generator) * 2
    if kind == cases.POSITIVE:
        return x.abs() + 0.05
    if kind == cases.UNIT:
        return torch.tanh(x * 0.5)
    return x.abs() + 1.01 if kind == cases.ABOVE_ONE else x


def check(runtime, fn, *kinds_and_shapes, seed=0, tolerance=1e-5, near_zero=1e-6):
    generator = torch.Generator().manual_seed(seed)

    def inputs():
        values = [random_input(kind, shape, generator) for kind, shape in kinds_and_shapes]
        return dict(zip(NAMES, values))

    def named(**inputs):
        outputs = fn(*inputs.values())
        outputs = outputs if isinstance(outputs, tuple) else (outputs,)
        return {f"output {i}": value for i, value in enumerate(outputs)}

    example, at = inputs(), inputs()
    got = runtime.evaluate(named, example, at)
    with torch.no_grad():
        expected = named(**{name: value.clone() for name, value in at.items()})
    for name, value in expected.items():
        largest = value[value.isfinite()].abs().max() if near_zero is None else 0
        close = {"rtol": tolerance, "atol": near_zero or tolerance * float(largest)}
        torch.testing.assert_close(
            got[name], value.float(), equal_nan=True, check_stride=False, **close
        )


@pytest.mark.parametrize("name", cases.UNARY)
def test_unary(runtime, name):
    fn, kind = cases.UNARY[name]
    check(runtime, fn, (kind, (70, 5)))
    check(runtime, fn, (kind, ()))


@pytest.mark.parametrize("name", cases.BINARY)
def test_binary(runtime, name):
    fn, kind = cases.BINARY[name]
    for a, b in (((70, 5), (70, 5)), ((3, 4, 2), (4, 1)), ((7, 1), (1, 5)), ((), (3,)), ((), ())):
        check(runtime, fn, (kind, a), (kind, b))


@pytest.mark.parametrize("name", cases.SHAPES)
def test_shapes(runtime, name):
    check(runtime, cases.SHAPES[name], (cases.REAL, (4, 5, 6)))


@pytest.mark.parametrize("name", cases.REDUCTIONS)
def test_reductions(runtime, name):
    check(runtime, cases.REDUCTIONS[name], (cases.REAL, (4, 5, 6)))


@pytest.mark.parametrize("name", cases.PRODUCTS)
def test_matrix_products(runtime, name):
    fn, shapes = cases.PRODUCTS[name]
    for kinds_and_shapes in ([(cases.REAL, shape) for shape in each] for each in shapes):
        check(runtime, fn, *kinds_and_shapes, near_zero=None)  # long sums cancel


@pytest.mark.parametrize("name", cases.SQUARE)
@pytest.mark.parametrize("shape", [(1, 1), (2, 2), (5, 5), (3, 4, 4)])
def test_linear_algebra(runtime, name, shape):
    # Elimination in float64 here, in float32 in torch: a condition number's worth of difference.
    check(runtime, cases.SQUARE[name], (cases.REAL, shape), tolerance=1e-4)


@pytest.mark.parametrize("name", COMPOSITES)
def test_composites(runtime, name):
    # Long sums cancel: relative to the largest number of an output.
    fn, shapes = COMPOSITES[name]
    for seed in range(3):
        check(runtime, fn, *((cases.REAL, s) for s in shapes), seed=seed, near_zero=None)


def test_tanh_is_good_to_the_last_digits_of_float32(runtime):
    x = torch.cat([torch.linspace(-12, 12, 50_001), torch.logspace(-30, 1, 10_000)])
    got = runtime.evaluate(lambda x: {"y": torch.tanh(x)}, {"x": x})["y"]
    error = (got.double() / torch.tanh(x.double()) - 1).abs()
    assert error.nan_to_num(0).max() < 7e-8


def test_constants_arrive_bit_by_bit(runtime):
    """Every byte, every float16, and what needs all of float32."""
    bits = torch.arange(-(2**15), 2**15, dtype=torch.int32).to(torch.int16)
    halves = bits.view(torch.float16).float()
    constants = {
        "bytes": torch.arange(256.0),
        "halves": halves,
        "singles": torch.tensor([0.1, -1e-40, 3e38, 65505.0]),
    }
    got = runtime.evaluate(
        lambda a: {name: torch.where(a > 0, value, 0.0) for name, value in constants.items()},
        {"a": torch.ones(())},
    )
    widths = [width for _, _, width in runtime.graphs[-1]["consts"]]
    assert widths == [1, 2, 4]
    for name, value in constants.items():
        same = got[name].view(torch.int32) == value.view(torch.int32)
        assert (same | got[name].isnan() & value.isnan()).all(), name


def test_every_operation_is_tested(runtime):
    """Each loop of kernels.js and each entry of OPERATIONS runs in the cases above."""
    if len(runtime.graphs) < TOTAL:
        pytest.skip("only where all of this file runs")
    known = set(runtime.page.evaluate("Object.keys(OPERATIONS)"))
    emitted = {op for graph in runtime.graphs for op, _, _ in graph["nodes"]}
    assert emitted == known


def test_every_lowering_names_an_operation_of_torch():
    assert [name for name in LOWERINGS if not hasattr(torch.ops.aten, name)] == []


def test_what_depends_on_no_input_that_changed_is_left_as_it_is(runtime):
    """Its outputs stay right, also where other values of its size come and go beside it."""

    def fn(a, b):
        once = (a + 1) * 2
        again = ((b * 3).sin() + once).cos() - b
        return {"once": once.exp(), "again": again, "both": again * once}

    a, b, other = torch.randn(64), torch.randn(64), torch.randn(64)
    graph = trace(fn, {"a": a, "b": b}, pool := ConstantPool())
    calls = [{"a": a, "b": b}, {"a": a, "b": other}, {"a": other, "b": other}]
    got = runtime.page.evaluate(
        """([graph, data, calls]) => {
            const run = compile(graph, new Float32Array(data), new Memory());
            const shown = (outputs) => Object.entries(outputs).map(([name, of]) => [name, [...of]]);
            return calls.map((inputs) => Object.fromEntries(shown(run(inputs))));
        }""",
        [
            graph,
            np.frombuffer(pool.tobytes(), "<f4").tolist(),
            [{name: value.tolist() for name, value in call.items()} for call in calls],
        ],
    )
    for call, outputs in zip(calls, got, strict=True):
        for name, value in fn(**call).items():
            assert torch.allclose(torch.tensor(outputs[name]), value, atol=1e-5), name
