"""Prints the built book to one PDF: each page as a browser prints it, figures as they are at first.

Chromium prints the pages one by one, which gives tagged text and an outline.  The numbers of the
pages go on from one to the next, and a link from page to page arrives in the same file.
"""

import io
import sys
from pathlib import Path
from urllib.parse import urlsplit

from playwright.sync_api import sync_playwright
from pypdf import PdfReader, PdfWriter
from pypdf.generic import ArrayObject, NameObject
from tqdm import tqdm

ROOT = Path(__file__).parents[1]
sys.path.append(str(ROOT / "tests"))
import chromium  # noqa: E402
from book import HTML, PAGES  # noqa: E402

PDF = ROOT / "_build" / "normalizing-flows.pdf"
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
    if (document.querySelector(".math")) {
        while (!window.MathJax?.startup?.promise) await new Promise((go) => setTimeout(go, 50));
        await MathJax.startup.promise;
    }
    await document.fonts.ready;
}"""


def main(names=PAGES):
    book, firsts = PdfWriter(), {}
    with sync_playwright() as playwright:
        browser = chromium.launch(playwright)
        for name in tqdm(names, desc="pages", disable=None):
            firsts[name] = len(book.pages)
            book.append(io.BytesIO(printed(browser, name, before=firsts[name])))
        browser.close()
    for page in book.pages:
        for link in page.get("/Annots", []):
            redirect(link.get_object(), book, firsts)
    book.compress_identical_objects()
    part = PDF.with_suffix(".part")
    book.write(part)
    part.replace(PDF)
    print(f"{PDF.relative_to(ROOT)}: {len(book.pages)} pages")


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
    page.close()
    return pdf


def redirect(link, book, firsts):
    """Lets a link to another page of the book go to where that page begins in this file."""
    target = link.get("/A", {}).get("/URI", "")
    if target.startswith(HTML.as_uri()):
        name = Path(urlsplit(target).path).stem
        if name in firsts:
            del link["/A"]
            first = book.pages[firsts[name]].indirect_reference
            link[NameObject("/Dest")] = ArrayObject([first, NameObject("/Fit")])


if __name__ == "__main__":
    main()
