"""fit: it learns, it repeats itself, and it stops where the loss breaks or the caller ends it."""

import math
import signal
from itertools import pairwise

import numpy as np
import pytest
import torch
from torch import nn

from flowlib import POTENTIALS, Affine, Boxed, EightGaussians, Flow, Planar, fit, standard_normal
from flowlib.training import one_cycle


@pytest.fixture(autouse=True)
def quiet(monkeypatch):
    monkeypatch.setenv("CI", "1")


def reverse_kl(flow, target, count=64):
    def loss():
        x, log_q = flow.rsample_and_log_prob((count,))
        return (log_q - target.log_prob(x)).mean()

    return loss


def a_flow(layers=4):
    torch.manual_seed(0)
    return Flow(standard_normal(2), *[Planar(2) for _ in range(layers)])


def test_maximum_likelihood_finds_mean_and_scale():
    torch.manual_seed(0)
    data = torch.tensor([1.0, -2.0]) + torch.tensor([0.5, 3.0]) * torch.randn(2000, 2)
    flow = Flow(standard_normal(2), Affine(2))
    losses = fit(lambda: -flow.log_prob(data).mean(), flow.parameters(), steps=300, lr=0.1)
    layer = flow.bijection.bijections[0]
    torch.testing.assert_close(layer.shift.data, data.mean(0), rtol=0, atol=1e-2)
    torch.testing.assert_close(layer.log_scale.data.exp(), data.std(0), rtol=1e-2, atol=0)
    entropy = torch.distributions.Normal(data.mean(0), data.std(0)).entropy().sum()
    assert losses[-1].item() == pytest.approx(entropy.item(), abs=1e-2)


def test_reverse_kl_to_a_potential_falls():
    flow = a_flow(8)
    target = Boxed(POTENTIALS["U1"])
    losses = fit(reverse_kl(flow, target), flow.parameters(), steps=150, lr=0.03)
    assert losses.shape == (150,)
    assert losses[:5].mean() > 3
    assert losses[-20:].mean() < 1
    assert not losses.requires_grad


def test_the_learning_rate_falls_along_half_a_cosine():
    """Adam moves by the learning rate under a constant gradient: the way is the sum of the rates."""
    x = nn.Parameter(torch.tensor(0.0, dtype=torch.float64))
    fit(lambda: -x, [x], steps=100, lr=0.1)
    rates = [0.05 * (1 + math.cos(math.pi * k / 100)) for k in range(100)]
    assert x.item() == pytest.approx(sum(rates), rel=1e-6)


def test_a_warm_up_rises_along_a_line_to_where_the_cosine_begins():
    x = nn.Parameter(torch.tensor(0.0, dtype=torch.float64))
    where = []
    fit(lambda: where.append(x.item()) or -x, [x], steps=50, lr=0.1, warm_up=0.2)
    where.append(x.item())
    rates = [b - a for a, b in pairwise(where)]
    expected = [0.1 * (k + 1) / 11 for k in range(10)]
    expected += [0.05 * (1 + math.cos(math.pi * k / 40)) for k in range(40)]
    assert rates == pytest.approx(expected, rel=1e-5)


def test_the_rates_are_those_of_torchs_schedules():
    x = nn.Parameter(torch.zeros(()))
    optimizer = torch.optim.SGD([x], lr=1.0)
    up = torch.optim.lr_scheduler.LinearLR(optimizer, 1 / 5, total_iters=4)
    down = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, 16)
    schedule = torch.optim.lr_scheduler.SequentialLR(optimizer, [up, down], [4])
    for step in range(20):
        assert one_cycle(step, 20, rise=4) == pytest.approx(schedule.get_last_lr()[0], abs=1e-12)
        optimizer.step()
        schedule.step()


