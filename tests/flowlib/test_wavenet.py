"""WaveNet: which output sees which sample, its two samplers, and the teacher made of it."""

import copy
import math
import pickle

import pytest
import torch
from torch import nn
from torch.func import jacrev, vmap
from torch.testing import assert_close
from torch.utils.flop_counter import FlopCounterMode

from bijections import moved
from flowlib import total_mass
from flowlib.live.trace import ConstantPool, trace
from flowlib.voice.logistic import logit, mixture_log_prob
from flowlib.voice.wavenet import Teacher, WaveNet

LAYERS = [1, 2, 4]
each_depth = pytest.mark.parametrize("layers", LAYERS)


@pytest.fixture(autouse=True)
def seed():
    torch.manual_seed(0)


def build(layers=3, outputs=2, channels=5, dtype=torch.float64, **options):
    """A network with random biases, on three channels of conditions."""
    torch.manual_seed(0)
    return moved(WaveNet(outputs, 3, channels, layers, **options), by=0.2).to(dtype)


def awake(net):
    """The network with its ReLUs always on: no path is cut where a unit happens to be off."""
    with torch.no_grad():
        net.mixed[-1].bias += 20  # far above what the skips can take away
        for parameter in net.head.parameters():
            parameter.abs_()
    return net


def teacher(mixtures=3, dtype=torch.float64):
    torch.manual_seed(0)
    return moved(Teacher(3, mixtures, channels=5, layers=3), by=0.2).to(dtype)


def signal(batch, length, dtype=torch.float64):
    return torch.randn(batch, length, dtype=dtype), torch.randn(batch, 3, length, dtype=dtype)


def wiggle(z, outputs):
    """An x_t that is not linear in the noise nor in the outputs: (B,) and (B, outputs)."""
    return torch.tanh(z) + 0.5 * torch.sin(3 * outputs).sum(-1)


# -- who sees whom


@each_depth
def test_an_output_sees_the_samples_of_its_receptive_field_and_no_other(layers):
    net, (x, c) = awake(build(layers)), signal(1, 21)
    sees = (jacrev(lambda x: net(x, c))(x)[0, :, :, 0] != 0).all(0)  # (T, T)
    t = torch.arange(21)
    behind = t[:, None] - t
    assert net.receptive_field == 2**layers
    assert torch.equal(sees, (behind >= 1) & (behind <= net.receptive_field))


@each_depth
def test_an_output_sees_the_conditions_up_to_its_own_and_all_channels_of_them(layers):
    net, (x, c) = awake(build(layers)), signal(1, 21)
    sees = jacrev(lambda c: net(x, c))(c)[0, :, :, 0] != 0  # (outputs, T, conditions, T)
    t = torch.arange(21)
    behind = t[:, None] - t
    # The first layer with conditions is one step, of 1, above the samples: what is left are even steps.
    expected = (behind >= 0) & (behind < net.receptive_field) & (behind % 2 == 0)
    assert torch.equal(sees.all(2).all(0), expected)
    assert torch.equal(sees.any(2).any(0), expected)


