"""Each term of the loss against the integral that it estimates."""

import pytest
import torch
from torch.testing import assert_close

from bijections import moved
from flowlib.voice.distill import contrastive, cross_entropy, entropy, kl, power_loss
from flowlib.voice.logistic import Logistic, logistic_log_prob, logit, mixture_log_prob
from flowlib.voice.student import Student
from flowlib.voice.wavenet import Teacher


@pytest.fixture(autouse=True)
def seed():
    torch.manual_seed(0)


def a_teacher(mixtures=4):
    return moved(Teacher(3, mixtures, channels=4, layers=3), by=0.6).double().requires_grad_(False)


def a_sample(batch=2, length=12):
    """A student's z, its conditions, and its logistics."""
    student = moved(Student(3, flows=2, channels=4, layers=2), by=0.2).double()
    c = torch.randn(batch, 3, length, dtype=torch.float64)
    z = logit(torch.rand(batch, length, dtype=torch.float64))
    return z, c, *student.conditional(z, c)


def uniforms(draws, x):
    return torch.rand(draws, *x.shape, dtype=x.dtype)


def test_entropy_is_the_integral():
    x = torch.linspace(-200, 200, 100_001, dtype=torch.float64)
    log_scale = torch.tensor([-1.5, 0.0, 1.2], dtype=torch.float64)
    log_prob = logistic_log_prob(x, torch.zeros(3, 1).double(), log_scale[:, None])
    assert_close(entropy(log_scale), -(log_prob.exp() * log_prob).sum(-1) * (x[1] - x[0]))
    assert_close(entropy(log_scale), Logistic(torch.zeros(3), log_scale.exp()).entropy())


def test_cross_entropy_is_the_integral_at_every_sample():
    teacher, (z, c, mean, log_scale) = a_teacher(), a_sample()
    x = mean + log_scale.exp() * z
    grid = torch.linspace(-60, 60, 20_001, dtype=torch.float64)
    student = logistic_log_prob(grid[:, None, None], mean, log_scale).exp()  # (grid, B, T)
    scored = mixture_log_prob(grid.view(-1, 1, 1).expand(-1, *x.shape), *teacher(x, c))
    exact = -(student * scored).sum(0) * (grid[1] - grid[0])
    found = cross_entropy(teacher, x, c, mean, log_scale, uniforms(4000, x))
    assert_close(found, exact, rtol=2e-3, atol=2e-3)


def test_eight_draws_are_right_on_average():
    teacher, (z, c, mean, log_scale) = a_teacher(), a_sample()
    x = mean + log_scale.exp() * z
    few = [cross_entropy(teacher, x, c, mean, log_scale, uniforms(8, x)) for _ in range(400)]
    many = cross_entropy(teacher, x, c, mean, log_scale, uniforms(4000, x))
    assert_close(torch.stack(few).mean(0), many, rtol=0.02, atol=0.02)


def test_the_teacher_reads_the_sample_once_however_many_draws(monkeypatch):
    teacher, (z, c, mean, log_scale) = a_teacher(), a_sample()
    passes = []
    monkeypatch.setattr(
        teacher.net, "forward", lambda x, c, f=teacher.net.forward: passes.append(1) or f(x, c)
    )
    cross_entropy(teacher, z, c, mean, log_scale, uniforms(50, z))
    assert len(passes) == 1


def test_a_student_with_the_teachers_density_has_no_divergence():
    teacher, (x, c, _, _) = a_teacher(mixtures=1), a_sample()
    _, means, log_scales = teacher(x, c)
    found = kl(teacher, x, c, means[:, 0], log_scales[:, 0], uniforms(4000, x))
    assert_close(found, torch.zeros_like(x), rtol=0, atol=2e-3)
    wider = kl(teacher, x, c, means[:, 0], log_scales[:, 0] + 0.5, uniforms(4000, x))
    assert (wider > 0.05).all()


def test_the_divergence_is_the_mean_log_ratio_of_the_two_densities():
    teacher, (z, c, mean, log_scale) = a_teacher(), a_sample(batch=4000, length=6)
    x = mean + log_scale.exp() * z
    ratio = logistic_log_prob(x, mean, log_scale) - teacher.log_prob(x, c)
    found = kl(teacher, x, c, mean, log_scale, uniforms(8, x))
    error = (ratio - found).sum(-1).std() / 4000**0.5
    assert abs((ratio - found).sum(-1).mean()) < 4 * error
    assert found.sum(-1).mean() > 10 * error


def test_gradients_reach_the_student_and_not_the_teacher():
    teacher = Teacher(3, channels=4, layers=2).requires_grad_(False)
    student, c, z = (
        Student(3, flows=2, channels=4, layers=2),
        torch.randn(2, 3, 9),
        torch.randn(2, 9),
    )
    mean, log_scale = student.conditional(z, c)
    x = mean + log_scale.exp() * z
    kl(teacher, x, c, mean, log_scale, torch.rand(8, 2, 9)).mean().backward()
    assert all(network.head[-1].bias.grad.abs().min() > 0 for network in student.networks)
    assert all(parameter.grad is None for parameter in teacher.parameters())


def test_the_power_loss_depends_on_power_and_not_on_phase():
    x, other = torch.randn(2, 3, 1024, dtype=torch.float64)
    assert power_loss(x, x) == power_loss(x, -x) == 0
    assert_close(power_loss(x, other), power_loss(other, x))
    softer = [power_loss(scale * x, x) for scale in (0.9, 0.5, 0.1, 0.01)]
    assert softer == sorted(softer) and 0 < softer[0] < power_loss(x, other)


def test_the_power_loss_is_a_sum_over_windows_and_a_mean_over_clips():
    x, other = torch.randn(2, 4, 512, dtype=torch.float64)
    assert_close(
        power_loss(x, other, (64, 256)), power_loss(x, other, [64]) + power_loss(x, other, [256])
    )
    halves = [power_loss(x[part], other[part]) for part in (slice(2), slice(2, 4))]
    assert_close(power_loss(x, other), torch.stack(halves).mean())


def test_the_power_loss_has_a_gradient_where_the_sound_is_silent():
    x = torch.zeros(1, 256, requires_grad=True)
    power_loss(x, torch.randn(1, 256)).backward()
    assert x.grad.isfinite().all()


def test_the_contrastive_loss_takes_off_a_part_of_the_divergence_under_wrong_conditions():
    teacher, (z, c, mean, log_scale) = a_teacher(), a_sample()
    x, noise, other = mean + log_scale.exp() * z, uniforms(8, z), c.roll(1, 0)
    right, wrong = (kl(teacher, x, each, mean, log_scale, noise) for each in (c, other))
    assert_close(contrastive(teacher, x, c, other, mean, log_scale, noise), right - 0.3 * wrong)
    assert (right != wrong).any(-1).all()