def test_a_long_gradient_is_cut_and_a_short_one_is_not():
    def way(clip):
        """Adam's first moment, which the first gradient's length decides only with a second."""
        x = nn.Parameter(torch.tensor([0.0, 0.0], dtype=torch.float64))
        slopes = iter([torch.tensor([30.0, 40.0]), torch.tensor([0.3, 0.4])])
        fit(lambda: (next(slopes) * x).sum(), [x], steps=2, lr=0.1, clip=clip)
        return x

    assert torch.equal(way(math.inf), way(51.0))
    assert not torch.allclose(way(math.inf), way(1.0))
    # cut to length 1, the first gradient is (0.6, 0.8): the same as if it had been that from the start
    x = nn.Parameter(torch.tensor([0.0, 0.0], dtype=torch.float64))
    slopes = iter([torch.tensor([0.6, 0.8]), torch.tensor([0.3, 0.4])])
    fit(lambda: (next(slopes) * x).sum(), [x], steps=2, lr=0.1)
    torch.testing.assert_close(way(1.0), x, rtol=1e-5, atol=0)


@pytest.mark.parametrize("options", [{"warm_up": 1.0}, {"warm_up": -0.1}, {"clip": 0.0}], ids=str)
def test_a_warm_up_or_a_clip_out_of_range_is_refused(options):
    with pytest.raises(ValueError, match="fit expected a warm_up"):
        fit(lambda: None, [nn.Parameter(torch.zeros(()))], steps=1, **options)


def test_a_seed_repeats_and_leaves_the_generator_alone():
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    runs = []
    for seed in (0, 0, 1):
        flow = a_flow()
        torch.manual_seed(5)
        runs.append(fit(reverse_kl(flow, EightGaussians()), flow.parameters(), 5, seed=seed))
    assert torch.equal(torch.rand(3), expected)
    assert torch.equal(runs[0], runs[1])
    assert not torch.equal(runs[0], runs[2])


@pytest.mark.parametrize("broken", [float("nan"), float("inf"), -float("inf")])
def test_a_broken_loss_names_its_step_and_puts_the_parameters_back(broken):
    x = nn.Parameter(torch.tensor(3.0))
    seen = []

    def loss():
        seen.append(x.item())
        return x**2 if len(seen) < 7 else x * broken

    with pytest.raises(FloatingPointError, match=r"at step 6 of 20, after \["):
        fit(loss, [x], steps=20, lr=0.1)
    assert x.item() == seen[5] != seen[6]  # where the loss was last finite


def test_a_loss_broken_from_the_start_leaves_the_parameters_as_they_are():
    x = nn.Parameter(torch.tensor(3.0))
    with pytest.raises(FloatingPointError, match="the loss is nan at step 0"):
        fit(lambda: x * float("nan"), [x], steps=5)
    assert x.item() == 3.0


def test_a_gradient_that_is_not_finite_stops_at_the_next_step():
    x = nn.Parameter(torch.tensor(0.0))
    with pytest.raises(FloatingPointError, match="at step 1"):
        fit(lambda: x.sqrt() + x, [x], steps=5)
    assert x.item() == 0.0


def test_what_cannot_be_fitted_is_refused():
    x = nn.Parameter(torch.zeros(2))
    with pytest.raises(ValueError, match="parameters to train; got none"):
        fit(
            lambda: x.sum(),
            Planar(1, u=torch.ones(1), w=torch.ones(1), b=torch.ones(())).parameters(),
            1,
        )
    with pytest.raises(ValueError, match=r"scalar loss; got shape \(2,\)"):
        fit(lambda: x, [x], steps=1)


def test_frozen_parameters_alone_are_refused_and_among_others_stay():
    frozen, x = nn.Parameter(torch.ones(2), requires_grad=False), nn.Parameter(torch.ones(2))
    with pytest.raises(ValueError, match="parameters to train; got 1 that require no gradient"):
        fit(lambda: frozen.sum(), [frozen], steps=1)
    fit(lambda: (frozen * x).sum(), iter([frozen, x]), steps=3)
    assert torch.equal(frozen, torch.ones(2)) and (x < 1).all()


@pytest.mark.parametrize("steps", [0, -1, 2.0, "3", None])
def test_a_number_of_steps_that_is_none_is_refused(steps):
    x = nn.Parameter(torch.zeros(()))
    with pytest.raises(ValueError, match=f"number of steps, at least 1; got {steps!r}"):
        fit(lambda: x**2, [x], steps)


