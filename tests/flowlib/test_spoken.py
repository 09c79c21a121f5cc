"""The spoken voice that comes with flowlib, on a sentence that no training has seen."""

import math

import pytest
import torch

from flowlib.voice.distill import kl
from flowlib.voice.features import HOP, conditions
from flowlib.voice.fidelity import compare
from flowlib.voice.logistic import logit
from flowlib.voice.pretrained import FOLDER, pretrained
from flowlib.voice.recordings import recordings


@pytest.fixture(scope="module")
def sentence():
    return recordings()[0]


def spoken(name, sentence):
    """A student's sentence, and its divergence from the teacher in bits a sample."""
    c = conditions(sentence.frames, phase=True)[None]
    torch.manual_seed(0)
    z = logit(torch.rand(1, len(sentence.wave)))
    mean, log_scale = pretrained(name).conditional(z, c)
    x = mean + log_scale.exp() * z
    noise = torch.rand(8, *x.shape)
    nats = kl(pretrained("spoken-teacher"), x, c[:, :26], mean, log_scale, noise).mean()
    return x[0], nats.item() / math.log(2)


def test_the_teacher_predicts_a_recording_from_its_own_frames(sentence):
    teacher, c = pretrained("spoken-teacher"), conditions(sentence.frames, phase=False)[None]
    right, late = (
        -teacher.log_prob(sentence.wave[None], told).mean() / math.log(2)
        for told in (c, c.roll(4 * HOP, -1))
    )
    assert right < -2  # a linear prediction from 32 samples has 0.1
    assert late > right + 0.5


def test_the_student_speaks_like_the_recording_and_the_whisper_is_nearer_to_the_teacher(sentence):
    (speech, high), (whisper, low) = (
        spoken(f"spoken-{name}", sentence) for name in ("student", "whisper")
    )
    said, breathed = compare(speech, sentence), compare(whisper, sentence)
    assert low < high
    assert said.mel < 2.5 and abs(said.energy) < 1.5
    assert said.pitch > 0.9 and said.voicing > 0.9
    assert breathed.mel > said.mel + 1 and breathed.pitch < 0.5


@pytest.mark.parametrize("name", ["teacher", "student", "whisper"])
def test_the_weights_are_small(name):
    assert (FOLDER / f"spoken-{name}.npz").stat().st_size < 400_000
    assert all(value.isfinite().all() for value in pretrained(f"spoken-{name}").parameters())
