"""The built book, as tests see it: its pages, a visit to one of them, and its figures."""

from __future__ import annotations

import json
import re
from pathlib import Path
from urllib.parse import unquote, urlsplit

import yaml

ROOT = Path(__file__).parents[1]
HTML = ROOT / "_build" / "html"
CONFIG = yaml.safe_load((ROOT / "_config.yml").read_text(encoding="utf-8"))
TOC = yaml.safe_load((ROOT / "_toc.yml").read_text(encoding="utf-8"))
PAGES = [
    TOC["root"],
    *(
        part["file"]
        for chapter in TOC["chapters"]
        for part in (chapter, *chapter.get("sections", []))
    ),
]
NOTEBOOKS = sorted((ROOT / "book").glob("*.ipynb"))
# The lab is a notebook, to be tried and not to be read: it has no quiz and no exercises.
CHAPTERS = [n for n in PAGES if (ROOT / "book" / f"{n}.ipynb") in NOTEBOOKS and n != "lab"]
CALL = re.compile(r'(?:^|"|\\n)(?:\w+ = )?(?:live|train)\(', re.MULTILINE)


def makes_a_figure(name: str) -> bool:
    """Whether the source of a page does, a notebook or a text with cells."""
    for source in (ROOT / "book").glob(f"{name}.[im]*"):
        text = source.read_text(encoding="utf-8")
        if CALL.search(text) and (source.suffix == ".ipynb" or "{code-cell}" in text):
            return True
    return False


FIGURED = [name for name in PAGES if makes_a_figure(name)]

WIDE = {"viewport": {"width": 1200, "height": 900}}
NARROW = {"viewport": {"width": 390, "height": 800}}

TWO_FRAMES = "() => new Promise((go) => requestAnimationFrame(() => requestAnimationFrame(go)))"
ALIVE = """() => [...document.querySelectorAll("figure.live-figure")].every(
    (figure) => figure.dataset.state !== "static"
)"""
ARRIVED = "(figure) => figure.ariaBusy !== 'true' || figure.dataset.state === 'error'"
# Each call to a browser goes through four processes, so one does what it can at once.
SETTLED = """async (figure) => {
    for (let k = 0; k < 2; k++) await new Promise(requestAnimationFrame);
    return figure.dataset.state;
}"""
PICTURE = """(figure) => {
    let hash = 0;
    for (const canvas of figure.querySelectorAll("canvas")) {
        const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
        for (const pixel of new Int32Array(data.buffer)) hash = (Math.imul(hash, 31) + pixel) | 0;
    }
    return hash;
}"""
READOUTS = """(figure) => Object.fromEntries(
    [...figure.querySelectorAll("output")].map((each) => [each.getAttribute("name"), each.textContent])
)"""
STATED = "(figure) => [figure.id, figure.querySelector('script.live-data').textContent]"
SEEN = f"(figure) => [({PICTURE})(figure), ({READOUTS})(figure)]"
NAMED = """(figure, text) => {
    const named = [...figure.querySelectorAll("button")].find((each) => each.textContent === text);
    named?.focus();
    return Boolean(named);
}"""
ADVANCE = "({ live }) => { for (let k = 0; k < 40; k++) live.training.advance(); }"


class Visit:
    """One page in a browser that serves only the book; notes what else it requests and logs."""

    def __init__(self, browser, own: str, **options):
        self.context = browser.new_context(**options)
        self.page = self.context.new_page()
        self.own, self.foreign, self.complaints, self.files = own, [], [], set()
        self.context.route(re.compile(f"^(?!{re.escape(own)}|data:|blob:)"), self._refuse)
        self.page.on("console", self._note)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("requestfailed", lambda request: self.complaints.append(request.url))
        self.page.on("response", self._receive)

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.context.close()

    def _refuse(self, route):
        self.foreign.append(route.request.url)
        route.abort()

    def _note(self, message):
        if message.type == "error":
            self.complaints.append(message.text)

    def _receive(self, response):
        if response.status >= 400:
            self.complaints.append(f"{response.status} {response.url}")
        elif response.url.startswith(self.own):
            self.files.add(HTML / unquote(urlsplit(response.url.removeprefix(self.own)).path))

    def rest(self):
        """Waits for all that the page fetches by itself, some of it when there is nothing to do."""
        self.page.evaluate("() => new Promise((go) => requestIdleCallback(() => go()))")
        self.page.evaluate("() => document.fonts.ready.then(() => null)")
        self.page.wait_for_load_state("networkidle")

    def weight(self) -> int:
        """The bytes of all files that the page has loaded, uncompressed."""
        self.rest()
        return sum(file.stat().st_size for file in self.files)

    def open(self, page: str, place: str = "") -> list[Figure]:
        """Goes to a page of the book, or to a place on it, and waits until its figures are alive."""
        self.page.goto(f"{self.own}{page}.html{place}", wait_until="load")
        self.page.wait_for_function(ALIVE)
        handles = self.page.query_selector_all("figure.live-figure")
        self.name, self.figures = page, [Figure(self.page, handle) for handle in handles]
        return self.figures

    def assert_quiet(self):
        assert self.foreign == [], "requests to others"
        assert self.complaints == [], "errors in the console"


