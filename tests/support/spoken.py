"""What the quizzes of the chapter on a real voice claim."""

import torch

from flowlib.voice.features import conditions
from flowlib.voice.student import Student
from flowlib.voice.wavenet import Teacher


def running_phase():
    """The phase is in the student's conditions only, after those that the teacher has."""
    frames = torch.randn(26, 11)
    frames[-1] = 1
    assert torch.equal(conditions(frames, phase=True)[:26], conditions(frames, phase=False))
    assert len(conditions(frames, phase=True)) == 26 + 16


def ten_times():
    """A student's networks run once each, a teacher's once for each sample that it draws."""
    student, teacher = Student(1, channels=2, layers=2), Teacher(1, channels=2, layers=2)
    calls = []
    for network in student.networks:
        network.register_forward_hook(lambda *_: calls.append(1))
    for length in (10, 100):
        student.given(torch.zeros(1, length))(torch.randn(1, length))
    assert len(calls) == 2 * 4
    passes = []
    teacher.net.register_forward_hook(lambda *_: passes.append(1))
    teacher.generate_by_passes(torch.rand(1, 2, 10), torch.zeros(1, 1, 10))
    assert len(passes) == 10