def test_an_integer_of_numpy_is_a_number_of_steps():
    x = nn.Parameter(torch.ones(()))
    assert fit(lambda: x**2, [x], np.int64(3)).shape == (3,)


@pytest.mark.parametrize(("steps", "warm_up", "rise"), [(1, 0.6, 1), (3, 0.9, 3), (10, 0.96, 10)])
def test_a_warm_up_that_rounds_to_the_whole_run_is_refused(steps, warm_up, rise):
    x = nn.Parameter(torch.zeros(()))
    with pytest.raises(ValueError, match=f"shorter than the training; got {rise} of {steps} steps"):
        fit(lambda: x**2, [x], steps, warm_up=warm_up)
    assert fit(lambda: x**2, [x], steps, warm_up=(rise - 1) / steps).shape == (steps,)


# -- the end of a training


@pytest.mark.parametrize("ends", ["at the last step", "by the callback", "with a callback"])
def test_an_update_that_breaks_the_parameters_is_undone_where_no_loss_would_see_it(ends):
    x, steps = nn.Parameter(torch.tensor(0.0)), 1 if ends == "at the last step" else 5
    seen = []

    def callback(step, loss):
        seen.append(x.item())
        return ends == "by the callback"

    with pytest.raises(FloatingPointError, match=f"the update at step 0 of {steps} made"):
        fit(
            lambda: x.sqrt() + x,  # its gradient at 0 is infinite
            [x],
            steps,
            callback=None if ends == "at the last step" else callback,
        )
    assert x.item() == 0.0
    assert seen == [], "a callback would have seen, and saved, parameters that are not finite"


def test_a_parameter_that_was_infinite_before_is_no_fault_of_the_update():
    x = nn.Parameter(torch.tensor([3.0, -math.inf]))  # a class that a softmax leaves out
    losses = fit(lambda: x.softmax(0)[0] + x[0] ** 2, [x], steps=2)
    assert losses.isfinite().all() and x[1] == -math.inf


def test_a_callback_sees_each_step_and_may_end_the_training():
    def run(callback=None):
        x = nn.Parameter(torch.tensor(3.0))
        return fit(lambda: x**2 + torch.rand(()), [x], steps=20, lr=0.1, callback=callback), x

    seen = []
    whole, _ = run()
    watched, _ = run(lambda *each: seen.append(each))
    assert torch.equal(watched, whole)
    assert [step for step, _ in seen] == list(range(20))
    assert torch.equal(torch.tensor([loss for _, loss in seen]), whole)

    values, after = [], []
    x = nn.Parameter(torch.tensor(3.0))
    ended = fit(
        lambda: values.append(x.item()) or x**2,
        [x],
        steps=20,
        lr=0.1,
        callback=lambda step, loss: after.append(x.item()) or step == 6,
    )
    assert ended.shape == (7,)
    assert after[:-1] == values[1:], "it is called after the step's update"
    assert x.item() == after[-1]


def test_what_a_callback_draws_leaves_the_batches_as_they_are():
    def run(callback=None):
        flow = a_flow()
        return fit(reverse_kl(flow, EightGaussians()), flow.parameters(), 5, callback=callback)

    drawn = []
    assert torch.equal(run(lambda *_: drawn.append(torch.rand(100))), run())
    assert len(drawn) == 5


def test_patience_ends_where_the_validation_loss_is_best():
    """The early stopping of other libraries, in a few lines: the schedule goes on all the while."""
    x, best = nn.Parameter(torch.tensor(0.0)), [math.inf, -1]

    def patience(step, loss):
        validation = (x.item() - 1) ** 2  # the training's optimum, 3, is beyond
        if validation < best[0]:
            best[:] = validation, step
        return step - best[1] >= 5

    losses = fit(lambda: (x - 3) ** 2, [x], steps=300, lr=0.1, callback=patience)
    assert len(losses) == best[1] + 6 < 30
    assert best[0] < 0.01


def test_a_second_call_repeats_the_batches_unless_it_has_another_seed():
    x, batches = nn.Parameter(torch.ones(())), []

    def loss():
        batches.append(torch.rand(()).item())
        return x**2

    for seed in (0, 0, 1):
        fit(loss, [x], steps=3, seed=seed)
    assert batches[:3] == batches[3:6]
    assert not set(batches[:3]) & set(batches[6:])


