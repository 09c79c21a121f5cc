"""A figure as a file: a page that works from disk, in a slide or in a frame, or a picture.

The page carries the scripts that the pages of a book load, compressed, its style, its picture and
the figure's data; it requests nothing.
"""

from __future__ import annotations

import base64
import gzip
import io
import json
import os
import re
from html import escape
from pathlib import Path

from flowlib.live import bundle, static

STYLE = """
:root { color-scheme: light dark; }
body { margin: 0; padding: 0.5rem; background: #fff; font-family: system-ui, sans-serif; }
.live-figure { margin: 0 auto; max-width: 60rem; }
.live-static { max-width: 100%; height: auto; }
h1 { position: absolute; clip-path: inset(50%); }
.live-source { max-width: 60rem; margin: 0.5rem auto 0; font-size: 0.8125rem; text-align: right; }
.live-source a { color: #5a5a5a; }
@media (prefers-color-scheme: dark) {
  body { background: #14181e; }
  .live-source a { color: #b4b4b4; }
}
"""
# A browser without DecompressionStream is older than 2023.
# Five letters hold four bytes: a sixteenth shorter than base 64.  None is a quote, or ends a script.
UNPACK = """(async (letters, packed, length) => {
  const words = new DataView(new ArrayBuffer(packed.length / 5 * 4));
  for (let i = 0; i < packed.length; i += 5) {
    let word = 0;
    for (let k = 0; k < 5; k++) word = 85 * word + letters.indexOf(packed[i + k]);
    words.setUint32(i / 5 * 4, word);
  }
  const bytes = words.buffer.slice(0, length);
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  const parts = (await new Response(stream).text()).split("\\0");
  for (const [i, textContent] of parts.entries()) {
    document.head.append(Object.assign(document.createElement(["style", "script"][i]), { textContent }));
  }
})"""
LETTERS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz!#$%&()*+-;<=>?@^_`{|}~"
TOO_OLD = """() => document.querySelector("figcaption").append(
  " This is a picture only: the figure needs a browser of 2023 or later."
)"""


def save(figure, path: str | os.PathLike):
    """Write ``figure`` in its present state to ``path``, a page or a picture by its ending.

    Raises:
        ValueError: another ending than .html, .png or .svg.
        OSError: a folder that is missing or cannot be written to.
    """
    path = Path(path)
    make = FORMATS.get(path.suffix.lower())
    if make is None:
        raise ValueError(f"save expected a name that ends in {ENDINGS}; got {str(path)!r}")
    content, part = make(figure), path.with_name(f".{path.name}.part")
    try:
        part.write_bytes(content)
        part.replace(path)  # whole, or not at all
    except OSError as error:
        part.unlink(missing_ok=True)
        raise type(error)(f"{path} cannot be written: {error.strerror}") from None


def page(book: dict, source: str = "") -> str:
    """A page with one figure, from its ``book_data()``; below it a link to ``source``, if any."""
    spec = book["spec"]
    image = {
        "src": f"data:image/png;base64,{book['png']}",
        **{key: book[key] for key in ("alt", "width", "height")},
    }
    attributes = " ".join(f'{key}="{escape(str(value))}"' for key, value in image.items())
    carried = {key: book[key] for key in ("spec", "graphs", "data", "files") if key in book}
    data = json.dumps(carried, ensure_ascii=False)
    title = escape(spec["name"].replace("-", " "))
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<link rel="icon" href="data:,">
<style>{_small(STYLE)}</style>
</head>
<body>
<main>
<h1 class="live-spoken">{title}</h1>
<figure class="live-figure" id="{spec["name"]}" data-state="static">
<img class="live-static" {attributes}>
<figcaption>{escape(spec["caption"])}</figcaption>
<script type="application/json" class="live-data">{data.replace("<", chr(92) + "u003c")}</script>
</figure>
{source}</main>
<script>{UNPACK}({_packed(_small(bundle.css()), bundle.whole())}).catch({TOO_OLD});</script>
</body>
</html>
"""


def _small(style: str) -> str:
    """The style without what only its readers need."""
    return re.sub(r"\s*([{};:,])\s+", r"\1", re.sub(r"/\*.*?\*/|\n *", "", style, flags=re.DOTALL))


def _packed(*parts: str) -> str:
    """What UNPACK takes: a style and a script."""
    packed = gzip.compress("\0".join(parts).encode(), mtime=0)
    return f'"{LETTERS}", "{base64.b85encode(packed, pad=True).decode()}", {len(packed)}'


def _svg(figure) -> bytes:
    buffer = io.BytesIO()
    figure.draw().savefig(buffer, format="svg", facecolor="white")
    return buffer.getvalue()


FORMATS = {
    ".html": lambda figure: page(figure.book_data()).encode(),
    ".png": lambda figure: static.to_png(figure.draw())[0],
    ".svg": _svg,
}
ENDINGS = ".html, .png or .svg"