def by_hand(net, x, c):
    """The equations of the docstring, sample by sample, in loops, of one clip."""
    h = {(0, t): net.start.weight[:, 0, 0] * (x[t - 1] if t else 0) for t in range(len(x))}
    h = {key: value + net.start.bias for key, value in h.items()}
    weights, biases = (each.chunk(len(net.dilations)) for each in (net.told.weight, net.told.bias))
    outputs = []
    for t in range(len(x)):
        skips = 0
        for layer, d in enumerate(net.dilations):
            w = net.dilated[layer].weight
            before = h[layer, t - d] if t >= d else torch.zeros_like(h[layer, t])
            u = weights[layer][..., 0] @ c[:, t] + biases[layer]
            a, b = (w[..., 0] @ before + w[..., 1] @ h[layer, t] + u).chunk(2)
            mixed = net.mixed[layer]
            both = mixed.weight[..., 0] @ (a.tanh() * b.sigmoid()) + mixed.bias
            h[layer + 1, t] = h[layer, t] + both[: len(both) // 2]
            skips = skips + both[len(both) // 2 :]
        inner, last = net.head[1], net.head[3]
        hidden = (inner.weight[..., 0] @ skips.relu() + inner.bias).relu()
        outputs.append(last.weight[..., 0] @ hidden + last.bias)
    return torch.stack(outputs, -1)


@each_depth
def test_it_computes_its_equations(layers):
    net, (x, c) = build(layers), signal(2, 11)
    expected = torch.stack([by_hand(net, *clip) for clip in zip(x, c)])
    assert_close(net(x, c), expected, rtol=1e-12, atol=1e-12)


def test_one_clips_conditions_serve_every_clip():
    net, (x, c) = build(), signal(4, 9)
    assert_close(net(x, c[:1]), net(x, c[:1].expand(4, -1, -1)))
    generated = net.generate(wiggle, x, c[:1])
    assert_close(generated, net.generate(wiggle, x, c[:1].expand(4, -1, -1)))
    assert_close(generated, net.generate_by_passes(wiggle, x, c[:1]))


def test_a_head_that_starts_at_zero_outputs_zero_and_learns():
    net, (x, c) = WaveNet(2, 3, zero_head=True), signal(2, 9, torch.float32)
    assert (net(x, c) == 0).all() and net(x, c).shape == (2, 2, 9)
    net(x, c).sum().backward()
    assert net.head[-1].bias.grad.abs().min() > 0
    assert net.head[-1].weight.grad.abs().sum() > 0


def test_every_parameter_matters():
    net, (x, c) = build(), signal(2, 20)
    net(x, c).square().sum().backward()
    for name, parameter in net.named_parameters():
        assert parameter.grad.abs().sum() > 0, name


# -- two samplers


@each_depth
@pytest.mark.parametrize("length", [1, 2, 3, 40])
@pytest.mark.parametrize("grad", [True, False])
def test_generate_solves_for_every_sample(layers, length, grad):
    net, (z, c) = awake(build(layers)), signal(3, length)
    given = z.clone()
    with torch.set_grad_enabled(grad):
        x = net.generate(wiggle, z, c)
        by_passes = net.generate_by_passes(wiggle, z, c)
    expected = [wiggle(*each) for each in zip(z.unbind(-1), net(x, c).unbind(-1))]
    assert_close(x, torch.stack(expected, -1), rtol=1e-10, atol=1e-10)
    assert_close(by_passes, x, rtol=1e-10, atol=1e-10)
    assert torch.equal(z, given)
    assert length < 3 or (x - torch.tanh(z)).std() > 0.01, "the outputs make no difference"


def test_gradients_flow_the_same_way_through_both_samplers():
    net, (z, c) = build(), signal(2, 12)
    leaves = [z.requires_grad_(), c.requires_grad_(), *net.parameters()]

    def gradients(sampler):
        return torch.autograd.grad(sampler(wiggle, z, c).square().sum(), leaves)

    for mine, theirs in zip(gradients(net.generate), gradients(net.generate_by_passes)):
        assert_close(mine, theirs, rtol=1e-9, atol=1e-9)
        assert mine.abs().max() > 0


def test_generate_does_the_arithmetic_of_one_pass():
    net, (z, c) = build(4), signal(3, 50)

    def flops(apply):
        with FlopCounterMode(display=False) as counter:
            apply()
        return counter.get_total_flops()

    one_pass = flops(lambda: net(z, c))
    assert flops(lambda: net.generate(wiggle, z, c)) == one_pass
    assert flops(lambda: net.generate_by_passes(wiggle, z, c)) > 10 * one_pass


def test_torch_func_maps_over_clips():
    net, (x, c) = build(), signal(3, 9)
    mapped = vmap(lambda x, c: net(x[None], c[None])[0])(x, c)
    assert_close(mapped, net(x, c))
    generated = vmap(lambda x, c: net.generate(wiggle, x[None], c[None])[0])(x, c)
    assert_close(generated, net.generate(wiggle, x, c))
    jacobian = jacrev(lambda x: net.generate(wiggle, x, c[:1]))(x[:1])[0, :, 0]
    assert (jacobian.triu(1) == 0).all() and (jacobian.diagonal() != 0).all()


@pytest.mark.parametrize("batch", [0, 1, 3])
def test_any_number_of_clips(batch):
    net, (x, c) = build(), signal(batch, 9)
    assert net(x, c).shape == (batch, 2, 9)
    assert net.generate(wiggle, x, c).shape == (batch, 9)


def test_a_pass_traces_to_a_graph_of_the_page():
    net, (x, c) = build(dtype=torch.float32), signal(1, 30, torch.float32)
    graph = trace(
        lambda gain: {"outputs": net(gain * x, gain * c)},
        {"gain": torch.tensor(1.0)},
        ConstantPool(),
    )
    assert graph["shapes"] == {"outputs": [1, 2, 30]}


# -- the teacher


def test_its_density_of_two_samples_has_mass_one():
    model, (_, c) = teacher(), signal(1, 2)

    def log_prob(x):  # (*, 2) -> (*)
        flat = x.reshape(-1, 2)
        return model.log_prob(flat, c.expand(len(flat), -1, -1)).sum(-1).reshape(x.shape[:-1])

    with torch.no_grad():
        mass = total_mass(log_prob, (-30, -30), (30, 30), n=400)
    assert mass == pytest.approx(1, abs=1e-4)


def test_it_scores_each_sample_by_its_own_mixture():
    model, (x, c) = teacher(), signal(2, 9)
    logits, means, log_scales = model(x, c)
    assert logits.shape == means.shape == log_scales.shape == (2, 3, 9)
    assert_close(model.log_prob(x, c), mixture_log_prob(x, logits, means, log_scales))
    later = x.clone()
    later[:, 5:] += 1
    for before, after in zip(model(x, c), model(later, c)):
        assert torch.equal(before[..., :6], after[..., :6])
        assert (before[..., 6:] != after[..., 6:]).all()


@pytest.mark.parametrize("dtype, most", [(torch.float32, 1e-5), (torch.float64, 1e-10)])
def test_cached_and_plain_generation_give_the_same_waveform(dtype, most):
    model, (_, c) = teacher(dtype=dtype), signal(3, 60, dtype)
    noise = torch.rand(3, 2, 60, dtype=dtype)
    cached, plain = model.generate(noise, c), model.generate_by_passes(noise, c)
    assert cached.shape == (3, 60) and not cached.requires_grad
    assert_close(cached, plain, rtol=most, atol=most * float(plain.abs().max()))


def test_with_one_component_a_sample_is_its_mean_and_scale_with_logistic_noise():
    model, (_, c) = teacher(mixtures=1), signal(2, 12)
    noise = torch.rand(2, 2, 12, dtype=torch.float64)
    x = model.generate(noise, c)
    _, means, log_scales = model(x, c)
    assert_close(x, means[:, 0] + log_scales[:, 0].exp() * logit(noise[:, 1]))


def test_its_samples_are_scored_as_its_entropy_says():
    """E[-log p] over its own samples of one step is the entropy of that mixture, by quadrature."""
    model, (_, c) = teacher(), signal(1, 1)
    c = c.expand(50_000, -1, -1)
    x = model.generate(torch.rand(50_000, 2, 1, dtype=torch.float64), c)
    surprise = -model.log_prob(x, c)
    grid = torch.linspace(-60, 60, 60_001, dtype=torch.float64)
    parts = (each[0].detach() for each in model(x[:1], c[:1]))
    log_p = mixture_log_prob(grid[:, None], *parts)[:, 0]
    entropy = -torch.trapezoid(log_p.exp() * log_p, grid)
    error = surprise.std() / math.sqrt(50_000)
    assert abs(surprise.mean() - entropy) < 5 * error


@pytest.mark.parametrize("floor", [-7.0, -1.0, 3.0])
def test_the_log_scales_stay_above_the_floor_and_are_free_far_from_it(floor):
    model, (x, c) = moved(teacher(), by=3.0), signal(2, 50)
    free = model.net(x, c).chunk(3, 1)[2]
    model.floor = floor
    held = model(x, c)[2]
    assert (free < floor).any() and (free > floor + 5).any()
    assert (held >= floor).all() and (held >= free - 1e-9).all()
    assert_close(held[free > floor + 20], free[free > floor + 20])


@pytest.mark.parametrize("floor", [-7.0, -1.0, 3.0])
def test_the_floor_is_the_docstrings(floor):
    model, (x, c) = moved(teacher(), by=3.0), signal(2, 50)
    free = model.net(x, c).chunk(3, 1)[2]
    model.floor = floor
    assert_close(model(x, c)[2], floor + torch.log1p(torch.exp(free - floor)))


def test_a_new_teachers_floor_is_seven_nats_down():
    """Far below it the scale is e⁻⁷: what the shipped weights were trained with."""
    far_below = torch.full((1, 3, 1), -60.0)
    assert_close(Teacher(3, mixtures=1).mixture(far_below)[2], torch.full((1, 1, 1), -7.0))


def test_the_floor_is_part_of_the_state(tmp_path):
    model, other, (x, c) = teacher(), moved(teacher()), signal(2, 9)
    model.floor = -1.3
    torch.save(nn.Sequential(model).state_dict(), tmp_path / "teacher.pt")
    nn.Sequential(other).load_state_dict(torch.load(tmp_path / "teacher.pt", weights_only=True))
    assert other.floor == -1.3
    assert_close(other.log_prob(x, c), model.log_prob(x, c), rtol=0, atol=0)
    for copied in (copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
        assert_close(copied.log_prob(x, c), model.log_prob(x, c), rtol=0, atol=0)


def test_a_state_without_a_floor_has_the_floor_of_its_time():
    model, state = teacher(), dict(teacher().state_dict())
    del state["_extra_state"]
    model.floor = -1.3
    model.load_state_dict(state)
    assert model.floor == -7.0 and "_extra_state" not in state


# -- bad input


@pytest.mark.parametrize("sizes", [(0, 3, 4, 2), (1, 0, 4, 2), (1, 3, 0, 2), (1, 3, 4, 0)])
def test_sizes_below_one_are_refused(sizes):
    with pytest.raises(ValueError, match="WaveNet expected outputs, .* of 1 or more; got"):
        WaveNet(*sizes)


@pytest.mark.parametrize(
    "x, c",
    [
        ((9,), (3, 9)),
        ((2, 9), (2, 4, 9)),
        ((2, 9), (2, 3, 8)),
        ((2, 9), (4, 3, 9)),
        ((), (1, 3, 9)),
    ],
)
def test_a_wrong_shape_is_refused_by_the_pass_and_by_both_samplers(x, c):
    net, x, c = build(), torch.zeros(x).double(), torch.zeros(c).double()
    expected = r"WaveNet expected x of shape \(B, ..., T\) and c of shape \(B, 3, T\); got"
    for apply in (
        net,
        lambda x, c: net.generate(wiggle, x, c),
        lambda x, c: net.generate_by_passes(wiggle, x, c),
    ):
        with pytest.raises(ValueError, match=expected):
            apply(x, c)
