"""The page's script and style, joined from their source files; no build step, no framework.

The files under ``js/`` are ordinary ES modules.  Joining them drops the imports of each other, the
``export`` keywords, and what only a reader of the source needs: comments, indentation, some ends of
lines and statements, spaces beside punctuation.
"""

from __future__ import annotations

import re
from pathlib import Path

HERE = Path(__file__).parent
FILES = (
    "scalars.js",
    "kernels.js",
    "linear.js",
    "module.js",
    "memory.js",
    "noise.js",
    "reader.js",
    "operations.js",
    "runtime.js",
    "words.js",
    "theme.js",
    "marks.js",
    "pointer.js",
    "finger.js",
    "controls.js",
    "layout.js",
    "table.js",
    "drawing.js",
    "guess.js",
    "train.js",
    "sound.js",
    "follow.js",
    "figure.js",
)
PAGE, NOTEBOOK = "page.js", "widget.js"  # the one or the other comes last

DROPPED = re.compile(
    r"""^import\s[^;]*\sfrom\s"\./[^;]*;\n   # one source file names another
    | ^export\sdefault\s[^;]*;\n
    | ^export\s
    | ^[ ]*/\*\*.*?\*/\n                     # a doc comment
    | ^[ ]*//[^\n]*\n
    | [ ]+//[ ][^\n]*$
    | ^[ ]+
    | ^\n
    | (?<=[\[({,;])\n
    """,
    re.MULTILINE | re.DOTALL | re.VERBOSE,
)
LITERAL = re.compile(r"""("(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|`(?:\\.|[^`\\])*`)""")
# Spaces not beside + and -: a + +b.  A semicolon only where the block does not end with it.
SPACE = re.compile(r" (?=[=<>?:,{}()&|*])|(?<=[=<>?:;,{}()&|*]) |;(?=\})")


def esm() -> str:
    """One ES module with a default export, for anywidget."""
    return f"{_joined(NOTEBOOK)}export default {{ render }};\n"


def classic() -> str:
    """One classic script for a built page, which also works from ``file://``."""
    return f'(() => {{\n"use strict";\n{_joined(PAGE)}hydrate();\n}})();\n'


def css() -> str:
    return (HERE / "live.css").read_text(encoding="utf-8")


def _joined(last: str) -> str:
    sources = ((HERE / "js" / name).read_text(encoding="utf-8") for name in (*FILES, last))
    parts = LITERAL.split("".join(DROPPED.sub("", source) for source in sources))
    return "".join(part if i % 2 else SPACE.sub("", part) for i, part in enumerate(parts))
