"""Prints the built book to one PDF: each page as a browser prints it, figures as they are at first.

Chromium prints the pages one by one, which gives tagged text and an outline.  The numbers of the
pages go on from one to the next, and a link from page to page arrives in the same file.
"""

import io
from urllib.parse import urlsplit

from playwright.sync_api import sync_playwright
from pypdf import PdfReader, PdfWriter
from pypdf.generic import ArrayObject, NameObject, TextStringObject
from tqdm import tqdm

from tools import chromium
from tools.book import HTML, PAGES

PDF = HTML / "normalizing-flows-alive.pdf"  # where book/index.md links to
PAPER = """
@page {{
  size: A4;
  margin: 18mm 16mm;
  @bottom-center {{ content: counter(page); font: 9pt sans-serif; }}
}}
html {{ counter-reset: page {before}; }}
"""
READY = """async () => {
    document.querySelectorAll("img").forEach((each) => { each.loading = "eager"; });
    await Promise.all([...document.images].map((each) => each.decode()));
    await document.fonts.ready;
}"""
HEADINGS = """() => [...document.querySelectorAll("h1, h2, h3, h4, h5, h6")]
    .filter((each) => each.checkVisibility()).map((each) => each.innerText.trim())"""


def main(names=PAGES, path=PDF):
    book, firsts, places = PdfWriter(), {}, {}
    with sync_playwright() as playwright:
        browser = chromium.launch(playwright)
        for name in tqdm(names, desc="pages", disable=None):
            firsts[name] = first = len(book.pages)
            part = printed(browser, name, before=first)
            book.append(part)
            for place, target in part.named_destinations.items():
                number = first + part.get_destination_page_number(target)
                places[first, place] = [number, *target.dest_array[1:]]
        browser.close()
    connect(book, firsts, places)
    book.compress_identical_objects()
    part = path.with_suffix(".part")
    book.write(part)
    part.replace(path)
    print(f"{path}: {len(book.pages)} pages")


def printed(browser, name, before):
    """One page of the book as a PDF.  Without their script, figures are the pictures they carry."""
    page = browser.new_page(color_scheme="light")
    page.route("**/live.js*", lambda route: route.abort())
    page.goto(f"{HTML.as_uri()}/{name}.html", wait_until="load")
    page.evaluate(READY)
    page.add_style_tag(content=PAPER.format(before=before))
    pdf = page.pdf(
        prefer_css_page_size=True, scale=0.72, print_background=True, outline=True, tagged=True
    )
    page.emulate_media(media="print")
    headings = page.evaluate(HEADINGS)
    page.close()
    part = PdfReader(io.BytesIO(pdf))
    for entry, heading in zip(entries(part.root_object["/Outlines"]), headings, strict=True):
        entry[NameObject("/Title")] = TextStringObject(heading)
    return part


def entries(node):
    """An outline's entries from top to bottom.  Chromium lists a title twice where a page breaks."""
    child = node.get("/First")
    while child:
        child = child.get_object()
        yield child
        yield from entries(child)
        child = child.get("/Next")


def connect(book, firsts, places):
    """Lets links within the book arrive in this file.

    A place is named in the page that it is in, and several pages have an "exercises"; so links get
    the place itself.  A link to another page goes to where that page begins.
    """
    begins = sorted(firsts.values(), reverse=True)
    for number, page in enumerate(book.pages):
        first = next(begin for begin in begins if begin <= number)
        for link in (each.get_object() for each in page.get("/Annots", [])):
            address = urlsplit(link.get("/A", {}).get("/URI", ""))._replace(fragment="").geturl()
            name = address.removeprefix(f"{HTML.as_uri()}/").removesuffix(".html")
            if "/Dest" in link:
                arrival = places[first, link["/Dest"]]
            elif name in firsts:
                del link["/A"]
                arrival = [firsts[name], NameObject("/Fit")]
            else:
                continue
            page_reference = book.pages[arrival[0]].indirect_reference
            link[NameObject("/Dest")] = ArrayObject([page_reference, *arrival[1:]])


if __name__ == "__main__":
    main()
