/**
 * A live figure: it evaluates the traced function for the present controls, and draws.
 *
 * One view, two homes: the state lives in a notebook's model (widget.js) or in a page's (page.js).
 */
import { Arrivals } from "./arrivals.js";
import { Away } from "./away.js";
import { makeControl } from "./controls.js";
import { Drawing, rowsOf } from "./drawing.js";
import { follow } from "./follow.js";
import { Guess } from "./guess.js";
import { hasNaN } from "./kernels.js";
import { layOut } from "./layout.js";
import { drawPanel } from "./marks.js";
import { Memory } from "./memory.js";
import { noise } from "./noise.js";
import { makeHands } from "./pointer.js";
import { compile } from "./runtime.js";
import { Sound } from "./sound.js";
import { Training } from "./train.js";
import { readTheme } from "./theme.js";
import { decimals, number } from "./words.js";

// what a mark, a readout or a sound calls the outputs that it shows
const OUTPUTS = ["name", "value", "xy", "mesh", "x", "y", "ab", "heights", "wave"];

export class View {
  /**
   * @param {HTMLElement} figure
   * @param model anywidget's, or a page's: get, set, save_changes, on, off
   * @param [address] of a page, reads and writes the state as a link
   */
  constructor(figure, model, address) {
    Object.assign(this, { figure, model, address, spec: model.get("spec") });
    const id = `live-${Math.random().toString(36).slice(2)}`; // a notebook has this module once a figure
    this.undo = [];
    this.evaluators = new Map();
    this.arrivals = new Arrivals(this);
    this.training = this.spec.train && new Training(this);
    this.controls = this.spec.controls.map((control) =>
      makeControl(control, `${id}-${control.name}`, (value) => this.change(control.name, value)),
    );
    const sounds = this.spec.panels.filter(({ kind }) => kind === "sound");
    this.sounds = sounds.map((panel) => new Sound(panel, this));
    const starters = [...(this.training?.elements ?? []), ...this.sounds.map((each) => each.element)];
    const { body, ...parts } = layOut(this.spec, this.controls, this.actions(), starters);
    Object.assign(this, parts);
    this.hands = this.pictures.map(({ panel, canvas }) => makeHands(this, panel, canvas));
    this.drawing = this.spec.drawing && new Drawing(this);
    if (this.drawing) body.querySelector(".live-controls").before(this.drawing.element);
    this.guess = this.spec.panels.some(({ guess }) => guess) && new Guess(this);
    if (this.guess) body.querySelector(".live-side").prepend(this.guess.element);
    if (address) {
      this.away = new Away(this);
      body.querySelector(".live-buttons").after(this.away.element);
    }
    this.name(id, body.querySelectorAll("button"));
    figure.insertBefore(body, figure.querySelector("figcaption"));

    const shown = this.spec.panels.flatMap((panel) => panel.items ?? panel.marks ?? panel);
    this.shown = shown.flatMap(outputsOf);
    follow(this);
    figure.dataset.state = "loading";
    figure.classList.add("live-mounted");
    figure.live = this; // for tests, and for the console
  }

