/**
 * A live figure: its controls, its layout, its state.
 *
 * One view, two homes.  In a notebook the state lives in an anywidget model, which Python shares.
 * In a built page it lives in a `PageModel` with the same four methods, and in the page's address.
 */
import { noise } from "./noise.js";
import { compile } from "./runtime.js";
import { decimals, drawPanel, number, readTheme } from "./marks.js";

const REDUCED_MOTION = matchMedia("(prefers-reduced-motion: reduce)");
const PLAY = '<svg viewBox="0 0 12 12" aria-hidden="true"><path d="M2 1l9 5-9 5z"/></svg>';
const PAUSE = '<svg viewBox="0 0 12 12" aria-hidden="true"><path d="M2 1h3v10H2zm5 0h3v10H7z"/></svg>';
let views = 0;

/** anywidget's entry: draws into `el`, returns its clean-up. */
export function render({ model, el }) {
  const figure = make("figure", { className: "live-figure" });
  figure.dataset.lmSuppressShortcuts = "true"; // a key for a slider is not JupyterLab's
  el.append(figure);
  if (model.get("spec").caption) figure.append(make("figcaption", {}, model.get("spec").caption));
  const view = new View(figure, model, null);
  view.schedule();
  return () => view.stop();
}

/** A built page's entry: every mount point on it. */
export function hydrate() {
  const all = () => document.querySelectorAll('figure.live-figure[data-state="static"]').forEach(mount);
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", all);
  else all();
}

/** Puts the controls into one mount point now, and its pictures once a reader comes near. */
export function mount(figure) {
  let view;
  try {
    const model = new PageModel(JSON.parse(figure.querySelector("script.live-data").textContent));
    view = new View(figure, model, new Address(model));
  } catch (error) {
    figure.dataset.state = "error";
    figure.prepend(make("p", { className: "live-error", role: "alert" }, `This figure could not be read: ${error.message}.`));
    return;
  }
  const near = new IntersectionObserver(
    (entries) => {
      if (!entries.some((entry) => entry.isIntersecting)) return;
      near.disconnect();
      view.schedule();
    },
    { rootMargin: "800px" },
  );
  near.observe(figure);
  view.takeAddress();
}

/** The part of an anywidget model that a view uses, without a kernel. */
class PageModel extends EventTarget {
  constructor({ spec, graphs, data }) {
    super();
    this.values = { ...defaults(spec), spec, graphs, data };
  }
  get(name) {
    return this.values[name];
  }
  set(name, value) {
    this.values[name] = value;
    this.dispatchEvent(new Event(`change:${name}`));
  }
  save_changes() {}
  on(type, listener) {
    this.addEventListener(type, listener);
  }
  off(type, listener) {
    this.removeEventListener(type, listener);
  }
}

/** The state as a link: `#planar-layer?u1=1.5&constrain=0`. */
class Address {
  constructor(model) {
    this.model = model;
    this.spec = model.get("spec");
  }

  write() {
    const query = new URLSearchParams();
    for (const { name, kind } of this.spec.controls) {
      const value = this.model.get(name);
      query.set(name, kind === "checkbox" ? Number(value) : value);
    }
    if (this.model.get("seed")) query.set("seed", this.model.get("seed"));
    return `#${this.spec.name}?${query}`;
  }

  /** Takes the state from the page's address; throws, in words, what it cannot take. */
  read() {
    const [name, query] = location.hash.slice(1).split("?");
    if (name !== this.spec.name || query === undefined) return false;
    const wanted = Object.entries(Object.fromEntries(new URLSearchParams(query)));
    const values = wanted.map(([key, text]) => [key, this.parse(key, text)]);
    for (const [key, value] of values) this.model.set(key, value);
    return true;
  }

