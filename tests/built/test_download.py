"""The zip that a reader takes along works from a folder, without a network."""

from __future__ import annotations

from zipfile import ZipFile

import pytest

from extensions.download import NAME
from links import broken_links
from tools.book import HTML, WIDE, Visit


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    target = tmp_path_factory.mktemp("unpacked")
    with ZipFile(HTML / f"{NAME}.zip") as file:
        file.extractall(target)
    return target / NAME


def test_a_page_of_the_zip_works_without_a_network(browser, folder):
    with Visit(browser, folder.as_uri() + "/", **WIDE) as visit:
        visit.context.set_offline(True)
        for figure in visit.open("index"):
            figure.wake()
            pictures = {picture for picture, _ in figure.sweep(figure.controls[0])}
            assert len(pictures) > 1, figure.name
        visit.rest()
        assert visit.foreign == [] and visit.complaints == []


def test_the_zip_holds_nothing_but_the_book(folder):
    names = [path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()]
    assert not [name for name in names if name.endswith((".map", ".zip", ".inv"))]
    assert (HTML / f"{NAME}.zip").stat().st_size < 15_000_000


def test_every_link_of_the_zip_leads_somewhere(folder):
    assert broken_links(folder) == []
