"""The pages on flowlib: every public name is there, leads to its lines, and its links arrive."""

import re

import pytest
from sphinx.util.inventory import InventoryFile

from names import NAMES
from tools.book import CONFIG, HTML, PAGES, ROOT, WIDE, Visit

ROLE = re.compile(r":(?:class|func|meth|data|attr):`([\w.]+)`")


def objects():
    with (HTML / "objects.inv").open("rb") as file:
        found = InventoryFile.load(file, "", lambda base, place: place)
    return {
        name: place
        for kind, entries in found.items()
        if kind.startswith("py:")
        for name, (_, _, place, _) in entries.items()
    }


def test_every_public_name_has_an_entry():
    assert sorted(set(NAMES) - objects().keys()) == []


def test_every_class_and_function_leads_to_its_lines():
    source = f'href="{CONFIG["repository"]["url"]}/blob/main/flowlib/'
    for page in (HTML / "reference").glob("*.html"):
        text = page.read_text(encoding="utf-8")
        signatures = re.findall(r'<dt class="sig.*?</dt>', text, re.DOTALL)
        called = [each for each in signatures if "sig-paren" in each]  # not constants and traits
        assert [each for each in called if source not in each] == [], page.name


def test_every_name_that_a_docstring_links_to_has_an_entry():
    known = {f".{name}" for name in objects()}
    for path in [*(ROOT / "flowlib").glob("*.py"), *(ROOT / "flowlib/live").glob("[acfmpt]*.py")]:
        for name in ROLE.findall(path.read_text(encoding="utf-8")):
            assert any(each.endswith(f".{name}") for each in known), f"{path.name}: {name}"


REFERENCE = [name for name in PAGES if name.startswith("reference/") and name != "reference/index"]
COPIED = """() => [...document.querySelectorAll(".copybtn")].map((button) => {
    let code = null;
    addEventListener("copy", ({ target }) => { code = target.value; }, { once: true });
    button.click();
    return [document.querySelector(button.dataset.clipboardTarget).textContent, code];
})"""  # the script of the button copies from a field that it fills


@pytest.mark.parametrize("name", REFERENCE)
def test_an_example_that_is_copied_runs(browser, address, name, monkeypatch):
    monkeypatch.setenv("CI", "1")
    with Visit(browser, address, **WIDE) as visit:
        visit.page.goto(f"{address}{name}.html")
        visit.page.wait_for_selector(".copybtn", state="attached")
        copied = visit.page.evaluate(COPIED)
    examples = [(shown, code) for shown, code in copied if shown.startswith(">>> ")]
    assert examples
    for shown, code in examples:
        prompted = [line[4:] for line in shown.splitlines() if line[:4].rstrip() in (">>>", "...")]
        assert code.splitlines() == prompted
        error = re.search(r"Traceback.*?^(\w+): ", shown, re.DOTALL | re.MULTILINE)
        if error:
            with pytest.raises(Exception, match="expected") as raised:
                exec(code, {})  # noqa: S102, the book's own examples
            assert raised.type.__name__ == error[1]
        else:
            exec(code, {})  # noqa: S102
