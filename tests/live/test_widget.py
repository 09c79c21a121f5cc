"""The figure in a browser: as a built page mounts it, and as a notebook's widget."""

import random

import numpy as np
import pytest

from flowlib.live import axes, bundle, curve, live, readouts, words
from pages import MARKS, PLANE, book, figure, gallery, long_numbers, module_url
from shown import PIXELS, open_widget
from tools.page import page_of


def test_every_mark_is_drawn_and_follows_a_control(show):
    shown = show(gallery().book_data())
    canvases = shown.figure.locator("canvas").all()
    before = [canvas.evaluate(PIXELS) for canvas in canvases]
    assert len(before) == len(MARKS) and all(inked for _, inked in before)
    shown.set("a", -1.5)
    for name, canvas, (then, _) in zip(MARKS, canvases, before):
        assert canvas.evaluate(PIXELS)[0] != then, name


@pytest.mark.parametrize(
    ("name", "value"), [("a", -1.0), ("k", 5), ("bent", False), ("shape", "square")]
)
def test_every_control_changes_picture_readout_and_words(show, name, value):
    shown = show()
    before = shown.look()
    shown.set(name, value)
    assert all(now != then for now, then in zip(shown.look(), before))


def test_the_page_computes_what_torch_computes(show):
    fig = figure()
    shown = show(fig.book_data())
    rng = random.Random(0)
    for _ in range(12):
        state = {
            "a": round(rng.uniform(-2, 2), 2),
            "k": rng.randint(0, 6),
            "bent": rng.random() < 0.5,
            "shape": rng.choice(["round", "square"]),
            "seed": rng.randint(0, 3),
        }
        for name, value in state.items():
            setattr(fig, name, value)
        outputs = shown.figure.evaluate(
            """(figure, state) => {
              for (const [name, value] of Object.entries(state)) figure.live.model.set(name, value);
              return Object.entries(figure.live.evaluate()).map(([name, v]) => [name, [...v]]);
            }""",
            state,
        )
        expected = fig.evaluate()
        assert {name for name, _ in outputs} == set(expected)
        for name, values in outputs:
            want = expected[name].numpy().ravel()
            scale = np.abs(want).max()
            assert np.abs(np.array(values) - want).max() <= 1e-5 * scale, name


def test_the_text_alternative_is_that_of_the_static_picture(show):
    fig = figure()
    expected = words.state(fig.spec, fig.value, fig.evaluate())
    shown = show()
    assert shown.look()[2] == f"A grid and samples. {expected}"
    assert shown.look()[1] == [part.split(": ")[1] for part in expected[:-1].split(", ")[-2:]]


def test_numbers_and_ticks_are_words_by_one_rule(page):
    rng = random.Random(1)
    numbers = [
        (rng.uniform(-1, 1) * 10 ** rng.randint(-4, 9), rng.randint(0, 4)) for _ in range(200)
    ]
    ranges = [(low, low + 10 ** rng.uniform(-2, 3), rng.randint(1, 9)) for low, _ in numbers]
    source = (bundle.HERE / "js" / "words.js").read_text(encoding="utf-8")
    said = page.evaluate(
        """async ([url, numbers, ranges]) => {
          const { number, ticks, tickText } = await import(url);
          const placed = ranges.map((range) => ticks(...range));
          return [numbers.map((each) => number(...each)), placed, placed.map(tickText)];
        }""",
        [module_url(source), numbers, ranges],
    )
    assert said[0] == [words.number(*each) for each in numbers]
    assert said[1] == [words.ticks(*each) for each in ranges]
    assert said[2] == [words.tick_text(words.ticks(*each)) for each in ranges]


def test_a_readout_may_show_words():
    item = readouts(words={"sign": ("below", "above")}, sign="the sum is")["items"][0]
    assert [words.readout(item, value) for value in (0.0, 1.0, 2.0)] == ["below", "above", "2.000"]
    with pytest.raises(ValueError, match=r"words for sign; got \['sing'\]"):
        readouts(words={"sing": ("below", "above")}, sign="the sum is")


def test_the_page_shows_the_words_of_a_readout(show):
    picture = axes(curve("x", "x"), x=(0, 1), y=(0, 1), alt="A line.")

    def sign(a):
        return {"x": a.expand(2), "sign": (a > 0).float()}

    number = readouts(words={"sign": ("below", "above")}, sign="the sum is")
    shown = show(live(sign, picture, number, name="sign", a=(-1.0, 1.0, 0.5)).book_data())
    assert shown.figure.locator("output").inner_text() == "above"
    shown.set("a", -0.5)
    assert shown.figure.locator("output").inner_text() == "below"
    assert shown.figure.locator("canvas").get_attribute("aria-label").endswith("the sum is: below.")


