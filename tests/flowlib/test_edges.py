"""Edges: the dtype rule, empty batches, ends of intervals, infinite numbers, NaN, and their errors."""

import numpy as np
import pytest
import torch
from torch.distributions import (
    Cauchy,
    Exponential,
    Gumbel,
    HalfNormal,
    Independent,
    Laplace,
    LogNormal,
    Normal,
    Uniform,
)
from torch.func import hessian, vmap
from torch.testing import assert_close

from bijections import BIJECTIONS, UNIT_INTERVAL_IN, build, inputs
from flowlib import (
    Affine,
    AffineCoupling,
    Compose,
    Flow,
    Inverse,
    InverseCDF,
    Linear,
    MaskedAutoregressive,
    Planar,
    Sigmoid,
    SinhArcsinh,
    draw_density,
    draw_grid,
    jacobian_log_det,
    panels,
    round_trip_error,
    standard_normal,
    to_grey,
    total_mass,
)

every_bijection = pytest.mark.parametrize("name", BIJECTIONS)
HOLDS_NOTHING = {"sigmoid", "nothing", "permutation"}


@pytest.fixture(autouse=True)
def seed():
    torch.manual_seed(0)


# -- one dtype rule


@every_bijection
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_another_dtype_than_the_layers_is_refused_with_both(name, dtype):
    bijection = build(name, 3, dtype)
    other = torch.float64 if dtype == torch.float32 else torch.float32
    for apply, value in zip((bijection, bijection.inverse), inputs(name, (4, 3), other)):
        if name in HOLDS_NOTHING:
            assert [each.dtype for each in apply(value)] == [other, other]
        else:
            with pytest.raises(ValueError, match=f"holds {dtype}; got {other}: move one of them"):
                apply(value)


@every_bijection
def test_what_is_no_tensor_of_floats_is_refused_with_what_it_is(name):
    bijection = build(name, 3)
    flow = Flow(standard_normal(3).expand(()), bijection)
    for apply in (bijection, bijection.inverse, flow.log_prob):
        for value, kind in [
            (torch.ones(3, dtype=torch.long), "torch.int64"),
            (np.ones(3), "ndarray"),
            ([0.5, 0.5, 0.5], "list"),
        ]:
            with pytest.raises(ValueError, match=f"expected a tensor of floats; got {kind}$"):
                apply(value)


LAYERS = {
    "affine": lambda **given: Affine(2, **given),
    "sinh-arcsinh": lambda **given: SinhArcsinh(2, **given),
    "planar": lambda **given: Planar(2, **given),
}
GIVEN = {
    "affine": ("log_scale", "shift"),
    "sinh-arcsinh": ("skew", "log_tail"),
    "planar": ("w", "u"),
}


@pytest.mark.parametrize("name", LAYERS)
def test_a_layer_given_one_tensor_has_all_in_its_dtype(name):
    first, second = GIVEN[name]
    for given in (first, second):
        layer = LAYERS[name](**{given: torch.ones(2, dtype=torch.float64)})
        assert {value.dtype for value in layer.parameters()} == {torch.float64}


@pytest.mark.parametrize("name", LAYERS)
def test_a_layer_given_two_dtypes_refuses_them(name):
    first, second = GIVEN[name]
    given = {first: torch.ones(2), second: torch.ones(2, dtype=torch.float64)}
    with pytest.raises(
        ValueError, match=r"tensors of one dtype; got torch.float32 and torch.float64"
    ):
        LAYERS[name](**given)
    with pytest.raises(ValueError, match="as a tensor of floats; got torch.int64"):
        LAYERS[name](**{first: torch.ones(2, dtype=torch.long)})
    with pytest.raises(ValueError, match="as a tensor of floats; got list"):
        LAYERS[name](**{first: [1.0, 1.0]})


@pytest.mark.parametrize("name", LAYERS)
@pytest.mark.parametrize("bad", [torch.nan, torch.inf, -torch.inf])
def test_given_numbers_that_are_not_finite_are_refused(name, bad):
    first, _ = GIVEN[name]
    with pytest.raises(
        ValueError, match=rf"finite numbers in {first}; got 1 \w+ of 2 that are not"
    ):
        LAYERS[name](**{first: torch.tensor([0.0, bad])})


