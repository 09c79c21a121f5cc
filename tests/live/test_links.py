"""The state of a figure as a link: copied, followed, and refused in words."""

import pytest


def test_a_link_carries_the_state(show, page):
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    shown = show()
    shown.set("a", -1.24)
    shown.set("k", 4)
    shown.set("bent", False)
    shown.set("shape", "square")
    shown.press("New noise")
    seen = shown.look()
    shown.press("Copy link")
    page.wait_for_function("navigator.clipboard.readText().then((text) => text.includes('#'))")
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied == f"{shown.url}#everything?a=-1.24&k=4&bent=0&shape=square&seed=1"
    page.goto("about:blank")
    page.goto(copied)
    shown.settle()
    assert shown.look() == seen
    page.evaluate("location.hash = '#everything?a=2'")
    page.wait_for_function("document.querySelector('[name=a]').value === '2'")


def test_a_link_of_the_page_that_is_followed_again_brings_its_state_back(show, page):
    shown = show()
    page.evaluate("""() => {
        document.body.insertAdjacentHTML("afterbegin", "<a href='#everything?a=1'>a = 1</a>");
    }""")
    for _ in range(2):
        page.locator("a").click()
        page.wait_for_function("document.querySelector('[name=a]').value === '1'")
        shown.set("a", -1.0)
    page.go_back()
    shown.settle()
    assert shown.figure.locator("[name=a]").input_value() == "-1"  # that address names no state


def test_without_a_clipboard_the_address_bar_has_the_link(show, page):
    page.add_init_script("Object.defineProperty(navigator, 'clipboard', { value: undefined })")
    shown = show(held=True)
    shown.set("a", 1.0)
    shown.press("Copy link")
    assert page.evaluate("location.hash") == "#everything?a=1&k=2&bent=1&shape=round"
    assert shown.figure.get_by_role("button", name="address bar").is_visible()
    shown.wait(2000)
    assert shown.figure.get_by_role("button", name="Copy link").is_visible()


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("a=9", "a is from −2.00 to 2.00, not “9”"),
        ("k=1.5", "k is from 0 to 6, not “1.5”"),
        ("bent=perhaps", "bend it is 0 or 1, not “perhaps”"),
        ("bent=toString", "bend it is 0 or 1, not “toString”"),
        ("bent=__proto__", "bend it is 0 or 1, not “__proto__”"),
        ("bent=constructor", "bend it is 0 or 1, not “constructor”"),
        ("a=valueOf", "a is from −2.00 to 2.00, not “valueOf”"),
        ("shape=oval", "shape is one of round, square, not “oval”"),
        ("shape=hasOwnProperty", "shape is one of round, square, not “hasOwnProperty”"),
        ("seed=constructor", "seed is a whole number, not “constructor”"),
    ],
)
def test_a_link_out_of_range_says_so_and_the_figure_goes_on(show, query, words):
    shown = show(fragment=f"#everything?{query}")
    assert shown.alert == f"The link could not be followed: {words}. Move a control to go on."
    shown.set("a", 1.0)
    assert (shown.state, shown.alert) == ("ready", "")


@pytest.mark.parametrize(
    "address",
    [
        "?utm_source=news#everything?a=-1.24&k=4",
        "#everything?a=-1.24&k=4&utm_source=news&fbclid=1",
        "#everything?utm_source=news&a=-1.24&k=4",
        "#everything?a=-1.24&k=4?utm_source=news",
        "#everything&utm_source=news&a=-1.24&k=4",
    ],
)
def test_a_link_works_whatever_others_add_to_it(show, address):
    shown = show(fragment=address)
    assert shown.state == "ready"
    values = [shown.figure.locator(f"[name={name}]").input_value() for name in ("a", "k")]
    assert values == ["-1.24", "4"]


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("depth=8&", "“depth”"),
        ("__proto__=1&toString=2&constructor=3&", "“__proto__”, “toString”, “constructor”"),
    ],
)
def test_a_link_that_names_what_the_figure_lacks_says_so_and_brings_the_rest(show, query, names):
    shown = show(fragment=f"#everything?a=-1.24&{query}k=4")
    words = f"The link could be followed in part only: this figure has no {names}."
    assert shown.alert == f"{words} Move a control to go on."
    values = [shown.figure.locator(f"[name={name}]").input_value() for name in ("a", "k")]
    assert values == ["-1.24", "4"]
    shown.set("a", 1.0)
    assert (shown.state, shown.alert) == ("ready", "")