def test_the_keyboard_does_it_all(show):
    shown = show()
    before = shown.look()
    reached = []
    shown.page.keyboard.press("Tab")
    for _ in range(10):
        reached.append(
            shown.page.evaluate(
                "document.activeElement.name || document.activeElement.ariaLabel || document.activeElement.textContent"
            )
        )
        shown.page.keyboard.press("Tab")
    buttons = ["New noise", "Reset", "Copy link", "Save or embed"]
    assert reached[:9] == ["a", "Play a", "k", "bent", "shape", *buttons]
    shown.figure.locator("[name=a]").focus()
    shown.page.keyboard.press("ArrowRight")
    shown.settle()
    assert shown.look() != before
    shown.figure.get_by_role("button", name="Reset").focus()
    shown.page.keyboard.press("Enter")
    shown.settle()
    assert shown.look() == before


@pytest.mark.parametrize("colours", ["none", "active"])
@pytest.mark.parametrize("name", ["a", "bent", "shape"])
def test_focus_is_visible_also_in_forced_colours(show, page, name, colours):
    page.emulate_media(forced_colors=colours)
    shown = show()
    row = shown.figure.locator(".live-control", has=shown.page.locator(f"[name={name}]"))
    before = row.screenshot()
    shown.figure.locator("[name=a]").focus()
    shown.page.keyboard.press("Shift+Tab")
    while shown.page.evaluate("document.activeElement.name") != name:
        shown.page.keyboard.press("Tab")
    assert row.screenshot() != before


def test_what_figures_have_in_common_is_told_apart_by_their_names(show, page):
    show(book("first-one"), book("second-one"))
    for name in ("first one", "second one"):
        figure = page.get_by_role("figure", name=name, exact=True)
        for button in ("Reset", "New noise", "Copy link", "Play a"):
            named = figure.get_by_role("button", name=f"{button} {name}", exact=True)
            assert named.count() == 1, button
        assert figure.get_by_role("status", name="log scale (nats)", exact=True).count() == 1
    page.get_by_role("button", name="Play a first one", exact=True).click()
    page.get_by_role("button", name="Pause a first one", exact=True).wait_for()


def test_every_input_has_a_visible_label_and_room_for_a_finger(show):
    shown = show()
    for name in ("a", "k", "bent", "shape"):
        control = shown.figure.locator(f"[name={name}]")
        assert control.evaluate("(element) => element.labels[0].offsetWidth > 0")
        row = control.evaluate("(element) => element.parentElement.getBoundingClientRect().height")
        assert row >= 44
    for button in shown.figure.get_by_role("button").all():
        box = button.bounding_box()
        assert box["height"] >= 44 and box["width"] >= 44


def test_reset_and_new_noise(show):
    shown = show()
    before = shown.look()
    shown.press("New noise")
    assert shown.look()[0] != before[0]
    shown.set("a", 1.5)
    shown.set("bent", False)
    shown.press("Reset")
    assert shown.look() == before


def test_a_nan_is_said_in_words_and_the_figure_recovers(show):
    def root(a):
        return {"r": a.sqrt(), "x": a.repeat(2), "y": a.repeat(2)}

    panel = axes(curve("x", "y"), **PLANE, alt="A root.")
    shown = show(
        live(root, panel, readouts(r="root"), name="root", a=(-1.0, 1.0, 0.25)).book_data()
    )
    shown.set("a", -0.5)
    assert shown.state == "error"
    assert shown.alert == (
        "This picture could not be drawn: “r” is not a number (NaN) at a = −0.50. "
        "Move a control, or press Reset."
    )
    shown.set("a", 0.25)
    assert shown.look()[1] == ["0.500"] and shown.state == "ready"


@pytest.mark.parametrize(
    "spoil",
    [
        lambda data: data["graphs"].clear(),
        lambda data: [graph["nodes"].pop() for graph in data["graphs"].values()],
        lambda data: data.update(data=""),
        lambda data: data.pop("spec"),
    ],
)
def test_an_altered_graph_is_an_error_in_words_beside_the_static_picture(page, tmp_path, spoil):
    data = book()
    spoil(data)
    file = tmp_path / "page.html"
    file.write_text(page_of(data), encoding="utf-8")
    page.goto(file.as_uri())
    page.wait_for_selector("figure[data-state=error]")
    assert "could not be" in page.get_by_role("alert").inner_text()
    assert page.locator("img.live-static").is_visible()


