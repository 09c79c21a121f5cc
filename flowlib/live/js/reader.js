/** Reads a graph with checks: an altered one must not hang the page or exhaust it. */

export const MAX_FLOATS = 2 ** 24; // in all buffers of one graph; float32 counts exactly up to here
const MAX_RANK = 16;
export const MAX_WORK = 2 ** 31; // multiplications in one node

/** What is wrong with a graph or with what it was given, in words that a figure can show. */
export class GraphError extends Error {
  name = "GraphError";
}

export function demand(condition, message) {
  if (!condition) throw new GraphError(message);
}

export const isCount = (value) => Number.isSafeInteger(value) && value >= 0;

/** The product of a shape's lengths. */
export function sizeOf(shape, what) {
  demand(Array.isArray(shape) && shape.length <= MAX_RANK && shape.every(isCount), `${what} has no proper shape`);
  const size = shape.reduce((product, length) => product * length, 1);
  demand(size <= MAX_FLOATS, `${what} has a shape of more than ${MAX_FLOATS} numbers`);
  return size;
}

/**
 * A value of the graph.
 * @typedef {{size: number, numbers?: Float32Array | Int32Array, at: number, last: number, reads: number}} Value
 *   numbers: of a constant; at: its place, once there is one; last: the last node that reads it;
 *   reads: the inputs that it depends on, a bit each
 */

/** The arguments of one node, read with checks: a wrong one is an error that names the node. */
export class NodeReader {
  constructor(position, entry, values, hold) {
    demand(Array.isArray(entry) && entry.length === 3, `node ${position} is not [op, args, shape]`);
    [this.op, this.args, this.shape] = entry;
    this.what = `node ${position} (${JSON.stringify(this.op)})`;
    this.values = values;
    this.hold = hold; // makes a constant of a typed array
    demand(typeof this.op === "string" && Array.isArray(this.args), `${this.what} is malformed`);
    this.size = sizeOf(this.shape, this.what);
  }

  expect(condition, expected) {
    demand(condition, `${this.what} expected ${expected}`);
  }

  /** @returns {Value} */
  asValue(argument) {
    const id = argument?.v;
    this.expect(isCount(id) && id < this.values.length, "the id of an earlier value");
    return this.values[id];
  }

  value(i) {
    return this.asValue(this.args[i]);
  }

  /** A value, or the number of one. */
  operand(i) {
    const argument = this.args[i];
    if (typeof argument !== "number") return this.asValue(argument);
    return this.hold(Float32Array.of(this.number(i)));
  }

  number(i) {
    this.expect(Number.isFinite(this.args[i]), `a number as argument ${i}`);
    return this.args[i];
  }

  count(i) {
    this.expect(isCount(this.args[i]) && this.args[i] <= MAX_FLOATS, `a count as argument ${i}`);
    return this.args[i];
  }

  /** Counts from argument i on, whose product is the work to be done. */
  counts(i, number) {
    const all = Array.from({ length: number }, (_, k) => this.count(i + k));
    const work = all.reduce((product, count) => product * Math.max(count, 1), 1);
    this.expect(work <= MAX_WORK, "less work");
    return all;
  }

  flag(i) {
    this.expect(typeof this.args[i] === "boolean", `true or false as argument ${i}`);
    return this.args[i];
  }

  /** The mask for the index into an operand over `size` numbers: see BINARY in kernels.js. */
  mask(operand, size = this.size) {
    this.expect(operand.size === size || operand.size === 1, "operands of one size, or of one number");
    return operand.size === 1 ? 0 : -1;
  }
}
