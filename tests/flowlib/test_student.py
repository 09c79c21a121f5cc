"""The student against what it promises: triangular, one logistic a sample, one pass."""

import math

import pytest
import torch
from torch.distributions import Independent
from torch.func import jacrev
from torch.testing import assert_close

from bijections import moved
from flowlib import Flow, jacobian_log_det
from flowlib.voice.logistic import Logistic, logistic_log_prob, logit
from flowlib.voice.student import InverseAutoregressiveWaveNet, Student
from flowlib.voice.wavenet import WaveNet


@pytest.fixture(autouse=True)
def seed():
    torch.manual_seed(0)


def a_student(flows=3):
    return moved(Student(3, flows, channels=4, layers=3), by=0.2).double()


def noise(*shape):
    return logit(torch.rand(shape, dtype=torch.float64))


def test_a_new_student_is_the_identity():
    student, c = Student(3), torch.randn(2, 3, 50)
    z = torch.randn(2, 50)
    x, log_det = student.given(c)(z)
    assert_close(x, z)
    assert_close(log_det, torch.zeros(2))


def test_the_jacobian_is_lower_triangular_and_its_diagonal_is_the_scale():
    student, c, z = a_student(), torch.randn(3, 12).double(), noise(12)
    jacobian = jacrev(lambda z: student.given(c)(z)[0])(z)
    assert (jacobian.triu(1) == 0).all()
    assert (jacobian.tril(-1) != 0).any(-1)[1:].all(), "no sample listens to the noise before it"
    assert_close(jacobian.diagonal(), student.conditional(z, c)[1].exp())
    assert_close(student.given(c)(z)[1], jacobian_log_det(student.given(c), z))


def test_a_sample_sees_the_noise_of_all_flows_receptive_fields_and_no_more():
    student, c = a_student(flows=2), torch.randn(3, 40).double()
    sees = jacrev(lambda z: student.conditional(z, c)[0][-1])(noise(40)) != 0
    assert sees[-1 - 16 : -1].all() and not sees[: -1 - 16].any() and not sees[-1]


def test_the_conditional_is_the_sample():
    student, c, z = a_student(), torch.randn(5, 3, 12).double(), noise(5, 12)
    mean, log_scale = student.conditional(z, c)
    x, log_det = student.given(c)(z)
    assert_close(mean + log_scale.exp() * z, x)
    assert_close(log_scale.sum(-1), log_det)


def test_the_density_of_a_sample_is_that_of_its_logistics():
    student, c, z = a_student(), torch.randn(5, 3, 12).double(), noise(5, 12)
    base = Independent(Logistic(torch.zeros(12).double(), torch.ones(12).double()), 1)
    x = student.given(c)(z)[0]
    logistics = logistic_log_prob(x, *student.conditional(z, c)).sum(-1)
    assert_close(Flow(base, student.given(c)).log_prob(x), logistics)


def test_each_row_has_its_own_conditions_or_all_have_the_same():
    student, c, z = a_student(), torch.randn(2, 5, 3, 12).double(), noise(2, 5, 12)
    x = student.given(c)(z)[0]
    assert_close(x[1, 2], student.given(c[1, 2])(z[1, 2])[0])
    same = student.given(c[1, 2])(z)[0]
    assert_close(same, student.given(c[1, 2].expand(2, 5, -1, -1))(z)[0])
    assert_close(student.given(c).inverse(x)[0], z)


def test_the_conditions_reach_the_sound_at_once_and_never_earlier():
    student, c, z = a_student(), torch.randn(3, 12).double(), noise(12)
    jacobian = jacrev(lambda c: student.given(c)(z)[0])(c)  # (12, 3, 12)
    assert (jacobian.abs().sum(1).triu(1) == 0).all()
    assert (jacobian.abs().sum(1).diagonal() > 0).all()


def test_training_reaches_every_network_through_given():
    student = Student(3, flows=2, channels=4, layers=2)
    x, log_det = student.given(torch.randn(5, 3, 9))(torch.randn(5, 9))
    (x.square().sum() - log_det.sum()).backward()
    assert all(network.head[-1].bias.grad.abs().min() > 0 for network in student.networks)


def test_a_flow_refuses_other_shapes():
    layer = InverseAutoregressiveWaveNet(WaveNet(2, 3, channels=4, layers=2), torch.zeros(3, 9))
    with pytest.raises(ValueError, match=r"expected shape \(..., 9\); got \(5, 8\)"):
        layer(torch.zeros(5, 8))
    with pytest.raises(ValueError, match="conditions"):
        Student(0)


def loud(said):
    """A flow whose network outputs one log-scale at every sample, whatever it sees."""
    layer = InverseAutoregressiveWaveNet(WaveNet(2, 3, 4, 2, zero_head=True), torch.zeros(3, 9))
    with torch.no_grad():
        layer.network.head[-1].bias[0] = said
    return layer.double()


@pytest.mark.parametrize("said", [-500.0, -3.0, -0.1, 0.0, 2.0, 500.0])
def test_the_log_scale_is_bounded_smoothly_by_four_nats(said):
    layer, z = loud(said), torch.randn(9).double()
    expected = torch.full((9,), 4 * math.tanh(said / 4), dtype=torch.float64)
    x, log_det = layer(z)
    assert_close(x, expected.exp() * z)
    assert_close(log_det, expected.sum())
    assert_close(layer.inverse(x)[0], z)
    assert_close(layer.inverse(x)[1], -expected.sum())


@pytest.mark.parametrize(
    "build", [lambda: loud(1.0), lambda: Student(3, channels=4, layers=2)], ids=["flow", "student"]
)
def test_the_bound_is_part_of_the_state_and_another_is_refused(build):
    module, state = build(), build().state_dict()
    assert state["_extra_state"] == 4
    state["_extra_state"] = torch.tensor(3.0)
    with pytest.raises(ValueError, match=r"log-scale is bounded by 4\.0; got 3\.0"):
        module.load_state_dict(state)
    del state["_extra_state"]  # an older file
    module.load_state_dict(state)
