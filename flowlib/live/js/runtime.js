/**
 * Evaluates, in the page, a graph that flowlib/live/trace.py made of a torch function.
 *
 * A graph is a list of nodes [op, args, shape]; an argument is {"v": id}, a number or a list.  All
 * values are Float32Arrays: booleans are 0 and 1, indices are whole numbers.  `compile` checks the
 * whole graph, allocates every buffer and returns a function that runs one loop for each node.
 */

import { OPERATIONS } from "./operations.js";
import { MAX_FLOATS, NodeReader, demand, isCount, sizeOf } from "./reader.js";

/**
 * Check a graph and make it ready to run.
 * @param {object} graph what trace.py made
 * @param {Float32Array} data the bytes of the constants of all graphs of the figure
 * @returns {(given: Record<string, number | ArrayLike<number>>) => Record<string, Float32Array>}
 *   evaluates the graph; the arrays it returns are overwritten by its next run
 */
export function compile(graph, data) {
  const { inputs, input_shapes: shapes, consts, nodes, outputs } = checkParts(graph, data);
  /** @type {Value[]} */
  const values = [];
  const add = (size, buffer, fixed, last = Infinity) =>
    values[values.push({ size, buffer, last, fixed }) - 1];
  let floats = 0;
  const spend = (size) => {
    floats += size;
    demand(floats <= MAX_FLOATS, `the graph needs more than ${MAX_FLOATS} numbers at a time`);
  };

  inputs.forEach((name, i) => {
    const size = sizeOf(shapes[i], `input ${JSON.stringify(name)}`);
    spend(size);
    add(size, new Float32Array(size), false);
  });
  consts.forEach((entry, i) => {
    demand(Array.isArray(entry) && entry.length === 3, `constant ${i} is not [shape, offset, width]`);
    const [shape, offset, width] = entry, size = sizeOf(shape, `constant ${i}`);
    demand([1, 2, 4].includes(width), `constant ${i} expected numbers of 1, 2 or 4 bytes`);
    const inside = isCount(offset) && 4 * offset + size * width <= data.byteLength;
    demand(inside, `constant ${i} lies outside the data`);
    if (width < 4) spend(size);
    add(size, unpack(data, offset, size, width), true);
  });
  const plans = nodes.map((entry, k) => {
    const node = new NodeReader(k, entry, values, spend);
    demand(Object.hasOwn(OPERATIONS, node.op), `${node.what} is an operation that this page does not know`);
    const [sources, step] = OPERATIONS[node.op](node);
    for (const source of sources) source.last = Math.max(source.last, k);
    const value = add(node.size, null, sources.every((source) => source.fixed), k);
    return { sources, step, value };
  });
  const results = Object.entries(outputs).map(([name, id]) => {
    demand(isCount(id) && id < values.length, `output ${JSON.stringify(name)} is no value of the graph`);
    values[id].last = Infinity;
    return [name, values[id]];
  });

  const steps = allocate(plans, spend);
  const named = Object.fromEntries(results.map(([name, value]) => [name, value.buffer]));
  return function run(given) {
    inputs.forEach((name, i) => feed(values[i].buffer, given?.[name], name));
    for (let i = 0; i < steps.length; i++) steps[i]();
    return named;
  };
}

/** Give every node a buffer, one that is free again where there is one, and bind its step to it.
 * What depends on no input is computed now; the steps for the rest are returned. */
function allocate(plans, spend) {
  const steps = [], free = new Map();
  plans.forEach(({ sources, step, value }, k) => {
    const spare = value.fixed ? undefined : free.get(value.size)?.pop();
    if (!spare) spend(value.size);
    const out = value.buffer = spare ?? new Float32Array(value.size);
    const buffers = sources.map((source) => source.buffer);
    if (value.fixed) step(out, buffers);
    else steps.push(() => step(out, buffers));
    for (const done of new Set([value, ...sources])) {
      if (done.last > k || done.fixed) continue;
      if (!free.has(done.size)) free.set(done.size, []);
      free.get(done.size).push(done.buffer);
    }
  });
  return steps;
}

/** Numbers as builder.py packs them: whole ones in a byte, float16 in two, float32 in four. */
function unpack(data, offset, size, width) {
  if (width === 4) return data.subarray(offset, offset + size);
  const Packed = width === 1 ? Uint8Array : Uint16Array;
  const numbers = new Packed(data.buffer, data.byteOffset + 4 * offset, size);
  return Float32Array.from(numbers, width === 1 ? undefined : half);
}

/** The float16 of these bits; browsers of 2023 have no Float16Array. */
function half(bits) {
  const exponent = (bits >> 10) & 31, rest = (bits & 1023) / 1024;
  const finite = exponent ? (1 + rest) * 2 ** (exponent - 15) : rest * 2 ** -14;
  const size = exponent < 31 ? finite : rest ? NaN : Infinity;
  return bits >> 15 ? -size : size;
}

function checkParts(graph, data) {
  demand(typeof graph === "object" && graph !== null, "the graph is not an object");
  demand(data instanceof Float32Array, "the constants are not a Float32Array");
  for (const part of ["inputs", "input_shapes", "consts", "nodes"]) {
    demand(Array.isArray(graph[part]), `the graph has no list of ${part}`);
  }
  const { inputs, input_shapes: shapes, outputs } = graph;
  demand(inputs.every((name) => typeof name === "string"), "the graph has an input without a name");
  demand(inputs.length === shapes.length, "the graph does not have a shape for each input");
  demand(typeof outputs === "object" && outputs !== null, "the graph has no outputs");
  return graph;
}

/** Copy what the page gives for an input into its buffer. */
function feed(buffer, given, name) {
  if (typeof given === "number" && buffer.length === 1) {
    buffer[0] = given;
    return;
  }
  const what = given === undefined ? "nothing" : `${given?.length ?? typeof given}`;
  demand(given?.length === buffer.length, `input "${name}" expected ${buffer.length} numbers; got ${what}`);
  buffer.set(given);
}
