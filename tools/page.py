"""A live figure on an HTML page of its own, as a built book mounts it."""

import html
import json

from flowlib.live import bundle


def page_of(*books):
    """What a built page holds for each figure's book_data(), without the book around it."""
    mounts = []
    for book in books:
        spec = book.get("spec", {})
        name, caption = spec.get("name", "none"), html.escape(spec.get("caption", ""))
        picture = {key: book[key] for key in ("png", "alt", "width", "height")}
        data = {key: book[key] for key in book.keys() - picture.keys()}
        script = json.dumps(data).replace("<", "\\u003c")
        mounts.append(
            f'<figure class="live-figure" id="{name}" data-state="static">'
            f'<img class="live-static" src="data:image/png;base64,{book["png"]}" '
            f'alt="{html.escape(book["alt"])}" width="{book["width"]}" height="{book["height"]}">'
            f"<figcaption>{caption}</figcaption>"
            f'<script type="application/json" class="live-data">{script}</script></figure>'
        )
    return (
        '<!doctype html><html lang="en" data-theme="light"><meta charset="utf-8"><title>t</title>'
        '<meta name="viewport" content="width=device-width">'
        f"<style>{bundle.css()}</style><script>{bundle.whole()}</script>"
        f"<body>{''.join(mounts)}</body></html>"
    )
