"""The book on paper: the first pages of it, printed as `make pdf` prints all."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest
from pypdf import PdfReader

from tools.book import HTML, PAGES, ROOT

NAMES = PAGES[:2]
PRINT = (
    "import sys, pathlib; from tools import pdf; pdf.main(sys.argv[2:], pathlib.Path(sys.argv[1]))"
)


@pytest.fixture(scope="module")
def book(tmp_path_factory):
    """In a process of its own, because this one has a browser already."""
    path = tmp_path_factory.mktemp("pdf") / "book.pdf"
    command = [sys.executable, "-c", PRINT, str(path), *NAMES]
    subprocess.run(command, check=True, cwd=ROOT, env={"PYTHONPATH": ".", "CI": "1"})
    assert list(path.parent.iterdir()) == [path]  # nothing half written is left next to it
    return PdfReader(path)


@pytest.fixture(scope="module")
def texts(book):
    return [page.extract_text() for page in book.pages]


def pages_of(book):
    """The number of the page on which each part begins, and the titles of its sections."""
    sections = iter([*book.outline, None])
    begins = {}
    for part in sections:
        if not isinstance(part, list) and part:
            begins[part.title] = book.get_destination_page_number(part)
    return begins


def test_the_outline_has_the_titles_of_the_parts(book):
    begins = pages_of(book)
    assert list(begins) == ["Normalizing flows, alive", "Change of variables"]
    assert begins["Normalizing flows, alive"] == 0 < begins["Change of variables"]


def test_no_picture_is_missing(book):
    shown = [
        name
        for page in NAMES
        for name in re.findall(
            r'<img [^>]*src="(_images/[^"]*\.png)"', (HTML / f"{page}.html").read_text("utf-8")
        )
    ]
    printed = sum(len(page.images) for page in book.pages)
    assert printed == len(shown) >= 10


def test_pages_are_numbered_through(texts):
    for number, text in enumerate(texts, start=1):
        assert text.split()[0] == str(number)  # the foot comes first


def test_solutions_are_open_and_code_that_draws_or_imports_is_left_out(texts):
    text = "".join(texts)
    notebook = (ROOT / "book" / "change-of-variables.ipynb").read_text("utf-8")
    assert "right.plot(" in notebook
    assert "Right." in text  # below an answer of a quiz
    assert "right.plot(" not in text
    assert "import torch" in notebook and "import torch" not in text
    assert "double = torch.float64" in text


def test_links_arrive_in_the_same_file(book):
    begin = pages_of(book)["Change of variables"]
    arrivals = []
    for number, page in enumerate(book.pages):
        for link in (each.get_object() for each in page.get("/Annots", [])):
            if "/Dest" in link:
                place = link["/Dest"][0].get_object()
                arrivals.append((number, book.get_page_number(place)))
            else:
                assert not any(f"html/{name}.html" in link["/A"]["/URI"] for name in NAMES)
    assert (0, begin) in arrivals or (1, begin) in arrivals  # from the table on the first pages
    inside = [end for start, end in arrivals if start >= begin]
    assert inside and all(end >= begin for end in inside if end)
