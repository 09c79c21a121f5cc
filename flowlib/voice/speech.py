"""Recorded speech: the sentences of a folder of wav files, and how they are split."""

from __future__ import annotations

import hashlib
import math
import os
import wave
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from flowlib.voice.features import BANDS, HOP, QUIET, RATE, WINDOW, analyse

PARTS = ("train", "validation", "test")


class Speech(NamedTuple):
    """A sentence and what a network that speaks it is conditioned on.

    Attributes:
        name: of the file, without its folder and its ending.
        wave: the sound, shape (T,), T a multiple of 40; its root mean square is 1.
        frames: shape (26, T / 40 + 1), as :func:`flowlib.voice.features.analyse` returns them.

    Example:
        >>> Speech("hum", torch.zeros(80), torch.zeros(26, 3)).frames.shape
        torch.Size([26, 3])
    """

    name: str
    wave: Tensor
    frames: Tensor


def read_speech(folder: str | os.PathLike, part: str | None = None) -> list[Speech]:
    """The sentences of all wav files below a folder, tones and silences left out.

    The ends of a file that are 50 dB below its voice are cut off, down to 50 ms.  Of a sentence that
    is there twice the last is kept, so that no test is of what was trained on.

    Args:
        folder: with mono files of 16 bits at 8,000 samples a second.
        part: "train", "validation" or "test", as :func:`part_of` splits them; None takes all.

    Raises:
        ValueError: another part; a file of another format; a folder without speech.

    Example:
        >>> from tempfile import mkdtemp
        >>> read_speech(mkdtemp())  # doctest: +ELLIPSIS
        Traceback (most recent call last):
        ValueError: expected a folder with speech in wav files of 8,000 samples a second; got ...
    """
    if part not in (None, *PARTS):
        raise ValueError(f"read_speech expected one of {PARTS}; got {part!r}")
    sounds: dict[Path, Tensor] = {}
    for path in sorted(Path(folder).rglob("*.wav")):
        sound = cut(read_wave(path))
        if len(sound) >= WINDOW:
            for copy in [other for other in sounds if same(sounds[other], sound)]:
                del sounds[copy]
            sounds[path] = sound
    sentences = []
    for path, sound in sounds.items():
        if part in (None, part_of(path.name)):
            frames = analyse(sound)
            if is_speech(frames):
                sentences.append(Speech(path.stem, sound, frames))
    if not sentences:
        raise ValueError(
            "expected a folder with speech in wav files of 8,000 samples a second; got "
            f"{os.fspath(folder)}, which has none" + (f" in its part {part!r}" if part else "")
        )
    return sentences


def part_of(name: str) -> str:
    """The part that a file's name belongs to: 90 of 100 train, 5 validation, 5 test.

    Example:
        >>> part_of("hello.wav")
        'train'
    """
    share = int.from_bytes(hashlib.sha256(name.encode()).digest()[:4], "big") % 100
    return PARTS[0 if share < 90 else 1 if share < 95 else 2]


def read_wave(path: str | os.PathLike) -> Tensor:
    """The samples of a wav file, shape (T,), at most 1 in size.

    Raises:
        ValueError: a file that is not mono, not of 16 bits, or not of 8,000 samples a second.

    Example:
        >>> from tempfile import mkdtemp
        >>> path = Path(mkdtemp(), "flat.wav")
        >>> write_wave(path, torch.full((80,), 0.5))
        >>> read_wave(path)[:3]
        tensor([0.5000, 0.5000, 0.5000])
    """
    with wave.open(os.fspath(path)) as file:
        form = file.getnchannels(), 8 * file.getsampwidth(), file.getframerate()
        if form != (1, 16, RATE):
            raise ValueError(f"expected {path} to be mono, 16 bits, {RATE} Hz; got {form}")
        samples = np.frombuffer(file.readframes(file.getnframes()), "<i2")
    return torch.from_numpy(samples.astype(np.float32) / 2**15)


def write_wave(path: str | os.PathLike, sound: Tensor) -> None:
    """Write a sound (T,) of at most 1 in size as a wav file, as :func:`read_wave` reads it.

    Example:
        >>> from tempfile import mkdtemp
        >>> write_wave(Path(mkdtemp(), "silence.wav"), torch.zeros(8000))
    """
    samples = (sound * 2**15).round().clamp(-(2**15), 2**15 - 1)
    with wave.open(os.fspath(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(samples.numpy().astype("<i2").tobytes())


def cut(sound: Tensor) -> Tensor:
    """A sound of unit root mean square without its silent ends, of a multiple of 40 samples.

    A silent one is left without a sample.

    Example:
        >>> cut(torch.cat([torch.zeros(4000), torch.ones(4000)])).shape
        torch.Size([4400])
    """
    level = sound.square().mean().sqrt()
    if not level > 1e-3:  # a voice is a hundred times louder
        return sound[:0]
    loud = ((sound / level).square().unfold(0, HOP, HOP).mean(-1) > 1e-5).nonzero()
    margin = RATE // 20
    sound = sound[max(0, int(loud[0]) * HOP - margin) : (int(loud[-1]) + 1) * HOP + margin]
    sound = sound[: len(sound) // HOP * HOP]
    return sound / sound.square().mean().sqrt()


def same(one: Tensor, other: Tensor) -> bool:
    """Whether two sounds of unit root mean square are one recording, perhaps rounded twice.

    Example:
        >>> same(torch.ones(4), torch.ones(4)), same(torch.ones(4), torch.ones(8))
        (True, False)
    """
    return len(one) == len(other) and bool((one * other).mean() > 0.99)


def is_speech(frames: Tensor) -> bool:
    """Whether a sound is a voice: of many bands, that change, and with frames that are not voiced.

    A tone has few bands, a signal that only hums has no other frames, and noises change less.

    Example:
        >>> is_speech(analyse(torch.sin(torch.arange(4000.0))))
        False
    """
    bands = frames[:BANDS]
    loud = bands[:, bands.amax(0) > math.log(QUIET) + 5]
    if loud.shape[1] < 2:
        return False
    many = (loud > loud.amax(0) - 7).sum(0).float().mean() > 7
    return bool(many and loud.std(1).mean() > 1.775 and frames[-1].mean() < 0.95)