  parse(key, text) {
    if (key === "seed" && /^\d{1,9}$/.test(text)) return Number(text);
    const control = this.spec.controls.find((each) => each.name === key);
    if (!control) throw Error(`this figure has no control “${key}”`);
    const { kind, label, min, max, step } = control;
    if (kind === "checkbox" && /^[01]$/.test(text)) return text === "1";
    if (kind === "choice") {
      const option = control.options.find((each) => String(each) === text);
      if (option !== undefined) return option;
      throw Error(`${label} is one of ${control.options.join(", ")}, not “${text}”`);
    }
    const value = Number(text);
    const whole = [min, max, step].every(Number.isInteger);
    if (kind === "slider" && text.trim() && value >= min && value <= max && !(whole && value % 1)) return value;
    const end = (limit) => number(limit, decimals(step));
    const expected = kind === "checkbox" ? "0 or 1" : `from ${end(min)} to ${end(max)}`;
    throw Error(`${label} is ${expected}, not “${text}”`);
  }
}

/** The picture, the controls and the numbers of one figure, kept in step with a model. */
class View {
  constructor(figure, model, address) {
    Object.assign(this, { figure, model, address, spec: model.get("spec") });
    this.id = `live-${++views}`;
    this.undo = [];
    this.evaluators = new Map();
    this.controls = this.spec.controls.map((control) => this.control(control));
    const panels = this.spec.panels;
    this.shown = panels.flatMap((panel) => (panel.items ?? panel.marks).flatMap(outputsRead));
    this.build();
    this.listen();
    figure.dataset.state = "loading";
    figure.classList.add("live-mounted");
    figure.live = this; // for tests and for the console
  }

  stop() {
    cancelAnimationFrame(this.frame);
    clearTimeout(this.saying);
    this.controls.forEach((control) => control.pause?.());
    this.undo.forEach((undo) => undo());
    this.figure.remove();
  }

  // ---------------------------------------------------------------- layout

  build() {
    const axes = this.spec.panels.filter((panel) => panel.kind === "axes");
    const items = this.spec.panels.flatMap((panel) => panel.items ?? []);
    this.panels = axes.map((panel) => ({ panel, canvas: make("canvas", { role: "img" }) }));
    this.readouts = items.map((item) => ({ item, output: make("output", { name: item.name, ariaLive: "off" }) }));
    this.alert = make("p", { className: "live-error", role: "alert", hidden: true });
    this.spoken = make("p", { className: "live-spoken", ariaLive: "polite" });

    const legends = axes.some((panel) => panel.marks.some((mark) => mark.label));
    const pictures = this.panels.map(({ panel, canvas }) => {
      canvas.ariaLabel = panel.alt;
      const plot = make("div", { className: "live-plot" }, canvas);
      const title = panel.title ? [make("p", { className: "live-title" }, panel.title)] : [];
      const element = make("div", { className: "live-panel" }, ...title, ...(legends ? [legend(panel)] : []), plot);
      element.style.setProperty("--aspect", panel.aspect);
      return element;
    });
    const numbers = this.readouts.map(({ item, output }) =>
      make("div", { className: "live-readout" }, make("span", {}, item.label), output),
    );
    const controls = make("div", { className: "live-controls" }, ...this.controls.map((control) => control.element));
    const labels = this.spec.controls.filter(({ kind }) => kind !== "checkbox").map(({ label }) => label.length);
    const longest = Math.max(2, ...labels);
    controls.style.setProperty("--label", `${longest}ch`);
    if (longest > 9) controls.classList.add("live-above"); // labels stand over their sliders

    const body = make("div", { className: "live-body" },
      this.alert,
      make("div", { className: "live-panels" }, ...pictures),
      make("div", { className: "live-side" },
        ...(numbers.length ? [make("div", { className: "live-readouts" }, ...numbers)] : []),
        controls,
        this.buttons(),
      ),
      this.spoken,
    );
    if (axes.length === 1 && axes[0].aspect <= 1.5) body.classList.add("live-beside");
    if (axes.length > 1 && this.controls.length <= 6) body.classList.add("live-stacks");
    this.figure.insertBefore(body, this.figure.querySelector("figcaption"));
  }

