"""A trace is small, names what it cannot do, and leaves what it was given as it was."""

from __future__ import annotations

import json
import math

import pytest
import torch

from flowlib.live.trace import ConstantPool, TraceError, trace


def graph_of(fn, *shapes, pool=None):
    inputs = {
        name: torch.linspace(0.5, 2.0, math.prod(s)).reshape(s) for name, s in zip("xyz", shapes)
    }
    return trace(fn, inputs, ConstantPool() if pool is None else pool)


def ops(graph) -> list[str]:
    return [op for op, _, _ in graph["nodes"]]


# -- what a graph is made of


def test_a_graph_is_plain_json_and_names_inputs_and_outputs():
    graph = graph_of(lambda x, y: {"sum": x + y, "same": x, "zero": torch.zeros(2)}, (), (3,))
    assert json.loads(json.dumps(graph)) == graph
    assert graph["inputs"] == ["x", "y"]
    assert graph["input_shapes"] == [[], [3]]
    assert graph["shapes"] == {"sum": [3], "same": [], "zero": [2]}
    assert graph["outputs"]["same"] == 0


def test_ids_count_inputs_then_constants_then_nodes():
    graph = graph_of(lambda x: {"y": (x * torch.arange(3.0)).exp()}, ())
    assert graph["consts"] == [[[3], 0, 1]]
    assert graph["nodes"] == [["mul", [{"v": 0}, {"v": 1}], [3]], ["exp", [{"v": 2}], [3]]]
    assert graph["outputs"] == {"y": 3}


def test_what_depends_on_no_input_is_a_constant():
    pool = ConstantPool()
    graph = graph_of(lambda x: {"y": x + torch.arange(4.0).exp().cumsum(0)}, (), pool=pool)
    assert ops(graph) == ["add"]
    stored = torch.frombuffer(bytearray(pool.tobytes()), dtype=torch.float32)
    torch.testing.assert_close(stored, torch.arange(4.0).exp().cumsum(0))


def test_what_reads_only_a_shape_is_a_constant():
    assert ops(graph_of(lambda x: {"y": x + torch.ones_like(x.exp())}, (3,))) == ["add"]


def test_what_no_output_needs_is_dropped():
    def fn(x):
        torch.linalg.eigh(x.exp().outer(x))
        return {"y": x + 1}

    assert ops(graph_of(fn, (3,))) == ["add"]


def test_what_is_computed_twice_is_computed_once():
    fn = lambda x: {"y": x.exp() + x.exp(), "z": x.exp().reshape(1, 3)}
    assert ops(graph_of(fn, (3,))) == ["exp", "add"]


def test_equal_constants_are_stored_once_for_all_graphs_of_a_pool():
    pool, weights = ConstantPool(), torch.arange(50.0).sin()
    for k in range(3):
        graph_of(lambda x, k=k: {"y": (x + k) * weights.reshape(5, 10)}, (), pool=pool)
    assert len(pool.tobytes()) == 50 * 4


def test_constants_are_stored_without_their_repetitions():
    pool, row = ConstantPool(), torch.tensor([1.0, 2.0, 5.0])
    graph = graph_of(
        lambda x: {"y": x * row.repeat(1000, 1) + torch.full((3,), 7.5)}, (), pool=pool
    )
    assert len(pool.tobytes()) == 4  # three bytes, filled up to four
    assert graph["nodes"][-1][1][1] == 7.5


