/**
 * What a reader draws: points on the axes, with a brush, from a shape, or from numbers.
 *
 * The model has the last drawing that can be used; what is being drawn may still be too little.
 */
import { MOST, decodeDrawing, flaw, fraction, lengthOf, pointAt } from "./cells.js";
import { button, make } from "./controls.js";
import { noise } from "./noise.js";
import { makePaste } from "./paste.js";
import { placeOf } from "./pointer.js";
import { brief, counted } from "./words.js";

/** Of brushes, as fractions of the axes. */
const SPREAD = 0.022; // a standard deviation
const RUBBER = 0.05; // a radius
const STRIDE = 0.025; // from one puff to the next
const WAYS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowDown: [0, -1], ArrowUp: [0, 1] };

/** The brushes, and the paper over one picture. */
export class Drawing {
  constructor(view) {
    this.view = view;
    this.paper = view.spec.drawing;
    const { panel, canvas } = view.pictures.find((each) => each.panel.drawing);
    Object.assign(this, { panel, canvas, past: [], puffs: 0, brush: null, at: [0.5, 0.5] });
    this.points = view.model.get("drawing");
    this.makePaper();
    this.makeTools();
    this.when = view.spec.noise.find(({ when }) => when)?.when;
    canvas.parentElement.append(this.sheet);
    this.show();
  }

  makePaper() {
    const does = "Arrow keys move the brush, Space uses it, Escape puts it down.";
    this.sheet = make("div", { className: "live-paper", tabIndex: 0, hidden: true });
    this.sheet.setAttribute("role", "application");
    this.sheet.ariaLabel = `Paper. ${does}`;
    this.sheet.innerHTML =
      '<svg viewBox="0 0 1 1" preserveAspectRatio="none" aria-hidden="true"><path/></svg><i></i>';
    const on = (type, listener) => this.sheet.addEventListener(type, listener);
    on("pointerdown", (event) => {
      event.stopPropagation(); // the picture below is not asked
      if (event.button || this.pointer !== undefined) return;
      this.pointer = event.pointerId;
      this.sheet.setPointerCapture(event.pointerId);
      this.keep();
      this.move(event);
      this.use(4);
    });
    on("pointermove", (event) => {
      if (this.pointer === undefined && event.pointerType === "mouse") return this.move(event);
      if (event.pointerId !== this.pointer) return;
      const from = this.at;
      const to = this.move(event);
      const strides = Math.floor(Math.hypot(to[0] - from[0], to[1] - from[1]) / STRIDE);
      for (let i = 1; i <= strides; i++) {
        this.at = from.map((start, k) => start + ((to[k] - start) * i) / strides);
        this.use(2);
      }
      if (!strides) this.at = from; // until there is a stride
    });
    on("pointerup", ({ pointerId }) => pointerId === this.pointer && (this.pointer = undefined));
    on("pointercancel", ({ pointerId }) => {
      if (pointerId !== this.pointer) return; // two fingers zoom: nothing was drawn
      this.pointer = undefined;
      this.back();
    });
    on("keydown", (event) => {
      const way = WAYS[event.key];
      if (event.key === "Escape") return this.choose(null);
      if (event.key !== " " && !way) return;
      event.preventDefault();
      if (!way) {
        this.keep();
        return this.use(6);
      }
      const far = event.shiftKey ? 0.1 : 0.02;
      this.at = this.at.map((part, k) => Math.min(Math.max(part + far * way[k], 0), 1));
      this.show();
      const [x, y] = ["x", "y"].map((axis, k) => brief(this.panel[axis][0] + this.at[k] * lengthOf(this.panel[axis])));
      this.say(`Brush at x = ${x}, y = ${y}.`);
    });
  }

