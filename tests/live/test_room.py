"""What Python counts of a page's memory is what the page takes, and more than there is is refused."""

import numpy as np
import pytest
import torch

from flowlib.live import axes, curve, live
from flowlib.live.capture import capture
from flowlib.live.room import room
from flowlib.live.trace import ConstantPool, TraceError, _evaluate, _fixed, trace

LENGTH = """([graph, data]) => {
    let length;
    try {
        compile(graph, new Float32Array(data), { reserve(floats) { throw length = floats; } });
    } catch (error) {
        if (error !== length) throw error;
    }
    return length;
}"""


def in_many_sizes(a, b, c):
    """Values that stay, that share places, and that do not: some hang on one input, some on all."""
    once = [(a[:n] + 1).tanh().cumsum(0) for n in range(20, 60)]
    again = [
        (b[None, :n] * each).sin().mT.exp().flatten() + c for n, each in zip(range(20, 60), once)
    ]
    return {"sum": torch.cat(again).sum(), "last": once[-1], "first": (again[0] + once[0]) * c}


def test_python_counts_what_the_page_takes(runtime):
    inputs = {"a": torch.randn(64), "b": torch.randn(64), "c": torch.randn(())}
    graph = trace(in_many_sizes, inputs, pool := ConstantPool())
    data = np.frombuffer(pool.tobytes(), "<f4").tolist()
    taken = runtime.page.evaluate(LENGTH, [graph, data])
    numbers = sum(type(each) in (int, float) for _, args, _ in graph["nodes"] for each in args)
    assert taken <= room(graph) <= taken + 12 * numbers  # of those, the page holds only operands


def test_a_figure_that_needs_more_than_a_page_has_is_refused():
    def together(a):
        parts = [(a + k).exp() * torch.arange(2_000_000.0) for k in range(9)]
        return {"y": torch.stack([(parts[i] * parts[-1 - i]).sum() for i in range(9)])}

    picture = axes(curve("y", "y"), x=(0, 1), y=(0, 1), alt="Sums.")
    with pytest.raises(TraceError, match=r"room for 16,777,216; compute less at once, or in parts"):
        live(together, picture, name="large", a=(0.0, 1.0, 0.5))


def test_a_trace_holds_no_value_that_all_have_read():
    def long(a):
        x = a * torch.arange(1000.0)
        for _ in range(20):
            x = x.sin()
        return {"y": x}

    inputs = {"a": torch.tensor(1.0)}
    graph, _ = capture(long, inputs)
    values = _evaluate(graph, inputs, _fixed(graph)).values()
    assert sum(each.numel() for each in values if not each.is_meta) <= 3 * 1000