@pytest.mark.parametrize(
    ("value", "width"),
    [
        (torch.arange(256.0), 1),
        (torch.tensor([True, False]), 1),
        (torch.zeros(0, 3), 1),
        (torch.tensor([256.0]), 2),
        (torch.tensor([-0.0]), 2),
        (torch.tensor([-1.0, 0.5, 65504.0, 2.0**-24, torch.inf, -torch.inf, torch.nan]), 2),
        (torch.randn(9, generator=torch.Generator().manual_seed(0)).half().float(), 2),
        (torch.tensor([0.1]), 4),
        (torch.tensor([65536.0]), 4),
        (torch.tensor([2049.0]), 4),
        (torch.tensor([2.0**-25]), 4),
    ],
)
def test_a_number_takes_the_fewest_bytes_that_hold_it(value, width):
    pool = ConstantPool()
    pool.add(torch.tensor([0.3]))
    assert pool.add(value) == [list(value.shape), 1, width]
    kind = {1: torch.uint8, 2: torch.float16, 4: torch.float32}[width]
    data = bytearray(pool.tobytes()[4:])
    assert len(data) == -(-value.numel() * width // 4) * 4
    stored = torch.frombuffer(data, dtype=kind)[: value.numel()] if data else torch.zeros(0)
    assert torch.equal(stored.view_as(value).float().nan_to_num(7), value.float().nan_to_num(7))


def test_a_grid_is_made_in_the_page_of_its_edges():
    pool = ConstantPool()

    def fn(x):
        a, b = torch.linspace(-4, 4, 60), torch.linspace(-3, 3, 50)
        return {"y": x + torch.stack(torch.meshgrid(a, b, indexing="xy"), -1)}

    assert len(json.dumps(graph_of(fn, (), pool=pool))) < 500
    assert len(pool.tobytes()) == (60 + 50) * 4


def test_views_of_views_cost_one_copy_or_none():
    assert (
        ops(graph_of(lambda x: {"y": x.reshape(3, 4).unsqueeze(0).detach().flatten()}, (12,))) == []
    )
    graph = graph_of(lambda x: {"y": x.reshape(3, 4).T[1:].unsqueeze(0).expand(5, 3, 3)}, (12,))
    assert graph["nodes"] == [["view", [{"v": 0}, 1, [0, 1, 4]], [5, 3, 3]]]


def test_numbers_that_repeat_are_computed_once():
    graph = graph_of(lambda x: {"y": x.expand(500).exp() * torch.arange(500.0)}, ())
    assert graph["nodes"][0] == ["exp", [{"v": 0}], []]


def test_float64_constants_are_rounded_once_at_the_end():
    pool = ConstantPool()
    exact = torch.tensor([1e8 + 1, 1e8 + 3], dtype=torch.float64)
    graph_of(lambda x: {"y": x * (exact - 1e8)}, (), pool=pool)
    assert list(pool.tobytes()) == [1, 3, 0, 0]


def test_what_float32_does_not_hold_is_computed_by_torch():
    def fn(x):
        return {"y": x + (torch.arange(50, dtype=torch.float64) + 1e9 - 1e9)}

    pool = ConstantPool()
    assert ops(graph_of(fn, (), pool=pool)) == ["add"]
    assert pool.tobytes() == bytes([*range(50), 0, 0])


def test_numbers_that_json_lacks_are_constants():
    graph = graph_of(lambda x: {"y": torch.where(x > 0, x, -math.inf)}, (3,))
    assert "Infinity" not in json.dumps(graph)
    assert graph["consts"] == [[[], 0, 2]]


def test_parameters_and_gradients_trace_as_they_are():
    layer = torch.nn.Linear(2, 3)

    def fn(x):
        y = layer(x)
        return {"y": y, "gradient": torch.autograd.grad(y.sum(), layer.weight)[0]}

    graph = graph_of(fn, (4, 2))
    assert graph["shapes"] == {"y": [4, 3], "gradient": [3, 2]}
    assert layer.weight.grad is None


def test_the_examples_are_left_alone():
    x = torch.ones(3)
    with pytest.raises(TraceError):
        trace(lambda x: {"y": x.add_(1)}, {"x": x}, ConstantPool())
    assert x.tolist() == [1, 1, 1]


# -- what it refuses


def helper(x):
    return torch.linalg.eigh(x)[0]  # the line that an error names


OUTSIDE = torch.ones(3)


@pytest.mark.parametrize(
    ("fn", "message"),
    [
        (lambda x: {"y": helper(x)}, r"_linalg_eigh.*does not have.*ops\.py says how to add it"),
        (
            lambda x: {"y": torch.fft.fft(x).abs()},
            "_fft_r2c.* is an operation that the page does not have",
        ),
        (lambda x: {"y": torch.round(x, decimals=2)}, "rounds to whole numbers only.*round"),
        (lambda x: {"y": x.int() & 3}, "for booleans only.*bitwise_and"),
        (
            lambda x: {"y": torch.conv2d(x[None, None], x[None, None, :2, :2])},
            "convolves along one dimension",
        ),
        (
            lambda x: {"y": torch.conv1d(x[None], x[:, None, :2], groups=3)},
            "with groups=1; got.*convolution",
        ),
        (lambda x: {"y": x[x > 1]}, "shape.*depends on the value of an input.*mask"),
        (lambda x: {"y": x.nonzero()}, "shape.*nonzero.*depends on the value of an input"),
        (lambda x: {"y": torch.unique(x)}, "shape.*unique.*depends on the value of an input"),
        (lambda x: {"y": torch.masked_select(x, x > 1)}, "shape.*masked_select.*depends on"),
        (
            lambda x: {"y": x * x.sum().item()},
            "value of a tensor that depends on an input.*torch.where",
        ),
        (lambda x: {"y": x if x.sum() > 0 else -x}, "value of a tensor that depends on an input"),
        (lambda x: {"y": torch.zeros(int(x[0, 0]))}, "value of a tensor that depends on an input"),
        (
            lambda x: {"y": torch.distributions.Normal(0.0, x, validate_args=True).log_prob(x)},
            "validate_args=False",
        ),
        (
            lambda x: {"y": x[0, 0].expand(5000, 5000)},
            r"shape \(5000, 5000\) is more than a page takes",
        ),
        (lambda x: {"y": x.add_(1)}, "writes in place to input 'x'; write to a clone"),
        (lambda x: {"y": x[0].reshape(1, 3).mul_(2)}, "writes in place to input 'x'"),
        (lambda x: {"y": x.split(1)[0].zero_()}, "writes in place to input 'x'"),
        (lambda x: {"y": OUTSIDE.mul_(x[0])}, "writes in place to a tensor that was made outside"),
        (lambda x: {"y": x + OUTSIDE.split(1)[0].mul_(1)}, "made outside"),
        (lambda x: {"y": x + torch.randn(3)}, r"randn.* is random.*Noise\(256, 2\)"),
        (lambda x: {"y": torch.nn.functional.dropout(x)}, "is random"),
        (lambda x: {"y": torch.bernoulli(x.sigmoid())}, "bernoulli.* is random"),
        (
            lambda x: {"y": x + torch.randn(3, generator=torch.Generator().manual_seed(0))},
            "(randn|a generator).* is random",
        ),
        (lambda x: x, "expected a dict of tensors; got Tensor"),
        (lambda x: [x], "expected a dict of tensors; got list"),
        (lambda x: {"y": 3.0}, "expected a tensor as output 'y'; got float"),
    ],
)
def test_what_a_page_cannot_do_is_refused_in_words(fn, message):
    with pytest.raises(TraceError, match=message):
        graph_of(fn, (3, 3))


@pytest.mark.parametrize(
    "fn",
    [
        lambda x: {"y": helper(x)},
        lambda x: {"y": x * helper_with_a_branch(x)},
        lambda x: {"y": helper_that_writes(x)},
    ],
)
def test_an_error_names_the_line_of_the_reader(fn):
    with pytest.raises(
        TraceError, match=r"; at test_trace\.py:\d+: .*  # the line that an error names"
    ):
        graph_of(fn, (3, 3))


def helper_with_a_branch(x):
    if x.sum() > 0:  # the line that an error names
        return x
    return -x


def helper_that_writes(x):
    return x[1:].add_(1)  # the line that an error names


def test_errors_of_the_function_itself_pass_through():
    with pytest.raises(RuntimeError, match="shapes cannot be multiplied"):
        graph_of(lambda x: {"y": x @ torch.ones(4, 5)}, (3, 3))
