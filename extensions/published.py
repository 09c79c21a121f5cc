"""A book that is found on the web: what others show of it, and a lost page.

The address of the published book is ``baseurl`` in _config.yml.  The cards that a link to a page
unfolds to, the sitemap and the page for a missing one need it too.
"""

from pathlib import Path
from urllib.parse import urlsplit
from xml.sax.saxutils import escape

from docutils import nodes

LOST = """
<h1>There is no such page</h1>
<p>The address has a slip in it, or the page has moved.
Begin at the <a href="{prefix}index.html">first page</a>,
or look for it with the <a href="{prefix}search.html">search</a>.</p>
"""


def know_the_address(app, config):
    """Tells the extensions that make the cards and the page of a lost reader."""
    prefix = urlsplit(config.html_baseurl).path
    config.ogp_site_url, config.ogp_site_name = config.html_baseurl, config.html_title
    config.notfound_urls_prefix = prefix
    config.notfound_context = {"title": "No such page", "body": LOST.format(prefix=prefix)}


def describe_in_words(app, name, template, context, doctree):
    """Takes pictures out of the text that a description is made of; the page is written already."""
    for image in list(doctree.findall(nodes.image)) if doctree else []:
        image.parent.remove(image)


def write_sitemap(app):
    """Lists all pages, also those that this build did not write again."""
    places = (app.builder.get_target_uri(name) for name in sorted(app.env.all_docs))
    urls = "".join(f"<url><loc>{escape(app.config.html_baseurl + p)}</loc></url>" for p in places)
    sitemap = f'<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">{urls}</urlset>'
    Path(app.outdir, "sitemap.xml").write_text(sitemap, encoding="utf-8")
