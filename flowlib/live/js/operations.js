/**
 * The operations of a graph.  Each reads and checks the arguments of its node once, and returns what
 * it reads and the step that fills its output; the loops are in kernels.js and linear.js.  Where
 * memory.js may have a kernel of the same name, the third of what it returns calls it: it takes the
 * addresses of the output and of what it reads.  A kernel that returns 1 leaves the step to the loop,
 * which says what is wrong.
 */

import { BINARY, REDUCE, SCAN, UNARY, copy } from "./kernels.js";
import { backSubstitute, eliminate, matrixProduct } from "./linear.js";
import { MAX_FLOATS, MAX_WORK, demand } from "./reader.js";

/**
 * The operations that are more than a loop.  Each takes the arguments of a node, checks them, and
 * returns [the values it reads, the step, the step with a kernel].
 * @type {Record<string, (node: NodeReader) => [Value[], (o: Float32Array, inputs: Float32Array[]) => void,
 *   ((kernel: Function, o: number, inputs: number[]) => void)?]>}
 */
export const OPERATIONS = {
  ...mapValues(UNARY, (loop) => (node) => {
    const x = node.operand(0), n = node.size;
    node.expect(x.size === n, "as many numbers as it reads");
    return [[x], (o, [a]) => loop(o, a, n), (kernel, o, [a]) => kernel(o, a, n)];
  }),

  ...mapValues(BINARY, (loop) => (node) => {
    const x = node.operand(0), y = node.operand(1), n = node.size;
    const p = node.mask(x), q = node.mask(y);
    return [[x, y], (o, [a, b]) => loop(o, a, b, p, q, n), (kernel, o, [a, b]) => kernel(o, a, b, p, q, n)];
  }),

  ...mapValues(REDUCE, (loop) => (node) => {
    const x = node.value(0), [outer, n, inner] = node.counts(1, 3);
    node.expect(x.size === outer * n * inner && node.size === outer * inner, "sizes that agree");
    const call = (kernel, o, [a]) => kernel(o, a, outer, n, inner);
    return [[x], (o, [a]) => loop(o, a, outer, n, inner), call];
  }),

  ...mapValues(SCAN, (loop) => (node) => {
    const x = node.value(0), [outer, n, inner] = node.counts(1, 3);
    node.expect(x.size === outer * n * inner && node.size === x.size, "sizes that agree");
    return [[x], (o, [a]) => loop(o, a, outer, n, inner)];
  }),

  where(node) {
    const operands = [node.operand(0), node.operand(1), node.operand(2)];
    const [p, q, r] = operands.map((operand) => node.mask(operand));
    const n = node.size;
    return [operands, (o, [c, a, b]) => {
      for (let i = 0; i < n; i++) o[i] = c[i & p] !== 0 ? a[i & q] : b[i & r];
    }, (kernel, o, [c, a, b]) => kernel(o, c, a, b, p, q, r, n)];
  },

  /** What reads x with other strides: expand, permute, slice, select, flip, diagonal. */
  view(node) {
    const x = node.value(0), offset = node.count(1), strides = node.args[2], { shape, size: n } = node;
    node.expect(Array.isArray(strides) && strides.every(Number.isSafeInteger), "whole strides");
    node.expect(strides.length === shape.length, "a stride for each dimension");
    let low = offset, high = offset;
    shape.forEach((length, d) => {
      const reach = strides[d] * (length - 1);
      if (reach < 0) low += reach; else high += reach;
    });
    node.expect(n === 0 || (low >= 0 && high < x.size), "to stay within the value it reads");
    const [outer, [run, step]] = runsOf(shape, strides), runs = run && n / run;
    const table = node.hold(indexTable(outer, offset, runs));
    return [[x, table], (o, [a, starts]) => {
      for (let r = 0; r < runs; r++) copy(o, r * run, a, starts[r], step, run);
    }, (kernel, o, [a, starts]) => kernel(o, a, starts, runs, step, run)];
  },

  /** cat([a, b, ...], outer): one after the other, in each of `outer` blocks. */
  cat(node) {
    const list = node.args[0], outer = node.count(1);
    node.expect(Array.isArray(list) && list.length > 0, "a list of values");
    const parts = list.map((argument) => node.asValue(argument));
    const total = parts.reduce((sum, part) => sum + part.size, 0);
    node.expect(total === node.size, "as many numbers as its parts have");
    node.expect(outer > 0 && outer <= Math.max(total, 1), "one block or more");
    node.expect(parts.every((part) => part.size % outer === 0), "parts of whole rows");
    const lengths = parts.map((part) => part.size / outer);
    return [parts, (o, inputs) => {
      let start = 0;
      for (let k = 0; k < inputs.length; k++) {
        const x = inputs[k], length = lengths[k];
        for (let row = 0; row < outer; row++) {
          copy(o, row * total / outer + start, x, row * length, 1, length);
        }
        start += length;
      }
    }, (kernel, o, inputs) => {
      for (let k = 0, to = o; k < inputs.length; to += 4 * lengths[k++]) {
        kernel(to, inputs[k], outer, lengths[k], total / outer);
      }
    }];
  },

  /** x without its fractions, where all of it lies between the arguments 1 and 2: see dtypes.py. */
  whole(node) {
    const x = node.operand(0), low = node.number(1), high = node.number(2), n = node.size;
    node.expect(x.size === n, "as many numbers as it reads");
    return [[x], (o, [a]) => {
      for (let i = 0; i < n; i++) {
        const number = Math.trunc(a[i]);
        if (!(number >= low && number <= high)) {
          demand(false, `a whole number is ${a[i]}; the page has them from ${low} to ${high}`);
        }
        o[i] = number + 0; // no -0
      }
    }];
  },

  /** x[index], both flat; negative ones count from the end. */
  take(node) {
    const x = node.value(0), index = node.value(1), n = node.size;
    node.expect(index.size === n, "an index for each number");
    return [[x, index], (o, [a, at]) => {
      for (let i = 0; i < n; i++) o[i] = a[place(at[i], a.length)];
    }, (kernel, o, [a, at]) => kernel(o, a, at, x.size, n)];
  },

  /** A copy of x with x[index] = source, or += where the last argument is true; all flat. */
  put(node) {
    const x = node.value(0), index = node.value(1), source = node.operand(2), add = node.flag(3);
    node.expect(x.size === node.size, "as many numbers as it reads");
    const n = index.size, p = node.mask(source, n);
    return [[x, index, source], (o, [a, at, b]) => {
      o.set(a);
      if (add) for (let i = 0; i < n; i++) o[place(at[i], o.length)] += b[i & p];
      else for (let i = 0; i < n; i++) o[place(at[i], o.length)] = b[i & p];
    }, (kernel, o, [a, at, b]) => kernel(o, a, at, b, x.size, n, p, add)];
  },

  arange(node) {
    const first = node.number(0), step = node.number(1), n = node.size;
    return [[], (o) => { for (let i = 0; i < n; i++) o[i] = first + i * step; }];
  },

  /** mm(a, b, bias or null, batch, m, k, n): a (batch, m, k) times b (batch, k, n), plus bias (n). */
  mm(node) {
    const a = node.value(0), b = node.value(1), bias = node.args[2] === null ? null : node.value(2);
    const [batch, m, k, n] = node.counts(3, 4);
    node.expect(a.size === batch * m * k && b.size === batch * k * n, "sizes that agree");
    node.expect(node.size === batch * m * n && (bias === null || bias.size === n), "sizes that agree");
    return [bias === null ? [a, b] : [a, b, bias], (o, [x, y, c]) => {
      for (let s = 0; s < batch; s++) matrixProduct(o, x, y, c, m, k, n, s * m * n, s * m * k, s * k * n);
    }, (kernel, o, [x, y, c]) => kernel(o, x, y, c ?? 0, batch, m, k, n)];
  },

  /** det, signdet, logabsdet: of a (batch, n, n). */
  det: (node) => determinant(node, (sign, logs, product) => product),
  signdet: (node) => determinant(node, (sign) => sign),
  logabsdet: (node) => determinant(node, (sign, logs) => logs),

  /** solve(a, b, batch, n, k): x with a x = b, where b has shape (batch, n, k). */
  solve(node) {
    const a = node.value(0), b = node.value(1);
    const [batch, n, k] = node.counts(2, 3);
    node.expect(a.size === batch * n * n && b.size === batch * n * k, "sizes that agree");
    node.expect(node.size === b.size && a.size * n <= MAX_WORK, "sizes that agree");
    node.expect(n * Math.max(n, k) <= MAX_FLOATS, "smaller matrices");
    const lu = new Float64Array(n * n), x = new Float64Array(n * k);
    return [[a, b], (o, [p, q]) => {
      for (let s = 0; s < batch; s++) {
        for (let i = 0; i < n * n; i++) lu[i] = p[s * n * n + i];
        for (let i = 0; i < n * k; i++) x[i] = q[s * n * k + i];
        eliminate(lu, n, x, k);
        for (let i = 0; i < n; i++) demand(lu[i * n + i] !== 0, "a matrix that is to be inverted is singular");
        backSubstitute(lu, n, x, k);
        o.set(x, s * n * k);
      }
    }];
  },
};

