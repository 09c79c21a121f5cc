/**
 * A guess before the truth: the reader drags a curve, presses Compare, and sees how far it is off.  Until
 * then what would give it away is hidden.  guess.py states what that is.
 */
import { button, make } from "./controls.js";
import { placeOf } from "./pointer.js";
import { number } from "./words.js";

const HANDLES = 9;
const LOW = 0.25; // where a guess begins, as a fraction of the axis
const SAMPLES = 96; // of the curve, as it is drawn
const STEP = 0.02;
const MOVES = { ArrowUp: STEP, ArrowDown: -STEP, PageUp: 0.1, PageDown: -0.1, Home: -1, End: 1 };

const within = (part) => Math.min(Math.max(part, 0), 1);

/** A smooth curve through heights that are evenly spaced, at `part` of the way: Catmull and Rom's. */
function curveAt(heights, part) {
  const along = within(part) * (heights.length - 1);
  const i = Math.min(Math.floor(along), heights.length - 2), t = along - i;
  const [b, c] = [heights[i], heights[i + 1]];
  const [a, d] = [heights[i - 1] ?? b, heights[i + 2] ?? c];
  const bend = 2 * a - 5 * b + 4 * c - d + t * (3 * b - a - 3 * c + d);
  return within(b + 0.5 * t * (c - a + t * bend));
}

export class Guess {
  /** @param view the figure's View, one panel of which has a "guess" */
  constructor(view) {
    const { panel, canvas } = view.pictures.find((each) => each.panel.guess);
    Object.assign(this, { view, panel, canvas, asks: true, held: null });
    this.names = new Set(panel.guess);
    this.truth = panel.marks.find((mark) => mark.kind === "curve" && mark.y === panel.guess[0]);
    this.heights = Array(HANDLES).fill(LOW);
    this.key = `flowlib.guess.${view.spec.name}`;
    this.makeCurve();
    this.compare = button("Compare", () => (this.asks ? this.show() : this.ask()));
    this.compare.className = "live-start";
    this.area = make("output", { name: "area-between", ariaLabel: "area between guess and truth" });
    this.told = make("span", { className: "live-told" });
    const said = make("p", {}, this.area, this.told);
    said.setAttribute("role", "status");
    this.element = make("div", { className: "live-guessing" }, this.compare, said);
    this.ask();
  }

  makeCurve() {
    this.sheet = make("div", { className: "live-guess" });
    this.sheet.innerHTML = '<svg viewBox="0 0 1 1" preserveAspectRatio="none" aria-hidden="true"><path/></svg>';
    this.handles = this.heights.map((_, i) => {
      const handle = make("div", { tabIndex: i ? -1 : 0 });
      handle.setAttribute("role", "slider");
      handle.ariaOrientation = "vertical";
      [handle.ariaValueMin, handle.ariaValueMax] = this.panel.y.map(String);
      handle.ariaLabel = `Your guess at ${this.short(this.panel.x, i / (HANDLES - 1))}`;
      handle.style.setProperty("--across", i / (HANDLES - 1));
      handle.addEventListener("keydown", (event) => this.press(event, i));
      return handle;
    });
    this.sheet.append(...this.handles);
    const on = (type, listener) => this.sheet.addEventListener(type, listener);
    on("pointerdown", (event) => {
      const grabbed = this.handles.includes(event.target);
      if (!this.asks || this.held || event.button || !(grabbed || event.pointerType === "mouse")) return;
      event.stopPropagation();
      this.held = { id: event.pointerId, before: this.heights.slice() };
      this.sheet.setPointerCapture(event.pointerId);
      this.drag(event);
    });
    on("pointermove", (event) => event.pointerId === this.held?.id && this.drag(event));
    on("pointerup", ({ pointerId }) => pointerId === this.held?.id && (this.held = null));
    on("pointercancel", ({ pointerId }) => {
      if (pointerId !== this.held?.id) return;
      this.heights = this.held.before;
      this.held = null;
      this.draw();
    });
    this.canvas.parentElement.append(this.sheet);
    this.draw();
  }

