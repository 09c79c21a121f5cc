"""A page with live figures, as a built book mounts them or as a notebook does."""

from flowlib.live import bundle
from pages import module_url
from tools.page import page_of

PIXELS = """(canvas) => {
  const data = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
  let hash = 0;
  for (const byte of data) hash = (hash * 31 + byte) | 0;
  return [hash, data.some((byte) => byte)];
}"""


FRAME = 16  # milliseconds in a page whose time is held
LOADED = "document.querySelector('figure').dataset.state !== 'loading'"
BEGUN = f"Boolean({LOADED} || document.querySelector('figure').live?.frame)"
PATIENCE = 1000  # times 30 milliseconds: half a minute
DRAWN = f"{LOADED} && !document.querySelector('figure').live?.frame"
TWO_FRAMES = "() => new Promise((done) => realFrame(() => realFrame(done)))"


class Shown:
    """One page with live figures, and what a reader does on it.

    Where ``held``, no time passes in the page but what ``wait`` lets pass, and ``settle``: what a
    test sees of a sweep or of training then does not hang on how fast the machine is.
    """

    def __init__(self, page, tmp_path, *books, fragment="", held=False):
        self.page, self.errors, self.held = page, [], held
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("console", lambda m: self.errors.append(m.text) if m.type == "error" else None)
        file = tmp_path / "page.html"
        file.write_text(page_of(*books), encoding="utf-8")
        self.url = file.as_uri()
        page.add_init_script(
            "window.realFrame = requestAnimationFrame.bind(window);"
            "window.realTimeout = setTimeout.bind(window)"
        )
        if held:
            page.clock.install(time=0)
        page.goto(self.url + fragment)
        if held:
            page.clock.pause_at(3600)  # seconds: later than any machine is by now
        self.figure = page.locator("figure").first
        self.settle()

    def wait(self, milliseconds):
        """Let time pass in a page whose time is held."""
        self.page.clock.run_for(milliseconds)

    def settle(self):
        """Wait for the frame that follows what was done."""
        if self.held:
            for _ in range(PATIENCE):  # on a slow machine a figure may begin after time was held
                if self.page.evaluate(BEGUN):
                    break
                self.page.evaluate("() => new Promise((go) => realTimeout(go, 30))")
                self.wait(FRAME)
            self.wait(FRAME)
        self.page.evaluate(TWO_FRAMES)
        self.page.wait_for_function(LOADED if self.held else DRAWN)

    def look(self):
        """The picture, the readouts and the text alternative."""
        canvas = self.figure.locator("canvas").first
        numbers = self.figure.locator("output").all_inner_texts()
        return canvas.evaluate(PIXELS), numbers, canvas.get_attribute("aria-label")

    def set(self, name, value):
        control = self.figure.locator(f"[name={name}]")
        if control.get_attribute("type") == "checkbox":
            control.set_checked(value)
        elif control.evaluate("(element) => element.tagName") == "SELECT":
            control.select_option(value)
        else:
            control.fill(str(value))
        self.settle()

    def press(self, name):
        self.figure.get_by_role("button", name=name).click()
        self.settle()

    @property
    def state(self):
        return self.figure.get_attribute("data-state")

    @property
    def alert(self):
        return self.figure.get_by_role("alert").inner_text() if self.state == "error" else ""


MODEL = """
class Model {
  constructor(values) { this.values = values; this.heard = {}; this.saved = 0; }
  get(name) { return this.values[name]; }
  set(name, value) {
    this.values[name] = value;
    for (const listener of this.heard[`change:${name}`] ?? []) listener();
  }
  save_changes() { this.saved += 1; }
  on(type, listener) { (this.heard[type] ??= []).push(listener); }
  off(type, listener) { this.heard[type] = (this.heard[type] ?? []).filter((l) => l !== listener); }
}
"""


def open_widget(page, data, **more):
    """A figure in a page as anywidget draws it, with a model that has no kernel behind it."""
    spec = data["spec"]
    defaults = {control["name"]: control["value"] for control in spec["controls"]}
    values = {"spec": spec, "graphs": data["graphs"], "seed": 0, **defaults, **more}
    page.set_content(f"<style>{bundle.css()}</style><div id=el></div>")
    page.evaluate(
        """async ([model, url, values, data]) => {
          const bytes = Uint8Array.from("xyz" + atob(data), (c) => c.charCodeAt(0));
          values.data = new DataView(bytes.buffer, 3); // the kernel's bytes start anywhere
          window.model = new (eval(`(${model})`))(values);
          const { default: widget } = await import(url);
          const el = document.createElement("div");
          window.clean = widget.render({ model: window.model, el });
          document.getElementById("el").append(el); // JupyterLab attaches it later, too
          await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
        }""",
        [
            MODEL.strip(),
            module_url(bundle.esm()),
            values,
            data["data"],
        ],
    )
    return page
