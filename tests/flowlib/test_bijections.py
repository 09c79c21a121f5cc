"""What every bijection must satisfy, in both directions."""

import copy

import pytest
import torch
from torch.autograd import gradcheck
from torch.autograd.functional import jacobian as autograd_jacobian
from torch.distributions import Independent, Uniform
from torch.func import functional_call, hessian, jacfwd, jacrev, vmap
from torch.testing import assert_close

from bijections import (
    BIJECTIONS,
    DIMS,
    UNIT_INTERVAL_IN,
    UNIT_INTERVAL_OUT,
    build,
    inputs,
)
from flowlib import (
    Flow,
    Inverse,
    jacobian_log_det,
    round_trip_error,
    standard_normal,
    total_mass,
)

every_bijection = pytest.mark.parametrize("name", BIJECTIONS)
in_every_dim = pytest.mark.parametrize(
    ("name", "dim"), [(name, dim) for name in BIJECTIONS for dim in DIMS[name]]
)
DTYPES = {torch.float32: 1e-5, torch.float64: 1e-12}


@pytest.fixture(params=["cpu", "cuda"] if torch.cuda.is_available() else ["cpu"])
def device(request, monkeypatch):
    """Where the suite runs; convolutions keep float32's precision there."""
    monkeypatch.setattr(torch.backends.cudnn, "allow_tf32", False)
    return request.param


@in_every_dim
def test_log_det_is_that_of_the_autograd_jacobian(name, dim, device):
    bijection = build(name, dim, device=device)
    z, x = inputs(name, (4, dim), device=device)
    exact = {"rtol": 1e-9, "atol": 1e-10}
    assert_close(bijection(z)[1], jacobian_log_det(bijection, z), **exact)
    assert_close(bijection.inverse(x)[1], jacobian_log_det(Inverse(bijection), x), **exact)


@in_every_dim
@pytest.mark.parametrize("dtype", DTYPES)
def test_round_trip_both_ways(name, dim, dtype, device):
    bijection = build(name, dim, dtype, device=device)
    z, x = inputs(name, (50, dim), dtype, device)
    assert round_trip_error(bijection, z) < DTYPES[dtype]
    assert round_trip_error(Inverse(bijection), x) < DTYPES[dtype]


@every_bijection
@pytest.mark.parametrize("dtype", DTYPES)
def test_the_log_dets_of_the_two_directions_cancel(name, dtype, device):
    bijection = build(name, 3, dtype, device=device)
    z, _ = inputs(name, (50, 3), dtype, device)
    x, there = bijection(z)
    _, back = bijection.inverse(x)
    assert_close(there, -back, rtol=0, atol=20 * DTYPES[dtype])


@every_bijection
@pytest.mark.parametrize("batch", [(), (5,), (2, 3), (0,), (1, 0, 2)])
@pytest.mark.parametrize("dtype", DTYPES)
def test_any_batch_shape_gives_the_same_as_one_point_at_a_time(name, batch, dtype, device):
    bijection = build(name, 3, dtype, device=device)
    for apply, value in zip(
        (bijection, bijection.inverse), inputs(name, (*batch, 3), dtype, device)
    ):
        before = value.clone()
        output, log_det = apply(value)
        assert output.shape == (*batch, 3)
        assert log_det.shape == batch
        assert output.dtype == log_det.dtype == dtype
        assert (value == before).all(), "the input was written to"
        rows = [apply(row) for row in value.reshape(-1, 3)]
        for row, (one_output, one_log_det) in enumerate(rows):
            assert_close(output.reshape(-1, 3)[row], one_output)
            assert_close(log_det.reshape(-1)[row], one_log_det)


@every_bijection
def test_vmap_gives_what_the_batch_gives(name, device):
    bijection = build(name, 3, device=device)
    for apply, value in zip((bijection, bijection.inverse), inputs(name, (5, 3), device=device)):
        output, log_det = apply(value)
        mapped_output, mapped_log_det = vmap(apply)(value)
        assert_close(mapped_output, output)
        assert_close(mapped_log_det, log_det)
        jacobian, _ = vmap(jacrev(apply))(value)  # (5, 3, 3)
        assert_close(torch.linalg.slogdet(jacobian).logabsdet, log_det, rtol=1e-9, atol=1e-10)


def first(function, point):
    """The Jacobian, by autograd only: nothing of torch.func, and one point."""
    return autograd_jacobian(function, point, create_graph=True)


def second(function, point):
    return autograd_jacobian(lambda p: first(function, p), point)


