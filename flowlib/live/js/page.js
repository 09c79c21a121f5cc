/**
 * A built page: its mount points come to life, and the state of a figure is a link.
 */
import { make } from "./controls.js";
import { View, defaults } from "./figure.js";
import { findSecond, needsSecond, withSecond } from "./second.js";
import { decimals, number } from "./words.js";

const FRAME = 20; // milliseconds: a page with more to spare is at rest
const LATEST = 1000; // milliseconds that a figure in sight waits for a busy page

const LOST = "its file is missing";

/**
 * Every mount point of the page.
 * @param {string} [second] where the second script is, beside this one; none if it is in it
 */
export function hydrate(second) {
  if (second) findSecond(second);
  const waiting = 'figure.live-figure[data-state="static"]';
  const all = () => document.querySelectorAll(waiting).forEach(begin);
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", all);
  else all();
}

/** Loads a figure's state once a reader comes close, or the page is there and idle. */
function begin(figure) {
  if (figure.querySelector("script.live-data")) return mount(figure);
  const script = make("script", { src: figure.dataset.src, onerror: () => refuse(figure, LOST) });
  const load = () => script.isConnected || figure.append(script);
  figure.addEventListener("live-data", () => mount(figure), { once: true });
  whenWithin("800px", figure, load);
  if (document.readyState === "complete") whenIdle(load);
  else addEventListener("load", () => whenIdle(load));
}

function whenIdle(go, options) {
  if (window.requestIdleCallback) requestIdleCallback(go, options);
  else setTimeout(() => go({ timeRemaining: () => Infinity })); // Safari
}

function whenWithin(rootMargin, figure, go) {
  const observer = new IntersectionObserver(
    (entries) => {
      if (!entries.some((entry) => entry.isIntersecting)) return;
      observer.disconnect();
      go();
    },
    { rootMargin },
  );
  observer.observe(figure);
}

function refuse(figure, why) {
  figure.querySelector(".live-body")?.remove(); // of a half-built one: no control is dead
  figure.dataset.state = "error";
  const words = `This figure could not be read: ${why}.`;
  figure.prepend(make("p", { className: "live-error", role: "alert" }, words));
}

/** Puts the controls into one mount point, once all that they need is there. */
function mount(figure) {
  try {
    const data = JSON.parse(figure.querySelector("script.live-data").textContent);
    if (!needsSecond(data.spec)) return build(figure, data);
    withSecond(() => build(figure, data), () => refuse(figure, LOST));
  } catch (error) {
    refuse(figure, error.message);
  }
}

/**
 * Puts them there now.  Its pictures may take seconds: they come while a reader is close and nothing
 * moves, or is there and the page has a moment.
 */
function build(figure, data) {
  let view;
  try {
    const model = new PageModel(data);
    view = new View(figure, model, new Address(model));
  } catch (error) {
    return refuse(figure, error.message);
  }
  if (location.search === "?bare") figure.classList.add("live-bare");
  const first = () => view.outputs || view.update();
  const resting = (deadline) => {
    if (deadline.timeRemaining() > FRAME) first();
    else if (!view.outputs) whenIdle(resting);
  };
  whenWithin("800px", figure, () => whenIdle(resting));
  whenWithin("0px", figure, () => whenIdle(first, { timeout: LATEST }));
  view.takeAddress();
}

function firstDrawing({ drawing }) {
  return drawing && liveMore.decodeDrawing(drawing.shapes[drawing.start], drawing);
}

/** The graphs of a part of a figure, each with the part's constants. */
function graphsOf({ graphs, data }) {
  for (const graph of Object.values(graphs)) graph.data = data;
  return graphs;
}

/** The part of an anywidget model that a view uses, without a kernel. */
class PageModel extends EventTarget {
  constructor({ spec, graphs, data, files, parts = [] }) {
    super();
    this.files = files;
    for (const part of parts) Object.assign(graphs, graphsOf(part));
    this.values = { ...defaults(spec), drawing: firstDrawing(spec), spec, graphs, data };
  }
  /** Fetches a graph that has a file of its own; by a script, for a page opened as a file. */
  fetch(key) {
    const src = this.files[key];
    if (!src) throw Error(`there is no graph for the choice ${key}`);
    return new Promise((resolve, reject) => {
      const script = make("script", { src, onerror: reject });
      script.onload = () => {
        script.remove();
        try {
          const graphs = graphsOf(JSON.parse(script.part));
          if (!graphs[key]) throw Error("another part");
          resolve(Object.assign(this.get("graphs"), graphs));
        } catch (error) {
          reject(error); // another file than expected, or half of it
        }
      };
      document.head.append(script);
    });
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

const TRACKERS = /^(utm|mc)_|clk?id$/; // what mailings and networks add to the links that they carry

/** The state as a link: `#planar-layer?u1=1.5&constrain=0`. */
class Address {
  constructor(model) {
    this.model = model;
    this.spec = model.get("spec");
  }

  /** @param [page] another page that has the figure */
  write(page = location.href) {
    const query = new URLSearchParams();
    for (const { name, kind } of this.spec.controls) {
      const value = this.model.get(name);
      query.set(name, kind === "checkbox" ? Number(value) : value);
    }
    const seed = this.model.get("seed");
    if (seed !== (this.spec.seed ?? 0)) query.set("seed", seed);
    const { drawing } = this.spec, text = drawing && liveMore.encodeDrawing(this.model.get("drawing"), drawing);
    if (text && text !== drawing.shapes[drawing.start]) query.set("drawing", text);
    return new URL(`#${this.spec.name}?${query}`, page).href;
  }

  /**
   * Takes the state from the page's address; throws, in words.
   * @returns {string[] | null} the names that no control has, as a link to an older edition of the
   *   page may; null where the address is not of this figure
   */
  read() {
    const [name, ...query] = location.hash.slice(1).split(/[?&]/);
    if (name !== this.spec.name || !query.length) return null;
    const wanted = [...new URLSearchParams(query.join("&"))];
    const own = [{ name: "seed", kind: "seed", label: "seed" }, ...this.spec.controls];
    if (this.spec.drawing) own.push({ name: "drawing", kind: "drawing", paper: this.spec.drawing });
    const lost = [];
    const values = wanted.flatMap(([key, text]) => {
      const control = own.find((each) => each.name === key);
      if (control) return [[key, parse(control, text)]];
      if (!TRACKERS.test(key)) lost.push(`“${key}”`);
      return [];
    });
    for (const [key, value] of values) this.model.set(key, value);
    return lost;
  }
}

function parse(control, text) {
  const { value, expected } = PARSERS[control.kind](control, text);
  if (value === undefined) throw Error(`${control.label} is ${expected}, not “${text}”`);
  return value;
}

const PARSERS = {
  drawing({ paper }, text) {
    return { value: liveMore.decodeDrawing(text, paper) };
  },
  seed(_, text) {
    return { value: /^\d{1,9}$/.test(text) ? Number(text) : undefined, expected: "a whole number" };
  },
  checkbox(_, text) {
    return { value: ["0", "1"].includes(text) ? text === "1" : undefined, expected: "0 or 1" };
  },
  choice({ options }, text) {
    const value = options.find((option) => String(option) === text);
    return { value, expected: `one of ${options.join(", ")}` };
  },
  slider({ min, max, step }, text) {
    const value = text.trim() ? Number(text) : NaN;
    const whole = [min, max, step].every(Number.isInteger);
    const good = value >= min && value <= max && !(whole && value % 1);
    const end = (limit) => number(limit, decimals(step));
    return { value: good ? value : undefined, expected: `from ${end(min)} to ${end(max)}` };
  },
};
