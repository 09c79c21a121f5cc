"""How close a spoken sentence comes to its recording: spectrum, pitch, voicing, energy."""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor

from flowlib.voice import listening
from flowlib.voice.features import BANDS, analyse
from flowlib.voice.speech import Speech


class Fidelity(NamedTuple):
    r"""Figures of a sound against a recording, frame by frame.

    .. math:: \text{mel} = \overline{\bigl\lvert 10 \log_{10} (P_{m, b} + 10^{-4}) -
        10 \log_{10} (Q_{m, b} + 10^{-4}) \bigr\rvert}

    Attributes:
        mel: the mean over bands and frames, in dB.
        pitch: the share of the recording's voiced frames where f0 is within 50 cents of its own.
        cents: the median over those frames of how far off f0 is.
        voicing: the share of all frames that are voiced in both or in neither.
        energy: how much louder the sound is, in dB.

    Example:
        >>> Fidelity(1.0, 0.9, 10.0, 0.95, 0.0).mel
        1.0
    """

    mel: float
    pitch: float
    cents: float
    voicing: float
    energy: float


@torch.no_grad()
def compare(sound: Tensor, real: Speech) -> Fidelity:
    """The figures of a sound (T,) against the recording of the same sentence.

    A sound that is softer or shifted by a frame is farther away, because nothing is aligned before.

    Raises:
        ValueError: a sound of another length.

    Example:
        >>> wave = torch.sin(2 * torch.pi * 200 * torch.arange(4000) / 8000) * 2**0.5
        >>> real = Speech("hum", wave, analyse(wave))
        >>> compare(0.5 * wave, real).pitch, round(compare(0.5 * wave, real).energy)
        (1.0, -6)
    """
    if sound.shape != real.wave.shape:
        raise ValueError(
            f"compare expected a sound of shape {tuple(real.wave.shape)}; got {tuple(sound.shape)}"
        )
    frames, target = analyse(sound), real.frames
    voiced = target[-1] > 0
    cents = (1200 / math.log(2) * (frames[BANDS] - target[BANDS]).abs())[voiced]
    return Fidelity(
        mel=10 / math.log(10) * (frames[:BANDS] - target[:BANDS]).abs().mean().item(),
        pitch=(cents <= 50).float().mean().item(),
        cents=cents.median().item() if len(cents) else math.nan,
        voicing=(frames[-1] == target[-1]).float().mean().item(),
        energy=listening.energy(sound, real.wave).item(),
    )
