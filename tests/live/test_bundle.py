"""The scripts that a page loads: whole, small, and without a request to anybody else."""

import gzip
import re

from flowlib.live import bundle


def test_what_every_figure_loads_is_small():
    assert len(bundle.classic().encode()) <= 72_000
    assert len(gzip.compress(bundle.classic().encode())) <= 24_000


def test_what_some_figures_load_is_small():
    assert len(bundle.more().encode()) <= 36_000
    assert len(gzip.compress(bundle.more().encode())) <= 16_000


def test_they_import_nothing_and_export_what_anywidget_reads():
    assert not re.search(r"\b(import|export)\b", bundle.whole())
    assert re.findall(r"\b(?:import|export)\b.*", bundle.esm()) == ["export default live;"]


def test_they_have_every_sentence_and_the_kernels_as_they_are_written():
    for path in (bundle.HERE / "js").glob("*.js"):
        code = re.sub(
            r"/\*\*.*?\*/|(^|\s)//[^\n]*", "", path.read_text(encoding="utf-8"), flags=re.DOTALL
        )
        for text in re.findall(r'"([^"\n]*)"', code):
            if not text.startswith("./") and "${" not in text:
                assert text in bundle.whole(), f"{path.name}: {text}"


def test_they_name_no_address():
    for text in (bundle.whole(), bundle.css()):
        assert not re.search(r"https?://(?!www\.w3\.org/)", text)
