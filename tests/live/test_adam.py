"""The traced Adam takes torch's own steps, and a module takes a row of parameters."""

import copy

import pytest
import torch
from torch import nn
from torch.nn.utils import parameters_to_vector

from flowlib.live import adam_start, adam_step, with_parameters

SIZES = 10.0 ** torch.arange(
    -9.0, 5.0, 2.0, dtype=torch.float64
)  # of gradients: ε decides the least


@pytest.mark.parametrize(
    ("dtype", "tolerance"), [(torch.float64, 1e-12), (torch.float32, 2e-6)], ids=str
)
def test_hundreds_of_steps_are_those_of_torch(dtype, tolerance):
    torch.manual_seed(0)
    x = nn.Parameter(torch.randn(len(SIZES), dtype=dtype))
    state, torchs = adam_start(x), torch.optim.Adam([x], lr=0.01)
    for _ in range(400):
        gradient = (SIZES * torch.randn(len(SIZES), dtype=torch.float64)).to(dtype)
        x.grad = gradient
        torchs.step()
        state = adam_step(state, gradient, 0.01)
        torch.testing.assert_close(state["parameters"], x.data, rtol=tolerance, atol=0)
    assert state["count"] == 400
    assert {value.dtype for value in state.values()} == {dtype}


def test_a_start_keeps_its_own_parameters():
    x = nn.Parameter(torch.ones(3))
    state = adam_start(x)
    with torch.no_grad():
        x += 1
    assert (state["parameters"] == 1).all() and not state["parameters"].requires_grad


def test_a_module_takes_a_row_and_stays_as_it_is():
    module = nn.Sequential(nn.Linear(2, 3), nn.Tanh(), nn.Linear(3, 1, bias=False))
    before = copy.deepcopy(module.state_dict())
    row = torch.linspace(-1.0, 1.0, 12, requires_grad=True)
    twin = with_parameters(module, row)
    x = torch.tensor([0.3, -0.7])
    w, b, v = row[:6].view(3, 2), row[6:9], row[9:].view(1, 3)
    torch.testing.assert_close(twin(x), v @ torch.tanh(w @ x + b))
    twin(x).sum().backward()
    assert (row.grad != 0).all()
    assert all(torch.equal(value, before[name]) for name, value in module.state_dict().items())
    same = with_parameters(module, parameters_to_vector(module.parameters()))
    assert torch.equal(same(x), module(x))


@pytest.mark.parametrize("shape", [(11,), (13,), (1, 12), (12, 1), ()], ids=str)
def test_a_row_of_another_length_is_refused(shape):
    module = nn.Sequential(nn.Linear(2, 3), nn.Linear(3, 1, bias=False))
    with pytest.raises(ValueError, match="expected a row of 12 parameters; got "):
        with_parameters(module, torch.zeros(shape))
