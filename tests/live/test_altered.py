"""A figure whose data was altered at random: it lives or shows why not, and the next figure lives."""

from __future__ import annotations

import json
import re

from hypothesis import given

from alterations import alter, changes_at, places, tried
from pages import book
from tools.page import page_of

BEFORE, DATA, AFTER = re.fullmatch(
    r'(.*?class="live-data">)(.*?)(</script>.*)', page_of(book("bad"), book("good")), re.DOTALL
).groups()
DATA = json.loads(DATA)
PLACES = [path for path in places(DATA) if not {"nodes", "consts"} & {*path}]  # see test_loader.py
# Everything a reader can do to a figure, then four frames.
USE = """async (figure) => {
    for (const input of figure.querySelectorAll("input:not([readonly]), select")) {
        if (input.type === "checkbox") input.checked = !input.checked;
        else if (input.type === "range") input.value = input.max;
        else input.selectedIndex = input.options.length - 1;
        input.dispatchEvent(new Event(input.type === "range" ? "input" : "change"));
    }
    for (const button of figure.querySelectorAll("button")) button.click();
    for (let i = 0; i < 4; i++) await new Promise(requestAnimationFrame);
    return figure.dataset.state;
}"""


@tried(25)
@given(changes=changes_at(PLACES))
def test_no_alteration_of_a_figure_hangs_its_page_or_its_neighbour(page, tmp_path, changes):
    said = []
    page.set_default_timeout(10_000)
    page.on("pageerror", note := lambda error: said.append(str(error)))
    file = tmp_path / "page.html"
    altered = json.dumps(alter(DATA, changes)).replace("<", "\\u003c")
    file.write_text(BEFORE + altered + AFTER, encoding="utf-8")
    page.goto(file.as_uri())
    bad, good = page.locator("#bad"), page.locator("#good")
    state = bad.evaluate(USE)
    assert state == "ready" or "could not be" in bad.get_by_role("alert").first.inner_text()
    good.scroll_into_view_if_needed()
    page.wait_for_selector("#good[data-state=ready]")
    assert said == []
    page.remove_listener("pageerror", note)