def test_many_events_make_one_frame(show):
    shown = show()
    frames = shown.figure.evaluate(
        """async (figure) => {
          let frames = 0;
          const { update } = figure.live;
          figure.live.update = function () { frames += 1; update.call(this); };
          const input = figure.querySelector("[name=a]");
          for (let i = 0; i < 200; i++) {
            input.value = i / 100;
            input.dispatchEvent(new Event("input"));
          }
          await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
          return frames;
        }"""
    )
    assert frames == 1


def test_the_theme_repaints_and_the_page_has_the_first_word(show, page):
    page.emulate_media(color_scheme="dark")
    shown = show()
    assert shown.figure.get_attribute("data-theme") == "light"
    light = shown.look()[0]
    page.evaluate("document.documentElement.dataset.theme = 'dark'")
    shown.settle()
    assert shown.look()[0] != light
    page.evaluate(
        "delete document.documentElement.dataset.theme; document.body.dataset.jpThemeLight = 'true'"
    )
    shown.settle()
    assert shown.look()[0] == light
    page.evaluate("delete document.body.dataset.jpThemeLight")
    shown.settle()
    assert shown.figure.get_attribute("data-theme") == "dark"


def test_pictures_stand_side_by_side_or_stack_and_nothing_overflows(show, page):
    shown = show()

    def tops():
        boxes = [canvas.bounding_box() for canvas in shown.figure.locator("canvas").all()]
        return [round(box["y"]) for box in boxes]

    page.set_viewport_size({"width": 900, "height": 800})
    shown.settle()
    assert len(set(tops())) == 1
    page.set_viewport_size({"width": 390, "height": 844})
    shown.settle()
    assert len(set(tops())) == 2
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


@pytest.mark.parametrize("width", [390, 1200])
def test_no_tick_label_is_cut_off(show, page, width):
    page.set_viewport_size({"width": width, "height": 800})
    shown = show(long_numbers().book_data())
    inked = shown.figure.locator("canvas").evaluate(
        """(canvas) => {
          const { width, height } = canvas;
          const { data } = canvas.getContext("2d").getImageData(0, 0, width, height);
          const column = (x) => Array.from({ length: height }, (_, y) => data[4 * (y * width + x) + 3]);
          return Array.from({ length: width }, (_, x) => Math.max(...column(x)));
        }"""
    )
    assert inked[0] == inked[-1] == 0 < min(max(inked[1:10]), max(inked[-10:-1]))


def test_a_play_button_sweeps_once_and_stops(show):
    shown = show(book(value=1.5), held=True)
    places = []
    shown.press("Play a")
    while shown.figure.get_by_role("button", name="Pause a").is_visible() and len(places) < 9:
        places.append(float(shown.figure.locator("[name=a]").input_value()))
        shown.wait(100)
    assert 1.5 < places[1] < places[2] < 2 and len(places) == 7  # four units take five seconds
    assert shown.figure.locator("[name=a]").input_value() == "2"
    shown.wait(1000)
    assert shown.figure.locator("[name=a]").input_value() == "2"


def test_a_sweep_pauses_in_a_tab_that_is_hidden(show, page):
    shown = show(book(value=-2.0), held=True)
    shown.press("Play a")
    shown.wait(500)
    page.evaluate("""() => {
        Object.defineProperty(document, "hidden", { value: true });
        document.dispatchEvent(new Event("visibilitychange"));
    }""")
    place = shown.figure.locator("[name=a]").input_value()
    shown.wait(3000)
    assert shown.figure.locator("[name=a]").input_value() == place != "2"
    assert shown.figure.get_by_role("button", name="Play a").is_visible()


def test_with_reduced_motion_it_goes_one_step(show, page):
    page.emulate_media(reduced_motion="reduce")
    shown = show(book(value=0.0, step=0.1), held=True)
    shown.press("Play a")
    shown.wait(1000)
    assert shown.figure.locator("[name=a]").input_value() == "0.2"


IDLE = """
window.waiting = [];
window.requestIdleCallback = (go) => waiting.push(go);
window.idle = (left) => waiting.splice(0).forEach((go) => go({ timeRemaining: () => left }));
"""


def test_a_figure_close_by_waits_for_a_page_at_rest_and_one_in_sight_for_a_moment(page, tmp_path):
    page.add_init_script(IDLE)
    file = tmp_path / "page.html"
    room = "<div style='height: 300px'></div>"
    file.write_text(page_of(book("first"), book("second")).replace("<figure", f"{room}<figure"))
    page.set_viewport_size({"width": 900, "height": 250})
    page.goto(file.as_uri())
    figure = page.locator("#first")
    count = lambda: page.evaluate("waiting.length")
    page.wait_for_function("waiting.length > 0")  # it is close
    page.evaluate("idle(8)")  # between two frames of a page that moves
    assert figure.get_attribute("data-state") == "loading" and count() > 0
    page.evaluate("idle(49)")
    assert figure.get_attribute("data-state") == "ready" and count() == 0
    second = page.locator("#second")
    assert second.get_attribute("data-state") == "loading"
    second.scroll_into_view_if_needed()
    page.wait_for_function("waiting.length > 1")  # close, and in sight
    page.evaluate("idle(8)")
    assert second.get_attribute("data-state") == "ready"


