"""Measures the spoken voices on the test part of their recordings, and lets a recogniser listen.

    python -m benchmarks.spoken --speech FOLDER

FOLDER has the wav files that ``tools/train_voice.py`` learns from.  Every figure is a mean over the
samples or frames of all test sentences, and then over the draws of noise.  The recogniser is
pocketsphinx, its grammar the test sentences: right is what it takes for the sentence that it is.
"""

from __future__ import annotations

import argparse
import math
import os
from collections.abc import Callable
from pathlib import Path

os.environ["OMP_NUM_THREADS"] = "1"  # before torch

import torch
import torch.nn.functional as F
from pocketsphinx import Decoder
from torch import Tensor, nn
from tqdm import tqdm

from benchmarks import quiet
from benchmarks.record import RESULTS, machine, write
from benchmarks.transcripts import PHONES, TRANSCRIPTS
from flowlib.voice.distill import kl
from flowlib.voice.features import RATE, conditions
from flowlib.voice.fidelity import compare
from flowlib.voice.logistic import logistic_log_prob, logit
from flowlib.voice.pretrained import pretrained
from flowlib.voice.speech import Speech, read_speech

BITS = math.log(2)  # nats in a bit
DRAWS = 5  # of a voice's noise
ROUNDS = 9  # of the timing
TAPS = 32  # samples that the linear prediction sees


def linear(train: list[Speech], test: list[Speech]) -> float:
    """Bits a sample of a linear prediction from 32 samples and one logistic, fitted to other sentences."""
    moments = torch.zeros(TAPS + 1, TAPS + 1, dtype=torch.float64)
    for each in train:
        past = each.wave.double().unfold(-1, TAPS + 1, 1)
        moments += past.mT @ past
    weights = torch.linalg.solve(moments[:TAPS, :TAPS], moments[:TAPS, TAPS]).float()

    def errors(sentences: list[Speech]) -> Tensor:
        past = [each.wave.unfold(-1, TAPS + 1, 1) for each in sentences]
        return torch.cat([row[:, TAPS] - row[:, :TAPS] @ weights for row in past])

    some, zero = errors(train)[::20], torch.zeros(())
    scales = torch.linspace(-4, 0, 201)
    best = max(scales, key=lambda scale: logistic_log_prob(some, zero, scale).mean().item())
    return -logistic_log_prob(errors(test), zero, best).mean().item() / BITS


def bits(teacher: nn.Module, sentences: list[Speech]) -> float:
    """Bits a sample of the recordings."""
    nats = [
        -teacher.log_prob(each.wave[None], conditions(each.frames, phase=False)[None]).sum()
        for each in sentences
    ]
    return sum(nats).item() / sum(len(each.wave) for each in sentences) / BITS


def teacher_speaks(teacher: nn.Module, sentences: list[Speech], seed: int) -> list[Tensor]:
    """All sentences at once, each sample after the one before; the shorter ones go on in silence."""
    told = [conditions(each.frames, phase=False) for each in sentences]
    longest = max(each.shape[-1] for each in told)
    c = torch.stack([F.pad(each, (0, longest - each.shape[-1]), "replicate") for each in told])
    noise = torch.rand(len(c), 2, longest, generator=torch.Generator().manual_seed(seed))
    waves = teacher.generate(noise, c)
    return [wave[: len(each.wave)] for wave, each in zip(waves, sentences)]


def student_speaks(
    student: nn.Module, teacher: nn.Module, sentences: list[Speech], seed: int
) -> tuple[list[Tensor], float]:
    """All sentences, and their divergence from the teacher in bits a sample."""
    generator = torch.Generator().manual_seed(seed)
    waves, nats = [], 0.0
    for each in sentences:
        c = conditions(each.frames, phase=True)[None]
        z = logit(torch.rand(1, c.shape[-1], generator=generator))
        mean, log_scale = student.conditional(z, c)
        x = mean + log_scale.exp() * z
        noise = torch.rand(8, *x.shape, generator=generator)
        nats += kl(teacher, x, c[:, : teacher.net.conditions], mean, log_scale, noise).sum().item()
        waves.append(x[0])
    return waves, nats / sum(map(len, waves)) / BITS


def figures(waves: list[Tensor], sentences: list[Speech]) -> dict[str, float]:
    """Means of :func:`compare` over frames; those of the pitch over voiced frames."""
    each = [compare(wave, real) for wave, real in zip(waves, sentences)]
    frames = [real.frames.shape[1] for real in sentences]
    voiced = [real.frames[-1].sum().item() for real in sentences]

    def mean(name: str, weights: list) -> float:
        return sum(getattr(one, name) * w for one, w in zip(each, weights) if w) / sum(weights)

    over = {"mel": frames, "energy": frames, "pitch": voiced, "voicing": frames}
    return {name: mean(name, weights) for name, weights in over.items()}


