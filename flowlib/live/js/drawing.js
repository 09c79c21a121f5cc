/**
 * What a reader draws: points on the axes, and the rows that the traced function gets from them, by
 * the same operations as drawing.py.
 *
 * The model has the last drawing that can be used; what is being drawn may still be too little.
 */
import { button, make } from "./controls.js";
import { noise } from "./noise.js";
import { placeOf } from "./pointer.js";
import { readTable, tooLong } from "./table.js";

const MOST = 500;
const FEWEST = 20;
const STEPS = 4095;
const APART = 0.02;
const HELD_OUT = 4;
const SPLIT = 2024;
const JITTER = 2 ** 31;
const DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
/** Of brushes, as fractions of the axes. */
const SPREAD = 0.022; // a standard deviation
const RUBBER = 0.05; // a radius
const STRIDE = 0.025; // from one puff to the next
const WAYS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowDown: [0, -1], ArrowUp: [0, 1] };
const UNTIL = "The figure keeps the last drawing until then.";

const lengthOf = ([low, high]) => high - low;
const onAxis = (cell, axis) => axis[0] + (lengthOf(axis) * cell) / STEPS;
const fraction = (value, axis) => (value - axis[0]) / lengthOf(axis);
const cellOf = (part) => Math.min(Math.max(Math.floor(part * STEPS + 0.5), 0), STEPS);

/** The text of a drawing in a link. */
export function encodeDrawing(points, { x, y }) {
  const cells = points.flatMap((at) => [cellOf(fraction(at[0], x)), cellOf(fraction(at[1], y))]);
  return [points.length, ...cells].map((cell) => DIGITS[cell >> 6] + DIGITS[cell & 63]).join("");
}

/** The points of a drawing in a link; throws, in words. */
export function decodeDrawing(text, paper) {
  const digits = Array.from(text, (letter) => DIGITS.indexOf(letter));
  const cells = [];
  for (let i = 0; i + 1 < digits.length; i += 2) cells.push(64 * digits[i] + digits[i + 1]);
  const points = [];
  for (let i = 1; i < cells.length; i += 2) points.push([onAxis(cells[i], paper.x), onAxis(cells[i + 1], paper.y)]);
  if (text.length % 4 !== 2 || digits.includes(-1) || cells[0] !== points.length || flaw(points, paper)) {
    throw Error("the drawing in it is cut off or altered");
  }
  return points;
}

/** Why points are no drawing yet, if they are not. */
function flaw(points, paper) {
  if (points.length > MOST) return `A drawing holds ${MOST} points.`;
  if (points.length < FEWEST) return `A drawing needs ${FEWEST} points. ${UNTIL}`;
  const near = [paper.x, paper.y].every((axis, k) => {
    const values = points.map((at) => fraction(at[k], axis));
    return Math.max(...values) - Math.min(...values) < APART;
  });
  return near ? `All points are at one place: draw some elsewhere. ${UNTIL}` : "";
}

/** The rows that an input of the trace gets, from a seed. */
export function rowsOf({ shape, part, jitter }, points, { x, y }, seed) {
  const chosen = noise("uniform", [Math.ceil(points.length / HELD_OUT)], SPLIT);
  const out = (i) => i % HELD_OUT === Math.floor(chosen[Math.floor(i / HELD_OUT)] * HELD_OUT);
  const own = points.filter((_, i) => !part || out(i) === (part === "held out"));
  const picked = noise("uniform", [shape[0]], seed);
  const rows = noise("normal", shape, (seed + JITTER) % 2 ** 32);
  const widths = [jitter * lengthOf(x), jitter * lengthOf(y)];
  for (let i = 0; i < rows.length; i++) {
    rows[i] = own[Math.floor(picked[i >> 1] * own.length)][i & 1] + widths[i & 1] * rows[i];
  }
  return rows;
}

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
      this.makePaste(),
    );
    this.element.setAttribute("role", "group");
    this.element.ariaLabel = "Drawing";
  }

  makePaste() {
    const text = make("textarea", { rows: 4, spellcheck: false, placeholder: "1.5, 2.5" });
    const refused = make("p", { className: "live-refused" });
    refused.setAttribute("role", "alert");
    const attempt = (work) => {
      refused.textContent = "";
      try {
        work();
      } catch (error) {
        refused.textContent = `${error.message} Your drawing is as it was.`;
      }
    };
    text.addEventListener("paste", (event) => {
      const long = tooLong(event.clipboardData?.getData("text") ?? "");
      if (long) event.preventDefault();
      attempt(() => { if (long) throw Error(long); });
    });
    const use = button("Draw these points", () => attempt(() => this.paste(text.value)));
    const label = make("label", {}, "Two columns of numbers, x and y, from a spreadsheet or a CSV file", text);
    return make("details", {}, make("summary", {}, "Paste numbers"), label, use, refused);
  }

  /** Points from a table, scaled to the middle of the axes; throws, in words. */
  paste(text) {
    const table = readTable(text);
    const count = table.length;
    if (count < FEWEST) throw Error(`That is ${counted(count, "row")}: a drawing needs ${FEWEST}.`);
    const order = noise("uniform", [count], 0);
    const some = [...table.keys()].sort((i, j) => order[i] - order[j]).slice(0, MOST).sort((i, j) => i - j);
    const scales = [this.paper.x, this.paper.y].map((axis, k) => {
      const values = some.map((i) => table[i][k]);
      const [low, high] = [Math.min(...values), Math.max(...values)];
      const half = high / 2 - low / 2;
      const [left, right] = [0.1, 0.9].map((part) => brief(axis[0] + part * lengthOf(axis)));
      return {
        half,
        part: (value) => 0.5 + (half && (0.4 * (value - (low / 2 + high / 2))) / half),
        words: `${"xy"[k]} from ${brief(low)} to ${brief(high)}` + (half ? ` is drawn from ${left} to ${right}` : ""),
      };
    });
    if (!scales[0].half && !scales[1].half) throw Error("All rows are the same point.");
    const [x, y] = scales;
    const points = some.map((i) => this.point([x.part(table[i][0]), y.part(table[i][1])]));
    const kept = count > MOST ? `${MOST} of the ${count.toLocaleString("en")} rows, chosen at random. ` : "";
    this.replace(points, `${kept}Scale: ${x.words}; ${y.words}.`);
  }

  point(parts) {
    return [this.paper.x, this.paper.y].map((axis, k) => onAxis(cellOf(parts[k]), axis));
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
      return this.point([u + SPREAD * eps[2 * i], v + SPREAD * eps[2 * i + 1]]);
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

const counted = (count, what) => `${count} ${what}${count === 1 ? "" : "s"}`;

/** Three digits of a number. */
const brief = (value) => String(Number(value.toPrecision(3))).replace("-", "−");
