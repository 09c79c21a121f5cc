"""What a reader takes away from the flow lab and brings to it: by mouse, by finger and by keyboard."""

from __future__ import annotations

import pytest

from flowlib.live import load_parameters
from tools.book import Visit

WAYS = {
    "mouse": lambda element: element.click(),
    "touch": lambda element: element.tap(),
    "keyboard": lambda element: (element.focus(), element.press("Enter")),
}


@pytest.fixture(scope="module")
def lab(browser, address):
    allowed = ["clipboard-read", "clipboard-write"]
    with Visit(browser, address, has_touch=True, permissions=allowed) as visit:
        (figure,) = visit.open("lab")
        figure.wake()
        figure.handle.evaluate("(figure) => figure.live.change('density', 'yours')")
        figure.settle()
        yield visit, figure
        assert visit.complaints == [] and visit.foreign == []


@pytest.mark.parametrize("way", WAYS)
def test_link_code_frame_files_and_paste(lab, way):
    (visit, figure), use = lab, WAYS[way]
    page, whole = visit.page, visit.page.locator("#flow-lab")

    def press(words):
        use(whole.get_by_role("button", name=words))
        figure.settle()

    def clipboard(words):
        press(words)
        return page.evaluate("navigator.clipboard.readText()")

    def file(words):
        with page.expect_download() as download:
            press(words)
        return download.value

    assert "#flow-lab?density=yours&kind=RealNVP" in clipboard("Copy link")
    press("Step")
    press("Save or embed")
    assert "AffineCoupling(2, hidden=width, bound=2.0)" in clipboard("Copy the code")
    assert clipboard("Copy the frame").startswith("<iframe src=")
    assert file("PNG").suggested_filename == "flow-lab.png"
    assert len(load_parameters(file("Parameters").path())) == 4744
    text = file("Web page").path().read_text(encoding="utf-8")
    assert text.count('"step[') == 30  # the graphs of all flows
    press("Save or embed")

    before = figure.handle.evaluate("(figure) => figure.live.address.write()")
    table = whole.get_by_role("textbox", name="Two columns of numbers")
    if not table.is_visible():
        use(whole.locator("summary"))
    own = 5 + list(WAYS).index(way)
    table.fill("\n".join(f"{k / 10}, {(k % own) ** 2}" for k in range(40)))
    press("Draw these points")
    assert figure.handle.evaluate("(figure) => figure.live.address.write()") != before
