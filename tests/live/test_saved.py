"""What leaves a book: a figure as a file of its own, its picture, and a frame for another page."""

import base64
import json
import re
from io import BytesIO
from xml.etree import ElementTree

import numpy as np
import pytest
from PIL import Image

from flowlib.live import saved
from pages import book, figure, gallery, learner
from pages import long_numbers as line

SVG = "{http://www.w3.org/2000/svg}"
OPEN = "Save or embed"


@pytest.fixture
def alone(page, tmp_path):
    """A saved figure, opened from disk; whatever it requests of others fails the test."""
    complaints = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda m: m.type == "error" and complaints.append(m.text))
    page.on("request", lambda r: r.url.startswith("http") and complaints.append(r.url))

    def visit(fig, query=""):
        fig.save(tmp_path / "alone.html")
        page.goto((tmp_path / "alone.html").as_uri() + query)
        page.wait_for_function("document.querySelector('figure').dataset.frameMs")
        return page.locator("figure")

    yield visit
    assert complaints == []


def test_a_saved_figure_begins_in_its_state_and_runs_from_disk(alone):
    fig = figure()
    fig.a, fig.shape, fig.seed = -1.0, "square", 2
    shown = alone(fig)
    assert shown.locator("[name=a]").input_value() == "-1"
    expected = float(fig.evaluate()["logs"])
    assert shown.locator("output").nth(1).inner_text() == f"{expected:.3f}".replace("-", "−")
    shown.locator("[name=a]").fill("1.5")
    shown.get_by_role("button", name="Reset").click()
    assert shown.locator("[name=a]").input_value() == "-1"


def test_a_saved_figure_trains(alone, page):
    shown = alone(learner(steps=5))
    shown.get_by_role("button", name="Step").click()
    page.wait_for_function("document.querySelector('figure').innerText.includes('step 1 of 5')")


def test_of_a_saved_figure_at_most_60_kb_are_not_its_own():
    data = book()
    own = len(data["png"]) + len(json.dumps({k: data[k] for k in ("spec", "graphs", "data")}))
    assert len(saved.page(data).encode()) - own <= 60_000


@pytest.mark.parametrize(("name", "start"), [("f.png", b"\x89PNG"), ("f.SVG", b"<?xml")])
def test_a_picture_is_that_of_draw(tmp_path, name, start):
    line().save(tmp_path / name)
    assert (tmp_path / name).read_bytes().startswith(start)
    assert [path.name for path in tmp_path.iterdir()] == [name]


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("f.pdf", r"save expected a name that ends in \.html, \.png or \.svg; got '.*f\.pdf'"),
        ("missing/f.html", r"missing.f\.html cannot be written: No such file or directory"),
    ],
)
def test_what_cannot_be_saved_says_so_in_one_line_and_leaves_nothing(tmp_path, name, words):
    with pytest.raises((ValueError, OSError), match=rf"^[^\n]*{words}$"):
        line().save(tmp_path / name)
    assert list(tmp_path.iterdir()) == []


def saving(shown, name):
    """The file that a reader gets."""
    with shown.page.expect_download() as download:
        shown.press(name)
    assert download.value.suggested_filename.endswith(name.lower())
    return open(download.value.path(), "rb").read()


def test_a_reader_saves_what_is_seen(show):
    data = gallery().book_data()
    shown = show(data)
    shown.press(OPEN)
    svg = ElementTree.fromstring(saving(shown, "SVG"))
    png = Image.open(BytesIO(saving(shown, "PNG")))
    assert png.size == (2 * int(svg.get("width")), 2 * int(svg.get("height")))
    texts = {text.text for text in svg.iter(f"{SVG}text")}
    assert {"samples", "x₁", "i"} <= texts
    assert len(list(svg.iter(f"{SVG}image"))) == 2  # the heat map and the matrix
    assert len(svg.findall(f".//{SVG}clipPath")) == len(data["spec"]["panels"])
    # The same picture twice: by SVG and by pixels, which differ where edges are smoothed.
    width, height = png.width // 2, png.height // 2
    drawn = shown.page.evaluate(
        """async ([svg, width, height]) => {
          const image = new Image();
          image.src = `data:image/svg+xml,${encodeURIComponent(svg)}`;
          await image.decode();
          const canvas = Object.assign(document.createElement("canvas"), { width, height });
          canvas.getContext("2d").drawImage(image, 0, 0, width, height);
          return canvas.toDataURL().split(",")[1];
        }""",
        [ElementTree.tostring(svg, encoding="unicode"), width, height],
    )
    by_svg = np.asarray(Image.open(BytesIO(base64.b64decode(drawn))).convert("L"), dtype=float)
    by_pixels = np.asarray(png.convert("L").resize((width, height)), dtype=float)
    assert (np.abs(by_svg - by_pixels) > 64).mean() < 0.01


def test_a_frame_shows_the_state_without_its_controls(show, page, alone):
    shown = show()
    shown.set("a", -1.0)
    shown.press(OPEN)
    shown.figure.get_by_role("checkbox", name="without its controls").check()
    line = shown.figure.get_by_role("textbox").input_value()
    src = re.search(r'<iframe src="([^"]*)" title="everything" width="100%" height="\d+"', line)[1]
    query = src.replace("&amp;", "&").partition("?")[2]
    assert query.startswith("bare#everything?a=-1&")
    framed = alone(figure(), f"?{query}")
    assert framed.locator("canvas").first.get_attribute("aria-label").count("a = −1.00") == 1
    assert not framed.locator("[name=a]").is_visible()
    assert not framed.get_by_role("button").first.is_visible()


def test_what_the_browser_blocks_is_said_in_the_figure(show, page):
    page.add_init_script("""Object.defineProperty(navigator, "clipboard", { value: undefined });
        URL.createObjectURL = () => { throw Error("blocked by the page’s policy"); };""")
    shown = show()
    shown.press(OPEN)
    shown.press("PNG")
    said = shown.figure.locator(".live-said")
    said.get_by_text("could not be saved: blocked by the page’s policy.").wait_for()
    assert shown.state == "ready"
    shown.press("Copy the frame")
    said.get_by_text("The clipboard is blocked here.").wait_for()
    assert "<iframe" in page.evaluate("getSelection().toString()")
