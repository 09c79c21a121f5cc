"""What the suites of other flow libraries test of a flow's state: copies, averages, processes, hooks."""

import copy
import io
import pickle

import pytest
import torch
from torch.testing import assert_close

from bijections import BIJECTIONS, build
from flows import moved, new, same


@pytest.fixture
def x():
    return torch.randn(5, 3, generator=torch.Generator().manual_seed(1))


# -- moved and copied


def a_file(flow):
    file = io.BytesIO()
    torch.save(flow.state_dict(), file)
    file.seek(0)
    return torch.load(file, weights_only=True)


def on_meta():
    with torch.device("meta"):
        return new()


def emptied():
    flow = on_meta().to_empty(device="cpu")
    for value in (*flow.parameters(), *flow.buffers()):
        value.detach().fill_(1)  # as the memory might be
    return flow.to("cpu")


def loaded(into, flow, **options):
    into.load_state_dict(a_file(flow), **options)
    return into


COPIES = {
    "deepcopy": copy.deepcopy,
    "pickle": lambda flow: pickle.loads(pickle.dumps(flow)),
    "file": lambda flow: loaded(new(), flow),
    "not strict": lambda flow: loaded(new(), flow, strict=False),
    "assigned": lambda flow: loaded(new(), flow, assign=True),
    "meta, emptied": lambda flow: loaded(emptied(), flow),
    "meta, assigned": lambda flow: loaded(on_meta(), flow, assign=True),
    "double and back": lambda flow: copy.deepcopy(flow).double().float(),
    "to cpu": lambda flow: copy.deepcopy(flow).to("cpu"),
    "type": lambda flow: copy.deepcopy(flow).type(torch.float32),
    "shared": lambda flow: copy.deepcopy(flow).share_memory(),
    "copy of a copy": lambda flow: copy.deepcopy(copy.deepcopy(flow)),
}


@pytest.mark.parametrize("way", COPIES)
def test_a_copy_is_the_same_density_and_its_own(way, x):
    flow = moved()
    before = flow.log_prob(x)
    twin = COPIES[way](flow)
    same(twin, flow, x)
    assert not any(value.is_meta for value in (*twin.parameters(), *twin.buffers()))
    with torch.no_grad():
        for parameter in twin.parameters():
            parameter.add_(0.1)
    assert_close(flow.log_prob(x), before, rtol=0, atol=0)
    assert not torch.equal(twin.log_prob(x), before)


@pytest.mark.parametrize("way", COPIES)
def test_a_copy_trains(way, x):
    twin = COPIES[way](moved())
    before = twin.log_prob(x).mean()
    optimizer = torch.optim.SGD(twin.parameters(), 1e-3)
    (-before).backward()
    optimizer.step()
    assert twin.log_prob(x).mean() > before


@pytest.mark.parametrize("name", BIJECTIONS)
def test_every_tensor_of_a_layer_moves_with_it(name):
    """An index that is no buffer stays behind; on the meta device torch does not report it."""
    layer = build(name, 3).to("meta")
    assert all(value.is_meta for value in (*layer.parameters(), *layer.buffers()))
    for module in layer.modules():
        left = [key for key, value in vars(module).items() if isinstance(value, torch.Tensor)]
        assert not left, f"{type(module).__name__}.{left}"


@pytest.mark.parametrize("dtype", [torch.float64, torch.float16, torch.bfloat16])
def test_a_state_of_another_dtype_is_cast_on_loading(dtype, x):
    flow, other = moved(), new()
    other.load_state_dict(copy.deepcopy(flow).to(dtype).state_dict())
    assert {p.dtype for p in other.parameters()} == {torch.float32}
    assert_close(other.log_prob(x), flow.log_prob(x), rtol=0.05, atol=0.05)
    halved = copy.deepcopy(flow).to(dtype).to(torch.float32)
    assert halved.bijection.bijections[1].log_scale_bound == 2.0
    assert_close(halved.log_prob(x), flow.log_prob(x), rtol=0.05, atol=0.05)


def test_the_state_has_only_tensors_and_their_names_do_not_change():
    state = moved().state_dict()
    assert all(isinstance(value, torch.Tensor) for value in state.values())
    assert list(state) == list(a_file(moved()))


def test_what_is_missing_and_what_is_too_much_is_named():
    flow = moved()
    state = flow.state_dict()
    shift = state.pop("bijection.bijections.4.shift")
    with pytest.raises(RuntimeError, match=r"Missing key.*bijections\.4\.shift"):
        new().load_state_dict(state)
    state["bijection.bijections.4.shift"] = shift
    with pytest.raises(RuntimeError, match=r"Unexpected key.*other"):
        new().load_state_dict({**state, "other": shift})
    with pytest.raises(RuntimeError, match=r"size mismatch for .*log_scale"):
        new().load_state_dict({**state, "bijection.bijections.4.log_scale": torch.zeros(4)})
