"""What users of other flow libraries do to a flow while it trains: averages, processes, hooks."""

import copy

import pytest
import torch
from torch import nn
from torch.distributions import (
    Normal,
)
from torch.nn.parallel import DistributedDataParallel
from torch.nn.utils import parametrizations, parametrize
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn
from torch.testing import assert_close

from flowlib import (
    Affine,
    AffineCoupling,
    Flow,
    InverseCDF,
    Linear,
    standard_normal,
)
from flows import moved, new, same


@pytest.fixture
def x():
    return torch.randn(5, 3, generator=torch.Generator().manual_seed(1))


# -- averages


@pytest.mark.parametrize("use_buffers", [False, True])
@pytest.mark.parametrize("kind", ["mean", "exponential"])
def test_an_averaged_flow_of_equal_flows_is_the_flow(kind, use_buffers, x):
    flow = moved()
    way = {} if kind == "mean" else {"multi_avg_fn": get_ema_multi_avg_fn(0.99)}
    averaged = AveragedModel(flow, use_buffers=use_buffers, **way)
    for _ in range(4):
        averaged.update_parameters(flow)
    assert_close(averaged(x), flow(x))
    new().load_state_dict(averaged.module.state_dict())


def test_an_average_lies_between(x):
    flow, other = moved(0), moved(7)
    averaged = AveragedModel(flow, use_buffers=True)
    averaged.update_parameters(flow)
    averaged.update_parameters(other)
    for mean, a, b in zip(averaged.module.parameters(), flow.parameters(), other.parameters()):
        assert_close(mean, (a + b) / 2)


# -- optimisers and processes


@pytest.mark.parametrize("make", [torch.optim.Adam, torch.optim.SGD, torch.optim.AdamW])
def test_training_goes_on_from_a_file_as_if_it_had_not_stopped(make, x):
    def steps(flow, optimizer, count):
        for _ in range(count):
            optimizer.zero_grad()
            (-flow(x).mean()).backward()
            optimizer.step()

    flow = moved()
    optimizer = make(flow.parameters(), lr=1e-2)
    steps(flow, optimizer, 2)
    other = new()
    other.load_state_dict(flow.state_dict())
    second = make(other.parameters(), lr=1e-2)
    second.load_state_dict(copy.deepcopy(optimizer.state_dict()))
    steps(flow, optimizer, 2)
    steps(other, second, 2)
    same(other, flow, x)


def test_lbfgs_takes_a_flow(x):
    flow = moved()
    optimizer = torch.optim.LBFGS(flow.parameters(), lr=0.1)

    def closure():
        optimizer.zero_grad()
        loss = -flow(x).mean()
        loss.backward()
        return loss

    assert optimizer.step(closure) > closure()


def test_distributed_training_has_the_gradients_of_one_process(x, tmp_path):
    torch.distributed.init_process_group(
        "gloo", init_method=(tmp_path / "store").as_uri(), rank=0, world_size=1
    )
    try:
        flow, other = moved(), moved()
        parallel = DistributedDataParallel(flow)
        (-parallel(x).mean()).backward()
        (-other(x).mean()).backward()
        for a, b in zip(flow.parameters(), other.parameters()):
            assert_close(a.grad, b.grad)
    finally:
        torch.distributed.destroy_process_group()


# -- torch's own changes to a module


def test_a_weight_norm_on_a_conditioner_changes_nothing_but_the_parameters(x):
    flow = moved()
    expected = flow.log_prob(x)
    for linear in (
        flow.bijection.bijections[1].network[0],
        flow.bijection.bijections[2].network.layers[0],
    ):
        parametrizations.weight_norm(linear)
    assert_close(flow.log_prob(x), expected)
    drawn, log_prob = flow.rsample_and_log_prob((4,))
    assert_close(flow.log_prob(drawn), log_prob, rtol=1e-4, atol=1e-4)
    assert_close(copy.deepcopy(flow).log_prob(x), expected)
    assert flow.double().log_prob(x.double()).dtype == torch.float64


def test_a_spectral_norm_bounds_a_conditioner(x):
    layer = AffineCoupling(3, hidden=(4,))
    nn.init.normal_(layer.network[-1].weight, std=5.0)
    parametrizations.spectral_norm(layer.network[-1], n_power_iterations=30)
    layer.eval()
    assert torch.linalg.matrix_norm(layer.network[-1].weight, 2).item() == pytest.approx(
        1, rel=0.01
    )
    assert_close(layer.inverse(layer(x)[0])[0], x)


def test_a_matrix_may_be_kept_orthogonal(x):
    layer = Linear(nn.Parameter(torch.eye(3) * 2))
    parametrizations.orthogonal(layer, "matrix")
    flow = Flow(standard_normal(3), layer)
    assert_close(flow.log_prob(x), standard_normal(3).log_prob(x))
    flow.log_prob(x).sum().backward()


def test_a_parametrised_tensor_counts_for_the_dtype(x):
    class Clamp(nn.Module):
        def forward(self, value):
            return value.clamp(-1, 1)

    layer = Affine(3)
    parametrize.register_parametrization(layer, "log_scale", Clamp())
    layer.double()
    with pytest.raises(ValueError, match="holds torch.float64; got torch.float32"):
        layer(x)
    assert copy.deepcopy(layer)(x.double())[0].dtype == torch.float64


def test_hooks_run_in_the_direction_that_is_called(x):
    flow, seen = moved(), []
    flow.register_forward_hook(lambda *_: seen.append("flow"))
    flow.bijection.bijections[0].register_forward_pre_hook(lambda *_: seen.append("layer"))
    flow(x)
    flow.sample((2,))
    assert seen == ["flow", "layer"]


def test_frozen_layers_stay_and_the_others_train(x):
    flow = moved()
    first, last = flow.bijection.bijections[0], flow.bijection.bijections[-1]
    first.requires_grad_(False)
    before = [p.clone() for p in first.parameters()]
    optimizer = torch.optim.Adam((p for p in flow.parameters() if p.requires_grad), 0.1)
    (-flow(x).mean()).backward()
    optimizer.step()
    assert all(torch.equal(a, b) for a, b in zip(before, first.parameters()))
    assert last.shift.abs().sum() > 0 and all(p.grad is None for p in first.parameters())


def test_a_layer_may_stand_in_two_places(x):
    layer = Affine(3)
    flow = Flow(standard_normal(3), layer, layer)
    assert len(list(flow.parameters())) == 2
    twin = copy.deepcopy(flow)
    with torch.no_grad():
        twin.bijection.bijections[0].shift.fill_(1.0)
    assert_close(twin.log_prob(x), standard_normal(3).log_prob(x - 2))


def test_moving_an_inverse_cdf_leaves_the_callers_distribution():
    given = Normal(torch.zeros(2), torch.ones(2), validate_args=True)
    layer = InverseCDF(given).double()
    assert given._validate_args is True and given.loc.dtype == torch.float32
    assert layer.distribution.loc.dtype == torch.float64
