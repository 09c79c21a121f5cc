"""A figure under load and in bad hands: its memory stays, its numbers stay numbers, its page lives on."""

from __future__ import annotations

import copy

import pytest

from pages import book, learner
from tools.page import page_of

ROUNDS = 2500  # of four controls: 10,000 events
MOST_GROWTH = 0.1

# Twenty events a frame, of a slider, a slider of whole numbers, a checkbox and a dropdown in turn.
EVENTS = """async (rounds) => {
    const figure = document.querySelector("figure");
    const find = (name) => figure.querySelector(`[name=${name}]`);
    const fire = (input, type) => input.dispatchEvent(new Event(type));
    for (let i = 0; i < rounds; i++) {
        find("a").value = -2 + (i % 101) / 25;
        fire(find("a"), "input");
        find("k").value = i % 7;
        fire(find("k"), "input");
        find("bent").checked = i % 2;
        fire(find("bent"), "change");
        find("shape").selectedIndex = i % 2;
        fire(find("shape"), "change");
        if (i % 5 === 0) await new Promise(requestAnimationFrame);
    }
}"""


def used(page) -> int:
    """The bytes of JavaScript's heap once nothing is left to collect."""
    session = page.context.new_cdp_session(page)
    for _ in range(3):
        session.send("HeapProfiler.collectGarbage")
    size = session.send("Runtime.getHeapUsage")["usedSize"]
    session.detach()
    return size


def test_ten_thousand_events_leave_the_memory_as_it_was(show):
    shown = show()
    shown.page.evaluate(EVENTS, ROUNDS // 5)  # until everything is compiled
    assert shown.state == "ready"  # which loads Playwright's own script into the page
    before = used(shown.page)
    shown.page.evaluate(EVENTS, ROUNDS)
    assert shown.state == "ready"
    assert used(shown.page) <= (1 + MOST_GROWTH) * before


def test_the_heap_that_is_measured_would_show_a_leak(show):
    shown = show()
    before = used(shown.page)
    shown.page.evaluate("() => { window.kept = new Array(100_000).fill().map(() => ({})); }")
    assert used(shown.page) > (1 + MOST_GROWTH) * before


def nodes(change):
    """A change of the nodes of every graph of a figure."""

    def spoil(data):
        for graph in data["graphs"].values():
            change(graph["nodes"])

    return spoil


def spoil_shapes(data):
    for graph in data["graphs"].values():
        graph["nodes"][-1][2] = [7, 7, 7]


SPOILERS = {
    "constants cut": lambda data: data.update(data=data["data"][: len(data["data"]) // 8 * 4]),
    "constants cut within a number": lambda data: data.update(data=data["data"][:-6]),
    "constants that are no base64": lambda data: data.update(data="*" + data["data"][1:]),
    "constants of another kind": lambda data: data.update(data=3),
    "no constants": lambda data: data.pop("data"),
    "wrong shapes": spoil_shapes,
    "a huge shape": nodes(lambda each: each[0].__setitem__(2, [2**31, 2**31])),
    "an unknown operation": nodes(lambda each: each[0].__setitem__(0, "fetch")),
    "a value that comes later": nodes(lambda each: each[0].__setitem__(1, [{"v": 10**6}])),
    "a cycle": nodes(lambda each: each.reverse()),
    "nodes missing": nodes(lambda each: each.clear()),
    "outputs missing": lambda data: [graph["outputs"].clear() for graph in data["graphs"].values()],
    "shapes missing": lambda data: [graph.pop("shapes") for graph in data["graphs"].values()],
    "graphs missing": lambda data: data.pop("graphs"),
    "no controls": lambda data: data["spec"].pop("controls"),
    "a control of another kind": lambda data: data["spec"]["controls"][0].update(kind="knob"),
    "a mark of another kind": lambda data: data["spec"]["panels"][0]["marks"][0].update(kind="x"),
    "a mark of another kind below": lambda data: data["spec"]["panels"][1]["marks"][0].update(
        kind=1
    ),
    "an axis of no length": lambda data: data["spec"]["panels"][0].update(x=[1, 1]),
    "a control without a value": lambda data: data["spec"]["controls"][0].pop("value"),
    "no panels": lambda data: data["spec"].update(panels=None),
    "noise of no shape": lambda data: data["spec"]["noise"][0].update(shape=[-1]),
    "noise of a huge shape": lambda data: data["spec"]["noise"][0].update(shape=[2**20, 2**20]),
}


def open_beside(page, tmp_path, text):
    """A page with figures, and what it writes on the console."""
    said = []
    page.on("pageerror", lambda error: said.append(str(error)))
    file = tmp_path / "page.html"
    file.write_text(text, encoding="utf-8")
    page.goto(file.as_uri())
    return said


def assert_one_is_in_words_and_the_other_lives(page, said):
    page.wait_for_selector("figure#bad[data-state=error]")
    words = page.locator("#bad [role=alert]").inner_text()
    assert "could not be" in words and len(words) < 400, words
    assert page.locator("#bad img.live-static").is_visible()
    good = page.locator("#good")
    good.scroll_into_view_if_needed()
    page.wait_for_selector("figure#good[data-state=ready]")
    before = good.locator("output").first.inner_text()
    good.locator("[name=a]").fill("-1.5")
    page.wait_for_function(
        "(before) => document.querySelector('#good output').textContent !== before", arg=before
    )
    assert said == []


@pytest.mark.parametrize("name", SPOILERS)
def test_a_spoiled_figure_says_so_and_the_next_one_lives(page, tmp_path, name):
    data = book("bad")
    SPOILERS[name](data)
    said = open_beside(page, tmp_path, page_of(data, book("good")))
    assert_one_is_in_words_and_the_other_lives(page, said)


@pytest.mark.parametrize("part", [0.0, 0.3, 0.9])
def test_a_figure_whose_data_is_cut_says_so_and_the_next_one_lives(page, tmp_path, part):
    bad, good = page_of(book("bad")), page_of(book("good"))
    start = bad.index('class="live-data">') + len('class="live-data">')
    end = bad.index("</script>", start)
    whole = bad[: start + int(part * (end - start))] + bad[end:]
    figure = good[good.index("<figure") : good.index("</figure>") + len("</figure>")]
    said = open_beside(page, tmp_path, whole.replace("</body>", f"{figure}</body>"))
    assert_one_is_in_words_and_the_other_lives(page, said)


def test_a_spoiled_step_of_training_stops_in_words(show):
    data = copy.deepcopy(learner().book_data())
    for key, graph in data["graphs"].items():
        if key.startswith("step"):
            graph["nodes"][0][0] = "fetch"
    shown = show(data)
    shown.press("Step")
    assert shown.alert.startswith("Training stopped: node 0")
    shown.press("Reset")
    assert shown.state == "ready"