def recogniser(words: list[str]) -> Callable[[Tensor], str]:
    """From a sound to the one of these sentences that pocketsphinx takes it for."""
    decoder = Decoder(samprate=2 * RATE, logfn=os.devnull)
    for word in sorted({word for each in words for word in each.split()}):
        if decoder.lookup_word(word) is None:
            decoder.add_word(word, PHONES[word], True)
    decoder.add_jsgf_string("test", f"#JSGF V1.0; grammar g; public <s> = {' | '.join(words)};")
    decoder.activate_search("test")
    dither = torch.Generator().manual_seed(0)

    def hear(wave: Tensor) -> str:
        spectrum = torch.fft.rfft(wave)
        twice = 2 * torch.fft.irfft(F.pad(spectrum, (0, len(spectrum) - 1)), 2 * len(wave))
        sound = F.pad(twice, (3200, 3200))
        sound = sound + 0.003 * torch.randn(len(sound), generator=dither)
        decoder.start_utt()
        decoder.process_raw(
            (3000 * sound).clamp(-32000, 32000).short().numpy().tobytes(), full_utt=True
        )
        decoder.end_utt()
        heard = decoder.hyp()
        return heard.hypstr if heard else ""

    return hear


def speeds(teacher: nn.Module, student: nn.Module, sentence: Speech) -> dict:
    """Milliseconds for a second of speech on all cores, by turns; the teacher is the cached one."""
    torch.set_num_threads(os.cpu_count() or 1)
    c = conditions(sentence.frames, phase=True)[None, :, :RATE]
    noise = torch.rand(1, 2, RATE, generator=torch.Generator().manual_seed(0))
    contenders = {
        "teacher": lambda: teacher.generate(noise, c[:, : teacher.net.conditions]),
        "student": lambda: student.given(c[0])(logit(noise[:, 0])),
        quiet.REFERENCE: quiet.reference(),
    }
    took: dict[str, list[float]] = {name: [] for name in contenders}
    for _ in range(ROUNDS):
        for name, work in contenders.items():
            took[name].append(quiet.timed(work))
    return quiet.row("a second of speech", took)


def mean_of(rows: list[dict[str, float]]) -> dict[str, float]:
    """Means over the draws, and under "±" their standard deviations."""
    stack = {
        name: torch.tensor([row[name] for row in rows], dtype=torch.float64) for name in rows[0]
    }
    apart = {name: round(each.std().item(), 3) for name, each in stack.items()}
    return {name: round(each.mean().item(), 3) for name, each in stack.items()} | {"±": apart}


@torch.no_grad()
def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--speech", type=Path, required=True, help="folder of the wav files")
    options = parser.parse_args()
    train, test = (read_speech(options.speech, part) for part in ("train", "test"))
    voices = {name: pretrained(f"spoken-{name}") for name in ("teacher", "student", "whisper")}
    teacher, words = voices["teacher"], [TRANSCRIPTS[each.name] for each in test]
    hear = recogniser(words)

    def row(waves: list[Tensor]) -> dict[str, float]:
        right = [hear(wave) == said for wave, said in zip(waves, words)]
        return figures(waves, test) | {"recognised": sum(right) / len(right)}

    rows: dict[str, list] = {name: [] for name in ("recording", *voices)}
    for seed in tqdm(range(DRAWS), disable=None):
        rows["recording"].append(row([each.wave for each in test]))
        rows["teacher"].append(row(teacher_speaks(teacher, test, seed)))
        for name in ("student", "whisper"):
            waves, divergence = student_speaks(voices[name], teacher, test, seed)
            rows[name].append(row(waves) | {"kl_bits": divergence})
    result = {
        "sentences": len(test),
        "seconds": round(sum(len(each.wave) for each in test) / RATE, 1),
        "bits": {"linear": round(linear(train, test), 3), "teacher": round(bits(teacher, test), 3)},
        "voices": {name: mean_of(each) for name, each in rows.items()},
        "speed": speeds(teacher, voices["student"], max(test, key=lambda each: len(each.wave))),
        "machine": machine(),
    }
    write(RESULTS / "spoken.json", result)
    print(*quiet.disturbed([result["speed"]]), sep="\n")
    print(result["bits"], *result["voices"].items(), result["speed"], sep="\n")


if __name__ == "__main__":
    main()