  makeTools() {
    const brush = (words) => {
      const element = button(words, ({ detail }) => {
        this.choose(this.brush === words ? null : words);
        if (this.brush && !detail) this.sheet.focus(); // chosen by a key: the next ones move it
      });
      element.ariaPressed = "false";
      return element;
    };
    this.brushes = [brush("Spray"), brush("Erase")];
    const undo = button("Undo", () => this.back());
    const clear = button("Clear", () => this.replace([]));
    const shapes = make("select", {}, make("option", {}, "a shape"));
    shapes.append(...Object.keys(this.paper.shapes).map((name) => make("option", {}, name)));
    shapes.addEventListener("change", () => {
      const text = this.paper.shapes[shapes.value];
      if (text) this.replace(decodeDrawing(text, this.paper));
      shapes.selectedIndex = 0;
    });
    const start = make("label", { className: "live-shapes" }, "Start from ", shapes);
    this.told = make("p", { className: "live-told" });
    this.told.setAttribute("role", "status");
    this.element = make(
      "div",
      { className: "live-tools" },
      make("div", {}, ...this.brushes, undo, clear, start),
      this.told,
      makePaste(this.paper, (points, note) => this.replace(points, note)),
    );
    this.element.setAttribute("role", "group");
    this.element.ariaLabel = "Drawing";
  }

  /** Where a pointer is, as fractions of the axes. */
  move(event) {
    const at = placeOf(event, this.canvas, this.panel);
    this.at = ["x", "y"].map((axis, k) => Math.min(Math.max(fraction(at[k], this.panel[axis]), 0), 1));
    this.show();
    return this.at;
  }

  choose(brush) {
    if (!brush && document.activeElement === this.sheet) {
      this.brushes.find((each) => each.textContent === this.brush).focus();
    }
    this.brush = brush;
    this.sheet.hidden = !brush;
    for (const each of this.brushes) each.ariaPressed = String(each.textContent === brush);
    this.show();
  }

  /** What the brush does where it is. */
  use(count) {
    const [u, v] = this.at, { x, y } = this.paper;
    if (this.brush === "Erase") {
      const far = (at) => Math.hypot(fraction(at[0], x) - u, fraction(at[1], y) - v) > RUBBER;
      return this.put(this.points.filter(far));
    }
    if (this.points.length + count > MOST) {
      return this.say(`A drawing holds ${MOST} points: erase some to draw on.`);
    }
    const eps = noise("normal", [count, 2], this.puffs++);
    const puff = Array.from({ length: count }, (_, i) => {
      return pointAt([u + SPREAD * eps[2 * i], v + SPREAD * eps[2 * i + 1]], this.paper);
    });
    this.put([...this.points, ...puff]);
  }

  /** What Undo goes back to. */
  keep() {
    if (this.past.at(-1) !== this.points) this.past.push(this.points);
  }

  back() {
    const points = this.past.pop();
    if (points) this.put(points);
    else this.say("There is nothing to undo.");
  }

  replace(points, note) {
    this.keep();
    this.put(points, note);
  }

  put(points, note = "") {
    this.points = points;
    const why = flaw(points, this.paper);
    this.say(why || note);
    this.show();
    if (!why) this.view.change("drawing", points);
  }

  /** The brushes show where the drawing is used. */
  offer() {
    if (!this.when) return;
    const [name, option] = this.when;
    this.element.hidden = this.view.model.get(name) !== option;
    if (this.element.hidden) this.choose(null);
  }

  /** The model has another drawing: from a link, or from Python. */
  follow() {
    const now = this.view.model.get("drawing");
    if (String(now) === String(this.points)) return;
    this.keep();
    this.points = now;
    this.say("");
    this.show();
  }

  say(note) {
    this.told.textContent = `${counted(this.points.length, "point")}. ${note}`.trim();
  }

  show() {
    if (!this.told.textContent) this.say("");
    if (this.sheet.hidden) return;
    const dot = ([x, y]) => `M${fraction(x, this.panel.x).toFixed(4)} ${(1 - fraction(y, this.panel.y)).toFixed(4)}h0`;
    this.sheet.querySelector("path").setAttribute("d", this.points.map(dot).join(""));
    this.sheet.style.setProperty("--across", this.at[0]);
    this.sheet.style.setProperty("--up", this.at[1]);
    this.sheet.classList.toggle("live-erases", this.brush === "Erase");
  }
}