def test_a_move_does_not_wait_for_a_page_at_rest(page, tmp_path):
    page.add_init_script(IDLE)
    file = tmp_path / "page.html"
    file.write_text(page_of(book()), encoding="utf-8")
    page.goto(file.as_uri())
    page.locator("[name=a]").fill("1")
    page.wait_for_selector("figure[data-state=ready]")


def test_figures_far_below_wait_and_a_link_fetches_them(show, page):
    many = [book(name) for name in ("first", "second", "third", "fourth", "fifth")]
    shown = show(*many)
    assert page.locator("#first").get_attribute("data-state") == "ready"
    last = page.locator("#fifth")
    assert last.get_attribute("data-state") == "loading"
    page.evaluate("location.hash = '#fifth?a=1'")
    page.wait_for_selector("#fifth[data-state=ready]")
    assert last.bounding_box()["y"] < 700
    shown.settle()


def test_on_paper_it_is_the_static_picture(show, page):
    shown = show()
    assert shown.figure.locator("img").is_hidden()
    page.emulate_media(media="print")
    assert shown.figure.locator("img").is_visible()
    assert shown.figure.locator("canvas").first.is_hidden()


def test_without_a_script_it_is_the_static_picture(browser, tmp_path):
    file = tmp_path / "page.html"
    file.write_text(page_of(book()), encoding="utf-8")
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(file.as_uri())
    assert page.locator("img.live-static").is_visible()
    context.close()


def test_readouts_are_spoken_once_they_rest(show):
    shown = show(held=True)
    shown.wait(1000)
    spoken = shown.figure.locator(".live-spoken")
    before = spoken.text_content()
    for place in (0.6, 0.8, 1.0):
        shown.set("a", place)
        shown.wait(500)
        assert spoken.text_content() == before
    shown.wait(500)
    scale, logs = shown.look()[1]
    assert spoken.text_content() == f"scale: {scale}, log scale (nats): {logs}" != before


# ------------------------------------------------------------------ the notebook's widget


@pytest.fixture
def widget(page):
    """The usual figure as anywidget draws it."""
    return open_widget(page, book())


def test_the_widget_draws_and_its_controls_reach_the_model(widget):
    assert widget.locator("figure").get_attribute("data-state") == "ready"
    assert widget.locator("figcaption").inner_text() == "Move it."
    coloured = """(canvas) => {
      const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
      return data.some((byte, i) => i % 4 === 0 && Math.abs(byte - data[i + 2]) > 40);
    }"""
    assert widget.locator("canvas").first.evaluate(coloured)
    widget.locator("[name=k]").fill("5")
    widget.locator("[name=bent]").set_checked(False)
    widget.locator("[name=shape]").select_option("square")
    widget.wait_for_function("window.model.saved > 0")
    state = widget.evaluate("(({k, bent, shape}) => [k, bent, shape])(window.model.values)")
    assert state == [5, False, "square"]
    assert widget.get_by_role("button", name="Copy link").count() == 0


def test_what_python_sets_moves_the_controls_and_the_picture(widget):
    canvas = widget.locator("canvas").first
    before = canvas.evaluate(PIXELS)
    widget.evaluate("window.model.set('a', -1.5)")
    widget.evaluate(
        "() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"
    )
    assert widget.locator("[name=a]").input_value() == "-1.5"
    assert canvas.evaluate(PIXELS) != before


def test_no_two_widgets_of_a_notebook_share_an_id(page):
    """Each of them has a module of its own."""
    open_widget(page, book())
    page.evaluate(
        """async (url) => {
          const { default: widget } = await import(url);
          widget.render({ model: window.model, el: document.getElementById("el") });
        }""",
        module_url(f"{bundle.esm()}// another figure's"),
    )
    ids = page.evaluate("[...document.querySelectorAll('[id]')].map(({ id }) => id)")
    assert page.locator("figure").count() == 2 and len(ids) == len(set(ids))


def test_its_clean_up_leaves_nothing(widget):
    widget.evaluate("window.clean()")
    assert widget.locator("#el figure").count() == 0
    assert widget.evaluate("Object.values(window.model.heard).flat().length") == 0
