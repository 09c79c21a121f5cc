"""A mouse, a finger and the arrow keys in a picture: a probe goes where they point, a handle with them."""

import functools
import json

import pytest
import torch

from flowlib.live import axes, heat, live, points, readouts, static
from pages import book
from shown import Shown
from touch import PHONE, Finger

BOX = {"x": (-3, 3), "y": (-3, 3), "equal": True}
UP, RIGHT = [(0, -15)] * 12, [(12, 0)] * 6


def bell(a, b, z1, z2):
    """A bell at (a, b); how high it is at the probe, and where the probe goes."""
    centre, z = torch.stack([a, b]), torch.stack([z1, z2])
    side = torch.linspace(-3.0, 3.0, 20)
    plane = torch.stack(torch.meshgrid(side, side, indexing="xy"), -1)
    log_p = -(z - centre).square().sum() / 2
    density = torch.exp(-(plane - centre).square().sum(-1) / 2)
    return {"density": density, "log_p": log_p, "image": (centre + z.tanh())[None]}


@functools.cache
def asked():
    left = axes(heat("density"), **BOX, probe=("z1", "z2"), drag=[("a", "b")], alt="A bell.")
    right = axes(points("image"), **BOX, drag=[("a", -2.5)], alt="Where it goes.")
    return live(
        bell, left, right, readouts(log_p="log p"), name="bell", caption="Point.",
        a=(-2.0, 2.0, 1.0), b=(-1.0, 1.0, 0.5), z1=(-3.0, 3.0, -1.0), z2=(-3.0, 3.0, 0.0),
    )  # fmt: skip


@functools.cache
def data():
    return json.dumps(asked().book_data())


class Picture:
    """A page with the figure on it, and what is at a place of one of its pictures."""

    def __init__(self, page, tmp_path, *below):
        self.shown, self.page = Shown(page, tmp_path, json.loads(data()), *below), page

    def at(self, x, y, panel=0):
        """In pixels of the window, by the margins of every picture."""
        box = self.shown.figure.locator("canvas").nth(panel).bounding_box()
        across, up = (x + 3) / 6 * (box["width"] - 50), (y + 3) / 6 * (box["height"] - 64)
        return box["x"] + 40 + across, box["y"] + box["height"] - 40 - up

    def drag(self, *places, panel=0):
        self.page.mouse.move(*self.at(*places[0], panel))
        self.page.mouse.down()
        for place in places[1:]:
            self.page.mouse.move(*self.at(*place, panel))
        self.page.mouse.up()
        self.shown.settle()

    @property
    def state(self):
        names = ["a", "b", "z1", "z2"]
        return self.shown.figure.evaluate(
            "(f, names) => names.map((n) => f.live.model.get(n))", names
        )


@pytest.fixture
def picture(page, tmp_path):
    yield (made := Picture(page, tmp_path))
    assert made.shown.errors == []


@pytest.fixture
def phone(browser, tmp_path):
    context = browser.new_context(**PHONE)
    picture = Picture(context.new_page(), tmp_path, book("below"))
    picture.page.evaluate("scrollTo(0, 60)")
    picture.finger = Finger(picture.page)
    yield picture
    assert picture.shown.errors == []
    context.close()


def close(state, *expected):
    assert state == pytest.approx(expected, abs=0.06)  # half a step, and half a pixel


def test_a_press_asks_and_the_page_answers_as_torch_does(picture):
    before = picture.shown.look()
    for place in ((2.0, -2.0), (-2.9, 2.9)):
        picture.drag(place)
        close(picture.state, 1.0, 0.5, *place)
        z1, z2 = picture.state[2:]
        answer = bell(*torch.tensor([1.0, 0.5, z1, z2]))
        outputs = picture.shown.figure.evaluate(
            "({ live }) => [live.outputs.log_p[0], ...live.outputs.image]"
        )
        expected = [answer["log_p"], *answer["image"][0]]
        assert outputs == pytest.approx([float(each) for each in expected], rel=1e-5)
        now = picture.shown.look()
        assert all(one != other for one, other in zip(now, before))
        assert now[1] == [f"{float(answer['log_p']):.3f}".replace("-", "−")]
        assert f"z₁ = {z1:.2f}".replace("-", "−") in now[2]
        before = now
    said = picture.shown.figure.locator(".live-spoken")
    assert said.get_attribute("aria-live") == "polite"
    picture.page.wait_for_function("(s) => s.textContent", arg=said.element_handle())
    assert said.inner_text() == f"log p: {before[1][0]}"


def test_a_mouse_drags_the_probe_and_stays_within_the_axes(picture):
    picture.drag((0, 0), (1, 1), (2.5, 9))
    close(picture.state, 1.0, 0.5, 2.5, 3.0)
    picture.drag((-3.3, 0), (2, 2))  # begins beside the axes
    close(picture.state, 1.0, 0.5, 2.5, 3.0)