class Figure:
    """A live figure on an open page."""

    def __init__(self, page, handle):
        self.page, self.handle = page, handle
        self.name, data = handle.evaluate(STATED)
        self.data = json.loads(data)
        self.controls = self.data["spec"]["controls"]
        self.trains = "train" in self.data["spec"]

    def wake(self):
        """Scrolls to the figure and waits for its first frame."""
        self.handle.evaluate("(figure) => figure.scrollIntoView({ block: 'center' })")
        self.page.wait_for_function("(f) => 'frameMs' in f.dataset", arg=self.handle)
        self.settle()
        if self.handle.evaluate(NAMED, "Compare"):
            self.act("Compare")  # a guess: until then the truth is hidden

    def settle(self):
        if self.fetches():
            self.page.evaluate(TWO_FRAMES)
            self.page.wait_for_function(ARRIVED, arg=self.handle)
        state = self.handle.evaluate(SETTLED)
        assert state == "ready", f"{self.name} is in state {state}: {self.alert()}"

    def fetches(self) -> list[dict]:
        """The controls whose choices have files of their own, which come when they are chosen."""
        return [c for c in self.controls if not is_number(c) and "files" in self.data]

    def alert(self) -> str:
        return " ".join(
            each.text_content() for each in self.handle.query_selector_all("[role=alert]")
        )

    def picture(self) -> int:
        return self.handle.evaluate(PICTURE)

    def readouts(self) -> dict[str, str]:
        return self.handle.evaluate(READOUTS)

    def input(self, name: str):
        return self.handle.query_selector(f"input[name='{name}'], select[name='{name}']")

    def press(self, element, key: str):
        element.evaluate("(each) => each.focus()")
        self.page.keyboard.press(key)
        self.settle()

    def act(self, name: str):
        assert self.handle.evaluate(NAMED, name), f"{self.name} has no {name}"
        self.page.keyboard.press("Enter")
        self.settle()

    def look(self) -> tuple[int, dict[str, str]]:
        """What the figure shows."""
        return tuple(self.handle.evaluate(SEEN))

    def see(self) -> tuple[int, dict[str, str]]:
        """What the figure shows; where it trains, two steps later.

        A choice that is a number may show only once the flow has learned a little: 40 steps more.
        """
        if self.trains and any("as_number" in control for control in self.controls):
            self.handle.evaluate(ADVANCE)
        for _ in range(2 * self.trains):
            self.act("Step")
        return self.look()

    def sweep(self, control: dict) -> list[tuple[int, dict[str, str]]]:
        """What the figure shows, now and at each place to which the keyboard takes a control.

        Where it trains, each place is seen from the first state on: nothing but the control differs.
        """
        keys = {
            "slider": ["Home", "End"],
            "checkbox": ["Space"],
            "choice": ["Home", *["ArrowDown"] * (len(control.get("options", [0])) - 1)],
        }[control["kind"]]
        element = self.input(control["name"])
        seen = [self.see()]
        for count in range(1, len(keys) + 1):
            if self.trains:
                self.act("Reset")
            for key in keys[0 if self.trains else count - 1 : count]:
                self.press(element, key)
            seen.append(self.see())
        return seen

    def steps(self) -> int:
        """How many steps it has trained."""
        return int(self.handle.get_attribute("data-step"))

    def dependents(self, control: dict) -> set[str]:
        """The readouts that, by the figure's own graphs, a control can reach."""
        items = [item for panel in self.data["spec"]["panels"] for item in panel.get("items", [])]
        names = {item["name"] for item in items}
        meanings = [meanings_of(graph) for graph in self.data["graphs"].values()]
        shown = [each for each in meanings if names <= each.keys()]  # not those of start and step
        if is_number(control):
            return {n for n in names for each in shown if control["name"] in each[n][1]}
        return {n for n in names if len({each[n][0] for each in shown}) > 1}


def is_number(control: dict) -> bool:
    """Does it reach the figure's graph as a number, and so need no graph of its own?"""
    return control["kind"] == "slider" or "as_number" in control


def meanings_of(graph: dict) -> dict[str, tuple[int, frozenset]]:
    """For each output of a graph a hash of its whole formula, and the inputs in that formula."""
    known = [(hash(name), frozenset([name])) for name in graph["inputs"]]
    known += [(hash(str(const)), frozenset()) for const in graph["consts"]]
    for op, arguments, shape in graph["nodes"]:
        used = [known[a["v"]] for a in arguments if isinstance(a, dict)]
        literals = str([a for a in arguments if not isinstance(a, dict)])
        formula = hash((op, literals, str(shape), *(each[0] for each in used)))
        known.append((formula, frozenset().union(*(each[1] for each in used))))
    return {name: known[value] for name, value in graph["outputs"].items()}