  buttons() {
    const row = make("div", { className: "live-buttons" });
    const add = (text, action) => {
      const element = button(text, () => action(element));
      row.append(element);
    };
    if (this.spec.noise.length) add("New noise", () => this.change("seed", this.model.get("seed") + 1));
    add("Reset", () => this.reset());
    if (this.address) add("Copy link", (element) => this.copyLink(element));
    return row;
  }

  // -------------------------------------------------------------- controls

  /** One control: a native input with a visible label, and `show(value)` that follows the model. */
  control(control) {
    const id = `${this.id}-${control.name}`;
    const label = make("label", { htmlFor: id }, control.label);
    if (control.kind === "checkbox") {
      const input = make("input", { type: "checkbox", id, name: control.name });
      input.addEventListener("change", () => this.change(control.name, input.checked));
      const element = make("div", { className: "live-control live-checkbox" }, input, label);
      return { control, element, show: (value) => (input.checked = value) };
    }
    if (control.kind === "choice") {
      const options = control.options.map((option) => make("option", { value: String(option) }, String(option)));
      const input = make("select", { id, name: control.name }, ...options);
      input.addEventListener("change", () => this.change(control.name, control.options[input.selectedIndex]));
      const element = make("div", { className: "live-control" }, label, input);
      return { control, element, show: (value) => (input.selectedIndex = control.options.indexOf(value)) };
    }
    const { min, max, step } = control;
    const input = make("input", { type: "range", id, name: control.name, min, max, step });
    const value = make("span", { className: "live-value", ariaHidden: "true" });
    const element = make("div", { className: "live-control" }, label, input, value);
    const digits = decimals(step);
    value.style.minWidth = `${Math.max(...[min, max].map((end) => number(end, digits).length))}ch`;
    const show = (now) => {
      input.value = now;
      value.textContent = number(now, digits);
      input.ariaValueText = value.textContent;
      input.style.setProperty("--filled", (now - min) / (max - min));
    };
    const player = control.play ? this.player(control) : null;
    if (player) element.append(player.element);
    input.addEventListener("input", () => {
      player?.pause();
      this.change(control.name, input.valueAsNumber);
    });
    return { control, element, show, pause: player?.pause };
  }

  /** A button that sweeps a slider once, in five seconds; with reduced motion, a step at a time. */
  player({ name, label, min, max, step }) {
    let frame = 0;
    const place = (value) => Number((min + Math.round((value - min) / step) * step).toPrecision(12));
    const go = (value) => this.change(name, Math.min(place(value), max));
    const element = button("", () => {
      if (frame) return pause();
      const from = this.model.get(name) >= max ? min : this.model.get(name);
      if (REDUCED_MOTION.matches) return go(Math.min(from + Math.max(step, (max - min) / 20), max));
      const start = performance.now() - ((from - min) / (max - min)) * 5000;
      const sweep = (now) => {
        const value = Math.min(min + ((now - start) / 5000) * (max - min), max);
        go(Math.max(value, min));
        frame = value < max ? requestAnimationFrame(sweep) : 0;
        if (!frame) pause();
      };
      frame = requestAnimationFrame(sweep);
      face(PAUSE, `Pause ${label}`);
    });
    const face = (icon, text) => {
      element.innerHTML = icon;
      element.ariaLabel = text;
    };
    const pause = () => {
      cancelAnimationFrame(frame);
      frame = 0;
      face(PLAY, `Play ${label}`);
    };
    element.className = "live-play";
    pause();
    return { element, pause };
  }

  change(name, value) {
    this.notice = "";
    this.model.set(name, value);
    this.unsaved = true;
    this.schedule();
  }

  reset() {
    this.controls.forEach((control) => control.pause?.());
    for (const [name, value] of Object.entries(defaults(this.spec))) this.change(name, value);
  }

