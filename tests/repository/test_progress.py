"""What a reader has read and answered stays on the device: book/assets/progress.js, on small pages."""

import pytest

from tools.book import ROOT

SCRIPT = (ROOT / "book" / "assets" / "progress.js").read_text(encoding="utf-8")
BOOK = "http://book.test/"
QUIZ = """<div class="quiz"><p>What changes?</p>
<details name="quiz-one"><summary>Nothing</summary><p>Not quite.</p></details>
<details name="quiz-one" class="right"><summary>All</summary><p>Right.</p></details></div>"""
BODY = {
    "index": "<h1>Start</h1><section id=what-you-learn-where><h2>What</h2></section>",
    "planar": f"<h1>Planar</h1><section id=one><h2>One</h2>{QUIZ}</section>"
    "<div style='height: 3000px'></div><section id=two><h2>Two</h2></section>",
}


@pytest.fixture
def visit(page):
    """Goes to a page of a book of two, after which no page may have complained."""
    complaints, requests = [], []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("request", lambda request: requests.append(request.url))

    def serve(route):
        name = route.request.url.removeprefix(BOOK).partition(".html")[0]
        route.fulfill(
            content_type="text/html",
            body=f'<!doctype html><html lang="en" data-content_root="./"><meta charset="utf-8">'
            '<div id="pst-primary-sidebar"><nav><a class="internal" href="planar.html">Planar</a></nav></div>'
            '<div class="bd-sidebar-secondary"><a href="#one">One</a> <a href="#two">Two</a></div>'
            f"<article><section>{BODY[name]}</section></article><script>{SCRIPT}</script></html>",
        )

    def go(name):
        page.goto(f"{BOOK}{name}.html")
        return page

    page.route(f"{BOOK}*", serve)
    yield go
    assert complaints == [] and all(url.startswith(BOOK) for url in requests)


def marks(page):
    return page.locator(".progress-mark").evaluate_all("(all) => all.map((each) => each.ariaLabel)")


def test_a_reader_finds_what_was_read_and_answered_until_it_is_forgotten(visit, page):
    page.clock.install(time=0)
    visit("planar").locator(".progress-mark").first.wait_for()
    assert sorted(marks(page)) == ["1 of 2 sections read", "read"]
    page.locator("#two").scroll_into_view_if_needed()
    page.get_by_label("2 of 2 sections read").wait_for()
    page.get_by_text("Nothing").click()
    page.get_by_text("Your latest answer: “Nothing” (not quite).").wait_for()
    assert visit("index").get_by_text("Answer again").count() == 0  # not yet due
    page.clock.set_system_time(2 * 60 * 60 * 1000)
    visit("index").get_by_role("link", name="Planar, question 1").click()
    page.get_by_text("Your latest answer: “Nothing” (not quite).").wait_for()
    page.get_by_text("All").click()
    page.get_by_text("Your latest answer: “All” (right).").wait_for()
    assert visit("index").get_by_text("Answer again").count() == 0  # in a day
    page.get_by_role("button", name="Forget it").click()
    page.get_by_text("Forgotten.").wait_for()
    assert marks(page) == [] and page.evaluate("localStorage.length") == 0


def test_where_nothing_can_be_kept_all_else_works_and_one_sentence_says_so(visit, page):
    page.add_init_script(
        "Object.defineProperty(window, 'localStorage', { get() { throw Error('refused'); } })"
    )
    visit("planar").get_by_text("Nothing").click()
    assert page.get_by_text("Not quite.").is_visible()
    visit("index").get_by_text("This browser keeps nothing for these pages").wait_for()
    assert page.get_by_role("button").count() == 0


@pytest.mark.parametrize("kept", ['{"read": 3', '{"read": 3, "answers": null}'])
def test_what_is_kept_and_damaged_is_nothing(visit, page, kept):
    page.add_init_script(f"localStorage.setItem('normalizing-flows', '{kept}')")
    assert marks(visit("index")) == []
