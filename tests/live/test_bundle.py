"""The script that a page loads: whole, small, and without a request to anybody."""

import gzip
import re

from flowlib.live import bundle


def test_it_is_small():
    assert len(bundle.classic().encode()) <= 86_000
    assert len(gzip.compress(bundle.classic().encode())) <= 35_000


def test_it_imports_nothing_and_exports_what_anywidget_reads():
    assert not re.search(r"\b(import|export)\b", bundle.classic())
    assert re.findall(r"\b(?:import|export)\b.*", bundle.esm()) == ["export default live;"]


def test_it_has_every_sentence_and_the_kernels_as_they_are_written():
    for path in (bundle.HERE / "js").glob("*.js"):
        code = re.sub(
            r"/\*\*.*?\*/|(^|\s)//[^\n]*", "", path.read_text(encoding="utf-8"), flags=re.DOTALL
        )
        for text in re.findall(r'"([^"\n]*)"', code):
            if not text.startswith("./") and "${" not in text:
                assert text in bundle.script(), f"{path.name}: {text}"


def test_it_names_no_address():
    for text in (bundle.classic(), bundle.css()):
        assert not re.search(r"https?://(?!www\.w3\.org/)", text)
