"""Every picture of the built pages is described in words and has its room before it comes; icons are there."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest
from fontTools.ttLib import TTFont
from PIL import Image

from extensions.icons import names
from extensions.styles import JOINED
from tools.book import HTML, PAGES

in_every_page = pytest.mark.parametrize("name", PAGES)


class Pictures(HTMLParser):
    """The attributes of each picture in the text of a page, and the icons around it."""

    def __init__(self, name):
        super().__init__()
        self.pictures, self.icons = [], set()
        self.feed((HTML / f"{name}.html").read_text(encoding="utf-8"))

    def handle_starttag(self, tag, attributes):
        given = dict(attributes)
        if tag == "img" and "_images/" in given["src"]:
            self.pictures.append(given)
        if tag == "i":
            self.icons |= {*names(given["class"])} - {"fa-solid", "fa-brands", "fa-lg"}


@in_every_page
def test_a_picture_is_told_in_words_and_has_its_room_before_it_comes(name):
    for picture in Pictures(name).pictures:
        assert len(picture["alt"]) >= 10, picture["src"]
        if picture["src"].endswith(".png"):
            with Image.open((HTML / name).parent / picture["src"]) as image:
                width, height = int(picture["width"]), int(picture["height"])
                assert width * image.height == pytest.approx(height * image.width, rel=0.01)


@in_every_page
def test_pictures_after_the_first_wait_for_a_reader(name):
    pngs = [each for each in Pictures(name).pictures if each["src"].endswith(".png")]
    assert all(each.get("loading") == "lazy" for each in pngs[1:])


def test_every_font_has_a_letter():
    """Firefox refuses one that has none, and says so in the console."""
    fonts = [*(HTML / "_static").rglob("*.woff")]
    assert len(fonts) > 10
    assert [font.name for font in fonts if not TTFont(font).getBestCmap()] == []


def test_every_icon_has_its_rule_and_its_letter():
    style = (HTML / "_static" / JOINED).read_text(encoding="utf-8")
    letters = {
        letter
        for font in (HTML / "_static").rglob("fa-*.woff")
        for letter in TTFont(font).getBestCmap()
    }
    shown = set().union(*(Pictures(name).icons for name in PAGES))
    assert len(shown) > 10
    for icon in shown:
        rule = re.search(rf'\.{icon}:before[^{{]*\{{content:"([^"]+)"', style)
        assert rule, icon
        code = rule[1].removeprefix("\\")
        assert (ord(code) if len(code) == 1 else int(code, 16)) in letters, icon
    assert sum(font.stat().st_size for font in (HTML / "_static").rglob("fa-*")) < 20_000
