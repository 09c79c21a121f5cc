/**
 * A live figure: it evaluates the traced function for the present controls, and draws.
 *
 * One view, two homes: the state lives in a notebook's model (widget.js) or in a page's (page.js).
 */
import { actionsOf } from "./actions.js";
import { Arrivals } from "./arrivals.js";
import { makeControl } from "./controls.js";
import { follow } from "./follow.js";
import { Graphs } from "./graphs.js";
import { hasNaN } from "./kernels.js";
import { layOut, roomOf } from "./layout.js";
import { drawPanel } from "./marks.js";
import { needsSecond } from "./second.js";
import { Training } from "./train.js";
import { readTheme } from "./theme.js";
import { decimals, number, readout } from "./words.js";

// what a mark, a readout or a sound calls the outputs that it shows
const OUTPUTS = ["name", "value", "xy", "mesh", "x", "y", "ab", "heights", "wave"];

const GO_ON = "Move a control to go on.";

export class View {
  /**
   * @param {HTMLElement} figure
   * @param model anywidget's, or a page's: get, set, save_changes, on, off
   * @param [address] of a page, reads and writes the state as a link
   */
  constructor(figure, model, address) {
    Object.assign(this, { figure, model, address, spec: model.get("spec") });
    this.id = `live-${Math.random().toString(36).slice(2)}`; // a notebook has this module once a figure
    this.undo = [];
    this.graphs = new Graphs(this);
    this.arrivals = new Arrivals(this);
    this.training = this.spec.train && new Training(this);
    this.controls = this.spec.controls.map((control) =>
      makeControl(control, `${this.id}-${control.name}`, (value) => this.change(control.name, value)),
    );
    const sounds = this.spec.panels.filter(({ kind }) => kind === "sound");
    this.sounds = sounds.map((panel) => new liveMore.Sound(panel, this));
    const starters = [...(this.training?.elements ?? []), ...this.sounds.map((each) => each.element)];
    const { body, ...parts } = layOut(this.spec, this.controls, actionsOf(this), starters);
    Object.assign(this, parts);
    this.hands = [];
    if (needsSecond(this.spec)) this.addHands(body);
    figure.id ||= this.id;
    figure.ariaLabel = this.spec.name.replaceAll("-", " ");
    this.name("button", body.querySelectorAll("button"));
    figure.insertBefore(body, figure.querySelector("figcaption"));

    const shown = this.spec.panels.flatMap((panel) => panel.items ?? panel.marks ?? panel);
    this.shown = shown.flatMap(outputsOf);
    follow(this);
    figure.dataset.state = "loading";
    figure.classList.add("live-mounted");
    figure.live = this; // for tests, and for the console
  }

  /** What is moved in a picture, drawn and guessed: the second script has it. */
  addHands(body) {
    this.hands = this.pictures.map(({ panel, canvas }) => liveMore.makeHands(this, panel, canvas));
    this.drawing = this.spec.drawing && new liveMore.Drawing(this);
    if (this.drawing) body.querySelector(".live-controls").before(this.drawing.element);
    this.guess = this.spec.panels.some(({ guess }) => guess) && new liveMore.Guess(this);
    if (this.guess) body.querySelector(".live-side").prepend(this.guess.element);
  }

  /** For listeners: a button's name is the figure's, too, as in "Reset planar layer". */
  name(what, buttons) {
    for (const [i, button] of buttons.entries()) {
      button.id = `${this.id}-${what}-${i}`;
      button.setAttribute("aria-labelledby", `${button.id} ${this.figure.id}`);
    }
  }

  stop() {
    this.pause();
    cancelAnimationFrame(this.frame);
    clearTimeout(this.saying);
    this.undo.forEach((undo) => undo());
    this.figure.remove();
  }

  // ------------------------------------------------------------------ what a reader does

  change(name, value) {
    this.notice = "";
    this.model.set(name, value);
    this.unsaved = true;
    this.schedule();
  }

  reset() {
    this.pause();
    for (const [name, value] of Object.entries(defaults(this.spec))) this.change(name, value);
    this.training?.reset();
  }

  pause() {
    for (const each of [this.training, ...this.sounds, ...this.controls]) each?.pause();
  }

  /** Goes to the state that the page's address names, if it names this figure's. */
  takeAddress() {
    try {
      const lost = this.address.read();
      if (!lost) return;
      const partly = "The link could be followed in part only: this figure has no";
      this.notice = lost.length ? `${partly} ${lost.join(", ")}. ${GO_ON}` : "";
    } catch (error) {
      this.notice = `The link could not be followed: ${error.message}. ${GO_ON}`;
    }
    if (self === top) this.figure.scrollIntoView({ block: "start" }); // a frame would move its page
    this.schedule();
  }

  // ------------------------------------------------------------------ what it shows

