"""The student of Parallel WaveNet: inverse autoregressive flows that sing a whole clip in one pass."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from flowlib.base import Bijection, Compose
from flowlib.network import bounded
from flowlib.voice.wavenet import WaveNet

BOUND = 4.0  # of a flow's log-scale, in nats, either way


class _BoundInState(nn.Module):
    """The state has the bound, and one with another bound is refused: it is of another density."""

    def get_extra_state(self) -> Tensor:
        return torch.tensor(BOUND, dtype=torch.float64)

    def set_extra_state(self, state: Tensor) -> None:
        if state != BOUND:
            raise ValueError(
                f"{type(self).__name__} expected the state of a flow whose log-scale is bounded by "
                f"{BOUND}; got {state.item()}"
            )

    def _load_from_state_dict(self, state_dict, prefix, *arguments):
        state_dict.setdefault(f"{prefix}_extra_state", torch.tensor(BOUND))  # of an older file
        super()._load_from_state_dict(state_dict, prefix, *arguments)


class InverseAutoregressiveWaveNet(_BoundInState, Bijection):
    r"""One flow of the student: each sample's scale and shift are read off the noise before it.

    .. math:: x_t = e^{s_t} z_t + \mu_t, \qquad \log\lvert\det J\rvert = \sum_t s_t, \qquad
        s_t, \mu_t = \text{WaveNet}(z_1, \dots, z_{t-1}, c)

    ``forward``, the direction that samples, is one pass: all of z is known.  ``inverse`` is
    sequential, since z_t needs z_1 to z_{t-1} first: T steps, each of one column of the network
    (:meth:`WaveNet.generate`).  Distillation never needs it.

    Args:
        network: gives two outputs a sample: the log-scale, which is bounded by 4 nats either way as
            4 tanh(s / 4), and the shift.
        conditions: c, shape (C, T), or (*, C, T) for points of shape (*, T).

    Shapes: (*, T) -> (*, T) and (*).

    Raises:
        ValueError: a wrong shape; ``load_state_dict`` of a state with another bound.

    Source: Kingma et al. 2016, `arXiv:1606.04934 <https://arxiv.org/abs/1606.04934>`_, section 4;
        van den Oord et al. 2018, `arXiv:1711.10433 <https://arxiv.org/abs/1711.10433>`_, section
        4.1.

    Example:
        >>> layer = InverseAutoregressiveWaveNet(WaveNet(2, 3, channels=4, layers=2), torch.rand(3, 9))
        >>> x, log_det = layer(torch.randn(5, 9))
        >>> x.shape, log_det.shape
        (torch.Size([5, 9]), torch.Size([5]))
    """

    dim: int
    conditions: Tensor

    def __init__(self, network: WaveNet, conditions: Tensor):
        super().__init__()
        self.dim = conditions.shape[-1]
        self.network = network
        self.register_buffer("conditions", conditions)

    def forward(self, z: Tensor) -> tuple[Tensor, Tensor]:
        self.check(z)
        log_scale, shift = self.log_scale_and_shift(z)
        return torch.exp(log_scale) * z + shift, log_scale.to(z.dtype).sum(-1)

    def inverse(self, x: Tensor) -> tuple[Tensor, Tensor]:
        self.check(x)
        log_scales = []

        def noise(x: Tensor, outputs: Tensor) -> Tensor:
            log_scale, shift = self.bounded(outputs[..., None])
            log_scales.append(log_scale)
            return ((x[..., None] - shift) * torch.exp(-log_scale)).squeeze(-1)

        z = self.network.generate(noise, x.reshape(-1, self.dim), self.rows(x))
        log_det = -torch.cat(log_scales, -1).to(x.dtype).sum(-1)
        return z.reshape(x.shape), log_det.reshape(x.shape[:-1])

    def log_scale_and_shift(self, z: Tensor) -> tuple[Tensor, Tensor]:
        """s and μ, each (*, T); those at t see only the z before t."""
        outputs = self.network(z.reshape(-1, self.dim), self.rows(z))  # (batch, 2, T)
        log_scale, shift = self.bounded(outputs)
        return log_scale.reshape(z.shape), shift.reshape(z.shape)

    def rows(self, z: Tensor) -> Tensor:
        """c as the network takes it, (batch, C, T), or (1, C, T) where it is the same for all."""
        if self.conditions.ndim == 2:
            return self.conditions[None]
        return self.conditions.expand(*z.shape[:-1], -1, -1).reshape(
            -1, *self.conditions.shape[-2:]
        )

    def bounded(self, outputs: Tensor) -> tuple[Tensor, Tensor]:
        """s and μ, each (batch, T), of the network's output, (batch, 2, T)."""
        log_scale, shift = outputs.unbind(-2)
        return bounded(log_scale, BOUND), shift


class Student(_BoundInState):
    r"""A stack of inverse autoregressive flows, conditioned on what is to be sung.

    .. math:: x = f_4 \circ f_3 \circ f_2 \circ f_1 (z; c), \qquad z_t \sim \text{Logistic}(0, 1)

    ``given(c)`` is the :class:`Bijection`.  Since each flow's scale and shift at t see the noise
    before t alone, so do those of the stack, and x_t given z_1, …, z_{t-1} is one logistic:
    :meth:`conditional` composes its location and scale.

    Args:
        conditions: channels of c.
        flows, channels, layers: how many flows, and the size of the WaveNet of each.

    Every network's head starts at zero: a new student is the identity.

    Source: van den Oord et al. 2018, `arXiv:1711.10433 <https://arxiv.org/abs/1711.10433>`_,
        section 4.1.

    Example:
        >>> student, c = Student(3, channels=4, layers=2), torch.rand(5, 3, 9)
        >>> flow, z = student.given(c), torch.randn(5, 9)
        >>> mean, log_scale = student.conditional(z, c)
        >>> bool(torch.allclose(flow(z)[0], mean + log_scale.exp() * z))
        True
    """

    networks: Any  # a ModuleList, whose type cannot name its members' type

    def __init__(self, conditions: int, flows: int = 4, channels: int = 16, layers: int = 7):
        super().__init__()
        self.networks = nn.ModuleList(
            WaveNet(2, conditions, channels, layers, zero_head=True) for _ in range(flows)
        )

    def given(self, c: Tensor) -> Compose:
        """The bijection of R^T under conditions c, of shape (C, T), or (*, C, T) row by row."""
        return Compose(*(InverseAutoregressiveWaveNet(network, c) for network in self.networks))

    def conditional(self, z: Tensor, c: Tensor) -> tuple[Tensor, Tensor]:
        r"""The logistic of each x_t given the noise before it: location and log-scale, each (*, T).

        .. math:: \mu \leftarrow \mu \, e^{s_k} + \mu_k, \qquad \log s \leftarrow \log s + s_k,
            \qquad x_t \mid z_{<t} \sim \text{Logistic}(\mu_t, s_t)

        The sample itself is x = μ + s z.

        Args:
            z: noise, shape (*, T).
            c: conditions, shape (C, T) or (*, C, T).
        """
        x, mean, log_scale = z, torch.zeros_like(z), torch.zeros_like(z)
        for flow in self.given(c).bijections:
            flow_log_scale, shift = flow.log_scale_and_shift(x)
            x = torch.exp(flow_log_scale) * x + shift
            mean = torch.exp(flow_log_scale) * mean + shift
            log_scale = log_scale + flow_log_scale
        return mean, log_scale
