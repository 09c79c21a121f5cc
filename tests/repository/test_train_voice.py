"""The script that trained the shipped WaveNets: in one process, in two, killed and started again."""

import json
import multiprocessing
import os
import signal
import socket
import sys
import time

import numpy as np
import pytest
import torch
from torch.distributed.run import main as torchrun
from torch.testing import assert_close

from flowlib.voice.pretrained import load_weights
from flowlib.voice.student import Student
from flowlib.voice.wavenet import Teacher
from talk import talk, write
from tools import train_voice

SMALL = ["--clips", "6", "--length", "320", "--batch", "4"]


def words(model, folder, steps):
    return [model, "--folder", str(folder), "--steps", str(steps), *SMALL]


def main(arguments, names):
    sys.argv = [train_voice.__file__, *arguments]
    os.environ.update(names)
    train_voice.main()


def start(*arguments, **names):
    """The script as a process that has torch already, to start which takes seconds."""
    process = multiprocessing.get_context("fork").Process(target=main, args=(arguments, names))
    process.start()
    return process


def start_two(*arguments):
    """Two processes as torchrun starts them."""
    with socket.socket() as free:
        free.bind(("localhost", 0))
        port = str(free.getsockname()[1])
    names = {"MASTER_ADDR": "localhost", "MASTER_PORT": port, "WORLD_SIZE": "2"}
    return [start(*arguments, **names, RANK=rank, LOCAL_RANK=rank) for rank in "01"]


def run(*arguments, starts=lambda *words: [start(*words)]):
    for process in starts(*words(*arguments)):
        process.join(300)
        assert process.exitcode == 0


def run_by_torchrun(*arguments):
    """The launcher has torch already; the two that it starts are Pythons of their own."""
    two = ["--standalone", "--nproc-per-node=2", train_voice.__file__, *words(*arguments)]
    launcher = multiprocessing.get_context("fork").Process(target=torchrun, args=(two,))
    launcher.start()
    launcher.join(300)
    assert launcher.exitcode == 0


def checkpoint(folder, model):
    return torch.load(folder / f"{model}.pt", weights_only=True)


@pytest.fixture(scope="module")
def alone(tmp_path_factory):
    """A teacher and a student, trained for a few steps by one process."""
    folder = tmp_path_factory.mktemp("alone")
    run("teacher", folder, 4)
    run("student", folder, 4)
    return folder


@pytest.mark.parametrize("model", ["teacher", "student"])
def test_two_processes_have_the_losses_of_one(alone, model, tmp_path):
    if model == "student":
        (tmp_path / "teacher.npz").write_bytes((alone / "teacher.npz").read_bytes())
        run(model, tmp_path, 4, starts=start_two)
    else:
        run_by_torchrun(model, tmp_path, 4)
    one, two = checkpoint(alone, model), checkpoint(tmp_path, model)
    assert len(one["losses"]) == 4 and len(set(one["losses"])) == 4
    assert_close(torch.tensor(two["losses"]), torch.tensor(one["losses"]), rtol=0, atol=1e-4)


def test_a_run_that_was_killed_ends_as_if_it_had_not_been(tmp_path):
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    run("teacher", whole, 60)
    process = start(*words("teacher", killed, 60))
    while not (killed / "teacher.pt").exists():
        assert process.is_alive(), "it ended before it could be killed"
        time.sleep(0.01)
    process.kill()
    process.join()
    assert process.exitcode == -signal.SIGKILL
    assert len(checkpoint(killed, "teacher")["losses"]) < 60
    assert not (killed / "teacher.npz").exists()
    run("teacher", killed, 60)
    one, two = checkpoint(whole, "teacher"), checkpoint(killed, "teacher")
    assert one["losses"] == two["losses"]
    assert (whole / "teacher.npz").read_bytes() == (killed / "teacher.npz").read_bytes()


def test_the_learning_rate_rises_and_falls_in_each_cycle():
    cycles = (10, 1.0), (5, 0.5)
    rates = [train_voice.learning_rate(step, cycles) for step in range(15)]
    assert max(rates[:10]) == rates[2] == 1 and max(rates[10:]) == rates[11] == 0.5
    assert rates[9] < 0.1 < rates[10] and rates[14] < 0.1


@pytest.fixture(scope="module")
def recordings(tmp_path_factory):
    """A folder with sentences for a spoken voice."""
    folder = tmp_path_factory.mktemp("recordings")
    for name in range(3):
        write(folder / f"{name}.wav", talk(name))
    return folder


def test_a_spoken_voice_is_trained_by_one_process_as_by_two(recordings, tmp_path):
    one, two, speech = tmp_path / "one", tmp_path / "two", ["--speech", str(recordings)]
    start(*words("spoken-teacher", one, 2), *speech).join(300)
    two.mkdir()
    (two / "spoken-teacher.npz").write_bytes((one / "spoken-teacher.npz").read_bytes())
    start(*words("spoken-student", one, 2), *speech).join(300)
    for process in start_two(*words("spoken-student", two, 2), *speech):
        process.join(300)
    losses = [torch.tensor(checkpoint(each, "spoken-student")["losses"]) for each in (one, two)]
    assert_close(*losses, rtol=0, atol=1e-4)
    teacher, student = (load_weights(one / f"spoken-{name}.npz") for name in ("teacher", "student"))
    assert teacher.net.conditions == 26
    assert student.networks[0].conditions == 26 + 16  # and the phase


def test_a_folder_without_speech_gets_one_sentence(tmp_path, capfd):
    process = start(*words("spoken-teacher", tmp_path, 1), "--speech", str(tmp_path))
    process.join(300)
    said = capfd.readouterr().err.splitlines()
    assert process.exitcode == 1 and len(said) == 1
    assert said[0].startswith("expected a folder with speech in wav files")


@pytest.mark.parametrize(("model", "kind"), [("teacher", Teacher), ("student", Student)])
def test_the_script_writes_the_format_of_the_shipped_weights(alone, model, kind):
    with np.load(alone / f"{model}.npz", allow_pickle=False) as file:
        about = json.loads(str(file["model"]))
        assert about == {"class": kind.__name__, "options": {"conditions": 6}}
        assert {file[name].dtype.name for name in file.files if name != "model"} == {"float16"}
    trained = checkpoint(alone, model)["model"]
    loaded = load_weights(alone / f"{model}.npz").state_dict()
    assert loaded.keys() == trained.keys()
    for name, value in trained.items():
        assert_close(loaded[name], value, rtol=1e-3, atol=1e-7)


def test_a_batch_that_processes_cannot_share_is_refused(tmp_path, capfd):
    for process in start_two(*words("teacher", tmp_path, 1), "--batch", "3"):
        process.join(300)
        assert process.exitcode == 1
    assert "expected a batch that 2 processes share; got 3" in capfd.readouterr().err