def test_a_handle_is_dragged_by_its_ring_and_takes_the_steps_of_its_sliders(picture):
    beside = 0.1  # a reader takes hold beside the middle, and nothing jumps
    picture.drag((1 + beside, 0.5 + beside))
    close(picture.state, 1.0, 0.5, -1.0, 0.0)
    picture.drag((1 + beside, 0.5 + beside), (-1.2 + beside, -0.31 + beside))
    close(picture.state, -1.2, -0.3, -1.0, 0.0)
    assert picture.state[0] == round(picture.state[0], 2)
    values = [picture.shown.figure.locator(f"[name={n}]").input_value() for n in "ab"]
    assert [float(value) for value in values] == picture.state[:2]
    picture.drag((-1.2, -0.31), (-2.9, 2.9))
    assert picture.state == [-2.0, 1.0, -1.0, 0.0]  # the ends of the sliders
    picture.drag((-2, -2.5), (0.5, 2), panel=1)
    close(picture.state, 0.5, 1.0, -1.0, 0.0)  # a number stays
    picture.drag((-2, 2), panel=1)  # no probe here
    close(picture.state, 0.5, 1.0, -1.0, 0.0)


def test_of_two_rings_the_closer_one_is_taken(picture):
    picture.drag((0, -2), (0.8, 0.5))
    picture.drag((1.2, 0.5), (1.7, 0.5))
    close(picture.state, 1.5, 0.5, 0.8, 0.5)
    picture.drag((0.79, 0.5), (0.0, 0.0))
    close(picture.state, 1.5, 0.5, 0.0, 0.0)


def test_however_many_moves_one_draw(picture):
    drawn = picture.page.evaluate(
        """async (places) => {
          const { live } = document.querySelector("figure");
          const { evaluate } = live, canvas = document.querySelector("canvas");
          let drawn = 0;
          live.evaluate = function () { drawn++; return evaluate.call(this); };
          canvas.parentElement.setPointerCapture = () => {}; // a pointer that there is not
          const send = (type, [clientX, clientY]) => canvas.dispatchEvent(
            new PointerEvent(type, { clientX, clientY, pointerId: 9, pointerType: "mouse", bubbles: true }));
          await new Promise(requestAnimationFrame);
          send("pointerdown", places[0]);
          for (let i = 0; i < 200; i++) send("pointermove", places[i % 2]);
          send("pointerup", places[1]);
          for (let i = 0; i < 3; i++) await new Promise(requestAnimationFrame);
          return drawn;
        }""",
        [picture.at(-2, -2), picture.at(2, 2)],
    )
    assert drawn == 1 and picture.state[2:] == pytest.approx([2, 2], abs=0.06)


def test_keys_move_the_probe_and_escape_takes_it_back(picture):
    picture.page.keyboard.press("Tab")
    assert picture.page.evaluate("document.activeElement.labels[0].textContent") == "z₁"
    plot = picture.shown.figure.locator(".live-plot").first
    focused = plot.screenshot()
    for key in ("ArrowRight", "ArrowUp", "ArrowUp", "Shift+ArrowLeft"):
        picture.page.keyboard.press(key)
    assert picture.state[2:] == pytest.approx([-1 - 9 * 0.02, 0.04])
    picture.page.keyboard.press("Tab")
    picture.page.keyboard.press("End")
    assert picture.state[3] == 3.0
    picture.page.keyboard.press("Escape")
    picture.shown.settle()
    assert picture.state == [1.0, 0.5, -1.0, 0.0]
    assert plot.screenshot() == focused
    picture.page.keyboard.press("Tab")
    assert picture.page.evaluate("document.activeElement.name") == "a"
    assert plot.screenshot() != focused  # the ring shows where the keys go


def test_after_a_press_the_arrow_keys_go_on(picture):
    picture.drag((2, 2))
    at = picture.state[2:]
    picture.page.keyboard.press("ArrowDown")
    assert picture.state[2:] == pytest.approx([at[0], at[1] - 0.02])
    picture.page.keyboard.press("Escape")
    assert picture.state == [1.0, 0.5, -1.0, 0.0]


def test_a_link_carries_it_and_reset_takes_it_back(picture, page):
    picture.drag((2, -2))
    picture.drag((1, 0.5), (-1, -0.5))
    state, seen = picture.state, picture.shown.look()
    link = page.evaluate("document.querySelector('figure').live.address.write()")
    page.goto("about:blank")
    page.goto(link)
    picture.shown.settle()
    assert (picture.state, picture.shown.look()) == (state, seen)
    picture.shown.press("Reset")
    assert picture.state == [1.0, 0.5, -1.0, 0.0]


