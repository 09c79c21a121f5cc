"""What the suites of other flow libraries test of a layer: inputs of every kind, and of every size."""

import pytest
import torch
from torch.func import functional_call
from torch.testing import assert_close

from bijections import BIJECTIONS, UNIT_INTERVAL_IN, UNIT_INTERVAL_OUT, build, inputs
from flowlib import (
    AffineCoupling,
    Compose,
    Flow,
    Inverse,
    InverseCDF,
    Linear,
    MaskedAutoregressive,
    Planar,
    round_trip_error,
    standard_normal,
)

CORE = [
    "affine",
    "linear",
    "sinh-arcsinh",
    "planar",
    "inverse of three",
    "sigmoid",
    "inverse cdf",
    "permutation",
    "additive coupling",
    "affine coupling, every other",
    "real nvp",
    "masked autoregressive",
    "iaf",
]
every_layer = pytest.mark.parametrize("name", CORE)
both_ways = pytest.mark.parametrize("way", ["forward", "inverse"])


def one_way(name, way, shape=(4, 3), dtype=torch.float32):
    layer = build(name, 3, dtype)
    z, x = inputs(name, shape, dtype)
    return (layer, z) if way == "forward" else (Inverse(layer), x)


VIEWS = {
    "transposed": lambda x: x.mT.contiguous().mT,
    "expanded": lambda x: x[:1].expand(4, 3),
    "every other": lambda x: x.repeat_interleave(2, -1)[..., ::2],
    "offset": lambda x: torch.cat([x[:1], x])[1:],
    "channels last": lambda x: x[:, None, None].expand(4, 2, 1, 3),
    "a parameter": torch.nn.Parameter,
}


@every_layer
@both_ways
def test_a_view_gives_what_its_copy_does(name, way):
    layer, value = one_way(name, way)
    for view in VIEWS.values():
        assert_close(layer(view(value)), layer(view(value).detach().clone().contiguous()))


@every_layer
@both_ways
def test_outputs_do_not_share_memory_with_each_other_or_the_input(name, way):
    """nflows and normflows have returned the input itself, which a reader then writes to."""
    layer, value = one_way(name, way)
    before = value.clone()
    output, log_det = (each.detach() for each in layer(value))
    again, again_log_det = (each.detach() for each in layer(value))
    output.add_(1.0)
    assert_close(value, before)
    assert_close(output, again + 1)
    assert_close(log_det, again_log_det)


@pytest.mark.parametrize("name", BIJECTIONS)
@both_ways
def test_autocast_leaves_both_outputs_in_the_dtype_of_the_input(name, way):
    """A network may compute in bfloat16; the density is summed in the dtype of the points."""
    layer, value = one_way(name, way)
    exact, exact_log_det = layer(value)
    with torch.autocast("cpu", torch.bfloat16):
        output, log_det = layer(value)
    assert output.dtype == log_det.dtype == torch.float32
    assert_close(output, exact, rtol=0.05, atol=0.1)
    assert_close(log_det, exact_log_det, rtol=0.05, atol=0.1)


def test_a_stack_works_under_autocast():
    flow = Flow(standard_normal(3), build("linear", 3, torch.float32), Planar(3), AffineCoupling(3))
    with torch.autocast("cpu", torch.bfloat16):
        x, log_prob = flow.rsample_and_log_prob((5,))
        again = flow.log_prob(x)
    assert x.dtype == log_prob.dtype == again.dtype == torch.float32
    assert_close(again, log_prob, rtol=0.05, atol=0.1)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
@pytest.mark.parametrize(
    "name", [name for name in CORE if name not in ("linear", "inverse of three")]
)
@both_ways
def test_half_precision_is_close_to_single(name, way, dtype):
    layer, value = one_way(name, way)
    exact, exact_log_det = layer(value)
    output, log_det = layer.to(dtype)(value.to(dtype))
    assert output.dtype == log_det.dtype == dtype
    assert_close(output.float(), exact, rtol=0.05, atol=0.1)
    assert_close(log_det.float(), exact_log_det, rtol=0.05, atol=0.1)


@pytest.mark.parametrize("name", [n for n in CORE if "coupling" not in n and n != "real nvp"])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_one_channel(name, dtype):
    layer = build(name, 1, dtype)
    z, _ = inputs(name, (20, 1), dtype)
    assert layer(z)[1].shape == (20,)
    assert round_trip_error(layer, z) < (1e-5 if dtype == torch.float32 else 1e-12)


@every_layer
@pytest.mark.parametrize("size", [1e-30, 1e-8, 1e4, 1e15])
def test_points_of_any_size_give_numbers_in_both_directions(name, size):
    if name in UNIT_INTERVAL_IN | UNIT_INTERVAL_OUT and size > 1:
        pytest.skip("outside the unit interval")
    for way in ("forward", "inverse"):
        layer, value = one_way(name, way, dtype=torch.float64)
        value = (value.abs() * size).requires_grad_()
        output, log_det = layer(value)
        assert output.isfinite().all() and log_det.isfinite().all()
        (slope,) = torch.autograd.grad(output.sum() + log_det.sum(), value)
        assert not slope.isnan().any()


