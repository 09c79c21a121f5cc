"""The built book as one zip, for readers without a network.

Left out is what no page loads: maps of scripts, the theme's translations, an icon script that
theme.py takes off the pages, and what only the web needs, as the frames for other pages.
"""

from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile

NAME = "normalizing-flows-alive"  # book/index.md links to it
LEFT_OUT = (
    "*.map",
    "*.zip",
    "*.pdf",
    "*.LICENSE.txt",
    "objects.inv",
    "sitemap.xml",
    ".buildinfo*",
    "404.html",
    "webpack-macros.html",
    "_static/locales/*/*/*",
    "_static/scripts/fontawesome.js",
    "_images/social_previews/*",
    "embed/*/*",
)


def pack(out, address):
    """Writes the zip into ``out``, the folder of the book, whose address on the web this is."""
    # Inside, the link to this file would lead nowhere: there it leads to the book on the web.
    link, there = (f'href="{base}{NAME}.zip"' for base in ("", address))
    with ZipFile(out / f"{NAME}.zip", "w", ZIP_DEFLATED) as file:
        for path in sorted(out.rglob("*")):
            name = path.relative_to(out)
            if name == Path("index.html"):
                text = path.read_text(encoding="utf-8").replace(link, there)
                file.writestr(f"{NAME}/index.html", text)
            elif path.is_file() and not any(name.match(pattern) for pattern in LEFT_OUT):
                file.write(path, Path(NAME) / name)
