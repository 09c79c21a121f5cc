"""An altered graph is refused in words: it never hangs the page and never runs astray."""

from __future__ import annotations

import copy
import math
import re

import hypothesis.strategies as st
import pytest
import torch
from hypothesis import given

from alterations import alter, changes_at, places, tried
from evaluation import encode
from flowlib.live.trace import ConstantPool, trace

# Compiles and runs in a worker, which is stopped after a minute: no work that is allowed takes that.
ATTEMPT = """async ([graph, data]) => {
    const source = `
        ${window.WebAssembly ? "" : "delete self.WebAssembly;"}
        import { Memory } from "${location.origin}/memory.js";
        import { compile } from "${location.origin}/runtime.js";
        onmessage = ({ data: [graph, data] }) => {
            try {
                const run = compile(graph, data, new Memory());
                const inputs = graph.inputs.map((name, i) => {
                    const size = graph.input_shapes[i].reduce((product, n) => product * n, 1);
                    return [name, new Float32Array(size).fill(0.5)];
                });
                run(Object.fromEntries(inputs));
                postMessage("ran");
            } catch (error) {
                postMessage(error.name + ": " + error.message);
            }
        };
        postMessage("ready");`;
    if (!window.worker) {
        const url = URL.createObjectURL(new Blob([source], { type: "text/javascript" }));
        window.worker = new Worker(url, { type: "module" });
        await new Promise((resolve) => { worker.onmessage = resolve; });
    }
    const answer = new Promise((resolve) => { worker.onmessage = (event) => resolve(event.data); });
    const late = new Promise((resolve) => setTimeout(resolve, 60_000, "late"));
    const bytes = Uint8Array.from(atob(data), (c) => c.charCodeAt(0));
    worker.postMessage([graph, new Float32Array(bytes.buffer)]);
    const result = await Promise.race([answer, late]);
    if (result === "late") {
        worker.terminate();
        delete window.worker;
    }
    return result;
}"""


WEIGHT = torch.randn(2, 6, generator=torch.Generator().manual_seed(0))


def everything(a, noise):
    """Each kind of node, of argument and of constant."""
    grid = torch.cartesian_prod(torch.linspace(-1, 1, 12), torch.arange(5.0))
    hidden = torch.tanh(torch.addmm(torch.arange(6.0), grid + a, WEIGHT))
    matrix = noise[:3, :3] + torch.eye(3)
    return {
        "where": torch.where(hidden > 0, hidden, math.inf * a),
        "reduced": torch.stack([hidden.sum(-1), hidden.amax(-1), hidden.cumsum(0)[:, 1]], -1),
        "solved": torch.linalg.solve(matrix, noise[:3, :2]),
        "log_det": torch.linalg.slogdet(matrix)[1],
        "taken": noise.gather(0, noise.sort(0)[1].flip(1))[torch.tensor([2, 0])],
        "put": noise.index_put((torch.tensor([1]),), a.expand(1, 4), accumulate=True),
    }


POOL = ConstantPool()
GRAPH = trace(everything, {"a": torch.tensor(1.0), "noise": torch.randn(5, 4)}, POOL)


def attempt(runtime, graph, data=None) -> str:
    data = POOL.tobytes() if data is None else data
    return runtime.page.evaluate(ATTEMPT, [graph, encode(data)])


def node(op: str) -> int:
    """Where the graph has its first node of this kind."""
    return [name for name, _, _ in GRAPH["nodes"]].index(op)


def altered(path: tuple, value) -> dict:
    """The graph with another value at a path."""
    part = graph = copy.deepcopy(GRAPH)
    for step in path[:-1]:
        part = part[step]
    part[path[-1]] = value
    return graph


def test_the_graph_itself_runs(runtime):
    assert attempt(runtime, GRAPH) == "ran"


