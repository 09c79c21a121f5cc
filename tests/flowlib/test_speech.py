"""Recorded speech: which files count, what each frame holds, and what a network is conditioned on."""

import math
import wave

import numpy as np
import pytest
import torch
from torch.testing import assert_close

from flowlib.voice.features import BANDS, HOP, RATE, analyse, conditions, log_mel
from flowlib.voice.fidelity import compare
from flowlib.voice.recordings import CREDIT, FILE, SENTENCES, recordings
from flowlib.voice.speech import Speech, cut, is_speech, part_of, read_speech, write_wave
from talk import talk, write


def glide(length=8000):
    """A buzz whose pitch rises from 160 to 240 Hz, and its f0 at each sample."""
    f0 = 160 + 80 * torch.arange(length) / length
    phase = torch.cumsum(f0.double() / RATE, 0)
    wave = sum(torch.cos(2 * math.pi * k * phase) / k for k in range(1, 12)).float()
    return wave / wave.square().mean().sqrt(), f0


@pytest.fixture(scope="module")
def sentence():
    sound = cut(talk())
    return Speech("talk", sound, analyse(sound))


def test_the_split_is_fixed_by_the_files_name():
    parts = [part_of(f"{n}.wav") for n in range(4000)]
    assert abs(parts.count("train") / 40 - 90) < 1.5
    assert abs(parts.count("test") / 40 - 5) < 1
    assert part_of("vm-newpassword.wav") == "test" and part_of("hello-world.wav") == "validation"


def test_a_folder_is_read_without_its_tones_and_silences(tmp_path):
    (tmp_path / "digits").mkdir()
    time = torch.arange(8000) / RATE
    write(tmp_path / "digits" / "one.wav", talk())
    write(tmp_path / "tone.wav", torch.sin(2 * math.pi * 350 * time))
    write(tmp_path / "busy.wav", torch.sin(2 * math.pi * 480 * time) * (time % 0.5 < 0.25))
    write(tmp_path / "silence.wav", torch.zeros(8000))
    write(tmp_path / "click.wav", torch.ones(100))
    (read,) = read_speech(tmp_path)
    assert read.name == "one"
    assert_close(read.wave.square().mean(), torch.tensor(1.0))
    assert read.frames.shape == (26, len(read.wave) / HOP + 1)
    part = part_of("one.wav")
    assert len(read_speech(tmp_path, part)) == 1
    with pytest.raises(ValueError, match="has none in its part 'test'"):
        read_speech(tmp_path, "test" if part != "test" else "train")
    with pytest.raises(ValueError, match="expected one of .*; got 'dev'"):
        read_speech(tmp_path, "dev")


def test_a_sentence_that_is_there_twice_is_read_once(tmp_path):
    write(tmp_path / "first.wav", talk())
    write(tmp_path / "other.wav", talk(seed=1))
    write_wave(tmp_path / "second.wav", 0.3 * talk() / talk().abs().max())  # rounded otherwise
    assert [each.name for each in read_speech(tmp_path)] == ["other", "second"]


def test_a_file_of_another_rate_is_refused(tmp_path):
    path = tmp_path / "fast.wav"
    write(path, talk())
    with wave.open(str(path)) as file:
        samples = file.readframes(8000)
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, 16000, 0, "NONE", None))
        file.writeframes(samples)
    with pytest.raises(ValueError, match=r"to be mono, 16 bits, 8000 Hz; got \(1, 16, 16000\)"):
        read_speech(tmp_path)


def test_the_pitch_of_a_frame_is_that_of_its_middle():
    wave, f0 = glide()
    frames = analyse(wave)
    middle = slice(8, -8)
    cents = 1200 * (frames[BANDS].exp() / torch.cat([f0[::HOP], f0[-1:]])).log2()
    assert cents[middle].abs().max() < 12  # a frame is 4 to 3 cents wide
    assert cents[middle].mean().abs() < 2
    assert frames[-1][middle].min() == 1


def test_hiss_is_not_voiced_and_takes_over_the_pitch_beside_it(sentence):
    frames = sentence.frames
    assert frames[-1, 10:110].mean() > 0.9
    assert frames[-1, 130:165].mean() < 0.1
    assert_close(frames[BANDS, 140:160].std(), torch.tensor(0.0), atol=0.05, rtol=0)


@pytest.mark.parametrize("place", [400, 4000, 7600])
def test_a_click_is_loudest_in_the_frame_at_its_place(place):
    wave = torch.zeros(8000)
    wave[place] = 10
    loudest = log_mel(wave, 201).sum(0)
    assert loudest.argmax() == place // HOP
    assert_close(loudest[place // HOP - 2], loudest[place // HOP + 2])


def test_white_noise_of_unit_power_has_a_power_of_one_in_every_band():
    torch.manual_seed(0)
    power = log_mel(torch.randn(100_000), 2501).exp().mean(1)
    assert_close(power, torch.ones(BANDS), rtol=0.1, atol=0)


def test_conditions_pass_through_the_frames_and_are_lines_between(sentence):
    c = conditions(sentence.frames, phase=False)
    assert c.shape == (26, len(sentence.wave))
    assert_close(c[:BANDS, ::HOP], (sentence.frames[:BANDS, :-1] + 4) / 3)
    assert_close(c[:, HOP // 2 :: HOP], (c[:, ::HOP] + c[:, HOP - 1 :: HOP]) / 2, atol=0.2, rtol=0)
    assert_close(c[:BANDS, 20], (c[:BANDS, 0] + c[:BANDS, 40]) / 2)


def test_the_phase_turns_f0_times_a_second_where_the_sound_is_voiced():
    frames = torch.zeros(26, 41)
    frames[BANDS], frames[-1, 21:] = math.log(210.0), 1
    c = conditions(frames, phase=True)
    assert c.shape == (42, 1600)
    assert c[26:, :800].abs().max() == 0
    angle = 2 * math.pi * 210 / RATE * torch.arange(840, 1600)
    for k in range(1, 9):
        assert_close(c[25 + k, 840:], torch.cos(k * angle), atol=2e-3, rtol=0)
        assert_close(c[33 + k, 840:], torch.sin(k * angle), atol=2e-3, rtol=0)


def test_a_recording_is_like_itself_and_a_later_or_another_one_less(sentence):
    same = compare(sentence.wave, sentence)
    assert same.mel == same.cents == same.energy == 0
    assert same.pitch == same.voicing == 1
    late = compare(sentence.wave.roll(3 * HOP), sentence)
    assert late.mel > 1 and late.voicing < 1 and late.cents > 2
    high = Speech("high", sentence.wave, sentence.frames.clone())
    high.frames[BANDS] += math.log(2) / 12
    assert compare(sentence.wave, high).cents == pytest.approx(100, abs=0.1)
    assert compare(sentence.wave, high).pitch == 0
    with pytest.raises(ValueError, match=r"of shape \(\d+,\); got \(40,\)"):
        compare(sentence.wave[:40], sentence)


def test_the_shipped_sentences_are_speech_of_the_test_part_with_their_credit():
    read = recordings()
    assert [each.name for each in read] == list(SENTENCES)
    assert all(part_of(f"{each.name}.wav") == "test" for each in read)
    assert all(is_speech(each.frames) for each in read)
    with np.load(FILE, allow_pickle=False) as file:
        assert str(file["credit"]).startswith(CREDIT)
    assert FILE.stat().st_size < 200_000