/** The index of a number, of `size` numbers; negative ones count from the end. */
function place(index, size) {
  if (!(index >= -size && index < size)) demand(false, `an index is ${index}, of ${size} numbers`);
  return index < 0 ? index + size : index;
}

/** The dimensions of a strided view as [length, stride], in runs as long as possible: without those
 * of one number, and with neighbours joined that are read as one.  The last is what a run takes. */
function runsOf(shape, strides) {
  const dims = [];
  shape.forEach((length, d) => {
    const last = dims.at(-1), stride = strides[d];
    if (last && last[1] === stride * length) dims[dims.length - 1] = [last[0] * length, stride];
    else if (length !== 1) dims.push([length, stride]);
  });
  const run = dims.pop() ?? [1, 1];
  return [dims, run];
}

/** Where each run of numbers of a strided view starts in what it reads. */
function indexTable(dims, offset, size) {
  const table = new Int32Array(size).fill(offset);
  let block = 1;
  for (const [length, stride] of dims.reverse()) {
    for (let i = 0; i < size; i++) table[i] += (Math.floor(i / block) % length) * stride;
    block *= length;
  }
  return table;
}

function determinant(node, pick) {
  const x = node.value(0), [batch, n] = node.counts(1, 2);
  node.expect(x.size === batch * n * n && node.size === batch, "sizes that agree");
  node.expect(x.size * n <= MAX_WORK && n * n <= MAX_FLOATS, "a smaller matrix");
  const a = new Float64Array(n * n);
  return [[x], (o, [p]) => {
    for (let s = 0; s < batch; s++) {
      for (let i = 0; i < n * n; i++) a[i] = p[s * n * n + i];
      let sign = eliminate(a, n, a, 0), log = 0, product = sign;
      for (let i = 0; i < n * n; i += n + 1) {
        sign *= (a[i] > 0) - (a[i] < 0); // 0 for NaN, as in torch
        log += Math.log(Math.abs(a[i]));
        product *= a[i];
      }
      o[s] = pick(sign, log, product);
    }
  }];
}

function mapValues(table, change) {
  return Object.fromEntries(Object.entries(table).map(([name, value]) => [name, change(value)]));
}