def test_a_constant_column_is_refused_where_it_would_be_standardised():
    x = torch.randn(50, 3)
    x[:, 1] = 4.0
    with pytest.raises(ValueError, match="finite numbers in log_scale; got 1 infinite of 3"):
        Affine(3, log_scale=x.std(0).log(), shift=x.mean(0))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_helpers_follow_the_dtype_of_the_flow(dtype):
    flow = Flow(standard_normal(2), AffineCoupling(2), Planar(2)).to(dtype)
    assert total_mass(flow.log_prob, (-9, -9), (9, 9), n=200) == pytest.approx(1, abs=1e-4)
    _, (left, right) = panels("density", "grid")
    draw_density(left, flow.log_prob, n=20)
    draw_grid(right, flow.bijection)


def test_the_mass_is_summed_in_float64():
    """Of equal densities, in single precision, the mean of 10⁶ is off by more than 1e-6."""
    flow = Flow(Independent(Uniform(torch.zeros(2), torch.full((2,), 3.0), validate_args=False), 1))
    exact = flow.log_prob(torch.ones(2)).double().exp().item() * 9
    assert total_mass(flow.log_prob, (0, 0), (3, 3), n=1000) == pytest.approx(exact, abs=1e-12)


# -- empty batches


@every_bijection
def test_checks_take_no_points(name):
    bijection = build(name, 3)
    z, _ = inputs(name, (0, 3))
    assert jacobian_log_det(bijection, z).shape == (0,)
    assert round_trip_error(bijection, z) == 0.0


@every_bijection
def test_a_flow_takes_no_points(name):
    base = standard_normal(3)
    if name in UNIT_INTERVAL_IN:
        base = Independent(Uniform(torch.zeros(3), torch.ones(3)), 1)
    flow = Flow(base, build(name, 3)).double()
    assert flow.sample((0,)).shape == (0, 3)
    x, log_prob = flow.rsample_and_log_prob((2, 0))
    assert x.shape == (2, 0, 3) and log_prob.shape == (2, 0)
    assert flow.log_prob(x).shape == (2, 0)


# -- ends of intervals

INVERTIBLE = {
    "normal": Normal(0.0, 1.0),
    "laplace": Laplace(1.0, 2.0),
    "cauchy": Cauchy(0.0, 1.0),
    "uniform": Uniform(-1.0, 3.0),
    "exponential": Exponential(2.0),
    "half-normal": HalfNormal(1.0),
    "gumbel": Gumbel(0.0, 1.0),
    "log-normal": LogNormal(0.0, 1.0),
}


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("name", INVERTIBLE)
def test_the_inverse_cdf_of_the_ends_is_finite_and_scored(name, dtype):
    layer = InverseCDF(INVERTIBLE[name]).to(dtype)
    eps = torch.finfo(dtype).eps
    ends = torch.tensor([[0.0], [eps / 8], [eps], [1 - eps / 2], [1.0], [1 + eps]], dtype=dtype)
    x, log_det = layer(ends)
    assert x.isfinite().all() and log_det.isfinite().all()
    u, log_det = layer.inverse(x)
    assert (u > 0).all() and (u < 1).all() and log_det.isfinite().all()


WIDE = Independent(Normal(torch.zeros(2), torch.full((2,), 30.0)), 1)
SQUEEZED = {
    "sigmoid": lambda: Flow(WIDE, Sigmoid()),
    "grey levels": lambda: Flow(WIDE, to_grey(2)),
    "sigmoid, inverse cdf": lambda: Flow(WIDE, Sigmoid(), InverseCDF(Normal(0.0, 1.0))),
    "sigmoid, affine": lambda: Flow(
        WIDE, Sigmoid(), Affine(2, torch.full((2,), 3.0), torch.full((2,), -7.0))
    ),
    "inverse cdf": lambda: Flow(
        Independent(Uniform(torch.zeros(2), torch.ones(2)), 1), InverseCDF(Laplace(0.0, 1.0))
    ),
}


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("name", SQUEEZED)
def test_a_flow_scores_each_of_its_own_samples(name, dtype):
    flow = SQUEEZED[name]().to(dtype)
    x = flow.sample((20_000,))
    assert x.isfinite().all()
    assert flow.log_prob(x).isfinite().all()
    x, log_prob = flow.rsample_and_log_prob((20_000,))
    assert log_prob.isfinite().all() and flow.log_prob(x).isfinite().all()


def test_a_uniform_base_may_draw_zero():
    class Zero(Uniform):
        def sample(self, sample_shape=()):
            return torch.zeros(*sample_shape, 1)

    flow = Flow(Independent(Zero(torch.zeros(1), torch.ones(1)), 1), InverseCDF(Normal(0.0, 1.0)))
    assert flow.sample((3,)).isfinite().all()