  async copyLink(element) {
    const link = new URL(this.address.write(), location.href).href;
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

  takeAddress() {
    try {
      if (!this.address.read()) return;
      this.notice = "";
    } catch (error) {
      this.notice = `The link could not be followed: ${error.message}. Move a control to go on.`;
    }
    this.figure.scrollIntoView({ block: "center" });
    this.schedule();
  }

  // ------------------------------------------------------------- following

  listen() {
    const on = (target, type, listener) => {
      target.addEventListener(type, listener);
      this.undo.push(() => target.removeEventListener(type, listener));
    };
    const follow = (name, listener) => {
      this.model.on(`change:${name}`, listener);
      this.undo.push(() => this.model.off(`change:${name}`, listener));
    };
    for (const { control, show } of this.controls) {
      show(this.model.get(control.name));
      follow(control.name, () => {
        show(this.model.get(control.name));
        this.schedule();
      });
    }
    follow("seed", () => this.schedule());
    if (this.address) on(window, "hashchange", () => this.takeAddress());

    const dark = matchMedia("(prefers-color-scheme: dark)");
    const repaint = () => {
      this.figure.dataset.theme = isDark(dark) ? "dark" : "light";
      this.theme = readTheme(this.figure);
      this.draw();
    };
    on(dark, "change", repaint);
    const attributes = new MutationObserver(repaint);
    for (const element of [document.documentElement, document.body]) {
      attributes.observe(element, { attributeFilter: ["class", "theme", "data-theme", "data-jp-theme-light"] });
    }
    const sizes = new ResizeObserver((entries) => {
      for (const { target, devicePixelContentBoxSize: box } of entries) {
        this.panels.find(({ canvas }) => canvas === target).box = box?.[0];
      }
      repaint(); // a notebook attaches the figure after it is built: only then has it a style
    });
    this.panels.forEach(({ canvas }) => sizes.observe(canvas));
    this.undo.push(() => attributes.disconnect(), () => sizes.disconnect());
    repaint();
  }

  // --------------------------------------------------------------- drawing

  /** However many events come, one frame. */
  schedule() {
    cancelAnimationFrame(this.frame);
    this.frame = requestAnimationFrame(() => this.update());
  }

  update() {
    const start = performance.now();
    try {
      this.outputs = this.evaluate();
      this.draw();
      this.report();
      this.fail(this.notice);
      this.figure.dataset.frameMs = (performance.now() - start).toFixed(2);
    } catch (error) {
      this.fail(`This picture could not be drawn: ${error.message}. Move a control, or press Reset.`);
    }
    if (this.unsaved) this.model.save_changes();
    this.unsaved = false;
  }

  /** What the traced function returns for the controls as they stand. */
  evaluate() {
    const { controls, noise: noises } = this.spec;
    const discrete = controls.filter((control) => control.kind !== "slider");
    const key = JSON.stringify(discrete.map((control) => this.model.get(control.name)));
    const seed = this.model.get("seed");
    if (!this.evaluators.has(key)) this.evaluators.set(key, this.compile(key));
    if (this.noise?.seed !== seed) {
      this.noise = { seed };
      for (const each of noises) {
        this.noise[each.name] = noise(each.kind, each.shape, (each.seed + 1009 * seed) % 2 ** 32);
      }
    }
    const inputs = {};
    for (const { name, kind } of controls) if (kind === "slider") inputs[name] = this.model.get(name);
    for (const { name } of noises) inputs[name] = this.noise[name];
    const { run, shapes } = this.evaluators.get(key);
    const outputs = run(inputs);
    for (const name of this.shown) {
      if (outputs[name].some(Number.isNaN)) throw Error(`“${name}” is not a number (NaN) at ${this.words()}`);
    }
    this.shapes = shapes;
    return outputs;
  }

  compile(key) {
    const graph = this.model.get("graphs")[key];
    if (!graph) throw Error(`there is no graph for the choice ${key}`);
    this.floats ??= floats(this.model.get("data"));
    return { run: compile(graph, this.floats), shapes: graph.shapes };
  }

  draw() {
    if (!this.outputs || !this.theme) return;
    // Where a canvas has a fraction of a pixel, the browser knows which way it snapped.
    const device = (length, snapped) => {
      const pixels = Math.round(length * devicePixelRatio);
      return Math.abs(snapped - pixels) <= 1 ? snapped : pixels;
    };
    for (const { panel, canvas, box } of this.panels) {
      const rectangle = canvas.getBoundingClientRect();
      const width = device(rectangle.width, box?.inlineSize);
      const height = device(rectangle.height, box?.blockSize);
      if (canvas.width !== width) canvas.width = width;
      if (canvas.height !== height) canvas.height = height;
      if (width && height) drawPanel(canvas, panel, this.outputs, this.shapes, this.theme);
    }
  }

  /** The readouts, and the state in words: in the text alternatives now, aloud once it rests. */
  report() {
    const said = this.readouts.map(({ item, output }) => {
      output.textContent = number(this.outputs[item.name][0], item.digits);
      return `${item.label}: ${output.textContent}`;
    });
    const state = [this.words(), ...said].filter(Boolean).join(", ");
    for (const { panel, canvas } of this.panels) canvas.ariaLabel = `${panel.alt} ${state ? `${state}.` : ""}`.trim();
    clearTimeout(this.saying);
    this.saying = setTimeout(() => (this.spoken.textContent = said.join(", ")), 700);
  }

  /** "u₁ = 1.50, constrain = on" */
  words() {
    const value = ({ name, kind, step }) => {
      const now = this.model.get(name);
      return kind === "checkbox" ? (now ? "on" : "off") : kind === "slider" ? number(now, decimals(step)) : now;
    };
    return this.spec.controls.map((control) => `${control.label} = ${value(control)}`).join(", ");
  }

  /** Shows what went wrong, in words; nothing went wrong, it is ready. */
  fail(message) {
    if (this.alert.textContent !== (message || "")) this.alert.textContent = message || "";
    this.alert.hidden = !message;
    this.figure.classList.toggle("live-blank", Boolean(message) && !this.outputs);
    this.figure.dataset.state = message ? "error" : "ready";
  }
}

// ------------------------------------------------------------------- helpers

function defaults(spec) {
  return { seed: 0, ...Object.fromEntries(spec.controls.map(({ name, value }) => [name, value])) };
}

/** The constants as floats: from base64 in a page, from bytes on any boundary in a notebook. */
function floats(data) {
  if (typeof data === "string") {
    return new Float32Array(Uint8Array.from(atob(data), (c) => c.charCodeAt(0)).buffer);
  }
  const { buffer, byteOffset, byteLength } = data;
  return new Float32Array(buffer.slice(byteOffset, byteOffset + byteLength));
}

/** The page's own word on its theme first (the book, JupyterLab, Colab, VS Code), then the system's. */
function isDark(system) {
  const { documentElement: html, body } = document;
  const named = html.dataset.theme ?? html.getAttribute("theme");
  if (named) return named === "dark";
  if (body.dataset.jpThemeLight) return body.dataset.jpThemeLight === "false";
  if (body.className.includes("vscode")) return body.classList.contains("vscode-dark");
  return system.matches;
}

/** The names of the outputs that a mark or a readout shows. */
function outputsRead(shown) {
  return ["name", "value", "xy", "mesh", "x", "y", "ab", "heights"].map((key) => shown[key]).filter(Boolean);
}

function legend(panel) {
  const entries = panel.marks.filter((mark) => mark.label).map((mark) => {
    const key = make("span", { className: `live-key live-key-${mark.fill ? "area" : mark.kind}` });
    if (mark.dashed) key.classList.add("live-key-dashed");
    if (mark.role) key.style.setProperty("--colour", `var(--live-${mark.role})`);
    return make("li", {}, key, mark.label);
  });
  return make("ul", { className: "live-legend" }, ...entries);
}

function button(text, action) {
  const element = make("button", { type: "button" }, text);
  element.addEventListener("click", action);
  return element;
}

function make(tag, properties = {}, ...children) {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...children);
  return element;
}

export default { render };
