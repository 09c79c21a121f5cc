"""Of the theme's icons, those that the book shows.

The theme brings Font Awesome whole: three fonts of 300 KB and a rule of style for each of 1,400
icons.  The pages show twenty.  So the fonts become ones with only these, and the other rules go.
"""

import re

from extensions.fonts import keep
from extensions.theme import ICON, ICON_FONT, STYLE


def thin_out(static, pages):
    """Leaves in the theme's style and fonts what the pages, texts of HTML, show."""
    style = static / STYLE
    if not style.exists():  # no page is new, and an earlier build has done this
        return
    text = style.read_text(encoding="utf-8")
    fonts = ICON_FONT.findall(text)
    shown = icons_of(static, pages)
    text = ICON.sub(lambda rule: rule[0] if shown & set(names(rule[1])) else "", text)
    style.write_text(ICON_FONT.sub(r'src:url(\1.woff) format("woff")', text), encoding="utf-8")
    letters = letters_of(static)
    for font in (style.parent / name for name in fonts):
        whole = font.with_suffix(".ttf")
        keep(letters, whole, font.with_suffix(".woff"))
        whole.unlink()
        font.with_suffix(".woff2").unlink()


def icons_of(static, pages):
    """The names of all icons in pages and in the theme's scripts, and some that only look so."""
    scripts = (file.read_text(encoding="utf-8") for file in static.glob("scripts/*-theme.js"))
    return {name for text in (*pages, *scripts) for name in names(text)}


def letters_of(static):
    """All letters that a style still names, as they are or by their numbers."""
    text = "".join(file.read_text(encoding="utf-8") for file in static.rglob("*.css"))
    return {ord(letter) for letter in text} | {
        int(n, 16) for n in re.findall(r"\\([\da-f]+)", text)
    }


def names(text):
    return re.findall(r"\bfa-[a-z\d-]+", text)
