/** The graphs of a figure, made ready where they are first needed, and what they get. */
import { Memory } from "./memory.js";
import { noise } from "./noise.js";
import { compile } from "./runtime.js";

export class Graphs {
  /** @param view the figure's View */
  constructor({ figure, model, spec }) {
    Object.assign(this, { figure, model, spec, ready: new Map() });
  }

  /**
   * The graph for the present checkboxes and dropdowns.
   * @param {string} role "start", "step" or "show" of a figure that trains, else ""
   */
  of(role) {
    const key = this.key(role);
    if (!this.ready.has(key)) {
      const graph = this.model.get("graphs")[key];
      if (!graph) throw Error(`there is no graph for the choice ${key}`);
      const floats = graph.data ? toFloats(graph.data) : (this.floats ??= toFloats(this.model.get("data")));
      this.memory ??= new Memory();
      this.figure.dataset.kernels = this.memory.pages ? "simd" : "loops";
      const run = compile(graph, floats, this.memory);
      this.ready.set(key, { run, shapes: graph.shapes, names: graph.inputs });
    }
    return this.ready.get(key);
  }

  /** The name of a graph: its role, and the checkboxes and dropdowns that it takes. */
  key(role) {
    const taken = (control) =>
      !isNumber(control) && (!role || this.spec.train.takes[role].includes(control.name));
    return role + JSON.stringify(this.spec.controls.filter(taken).map(({ name }) => this.model.get(name)));
  }

  /** The controls that are numbers, and those of `names` that are noise, of a step; controls.py mixes the
   * seeds likewise. */
  inputs(step, names) {
    const draw = this.model.get("seed") * (this.spec.train?.steps ?? 1) + step;
    const { spec, model } = this, drawing = model.get("drawing");
    if (this.drawn?.draw !== draw || this.drawn.drawing !== drawing) {
      this.drawn = { draw, drawing, noises: {}, spare: { ...this.drawn?.spare, ...this.drawn?.noises } };
    }
    const { noises, spare } = this.drawn;
    const made = ({ kind, shape, seed, name, ...rest }) => {
      const own = (seed + 1009 * draw) % 2 ** 32;
      if (kind !== "drawn") return noise(kind, shape, own, spare[name], this.memory);
      return liveMore.rowsOf({ shape, ...rest }, drawing, spec.drawing, own);
    };
    for (const each of spec.noise) if (names.includes(each.name)) noises[each.name] ??= made(each);
    const values = spec.controls.filter(isNumber).map((control) => [control.name, asNumber(control, model)]);
    return { ...noises, ...Object.fromEntries(values) };
  }
}

/** A control's value as the traced function gets it: of a text, its place among the options. */
function asNumber({ name, options }, model) {
  const value = model.get(name);
  return typeof value === "string" ? options.indexOf(value) : Number(value);
}

/** Does a control reach the traced function as a number?  Another one has a graph for each of its values. */
function isNumber({ kind, as_number }) {
  return kind === "slider" || Boolean(as_number);
}

/** The constants: base64 in a page, bytes on any boundary in a notebook. */
function toFloats(data) {
  if (typeof data === "string") {
    return new Float32Array(Uint8Array.from(atob(data), (c) => c.charCodeAt(0)).buffer);
  }
  const { buffer, byteOffset, byteLength } = data;
  return new Float32Array(buffer.slice(byteOffset, byteOffset + byteLength));
}