  /** For listeners: the figure's name, and each button's with it, as in "Reset planar layer". */
  name(id, buttons) {
    const { figure, spec } = this;
    figure.id ||= id;
    figure.ariaLabel = spec.name.replaceAll("-", " ");
    for (const [i, button] of buttons.entries()) {
      button.id = `${id}-button-${i}`;
      button.setAttribute("aria-labelledby", `${button.id} ${figure.id}`);
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

  /** What the buttons do, by the words on them. */
  actions() {
    const actions = this.training ? {} : { Reset: () => this.reset() };
    if (this.address) {
      actions["Copy link"] = (element) => this.copyLink(element);
      actions["Save or embed"] = (element) => this.away.toggle(element);
    }
    const next = () => this.change("seed", this.model.get("seed") + 1);
    return this.spec.noise.length ? { "New noise": next, ...actions } : actions;
  }

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

  async copyLink(element) {
    const link = this.address.write();
    let said = "Link copied";
    try {
      await navigator.clipboard.writeText(link);
    } catch {
      history.replaceState(null, "", link); // no clipboard here: the address bar has it
      said = "Link is in the address bar";
    }
    element.textContent = said;
    setTimeout(() => (element.textContent = "Copy link"), 2000);
  }

  /** Goes to the state that the page's address names, if it names this figure's. */
  takeAddress() {
    try {
      if (!this.address.read()) return;
      this.notice = "";
    } catch (error) {
      this.notice = `The link could not be followed: ${error.message}. Move a control to go on.`;
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
    const { run, shapes, names } = this.evaluator(this.key(training ? "show" : ""));
    const learned = training ? { ...training.now(), losses: training.losses } : {};
    const outputs = run({ ...this.inputs(0, names), ...learned });
    for (const name of this.shown) {
      if (!hasNaN(outputs[name])) continue;
      throw Error(`“${name}” is not a number (NaN) at ${this.words()}`);
    }
    this.shapes = shapes;
    return outputs;
  }

  /** The name of a graph: its role in training, and the checkboxes and dropdowns that it takes. */
  key(role) {
    const taken = ({ name, kind }) =>
      kind !== "slider" && (!role || this.spec.train.takes[role].includes(name));
    return role + JSON.stringify(this.spec.controls.filter(taken).map(({ name }) => this.model.get(name)));
  }

  /** The graph of one choice of checkboxes and dropdowns, made ready once. */
  evaluator(key) {
    if (!this.evaluators.has(key)) {
      const graph = this.model.get("graphs")[key];
      if (!graph) throw Error(`there is no graph for the choice ${key}`);
      const floats = graph.data ? toFloats(graph.data) : (this.floats ??= toFloats(this.model.get("data")));
      this.memory ??= new Memory();
      this.figure.dataset.kernels = this.memory.pages ? "simd" : "loops";
      const run = compile(graph, floats, this.memory);
      this.evaluators.set(key, { run, shapes: graph.shapes, names: graph.inputs });
    }
    return this.evaluators.get(key);
  }

  /** The sliders, and those of `names` that are noise, of a step; controls.py mixes the seeds likewise. */
  inputs(step, names) {
    const draw = this.model.get("seed") * (this.spec.train?.steps ?? 1) + step;
    const { spec, model } = this, drawing = model.get("drawing");
    if (this.drawn?.draw !== draw || this.drawn.drawing !== drawing) this.drawn = { draw, drawing, noises: {} };
    const { noises } = this.drawn;
    const made = ({ kind, shape, seed, ...rest }) => {
      const own = (seed + 1009 * draw) % 2 ** 32;
      return kind === "drawn" ? rowsOf({ shape, ...rest }, drawing, spec.drawing, own) : noise(kind, shape, own);
    };
    for (const each of spec.noise) if (names.includes(each.name)) noises[each.name] ??= made(each);
    const sliders = this.spec.controls.filter(({ kind }) => kind === "slider");
    const values = sliders.map(({ name }) => [name, this.model.get(name)]);
    return { ...noises, ...Object.fromEntries(values) };
  }

  draw() {
    if (!this.outputs) return;
    // Where a canvas has a fraction of a pixel, the browser decides which way it snaps.
    const device = (length, snapped) => {
      const pixels = Math.round(length * devicePixelRatio);
      return Math.abs(snapped - pixels) <= 1 ? snapped : pixels;
    };
    for (const { panel, canvas, box } of this.pictures) {
      const rectangle = canvas.getBoundingClientRect();
      const width = device(rectangle.width, box?.inlineSize);
      const height = device(rectangle.height, box?.blockSize);
      if (canvas.width !== width) canvas.width = width;
      if (canvas.height !== height) canvas.height = height;
      if (!width || !height) continue; // not in the page, where it has no style either
      this.theme ??= readTheme(this.figure);
      this.paint(canvas, panel);
    }
  }

  paint(canvas, panel) {
    const marks = panel.marks.filter((mark) => !(this.guess && this.guess.hides(outputsOf(mark))));
    drawPanel(canvas, { ...panel, marks }, this.outputs, this.shapes, this.theme, (name) => this.model.get(name));
  }

  /** The readouts, and the state in words: in the text alternatives now, aloud once it rests. */
  report() {
    const { training, guess } = this;
    const said = this.readouts.flatMap(({ item, output }) => {
      const unknown = guess && guess.hides([item.name]);
      output.textContent = unknown ? "?" : number(this.outputs[item.name][0], item.digits);
      return unknown ? [] : `${item.label}: ${output.textContent}`;
    });
    if (guess) guess.report();
    if (training) said.unshift(training.told.textContent);
    const state = [this.words(), ...said].filter(Boolean).join(", ");
    for (const { panel, canvas } of this.pictures) {
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

/** The constants: base64 in a page, bytes on any boundary in a notebook. */
function toFloats(data) {
  if (typeof data === "string") {
    return new Float32Array(Uint8Array.from(atob(data), (c) => c.charCodeAt(0)).buffer);
  }
  const { buffer, byteOffset, byteLength } = data;
  return new Float32Array(buffer.slice(byteOffset, byteOffset + byteLength));
}