@every_bijection
@pytest.mark.parametrize("direction", ["forward", "inverse"])
@pytest.mark.parametrize(
    ("transform", "one_point"),
    [(jacrev, first), (jacfwd, first), (hessian, second)],
    ids=["jacrev", "jacfwd", "hessian"],
)
def test_derivatives_under_vmap_are_those_of_a_loop_over_points(
    name, direction, transform, one_point, device
):
    bijection = build(name, 3, device=device)
    z, x = inputs(name, (4, 3), device=device)
    apply, value = (bijection, z) if direction == "forward" else (bijection.inverse, x)

    def both(point):
        """The output and the log-determinant, (4,)."""
        output, log_det = apply(point)
        return torch.cat([output, log_det[None]])

    expected = torch.stack([one_point(both, point) for point in value])
    assert_close(vmap(transform(both))(value), expected, rtol=1e-9, atol=1e-9)


@every_bijection
def test_a_bijection_goes_to_another_device_whole(name):
    """On the meta device, which has no values: a tensor left behind on the CPU would raise."""
    bijection = build(name, 3).to("meta")
    for apply, value in zip((bijection, bijection.inverse), inputs(name, (5, 3))):
        if "inverse cdf" not in name:  # torch's distributions look at values
            output, log_det = apply(value.to("meta"))
            assert output.device.type == log_det.device.type == "meta"


@every_bijection
@pytest.mark.parametrize("direction", ["forward", "inverse"])
def test_gradients_of_both_outputs(name, direction, device):
    """Finite differences, for the points and for every tensor the bijection holds."""
    bijection = build(name, 2, device=device)
    z, x = inputs(name, (3, 2), device=device)
    module, value = (bijection, z) if direction == "forward" else (Inverse(bijection), x)
    held = {**dict(module.named_parameters()), **dict(module.named_buffers())}
    held = {k: v for k, v in held.items() if v.is_floating_point()}  # an order has no derivative
    if name == "planar, w = 0":  # û jumps there: no derivative
        held = {k: v for k, v in held.items() if not k.endswith("w")}

    def outputs(value, *tensors):
        return functional_call(module, dict(zip(held, tensors)), (value,))

    leaves = [t.detach().clone().requires_grad_() for t in (value, *held.values())]
    assert gradcheck(outputs, leaves)


@pytest.mark.parametrize(
    ("name", "dim"), [(name, dim) for name in BIJECTIONS for dim in DIMS[name] if dim <= 2]
)
def test_the_density_of_a_flow_has_mass_one(name, dim, device):
    bijection = build(name, dim, device=device)
    uniform = Independent(Uniform(torch.zeros(dim), torch.ones(dim), validate_args=False), 1)
    flow = Flow(uniform if name in UNIT_INTERVAL_IN else standard_normal(dim), bijection)
    flow = flow.to(device, torch.float64)
    if name in UNIT_INTERVAL_OUT:
        box, n = ([0.0] * dim, [1.0] * dim), 300
    else:
        edge = 7.0 if "sigmoid" in name else 40.0 if dim == 1 else 14.0  # sigmoid rounds to 1
        box, n = ([-edge] * dim, [edge] * dim), 20_000 if dim == 1 else 500
    assert total_mass(lambda x: flow.log_prob(x.to(device)), *box, n=n) == pytest.approx(
        1, abs=2e-3
    )


@every_bijection
def test_a_wrong_shape_is_refused_with_what_was_expected_and_what_came(name, device):
    bijection = build(name, 3, device=device)
    wrong = [torch.tensor(0.5)] if bijection.dim is None else [torch.rand(5, 4), torch.tensor(0.5)]
    for value in wrong if name != "nothing" else []:
        got = ", ".join(map(str, value.shape))
        for apply in (bijection, bijection.inverse):
            with pytest.raises(ValueError, match=rf"expected shape .*; got \({got}"):
                apply(value.to(device))


@every_bijection
def test_nan_in_nan_out_and_nowhere_else(name, device):
    bijection = build(name, 3, device=device)
    for apply, value in zip((bijection, bijection.inverse), inputs(name, (4, 3), device=device)):
        clean, clean_log_det = apply(value)
        value[2] = float("nan")
        output, log_det = apply(value)
        assert output[2].isnan().all()
        others = [0, 1, 3]
        assert_close(output[others], clean[others])
        assert_close(log_det[others], clean_log_det[others])


@every_bijection
def test_a_flow_refuses_nan(name, device):
    flow = Flow(standard_normal(3), build(name, 3, device=device)).to(device)
    with pytest.raises(ValueError, match="got 1 NaN"):
        flow.log_prob(torch.tensor([0.5, float("nan"), 0.5], device=device))


@every_bijection
def test_a_copy_and_a_saved_state_compute_the_same(name, device):
    bijection = build(name, 3, device=device)
    other = build(name, 3, seed=7, device=device)
    other.load_state_dict(bijection.state_dict())
    z, _ = inputs(name, (4, 3), device=device)
    assert_close(copy.deepcopy(bijection)(z), bijection(z))
    assert_close(other(z), bijection(z))
