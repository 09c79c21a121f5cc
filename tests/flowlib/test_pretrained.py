"""Weights as files: what is refused, and what those that come with flowlib sing like."""

import json

import numpy as np
import pytest
import torch

from flowlib.voice.distill import kl
from flowlib.voice.listening import energy, in_tune, log_spectral_distance
from flowlib.voice.logistic import logit
from flowlib.voice.pretrained import FOLDER, load_weights, pretrained, save_weights
from flowlib.voice.singing import conditions, sing
from flowlib.voice.student import Student
from flowlib.voice.wavenet import Teacher

CLIPS = 24


@pytest.fixture(scope="module")
def voice():
    """Clips that no training has seen."""
    return sing(CLIPS, seed=1)


def sung(name, voice):
    """A shipped student's clips, and what they cost beyond what the teacher's would, in nats."""
    c = conditions(voice, phase=False)
    torch.manual_seed(0)
    z = logit(torch.rand(voice.wave.shape))
    mean, log_scale = pretrained(name).conditional(z, c)
    x = mean + log_scale.exp() * z
    noise = torch.rand(8, *x.shape)
    return x, kl(pretrained("teacher"), x, c, mean, log_scale, noise).mean()


def test_the_teachers_own_clips_cost_it_what_real_ones_do_and_are_in_tune(voice):
    teacher, c = pretrained("teacher"), conditions(voice, phase=False)
    torch.manual_seed(0)
    x = teacher.generate(torch.rand(CLIPS, 2, 2048), c)
    own, real = (-teacher.log_prob(each, c).mean() / np.log(2) for each in (x, voice.wave))
    assert real < -0.85
    assert abs(own - real) < 0.15
    assert in_tune(x, voice.f0, voice.rate) > 0.8


def test_the_nearer_student_whispers_and_the_farther_one_sings(voice):
    (whisper, low), (song, high) = sung("whisper", voice), sung("student", voice)
    assert low < 0.2 < high
    assert energy(whisper, voice.wave) < -8
    assert abs(energy(song, voice.wave)) < 3
    assert in_tune(whisper, voice.f0, voice.rate) < 0.1
    assert in_tune(song, voice.f0, voice.rate) > 0.75
    distances = [log_spectral_distance(x, voice.wave) for x in (song, whisper)]
    assert distances[0] < 4.3 and distances[1] > 8


@pytest.mark.parametrize("name", ["teacher", "whisper", "student"])
def test_the_shipped_weights_are_small_and_sound(name):
    model = pretrained(name)
    path = FOLDER / f"{name}.npz"
    assert path.stat().st_size < 150_000
    assert all(value.isfinite().all() for value in model.parameters())
    assert not any(value.requires_grad for value in model.parameters())


def test_a_file_with_code_in_it_is_refused(tmp_path):
    np.savez(tmp_path / "bad.npz", weight=np.array([print], dtype=object))
    with pytest.raises(ValueError, match="allow_pickle=False"):
        load_weights(tmp_path / "bad.npz")


def test_files_of_something_else_are_refused(tmp_path):
    np.savez(tmp_path / "bad.npz", weight=np.zeros(3, np.float16))
    with pytest.raises(ValueError, match=r"expected .*bad.npz to name one of .*; got \{\}"):
        load_weights(tmp_path / "bad.npz")
    about = {"class": "Teacher", "options": {"conditions": 4, "layers": 2}}
    np.savez(tmp_path / "bad.npz", model=json.dumps(about), weight=np.zeros(3, np.float16))
    with pytest.raises(ValueError, match="got others"):
        load_weights(tmp_path / "bad.npz")
    np.savez(tmp_path / "bad.npz", model=json.dumps({"class": "Teacher"}))
    with pytest.raises(ValueError, match="got others"):
        load_weights(tmp_path / "bad.npz")
    np.save(tmp_path / "bad.npy", np.zeros(3))
    with pytest.raises(ValueError, match="a whole zip of arrays"):
        load_weights(tmp_path / "bad.npy")
    with pytest.raises(ValueError, match="got 'tenor'"):
        pretrained("tenor")


def test_what_half_precision_cannot_hold_is_not_saved(tmp_path):
    with pytest.raises(ValueError, match="got a Linear"):
        save_weights(tmp_path / "no.npz", torch.nn.Linear(2, 2))
    teacher = Teacher(3, layers=2)
    with torch.no_grad():
        teacher.net.start.bias[0] = 1e6
    with pytest.raises(ValueError, match="got more in net.start.bias"):
        save_weights(tmp_path / "no.npz", teacher, conditions=3, layers=2)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "options",
    [{}, {"conditions": 4, "layers": 2}, {"conditions": 3}, {"conditions": "3", "layers": 2}]
    + [{"conditions": 3, "layers": 2, "flows": 2}],
    ids=str,
)
def test_options_that_do_not_make_the_model_again_are_not_saved(tmp_path, options):
    with pytest.raises(ValueError, match="expected the weights of .*; got others"):
        save_weights(tmp_path / "no.npz", Teacher(3, layers=2), **options)
    assert list(tmp_path.iterdir()) == []


def test_a_file_keeps_the_teachers_floor_and_refuses_another_bound(tmp_path):
    teacher = Teacher(3, layers=2)
    teacher.floor = -1.5
    save_weights(tmp_path / "teacher.npz", teacher, conditions=3, layers=2)
    assert load_weights(tmp_path / "teacher.npz").floor == -1.5
    assert pretrained("teacher").floor == -7

    save_weights(tmp_path / "student.npz", Student(3), conditions=3)
    with np.load(tmp_path / "student.npz") as file:
        arrays = {**file, "_extra_state": np.array(3.0)}
    np.savez(tmp_path / "student.npz", **arrays)
    with pytest.raises(ValueError, match=r"bounded by 4\.0; got 3\.0"):
        load_weights(tmp_path / "student.npz")


def test_another_class_of_the_same_name_is_not_saved(tmp_path):
    other = type("Teacher", (Teacher,), {})
    with pytest.raises(ValueError, match="expected one of .*; got a Teacher"):
        save_weights(tmp_path / "no.npz", other(3, layers=2), conditions=3, layers=2)


def test_saving_leaves_the_random_numbers_as_they_are(tmp_path):
    teacher, before = Teacher(3, layers=2), torch.get_rng_state()
    save_weights(tmp_path / "teacher.npz", teacher, conditions=np.int64(3), layers=2)
    assert torch.equal(torch.get_rng_state(), before)
    assert load_weights(tmp_path / "teacher.npz").net.conditions == 3
