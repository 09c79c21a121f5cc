"""The losses that teach a student: each term of Parallel WaveNet's is a function on its own."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from flowlib.voice.listening import magnitudes
from flowlib.voice.logistic import logit, mixture_log_prob
from flowlib.voice.wavenet import Teacher


def entropy(log_scale: Tensor) -> Tensor:
    r"""The entropy of the logistic from which each sample is drawn, in nats, without an estimate.

    .. math:: H\bigl(\text{Logistic}(\mu, s)\bigr) = \ln s + 2

    Args:
        log_scale: ln s, any shape.

    Source: van den Oord et al. 2018, `arXiv:1711.10433 <https://arxiv.org/abs/1711.10433>`_,
        equation 7.

    Example:
        >>> entropy(torch.tensor([0.0, 1.0]))
        tensor([2., 3.])
    """
    return log_scale + 2


def cross_entropy(
    teacher: Teacher, x: Tensor, c: Tensor, mean: Tensor, log_scale: Tensor, noise: Tensor
) -> Tensor:
    r"""What the student's next sample costs under the teacher, in nats, sample by sample.

    .. math:: H(P_S, P_T)_t = \mathbb E_{\tilde x_t \sim \text{Logistic}(\mu_t, s_t)}
        \bigl[ -\ln p_T(\tilde x_t \mid x_{<t}, c) \bigr]

    The teacher reads x **once**, whole, and outputs a mixture for every t; the draws of x̃_t are scored
    under that mixture, and so cost next to nothing.  Each of the M draws comes from its own M-th of
    the logistic's mass, which makes their mean steadier than that of free draws.

    Args:
        teacher: scores; gradients pass through it to x, and leave it alone if its parameters ask
            for none.
        x: the student's sample, shape (B, T).
        c: conditions, shape (B, C, T).
        mean, log_scale: μ and ln s of x_t given the noise before it, each (B, T), as
            :meth:`Student.conditional` returns them.
        noise: uniforms in [0, 1), shape (M, B, T), such as ``torch.rand(8, *x.shape)``: where in
            its slice each draw is.

    Shapes: (B, T).

    Source: van den Oord et al. 2018, `arXiv:1711.10433 <https://arxiv.org/abs/1711.10433>`_,
        equations 8 to 12.

    Example:
        >>> x, c, noise = torch.zeros(2, 9), torch.zeros(2, 3, 9), torch.rand(8, 2, 9)
        >>> cross_entropy(Teacher(3, layers=2), x, c, x, x, noise).shape
        torch.Size([2, 9])
    """
    slices = torch.arange(len(noise), dtype=x.dtype, device=x.device).view(-1, 1, 1)
    draws = mean + log_scale.exp() * logit((slices + noise) / len(noise))  # (M, B, T)
    return -mixture_log_prob(draws, *teacher(x, c)).mean(0)


def kl(
    teacher: Teacher, x: Tensor, c: Tensor, mean: Tensor, log_scale: Tensor, noise: Tensor
) -> Tensor:
    r"""The divergence of the student from the teacher, in nats, sample by sample.

    .. math:: \text{KL}(P_S \,\Vert\, P_T) = \sum_t H(P_S, P_T)_t - H(P_S)_t

    Its arguments are those of :func:`cross_entropy`.  The mean over many samples x is the
    divergence a sample; a single entry may well be negative.

    Shapes: (B, T).

    Source: van den Oord et al. 2018, `arXiv:1711.10433 <https://arxiv.org/abs/1711.10433>`_,
        equation 6.

    Example:
        >>> x, c, noise = torch.zeros(2, 9), torch.zeros(2, 3, 9), torch.rand(8, 2, 9)
        >>> kl(Teacher(3, layers=2), x, c, x, x, noise).shape
        torch.Size([2, 9])
    """
    return cross_entropy(teacher, x, c, mean, log_scale, noise) - entropy(log_scale)


def power_loss(x: Tensor, real: Tensor, windows: Sequence[int] = (64, 256)) -> Tensor:
    r"""How differently two sounds put their power into time and frequency: no phase is compared.

    .. math:: \sum_N \overline{\bigl\lvert \ln(|X| + \epsilon) - \ln(|Y| + \epsilon) \bigr\rvert
        + \bigl\lvert |X| - |Y| \bigr\rvert}, \qquad \epsilon = 0.1

    The magnitudes are those of windows of each length N.  A short one sees pulses, a long one
    harmonics.  The logarithm weighs soft sounds as much as loud ones; the plain difference keeps the
    loud ones right.

    Args:
        x, real: sounds, shape (B, T), that ought to sing the same, row by row.
        windows: the lengths N.

    Shapes: ().

    Source: van den Oord et al. 2018, `arXiv:1711.10433 <https://arxiv.org/abs/1711.10433>`_,
        section 4.3, has the squared difference of the powers, averaged over time; the logarithm is
        that of Arik et al. 2019, `arXiv:1808.06719 <https://arxiv.org/abs/1808.06719>`_.

    Example:
        >>> power_loss(torch.ones(2, 256), torch.ones(2, 256))
        tensor(0.)
    """
    total = x.new_zeros(())
    for window in windows:
        a, b = magnitudes(x, window), magnitudes(real, window)
        total = total + (a - b).abs().mean() + ((a + 0.1).log() - (b + 0.1).log()).abs().mean()
    return total


def contrastive(
    teacher: Teacher,
    x: Tensor,
    c: Tensor,
    other: Tensor,
    mean: Tensor,
    log_scale: Tensor,
    noise: Tensor,
    gamma: float = 0.3,
) -> Tensor:
    r"""The divergence under the right conditions, less a part of that under wrong ones.

    .. math:: \text{KL}\bigl(P_S(c) \,\Vert\, P_T(c)\bigr) -
        \gamma \, \text{KL}\bigl(P_S(c) \,\Vert\, P_T(c')\bigr)

    A student that hums the same whatever its conditions has both alike.

    Args:
        other: conditions c' of other clips, such as ``c.roll(1, 0)``; the rest is as in :func:`kl`.
        gamma: γ.

    Shapes: (B, T).

    Source: van den Oord et al. 2018, `arXiv:1711.10433 <https://arxiv.org/abs/1711.10433>`_,
        section 4.3, where γ = 0.3.

    Example:
        >>> x, c, noise = torch.zeros(2, 9), torch.rand(2, 3, 9), torch.rand(8, 2, 9)
        >>> contrastive(Teacher(3, layers=2), x, c, c.roll(1, 0), x, x, noise).shape
        torch.Size([2, 9])
    """
    right = kl(teacher, x, c, mean, log_scale, noise)
    return right - gamma * kl(teacher, x, other, mean, log_scale, noise)
