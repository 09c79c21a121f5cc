"""A Sphinx extension that leaves of the theme's icons those that the book shows.

The theme brings Font Awesome whole: three fonts of 300 KB and a rule of style for each of 1,400
icons.  The pages show twenty.  So the fonts become ones with these alone, and the other rules go.
"""

import re
from pathlib import Path

from fonts import keep

STYLE = "styles/pydata-sphinx-theme.css"
RULE = re.compile(r'((?:\.fa-[\w-]+:{1,2}before,?)+)\{content:"[^"]+"\}')
SOURCE = re.compile(
    r'src:url\(([^)]+?)\.woff2\) format\("woff2"\),url\([^)]+\) format\("truetype"\)'
)


def setup(app):
    app.connect("build-finished", thin_out)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def thin_out(app, exception):
    if app.builder.format != "html" or exception:
        return
    out = Path(app.outdir)
    style = out / "_static" / STYLE
    if not style.exists():  # no page is new, and an earlier build has done this
        return
    text = style.read_text(encoding="utf-8")
    fonts = SOURCE.findall(text)
    shown = icons_of(out)
    text = RULE.sub(lambda rule: rule[0] if shown & set(names(rule[1])) else "", text)
    style.write_text(SOURCE.sub(r'src:url(\1.woff) format("woff")', text), encoding="utf-8")
    letters = letters_of(out)
    for font in (style.parent / name for name in fonts):
        whole = font.with_suffix(".ttf")
        keep(letters, whole, font.with_suffix(".woff"))
        whole.unlink()
        font.with_suffix(".woff2").unlink()


def icons_of(out):
    """The names of all icons in pages and in the theme's scripts, and some that only look so."""
    scripts = (out / "_static" / "scripts").glob("*-theme.js")
    files = [*out.rglob("*.html"), *scripts]
    return {name for file in files for name in names(file.read_text(encoding="utf-8"))}


def letters_of(out):
    """All letters that a style still names, as they are or by their numbers."""
    text = "".join(file.read_text(encoding="utf-8") for file in out.rglob("*.css"))
    return {ord(letter) for letter in text} | {
        int(n, 16) for n in re.findall(r"\\([\da-f]+)", text)
    }


def names(text):
    return re.findall(r"\bfa-[a-z\d-]+", text)