LAST = len(GRAPH["inputs"]) + len(GRAPH["consts"]) + len(GRAPH["nodes"]) - 1
MM, TANH, VIEW, CAT, PUT, SUM, WHERE, SOLVE, DET, SORT, TAKE = (
    ("nodes", node(op))
    for op in "mm tanh view cat put sum where solve logabsdet argsort take".split()  # noqa: SIM905
)


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        ((*MM, 0), "eigh", r'node \d+ \("eigh"\) is an operation that this page does not know'),
        ((*MM, 0), "constructor", "does not know"),
        ((*MM, 0), None, "is malformed"),
        ((*MM, 1), {}, "is malformed"),
        ((*MM, 1), [], "expected the id of an earlier value"),
        (MM, "mm", r"node \d+ is not \[op, args, shape\]"),
        ((*MM, 1, 0), {"v": LAST + 1}, r'\("mm"\) expected the id of an earlier value'),
        ((*MM, 1, 0), {"v": LAST}, "expected the id of an earlier value"),
        ((*MM, 1, 0), {"v": -1}, "expected the id of an earlier value"),
        ((*MM, 1, 0), {"v": 0.5}, "expected the id of an earlier value"),
        ((*MM, 1, 0), {"v": "0"}, "expected the id of an earlier value"),
        ((*MM, 1, 0), 3, "expected the id of an earlier value"),
        ((*MM, 1, 2), 3, "expected the id of an earlier value"),
        ((*MM, 1, 4), "60", "expected a count as argument 4"),
        ((*MM, 1, 4), -60, "expected a count as argument 4"),
        ((*MM, 1, 4), 2**40, "expected a count as argument 4"),
        ((*MM, 1, 3), 2**24, "expected less work"),
        ((*MM, 1, 4), 59, "expected sizes that agree"),
        ((*MM, 2), [-60, 6], "has no proper shape"),
        ((*MM, 2), [60.5, 6], "has no proper shape"),
        ((*MM, 2), [2**30, 2**30], "has a shape of more than 16777216 numbers"),
        ((*MM, 2), [2**60] * 16 + [0], "has no proper shape"),
        ((*MM, 2), "60", "has no proper shape"),
        ((*MM, 2), [61, 6], "expected sizes that agree"),
        ((*MM, 2), [1] * 15 + [60, 6], "has no proper shape"),
        ((*TANH, 2), [61, 6], "expected as many numbers as it reads"),
        ((*VIEW, 1, 1), 10**6, "expected to stay within the value it reads"),
        ((*VIEW, 1, 1), -1, "expected a count as argument 1"),
        ((*VIEW, 1, 2), [-1, 1], "expected"),
        ((*VIEW, 1, 2), [1e6, 1e6, 1e6], "expected"),
        ((*VIEW, 1, 2), "1", "expected whole strides"),
        ((*VIEW, 1, 2), [], "expected a stride for each dimension"),
        ((*CAT, 1, 0), [], "expected a list of values"),
        ((*CAT, 1, 0), [{"v": 0}], "expected as many numbers as its parts have"),
        ((*CAT, 1, 1), 0, "expected one block or more"),
        ((*CAT, 1, 1), 7, "expected parts of whole rows"),
        ((*PUT, 1, 3), 1, "expected true or false as argument 3"),
        ((*PUT, 1, 2), {"v": 1}, "expected operands of one size, or of one number"),
        ((*PUT, 2), [21], "expected as many numbers as it reads"),
        ((*SUM, 1, 1), 61, "expected sizes that agree"),
        ((*SORT, 1, 1), 61, "expected sizes that agree"),
        ((*WHERE, 1, 0), {"v": 1}, "expected operands of one size, or of one number"),
        ((*WHERE, 1, 1), None, "expected the id of an earlier value"),
        ((*SOLVE, 1, 3), 4, "expected sizes that agree"),
        ((*DET, 1, 2), 4, "expected sizes that agree"),
        ((*TAKE, 1, 1), {"v": 0}, "expected an index for each number"),
        (("consts", 0), [1], r"constant 0 is not \[shape, offset, width\]"),
        (("consts", 0, 2), 3, "constant 0 expected numbers of 1, 2 or 4 bytes"),
        (("consts", 0, 2), "4", "constant 0 expected numbers of 1, 2 or 4 bytes"),
        (("consts", 0, 1), -1, "constant 0 lies outside the data"),
        (("consts", 0, 1), 10**9, "constant 0 lies outside the data"),
        (("consts", 0, 1), None, "constant 0 lies outside the data"),
        (("consts", 0, 0), [10**6], "constant 0 lies outside the data"),
        (("inputs",), "a", "the graph has no list of inputs"),
        (("inputs", 0), 1, "the graph has an input without a name"),
        (("input_shapes",), [[]], "the graph does not have a shape for each input"),
        (("input_shapes", 1), [2**20, 2**20], 'input "noise" has a shape of more than'),
        (("nodes",), None, "the graph has no list of nodes"),
        (("outputs",), None, "the graph has no outputs"),
        (("outputs", "put"), LAST + 1, 'output "put" is no value of the graph'),
    ],
)
def test_altered_graphs_are_refused_in_words(runtime, path, value, message):
    answer = attempt(runtime, altered(path, value))
    assert re.search(rf"^GraphError: .*{message}", answer), answer