@every_layer
def test_inference_mode_no_grad_and_training_agree(name):
    layer, value = one_way(name, "inverse")
    expected = layer(value)
    for mode in (torch.inference_mode, torch.no_grad, torch.enable_grad):
        with mode():
            assert_close(layer(value), expected)
    with torch.inference_mode():
        x, _ = Inverse(layer)(layer(value)[0])
    assert_close(x, value, rtol=1e-4, atol=1e-5)


@every_layer
def test_a_frozen_layer_still_passes_gradients_to_its_input(name):
    layer, value = one_way(name, "forward")
    layer.requires_grad_(False)
    value.requires_grad_()
    output, log_det = layer(value)
    (output.sum() + log_det.sum()).backward()
    assert value.grad.abs().sum() > 0
    assert all(parameter.grad is None for parameter in layer.parameters())


@every_layer
def test_rows_do_not_mix(name):
    """A change of one row changes no other: nothing is normalised over the batch."""
    for way in ("forward", "inverse"):
        layer, value = one_way(name, way, (6, 3))
        other = value.clone()
        other[2] = value[3]
        (output, log_det), (changed, changed_log_det) = layer(value), layer(other)
        rows = [0, 1, 3, 4, 5]
        assert_close(changed[rows], output[rows], rtol=0, atol=1e-6)
        assert_close(changed_log_det[rows], log_det[rows], rtol=0, atol=1e-6)
        assert_close(changed[2], output[3], rtol=0, atol=1e-6)


@pytest.mark.parametrize("name", [name for name in BIJECTIONS if not name.endswith("new")])
def test_parameters_all_count(name):
    """Each parameter of a layer that has moved changes its map: none is left over."""
    layer = build(name, 3)
    value, _ = inputs(name, (50, 3))
    for key, parameter in layer.named_parameters():
        moved = {key: parameter.detach() + 0.5}
        changed = functional_call(layer, moved, (value,))
        assert any(not torch.equal(a, b) for a, b in zip(changed, layer(value))), key


WRONG = {
    "int": (torch.ones(2, dtype=torch.int32), "torch.int32"),
    "bool": (torch.ones(2, dtype=torch.bool), "torch.bool"),
    "complex": (torch.ones(2, dtype=torch.complex64), "torch.complex64"),
    "tuple": ((0.5, 0.5), "tuple"),
    "number": (0.5, "float"),
    "nothing": (None, "NoneType"),
}


@pytest.mark.parametrize("kind", WRONG)
def test_what_is_no_point_is_refused_with_its_kind(kind):
    value, words = WRONG[kind]
    flow = Flow(standard_normal(2), Planar(2))
    for ask in (flow, flow.log_prob, flow.bijection, flow.bijection.inverse):
        with pytest.raises(ValueError, match=f"tensor of floats; got {words}$"):
            ask(value)


@pytest.mark.parametrize(
    "given", [[Planar(2)], torch.nn.Linear(2, 2), torch.tanh], ids=["list", "module", "function"]
)
def test_what_is_no_bijection_is_refused(given):
    """zuko takes a list, nflows one transform: here each bijection is an argument."""
    for make in (Compose, lambda given: Flow(standard_normal(2), given)):
        with pytest.raises(ValueError, match="expected bijections, an argument each; got"):
            make(given)


@pytest.mark.parametrize("ask", ["sample", "rsample_and_log_prob"])
def test_a_count_in_place_of_a_shape_is_refused(ask):
    """nflows' sample takes a count; torch's sample_shape is a tuple."""
    flow = Flow(standard_normal(2), Planar(2))
    with pytest.raises(ValueError, match=r"expected a shape, such as \(3,\); got 3"):
        getattr(flow, ask)(3)
    for shape in ([3], torch.Size([3]), (3,)):
        drawn = getattr(flow, ask)(shape)
        assert (drawn if ask == "sample" else drawn[0]).shape == (3, 2)


def test_layers_follow_the_default_dtype():
    torch.set_default_dtype(torch.float64)
    try:
        layers = Planar(2), AffineCoupling(2), MaskedAutoregressive(2), Linear(torch.eye(2))
        flow = Flow(standard_normal(2), *layers)
        assert flow.log_prob(torch.randn(3, 2)).dtype == flow.sample().dtype == torch.float64
    finally:
        torch.set_default_dtype(torch.float32)


def test_dim_is_that_of_the_layers():
    assert Compose(InverseCDF(torch.distributions.Normal(0.0, 1.0)), Planar(2)).dim == 2
    assert Compose().dim is None and Inverse(Planar(3)).dim == 3