# -- Ctrl-C


@pytest.mark.parametrize("where", ["loss", "backward", "update", "callback"])
def test_ctrl_c_keeps_the_losses_and_leaves_the_parameters_of_the_last_whole_step(
    where, monkeypatch
):
    """A real signal, in the midst of step 3."""
    x, y = nn.Parameter(torch.tensor(3.0)), nn.Parameter(torch.tensor(2.0, dtype=torch.float64))
    whole = [nn.Parameter(p.detach().clone()) for p in (x, y)]
    step_of_adam, calls = torch.optim.Adam.step, []

    def strike(at):
        if at == where:
            calls.append(at)
            if len(calls) == 4:
                signal.raise_signal(signal.SIGINT)

    def half_a_step(optimizer, *arguments):
        with torch.no_grad():
            x.mul_(2)  # the part of the parameters that was updated already
        strike("update")
        with torch.no_grad():
            x.div_(2)
        return step_of_adam(optimizer, *arguments)

    def loss():
        strike("loss")
        return x**2 + y**2

    x.register_hook(lambda gradient: strike("backward"))
    if where == "update":
        monkeypatch.setattr(torch.optim.Adam, "step", half_a_step)
    expected = {"callback": 4}.get(where, 3)
    with pytest.warns(UserWarning, match=f"fit was interrupted after {expected} of 20 steps"):
        losses = fit(loss, [x, y], 20, lr=0.1, callback=lambda *_: strike("callback"))
    monkeypatch.undo()
    monkeypatch.setenv("CI", "1")
    rest = fit(
        lambda: whole[0] ** 2 + whole[1] ** 2, whole, 20, lr=0.1,
        callback=lambda step, _: step == expected - 1,
    )  # fmt: skip
    assert torch.equal(losses, rest)
    assert [p.item() for p in (x, y)] == [p.item() for p in whole]


def test_ctrl_c_after_an_update_that_broke_the_parameters_is_no_quiet_end():
    x, calls = nn.Parameter(torch.tensor(0.0)), []

    def loss():
        calls.append(x.item())
        if len(calls) == 2:
            raise KeyboardInterrupt
        return x.sqrt() + x

    with pytest.raises(FloatingPointError, match="the update at step 0 of 5 made"):
        fit(loss, [x], steps=5)
    assert x.item() == 0.0


def test_ctrl_c_before_the_first_step_leaves_all_as_it_was():
    x = nn.Parameter(torch.tensor(3.0))

    def loss():
        raise KeyboardInterrupt

    with pytest.warns(UserWarning, match="after 0 of 5 steps"):
        losses = fit(loss, [x], steps=5)
    assert losses.shape == (0,) and x.item() == 3.0


@pytest.mark.parametrize("variable", ["CI", "FLOWLIB_BOOK", "TQDM_DISABLE"])
def test_the_bar_is_quiet_where_nobody_watches(variable, monkeypatch, capsys):
    x = nn.Parameter(torch.tensor(3.0))
    for name in ("CI", "FLOWLIB_BOOK", "TQDM_DISABLE"):
        monkeypatch.delenv(name, raising=False)
    fit(lambda: x**2, [x], steps=3)
    assert "3/3" in capsys.readouterr().err
    monkeypatch.setenv(variable, "1")
    fit(lambda: x**2, [x], steps=3)
    assert capsys.readouterr() == ("", "")


def test_nan_inside_a_flow_puts_the_parameters_back():
    flow, x = Flow(standard_normal(2), Affine(2)), torch.randn(50, 2)
    steps = iter(range(10))

    def loss():
        if next(steps) == 3:
            with torch.no_grad():
                flow.bijection.bijections[0].shift.fill_(torch.nan)
        return -flow.log_prob(x).mean()

    with pytest.raises(FloatingPointError, match="NaN arose in bijection 1 of 1, Affine"):
        fit(loss, flow.parameters(), steps=10)
    assert all(parameter.isfinite().all() for parameter in flow.parameters())
