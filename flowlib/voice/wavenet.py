"""WaveNet: dilated causal convolutions, and the teacher that scores and draws a waveform with one."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from flowlib.voice.logistic import mixture_log_prob, mixture_sample

FLOOR = -7.0  # of the teacher's log-scales


class WaveNet(nn.Module):
    r"""A network over a waveform whose outputs at t see the samples before t, and no other.

    .. math:: h^0_t = V x_{t-1}, \qquad
        a, b = W^l_0 h^l_{t - d_l} + W^l_1 h^l_t + U^l c_t, \qquad
        h^{l+1}_t, \text{skip}^l_t = (h^l_t, 0) + R^l (\tanh a \odot \sigma(b)), \qquad d_l = 2^l

    The outputs are two small layers on the sum of the skips.  The dilations d_l double from layer to
    layer, so that L layers see 2^L samples.  Before the first sample all is zero.

    Args:
        outputs: how many there are at each sample.
        conditions: channels of c, the conditions at each sample.  Outputs at t see c up to
            and including t.
        channels: width of every layer.
        layers: their number L.
        zero_head: whether the last layer starts at zero, so that the outputs do.

    Attributes:
        receptive_field: how many samples before t the outputs at t see, 2^L.

    Shapes: x (B, T) and c (B, conditions, T), or c (1, conditions, T) -> (B, outputs, T).

    Raises:
        ValueError: a size below 1; a wrong shape.

    Source: van den Oord et al. 2016, `arXiv:1609.03499 <https://arxiv.org/abs/1609.03499>`_,
        sections 2.1 to 2.5.

    Example:
        >>> net = WaveNet(outputs=1, conditions=3, layers=2)
        >>> x, c = torch.randn(1, 8), torch.randn(1, 3, 8)
        >>> sees = torch.autograd.functional.jacobian(lambda x: net(x, c), x)[0, 0, 6, 0] != 0
        >>> sees.long()  # the sample at 6 sees the four before it
        tensor([0, 0, 1, 1, 1, 1, 0, 0])
    """

    # ModuleLists and a Sequential, whose types cannot name their members' type.
    dilated: Any
    mixed: Any
    head: Any

    def __init__(
        self,
        outputs: int,
        conditions: int,
        channels: int = 24,
        layers: int = 9,
        zero_head: bool = False,
    ):
        super().__init__()
        if min(outputs, conditions, channels, layers) < 1:
            raise ValueError(
                "WaveNet expected outputs, conditions, channels and layers of 1 or more; "
                f"got {outputs}, {conditions}, {channels} and {layers}"
            )
        self.conditions = conditions
        self.dilations = [2**layer for layer in range(layers)]
        self.receptive_field = 2**layers
        self.start = nn.Conv1d(1, channels, 1)
        self.told = nn.Conv1d(conditions, layers * 2 * channels, 1)  # U of all layers at once
        self.dilated = nn.ModuleList(
            nn.Conv1d(channels, 2 * channels, 2, dilation=dilation, bias=False)
            for dilation in self.dilations
        )
        self.mixed = nn.ModuleList(nn.Conv1d(channels, 2 * channels, 1) for _ in self.dilations)
        self.head = nn.Sequential(
            nn.ReLU(), nn.Conv1d(channels, channels, 1), nn.ReLU(), nn.Conv1d(channels, outputs, 1)
        )
        if zero_head:
            nn.init.zeros_(self.head[-1].weight)
            nn.init.zeros_(self.head[-1].bias)

    def forward(self, x: Tensor, c: Tensor) -> Tensor:
        self.check_shapes(x, c)
        late = F.pad(x, (1, 0))[..., :-1]
        h = self.start(late.unsqueeze(-2))  # (B, channels, T)
        told = self.told(c).chunk(len(self.dilations), -2)
        skips: Any = 0
        for dilation, dilated, mixed, u in zip(self.dilations, self.dilated, self.mixed, told):
            a, b = (dilated(F.pad(h, (dilation, 0))) + u).chunk(2, -2)
            residual, skip = mixed(torch.tanh(a) * torch.sigmoid(b)).chunk(2, -2)
            h, skips = h + residual, skips + skip
        return self.head(skips)

    def generate(
        self, variable: Callable[[Tensor, Tensor], Tensor], noise: Tensor, c: Tensor
    ) -> Tensor:
        """The x with x_t = variable(noise_t, outputs_t(x)) for every t, each unit computed once.

        Each layer keeps its last d_l columns, all that it will need: a step is one column.

        Args:
            variable: from noise_t, (B, *), and the outputs at t, (B, outputs), to x_t, (B,).
            noise: shape (B, *, T).
            c: shape (B, conditions, T).

        Returns:
            x, shape (B, T).

        Source: Paine et al. 2016, `arXiv:1611.09482 <https://arxiv.org/abs/1611.09482>`_.

        Example:
            >>> net, z, c = WaveNet(1, 3, layers=2), torch.randn(1, 9), torch.randn(1, 3, 9)
            >>> x = net.generate(lambda z, outputs: z + outputs[:, 0], z, c)
            >>> torch.allclose(x, z + net(x, c)[:, 0], atol=1e-6)
            True
        """
        self.check_shapes(noise, c)
        told = self.told(c).expand(len(noise), -1, -1).unflatten(-2, (len(self.dilations), -1))
        told = told.permute(3, 1, 0, 2)  # (T, layers, B, 2 channels)
        dilated = [layer.weight.permute(2, 1, 0).flatten(0, 1) for layer in self.dilated]
        mixed = [(layer.bias, layer.weight.squeeze(-1).mT) for layer in self.mixed]
        ends = [self.start, self.head[1], self.head[3]]
        start, inner, last = ((layer.bias, layer.weight.squeeze(-1).mT) for layer in ends)
        nothing = noise.new_zeros(len(noise), self.start.out_channels)
        memory = [deque([nothing] * dilation) for dilation in self.dilations]

        x, samples = noise.new_zeros(len(noise)), []
        skips: Any
        for noise_t, told_t in zip(noise.unbind(-1), told):
            h, skips = torch.addmm(start[0], x[:, None], start[1]), 0
            for past, u, weight, (bias, mix) in zip(memory, told_t, dilated, mixed):
                past.append(h)
                columns = torch.cat([past.popleft(), h], -1)
                a, b = torch.addmm(u, columns, weight).chunk(2, -1)
                gated = torch.tanh(a) * torch.sigmoid(b)
                residual, skip = torch.addmm(bias, gated, mix).chunk(2, -1)
                h, skips = h + residual, skips + skip
            hidden = torch.addmm(inner[0], skips.relu(), inner[1]).relu()
            x = variable(noise_t, torch.addmm(last[0], hidden, last[1]))
            samples.append(x)
        return torch.stack(samples, -1) if samples else noise.new_zeros(len(noise), 0)

    def generate_by_passes(
        self, variable: Callable[[Tensor, Tensor], Tensor], noise: Tensor, c: Tensor
    ) -> Tensor:
        """What :meth:`generate` computes, one pass of the network for each sample.

        A pass is over the receptive field and no more, because the outputs see nothing else.

        Example:
            >>> net, z, c = WaveNet(1, 3, layers=2), torch.randn(1, 9), torch.randn(1, 3, 9)
            >>> add = lambda z, outputs: z + outputs[:, 0]
            >>> torch.allclose(net.generate(add, z, c), net.generate_by_passes(add, z, c), atol=1e-6)
            True
        """
        self.check_shapes(noise, c)
        x = noise.new_zeros(len(noise), 1)  # after the samples known, one that is not looked at
        for t, noise_t in enumerate(noise.unbind(-1)):
            window = slice(max(0, t - self.receptive_field), t + 1)
            outputs = self(x[:, window], c[..., window])[..., -1]
            x = torch.cat([x[:, :-1], variable(noise_t, outputs)[:, None], x[:, -1:]], 1)
        return x[:, :-1]

    def check_shapes(self, x: Tensor, c: Tensor) -> None:
        """Raise ValueError unless x is (B, *, T) and c is (B, conditions, T) or (1, conditions, T)."""
        batches = (len(x), 1) if x.ndim > 1 else ()
        if not (
            c.ndim == 3 and len(c) in batches and c.shape[1:] == (self.conditions, x.shape[-1])
        ):
            raise ValueError(
                f"WaveNet expected x of shape (B, ..., T) and c of shape (B, {self.conditions}, T); "
                f"got {tuple(x.shape)} and {tuple(c.shape)}"
            )


class Teacher(nn.Module):
    r"""A WaveNet that outputs, for each sample, a mixture of K logistics given those before it.

    .. math:: p(x \mid c) = \prod_t \sum_k \pi_{kt} \, \text{Logistic}(x_t; \mu_{kt}, s_{kt}), \qquad
        \pi_t, \mu_t, s_t = \text{functions of } x_1, \dots, x_{t-1} \text{ and } c_1, \dots, c_t

    It scores a whole waveform in one pass.  To draw one it needs each sample before the next.

    Args:
        conditions: channels of c.
        mixtures: the number of logistics K.
        channels, layers: of the :class:`WaveNet`.

    Attributes:
        floor: the log-scales are above it, softly: ln s = floor + softplus(s̃ - floor).  A higher
            one, set for a while, makes a teacher that is easier to learn from.  It is part of the
            state; a state without one, of an older file, has the floor at -7.

    Shapes: x (B, T) and c (B, conditions, T).

    Source: van den Oord et al. 2018, `arXiv:1711.10433 <https://arxiv.org/abs/1711.10433>`_,
        section 2.

    Example:
        >>> teacher = Teacher(conditions=6)
        >>> teacher.log_prob(torch.zeros(2, 100), torch.zeros(2, 6, 100)).shape
        torch.Size([2, 100])
    """

    def __init__(self, conditions: int, mixtures: int = 4, channels: int = 24, layers: int = 9):
        super().__init__()
        self.net = WaveNet(3 * mixtures, conditions, channels, layers)
        self.floor = FLOOR

    def forward(self, x: Tensor, c: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """The mixture at each sample: logits, means and log-scales, each (B, K, T), in one pass."""
        return self.mixture(self.net(x, c))

    def log_prob(self, x: Tensor, c: Tensor) -> Tensor:
        """Log-density in nats of each sample given those before it, (B, T); sum it for a clip's."""
        return mixture_log_prob(x, *self(x, c))

    @torch.no_grad()
    def generate(self, noise: Tensor, c: Tensor) -> Tensor:
        """A waveform (B, T) from uniforms (B, 2, T), by one column of the network a sample."""
        return self.net.generate(self.next_sample, noise, c)

    @torch.no_grad()
    def generate_by_passes(self, noise: Tensor, c: Tensor) -> Tensor:
        """What :meth:`generate` computes, by one pass of the network a sample."""
        return self.net.generate_by_passes(self.next_sample, noise, c)

    def next_sample(self, noise: Tensor, outputs: Tensor) -> Tensor:
        """One sample, (B,), from two uniforms, (B, 2), and the network's output, (B, 3 K)."""
        return mixture_sample(noise[..., None], *self.mixture(outputs[..., None])).squeeze(-1)

    def mixture(self, outputs: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Logits, means and log-scales, each (B, K, T) of (B, 3 K, T)."""
        logits, means, log_scales = outputs.chunk(3, -2)
        return logits, means, self.floor + F.softplus(log_scales - self.floor)

    def get_extra_state(self) -> Tensor:
        """The floor, for ``state_dict``."""
        return torch.tensor(float(self.floor), dtype=torch.float64)

    def set_extra_state(self, state: Tensor) -> None:
        """Take the floor from a state."""
        self.floor = state.item()

    def _load_from_state_dict(self, state_dict, prefix, *arguments):
        state_dict.setdefault(f"{prefix}_extra_state", torch.tensor(FLOOR))
        super()._load_from_state_dict(state_dict, prefix, *arguments)
