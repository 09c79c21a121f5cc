"""A figure that trains: in Python, in a page as torch does, and what its buttons do there."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from benchmarks import moons
from flowlib.live import Noise, TraceError, axes, curve, readouts, train
from pages import learner

LOSSES = axes(curve("k", "losses"), x=(0, 9), y=(0, 9), alt="The loss.")


def begin():
    return {"x": torch.tensor(3.0)}


def descend(state, lr):
    gradient, loss = torch.func.grad_and_value(torch.square)(state["x"])
    return loss, {"x": state["x"] - lr * gradient}


def look(state, losses):
    return {"k": torch.arange(9.0), "losses": losses}


def descent(start=begin, step=descend, show=look, panel=LOSSES, **controls):
    return train(
        start, step, show, panel, name="descent", steps=9, **{"lr": (0.0, 2.0, 0.1), **controls}
    )


# ------------------------------------------------------------------ in Python


def test_a_figure_trains_in_python_and_its_picture_follows():
    fig = descent()
    fig.run(3)
    torch.testing.assert_close(fig.losses[:4], torch.tensor([9.0, 5.76, 3.6864, torch.inf]))
    assert fig.count == 3 and fig.evaluate()["losses"].equal(fig.losses)
    fig.run(100)
    assert fig.count == 9 and fig.losses.isfinite().all()
    fig.reset()
    assert (fig.count, fig.state["x"]) == (0, 3.0)


def test_step_k_is_fed_realisation_k_of_the_noise_and_new_noise_is_other_noise():
    fig, eps = learner(), Noise(64, 2, seed=1)
    x = (0.5 * eps.realisation(2) + 1).numpy()
    fig.power = -3.0
    fig.run(2)
    fig.state = fig.state | {"parameters": torch.zeros(4)}
    fig.run(1)
    assert fig.losses[2] == pytest.approx((x**2).sum(-1).mean() / 2 + np.log(2 * np.pi), rel=1e-6)
    other = learner()
    other.seed = 1
    other.run(1)
    assert other.losses[0] != fig.losses[0]


def test_a_control_that_start_names_begins_again_and_others_do_not():
    fig = learner()
    fig.run(2)
    fig.wide = True
    fig.power = 0.0
    assert fig.count == 2
    fig.low = True
    assert fig.count == 0 and (fig.state["parameters"] == -0.5).all()


def test_a_loss_that_is_not_finite_stops_and_leaves_the_last_finite_state():
    fig = learner()
    fig.run(3)
    before = fig.state["parameters"]
    fig.power = 30.0
    with pytest.raises(FloatingPointError, match="is (inf|nan) at step 4"):
        fig.run(5)
    assert fig.count == 3 and fig.state["parameters"].equal(before)
    assert fig.losses.isfinite().sum() == 3
    fig.power = -1.0
    fig.run(5)
    assert fig.count == 8


def test_a_graph_for_each_choice_that_a_function_names():
    assert list(learner().graphs) == [
        "start[false]", "step[false]", "show[]", "step[true]", "start[true]",
    ]  # fmt: skip


def wider(state, lr):
    return state["x"], {"x": state["x"].expand(2)}


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: descent(step=lambda state, lr: state), r"return \(loss, state\); got dict"),
        (
            lambda: descent(step=lambda state, lr: (state["x"], {"y": state["x"]})),
            r"of the names and shapes that it got, {'state.x': \[\]}; got {'state.y': \[\]}",
        ),
        (lambda: descent(step=wider), r"got {'state.x': \[2\]}"),
        (
            lambda: descent(lambda: {"x": torch.ones(2)}, lambda state, lr: (state["x"], state)),
            r"scalar loss; got shape \[2\]",
        ),
        (lambda: descent(lambda: {"x": 3.0}), "dict of finite tensors; got {'x': 3.0}"),
        (lambda: descent(lambda: {"x": torch.tensor(torch.nan)}), "dict of finite tensors"),
        (lambda: descent(lambda lr: begin()), "start expected checkboxes and dropdowns.*'lr'"),
        (lambda: descent(step=lambda state, rate: (state["x"], state)), "controls by name.*'rate'"),
        (lambda: descent(momentum=(0.0, 1.0, 0.9)), "no function takes the control 'momentum'"),
        (
            lambda: descent(
                lambda n: {"x": torch.ones(n)},
                lambda state, lr: (state["x"].sum(), state),
                n=[1, 2],
            ),
            "start gives {'state.x': \\[2\\]}. Let step name what the shapes depend on",
        ),
        (
            lambda: descent(step=lambda state, lr: ((state["x"] - 9).log(), state)),
            "finite loss at the defaults; the loss is nan at step 0",
        ),
        (lambda: descent(panel=readouts(losses="loss")), r"output 'losses' of shape \(\)"),
        (lambda: descent(state=True), "has a 'state' of its own"),
    ],
)
def test_what_makes_no_sense_is_refused_in_words(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_what_cannot_be_traced_is_refused_with_its_line():
    def step(state, lr):
        return torch.linalg.eigh(state["x"].expand(2, 2))[0].sum(), state  # this line

    with pytest.raises(TraceError, match="_linalg_eigh.*at test_train.py:.*# this line"):
        descent(step=step)


# ------------------------------------------------------------------ in the page


def advance(shown, steps):
    """Takes steps without drawing; returns all losses so far."""
    return shown.figure.evaluate(
        """(figure, steps) => {
          const { training } = figure.live;
          for (let k = 0; k < steps; k++) training.advance();
          return [...training.losses.slice(0, training.count)];
        }""",
        steps,
    )


@pytest.fixture(scope="module")
def couplings():
    """Eight of width 32 that learn two moons, on batches of 256."""
    return moons.two_moons(lr=0.002)


def test_the_page_trains_as_torch_does(show, couplings):
    """Sooner or later rounding decides on which side of 0 a unit is, and Adam makes a step of that:
    with these batches after 80 steps."""
    shown = show(couplings.book_data())
    losses = advance(shown, 100)
    couplings.reset()
    couplings.run(100)
    assert np.abs(losses - couplings.losses[:100].numpy())[:70].max() <= 1e-5
    assert losses[0] > 4.5 and losses[-1] < 3.2


STEP_FROM = """(figure, [state, count]) => {
  const { training } = figure.live;
  training.reset();
  training.count = count;
  training.state = Object.fromEntries(
    Object.entries(state).map(([name, values]) => [`state.${name}`, Float32Array.from(values)]),
  );
  training.advance();
  return Object.fromEntries(Object.entries(training.state).map(([k, values]) => [k, [...values]]));
}"""


def test_each_step_from_a_state_of_torch_leads_to_torchs_next(show, couplings):
    fig = couplings
    fig.reset()
    shown = show(fig.book_data())
    for _ in range(6):
        fig.run(19)
        before = {name: value.flatten().tolist() for name, value in fig.state.items()}
        after = shown.figure.evaluate(STEP_FROM, [before, fig.count])
        fig.run(1)
        for name, want in fig.state.items():
            got = torch.tensor(after[f"state.{name}"], dtype=torch.float32)
            close = {"rtol": 1e-5, "atol": 1e-5 * float(want.abs().max())}
            torch.testing.assert_close(got, want.flatten(), **close)


def count(shown):
    return int(shown.figure.get_attribute("data-step"))


def later(shown):
    """The count of steps a second later, in a page whose time is held."""
    shown.wait(1000)
    return count(shown)


def test_start_trains_pause_holds_and_reset_brings_the_first_picture_back(show):
    shown = show(learner(steps=5000).book_data(), held=True)
    untouched = shown.look()
    shown.press("Start")
    assert later(shown) > 60
    assert {"frameMs", "stepMs", "step"} <= set(
        shown.figure.evaluate("(f) => Object.keys(f.dataset)")
    )
    shown.press("Pause")
    held, picture = count(shown), shown.look()
    assert all(now != then for now, then in zip(picture, untouched))
    assert shown.figure.get_by_text(f"step {held} of 5000").is_visible()
    assert later(shown) == held and shown.look() == picture
    shown.press("Step")
    assert count(shown) == held + 1 and shown.look() != picture
    shown.press("Start")
    shown.set("power", 0.0)
    shown.press("Reset")
    assert count(shown) == 0 and later(shown) == 0 and shown.look() == untouched
    assert shown.figure.get_by_role("button", name="Start").is_visible()


PICTURES = """(figure, [step, draw, idle]) => {
  const { live } = figure, { training } = live, { advance } = training;
  let time = 0, frame, count, longest = 0, steps = 0;
  performance.now = () => time;
  window.requestAnimationFrame = (go) => { frame = go; return 1; };
  training.advance = function () { time += step; steps += 1; advance.call(this); };
  live.update = () => { time += draw; count = steps; steps = 0; };
  training.go();
  for (let k = 0; k < 50; k++, time += steps ? 0 : idle) {
    const before = training.count;
    frame(time);
    longest = Math.max(longest, training.count - before);
  }
  return [count, longest];
}"""


@pytest.mark.parametrize(
    ("step", "draw", "idle", "steps", "in_one_frame"),
    [
        (1, 2, 11, 3, 3),  # a fast device: no more than a reader can watch
        (5, 2, 4, 5, 5),
        (30, 60, 30, 3, 2),  # a slow one: as long as the drawing and what the browser adds
        (1, 20, 20, 9, 9),
        (20, 400, 0, 20, 3),  # a very slow one: a click waits for few steps only
        (60, 400, 0, 7, 1),
    ],
)
def test_steps_take_as_long_as_a_picture(show, step, draw, idle, steps, in_one_frame):
    shown = show(learner(steps=5000).book_data())
    assert shown.figure.evaluate(PICTURES, [step, draw, idle]) == [steps, in_one_frame]


def test_steps_draw_other_noise_and_follow_the_controls(show):
    shown = show(learner().book_data())

    def after(*changes):
        shown.press("Reset")
        for name, value in changes:
            shown.set(name, value)
        shown.press("Step")
        shown.press("Step")
        return shown.look()

    changes = ([], [("power", 0)], [("wide", True)], [("low", True)])
    assert len({str(after(*each)) for each in changes}) == 4
    usual = after()
    assert after() == usual
    shown.press("Reset")
    shown.press("New noise")
    shown.press("Step")
    shown.press("Step")
    assert shown.look() != usual


def test_another_start_begins_again_and_says_so(show):
    shown = show(learner().book_data())
    shown.press("Step")
    shown.set("wide", True)
    assert count(shown) == 1
    shown.set("low", True)
    assert count(shown) == 0
    assert shown.figure.get_by_text("Started again, for another low: step 0 of 30").is_visible()
    shown.press("Step")
    told = shown.figure.locator(".live-count").inner_text()
    assert told == f"step 1 of 30, loss {fresh(shown):.3f}"


def test_it_stops_at_the_last_step_and_start_begins_again(show):
    shown = show(learner(steps=5).book_data(), held=True)
    shown.press("Start")
    assert later(shown) == 5
    shown.press("Step")
    assert count(shown) == 5
    shown.press("Start")
    assert 0 < count(shown) < 5
    assert later(shown) == 5


def test_it_trains_by_the_browsers_own_clock(show, page):
    shown = show(learner(steps=50).book_data())
    shown.press("Start")
    page.wait_for_function("document.querySelector('figure').dataset.step == 50")
    assert shown.figure.get_by_role("button", name="Start").is_visible()


def test_a_loss_that_is_not_finite_is_said_in_words_and_the_last_finite_state_kept(show):
    shown = show(learner().book_data(), held=True)
    for _ in range(3):
        shown.press("Step")
    before = shown.look()
    shown.set("power", 30.0)
    shown.press("Start")
    shown.wait(100)
    assert shown.alert == (
        "Training stopped: the loss is not finite at step 4. The last finite state is kept. "
        "Try a smaller step size, or press Reset."
    )
    assert count(shown) == 3 and shown.look()[:2] == before[:2]
    shown.set("power", -1.0)
    assert shown.state == "ready"
    shown.press("Step")
    assert count(shown) == 4 and shown.state == "ready"


def test_it_pauses_out_of_sight_and_in_a_hidden_tab(show, page):
    shown = show(learner(steps=5000).book_data(), held=True)
    page.evaluate(
        "document.body.append(Object.assign(document.createElement('div'), { style: 'height: 3000px' }))"
    )
    shown.press("Start")
    page.evaluate("window.scrollTo(0, 2500)")
    page.wait_for_function("document.querySelector('.live-start').textContent === 'Start'")
    held = count(shown)
    assert 0 < held == later(shown)
    page.evaluate("window.scrollTo(0, 0)")
    assert later(shown) == held
    shown.press("Start")
    assert later(shown) > held
    page.evaluate(
        """() => {
          Object.defineProperty(document, "hidden", { value: true });
          document.dispatchEvent(new Event("visibilitychange"));
        }"""
    )
    held = count(shown)
    assert later(shown) == held


def test_with_reduced_motion_pictures_come_once_a_second(show, page):
    page.emulate_media(reduced_motion="reduce")
    shown = show(learner(steps=5000).book_data(), held=True)
    shown.figure.evaluate(
        """(figure) => {
          const { update } = figure.live;
          window.frames = 0;
          figure.live.update = function () { window.frames += 1; update.call(this); };
          figure.querySelector(".live-start").click();
        }"""
    )
    shown.wait(2500)
    assert count(shown) > 60 and page.evaluate("window.frames") == 3
    shown.press("Pause")
    assert float(shown.look()[1][0]) == pytest.approx(fresh(shown), abs=2e-3)


def fresh(shown):
    """The sum of the losses so far."""
    return shown.figure.evaluate(
        "({ live: { training: t } }) => t.losses.slice(0, t.count).reduce((a, b) => a + b, 0)"
    )


def test_the_step_is_spoken_once_training_rests_and_not_each_step(show):
    shown = show(learner(steps=5000).book_data(), held=True)
    spoken = shown.figure.locator(".live-spoken")
    shown.wait(1000)
    assert spoken.text_content() == "step 0 of 5000, sum of the losses: 0.000"
    shown.press("Start")
    shown.wait(3000)
    assert spoken.text_content() == "step 0 of 5000, sum of the losses: 0.000"
    shown.press("Pause")
    shown.wait(1000)
    told = shown.figure.locator(".live-count").inner_text()
    assert told.startswith(f"step {count(shown)} of 5000, loss ")
    assert spoken.text_content() == f"{told}, sum of the losses: {shown.look()[1][0]}"
    assert told in shown.look()[2]


@pytest.mark.parametrize("speed, steps", [("slow", 10), ("usual", 30), ("fast", 5000)])
def test_a_reader_sets_the_speed_by_the_keyboard(show, page, speed, steps):
    """In ten frames, during which the page's clock stands still: nothing else ends the fastest ones."""
    shown = show(learner(steps=5000).book_data(), held=True)
    shown.figure.get_by_label("Speed of training").focus()
    page.keyboard.press({"slow": "ArrowUp", "usual": "Escape", "fast": "ArrowDown"}[speed])
    shown.figure.get_by_role("button", name="Start").evaluate("(button) => button.click()")
    shown.wait(160)
    assert count(shown) == pytest.approx(steps, abs=3 if speed == "usual" else 0)


FOCUSED = """() => {
    const { name, ariaLabel, textContent } = document.activeElement;
    return name || ariaLabel || textContent;
}"""


def test_the_keyboard_trains(show, page):
    shown = show(learner(steps=5000).book_data(), held=True)
    reached = []
    for _ in range(12):
        page.keyboard.press("Tab")
        reached.append(page.evaluate(FOCUSED))
    assert reached == [
        "Start", "Step", "Reset", "Speed of training", "power", "low", "wide", "size", "New noise",
        "Keep beside", "Copy link", "Save or embed",
    ]  # fmt: skip
    shown.figure.get_by_role("button", name="Start").focus()
    page.keyboard.press("Enter")
    assert later(shown) > 60
    assert page.evaluate("document.activeElement.textContent") == "Pause"
    page.keyboard.press("Enter")
    held = count(shown)
    assert later(shown) == held


def test_an_altered_step_is_an_error_in_words(show):
    data = learner().book_data()
    data["graphs"]["step[false]"]["nodes"][0][0] = "eigh"
    shown = show(data)
    shown.press("Step")
    assert "Training stopped: node 0" in shown.alert and count(shown) == 0