def test_truncated_constants_are_refused(runtime):
    answer = attempt(runtime, GRAPH, POOL.tobytes()[:-4])
    assert re.search(r"^GraphError: constant \d+ lies outside the data", answer), answer


@pytest.mark.parametrize("graph", [None, 3, "graph", [], {}])
def test_what_is_no_graph_is_refused(runtime, graph):
    assert attempt(runtime, graph).startswith("GraphError: the graph ")


def large(inner, count: int) -> dict:
    """A chain of nodes, each of four million numbers."""
    nodes = [["add", [{"v": 0}, 1], [2**22]]] + [inner(k) for k in range(1, count)]
    shapes = {"input_shapes": [[2**22]], "consts": [], "shapes": {}}
    return {"inputs": ["a"], **shapes, "nodes": nodes, "outputs": {"last": count}}


@pytest.mark.parametrize(
    "inner",
    [
        lambda k: ["arange", [0, 1], [2**22]],
        lambda k: ["view", [{"v": 0}, 0, [1, 0]], [2**21, 2]],
        lambda k: ["cat", [[{"v": 0}, {"v": k}], 1], [(k + 1) * 2**22]],
    ],
)
def test_a_graph_that_would_fill_the_memory_is_refused(runtime, inner):
    answer = attempt(runtime, large(inner, 9))
    assert "more than 16777216 numbers" in answer


def test_a_long_graph_needs_few_buffers(runtime):
    assert attempt(runtime, large(lambda k: ["add", [{"v": k}, 1], [2**22]], 20)) == "ran"


@pytest.mark.parametrize(
    "node", [["det", [{"v": 0}, 0, 2**13], [0]], ["solve", [{"v": 0}, {"v": 0}, 0, 2**13, 1], [0]]]
)
def test_no_matrices_of_a_great_size_are_refused(runtime, node):
    graph = {"inputs": ["a"], "input_shapes": [[0]], "consts": [], "nodes": [node], "outputs": {}}
    assert re.search("expected (a )?smaller matri", attempt(runtime, graph))


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        ("undefined", 'input "a" expected 1 numbers; got nothing'),
        ("{noise: new Float32Array(20)}", 'input "a" expected 1 numbers; got nothing'),
        ("{a: 1, noise: 3}", 'input "noise" expected 20 numbers; got number'),
        ("{a: 1, noise: new Float32Array(19)}", 'input "noise" expected 20 numbers; got 19'),
    ],
)
def test_inputs_of_another_size_are_refused(runtime, inputs, message):
    with pytest.raises(Exception, match=f"GraphError: {message}"):
        runtime.page.evaluate(
            f"""([graph, data]) => {{
                const bytes = Uint8Array.from(atob(data), (c) => c.charCodeAt(0));
                compile(graph, new Float32Array(bytes.buffer), new Memory())({inputs});
            }}""",
            [GRAPH, encode(POOL.tobytes())],
        )


@tried(400)
@given(
    changes=changes_at(list(places(GRAPH)), words=[name for name, _, _ in GRAPH["nodes"]]),
    cut=st.sampled_from([0, 0, 0, 4, 400]),
)
def test_no_alteration_hangs_or_crashes(runtime, changes, cut):
    data = POOL.tobytes()
    answer = attempt(runtime, alter(GRAPH, changes), data[: len(data) - cut])
    assert answer == "ran" or answer.startswith("GraphError: "), answer