  /** The handles from where the pointer was to where it is follow it. */
  drag(event) {
    const { panel, held } = this;
    const at = placeOf(event, this.canvas, panel);
    const [across, up] = ["x", "y"].map((axis, k) => within((at[k] - panel[axis][0]) / (panel[axis][1] - panel[axis][0])));
    const to = Math.round(across * (HANDLES - 1)), from = held.last ?? { i: to, up };
    for (let i = Math.min(from.i, to); i <= Math.max(from.i, to); i++) {
      this.heights[i] = to === from.i ? up : from.up + ((up - from.up) * (i - from.i)) / (to - from.i);
    }
    held.last = { i: to, up };
    this.draw();
  }

  press(event, i) {
    const { key, shiftKey } = event;
    const next = { ArrowLeft: i - 1, ArrowRight: i + 1 }[key];
    if (next === undefined && !(key in MOVES)) return;
    event.preventDefault();
    if (next !== undefined) return this.handles[next]?.focus();
    if (!this.asks) return;
    this.heights[i] = within(this.heights[i] + MOVES[key] * (shiftKey ? 5 : 1));
    this.draw();
  }

  draw() {
    const points = Array.from({ length: SAMPLES + 1 }, (_, i) => {
      return `${(i / SAMPLES).toFixed(4)} ${(1 - curveAt(this.heights, i / SAMPLES)).toFixed(4)}`;
    });
    this.sheet.querySelector("path").setAttribute("d", `M${points.join("L")}`);
    this.handles.forEach((handle, i) => {
      handle.style.setProperty("--up", this.heights[i]);
      handle.ariaValueNow = this.short(this.panel.y, this.heights[i]).replace("−", "-");
      handle.ariaValueText = this.short(this.panel.y, this.heights[i]);
    });
  }

  short([low, high], part) {
    return number(low + part * (high - low), high - low > 20 ? 0 : 2);
  }

  ask() {
    this.asks = true;
    this.compare.textContent = "Compare";
    this.area.textContent = "";
    const what = this.truth.label ? `“${this.truth.label}”` : "the curve";
    this.told.textContent = `Drag the dashed line to where you expect ${what}.`;
    this.sheet.classList.remove("live-guessed");
    if (this.view.outputs) this.view.schedule();
  }

  show() {
    if (!this.view.outputs) return;
    this.asks = false;
    const best = this.remember(this.between());
    this.compare.textContent = "Guess again";
    this.told.textContent = best === null ? "" : ` Your best on this device: ${number(best, 3)}.`;
    this.sheet.classList.add("live-guessed");
    this.view.schedule();
  }

  /** The area between guess and truth, as far as both are in the picture. */
  between() {
    const { panel, view, heights } = this;
    const [x, y] = [view.outputs[this.truth.x], view.outputs[this.truth.y]];
    const [[left, right], [low, high]] = [panel.x, panel.y];
    let area = 0, last = null;
    for (let i = 0; i < x.length; i++) {
      const seen = x[i] >= left && x[i] <= right && Math.abs(y[i]) < Infinity;
      const guessed = low + curveAt(heights, (x[i] - left) / (right - left)) * (high - low);
      const off = seen ? Math.abs(guessed - Math.min(Math.max(y[i], low), high)) : null;
      if (seen && last) area += ((off + last.off) / 2) * Math.abs(x[i] - last.x);
      last = seen ? { off, x: x[i] } : null;
    }
    return area;
  }

  /** The least area so far; null where the device does not keep it. */
  remember(area) {
    try {
      const before = Number(localStorage.getItem(this.key) ?? Infinity);
      const best = before >= 0 ? Math.min(before, area) : area;
      localStorage.setItem(this.key, best);
      return best;
    } catch {
      return null;
    }
  }

  /** After each frame: the truth may have moved. */
  report() {
    if (!this.asks) this.area.textContent = `Area between the two: ${number(this.between(), 3)}.`;
  }

  hides(outputs) {
    return this.asks && outputs.some((name) => this.names.has(name));
  }
}
