"""The kernels of the page: every size, the ends of float32, and what a page without them does."""

from __future__ import annotations

import math

import pytest
import torch

from evaluation import runtime_page
from pages import book
from tools.page import page_of

ENDS = [0.0, -0.0, 1e-45, -1e-45, 1e-40, 1.5e-38, -1e-8, 1e-8, 0.5, -0.5, 1.0, -1.0, 9.5, -9.5]
ENDS += [20.0, -20.0, 87.5, -87.5, 88.8, -88.8, 100.0, -103.5, -105.0, -175.5, -177.0, 3e38, -3e38]
ENDS = torch.tensor([*ENDS, math.inf, -math.inf, math.nan])
FUNCTIONS = {
    "exp": (torch.exp, (-87, 88)),
    "log": (torch.log, (1e-3, 30)),
    "log1p": (torch.log1p, (-0.999, 30)),
    "sigmoid": (torch.sigmoid, (-87, 20)),
    "sqrt": (torch.sqrt, (0, 30)),
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_is_good_to_the_last_digits_of_float32(runtime, name):
    fn, ends = FUNCTIONS[name]
    x = torch.linspace(*ends, 50_001)
    got = runtime.evaluate(lambda x: {"y": fn(x)}, {"x": x})["y"]
    expected = fn(x.double())
    assert ((got - expected).abs() / expected.abs().clamp(min=1e-38)).max() < 2.5e-7


@pytest.mark.parametrize("name", [*FUNCTIONS, "tanh", "neg", "abs"])
def test_a_function_at_the_ends_of_float32_is_the_rounded_one(runtime, name):
    fn = getattr(torch, name)
    got = runtime.evaluate(lambda x: {"y": fn(x)}, {"x": ENDS})["y"]
    expected = fn(ENDS.double()).float()
    torch.testing.assert_close(got, expected, rtol=1e-6, atol=1.5e-45, equal_nan=True)


def test_arithmetic_at_the_ends_of_float32_is_torchs(runtime):
    a, b = torch.cartesian_prod(ENDS, ENDS).unbind(-1)

    def fn(a, b):
        made = {"+": a + b, "-": a - b, "*": a * b, "/": a / b}
        compared = {"<": (a < b) * 1.0, "<=": (a <= b) * 1.0, ">": (a > b) * 1.0}
        chosen = {"max": torch.maximum(a, b), "min": torch.minimum(a, b)}
        return made | compared | chosen | {"where": torch.where(a * b != 0, a, b)}

    got = runtime.evaluate(fn, {"a": a, "b": b})
    for name, value in fn(a, b).items():
        torch.testing.assert_close(
            got[name], value, rtol=1e-7, atol=1.5e-45, equal_nan=True, msg=name
        )


def test_sizes_of_every_rest(runtime):
    """Kernels take four, eight or sixteen numbers at a time, and write over what is behind the last."""
    generator = torch.Generator().manual_seed(0)
    inputs = {
        f"x{n}": torch.randn(n, n % 5 + 1, generator=generator, dtype=torch.float32)
        for n in range(1, 21)
    }

    def fn(**inputs):
        outputs = {}
        for name, x in inputs.items():
            outputs[name] = torch.exp(x) * x.abs() + x[0, 0]
            outputs[name + " product"] = x @ x.mT
            outputs[name + " inner"] = x.mT @ x + x[0]
            outputs[name + " sums"] = torch.cat([x.sum(0), x.sum(1), x.amax(0), x.amax(1)])
            outputs[name + " moved"] = torch.cat([x, x.flip(0), x[:, :1]], 1).mT.contiguous()
        return outputs

    got = runtime.evaluate(fn, inputs)
    for name, value in fn(**inputs).items():
        torch.testing.assert_close(got[name], value, rtol=1e-5, atol=1e-5, msg=name)


@pytest.mark.parametrize("depth", [511, 512, 513, 700])
def test_products_deeper_than_a_panel(runtime, depth):
    generator = torch.Generator().manual_seed(0)
    inputs = {
        "a": torch.randn(2, 9, depth, generator=generator),
        "b": torch.randn(2, depth, 11, generator=generator),
    }
    got = runtime.evaluate(lambda a, b: {"y": a @ b}, inputs)["y"]
    torch.testing.assert_close(
        got, inputs["a"] @ inputs["b"], rtol=0, atol=1e-5 * float(got.abs().max())
    )


def test_a_sum_of_two_is_rounded_once(runtime):
    x = torch.stack(torch.cartesian_prod(ENDS, ENDS).unbind(-1), -1)
    got = runtime.evaluate(lambda x: {"y": x.sum(-1)}, {"x": x})["y"]
    torch.testing.assert_close(got, x[:, 0] + x[:, 1], rtol=0, atol=0, equal_nan=True)


def test_the_largest_of_numbers_with_nan_is_nan(runtime):
    x = torch.tensor([1.0, 2.0, 3.0, 4.0, 5.0]).repeat(6, 1)
    x[range(5), range(5)] = math.nan
    got = runtime.evaluate(lambda x: {"rows": x.amax(1), "columns": x[:5].amax(0)}, {"x": x})
    torch.testing.assert_close(got["rows"], x.amax(1), rtol=0, atol=0, equal_nan=True)
    assert got["columns"].isnan().all()


def test_a_browser_without_relaxed_simd_has_a_product_too(browser, runtime):
    """Fused or not: with one rounding a number more or less, x x - (1 + 2^-11) is 2^-24 or 0."""
    x = 1 + 2**-12
    inputs = {"a": torch.tensor([[1, x]] * 9), "b": torch.tensor([[-1 - 2**-11], [x]])}
    with runtime_page(browser, "no relaxed SIMD") as without:
        got = without.evaluate(lambda a, b: {"y": a @ b}, inputs)["y"]
    assert got.unique().tolist() == [0]
    got = runtime.evaluate(lambda a, b: {"y": a @ b}, inputs)["y"]
    assert got.unique().tolist() in ([0], [2**-24])


# ------------------------------------------------------------------ one memory for a figure

TWO_GRAPHS = """() => {
    const memory = new Memory();
    if (!memory.pages) return "loops";
    const graph = (op, size) => ({
        inputs: ["x"], input_shapes: [[size]], consts: [[[1], 0, 4]], outputs: { y: 2 },
        nodes: [[op, [{ v: 0 }, { v: 1 }], [size]]],
    });
    const data = Float32Array.of(2), three = Float32Array.of(3, 3, 3);
    const first = compile(graph("mul", 3), data, memory), y = first({ x: three });
    const before = memory.pages.buffer.byteLength;
    const second = compile(graph("add", 1_000_000), data, memory);
    if (memory.pages.buffer.byteLength <= before) return "it did not grow";
    return [...y.y, ...first({ x: [5, 5, 5] }).y, second({ x: new Float32Array(1_000_000) }).y[999_999]];
}"""


def test_a_second_graph_leaves_the_first_its_numbers(runtime):
    """Growing detaches every array of the memory."""
    assert runtime.page.evaluate(TWO_GRAPHS) in ([6, 6, 6, 10, 10, 10, 2], "loops")


def kernels(shown):
    shown.set("a", 1.5)
    assert shown.state == "ready"
    return shown.figure.get_attribute("data-kernels")


def test_a_figure_says_which_kernels_it_runs(page, show):
    there = page.evaluate("typeof WebAssembly")
    assert kernels(show()) == ("loops" if there == "undefined" else "simd")


BARRIERS = {
    "no SIMD": "WebAssembly.Module = function () { throw new WebAssembly.CompileError(); }",
    "no WebAssembly": "delete window.WebAssembly",
    "no memory left": "WebAssembly.Memory = function () { throw new RangeError(); }",
}


@pytest.mark.parametrize("barrier", BARRIERS)
def test_a_page_without_them_draws_the_same(page, show, barrier):
    page.add_init_script(f"if (window.WebAssembly) {BARRIERS[barrier]}")
    assert kernels(show()) == "loops"


def test_a_memory_that_cannot_grow_leaves_the_loops(page, show):
    page.add_init_script(
        "if (window.WebAssembly) WebAssembly.Memory.prototype.grow = () => { throw new RangeError(); }"
    )
    shown = show()
    kernels(shown)


def test_a_policy_that_forbids_webassembly_leaves_the_loops(page, tmp_path):
    policy = "default-src 'self' data: 'unsafe-inline'"
    file = tmp_path / "page.html"
    meta = f'<meta http-equiv="Content-Security-Policy" content="{policy}">'
    html = page_of(book()).replace("<meta charset", f"{meta}<meta charset")
    file.write_text(html, encoding="utf-8")
    page.goto(file.as_uri())
    page.wait_for_selector("figure[data-state=ready]")
    assert page.locator("figure").first.get_attribute("data-kernels") == "loops"
