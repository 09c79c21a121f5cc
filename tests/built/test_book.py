"""What of the built book concerns no one page: its links, its search, what was executed, what is missing.

What a page is for a reader is in the tests of each way to open one: on a wide screen, on a phone, from
disk, without scripts, in Firefox and in WebKit.
"""

from __future__ import annotations

import json

import pytest

from flowlib.live import bundle
from links import Links, broken_links
from tools.book import HTML, NOTEBOOKS, PAGES, ROOT, WIDE, Visit


def test_a_figure_whose_file_is_missing_says_so_below_its_picture(browser, address):
    with Visit(browser, address, **WIDE) as visit:
        visit.context.route("**/_images/live-*.js", lambda route: route.abort())
        visit.page.goto(f"{address}index.html")
        words = visit.page.wait_for_selector("figure[data-state=error] [role=alert]").inner_text()
        assert words == "This figure could not be read: its file is missing."
        assert visit.page.is_visible("figure img.live-static")


def test_where_the_second_script_is_missing_the_button_that_needs_it_says_so(browser, address):
    second = f"**/{bundle.MORE}*"
    with Visit(browser, address, **WIDE) as visit:
        visit.context.route(second, lambda route: route.abort())
        visit.open("index")[0].wake()
        button = visit.page.locator(".live-buttons button").last
        button.click()
        visit.page.get_by_text("It did not load: press again").wait_for()
        visit.context.unroute(second)
        button.click()
        visit.page.get_by_role("button", name="PNG").wait_for()


def test_the_search_finds_without_a_server(browser):
    own = HTML.as_uri() + "/"
    with Visit(browser, own, **WIDE) as visit:
        visit.page.goto(f"{own}search.html?q=density")
        visit.page.wait_for_selector("#search-results li")
        visit.assert_quiet()


def test_every_internal_link_arrives():
    assert broken_links(HTML) == []


@pytest.mark.parametrize("name", PAGES)
def test_no_two_places_share_a_name(name):
    assert Links(HTML / f"{name}.html").twice == []


def code(notebook):
    cells = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    return [(cell["id"], "".join(cell["source"])) for cell in cells]


def test_what_was_executed_is_what_is_committed():
    for path in NOTEBOOKS:
        executed = (ROOT / "_build" / "jupyter_execute" / path.name).read_text(encoding="utf-8")
        assert code(json.loads(executed)) == code(json.loads(path.read_text(encoding="utf-8")))
