"""Small screens and large letters: no page is too wide, and nothing in a figure lies on anything."""

from __future__ import annotations

import pytest

from tools.book import FIGURED, PAGES, TWO_FRAMES, Visit

PHONE = {"viewport": {"width": 390, "height": 800}, "has_touch": True}
SIZES = [
    (320, 100),
    (320, 200),
    (390, 150),
    (390, 200),
    (1280, 150),
    (1280, 200),
]  # pixels, percent
LAID_OUT = ".bd-article section { content-visibility: visible !important; }"
LETTERS = "(percent) => { document.documentElement.style.fontSize = `${percent}%`; }"
# Of each control: a slider that is too short, parts that overlap, a part that sticks out.
FAULTS = """() => {
    const box = (part) => {
        const range = document.createRange();
        range.selectNodeContents(part.matches("label, span") ? part : part.parentElement);
        const { left, right, top, bottom } = (part.matches("label, span") ? range : part).getBoundingClientRect();
        const rail = part.type === "range" ? 13 : 0; // the handle is in the middle of 44 pixels
        return { left, right, top: top + rail, bottom: bottom - rail };
    };
    const faults = [];
    for (const control of document.querySelectorAll("figure.live-figure .live-control:not(.live-unseen)")) {
        const { id } = control.closest("figure");
        const parts = [...control.children], boxes = parts.map(box), whole = box(control);
        const name = (part) => part.textContent || part.ariaLabel || part.name;
        parts.forEach((part, i) => {
            const a = boxes[i];
            if (part.type === "range" && a.right - a.left < 120) faults.push([id, name(part), a.right - a.left]);
            const margin = part.matches("button") ? 16 : 1; // its own, to the right
            if (a.right > whole.right + margin || a.left < whole.left - 1) faults.push([id, name(part), "out"]);
            boxes.slice(i + 1).forEach((b, j) => {
                const across = Math.min(a.right, b.right) - Math.max(a.left, b.left);
                const down = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top);
                if (across > 1 && down > 1) faults.push([id, name(part), name(parts[i + 1 + j])]);
            });
        });
    }
    for (const part of document.querySelectorAll(".live-title, .live-legend li, .live-readout, .live-buttons button")) {
        const figure = part.closest("figure");
        if (part.getBoundingClientRect().right > figure.getBoundingClientRect().right + 1) {
            faults.push([figure.id, part.textContent, "out"]);
        }
    }
    return faults;
}"""
COVERED = """(figure) => [...figure.querySelectorAll("input, select, button")].filter((control) => {
    if (control.closest(".live-unseen")) return false; // of a probe, in the picture
    const { left, right, top, bottom } = control.getBoundingClientRect();
    if (top < 60 || bottom > innerHeight) return false;
    const found = document.elementFromPoint((left + right) / 2, (top + bottom) / 2);
    return !control.contains(found) && !found.closest(".live-controls");
}).map((control) => control.name || control.textContent)"""


@pytest.mark.parametrize("name", PAGES)
def test_no_page_is_wider_than_a_small_screen(browser, address, name):
    too_wide = []
    with Visit(browser, address, **PHONE) as visit:
        visit.open(name)
        visit.rest()
        visit.page.add_style_tag(content=LAID_OUT)
        for width, percent in ((320, 100), (320, 200), (390, 200)):
            visit.page.set_viewport_size({"width": width, "height": 800})
            visit.page.evaluate(LETTERS, percent)
            visit.page.evaluate(TWO_FRAMES)
            wide = visit.page.evaluate("document.documentElement.scrollWidth")
            too_wide += [(width, percent, wide)] if wide > width else []
    assert too_wide == []


@pytest.mark.parametrize("name", FIGURED)
def test_large_letters_leave_each_control_its_room(browser, address, name):
    faults = []
    with Visit(browser, address, **PHONE) as visit:
        visit.open(name)
        visit.page.add_style_tag(content=LAID_OUT)
        for width, percent in SIZES:
            visit.page.set_viewport_size({"width": width, "height": 800})
            visit.page.evaluate(LETTERS, percent)
            visit.page.evaluate(TWO_FRAMES)
            faults += [(width, percent, *each) for each in visit.page.evaluate(FAULTS)]
    assert faults == []


@pytest.mark.parametrize("name", FIGURED)
def test_nothing_covers_a_control_when_a_reader_scrolls_back(browser, address, name):
    with Visit(browser, address, **PHONE) as visit:
        for figure in visit.open(name):
            figure.wake()
            controls = figure.handle.query_selector(".live-controls")
            controls.evaluate("(it) => scrollBy(0, it.getBoundingClientRect().top - 680)")
            visit.page.mouse.wheel(0, 120)
            visit.page.evaluate(TWO_FRAMES)
            visit.page.mouse.wheel(0, -120)
            visit.page.evaluate(TWO_FRAMES)
            assert figure.handle.evaluate(COVERED) == [], figure.name
