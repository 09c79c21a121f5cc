"""Fonts with only the letters that the book shows."""

import logging

from fontTools import subset

logging.getLogger("fontTools").setLevel(logging.WARNING)  # it tells all that it leaves out


def keep(letters, source, target):
    """Writes the font ``source`` with these letters, numbers of Unicode, as the woff ``target``.

    Firefox refuses a font without any letter.  So one that a page names only for its heights, as
    MathJax's of height zero, keeps one of its own.
    """
    options = subset.Options(flavor="woff", layout_features=[], notdef_outline=True)
    options.drop_tables += ["FFTM"]  # when FontForge made it
    font = subset.load_font(source, options)
    small = subset.Subsetter(options)
    own = font.getBestCmap().keys()
    small.populate(unicodes=letters & own or {min(own)})
    small.subset(font)
    subset.save_font(font, target, options)