  /** However many events come, one frame. */
  schedule() {
    this.frame ||= requestAnimationFrame(() => {
      this.frame = 0;
      this.update();
    });
  }

  update() {
    cancelAnimationFrame(this.frame);
    this.frame = 0;
    if (this.arrivals.missing()) return;
    const start = performance.now();
    this.attempt(() => {
      this.outputs = this.evaluate();
      this.draw();
      this.report();
      this.figure.dataset.frameMs = (performance.now() - start).toFixed(2);
      this.fail(this.notice);
    });
    if (this.unsaved) this.model.save_changes();
    this.unsaved = false;
  }

  /** Does the work, or shows in the figure why it could not be done. */
  attempt(work) {
    try {
      work();
    } catch (error) {
      this.training?.pause();
      const advice = "Move a control, or press Reset.";
      this.fail(`This picture could not be drawn: ${error.message}. ${advice}`);
    }
  }

  /** What the traced function returns for the present controls. */
  evaluate() {
    const { training } = this;
    const { run, shapes, names } = this.graphs.of(training ? "show" : "");
    const learned = training ? { ...training.now(), losses: training.losses } : {};
    const outputs = run({ ...this.graphs.inputs(0, names), ...learned });
    for (const name of this.shown) {
      if (!hasNaN(outputs[name])) continue;
      throw Error(`“${name}” is not a number (NaN) at ${this.words()}`);
    }
    this.shapes = shapes;
    return outputs;
  }

  draw() {
    if (!this.outputs) return;
    // Where a canvas has a fraction of a pixel, the browser decides which way it snaps.
    const device = (length, snapped) => {
      const pixels = Math.round(length * devicePixelRatio);
      return Math.abs(snapped - pixels) <= 1 ? snapped : pixels;
    };
    for (const { panel, canvas, box, past } of this.pictures) {
      const room = roomOf(canvas);
      const width = device(room.width, box?.inlineSize);
      const height = device(room.height, box?.blockSize);
      if (canvas.width !== width) canvas.width = width;
      if (canvas.height !== height) canvas.height = height;
      if (!width || !height) continue; // not in the page, where it has no style either
      this.theme ??= readTheme(this.figure);
      this.paint(canvas, panel, past);
    }
  }

  /** What it shows now, or what it showed when a reader kept it: see kept.js. */
  paint(canvas, panel, past) {
    const marks = panel.marks.filter((mark) => !(this.guess && this.guess.hides(outputsOf(mark))));
    const { outputs, shapes, values } = past ?? this;
    const valueOf = (name) => (past ? values[name] : this.model.get(name));
    drawPanel(canvas, { ...panel, marks }, outputs, shapes, this.theme, valueOf);
  }

  /** The readouts, and the state in words: in the text alternatives now, aloud once it rests. */
  report() {
    const { training, guess } = this;
    const said = this.readouts.flatMap(({ item, output }) => {
      const unknown = guess && guess.hides([item.name]);
      output.textContent = unknown ? "?" : readout(item, this.outputs[item.name][0]);
      return unknown ? [] : `${item.label}: ${output.textContent}`;
    });
    if (guess) guess.report();
    if (training) said.unshift(training.told.textContent);
    const state = (this.state = [this.words(), ...said].filter(Boolean).join(", "));
    for (const { panel, canvas } of this.pictures.filter(({ past }) => !past)) {
      canvas.ariaLabel = state ? `${panel.alt} ${state}.` : panel.alt;
    }
    clearTimeout(this.saying);
    if (training?.frame) return;
    this.saying = setTimeout(() => (this.spoken.textContent = said.join(", ")), 700);
  }

  /** "u₁ = 1.50, constrain = on" */
  words() {
    const value = ({ name, kind, step }) => {
      const now = this.model.get(name);
      if (kind === "slider") return number(now, decimals(step));
      return kind === "checkbox" ? (now ? "on" : "off") : now;
    };
    return this.spec.controls.map((control) => `${control.label} = ${value(control)}`).join(", ");
  }

  /** Shows what went wrong, in words.  With nothing to say, the figure is ready. */
  fail(message) {
    if (this.alert.textContent !== (message || "")) this.alert.textContent = message || "";
    this.alert.hidden = !message;
    this.figure.classList.toggle("live-blank", Boolean(message) && !this.figure.dataset.frameMs);
    this.figure.dataset.state = message ? "error" : "ready";
  }
}

/** The outputs that a mark, a readout or a sound shows. */
function outputsOf(each) {
  return OUTPUTS.map((key) => each[key]).filter(Boolean);
}

/** The state before anything was moved. */
export function defaults(spec) {
  return { seed: spec.seed ?? 0, ...Object.fromEntries(spec.controls.map(({ name, value }) => [name, value])) };
}