def test_zero_and_one_count_as_the_numbers_next_to_them():
    z, log_det = Sigmoid().inverse(torch.tensor([[0.0], [1.0], [-1e-7], [1 + 1e-6]]))
    assert z.isfinite().all() and log_det.isfinite().all()
    assert_close(z[1], z[3])


# -- numbers that are not finite


@every_bijection
@pytest.mark.parametrize("bad", [torch.inf, -torch.inf])
def test_an_infinite_point_is_refused(name, bad):
    flow = Flow(standard_normal(3), build(name, 3)).double()
    x = torch.full((4, 3), 0.5, dtype=torch.float64)
    x[1, 2] = bad
    with pytest.raises(ValueError, match=r"expected finite numbers; got 1 infinite in .* \(4, 3\)"):
        flow.log_prob(x)


@pytest.mark.parametrize("way", ["log_prob", "sample", "rsample_and_log_prob"])
def test_nan_that_arises_inside_is_never_returned(way):
    flow = Flow(standard_normal(2), Affine(2), AffineCoupling(2), Affine(2))
    with torch.no_grad():
        flow.bijection.bijections[1].network[-1].bias.fill_(torch.nan)
    ask = {"log_prob": lambda: flow.log_prob(torch.zeros(5, 2))}.get(
        way, lambda: getattr(flow, way)((5,))
    )
    with pytest.raises(FloatingPointError, match="NaN arose in bijection 2 of 3, AffineCoupling"):
        ask()


@pytest.mark.parametrize(
    "way, first", [("log_prob", 3), ("sample", 1), ("rsample_and_log_prob", 1)]
)
def test_of_two_layers_with_nan_the_one_that_comes_first_is_named(way, first):
    flow = Flow(standard_normal(2), Affine(2), Planar(2), Affine(2))
    with torch.no_grad():
        for k in (0, 2):
            flow.bijection.bijections[k].shift.fill_(torch.nan)
    value = torch.zeros(5, 2) if way == "log_prob" else (5,)
    with pytest.raises(FloatingPointError, match=f"NaN arose in bijection {first} of 3, Affine"):
        getattr(flow, way)(value)


def test_nan_from_numbers_too_large_is_said():
    shear = Linear(torch.tensor([[1.0, 0.0], [1.0, 1.0]]))  # its inverse overflows
    flow = Flow(standard_normal(2), Linear(torch.eye(2)), shear)
    with pytest.raises(
        FloatingPointError, match="NaN arose in .* numbers too large for torch.float32"
    ):
        flow.log_prob(torch.full((2,), 3e38).mul(torch.tensor([1.0, -1.0])))


def test_a_large_singular_matrix_is_refused_in_one_line():
    with pytest.raises(ValueError) as refused:
        Linear(torch.ones(300, 300))
    assert len(str(refused.value)) < 150 and "(300, 300)" in str(refused.value)


def test_the_hessian_of_a_matrix_under_vmap():
    layer = Linear(torch.tensor([[2.0, 1.0], [0.5, 1.5]])).double()
    x = torch.randn(4, 2, dtype=torch.float64)

    def cubed(x):
        return (layer.inverse(x)[0] ** 3).sum()

    one_by_one = torch.stack([torch.autograd.functional.hessian(cubed, each) for each in x])
    assert_close(vmap(hessian(cubed))(x), one_by_one)


# -- compiled


@every_bijection
def test_a_compiled_density_is_the_density(name):
    """Each layer in one graph, in both directions."""
    torch._dynamo.reset()
    bijection = build(name, 3)
    base = standard_normal(3)
    if name in UNIT_INTERVAL_IN:
        base = Independent(Uniform(torch.zeros(3), torch.ones(3), validate_args=False), 1)
    flow = Flow(base, bijection).double()
    _, x = inputs(name, (4, 3))
    compiled = torch.compile(flow.log_prob, fullgraph=True, backend="eager")
    assert_close(compiled(x), flow.log_prob(x))
    draw = torch.compile(bijection, fullgraph=True, backend="eager")
    z, _ = inputs(name, (4, 3))
    assert_close(draw(z), bijection(z))


@pytest.mark.parametrize("layer", [Planar, AffineCoupling, MaskedAutoregressive, Affine])
def test_a_density_exports(layer):
    flow = Flow(standard_normal(2), layer(2), Inverse(layer(2)), Compose(layer(2)))
    x = flow.sample((3,))
    assert_close(torch.export.export(flow, (x,)).module()(x), flow(x))
