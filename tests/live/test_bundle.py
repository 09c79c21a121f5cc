"""The script that a page loads: joined without loss, small, and without a request to anybody."""

import gzip
import re

from flowlib.live import bundle

EVERY = (*bundle.FILES, bundle.PAGE, bundle.NOTEBOOK)


def test_it_is_small():
    assert len(bundle.classic().encode()) <= 110_000
    assert len(bundle.esm().encode()) <= 110_000
    assert len(gzip.compress(bundle.classic().encode())) <= 36_000


def test_no_import_or_export_is_left_but_the_last():
    assert not re.search(r"^(import|export)\b", bundle.classic(), re.MULTILINE)
    assert re.findall(r"^(?:import|export)\b.*", bundle.esm(), re.MULTILINE) == [
        "export default { render };"
    ]


def test_no_two_source_files_define_one_name():
    names = []
    for file in EVERY:
        source = (bundle.HERE / "js" / file).read_text(encoding="utf-8")
        definition = r"^(?:export )?(?:async )?(?:function|const|let|class) (\w+)"
        names += re.findall(definition, source, re.MULTILINE)
    assert sorted(names) == sorted(set(names))


def test_every_source_file_is_joined():
    assert set(EVERY) == {path.name for path in (bundle.HERE / "js").glob("*.js")}


def test_no_comment_is_left_and_no_string_is_cut():
    for script in (bundle.classic(), bundle.esm()):
        assert not re.search(r"/\*\*|(^|\s)//", script)
        for quote in '"`':
            assert all(line.count(quote) % 2 == 0 for line in script.splitlines())


def test_every_string_keeps_its_spaces():
    joined = bundle.classic() + bundle.esm()
    for file in EVERY:
        source = (bundle.HERE / "js" / file).read_text(encoding="utf-8")
        code = re.sub(r"/\*\*.*?\*/|(^|\s)//[^\n]*", "", source, flags=re.DOTALL)
        code = re.sub(r"^import.*", "", code, flags=re.MULTILINE)
        for string in re.findall(r'"[^"\n]*"|`[^`]*`', code):
            assert string in joined, f"{file}: {string}"


def test_it_names_no_address():
    for text in (bundle.classic(), bundle.css()):
        assert not re.search(r"https?://(?!www\.w3\.org/)", text)
