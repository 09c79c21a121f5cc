/**
 * Evaluates, in the page, a graph that flowlib/live/trace.py made of a torch function.
 *
 * A graph is a list of nodes [op, args, shape]; an argument is {"v": id}, a number or a list.  All
 * values are Float32Arrays: booleans are 0 and 1, indices are whole numbers.  `compile` checks the
 * whole graph, allocates every buffer and returns a function that runs one loop for each node that
 * depends on an input which changed.
 */

import { OPERATIONS } from "./operations.js";
import { MAX_FLOATS, NodeReader, demand, isCount, sizeOf } from "./reader.js";

/**
 * Check a graph and make it ready to run.
 * @param {object} graph what trace.py made
 * @param {Float32Array} data the bytes of the constants of all graphs of the figure
 * @param {Memory} memory where its numbers will be
 * @returns {(given: Record<string, number | ArrayLike<number>>) => Record<string, Float32Array>}
 *   evaluates the graph; the arrays it returns are overwritten by its next run
 */
export function compile(graph, data, memory) {
  const { inputs, input_shapes: shapes, consts, nodes, outputs } = checkParts(graph, data);
  let floats = 0;
  const spend = (size) => {
    floats += size;
    demand(floats <= MAX_FLOATS, `the graph needs more than ${MAX_FLOATS} numbers at a time`);
  };
  /** @type {Value[]} */
  const values = [], given = [];
  const hold = (numbers, size = numbers.length) => {
    spend(size);
    return given[given.push({ size, numbers, last: Infinity, reads: 0 }) - 1];
  };

  inputs.forEach((name, i) => {
    const value = hold(null, sizeOf(shapes[i], `input ${JSON.stringify(name)}`));
    value.reads = 1 << Math.min(i, 31);
    values.push(value);
  });
  consts.forEach((entry, i) => {
    demand(Array.isArray(entry) && entry.length === 3, `constant ${i} is not [shape, offset, width]`);
    const [shape, offset, width] = entry, size = sizeOf(shape, `constant ${i}`);
    demand([1, 2, 4].includes(width), `constant ${i} expected numbers of 1, 2 or 4 bytes`);
    const inside = isCount(offset) && 4 * offset + size * width <= data.byteLength;
    demand(inside, `constant ${i} lies outside the data`);
    values.push(hold(unpack(data, offset, size, width)));
  });
  const plans = nodes.map((entry, k) => {
    const node = new NodeReader(k, entry, values, hold);
    demand(Object.hasOwn(OPERATIONS, node.op), `${node.what} is an operation that this page does not know`);
    const [sources, step, call] = OPERATIONS[node.op](node);
    const reads = sources.reduce((all, source) => all | source.reads, 0);
    // What a node reads that is not computed as often as itself has to stay.
    for (const source of sources) source.last = source.reads === reads ? Math.max(source.last, k) : Infinity;
    const value = { size: node.size, last: k, reads };
    values.push(value);
    return { op: node.op, sources, step, call, value };
  });
  const results = Object.entries(outputs).map(([name, id]) => {
    demand(isCount(id) && id < values.length, `output ${JSON.stringify(name)} is no value of the graph`);
    values[id].last = Infinity;
    return [name, values[id]];
  });

  const length = arrange(given, plans, spend), named = {};
  let steps, computed = false, changed = -1;
  memory.reserve(length, (buffer, address, kernels) => {
    for (const value of new Set([...given, ...values])) {
      value.address = address + 4 * value.at;
      const Numbers = value.numbers?.constructor ?? Float32Array;
      const numbers = new Numbers(buffer, value.address, value.size);
      if (!computed && value.numbers) numbers.set(value.numbers);
      value.numbers = numbers;
    }
    steps = [];
    for (const plan of plans) {
      const step = bound(plan, kernels[plan.op]);
      if (plan.value.reads) steps.push([plan.value.reads, step]);
      else if (!computed) step();
    }
    for (const [name, value] of results) named[name] = value.numbers;
    computed = true;
  });
  return function run(inputsNow) {
    let now = changed;
    changed = -1; // all of them, where this run stops at an error
    inputs.forEach((name, i) => {
      if (feed(values[i].numbers, inputsNow?.[name], name)) now |= values[i].reads;
    });
    for (let i = 0; i < steps.length; i++) if (steps[i][0] & now) steps[i][1]();
    changed = 0;
    return named;
  };
}

/** A node's step, by its kernel where there is one. */
function bound({ sources, step, call, value }, kernel) {
  const { numbers } = value, inputs = sources.map((source) => source.numbers);
  const loop = () => step(numbers, inputs);
  if (!kernel) return loop;
  const out = value.address, addresses = sources.map(({ address }) => address);
  return () => call(kernel, out, addresses) && loop();
}

/** Gives every value its place, a node one that is free again where there is one; returns how many
 * numbers that takes.  What has to stay shares its place only with what is computed no more often: that
 * would take it away.  Kernels want places on 16 bytes, and some room behind them: see simd/simd.h. */
function arrange(given, plans, spend) {
  const free = new Map(); // by size: places, and all that they were computed from
  let end = 0;
  const place = (value) => {
    value.at = end;
    value.shared = value.reads;
    end += (value.size + 3 & ~3) + 8;
  };
  given.forEach(place);
  plans.forEach(({ sources, value }, k) => {
    const all = free.get(value.size) ?? [];
    const fits = ({ shared }) => value.reads && (value.last < Infinity || !(shared & ~value.reads));
    const spare = all.findLastIndex(fits);
    if (spare < 0) {
      spend(value.size);
      place(value);
    } else {
      const [{ at, shared }] = all.splice(spare, 1);
      Object.assign(value, { at, shared: shared | value.reads });
    }
    for (const done of new Set([value, ...sources])) {
      if (done.last > k || !done.reads) continue;
      if (!free.has(done.size)) free.set(done.size, []);
      free.get(done.size).push(done);
    }
  });
  return end;
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

/** Copy what the page gives for an input into its buffer; says whether that changed it. */
function feed(buffer, given, name) {
  if (typeof given === "number" && buffer.length === 1) given = [Math.fround(given)];
  const what = given === undefined ? "nothing" : `${given?.length ?? typeof given}`;
  demand(given?.length === buffer.length, `input "${name}" expected ${buffer.length} numbers; got ${what}`);
  let same = 0;
  while (same < buffer.length && Object.is(buffer[same], given[same])) same++;
  buffer.set(given);
  return same < buffer.length;
}
