"""The Sphinx extension that puts live figures into a built page.

A notebook that the build executes shows a :class:`LiveFigure` as one JSON mime type.  It becomes a
mount point: a picture for print and for readers without JavaScript, a caption, and the figure's
state, which one script brings to life.  Other builders take the picture.  The state is in a file
of its own, a script, so that a page is shown before it is here, also a page opened as a file.
``embed/PAGE/FIGURE.html`` is the figure alone, for a frame in another page, and to download.  Of one
that comes in parts it fetches them from the book; js/whole.js makes the page to download.

Pages are written again when the script or the style changed.  When notebooks are executed again is
up to the book.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
from html import escape
from pathlib import Path
from urllib.parse import quote

from docutils import nodes
from sphinx.errors import ExtensionError

from flowlib.live import bundle, saved
from flowlib.live.figure import BOOK_MIME
from flowlib.live.parts import split

BUILDERS = ("html", "dirhtml", "singlehtml")


def setup(app):
    os.environ["FLOWLIB_BOOK"] = "1"  # the kernels that execute the notebooks inherit it
    app.add_node(mount_point, html=(write_mount_point, None))
    app.add_config_value("live_assets", "", "html")  # a new value: every page is written again
    app.connect("config-inited", stamp)
    app.connect("builder-inited", write_assets)
    app.connect("doctree-read", refuse_two_of_one_name)
    app.connect("html-page-context", add_assets)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


ARRIVES = """(() => {{
  const figure = document.currentScript.parentElement;
  const type = "application/json", className = "live-data", textContent = String.raw`{}`;
  figure.append(Object.assign(document.createElement("script"), {{ type, className, textContent }}));
  figure.dispatchEvent(new Event("live-data"));
}})();
"""


PART = "document.currentScript.part = String.raw`{}`;\n"  # of a figure: one graph, by itself


class mount_point(nodes.General, nodes.Element):
    """A live figure in a document; its one child is the picture."""


class LiveFigureRenderer:
    """myst-nb's plugin: from the JSON that a notebook's output holds to a mount point."""

    mime_priority_overrides = tuple((builder, BOOK_MIME, 1) for builder in BUILDERS)

    @staticmethod
    def handle_mime(renderer, data, inline):
        if data.mime_type != BOOK_MIME or inline:
            return None
        figure = dict(data.content)
        png = base64.b64decode(figure["png"])
        name = figure["spec"]["name"]
        digest = hashlib.sha256(png).hexdigest()[:10]
        uri = renderer.write_file([f"live-{name}-{digest}.png"], png, exists_ok=True)
        return [mount_point("", nodes.image(uri=uri), name=name, figure=figure)]


def refuse_two_of_one_name(app, doctree):
    """A figure's name is its address on the page: a link to one of two would lead to the first."""
    names = [node["name"] for node in doctree.findall(mount_point)]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise ExtensionError(
            f"{app.env.docname}: expected live figures of different names; got {', '.join(twice)} twice"
        )


def write_mount_point(translator, node):
    """Writes the element that ``hydrate`` in page.js expects, and the script that it will load."""
    figure, builder = node["figure"], translator.builder
    file = builder.images[node[0]["uri"]]
    src = escape(f"{builder.imgpath}/{quote(file)}")
    caption = escape(figure["spec"]["caption"])
    carried, parts = split({key: figure[key] for key in ("spec", "graphs", "data")})
    up = builder.imgpath.removesuffix(builder.imagedir)
    if parts:
        carried["files"] = {
            key: file
            for part, file in ((part, write_script(builder, PART, part)) for part in parts)
            for key in part["graphs"]
        }
    alone = embed(node, builder, figure | carried)
    state = write_script(builder, ARRIVES, carried, f"{node['name']}-")
    translator.body.append(
        f'<figure class="live-figure" id="{escape(node["name"])}" data-state="static"'
        f' data-src="{state}"'
        f' data-embed="{up}{quote(alone)}">\n'
        f'<img class="live-static" src="{src}" alt="{escape(figure["alt"])}"'
        f' width="{figure["width"]}" height="{figure["height"]}" loading="lazy">\n'
        f"<figcaption>{caption}</figcaption>\n"
        "</figure>\n"
    )
    raise nodes.SkipNode


def write_script(builder, form: str, content: dict, name: str = "") -> str:
    """Writes a script that brings some JSON, and returns its address, seen from the page."""
    data = json.dumps(content, separators=(",", ":"), ensure_ascii=False)
    script = form.format(data.replace("`", "\\u0060").replace("${", "\\u0024{"))
    file = f"live-{name}{digest(script.encode())[:10]}.js"
    images = Path(builder.outdir, builder.imagedir)
    images.mkdir(parents=True, exist_ok=True)
    (images / file).write_text(script, encoding="utf-8")
    return f"{builder.imgpath}/{quote(file)}"


def embed(node, builder, figure: dict) -> str:
    """Writes the figure as a page of its own; returns its place in the book."""
    name = node["name"]
    place = f"embed/{builder.current_docname}/{name}.html"
    if files := figure.get("files"):
        up = "../" * place.count("/") + builder.imagedir
        files = {key: f"{up}/{file.rpartition('/')[2]}" for key, file in files.items()}
        figure = figure | {"files": files}
    source = ""
    if builder.config.html_baseurl:
        address = builder.config.html_baseurl + builder.get_target_uri(builder.current_docname)
        link = f'<a href="{escape(address)}#{name}" target="_top">'
        source = f'<p class="live-source">{link}{escape(builder.config.html_title)}</a></p>\n'
    file = Path(builder.outdir, place)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(saved.page(figure, source), encoding="utf-8")
    return place


def stamp(app, config):
    """Gives the setting a value for each state of the assets: a new one marks pages as outdated."""
    config.live_assets = digest(bundle.classic().encode(), bundle.css().encode())


def digest(*contents: bytes) -> str:
    return hashlib.sha256(b"\0".join(contents)).hexdigest()[:16]


def write_assets(app):
    """Writes the scripts and the style.  Sphinx adds checksums to the addresses that pages have."""
    if app.builder.format == "html":
        static = Path(app.outdir) / "_static"
        static.mkdir(parents=True, exist_ok=True)
        (static / "live.js").write_text(bundle.classic(), encoding="utf-8")
        (static / bundle.MORE).write_text(bundle.more(), encoding="utf-8")
        (static / "live.css").write_text(bundle.css(), encoding="utf-8")


def add_assets(app, pagename, templatename, context, doctree):
    """Loads them on the pages that have a figure, and on no other."""
    if doctree is not None and next(doctree.findall(mount_point), None) is not None:
        app.add_js_file("live.js", loading_method="defer")
        app.add_css_file("live.css")
