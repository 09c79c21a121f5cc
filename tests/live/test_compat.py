"""One module holds what flowlib.live takes from torch's private parts, and does without in words."""

import ast
import sys
from contextlib import nullcontext
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import pytest
import torch

from flowlib.live import capture, compat

LIVE = Path(compat.__file__).parent
SEMI_PUBLIC = ("torch.fx.experimental",)


def private_names(source: str) -> list[str]:
    """What ``source`` takes from torch under a name that is not public."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom):
            found += [f"{node.module}.{alias.name}" for alias in node.names]
        elif isinstance(node, ast.Import):
            found += [alias.name for alias in node.names]
        elif isinstance(node, ast.Attribute):
            found.append(ast.unparse(node))
    return [
        name
        for name in found
        if name.endswith("._schema")
        or name.split(".")[0] == "torch"
        and (
            name.startswith(SEMI_PUBLIC)
            or any(part.startswith("_") and not part.endswith("__") for part in name.split("."))
        )
    ]


def test_private_names_are_recognised():
    assert private_names("from torch._ops import OpOverload") == ["torch._ops.OpOverload"]
    assert private_names("from torch import _dynamo, nn") == ["torch._dynamo"]
    assert private_names("import torch._guards") == ["torch._guards"]
    assert private_names("x = torch._C.f(y)") == ["torch._C.f", "torch._C"]
    assert private_names("x.target._schema") == ["x.target._schema"]
    assert private_names("from torch.fx.experimental.proxy_tensor import make_fx")
    assert private_names("import torch\nprint(torch.__version__, torch.func.vmap)") == []


def test_no_other_module_takes_a_private_name_from_torch():
    sources = {path.name: path.read_text(encoding="utf-8") for path in LIVE.glob("*.py")}
    assert private_names(sources.pop("compat.py"))
    found = {name: private_names(source) for name, source in sources.items()}
    assert {name: names for name, names in found.items() if names} == {}


def without(monkeypatch, module: str):
    """compat.py, as a torch without ``module`` would load it."""
    monkeypatch.setitem(sys.modules, module, None)
    spec = spec_from_file_location("compat_of_another_torch", LIVE / "compat.py")
    made = module_from_spec(spec)
    spec.loader.exec_module(made)
    return made


def test_a_trace_is_the_same_where_nodes_keep_examples_of_their_values(monkeypatch):
    inputs, set_meta = {"a": torch.tensor(2.0)}, compat.proxy_tensor.set_meta
    bare, _ = capture.capture(lambda a: {"y": a.exp() * 3}, inputs)
    assert not any(node.meta.get("val") is not None for node in bare.graph.nodes)
    assert compat.proxy_tensor.set_meta is set_meta
    monkeypatch.setattr(capture, "bare_nodes", nullcontext)  # as where torch has no set_meta
    full, _ = capture.capture(lambda a: {"y": a.exp() * 3}, inputs)
    assert all("val" in node.meta for node in full.graph.nodes if node.op == "call_function")
    assert bare.code == full.code


@pytest.mark.parametrize(
    "module",
    ["torch._decomp", "torch._ops", "torch.fx.experimental.proxy_tensor"],
)
def test_a_torch_without_what_tracing_needs_is_refused_in_words(module, monkeypatch):
    with pytest.raises(ImportError, match=rf"version .* no longer has \(.*{module}") as refused:
        without(monkeypatch, module)
    assert "2.6 to 2.13" in str(refused.value)
