"""The page computes what torch computes: every operation, on random inputs, in float32."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

REAL, POSITIVE, UNIT, ABOVE_ONE = "real", "positive", "unit", "above one"


def random_input(kind: str, shape, generator) -> Tensor:
    x = torch.randn(shape, generator=generator) * 2
    if kind == POSITIVE:
        return x.abs() + 0.05
    if kind == UNIT:
        return torch.tanh(x * 0.5)
    return x.abs() + 1.01 if kind == ABOVE_ONE else x


def assert_same(got: Tensor, expected: Tensor, tolerance: float = 1e-5):
    assert got.shape == expected.shape
    expected = expected.float()
    finite = expected.isfinite()
    torch.testing.assert_close(got[~finite], expected[~finite], equal_nan=True, rtol=0, atol=0)
    torch.testing.assert_close(got, expected, rtol=tolerance, atol=tolerance / 10, equal_nan=True)


def check(runtime, fn, *kinds_and_shapes, seed=0, tolerance=1e-5):
    """Trace ``fn`` at one input, and compare page and torch at another."""
    generator = torch.Generator().manual_seed(seed)

    def draw():
        return [random_input(kind, shape, generator) for kind, shape in kinds_and_shapes]

    names = "abcdefgh"

    def named(**inputs):
        outputs = fn(*inputs.values())
        outputs = outputs if isinstance(outputs, tuple) else (outputs,)
        return {f"out{i}": value for i, value in enumerate(outputs)}

    at = dict(zip(names, draw()))
    got = runtime.evaluate(named, dict(zip(names, draw())), at)
    with torch.no_grad():
        expected = named(**at)
    for name, value in expected.items():
        assert_same(got[name], value, tolerance)


UNARY = {
    "neg": (torch.neg, REAL),
    "abs": (torch.abs, REAL),
    "sign": (torch.sign, REAL),
    "exp": (torch.exp, REAL),
    "exp2": (torch.exp2, REAL),
    "expm1": (torch.expm1, REAL),
    "log": (torch.log, POSITIVE),
    "log2": (torch.log2, POSITIVE),
    "log10": (torch.log10, POSITIVE),
    "log1p": (torch.log1p, POSITIVE),
    "sqrt": (torch.sqrt, POSITIVE),
    "rsqrt": (torch.rsqrt, POSITIVE),
    "reciprocal": (torch.reciprocal, POSITIVE),
    "sin": (torch.sin, REAL),
    "cos": (torch.cos, REAL),
    "tan": (torch.tan, UNIT),
    "asin": (torch.asin, UNIT),
    "acos": (torch.acos, UNIT),
    "atan": (torch.atan, REAL),
    "sinh": (torch.sinh, REAL),
    "cosh": (torch.cosh, REAL),
    "tanh": (torch.tanh, REAL),
    "asinh": (torch.asinh, REAL),
    "acosh": (torch.acosh, ABOVE_ONE),
    "atanh": (torch.atanh, UNIT),
    "sigmoid": (torch.sigmoid, REAL),
    "erf": (torch.erf, REAL),
    "erfc": (torch.erfc, REAL),
    "erfcx": (torch.special.erfcx, REAL),
    "erfinv": (torch.erfinv, UNIT),
    "ndtri": (lambda x: torch.special.ndtri(x.abs()), UNIT),
    "ndtr": (torch.special.ndtr, REAL),
    "log_ndtr": (torch.special.log_ndtr, REAL),
    "floor": (torch.floor, REAL),
    "ceil": (torch.ceil, REAL),
    "trunc": (torch.trunc, REAL),
    "round": (torch.round, REAL),
    "frac": (torch.frac, REAL),
    "isnan": (lambda x: torch.isnan(torch.log(x)), REAL),
    "isinf": (lambda x: torch.isinf(1 / torch.relu(x)), REAL),
    "isfinite": (lambda x: torch.isfinite(1 / torch.relu(x)), REAL),
    "nan_to_num": (lambda x: torch.log(x).nan_to_num(7.0), REAL),
    "square": (torch.square, REAL),
    "cube": (lambda x: x**3, REAL),
    "root": (lambda x: x**0.5 + x**-1.5, POSITIVE),
    "2 ** x": (lambda x: 2**x, REAL),
    "relu": (torch.relu, REAL),
    "leaky_relu": (F.leaky_relu, REAL),
    "elu": (F.elu, REAL),
    "gelu": (F.gelu, REAL),
    "silu": (F.silu, REAL),
    "mish": (F.mish, REAL),
    "softplus": (F.softplus, REAL),
    "logsigmoid": (F.logsigmoid, REAL),
    "hardtanh": (F.hardtanh, REAL),
    "logit": (lambda x: torch.logit(x.abs(), eps=1e-3), UNIT),
    "clamp": (lambda x: x.clamp(-1, 1.5), REAL),
    "clamp min": (lambda x: x.clamp(min=0.2), REAL),
    "clamp max": (lambda x: x.clamp(max=0.2), REAL),
    "not": (lambda x: ~(x > 0), REAL),
    "logical_not": (lambda x: torch.logical_not(x.trunc()), REAL),
    "bool": (lambda x: x.trunc().bool(), REAL),
    "long": (lambda x: x.long(), REAL),
    "int arithmetic": (lambda x: x.long() * 3 + x.long() // 2 - x.long() % 3, REAL),
}


@pytest.mark.parametrize("name", UNARY)
def test_unary(runtime, name):
    function, kind = UNARY[name]
    check(runtime, function, (kind, (7, 5)))
    check(runtime, function, (kind, ()))
