"""Changes the pages of a book that is built: what the theme writes, and no setting turns off."""

from pathlib import Path


def rewrite(app, change):
    """Gives each page the text that ``change`` makes of its name and its text."""
    if app.builder.format == "html":
        for page in Path(app.outdir).rglob("*.html"):
            before = page.read_text(encoding="utf-8")
            after = change(page.name, before)
            if after != before:
                page.write_text(after, encoding="utf-8")