def test_a_finger_taps_or_draws_the_probe_and_scrolls_past_it(phone):
    start = phone.page.evaluate("scrollY")
    phone.finger.path(phone.at(2, -2), [])
    close(phone.state, 1.0, 0.5, 2.0, -2.0)
    phone.finger.path(phone.at(-2, 2), RIGHT)
    assert phone.state[2] > 0 - 1.2 and phone.state[3] == pytest.approx(2.0, abs=0.1)
    assert phone.page.evaluate("scrollY") == start
    before = phone.state
    phone.finger.path(phone.at(-2, -2), UP)
    phone.page.wait_for_timeout(100)
    assert phone.state == before and phone.page.evaluate("scrollY") != start


def test_a_finger_that_rests_takes_hold_and_then_goes_anywhere(phone):
    start = phone.page.evaluate("scrollY")
    x, y = phone.at(-2, -2)
    phone.finger._send("touchStart", x, y)
    phone.page.wait_for_function("document.querySelector('figure').live.model.get('z2') < -1.9")
    for k in range(8):
        phone.finger._send("touchMove", x, y - 15 * k)
    phone.finger._send("touchEnd")
    assert phone.state[3] > -1 and phone.page.evaluate("scrollY") == start


def test_a_finger_drags_a_handle_up_and_what_the_system_ends_is_undone(phone):
    start = phone.page.evaluate("scrollY")
    ring = phone.shown.figure.locator(".live-handle").first.bounding_box()
    assert min(ring["width"], ring["height"]) >= 44
    x, y = phone.at(1, 0.5)
    phone.finger.path((x + 15, y + 15), [(0, 8)] * 4)  # beside the ring, within a finger's reach
    a, b, *probe = phone.state
    assert (a, probe) == (1.0, [-1.0, 0.0]) and b < 0.2
    assert phone.page.evaluate("scrollY") == start
    phone.page.evaluate("addEventListener('pointerdown', (e) => { window.pointer = e.pointerId; })")
    phone.finger.path(phone.at(a, b), [(-12, 0)] * 4, lifts=False)
    assert phone.state[0] < 0.8
    phone.shown.figure.locator(".live-plot").first.dispatch_event(
        "pointercancel", {"pointerId": phone.page.evaluate("pointer")}
    )
    assert phone.state == [a, b, *probe]


def test_the_static_picture_has_cross_and_rings():
    figure = asked()
    drawn, seen = figure.draw(), []
    for panel, marks in zip(drawn.axes, (3, 1)):
        lines = [line for line in panel.lines if line.get_color() == "#222222"]
        assert len(lines) == len(set(lines)) and len(lines) == marks + (panel is drawn.axes[0])
        seen += [line.get_xydata()[0].tolist() for line in lines if line.get_marker() == "o"]
    assert seen == [[1.0, 0.5], [-1.0, 0.0], [1.0, -2.5]]
    before = static.to_png(drawn)
    figure.z1, figure.a = 2.0, 0.0
    assert static.to_png(figure.draw()) != before
    figure.z1, figure.a = -1.0, 1.0


@pytest.mark.parametrize(
    ("named", "message"),
    [
        ({"probe": "z1"}, "probe as the names of two sliders; got 'z1'"),
        ({"probe": ("z1", 2.0)}, r"the names of two sliders; got \['z1', 2.0\]"),
        ({"probe": ("z1", "z1")}, "the names of two sliders; got"),
        ({"probe": ("z1", "z3")}, "a slider named 'z3', .*; the sliders are z1, z2, wide"),
        ({"probe": ("z1", "c")}, "a slider named 'c'"),
        ({"drag": ("z1", "z2")}, "drag as pairs of sliders' names, .*; got 'z1'"),
        ({"drag": [(1.0, 2.0)]}, r"a number that stays; got \[1.0, 2.0\]"),
        ({"drag": [("z1", float("nan"))]}, "a number that stays; got"),
        ({"drag": [("z1", "z2", "c")]}, "drag as pairs"),
        ({"drag": [("z1", "wide")]}, r"y to hold all that 'wide' can be, -9.0 to 9.0; got y=\(-3, 3\)"),
        ({"drag": [("z1", -4)]}, r"y to hold all that -4 can be, -4; got"),
    ],
)  # fmt: skip
def test_a_place_that_makes_no_sense_is_one_line(named, message):
    def fn(z1, z2, wide, c):
        return {"p": torch.stack([z1, z2 + wide])[None]}

    with pytest.raises(ValueError, match=message) as error:
        panel = axes(points("p"), **BOX, alt="A point.", **named)
        sliders = {"z1": (-3.0, 3.0, 0.0), "z2": (-3.0, 3.0, 0.0), "wide": (-9.0, 9.0, 0.0)}
        live(fn, panel, name="nowhere", c=True, **sliders)
    assert "\n" not in str(error.value)
